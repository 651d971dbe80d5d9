//! A fake server: the generated services, answering from memory, recording what reached them, and failing
//! as told.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::{
    collections::VecDeque,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
};

use orgservice::{
    metadata_keys::{
        AUTHORIZATION, CALLER_ID, CALLER_OBJECT_ID, EFFECTIVE_USER_ID, RATELIMIT_REMAINING_TIME_MS,
        REQUEST_ID,
    },
    v1::{
        self,
        admin_service_server::{AdminService, AdminServiceServer},
        organization_service_server::{OrganizationService, OrganizationServiceServer},
    },
};
use orgservice_client::{ClientBuilder, OrganizationServiceClient};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming, service::Routes};
use uuid::Uuid;

/// What the server saw of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub method: &'static str,
    pub caller_id: Option<String>,
    pub caller_object_id: Option<String>,
    pub authorization: Option<String>,
    pub grpc_timeout: Option<String>,
    pub peer: Option<SocketAddr>,
    pub request_id: String,
    pub options: v1::RequestOptions,
}

type Hook = Box<dyn Fn(&v1::RetrieveMultipleRequest) -> v1::EntityCollection + Send + Sync>;

#[derive(Default)]
struct Inner {
    seen: Mutex<Vec<Seen>>,
    failures: Mutex<VecDeque<Status>>,
    never_answer: Mutex<bool>,
    page: Mutex<Option<Hook>>,
    columns: Mutex<Vec<String>>,
}

/// The fake. Clones are the same server.
#[derive(Clone, Default)]
pub struct Fake(Arc<Inner>);

impl Fake {
    /// A client that reaches this server without a socket.
    pub fn client(&self) -> OrganizationServiceClient {
        self.connect(OrganizationServiceClient::builder("in-process").token("secret"))
    }

    /// A client with settings that reaches this server without a socket.
    pub fn connect(&self, builder: ClientBuilder) -> OrganizationServiceClient {
        let routes = Routes::new(OrganizationServiceServer::new(self.clone()))
            .add_service(AdminServiceServer::new(self.clone()))
            .prepare();
        builder.over(routes).unwrap()
    }

    /// The next calls fail like this, one after the other; then calls succeed.
    pub fn fail(&self, failures: impl IntoIterator<Item = Status>) {
        self.0.failures.lock().unwrap().extend(failures);
    }

    /// Calls get no answer at all.
    pub fn never_answer(&self) {
        *self.0.never_answer.lock().unwrap() = true;
    }

    /// How queries are answered.
    pub fn answer_queries(
        &self,
        page: impl Fn(&v1::RetrieveMultipleRequest) -> v1::EntityCollection + Send + Sync + 'static,
    ) {
        *self.0.page.lock().unwrap() = Some(Box::new(page));
    }

    /// What reached the server, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.0.seen.lock().unwrap().clone()
    }

    /// The columns that the last retrieve asked for.
    pub fn columns(&self) -> Vec<String> {
        self.0.columns.lock().unwrap().clone()
    }

    async fn enter<R>(
        &self,
        method: &'static str,
        request: &Request<R>,
        options: Option<&v1::RequestOptions>,
    ) -> Result<Uuid, Status> {
        let text = |key: &str| {
            let mut values = request.metadata().get_all(key).iter();
            let value = values
                .next()
                .map(|value| value.to_str().unwrap().to_owned());
            assert!(values.next().is_none(), "{key} came twice");
            value
        };
        let options = options.cloned().unwrap_or_default();
        let seen = Seen {
            method,
            caller_id: text(CALLER_ID),
            caller_object_id: text(CALLER_OBJECT_ID),
            authorization: text(AUTHORIZATION),
            grpc_timeout: text("grpc-timeout"),
            peer: request.remote_addr(),
            request_id: options.request_id.clone(),
            options,
        };
        let user = caller(&seen);
        self.0.seen.lock().unwrap().push(seen);
        if *self.0.never_answer.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        match self.0.failures.lock().unwrap().pop_front() {
            Some(failure) => Err(failure),
            None => Ok(user),
        }
    }
}

/// The user that a call runs for; a directory object is told apart by its highest bit.
fn caller(seen: &Seen) -> Uuid {
    match (&seen.caller_id, &seen.caller_object_id) {
        (Some(id), None) => Uuid::parse_str(id).unwrap(),
        (None, Some(id)) => Uuid::from_u128(Uuid::parse_str(id).unwrap().as_u128() | 1 << 127),
        (None, None) => Uuid::nil(),
        (Some(_), Some(_)) => panic!("both caller keys were sent"),
    }
}

/// A whole service: methods that answer with one expression, and the rest as it is written.
macro_rules! service {
    ($service:ident { $($rest:item)* }
     ($fake:ident, $request:ident, $user:ident)
     $($method:ident: $in:ident -> $out:ident = $answer:expr;)+) => {
        #[tonic::async_trait]
        impl $service for Fake {
            $($rest)*
            $(
                async fn $method(
                    &self,
                    request: Request<v1::$in>,
                ) -> Result<Response<v1::$out>, Status> {
                    let $fake = self;
                    let options = request.get_ref().options.clone();
                    let $user = self.enter(stringify!($method), &request, options.as_ref()).await?;
                    let $request = request.into_inner();
                    let answer = $answer;
                    let _ = ($fake, $user, $request);
                    let mut response = Response::new(answer);
                    let metadata = response.metadata_mut();
                    metadata.insert(REQUEST_ID, "0190".parse().unwrap());
                    metadata.insert(RATELIMIT_REMAINING_TIME_MS, "1500".parse().unwrap());
                    if !$user.is_nil() {
                        metadata.insert(EFFECTIVE_USER_ID, $user.to_string().parse().unwrap());
                    }
                    Ok(response)
                }
            )+
        }
    };
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

service! {
    OrganizationService {
    type RetrieveMultipleStreamStream = Answers<v1::RetrieveMultipleStreamResponse>;
    type UploadPluginAssemblyStream = Answers<v1::UploadPluginAssemblyResponse>;


    async fn retrieve_multiple_stream(
        &self,
        _request: Request<v1::RetrieveMultipleStreamRequest>,
    ) -> Result<Response<Self::RetrieveMultipleStreamStream>, Status> {
        Err(Status::unimplemented("not in the fake"))
    }

    async fn upload_plugin_assembly(
        &self,
        _request: Request<Streaming<v1::UploadPluginAssemblyRequest>>,
    ) -> Result<Response<Self::UploadPluginAssemblyStream>, Status> {
        Err(Status::unimplemented("not in the fake"))
    }
    }
    (fake, request, user)
        create: CreateRequest -> CreateResponse = v1::CreateResponse { id: user.to_string() };
        retrieve: RetrieveRequest -> RetrieveResponse = {
            let target = request.target.clone().unwrap_or_default();
            *fake.0.columns.lock().unwrap() = request.column_set.clone().unwrap_or_default().columns;
            v1::RetrieveResponse {
                entity: Some(v1::Entity {
                    logical_name: target.logical_name,
                    id: target.id,
                    attributes: [("name".to_owned(), "Contoso".into())].into(),
                    ..Default::default()
                }),
            }
        };
        update: UpdateRequest -> UpdateResponse = v1::UpdateResponse {};
        upsert: UpsertRequest -> UpsertResponse = v1::UpsertResponse {
            record_created: true,
            target: Some(v1::EntityReference {
                logical_name: request.target.clone().unwrap_or_default().logical_name,
                id: user.to_string(),
                ..Default::default()
            }),
        };
        delete: DeleteRequest -> DeleteResponse = v1::DeleteResponse {};
        associate: AssociateRequest -> AssociateResponse = v1::AssociateResponse {};
        disassociate: DisassociateRequest -> DisassociateResponse = v1::DisassociateResponse {};
        assign: AssignRequest -> AssignResponse = v1::AssignResponse {};
        share: ShareRequest -> ShareResponse = v1::ShareResponse {};
        modify_share: ModifyShareRequest -> ModifyShareResponse = v1::ModifyShareResponse {};
        unshare: UnshareRequest -> UnshareResponse = v1::UnshareResponse {};
        retrieve_multiple: RetrieveMultipleRequest -> RetrieveMultipleResponse = {
            let page = fake.0.page.lock().unwrap();
            v1::RetrieveMultipleResponse {
                query_plan: request.explain_plan.then(|| v1::QueryPlan {
                    plan_kind: 99,
                    rows_read: 3,
                    ..Default::default()
                }),
                entity_collection: page.as_ref().map(|page| page(&request)),
            }
        };
        execute: ExecuteRequest -> ExecuteResponse = {
            let request = request.request.clone().unwrap_or_default();
            v1::ExecuteResponse {
                response: Some(v1::OrganizationResponse {
                    response_name: request.request_name,
                    results: request.parameters,
                }),
            }
        };
        execute_multiple: ExecuteMultipleRequest -> ExecuteMultipleResponse = {
            v1::ExecuteMultipleResponse {
                is_faulted: true,
                responses: vec![
                    v1::ExecuteMultipleResponseItem {
                        request_index: 0,
                        response: Some(v1::OrganizationResponse::default()),
                        fault: None,
                    },
                    v1::ExecuteMultipleResponseItem {
                        request_index: 1,
                        response: None,
                        fault: Some(denied_fault()),
                    },
                ],
            }
        };
        execute_transaction: ExecuteTransactionRequest -> ExecuteTransactionResponse = {
            v1::ExecuteTransactionResponse {
                responses: request
                    .requests
                    .iter()
                    .map(|request| v1::OrganizationResponse {
                        response_name: request.request_name.clone(),
                        ..Default::default()
                    })
                    .collect(),
            }
        };
        who_am_i: WhoAmIRequest -> WhoAmIResponse = v1::WhoAmIResponse {
            user_id: user.to_string(),
            business_unit_id: Uuid::from_u128(2).to_string(),
            organization_id: Uuid::from_u128(3).to_string(),
        };
        explain_access: ExplainAccessRequest -> ExplainAccessResponse = v1::ExplainAccessResponse {
            allowed: false,
            fault: Some(denied_fault()),
            requirements: vec![v1::AccessRequirement {
                privilege: "prvDeleteAccount".into(),
                right: v1::AccessRight::Delete.into(),
                lacking: v1::PrincipalRole::Impersonated.into(),
                depth_needed: 77,
                ..Default::default()
            }],
            ..Default::default()
        };
}

service! {
    AdminService {
    type BackupStream = Answers<v1::BackupResponse>;
    type CheckStoreStream = Answers<v1::CheckStoreResponse>;


    async fn backup(
        &self,
        _request: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        Err(Status::unimplemented("not in the fake"))
    }

    async fn check_store(
        &self,
        _request: Request<v1::CheckStoreRequest>,
    ) -> Result<Response<Self::CheckStoreStream>, Status> {
        Err(Status::unimplemented("not in the fake"))
    }
    }
    (fake, request, user)
        create_token: CreateTokenRequest -> CreateTokenResponse = v1::CreateTokenResponse {
            token_id: Uuid::from_u128(4).to_string(),
            token: "shown once".into(),
        };
        list_tokens: ListTokensRequest -> ListTokensResponse = v1::ListTokensResponse {
            tokens: vec![v1::Token {
                token_id: Uuid::from_u128(4).to_string(),
                user_id: request.user_id.clone(),
                label: "first".into(),
                ..Default::default()
            }],
        };
        revoke_token: RevokeTokenRequest -> RevokeTokenResponse = v1::RevokeTokenResponse {};
        retrieve_server_info: RetrieveServerInfoRequest -> RetrieveServerInfoResponse =
            v1::RetrieveServerInfoResponse {
                version: "0.1.0".into(),
                organization_id: Uuid::from_u128(3).to_string(),
                limits: [("page_rows_max".to_owned(), "5000".to_owned())].into(),
                ..Default::default()
            };
}

/// The fault of a delete that the impersonated user has no privilege for.
pub fn denied_fault() -> v1::OrganizationServiceFault {
    v1::OrganizationServiceFault {
        error_code: -2_147_220_960,
        error_name: "PrivilegeDenied".into(),
        message: "user (impersonated) lacks prvDeleteAccount".into(),
        error_details: [
            ("privilege".to_owned(), "prvDeleteAccount".into()),
            ("principalRole".to_owned(), "impersonated".into()),
        ]
        .into(),
        activity_id: Uuid::from_u128(5).to_string(),
        ..Default::default()
    }
}
