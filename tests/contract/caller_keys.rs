//! The keys that name a user to act for (GM-2, GM-3, GEX-2 to GEX-4): what is ambiguous is refused,
//! whoever asks, and nothing is written.

use tonic::Code;
use uuid::Uuid;

use crate::support::{
    client::{Client, id_of},
    values::{entity, request},
    world::{Fixture, World},
};

async fn world() -> World {
    let fixture: Fixture = toml::from_str(
        r#"
        [users]
        dan = { in = "SALES", roles = ["Delegate", "account[CR:o]"] }
        bob = { in = "SALES", roles = ["account[CR:o]"] }
        eve = { in = "SALES", roles = ["account[CR:o]"] }
        "#,
    )
    .expect("a fixture");
    World::build(&fixture).await
}

fn create() -> orgservice::v1::OrganizationRequest {
    let target = entity("account", [("name", "Contoso".into())]);
    request("Create", [("Target", target.into())])
}

#[tokio::test]
async fn gm_2_and_gm_3_ambiguous_and_malformed_keys_are_refused() {
    let world = world().await;
    let dan = world.client("dan");
    let (bob, eve) = (world.id("bob"), world.id("eve"));
    let cases: Vec<(&str, Client, &str)> = vec![
        (
            "not a GUID (GEX-4)",
            dan.with("caller-id", "not-a-guid"),
            "caller-id",
        ),
        ("empty", dan.with("caller-id", ""), "caller-id"),
        (
            "one digit short",
            dan.with("caller-id", &bob.to_string()[1..]),
            "caller-id",
        ),
        (
            "malformed object id",
            dan.with("caller-object-id", "x"),
            "caller-object-id",
        ),
        (
            "empty object id",
            dan.with("caller-object-id", ""),
            "caller-object-id",
        ),
        (
            "the key twice",
            dan.on_behalf_of(bob).on_behalf_of(bob),
            "caller-id",
        ),
        (
            "the key and its alias",
            dan.on_behalf_of(bob).with("mscrmcallerid", bob),
            "caller-id",
        ),
        (
            "the object key and its alias",
            dan.on_behalf_of_object(World::object_id("bob"))
                .with("callerobjectid", World::object_id("bob")),
            "caller-object-id",
        ),
        (
            "two users (GEX-2)",
            dan.on_behalf_of(bob)
                .on_behalf_of_object(World::object_id("eve")),
            "caller-object-id",
        ),
        (
            "a key with offline playback (PL-92)",
            dan.on_behalf_of(eve).with("x-org-offline-playback", "true"),
            "x-org-offline-playback",
        ),
    ];
    let before = world.server.content_hash();
    for (label, client, field) in cases {
        let refusal = client.execute(create()).await.expect_err(label);
        assert_eq!(refusal.status, Code::InvalidArgument, "{label}: {refusal}");
        assert_eq!(refusal.name(), "InvalidArgument", "{label}: {refusal}");
        assert_eq!(refusal.fields, [field], "{label}: {refusal}");
    }
    let unknown = dan.on_behalf_of(Uuid::from_u128(0xdead));
    let refusal = unknown.execute(create()).await.expect_err("nobody");
    assert_eq!(refusal.name(), "ObjectDoesNotExist", "{refusal}");
    assert_eq!(world.server.content_hash(), before);
}

#[tokio::test]
async fn gm_3_all_zero_and_oneself_mean_nobody() {
    let world = world().await;
    let (bob, nobody) = (world.client("bob"), Uuid::nil());
    // Bob may act for nobody, so any impersonation would be refused.
    let clients = [
        bob.on_behalf_of(nobody),
        bob.on_behalf_of_object(nobody),
        bob.on_behalf_of(nobody).on_behalf_of_object(nobody),
        bob.on_behalf_of(world.id("bob")),
        bob.with("mscrmcallerid", world.id("bob").simple()),
    ];
    for client in clients {
        id_of(&client.run(create()).await);
    }
    let both = world.client("dan");
    let both = both
        .on_behalf_of(world.id("eve"))
        .on_behalf_of_object(World::object_id("eve"));
    let me = both.run(request("WhoAmI", [])).await;
    assert_eq!(me["UserId"], crate::support::values::guid(world.id("eve")));
}
