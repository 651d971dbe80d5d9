//! A client as any gRPC client is one: generated code, a token and caller keys in the metadata. It
//! sends one and the same message through either door, the typed RPC or Execute (GR-2).

use std::{collections::BTreeMap, fmt};

use orgservice::v1::{
    self, AccessRight, Entity, EntityReference, ExplainAccessRequest, ExplainAccessResponse,
    OrganizationRequest, OrganizationServiceFault, Value, admin_service_client::AdminServiceClient,
    organization_service_client::OrganizationServiceClient, value::Kind,
};
use prost::Message as _;
use tonic::{Code, Request, Status, metadata::MetadataValue, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// Through which RPC a message goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Door {
    /// The RPC of its name, where there is one.
    Typed,
    /// Execute.
    Execute,
}

/// What a message answered, by the names of its results.
pub type Results = BTreeMap<String, Value>;

/// What came back.
pub type Outcome = Result<Results, Refusal>;

/// A failed call with its details taken apart (`grpc.md` 10).
#[derive(Clone, Debug)]
pub struct Refusal {
    /// gRPC status.
    pub status: Code,
    /// For people.
    pub message: String,
    /// Reason of ErrorInfo.
    pub reason: String,
    /// Metadata of ErrorInfo.
    pub metadata: BTreeMap<String, String>,
    /// The fault.
    pub fault: OrganizationServiceFault,
    /// Fields of BadRequest.
    pub fields: Vec<String>,
    /// Type and name of ResourceInfo.
    pub resource: Option<(String, String)>,
}

impl Refusal {
    /// Takes a status apart. A status without the details of this contract is told as it is.
    pub fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let fault = tonic_types::pb::Status::decode(status.details())
            .ok()
            .into_iter()
            .flat_map(|status| status.details)
            .find(|any| {
                any.type_url
                    .ends_with("orgservice.v1.OrganizationServiceFault")
            })
            .and_then(|any| OrganizationServiceFault::decode(any.value.as_slice()).ok())
            .unwrap_or_default();
        let info = details.error_info();
        Refusal {
            status: status.code(),
            message: status.message().to_owned(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            metadata: info
                .map(|info| info.metadata.clone().into_iter().collect())
                .unwrap_or_default(),
            fault,
            fields: details
                .bad_request()
                .map(|bad| {
                    let fields = bad.field_violations.iter();
                    fields.map(|violation| violation.field.clone()).collect()
                })
                .unwrap_or_default(),
            resource: details.resource_info().map(|resource| {
                (
                    resource.resource_type.clone(),
                    resource.resource_name.clone(),
                )
            }),
        }
    }

    /// Name of the fault code (`PrivilegeDenied`).
    pub fn name(&self) -> &str {
        &self.fault.error_name
    }

    /// What has to be the same through every door: all but times and ids of calls.
    pub fn essence(&self) -> String {
        format!(
            "{:?} {} {} ({}) {:?} {:?} {:?} at {:?}: {}",
            self.status,
            self.reason,
            self.fault.error_name,
            self.fault.error_code,
            self.metadata,
            self.fields,
            self.resource,
            self.fault.faulted_request_index,
            self.message,
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.essence())
    }
}

/// A client with a token and, perhaps, a user to act for.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    metadata: Vec<(&'static str, String)>,
}

impl Client {
    /// A client that sends this token.
    pub fn new(channel: Channel, token: &str) -> Self {
        Client {
            channel,
            metadata: vec![("authorization", format!("Bearer {token}"))],
        }
    }

    /// The same client acting for a user, by id.
    pub fn on_behalf_of(&self, user: Uuid) -> Self {
        self.with("caller-id", user)
    }

    /// The same client acting for a user, by directory object id.
    pub fn on_behalf_of_object(&self, object: Uuid) -> Self {
        self.with("caller-object-id", object)
    }

    /// The same client with one more key.
    pub fn with(&self, key: &'static str, value: impl fmt::Display) -> Self {
        let mut client = self.clone();
        client.metadata.push((key, value.to_string()));
        client
    }

    /// A request with this client's metadata.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        for (key, value) in &self.metadata {
            let value = MetadataValue::try_from(value.as_str()).expect("metadata in ASCII");
            request.metadata_mut().append(*key, value);
        }
        request
    }

    /// The generated client.
    pub fn service(&self) -> OrganizationServiceClient<Channel> {
        OrganizationServiceClient::new(self.channel.clone())
    }

    /// The generated client of the administration service.
    pub fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.channel.clone())
    }

    /// Sends a message through Execute.
    pub async fn execute(&self, request: OrganizationRequest) -> Outcome {
        let message = v1::ExecuteRequest {
            request: Some(request),
            options: None,
        };
        let answer = self.service().execute(self.request(message)).await;
        answer
            .map(|answer| {
                answer
                    .into_inner()
                    .response
                    .unwrap_or_default()
                    .results
                    .into_iter()
                    .collect()
            })
            .map_err(|status| Refusal::of(&status))
    }

    /// Sends a message that has to succeed.
    pub async fn run(&self, request: OrganizationRequest) -> Results {
        let name = request.request_name.clone();
        self.execute(request)
            .await
            .unwrap_or_else(|refusal| panic!("{name} was refused: {refusal}"))
    }

    /// Sends a message through a door. A message without an RPC of its own has one door only.
    pub async fn send(&self, door: Door, request: OrganizationRequest) -> Outcome {
        match door {
            Door::Execute => self.execute(request).await,
            Door::Typed => self.send_typed(request).await,
        }
    }

    async fn send_typed(&self, request: OrganizationRequest) -> Outcome {
        let name = request.request_name.clone();
        let mut bag = Bag(request.parameters.into_iter().collect());
        let mut service = self.service();
        let results: Result<Vec<(&str, Value)>, Status> = match name.as_str() {
            "Create" => {
                let target = bag.entity("Target");
                let message = v1::CreateRequest {
                    target,
                    options: None,
                };
                service
                    .create(self.request(message))
                    .await
                    .map(|answer| vec![("id", Kind::GuidValue(answer.into_inner().id).into())])
            }
            "Retrieve" => {
                let message = v1::RetrieveRequest {
                    target: bag.reference("Target"),
                    column_set: bag.take("ColumnSet").map(|value| match value.kind {
                        Some(Kind::ColumnSet(columns)) => columns,
                        other => panic!("a column set, not {other:?}"),
                    }),
                    related_entities_query: Vec::new(),
                    options: None,
                };
                service.retrieve(self.request(message)).await.map(|answer| {
                    vec![(
                        "Entity",
                        answer.into_inner().entity.unwrap_or_default().into(),
                    )]
                })
            }
            "Update" => {
                let message = v1::UpdateRequest {
                    target: bag.entity("Target"),
                    concurrency_behavior: bag.concurrency(),
                    options: None,
                };
                service.update(self.request(message)).await.map(|_| vec![])
            }
            "Upsert" => {
                let target = bag.entity("Target");
                let message = v1::UpsertRequest {
                    target,
                    options: None,
                };
                service.upsert(self.request(message)).await.map(|answer| {
                    let answer = answer.into_inner();
                    vec![
                        ("RecordCreated", answer.record_created.into()),
                        ("Target", answer.target.unwrap_or_default().into()),
                    ]
                })
            }
            "Delete" => {
                let message = v1::DeleteRequest {
                    target: bag.reference("Target"),
                    concurrency_behavior: bag.concurrency(),
                    options: None,
                };
                service.delete(self.request(message)).await.map(|_| vec![])
            }
            "Associate" => {
                let (target, relationship, related_entities) = bag.link();
                let message = v1::AssociateRequest {
                    target,
                    relationship,
                    related_entities,
                    options: None,
                };
                service
                    .associate(self.request(message))
                    .await
                    .map(|_| vec![])
            }
            "Disassociate" => {
                let (target, relationship, related_entities) = bag.link();
                let message = v1::DisassociateRequest {
                    target,
                    relationship,
                    related_entities,
                    options: None,
                };
                service
                    .disassociate(self.request(message))
                    .await
                    .map(|_| vec![])
            }
            "Assign" => {
                let message = v1::AssignRequest {
                    target: bag.reference("Target"),
                    assignee: bag.reference("Assignee"),
                    options: None,
                };
                service.assign(self.request(message)).await.map(|_| vec![])
            }
            "GrantAccess" => {
                let message = v1::ShareRequest {
                    target: bag.reference("Target"),
                    principal_access: bag.access(),
                    options: None,
                };
                service.share(self.request(message)).await.map(|_| vec![])
            }
            "ModifyAccess" => {
                let message = v1::ModifyShareRequest {
                    target: bag.reference("Target"),
                    principal_access: bag.access(),
                    options: None,
                };
                service
                    .modify_share(self.request(message))
                    .await
                    .map(|_| vec![])
            }
            "RevokeAccess" => {
                let message = v1::UnshareRequest {
                    target: bag.reference("Target"),
                    revokee: bag.reference("Revokee"),
                    options: None,
                };
                service.unshare(self.request(message)).await.map(|_| vec![])
            }
            "RetrieveMultiple" => {
                let message = v1::RetrieveMultipleRequest {
                    query: bag.take("Query").map(|value| match value.kind {
                        Some(Kind::Query(query)) => *query,
                        other => panic!("a query, not {other:?}"),
                    }),
                    explain_plan: false,
                    options: None,
                };
                service
                    .retrieve_multiple(self.request(message))
                    .await
                    .map(|answer| {
                        let page = answer.into_inner().entity_collection.unwrap_or_default();
                        vec![("EntityCollection", page.into())]
                    })
            }
            "ExecuteTransaction" => {
                let requests = bag.take("Requests").map(requests).unwrap_or_default();
                let message = v1::ExecuteTransactionRequest {
                    requests,
                    return_responses: bag.flag("ReturnResponses"),
                    options: None,
                };
                service
                    .execute_transaction(self.request(message))
                    .await
                    .map(|answer| {
                        let responses = answer.into_inner().responses.into_iter().map(Value::from);
                        vec![("Responses", responses.collect::<Vec<_>>().into())]
                    })
            }
            "WhoAmI" => {
                let message = v1::WhoAmIRequest { options: None };
                service.who_am_i(self.request(message)).await.map(|answer| {
                    let answer = answer.into_inner();
                    let guid = |id: String| Value::from(Kind::GuidValue(id));
                    vec![
                        ("UserId", guid(answer.user_id)),
                        ("BusinessUnitId", guid(answer.business_unit_id)),
                        ("OrganizationId", guid(answer.organization_id)),
                    ]
                })
            }
            _ => {
                return self
                    .execute(OrganizationRequest {
                        request_name: name,
                        parameters: bag.0.into_iter().collect(),
                        request_id: request.request_id,
                    })
                    .await;
            }
        };
        assert!(
            bag.0.is_empty(),
            "{name} has no typed form for {:?}",
            bag.0.keys()
        );
        results
            .map(|results| {
                let named = results.into_iter();
                named
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            })
            .map_err(|status| Refusal::of(&status))
    }

    /// What a call would meet, about this client's own pair or another one (`grpc.md` 3.5).
    pub async fn explain(
        &self,
        pair: Option<(Uuid, Option<Uuid>)>,
        request: Option<OrganizationRequest>,
    ) -> Result<ExplainAccessResponse, Refusal> {
        let message = ExplainAccessRequest {
            authenticated_user_id: pair.map(|(user, _)| user.to_string()).unwrap_or_default(),
            impersonated_user_id: pair
                .and_then(|(_, user)| user)
                .map(|user| user.to_string())
                .unwrap_or_default(),
            request,
            ..ExplainAccessRequest::default()
        };
        let answer = self.service().explain_access(self.request(message)).await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| Refusal::of(&status))
    }

    /// A new token for a user.
    pub async fn token_for(&self, user: Uuid, label: &str) -> String {
        let message = v1::CreateTokenRequest {
            user_id: user.to_string(),
            label: label.to_owned(),
            ..v1::CreateTokenRequest::default()
        };
        let answer = self.admin().create_token(self.request(message)).await;
        answer.expect("a token").into_inner().token
    }
}

/// Parameters on their way into a typed request.
struct Bag(BTreeMap<String, Value>);

type Link = (
    Option<EntityReference>,
    Option<v1::Relationship>,
    Vec<EntityReference>,
);

impl Bag {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    fn entity(&mut self, name: &str) -> Option<Entity> {
        self.take(name).map(|value| match value.kind {
            Some(Kind::Entity(entity)) => *entity,
            other => panic!("an entity, not {other:?}"),
        })
    }

    fn reference(&mut self, name: &str) -> Option<EntityReference> {
        self.take(name).map(|value| match value.kind {
            Some(Kind::EntityReference(reference)) => *reference,
            other => panic!("a reference, not {other:?}"),
        })
    }

    fn access(&mut self) -> Option<v1::PrincipalAccess> {
        self.take("PrincipalAccess").map(|value| match value.kind {
            Some(Kind::PrincipalAccess(access)) => *access,
            other => panic!("a principal's access, not {other:?}"),
        })
    }

    fn flag(&mut self, name: &str) -> bool {
        matches!(
            self.take(name).and_then(|value| value.kind),
            Some(Kind::BooleanValue(true))
        )
    }

    /// The number of the SDK is one less than the contract's.
    fn concurrency(&mut self) -> i32 {
        match self
            .take("ConcurrencyBehavior")
            .and_then(|value| value.kind)
        {
            None => 0,
            Some(Kind::IntegerValue(number)) => number + 1,
            other => panic!("a concurrency behavior, not {other:?}"),
        }
    }

    fn link(&mut self) -> Link {
        let relationship = self.take("Relationship").map(|value| match value.kind {
            Some(Kind::Relationship(relationship)) => relationship,
            other => panic!("a relationship, not {other:?}"),
        });
        let related = self.take("RelatedEntities").map(|value| match value.kind {
            Some(Kind::EntityReferences(references)) => references.entity_references,
            other => panic!("references, not {other:?}"),
        });
        (
            self.reference("Target"),
            relationship,
            related.unwrap_or_default(),
        )
    }
}

fn requests(value: Value) -> Vec<OrganizationRequest> {
    let Some(Kind::List(list)) = value.kind else {
        panic!("a list, not {value:?}")
    };
    let requests = list.values.into_iter();
    requests
        .map(|value| match value.kind {
            Some(Kind::OrganizationRequest(request)) => *request,
            other => panic!("a request, not {other:?}"),
        })
        .collect()
}

/// The record of a Retrieve.
pub fn entity_of(results: &Results) -> &Entity {
    match results.get("Entity").and_then(|value| value.kind.as_ref()) {
        Some(Kind::Entity(entity)) => entity,
        other => panic!("no entity but {other:?}"),
    }
}

/// The rows of a RetrieveMultiple.
pub fn rows_of(results: &Results) -> &[Entity] {
    match results
        .get("EntityCollection")
        .and_then(|value| value.kind.as_ref())
    {
        Some(Kind::Entities(page)) => &page.entities,
        other => panic!("no rows but {other:?}"),
    }
}

/// The id of a Create.
pub fn id_of(results: &Results) -> Uuid {
    match results.get("id").and_then(|value| value.kind.as_ref()) {
        Some(Kind::GuidValue(id)) => id.parse().expect("a GUID"),
        other => panic!("no id but {other:?}"),
    }
}

/// The mask of RetrievePrincipalAccess.
pub fn access_of(results: &Results) -> u32 {
    match results
        .get("AccessRights")
        .and_then(|value| value.kind.as_ref())
    {
        Some(Kind::IntegerValue(mask)) => mask.cast_unsigned(),
        other => panic!("no mask but {other:?}"),
    }
}

/// The shares of RetrieveSharedPrincipalsAndAccess: mask by principal.
pub fn shares_of(results: &Results) -> BTreeMap<Uuid, u32> {
    let Some(Kind::List(list)) = results
        .get("PrincipalAccesses")
        .and_then(|value| value.kind.as_ref())
    else {
        panic!("no shares but {results:?}")
    };
    let shares = list.values.iter();
    shares
        .map(|value| match &value.kind {
            Some(Kind::PrincipalAccess(access)) => {
                let principal = access.principal.as_ref().expect("a principal");
                let mask = access
                    .access_rights()
                    .map(bit)
                    .fold(0, |mask, bit| mask | bit);
                (principal.id.parse().expect("a GUID"), mask)
            }
            other => panic!("no share but {other:?}"),
        })
        .collect()
}

/// The bit of a right in a mask (PR-5).
pub fn bit(right: AccessRight) -> u32 {
    match right {
        AccessRight::Unspecified => 0,
        AccessRight::Read => 1,
        AccessRight::Write => 2,
        AccessRight::Append => 4,
        AccessRight::AppendTo => 16,
        AccessRight::Create => 32,
        AccessRight::Delete => 65_536,
        AccessRight::Share => 262_144,
        AccessRight::Assign => 524_288,
    }
}
