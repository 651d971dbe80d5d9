//! Queries over one table: plan, execute, page.

use orgservice_security::RecordScope;
use uuid::Uuid;

use crate::{fault::Result, storage::record::Record};

/// Which rows of a table a query may show. Decided by the caller's rights, never here.
pub trait RowFilter {
    /// The scope of the whole table, where the rows' own facts decide: lets a plan start from the
    /// scope's indexes.
    fn scope(&self) -> Option<&RecordScope>;

    /// Whether a row may be shown, judged on the record finally read.
    ///
    /// # Errors
    /// What the store says.
    fn admits(&self, id: Uuid, record: &Record) -> Result<bool>;
}

/// The table a query is about, where its form tells.
pub fn query_table(query: &crate::model::Query) -> Option<&str> {
    match query {
        crate::model::Query::Expression(query) => Some(&query.entity_name),
        crate::model::Query::ByAttribute(query) => Some(&query.entity_name),
        crate::model::Query::FetchXml(_) => None,
    }
}
