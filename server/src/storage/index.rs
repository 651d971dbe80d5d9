//! The indexes of a table.

/// One index of a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IndexDescription {
    /// The number it has in its keys; never reused in a table.
    pub number: u16,
    /// The columns in order.
    pub columns: Vec<u16>,
    /// Whether it is an alternate key.
    pub unique: bool,
}
