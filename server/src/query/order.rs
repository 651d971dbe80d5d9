//! The order of rows (`messages.md` 4.5) as one byte string per row.
//!
//! The key of a row is what each order says of it, in the encoding of the column indexes, those of
//! descending orders complemented, and the row's id at the end: keys compare as the rows do,
//! whatever plan found them, ties are broken by the primary key (OR-4), and the key of the last row
//! of a page is the position of the next one. As in the indexes, texts are ordered by their first
//! [`INDEX_STRING_UNITS_MAX`](crate::limits::INDEX_STRING_UNITS_MAX) code units; longer ones that
//! agree so far follow each other in an arbitrary but fixed order.

use std::borrow::Cow;

use uuid::Uuid;

use super::filter::{Operand, Row};
use crate::{
    metadata::{ColumnSource, ColumnType, TableDefinition},
    model::Value,
    storage::index_value::IndexKeyBuilder,
};

/// First byte of a null in ascending order (OR-3: before everything else).
pub const NULL_FIRST: u8 = 0x00;
/// First byte of a null in descending order (OR-3: after everything else).
pub const NULL_LAST: u8 = 0xff;

/// Bytes of an id at the end of a position.
pub const ID_BYTES: usize = 16;

/// One resolved order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BoundOrder {
    /// The column, or the name of what it points at (OR-2).
    pub operand: Operand,
    /// Largest first.
    pub descending: bool,
}

/// Leaves out what cannot change the order: repeated columns, and everything behind the primary key.
pub fn normalized(table: &TableDefinition, orders: Vec<BoundOrder>) -> Vec<BoundOrder> {
    let mut kept: Vec<BoundOrder> = Vec::with_capacity(orders.len());
    for order in orders {
        if kept.iter().any(|earlier| earlier.operand == order.operand) {
            continue;
        }
        let is_key = table
            .columns
            .get(order.operand.column)
            .is_some_and(|column| column.source == ColumnSource::PrimaryId);
        if is_key {
            // Ascending it is what breaks ties anyway.
            if order.descending {
                kept.push(order);
            }
            break;
        }
        kept.push(order);
    }
    kept
}

/// The key of a row.
pub fn position(orders: &[BoundOrder], row: &Row<'_>) -> Vec<u8> {
    let mut key = Vec::with_capacity(ID_BYTES + 32 * orders.len());
    for order in orders {
        let value = displayed(row, order.operand);
        let part = encoded(&value);
        if order.descending {
            key.extend(part.iter().map(|byte| !byte));
        } else {
            key.extend_from_slice(&part);
        }
    }
    key.extend_from_slice(row.id.as_bytes());
    key
}

/// The id at the end of a position.
pub fn id_of(position: &[u8]) -> Option<Uuid> {
    position
        .last_chunk::<ID_BYTES>()
        .map(|bytes| Uuid::from_bytes(*bytes))
}

/// A value in the encoding of the indexes.
pub fn encoded(value: &Value) -> Vec<u8> {
    let head = IndexKeyBuilder::index(0, 0).finish().len();
    IndexKeyBuilder::index(0, 0)
        .value(value)
        .finish()
        .split_off(head)
}

/// OR-2: what a person sees of a choice is what it is ordered by.
fn displayed<'a>(row: &Row<'a>, operand: Operand) -> Cow<'a, Value> {
    let value = row.value(operand);
    let Some(column) = row.table.columns.get(operand.column) else {
        return value;
    };
    let Value::OptionSet(chosen) = *value else {
        return value;
    };
    let label = match &column.kind {
        ColumnType::Picklist { options, .. } | ColumnType::State { options } => options
            .iter()
            .find(|option| option.value == chosen)
            .map(|option| option.label.to_string()),
        ColumnType::Status { options } => options
            .iter()
            .find(|option| option.value == chosen)
            .map(|option| option.label.to_string()),
        _ => None,
    };
    Cow::Owned(Value::String(label.unwrap_or_else(|| chosen.to_string())))
}
