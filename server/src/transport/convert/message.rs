//! Every typed RPC as the message it stands for (GR-2), and requests and responses as values.
//!
//! A required part that is missing is left out of the bag: the core then refuses it exactly as it
//! does for Execute.

use orgservice::v1;

use super::{
    Depth, Read, Refusal, Within, Writer, entity, query, read_list, read_options,
    reconcile_request_ids,
    scalar::{read_optional_guid, write_guid, write_optional_guid},
    value,
};
use crate::{
    fault::{Fault, Result},
    model::{
        Entity, OrganizationRequest, OrganizationResponse, RelatedEntitiesQuery, RequestOptions,
        Value,
    },
};

/// The request of an RPC that runs a message of the pipeline.
pub(in crate::transport) trait Message: Send + 'static {
    /// What the RPC answers.
    type Response: Send + 'static;

    /// Name of the message, known before anything else of it is read.
    fn name(&self) -> &str;

    /// Whether all of it is a matter of microseconds, where its message is one of those that are.
    fn is_short(&self) -> bool {
        true
    }

    /// The message with its parameters, and the options of the call.
    fn read(self) -> Result<(OrganizationRequest, RequestOptions)>;

    /// The answer of the message as that of the RPC.
    fn write(response: OrganizationResponse, writer: Writer) -> Result<Self::Response>;
}

/// The result of that name and kind; the core answering anything else is its defect.
macro_rules! result {
    ($response:ident, $name:literal, $kind:ident) => {
        match $response.results.remove($name) {
            Some(Value::$kind(value)) => value,
            other => {
                return Err(Fault::unexpected(format!(
                    "{} answered `{}` with {:?}",
                    $response.name,
                    $name,
                    other.map(|value| value.kind())
                )));
            }
        }
    };
}

/// A [`Message`] from its name, how its parameters are read, and how its answer is written.
macro_rules! message {
    ($request:ident -> $answer:ident, $name:literal, $(short |$message:ident| $short:expr,)?
     |$wire:ident, $bag:ident| $read:block, |$response:ident, $writer:ident| $write:expr) => {
        impl Message for v1::$request {
            type Response = v1::$answer;

            fn name(&self) -> &str {
                $name
            }

            $(
                fn is_short(&self) -> bool {
                    let $message = self;
                    $short
                }
            )?

            #[allow(unused_mut, reason = "not every message has parameters")]
            fn read(self) -> Result<(OrganizationRequest, RequestOptions)> {
                let $wire = self;
                let mut $bag = OrganizationRequest::new($name);
                $read
                Ok(($bag, read_options($wire.options)?))
            }

            #[allow(unused_mut, unused_variables, reason = "not every message answers something")]
            fn write(mut $response: OrganizationResponse, $writer: Writer) -> Result<v1::$answer> {
                Ok($write)
            }
        }
    };
}

message!(CreateRequest -> CreateResponse, "Create",
    |wire, bag| { target(&mut bag, wire.target)?; },
    |response, writer| v1::CreateResponse { id: write_guid(result!(response, "id", Guid)) });

message!(RetrieveRequest -> RetrieveResponse, "Retrieve",
short |message| message.related_entities_query.is_empty(),
|wire, bag| {
    reference(&mut bag, "Target", "target", wire.target)?;
    let columns = wire.column_set.map(entity::read_column_set).unwrap_or_default();
    put(&mut bag, "ColumnSet", Value::ColumnSet(columns));
    if !wire.related_entities_query.is_empty() {
        let entries = read_list("related_entities_query", wire.related_entities_query, |entry| {
            read_related_query(entry).map(Value::from)
        })?;
        put(&mut bag, RelatedEntitiesQuery::NAME, Value::List(entries));
    }
},
|response, writer| {
    let record = result!(response, "Entity", Entity);
    v1::RetrieveResponse { entity: Some(writer.entity(*record)) }
});

message!(UpdateRequest -> UpdateResponse, "Update",
    |wire, bag| {
        target(&mut bag, wire.target)?;
        concurrency_behavior(&mut bag, wire.concurrency_behavior)?;
    },
    |response, writer| v1::UpdateResponse {});

message!(UpsertRequest -> UpsertResponse, "Upsert",
|wire, bag| { target(&mut bag, wire.target)?; },
|response, writer| v1::UpsertResponse {
    record_created: result!(response, "RecordCreated", Boolean),
    target: Some(writer.reference(result!(response, "Target", EntityReference))),
});

message!(DeleteRequest -> DeleteResponse, "Delete",
    |wire, bag| {
        reference(&mut bag, "Target", "target", wire.target)?;
        concurrency_behavior(&mut bag, wire.concurrency_behavior)?;
    },
    |response, writer| v1::DeleteResponse {});

message!(AssociateRequest -> AssociateResponse, "Associate",
    |wire, bag| { link(&mut bag, wire.target, wire.relationship, wire.related_entities)?; },
    |response, writer| v1::AssociateResponse {});

message!(DisassociateRequest -> DisassociateResponse, "Disassociate",
    |wire, bag| { link(&mut bag, wire.target, wire.relationship, wire.related_entities)?; },
    |response, writer| v1::DisassociateResponse {});

message!(AssignRequest -> AssignResponse, "Assign",
    |wire, bag| {
        reference(&mut bag, "Target", "target", wire.target)?;
        reference(&mut bag, "Assignee", "assignee", wire.assignee)?;
    },
    |response, writer| v1::AssignResponse {});

message!(ShareRequest -> ShareResponse, "GrantAccess",
    |wire, bag| { share(&mut bag, wire.target, wire.principal_access)?; },
    |response, writer| v1::ShareResponse {});

message!(ModifyShareRequest -> ModifyShareResponse, "ModifyAccess",
    |wire, bag| { share(&mut bag, wire.target, wire.principal_access)?; },
    |response, writer| v1::ModifyShareResponse {});

message!(UnshareRequest -> UnshareResponse, "RevokeAccess",
    |wire, bag| {
        reference(&mut bag, "Target", "target", wire.target)?;
        reference(&mut bag, "Revokee", "revokee", wire.revokee)?;
    },
    |response, writer| v1::UnshareResponse {});

message!(RetrieveMultipleRequest -> RetrieveMultipleResponse, "RetrieveMultiple",
|wire, bag| {
    if let Some(query) = wire.query {
        let query = query::read_query(query, Depth::full()).within("query")?;
        put(&mut bag, "Query", Value::Query(Box::new(query)));
    }
},
|response, writer| {
    let page = result!(response, "EntityCollection", Entities);
    v1::RetrieveMultipleResponse {
        entity_collection: Some(writer.collection(*page)),
        query_plan: None,
    }
});

message!(ExecuteMultipleRequest -> ExecuteMultipleResponse, "ExecuteMultiple",
|wire, bag| {
    put(&mut bag, "Requests", Value::List(read_batch(wire.requests)?));
    let settings = Entity::new("ExecuteMultipleSettings")
        .with("ContinueOnError", wire.continue_on_error)
        .with("ReturnResponses", wire.return_responses);
    put(&mut bag, "Settings", settings.into());
},
|response, writer| {
    let is_faulted = result!(response, "IsFaulted", Boolean);
    let items = result!(response, "Responses", List);
    v1::ExecuteMultipleResponse {
        is_faulted,
        responses: items
            .into_iter()
            .map(|item| writer.item(item))
            .collect::<Result<_>>()?,
    }
});

message!(ExecuteTransactionRequest -> ExecuteTransactionResponse, "ExecuteTransaction",
|wire, bag| {
    put(&mut bag, "Requests", Value::List(read_batch(wire.requests)?));
    put(&mut bag, "ReturnResponses", wire.return_responses.into());
},
|response, writer| {
    let responses = result!(response, "Responses", List);
    v1::ExecuteTransactionResponse {
        responses: responses
            .into_iter()
            .map(|response| match response {
                Value::Response(response) => Ok(writer.response(*response)),
                other => Err(Fault::unexpected(format!("a response is {}", other.kind()))),
            })
            .collect::<Result<_>>()?,
    }
});

message!(WhoAmIRequest -> WhoAmIResponse, "WhoAmI",
|wire, bag| {},
|response, writer| v1::WhoAmIResponse {
    user_id: write_guid(result!(response, "UserId", Guid)),
    business_unit_id: write_guid(result!(response, "BusinessUnitId", Guid)),
    organization_id: write_guid(result!(response, "OrganizationId", Guid)),
});

impl Message for v1::ExecuteRequest {
    type Response = v1::ExecuteResponse;

    fn name(&self) -> &str {
        self.request
            .as_ref()
            .map_or("", |request| &request.request_name)
    }

    fn is_short(&self) -> bool {
        let parameters = self.request.as_ref().map(|request| &request.parameters);
        parameters.is_none_or(|parameters| !parameters.contains_key(RelatedEntitiesQuery::NAME))
    }

    fn read(self) -> Result<(OrganizationRequest, RequestOptions)> {
        let mut request = match self.request {
            Some(request) => read_request(request, Depth::full()),
            None => Err(Refusal::new("the request is missing")),
        }
        .within("request")?;
        let mut options = read_options(self.options)?;
        reconcile_request_ids(&mut request, &mut options)?;
        Ok((request, options))
    }

    fn write(response: OrganizationResponse, writer: Writer) -> Result<Self::Response> {
        Ok(v1::ExecuteResponse {
            response: Some(writer.response(response)),
        })
    }
}

/// Reads a message by name; what its parameters may be is the core's to say.
pub(super) fn read_request(
    wire: v1::OrganizationRequest,
    depth: Depth,
) -> Read<OrganizationRequest> {
    Ok(OrganizationRequest {
        name: wire.request_name,
        parameters: value::read_values("parameters", wire.parameters, depth)?,
        request_id: read_optional_guid(&wire.request_id).within("request_id")?,
    })
}

/// Reads the answer of a message as a value.
pub(super) fn read_response(
    wire: v1::OrganizationResponse,
    depth: Depth,
) -> Read<OrganizationResponse> {
    Ok(OrganizationResponse {
        name: wire.response_name,
        results: value::read_values("results", wire.results, depth)?,
    })
}

fn read_batch(requests: Vec<v1::OrganizationRequest>) -> Read<Vec<Value>> {
    read_list("requests", requests, |request| {
        read_request(request, Depth::full()).map(|request| Value::Request(Box::new(request)))
    })
}

fn read_related_query(wire: v1::RelatedEntitiesQuery) -> Read<RelatedEntitiesQuery> {
    let missing = |what| Refusal::new(format!("the {what} is missing")).within(what);
    let relationship = wire.relationship.ok_or_else(|| missing("relationship"))?;
    let query = wire.query.ok_or_else(|| missing("query"))?;
    Ok(RelatedEntitiesQuery {
        relationship: entity::read_relationship(relationship).within("relationship")?,
        query: query::read_query(query, Depth::full()).within("query")?,
    })
}

fn put(bag: &mut OrganizationRequest, parameter: &str, value: Value) {
    bag.parameters.insert(parameter.to_owned(), value);
}

fn target(bag: &mut OrganizationRequest, wire: Option<v1::Entity>) -> Read<()> {
    if let Some(wire) = wire {
        let record = entity::read_entity(wire, Depth::full()).within("target")?;
        put(bag, "Target", record.into());
    }
    Ok(())
}

fn reference(
    bag: &mut OrganizationRequest,
    parameter: &str,
    field: &str,
    wire: Option<v1::EntityReference>,
) -> Read<()> {
    if let Some(wire) = wire {
        let reference = entity::read_reference(wire, Depth::full()).within(field)?;
        put(bag, parameter, reference.into());
    }
    Ok(())
}

fn link(
    bag: &mut OrganizationRequest,
    target: Option<v1::EntityReference>,
    relationship: Option<v1::Relationship>,
    related: Vec<v1::EntityReference>,
) -> Read<()> {
    reference(bag, "Target", "target", target)?;
    if let Some(wire) = relationship {
        let relationship = entity::read_relationship(wire).within("relationship")?;
        put(bag, "Relationship", Value::Relationship(relationship));
    }
    let related = read_list("related_entities", related, |reference| {
        entity::read_reference(reference, Depth::full())
    })?;
    put(bag, "RelatedEntities", Value::EntityReferences(related));
    Ok(())
}

fn share(
    bag: &mut OrganizationRequest,
    target: Option<v1::EntityReference>,
    access: Option<v1::PrincipalAccess>,
) -> Read<()> {
    reference(bag, "Target", "target", target)?;
    if let Some(wire) = access {
        let access =
            value::read_principal_access(wire, Depth::full()).within("principal_access")?;
        put(bag, "PrincipalAccess", Value::PrincipalAccess(access));
    }
    Ok(())
}

/// In the bag the behavior is the number of the SDK, one less than the contract's (GV-9).
fn concurrency_behavior(bag: &mut OrganizationRequest, number: i32) -> Read<()> {
    let sdk = match v1::ConcurrencyBehavior::try_from(number) {
        Ok(v1::ConcurrencyBehavior::Unspecified | v1::ConcurrencyBehavior::Default) => 0,
        Ok(v1::ConcurrencyBehavior::IfRowVersionMatches) => 1,
        Ok(v1::ConcurrencyBehavior::AlwaysOverwrite) => 2,
        Err(_) => {
            return Err(Refusal::unknown_enum("ConcurrencyBehavior", number))
                .within("concurrency_behavior");
        }
    };
    put(bag, "ConcurrencyBehavior", Value::Integer(sdk));
    Ok(())
}

impl Writer {
    pub(super) fn request(self, request: OrganizationRequest) -> v1::OrganizationRequest {
        v1::OrganizationRequest {
            request_name: request.name,
            parameters: self.values(request.parameters),
            request_id: write_optional_guid(request.request_id),
        }
    }

    pub(super) fn response(self, response: OrganizationResponse) -> v1::OrganizationResponse {
        v1::OrganizationResponse {
            response_name: response.name,
            results: self.values(response.results),
        }
    }

    /// One outcome of ExecuteMultiple, in the bag an `ExecuteMultipleResponseItem` (XM-2, GX-3).
    fn item(self, item: Value) -> Result<v1::ExecuteMultipleResponseItem> {
        let broken = || Fault::unexpected("ExecuteMultiple answered an item of another form");
        let Value::Entity(mut item) = item else {
            return Err(broken());
        };
        let Some(Value::Integer(request_index)) = item.attributes.remove("RequestIndex") else {
            return Err(broken());
        };
        let outcome = (
            item.attributes.remove("Response"),
            item.attributes.remove("Fault"),
        );
        let (response, fault) = match outcome {
            (Some(Value::Response(response)), None) => (Some(self.response(*response)), None),
            (None, Some(Value::Fault(fault))) => (None, Some(self.fault(&fault))),
            _ => return Err(broken()),
        };
        Ok(v1::ExecuteMultipleResponseItem {
            request_index,
            response,
            fault,
        })
    }
}
