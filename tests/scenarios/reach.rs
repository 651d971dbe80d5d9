//! Ways around the decision that a sceptical reader once found open.

use orgservice::v1::{Entity, OrganizationRequest, Value};
use uuid::Uuid;

use crate::support::{
    client::Refusal,
    values::{columns, everything, list, record, reference, request, retrieve},
    world::{Fixture, World},
};

fn fixture(text: &str) -> Fixture {
    toml::from_str(text).unwrap()
}

fn create(target: Entity) -> OrganizationRequest {
    request("Create", [("Target", target.into())])
}

fn update(target: Entity) -> OrganizationRequest {
    request("Update", [("Target", target.into())])
}

/// Shares and ownership name their principal by id alone. A team that was created with a user's id
/// took over what had been shared with the user.
#[tokio::test(flavor = "multi_thread")]
async fn sh_2_no_two_principals_have_the_same_id() {
    let world = World::build(&fixture(
        r#"
        users.ann = { in = "SALES", roles = ["account[R:u]"] }
        teams.crew = { in = "SALES" }
        "#,
    ))
    .await;
    let organization = world
        .server
        .organization
        .snapshot()
        .directory()
        .organization()
        .id;
    for taken in [world.id("ann"), organization] {
        let team = record("team", taken, [("name", "usurpers".into())]);
        let refusal = world.administrator.execute(create(team)).await.unwrap_err();
        assert_eq!(refusal.name(), "DuplicateRecord", "{taken}");
    }
    let user = record(
        "systemuser",
        world.id("crew"),
        [("domainname", "usurper".into())],
    );
    let refusal = world.administrator.execute(create(user)).await.unwrap_err();
    assert_eq!(refusal.name(), "DuplicateRecord");
}

/// The PrivUserGroup lists users by id. A user who could change a name, its own perhaps, became a
/// trusted host by taking that of one.
#[tokio::test(flavor = "multi_thread")]
async fn im_4_a_name_makes_no_trusted_host() {
    let world = World::build(&fixture(
        r#"
        hosts = ["worker"]
        users.ann = { in = "SALES", roles = ["account[R:u]"] }
        users.ben = { in = "SALES", roles = ["account[R:o]"] }
        "#,
    ))
    .await;
    let renamed = record(
        "systemuser",
        world.id("ann"),
        [("domainname", "worker".into())],
    );
    world.administrator.run(update(renamed)).await;
    let refusal = world
        .client("ann")
        .on_behalf_of(world.id("ben"))
        .execute(request("WhoAmI", []))
        .await
        .unwrap_err();
    assert_eq!(refusal.name(), "PrivilegeDenied");
    assert!(
        refusal.to_string().contains("prvActOnBehalfOfAnotherUser"),
        "{refusal}"
    );
}

/// A lookup that keeps its value asks nothing; but the same id in another table is another record.
#[tokio::test(flavor = "multi_thread")]
async fn g_9_a_lookup_moved_to_another_table_is_a_new_value() {
    let world = World::build(&fixture(
        r#"
        users.ann = { in = "SALES", roles = ["account[CRWT:u], contact[CRWPT:u]"] }
        users.ben = { in = "SVC", roles = ["contact[CR:u]"] }
        "#,
    ))
    .await;
    let id = Uuid::from_u128(0x7e57);
    let ann = world.client("ann");
    let hidden = record("contact", id, [("lastname", "Hidden".into())]);
    world.client("ben").run(create(hidden)).await;
    ann.run(create(record("account", id, [("name", "Own".into())])))
        .await;
    let contact = Uuid::from_u128(0xc0);
    let parent: Value = reference("account", id).into();
    ann.run(create(record(
        "contact",
        contact,
        [("parentcustomerid", parent)],
    )))
    .await;
    let retargeted: Value = reference("contact", id).into();
    let refusal = ann
        .execute(update(record(
            "contact",
            contact,
            [("parentcustomerid", retargeted)],
        )))
        .await
        .unwrap_err();
    assert_eq!(refusal.name(), "unManagedIdsAccessDenied");
}

async fn refusals(world: &World, requests: [OrganizationRequest; 2]) -> [Refusal; 2] {
    let [a, b] = requests;
    let ann = world.client("ann");
    [
        ann.execute(a).await.unwrap_err(),
        ann.execute(b).await.unwrap_err(),
    ]
}

/// Invariant 10: a refusal for want of a privilege does not tell what is in a record, or whether it
/// is there.
#[tokio::test(flavor = "multi_thread")]
async fn ac_7_a_missing_privilege_tells_nothing_of_the_record() {
    let world = World::build(&fixture(
        r#"
        users.ann = { in = "SALES", roles = ["account[W:u]"] }
        users.ben = { in = "SVC", roles = ["account[CRWP:u], contact[CRT:u]"] }
        records.rec = { owner = "ben" }
        "#,
    ))
    .await;
    let contact = Uuid::from_u128(0xc1);
    let ben = world.client("ben");
    ben.run(create(record(
        "contact",
        contact,
        [("lastname", "One".into())],
    )))
    .await;
    let pointing = |at: Uuid| {
        let value: Value = reference("contact", at).into();
        update(record(
            "account",
            world.id("rec"),
            [("primarycontactid", value)],
        ))
    };
    ben.run(pointing(contact)).await;
    // The value that is there, and another one.
    let [right, wrong] = refusals(&world, [pointing(contact), pointing(Uuid::max())]).await;
    assert_eq!(right.name(), "PrivilegeDenied");
    assert_eq!(right.to_string(), wrong.to_string());

    let upsert = |id: Uuid| {
        let target = record("contact", id, [("lastname", "Guess".into())]);
        request("Upsert", [("Target", target.into())])
    };
    let [there, absent] = refusals(&world, [upsert(contact), upsert(Uuid::max())]).await;
    assert_eq!(there.name(), "PrivilegeDenied");
    assert_eq!(there.to_string(), absent.to_string());
}

/// Each related query is a page; a request carries a bounded number of them, and their privileges
/// are asked before the record is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn rt_7_related_queries_are_bounded_and_asked_first() {
    let world = World::build(&fixture(
        r#"users.ann = { in = "SALES", roles = ["account[R:u]"] }"#,
    ))
    .await;
    let query = || {
        let relationship = orgservice::v1::Relationship {
            schema_name: "contact_customer_accounts".to_owned(),
            primary_entity_role: 0,
        };
        Entity {
            logical_name: "RelatedEntitiesQuery".to_owned(),
            attributes: [
                ("Relationship".to_owned(), relationship.into()),
                ("Query".to_owned(), everything("contact").into()),
            ]
            .into(),
            ..Entity::default()
        }
    };
    let with = |count: usize| {
        let mut message = retrieve(reference("account", Uuid::max()), columns([]));
        let queries = list((0..count).map(|_| query().into()));
        message
            .parameters
            .insert("RelatedEntitiesQuery".to_owned(), queries);
        message
    };
    let [one, many] = refusals(&world, [with(1), with(11)]).await;
    // The account does not exist; ann has no right to read contacts, which comes first.
    assert_eq!(one.name(), "PrivilegeDenied");
    assert_eq!(many.name(), "InvalidArgument");
    assert!(many.to_string().contains("10 related queries"), "{many}");
}
