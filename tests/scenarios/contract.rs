//! Worked examples of the contract that need more than one line of a file: deep inserts, batches, row
//! versions, repeats of a request, metadata of a call.

use orgservice::v1::{
    self, ConditionExpression, Entity, EntityCollection, FilterExpression, OrganizationRequest,
    QueryExpression, RelatedEntities, RelatedEntitiesQuery, Relationship, RequestOptions, Value,
    query, value::Kind,
};
use orgservice_client::{AccessRights, InTable as _, OrganizationServiceClient};
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::support::{
    client::{Client, Door, Refusal, Results, entity_of, id_of, rows_of},
    server::{TestOptions, TestServer},
    values::{
        all_columns, columns, entity, everything, guid, list, option, record, reference, request,
        retrieve, retrieve_multiple, transaction,
    },
    world::{Fixture, World},
};

const DOORS: [Door; 2] = [Door::Typed, Door::Execute];

async fn world(fixture: &str) -> World {
    let fixture: Fixture = toml::from_str(fixture).unwrap();
    World::build(&fixture).await
}

fn create(target: Entity) -> OrganizationRequest {
    request("Create", [("Target", target.into())])
}

fn update(target: Entity) -> OrganizationRequest {
    request("Update", [("Target", target.into())])
}

async fn count(client: &Client, table: &str) -> usize {
    rows_of(&client.run(retrieve_multiple(everything(table))).await).len()
}

async fn read(client: &Client, table: &str, id: Uuid) -> Entity {
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

fn kind<'a>(results: &'a Results, name: &str) -> &'a Kind {
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

/// Six accounts to create, of which the third and the fifth are wrong.
fn six() -> Vec<OrganizationRequest> {
    let requests = (0..6).map(|at| match at {
        2 | 4 => create(entity("account", [("nosuchcolumn", "x".into())])),
        _ => create(entity("account", [("name", "x".into())])),
    });
    requests.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_49_what_execute_multiple_goes_on_with_and_tells() {
    let world = world("").await;
    let client = &world.administrator;
    let mut rows = 0;
    for (continue_on_error, return_responses, items, created) in [
        (true, true, vec![0, 1, 2, 3, 4, 5], 4),
        (false, true, vec![0, 1, 2], 2),
        (true, false, vec![2, 4], 4),
        (false, false, vec![2], 2),
    ] {
        let message = v1::ExecuteMultipleRequest {
            requests: six(),
            continue_on_error,
            return_responses,
            options: None,
        };
        let answer = client
            .service()
            .execute_multiple(client.request(message))
            .await
            .unwrap();
        let answer = answer.into_inner();
        assert!(answer.is_faulted);
        let indexes: Vec<_> = answer
            .responses
            .iter()
            .map(|item| item.request_index)
            .collect();
        assert_eq!(indexes, items);
        for item in &answer.responses {
            let wrong = [2, 4].contains(&item.request_index);
            assert_eq!(
                (item.fault.is_some(), item.response.is_some()),
                (wrong, !wrong)
            );
            if let Some(fault) = &item.fault {
                assert_eq!(fault.error_name, "QueryBuilderNoAttribute");
                assert_eq!(fault.error_details["column"], "nosuchcolumn".into());
            }
        }
        rows += created;
        assert_eq!(count(client, "account").await, rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_50_a_batch_is_bounded() {
    let world = world("").await;
    let client = &world.administrator;
    let before = world.server.content_hash();
    let message = v1::ExecuteMultipleRequest {
        requests: vec![create(entity("account", [("name", "x".into())])); 1001],
        continue_on_error: true,
        ..v1::ExecuteMultipleRequest::default()
    };
    let answer = client
        .service()
        .execute_multiple(client.request(message))
        .await;
    let refusal = Refusal::of(&answer.unwrap_err());
    assert_eq!(refusal.name(), "InvalidArgument", "{refusal}");
    assert_eq!(refusal.metadata["maxBatchSize"], "1000");
    assert_eq!(refusal.fault.error_details["MaxBatchSize"], "1000".into());
    assert_eq!(world.server.content_hash(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn ex_51_a_transaction_is_whole_or_nothing() {
    let world = world("records.ghost = { missing = true }").await;
    let before = world.server.content_hash();
    for door in DOORS {
        let batch = transaction(
            [
                create(entity("account", [("name", "A".into())])),
                update(record("account", world.id("ghost"), [("name", "B".into())])),
            ],
            true,
        );
        let refusal = world.administrator.send(door, batch).await.unwrap_err();
        assert_eq!(refusal.name(), "ObjectDoesNotExist", "{refusal}");
        assert_eq!(refusal.fault.faulted_request_index, Some(1));
        assert_eq!(world.server.content_hash(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xt_1_a_transaction_that_succeeds_answers_in_order() {
    let world = world("").await;
    for door in DOORS {
        let id = Uuid::now_v7();
        let account = record("account", id, [("name", "A".into())]);
        let batch = transaction(
            [
                create(account),
                // Its own earlier writes are there to see (XT-3).
                update(record("account", id, [("name", "B".into())])),
                retrieve(reference("account", id), columns(["name"])),
            ],
            true,
        );
        let results = world.administrator.send(door, batch).await.unwrap();
        let Kind::List(responses) = kind(&results, "Responses") else {
            panic!("{results:?}")
        };
        let names: Vec<_> = responses
            .values
            .iter()
            .map(|response| match &response.kind {
                Some(Kind::OrganizationResponse(response)) => response.response_name.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(names, ["Create", "Update", "Retrieve"]);
    }
}

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
async fn gex_5_a_value_without_a_kind_is_refused() {
    let world = world(DELEGATE).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn gex_9_an_unknown_operator_is_never_no_filter() {
    let world = world(DELEGATE).await;
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
