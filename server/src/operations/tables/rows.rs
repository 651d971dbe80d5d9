//! Columns by name, and rows that the server writes of its own accord.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use uuid::Uuid;

use crate::{
    fault::{Fault, Result},
    metadata::{ColumnDefinition, TableDefinition},
    model::{EntityReference, Value},
    operations::{Work, create, stamps},
    storage::{index_value::index_range, keys, record::Record},
};

/// A table that every organization has.
///
/// # Errors
/// `UnExpected` when it has not.
pub fn shipped(work: &Work<'_>, name: &str) -> Result<Arc<TableDefinition>> {
    let table = work.definitions().table(name).cloned();
    table.ok_or_else(|| Fault::unexpected(format!("the shipped table `{name}` is not defined")))
}

/// The value of a column; `None` is null.
pub fn value<'r>(table: &TableDefinition, record: &'r Record, column: &str) -> Option<&'r Value> {
    record.get(table.column(column)?.number)
}

/// The id in a lookup or GUID column.
pub fn id(table: &TableDefinition, record: &Record, column: &str) -> Option<Uuid> {
    match value(table, record, column)? {
        Value::EntityReference(reference) => reference.id,
        Value::Guid(id) => Some(*id),
        _ => None,
    }
}

/// The text in a column; empty for null.
pub fn text<'r>(table: &TableDefinition, record: &'r Record, column: &str) -> &'r str {
    match value(table, record, column) {
        Some(Value::String(text)) => text,
        _ => "",
    }
}

/// Whether a Boolean column is true.
pub fn flag(table: &TableDefinition, record: &Record, column: &str) -> bool {
    matches!(value(table, record, column), Some(Value::Boolean(true)))
}

/// The option in a choice column.
pub fn option(table: &TableDefinition, record: &Record, column: &str) -> Option<i32> {
    match value(table, record, column)? {
        Value::OptionSet(option) => Some(*option),
        _ => None,
    }
}

/// Whether a column has another value than before.
pub fn changed(table: &TableDefinition, before: &Record, after: &Record, column: &str) -> bool {
    value(table, before, column) != value(table, after, column)
}

/// Sets a column of a shipped table; [`Value::Null`] clears it.
///
/// # Errors
/// `UnExpected` when the table has no such column.
pub fn set(
    table: &TableDefinition,
    record: &mut Record,
    column: &str,
    value: impl Into<Value>,
) -> Result<()> {
    record.set(own_column(table, column)?.number, value.into());
    Ok(())
}

/// A lookup value.
pub fn reference(table: &str, id: Uuid) -> Value {
    Value::EntityReference(EntityReference::new(table, id))
}

/// Creates a row in the name of the caller pair without asking anything, defaults and stamps
/// included.
///
/// # Errors
/// What the store says.
pub fn create(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    business_unit: Option<Uuid>,
    values: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<Record> {
    let mut columns = BTreeMap::new();
    for (column, value) in values {
        columns.insert(own_column(table, column)?.number, value);
    }
    let mut record: Record = columns.into_iter().collect();
    create::defaults(table, &mut record);
    record.business_unit = business_unit;
    stamps::create(work, table, &mut record)?;
    work.put(table, id, None, record)
}

/// Stores a row that the server changed, stamped with the caller pair (IM-18).
///
/// # Errors
/// What the store says.
pub fn change(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    mut after: Record,
) -> Result<Record> {
    stamps::update(work, table, &mut after);
    work.put(table, id, Some(before), after)
}

/// The records whose indexed column has this value, or one that the index cannot tell from it.
///
/// # Errors
/// `UnExpected` when the column has no index; what the store says.
pub fn with_value(
    work: &Work<'_>,
    table: &TableDefinition,
    column: &str,
    value: &Value,
) -> Result<Vec<Uuid>> {
    let number = own_column(table, column)?.number;
    let index = table
        .indexes
        .iter()
        .find(|index| index.columns == [number])
        .ok_or_else(|| {
            Fault::unexpected(format!(
                "column `{column}` of `{}` has no index",
                table.logical_name
            ))
        })?;
    let equal = std::slice::from_ref(value);
    let range = index_range(
        table.code.0,
        index.number,
        equal,
        Bound::Unbounded,
        Bound::Unbounded,
    );
    let mut ids = Vec::new();
    work.scan_all(range, |key, _| {
        ids.push(keys::parse_index(key)?.2);
        Ok(())
    })?;
    Ok(ids)
}

fn own_column<'t>(table: &'t TableDefinition, column: &str) -> Result<&'t ColumnDefinition> {
    table.column(column).ok_or_else(|| {
        Fault::unexpected(format!("`{}` has no column `{column}`", table.logical_name))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;
    use crate::metadata::DefinitionsBuilder;

    #[test]
    fn columns_are_read_and_written_by_name() {
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let team = definitions.table("team").unwrap();
        let mut record = Record::default();
        let regarding = Uuid::from_u128(7);
        set(team, &mut record, "name", "Sales").unwrap();
        set(team, &mut record, "isdefault", true).unwrap();
        set(team, &mut record, "teamtype", Value::OptionSet(1)).unwrap();
        set(
            team,
            &mut record,
            "administratorid",
            reference("systemuser", regarding),
        )
        .unwrap();
        assert_eq!(text(team, &record, "name"), "Sales");
        assert!(flag(team, &record, "isdefault"));
        assert_eq!(option(team, &record, "teamtype"), Some(1));
        assert_eq!(id(team, &record, "administratorid"), Some(regarding));

        let before = record.clone();
        set(team, &mut record, "name", Value::Null).unwrap();
        assert_eq!(text(team, &record, "name"), "");
        assert!(changed(team, &before, &record, "name"));
        assert!(!changed(team, &before, &record, "teamtype"));
        assert!(set(team, &mut record, "no_such_column", true).is_err());
    }
}
