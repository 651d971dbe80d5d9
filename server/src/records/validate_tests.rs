#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::sync::LazyLock;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{
    metadata::{
        DefinitionsBuilder,
        column::{
            big_int, choices, date_time, decimal, double, entity_name, guid, image, lookup, memo,
            money, text,
        },
        table,
    },
    model::ColumnSet,
};

const COLORS: &[(i32, &str)] = &[(1, "Red"), (2, "Green"), (3, "Blue")];

/// The shipped tables and one with a column of every kind.
static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| {
    let many: Vec<(i32, String)> = (0..200).map(|at| (at, at.to_string())).collect();
    let many: Vec<(i32, &str)> = many
        .iter()
        .map(|(at, label)| (*at, label.as_str()))
        .collect();
    DefinitionsBuilder::system()
        .table(
            table("x_All")
                .primary_name(text("x_Name", 10))
                .column(memo("x_Memo", 20))
                .column(big_int("x_BigInt"))
                .column(decimal("x_Decimal", 2))
                .column(double("x_Double", -1e3, 1e3, 2))
                .column(money("x_Money", -1_000))
                .column(choices("x_Colors", COLORS))
                .column(choices("x_Many", &many))
                .column(guid("x_Guid"))
                .column(entity_name("x_Table"))
                .column(image("x_Image"))
                .column(lookup("x_Either", &["account", "contact"]))
                .column(lookup("x_Account", &["account"]))
                .column(date_time("x_Wall", DateTimeBehavior::TimeZoneIndependent)),
        )
        .build()
        .unwrap()
});

fn write(
    table: &str,
    kind: WriteKind,
    values: &[(&str, Value)],
) -> Result<BTreeMap<String, Value>> {
    let table = DEFINITIONS.table(table).unwrap();
    let attributes = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let accepted = validate(table, &DEFINITIONS, &attributes, kind, "target")?;
    let name = |number: u16| table.column_by_number(number).unwrap().name.to_string();
    Ok(accepted
        .into_iter()
        .map(|(number, value)| (name(number), value))
        .collect())
}

fn create(table: &str, values: &[(&str, Value)]) -> Result<BTreeMap<String, Value>> {
    write(table, WriteKind::Create, values)
}

fn refusal(table: &str, column: &str, value: Value) -> FaultCode {
    let fault = create(table, &[(column, value)]).unwrap_err();
    assert_eq!(fault.body().details["table"], table);
    assert_eq!(fault.body().details["column"], column);
    assert_eq!(fault.body().violations.len(), 1);
    assert_eq!(
        fault.body().violations[0].field,
        format!("target.attributes[{column}]")
    );
    fault.code()
}

/// What is stored of a value of the table with every kind.
fn stored(column: &str, value: Value) -> Value {
    let mut values = create("x_all", &[(column, value)]).unwrap();
    values.remove(column).unwrap_or(Value::Null)
}

fn at(text: &str) -> Value {
    Value::DateTime(text.parse().unwrap())
}

#[test]
fn ex_4_unknown_columns_come_first_and_all_are_named() {
    let fault = create(
        "account",
        &[
            ("nmae", Value::from("x")),
            ("name", Value::Integer(5)),
            ("zip", Value::Null),
        ],
    )
    .unwrap_err();
    assert_eq!(fault.code(), FaultCode::QueryBuilderNoAttribute);
    assert_eq!(fault.body().details["table"], "account");
    assert_eq!(fault.body().details["column"], "nmae");
    let fields: Vec<_> = fault
        .body()
        .violations
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    assert_eq!(
        fields,
        ["target.attributes[nmae]", "target.attributes[zip]"]
    );
}

#[test]
fn g_6_columns_that_the_write_may_not_set_are_ignored() {
    let ignored = [
        ("createdon", at("2001-01-01T00:00:00Z")),
        ("createdby", Value::Integer(1)),
        ("owningbusinessunit", Value::Null),
        ("revenue_base", Value::List(Vec::new())),
        ("versionnumber", Value::BigInt(1)),
    ];
    assert_eq!(create("account", &ignored).unwrap(), BTreeMap::new());
    let create_only = [("importsequencenumber", Value::Integer(1))];
    assert_eq!(create("account", &create_only).unwrap().len(), 1);
    let updated = write("account", WriteKind::Update, &create_only).unwrap();
    assert_eq!(updated.len(), 0);
}

#[test]
fn ex_7_and_up_2_null_and_empty_text() {
    let values = [
        ("name", Value::from("X")),
        ("telephone1", Value::Null),
        ("description", Value::from("")),
    ];
    let created = create("account", &values).unwrap();
    assert_eq!(created.keys().collect::<Vec<_>>(), ["name"], "CR-4");
    let updated = write("account", WriteKind::Update, &values).unwrap();
    assert_eq!(updated["telephone1"], Value::Null);
    assert_eq!(updated["description"], Value::Null, "G-7");
}

#[test]
fn up_3_a_system_required_column_has_a_value() {
    for (table, column, value) in [
        ("team", "name", Value::Null),
        ("team", "name", Value::from("")),
        ("account", "ownerid", Value::Null),
        ("account", "statecode", Value::Null),
        ("systemuser", "businessunitid", Value::Null),
    ] {
        let fault = write(table, WriteKind::Update, &[(column, value)]).unwrap_err();
        assert_eq!(fault.code(), FaultCode::InvalidArgument, "{table}.{column}");
        assert_eq!(fault.body().details["column"], column);
    }
    assert!(
        write("team", WriteKind::Update, &[]).is_ok(),
        "left out on Update"
    );

    let fault = create(
        "transactioncurrency",
        &[("currencyname", Value::from("Euro"))],
    )
    .unwrap_err();
    assert_eq!(fault.code(), FaultCode::InvalidArgument);
    let fields: Vec<_> = fault
        .body()
        .violations
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    let missing = [
        "currencyprecision",
        "currencysymbol",
        "exchangerate",
        "isocurrencycode",
    ];
    assert_eq!(
        fields,
        missing.map(|name| format!("target.attributes[{name}]"))
    );

    // The server fills these in, and ApplicationRequired is never enforced.
    assert!(create("account", &[("ownerid", Value::Null)]).is_ok());
    assert!(create("systemuser", &[]).is_ok());
}

#[test]
fn ex_57_and_vt_2_lengths_count_utf_16_units() {
    assert!(create("account", &[("name", Value::from("a".repeat(160)))]).is_ok());
    assert_eq!(
        refusal("account", "name", Value::from("a".repeat(161))),
        FaultCode::StringLengthTooLong
    );
    // Two bytes, one unit; four bytes, two units.
    assert!(create("account", &[("name", Value::from("é".repeat(160)))]).is_ok());
    assert!(create("account", &[("name", Value::from("\u{1F600}".repeat(80)))]).is_ok());
    assert_eq!(
        refusal("account", "name", Value::from("\u{1F600}".repeat(81))),
        FaultCode::StringLengthTooLong
    );
    assert_eq!(
        refusal("x_all", "x_memo", Value::from("a".repeat(21))),
        FaultCode::StringLengthTooLong
    );
}

#[test]
fn ex_58_integers_stay_within_their_bounds() {
    let code = refusal("account", "numberofemployees", Value::Integer(-1));
    assert_eq!(code, FaultCode::IntegerValueOutOfRange);
    for inside in [0, 1_000_000_000] {
        let values = [("numberofemployees", Value::Integer(inside))];
        assert_eq!(
            create("account", &values).unwrap()["numberofemployees"],
            values[0].1
        );
    }
}

#[test]
fn ex_59_dates_begin_in_1753() {
    let code = refusal("contact", "birthdate", at("1752-12-31T23:59:59Z"));
    assert_eq!(code, FaultCode::InvalidDateTime);
    assert_eq!(DATE_TIME_MIN.to_string(), "1753-01-01T00:00:00Z");
    assert!(create("contact", &[("birthdate", at("1753-01-01T00:00:00Z"))]).is_ok());
    assert!(create("contact", &[("birthdate", Value::DateTime(Timestamp::MAX))]).is_ok());
}

#[test]
fn ex_60_and_dt_1_a_date_only_value_loses_its_time() {
    for (given, kept) in [
        ("1980-02-03T17:45:00Z", "1980-02-03T00:00:00Z"),
        ("1960-02-03T17:45:00Z", "1960-02-03T00:00:00Z"),
        ("1980-02-03T00:00:00Z", "1980-02-03T00:00:00Z"),
    ] {
        let created = create("contact", &[("birthdate", at(given))]).unwrap();
        assert_eq!(created["birthdate"], at(kept));
    }
    assert_eq!(
        stored("x_wall", at("1980-02-03T17:45:00Z")),
        at("1980-02-03T17:45:00Z")
    );
}

#[test]
fn ex_61_an_option_must_be_defined() {
    let code = refusal("account", "accountcategorycode", Value::OptionSet(99));
    assert_eq!(code, FaultCode::PicklistValueOutOfRange);
    for state in ["statecode", "statuscode"] {
        let code = refusal("account", state, Value::OptionSet(99));
        assert_eq!(code, FaultCode::InvalidStateCodeStatusCode);
    }
    let colors = Value::OptionSets(vec![1, 4]);
    assert_eq!(
        refusal("x_all", "x_colors", colors),
        FaultCode::PicklistValueOutOfRange
    );
}

#[test]
fn ex_62_and_vt_1_a_wrong_kind_is_named() {
    assert_eq!(
        refusal("account", "name", Value::Integer(5)),
        FaultCode::InvalidArgument
    );
    let fault = create("account", &[("name", Value::Integer(5))]).unwrap_err();
    assert_eq!(fault.body().details["expectedKind"], "stringValue");
    assert_eq!(fault.body().details["receivedKind"], "integerValue");
    assert_eq!(
        fault.body().message,
        "column `name` takes stringValue, not integerValue"
    );
}

#[test]
fn vt_1_integers_and_guids_are_the_only_conversions() {
    let two = Value::Integer(2);
    assert_eq!(stored("x_bigint", two.clone()), Value::BigInt(2));
    assert_eq!(
        stored("x_decimal", two.clone()),
        Value::Decimal(Decimal::TWO)
    );
    assert_eq!(stored("x_money", two.clone()), Value::Money(Decimal::TWO));
    assert_eq!(stored("x_double", two.clone()), Value::Double(2.0));
    let category = create("account", &[("accountcategorycode", two)]).unwrap();
    assert_eq!(category["accountcategorycode"], Value::OptionSet(2));
    let id = Uuid::from_u128(7);
    let account = Value::EntityReference(EntityReference::new("account", id));
    assert_eq!(stored("x_account", Value::Guid(id)), account);

    let refused = [
        ("x_either", Value::Guid(id)),
        ("x_name", Value::Guid(id)),
        (
            "x_guid",
            Value::from("00000000-0000-0000-0000-000000000007"),
        ),
        ("x_decimal", Value::Money(Decimal::TWO)),
        ("x_money", Value::Decimal(Decimal::TWO)),
        ("x_decimal", Value::BigInt(2)),
        ("x_double", Value::Decimal(Decimal::TWO)),
        ("x_bigint", Value::Double(2.0)),
        ("x_colors", Value::OptionSet(1)),
        ("statecode", Value::Integer(0)),
        ("x_image", Value::from("text")),
        ("ownerid", Value::Guid(id)),
    ];
    for (column, value) in refused {
        assert_eq!(
            refusal("x_all", column, value),
            FaultCode::InvalidArgument,
            "{column}"
        );
    }
}

#[test]
fn gv_9_message_parameter_kinds_are_refused_in_columns() {
    let parameters = [
        Value::ColumnSet(ColumnSet::all()),
        Value::List(Vec::new()),
        Value::EntityReferences(Vec::new()),
        Value::BooleanManagedProperty(true),
        Value::Entity(Box::default()),
    ];
    for parameter in parameters {
        for column in [
            "x_name",
            "x_colors",
            "x_account",
            "ownerid",
            "x_money",
            "x_wall",
        ] {
            let code = refusal("x_all", column, parameter.clone());
            assert_eq!(
                code,
                FaultCode::InvalidArgument,
                "{column} {}",
                parameter.kind()
            );
        }
    }
}

#[test]
fn decimals_are_rounded_half_away_from_zero_and_then_bounded() {
    let decimal = |mantissa, scale| Value::Decimal(Decimal::new(mantissa, scale));
    assert_eq!(stored("x_decimal", decimal(1_005, 3)), decimal(101, 2));
    assert_eq!(stored("x_decimal", decimal(-1_005, 3)), decimal(-101, 2));
    assert_eq!(stored("x_decimal", decimal(1_004, 3)), decimal(100, 2));
    // Rounds to the bound itself.
    assert_eq!(
        stored("x_decimal", decimal(100_000_000_000_004, 3)),
        decimal(10_000_000_000_000, 2)
    );
    let out = FaultCode::DecimalValueOutOfRange;
    assert_eq!(
        refusal("x_all", "x_decimal", decimal(10_000_000_000_001, 2)),
        out
    );

    let money = |amount: i64| Value::Money(Decimal::from(amount));
    assert!(create("account", &[("revenue", money(922_337_203_685_477))]).is_ok());
    assert_eq!(
        refusal("account", "revenue", money(922_337_203_685_478)),
        out
    );
    assert_eq!(refusal("account", "revenue", money(-1)), out);
    assert_eq!(refusal("x_all", "x_money", money(-1_001)), out);
}

#[test]
fn doubles_are_numbers_within_their_bounds() {
    for outside in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1000.5, -1000.5] {
        let code = refusal("x_all", "x_double", Value::Double(outside));
        assert_eq!(code, FaultCode::InvalidArgument, "{outside}");
    }
    assert_eq!(
        stored("x_double", Value::Double(-1000.0)),
        Value::Double(-1000.0)
    );
}

#[test]
fn sets_of_options_are_sorted_without_repetition_and_bounded() {
    let chosen = Value::OptionSets(vec![3, 1, 3]);
    assert_eq!(stored("x_colors", chosen), Value::OptionSets(vec![1, 3]));
    assert_eq!(
        stored("x_colors", Value::OptionSets(Vec::new())),
        Value::Null
    );
    assert!(
        create(
            "x_all",
            &[("x_many", Value::OptionSets((0..150).collect()))]
        )
        .is_ok()
    );
    let fault = create(
        "x_all",
        &[("x_many", Value::OptionSets((0..151).collect()))],
    )
    .unwrap_err();
    assert_eq!(fault.code(), FaultCode::PicklistValueOutOfRange);
    assert_eq!(fault.body().details["limitValue"], "150");
}

#[test]
fn ex_16_a_lookup_points_at_its_targets_only() {
    let id = Uuid::from_u128(1);
    let to = |table: &str, id| Value::EntityReference(EntityReference::new(table, id));
    let values = [("parentcustomerid", to("task", id))];
    let fault = create("contact", &values).unwrap_err();
    assert_eq!(fault.code(), FaultCode::InvalidArgument);
    assert_eq!(fault.body().details["column"], "parentcustomerid");
    assert_eq!(fault.body().details["targets"], "account, contact");
    let nil = to("contact", Uuid::nil());
    assert_eq!(
        refusal("account", "primarycontactid", nil),
        FaultCode::InvalidArgument
    );

    let mut named = EntityReference::new("contact", id);
    named.name = Some("a client's own idea".to_owned());
    named.row_version = Some(3);
    let created = create("account", &[("primarycontactid", named.into())]).unwrap();
    assert_eq!(
        created["primarycontactid"],
        to("contact", id),
        "table and id only"
    );
}

#[test]
fn cr_11_a_reference_by_a_key_that_is_not_defined() {
    let mut by_key = EntityReference {
        logical_name: "contact".to_owned(),
        ..EntityReference::default()
    };
    assert_eq!(
        refusal("account", "primarycontactid", by_key.clone().into()),
        FaultCode::InvalidArgument
    );
    by_key
        .key_attributes
        .insert("sic".to_owned(), Value::from("1"));
    assert_eq!(
        refusal("account", "primarycontactid", by_key.into()),
        FaultCode::EntityKeyNotDefined
    );
}

#[test]
fn cr_7_an_owner_is_a_user_or_a_team() {
    let to = |table: &str, id: u128| {
        Value::EntityReference(EntityReference::new(table, Uuid::from_u128(id)))
    };
    for owner in ["systemuser", "team"] {
        assert_eq!(
            create("account", &[("ownerid", to(owner, 1))]).unwrap()["ownerid"],
            to(owner, 1)
        );
    }
    for wrong in [to("contact", 1), to("systemuser", 0)] {
        assert_eq!(
            refusal("account", "ownerid", wrong),
            FaultCode::InvalidOwnerId
        );
    }
}

#[test]
fn guids_table_names_and_pictures() {
    assert_eq!(
        refusal("x_all", "x_guid", Value::Guid(Uuid::nil())),
        FaultCode::InvalidArgument
    );
    assert_eq!(
        stored("x_table", Value::from("account")),
        Value::from("account")
    );
    assert_eq!(stored("x_table", Value::from("")), Value::Null);
    let code = refusal("x_all", "x_table", Value::from("Account"));
    assert_eq!(code, FaultCode::QueryBuilderNoEntity);
    let picture = Value::Bytes(Bytes::from_static(b"png"));
    assert_eq!(stored("x_image", picture.clone()), picture);
    let large = Value::Bytes(Bytes::from(vec![0; IMAGE_BYTES_MAX + 1]));
    assert_eq!(
        refusal("x_all", "x_image", large),
        FaultCode::InvalidArgument
    );
}

#[test]
fn cr_2_the_primary_key_is_checked_but_left_to_the_caller() {
    let id = Value::Guid(Uuid::from_u128(1));
    assert_eq!(
        create("account", &[("accountid", id)]).unwrap(),
        BTreeMap::new()
    );
    assert_eq!(
        refusal("account", "accountid", Value::from("1")),
        FaultCode::InvalidArgument
    );
}

#[test]
fn ex_90_the_details_of_a_text_that_is_too_long() {
    let fault = create("account", &[("name", Value::from("a".repeat(161)))]).unwrap_err();
    let body = fault.body();
    assert_eq!(body.code.reason(), "STRING_LENGTH_TOO_LONG");
    assert_eq!(body.code.number(), -2_147_204_303);
    assert_eq!(body.details["table"], "account");
    assert_eq!(body.details["column"], "name");
    assert_eq!(body.details["maxLength"], "160");
    assert_eq!(body.violations.len(), 1);
    assert_eq!(body.violations[0].field, "target.attributes[name]");
}

#[test]
fn ex_91_and_vt_3_all_faults_of_a_row_are_listed() {
    let fault = create(
        "account",
        &[
            ("telephone1", Value::from("a".repeat(51))),
            ("name", Value::Integer(5)),
            ("numberofemployees", Value::Integer(-1)),
            ("fax", Value::from("1")),
        ],
    )
    .unwrap_err();
    assert_eq!(fault.code(), FaultCode::InvalidArgument, "that of `name`");
    assert_eq!(fault.body().details["column"], "name");
    assert!(!fault.body().details.contains_key("maxLength"));
    let fields: Vec<_> = fault
        .body()
        .violations
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    let expected = ["name", "numberofemployees", "telephone1"];
    assert_eq!(
        fields,
        expected.map(|name| format!("target.attributes[{name}]"))
    );
}

proptest! {
    /// What was accepted once is accepted again and stays what it is.
    #[test]
    fn accepted_values_are_stable(
        text in ".{0,12}", number: i64, scale in 0_u32..6, double: f64,
        seconds in -8_000_000_000_i64..8_000_000_000,
        options in prop::collection::vec(0_i32..5, 0..6),
    ) {
        let candidates = [
            ("x_name", Value::String(text)),
            ("x_decimal", Value::Decimal(Decimal::new(number, scale))),
            ("x_money", Value::Money(Decimal::new(number, scale))),
            ("x_double", Value::Double(double)),
            ("x_colors", Value::OptionSets(options)),
            ("x_wall", Value::DateTime(Timestamp::from_second(seconds).unwrap())),
        ];
        for (column, value) in candidates {
            if let Ok(first) = create("x_all", &[(column, value)])
                && let Some(kept) = first.get(column)
            {
                prop_assert_eq!(&create("x_all", &[(column, kept.clone())]).unwrap(), &first);
            }
        }
    }
}
