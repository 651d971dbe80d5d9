//! Queries: [`QueryExpression`], [`QueryByAttribute`], and FetchXML.
//!
//! The builders write the contract's messages; the server checks them and names the path of what is
//! wrong.

use crate::{
    filter::{Filter, int, narrow},
    typed::TypedEntity,
    v1,
    value::Value,
};

pub use v1::{ConditionOperator, JoinOperator};

/// A query in one of its three forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Query(v1::query::Query);

impl Query {
    /// FetchXML text, at most 1 MiB. Paging, `top` and cookie are inside the text; a stream sets them.
    pub fn fetch_xml(text: impl Into<String>) -> Self {
        Self(v1::query::Query::FetchXml(text.into()))
    }

    pub(crate) fn from_wire(query: v1::Query) -> Self {
        Self(
            query
                .query
                .unwrap_or(v1::query::Query::FetchXml(String::new())),
        )
    }

    pub(crate) fn into_wire(self) -> v1::Query {
        v1::Query {
            query: Some(self.0),
        }
    }

    pub(crate) fn form_mut(&mut self) -> &mut v1::query::Query {
        &mut self.0
    }
}

/// FetchXML as a query: `fetch_xml("<fetch top='5'><entity name='account'/></fetch>")`.
pub fn fetch_xml(text: impl Into<String>) -> Query {
    Query::fetch_xml(text)
}

impl From<&Query> for Query {
    fn from(query: &Query) -> Self {
        query.clone()
    }
}

impl From<QueryExpression> for Query {
    fn from(query: QueryExpression) -> Self {
        Self(v1::query::Query::QueryExpression(query.0))
    }
}

impl From<&QueryExpression> for Query {
    fn from(query: &QueryExpression) -> Self {
        query.clone().into()
    }
}

impl From<QueryByAttribute> for Query {
    fn from(query: QueryByAttribute) -> Self {
        Self(v1::query::Query::QueryByAttribute(query.0))
    }
}

impl From<&QueryByAttribute> for Query {
    fn from(query: &QueryByAttribute) -> Self {
        query.clone().into()
    }
}

/// A query on one table, with filters, order, joins and paging.
///
/// ```
/// use orgservice_client::{QueryExpression, column};
///
/// let query = QueryExpression::new("account")
///     .columns(["name", "revenue"])
///     .filter(column("revenue").greater_than(1000).and(column("statecode").equal(0)))
///     .filter(column("name").begins_with("Con").or(column("telephone1").is_null()))
///     .order_by("name")
///     .page_size(500);
/// # let _ = query;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryExpression(v1::QueryExpression);

/// The parts that both kinds of builders share, written once.
macro_rules! shared_builders {
    () => {
        /// Adds columns to return. None at all: the primary key only.
        #[must_use]
        pub fn columns<I: IntoIterator<Item = S>, S: Into<String>>(mut self, columns: I) -> Self {
            let set = self.0.column_set.get_or_insert_default();
            set.columns.extend(columns.into_iter().map(Into::into));
            self
        }

        /// Returns every readable column except image data.
        #[must_use]
        pub fn all_columns(mut self) -> Self {
            self.0.column_set.get_or_insert_default().all_columns = true;
            self
        }

        /// Orders by a column, ascending; further calls break ties.
        #[must_use]
        pub fn order_by(self, column: impl Into<String>) -> Self {
            self.order(column, v1::OrderType::Ascending)
        }

        /// Orders by a column, descending; further calls break ties.
        #[must_use]
        pub fn order_by_descending(self, column: impl Into<String>) -> Self {
            self.order(column, v1::OrderType::Descending)
        }

        fn order(mut self, column: impl Into<String>, order: v1::OrderType) -> Self {
            self.0.orders.push(v1::OrderExpression {
                attribute_name: column.into(),
                order_type: order.into(),
                ..v1::OrderExpression::default()
            });
            self
        }
    };
}

/// Paging and `top`, shared by the two forms of whole queries.
macro_rules! paging_builders {
    () => {
        /// Rows per page; the server lowers it to 5000. Zero: 5000.
        #[must_use]
        pub fn page_size(mut self, rows: u32) -> Self {
            self.paging().count = int(rows);
            self
        }

        /// The page to read, from 1.
        #[must_use]
        pub fn page(mut self, number: u32) -> Self {
            self.paging().page_number = int(number);
            self
        }

        /// The cookie that came with the page before (PG-1).
        #[must_use]
        pub fn paging_cookie(mut self, cookie: impl Into<String>) -> Self {
            self.paging().paging_cookie = cookie.into();
            self
        }

        /// Counts the rows of the whole query, up to 5000.
        #[must_use]
        pub fn total_count(mut self) -> Self {
            self.paging().return_total_record_count = true;
            self
        }

        /// Only the first rows, at most 5000. Excludes paging and counting (QL-1).
        #[must_use]
        pub fn top(mut self, rows: u32) -> Self {
            self.0.top_count = Some(int(rows));
            self
        }

        fn paging(&mut self) -> &mut v1::PagingInfo {
            self.0.page_info.get_or_insert_default()
        }
    };
}

impl QueryExpression {
    /// A query on a table, without columns and without filter.
    pub fn new(logical_name: impl Into<String>) -> Self {
        Self(v1::QueryExpression {
            entity_name: logical_name.into(),
            ..Default::default()
        })
    }

    /// A query on the table of a type, with the columns of the type.
    #[must_use]
    pub fn of<T: TypedEntity>() -> Self {
        Self::new(T::LOGICAL_NAME).columns(T::COLUMNS.iter().copied())
    }

    shared_builders!();
    paging_builders!();

    /// Keeps only rows that match; further calls narrow it, as if joined with `and`.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<Filter>) -> Self {
        self.0.criteria = Some(narrow(self.0.criteria.take(), filter.into()));
        self
    }

    /// Drops rows that are equal in all returned columns.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.0.distinct = true;
        self
    }

    /// Joins a table on its primary key: `from_column` is a lookup of the rows so far.
    ///
    /// ```
    /// # use orgservice_client::QueryExpression;
    /// let query = QueryExpression::new("account")
    ///     .link("contact", "primarycontactid", |link| link.columns(["fullname"]).alias("c"));
    /// # let _ = query;
    /// ```
    #[must_use]
    pub fn link(
        mut self,
        table: impl Into<String>,
        from_column: impl Into<String>,
        build: impl FnOnce(Link) -> Link,
    ) -> Self {
        let mut link = build(Link::new(table, from_column));
        link.0.link_from_entity_name.clone_from(&self.0.entity_name);
        self.0.link_entities.push(link.0);
        self
    }
}

/// A joined table.
#[derive(Clone, Debug, PartialEq)]
pub struct Link(v1::LinkEntity);

impl Link {
    fn new(table: impl Into<String>, from_column: impl Into<String>) -> Self {
        let table = table.into();
        Self(v1::LinkEntity {
            link_from_attribute_name: from_column.into(),
            link_to_attribute_name: format!("{table}id"),
            link_to_entity_name: table,
            ..Default::default()
        })
    }

    /// The column of the joined table to compare with; its primary key unless set.
    #[must_use]
    pub fn to_column(mut self, column: impl Into<String>) -> Self {
        self.0.link_to_attribute_name = column.into();
        self
    }

    /// Adds columns of the joined table to return, as `alias.column`.
    #[must_use]
    pub fn columns<I: IntoIterator<Item = S>, S: Into<String>>(mut self, columns: I) -> Self {
        let set = self.0.columns.get_or_insert_default();
        set.columns.extend(columns.into_iter().map(Into::into));
        self
    }

    /// The name of the join in results and in conditions.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.0.entity_alias = alias.into();
        self
    }

    /// How to join: inner unless set (LK-1).
    #[must_use]
    pub fn operator(mut self, operator: JoinOperator) -> Self {
        self.0.join_operator = operator.into();
        self
    }

    /// Keeps rows without a partner, too.
    #[must_use]
    pub fn left_outer(self) -> Self {
        self.operator(JoinOperator::LeftOuter)
    }

    /// Joins only partners that match.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<Filter>) -> Self {
        let present = self.0.link_criteria.take().map(|filter| *filter);
        self.0.link_criteria = Some(Box::new(narrow(present, filter.into())));
        self
    }

    /// Joins a further table to this one.
    #[must_use]
    pub fn link(
        mut self,
        table: impl Into<String>,
        from_column: impl Into<String>,
        build: impl FnOnce(Link) -> Link,
    ) -> Self {
        let mut link = build(Link::new(table, from_column));
        link.0
            .link_from_entity_name
            .clone_from(&self.0.link_to_entity_name);
        self.0.link_entities.push(link.0);
        self
    }
}

/// A query on one table whose conditions are all "equal", joined with `and`.
///
/// ```
/// # use orgservice_client::QueryByAttribute;
/// let query = QueryByAttribute::new("account").equal("address1_city", "Redmond").columns(["name"]);
/// # let _ = query;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryByAttribute(v1::QueryByAttribute);

impl QueryByAttribute {
    /// A query on a table. It needs at least one condition.
    pub fn new(logical_name: impl Into<String>) -> Self {
        Self(v1::QueryByAttribute {
            entity_name: logical_name.into(),
            ..Default::default()
        })
    }

    /// Keeps only rows whose column has this value; null means "is null".
    #[must_use]
    pub fn equal(mut self, column: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.attributes.push(column.into());
        self.0.values.push(value.into().into());
        self
    }

    shared_builders!();
    paging_builders!();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::filter::column;

    fn criteria(query: QueryExpression) -> v1::FilterExpression {
        query.0.criteria.unwrap()
    }

    #[test]
    fn chains_of_one_operator_stay_flat() {
        let filter = criteria(
            QueryExpression::new("account").filter(
                column("a")
                    .equal(1)
                    .and(column("b").is_null())
                    .and(column("c").is_in([1, 2])),
            ),
        );
        assert_eq!(filter.filter_operator(), v1::LogicalOperator::And);
        assert_eq!(filter.conditions.len(), 3);
        assert!(filter.filters.is_empty());
        assert_eq!(filter.conditions[2].operator(), ConditionOperator::In);
        assert_eq!(filter.conditions[2].values.len(), 2);
    }

    #[test]
    fn mixed_operators_nest() {
        let filter = criteria(
            QueryExpression::new("account").filter(
                column("a")
                    .equal(1)
                    .or(column("b").equal(2).and(column("c").equal(3))),
            ),
        );
        assert_eq!(filter.filter_operator(), v1::LogicalOperator::Or);
        assert_eq!(filter.conditions.len(), 1);
        assert_eq!(filter.filters.len(), 1);
        assert_eq!(
            filter.filters[0].filter_operator(),
            v1::LogicalOperator::And
        );
    }

    /// A second `filter` must narrow: joining it into an `or` would widen what is read.
    #[test]
    fn further_filters_narrow() {
        let filter = criteria(
            QueryExpression::new("account")
                .filter(column("a").equal(1).or(column("b").equal(2)))
                .filter(column("c").equal(3)),
        );
        assert_eq!(filter.filter_operator(), v1::LogicalOperator::And);
        assert_eq!(filter.filters[0].filter_operator(), v1::LogicalOperator::Or);
        assert_eq!(filter.filters[1].conditions[0].attribute_name, "c");
    }

    #[test]
    fn links_join_on_the_primary_key() {
        let query = QueryExpression::new("account").link("contact", "primarycontactid", |link| {
            link.alias("c").columns(["fullname"]).left_outer().link(
                "systemuser",
                "ownerid",
                |link| link.alias("u"),
            )
        });
        let link = &query.0.link_entities[0];
        assert_eq!(link.link_from_entity_name, "account");
        assert_eq!(link.link_to_attribute_name, "contactid");
        assert_eq!(link.join_operator(), JoinOperator::LeftOuter);
        assert_eq!(link.link_entities[0].link_from_entity_name, "contact");
    }

    #[test]
    fn paging_and_order() {
        let query = QueryExpression::new("account")
            .order_by("name")
            .order_by_descending("createdon")
            .page_size(u32::MAX)
            .page(2)
            .paging_cookie("c")
            .total_count();
        let page = query.0.page_info.clone().unwrap();
        assert_eq!((page.page_number, page.count), (2, i32::MAX));
        assert!(page.return_total_record_count);
        assert_eq!(query.0.orders[1].order_type(), v1::OrderType::Descending);
        assert_eq!(QueryExpression::new("a").top(3).0.top_count, Some(3));
    }
}
