//! What is special about some tables: rules and follow-up rows beside the generic operation.

use uuid::Uuid;

use super::Work;
use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::TableDefinition,
    storage::record::Record,
};

/// A table that does not answer a message: `SdkEntityDoesNotSupportMessage`.
///
/// # Errors
/// That, unless `supported`.
pub fn require_message(table: &TableDefinition, message: &str, supported: bool) -> Result<()> {
    if supported {
        return Ok(());
    }
    Err(Fault::new(
        FaultCode::SdkEntityDoesNotSupportMessage,
        format!(
            "table `{}` does not support message `{message}`",
            table.logical_name
        ),
    )
    .detail("table", &table.logical_name)
    .detail("message", message))
}

/// The business unit of a record to be, where the client named none: BusinessOwned tables only.
pub fn default_business_unit(work: &Work<'_>, table: &TableDefinition) -> Option<Uuid> {
    let _ = (work, table);
    None
}

/// Rules and defaults before a record is created: step 11 of `security.md` 12.
///
/// # Errors
/// The table's own refusals.
pub fn before_create(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &mut Record,
) -> Result<()> {
    let _ = (work, table, id, record);
    Ok(())
}

/// Follow-up rows of a created record.
///
/// # Errors
/// What the store says.
pub fn after_create(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    let _ = (work, table, id, record);
    Ok(())
}

/// Rules before a record changes.
///
/// # Errors
/// The table's own refusals.
pub fn before_update(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    after: &mut Record,
) -> Result<()> {
    let _ = (work, table, id, before, after);
    Ok(())
}

/// Follow-up changes of a changed record.
///
/// # Errors
/// What the store says.
pub fn after_update(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    let _ = (work, table, id, before, after);
    Ok(())
}

/// Rules before a record goes.
///
/// # Errors
/// The table's own refusals.
pub fn before_delete(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    let _ = (work, table, id, record);
    Ok(())
}

/// Follow-up rows that go with a record.
///
/// # Errors
/// What the store says.
pub fn after_delete(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    let _ = (work, table, id, record);
    Ok(())
}
