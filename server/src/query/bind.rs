//! From a client's query to one tree with everything resolved and checked ([`BoundQuery`]).
//!
//! Both forms become the same tree (`messages.md` 4.1). Nothing here reads the store.

mod values;

use std::sync::Arc;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    filter::{Literal, Operand, Predicate, Test},
    fingerprint,
    order::{BoundOrder, normalized},
    paging::Page,
};
use crate::{
    fault::{Fault, FaultCode, Result},
    limits::{FILTER_DEPTH_MAX, QUERY_CONDITIONS_MAX, QUERY_ORDERS_MAX},
    metadata::{ColumnType, Definitions, TableDefinition},
    model::{
        ConditionExpression, ConditionOperator, FilterExpression, LogicalOperator, OrderExpression,
        OrderType, Query, QueryByAttribute, QueryExpression, Value,
    },
    records::Projection,
    storage::KeyRange,
};

/// A query ready to run: one tree for all forms.
#[derive(Clone, Debug)]
pub struct BoundQuery {
    /// The table.
    pub(super) table: Arc<TableDefinition>,
    /// Columns to return.
    pub(super) projection: Projection,
    /// Which rows.
    pub(super) filter: Predicate,
    /// In which order, the primary key being the last resort.
    pub(super) orders: Vec<BoundOrder>,
    /// How many of them.
    pub(super) page: Page,
    /// Only rows at the other end of these many-to-many links (RT-7).
    pub(super) links: Option<KeyRange>,
    /// Where the query stands in the request, for faults that only running it can find.
    pub(super) field: String,
}

impl BoundQuery {
    /// The same query over rows whose lookup points at a record (RT-7).
    pub fn pointing_at(self, lookup: u16, table: &Arc<str>, id: Uuid) -> Self {
        self.restricted(
            lookup,
            Test::PointsAt {
                table: Arc::clone(table),
                id,
            },
        )
    }

    /// The same query over one record, or none (RT-7).
    pub fn only(self, id: Option<Uuid>) -> Self {
        let literals = id
            .and_then(|id| Literal::new(Value::Guid(id)))
            .into_iter()
            .collect();
        let key = self.table.primary_id_column().number;
        self.restricted(
            key,
            Test::OneOf {
                literals,
                negated: false,
            },
        )
    }

    /// The same query over rows at the other end of links: a range of keyspace 08 or 09 (RT-7).
    pub fn linked(mut self, links: KeyRange) -> Self {
        self.links = Some(links);
        self
    }

    fn restricted(mut self, column: u16, test: Test) -> Self {
        let operand = Operand {
            column: place(&self.table, column),
            name: false,
        };
        self.filter = Predicate::All(vec![Predicate::Test(operand, Box::new(test)), self.filter]);
        self
    }

    /// What a cookie is bound to (PG-4): table, filter and orders, not columns and page size.
    pub(super) fn shape(&self) -> [u8; 32] {
        let mut bytes = Vec::new();
        fingerprint::write(self, &mut bytes);
        Sha256::digest(&bytes).into()
    }
}

/// The table a query is about, where its form tells: known before anything else of it is looked at
/// (G-5).
pub fn query_table(query: &Query) -> Option<&str> {
    match query {
        Query::Expression(expression) => Some(&expression.entity_name),
        Query::ByAttribute(query) => Some(&query.entity_name),
        Query::FetchXml(_) => None,
    }
}

/// The definition of the table a query is about.
///
/// # Errors
/// `QueryBuilderNoEntity` (G-2); `NotImplemented` for FetchXML.
pub fn require_query_table<'d>(
    definitions: &'d Definitions,
    query: &Query,
    field: &str,
) -> Result<&'d Arc<TableDefinition>> {
    let name = query_table(query).ok_or_else(|| not_built("FetchXML"))?;
    definitions.require_table(name, &format!("{}.entity_name", form_field(query, field)))
}

fn form_field(query: &Query, field: &str) -> String {
    let form = match query {
        Query::Expression(_) => "query_expression",
        Query::ByAttribute(_) => "query_by_attribute",
        Query::FetchXml(_) => "fetch_xml",
    };
    format!("{field}.{form}")
}

/// Resolves and checks a query.
///
/// `field` is where it stands in the request (`query`).
///
/// # Errors
/// `QueryBuilderNoEntity`, `QueryBuilderNoAttribute` (G-2); `NotImplemented` with `message`
/// naming what is not built (links, distinct, FetchXML, an operator); what `Page::new` refuses;
/// `TooManyConditionsInQuery`, and `InvalidOperation` (reason LIMIT_EXCEEDED) for filters nested
/// too deeply and too many values or orders; `QueryBuilderAlias_Does_Not_Exist` (LK-6);
/// `QueryBuilderBad_Condition` for a wrong number of values (FI-6);
/// `QueryBuilderInvalidConditionOperator` for an operator that does not go with the column's type;
/// `InvalidArgument` for a value of another type; `QueryBuilderByAttributeMismatch`,
/// `QueryBuilderByAttributeNonEmpty`.
pub fn bind(definitions: &Definitions, query: &Query, field: &str) -> Result<BoundQuery> {
    let table = require_query_table(definitions, query, field)?;
    let field = form_field(query, field);
    match query {
        Query::Expression(expression) => bind_expression(table, expression, field),
        Query::ByAttribute(query) => bind_by_attribute(table, query, field),
        Query::FetchXml(_) => Err(not_built("FetchXML")),
    }
}

fn bind_expression(
    table: &Arc<TableDefinition>,
    query: &QueryExpression,
    field: String,
) -> Result<BoundQuery> {
    if query.link_entity_count > 0 {
        return Err(not_built("link entities"));
    }
    if query.distinct {
        return Err(not_built("distinct"));
    }
    let page = Page::new(query.top_count, query.page_info.as_ref(), &field)?;
    let criteria = format!("{field}.criteria");
    check_size(&query.criteria, &criteria)?;
    let projection = Projection::resolve(table, &query.column_set, &format!("{field}.column_set"))?;
    let filter = bind_filter(table, &query.criteria, &criteria)?;
    let orders = bind_orders(table, &query.orders, &field)?;
    Ok(BoundQuery {
        table: Arc::clone(table),
        projection,
        filter,
        orders,
        page,
        links: None,
        field,
    })
}

fn bind_by_attribute(
    table: &Arc<TableDefinition>,
    query: &QueryByAttribute,
    field: String,
) -> Result<BoundQuery> {
    let page = Page::new(query.top_count, query.page_info.as_ref(), &field)?;
    let (columns, values) = (query.attributes.len(), query.values.len());
    if columns == 0 {
        let description = "`attributes` is empty";
        return Err(
            Fault::new(FaultCode::QueryBuilderByAttributeNonEmpty, description)
                .violation(format!("{field}.attributes"), description),
        );
    }
    if columns != values {
        let description = format!("{columns} columns are to be compared with {values} values");
        return Err(Fault::new(
            FaultCode::QueryBuilderByAttributeMismatch,
            description.clone(),
        )
        .violation(format!("{field}.values"), description));
    }
    if columns > QUERY_CONDITIONS_MAX {
        return Err(too_many_conditions(&format!("{field}.attributes")));
    }
    let projection = Projection::resolve(table, &query.column_set, &format!("{field}.column_set"))?;
    let conditions = query.attributes.iter().zip(&query.values).enumerate();
    let parts = conditions.map(|(at, (column, value))| {
        let is_null = value.is_null();
        let condition = ConditionExpression {
            entity_name: String::new(),
            attribute_name: column.clone(),
            operator: if is_null {
                ConditionOperator::NULL
            } else {
                ConditionOperator::EQUAL
            },
            values: if is_null {
                Vec::new()
            } else {
                vec![value.clone()]
            },
            compare_columns: false,
        };
        let paths = values::Paths {
            column: format!("{field}.attributes[{at}]"),
            operator: format!("{field}.attributes[{at}]"),
            value: Box::new(|_| format!("{field}.values[{at}]")),
        };
        values::bind_condition(table, &condition, &paths)
    });
    let filter = Predicate::All(parts.collect::<Result<_>>()?);
    let orders = bind_orders(table, &query.orders, &field)?;
    Ok(BoundQuery {
        table: Arc::clone(table),
        projection,
        filter,
        orders,
        page,
        links: None,
        field,
    })
}

/// The bounds of a filter, before anything of it is resolved.
fn check_size(criteria: &FilterExpression, field: &str) -> Result<()> {
    let (mut conditions, mut filters) = (0, 0);
    let mut level = vec![criteria];
    for _ in 0..FILTER_DEPTH_MAX {
        filters += level.len();
        conditions += level
            .iter()
            .map(|filter| filter.conditions.len())
            .sum::<usize>();
        if conditions > QUERY_CONDITIONS_MAX || filters > QUERY_CONDITIONS_MAX {
            return Err(too_many_conditions(field));
        }
        level = level.iter().flat_map(|filter| &filter.filters).collect();
        if level.is_empty() {
            return Ok(());
        }
    }
    Err(
        Fault::limit_exceeded("filter_depth_max", FILTER_DEPTH_MAX).violation(
            field,
            format!("filters are nested more than {FILTER_DEPTH_MAX} deep"),
        ),
    )
}

fn too_many_conditions(field: &str) -> Fault {
    let description =
        format!("a query has at most {QUERY_CONDITIONS_MAX} conditions, and as many filters");
    Fault::new(FaultCode::TooManyConditionsInQuery, description.clone())
        .limit("query_conditions_max", QUERY_CONDITIONS_MAX)
        .violation(field, description)
}

/// Recursion is bounded by [`check_size`].
fn bind_filter(
    table: &TableDefinition,
    filter: &FilterExpression,
    field: &str,
) -> Result<Predicate> {
    let mut parts = Vec::with_capacity(filter.conditions.len() + filter.filters.len());
    for (at, condition) in filter.conditions.iter().enumerate() {
        let condition_field = format!("{field}.conditions[{at}]");
        let paths = values::Paths {
            column: format!("{condition_field}.attribute_name"),
            operator: format!("{condition_field}.operator"),
            value: Box::new(move |at| match at {
                Some(at) => format!("{condition_field}.values[{at}]"),
                None => format!("{condition_field}.values"),
            }),
        };
        if !condition.entity_name.is_empty() {
            let description = format!("the query has no link `{}`", condition.entity_name);
            let code = FaultCode::QueryBuilderAliasDoesNotExist;
            return Err(Fault::new(code, description.clone())
                .violation(format!("{field}.conditions[{at}].entity_name"), description));
        }
        parts.push(values::bind_condition(table, condition, &paths)?);
    }
    for (at, nested) in filter.filters.iter().enumerate() {
        parts.push(bind_filter(
            table,
            nested,
            &format!("{field}.filters[{at}]"),
        )?);
    }
    Ok(match filter.operator {
        LogicalOperator::Or if !parts.is_empty() => Predicate::Any(parts),
        _ => Predicate::All(parts),
    })
}

fn bind_orders(
    table: &TableDefinition,
    orders: &[OrderExpression],
    field: &str,
) -> Result<Vec<BoundOrder>> {
    if orders.len() > QUERY_ORDERS_MAX {
        return Err(Fault::limit_exceeded("query_orders_max", QUERY_ORDERS_MAX)
            .violation(format!("{field}.orders"), "too many orders"));
    }
    let mut bound = Vec::with_capacity(orders.len());
    for (at, order) in orders.iter().enumerate() {
        let path = || format!("{field}.orders[{at}].attribute_name");
        let column = table.require_column(&order.attribute_name, path)?;
        let name = match column.kind {
            // OR-2.
            ColumnType::Lookup { .. } | ColumnType::Owner => true,
            ColumnType::MultiSelect { .. } | ColumnType::Image => {
                return Err(Fault::invalid_argument(
                    path(),
                    format!("rows cannot be ordered by column `{}`", column.name),
                ));
            }
            _ => false,
        };
        let operand = Operand {
            column: place(table, column.number),
            name,
        };
        bound.push(BoundOrder {
            operand,
            descending: order.order_type == OrderType::Descending,
        });
    }
    Ok(normalized(table, bound))
}

/// The place of a column in its table.
pub(super) fn place(table: &TableDefinition, number: u16) -> usize {
    // Columns are sorted by number; one that is not there reads as null everywhere.
    table
        .columns
        .binary_search_by_key(&number, |column| column.number)
        .unwrap_or(usize::MAX)
}

/// `NotImplemented` for a part of queries that is not built.
pub(super) fn not_built(what: &str) -> Fault {
    Fault::new(
        FaultCode::NotImplemented,
        format!("{what} in queries is not implemented"),
    )
    .detail("message", format!("RetrieveMultiple: {what}"))
}
