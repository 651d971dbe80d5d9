//! AddMembersTeam and RemoveMembersTeam (`messages.md` 2.1).

use orgservice_security::{TeamId, UserId};

use super::{
    Operation, Work,
    membership::check_members,
    parameters::Parameters,
    tables::links::{self, TEAM_MEMBERSHIP},
};
use crate::{
    fault::{Fault, Result},
    limits,
    model::{OrganizationRequest, OrganizationResponse},
};

/// AddMembersTeam; a user who is a member already stays one.
pub struct AddMembersTeam;

/// RemoveMembersTeam; a user who is no member is none afterwards.
pub struct RemoveMembersTeam;

/// A team and the users whose membership changes.
pub struct Members {
    team: TeamId,
    users: Vec<UserId>,
}

impl Operation for AddMembersTeam {
    const NAME: &'static str = "AddMembersTeam";
    type Checked = Members;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Members> {
        let members = Members::of(request)?;
        check_members(work, members.team, &members.users, true)?;
        Ok(members)
    }

    fn perform(work: &mut Work<'_>, members: Members) -> Result<OrganizationResponse> {
        for user in members.users {
            links::link(work, TEAM_MEMBERSHIP, members.team.0, user.0)?;
        }
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

impl Operation for RemoveMembersTeam {
    const NAME: &'static str = "RemoveMembersTeam";
    type Checked = Members;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Members> {
        let members = Members::of(request)?;
        check_members(work, members.team, &members.users, false)?;
        Ok(members)
    }

    fn perform(work: &mut Work<'_>, members: Members) -> Result<OrganizationResponse> {
        for user in members.users {
            links::unlink(work, TEAM_MEMBERSHIP, members.team.0, user.0)?;
        }
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

impl Members {
    fn of(request: &OrganizationRequest) -> Result<Self> {
        let mut parameters = Parameters::of(request);
        let team = TeamId(parameters.guid("TeamId")?);
        let users: Vec<_> = parameters
            .guids("MemberIds")?
            .into_iter()
            .map(UserId)
            .collect();
        parameters.finish()?;
        if users.len() > limits::CASCADE_ROWS_MAX {
            return Err(Fault::limit_exceeded(
                "cascade_rows_max",
                limits::CASCADE_ROWS_MAX,
            ));
        }
        Ok(Members { team, users })
    }
}
