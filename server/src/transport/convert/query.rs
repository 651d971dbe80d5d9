//! Queries in their three forms.
//!
//! Joins are counted, not translated: the core refuses a query that has any, with a fault that says
//! so. What only means something together with a join is refused here.

use orgservice::v1::{self, query::Query as Form};

use super::{Depth, Read, Refusal, Within, Writer, entity, read_list, value::read_value};
use crate::{
    fault::FaultCode,
    limits,
    model::{
        ConditionExpression, ConditionOperator, FilterExpression, LogicalOperator, OrderExpression,
        OrderType, PagingInfo, Query, QueryByAttribute, QueryExpression,
    },
};

/// Reads a query; one in no form is refused (GQ-1).
pub(super) fn read_query(wire: v1::Query, depth: Depth) -> Read<Query> {
    match wire.query {
        None => Err(Refusal::new("the query has no form that this server knows")),
        Some(Form::FetchXml(text)) => Ok(Query::FetchXml(text)),
        Some(Form::QueryExpression(expression)) => read_expression(expression, depth)
            .map(Query::Expression)
            .within("query_expression"),
        Some(Form::QueryByAttribute(query)) => read_by_attribute(query, depth)
            .map(Query::ByAttribute)
            .within("query_by_attribute"),
    }
}

fn read_expression(wire: v1::QueryExpression, depth: Depth) -> Read<QueryExpression> {
    let mut link_entity_count = wire.link_entities.len();
    Ok(QueryExpression {
        entity_name: wire.entity_name,
        column_set: wire
            .column_set
            .map(entity::read_column_set)
            .unwrap_or_default(),
        criteria: read_filter(
            wire.criteria.unwrap_or_default(),
            limits::FILTER_DEPTH_MAX,
            depth,
            &mut link_entity_count,
        )
        .within("criteria")?,
        orders: read_list("orders", wire.orders, read_order)?,
        page_info: wire.page_info.map(read_page),
        top_count: wire.top_count,
        distinct: wire.distinct,
        link_entity_count,
    })
}

fn read_by_attribute(wire: v1::QueryByAttribute, depth: Depth) -> Read<QueryByAttribute> {
    Ok(QueryByAttribute {
        entity_name: wire.entity_name,
        column_set: wire
            .column_set
            .map(entity::read_column_set)
            .unwrap_or_default(),
        attributes: wire.attributes,
        values: read_list("values", wire.values, |value| read_value(value, depth))?,
        orders: read_list("orders", wire.orders, read_order)?,
        page_info: wire.page_info.map(read_page),
        top_count: wire.top_count,
    })
}

fn read_filter(
    wire: v1::FilterExpression,
    levels: usize,
    depth: Depth,
    links: &mut usize,
) -> Read<FilterExpression> {
    let Some(levels) = levels.checked_sub(1) else {
        return Err(Refusal::limit(
            "filters are nested too deeply",
            "filter_depth_max",
            limits::FILTER_DEPTH_MAX,
        ));
    };
    *links += usize::from(wire.any_all_filter_link_entity.is_some());
    let number = wire.filter_operator;
    let operator = match v1::LogicalOperator::try_from(number) {
        Ok(v1::LogicalOperator::Unspecified | v1::LogicalOperator::And) => LogicalOperator::And,
        Ok(v1::LogicalOperator::Or) => LogicalOperator::Or,
        Err(_) => {
            return Err(Refusal::unknown_enum("LogicalOperator", number)).within("filter_operator");
        }
    };
    Ok(FilterExpression {
        operator,
        conditions: read_list("conditions", wire.conditions, |condition| {
            read_condition(condition, depth)
        })?,
        filters: read_list("filters", wire.filters, |filter| {
            read_filter(filter, levels, depth, links)
        })?,
    })
}

/// An operator the server does not know is never "no filter": that would show rows (GE-2).
fn read_condition(wire: v1::ConditionExpression, depth: Depth) -> Read<ConditionExpression> {
    let operator = match v1::ConditionOperator::try_from(wire.operator) {
        Ok(v1::ConditionOperator::Unspecified) => {
            return Err(Refusal::new("the operator is missing")).within("operator");
        }
        // GQ-6: the contract counts from 1, the SDK from 0.
        Ok(known) => ConditionOperator(i32::from(known) - 1),
        Err(_) => {
            return Err(Refusal::unknown_enum("ConditionOperator", wire.operator))
                .within("operator");
        }
    };
    Ok(ConditionExpression {
        entity_name: wire.entity_name,
        attribute_name: wire.attribute_name,
        operator,
        values: read_list("values", wire.values, |value| read_value(value, depth))?,
        compare_columns: wire.compare_columns,
    })
}

fn read_order(wire: v1::OrderExpression) -> Read<OrderExpression> {
    let order_type = match v1::OrderType::try_from(wire.order_type) {
        Ok(v1::OrderType::Unspecified | v1::OrderType::Ascending) => OrderType::Ascending,
        Ok(v1::OrderType::Descending) => OrderType::Descending,
        Err(_) => {
            return Err(Refusal::unknown_enum("OrderType", wire.order_type)).within("order_type");
        }
    };
    if !wire.alias.is_empty() {
        return Err(Refusal::new("an alias can order aggregate queries only")).within("alias");
    }
    if !wire.entity_name.is_empty() {
        return Err(Refusal::with_code(
            FaultCode::QueryBuilderAliasDoesNotExist,
            format!("no link entity has the alias `{}`", wire.entity_name),
        ))
        .within("entity_name");
    }
    Ok(OrderExpression {
        attribute_name: wire.attribute_name,
        order_type,
    })
}

fn read_page(wire: v1::PagingInfo) -> PagingInfo {
    PagingInfo {
        page_number: wire.page_number,
        count: wire.count,
        return_total_record_count: wire.return_total_record_count,
        paging_cookie: (!wire.paging_cookie.is_empty()).then_some(wire.paging_cookie),
    }
}

impl Writer {
    pub(super) fn query(self, query: Query) -> v1::Query {
        let form = match query {
            Query::FetchXml(text) => Form::FetchXml(text),
            Query::Expression(query) => Form::QueryExpression(v1::QueryExpression {
                entity_name: query.entity_name,
                column_set: Some(entity::write_column_set(query.column_set)),
                criteria: Some(self.filter(query.criteria)),
                orders: write_orders(query.orders),
                page_info: query.page_info.map(write_page),
                distinct: query.distinct,
                top_count: query.top_count,
                ..v1::QueryExpression::default()
            }),
            Query::ByAttribute(query) => Form::QueryByAttribute(v1::QueryByAttribute {
                entity_name: query.entity_name,
                attributes: query.attributes,
                values: query
                    .values
                    .into_iter()
                    .map(|value| self.value(value))
                    .collect(),
                column_set: Some(entity::write_column_set(query.column_set)),
                orders: write_orders(query.orders),
                page_info: query.page_info.map(write_page),
                top_count: query.top_count,
            }),
        };
        v1::Query { query: Some(form) }
    }

    fn filter(self, filter: FilterExpression) -> v1::FilterExpression {
        let operator = match filter.operator {
            LogicalOperator::And => v1::LogicalOperator::And,
            LogicalOperator::Or => v1::LogicalOperator::Or,
        };
        v1::FilterExpression {
            filter_operator: operator.into(),
            conditions: filter
                .conditions
                .into_iter()
                .map(|condition| v1::ConditionExpression {
                    entity_name: condition.entity_name,
                    attribute_name: condition.attribute_name,
                    operator: condition.operator.0 + 1,
                    values: condition
                        .values
                        .into_iter()
                        .map(|value| self.value(value))
                        .collect(),
                    compare_columns: condition.compare_columns,
                })
                .collect(),
            filters: filter
                .filters
                .into_iter()
                .map(|filter| self.filter(filter))
                .collect(),
            any_all_filter_link_entity: None,
        }
    }
}

fn write_orders(orders: Vec<OrderExpression>) -> Vec<v1::OrderExpression> {
    orders
        .into_iter()
        .map(|order| v1::OrderExpression {
            attribute_name: order.attribute_name,
            order_type: match order.order_type {
                OrderType::Ascending => v1::OrderType::Ascending.into(),
                OrderType::Descending => v1::OrderType::Descending.into(),
            },
            ..v1::OrderExpression::default()
        })
        .collect()
}

fn write_page(page: PagingInfo) -> v1::PagingInfo {
    v1::PagingInfo {
        page_number: page.page_number,
        count: page.count,
        return_total_record_count: page.return_total_record_count,
        paging_cookie: page.paging_cookie.unwrap_or_default(),
    }
}
