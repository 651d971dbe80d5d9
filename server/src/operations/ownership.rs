//! Owners: who may own what, and what changes when a record changes hands (OW-*, T-1, BU-6).

use orgservice_security::{AccessRights, Owner, TeamId, UserId};
use uuid::Uuid;

use super::{Work, share, stored_owner, work::missing};
use crate::{
    directory,
    fault::{Fault, FaultCode, Result},
    metadata::TableDefinition,
    model::{EntityReference, Value},
    storage::record::Record,
};

/// The owner a reference names, whatever it is allowed to own.
///
/// # Errors
/// `InvalidOwnerID` for another table, `ObjectDoesNotExist` for an unknown user or team.
pub fn named(work: &Work<'_>, reference: &EntityReference, field: &str) -> Result<Owner> {
    let id = work.id_of(reference, field)?;
    let directory = work.directory();
    match &*reference.logical_name {
        "systemuser" => directory
            .user(UserId(id))
            .map(|user| Owner::User(user.id))
            .ok_or_else(|| missing("systemuser", id)),
        "team" => directory
            .team(TeamId(id))
            .map(|team| Owner::Team(team.id))
            .ok_or_else(|| missing("team", id)),
        other => {
            let description = format!("an owner is a systemuser or a team, not `{other}`");
            Err(Fault::new(FaultCode::InvalidOwnerId, description.clone())
                .violation(field, description))
        }
    }
}

/// The owner in a validated `ownerid` value.
///
/// # Errors
/// As [`named`].
pub fn of_value(work: &Work<'_>, value: &Value, field: &str) -> Result<Owner> {
    match value {
        Value::EntityReference(reference) => named(work, reference, field),
        other => Err(Fault::new(
            FaultCode::InvalidOwnerId,
            "an owner is a systemuser or a team",
        )
        .violation(field, format!("received {}", other.kind()))),
    }
}

/// The business unit an owner's records belong to (OW-1).
///
/// # Errors
/// `ObjectDoesNotExist` for an unknown owner.
pub fn unit(work: &Work<'_>, owner: Owner) -> Result<Uuid> {
    work.directory()
        .owner_unit(owner)
        .map(|unit| unit.0)
        .ok_or_else(|| match owner {
            Owner::User(id) => missing("systemuser", id.0),
            Owner::Team(id) => missing("team", id.0),
        })
}

/// Step 11 for a new owner: T-1, then OW-4, then BU-6.
///
/// # Errors
/// `CannotAssignToAccessTeam`, `TargetPrincipalLacksReadPrivilege`,
/// `CannotAssignToDisabledBusiness`.
pub fn check(work: &Work<'_>, table: &TableDefinition, owner: Owner) -> Result<()> {
    if let Owner::Team(id) = owner
        && work
            .directory()
            .team(id)
            .is_some_and(|team| !team.kind.owns())
    {
        return Err(Fault::new(
            FaultCode::CannotAssignToAccessTeam,
            format!("access team {id} cannot own records"),
        )
        .record("team", id.0));
    }
    work.require_may_own(owner, table)?;
    let unit = orgservice_security::BusinessUnitId(unit(work, owner)?);
    if !work.directory().unit_enabled(unit) {
        return Err(Fault::new(
            FaultCode::CannotAssignToDisabledBusiness,
            format!("the business unit {unit} of the owner is disabled"),
        )
        .record("businessunit", unit.0));
    }
    Ok(())
}

/// Gives a record to a new owner: owner columns and business unit, and a share for the previous
/// owner where the organization wants it. The caller stamps and stores.
///
/// # Errors
/// What the store says.
pub fn hand_over(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &mut Record,
    owner: Owner,
) -> Result<()> {
    let previous = record.owner.map(directory::owner);
    record.owner = Some(stored_owner(owner));
    record.business_unit = Some(unit(work, owner)?);
    if let Some(previous) = previous
        && previous != owner
        && work
            .directory()
            .organization()
            .share_to_previous_owner_on_assign
    {
        share::add_explicit(
            work,
            table,
            id,
            previous.uuid(),
            AccessRights::ALL_RECORD_RIGHTS,
        )?;
    }
    Ok(())
}
