//! Queries as one tree: [`QueryExpression`] with filters, orders and paging (`messages.md` 4).

use serde::{Deserialize, Serialize};

use super::{ColumnSet, Value};

/// A query in the form the client wrote it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub enum Query {
    /// Columns, filters, orders and paging over one table.
    Expression(QueryExpression),
    /// All conditions equal, combined with And.
    ByAttribute(QueryByAttribute),
    /// FetchXML text; answered with a fault that names it until it is built.
    FetchXml(String),
}

/// A structured query over one table.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct QueryExpression {
    /// Logical name of the table.
    pub entity_name: String,
    /// Columns to return; none given means the primary key only.
    pub column_set: ColumnSet,
    /// The filter; an empty one is true (FI-1).
    pub criteria: FilterExpression,
    /// Orders, first one first; the primary key is the last resort (OR-1, OR-4).
    pub orders: Vec<OrderExpression>,
    /// Page number, size, cookie and whether to count.
    pub page_info: Option<PagingInfo>,
    /// At most this many rows; not together with paging (QL-1).
    pub top_count: Option<i32>,
    /// Leave out repeated rows.
    pub distinct: bool,
    /// How many links the client asked for; links are refused until they are built.
    pub link_entity_count: usize,
}

/// All named columns equal the values at the same index.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct QueryByAttribute {
    /// Logical name of the table.
    pub entity_name: String,
    /// Columns to return.
    pub column_set: ColumnSet,
    /// Columns to compare.
    pub attributes: Vec<String>,
    /// Their values; [`Value::Null`] means "is null".
    pub values: Vec<Value>,
    /// Orders.
    pub orders: Vec<OrderExpression>,
    /// Paging.
    pub page_info: Option<PagingInfo>,
    /// At most this many rows.
    pub top_count: Option<i32>,
}

/// How the parts of a filter combine.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub enum LogicalOperator {
    /// All must hold.
    #[default]
    And,
    /// One is enough.
    Or,
}

/// Conditions and nested filters under one logical operator.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct FilterExpression {
    /// And (default) or Or.
    pub operator: LogicalOperator,
    /// Conditions on columns.
    pub conditions: Vec<ConditionExpression>,
    /// Nested filters.
    pub filters: Vec<FilterExpression>,
}

/// One comparison of a column with values.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ConditionExpression {
    /// A link alias; empty for the query's own table.
    pub entity_name: String,
    /// Logical name of the column.
    pub attribute_name: String,
    /// The comparison.
    pub operator: ConditionOperator,
    /// Its values, as many as the operator takes (FI-6).
    pub values: Vec<Value>,
    /// Whether the value is the name of another column (FI-5).
    pub compare_columns: bool,
}

/// A comparison by its number in the SDK; which ones are built is the query layer's to say.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct ConditionOperator(pub i32);

#[allow(
    missing_docs,
    reason = "the SDK's own member names say what each one compares"
)]
impl ConditionOperator {
    pub const EQUAL: Self = Self(0);
    pub const NOT_EQUAL: Self = Self(1);
    pub const GREATER_THAN: Self = Self(2);
    pub const LESS_THAN: Self = Self(3);
    pub const GREATER_EQUAL: Self = Self(4);
    pub const LESS_EQUAL: Self = Self(5);
    pub const LIKE: Self = Self(6);
    pub const NOT_LIKE: Self = Self(7);
    pub const IN: Self = Self(8);
    pub const NOT_IN: Self = Self(9);
    pub const BETWEEN: Self = Self(10);
    pub const NOT_BETWEEN: Self = Self(11);
    pub const NULL: Self = Self(12);
    pub const NOT_NULL: Self = Self(13);
    pub const CONTAINS: Self = Self(49);
    pub const DOES_NOT_CONTAIN: Self = Self(50);
    pub const BEGINS_WITH: Self = Self(54);
    pub const DOES_NOT_BEGIN_WITH: Self = Self(55);
    pub const ENDS_WITH: Self = Self(56);
    pub const DOES_NOT_END_WITH: Self = Self(57);
}

/// Direction of an order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub enum OrderType {
    /// Nulls first (OR-3).
    #[default]
    Ascending,
    /// Nulls last.
    Descending,
}

/// One order of a query.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub struct OrderExpression {
    /// Logical name of the column.
    pub attribute_name: String,
    /// Direction.
    pub order_type: OrderType,
}

/// Which page to return (`messages.md` 4.6).
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub struct PagingInfo {
    /// From 1; 0 means 1 (PG-5).
    pub page_number: i32,
    /// Rows per page; 0 means the default.
    pub count: i32,
    /// Whether to count all matching rows.
    pub return_total_record_count: bool,
    /// The cookie of the page before.
    pub paging_cookie: Option<String>,
}
