//! Queries over one table: bind, plan, execute, page (`messages.md` 4).
//!
//! [`bind`] turns any form of query into one tree and refuses what is wrong with it; [`execute`]
//! picks the cheapest of the ways that `plan.rs` knows, reads it step by step (`stream.rs`), judges
//! every record it read with the query's filter and the caller's [`RowFilter`], and returns one page.
//! Nothing here decides access.

mod bind;
mod execute;
mod filter;
mod fingerprint;
mod like;
mod order;
mod paging;
mod plan;
mod stream;
#[cfg(test)]
mod tests;

use orgservice_security::RecordScope;
use uuid::Uuid;

pub use bind::{BoundQuery, bind, query_table, require_query_table};
pub use execute::{QueryContext, execute};

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
