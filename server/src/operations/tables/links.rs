//! Memberships and role assignments: the many-to-many relationships that rights follow from.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    fault::{Fault, Result},
    metadata::{ManyToMany, RelationshipDefinition},
    operations::{Work, associate},
    storage::{KeyRange, keys},
};

/// Teams (left) and their members (right).
pub const TEAM_MEMBERSHIP: &str = "teammembership_association";
/// Users (left) and the roles given to them (right).
pub const USER_ROLES: &str = "systemuserroles_association";
/// Teams (left) and the roles given to them (right).
pub const TEAM_ROLES: &str = "teamroles_association";
/// Root roles (left) and the privileges they contain (right).
pub const ROLE_PRIVILEGES: &str = "roleprivileges_association";

/// Joins two records; false when they were already joined.
///
/// # Errors
/// What the store says.
pub fn link(work: &mut Work<'_>, relationship: &str, left: Uuid, right: Uuid) -> Result<bool> {
    let definition = definition(work, relationship)?;
    associate::link(work, joined(&definition)?, left, right)
}

/// Parts two records; false when they were not joined.
///
/// # Errors
/// What the store says.
pub fn unlink(work: &mut Work<'_>, relationship: &str, left: Uuid, right: Uuid) -> Result<bool> {
    let definition = definition(work, relationship)?;
    associate::unlink(work, joined(&definition)?, left, right)
}

/// What is joined to a record of the left side.
///
/// # Errors
/// What the store says.
pub fn of_left(work: &Work<'_>, relationship: &str, left: Uuid) -> Result<Vec<Uuid>> {
    let definition = definition(work, relationship)?;
    let range = keys::link_range(joined(&definition)?.number, left);
    others(work, range, |key| Ok(keys::parse_link(key)?.2))
}

/// What is joined to a record of the right side.
///
/// # Errors
/// What the store says.
pub fn of_right(work: &Work<'_>, relationship: &str, right: Uuid) -> Result<Vec<Uuid>> {
    let definition = definition(work, relationship)?;
    let range = keys::link_reverse_range(joined(&definition)?.number, right);
    others(work, range, |key| Ok(keys::parse_link_reverse(key)?.2))
}

/// Parts a record of the left side from everything it is joined to.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn unlink_left(work: &mut Work<'_>, relationship: &str, left: Uuid) -> Result<()> {
    for right in of_left(work, relationship, left)? {
        work.count_cascaded()?;
        unlink(work, relationship, left, right)?;
    }
    Ok(())
}

/// Parts a record of the right side from everything it is joined to.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn unlink_right(work: &mut Work<'_>, relationship: &str, right: Uuid) -> Result<()> {
    for left in of_right(work, relationship, right)? {
        work.count_cascaded()?;
        unlink(work, relationship, left, right)?;
    }
    Ok(())
}

fn others(
    work: &Work<'_>,
    range: KeyRange,
    other: impl Fn(&[u8]) -> Result<Uuid, crate::storage::StorageError>,
) -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    work.scan_all(range, |key, _| {
        ids.push(other(key)?);
        Ok(())
    })?;
    Ok(ids)
}

/// A many-to-many relationship that every organization has.
///
/// # Errors
/// `UnExpected` when it has not.
pub fn definition(work: &Work<'_>, relationship: &str) -> Result<Arc<RelationshipDefinition>> {
    work.definitions()
        .relationship(relationship)
        .cloned()
        .ok_or_else(|| not_shipped(relationship))
}

/// The same as what it is.
///
/// # Errors
/// `UnExpected` for a relationship that is a lookup.
pub fn joined(definition: &RelationshipDefinition) -> Result<&ManyToMany> {
    match definition {
        RelationshipDefinition::ManyToMany(joined) => Ok(joined),
        RelationshipDefinition::OneToMany(one) => Err(not_shipped(&one.schema_name)),
    }
}

fn not_shipped(relationship: &str) -> Fault {
    Fault::unexpected(format!(
        "`{relationship}` is no shipped many-to-many relationship"
    ))
}
