//! What is special about some tables: rules and follow-up rows beside the generic operation.
//!
//! One file per table. The generic operations ask `before_*` at step 11 of `security.md` 12 and call
//! `after_*` once the record is written; both run in the request's transaction, so a refusal of
//! either leaves nothing behind.

pub mod activity;
pub mod administrators;
pub mod business_unit;
pub mod links;
pub mod principal;
pub mod role;
pub mod rows;
pub mod team;
pub mod user;

use orgservice_security::BusinessUnitId;
use uuid::Uuid;

use super::{Work, missing};
use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::{OneToMany, TableDefinition},
    storage::record::Record,
};

/// The tables with rules of their own.
enum Special {
    Activity,
    BusinessUnit,
    Role,
    Team,
    User,
}

fn special(table: &TableDefinition) -> Option<Special> {
    match &*table.logical_name {
        business_unit::BUSINESS_UNIT => Some(Special::BusinessUnit),
        role::ROLE => Some(Special::Role),
        team::TEAM => Some(Special::Team),
        user::USER => Some(Special::User),
        _ => table.is_activity.then_some(Special::Activity),
    }
}

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

/// The business unit of a record to be, where the client named none: the root for a user (U-1), the
/// subject's own for a team or role. `None` for tables whose records have none of their own choice.
pub fn default_business_unit(work: &Work<'_>, table: &TableDefinition) -> Option<Uuid> {
    let directory = work.directory();
    let of_subject = || {
        directory
            .user(work.subject())
            .map(|user| user.business_unit)
    };
    let unit: Option<BusinessUnitId> = match special(table)? {
        Special::User => directory.root_unit().map(|unit| unit.id),
        Special::Team | Special::Role => of_subject(),
        Special::BusinessUnit | Special::Activity => None,
    };
    unit.map(|unit| unit.0)
}

/// The refusal of a lookup to a record that is not there: `ObjectDoesNotExist`, but for the parent
/// of a business unit (BU-3).
pub fn missing_reference(table: &TableDefinition, target: &TableDefinition, id: Uuid) -> Fault {
    match (special(table), special(target)) {
        (Some(Special::BusinessUnit), Some(Special::BusinessUnit)) => {
            business_unit::parent_missing(id)
        }
        _ => missing(&target.logical_name, id),
    }
}

/// Whether a rule of their own (BU-5) decides about the records of this relationship when a business
/// unit goes, in place of what the relationship says: units below it, users, teams and roles.
pub fn has_own_delete_rule(relationship: &OneToMany) -> bool {
    let inside = [
        business_unit::BUSINESS_UNIT,
        user::USER,
        team::TEAM,
        role::ROLE,
    ];
    *relationship.referenced == *business_unit::BUSINESS_UNIT
        && inside.contains(&&*relationship.referencing)
}

/// Rules and defaults before a record is created: step 11 of `security.md` 12.
///
/// # Errors
/// The table's own refusals.
pub fn before_create(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &mut Record,
) -> Result<()> {
    match special(table) {
        Some(Special::Activity) => activity::before_create(table, record),
        Some(Special::BusinessUnit) => business_unit::before_create(work, table, record),
        Some(Special::Role) => role::before_create(work, table, id, record),
        Some(Special::Team) => team::before_create(work, table, id, record),
        Some(Special::User) => user::before_create(work, table, id, record),
        None => Ok(()),
    }
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
    match special(table) {
        Some(Special::Activity) => activity::after_create(work, table, id, record),
        Some(Special::BusinessUnit) => business_unit::after_create(work, table, id, record),
        Some(Special::Role) => role::after_create(work, id, record),
        Some(Special::User) => user::after_create(work, id, record),
        Some(Special::Team) | None => Ok(()),
    }
}

/// Rules before a record changes: step 11 of `security.md` 12.
///
/// # Errors
/// The table's own refusals.
pub fn before_update(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    match special(table) {
        Some(Special::BusinessUnit) => business_unit::before_update(work, table, id, before, after),
        Some(Special::Role) => role::before_update(work, id),
        Some(Special::Team) => team::before_update(work, table, id, before, after),
        Some(Special::User) => user::before_update(work, table, id, before, after),
        Some(Special::Activity) | None => Ok(()),
    }
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
    match special(table) {
        Some(Special::Activity) => activity::after_update(work, table, id, after),
        Some(Special::BusinessUnit) => business_unit::after_update(work, table, id, before, after),
        Some(Special::Role) => role::after_update(work, table, id, before, after),
        Some(Special::Team) => team::after_update(work, id, before, after),
        Some(Special::User) => user::after_update(work, id, before, after),
        None => Ok(()),
    }
}

/// Rules before a record goes: step 11 of `security.md` 12.
///
/// # Errors
/// The table's own refusals.
pub fn require_deletable(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    match special(table) {
        Some(Special::BusinessUnit) => business_unit::require_deletable(work, table, id, record),
        Some(Special::Role) => role::before_delete(work, id),
        Some(Special::Team) => team::before_delete(work, id),
        // Users are disabled, never deleted (DE-4).
        Some(Special::Activity | Special::User) | None => Ok(()),
    }
}

/// What goes before the record it belongs to.
///
/// # Errors
/// What the store says.
pub fn before_delete(work: &mut Work<'_>, table: &TableDefinition, id: Uuid) -> Result<()> {
    match special(table) {
        Some(Special::BusinessUnit) => business_unit::before_delete(work, id),
        _ => Ok(()),
    }
}

/// Follow-up rows that go with a record.
///
/// # Errors
/// What the store says.
pub fn after_delete(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    _record: &Record,
) -> Result<()> {
    match special(table) {
        Some(Special::Activity) => activity::after_delete(work, id),
        Some(Special::Role) => role::after_delete(work, table, id),
        Some(Special::Team) => team::after_delete(work, id),
        Some(Special::BusinessUnit | Special::User) | None => Ok(()),
    }
}
