//! Bound filters and what they say about a row (`messages.md` 4.3).
//!
//! Null rules of FI-3: a negated equality or pattern is true on null, every other test of a value
//! is false on it, `not-in` and `not-between` included.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::like::{Pattern, folded};
use crate::{
    metadata::TableDefinition,
    model::{Value, collation_key},
    records::{Lookups, value_of},
    storage::record::Record,
};

/// A filter over one table with everything resolved: columns by place, values in the columns' kinds.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// All must hold; true when empty (FI-1).
    All(Vec<Predicate>),
    /// One must hold. An Or without parts is bound as an empty [`Predicate::All`], because an empty
    /// filter is true.
    Any(Vec<Predicate>),
    /// One condition.
    Test(Operand, Box<Test>),
}

/// What a condition looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operand {
    /// Place of the column in its table.
    pub column: usize,
    /// Whether the primary name of the record that the lookup points at is meant (FI-8).
    pub name: bool,
}

/// What a condition asks of its operand.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the variants say what their fields are")]
pub enum Test {
    /// Null, or not null.
    IsNull(bool),
    /// A comparison with one value.
    Compare(Comparison, Literal),
    /// In, or not in; the literals are sorted.
    OneOf {
        literals: Vec<Literal>,
        negated: bool,
    },
    /// Between two values, both included, or outside them.
    Between {
        from: Literal,
        to: Literal,
        negated: bool,
    },
    /// A comparison of text.
    Text { matcher: TextMatcher, negated: bool },
    /// A comparison with another column of the row (FI-5).
    CompareColumn(Comparison, Operand),
    /// The lookup points at this record (RT-7).
    PointsAt { table: Arc<str>, id: Uuid },
}

/// The six comparisons.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "they are what they are called")]
pub enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
}

/// How a text is searched.
#[derive(Clone, Debug)]
pub enum TextMatcher {
    /// `like`.
    Like(Box<Pattern>),
    /// The value, folded, taken literally (FI-7).
    BeginsWith(String),
    /// The same at the end.
    EndsWith(String),
    /// The same anywhere.
    Contains(String),
}

/// A value of a condition in the kind of its column, ready to be compared.
#[derive(Clone, Debug)]
pub struct Literal {
    /// As a value, for index keys.
    pub value: Value,
    scalar: Scalar,
}

/// What values are compared as.
#[derive(Clone, Debug)]
enum Scalar {
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Decimal(Decimal),
    Instant(Timestamp),
    Id(Uuid),
    /// The collation key (FI-2).
    Text(String),
}

impl Scalar {
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Boolean(flag) => Scalar::Boolean(*flag),
            Value::Integer(number) | Value::OptionSet(number) => Scalar::Integer((*number).into()),
            Value::BigInt(number) => Scalar::Integer(*number),
            Value::Double(number) => Scalar::Double(*number),
            Value::Decimal(number) | Value::Money(number) => Scalar::Decimal(*number),
            Value::DateTime(instant) => Scalar::Instant(*instant),
            Value::Guid(id) => Scalar::Id(*id),
            Value::EntityReference(reference) => Scalar::Id(reference.id?),
            Value::String(text) => Scalar::Text(collation_key(text)),
            _ => return None,
        })
    }

    /// `None` across kinds, which binding rules out.
    fn compare(&self, other: &Scalar) -> Option<Ordering> {
        match (self, other) {
            (Scalar::Boolean(a), Scalar::Boolean(b)) => Some(a.cmp(b)),
            (Scalar::Integer(a), Scalar::Integer(b)) => Some(a.cmp(b)),
            (Scalar::Double(a), Scalar::Double(b)) => a.partial_cmp(b),
            (Scalar::Decimal(a), Scalar::Decimal(b)) => Some(a.cmp(b)),
            (Scalar::Instant(a), Scalar::Instant(b)) => Some(a.cmp(b)),
            (Scalar::Id(a), Scalar::Id(b)) => Some(a.cmp(b)),
            (Scalar::Text(a), Scalar::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl Literal {
    /// A value that can be compared; `None` for null, sets, pictures and message parameters.
    pub fn new(value: Value) -> Option<Self> {
        let scalar = Scalar::of(&value)?;
        Some(Literal { value, scalar })
    }

    /// The order of two literals of one column.
    pub fn compare(&self, other: &Literal) -> Ordering {
        self.scalar
            .compare(&other.scalar)
            .unwrap_or(Ordering::Equal)
    }
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterEqual => ordering.is_ge(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessEqual => ordering.is_le(),
        }
    }

    /// FI-3: only `ne` is true when there is nothing to compare.
    fn on_null(self) -> bool {
        self == Comparison::NotEqual
    }

    fn of(self, left: Option<Scalar>, right: &Scalar) -> bool {
        match left.and_then(|left| left.compare(right)) {
            Some(ordering) => self.holds(ordering),
            None => self.on_null(),
        }
    }
}

impl TextMatcher {
    fn matches(&self, text: &str) -> bool {
        let text = folded(text);
        match self {
            TextMatcher::Like(pattern) => pattern.matches(&text),
            TextMatcher::BeginsWith(beginning) => text.starts_with(beginning),
            TextMatcher::EndsWith(end) => text.ends_with(end),
            TextMatcher::Contains(part) => text.contains(part),
        }
    }
}

/// A row while it is judged and ordered.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Its table.
    pub table: &'a TableDefinition,
    /// Its id.
    pub id: Uuid,
    /// What is stored.
    pub record: &'a Record,
    /// Names of other records.
    pub lookups: &'a dyn Lookups,
}

impl<'a> Row<'a> {
    /// The value of an operand.
    pub fn value(&self, operand: Operand) -> Cow<'a, Value> {
        let Some(column) = self.table.columns.get(operand.column) else {
            return Cow::Owned(Value::Null);
        };
        let organization = self.lookups.organization_id();
        let value = value_of(self.table, column, self.record, self.id, organization);
        if !operand.name {
            return value;
        }
        let name = match &*value {
            Value::EntityReference(reference) => reference
                .id
                .and_then(|id| self.lookups.primary_name(&reference.logical_name, id)),
            _ => None,
        };
        Cow::Owned(name.map_or(Value::Null, Value::String))
    }
}

impl Predicate {
    /// Whether a row satisfies the filter.
    pub fn holds(&self, row: &Row<'_>) -> bool {
        match self {
            Predicate::All(parts) => parts.iter().all(|part| part.holds(row)),
            Predicate::Any(parts) => parts.iter().any(|part| part.holds(row)),
            Predicate::Test(operand, test) => test.holds(row, *operand),
        }
    }

    /// The conditions that every matching row satisfies, whatever the rest says.
    pub fn required(&self) -> Vec<(Operand, &Test)> {
        match self {
            Predicate::All(parts) => parts.iter().flat_map(Predicate::required).collect(),
            Predicate::Any(parts) => match parts.as_slice() {
                [only] => only.required(),
                _ => Vec::new(),
            },
            Predicate::Test(operand, test) => vec![(*operand, test)],
        }
    }

    /// Whether it is one condition.
    pub fn is_single(&self) -> bool {
        match self {
            Predicate::All(parts) => {
                let mut parts = parts.iter().filter(|part| !part.is_trivial());
                parts.next().is_some_and(Predicate::is_single) && parts.next().is_none()
            }
            Predicate::Any(parts) => parts.len() == 1 && parts.iter().all(Predicate::is_single),
            Predicate::Test(..) => true,
        }
    }

    /// Whether every row satisfies it.
    pub fn is_trivial(&self) -> bool {
        matches!(self, Predicate::All(parts) if parts.iter().all(Predicate::is_trivial))
    }
}

impl Test {
    fn holds(&self, row: &Row<'_>, operand: Operand) -> bool {
        let value = row.value(operand);
        match self {
            Test::IsNull(expected) => value.is_null() == *expected,
            Test::Compare(comparison, literal) => {
                comparison.of(Scalar::of(&value), &literal.scalar)
            }
            Test::OneOf { literals, negated } => Scalar::of(&value).is_some_and(|scalar| {
                let found = literals.binary_search_by(|literal| {
                    literal.scalar.compare(&scalar).unwrap_or(Ordering::Less)
                });
                found.is_ok() != *negated
            }),
            Test::Between { from, to, negated } => Scalar::of(&value).is_some_and(|scalar| {
                let is_within = scalar.compare(&from.scalar).is_some_and(Ordering::is_ge)
                    && scalar.compare(&to.scalar).is_some_and(Ordering::is_le);
                is_within != *negated
            }),
            Test::Text { matcher, negated } => match &*value {
                Value::String(text) => matcher.matches(text) != *negated,
                _ => *negated,
            },
            Test::CompareColumn(comparison, other) => match Scalar::of(&row.value(*other)) {
                Some(other) => comparison.of(Scalar::of(&value), &other),
                None => comparison.on_null(),
            },
            Test::PointsAt { table, id } => match &*value {
                Value::EntityReference(reference) => {
                    reference.id == Some(*id) && reference.logical_name == **table
                }
                _ => false,
            },
        }
    }

    /// Whether no row whose operand is null passes.
    pub fn excludes_null(&self) -> bool {
        match self {
            Test::IsNull(expected) => !expected,
            Test::Compare(comparison, _) | Test::CompareColumn(comparison, _) => {
                !comparison.on_null()
            }
            Test::OneOf { .. } | Test::Between { .. } | Test::PointsAt { .. } => true,
            Test::Text { negated, .. } => !negated,
        }
    }
}
