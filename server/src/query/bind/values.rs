//! Conditions: which operator goes with which type, how many values it takes, of which kinds.

use super::{not_built, place};
use crate::{
    fault::{Fault, FaultCode, Result},
    limits::CONDITION_VALUES_MAX,
    metadata::{ColumnDefinition, ColumnType, DateTimeBehavior, TableDefinition},
    model::{ConditionExpression, ConditionOperator, Value},
    query::{
        filter::{Comparison, Literal, Operand, Predicate, Test, TextMatcher},
        like::{Pattern, folded},
    },
};

/// Where the parts of a condition stand in the request.
pub(super) struct Paths<'a> {
    pub(super) column: String,
    pub(super) operator: String,
    /// One value, or all of them.
    pub(super) value: Box<dyn Fn(Option<usize>) -> String + 'a>,
}

/// The SDK's names by number, for faults.
const OPERATOR_NAMES: &[&str] = &[
    "Equal",
    "NotEqual",
    "GreaterThan",
    "LessThan",
    "GreaterEqual",
    "LessEqual",
    "Like",
    "NotLike",
    "In",
    "NotIn",
    "Between",
    "NotBetween",
    "Null",
    "NotNull",
    "Yesterday",
    "Today",
    "Tomorrow",
    "Last7Days",
    "Next7Days",
    "LastWeek",
    "ThisWeek",
    "NextWeek",
    "LastMonth",
    "ThisMonth",
    "NextMonth",
    "On",
    "OnOrBefore",
    "OnOrAfter",
    "LastYear",
    "ThisYear",
    "NextYear",
    "LastXHours",
    "NextXHours",
    "LastXDays",
    "NextXDays",
    "LastXWeeks",
    "NextXWeeks",
    "LastXMonths",
    "NextXMonths",
    "LastXYears",
    "NextXYears",
    "EqualUserId",
    "NotEqualUserId",
    "EqualBusinessId",
    "NotEqualBusinessId",
    "ChildOf",
    "Mask",
    "NotMask",
    "MasksSelect",
    "Contains",
    "DoesNotContain",
    "EqualUserLanguage",
    "NotOn",
    "OlderThanXMonths",
    "BeginsWith",
    "DoesNotBeginWith",
    "EndsWith",
    "DoesNotEndWith",
];

fn operator_name(operator: ConditionOperator) -> String {
    usize::try_from(operator.0)
        .ok()
        .and_then(|at| OPERATOR_NAMES.get(at))
        .map_or_else(
            || format!("operator {}", operator.0),
            |&name| name.to_owned(),
        )
}

/// What an operator asks, before its values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    IsNull(bool),
    Compare(Comparison),
    OneOf { negated: bool },
    Between { negated: bool },
    Text { how: TextSearch, negated: bool },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum TextSearch {
    Like,
    BeginsWith,
    EndsWith,
    Contains,
}

impl Asked {
    fn by(operator: ConditionOperator) -> Option<Self> {
        use ConditionOperator as Op;
        let text = |how, negated| Asked::Text { how, negated };
        Some(match operator {
            Op::EQUAL => Asked::Compare(Comparison::Equal),
            Op::NOT_EQUAL => Asked::Compare(Comparison::NotEqual),
            Op::GREATER_THAN => Asked::Compare(Comparison::Greater),
            Op::GREATER_EQUAL => Asked::Compare(Comparison::GreaterEqual),
            Op::LESS_THAN => Asked::Compare(Comparison::Less),
            Op::LESS_EQUAL => Asked::Compare(Comparison::LessEqual),
            Op::IN => Asked::OneOf { negated: false },
            Op::NOT_IN => Asked::OneOf { negated: true },
            Op::BETWEEN => Asked::Between { negated: false },
            Op::NOT_BETWEEN => Asked::Between { negated: true },
            Op::NULL => Asked::IsNull(true),
            Op::NOT_NULL => Asked::IsNull(false),
            Op::LIKE => text(TextSearch::Like, false),
            Op::NOT_LIKE => text(TextSearch::Like, true),
            Op::BEGINS_WITH => text(TextSearch::BeginsWith, false),
            Op::DOES_NOT_BEGIN_WITH => text(TextSearch::BeginsWith, true),
            Op::ENDS_WITH => text(TextSearch::EndsWith, false),
            Op::DOES_NOT_END_WITH => text(TextSearch::EndsWith, true),
            Op::CONTAINS => text(TextSearch::Contains, false),
            Op::DOES_NOT_CONTAIN => text(TextSearch::Contains, true),
            _ => return None,
        })
    }

    fn takes(self, values: usize) -> bool {
        match self {
            Asked::IsNull(_) => values == 0,
            Asked::Compare(_) | Asked::Text { .. } => values == 1,
            Asked::Between { .. } => values == 2,
            Asked::OneOf { .. } => values > 0,
        }
    }

    /// Whether it makes sense for values of a type.
    fn suits(self, kind: ValueType<'_>) -> bool {
        match self {
            Asked::IsNull(_) => true,
            Asked::Compare(Comparison::Equal | Comparison::NotEqual) | Asked::OneOf { .. } => {
                !matches!(
                    kind,
                    ValueType::Column(ColumnType::MultiSelect { .. } | ColumnType::Image)
                )
            }
            Asked::Compare(_) | Asked::Between { .. } => !matches!(
                kind,
                ValueType::Column(
                    ColumnType::MultiSelect { .. }
                        | ColumnType::Image
                        | ColumnType::Boolean { .. }
                        | ColumnType::Lookup { .. }
                        | ColumnType::Owner
                )
            ),
            Asked::Text { .. } => kind.is_text(),
        }
    }
}

/// The type of what a condition looks at.
#[derive(Clone, Copy)]
enum ValueType<'a> {
    Column(&'a ColumnType),
    /// The primary name of what a lookup points at (FI-8).
    Name,
}

impl ValueType<'_> {
    fn is_text(self) -> bool {
        match self {
            ValueType::Name => true,
            ValueType::Column(kind) => matches!(
                kind,
                ColumnType::String { .. } | ColumnType::Memo { .. } | ColumnType::EntityName
            ),
        }
    }

    /// FI-5: only columns of the same type are compared with each other.
    fn is_same(self, other: ValueType<'_>) -> bool {
        match (self, other) {
            _ if self.is_text() || other.is_text() => self.is_text() && other.is_text(),
            (ValueType::Column(a), ValueType::Column(b)) => {
                let is_lookup =
                    |kind| matches!(kind, &ColumnType::Lookup { .. } | &ColumnType::Owner);
                std::mem::discriminant(a) == std::mem::discriminant(b)
                    || (is_lookup(a) && is_lookup(b))
            }
            _ => false,
        }
    }
}

/// What a condition names: a column, or `<lookup>name` (FI-8).
fn resolve<'t>(
    table: &'t TableDefinition,
    name: &str,
    path: &str,
) -> Result<(&'t ColumnDefinition, Operand, ValueType<'t>)> {
    let found = |column: &'t ColumnDefinition, name| {
        let operand = Operand {
            column: place(table, column.number),
            name,
        };
        let kind = if name {
            ValueType::Name
        } else {
            ValueType::Column(&column.kind)
        };
        (column, operand, kind)
    };
    if let Some(column) = table.column(name) {
        return Ok(found(column, false));
    }
    let lookup = name
        .strip_suffix("name")
        .and_then(|lookup| table.column(lookup));
    match lookup {
        Some(column) if matches!(column.kind, ColumnType::Lookup { .. } | ColumnType::Owner) => {
            Ok(found(column, true))
        }
        _ => table
            .require_column(name, || path.to_owned())
            .map(|column| found(column, false)),
    }
}

pub(super) fn bind_condition(
    table: &TableDefinition,
    condition: &ConditionExpression,
    paths: &Paths<'_>,
) -> Result<Predicate> {
    let (column, operand, kind) = resolve(table, &condition.attribute_name, &paths.column)?;
    let name = operator_name(condition.operator);
    let Some(asked) = Asked::by(condition.operator) else {
        return Err(not_built(&name).violation(&paths.operator, format!("`{name}` is not built")));
    };
    let unsuitable = |description: String| {
        Fault::new(
            FaultCode::QueryBuilderInvalidConditionOperator,
            description.clone(),
        )
        .detail("operator", &name)
        .detail("column", &condition.attribute_name)
        .violation(&paths.operator, description)
    };
    if !asked.suits(kind) {
        return Err(unsuitable(format!(
            "operator {name} cannot be used on column `{}`",
            condition.attribute_name
        )));
    }
    if !asked.takes(condition.values.len()) {
        return Err(bad_condition(
            format!(
                "operator {name} does not take {} values",
                condition.values.len()
            ),
            (paths.value)(None),
        ));
    }
    if condition.values.len() > CONDITION_VALUES_MAX {
        return Err(
            Fault::limit_exceeded("condition_values_max", CONDITION_VALUES_MAX)
                .violation((paths.value)(None), "too many values"),
        );
    }
    if condition.compare_columns {
        let Asked::Compare(comparison) = asked else {
            return Err(unsuitable(format!(
                "operator {name} does not compare columns"
            )));
        };
        let Some(Value::String(other)) = condition.values.first() else {
            return Err(Fault::invalid_argument(
                (paths.value)(Some(0)),
                "a comparison of columns takes the name of a column",
            ));
        };
        let (_, other_operand, other_kind) = resolve(table, other, &(paths.value)(Some(0)))?;
        if !kind.is_same(other_kind) {
            return Err(unsuitable(format!(
                "columns `{}` and `{other}` are of different types",
                condition.attribute_name
            )));
        }
        let test = Test::CompareColumn(comparison, other_operand);
        return Ok(Predicate::Test(operand, Box::new(test)));
    }
    let literals = || -> Result<Vec<Literal>> {
        let values = condition.values.iter().enumerate();
        values
            .map(|(at, value)| literal(column, kind, value, || (paths.value)(Some(at))))
            .collect()
    };
    let test = match asked {
        Asked::IsNull(expected) => Test::IsNull(expected),
        Asked::Compare(comparison) => Test::Compare(comparison, one(literals()?, &name, paths)?),
        Asked::OneOf { negated } => {
            let mut literals = literals()?;
            literals.sort_by(Literal::compare);
            literals.dedup_by(|a, b| a.compare(b).is_eq());
            Test::OneOf { literals, negated }
        }
        Asked::Between { negated } => {
            let mut literals = literals()?;
            let to = one(literals.split_off(1), &name, paths)?;
            Test::Between {
                from: one(literals, &name, paths)?,
                to,
                negated,
            }
        }
        Asked::Text { how, negated } => {
            let literal = one(literals()?, &name, paths)?;
            let Value::String(text) = &literal.value else {
                return Err(unsuitable(format!("operator {name} compares text")));
            };
            let matcher = match how {
                TextSearch::Like => {
                    TextMatcher::Like(Box::new(Pattern::new(text, &(paths.value)(Some(0)))?))
                }
                TextSearch::BeginsWith => TextMatcher::BeginsWith(folded(text)),
                TextSearch::EndsWith => TextMatcher::EndsWith(folded(text)),
                TextSearch::Contains => TextMatcher::Contains(folded(text)),
            };
            Test::Text { matcher, negated }
        }
    };
    Ok(Predicate::Test(operand, Box::new(test)))
}

fn one(literals: Vec<Literal>, name: &str, paths: &Paths<'_>) -> Result<Literal> {
    literals.into_iter().next().ok_or_else(|| {
        bad_condition(
            format!("operator {name} lacks a value"),
            (paths.value)(None),
        )
    })
}

fn bad_condition(description: String, path: String) -> Fault {
    Fault::new(FaultCode::QueryBuilderBadCondition, description.clone())
        .violation(path, description)
}

/// A value in the kind of its column. As on write an Integer goes for any number and any choice
/// (VT-1); beside that a Decimal goes for an amount of money, and a GUID for a lookup.
fn literal(
    column: &ColumnDefinition,
    kind: ValueType<'_>,
    value: &Value,
    path: impl Fn() -> String,
) -> Result<Literal> {
    if value.is_null() {
        let description = "a value to compare with is null; use the operators Null and NotNull";
        return Err(bad_condition(description.to_owned(), path()));
    }
    let (converted, expected) = match kind {
        ValueType::Name => (text(value), "stringValue"),
        ValueType::Column(kind) => convert(kind, value),
    };
    converted.and_then(Literal::new).ok_or_else(|| {
        let received = value.kind();
        let description = format!(
            "column `{}` is compared with {expected} and received {received}",
            column.name
        );
        Fault::invalid_argument(path(), description)
            .detail("column", &column.name)
            .detail("expected", expected)
            .detail("received", received)
    })
}

fn convert(kind: &ColumnType, value: &Value) -> (Option<Value>, &'static str) {
    match kind {
        ColumnType::String { .. } | ColumnType::Memo { .. } | ColumnType::EntityName => {
            (text(value), "stringValue")
        }
        ColumnType::Integer { .. } => (
            matches!(value, Value::Integer(_)).then(|| value.clone()),
            "integerValue",
        ),
        ColumnType::BigInt => {
            let converted = match value {
                Value::BigInt(number) => Some(Value::BigInt(*number)),
                Value::Integer(number) => Some(Value::BigInt(i64::from(*number))),
                _ => None,
            };
            (converted, "bigIntValue")
        }
        ColumnType::Decimal { .. } => {
            let converted = match value {
                Value::Decimal(number) => Some(Value::Decimal(*number)),
                Value::Integer(number) => Some(Value::Decimal((*number).into())),
                _ => None,
            };
            (converted, "decimalValue")
        }
        ColumnType::Money { .. } => {
            let converted = match value {
                Value::Money(number) | Value::Decimal(number) => Some(Value::Money(*number)),
                Value::Integer(number) => Some(Value::Money((*number).into())),
                _ => None,
            };
            (converted, "moneyValue")
        }
        ColumnType::Double { .. } => {
            let converted = match value {
                Value::Double(number) => number.is_finite().then_some(Value::Double(*number)),
                Value::Integer(number) => Some(Value::Double(f64::from(*number))),
                _ => None,
            };
            (converted, "doubleValue")
        }
        ColumnType::Boolean { .. } => (
            matches!(value, Value::Boolean(_)).then(|| value.clone()),
            "booleanValue",
        ),
        ColumnType::DateTime(behavior) => {
            let converted = match value {
                Value::DateTime(instant) => Some(Value::DateTime(moment(*behavior, *instant))),
                _ => None,
            };
            (converted, "dateTimeValue")
        }
        ColumnType::Picklist { .. } | ColumnType::State { .. } | ColumnType::Status { .. } => {
            let converted = match value {
                Value::OptionSet(number) | Value::Integer(number) => {
                    Some(Value::OptionSet(*number))
                }
                _ => None,
            };
            (converted, "optionSetValue")
        }
        ColumnType::Lookup { .. } | ColumnType::Owner => {
            let id = match value {
                Value::EntityReference(reference) => reference.id,
                Value::Guid(id) => Some(*id),
                _ => None,
            };
            // FI-8: the id alone is compared.
            (id.map(Value::Guid), "guidValue or entityReference")
        }
        ColumnType::UniqueIdentifier => (
            matches!(value, Value::Guid(_)).then(|| value.clone()),
            "guidValue",
        ),
        ColumnType::MultiSelect { .. } | ColumnType::Image => (None, "nothing"),
    }
}

fn text(value: &Value) -> Option<Value> {
    matches!(value, Value::String(_)).then(|| value.clone())
}

/// DT-1: a date without time is compared as a date.
fn moment(behavior: DateTimeBehavior, instant: jiff::Timestamp) -> jiff::Timestamp {
    const SECONDS_PER_DAY: i64 = 86_400;
    match behavior {
        DateTimeBehavior::DateOnly => {
            let day = instant.as_second().div_euclid(SECONDS_PER_DAY);
            jiff::Timestamp::from_second(day * SECONDS_PER_DAY).unwrap_or(instant)
        }
        DateTimeBehavior::UserLocal | DateTimeBehavior::TimeZoneIndependent => instant,
    }
}
