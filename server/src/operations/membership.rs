//! Who may put whom into a team and give whom a role: the rules that AddMembersTeam, Associate and
//! their opposites share (`messages.md` AS-7; `security.md` 5, R-3, R-6, T-1, T-3, U-4).

use orgservice_security::{Owner, RoleId, TeamId, UserId, requirements};
use uuid::Uuid;

use super::{
    Work, missing,
    tables::{
        administrators::{self, is_administrator_role},
        links,
        principal::privileges_of_roles,
        role::ROLE,
        rows,
        team::TEAM,
        user::{self, USER},
    },
};
use crate::{
    directory::{Role, Team},
    fault::{Fault, FaultCode, Result},
};

/// Whether a many-to-many relationship decides about rights, so that [`check_membership`] stands in
/// place of the Append rule.
pub fn is_membership(relationship: &str) -> bool {
    [
        links::TEAM_MEMBERSHIP,
        links::USER_ROLES,
        links::TEAM_ROLES,
        links::ROLE_PRIVILEGES,
    ]
    .contains(&relationship)
}

/// Everything that has to be asked before two records are joined or parted through one of these
/// relationships, given by the ids of its left and right side.
///
/// # Errors
/// As [`check_members`] and [`check_give`]; `InvalidArgument` for privileges of a role, which need a
/// depth.
pub fn check_membership(
    work: &Work<'_>,
    relationship: &str,
    left: Uuid,
    right: Uuid,
    adding: bool,
) -> Result<()> {
    match relationship {
        links::TEAM_MEMBERSHIP => check_members(work, TeamId(left), &[UserId(right)], adding),
        links::USER_ROLES => check_give(work, Owner::User(UserId(left)), RoleId(right), adding),
        links::TEAM_ROLES => check_give(work, Owner::Team(TeamId(left)), RoleId(right), adding),
        links::ROLE_PRIVILEGES => Err(Fault::invalid_argument(
            "relationship.schema_name",
            "privileges of a role have a depth: use AddPrivilegesRole or RemovePrivilegeRole",
        )),
        _ => Ok(()),
    }
}

/// May these users be put into a team, or taken out of it? Write on the team, Read on each user,
/// then T-3, U-6 and R-6, or U-4.
///
/// # Errors
/// `PrivilegeDenied`, `ObjectDoesNotExist`, `unManagedIdsAccessDenied`,
/// `CannotAddMembersToDefaultTeam`, `CannotRemoveMembersFromDefaultTeam`, `CannotModifySpecialUser`,
/// `CannotRemoveFromSysAdmin`.
pub fn check_members(work: &Work<'_>, team: TeamId, users: &[UserId], adding: bool) -> Result<()> {
    let team_table = rows::shipped(work, TEAM)?;
    let user_table = rows::shipped(work, USER)?;
    work.require(&team_table, requirements::CHANGE_MEMBERS)?;
    work.require(&user_table, requirements::BECOME_MEMBER)?;
    let record = work.load(&team_table, team.0)?;
    work.access(&team_table, team.0, &record, requirements::CHANGE_MEMBERS)?;
    for &user in users {
        let record = work.load(&user_table, user.0)?;
        work.access(&user_table, user.0, &record, requirements::BECOME_MEMBER)?;
    }
    let directory = work.directory();
    let team = directory.team(team).ok_or_else(|| missing(TEAM, team.0))?;
    if team.is_default {
        return Err(default_team(team, adding));
    }
    for user in users.iter().filter_map(|&user| directory.user(user)) {
        user::require_modifiable(user)?;
    }
    if adding {
        let gains = team.kind.owns()
            && users
                .iter()
                .any(|&user| !directory.is_member(user, team.id));
        if gains {
            work.require_all(privileges_of_roles(
                directory,
                directory.roles_of_team(team.id),
            ))?;
        }
        return Ok(());
    }
    if !directory
        .roles_of_team(team.id)
        .any(|role| is_administrator_role(role))
    {
        return Ok(());
    }
    let code = FaultCode::CannotRemoveFromSysAdmin;
    administrators::require_one_left(directory, code, |holding| {
        !users.contains(&holding.user.id)
            || holding.team.is_none_or(|through| through.id != team.id)
    })
}

/// May this role be given to a user or team, or taken away? Assign and Read on the role, Write on
/// the receiver, then T-1, U-6, R-3 and R-6, or U-4.
///
/// # Errors
/// `PrivilegeDenied`, `ObjectDoesNotExist`, `unManagedIdsAccessDenied`,
/// `CannotAssignRolesOrProfilesToAccessTeam`, `CannotModifySpecialUser`, `UserInWrongBusiness`,
/// `TeamInWrongBusiness`, `CannotRemoveFromSysAdmin`.
pub fn check_give(work: &Work<'_>, receiver: Owner, role: RoleId, adding: bool) -> Result<()> {
    let role_table = rows::shipped(work, ROLE)?;
    let receiver_table = match receiver {
        Owner::User(_) => rows::shipped(work, USER)?,
        Owner::Team(_) => rows::shipped(work, TEAM)?,
    };
    work.require(&role_table, requirements::GIVE_ROLE)?;
    work.require(&receiver_table, requirements::RECEIVE_ROLE)?;
    let record = work.load(&role_table, role.0)?;
    work.access(&role_table, role.0, &record, requirements::GIVE_ROLE)?;
    let record = work.load(&receiver_table, receiver.uuid())?;
    work.access(
        &receiver_table,
        receiver.uuid(),
        &record,
        requirements::RECEIVE_ROLE,
    )?;

    let directory = work.directory();
    let role = directory.role(role).ok_or_else(|| missing(ROLE, role.0))?;
    match receiver {
        Owner::User(id) => {
            let user = directory.user(id).ok_or_else(|| missing(USER, id.0))?;
            user::require_modifiable(user)?;
            if adding {
                require_same_unit(work, role, receiver)?;
            }
        }
        Owner::Team(id) => {
            let team = directory.team(id).ok_or_else(|| missing(TEAM, id.0))?;
            if adding {
                require_holds_roles(team)?;
                require_same_unit(work, role, receiver)?;
            }
        }
    }
    if adding {
        return work.require_all(privileges_of_roles(directory, [role]));
    }
    if !is_administrator_role(role) {
        return Ok(());
    }
    let code = FaultCode::CannotRemoveFromSysAdmin;
    administrators::require_one_left(directory, code, |holding| {
        let holder = holding
            .team
            .map_or(Owner::User(holding.user.id), |team| Owner::Team(team.id));
        holder != receiver || holding.role.id != role.id
    })
}

/// T-1.
fn require_holds_roles(team: &Team) -> Result<()> {
    if team.kind.owns() {
        return Ok(());
    }
    Err(Fault::new(
        FaultCode::CannotAssignRolesOrProfilesToAccessTeam,
        format!("access team `{}` cannot hold roles", team.name),
    )
    .record(TEAM, team.id.0))
}

/// a principal gets the copy that lives in its own unit.
fn require_same_unit(work: &Work<'_>, role: &Role, receiver: Owner) -> Result<()> {
    let directory = work.directory();
    if directory.organization().ownership_across_business_units
        || directory.owner_unit(receiver) == Some(role.business_unit)
    {
        return Ok(());
    }
    let (code, table) = match receiver {
        Owner::User(_) => (FaultCode::UserInWrongBusiness, USER),
        Owner::Team(_) => (FaultCode::TeamInWrongBusiness, TEAM),
    };
    Err(Fault::new(
        code,
        format!(
            "role `{}` lives in business unit {}, {receiver} in another one",
            role.name, role.business_unit
        ),
    )
    .record(table, receiver.uuid())
    .detail("roleId", role.id))
}

/// T-3.
fn default_team(team: &Team, adding: bool) -> Fault {
    let code = if adding {
        FaultCode::CannotAddMembersToDefaultTeam
    } else {
        FaultCode::CannotRemoveMembersFromDefaultTeam
    };
    Fault::new(
        code,
        format!(
            "`{}` holds exactly the users of its business unit",
            team.name
        ),
    )
    .record(TEAM, team.id.0)
}
