//! The generic door: [`OrganizationRequest`] and [`OrganizationResponse`], for `execute` and for batches.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    entity::{ColumnSet, Entity, EntityReference, Relationship},
    error::{ConvertError, Fault},
    query::Query,
    security::{Principal, PrincipalAccess},
    value::{FromValue, Value, convert},
};

/// A message by name with its parameters, as the older service calls them: `Target`, `TeamId`, ….
///
/// ```
/// use orgservice_client::{Entity, OrganizationRequest, Value};
/// # use uuid::Uuid;
/// # let (team, ann) = (Uuid::from_u128(1), Uuid::from_u128(2));
///
/// let add = OrganizationRequest::new("AddMembersTeam")
///     .set("TeamId", team)
///     .set("MemberIds", Value::list([ann]));
/// let create = OrganizationRequest::create(Entity::new("account").set("name", "Contoso"));
/// assert_eq!(create.request_name, "Create");
/// # let _ = add;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrganizationRequest {
    /// Name of the message, in its exact spelling.
    pub request_name: String,
    /// Parameters by name.
    pub parameters: BTreeMap<String, Value>,
    /// Id of the request. Inside a batch it only fills the context of plug-ins (GO-2).
    pub request_id: Option<Uuid>,
}

impl OrganizationRequest {
    /// A message without parameters.
    pub fn new(request_name: impl Into<String>) -> Self {
        Self {
            request_name: request_name.into(),
            ..Self::default()
        }
    }

    /// The same request with a parameter.
    #[must_use]
    pub fn set(mut self, parameter: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(parameter.into(), value.into());
        self
    }

    /// The same request with an id.
    #[must_use]
    pub fn with_request_id(mut self, id: Uuid) -> Self {
        self.request_id = Some(id);
        self
    }

    /// `Create`. The result `id` is a [`Uuid`].
    pub fn create(target: impl Into<Entity>) -> Self {
        Self::new("Create").set("Target", target.into())
    }

    /// `Retrieve`. The result `Entity` is an [`Entity`].
    pub fn retrieve(target: impl Into<EntityReference>, columns: impl Into<ColumnSet>) -> Self {
        Self::new("Retrieve")
            .set("Target", target.into())
            .set("ColumnSet", columns.into())
    }

    /// `Update`.
    pub fn update(target: impl Into<Entity>) -> Self {
        Self::new("Update").set("Target", target.into())
    }

    /// `Upsert`. The results are `RecordCreated` and `Target`.
    pub fn upsert(target: impl Into<Entity>) -> Self {
        Self::new("Upsert").set("Target", target.into())
    }

    /// `Delete`.
    pub fn delete(target: impl Into<EntityReference>) -> Self {
        Self::new("Delete").set("Target", target.into())
    }

    /// `Assign`.
    pub fn assign(target: impl Into<EntityReference>, assignee: impl Into<Principal>) -> Self {
        Self::new("Assign")
            .set("Target", target.into())
            .set("Assignee", assignee.into().into_reference())
    }

    /// `GrantAccess`, which the typed call is named `share` for (GR-4).
    pub fn grant_access(target: impl Into<EntityReference>, access: PrincipalAccess) -> Self {
        Self::new("GrantAccess")
            .set("Target", target.into())
            .set("PrincipalAccess", access)
    }

    /// `ModifyAccess`, which the typed call is named `modify_share` for (GR-4).
    pub fn modify_access(target: impl Into<EntityReference>, access: PrincipalAccess) -> Self {
        Self::new("ModifyAccess")
            .set("Target", target.into())
            .set("PrincipalAccess", access)
    }

    /// `RevokeAccess`, which the typed call is named `unshare` for (GR-4).
    pub fn revoke_access(
        target: impl Into<EntityReference>,
        revokee: impl Into<Principal>,
    ) -> Self {
        Self::new("RevokeAccess")
            .set("Target", target.into())
            .set("Revokee", revokee.into().into_reference())
    }

    /// `Associate`.
    pub fn associate(
        target: impl Into<EntityReference>,
        relationship: impl Into<Relationship>,
        related: impl IntoIterator<Item = EntityReference>,
    ) -> Self {
        Self::new("Associate")
            .set("Target", target.into())
            .set("Relationship", relationship.into())
            .set("RelatedEntities", related.into_iter().collect::<Vec<_>>())
    }

    /// `Disassociate`.
    pub fn disassociate(
        target: impl Into<EntityReference>,
        relationship: impl Into<Relationship>,
        related: impl IntoIterator<Item = EntityReference>,
    ) -> Self {
        let mut request = Self::associate(target, relationship, related);
        "Disassociate".clone_into(&mut request.request_name);
        request
    }

    /// `RetrieveMultiple`. The result `EntityCollection` is an
    /// [`EntityCollection`](crate::EntityCollection).
    pub fn retrieve_multiple(query: impl Into<Query>) -> Self {
        Self::new("RetrieveMultiple").set("Query", query.into())
    }
}

/// The results of a message, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrganizationResponse {
    /// Name of the message.
    pub response_name: String,
    /// Results by name.
    pub results: BTreeMap<String, Value>,
}

impl OrganizationResponse {
    /// A result, converted. `Option<T>` accepts an absent one.
    ///
    /// # Errors
    /// [`ConvertError`] if the result is absent or of another kind.
    pub fn get<T: FromValue>(&self, name: &str) -> Result<T, ConvertError> {
        convert(name, self.results.get(name).cloned())
    }
}

/// What became of the requests of `execute_multiple`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecuteMultipleResponse {
    /// Whether at least one request failed.
    pub is_faulted: bool,
    /// By ascending index: every processed request, or only the failed ones without responses (XM-2).
    pub items: Vec<ExecuteMultipleItem>,
}

/// What became of one request of `execute_multiple`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecuteMultipleItem {
    /// Index of the request.
    pub request_index: usize,
    /// Its response or its fault.
    pub outcome: Result<OrganizationResponse, Box<Fault>>,
}
