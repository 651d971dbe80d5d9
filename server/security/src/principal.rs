//! A user or team with everything a decision needs to know of it (AC-0, AC-1, U-3).
//!
//! The directory hands over plain facts: roles, teams, business units. [`Principal`] holds what
//! they amount to, compiled once per change (`compile.rs`).
//!
//! A principal is immutable. A change of a role, a team, a membership, a business unit's state or
//! the access mode means a new one; keeping them is the directory's business.

use std::sync::Arc;

use uuid::Uuid;

use crate::compile::{Assignment, Compiled, PrincipalCompiler};
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
    business_unit: BusinessUnitId,
    /// Sorted.
    teams: Box<[TeamId]>,
    roles: Roles,
}

#[derive(Clone, Debug)]
enum Roles {
    /// SYSTEM: every privilege that exists or will exist, at Global (U-6).
    Everything(Arc<Reach>),
    Given(Arc<Compiled>),
}

impl Principal {
    /// A user with its direct roles and those of its enabled role-holding teams (AC-0), masked by
    /// its access mode (U-3). `administrative` tells which tables are administration tables. For
    /// many users, [`PrincipalCompiler`] does the same and lets them share.
    #[must_use]
    pub fn for_user(user: &UserFacts, administrative: impl Fn(ObjectTypeCode) -> bool) -> Self {
        PrincipalCompiler::new(administrative).user(user)
    }

    /// A user whose roles are compiled already.
    pub(crate) fn with(user: &UserFacts, compiled: Arc<Compiled>) -> Self {
        let mut teams: Vec<TeamId> = user.teams.iter().map(|team| team.id).collect();
        teams.sort_unstable();
        teams.dedup();
        Self {
            subject: Owner::User(user.id),
            business_unit: user.business_unit,
            teams: teams.into_boxed_slice(),
            roles: Roles::Given(compiled),
        }
    }

    /// A team by itself, as owner (OW-4) or receiver of a share (SH-7): only its own roles count
    /// (AC-0).
    #[must_use]
    pub fn for_team(team: &TeamFacts) -> Self {
        let roles = team.roles.iter().filter(|_| team.holds_roles);
        let assignments = roles.map(Assignment::direct).collect();
        Self {
            subject: Owner::Team(team.id),
            business_unit: team.business_unit,
            teams: Box::default(),
            roles: Roles::Given(Arc::new(Compiled::new(assignments, |_| true))),
        }
    }

    /// The built-in SYSTEM user: possesses every privilege at Global (U-6).
    #[must_use]
    pub fn system(id: UserId) -> Self {
        Self {
            subject: Owner::User(id),
            // Nothing is measured from it: SYSTEM has no grant below Global.
            business_unit: BusinessUnitId(Uuid::nil()),
            teams: Box::default(),
            roles: Roles::Everything(Arc::new(Reach::everything())),
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
            .is_some_and(|compiled| compiled.assignments().is_empty())
    }

    /// Whether a role given to it directly, not through a team, holds the privilege (IM-3).
    #[must_use]
    pub fn holds_directly(&self, misc: MiscPrivilege) -> bool {
        match self.compiled() {
            Some(compiled) => compiled.holds_directly(misc),
            None => true,
        }
    }

    /// Every grant for the privilege that counts, for explanations (AC-0, PR-6). None for SYSTEM.
    pub fn grants(&self, privilege: Privilege) -> impl Iterator<Item = Grant> {
        // A privilege that is masked (U-3) is in the roles, but not possessed.
        self.compiled()
            .filter(|_| self.possesses(privilege))
            .into_iter()
            .flat_map(move |compiled| compiled.parts(privilege))
            .map(|(role, part)| Grant {
                role,
                depth: part.depth,
                holder: part.team.map_or(self.subject, Owner::Team),
                anchor: part.anchor.unwrap_or(self.business_unit),
                inherited: part.anchor.is_none(),
            })
    }

    /// How far it reaches with a right on a table; `None` without the privilege.
    pub(crate) fn reach(&self, table: ObjectTypeCode, right: Right) -> Option<&Reach> {
        match &self.roles {
            Roles::Everything(reach) => Some(reach),
            Roles::Given(compiled) => compiled.reach(table, right),
        }
    }

    fn compiled(&self) -> Option<&Compiled> {
        match &self.roles {
            Roles::Everything(_) => None,
            Roles::Given(compiled) => Some(compiled),
        }
    }
}
