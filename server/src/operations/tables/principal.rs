//! What users and teams have in common: the records they own, the roles they hold, the shares they
//! were given.

use std::{collections::BTreeSet, sync::Arc};

use orgservice_security::{BusinessUnitId, Owner, Privilege, TeamId, UserId};
use uuid::Uuid;

use super::{links, rows};
use crate::{
    directory::{Directory, Role},
    fault::Result,
    limits,
    metadata::TableDefinition,
    operations::{Work, create, missing, stored_owner, user_owned},
    storage::{Direction, keys, record::RowOwnership},
};

/// Every table whose records have owners, the shared rows of activities among them.
pub fn owned_tables(work: &Work<'_>) -> Vec<Arc<TableDefinition>> {
    work.definitions()
        .tables()
        .filter(|table| user_owned(table))
        .cloned()
        .collect()
}

/// Whether a user or team owns any record (T-5).
///
/// # Errors
/// What the store says.
pub fn owns_anything(work: &Work<'_>, owner: Owner) -> Result<bool> {
    for table in owned_tables(work) {
        let range = keys::by_owner_range(table.code.0, owner.uuid());
        if let Some((key, value)) = work.view().scan(&range, Direction::Forward, 1)?.first()
            && RowOwnership::decode(key, value)?.owner == Some(stored_owner(owner))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The records of one table that an owner has in the units that `wanted` accepts; at most one more
/// than a request may change.
///
/// # Errors
/// What the store says.
pub fn owned_records(
    work: &Work<'_>,
    table: &TableDefinition,
    owner: Owner,
    wanted: impl Fn(Option<Uuid>) -> bool,
) -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    work.scan_all(
        keys::by_owner_range(table.code.0, owner.uuid()),
        |key, value| {
            let row = RowOwnership::decode(key, value)?;
            let owned = row.owner == Some(stored_owner(owner));
            if owned && wanted(row.business_unit) && ids.len() <= limits::CASCADE_ROWS_MAX {
                ids.push(keys::parse_by_owner(key)?.id);
            }
            Ok(())
        },
    )?;
    Ok(ids)
}

/// U-2 for a user or team that has been given another business unit: the roles of the old one go,
/// and its records follow, each unless the organization's settings say otherwise.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn follow_unit(work: &mut Work<'_>, owner: Owner, unit: Uuid) -> Result<()> {
    let organization = work.directory().organization();
    let (keep_roles, move_records) = (
        organization.keep_roles_on_business_unit_change,
        organization.move_records_with_owner,
    );
    if !keep_roles {
        links::unlink_left(work, roles_of(owner), owner.uuid())?;
    }
    if !move_records {
        return Ok(());
    }
    for table in owned_tables(work) {
        for id in owned_records(work, &table, owner, |current| current != Some(unit))? {
            work.count_cascaded()?;
            let before = work.load(&table, id)?;
            let mut after = before.clone();
            after.business_unit = Some(unit);
            rows::change(work, &table, id, &before, after)?;
        }
    }
    Ok(())
}

/// SH-9: shares given to a deleted team go with it.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn drop_shares(work: &mut Work<'_>, principal: Uuid) -> Result<()> {
    let mut shares = Vec::new();
    work.scan_all(keys::shared_with_principal_range(principal), |key, _| {
        if shares.len() <= limits::CASCADE_ROWS_MAX {
            shares.push(keys::parse_shared_with(key)?);
        }
        Ok(())
    })?;
    for share in shares {
        work.count_cascaded()?;
        let code = orgservice_security::ObjectTypeCode(share.otc);
        if let Some(table) = work.definitions().table_by_code(code).cloned() {
            work.put_share(&table, share.id, principal, None)?;
        }
    }
    Ok(())
}

/// Users, teams and the organization are principals of shares and owners of records by their id
/// alone, so no two of them have the same one, whatever table they are in.
///
/// # Errors
/// `DuplicateRecord` when a client chose the id of another principal.
pub fn require_own_id(work: &Work<'_>, table: &TableDefinition, id: Uuid) -> Result<()> {
    let directory = work.directory();
    let taken = directory.user(UserId(id)).is_some()
        || directory.team(TeamId(id)).is_some()
        || directory.organization().id == id;
    if taken {
        Err(create::duplicate(table, id))
    } else {
        Ok(())
    }
}

/// The relationship that gives roles to this kind of principal.
pub fn roles_of(owner: Owner) -> &'static str {
    match owner {
        Owner::User(_) => links::USER_ROLES,
        Owner::Team(_) => links::TEAM_ROLES,
    }
}

/// A business unit that has to exist.
///
/// # Errors
/// `ObjectDoesNotExist`.
pub fn require_unit(work: &Work<'_>, unit: Option<Uuid>) -> Result<BusinessUnitId> {
    let unit = BusinessUnitId(unit.unwrap_or_default());
    match work.directory().unit(unit) {
        Some(_) => Ok(unit),
        None => Err(missing("businessunit", unit.0)),
    }
}

/// Every privilege that some roles contain: what their holder gains.
pub fn privileges_of_roles<'d>(
    directory: &Directory,
    roles: impl IntoIterator<Item = &'d Arc<Role>>,
) -> BTreeSet<Privilege> {
    roles
        .into_iter()
        .filter_map(|role| directory.role_privileges(role.id))
        .flat_map(|privileges| privileges.keys().copied())
        .collect()
}

/// Every privilege that a user has from any role, whatever its access mode lets count: what taking
/// over its account would give.
pub fn privileges_of_user(
    directory: &Directory,
    user: orgservice_security::UserId,
) -> BTreeSet<Privilege> {
    let by_team = directory
        .teams_of(user)
        .filter(|team| team.kind.owns())
        .flat_map(|team| directory.roles_of_team(team.id));
    privileges_of_roles(directory, directory.roles_of_user(user).chain(by_team))
}
