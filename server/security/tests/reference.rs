//! The rules once more, word by word as the specification writes them, over plain lists and with
//! loops only. It is slow, it knows nothing of compiled grants or interval trees, and it shares
//! no code with the crate but the enums that name things. Where the crate and this file differ,
//! one of them is wrong.

use orgservice_security::{
    AccessMode, AccessRights, DenialKind, MiscPrivilege, PrincipalRole, Privilege, PrivilegeDepth,
    Right, TableFacts, TableOwnership,
};

/// An organization. Everything refers to everything else by its place in a list.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct World {
    pub units: Vec<Unit>,
    pub tables: Vec<TableFacts>,
    pub roles: Vec<Role>,
    pub teams: Vec<Team>,
    pub users: Vec<User>,
    pub records: Vec<Record>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Unit {
    pub parent: Option<usize>,
    pub disabled: bool,
}

/// A role copy in a unit.
#[derive(Clone, PartialEq, Debug)]
pub struct Role {
    pub unit: usize,
    pub is_inherited: bool,
    pub privileges: Vec<(Privilege, PrivilegeDepth)>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Team {
    pub unit: usize,
    /// Owner or group team, not an access team.
    pub holds_roles: bool,
    pub roles: Vec<usize>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct User {
    pub unit: usize,
    pub mode: AccessMode,
    pub roles: Vec<usize>,
    pub teams: Vec<usize>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    pub table: usize,
    pub owner: Option<Who>,
    pub unit: Option<usize>,
    pub shares: Vec<(Sharee, AccessRights)>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Who {
    User(usize),
    Team(usize),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Sharee {
    Who(Who),
    Organization,
}

/// AC-0: one grant.
#[derive(Clone, PartialEq, Debug)]
pub struct Grant {
    pub privilege: Privilege,
    pub depth: PrivilegeDepth,
    pub holder: Who,
    pub anchor: usize,
}

/// Who holds the token.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Authenticated {
    /// The subject itself: no impersonation.
    Subject,
    /// Another user, acting on behalf of the subject.
    Other(usize),
    /// A trusted service identity without a user row.
    TrustedHost,
}

/// What a call meets: nothing, or which refusal of which side.
pub type Outcome = Result<(), (DenialKind, PrincipalRole)>;

/// BU-2: `unit` is `anchor` or a descendant of it.
pub fn in_subtree(world: &World, anchor: usize, unit: usize) -> bool {
    let mut at = unit;
    loop {
        if at == anchor {
            return true;
        }
        match world.units[at].parent {
            Some(parent) => at = parent,
            None => return false,
        }
    }
}

/// AC-0, before the access mode.
pub fn grants(world: &World, x: Who) -> Vec<Grant> {
    let mut grants = Vec::new();
    match x {
        Who::User(u) => {
            let user = &world.users[u];
            for &role in &user.roles {
                for &(privilege, depth) in &world.roles[role].privileges {
                    let anchor = world.roles[role].unit;
                    grants.push(Grant {
                        privilege,
                        depth,
                        holder: x,
                        anchor,
                    });
                }
            }
            for &t in &user.teams {
                let team = &world.teams[t];
                if !team.holds_roles || world.units[team.unit].disabled {
                    continue;
                }
                for &role in &team.roles {
                    for &(privilege, depth) in &world.roles[role].privileges {
                        let anchor = world.roles[role].unit;
                        grants.push(Grant {
                            privilege,
                            depth,
                            holder: Who::Team(t),
                            anchor,
                        });
                        if world.roles[role].is_inherited {
                            let depth = PrivilegeDepth::Basic;
                            let anchor = user.unit;
                            grants.push(Grant {
                                privilege,
                                depth,
                                holder: x,
                                anchor,
                            });
                        }
                    }
                }
            }
        }
        Who::Team(t) => {
            let team = &world.teams[t];
            if team.holds_roles {
                for &role in &team.roles {
                    for &(privilege, depth) in &world.roles[role].privileges {
                        let anchor = world.roles[role].unit;
                        grants.push(Grant {
                            privilege,
                            depth,
                            holder: x,
                            anchor,
                        });
                    }
                }
            }
        }
    }
    grants
}

/// U-3: whether the access mode lets a privilege count.
fn counts(world: &World, x: Who, privilege: Privilege) -> bool {
    let Who::User(u) = x else { return true };
    let Privilege::Table(code, right) = privilege else {
        return true;
    };
    match world.users[u].mode {
        AccessMode::Read => right == Right::Read,
        AccessMode::Administrative => {
            let mut administrative = false;
            for table in &world.tables {
                if table.code == code {
                    administrative = table.administrative;
                }
            }
            administrative
        }
        _ => true,
    }
}

/// AC-1 with U-3.
pub fn possesses(world: &World, x: Who, privilege: Privilege) -> bool {
    for grant in grants(world, x) {
        if grant.privilege == privilege && counts(world, x, privilege) {
            return true;
        }
    }
    false
}

/// The highest depth of all grants.
pub fn highest_depth(world: &World, x: Who, privilege: Privilege) -> Option<PrivilegeDepth> {
    let mut highest = None;
    for grant in grants(world, x) {
        if grant.privilege == privilege && counts(world, x, privilege) {
            highest = highest.max(Some(grant.depth));
        }
    }
    highest
}

/// IM-3: from a role assigned directly.
pub fn may_act_on_behalf(world: &World, user: usize) -> bool {
    for &role in &world.users[user].roles {
        for &(privilege, _) in &world.roles[role].privileges {
            if privilege == Privilege::Misc(MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER) {
                return true;
            }
        }
    }
    false
}

fn is_member(world: &World, x: Who, team: usize) -> bool {
    match x {
        Who::User(u) => world.users[u].teams.contains(&team),
        Who::Team(_) => false,
    }
}

/// AC-3, AC-4, AC-5: `acc(x, right, record)`, given possession.
pub fn acc(world: &World, x: Who, right: Right, record: &Record) -> bool {
    let table = world.tables[record.table];
    let p = Privilege::Table(table.code, right);
    let mut of_p = Vec::new();
    for grant in grants(world, x) {
        if grant.privilege == p && counts(world, x, p) {
            of_p.push(grant);
        }
    }
    match table.ownership {
        TableOwnership::OrganizationOwned => !of_p.is_empty(),
        // Only the organization row has privileges here, and only at Global (PR-2).
        TableOwnership::None => of_p.iter().any(|g| g.depth == PrivilegeDepth::Global),
        TableOwnership::BusinessOwned => of_p.iter().any(|g| match g.depth {
            PrivilegeDepth::Basic => false,
            PrivilegeDepth::Local => record.unit == Some(g.anchor),
            PrivilegeDepth::Deep => record
                .unit
                .is_some_and(|unit| in_subtree(world, g.anchor, unit)),
            PrivilegeDepth::Global => true,
        }),
        TableOwnership::UserOwned => {
            // 1. Organization.
            for g in &of_p {
                if g.depth == PrivilegeDepth::Global {
                    return true;
                }
            }
            // 2. Ownership.
            for g in &of_p {
                if record.owner == Some(x) && g.holder == x {
                    return true;
                }
                if let Some(Who::Team(t)) = record.owner
                    && is_member(world, x, t)
                    && (g.holder == x || g.holder == Who::Team(t))
                {
                    return true;
                }
            }
            // 3. Business unit.
            for g in &of_p {
                if let Some(unit) = record.unit {
                    if g.depth == PrivilegeDepth::Local && unit == g.anchor {
                        return true;
                    }
                    if g.depth == PrivilegeDepth::Deep && in_subtree(world, g.anchor, unit) {
                        return true;
                    }
                }
            }
            // 4. Share; not for Create (AC-5).
            if right == Right::Create {
                return false;
            }
            for &(sharee, rights) in &record.shares {
                let for_x = match sharee {
                    Sharee::Organization => true,
                    Sharee::Who(who) if who == x => true,
                    Sharee::Who(Who::Team(t)) => is_member(world, x, t),
                    Sharee::Who(Who::User(_)) => false,
                };
                if for_x && rights.contains(right.flag()) {
                    return true;
                }
            }
            false
        }
    }
}

/// Steps 8 and 10 of §12 for one requirement, with the side that lacks something named as §11
/// says.
pub fn allow(
    world: &World,
    authenticated: Authenticated,
    subject: Who,
    right: Right,
    record: &Record,
) -> Outcome {
    let p = Privilege::Table(world.tables[record.table].code, right);
    let mut side = PrincipalRole::Impersonated;
    match authenticated {
        Authenticated::Subject => side = PrincipalRole::Caller,
        Authenticated::Other(a) if Who::User(a) == subject => side = PrincipalRole::Caller,
        Authenticated::Other(a) => {
            if !possesses(world, Who::User(a), p) {
                return Err((DenialKind::PrivilegeDenied, PrincipalRole::Impersonator));
            }
        }
        Authenticated::TrustedHost => {}
    }
    if !possesses(world, subject, p) {
        return Err((DenialKind::PrivilegeDenied, side));
    }
    if !acc(world, subject, right, record) {
        return Err((DenialKind::AccessDenied, side));
    }
    Ok(())
}

/// SH-7: every right with its privilege in poss(P) and access, for P alone.
pub fn access_rights(world: &World, x: Who, record: &Record) -> AccessRights {
    let mut rights = AccessRights::empty();
    for right in Right::ALL {
        if allow(world, Authenticated::Subject, x, right, record).is_ok() {
            rights |= right.flag();
        }
    }
    rights
}
