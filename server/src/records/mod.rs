//! Records against their tables: what may be written, what follows from it, what is shown.
//!
//! Pure functions between a request's values, a stored [`Record`](crate::storage::record::Record)
//! and a table's description. Called by operations and queries; knows nothing of access, stores or
//! transactions. What it needs of other records (names, currencies) it asks of [`Lookups`].

pub mod computed;
mod format;
mod project;
mod validate;

pub use format::{Currency, formatted_value};
pub use project::{Lookups, Projection, project, value_of};
pub use validate::{WriteKind, validate};
