#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;

use bytes::Bytes;
use rust_decimal::Decimal;

use super::*;
use crate::{
    fault::FaultCode,
    metadata::{
        Definitions, DefinitionsBuilder,
        column::{image, text},
        table,
    },
};

const CONTACT: Uuid = Uuid::from_u128(1);
const USER: Uuid = Uuid::from_u128(2);
const TEAM: Uuid = Uuid::from_u128(3);
const UNIT: Uuid = Uuid::from_u128(4);
const EURO: Uuid = Uuid::from_u128(5);
const ORGANIZATION: Uuid = Uuid::from_u128(6);
const ID: Uuid = Uuid::from_u128(7);

struct Names(BTreeMap<Uuid, &'static str>);

impl Lookups for Names {
    fn primary_name(&self, _table: &str, id: Uuid) -> Option<String> {
        self.0.get(&id).map(|&name| name.to_owned())
    }

    fn currency(&self, id: Uuid) -> Option<Currency> {
        (id == EURO).then(|| Currency {
            symbol: "€".to_owned(),
            precision: 2,
        })
    }

    fn base_currency(&self) -> Option<Currency> {
        Some(Currency {
            symbol: "$".to_owned(),
            precision: 0,
        })
    }

    fn organization_id(&self) -> Uuid {
        ORGANIZATION
    }
}

fn lookups() -> Names {
    Names(BTreeMap::from([
        (CONTACT, "Jim"),
        (USER, "Ann Smith"),
        (TEAM, "Sales"),
        (UNIT, "Root"),
    ]))
}

fn definitions() -> Definitions {
    let picture = table("x_Picture")
        .primary_name(text("x_Name", 10))
        .column(image("x_Image"));
    DefinitionsBuilder::system().table(picture).build().unwrap()
}

fn record(definitions: &Definitions, table: &str, values: &[(&str, Value)]) -> Record {
    let table = definitions.table(table).unwrap();
    let mut record: Record = values
        .iter()
        .map(|(name, value)| (table.column(name).unwrap().number, value.clone()))
        .collect();
    record.row_version = 42;
    record.owner = Some(StoredOwner::User(USER));
    record.business_unit = Some(UNIT);
    record
}

fn shown(definitions: &Definitions, table: &str, record: &Record, columns: &ColumnSet) -> Entity {
    let table = definitions.table(table).unwrap();
    let projection = Projection::resolve(table, columns, "columnSet").unwrap();
    project(table, ID, record, &projection, &lookups())
}

fn names(entity: &Entity) -> Vec<&str> {
    entity.attributes.keys().map(String::as_str).collect()
}

fn to(table: &str, id: Uuid) -> Value {
    Value::EntityReference(EntityReference::new(table, id))
}

fn named(table: &str, id: Uuid, name: &str) -> Value {
    let mut reference = EntityReference::new(table, id);
    reference.name = Some(name.to_owned());
    Value::EntityReference(reference)
}

#[test]
fn ex_17_and_ex_18_what_was_asked_for_and_the_primary_key() {
    let definitions = definitions();
    let account = record(&definitions, "account", &[("name", Value::from("X"))]);
    let entity = shown(
        &definitions,
        "account",
        &account,
        &ColumnSet::of(["name", "telephone1"]),
    );
    assert_eq!(names(&entity), ["accountid", "name"]);
    assert_eq!(entity.attributes["accountid"], Value::Guid(ID));
    assert_eq!(entity.id, Some(ID));
    assert_eq!(entity.row_version, Some(42), "RT-8");
    assert_eq!(entity.logical_name, "account");
    assert_eq!(entity.formatted_values, BTreeMap::new());
    let nothing = shown(&definitions, "account", &account, &ColumnSet::default());
    assert_eq!(names(&nothing), ["accountid"]);
    let twice = ColumnSet::of(["name", "accountid", "name"]);
    assert_eq!(
        names(&shown(&definitions, "account", &account, &twice)),
        ["accountid", "name"]
    );
}

#[test]
fn ex_21_lookups_and_states_carry_their_texts() {
    let definitions = definitions();
    let values = [
        ("primarycontactid", to("contact", CONTACT)),
        ("statecode", Value::OptionSet(0)),
    ];
    let account = record(&definitions, "account", &values);
    let columns = ColumnSet::of(["primarycontactid", "statecode"]);
    let entity = shown(&definitions, "account", &account, &columns);
    assert_eq!(
        entity.attributes["primarycontactid"],
        named("contact", CONTACT, "Jim")
    );
    let texts: Vec<_> = entity
        .formatted_values
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        texts,
        [("primarycontactid", "Jim"), ("statecode", "Active")]
    );
}

#[test]
fn rt_6_a_reference_to_a_record_without_name_has_no_text() {
    let definitions = definitions();
    let gone = to("contact", Uuid::from_u128(99));
    let account = record(
        &definitions,
        "account",
        &[("primarycontactid", gone.clone())],
    );
    let columns = ColumnSet::of(["primarycontactid"]);
    let entity = shown(&definitions, "account", &account, &columns);
    assert_eq!(entity.attributes["primarycontactid"], gone);
    assert_eq!(entity.formatted_values, BTreeMap::new());
}

#[test]
fn sy_2_and_sy_6_columns_of_the_header() {
    let definitions = definitions();
    let columns = [
        "ownerid",
        "owninguser",
        "owningteam",
        "owningbusinessunit",
        "versionnumber",
    ];
    let mut account = record(&definitions, "account", &[]);
    let entity = shown(&definitions, "account", &account, &ColumnSet::of(columns));
    assert_eq!(
        entity.attributes["ownerid"],
        named("systemuser", USER, "Ann Smith")
    );
    assert_eq!(
        entity.attributes["owninguser"],
        named("systemuser", USER, "Ann Smith")
    );
    assert_eq!(
        entity.attributes["owningbusinessunit"],
        named("businessunit", UNIT, "Root")
    );
    assert_eq!(entity.attributes["versionnumber"], Value::BigInt(42));
    assert!(!entity.attributes.contains_key("owningteam"));

    account.owner = Some(StoredOwner::Team(TEAM));
    let entity = shown(&definitions, "account", &account, &ColumnSet::of(columns));
    assert_eq!(entity.attributes["ownerid"], named("team", TEAM, "Sales"));
    assert_eq!(
        entity.attributes["owningteam"],
        named("team", TEAM, "Sales")
    );
    assert!(!entity.attributes.contains_key("owninguser"), "EX-9");
}

#[test]
fn sy_3_business_unit_and_organization() {
    let definitions = definitions();
    let team = record(&definitions, "team", &[]);
    let entity = shown(
        &definitions,
        "team",
        &team,
        &ColumnSet::of(["businessunitid"]),
    );
    assert_eq!(
        entity.attributes["businessunitid"],
        named("businessunit", UNIT, "Root")
    );
    let currency = Record::default();
    let columns = ColumnSet::of(["organizationid"]);
    let entity = shown(&definitions, "transactioncurrency", &currency, &columns);
    assert_eq!(
        entity.attributes["organizationid"],
        to("organization", ORGANIZATION)
    );
}

#[test]
fn fv_2_amounts_show_the_row_s_currency_and_base_amounts_the_organization_s() {
    let definitions = definitions();
    let values = [
        ("transactioncurrencyid", to("transactioncurrency", EURO)),
        ("revenue", Value::Money(Decimal::new(123_456, 2))),
        ("revenue_base", Value::Money(Decimal::new(246_912, 2))),
    ];
    let mut account = record(&definitions, "account", &values);
    let columns = ColumnSet::of(["revenue", "revenue_base"]);
    let entity = shown(&definitions, "account", &account, &columns);
    assert_eq!(entity.formatted_values["revenue"], "€1,234.56");
    assert_eq!(entity.formatted_values["revenue_base"], "$2,469");
    account.set(number::TRANSACTION_CURRENCY_ID, Value::Null);
    let entity = shown(&definitions, "account", &account, &columns);
    assert_eq!(entity.formatted_values["revenue"], "1,234.56");
}

#[test]
fn rt_3_all_columns_leave_out_pictures_which_come_by_name() {
    let definitions = definitions();
    let picture = Value::Bytes(Bytes::from_static(b"png"));
    let row = record(
        &definitions,
        "x_picture",
        &[("x_image", picture.clone()), ("x_name", "P".into())],
    );
    let all = shown(&definitions, "x_picture", &row, &ColumnSet::all());
    assert!(all.attributes.contains_key("x_name") && all.attributes.contains_key("ownerid"));
    assert!(!all.attributes.contains_key("x_image"));
    let mut named = ColumnSet::all();
    named.columns.push("x_image".to_owned());
    let all_and_picture = shown(&definitions, "x_picture", &row, &named);
    assert_eq!(all_and_picture.attributes["x_image"], picture);
    assert_eq!(all_and_picture.attributes.len(), all.attributes.len() + 1);
}

#[test]
fn rt_4_unknown_columns_are_all_named() {
    let definitions = definitions();
    let account = definitions.table("account").unwrap();
    let columns = ColumnSet::of(["nmae", "name", "Name"]);
    let fault = Projection::resolve(account, &columns, "columnSet").unwrap_err();
    assert_eq!(fault.code(), FaultCode::QueryBuilderNoAttribute);
    assert_eq!(fault.body().details["column"], "nmae");
    let fields: Vec<_> = fault
        .body()
        .violations
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    assert_eq!(fields, ["columnSet.columns[0]", "columnSet.columns[2]"]);
}

/// Every column of every table: what a projection shows is what filters compare.
#[test]
fn values_are_the_same_for_filters_and_results() {
    let definitions = definitions();
    for table in definitions.tables() {
        let record = record(&definitions, &table.logical_name, &[]);
        let entity = shown(
            &definitions,
            &table.logical_name,
            &record,
            &ColumnSet::all(),
        );
        for column in &table.columns {
            let value = value_of(table, column, &record, ID, ORGANIZATION);
            let shown = entity.attributes.get(&*column.name);
            match (value.as_ref(), shown) {
                (Value::Null, None) => {}
                (Value::EntityReference(one), Some(Value::EntityReference(other))) => {
                    assert_eq!((&one.logical_name, one.id), (&other.logical_name, other.id));
                }
                (one, other) => assert_eq!(Some(one), other, "{}", column.name),
            }
        }
    }
}
