//! Activities: each has a row of `activitypointer` under its own id (SY-9).

use std::sync::Arc;

use uuid::Uuid;

use super::rows;
use crate::{
    fault::Result,
    metadata::{ColumnSource, TableDefinition, system::columns::number},
    model::Value,
    operations::{Work, create::duplicate},
    storage::record::Record,
};

const POINTER: &str = "activitypointer";
const TYPE: &str = "activitytypecode";

/// An activity knows which table it is of.
pub(super) fn before_create(table: &TableDefinition, record: &mut Record) -> Result<()> {
    rows::set(table, record, TYPE, &*table.logical_name)
}

/// The shared row of a new activity. It is one activity's alone: ids are unique among activities of
/// all tables.
///
/// # Errors
/// `DuplicateRecord` when an activity of another table has this id; what the store says.
pub(super) fn after_create(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    let pointer = rows::shipped(work, POINTER)?;
    if work.find(&pointer, id)?.is_some() {
        return Err(duplicate(&pointer, id));
    }
    store(work, table, id, record)
}

/// The shared row follows its activity: subject, dates, owner, state.
pub(super) fn after_update(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    after: &Record,
) -> Result<()> {
    store(work, table, id, after)
}

/// The shared row goes with its activity.
pub(super) fn after_delete(work: &mut Work<'_>, id: Uuid) -> Result<()> {
    let pointer = rows::shipped(work, POINTER)?;
    match work.find(&pointer, id)? {
        Some(record) => work.remove(&pointer, id, &record),
        None => Ok(()),
    }
}

fn store(work: &mut Work<'_>, table: &TableDefinition, id: Uuid, activity: &Record) -> Result<()> {
    let pointer: Arc<TableDefinition> = rows::shipped(work, POINTER)?;
    let before = work.find(&pointer, id)?;
    work.put(
        &pointer,
        id,
        before.as_ref(),
        shared(table, &pointer, activity),
    )?;
    Ok(())
}

/// The columns that an activity has in common with `activitypointer`, its owner and its state. Status
/// reasons are each table's own, so the shared row shows its state's default one.
fn shared(table: &TableDefinition, pointer: &TableDefinition, activity: &Record) -> Record {
    let stored = pointer.columns.iter().filter(|column| {
        column.source == ColumnSource::Stored && column.number != number::STATUS_CODE
    });
    let mut record: Record = stored
        .filter_map(|column| {
            Some((
                column.number,
                rows::value(table, activity, &column.name)?.clone(),
            ))
        })
        .collect();
    record.owner = activity.owner;
    record.business_unit = activity.business_unit;
    let status =
        rows::option(pointer, &record, "statecode").and_then(|state| pointer.default_status(state));
    record.set(
        number::STATUS_CODE,
        status.map_or(Value::Null, Value::OptionSet),
    );
    record
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;
    use crate::{metadata::DefinitionsBuilder, storage::record::StoredOwner};

    #[test]
    fn sy_9_the_shared_row_has_what_both_tables_know() {
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let task = definitions.table("task").unwrap();
        let pointer = definitions.table(POINTER).unwrap();
        let mut record = Record::default();
        rows::set(task, &mut record, "subject", "T").unwrap();
        rows::set(task, &mut record, "percentcomplete", 5).unwrap();
        rows::set(task, &mut record, "statecode", Value::OptionSet(1)).unwrap();
        rows::set(task, &mut record, "statuscode", Value::OptionSet(5)).unwrap();
        rows::set(
            task,
            &mut record,
            "modifiedby",
            rows::reference("systemuser", Uuid::max()),
        )
        .unwrap();
        record.owner = Some(StoredOwner::Team(Uuid::nil()));
        record.business_unit = Some(Uuid::max());
        before_create(task, &mut record).unwrap();

        let shown = shared(task, pointer, &record);
        assert_eq!(rows::text(pointer, &shown, "subject"), "T");
        assert_eq!(rows::text(pointer, &shown, TYPE), "task");
        assert_eq!(rows::option(pointer, &shown, "statecode"), Some(1));
        assert_eq!(
            rows::option(pointer, &shown, "statuscode"),
            Some(2),
            "its own Completed"
        );
        assert_eq!(rows::id(pointer, &shown, "modifiedby"), Some(Uuid::max()));
        assert_eq!(
            (shown.owner, shown.business_unit),
            (record.owner, record.business_unit)
        );
    }
}
