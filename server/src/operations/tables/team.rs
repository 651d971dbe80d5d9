//! Teams: kinds, default teams, and what ends with a team (T-*).

use orgservice_security::{Owner, TeamId};
use uuid::Uuid;

use super::{
    administrators::{self, is_administrator_role},
    principal, rows,
};
use crate::{
    directory::{Team, TeamKind},
    fault::{Fault, FaultCode, Result},
    metadata::TableDefinition,
    operations::{Work, associate, missing},
    storage::record::Record,
};

pub(in crate::operations) const TEAM: &str = "team";
const TYPE: &str = "teamtype";

/// `teamtype` of an owner team.
pub const OWNER_KIND: i32 = 0;

/// Every team belongs to one unit (T-2).
pub(super) fn before_create(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
) -> Result<()> {
    principal::require_own_id(work, table, id)?;
    principal::require_unit(work, record.business_unit).map(|_| ())
}

/// T-3, T-5, U-4.
pub(super) fn before_update(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    let team = work
        .directory()
        .team(TeamId(id))
        .ok_or_else(|| missing(TEAM, id))?;
    if team.is_default && rows::changed(table, before, after, "name") {
        let code = FaultCode::CannotUpdateNameDefaultTeam;
        return Err(refusal(
            code,
            team,
            "is its business unit's default team and keeps its name",
        ));
    }
    if rows::changed(table, before, after, TYPE) {
        let kind = TeamKind::from_number(rows::option(table, after, TYPE).unwrap_or_default());
        require_convertible(work, team, kind)?;
    }
    if before.business_unit != after.business_unit {
        principal::require_unit(work, after.business_unit)?;
        if team.is_default {
            return Err(Fault::invalid_argument(
                "target.attributes[businessunitid]",
                "the default team of a business unit stays there",
            )
            .record(TEAM, id));
        }
        if !work
            .directory()
            .organization()
            .keep_roles_on_business_unit_change
        {
            require_administrator_besides(work, team)?;
        }
    }
    Ok(())
}

/// U-2 for a team that has been given another business unit.
pub(super) fn after_update(
    work: &mut Work<'_>,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    match after.business_unit {
        Some(unit) if before.business_unit != Some(unit) => {
            principal::follow_unit(work, Owner::Team(TeamId(id)), unit)
        }
        _ => Ok(()),
    }
}

/// T-3, T-5, U-4.
pub(super) fn before_delete(work: &Work<'_>, id: Uuid) -> Result<()> {
    let team = work
        .directory()
        .team(TeamId(id))
        .ok_or_else(|| missing(TEAM, id))?;
    if team.is_default {
        let code = FaultCode::CannotDeleteDefaultTeam;
        return Err(refusal(code, team, "is its business unit's default team"));
    }
    if principal::owns_anything(work, Owner::Team(team.id))? {
        return Err(refusal(
            FaultCode::CannotDeleteTeamOwningRecords,
            team,
            "owns records",
        ));
    }
    require_administrator_besides(work, team)
}

/// Shares given to a team end with it (SH-9), as its memberships and roles have already (T-6).
pub(super) fn after_delete(work: &mut Work<'_>, id: Uuid) -> Result<()> {
    principal::drop_shares(work, id)
}

/// Removes a unit's default team, which goes with its unit only.
///
/// # Errors
/// `InvalidOperation` above `cascade_rows_max`; what the store says.
pub fn remove_default(work: &mut Work<'_>, team: TeamId) -> Result<()> {
    let table = rows::shipped(work, TEAM)?;
    let record = work.load(&table, team.0)?;
    associate::unlink_all(work, &table, team.0)?;
    work.remove(&table, team.0, &record)?;
    principal::drop_shares(work, team.0)
}

/// T-5: an owner team that owns nothing and has no roles can become an access team; no other change
/// of kind is known.
fn require_convertible(work: &Work<'_>, team: &Team, kind: TeamKind) -> Result<()> {
    if team.is_default || team.kind != TeamKind::Owner || kind != TeamKind::Access {
        return Err(Fault::invalid_argument(
            "target.attributes[teamtype]",
            "only an owner team that is no default team changes its kind, to access team",
        )
        .record(TEAM, team.id.0));
    }
    if principal::owns_anything(work, Owner::Team(team.id))? {
        return Err(refusal(
            FaultCode::CannotChangeTeamTypeDueToOwnership,
            team,
            "owns records",
        ));
    }
    if work.directory().roles_of_team(team.id).next().is_some() {
        let code = FaultCode::CannotChangeTeamTypeDueToRoleOrProfile;
        return Err(refusal(code, team, "holds roles"));
    }
    Ok(())
}

/// U-4, for a change that ends what the team's roles give.
fn require_administrator_besides(work: &Work<'_>, team: &Team) -> Result<()> {
    let directory = work.directory();
    if !directory
        .roles_of_team(team.id)
        .any(|role| is_administrator_role(role))
    {
        return Ok(());
    }
    let code = FaultCode::CannotRemoveFromSysAdmin;
    administrators::require_one_left(directory, code, |holding| {
        holding.team.is_none_or(|other| other.id != team.id)
    })
}

fn refusal(code: FaultCode, team: &Team, what: &str) -> Fault {
    Fault::new(code, format!("team `{}` {what}", team.name)).record(TEAM, team.id.0)
}
