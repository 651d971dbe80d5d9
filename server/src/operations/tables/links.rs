//! Memberships and role assignments: the many-to-many relationships that rights follow from.

use std::sync::Arc;

use uuid::Uuid;

use crate::{
    fault::{Fault, Result},
    metadata::{ManyToMany, RelationshipDefinition},
    operations::{Work, associate},
    storage::keys,
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

/// Parts a record of the left side from everything it is joined to.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn unlink_left(work: &mut Work<'_>, relationship: &str, left: Uuid) -> Result<()> {
    let definition = definition(work, relationship)?;
    let joined = joined(&definition)?;
    let mut others = Vec::new();
    work.scan_all(keys::link_range(joined.number, left), |key, _| {
        others.push(keys::parse_link(key)?.2);
        Ok(())
    })?;
    for right in others {
        work.count_cascaded()?;
        associate::unlink(work, joined, left, right)?;
    }
    Ok(())
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
