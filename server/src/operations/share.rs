//! GrantAccess, ModifyAccess and RevokeAccess (`security.md` 6).

use std::sync::Arc;

use orgservice_security::{
    AccessRights, Owner, Right, SharePrincipal, TeamId, UserId, requirements,
};
use uuid::Uuid;

use super::{Operation, Work, cascade, parameters::Parameters, tables, work::user_owned};
use crate::{
    directory,
    fault::{Fault, FaultCode, Result},
    metadata::TableDefinition,
    model::{EntityReference, OrganizationRequest, OrganizationResponse},
    storage::{
        record::Record,
        share::{ShareContribution, ShareRow},
    },
};

/// A record and the principal whose share changes.
pub struct Shareable {
    table: Arc<TableDefinition>,
    id: Uuid,
    principal: Uuid,
    mask: AccessRights,
}

/// GrantAccess: adds rights to a principal's share.
pub struct GrantAccess;

impl Operation for GrantAccess {
    const NAME: &'static str = "GrantAccess";
    type Checked = Shareable;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Shareable> {
        check_giving(work, request, Self::NAME, false)
    }

    fn perform(work: &mut Work<'_>, shareable: Shareable) -> Result<OrganizationResponse> {
        let Shareable {
            table,
            id,
            principal,
            mask,
        } = shareable;
        add_explicit(work, &table, id, principal, mask)?;
        cascade::share(work, &table, id, principal, mask.bits())?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

/// ModifyAccess: replaces the rights of a principal's share.
pub struct ModifyAccess;

impl Operation for ModifyAccess {
    const NAME: &'static str = "ModifyAccess";
    type Checked = Shareable;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Shareable> {
        check_giving(work, request, Self::NAME, true)
    }

    fn perform(work: &mut Work<'_>, shareable: Shareable) -> Result<OrganizationResponse> {
        let Shareable {
            table,
            id,
            principal,
            mask,
        } = shareable;
        let before = set_explicit(work, &table, id, principal, |_| mask.bits())?;
        let dropped = before & !mask.bits();
        if dropped != 0 {
            cascade::unshare(work, &table, id, principal, dropped)?;
        }
        if !mask.is_empty() {
            cascade::share(work, &table, id, principal, mask.bits())?;
        }
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

/// RevokeAccess: ends a principal's share.
pub struct RevokeAccess;

impl Operation for RevokeAccess {
    const NAME: &'static str = "RevokeAccess";
    type Checked = Shareable;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Shareable> {
        let mut parameters = Parameters::of(request);
        let target = parameters.reference("Target")?;
        let revokee = parameters.reference("Revokee")?;
        parameters.finish()?;
        let (table, id, record) = check_target(work, target, Self::NAME, |_| Vec::new())?;
        let principal = principal(work, revokee, "revokee")?;
        let owner = record.owner.map(directory::owner);
        if owner.is_some_and(|owner| SharePrincipal::from(owner) == principal.1)
            && owner != Some(Owner::User(work.subject()))
        {
            return Err(Fault::new(
                FaultCode::OnlyOwnerCanRevoke,
                "the owner's access cannot be revoked by somebody else",
            )
            .record(&table.logical_name, id));
        }
        Ok(Shareable {
            table,
            id,
            principal: principal.0,
            mask: AccessRights::empty(),
        })
    }

    fn perform(work: &mut Work<'_>, shareable: Shareable) -> Result<OrganizationResponse> {
        let Shareable {
            table,
            id,
            principal,
            ..
        } = shareable;
        let before = set_explicit(work, &table, id, principal, |_| 0)?;
        if before != 0 {
            cascade::unshare(work, &table, id, principal, u32::MAX)?;
        }
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

/// SH-1: only records with an owner can be shared and assigned.
///
/// # Errors
/// `InvalidOwnershipTypeMask`.
pub fn require_shareable(table: &TableDefinition) -> Result<()> {
    if user_owned(table) {
        return Ok(());
    }
    Err(Fault::new(
        FaultCode::InvalidOwnershipTypeMask,
        format!(
            "records of `{}` have no owner and cannot be shared or assigned",
            table.logical_name
        ),
    )
    .detail("table", &table.logical_name))
}

/// Adds rights to an explicit share, creating it if absent (SH-3).
///
/// # Errors
/// What the store says.
pub fn add_explicit(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    principal: Uuid,
    rights: AccessRights,
) -> Result<()> {
    set_explicit(work, table, id, principal, |held| held | rights.bits()).map(|_| ())
}

/// Changes what one origin gives a principal on a child (CA-1, CA-2).
///
/// # Errors
/// What the store says.
pub fn contribute(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    principal: Uuid,
    (origin_otc, origin_id): (u32, Uuid),
    change: impl FnOnce(u32) -> u32,
) -> Result<()> {
    edit(work, table, id, principal, |row| {
        let same =
            |one: &ShareContribution| one.origin_otc == origin_otc && one.origin_id == origin_id;
        let held = row
            .contributions
            .iter()
            .find(|one| same(one))
            .map_or(0, |one| one.mask);
        let mask = change(held);
        row.contributions.retain(|one| !same(one));
        if mask != 0 {
            row.contributions.push(ShareContribution {
                origin_otc,
                origin_id,
                mask,
            });
        }
    })
}

/// Takes from a principal's share of a record what came by cascade from origins that `keeps` does
/// not name; what was given explicitly stays.
///
/// # Errors
/// What the store says.
pub fn withdraw(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    principal: Uuid,
    keeps: impl Fn((u32, Uuid)) -> bool,
) -> Result<()> {
    edit(work, table, id, principal, |row| {
        row.contributions
            .retain(|one| keeps((one.origin_otc, one.origin_id)));
    })
}

fn set_explicit(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    principal: Uuid,
    change: impl FnOnce(u32) -> u32,
) -> Result<u32> {
    let mut before = 0;
    edit(work, table, id, principal, |row| {
        before = row.explicit;
        row.explicit = change(before);
    })?;
    Ok(before)
}

/// Changes a share row; it comes when it has a right and goes when it has none (SH-2).
fn edit(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    principal: Uuid,
    change: impl FnOnce(&mut ShareRow),
) -> Result<()> {
    let found = work.share_row(table, id, principal)?;
    let mut row = found.clone().unwrap_or_else(|| ShareRow {
        id: work.new_id(),
        explicit: 0,
        changed_on: work.now(),
        contributions: Vec::new(),
    });
    change(&mut row);
    if found.as_ref() == Some(&row) || (found.is_none() && row.effective() == 0) {
        return Ok(());
    }
    row.changed_on = work.now();
    let row = (row.effective() != 0).then_some(&row);
    work.put_share(table, id, principal, row)
}

fn check_giving(
    work: &Work<'_>,
    request: &OrganizationRequest,
    name: &str,
    replaces: bool,
) -> Result<Shareable> {
    let mut parameters = Parameters::of(request);
    let target = parameters.reference("Target")?;
    let access = parameters.principal_access("PrincipalAccess")?;
    parameters.finish()?;
    let given = access.access_mask;
    let (table, id, record) = check_target(work, target, name, |_| {
        requirements::rights_given(given).collect()
    })?;
    // SH-4: Create is dropped first; what is left must be known and, for a grant, something.
    let unknown = given.bits() & !(AccessRights::ALL_RECORD_RIGHTS | AccessRights::CREATE).bits();
    let mask = given & AccessRights::ALL_RECORD_RIGHTS;
    if unknown != 0 || (mask.is_empty() && !replaces) {
        let description = format!("{} is no mask of rights to share", given.bits());
        return Err(
            Fault::new(FaultCode::InvalidAccessRights, description.clone())
                .violation("principal_access.access_rights", description),
        );
    }
    let (principal, kind) = principal(work, &access.principal, "principal_access.principal")?;
    if record.owner.map(directory::owner).map(SharePrincipal::from) == Some(kind) {
        return Err(Fault::new(
            FaultCode::CannotShareWithOwner,
            "a record cannot be shared with its owner",
        )
        .record(&table.logical_name, id));
    }
    Ok(Shareable {
        table,
        id,
        principal,
        mask,
    })
}

/// Steps 7 to 10: Share and Read on the record, and every right that is given.
fn check_target(
    work: &Work<'_>,
    target: &EntityReference,
    name: &str,
    given: impl Fn(&TableDefinition) -> Vec<Right>,
) -> Result<(Arc<TableDefinition>, Uuid, Record)> {
    let table = work.table(&target.logical_name, "target.logical_name")?;
    tables::require_message(&table, name, table.messages.read)?;
    require_shareable(&table)?;
    // The shared row of an activity has no shares of its own: they follow the activity's (SY-9).
    tables::require_message(&table, name, table.messages.update)?;
    let given = given(&table);
    work.require(&table, requirements::SHARE)?;
    work.require(&table, &given)?;
    let id = work.id_of(target, "target")?;
    let record = work.load(&table, id)?;
    work.access(&table, id, &record, requirements::SHARE)?;
    work.access(&table, id, &record, &given)?;
    Ok((table, id, record))
}

/// The principal of a share (SH-1, SH-4).
fn principal(
    work: &Work<'_>,
    reference: &EntityReference,
    field: &str,
) -> Result<(Uuid, SharePrincipal)> {
    let id = work.id_of(reference, field)?;
    let directory = work.directory();
    let unknown = || {
        let description = format!("{} {id} does not exist", reference.logical_name);
        Fault::new(FaultCode::InvalidPrincipal, description.clone()).violation(field, description)
    };
    match &*reference.logical_name {
        "systemuser" => {
            directory.user(UserId(id)).ok_or_else(unknown)?;
            Ok((id, SharePrincipal::User(UserId(id))))
        }
        "team" => {
            let team = directory.team(TeamId(id)).ok_or_else(unknown)?;
            if team.system_managed {
                return Err(Fault::new(
                    FaultCode::CannotShareSystemManagedTeam,
                    format!("team {id} belongs to an access-team template"),
                )
                .record("team", id));
            }
            Ok((id, SharePrincipal::Team(TeamId(id))))
        }
        "organization" => {
            if directory.organization().id != id {
                return Err(unknown());
            }
            Ok((id, SharePrincipal::Organization))
        }
        other => {
            let description = format!(
                "records are shared with users, teams and the organization, not with `{other}`"
            );
            Err(
                Fault::new(FaultCode::InvalidPrincipalType, description.clone())
                    .violation(field, description),
            )
        }
    }
}
