//! A user or team with everything a decision needs to know of it, compiled once (AC-0, AC-1, U-3).
//!
//! The directory hands over plain facts: roles, teams, business units. [`Principal`] turns them
//! into one small [`Reach`] per privilege, so that a decision costs two look-ups whether the user
//! has one role or fifty. Most privileges of a principal have the same reach and share it.
//!
//! A principal is immutable. A change of a role, a team, a membership, a business unit's state or
//! the access mode means a new one; caching them is the directory's business.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::reach::{Grant, Reach};
use crate::record::Owner;
use crate::types::{
    AccessMode, BusinessUnitId, MiscPrivilege, ObjectTypeCode, Privilege, PrivilegeDepth, Right,
    RoleId, TeamId, UserId,
};

/// One role as it is given to somebody: a root role or the copy in a business unit.
#[derive(Clone, Debug)]
pub struct RoleFacts {
    /// Id of the copy that was given.
    pub id: RoleId,
    /// Business unit of that copy: the anchor of its grants (R-3, AC-0).
    pub business_unit: BusinessUnitId,
    /// `isinherited` = 1: held by a team, it also gives each member the Basic depth for himself
    /// (R-5, AC-0).
    pub member_inheritance: bool,
    /// The privileges of the root role, shared by all copies.
    pub privileges: Arc<[(Privilege, PrivilegeDepth)]>,
}

/// One team, of any kind: shares count for all of them, roles for some.
#[derive(Clone, Debug)]
pub struct TeamFacts {
    /// Its id.
    pub id: TeamId,
    /// Its business unit.
    pub business_unit: BusinessUnitId,
    /// Whether that business unit is enabled; if not, the team gives its members no grants (AC-0).
    pub enabled: bool,
    /// Whether it is an owner or group team; an access team holds no roles (T-1).
    pub holds_roles: bool,
    /// The roles given to it.
    pub roles: Vec<Arc<RoleFacts>>,
}

/// One user.
#[derive(Clone, Debug)]
pub struct UserFacts {
    /// Its id.
    pub id: UserId,
    /// Its business unit.
    pub business_unit: BusinessUnitId,
    /// Which of its privileges count (U-3).
    pub access_mode: AccessMode,
    /// The roles given to it directly.
    pub roles: Vec<Arc<RoleFacts>>,
    /// Every team it is a member of.
    pub teams: Vec<Arc<TeamFacts>>,
}

/// A user or team as decisions see it.
#[derive(Clone, Debug)]
pub struct Principal {
    subject: Owner,
    /// Sorted.
    teams: Box<[TeamId]>,
    roles: Roles,
}

#[derive(Clone, Debug)]
enum Roles {
    /// SYSTEM: every privilege that exists or will exist, at Global (U-6).
    Everything(Reach),
    Given(Compiled),
}

/// The grants of a principal, by privilege.
#[derive(Clone, Debug, Default)]
struct Compiled {
    /// Sorted; the table of each line of `lines`.
    tables: Vec<ObjectTypeCode>,
    /// Per right the index into `reaches`, or [`ABSENT`].
    lines: Vec<[u32; Right::ALL.len()]>,
    /// Sorted, each with its highest depth.
    misc: Vec<(MiscPrivilege, PrivilegeDepth)>,
    /// Sorted; those held through a role given directly.
    direct_misc: Vec<MiscPrivilege>,
    /// Each distinct reach once.
    reaches: Vec<Reach>,
    /// What it was compiled from, kept to explain decisions.
    assignments: Vec<Assignment>,
}

const ABSENT: u32 = u32::MAX;

/// A role, who holds it, and what it yields besides its own grants.
#[derive(Clone, Debug)]
struct Assignment {
    role: Arc<RoleFacts>,
    holder: Owner,
    /// A team's role with member inheritance: also (p, Basic, member, member's unit) (AC-0).
    inherited_by: Option<(UserId, BusinessUnitId)>,
}

impl Assignment {
    /// The grants that come from the role containing a privilege at `depth` (AC-0).
    fn grants(&self, depth: PrivilegeDepth) -> impl Iterator<Item = Grant> {
        let role = self.role.id;
        let own = Grant {
            role,
            depth,
            holder: self.holder,
            anchor: self.role.business_unit,
            inherited: false,
        };
        let inherited = self.inherited_by.map(|(user, anchor)| Grant {
            role,
            depth: PrivilegeDepth::Basic,
            holder: Owner::User(user),
            anchor,
            inherited: true,
        });
        std::iter::once(own).chain(inherited)
    }
}

impl Principal {
    /// A user with its direct roles and those of its enabled role-holding teams (AC-0), masked by
    /// its access mode (U-3). `administrative` tells which tables are administration tables.
    #[must_use]
    pub fn for_user(user: &UserFacts, administrative: impl Fn(ObjectTypeCode) -> bool) -> Self {
        let direct = user.roles.iter().map(|role| Assignment {
            role: Arc::clone(role),
            holder: Owner::User(user.id),
            inherited_by: None,
        });
        let teams = user
            .teams
            .iter()
            .filter(|team| team.enabled && team.holds_roles);
        let through_teams = teams.flat_map(|team| {
            team.roles.iter().map(|role| Assignment {
                role: Arc::clone(role),
                holder: Owner::Team(team.id),
                inherited_by: role
                    .member_inheritance
                    .then_some((user.id, user.business_unit)),
            })
        });
        let counts = |privilege| match (user.access_mode, privilege) {
            (AccessMode::Read, Privilege::Table(_, right)) => right == Right::Read,
            (AccessMode::Administrative, Privilege::Table(table, _)) => administrative(table),
            _ => true,
        };
        let subject = Owner::User(user.id);
        let assignments = direct.chain(through_teams).collect();
        let mut teams: Vec<TeamId> = user.teams.iter().map(|team| team.id).collect();
        teams.sort_unstable();
        teams.dedup();
        Self {
            subject,
            teams: teams.into_boxed_slice(),
            roles: Roles::Given(Compiled::new(subject, assignments, counts)),
        }
    }

    /// A team by itself, as owner (OW-4) or receiver of a share (SH-7): only its own roles count
    /// (AC-0).
    #[must_use]
    pub fn for_team(team: &TeamFacts) -> Self {
        let subject = Owner::Team(team.id);
        let roles = team.roles.iter().filter(|_| team.holds_roles);
        let assignments = roles
            .map(|role| Assignment {
                role: Arc::clone(role),
                holder: subject,
                inherited_by: None,
            })
            .collect();
        Self {
            subject,
            teams: Box::default(),
            roles: Roles::Given(Compiled::new(subject, assignments, |_| true)),
        }
    }

    /// The built-in SYSTEM user: possesses every privilege at Global (U-6).
    #[must_use]
    pub fn system(id: UserId) -> Self {
        let subject = Owner::User(id);
        Self {
            subject,
            teams: Box::default(),
            roles: Roles::Everything(Reach::everything()),
        }
    }

    /// Its id, without the kind.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.subject.uuid()
    }

    /// Its id with the kind: as owner of records and holder of grants.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        self.subject
    }

    /// The teams of a user, of any kind, sorted; none for a team.
    #[must_use]
    pub fn teams(&self) -> &[TeamId] {
        &self.teams
    }

    /// Whether it is a member of the team.
    #[must_use]
    pub fn is_member(&self, team: TeamId) -> bool {
        self.teams.binary_search(&team).is_ok()
    }

    /// Whether it has the privilege, at whatever depth (AC-1).
    #[must_use]
    pub fn possesses(&self, privilege: Privilege) -> bool {
        self.depth(privilege).is_some()
    }

    /// The highest depth at which it has the privilege; `None` without it.
    #[must_use]
    pub fn depth(&self, privilege: Privilege) -> Option<PrivilegeDepth> {
        match (privilege, &self.roles) {
            (_, Roles::Everything(_)) => Some(PrivilegeDepth::Global),
            (Privilege::Table(table, right), Roles::Given(compiled)) => {
                compiled.reach(table, right).map(Reach::depth)
            }
            (Privilege::Misc(misc), Roles::Given(compiled)) => compiled.misc_depth(misc),
        }
    }

    /// Every privilege it possesses with the highest depth, those of tables first. Empty for
    /// SYSTEM, whose privileges are not a list (see [`Self::possesses_everything`]).
    pub fn privileges(&self) -> impl Iterator<Item = (Privilege, PrivilegeDepth)> {
        self.compiled().into_iter().flat_map(Compiled::privileges)
    }

    /// Whether it is the SYSTEM user.
    #[must_use]
    pub const fn possesses_everything(&self) -> bool {
        matches!(self.roles, Roles::Everything(_))
    }

    /// Whether no role counts for it, neither direct nor through a team: such a user is refused
    /// `UserNotAssignedRoles` on everything but WhoAmI (U-8).
    #[must_use]
    pub fn has_no_roles(&self) -> bool {
        self.compiled()
            .is_some_and(|compiled| compiled.assignments.is_empty())
    }

    /// Whether a role given to it directly, not through a team, holds the privilege (IM-3).
    #[must_use]
    pub fn holds_directly(&self, misc: MiscPrivilege) -> bool {
        match self.compiled() {
            Some(compiled) => compiled.direct_misc.binary_search(&misc).is_ok(),
            None => true,
        }
    }

    /// Every grant for the privilege that counts, for explanations (AC-0, PR-6). None for SYSTEM.
    pub fn grants(&self, privilege: Privilege) -> impl Iterator<Item = Grant> {
        // A privilege that is masked (U-3) is in the roles, but not possessed.
        self.compiled()
            .filter(|_| self.possesses(privilege))
            .into_iter()
            .flat_map(|compiled| &compiled.assignments)
            .flat_map(move |assignment| {
                let privileges = assignment.role.privileges.iter();
                privileges
                    .filter(move |(contained, _)| *contained == privilege)
                    .flat_map(|(_, depth)| assignment.grants(*depth))
            })
    }

    /// How far it reaches with a right on a table; `None` without the privilege.
    pub(crate) fn reach(&self, table: ObjectTypeCode, right: Right) -> Option<&Reach> {
        match &self.roles {
            Roles::Everything(reach) => Some(reach),
            Roles::Given(compiled) => compiled.reach(table, right),
        }
    }

    const fn compiled(&self) -> Option<&Compiled> {
        match &self.roles {
            Roles::Everything(_) => None,
            Roles::Given(compiled) => Some(compiled),
        }
    }
}

impl Compiled {
    fn new(
        subject: Owner,
        assignments: Vec<Assignment>,
        counts: impl Fn(Privilege) -> bool,
    ) -> Self {
        // (privilege, depth, index of the assignment), grouped by privilege.
        let mut held = Vec::new();
        for (index, assignment) in assignments.iter().enumerate() {
            let privileges = assignment.role.privileges.iter();
            let counted = privileges.filter(|(privilege, _)| counts(*privilege));
            held.extend(counted.map(|(privilege, depth)| (*privilege, (*depth, index))));
        }
        held.sort_unstable();
        held.dedup();

        let mut compiled = Self::default();
        // Privileges that come from the same roles at the same depths reach equally far.
        let mut known: HashMap<Vec<(PrivilegeDepth, usize)>, u32> = HashMap::new();
        let mut sources = Vec::new();
        for group in held.chunk_by(|(a, _), (b, _)| a == b) {
            sources.clear();
            sources.extend(group.iter().map(|(_, source)| *source));
            match group[0].0 {
                Privilege::Table(table, right) => {
                    let reach = match known.get(&sources) {
                        Some(reach) => *reach,
                        None => {
                            let grants = sources
                                .iter()
                                .flat_map(|(depth, index)| assignments[*index].grants(*depth));
                            let reach = compiled.reaches.len() as u32;
                            compiled.reaches.push(Reach::of(subject, grants));
                            known.insert(sources.clone(), reach);
                            reach
                        }
                    };
                    if compiled.tables.last() != Some(&table) {
                        compiled.tables.push(table);
                        compiled.lines.push([ABSENT; Right::ALL.len()]);
                    }
                    if let Some(line) = compiled.lines.last_mut() {
                        line[right.index()] = reach;
                    }
                }
                Privilege::Misc(misc) => {
                    let depths = sources.iter().map(|(depth, _)| *depth);
                    compiled
                        .misc
                        .extend(depths.max().map(|depth| (misc, depth)));
                    let mut holders = sources.iter().map(|(_, index)| assignments[*index].holder);
                    if holders.any(|holder| holder == subject) {
                        compiled.direct_misc.push(misc);
                    }
                }
            }
        }
        compiled.assignments = assignments;
        compiled
    }

    fn reach(&self, table: ObjectTypeCode, right: Right) -> Option<&Reach> {
        let line = self.tables.binary_search(&table).ok()?;
        // `ABSENT` is no index of `reaches`.
        self.reaches.get(self.lines[line][right.index()] as usize)
    }

    fn misc_depth(&self, misc: MiscPrivilege) -> Option<PrivilegeDepth> {
        let place = self
            .misc
            .binary_search_by_key(&misc, |(misc, _)| *misc)
            .ok()?;
        Some(self.misc[place].1)
    }

    fn privileges(&self) -> impl Iterator<Item = (Privilege, PrivilegeDepth)> {
        let of_tables = self
            .tables
            .iter()
            .zip(&self.lines)
            .flat_map(|(table, line)| {
                Right::ALL.into_iter().filter_map(|right| {
                    let reach = self.reaches.get(line[right.index()] as usize)?;
                    Some((Privilege::Table(*table, right), reach.depth()))
                })
            });
        let misc = self
            .misc
            .iter()
            .map(|(misc, depth)| (Privilege::Misc(*misc), *depth));
        of_tables.chain(misc)
    }
}
