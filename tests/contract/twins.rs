//! GR-2: a typed RPC and Execute with the same message run the same code, return the same fault and
//! leave the same behind. Two servers begin with the same content; each gets every request through one
//! of the doors.

use std::collections::{BTreeMap, BTreeSet};

use orgservice::v1::{
    self, AccessRight, Entity, EntityReference, OrganizationRequest, RelatedEntities, Value,
    value::Kind,
};
use tonic::Code;
use uuid::Uuid;

use crate::{
    raw::methods,
    support::{
        client::{Client, Door, Outcome, Refusal, Results},
        server::{TestOptions, TestServer},
        values::*,
        world::{Fixture, World},
    },
};

const FIXTURE: &str = r#"
    [roles]
    reader = "account[R:u], contact[R:u]"

    [users]
    ann = { in = "SALES", roles = ["account[CRWDPTGS:l], contact[CRWDPTGS:l], task[CRWDPTGS:l]"] }
    bob = { in = "SALES", roles = ["reader"] }
    dan = { in = "NORTH", roles = ["Delegate", "account[CRWPTGS:o], contact[CRWDPTGS:o], task[CRW:o]"] }
    eve = { in = "SOUTH", roles = [] }

    [teams]
    crew = { in = "SALES", members = ["ann"], roles = ["reader"] }

    [records.north]
    table = "contact"
    owner = "ann"
    set = { lastname = "North" }

    [records.south]
    table = "contact"
    owner = "ann"
    set = { lastname = "South" }

    [records.contoso]
    owner = "ann"
    set = { name = "Contoso", primarycontactid = "@north" }

    [records.fabrikam]
    owner = "ann"
    set = { name = "Fabrikam" }

    [records.gone]
    missing = true
"#;

/// One request through both doors.
struct Case {
    label: &'static str,
    caller: Caller,
    request: OrganizationRequest,
    /// `None`: it succeeds. Else the name of the fault.
    fault: Option<&'static str>,
}

/// Who sends it.
#[derive(Clone, Copy)]
enum Caller {
    Administrator,
    Ann,
    Bob,
    Eve,
    /// Dan, on behalf of Ann.
    DanForAnn,
}

/// A server and clients of its users.
struct Served {
    server: TestServer,
    clients: BTreeMap<&'static str, Client>,
    ann: Uuid,
}

impl Served {
    async fn start(world: &World) -> Self {
        let image = world.server.image();
        let server = TestServer::start_from(&image, TestOptions::without_cascades()).await;
        let mut clients = BTreeMap::new();
        for name in ["ann", "bob", "dan", "eve"] {
            let administrator = server.as_administrator();
            let token = administrator.token_for(world.id(name), name).await;
            clients.insert(name, server.client(&token));
        }
        Served {
            server,
            clients,
            ann: world.id("ann"),
        }
    }

    fn client(&self, caller: Caller) -> Client {
        match caller {
            Caller::Administrator => self.server.as_administrator(),
            Caller::Ann => self.clients["ann"].clone(),
            Caller::Bob => self.clients["bob"].clone(),
            Caller::Eve => self.clients["eve"].clone(),
            Caller::DanForAnn => self.clients["dan"].on_behalf_of(self.ann),
        }
    }
}

fn case(
    label: &'static str,
    caller: Caller,
    request: OrganizationRequest,
    fault: Option<&'static str>,
) -> Case {
    Case {
        label,
        caller,
        request,
        fault,
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 | number)
}

fn create(target: Entity) -> OrganizationRequest {
    request("Create", [("Target", target.into())])
}

fn update(target: Entity) -> OrganizationRequest {
    request("Update", [("Target", target.into())])
}

/// What an Update or Delete does about a row version, by its SDK number (GV-9).
fn checked(mut request: OrganizationRequest) -> OrganizationRequest {
    let parameters = &mut request.parameters;
    parameters.insert("ConcurrencyBehavior".to_owned(), 1.into());
    request
}

fn cases(world: &World) -> Vec<Case> {
    use Caller::*;
    let to = |name: &str| world.reference(name);
    let delete = |name: &str| request("Delete", [("Target", to(name).into())]);
    let access = |message: &str, record: &str, user: &str, rights: &[AccessRight]| {
        share(message, to(record), to(user), rights)
    };
    let unshare = |record: &str, user: &str| {
        request(
            "RevokeAccess",
            [("Target", to(record).into()), ("Revokee", to(user).into())],
        )
    };
    let assign = |record: &str, user: EntityReference| {
        request(
            "Assign",
            [("Target", to(record).into()), ("Assignee", user.into())],
        )
    };
    let account = |number, name: &str| record("account", id(number), [("name", name.into())]);
    let nested = Entity {
        related_entities: vec![RelatedEntities {
            relationship: Some(v1::Relationship {
                schema_name: "contact_customer_accounts".to_owned(),
                primary_entity_role: 0,
            }),
            entities: Some(v1::EntityCollection {
                entities: vec![record("contact", id(20), [("lastname", "Inside".into())])],
                entity_name: "contact".to_owned(),
                ..v1::EntityCollection::default()
            }),
        }],
        ..account(2, "Nest")
    };
    let stale = |name: &str| EntityReference {
        row_version: "1".to_owned(),
        ..to(name)
    };
    let stale_entity = Entity {
        row_version: "1".to_owned(),
        ..record(
            "account",
            world.id("fabrikam"),
            [("telephone1", "1".into())],
        )
    };
    vec![
        case("who am i", Ann, request("WhoAmI", []), None),
        case(
            "who am i for another",
            DanForAnn,
            request("WhoAmI", []),
            None,
        ),
        case("who am i without roles", Eve, request("WhoAmI", []), None),
        // Create
        case("create", Ann, create(account(1, "One")), None),
        case("create for another", DanForAnn, create(nested), None),
        case(
            "create again",
            Ann,
            create(account(1, "One")),
            Some("DuplicateRecord"),
        ),
        case(
            "create refused",
            Bob,
            create(account(3, "No")),
            Some("PrivilegeDenied"),
        ),
        case(
            "create without roles",
            Eve,
            create(account(3, "No")),
            Some("UserNotAssignedRoles"),
        ),
        case(
            "create nothing",
            Ann,
            request("Create", []),
            Some("RequiredFieldMissing"),
        ),
        case(
            "create in no table",
            Ann,
            create(entity("nothing", [])),
            Some("QueryBuilderNoEntity"),
        ),
        // Retrieve
        case(
            "retrieve",
            Ann,
            retrieve(to("contoso"), all_columns()),
            None,
        ),
        case(
            "retrieve the key",
            Bob,
            retrieve(to("contoso"), columns([])),
            Some("unManagedIdsAccessDenied"),
        ),
        case(
            "retrieve what is gone",
            Ann,
            retrieve(to("gone"), columns([])),
            Some("ObjectDoesNotExist"),
        ),
        case(
            "retrieve no column",
            Ann,
            retrieve(to("contoso"), columns(["nothing"])),
            Some("QueryBuilderNoAttribute"),
        ),
        // Update
        case(
            "update",
            DanForAnn,
            update(record(
                "account",
                world.id("fabrikam"),
                [("telephone1", "555".into())],
            )),
            None,
        ),
        case(
            "update an old version",
            Ann,
            checked(update(stale_entity)),
            Some("ConcurrencyVersionMismatch"),
        ),
        case(
            "update without a version",
            Ann,
            checked(update(record("account", world.id("fabrikam"), []))),
            Some("ConcurrencyVersionNotProvided"),
        ),
        case(
            "update nothing named",
            Ann,
            update(entity("account", [])),
            Some("InvalidArgument"),
        ),
        case(
            "update refused",
            Bob,
            update(record(
                "account",
                world.id("fabrikam"),
                [("telephone1", "5".into())],
            )),
            Some("PrivilegeDenied"),
        ),
        // Upsert
        case(
            "upsert new",
            Ann,
            request("Upsert", [("Target", account(4, "Four").into())]),
            None,
        ),
        case(
            "upsert old",
            Ann,
            request("Upsert", [("Target", account(4, "Vier").into())]),
            None,
        ),
        case(
            "upsert refused",
            Bob,
            request("Upsert", [("Target", account(5, "Five").into())]),
            Some("PrivilegeDenied"),
        ),
        // Shares
        case(
            "share",
            Ann,
            access("GrantAccess", "contoso", "bob", &[AccessRight::Read]),
            None,
        ),
        case(
            "what a share opens",
            Bob,
            retrieve(to("contoso"), columns(["name"])),
            None,
        ),
        case(
            "share nothing",
            Ann,
            access("GrantAccess", "contoso", "bob", &[]),
            Some("InvalidAccessRights"),
        ),
        case(
            "share refused",
            Bob,
            access("GrantAccess", "contoso", "ann", &[AccessRight::Read]),
            Some("PrivilegeDenied"),
        ),
        case(
            "modify a share",
            DanForAnn,
            access(
                "ModifyAccess",
                "contoso",
                "bob",
                &[AccessRight::Read, AccessRight::Append],
            ),
            None,
        ),
        case(
            "modify a share of what is gone",
            Ann,
            access("ModifyAccess", "gone", "bob", &[AccessRight::Read]),
            Some("ObjectDoesNotExist"),
        ),
        case("unshare", Ann, unshare("contoso", "bob"), None),
        case(
            "unshare what is not shared",
            Ann,
            unshare("contoso", "bob"),
            None,
        ),
        case(
            "unshare refused",
            Bob,
            unshare("contoso", "ann"),
            Some("PrivilegeDenied"),
        ),
        // Links
        case(
            "associate",
            Ann,
            link(
                "Associate",
                to("contoso"),
                "contact_customer_accounts",
                [to("south")],
            ),
            None,
        ),
        case(
            "associate by no relationship",
            Ann,
            link("Associate", to("contoso"), "nothing", [to("south")]),
            Some("unManagedidsmetadatanorelationship"),
        ),
        case(
            "disassociate",
            DanForAnn,
            link(
                "Disassociate",
                to("contoso"),
                "contact_customer_accounts",
                [to("south")],
            ),
            None,
        ),
        case(
            "disassociate refused",
            Bob,
            link(
                "Disassociate",
                to("contoso"),
                "contact_customer_accounts",
                [to("north")],
            ),
            Some("PrivilegeDenied"),
        ),
        // Queries
        case("query", Ann, retrieve_multiple(everything("account")), None),
        case(
            "query for another",
            DanForAnn,
            retrieve_multiple(everything("contact")),
            None,
        ),
        case(
            "query what is shared with nobody",
            Bob,
            retrieve_multiple(everything("account")),
            None,
        ),
        case(
            "query refused",
            Bob,
            retrieve_multiple(everything("task")),
            Some("PrivilegeDenied"),
        ),
        case(
            "query no table",
            Ann,
            retrieve_multiple(everything("nothing")),
            Some("QueryBuilderNoEntity"),
        ),
        case(
            "query in no form",
            Ann,
            retrieve_multiple(v1::Query::default()),
            Some("InvalidArgument"),
        ),
        // Owners
        case("assign", Ann, assign("fabrikam", to("crew")), None),
        case(
            "assign to nobody",
            Ann,
            assign("fabrikam", reference("systemuser", id(99))),
            Some("ObjectDoesNotExist"),
        ),
        case(
            "assign refused",
            Bob,
            assign("contoso", to("bob")),
            Some("PrivilegeDenied"),
        ),
        // Transactions
        case(
            "transaction",
            Ann,
            transaction(
                [create(account(6, "Six")), update(account(6, "Sechs"))],
                true,
            ),
            None,
        ),
        case(
            "transaction that fails",
            Ann,
            transaction(
                [
                    create(account(7, "Seven")),
                    retrieve(to("gone"), columns([])),
                ],
                true,
            ),
            Some("ObjectDoesNotExist"),
        ),
        // Deletes
        case(
            "delete an old version",
            Ann,
            checked(request("Delete", [("Target", stale("contoso").into())])),
            Some("ConcurrencyVersionMismatch"),
        ),
        case(
            "delete refused",
            DanForAnn,
            delete("contoso"),
            Some("PrivilegeDenied"),
        ),
        case("delete", Ann, delete("contoso"), None),
        case(
            "delete again",
            Ann,
            delete("contoso"),
            Some("ObjectDoesNotExist"),
        ),
        case(
            "delete as administrator",
            Administrator,
            delete("south"),
            None,
        ),
    ]
}

/// Two servers with the content of the fixture.
async fn pair() -> (World, Served, Served) {
    let fixture: Fixture = toml::from_str(FIXTURE).expect("a fixture");
    let world = World::build(&fixture).await;
    let typed = Served::start(&world).await;
    let execute = Served::start(&world).await;
    (world, typed, execute)
}

/// Columns that tell when or under which version something was written: two servers differ in them.
const MOMENTS: [&str; 3] = ["createdon", "modifiedon", "versionnumber"];

fn without_moments(entity: &mut Entity) {
    for column in MOMENTS {
        entity.attributes.remove(column);
        entity.formatted_values.remove(column);
    }
    entity.row_version.clear();
}

/// Results with everything taken out in which two servers may differ.
fn comparable(results: &Results) -> Results {
    let mut results = results.clone();
    for value in results.values_mut() {
        match &mut value.kind {
            Some(Kind::Entity(entity)) => without_moments(entity),
            Some(Kind::Entities(page)) => page.entities.iter_mut().for_each(without_moments),
            _ => {}
        }
    }
    results
}

/// Whether both doors gave one answer. A field that could not even be read is named by its place in the
/// message, and the two messages differ; everything else is the same to the letter.
fn is_same(typed: &Outcome, execute: &Outcome) -> bool {
    let (one, other) = match (typed, execute) {
        (Ok(one), Ok(other)) => return comparable(one) == comparable(other),
        (Err(one), Err(other)) => (one, other),
        _ => return false,
    };
    let bag = |field: &String| field.starts_with("request.parameters[");
    if !other.fields.is_empty() && other.fields.iter().all(bag) {
        let last = |refusal: &Refusal| {
            let last = refusal
                .fields
                .last()
                .and_then(|field| field.rsplit('.').next());
            last.map(str::to_owned)
        };
        return (
            one.status,
            &one.reason,
            one.fault.error_code,
            &one.metadata,
            last(one),
        ) == (
            other.status,
            &other.reason,
            other.fault.error_code,
            &other.metadata,
            last(other),
        );
    }
    one.essence() == other.essence()
}

/// What is stored, as far as the cases can have changed it.
async fn content(served: &Served) -> Vec<String> {
    let administrator = served.client(Caller::Administrator);
    let mut lines = Vec::new();
    for table in ["account", "contact", "task"] {
        let mut query = everything(table);
        if let Some(v1::query::Query::QueryExpression(query)) = &mut query.query {
            query.column_set = Some(all_columns());
        }
        let found = administrator.run(retrieve_multiple(query)).await;
        let rows = match &found["EntityCollection"].kind {
            Some(Kind::Entities(page)) => page.entities.clone(),
            other => panic!("{other:?}"),
        };
        for mut row in rows {
            without_moments(&mut row);
            let target = reference(table, row.id.parse().expect("a GUID"));
            let shares = request(
                "RetrieveSharedPrincipalsAndAccess",
                [("Target", target.into())],
            );
            lines.push(format!(
                "{row:?} shared {:?}",
                administrator.run(shares).await
            ));
        }
    }
    lines
}

#[tokio::test]
async fn both_doors_are_one() {
    let (world, typed, execute) = pair().await;
    let mut surprises = Vec::new();
    for Case {
        label,
        caller,
        request,
        fault,
    } in cases(&world)
    {
        let through =
            async |door, served: &Served| served.client(caller).send(door, request.clone()).await;
        let one = through(Door::Typed, &typed).await;
        let other = through(Door::Execute, &execute).await;
        if !is_same(&one, &other) {
            surprises.push(format!("{label}:\n  typed   {one:?}\n  Execute {other:?}"));
        }
        let met = one.as_ref().err().map(Refusal::name);
        if met != fault {
            surprises.push(format!("{label}: expected {fault:?}, met {one:?}"));
        }
    }
    assert!(
        surprises.is_empty(),
        "{}",
        world.named(&surprises.join("\n"))
    );
    assert_eq!(content(&typed).await, content(&execute).await);
}

/// Every typed RPC that has a twin is in the table above, in a case that succeeds and one that fails.
#[tokio::test]
async fn every_twin_is_compared() {
    // Without a message of the same name: GR-2. The items of ExecuteMultiple: below.
    const ALONE: [&str; 5] = [
        "RetrieveMultipleStream",
        "Execute",
        "ExplainAccess",
        "UploadPluginAssembly",
        "ExecuteMultiple",
    ];
    // Asking who one is needs no privilege: it never fails.
    const NEVER_FAILS: [&str; 1] = ["WhoAmI"];
    let (world, typed, _) = pair().await;
    let compared = |fails: bool| -> BTreeSet<String> {
        let cases = cases(&world).into_iter();
        cases
            .filter(|case| case.fault.is_some() == fails)
            .map(|case| case.request.request_name)
            .collect()
    };
    let message = |rpc: &str| match rpc {
        // GR-4
        "Share" => "GrantAccess".to_owned(),
        "ModifyShare" => "ModifyAccess".to_owned(),
        "Unshare" => "RevokeAccess".to_owned(),
        other => other.to_owned(),
    };
    let methods = methods(&typed.server.channel()).await;
    let twins = methods
        .iter()
        .filter(|method| method.parent_service().name() == "OrganizationService")
        .filter(|method| !ALONE.contains(&method.name()))
        .map(|method| message(method.name()));
    for twin in twins {
        assert!(compared(false).contains(&twin), "{twin} never succeeds");
        assert!(
            compared(true).contains(&twin) || NEVER_FAILS.contains(&&*twin),
            "{twin} never fails"
        );
    }
}

/// EX-49: the items of ExecuteMultiple are the same through both doors, with every setting.
#[tokio::test]
async fn execute_multiple_has_the_same_items() {
    let (_, typed, execute) = pair().await;
    for (round, (continue_on_error, return_responses)) in
        [(true, true), (false, true), (true, false), (false, false)]
            .into_iter()
            .enumerate()
    {
        let first = round as u128 * 10 + 100;
        let requests: Vec<_> = (0..6)
            .map(|at| match at {
                2 | 4 => create(entity("account", [("nothing", 1.into())])),
                _ => create(record("account", id(first + at), [("name", "Six".into())])),
            })
            .collect();
        let message = v1::ExecuteMultipleRequest {
            requests: requests.clone(),
            continue_on_error,
            return_responses,
            options: None,
        };
        let ann = typed.client(Caller::Ann);
        let answer = ann.service().execute_multiple(ann.request(message)).await;
        let answer = answer.expect("XM-5").into_inner();
        let typed_items: Vec<_> = answer
            .responses
            .into_iter()
            .map(|item| {
                let fault = item.fault.map(|fault| (fault.error_name, fault.message));
                (
                    item.request_index,
                    item.response.map(|it| it.results),
                    fault,
                )
            })
            .collect();

        let settings = entity(
            "ExecuteMultipleSettings",
            [
                ("ContinueOnError", continue_on_error.into()),
                ("ReturnResponses", return_responses.into()),
            ],
        );
        let twin = request(
            "ExecuteMultiple",
            [
                ("Requests", list(requests.into_iter().map(Value::from))),
                ("Settings", settings.into()),
            ],
        );
        let results = execute.client(Caller::Ann).run(twin).await;
        assert_eq!(results["IsFaulted"], answer.is_faulted.into());
        assert_eq!(items(&results["Responses"]), typed_items);

        let processed = if continue_on_error { 6 } else { 3 };
        let faults = if continue_on_error { 2 } else { 1 };
        let expected = if return_responses { processed } else { faults };
        assert_eq!(typed_items.len(), expected);
    }
    assert_eq!(content(&typed).await, content(&execute).await);
}

type Item = (
    i32,
    Option<BTreeMap<String, Value>>,
    Option<(String, String)>,
);

/// Items as Execute writes them (GV-9).
fn items(value: &Value) -> Vec<Item> {
    let Some(Kind::List(list)) = &value.kind else {
        panic!("{value:?}")
    };
    let item = |value: &Value| {
        let Some(Kind::Entity(item)) = &value.kind else {
            panic!("{value:?}")
        };
        assert_eq!(item.logical_name, "ExecuteMultipleResponseItem");
        let kind = |name: &str| {
            item.attributes
                .get(name)
                .and_then(|value| value.kind.clone())
        };
        let index = match kind("RequestIndex") {
            Some(Kind::IntegerValue(index)) => index,
            other => panic!("{other:?}"),
        };
        let response = kind("Response").map(|kind| match kind {
            Kind::OrganizationResponse(response) => response.results,
            other => panic!("{other:?}"),
        });
        let fault = kind("Fault").map(|kind| match kind {
            Kind::Fault(fault) => (fault.error_name, fault.message),
            other => panic!("{other:?}"),
        });
        (index, response, fault)
    };
    list.values.iter().map(item).collect()
}

/// What Execute alone can be asked: names that no message has, and those not built yet.
#[tokio::test]
async fn execute_names_what_it_does_not_know() {
    let server = TestServer::start(TestOptions::default()).await;
    let administrator = server.as_administrator();
    for name in [
        "Share",
        "create",
        "Merge",
        "CreateMultiple",
        "RetrieveEntity",
        "nothing",
    ] {
        let refusal = administrator
            .execute(request(name, []))
            .await
            .expect_err(name);
        assert_eq!(refusal.status, Code::Unimplemented, "{refusal}");
        assert_eq!(refusal.name(), "NotImplemented", "{refusal}");
        assert_eq!(
            refusal.metadata.get("message").map(String::as_str),
            Some(name)
        );
    }
}
