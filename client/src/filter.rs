//! Conditions: [`column`] names a column, its methods compare it, [`Filter`] combines.

use crate::{query::ConditionOperator, v1, value::Value};

/// A condition or a combination of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// One condition.
    Condition(Condition),
    /// All of these hold.
    And(Vec<Filter>),
    /// At least one of these holds.
    Or(Vec<Filter>),
}

/// One condition on one column; made by [`Column`].
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(v1::ConditionExpression);

impl Filter {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: impl Into<Filter>) -> Self {
        let mut parts = match self {
            Self::And(parts) => parts,
            other => vec![other],
        };
        match other.into() {
            Self::And(others) => parts.extend(others),
            other => parts.push(other),
        }
        Self::And(parts)
    }

    /// At least one holds.
    #[must_use]
    pub fn or(self, other: impl Into<Filter>) -> Self {
        let mut parts = match self {
            Self::Or(parts) => parts,
            other => vec![other],
        };
        match other.into() {
            Self::Or(others) => parts.extend(others),
            other => parts.push(other),
        }
        Self::Or(parts)
    }

    fn into_wire(self) -> v1::FilterExpression {
        let (operator, parts) = match self {
            Self::And(parts) => (v1::LogicalOperator::And, parts),
            Self::Or(parts) => (v1::LogicalOperator::Or, parts),
            condition @ Self::Condition(_) => (v1::LogicalOperator::And, vec![condition]),
        };
        let mut filter = v1::FilterExpression {
            filter_operator: operator.into(),
            ..Default::default()
        };
        for part in parts {
            match part {
                Self::Condition(condition) => filter.conditions.push(condition.0),
                nested => filter.filters.push(nested.into_wire()),
            }
        }
        filter
    }
}

/// A filter added to one that may be there already, as if joined with `and`.
pub(crate) fn narrow(
    present: Option<v1::FilterExpression>,
    filter: Filter,
) -> v1::FilterExpression {
    let added = filter.into_wire();
    match present {
        None => added,
        Some(present) => v1::FilterExpression {
            filter_operator: v1::LogicalOperator::And.into(),
            filters: vec![present, added],
            ..Default::default()
        },
    }
}

/// A column to compare: `column("revenue").greater_than(1000)`.
#[must_use = "a column is no condition until it is compared"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    name: String,
    entity_name: String,
}

/// The column of the query's table with a logical name.
pub fn column(logical_name: impl Into<String>) -> Column {
    Column {
        name: logical_name.into(),
        entity_name: String::new(),
    }
}

/// Conditions that differ only in their operator and the number of their values.
macro_rules! conditions {
    (none: $($(#[$doc:meta])* $name:ident = $operator:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name(self) -> Filter {
            self.compare(ConditionOperator::$operator, [])
        }
    )+};
    (one: $($(#[$doc:meta])* $name:ident = $operator:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name(self, value: impl Into<Value>) -> Filter {
            self.compare(ConditionOperator::$operator, [value.into()])
        }
    )+};
    (many: $($(#[$doc:meta])* $name:ident = $operator:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name<I: IntoIterator<Item = V>, V: Into<Value>>(self, values: I) -> Filter {
            self.compare(ConditionOperator::$operator, values.into_iter().map(Into::into))
        }
    )+};
    (counted: $($(#[$doc:meta])* $name:ident = $operator:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name(self, count: u32) -> Filter {
            self.compare(ConditionOperator::$operator, [int(count).into()])
        }
    )+};
}

impl Column {
    /// The same column of a joined table, by the alias of the join (FI-4).
    pub fn of(mut self, alias: impl Into<String>) -> Self {
        self.entity_name = alias.into();
        self
    }

    /// Any operator with any values: for those without a method of their own.
    pub fn compare(
        self,
        operator: ConditionOperator,
        values: impl IntoIterator<Item = Value>,
    ) -> Filter {
        Filter::Condition(Condition(v1::ConditionExpression {
            entity_name: self.entity_name,
            attribute_name: self.name,
            operator: operator.into(),
            values: values.into_iter().map(Into::into).collect(),
            compare_columns: false,
        }))
    }

    /// Compares with another column of the same row: equal, not equal, greater or less (FI-5).
    pub fn compare_column(self, operator: ConditionOperator, other: impl Into<String>) -> Filter {
        Filter::Condition(Condition(v1::ConditionExpression {
            entity_name: self.entity_name,
            attribute_name: self.name,
            operator: operator.into(),
            values: vec![v1::Value::from(other.into())],
            compare_columns: true,
        }))
    }

    /// Lies between two values, both included.
    pub fn between(self, low: impl Into<Value>, high: impl Into<Value>) -> Filter {
        self.compare(ConditionOperator::Between, [low.into(), high.into()])
    }

    /// Has a value that does not lie between the two.
    pub fn not_between(self, low: impl Into<Value>, high: impl Into<Value>) -> Filter {
        self.compare(ConditionOperator::NotBetween, [low.into(), high.into()])
    }

    conditions! { one:
        /// Is equal. Texts compare without case (FI-2).
        equal = Equal;
        /// Is not equal, or null (FI-3).
        not_equal = NotEqual;
        /// Is greater.
        greater_than = GreaterThan;
        /// Is greater or equal.
        greater_equal = GreaterEqual;
        /// Is less.
        less_than = LessThan;
        /// Is less or equal.
        less_equal = LessEqual;
        /// Matches a pattern: `%` any run, `_` one character, `[a-c]` a set (FI-7).
        like = Like;
        /// Does not match a pattern, or is null.
        not_like = NotLike;
        /// Starts with the text, taken literally.
        begins_with = BeginsWith;
        /// Does not start with the text, or is null.
        does_not_begin_with = DoesNotBeginWith;
        /// Ends with the text, taken literally.
        ends_with = EndsWith;
        /// Does not end with the text, or is null.
        does_not_end_with = DoesNotEndWith;
        /// Contains the text.
        contains = Contains;
        /// Does not contain the text.
        does_not_contain = DoesNotContain;
        /// Falls on the day.
        on = On;
        /// Does not fall on the day.
        not_on = NotOn;
        /// Falls on the day or before.
        on_or_before = OnOrBefore;
        /// Falls on the day or after.
        on_or_after = OnOrAfter;
        /// Is an ancestor of the record in the hierarchy.
        above = Above;
        /// Is a descendant of the record in the hierarchy.
        under = Under;
    }

    conditions! { many:
        /// Is one of the values.
        is_in = In;
        /// Has a value that is none of these.
        not_in = NotIn;
        /// Has at least one of the options chosen.
        contain_values = ContainValues;
        /// Has options chosen, but none of these.
        does_not_contain_values = DoesNotContainValues;
    }

    conditions! { none:
        /// Has no value.
        is_null = Null;
        /// Has a value.
        is_not_null = NotNull;
        /// Is the user that the call runs for.
        equal_user_id = EqualUserId;
        /// Is another user than the one that the call runs for, or null.
        not_equal_user_id = NotEqualUserId;
        /// Is the business unit of the user that the call runs for.
        equal_business_id = EqualBusinessId;
        /// Is another business unit than that of the user, or null.
        not_equal_business_id = NotEqualBusinessId;
        /// Is a team of the user that the call runs for.
        equal_user_teams = EqualUserTeams;
        /// Is the user that the call runs for, or a team of that user.
        equal_user_or_user_teams = EqualUserOrUserTeams;
        /// Falls on yesterday.
        yesterday = Yesterday;
        /// Falls on today.
        today = Today;
        /// Falls on tomorrow.
        tomorrow = Tomorrow;
        /// Falls in this week, Sunday to Saturday.
        this_week = ThisWeek;
        /// Falls in this month.
        this_month = ThisMonth;
        /// Falls in this year.
        this_year = ThisYear;
    }

    conditions! { counted:
        /// Falls in the last so many hours.
        last_x_hours = LastXHours;
        /// Falls in the next so many hours.
        next_x_hours = NextXHours;
        /// Falls in the last so many days.
        last_x_days = LastXDays;
        /// Falls in the next so many days.
        next_x_days = NextXDays;
        /// Falls in the last so many months.
        last_x_months = LastXMonths;
        /// Falls in the next so many months.
        next_x_months = NextXMonths;
        /// Lies more than so many days back.
        older_than_x_days = OlderThanXDays;
        /// Lies more than so many months back.
        older_than_x_months = OlderThanXMonths;
    }
}

/// Counts are 32-bit and signed on the wire; one that does not fit is above every limit anyway.
pub(crate) fn int(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
