//! The operations of the services: what a [`Call`] is a call of. Made by the methods of
//! [`OrganizationServiceClient`](crate::OrganizationServiceClient).

use std::marker::PhantomData;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    admin::{NewToken, ServerInfo, Token},
    call::{
        Call, Operation,
        sealed::{Effect, Wire},
    },
    entity::{EntityCollection, EntityReference, Relationship},
    error::ConvertError,
    explain::{AccessExplanation, QueryPlan},
    query::Query,
    request::{ExecuteMultipleResponse, OrganizationRequest, OrganizationResponse},
    typed::FromEntity,
    v1, wire,
};

/// One line for each operation: its messages, its effect, and what the answer becomes.
macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $name:ident $(<$param:ident: $bound:ident>)? = $path:literal, $effect:ident,
        $request:ident -> $response:ident => |$answer:pat_param| -> $output:ty $convert:block
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name $(<$param>)? (
            pub(crate) v1::$request,
            $(pub(crate) PhantomData<fn() -> $param>)?
        );

        impl $(<$param: $bound>)? Wire for $name $(<$param>)? {
            const PATH: &'static str = concat!("/orgservice.v1.", $path);
            const EFFECT: Effect = Effect::$effect;
            type Request = v1::$request;
            type Response = v1::$response;

            fn into_request(self, options: v1::RequestOptions) -> Self::Request {
                let mut request = self.0;
                request.options = Some(options);
                request
            }
        }

        impl $(<$param: $bound>)? Operation for $name $(<$param>)? {
            type Output = $output;

            fn output($answer: v1::$response) -> Result<$output, ConvertError> $convert
        }
    )+};
}

operations! {
    /// Creates a record; answers its id.
    Create = "OrganizationService/Create", Remembered,
    CreateRequest -> CreateResponse => |answer| -> Uuid {
        wire::guid_from_wire("id", &answer.id)
    }

    /// Reads one record.
    Retrieve<T: FromEntity> = "OrganizationService/Retrieve", Harmless,
    RetrieveRequest -> RetrieveResponse => |answer| -> T {
        T::from_entity(wire::entity_from_wire(answer.entity.unwrap_or_default())?)
    }

    /// Changes a record.
    Update = "OrganizationService/Update", Remembered,
    UpdateRequest -> UpdateResponse => |_| -> () { Ok(()) }

    /// Creates or changes a record.
    Upsert = "OrganizationService/Upsert", Remembered,
    UpsertRequest -> UpsertResponse => |answer| -> Upserted {
        Ok(Upserted {
            record_created: answer.record_created,
            target: wire::reference_from_wire("target", answer.target.unwrap_or_default())?,
        })
    }

    /// Deletes a record.
    Delete = "OrganizationService/Delete", Remembered,
    DeleteRequest -> DeleteResponse => |_| -> () { Ok(()) }

    /// Links records to the target.
    Associate = "OrganizationService/Associate", Remembered,
    AssociateRequest -> AssociateResponse => |_| -> () { Ok(()) }

    /// Removes links between records and the target.
    Disassociate = "OrganizationService/Disassociate", Remembered,
    DisassociateRequest -> DisassociateResponse => |_| -> () { Ok(()) }

    /// Gives a record to another owner.
    Assign = "OrganizationService/Assign", Remembered,
    AssignRequest -> AssignResponse => |_| -> () { Ok(()) }

    /// Adds rights on a record to the share of a principal.
    Share = "OrganizationService/Share", Remembered,
    ShareRequest -> ShareResponse => |_| -> () { Ok(()) }

    /// Replaces the rights in the share of a principal.
    ModifyShare = "OrganizationService/ModifyShare", Remembered,
    ModifyShareRequest -> ModifyShareResponse => |_| -> () { Ok(()) }

    /// Removes the share of a principal.
    Unshare = "OrganizationService/Unshare", Remembered,
    UnshareRequest -> UnshareResponse => |_| -> () { Ok(()) }

    /// Reads one page of a query.
    RetrieveMultiple = "OrganizationService/RetrieveMultiple", Harmless,
    RetrieveMultipleRequest -> RetrieveMultipleResponse => |answer| -> EntityCollection {
        wire::collection_from_wire(answer.entity_collection.unwrap_or_default())
    }

    /// Reads one page of a query and tells how it was run.
    ExplainQuery = "OrganizationService/RetrieveMultiple", Harmless,
    RetrieveMultipleRequest -> RetrieveMultipleResponse => |answer| -> (EntityCollection, QueryPlan) {
        let page = wire::collection_from_wire(answer.entity_collection.unwrap_or_default())?;
        Ok((page, QueryPlan::from_wire(answer.query_plan.unwrap_or_default())))
    }

    /// Runs any message by name.
    Execute = "OrganizationService/Execute", Remembered,
    ExecuteRequest -> ExecuteResponse => |answer| -> OrganizationResponse {
        wire::response_from_wire(answer.response.unwrap_or_default())
    }

    /// Runs requests one by one, each in a transaction of its own.
    ExecuteMultiple = "OrganizationService/ExecuteMultiple", Remembered,
    ExecuteMultipleRequest -> ExecuteMultipleResponse => |answer| -> ExecuteMultipleResponse {
        wire::execute_multiple_from_wire(answer)
    }

    /// Runs requests in one transaction: all or none.
    ExecuteTransaction = "OrganizationService/ExecuteTransaction", Remembered,
    ExecuteTransactionRequest -> ExecuteTransactionResponse => |answer| -> Vec<OrganizationResponse> {
        answer.responses.into_iter().map(wire::response_from_wire).collect()
    }

    /// Tells which user the calls run for.
    WhoAmI = "OrganizationService/WhoAmI", Harmless,
    WhoAmIRequest -> WhoAmIResponse => |answer| -> Me {
        Ok(Me {
            user_id: wire::guid_from_wire("user_id", &answer.user_id)?,
            business_unit_id: wire::guid_from_wire("business_unit_id", &answer.business_unit_id)?,
            organization_id: wire::guid_from_wire("organization_id", &answer.organization_id)?,
        })
    }

    /// Tells why a call is or would be refused; changes nothing.
    ExplainAccess = "OrganizationService/ExplainAccess", Harmless,
    ExplainAccessRequest -> ExplainAccessResponse => |answer| -> AccessExplanation {
        AccessExplanation::from_wire(answer)
    }

    /// Makes a token. The server does not remember repeats of it, so none is made after a failure that
    /// leaves the outcome unknown.
    CreateToken = "AdminService/CreateToken", Forgotten,
    CreateTokenRequest -> CreateTokenResponse => |answer| -> NewToken {
        NewToken::from_wire(answer)
    }

    /// Lists tokens.
    ListTokens = "AdminService/ListTokens", Harmless,
    ListTokensRequest -> ListTokensResponse => |answer| -> Vec<Token> {
        answer.tokens.into_iter().map(Token::from_wire).collect()
    }

    /// Revokes a token. Revoking twice is no error, so repeats are harmless.
    RevokeToken = "AdminService/RevokeToken", Harmless,
    RevokeTokenRequest -> RevokeTokenResponse => |_| -> () { Ok(()) }

    /// Tells version, storage and limits of the server.
    RetrieveServerInfo = "AdminService/RetrieveServerInfo", Harmless,
    RetrieveServerInfoRequest -> RetrieveServerInfoResponse => |answer| -> ServerInfo {
        ServerInfo::from_wire(answer)
    }
}

/// What became of an upsert.
#[derive(Clone, Debug, PartialEq)]
pub struct Upserted {
    /// Whether the record was created; otherwise it was changed.
    pub record_created: bool,
    /// The record.
    pub target: EntityReference,
}

/// The user that calls run for: the impersonated user if there is one, else the authenticated user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Me {
    /// Id of the user.
    pub user_id: Uuid,
    /// Id of the user's business unit.
    pub business_unit_id: Uuid,
    /// Id of the organization.
    pub organization_id: Uuid,
}

impl<T: FromEntity> Call<Retrieve<T>> {
    /// Reads related records, too: the rows of the query that belong to the record through the
    /// relationship (RT-7).
    pub fn related(
        mut self,
        relationship: impl Into<Relationship>,
        query: impl Into<Query>,
    ) -> Self {
        self.operation
            .0
            .related_entities_query
            .push(v1::RelatedEntitiesQuery {
                relationship: Some(relationship.into().into()),
                query: Some(query.into().into_wire()),
            });
        self
    }
}

impl Call<Update> {
    /// Only if the record still has the row version of the target, else ConcurrencyVersionMismatch (OC-2).
    pub fn if_row_version_matches(mut self) -> Self {
        self.operation
            .0
            .set_concurrency_behavior(v1::ConcurrencyBehavior::IfRowVersionMatches);
        self
    }
}

impl Call<Delete> {
    /// Only if the record still has the row version of the target, else ConcurrencyVersionMismatch (OC-2).
    pub fn if_row_version_matches(mut self) -> Self {
        self.operation
            .0
            .set_concurrency_behavior(v1::ConcurrencyBehavior::IfRowVersionMatches);
        self
    }
}

impl Call<RetrieveMultiple> {
    /// Answers how the query was run, too. For System Administrators only (GQ-7).
    pub fn explain_plan(self) -> Call<ExplainQuery> {
        self.with_operation(|RetrieveMultiple(request)| {
            ExplainQuery(v1::RetrieveMultipleRequest {
                explain_plan: true,
                ..request
            })
        })
    }
}

impl Call<ExecuteMultiple> {
    /// Goes on after a fault; without it the first fault ends the batch.
    pub fn continue_on_error(mut self) -> Self {
        self.operation.0.continue_on_error = true;
        self
    }

    /// Answers faults only (XM-2).
    pub fn without_responses(mut self) -> Self {
        self.operation.0.return_responses = false;
        self
    }
}

impl Call<ExecuteTransaction> {
    /// Answers nothing on success.
    pub fn without_responses(mut self) -> Self {
        self.operation.0.return_responses = false;
        self
    }
}

impl Call<ExplainAccess> {
    /// Asks about calls of this authenticated user. For System Administrators only (GA-1).
    pub fn authenticated_user(mut self, user: Uuid) -> Self {
        self.operation.0.authenticated_user_id = user.to_string();
        self
    }

    /// Asks about calls for this impersonated user. For System Administrators only (GA-1).
    pub fn impersonated_user(mut self, user: Uuid) -> Self {
        self.operation.0.impersonated_user_id = user.to_string();
        self
    }

    /// Asks about this call; it is not run. Without one only the matrices are answered.
    pub fn request(mut self, request: OrganizationRequest) -> Self {
        self.operation.0.request = Some(request.into());
        self
    }

    /// The tables of the matrices; without any those of the call, else all.
    pub fn tables<I: IntoIterator<Item = S>, S: Into<String>>(mut self, tables: I) -> Self {
        self.operation
            .0
            .table_names
            .extend(tables.into_iter().map(Into::into));
        self
    }
}

impl Call<CreateToken> {
    /// When the token ends; without it after the default of the server.
    pub fn expire_time(mut self, time: Timestamp) -> Self {
        self.operation.0.expire_time = Some(wire::timestamp_to_wire(time));
        self
    }
}

impl Call<ListTokens> {
    /// Only the tokens of one user.
    pub fn user(mut self, user: Uuid) -> Self {
        self.operation.0.user_id = user.to_string();
        self
    }
}
