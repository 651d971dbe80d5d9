//! Every RPC, found by reflection: none answers a stranger, none acts for another user unasked.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::DescriptorPool;
use tonic::{Code, Status};

use crate::{
    raw::{self, call, methods, path},
    support::{
        client::{Client, Refusal},
        server::{TestOptions, TestServer},
        world::{Fixture, World},
    },
};

/// A server with a user who may do everything but act for others, and one to act for.
async fn world() -> World {
    let fixture: Fixture = toml::from_str(
        r#"
        [users]
        ann = { in = "SALES", roles = ["System Customizer"] }
        bob = { in = "SALES", roles = ["System Administrator"] }
        "#,
    )
    .expect("a fixture");
    World::build(&fixture).await
}

/// A refusal in which the details of this contract are found.
fn refusal(method: &str, answer: Result<Vec<bytes::Bytes>, Status>) -> Refusal {
    let status = match answer {
        Ok(answers) => panic!("{method} answered {} messages", answers.len()),
        Err(status) => status,
    };
    let refusal = Refusal::of(&status);
    assert!(
        !refusal.reason.is_empty(),
        "{method}: {status:?} has no reason"
    );
    assert_eq!(refusal.fault.message, status.message(), "{method}");
    assert_eq!(
        refusal.metadata.get("errorCode"),
        Some(&refusal.fault.error_code.to_string()),
        "{method}"
    );
    refusal
}

#[tokio::test]
async fn gex_1_every_rpc_refuses_without_a_token() {
    let world = world().await;
    let (server, channel) = (&world.server, world.server.channel());
    let before = server.content_hash();
    let empty = Client::new(channel.clone(), "");
    let strangers = [
        None,
        Some(empty),
        Some(server.client("not a token of this server")),
        Some(server.client(&server.administrator_token.to_uppercase())),
    ];
    for method in methods(&channel).await {
        for stranger in &strangers {
            let answer = call(&channel, stranger.as_ref(), &path(&method), Vec::new()).await;
            let refusal = refusal(method.full_name(), answer);
            assert_eq!(
                refusal.status,
                Code::Unauthenticated,
                "{}",
                method.full_name()
            );
            assert_eq!(refusal.reason, "REQUEST_IS_NOT_AUTHENTICATED");
            assert_eq!(refusal.name(), "RequestIsNotAuthenticated");
        }
    }
    assert_eq!(server.content_hash(), before);
}

#[tokio::test]
async fn im_3_every_rpc_refuses_to_act_for_another_user_without_the_privilege() {
    let world = world().await;
    let channel = world.server.channel();
    let before = world.server.content_hash();
    let bob = world.id("bob");
    let unknown = uuid::Uuid::from_u128(0xb0b);
    let ann = world.client("ann");
    let callers = [
        ann.on_behalf_of(bob),
        ann.with("mscrmcallerid", bob),
        ann.on_behalf_of_object(World::object_id("bob")),
        // Who may not act for others does not learn who exists.
        ann.on_behalf_of(unknown),
    ];
    for method in methods(&channel).await {
        for caller in &callers {
            let answer = call(&channel, Some(caller), &path(&method), Vec::new()).await;
            let refusal = refusal(method.full_name(), answer);
            let context = format!("{}: {refusal}", method.full_name());
            assert_eq!(refusal.status, Code::PermissionDenied, "{context}");
            assert_eq!(refusal.reason, "PRIVILEGE_DENIED", "{context}");
            let metadata = |key: &str| refusal.metadata.get(key).map(String::as_str);
            let privilege = metadata("privilege");
            assert_eq!(privilege, Some("prvActOnBehalfOfAnotherUser"), "{context}");
            assert_eq!(
                metadata("reason"),
                Some("CannotActOnBehalfOfAnotherUser"),
                "{context}"
            );
            assert_eq!(
                metadata("principalId"),
                Some(&*world.id("ann").to_string()),
                "{context}"
            );
        }
    }
    assert_eq!(world.server.content_hash(), before);
}

/// Reading the whole contract by reflection finds what the source declares, streams included, so the
/// tests above leave nothing out.
#[tokio::test]
async fn reflection_tells_every_rpc() {
    let server = TestServer::start(TestOptions::default()).await;
    let told: BTreeSet<String> = methods(&server.channel())
        .await
        .iter()
        .map(|method| method.full_name().to_owned())
        .collect();
    let pool = DescriptorPool::decode(orgservice::FILE_DESCRIPTOR_SET).expect("the contract");
    let declared: BTreeSet<String> = pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| method.full_name().to_owned())
        .collect();
    assert_eq!(told, declared);
    assert!(told.len() >= 25, "{told:?}");
}

#[tokio::test]
async fn gex_16_both_versions_of_reflection_list_every_service() {
    let server = TestServer::start(TestOptions::default()).await;
    let channel = server.channel();
    let expected = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "orgservice.v1.AdminService",
        "orgservice.v1.OrganizationService",
    ];
    let v1 = raw::v1::services(&channel).await;
    assert!(
        expected
            .iter()
            .all(|name| v1.iter().any(|told| told == name)),
        "{v1:?}"
    );
    let v1alpha = raw::v1alpha::services(&channel).await;
    let ours = |names: &[String]| -> Vec<String> {
        let ours = names.iter().filter(|name| name.starts_with("orgservice."));
        ours.cloned().collect()
    };
    assert_eq!(ours(&v1), ours(&v1alpha));
}

/// Otherwise tools print the details of a refusal as bytes.
#[tokio::test]
async fn gx_2_reflection_tells_the_types_of_error_details() {
    const DETAILS: [&str; 9] = [
        "google.rpc.BadRequest",
        "google.rpc.ErrorInfo",
        "google.rpc.PreconditionFailure",
        "google.rpc.QuotaFailure",
        "google.rpc.RequestInfo",
        "google.rpc.ResourceInfo",
        "google.rpc.RetryInfo",
        "orgservice.v1.OrganizationServiceFault",
        "orgservice.v1.Value",
    ];
    let server = TestServer::start(TestOptions::default()).await;
    let channel = server.channel();
    for symbol in DETAILS {
        let (package, message) = symbol.rsplit_once('.').expect("a package");
        for files in [
            raw::v1::files_of(&channel, symbol).await,
            raw::v1alpha::files_of(&channel, symbol).await,
        ] {
            let declares = files.iter().any(|bytes| {
                let file = prost_types::FileDescriptorProto::decode(&**bytes).expect("a file");
                file.package() == package
                    && file
                        .message_type
                        .iter()
                        .any(|declared| declared.name() == message)
            });
            assert!(declares, "{symbol}");
        }
    }
    assert!(
        raw::v1::files_of(&channel, "orgservice.v1.Nothing")
            .await
            .is_empty()
    );
}

/// RPCs whose time has not come say so by name, and only to who may ask.
#[tokio::test]
async fn what_is_not_built_is_named() {
    let world = world().await;
    let channel = world.server.channel();
    let explained = orgservice::v1::RetrieveMultipleRequest {
        explain_plan: true,
        ..orgservice::v1::RetrieveMultipleRequest::default()
    };
    let not_built = [
        (
            "RetrieveMultipleStream",
            Vec::new(),
            "RetrieveMultipleStream",
        ),
        ("UploadPluginAssembly", Vec::new(), "UploadPluginAssembly"),
        (
            "RetrieveMultiple",
            explained.encode_to_vec(),
            "RetrieveMultiple",
        ),
        ("Backup", Vec::new(), "Backup"),
        ("CheckStore", Vec::new(), "CheckStore"),
    ];
    let methods = methods(&channel).await;
    for (name, message, named) in not_built {
        let method = methods
            .iter()
            .find(|method| method.name() == name)
            .expect(name);
        let answer = call(&channel, Some(&world.administrator), &path(method), message).await;
        let refusal = refusal(name, answer);
        assert_eq!(refusal.status, Code::Unimplemented, "{name}");
        assert_eq!(refusal.reason, "NOT_IMPLEMENTED", "{name}");
        assert_eq!(
            refusal.metadata.get("message").map(String::as_str),
            Some(named),
            "{name}"
        );
    }
}

/// Health is for probes, which have no token.
#[tokio::test]
async fn health_answers_anybody() {
    // HealthCheckRequest { service }, and HealthCheckResponse { status: SERVING }.
    let asked = |service: &str| {
        let length = u8::try_from(service.len()).expect("a short name");
        [&[0x0a, length], service.as_bytes()].concat()
    };
    let serving: &[u8] = &[0x08, 1];
    let server = TestServer::start(TestOptions::default()).await;
    for service in [
        "",
        "orgservice.v1.OrganizationService",
        "orgservice.v1.AdminService",
    ] {
        let path = "/grpc.health.v1.Health/Check";
        let answers = call(&server.channel(), None, path, asked(service)).await;
        assert_eq!(answers.expect("health"), [serving], "{service}");
    }
}
