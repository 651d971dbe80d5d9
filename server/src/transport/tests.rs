//! Through a real socket: what holds for every RPC, whatever the message behind it does.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use orgservice::v1::{
    ColumnSet, CreateRequest, Entity, EntityReference, ExecuteRequest, OrganizationRequest,
    RetrieveMultipleRequest, RetrieveRequest, Value, WhoAmIRequest, WhoAmIResponse,
    organization_service_client::OrganizationServiceClient,
};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tokio_stream::{StreamExt as _, once};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    metadata::MetadataMap,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_prost::ProstCodec;
use tonic_types::{ErrorInfo, StatusExt as _};

use super::{ServeError, TransportOptions, serve};
use crate::{
    limits,
    metadata::DefinitionsBuilder,
    operations::bootstrap::BootstrapOptions,
    organization::{Organization, OrganizationOptions},
    storage::{EmbeddedStore, engine::MemoryEngine},
};

/// A served organization in memory, with its administrator's token.
struct Served {
    address: SocketAddr,
    token: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

impl Served {
    async fn start() -> Self {
        let store = EmbeddedStore::open(Box::<MemoryEngine>::default()).unwrap();
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let options = OrganizationOptions::new(definitions, "memory");
        let organization = Organization::open(Arc::new(store), options).unwrap();
        let made = organization.bootstrap(&BootstrapOptions {
            organization_name: "Contoso".into(),
            administrator_name: "administrator".into(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let options = TransportOptions {
            tls: None,
            reflection: true,
            drain: Duration::from_secs(10),
        };
        let ended = tokio::spawn(serve(listener, organization, options, async {
            let _ = stopped.await;
        }));
        Served {
            address,
            token: made.unwrap().unwrap().token,
            stop,
            ended,
        }
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address))
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    async fn client(&self) -> OrganizationServiceClient<Channel> {
        OrganizationServiceClient::new(self.channel().await)
    }

    /// A request of the administrator.
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let value = format!("Bearer {}", self.token).parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        request
    }
}

fn info(status: &Status) -> ErrorInfo {
    status.get_details_error_info().unwrap()
}

fn header<'a>(metadata: &'a MetadataMap, key: &str) -> Option<&'a str> {
    metadata.get(key).map(|value| value.to_str().unwrap())
}

/// Paths of all RPCs of the contract.
fn methods() -> Vec<String> {
    let set = FileDescriptorSet::decode(orgservice::FILE_DESCRIPTOR_SET).unwrap();
    let files = set.file.iter();
    files
        .flat_map(|file| {
            file.service.iter().flat_map(move |service| {
                service.method.iter().map(move |method| {
                    format!("/{}.{}/{}", file.package(), service.name(), method.name())
                })
            })
        })
        .collect()
}

/// Calls any RPC with an empty message; of a stream the first answer counts.
async fn call(channel: Channel, path: &str, request: Request<()>) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    let codec = ProstCodec::<WhoAmIRequest, WhoAmIResponse>::default();
    let request = request.map(|()| once(WhoAmIRequest::default()));
    let mut answers = grpc
        .streaming(request, path.parse().unwrap(), codec)
        .await?
        .into_inner();
    answers.next().await.transpose().map(|_| ())
}

#[tokio::test]
async fn gex_1_every_rpc_refuses_a_stranger() {
    let served = Served::start().await;
    let channel = served.channel().await;
    let methods = methods();
    assert!(methods.len() > 20);
    for path in &methods {
        for authorization in [None, Some("Bearer ost_unknown"), Some("Basic dXNlcg==")] {
            let mut request = Request::new(());
            if let Some(value) = authorization {
                request
                    .metadata_mut()
                    .insert("authorization", value.parse().unwrap());
            }
            let status = call(channel.clone(), path, request).await.unwrap_err();
            assert_eq!(
                status.code(),
                Code::Unauthenticated,
                "{path} {authorization:?}"
            );
            assert_eq!(info(&status).reason, "REQUEST_IS_NOT_AUTHENTICATED");
            let id = header(status.metadata(), "request-id").unwrap();
            assert_eq!(status.get_details_request_info().unwrap().request_id, id);
        }
    }
}

#[tokio::test]
async fn what_is_not_built_says_so_once_the_caller_is_known() {
    let served = Served::start().await;
    let channel = served.channel().await;
    let cases = [
        (
            "OrganizationService/RetrieveMultipleStream",
            "RetrieveMultipleStream",
        ),
        (
            "OrganizationService/UploadPluginAssembly",
            "UploadPluginAssembly",
        ),
        ("AdminService/Backup", "Backup"),
        ("AdminService/CheckStore", "CheckStore"),
    ];
    for (path, message) in cases {
        let path = format!("/orgservice.v1.{path}");
        let status = call(channel.clone(), &path, served.request(()))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
        assert_eq!(info(&status).metadata["message"], message);
    }
    let plan = RetrieveMultipleRequest {
        explain_plan: true,
        ..Default::default()
    };
    let request = served.request(plan);
    let status = served
        .client()
        .await
        .retrieve_multiple(request)
        .await
        .unwrap_err();
    assert_eq!(info(&status).metadata["message"], "RetrieveMultiple");
}

#[tokio::test]
async fn gm_6_an_answer_has_an_id_and_echoes_the_clients() {
    let served = Served::start().await;
    let mut request = served.request(WhoAmIRequest::default());
    request
        .metadata_mut()
        .insert("x-ms-client-request-id", "order-17".parse().unwrap());
    let answer = served.client().await.who_am_i(request).await.unwrap();
    let id = header(answer.metadata(), "request-id").unwrap();
    assert!(crate::model::parse_guid(id).is_some());
    assert_eq!(
        header(answer.metadata(), "x-ms-client-request-id"),
        Some("order-17")
    );
    assert_eq!(header(answer.metadata(), "effective-user-id"), None);
    assert!(crate::model::parse_guid(&answer.get_ref().user_id).is_some());
}

#[tokio::test]
async fn gm_3_caller_keys_are_judged_before_the_message() {
    let served = Served::start().await;
    let mut client = served.client().await;
    let bad: [&[(&str, &str)]; 5] = [
        &[("caller-id", "not-a-guid")],
        &[("caller-id", "")],
        &[("mscrmcallerid", "not-a-guid")],
        &[
            ("caller-id", "00000000-0000-0000-0000-000000000000"),
            ("mscrmcallerid", "00000000-0000-0000-0000-000000000000"),
        ],
        &[("caller-object-id", "x")],
    ];
    for keys in bad {
        let mut request = served.request(CreateRequest::default());
        for (key, value) in keys {
            let key = key.parse::<tonic::metadata::AsciiMetadataKey>().unwrap();
            request.metadata_mut().append(key, value.parse().unwrap());
        }
        let status = client.create(request).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{keys:?}");
        let field = &status.get_details_bad_request().unwrap().field_violations[0].field;
        assert!(field.starts_with("caller-"), "{field}");
    }
    // GEX-3.
    let mut request = served.request(WhoAmIRequest::default());
    let zero = "00000000-0000-0000-0000-000000000000".parse().unwrap();
    request.metadata_mut().insert("caller-id", zero);
    let answer = client.who_am_i(request).await.unwrap();
    assert_eq!(header(answer.metadata(), "effective-user-id"), None);
}

#[tokio::test]
async fn gm_6_an_impersonated_call_names_the_user_it_ran_for() {
    let served = Served::start().await;
    let mut client = served.client().await;
    let me = client
        .who_am_i(served.request(WhoAmIRequest::default()))
        .await
        .unwrap();
    let unit = EntityReference {
        logical_name: "businessunit".into(),
        id: me.into_inner().business_unit_id,
        ..Default::default()
    };
    let user = Entity {
        logical_name: "systemuser".into(),
        attributes: [
            ("firstname".to_owned(), Value::from("Ann")),
            ("lastname".to_owned(), Value::from("Other")),
            ("domainname".to_owned(), Value::from("ann@example.com")),
            ("businessunitid".to_owned(), Value::from(unit)),
        ]
        .into(),
        ..Default::default()
    };
    let create = CreateRequest {
        target: Some(user),
        options: None,
    };
    let ann = client
        .create(served.request(create))
        .await
        .unwrap()
        .into_inner()
        .id;
    let mut request = served.request(WhoAmIRequest::default());
    request
        .metadata_mut()
        .insert("caller-id", ann.parse().unwrap());
    let answer = client.who_am_i(request).await.unwrap();
    assert_eq!(
        header(answer.metadata(), "effective-user-id"),
        Some(ann.as_str())
    );
    assert_eq!(answer.into_inner().user_id, ann);
    // The key holds for refusals as well: the call was made for Ann, who has no role.
    let mut request = served.request(ExecuteRequest {
        request: Some(OrganizationRequest {
            request_name: "MakeCoffee".into(),
            ..Default::default()
        }),
        options: None,
    });
    request
        .metadata_mut()
        .insert("mscrmcallerid", ann.parse().unwrap());
    let status = client.execute(request).await.unwrap_err();
    assert_eq!(info(&status).reason, "USER_NOT_ASSIGNED_ROLES");
    assert_eq!(
        header(status.metadata(), "effective-user-id"),
        Some(ann.as_str())
    );
}

#[tokio::test]
async fn gex_14_both_doors_give_the_same_fault() {
    let served = Served::start().await;
    let mut client = served.client().await;
    let target = EntityReference {
        logical_name: "account".into(),
        id: "4026be43-6b69-e111-8f65-78e7d1620f5e".into(),
        ..Default::default()
    };
    let typed = RetrieveRequest {
        target: Some(target.clone()),
        ..Default::default()
    };
    let typed = client.retrieve(served.request(typed)).await.unwrap_err();
    let parameters = [
        ("Target".to_owned(), Value::from(target)),
        ("ColumnSet".to_owned(), Value::from(ColumnSet::default())),
    ];
    let request = OrganizationRequest {
        request_name: "Retrieve".into(),
        parameters: parameters.into(),
        ..Default::default()
    };
    let generic = ExecuteRequest {
        request: Some(request),
        options: None,
    };
    let generic = client.execute(served.request(generic)).await.unwrap_err();
    assert_eq!(typed.code(), Code::NotFound, "{typed:?}");
    assert_eq!(info(&typed).reason, "OBJECT_DOES_NOT_EXIST");
    assert_eq!(info(&typed).metadata["errorCodeHex"], "0x80040217");
    assert_eq!(
        typed.get_details_resource_info().unwrap().resource_type,
        "account"
    );
    assert_eq!(
        (typed.code(), typed.message()),
        (generic.code(), generic.message())
    );
    assert_eq!(info(&typed).reason, info(&generic).reason);
    assert_eq!(info(&typed).metadata, info(&generic).metadata);
}

#[tokio::test]
async fn go_4_a_call_whose_time_is_over_is_refused() {
    let served = Served::start().await;
    let mut request = served.request(());
    request
        .metadata_mut()
        .insert("grpc-timeout", "1n".parse().unwrap());
    let path = "/orgservice.v1.OrganizationService/WhoAmI";
    let status = call(served.channel().await, path, request)
        .await
        .unwrap_err();
    // Either this end or the other one noticed first.
    let codes = [Code::DeadlineExceeded, Code::Cancelled];
    assert!(codes.contains(&status.code()), "{status:?}");
}

#[tokio::test]
async fn a_message_above_the_bound_names_it() {
    let served = Served::start().await;
    let name = "x".repeat(limits::MESSAGE_BYTES_MAX + 1);
    let message = ExecuteRequest {
        request: Some(OrganizationRequest {
            request_name: name,
            ..Default::default()
        }),
        options: None,
    };
    let client = served.client().await;
    let mut client = client.max_encoding_message_size(usize::MAX);
    let status = client.execute(served.request(message)).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert_eq!(info(&status).reason, "REQUEST_LENGTH_TOO_LARGE");
    assert_eq!(info(&status).metadata["limit"], "message_bytes_max");
}

#[tokio::test]
async fn health_is_told_of_each_service_and_of_the_end() {
    let served = Served::start().await;
    let mut health = HealthClient::new(served.channel().await);
    for service in [
        "",
        "orgservice.v1.OrganizationService",
        "orgservice.v1.AdminService",
    ]
    .map(String::from)
    {
        let answer = health.check(HealthCheckRequest { service }).await.unwrap();
        assert_eq!(answer.get_ref().status(), ServingStatus::Serving);
    }
    let watched = health.watch(HealthCheckRequest::default()).await.unwrap();
    let mut watched = watched.into_inner();
    assert_eq!(
        watched.next().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    served.stop.send(()).unwrap();
    assert_eq!(
        watched.next().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    drop((watched, health));
    served.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn gex_16_both_reflections_know_the_services_and_the_details() {
    use tonic_reflection::pb::{
        v1::{
            self, server_reflection_client::ServerReflectionClient,
            server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
        },
        v1alpha,
    };
    let served = Served::start().await;
    let channel = served.channel().await;
    let mut client = ServerReflectionClient::new(channel.clone());
    let ask = |question| {
        let mut client = client.clone();
        async move {
            let request = v1::ServerReflectionRequest {
                message_request: Some(question),
                host: "".into(),
            };
            let answers = client.server_reflection_info(once(request)).await.unwrap();
            answers
                .into_inner()
                .next()
                .await
                .unwrap()
                .unwrap()
                .message_response
                .unwrap()
        }
    };
    let MessageResponse::ListServicesResponse(list) =
        ask(MessageRequest::ListServices(String::new())).await
    else {
        panic!()
    };
    let names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    for expected in [
        "orgservice.v1.OrganizationService",
        "orgservice.v1.AdminService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.contains(&expected), "{names:?}");
    }
    // GX-2: tools print details instead of bytes.
    for symbol in [
        "orgservice.v1.Value",
        "orgservice.v1.OrganizationServiceFault",
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest",
        "google.rpc.RequestInfo",
    ] {
        let answer = ask(MessageRequest::FileContainingSymbol(symbol.to_owned())).await;
        assert!(
            matches!(answer, MessageResponse::FileDescriptorResponse(_)),
            "{symbol}"
        );
    }
    let mut old = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let question = v1alpha::server_reflection_request::MessageRequest::ListServices("".into());
    let request = v1alpha::ServerReflectionRequest {
        message_request: Some(question),
        host: "".into(),
    };
    let answers = old.server_reflection_info(once(request)).await.unwrap();
    assert!(answers.into_inner().next().await.unwrap().is_ok());
    let _ = client.server_reflection_info(tokio_stream::empty()).await;
}

#[test]
fn a_certificate_that_is_none_is_refused_before_anything_is_opened() {
    let tls = super::TlsOptions {
        certificate: b"none".to_vec(),
        key: b"none".to_vec(),
    };
    let error = tls.check().unwrap_err();
    assert!(matches!(error, ServeError::Tls(_)), "{error}");
    assert!(!format!("{tls:?}").contains("110"), "the key is in no log");
}
