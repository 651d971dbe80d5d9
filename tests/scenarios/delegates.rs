//! What only a caller with metadata of its own can show: in whose name a call ran, repeats of a request,
//! and the SDK.

use orgservice::v1::{self, RequestOptions};
use orgservice_client::{AccessRights, InTable as _, OrganizationServiceClient};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::contract::{count, world};
use crate::support::{
    client::Refusal,
    values::{entity, request},
    world::World,
};

/// A delegate, and two users whom it may act for.
const DELEGATE: &str = r#"
    users.svc = { in = "ROOT", roles = ["Delegate", "account[CRW:u]"] }
    users.ann = { in = "SALES", roles = ["account[CRW:u]"] }
    users.ben = { in = "SALES", roles = ["account[CRW:u]"] }
    records.A1 = { owner = "ann" }
    "#;

#[tokio::test(flavor = "multi_thread")]
async fn im_5_whoever_may_not_impersonate_is_told_that_first() {
    let world = world(DELEGATE).await;
    // Two users, an unknown one, one that is there: all the same to ben.
    let ben = world.client("ben");
    let both = ben
        .on_behalf_of(world.id("ann"))
        .on_behalf_of_object(World::object_id("svc"));
    for client in [
        both,
        ben.on_behalf_of(Uuid::from_u128(1)),
        ben.on_behalf_of(world.id("ann")),
    ] {
        let refusal = client.execute(request("WhoAmI", [])).await.unwrap_err();
        assert_eq!(refusal.name(), "PrivilegeDenied", "{refusal}");
        assert_eq!(refusal.metadata["principalId"], world.id("ben").to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gm_6_every_answer_tells_its_id_and_for_whom_it_ran() {
    let world = world(DELEGATE).await;
    let svc = world.client("svc").on_behalf_of(world.id("ann"));
    let svc = svc.with("x-ms-client-request-id", "order-17");
    let message = v1::WhoAmIRequest { options: None };
    let answer = svc.service().who_am_i(svc.request(message)).await.unwrap();
    let text = |key: &str| {
        answer
            .metadata()
            .get(key)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(text("effective-user-id"), world.id("ann").to_string());
    assert_eq!(text("x-ms-client-request-id"), "order-17");
    text("request-id").parse::<Uuid>().unwrap();

    let delete = v1::DeleteRequest {
        target: Some(world.reference("A1")),
        ..v1::DeleteRequest::default()
    };
    let refused = svc.service().delete(svc.request(delete)).await.unwrap_err();
    let id = refused
        .metadata()
        .get("request-id")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(Refusal::of(&refused).fault.activity_id, id);
    assert_eq!(refused.get_details_request_info().unwrap().request_id, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn gex_7_and_8_a_request_id_makes_a_repeat_harmless() {
    let world = world(DELEGATE).await;
    let svc = world.client("svc").on_behalf_of(world.id("ann"));
    let request_id = Uuid::now_v7();
    let message = |name: &str| v1::CreateRequest {
        target: Some(entity("account", [("name", name.into())])),
        options: Some(RequestOptions {
            request_id: request_id.to_string(),
            ..RequestOptions::default()
        }),
    };
    let rows = count(&world.administrator, "account").await;
    let first = svc
        .service()
        .create(svc.request(message("Contoso")))
        .await
        .unwrap();
    let again = svc
        .service()
        .create(svc.request(message("Contoso")))
        .await
        .unwrap();
    assert_eq!(first.into_inner().id, again.into_inner().id);
    assert_eq!(count(&world.administrator, "account").await, rows + 1);

    let other_body = svc.service().create(svc.request(message("Fabrikam"))).await;
    assert_eq!(
        Refusal::of(&other_body.unwrap_err()).name(),
        "InvalidArgument"
    );
    // For another impersonated user it is another request.
    let for_ben = world.client("svc").on_behalf_of(world.id("ben"));
    let other_user = for_ben
        .service()
        .create(for_ben.request(message("Contoso")))
        .await;
    assert_eq!(
        Refusal::of(&other_user.unwrap_err()).name(),
        "InvalidArgument"
    );
    // Another caller may use the same id.
    let ben = world.client("ben");
    ben.service()
        .create(ben.request(message("Contoso")))
        .await
        .unwrap();
    assert_eq!(count(&world.administrator, "account").await, rows + 2);
}

/// The same through the SDK: what a Rust program sees.
#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_acts_for_somebody_and_tells_why_it_was_refused() {
    let world = world(DELEGATE).await;
    let connect = |name: &str| {
        let token = world.token(name);
        OrganizationServiceClient::builder(world.server.address.clone())
            .token(token)
            .connect_lazy()
            .unwrap()
    };
    let svc = connect("svc");
    let (ann, ben) = (world.id("ann"), world.id("ben"));
    let mut as_ann = svc.clone();
    as_ann.caller_id = Some(ann);
    assert_eq!(as_ann.who_am_i().await.unwrap().user_id, ann);
    assert_eq!(svc.who_am_i().await.unwrap().user_id, world.id("svc"));

    let account = orgservice_client::Entity::new("account").set("name", "Contoso");
    let id = as_ann.create(account.clone()).await.unwrap();
    let stored =
        connect("ann").retrieve_entity(id.in_table("account"), ["name", "createdonbehalfby"]);
    let stored = stored.await.unwrap();
    assert_eq!(stored.get::<String>("name").unwrap(), "Contoso");
    let by: orgservice_client::EntityReference = stored.get("createdonbehalfby").unwrap();
    assert_eq!(by.id, Some(world.id("svc")));

    let refused = as_ann.delete(id.in_table("account")).await.unwrap_err();
    assert!(refused.is_privilege_denied());
    let fault = refused.fault().unwrap();
    assert_eq!(fault.privilege.as_deref(), Some("prvDeleteAccount"));
    assert_eq!(
        fault.side,
        Some(orgservice_client::PrincipalRole::Impersonator)
    );

    let refused = svc
        .share(id.in_table("account"), ben, AccessRights::READ)
        .caller_id(ann)
        .await;
    assert!(refused.unwrap_err().is_privilege_denied());
    let refused = svc
        .retrieve_entity(id.in_table("account"), ["name"])
        .caller_id(ben)
        .await;
    assert!(refused.unwrap_err().is_access_denied());
}
