//! The organization never loses its last administrator (U-4, BU-4).

use std::sync::Arc;

use orgservice_security::AccessMode;

use crate::{
    directory::{Directory, Role, SYSTEM_ADMINISTRATOR, Team, User},
    fault::{Fault, FaultCode, Result},
};

/// One way in which an enabled read-write user holds the System Administrator role.
pub struct Holding<'a> {
    /// Who holds it.
    pub user: &'a User,
    /// The team that was given it; `None` when it was given to the user directly.
    pub team: Option<&'a Team>,
    /// The role, or its copy in the holder's business unit.
    pub role: &'a Role,
}

/// Whether a role is System Administrator or a copy of it.
pub fn is_administrator_role(role: &Role) -> bool {
    role.template == Some(SYSTEM_ADMINISTRATOR)
}

/// Refuses a change that takes away the last administrator: `kept` tells which holdings the change
/// leaves alone. Where there was none before, nothing can be taken away.
///
/// # Errors
/// The given fault.
pub fn require_one_left(
    directory: &Directory,
    code: FaultCode,
    kept: impl Fn(&Holding<'_>) -> bool,
) -> Result<()> {
    let mut lost = false;
    for user in directory.users().filter(|user| counts(directory, user)) {
        for (team, role) in holdings(directory, user) {
            if kept(&Holding {
                user,
                team: team.map(|team| &**team),
                role,
            }) {
                return Ok(());
            }
            lost = true;
        }
    }
    if !lost {
        return Ok(());
    }
    Err(Fault::new(
        code,
        "no enabled System Administrator with read-write access would remain",
    )
    .detail("role", "System Administrator"))
}

/// U-4 speaks of enabled read-write users; the built-in ones cannot sign in.
fn counts(directory: &Directory, user: &User) -> bool {
    !user.disabled
        && !user.is_built_in()
        && user.access_mode == AccessMode::ReadWrite
        && directory.unit_enabled(user.business_unit)
}

fn holdings<'d>(
    directory: &'d Directory,
    user: &User,
) -> impl Iterator<Item = (Option<&'d Arc<Team>>, &'d Arc<Role>)> {
    let direct = directory.roles_of_user(user.id).map(|role| (None, role));
    let teams = directory
        .teams_of(user.id)
        .filter(|team| team.kind.owns() && directory.unit_enabled(team.business_unit));
    let by_team = teams.flat_map(|team| {
        directory
            .roles_of_team(team.id)
            .map(move |role| (Some(team), role))
    });
    direct
        .chain(by_team)
        .filter(|(_, role)| is_administrator_role(role))
}
