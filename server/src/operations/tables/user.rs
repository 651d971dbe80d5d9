//! Users: their business unit, their identity and the accounts nobody may touch (U-*, R-6).

use orgservice_security::{AccessMode, BusinessUnitId, Owner, UserId};
use uuid::Uuid;

use super::{administrators, links, principal, rows};
use crate::{
    directory::User,
    fault::{Fault, FaultCode, Result},
    metadata::TableDefinition,
    model::Value,
    operations::{Work, missing},
    storage::record::Record,
};

pub(in crate::operations) const USER: &str = "systemuser";
const ACCESS_MODE: &str = "accessmode";
const DISABLED: &str = "isdisabled";
const DOMAIN_NAME: &str = "domainname";

/// The columns that tie a login to an account; each names one user at most.
const IDENTITY: [&str; 3] = ["azureactivedirectoryobjectid", "applicationid", DOMAIN_NAME];

/// U-1, U-3, and one user per login.
pub(super) fn before_create(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    principal::require_own_id(work, table, id)?;
    let unit = principal::require_unit(work, record.business_unit)?;
    require_may_admit(work, unit)?;
    require_open_mode(table, record)?;
    for column in IDENTITY {
        require_unique(work, table, id, record, column)?;
    }
    Ok(())
}

/// A user is in the default team of its unit (T-3).
pub(super) fn after_create(work: &mut Work<'_>, id: Uuid, record: &Record) -> Result<()> {
    let unit = BusinessUnitId(record.business_unit.unwrap_or_default());
    join_default_team(work, UserId(id), unit)
}

/// U-3, U-4, U-6, R-6, and one user per login.
pub(super) fn before_update(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    let changed = |column: &str| rows::changed(table, before, after, column);
    let user = work
        .directory()
        .user(UserId(id))
        .ok_or_else(|| missing(USER, id))?;
    require_modifiable(user)?;
    let moves = before.business_unit != after.business_unit;
    if moves || changed(ACCESS_MODE) || IDENTITY.into_iter().any(changed) {
        work.require_all(principal::privileges_of_user(work.directory(), user.id))?;
    }
    if changed(ACCESS_MODE) {
        require_open_mode(table, after)?;
        require_may_change_mode(work, table, user, after)?;
    }
    if rows::flag(table, after, DISABLED) && !user.disabled {
        require_other_administrator(work, user, FaultCode::CannotDisableSysAdmin)?;
    }
    if moves {
        let unit = principal::require_unit(work, after.business_unit)?;
        require_may_admit(work, unit)?;
        require_may_move(work, user, unit)?;
    }
    for column in IDENTITY.into_iter().filter(|column| changed(column)) {
        require_unique(work, table, id, after, column)?;
    }
    Ok(())
}

/// U-2: roles, default team and records follow a user into another business unit.
pub(super) fn after_update(
    work: &mut Work<'_>,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    let (Some(from), Some(to)) = (before.business_unit, after.business_unit) else {
        return Ok(());
    };
    if from == to {
        return Ok(());
    }
    let old_team = work
        .directory()
        .default_team(BusinessUnitId(from))
        .map(|team| team.id);
    if let Some(team) = old_team {
        links::unlink(work, links::TEAM_MEMBERSHIP, team.0, id)?;
    }
    join_default_team(work, UserId(id), BusinessUnitId(to))?;
    principal::follow_unit(work, Owner::User(UserId(id)), to)
}

/// U-6: SYSTEM and INTEGRATION stay as they are.
///
/// # Errors
/// `CannotModifySpecialUser`.
pub fn require_modifiable(user: &User) -> Result<()> {
    if user.is_built_in() {
        return Err(Fault::new(
            FaultCode::CannotModifySpecialUser,
            format!("the built-in user `{}` cannot be changed", user.full_name),
        )
        .record(USER, user.id.0));
    }
    Ok(())
}

/// Makes a user a member of the default team of a unit.
///
/// # Errors
/// What the store says.
pub fn join_default_team(work: &mut Work<'_>, user: UserId, unit: BusinessUnitId) -> Result<()> {
    match work.directory().default_team(unit).map(|team| team.id) {
        Some(team) => links::link(work, links::TEAM_MEMBERSHIP, team.0, user.0).map(|_| ()),
        None => Err(Fault::unexpected(format!(
            "business unit {unit} has no default team"
        ))),
    }
}

fn mode(table: &TableDefinition, record: &Record) -> AccessMode {
    rows::option(table, record, ACCESS_MODE)
        .and_then(AccessMode::from_number)
        .unwrap_or(AccessMode::ReadWrite)
}

/// U-3: two modes are made at initialization only.
fn require_open_mode(table: &TableDefinition, record: &Record) -> Result<()> {
    if !matches!(
        mode(table, record),
        AccessMode::SupportUser | AccessMode::DelegatedAdmin
    ) {
        return Ok(());
    }
    Err(Fault::invalid_argument(
        format!("target.attributes[{ACCESS_MODE}]"),
        "this access mode is reserved",
    )
    .detail("table", USER)
    .detail("column", ACCESS_MODE))
}

/// U-4.
fn require_may_change_mode(
    work: &Work<'_>,
    table: &TableDefinition,
    user: &User,
    after: &Record,
) -> Result<()> {
    let new = mode(table, after);
    if new == AccessMode::Read && user.id == work.subject() {
        return Err(Fault::new(
            FaultCode::CannotMakeSelfReadOnlyUser,
            "nobody can make himself a read-only user",
        )
        .record(USER, user.id.0));
    }
    if new == AccessMode::ReadWrite {
        return Ok(());
    }
    require_other_administrator(work, user, FaultCode::CannotMakeReadOnlyUser)
}

/// whoever brings a user into a unit makes it a member of the default team, and that team may
/// hold roles (T-3).
fn require_may_admit(work: &Work<'_>, unit: BusinessUnitId) -> Result<()> {
    let directory = work.directory();
    let Some(team) = directory.default_team(unit) else {
        return Ok(());
    };
    let roles = directory.roles_of_team(team.id);
    work.require_all(principal::privileges_of_roles(directory, roles))
}

/// U-4 for a move: direct roles and the old default team are lost unless the roles are kept, and in
/// a disabled unit everything is.
fn require_may_move(work: &Work<'_>, user: &User, to: BusinessUnitId) -> Result<()> {
    let directory = work.directory();
    if !directory.is_system_administrator(user.id) {
        return Ok(());
    }
    let keep_roles = directory.organization().keep_roles_on_business_unit_change;
    let can_act = directory.unit_enabled(to);
    let old_team = directory
        .default_team(user.business_unit)
        .map(|team| team.id);
    let code = FaultCode::CannotRemoveFromSysAdmin;
    administrators::require_one_left(directory, code, |holding| {
        holding.user.id != user.id
            || can_act
                && match holding.team {
                    None => keep_roles,
                    Some(team) => Some(team.id) != old_team,
                }
    })
    .map_err(|fault| fault.record(USER, user.id.0))
}

fn require_other_administrator(work: &Work<'_>, user: &User, code: FaultCode) -> Result<()> {
    let directory = work.directory();
    if !directory.is_system_administrator(user.id) {
        return Ok(());
    }
    administrators::require_one_left(directory, code, |holding| holding.user.id != user.id)
        .map_err(|fault| fault.record(USER, user.id.0))
}

/// A login belongs to one user. Names are compared without case.
fn require_unique(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
    column: &str,
) -> Result<()> {
    let Some(value) = rows::value(table, record, column) else {
        return Ok(());
    };
    for other in rows::with_value(work, table, column, value)? {
        if other == id {
            continue;
        }
        let theirs = work.find(table, other)?;
        let theirs = theirs
            .as_ref()
            .and_then(|theirs| rows::value(table, theirs, column));
        if theirs.is_some_and(|theirs| same_login(theirs, value)) {
            return Err(Fault::new(
                FaultCode::DuplicateRecord,
                format!("`{column}` belongs to another user already"),
            )
            .detail("table", USER)
            .detail("column", column));
        }
    }
    Ok(())
}

fn same_login(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            a.trim_end().to_lowercase() == b.trim_end().to_lowercase()
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_the_same_without_regard_to_case_but_to_accents() {
        let same = |a: &str, b: &str| same_login(&Value::from(a), &Value::from(b));
        assert!(same("Ann@Example.com", "ann@example.COM"));
        assert!(!same("jose@example.com", "josé@example.com"));
        assert!(same_login(
            &Value::Guid(Uuid::max()),
            &Value::Guid(Uuid::max())
        ));
        assert!(!same_login(
            &Value::Guid(Uuid::max()),
            &Value::Guid(Uuid::nil())
        ));
    }
}
