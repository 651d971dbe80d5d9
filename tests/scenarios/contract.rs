//! Worked examples of the contract that no file can tell: deep inserts, related rows, row versions,
//! values that are none.

use orgservice::v1::{
    self, ConditionExpression, Entity, EntityCollection, FilterExpression, OrganizationRequest,
    QueryExpression, RelatedEntities, RelatedEntitiesQuery, Relationship, Value, query,
    value::Kind,
};
use tonic::Code;
use uuid::Uuid;

use crate::support::{
    client::{Client, Door, Results, entity_of, id_of, rows_of},
    server::{TestOptions, TestServer},
    values::{
        all_columns, columns, entity, everything, guid, list, option, record, reference, request,
        retrieve, retrieve_multiple,
    },
    world::{Fixture, World},
};

pub(super) const DOORS: [Door; 2] = [Door::Typed, Door::Execute];

pub(super) async fn world(fixture: &str) -> World {
    let fixture: Fixture = toml::from_str(fixture).unwrap();
    World::build(&fixture).await
}

pub(super) fn create(target: Entity) -> OrganizationRequest {
    request("Create", [("Target", target.into())])
}

pub(super) fn update(target: Entity) -> OrganizationRequest {
    request("Update", [("Target", target.into())])
}

pub(super) async fn count(client: &Client, table: &str) -> usize {
    rows_of(&client.run(retrieve_multiple(everything(table))).await).len()
}

pub(super) async fn read(client: &Client, table: &str, id: Uuid) -> Entity {
    entity_of(
        &client
            .run(retrieve(reference(table, id), all_columns()))
            .await,
    )
    .clone()
}

fn related(relationship: &str, entities: Vec<Entity>) -> RelatedEntities {
    let table = entities[0].logical_name.clone();
    RelatedEntities {
        relationship: Some(Relationship {
            schema_name: relationship.to_owned(),
            primary_entity_role: 0,
        }),
        entities: Some(EntityCollection {
            entity_name: table,
            entities,
            ..EntityCollection::default()
        }),
    }
}

pub(super) fn kind<'a>(results: &'a Results, name: &str) -> &'a Kind {
    results[name].kind.as_ref().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_6_the_server_says_when_a_row_was_created() {
    let world = world("").await;
    let before = jiff::Timestamp::now().as_second();
    for door in DOORS {
        let old = prost_types::Timestamp {
            seconds: 978_307_200,
            nanos: 0,
        };
        let target = entity("account", [("name", "X".into()), ("createdon", old.into())]);
        let id = id_of(
            &world
                .administrator
                .send(door, create(target))
                .await
                .unwrap(),
        );
        let found = read(&world.administrator, "account", id).await;
        let Some(Kind::DateTimeValue(time)) = &found.attributes["createdon"].kind else {
            panic!("{found:?}")
        };
        assert!(time.seconds >= before, "{time:?}");
    }
}

/// An account with its primary contact and three tasks.
fn sample(last_task: Entity) -> Entity {
    let task = |subject: &str| entity("task", [("subject", subject.into())]);
    let contact = entity(
        "contact",
        [("firstname", "John".into()), ("lastname", "Smith".into())],
    );
    let mut account = entity("account", [("name", "Sample".into())]);
    account.related_entities = vec![
        related("account_primary_contact", vec![contact]),
        related("Account_Tasks", vec![task("one"), task("two"), last_task]),
    ];
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_11_one_call_creates_an_account_its_contact_and_its_tasks() {
    let world = world("").await;
    let administrator = &world.administrator;
    let account = sample(entity("task", [("subject", "three".into())]));
    let id = id_of(
        &administrator
            .send(Door::Typed, create(account))
            .await
            .unwrap(),
    );
    let account = read(administrator, "account", id).await;
    let contacts = administrator
        .run(retrieve_multiple(everything("contact")))
        .await;
    assert_eq!(rows_of(&contacts).len(), 1);
    let Some(Kind::EntityReference(contact)) = &account.attributes["primarycontactid"].kind else {
        panic!("{account:?}")
    };
    assert_eq!(contact.id, rows_of(&contacts)[0].id);
    assert_eq!(
        (&*contact.logical_name, &*contact.name),
        ("contact", "John Smith")
    );
    let tasks = administrator
        .run(retrieve_multiple(everything("task")))
        .await;
    assert_eq!(rows_of(&tasks).len(), 3);
    for task in rows_of(&tasks) {
        let task = read(administrator, "task", task.id.parse().unwrap()).await;
        let Some(Kind::EntityReference(regarding)) = &task.attributes["regardingobjectid"].kind
        else {
            panic!("{task:?}")
        };
        assert_eq!(
            (&*regarding.logical_name, &*regarding.id),
            ("account", &*id.to_string())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_12_a_deep_insert_is_whole_or_nothing() {
    let world = world("").await;
    let before = world.server.content_hash();
    for door in DOORS {
        let account = sample(entity("task", [("nosuchcolumn", "x".into())]));
        let refusal = world
            .administrator
            .send(door, create(account))
            .await
            .unwrap_err();
        assert_eq!(refusal.name(), "QueryBuilderNoAttribute", "{refusal}");
        assert_eq!(refusal.metadata["column"], "nosuchcolumn");
        assert_eq!(world.server.content_hash(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_22_related_rows_come_along() {
    let world = world(
        r#"
        users.ann = { in = "SALES", roles = ["account[R:u], activitypointer[R:u]"] }
        users.ben = { in = "SALES" }
        records.A1 = { owner = "ann" }
        records.T1 = { table = "task", owner = "ann", set = { regardingobjectid = "@A1" } }
        records.T2 = { table = "task", owner = "ben", set = { regardingobjectid = "@A1" } }
        records.T3 = { table = "task", owner = "ann" }
        "#,
    )
    .await;
    let tasks = query::Query::QueryExpression(QueryExpression {
        entity_name: "task".into(),
        column_set: Some(columns(["subject"])),
        ..QueryExpression::default()
    });
    let message = v1::RetrieveRequest {
        target: Some(world.reference("A1")),
        column_set: Some(columns(["name"])),
        related_entities_query: vec![RelatedEntitiesQuery {
            relationship: Some(Relationship {
                schema_name: "Account_Tasks".into(),
                primary_entity_role: 0,
            }),
            query: Some(tasks.into()),
        }],
        options: None,
    };
    // With each caller's own read access (RT-7).
    for (caller, expected) in [("administrator", vec!["T1", "T2"]), ("ann", vec!["T1"])] {
        let client = world.client(caller);
        let answer = client
            .service()
            .retrieve(client.request(message.clone()))
            .await
            .unwrap();
        let account = answer.into_inner().entity.unwrap();
        assert_eq!(account.related_entities.len(), 1);
        let related = account.related_entities[0].entities.as_ref().unwrap();
        let mut names: Vec<_> = related
            .entities
            .iter()
            .map(|task| world.name_of(&task.id))
            .collect();
        names.sort();
        assert_eq!(names, expected, "as {caller}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_30_an_empty_update_still_counts() {
    let world = world("records.A1 = {}").await;
    let id = world.id("A1");
    let mut last = version(&world).await;
    for door in DOORS {
        world
            .administrator
            .send(door, update(record("account", id, [])))
            .await
            .unwrap();
        let now = version(&world).await;
        assert!(now > last, "{now} after {last}");
        last = now;
    }
}

async fn version(world: &World) -> u64 {
    let account = read(&world.administrator, "account", world.id("A1")).await;
    account.row_version.parse().unwrap()
}

fn if_version_matches(mut request: OrganizationRequest) -> OrganizationRequest {
    request
        .parameters
        .insert("ConcurrencyBehavior".into(), 1.into());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_44_a_stale_row_version_changes_nothing() {
    let world = world("records.A1 = {}").await;
    let administrator = &world.administrator;
    let id = world.id("A1");
    for door in DOORS {
        let stale = version(&world).await;
        let somebody = record("account", id, [("telephone1", "1".into())]);
        administrator.send(door, update(somebody)).await.unwrap();
        let before = world.server.content_hash();
        let mut target = record("account", id, [("name", "mine".into())]);
        target.row_version = stale.to_string();
        let request = if_version_matches(update(target.clone()));
        let refusal = administrator.send(door, request).await.unwrap_err();
        assert_eq!(refusal.name(), "ConcurrencyVersionMismatch", "{refusal}");
        assert_eq!(refusal.status, Code::Aborted);
        assert_eq!(world.server.content_hash(), before);
        target.row_version = version(&world).await.to_string();
        administrator
            .send(door, if_version_matches(update(target)))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_45_a_row_version_to_match_has_to_be_given() {
    let world = world("records.A1 = {}").await;
    for door in DOORS {
        let delete = request("Delete", [("Target", world.reference("A1").into())]);
        let outcome = world
            .administrator
            .send(door, if_version_matches(delete))
            .await;
        let refusal = outcome.unwrap_err();
        assert_eq!(refusal.name(), "ConcurrencyVersionNotProvided", "{refusal}");
        assert_eq!(count(&world.administrator, "account").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gex_5_a_value_without_a_kind_is_refused() {
    let world = world("records.A1 = {}").await;
    let before = world.server.content_hash();
    let target = record(
        "account",
        world.id("A1"),
        [("telephone1", Value { kind: None })],
    );
    let outcome = world
        .administrator
        .send(Door::Typed, update(target.clone()))
        .await;
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.status, Code::InvalidArgument);
    assert_eq!(
        refusal.fields,
        ["target.attributes[telephone1]"],
        "{refusal}"
    );
    let refusal = world
        .administrator
        .send(Door::Execute, update(target))
        .await
        .unwrap_err();
    assert_eq!(
        (refusal.status, refusal.name()),
        (Code::InvalidArgument, "InvalidArgument")
    );
    assert_eq!(world.server.content_hash(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn gex_9_an_unknown_operator_is_never_no_filter() {
    let world = world("records.A1 = {}").await;
    let query = query::Query::QueryExpression(QueryExpression {
        entity_name: "account".into(),
        criteria: Some(FilterExpression {
            conditions: vec![ConditionExpression {
                attribute_name: "name".into(),
                operator: 999,
                values: vec!["X".into()],
                ..ConditionExpression::default()
            }],
            ..FilterExpression::default()
        }),
        ..QueryExpression::default()
    });
    let request = retrieve_multiple(query.into());
    let outcome = world.administrator.send(Door::Typed, request.clone()).await;
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.status, Code::InvalidArgument);
    let field = "query.query_expression.criteria.conditions[0].operator";
    assert_eq!(refusal.fields, [field], "{refusal}");
    let refusal = world
        .administrator
        .send(Door::Execute, request)
        .await
        .unwrap_err();
    assert_eq!(refusal.status, Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn gex_13_and_14_a_missing_row_through_both_doors() {
    let world = world("records.ghost = { missing = true }").await;
    let mut told = Vec::new();
    for door in DOORS {
        let request = retrieve(world.reference("ghost"), columns(["name"]));
        let refusal = world.administrator.send(door, request).await.unwrap_err();
        assert_eq!(refusal.status, Code::NotFound);
        assert_eq!(refusal.reason, "OBJECT_DOES_NOT_EXIST");
        assert_eq!(refusal.metadata["errorCodeHex"], "0x80040217");
        let id = world.id("ghost").to_string();
        assert_eq!(refusal.resource, Some(("account".to_owned(), id)));
        told.push(refusal.essence());
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn gex_17_a_number_for_a_choice_comes_back_as_a_choice() {
    let world = world("records.A1 = {}").await;
    for door in DOORS {
        let target = record(
            "account",
            world.id("A1"),
            [("accountcategorycode", 1.into())],
        );
        world
            .administrator
            .send(door, update(target))
            .await
            .unwrap();
        let found = read(&world.administrator, "account", world.id("A1")).await;
        assert_eq!(found.attributes["accountcategorycode"], option(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gex_18_decimals_are_plain() {
    let world = world("records.A1 = {}").await;
    let before = world.server.content_hash();
    for text in ["1e5", "1,000", "", "+-1", "NaN", "1.", " 1"] {
        for door in DOORS {
            let money = v1::Money { value: text.into() };
            let target = record("account", world.id("A1"), [("revenue", money.into())]);
            let outcome = world.administrator.send(door, update(target)).await;
            if text == "1." && outcome.is_ok() {
                panic!("`1.` has no digits after its point");
            }
            let refusal = outcome.expect_err(text);
            assert_eq!(refusal.status, Code::InvalidArgument, "{text}: {refusal}");
        }
    }
    assert_eq!(world.server.content_hash(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_guids_travel_as_the_specification_writes_them() {
    let world = world(
        r#"
        users.ann = { in = "SALES", roles = ["account[R:u]"] }
        users.ben = { in = "SVC", roles = ["account[R:u]"] }
        teams.T = { in = "SALES" }
        "#,
    )
    .await;
    let members = [world.id("ann"), world.id("ben")];
    let add = request(
        "AddMembersTeam",
        [
            ("TeamId", guid(world.id("T"))),
            ("MemberIds", list(members.map(guid))),
        ],
    );
    // Adding members again is no error (messages 2.1).
    for _ in 0..2 {
        world.administrator.run(add.clone()).await;
    }
    let rows = world
        .administrator
        .run(retrieve_multiple(everything("teammembership")))
        .await;
    let default_teams = world
        .server
        .organization
        .snapshot()
        .directory()
        .users()
        .count();
    assert_eq!(rows_of(&rows).len(), default_teams + members.len());
}

/// The engines are told apart by the store's own tests; this one shows that the whole server stands on
/// disk as it does in memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_disk_answers_like_one_in_memory() {
    let directory = std::env::temp_dir().join(format!("orgservice-scenario-{}", Uuid::now_v7()));
    let options = TestOptions {
        sled: Some(directory.clone()),
        ..TestOptions::default()
    };
    let server = TestServer::start(options).await;
    let administrator = server.as_administrator();
    let id = Uuid::now_v7();
    let account = record("account", id, [("name", "Contoso".into())]);
    administrator.run(create(account)).await;
    let found = read(&administrator, "account", id).await;
    assert_eq!(found.attributes["name"], "Contoso".into());
    let me = administrator.run(request("WhoAmI", [])).await;
    assert_eq!(me["UserId"], guid(server.administrator));
    server.stop().await;
    std::fs::remove_dir_all(directory).unwrap();
}
