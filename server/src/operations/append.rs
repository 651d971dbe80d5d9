//! The append rule: what setting a lookup needs on both records (`security.md` 5).

use std::{collections::BTreeMap, sync::Arc};

use orgservice_security::{RecordFacts, requirements};
use uuid::Uuid;

use super::{Work, tables};
use crate::{
    fault::Result,
    metadata::{ColumnSource, ColumnType, TableDefinition},
    model::Value,
    records::WriteKind,
    storage::record::Record,
};

/// A lookup that a request sets.
pub struct SetLookup {
    /// Table pointed at.
    pub table: Arc<TableDefinition>,
    /// Record pointed at; `None` when the value is not yet known to be well-formed.
    pub id: Option<Uuid>,
}

/// The lookups a client's attributes set, as far as they can be told before values are validated:
/// table-level privileges come before column names and value types (G-5).
///
/// Exempt are `ownerid`, columns the platform sets, nulls, and values the record already has.
pub fn named(
    work: &Work<'_>,
    table: &TableDefinition,
    attributes: &BTreeMap<String, Value>,
    kind: WriteKind,
    before: Option<&Record>,
) -> Vec<SetLookup> {
    let mut lookups = Vec::new();
    for (name, value) in attributes {
        let Some(column) = table.column(name) else {
            continue;
        };
        let counts = match kind {
            WriteKind::Create => column.valid_for_create,
            WriteKind::Update => column.valid_for_update,
        };
        let ColumnType::Lookup { targets } = &column.kind else {
            continue;
        };
        if !counts {
            continue;
        }
        let (target, id) = match (value, targets.as_slice()) {
            (Value::EntityReference(reference), _) => (&*reference.logical_name, reference.id),
            (Value::Guid(id), [only]) => (&**only, Some(*id)),
            _ => continue,
        };
        let Some(target) = work.definitions().table(target) else {
            continue;
        };
        let same = |before: &Record| {
            current(before, column.number, column.source)
                .is_some_and(|(table, held)| *table == *target.logical_name && Some(held) == id)
        };
        if before.is_some_and(same) {
            continue;
        }
        lookups.push(SetLookup {
            table: Arc::clone(target),
            id,
        });
    }
    lookups
}

/// The table and id a lookup points at; an id alone does not name a record (G-9).
fn current(record: &Record, column: u16, source: ColumnSource) -> Option<(&str, Uuid)> {
    match source {
        ColumnSource::BusinessUnit => record.business_unit.map(|id| ("businessunit", id)),
        _ => match record.get(column) {
            Some(Value::EntityReference(reference)) => {
                Some((reference.logical_name.as_str(), reference.id?))
            }
            _ => None,
        },
    }
}

/// Step 8: Append on the record's table, AppendTo and Read on every table pointed at.
///
/// # Errors
/// `PrivilegeDenied`.
pub fn require(work: &Work<'_>, table: &TableDefinition, lookups: &[SetLookup]) -> Result<()> {
    if lookups.is_empty() {
        return Ok(());
    }
    work.require(table, requirements::APPEND)?;
    for lookup in lookups {
        if guarded(&lookup.table) {
            work.require(&lookup.table, requirements::APPEND_TO)?;
        }
    }
    Ok(())
}

/// Step 10 on the record itself: Append.
///
/// # Errors
/// `unManagedIdsAccessDenied`.
pub fn access(
    work: &Work<'_>,
    table: &TableDefinition,
    facts: &RecordFacts<'_>,
    lookups: &[SetLookup],
) -> Result<()> {
    if lookups.is_empty() {
        return Ok(());
    }
    work.access_facts(table, facts, requirements::APPEND)
}

/// Steps 9 and 10 on each record that `table`'s lookups point at: it exists, and AppendTo and Read
/// reach it.
///
/// # Errors
/// `ObjectDoesNotExist` or the table's own refusal of a missing record (BU-3),
/// `unManagedIdsAccessDenied`.
pub fn check_references(
    work: &Work<'_>,
    table: &TableDefinition,
    lookups: &[SetLookup],
) -> Result<()> {
    for lookup in lookups {
        let Some(id) = lookup.id else { continue };
        let record = work
            .find(&lookup.table, id)?
            .ok_or_else(|| tables::missing_reference(table, &lookup.table, id))?;
        if guarded(&lookup.table) {
            work.access(&lookup.table, id, &record, requirements::APPEND_TO)?;
        }
    }
    Ok(())
}

/// Whether the table has privileges of its own (PR-2).
fn guarded(table: &TableDefinition) -> bool {
    table.ownership() != orgservice_security::TableOwnership::None
}
