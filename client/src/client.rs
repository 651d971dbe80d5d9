//! [`OrganizationServiceClient`]: the handle, and one method for each operation.

use std::{fmt, marker::PhantomData, sync::Arc};

use uuid::Uuid;

use crate::{
    builder::ClientBuilder,
    call::Call,
    entity::{ColumnSet, Entity, EntityReference, Relationship},
    operations::{
        Assign, Associate, Create, CreateToken, Delete, Disassociate, Execute, ExecuteMultiple,
        ExecuteTransaction, ExplainAccess, ListTokens, ModifyShare, Retrieve, RetrieveMultiple,
        RetrieveServerInfo, RevokeToken, Share, Unshare, Update, Upsert, WhoAmI,
    },
    query::Query,
    request::OrganizationRequest,
    security::{AccessRights, Principal, PrincipalAccess},
    stream::RecordStream,
    transport::{Identity, Shared},
    typed::{FromEntity, TypedEntity},
    v1,
};

/// A handle to the organization service: a connection and, per handle, whom to act for.
///
/// Cloning is cheap and sends nothing. Clones share the connections, the token and the settings; each has
/// its own [`caller_id`](Self::caller_id), copied from the handle it was cloned from. Changing it needs
/// `&mut`, and a [`Call`] takes its identity when it is made, so no call in flight can change sides.
///
/// ```
/// use orgservice_client::OrganizationServiceClient;
/// use uuid::Uuid;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), orgservice_client::Error> {
/// let service = OrganizationServiceClient::builder("http://localhost:50051").connect_lazy()?;
///
/// let mut as_ann = service.clone();
/// as_ann.caller_id = Some(Uuid::from_u128(0xA));
/// assert_eq!(service.caller_id, None);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct OrganizationServiceClient {
    /// The user to act for, by `systemuserid`; `None` or all-zero: the authenticated user itself. It needs
    /// the privilege `prvActOnBehalfOfAnotherUser`.
    pub caller_id: Option<Uuid>,
    /// The user to act for, by directory object id. Not sent when [`caller_id`](Self::caller_id) is set, too
    /// (IM-1).
    pub caller_object_id: Option<Uuid>,
    shared: Arc<Shared>,
}

impl OrganizationServiceClient {
    /// Begins a connection to a server, such as `https://crm.example:50051`.
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(address.into())
    }

    pub(crate) fn new(
        shared: Shared,
        caller_id: Option<Uuid>,
        caller_object_id: Option<Uuid>,
    ) -> Self {
        Self {
            caller_id,
            caller_object_id,
            shared: Arc::new(shared),
        }
    }

    fn call<O>(&self, operation: O) -> Call<O> {
        let identity = Identity::new(self.caller_id, self.caller_object_id);
        Call::new(Arc::clone(&self.shared), identity, operation)
    }

    /// Creates a record and what is related inside it; answers its id (CR-*).
    pub fn create(&self, target: impl Into<Entity>) -> Call<Create> {
        self.call(Create(v1::CreateRequest {
            target: Some(target.into().into()),
            options: None,
        }))
    }

    /// Reads a record as a type, with the columns of the type.
    ///
    /// A record that may not be read is [`is_access_denied`](crate::Error::is_access_denied), one that does
    /// not exist [`is_not_found`](crate::Error::is_not_found).
    pub fn retrieve<T: TypedEntity>(&self, id: Uuid) -> Call<Retrieve<T>> {
        self.retrieve_as(T::reference(id), T::column_set())
    }

    /// Reads a record without a type, by id or by alternate key.
    pub fn retrieve_entity(
        &self,
        target: impl Into<EntityReference>,
        columns: impl Into<ColumnSet>,
    ) -> Call<Retrieve<Entity>> {
        self.retrieve_as(target, columns)
    }

    /// Reads a record by any reference, with any columns, as a type: the general form of
    /// [`retrieve`](Self::retrieve) and [`retrieve_entity`](Self::retrieve_entity).
    pub fn retrieve_as<T: FromEntity>(
        &self,
        target: impl Into<EntityReference>,
        columns: impl Into<ColumnSet>,
    ) -> Call<Retrieve<T>> {
        self.call(Retrieve(
            v1::RetrieveRequest {
                target: Some(target.into().into()),
                column_set: Some(columns.into().into()),
                ..v1::RetrieveRequest::default()
            },
            PhantomData,
        ))
    }

    /// Changes the columns that the target holds; null clears one, absent ones stay (UP-1, UP-2).
    pub fn update(&self, target: impl Into<Entity>) -> Call<Update> {
        self.call(Update(v1::UpdateRequest {
            target: Some(target.into().into()),
            ..v1::UpdateRequest::default()
        }))
    }

    /// Changes the record that the id or the alternate key names, or creates it, in one step (US-5).
    pub fn upsert(&self, target: impl Into<Entity>) -> Call<Upsert> {
        self.call(Upsert(v1::UpsertRequest {
            target: Some(target.into().into()),
            options: None,
        }))
    }

    /// Deletes a record and what its relationships cascade to. A missing one is an error (DE-1).
    pub fn delete(&self, target: impl Into<EntityReference>) -> Call<Delete> {
        self.call(Delete(v1::DeleteRequest {
            target: Some(target.into().into()),
            ..v1::DeleteRequest::default()
        }))
    }

    /// Links records to the target through a relationship; all or none (AS-1).
    pub fn associate<I, R>(
        &self,
        target: impl Into<EntityReference>,
        relationship: impl Into<Relationship>,
        related: I,
    ) -> Call<Associate>
    where
        I: IntoIterator<Item = R>,
        R: Into<EntityReference>,
    {
        self.call(Associate(v1::AssociateRequest {
            target: Some(target.into().into()),
            relationship: Some(relationship.into().into()),
            related_entities: wire_references(related),
            options: None,
        }))
    }

    /// Removes links between records and the target; one that is not there is no error (AS-6).
    pub fn disassociate<I, R>(
        &self,
        target: impl Into<EntityReference>,
        relationship: impl Into<Relationship>,
        related: I,
    ) -> Call<Disassociate>
    where
        I: IntoIterator<Item = R>,
        R: Into<EntityReference>,
    {
        self.call(Disassociate(v1::DisassociateRequest {
            target: Some(target.into().into()),
            relationship: Some(relationship.into().into()),
            related_entities: wire_references(related),
            options: None,
        }))
    }

    /// Gives a record to another owner, a user or a team; a bare id means a user.
    pub fn assign(
        &self,
        target: impl Into<EntityReference>,
        assignee: impl Into<Principal>,
    ) -> Call<Assign> {
        self.call(Assign(v1::AssignRequest {
            target: Some(target.into().into()),
            assignee: Some(assignee.into().into_reference().into()),
            options: None,
        }))
    }

    /// Adds rights on a record to what is shared with a principal; a bare id means a user. The message is
    /// named GrantAccess (GR-4).
    pub fn share(
        &self,
        target: impl Into<EntityReference>,
        principal: impl Into<Principal>,
        rights: AccessRights,
    ) -> Call<Share> {
        self.call(Share(v1::ShareRequest {
            target: Some(target.into().into()),
            principal_access: Some(PrincipalAccess::new(principal, rights).into()),
            options: None,
        }))
    }

    /// Replaces the rights that are shared with a principal. The message is named ModifyAccess (GR-4).
    pub fn modify_share(
        &self,
        target: impl Into<EntityReference>,
        principal: impl Into<Principal>,
        rights: AccessRights,
    ) -> Call<ModifyShare> {
        self.call(ModifyShare(v1::ModifyShareRequest {
            target: Some(target.into().into()),
            principal_access: Some(PrincipalAccess::new(principal, rights).into()),
            options: None,
        }))
    }

    /// Takes back all that is shared with a principal. The message is named RevokeAccess (GR-4).
    pub fn unshare(
        &self,
        target: impl Into<EntityReference>,
        revokee: impl Into<Principal>,
    ) -> Call<Unshare> {
        self.call(Unshare(v1::UnshareRequest {
            target: Some(target.into().into()),
            revokee: Some(revokee.into().into_reference().into()),
            options: None,
        }))
    }

    /// Reads one page of a query. Records that the user may not read are left out (AC-6).
    pub fn retrieve_multiple(&self, query: impl Into<Query>) -> Call<RetrieveMultiple> {
        self.call(RetrieveMultiple(v1::RetrieveMultipleRequest {
            query: Some(query.into().into_wire()),
            ..v1::RetrieveMultipleRequest::default()
        }))
    }

    /// Reads all rows of a query, page after page, as a type or as [`Entity`]. A query that names no
    /// columns gets those of the type.
    pub fn stream<T: FromEntity>(&self, query: impl Into<Query>) -> RecordStream<T> {
        RecordStream::new(self.clone(), query.into())
    }

    /// Runs any message by name: what has no method here, and the customer's own.
    pub fn execute(&self, request: OrganizationRequest) -> Call<Execute> {
        self.call(Execute(v1::ExecuteRequest {
            request: Some(request.into()),
            options: None,
        }))
    }

    /// Runs up to 1000 requests, each in a transaction of its own (XM-*). Faults are in the items of the
    /// answer.
    pub fn execute_multiple(
        &self,
        requests: impl IntoIterator<Item = OrganizationRequest>,
    ) -> Call<ExecuteMultiple> {
        self.call(ExecuteMultiple(v1::ExecuteMultipleRequest {
            requests: requests.into_iter().map(Into::into).collect(),
            return_responses: true,
            ..v1::ExecuteMultipleRequest::default()
        }))
    }

    /// Runs up to 1000 requests in one transaction, all or none (XT-*). The fault says which one failed.
    pub fn execute_transaction(
        &self,
        requests: impl IntoIterator<Item = OrganizationRequest>,
    ) -> Call<ExecuteTransaction> {
        self.call(ExecuteTransaction(v1::ExecuteTransactionRequest {
            requests: requests.into_iter().map(Into::into).collect(),
            return_responses: true,
            options: None,
        }))
    }

    /// Tells which user the calls of this handle run for.
    pub fn who_am_i(&self) -> Call<WhoAmI> {
        self.call(WhoAmI(v1::WhoAmIRequest::default()))
    }

    /// Tells why a call is or would be refused, and which privileges the users hold. Changes nothing.
    ///
    /// Without further settings it is about the users of this handle, which everybody may ask (GA-1).
    pub fn explain_access(&self) -> Call<ExplainAccess> {
        self.call(ExplainAccess(v1::ExplainAccessRequest::default()))
    }

    /// Makes a token for a user. For System Administrators, like all calls about tokens and the server.
    pub fn create_token(&self, user: Uuid, label: impl Into<String>) -> Call<CreateToken> {
        self.call(CreateToken(v1::CreateTokenRequest {
            user_id: user.to_string(),
            label: label.into(),
            ..v1::CreateTokenRequest::default()
        }))
    }

    /// Lists all tokens, expired and revoked ones included.
    pub fn list_tokens(&self) -> Call<ListTokens> {
        self.call(ListTokens(v1::ListTokensRequest::default()))
    }

    /// Revokes a token, for every request that starts afterwards (TX-3).
    pub fn revoke_token(&self, token_id: Uuid) -> Call<RevokeToken> {
        self.call(RevokeToken(v1::RevokeTokenRequest {
            token_id: token_id.to_string(),
            options: None,
        }))
    }

    /// Tells version, storage and limits of the server.
    pub fn server_info(&self) -> Call<RetrieveServerInfo> {
        self.call(RetrieveServerInfo(v1::RetrieveServerInfoRequest::default()))
    }
}

fn wire_references<I, R>(references: I) -> Vec<v1::EntityReference>
where
    I: IntoIterator<Item = R>,
    R: Into<EntityReference>,
{
    references
        .into_iter()
        .map(|reference| reference.into().into())
        .collect()
}

impl fmt::Debug for OrganizationServiceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrganizationServiceClient")
            .field("caller_id", &self.caller_id)
            .field("caller_object_id", &self.caller_object_id)
            .finish_non_exhaustive()
    }
}
