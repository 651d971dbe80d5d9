//! A client's values against a table's columns: names, kinds, bounds (`messages.md` 3.1).

use std::{collections::BTreeMap, fmt::Display, sync::Arc};

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use crate::{
    fault::{Fault, FaultCode, Result},
    limits::{IMAGE_BYTES_MAX, MULTISELECT_OPTIONS_MAX},
    metadata::{
        ColumnDefinition, ColumnSource, ColumnType, DateTimeBehavior, Definitions,
        OptionDefinition, RequiredLevel, TableDefinition,
    },
    model::{EntityReference, Value},
};

/// 1753-01-01T00:00:00Z, the first moment of a DateTime column. The last one, in the year 9999, is
/// past what a [`Timestamp`] can hold, so a value that arrived here is before it.
const DATE_TIME_MIN: Timestamp = Timestamp::constant(-6_847_804_800, 0);

const SECONDS_PER_DAY: i64 = 86_400;

/// Which validity flags of a column count (G-6) and what null means (CR-4, UP-2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriteKind {
    /// Null is the same as leaving the column out.
    Create,
    /// Null clears the column.
    Update,
}

/// The values that a write may store, by column number.
///
/// What is there passed every check and is in the form in which it is stored: text within its
/// length, decimals rounded, dates cut, references reduced to table and id. Columns that the write
/// may not set are gone (G-6), on Create so are nulls (CR-4); on Update [`Value::Null`] clears.
///
/// Columns that live in the record's header are checked and returned like others: `ownerid`
/// (13), `businessunitid` (22). The primary key is checked, but not returned: the record's id is
/// the caller's to settle (CR-2, UP-11). Whether referenced rows exist is not asked here (G-5).
///
/// `path` is where the entity stands in the request (`target`).
///
/// # Errors
/// `QueryBuilderNoAttribute` with every unknown column as a violation, before anything else (G-2).
/// Otherwise all faults of the row as violations at `path.attributes[column]` under the code and
/// details of the alphabetically first one (VT-3):
/// - `InvalidArgument`: wrong kind (VT-1), null on a SystemRequired column or, on Create, such a
///   column left out without default (UP-3), a reference to another table or without id,
/// - `StringLengthTooLong` with `maxLength`, `IntegerValueOutOfRange`, `DecimalValueOutOfRange`,
///   `InvalidDateTime`, `PicklistValueOutOfRange`, `InvalidStateCodeStatusCode`, `InvalidOwnerID`,
///   `QueryBuilderNoEntity`, `EntityKeyNotDefined` as in the table of `messages.md` 3.1.
pub fn validate(
    table: &TableDefinition,
    definitions: &Definitions,
    attributes: &BTreeMap<String, Value>,
    kind: WriteKind,
    path: &str,
) -> Result<BTreeMap<u16, Value>> {
    check_names(table, attributes, path)?;

    let mut values = BTreeMap::new();
    let mut faults = BTreeMap::new();
    for (name, value) in attributes {
        let Some(column) = table.column(name) else {
            continue;
        };
        let counts = match kind {
            WriteKind::Create => column.valid_for_create,
            WriteKind::Update => column.valid_for_update,
        };
        if !counts {
            continue;
        }
        match accept(definitions, column, value) {
            Ok(Value::Null) if kind == WriteKind::Create => {}
            Ok(Value::Null) if column.required == RequiredLevel::SystemRequired => {
                faults.insert(name.as_str(), required(column));
            }
            Ok(_) if column.source == ColumnSource::PrimaryId => {}
            Ok(value) => {
                values.insert(column.number, value);
            }
            Err(refusal) => {
                faults.insert(name, refusal);
            }
        }
    }
    if kind == WriteKind::Create {
        let missing = table
            .columns
            .iter()
            .filter(|column| must_be_given(column) && !values.contains_key(&column.number));
        for column in missing {
            faults
                .entry(&column.name)
                .or_insert_with(|| required(column));
        }
    }
    match together(table, faults, path) {
        Some(fault) => Err(fault),
        None => Ok(values),
    }
}

/// What is wrong with one column's value.
struct Refusal {
    code: FaultCode,
    description: String,
    details: Vec<(&'static str, String)>,
}

impl Refusal {
    fn new(code: FaultCode, description: impl Into<String>) -> Self {
        Refusal {
            code,
            description: description.into(),
            details: Vec::new(),
        }
    }

    fn detail(mut self, key: &'static str, value: impl Display) -> Self {
        self.details.push((key, value.to_string()));
        self
    }
}

/// G-2: names come first, all of them.
fn check_names(
    table: &TableDefinition,
    attributes: &BTreeMap<String, Value>,
    path: &str,
) -> Result<()> {
    let mut unknown = attributes
        .keys()
        .filter_map(|name| table.require_column(name, || field(path, name)).err());
    let Some(first) = unknown.next() else {
        return Ok(());
    };
    Err(unknown.fold(first, with_violations_of))
}

/// VT-3: one fault that lists them all.
fn together(
    table: &TableDefinition,
    refusals: BTreeMap<&str, Refusal>,
    path: &str,
) -> Option<Fault> {
    refusals
        .into_iter()
        .map(|(name, refusal)| {
            let fault = Fault::new(refusal.code, refusal.description.clone())
                .detail("table", &table.logical_name)
                .detail("column", name)
                .violation(field(path, name), refusal.description);
            refusal
                .details
                .into_iter()
                .fold(fault, |fault, (key, value)| fault.detail(key, value))
        })
        .reduce(with_violations_of)
}

/// The first fault with the violations of the second one as well.
pub(super) fn with_violations_of(fault: Fault, other: Fault) -> Fault {
    let violations = other.body().violations.iter();
    violations.fold(fault, |fault, violation| {
        fault.violation(&violation.field, &violation.description)
    })
}

fn field(path: &str, column: &str) -> String {
    format!("{path}.attributes[{column}]")
}

fn required(column: &ColumnDefinition) -> Refusal {
    Refusal::new(
        FaultCode::InvalidArgument,
        format!("column `{}` must have a value", column.name),
    )
}

/// Whether a Create without this column is refused: not when the server fills it in (CR-5, CR-7).
fn must_be_given(column: &ColumnDefinition) -> bool {
    let has_default = match &column.kind {
        ColumnType::Boolean { default, .. } => default.is_some(),
        ColumnType::Picklist { default, .. } => default.is_some(),
        ColumnType::State { .. } | ColumnType::Status { .. } => true,
        _ => false,
    };
    column.required == RequiredLevel::SystemRequired
        && column.source == ColumnSource::Stored
        && column.valid_for_create
        && !has_default
}

/// One value in the form in which it is stored.
fn accept(
    definitions: &Definitions,
    column: &ColumnDefinition,
    value: &Value,
) -> Result<Value, Refusal> {
    match (&column.kind, value) {
        (_, Value::Null) => Ok(Value::Null),
        (
            ColumnType::String { max_length } | ColumnType::Memo { max_length },
            Value::String(text),
        ) => accept_text(column, *max_length, text),
        (ColumnType::Integer { min, max }, Value::Integer(number)) => {
            let code = FaultCode::IntegerValueOutOfRange;
            within(column, code, number, min, max)?;
            Ok(Value::Integer(*number))
        }
        (ColumnType::BigInt, Value::BigInt(number)) => Ok(Value::BigInt(*number)),
        (ColumnType::BigInt, Value::Integer(number)) => Ok(Value::BigInt(i64::from(*number))),
        (
            ColumnType::Decimal {
                min,
                max,
                precision,
            },
            Value::Decimal(number),
        ) => accept_decimal(column, *number, min, max, *precision).map(Value::Decimal),
        (
            ColumnType::Decimal {
                min,
                max,
                precision,
            },
            Value::Integer(number),
        ) => accept_decimal(column, (*number).into(), min, max, *precision).map(Value::Decimal),
        (
            ColumnType::Money {
                min,
                max,
                precision,
                ..
            },
            Value::Money(number),
        ) => accept_decimal(column, *number, min, max, *precision).map(Value::Money),
        (
            ColumnType::Money {
                min,
                max,
                precision,
                ..
            },
            Value::Integer(number),
        ) => accept_decimal(column, (*number).into(), min, max, *precision).map(Value::Money),
        (ColumnType::Double { min, max, .. }, Value::Double(number)) => {
            accept_double(column, *number, *min, *max)
        }
        (ColumnType::Double { min, max, .. }, Value::Integer(number)) => {
            accept_double(column, f64::from(*number), *min, *max)
        }
        (ColumnType::Boolean { .. }, Value::Boolean(flag)) => Ok(Value::Boolean(*flag)),
        (ColumnType::DateTime(behavior), Value::DateTime(instant)) => {
            accept_date_time(column, *behavior, *instant)
        }
        (
            ColumnType::Picklist { options, .. },
            Value::OptionSet(chosen) | Value::Integer(chosen),
        ) => {
            accept_option(column, options, *chosen)?;
            Ok(Value::OptionSet(*chosen))
        }
        (ColumnType::State { options }, Value::OptionSet(chosen)) => {
            let known = options.iter().any(|option| option.value == *chosen);
            accept_state(column, known, *chosen)
        }
        (ColumnType::Status { options }, Value::OptionSet(chosen)) => {
            let known = options.iter().any(|option| option.value == *chosen);
            accept_state(column, known, *chosen)
        }
        (ColumnType::MultiSelect { options }, Value::OptionSets(chosen)) => {
            accept_options(column, options, chosen)
        }
        (ColumnType::Lookup { targets }, Value::EntityReference(reference)) => {
            accept_reference(column, targets, reference)
        }
        (ColumnType::Lookup { targets }, Value::Guid(id)) if targets.len() == 1 => {
            accept_reference(column, targets, &EntityReference::new(&*targets[0], *id))
        }
        (ColumnType::Owner, Value::EntityReference(reference)) => accept_owner(column, reference),
        (ColumnType::UniqueIdentifier, Value::Guid(id)) if id.is_nil() => Err(Refusal::new(
            FaultCode::InvalidArgument,
            format!("column `{}` cannot hold the all-zero GUID", column.name),
        )),
        (ColumnType::UniqueIdentifier, Value::Guid(id)) => Ok(Value::Guid(*id)),
        (ColumnType::EntityName, Value::String(name)) => {
            accept_entity_name(definitions, column, name)
        }
        (ColumnType::Image, Value::Bytes(bytes)) if bytes.len() <= IMAGE_BYTES_MAX => {
            Ok(Value::Bytes(bytes.clone()))
        }
        (ColumnType::Image, Value::Bytes(bytes)) => Err(Refusal::new(
            FaultCode::InvalidArgument,
            format!(
                "column `{}` holds at most {IMAGE_BYTES_MAX} bytes, not {}",
                column.name,
                bytes.len()
            ),
        )
        .detail("limit", "image_bytes_max")
        .detail("limitValue", IMAGE_BYTES_MAX)),
        (_, other) => Err(wrong_kind(column, other)),
    }
}

/// VT-1.
fn wrong_kind(column: &ColumnDefinition, value: &Value) -> Refusal {
    let (expected, received) = (expected_kind(&column.kind), value.kind());
    Refusal::new(
        FaultCode::InvalidArgument,
        format!("column `{}` takes {expected}, not {received}", column.name),
    )
    .detail("expectedKind", expected)
    .detail("receivedKind", received)
}

/// The kind's name as a client knows it.
fn expected_kind(kind: &ColumnType) -> &'static str {
    match kind {
        ColumnType::String { .. } | ColumnType::Memo { .. } | ColumnType::EntityName => {
            "stringValue"
        }
        ColumnType::Integer { .. } => "integerValue",
        ColumnType::BigInt => "bigIntValue",
        ColumnType::Decimal { .. } => "decimalValue",
        ColumnType::Double { .. } => "doubleValue",
        ColumnType::Money { .. } => "moneyValue",
        ColumnType::Boolean { .. } => "booleanValue",
        ColumnType::DateTime(_) => "dateTimeValue",
        ColumnType::Picklist { .. } | ColumnType::State { .. } | ColumnType::Status { .. } => {
            "optionSetValue"
        }
        ColumnType::MultiSelect { .. } => "optionSetValues",
        ColumnType::Lookup { .. } | ColumnType::Owner => "entityReference",
        ColumnType::UniqueIdentifier => "guidValue",
        ColumnType::Image => "bytesValue",
    }
}

/// VT-2, G-7.
fn accept_text(column: &ColumnDefinition, max_length: usize, text: &str) -> Result<Value, Refusal> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    // A text has at most as many UTF-16 units as bytes, so most are never counted.
    if text.len() > max_length {
        let length = text.encode_utf16().count();
        if length > max_length {
            return Err(Refusal::new(
                FaultCode::StringLengthTooLong,
                format!(
                    "column `{}` holds at most {max_length} UTF-16 units, not {length}",
                    column.name
                ),
            )
            .detail("maxLength", max_length));
        }
    }
    Ok(Value::String(text.to_owned()))
}

fn within<T: PartialOrd + Display>(
    column: &ColumnDefinition,
    code: FaultCode,
    number: &T,
    min: &T,
    max: &T,
) -> Result<(), Refusal> {
    if min <= number && number <= max {
        return Ok(());
    }
    let description = format!(
        "column `{}` takes {min} to {max}, not {number}",
        column.name
    );
    Err(Refusal::new(code, description)
        .detail("minValue", min)
        .detail("maxValue", max))
}

fn accept_decimal(
    column: &ColumnDefinition,
    number: Decimal,
    min: &Decimal,
    max: &Decimal,
    precision: u32,
) -> Result<Decimal, Refusal> {
    let rounded = number.round_dp_with_strategy(precision, RoundingStrategy::MidpointAwayFromZero);
    within(
        column,
        FaultCode::DecimalValueOutOfRange,
        &rounded,
        min,
        max,
    )?;
    Ok(rounded)
}

/// NaN is within no bounds, and an infinity is past all of them.
fn accept_double(
    column: &ColumnDefinition,
    number: f64,
    min: f64,
    max: f64,
) -> Result<Value, Refusal> {
    within(column, FaultCode::InvalidArgument, &number, &min, &max)?;
    Ok(Value::Double(number))
}

/// DT-1.
fn accept_date_time(
    column: &ColumnDefinition,
    behavior: DateTimeBehavior,
    instant: Timestamp,
) -> Result<Value, Refusal> {
    let out_of_range = || {
        Refusal::new(
            FaultCode::InvalidDateTime,
            format!("column `{}` takes no date before 1753-01-01", column.name),
        )
    };
    if instant < DATE_TIME_MIN {
        return Err(out_of_range());
    }
    let stored = match behavior {
        DateTimeBehavior::UserLocal | DateTimeBehavior::TimeZoneIndependent => instant,
        DateTimeBehavior::DateOnly => {
            let day = instant.as_second().div_euclid(SECONDS_PER_DAY);
            Timestamp::new(day * SECONDS_PER_DAY, 0).map_err(|_| out_of_range())?
        }
    };
    Ok(Value::DateTime(stored))
}

fn accept_option(
    column: &ColumnDefinition,
    options: &[OptionDefinition],
    chosen: i32,
) -> Result<(), Refusal> {
    if options.iter().any(|option| option.value == chosen) {
        return Ok(());
    }
    let description = format!("column `{}` has no option {chosen}", column.name);
    Err(Refusal::new(FaultCode::PicklistValueOutOfRange, description).detail("value", chosen))
}

fn accept_state(column: &ColumnDefinition, known: bool, chosen: i32) -> Result<Value, Refusal> {
    if known {
        return Ok(Value::OptionSet(chosen));
    }
    let description = format!("column `{}` has no option {chosen}", column.name);
    Err(Refusal::new(FaultCode::InvalidStateCodeStatusCode, description).detail("value", chosen))
}

/// Sorted and without repetition; none chosen is null.
fn accept_options(
    column: &ColumnDefinition,
    options: &[OptionDefinition],
    chosen: &[i32],
) -> Result<Value, Refusal> {
    let mut chosen = chosen.to_vec();
    chosen.sort_unstable();
    chosen.dedup();
    if chosen.len() > MULTISELECT_OPTIONS_MAX {
        return Err(Refusal::new(
            FaultCode::PicklistValueOutOfRange,
            format!(
                "column `{}` holds at most {MULTISELECT_OPTIONS_MAX} options, not {}",
                column.name,
                chosen.len()
            ),
        )
        .detail("limit", "multiselect_options_max")
        .detail("limitValue", MULTISELECT_OPTIONS_MAX));
    }
    for &option in &chosen {
        accept_option(column, options, option)?;
    }
    Ok(if chosen.is_empty() {
        Value::Null
    } else {
        Value::OptionSets(chosen)
    })
}

fn accept_reference(
    column: &ColumnDefinition,
    targets: &[Arc<str>],
    reference: &EntityReference,
) -> Result<Value, Refusal> {
    if !targets
        .iter()
        .any(|target| **target == *reference.logical_name)
    {
        let allowed = targets.join(", ");
        return Err(Refusal::new(
            FaultCode::InvalidArgument,
            format!(
                "column `{}` points at {allowed}, not at `{}`",
                column.name, reference.logical_name
            ),
        )
        .detail("targets", allowed));
    }
    let id = reference_id(column, reference, FaultCode::InvalidArgument)?;
    Ok(Value::EntityReference(EntityReference::new(
        &reference.logical_name,
        id,
    )))
}

fn accept_owner(column: &ColumnDefinition, reference: &EntityReference) -> Result<Value, Refusal> {
    if !matches!(&*reference.logical_name, "systemuser" | "team") {
        return Err(Refusal::new(
            FaultCode::InvalidOwnerId,
            format!(
                "column `{}` takes a systemuser or a team, not `{}`",
                column.name, reference.logical_name
            ),
        ));
    }
    let id = reference_id(column, reference, FaultCode::InvalidOwnerId)?;
    Ok(Value::EntityReference(EntityReference::new(
        &reference.logical_name,
        id,
    )))
}

/// The id of a reference (G-8). A reference by alternate key names a key that is not defined,
/// because no table has one yet (CR-11).
fn reference_id(
    column: &ColumnDefinition,
    reference: &EntityReference,
    code: FaultCode,
) -> Result<Uuid, Refusal> {
    if let Some(id) = reference.id.filter(|id| !id.is_nil()) {
        return Ok(id);
    }
    if reference.key_attributes.is_empty() {
        let description = format!("column `{}` takes a reference with an id", column.name);
        return Err(Refusal::new(code, description));
    }
    let key: Vec<&str> = reference
        .key_attributes
        .keys()
        .map(String::as_str)
        .collect();
    Err(Refusal::new(
        FaultCode::EntityKeyNotDefined,
        format!(
            "table `{}` has no key of {}",
            reference.logical_name,
            key.join(", ")
        ),
    ))
}

fn accept_entity_name(
    definitions: &Definitions,
    column: &ColumnDefinition,
    name: &str,
) -> Result<Value, Refusal> {
    if name.is_empty() {
        return Ok(Value::Null);
    }
    if definitions.table(name).is_some() {
        return Ok(Value::String(name.to_owned()));
    }
    let description = format!(
        "column `{}` names table `{name}`, which does not exist",
        column.name
    );
    Err(Refusal::new(FaultCode::QueryBuilderNoEntity, description))
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
