//! Business units: one tree, one default team each, roles inherited downwards (BU-*, T-3, R-1).

use orgservice_security::{BusinessUnitId, Owner};
use uuid::Uuid;

use super::{
    administrators, principal, role, rows,
    team::{self, TEAM},
};
use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::TableDefinition,
    model::Value,
    operations::{Work, related},
    storage::{Direction, KeyRange, keys, record::Record},
};

pub(super) const BUSINESS_UNIT: &str = "businessunit";
const PARENT: &str = "parentbusinessunitid";
const DISABLED: &str = "isdisabled";

/// `ParentBusinessDoesNotExist`: a unit cannot hang below one that is not there (BU-3).
pub fn parent_missing(parent: Uuid) -> Fault {
    Fault::new(
        FaultCode::ParentBusinessDoesNotExist,
        format!("the parent business unit {parent} does not exist"),
    )
    .record(BUSINESS_UNIT, parent)
}

/// BU-1, BU-3. The root itself is made at initialization only.
pub(super) fn before_create(
    work: &Work<'_>,
    table: &TableDefinition,
    record: &Record,
) -> Result<()> {
    require_parent(work, table, record)
}

/// The unit's default team and its copies of the parent's roles.
pub(super) fn after_create(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    create_default_team(work, BusinessUnitId(id), rows::text(table, record, "name"))?;
    role::follow_parent(work, BusinessUnitId(id))
}

/// BU-1, BU-3, BU-4.
pub(super) fn before_update(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    if rows::changed(table, before, after, PARENT) {
        require_parent(work, table, after)?;
        related::refuse_loop(work, table, id, Some(before), after)?;
    }
    if !rows::flag(table, before, DISABLED) && rows::flag(table, after, DISABLED) {
        require_may_be_disabled(work, BusinessUnitId(id))?;
    }
    Ok(())
}

/// A unit that got another parent inherits other roles, and so does everything below it.
///
/// The subtree itself is computed from the tree, and records keep their owning unit (BU-2).
pub(super) fn after_update(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    if !rows::changed(table, before, after, PARENT) {
        return Ok(());
    }
    for unit in work.directory().tree().subtree(BusinessUnitId(id)).to_vec() {
        role::follow_parent(work, unit)?;
    }
    Ok(())
}

/// BU-5.
pub(super) fn require_deletable(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    let unit = BusinessUnitId(id);
    if !rows::flag(table, record, DISABLED) {
        return Err(refusal(
            FaultCode::BusinessUnitIsNotDisabledAndCannotBeDeleted,
            unit,
            "is not disabled",
        ));
    }
    if work.directory().tree().subtree(unit).len() > 1 {
        return Err(refusal(
            FaultCode::BusinessUnitHasChildAndCannotBeDeleted,
            unit,
            "has business units below it",
        ));
    }
    let default_team = work.directory().default_team(unit).map(|team| team.id);
    if let Some(team) = default_team
        && principal::owns_anything(work, Owner::Team(team))?
    {
        return Err(refusal(
            FaultCode::BusinessUnitDefaultTeamOwnsRecords,
            unit,
            "has a default team that owns records",
        ));
    }
    require_nothing_inside(work, unit)
}

/// What the unit has of its own accord goes: its default team and its role copies.
pub(super) fn before_delete(work: &mut Work<'_>, id: Uuid) -> Result<()> {
    let unit = BusinessUnitId(id);
    let default_team = work.directory().default_team(unit).map(|team| team.id);
    role::remove_copies_in(work, unit)?;
    if let Some(team) = default_team {
        team::remove_default(work, team)?;
    }
    Ok(())
}

/// T-3: the owner team that holds exactly the users of a unit; without members yet.
///
/// # Errors
/// What the store says.
pub fn create_default_team(work: &mut Work<'_>, unit: BusinessUnitId, name: &str) -> Result<()> {
    let table = rows::shipped(work, TEAM)?;
    let id = work.new_id();
    let values = [
        ("name", Value::from(name)),
        ("teamtype", Value::OptionSet(team::OWNER_KIND)),
        ("isdefault", Value::Boolean(true)),
    ];
    rows::create(work, &table, id, Some(unit.0), values)?;
    Ok(())
}

fn require_parent(work: &Work<'_>, table: &TableDefinition, record: &Record) -> Result<()> {
    let Some(parent) = rows::id(table, record, PARENT) else {
        return Err(Fault::new(
            FaultCode::MultipleOrganizationsNotAllowed,
            "a business unit other than the root needs a parent",
        )
        .detail("table", BUSINESS_UNIT)
        .detail("column", PARENT));
    };
    match work.directory().unit(BusinessUnitId(parent)) {
        Some(_) => Ok(()),
        None => Err(parent_missing(parent)),
    }
}

/// BU-4.
fn require_may_be_disabled(work: &Work<'_>, unit: BusinessUnitId) -> Result<()> {
    let directory = work.directory();
    if directory
        .unit(unit)
        .is_some_and(|unit| unit.parent.is_none())
    {
        let code = FaultCode::RootBusinessUnitCannotBeDisabled;
        return Err(refusal(code, unit, "is the root"));
    }
    let tree = directory.tree();
    administrators::require_one_left(
        directory,
        FaultCode::BusinessUnitCannotBeDisabled,
        |holding| {
            !tree.contains(unit, holding.user.business_unit)
                && holding.team.is_none_or(|team| team.business_unit != unit)
        },
    )
    .map_err(|fault| fault.record(BUSINESS_UNIT, unit.0))
}

/// Business unit look-ups restrict (`messages.md` 7), but for what goes with the unit by BU-5.
fn require_nothing_inside(work: &Work<'_>, unit: BusinessUnitId) -> Result<()> {
    let inside = |table: &TableDefinition| keys::by_business_unit_range(table.code.0, unit.0);
    let occupied = |range: KeyRange| -> Result<bool> {
        Ok(!work.view().scan(&range, Direction::Forward, 1)?.is_empty())
    };
    for table in [rows::shipped(work, super::user::USER)?]
        .into_iter()
        .chain(principal::owned_tables(work))
    {
        if occupied(inside(&table))? {
            return Err(still_used(unit, &table.logical_name));
        }
    }
    let directory = work.directory();
    if directory
        .teams()
        .any(|team| team.business_unit == unit && !team.is_default)
    {
        return Err(still_used(unit, TEAM));
    }
    if directory
        .roles()
        .any(|role| role.business_unit == unit && role.is_root())
    {
        return Err(still_used(unit, role::ROLE));
    }
    Ok(())
}

fn still_used(unit: BusinessUnitId, table: &str) -> Fault {
    Fault::new(
        FaultCode::CannotDeleteDueToAssociation,
        format!("records of `{table}` belong to business unit {unit}"),
    )
    .record(BUSINESS_UNIT, unit.0)
    .detail("referencingTable", table)
}

fn refusal(code: FaultCode, unit: BusinessUnitId, what: &str) -> Fault {
    Fault::new(code, format!("business unit {unit} {what}")).record(BUSINESS_UNIT, unit.0)
}
