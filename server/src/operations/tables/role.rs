//! Roles: a root role with its privileges, and a copy of it in every unit below.

use std::{collections::BTreeMap, sync::Arc};

use orgservice_security::{BusinessUnitId, PrivilegeDepth, RoleId};
use uuid::Uuid;

use super::{administrators::is_administrator_role, links, principal, rows};
use crate::{
    directory::Role,
    fault::{Fault, FaultCode, Result},
    metadata::{PrivilegeDefinition, TableDefinition},
    model::Value,
    operations::{Work, associate, missing},
    storage::{keys, record::Record},
};

pub(in crate::operations) const ROLE: &str = "role";
const ROOT: &str = "parentrootroleid";
const PARENT: &str = "parentroleid";
const TEMPLATE: &str = "roletemplateid";

/// What a copy has in common with its root.
const SHARED: [&str; 3] = ["name", "isinherited", "iscustomizable"];

/// a role that a client makes is a root role.
pub(super) fn before_create(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &mut Record,
) -> Result<()> {
    principal::require_unit(work, record.business_unit)?;
    rows::set(table, record, ROOT, rows::reference(ROLE, id))
}

/// A copy in every unit below.
pub(super) fn after_create(work: &mut Work<'_>, id: Uuid, record: &Record) -> Result<()> {
    let unit = BusinessUnitId(record.business_unit.unwrap_or_default());
    copy_down(work, RoleId(id), unit)
}

///
pub(super) fn before_update(work: &Work<'_>, id: Uuid) -> Result<()> {
    require_editable(work, RoleId(id)).map(|_| ())
}

/// Copies never differ from their root.
pub(super) fn after_update(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    if !SHARED
        .iter()
        .any(|column| rows::changed(table, before, after, column))
    {
        return Ok(());
    }
    for copy in copies_of(work, RoleId(id)) {
        work.count_cascaded()?;
        let stored = work.load(table, copy.0)?;
        let mut record = stored.clone();
        for column in SHARED {
            let value = rows::value(table, after, column)
                .cloned()
                .unwrap_or(Value::Null);
            rows::set(table, &mut record, column, value)?;
        }
        rows::change(work, table, copy.0, &stored, record)?;
    }
    Ok(())
}

///
pub(super) fn before_delete(work: &Work<'_>, id: Uuid) -> Result<()> {
    let role = known(work, RoleId(id))?;
    if is_administrator_role(role) {
        return Err(refusal(
            FaultCode::CannotDeleteSysAdmin,
            role,
            "cannot be deleted",
        ));
    }
    if !role.is_root() {
        let what = "is a copy and goes with its root role only";
        return Err(refusal(FaultCode::InheritedRoleNotDeletable, role, what));
    }
    Ok(())
}

/// Copies and their assignments go with their root role, whose own links have gone already.
pub(super) fn after_delete(work: &mut Work<'_>, table: &TableDefinition, id: Uuid) -> Result<()> {
    for copy in copies_of(work, RoleId(id)) {
        remove_copy(work, table, copy)?;
    }
    Ok(())
}

/// A root role whose privileges and columns may be changed.
///
/// # Errors
/// `ObjectDoesNotExist`, `CannotModifySysAdmin`, `unManagedidsrolesinvalidroledata`.
pub fn require_editable<'w>(work: &'w Work<'_>, id: RoleId) -> Result<&'w Arc<Role>> {
    let role = known(work, id)?;
    if is_administrator_role(role) {
        return Err(refusal(
            FaultCode::CannotModifySysAdmin,
            role,
            "cannot be changed",
        ));
    }
    if !role.is_root() {
        let what = "is a copy: change its root role";
        return Err(refusal(FaultCode::InheritedRoleNotEditable, role, what));
    }
    Ok(role)
}

/// Puts a privilege into a root role at a depth, or changes the depth it has there.
///
/// # Errors
/// What the store says.
pub fn put_privilege(
    work: &mut Work<'_>,
    role: RoleId,
    privilege: &PrivilegeDefinition,
    depth: PrivilegeDepth,
) -> Result<()> {
    let present = work
        .directory()
        .role_privileges(role)
        .and_then(|contained| contained.get(&privilege.privilege).copied());
    if present.is_some_and(|(present, _)| present == depth) {
        return Ok(());
    }
    let definition = links::definition(work, links::ROLE_PRIVILEGES)?;
    let joined = links::joined(&definition)?;
    let table = rows::shipped(work, &joined.intersect)?;
    let id = present.map_or_else(|| work.new_id(), |(_, id)| id);
    let before = work.find(&table, id)?;
    let mut record = before.clone().unwrap_or_default();
    rows::set(&table, &mut record, "roleid", role.0)?;
    rows::set(&table, &mut record, "privilegeid", privilege.id)?;
    rows::set(&table, &mut record, "privilegedepthmask", depth.mask())?;
    match before {
        Some(before) => work.put(&table, id, Some(&before), record).map(|_| ()),
        None => associate::link_row(work, joined, role.0, privilege.id, &table, id, record),
    }
}

/// Brings the roles of a unit in line with those of its parent: what the parent has got a copy
/// below, what it no longer has goes with its assignments.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn follow_parent(work: &mut Work<'_>, unit: BusinessUnitId) -> Result<()> {
    let Some(parent) = work.directory().tree().parent(unit) else {
        return Ok(());
    };
    let table = rows::shipped(work, ROLE)?;
    let above = roles_in(work, &table, parent)?;
    let mut here = roles_in(work, &table, unit)?;
    for (root, source) in above {
        match here.remove(&root) {
            None => {
                create_copy(work, &table, unit, source.id)?;
            }
            Some(copy) if copy.parent != Some(source.id) => {
                work.count_cascaded()?;
                let before = work.load(&table, copy.id.0)?;
                let mut after = before.clone();
                rows::set(
                    &table,
                    &mut after,
                    PARENT,
                    rows::reference(ROLE, source.id.0),
                )?;
                rows::change(work, &table, copy.id.0, &before, after)?;
            }
            Some(_) => {}
        }
    }
    for copy in here.values().filter(|role| !role.is_root()) {
        remove_copy(work, &table, copy.id)?;
    }
    Ok(())
}

/// Removes the role copies of a unit that is about to go.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn remove_copies_in(work: &mut Work<'_>, unit: BusinessUnitId) -> Result<()> {
    let table = rows::shipped(work, ROLE)?;
    for role in roles_in(work, &table, unit)?
        .values()
        .filter(|role| !role.is_root())
    {
        remove_copy(work, &table, role.id)?;
    }
    Ok(())
}

/// A copy of a new root role in every unit below its own.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn copy_down(work: &mut Work<'_>, root: RoleId, unit: BusinessUnitId) -> Result<()> {
    let table = rows::shipped(work, ROLE)?;
    let tree = Arc::clone(work.directory().tree());
    let mut role_of = BTreeMap::from([(unit, root)]);
    // Each unit stands before those below it, so a parent's copy is there when it is needed.
    for &below in tree.subtree(unit).iter().skip(1) {
        if let Some(source) = tree
            .parent(below)
            .and_then(|parent| role_of.get(&parent).copied())
        {
            role_of.insert(below, create_copy(work, &table, below, source)?);
        }
    }
    Ok(())
}

fn create_copy(
    work: &mut Work<'_>,
    table: &TableDefinition,
    unit: BusinessUnitId,
    source: RoleId,
) -> Result<RoleId> {
    work.count_cascaded()?;
    let original = work.load(table, source.0)?;
    let id = work.new_id();
    let taken_over = SHARED.into_iter().chain([ROOT, TEMPLATE]);
    let mut values: Vec<_> = taken_over
        .filter_map(|column| Some((column, rows::value(table, &original, column)?.clone())))
        .collect();
    values.push((PARENT, rows::reference(ROLE, source.0)));
    rows::create(work, table, id, Some(unit.0), values)?;
    Ok(RoleId(id))
}

fn remove_copy(work: &mut Work<'_>, table: &TableDefinition, copy: RoleId) -> Result<()> {
    work.count_cascaded()?;
    associate::unlink_all(work, table, copy.0)?;
    let record = work.load(table, copy.0)?;
    work.remove(table, copy.0, &record)
}

/// The roles and copies that live in a unit, by their root.
fn roles_in(
    work: &Work<'_>,
    table: &TableDefinition,
    unit: BusinessUnitId,
) -> Result<BTreeMap<RoleId, Arc<Role>>> {
    let mut ids = Vec::new();
    work.scan_all(
        keys::by_business_unit_range(table.code.0, unit.0),
        |key, _| {
            ids.push(RoleId(keys::parse_by_business_unit(key)?.id));
            Ok(())
        },
    )?;
    let directory = work.directory();
    let roles = ids.into_iter().filter_map(|id| directory.role(id));
    Ok(roles.map(|role| (role.root, Arc::clone(role))).collect())
}

fn copies_of(work: &Work<'_>, root: RoleId) -> Vec<RoleId> {
    let roles = work.directory().roles();
    roles
        .filter(|role| role.root == root && !role.is_root())
        .map(|role| role.id)
        .collect()
}

fn known<'w>(work: &'w Work<'_>, id: RoleId) -> Result<&'w Arc<Role>> {
    work.directory().role(id).ok_or_else(|| missing(ROLE, id.0))
}

fn refusal(code: FaultCode, role: &Role, what: &str) -> Fault {
    Fault::new(code, format!("role `{}` {what}", role.name)).record(ROLE, role.id.0)
}
