//! What is wrong is refused by name: the fault and its status, the path of the field where there is
//! one, the bound and its value where one was met. Nothing is written.

use orgservice::v1::{
    self, ColumnSet, Entity, EntityReference, OrganizationRequest, Value, query, value::Kind,
};
use orgservice_server::limits;
use tonic::Code;
use uuid::Uuid;

use crate::{
    raw::call,
    support::{
        client::{Client, Door, Refusal},
        server::{TestOptions, TestServer},
        values::*,
        world::{Fixture, World},
    },
};

/// One bad request and how it has to be refused.
struct Bad {
    label: &'static str,
    request: OrganizationRequest,
    /// Name of the fault.
    name: &'static str,
    /// Its code, as the product documents it.
    hex: &'static str,
    /// Paths of the fields.
    fields: Vec<&'static str>,
    /// Metadata of ErrorInfo, among others.
    metadata: Vec<(&'static str, String)>,
}

fn bad(
    label: &'static str,
    request: OrganizationRequest,
    (name, hex): (&'static str, &'static str),
    fields: &[&'static str],
) -> Bad {
    Bad {
        label,
        request,
        name,
        hex,
        fields: fields.to_vec(),
        metadata: Vec::new(),
    }
}

impl Bad {
    fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.metadata.push((key, value.to_string()));
        self
    }

    fn limit(self, name: &'static str, value: impl ToString) -> Self {
        self.with("limit", name).with("limitValue", value)
    }
}

type Fault = (&'static str, &'static str);

const INVALID: Fault = ("InvalidArgument", "0x80040203");
const MISSING: Fault = ("RequiredFieldMissing", "0x80040200");
const NO_TABLE: Fault = ("QueryBuilderNoEntity", "0x80041102");
const NO_COLUMN: Fault = ("QueryBuilderNoAttribute", "0x80041103");
const NOT_BUILT: Fault = ("NotImplemented", "0x80040219");
const LIMIT: Fault = ("InvalidOperation", "0x8004023B");

/// The status that `messages.md` 9.2 gives a fault.
fn status_of(name: &str) -> Code {
    match name {
        "NotImplemented" => Code::Unimplemented,
        "InvalidOperation" => Code::FailedPrecondition,
        "ObjectDoesNotExist" => Code::NotFound,
        "RequestLengthTooLarge" | "OverRetrievalUpperLimitWithoutPagingCookie" => Code::OutOfRange,
        _ => Code::InvalidArgument,
    }
}

/// Whether the fields are those expected; the end of a very long path, which is cut, is written `*`.
fn are_at(fields: &[String], expected: &[&str]) -> bool {
    let is_at = |(field, expected): (&String, &&str)| match expected.strip_suffix('*') {
        Some(start) => field.starts_with(start),
        None => field == expected,
    };
    fields.len() == expected.len() && fields.iter().zip(expected).all(is_at)
}

/// Sends a request through the typed door and holds the refusal against what is expected.
async fn refused(client: &Client, bad: &Bad) -> Result<(), String> {
    let told = |what: &str, refusal: &Refusal| format!("{}: {what}: {refusal}", bad.label);
    let refusal = match client.send(Door::Typed, bad.request.clone()).await {
        Err(refusal) => refusal,
        Ok(results) => return Err(format!("{}: accepted: {results:?}", bad.label)),
    };
    let number = u32::from_str_radix(bad.hex.trim_start_matches("0x"), 16).expect("a code");
    if refusal.name() != bad.name || refusal.fault.error_code != number.cast_signed() {
        return Err(told(&format!("not {}", bad.name), &refusal));
    }
    if refusal.status != status_of(bad.name) {
        return Err(told("another status", &refusal));
    }
    if refusal.metadata.get("errorCodeHex").map(String::as_str) != Some(bad.hex) {
        return Err(told("another code in the metadata", &refusal));
    }
    if !are_at(&refusal.fields, &bad.fields) {
        return Err(told(&format!("not at {:?}", bad.fields), &refusal));
    }
    for (key, value) in &bad.metadata {
        if refusal.metadata.get(*key) != Some(value) {
            return Err(told(&format!("no {key} = {value}"), &refusal));
        }
    }
    Ok(())
}

/// All of them, and the store is as it was.
async fn all_refused(server: &TestServer, table: Vec<Bad>) {
    let administrator = server.as_administrator();
    let before = server.content_hash();
    let mut surprises = Vec::new();
    for bad in &table {
        surprises.extend(refused(&administrator, bad).await.err());
        if server.content_hash() != before {
            panic!("{}: something was written", bad.label);
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

async fn server() -> TestServer {
    TestServer::start(TestOptions::default()).await
}

fn create(table: &str, column: &str, value: Value) -> OrganizationRequest {
    let mut target = entity(table, [(column, value)]);
    let name = target.attributes.entry("name".to_owned());
    name.or_insert_with(|| "Contoso".into());
    request("Create", [("Target", target.into())])
}

fn account(column: &str, value: Value) -> OrganizationRequest {
    create("account", column, value)
}

fn text_of(length: usize) -> Value {
    "x".repeat(length).into()
}

#[tokio::test]
async fn guids() {
    let with_id = |id: &str| {
        let target = Entity {
            id: id.to_owned(),
            ..entity("account", [("name", "Contoso".into())])
        };
        request("Create", [("Target", target.into())])
    };
    let referring = |message: &str, id: &str| {
        let target = EntityReference {
            logical_name: "account".to_owned(),
            id: id.to_owned(),
            ..EntityReference::default()
        };
        request(message, [("Target", target.into())])
    };
    let zero = "00000000-0000-0000-0000-000000000000";
    let lookup = |id: &str| {
        let contact = EntityReference {
            logical_name: "contact".to_owned(),
            id: id.to_owned(),
            ..EntityReference::default()
        };
        account("primarycontactid", contact.into())
    };
    let guid = |text: &str| -> Value { Kind::GuidValue(text.to_owned()).into() };
    let members = |team: Value, member: Value| {
        request(
            "AddMembersTeam",
            [("TeamId", team), ("MemberIds", list([member]))],
        )
    };
    let some = || self::guid(Uuid::from_u128(1));
    let table = vec![
        bad(
            "malformed id",
            with_id("not-a-guid"),
            INVALID,
            &["target.id"],
        ),
        bad(
            "an id with a blank",
            with_id(" 7e91c0de000000000000000000000000"),
            INVALID,
            &["target.id"],
        ),
        bad(
            "malformed reference",
            referring("Retrieve", "7e91"),
            INVALID,
            &["target.id"],
        ),
        bad(
            "all-zero reference",
            referring("Retrieve", zero),
            INVALID,
            &["target.id"],
        ),
        bad(
            "no reference",
            referring("Delete", ""),
            INVALID,
            &["target.id"],
        ),
        bad(
            "malformed lookup",
            lookup("x"),
            INVALID,
            &["target.attributes[primarycontactid].entity_reference.id"],
        ),
        bad(
            "all-zero lookup",
            lookup(zero),
            INVALID,
            &["target.attributes[primarycontactid]"],
        ),
        bad(
            "malformed guid_value",
            members(guid("{7e91"), some()),
            INVALID,
            &["request.parameters[TeamId]"],
        ),
        bad(
            "all-zero team",
            members(guid(zero), some()),
            INVALID,
            &["TeamId"],
        ),
        bad(
            "all-zero member",
            members(some(), guid(zero)),
            INVALID,
            &["MemberIds"],
        ),
    ];
    all_refused(&server().await, table).await;
}

#[tokio::test]
async fn values() {
    let none = Value { kind: None };
    let time = |seconds, nanos| -> Value { prost_types::Timestamp { seconds, nanos }.into() };
    let decimal = |text: &str| -> Value {
        v1::Money {
            value: text.to_owned(),
        }
        .into()
    };
    let at = |column: &str| -> &'static str { format!("target.attributes[{column}]").leak() };
    let nested = request(
        "Create",
        [(
            "Target",
            entity("account", [("name", list([list([none.clone()])]))]).into(),
        )],
    );
    let too_long: Fault = ("StringLengthTooLong", "0x80044331");
    let integer: Fault = ("IntegerValueOutOfRange", "0x8004432F");
    let decimals: Fault = ("DecimalValueOutOfRange", "0x80044330");
    let option: Fault = ("PicklistValueOutOfRange", "0x8004431A");
    let date: Fault = ("InvalidDateTime", "0x80040239");
    let table = vec![
        bad(
            "no kind (GEX-5)",
            account("telephone1", none),
            INVALID,
            &[at("telephone1")],
        ),
        bad(
            "no kind deep inside",
            nested,
            INVALID,
            &["target.attributes[name].list.values[0].list.values[0]"],
        ),
        bad(
            "text for a number",
            account("numberofemployees", "5".into()),
            INVALID,
            &[at("numberofemployees")],
        )
        .with("column", "numberofemployees"),
        bad(
            "number for a text",
            account("telephone1", 5.into()),
            INVALID,
            &[at("telephone1")],
        ),
        bad(
            "flag for a choice",
            account("industrycode", true.into()),
            INVALID,
            &[at("industrycode")],
        ),
        bad(
            "text for a lookup",
            account("primarycontactid", "Ann".into()),
            INVALID,
            &[at("primarycontactid")],
        ),
        bad(
            "a lookup to another table",
            account(
                "primarycontactid",
                reference("account", Uuid::from_u128(1)).into(),
            ),
            INVALID,
            &[at("primarycontactid")],
        ),
        bad(
            "a parameter's kind",
            account("telephone1", columns(["name"]).into()),
            INVALID,
            &[at("telephone1")],
        ),
        bad(
            "text too long",
            account("name", text_of(161)),
            too_long,
            &[at("name")],
        )
        .with("column", "name")
        .with("maxLength", 160),
        bad(
            "memo too long",
            account("description", text_of(2001)),
            too_long,
            &[at("description")],
        )
        .with("maxLength", 2000),
        bad(
            "number below",
            account("numberofemployees", (-1).into()),
            integer,
            &[at("numberofemployees")],
        ),
        bad(
            "number above",
            account("numberofemployees", 1_000_000_001.into()),
            integer,
            &[at("numberofemployees")],
        ),
        bad(
            "exponent (GEX-18)",
            account("revenue", decimal("1e5")),
            INVALID,
            &[at("revenue")],
        ),
        bad(
            "separators (GEX-18)",
            account("revenue", decimal("1,000")),
            INVALID,
            &[at("revenue")],
        ),
        bad(
            "no digits",
            account("revenue", decimal("")),
            INVALID,
            &[at("revenue")],
        ),
        bad(
            "money below",
            account("revenue", decimal("-1")),
            decimals,
            &[at("revenue")],
        ),
        bad(
            "more digits than kept",
            account("revenue", decimal(&"9".repeat(40))),
            decimals,
            &[at("revenue")],
        ),
        bad(
            "not finite",
            account("revenue", f64::NAN.into()),
            INVALID,
            &[at("revenue")],
        ),
        bad(
            "no such option",
            account("industrycode", self::option(999)),
            option,
            &[at("industrycode")],
        ),
        bad(
            "before the first year",
            account("lastonholdtime", time(-70_000_000_000, 0)),
            date,
            &[at("lastonholdtime")],
        ),
        bad(
            "no such fraction",
            account("lastonholdtime", time(0, -1)),
            INVALID,
            &[at("lastonholdtime")],
        ),
        bad(
            "unknown column",
            account("nothing", 1.into()),
            NO_COLUMN,
            &[at("nothing")],
        )
        .with("column", "nothing")
        .with("table", "account"),
        bad(
            "unknown column in another case",
            account("Name", 1.into()),
            NO_COLUMN,
            &[at("Name")],
        ),
        bad(
            "unknown table",
            create("nothing", "name", 1.into()),
            NO_TABLE,
            &["target.logical_name"],
        )
        .with("table", "nothing"),
        bad(
            "no table",
            create("", "name", 1.into()),
            NO_TABLE,
            &["target.logical_name"],
        ),
    ];
    all_refused(&server().await, table).await;
}

#[tokio::test]
async fn messages_and_parameters() {
    let target = || -> Value { entity("account", [("name", "Contoso".into())]).into() };
    let access = |rights: Vec<i32>| {
        let access = v1::PrincipalAccess {
            principal: Some(reference("systemuser", Uuid::from_u128(1))),
            access_rights: rights,
        };
        let target = reference("account", Uuid::from_u128(1));
        request(
            "GrantAccess",
            [
                ("Target", target.into()),
                ("PrincipalAccess", access.into()),
            ],
        )
    };
    let role = v1::Relationship {
        schema_name: "account_parent_account".to_owned(),
        primary_entity_role: 9,
    };
    let one = || reference("account", Uuid::from_u128(1));
    let related = v1::EntityReferenceCollection {
        entity_references: vec![one()],
    };
    let concurrency = |number: i32| {
        request(
            "Delete",
            [
                ("Target", one().into()),
                ("ConcurrencyBehavior", number.into()),
            ],
        )
    };
    let table = vec![
        bad("unknown message", request("Nothing", []), NOT_BUILT, &[]).with("message", "Nothing"),
        bad("no message", request("", []), NOT_BUILT, &[]),
        bad("no target", request("Create", []), MISSING, &["Target"]),
        bad(
            "no parameter",
            request("AddMembersTeam", []),
            MISSING,
            &["TeamId"],
        ),
        bad(
            "unknown parameter",
            request("RetrieveVersion", [("Nothing", 1.into())]),
            INVALID,
            &["Nothing"],
        ),
        bad(
            "a parameter of another kind",
            request(
                "AddMembersTeam",
                [("TeamId", "crew".into()), ("MemberIds", list([]))],
            ),
            INVALID,
            &["TeamId"],
        ),
        bad(
            "unknown right",
            access(vec![1, 99]),
            ("InvalidAccessRights", "0x8004020D"),
            &["principal_access.access_rights[1]"],
        ),
        bad(
            "unknown role of an entity",
            request(
                "Associate",
                [
                    ("Target", one().into()),
                    ("Relationship", role.into()),
                    ("RelatedEntities", related.into()),
                ],
            ),
            INVALID,
            &["relationship.primary_entity_role"],
        ),
        bad(
            "unknown behavior",
            concurrency(98),
            INVALID,
            &["concurrency_behavior"],
        ),
        bad(
            "a row version that is none",
            request(
                "Delete",
                [(
                    "Target",
                    EntityReference {
                        row_version: "W/\"1\"".to_owned(),
                        ..one()
                    }
                    .into(),
                )],
            ),
            INVALID,
            &["target.row_version"],
        ),
        bad(
            "unknown column asked for",
            retrieve(one(), columns(["nothing"])),
            NO_COLUMN,
            &["column_set.columns[0]"],
        )
        .with("column", "nothing"),
        bad(
            "two parameters of one transaction",
            transaction(
                [request(
                    "Create",
                    [("Target", target()), ("Nothing", 1.into())],
                )],
                false,
            ),
            INVALID,
            &["Nothing"],
        ),
    ];
    all_refused(&server().await, table).await;
}

fn question(change: impl FnOnce(&mut v1::QueryExpression)) -> OrganizationRequest {
    let mut query = v1::QueryExpression {
        entity_name: "account".to_owned(),
        column_set: Some(ColumnSet::default()),
        ..v1::QueryExpression::default()
    };
    change(&mut query);
    retrieve_multiple(query::Query::QueryExpression(query).into())
}

fn condition(attribute: &str, operator: i32, values: Vec<Value>) -> v1::ConditionExpression {
    v1::ConditionExpression {
        attribute_name: attribute.to_owned(),
        operator,
        values,
        ..v1::ConditionExpression::default()
    }
}

fn filtered(conditions: Vec<v1::ConditionExpression>) -> OrganizationRequest {
    question(|query| {
        query.criteria = Some(v1::FilterExpression {
            conditions,
            ..v1::FilterExpression::default()
        });
    })
}

fn nested_filters(depth: usize) -> v1::FilterExpression {
    let innermost = v1::FilterExpression {
        conditions: vec![condition("name", 13, vec![])],
        ..v1::FilterExpression::default()
    };
    (1..depth).fold(innermost, |inner, _| v1::FilterExpression {
        filters: vec![inner],
        ..v1::FilterExpression::default()
    })
}

#[tokio::test]
async fn queries() {
    let operator = "query.query_expression.criteria.conditions[0].operator";
    let bad_condition: Fault = ("QueryBuilderBad_Condition", "0x80041106");
    let positive: Fault = ("QueryBuilderValue_GreaterThanZero", "0x8004110C");
    let paged = |page: v1::PagingInfo| question(|query| query.page_info = Some(page));
    let equal = |value: &str| condition("name", 1, vec![value.into()]);
    let table = vec![
        bad(
            "unknown operator (GEX-9)",
            filtered(vec![condition("name", 999, vec![])]),
            INVALID,
            &[operator],
        ),
        bad(
            "no operator (GE-1)",
            filtered(vec![condition("name", 0, vec![])]),
            INVALID,
            &[operator],
        ),
        bad(
            "no form (GQ-1)",
            retrieve_multiple(v1::Query::default()),
            INVALID,
            &["query"],
        ),
        bad(
            "unknown table",
            question(|query| query.entity_name = "nothing".to_owned()),
            NO_TABLE,
            &["query.query_expression.entity_name"],
        ),
        bad(
            "unknown column",
            filtered(vec![condition("nothing", 1, vec!["x".into()])]),
            NO_COLUMN,
            &["query.query_expression.criteria.conditions[0].attribute_name"],
        ),
        bad(
            "too few values",
            filtered(vec![condition("name", 1, vec![])]),
            bad_condition,
            &["query.query_expression.criteria.conditions[0].values"],
        ),
        bad(
            "a value without a kind",
            filtered(vec![condition("name", 1, vec![Value { kind: None }])]),
            INVALID,
            &["query.query_expression.criteria.conditions[0].values[0]"],
        ),
        bad(
            "unknown logical operator",
            question(|query| {
                query.criteria = Some(v1::FilterExpression {
                    filter_operator: 7,
                    ..v1::FilterExpression::default()
                });
            }),
            INVALID,
            &["query.query_expression.criteria.filter_operator"],
        ),
        bad(
            "unknown order",
            question(|query| {
                query.orders = vec![v1::OrderExpression {
                    attribute_name: "name".to_owned(),
                    order_type: 9,
                    ..v1::OrderExpression::default()
                }];
            }),
            INVALID,
            &["query.query_expression.orders[0].order_type"],
        ),
        bad(
            "negative page",
            paged(v1::PagingInfo {
                page_number: -1,
                ..v1::PagingInfo::default()
            }),
            positive,
            &["query.query_expression.page_info.page_number"],
        ),
        bad(
            "forged cookie (PG-4)",
            paged(v1::PagingInfo {
                page_number: 2,
                paging_cookie: "forged".to_owned(),
                ..v1::PagingInfo::default()
            }),
            ("QueryBuilderInvalidPagingCookie", "0x8004112A"),
            &["query.query_expression.page_info.paging_cookie"],
        ),
        bad(
            "top of nothing",
            question(|query| query.top_count = Some(0)),
            INVALID,
            &["query.query_expression.top_count"],
        ),
        bad(
            "more conditions than fit",
            filtered(
                (0..=limits::QUERY_CONDITIONS_MAX)
                    .map(|_| equal("x"))
                    .collect(),
            ),
            ("TooManyConditionsInQuery", "0x8004430C"),
            &["query.query_expression.criteria"],
        )
        .limit("query_conditions_max", limits::QUERY_CONDITIONS_MAX),
        bad(
            "more values than fit",
            filtered(vec![condition(
                "name",
                9,
                (0..=limits::CONDITION_VALUES_MAX)
                    .map(|_| "x".into())
                    .collect(),
            )]),
            LIMIT,
            &["query.query_expression.criteria.conditions[0].values"],
        )
        .limit("condition_values_max", limits::CONDITION_VALUES_MAX),
        bad(
            "filters nested too deep",
            question(|query| query.criteria = Some(nested_filters(limits::FILTER_DEPTH_MAX + 1))),
            INVALID,
            &["query.query_expression.criteria.filters[0].filters[0].*"],
        )
        .limit("filter_depth_max", limits::FILTER_DEPTH_MAX),
        bad(
            "FetchXML is not built",
            retrieve_multiple(query::Query::FetchXml("<fetch/>".to_owned()).into()),
            NOT_BUILT,
            &[],
        )
        .with("message", "RetrieveMultiple: FetchXML"),
        bad(
            "joins are not built",
            question(|query| query.link_entities = vec![v1::LinkEntity::default()]),
            NOT_BUILT,
            &[],
        )
        .with("message", "RetrieveMultiple: link entities"),
    ];
    all_refused(&server().await, table).await;
}

/// D-1: a table has the depths of its ownership, and a role cannot contain others.
#[tokio::test]
async fn depths_that_a_table_does_not_allow() {
    let server = server().await;
    let administrator = server.as_administrator();
    let role = Uuid::from_u128(0x501e);
    let root = server
        .organization
        .snapshot()
        .directory()
        .root_unit()
        .expect("a root")
        .id;
    let target = record(
        "role",
        role,
        [
            ("name", "Rates".into()),
            ("businessunitid", reference("businessunit", root.0).into()),
        ],
    );
    administrator
        .run(request("Create", [("Target", target.into())]))
        .await;
    let snapshot = server.organization.snapshot();
    let privilege = |name: &str| {
        let catalog = snapshot.definitions().privileges();
        guid(catalog.by_name(name).expect("a privilege").id)
    };
    let give = |name: &str, depth: i32| {
        let given = entity(
            "RolePrivilege",
            [("PrivilegeId", privilege(name)), ("Depth", depth.into())],
        );
        request(
            "AddPrivilegesRole",
            [("RoleId", guid(role)), ("Privileges", list([given.into()]))],
        )
    };
    let depth: Fault = ("InvalidPrivilegeDepth", "0x8004140B");
    let mut table = Vec::new();
    for number in 0..3 {
        table.push(bad(
            "organization-owned below Global",
            give("prvReadx_Rate", number),
            depth,
            &["Privileges[0].Depth"],
        ));
    }
    table.push(bad(
        "no such depth",
        give("prvReadAccount", 4),
        depth,
        &["Privileges[0].Depth"],
    ));
    table.push(bad(
        "a negative depth",
        give("prvReadAccount", -1),
        depth,
        &["Privileges[0].Depth"],
    ));
    all_refused(&server, table).await;
}

#[tokio::test]
async fn bounds_of_a_request() {
    let server = server().await;
    let many = |name: &str| {
        let requests = (0..=limits::BATCH_REQUESTS_MAX).map(|_| request("WhoAmI", []).into());
        request(name, [("Requests", list(requests))])
    };
    let nested = |depth: usize| {
        let value = (1..depth).fold(Value::from(1), |inner, _| list([inner]));
        account("name", value)
    };
    let deep = (0..limits::DEEP_INSERT_DEPTH_MAX + 1).fold(
        entity("account", [("name", "Leaf".into())]),
        |inner, _| Entity {
            related_entities: vec![v1::RelatedEntities {
                relationship: Some(v1::Relationship {
                    schema_name: "account_parent_account".to_owned(),
                    primary_entity_role: 2,
                }),
                entities: Some(v1::EntityCollection {
                    entities: vec![inner],
                    entity_name: "account".to_owned(),
                    ..v1::EntityCollection::default()
                }),
            }],
            ..entity("account", [("name", "Branch".into())])
        },
    );
    let batch = |name: &str| {
        bad(
            "a batch too long (EX-50)",
            many(name),
            INVALID,
            &["requests"],
        )
        .limit("batch_requests_max", limits::BATCH_REQUESTS_MAX)
        .with("maxBatchSize", limits::BATCH_REQUESTS_MAX)
    };
    let table = vec![
        batch("ExecuteMultiple"),
        batch("ExecuteTransaction"),
        bad(
            "values nested too deep",
            nested(limits::VALUE_DEPTH_MAX + 1),
            INVALID,
            &["target.attributes[name].list.values[0].list.values[0].*"],
        )
        .limit("value_depth_max", limits::VALUE_DEPTH_MAX),
        bad(
            "an insert too deep (CR-12)",
            request("Create", [("Target", deep.into())]),
            LIMIT,
            &[],
        )
        .limit("deep_insert_depth_max", limits::DEEP_INSERT_DEPTH_MAX),
        bad(
            "a message too long",
            account("description", text_of(limits::MESSAGE_BYTES_MAX)),
            ("RequestLengthTooLarge", "0x8004418A"),
            &[],
        )
        .limit("message_bytes_max", limits::MESSAGE_BYTES_MAX),
    ];
    all_refused(&server, table).await;
}

/// CA-6: a cascade that would change more rows than the bound changes none.
#[tokio::test]
async fn a_cascade_above_its_bound_changes_nothing() {
    let fixture: Fixture = toml::from_str(
        r#"
        shipped_cascades = true
        [users]
        ann = { in = "SALES", roles = ["System Customizer"] }
        "#,
    )
    .expect("a fixture");
    let world = World::build(&fixture).await;
    let administrator = &world.administrator;
    let parent = Uuid::from_u128(0xca5c);
    let target = record("account", parent, [("name", "Parent".into())]);
    administrator
        .run(request("Create", [("Target", target.into())]))
        .await;
    let child = || {
        let target = entity(
            "contact",
            [
                ("lastname", "Child".into()),
                ("parentcustomerid", reference("account", parent).into()),
            ],
        );
        request("Create", [("Target", target.into())])
    };
    let mut left = limits::CASCADE_ROWS_MAX;
    while left > 0 {
        let some = left.min(limits::BATCH_REQUESTS_MAX);
        administrator
            .run(transaction((0..some).map(|_| child()), false))
            .await;
        left -= some;
    }
    let delete = request("Delete", [("Target", reference("account", parent).into())]);
    let assign = request(
        "Assign",
        [
            ("Target", reference("account", parent).into()),
            ("Assignee", world.reference("ann").into()),
        ],
    );
    // One more than the bound: so many children fit.
    administrator.run(child()).await;
    let limited = |label, request| {
        bad(label, request, LIMIT, &[]).limit("cascade_rows_max", limits::CASCADE_ROWS_MAX)
    };
    let table = vec![limited("delete", delete), limited("assign", assign)];
    all_refused(&world.server, table).await;
}

/// Bytes that are no message: refused, and named as what they are.
#[tokio::test]
async fn bytes_that_are_no_message() {
    let server = server().await;
    let before = server.content_hash();
    let administrator = server.as_administrator();
    for garbage in [
        vec![0xff; 40],
        vec![0x0a, 0x7f, 1],
        b"{\"target\":{}}".to_vec(),
    ] {
        let path = "/orgservice.v1.OrganizationService/Create";
        let answer = call(&server.channel(), Some(&administrator), path, garbage).await;
        let refusal = Refusal::of(&answer.expect_err("garbage"));
        assert_eq!(refusal.status, Code::InvalidArgument, "{refusal}");
        assert_eq!(refusal.name(), "InvalidArgument", "{refusal}");
    }
    assert_eq!(server.content_hash(), before);
}
