//! Users, teams, roles and business units as an immutable, versioned snapshot.
//!
//! Derived from ordinary records and nothing else: [`Directory::apply`] takes one changed record,
//! and a full load is the same call for every record (`load.rs`). The maps are persistent, so a
//! change costs its own size however many users there are, and a transaction that gives a role can
//! use it at once on a private copy (XT-3).

mod load;

pub use load::owner;

use std::{collections::BTreeMap, sync::Arc};

use imbl::{HashMap, OrdSet};
use jiff::Timestamp;
use orgservice_security::{
    AccessMode, BusinessUnitId, BusinessUnitTree, OrganizationId, Owner, Privilege, PrivilegeDepth,
    RoleFacts, RoleId, TeamFacts, TeamId, UserFacts, UserId,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

/// The user in whose name the server itself works; possesses every privilege at Global (U-6).
pub const SYSTEM_USER: UserId = UserId(uuid!("5a5e0001-0000-4000-8000-000000000001"));

/// The second built-in user; like SYSTEM it can neither sign in nor be impersonated (U-6).
pub const INTEGRATION_USER: UserId = UserId(uuid!("5a5e0001-0000-4000-8000-000000000002"));

/// Role template of System Administrator.
pub const SYSTEM_ADMINISTRATOR: Uuid = uuid!("627090ff-40a3-4053-8790-584edc5be201");
/// Role template of System Customizer.
pub const SYSTEM_CUSTOMIZER: Uuid = uuid!("119f245c-3cc8-4b62-b31c-d1a046ced15d");
/// Role template of Delegate.
pub const DELEGATE: Uuid = uuid!("d892cc0b-28c7-4e88-bd92-72f2c366baed");
/// Role template of Basic User.
pub const BASIC_USER: Uuid = uuid!("236750cd-45ae-4939-ab12-b24b920ced93");

/// Who is who at one moment.
#[derive(Clone, Debug)]
pub struct Directory {
    organization: Arc<Organization>,
    users: HashMap<UserId, Arc<User>>,
    users_by_object_id: HashMap<Uuid, UserId>,
    teams: HashMap<TeamId, Arc<Team>>,
    roles: HashMap<RoleId, Arc<Role>>,
    units: HashMap<BusinessUnitId, Arc<BusinessUnit>>,
    tree: Arc<BusinessUnitTree>,
    currencies: HashMap<Uuid, Arc<Currency>>,
    /// What each root role grants.
    role_privileges: HashMap<RoleId, Arc<RolePrivileges>>,
    user_roles: Links<UserId, RoleId>,
    team_roles: Links<TeamId, RoleId>,
    memberships: Links<UserId, TeamId>,
    members: Links<TeamId, UserId>,
    /// Ends of every membership, role assignment and role privilege, by the id of its record.
    intersections: HashMap<Uuid, (Uuid, Uuid)>,
    tokens: HashMap<[u8; 32], Arc<Token>>,
}

type Links<L, R> = HashMap<L, OrdSet<R>>;

/// What the organization row says.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// Its id; all zero in a store that was never initialized.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The base currency (CR-10).
    pub base_currency: Option<Uuid>,
    /// Whether Assign leaves the previous owner a share of all rights.
    pub share_to_previous_owner_on_assign: bool,
    /// Whether a role of any business unit may be given.
    pub ownership_across_business_units: bool,
    /// Whether a user keeps roles when moved to another business unit (U-2).
    pub keep_roles_on_business_unit_change: bool,
    /// Whether records follow their owner to another business unit (U-2).
    pub move_records_with_owner: bool,
}

/// A user (`security.md` 1.2).
#[derive(Clone, Debug)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// The business unit it belongs to (U-1).
    pub business_unit: BusinessUnitId,
    /// Display name.
    pub full_name: String,
    /// Sign-in name.
    pub domain_name: String,
    /// Whether it may act at all (U-5).
    pub disabled: bool,
    /// Which privileges count (U-3).
    pub access_mode: AccessMode,
    /// Directory object id.
    pub object_id: Option<Uuid>,
    /// The user's currency (CR-10).
    pub currency: Option<Uuid>,
}

impl User {
    /// Whether this is SYSTEM or INTEGRATION (U-6).
    pub fn is_built_in(&self) -> bool {
        self.id == SYSTEM_USER || self.id == INTEGRATION_USER
    }
}

/// What a team can do (`security.md` 1.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TeamKind {
    /// Owns records and holds roles.
    Owner,
    /// Only receives shares (T-1).
    Access,
    /// Like Owner, members from the directory.
    SecurityGroup,
    /// Like Owner, members from the directory.
    OfficeGroup,
}

impl TeamKind {
    /// The kind of a `teamtype` number.
    pub fn from_number(number: i32) -> Self {
        match number {
            1 => TeamKind::Access,
            2 => TeamKind::SecurityGroup,
            3 => TeamKind::OfficeGroup,
            _ => TeamKind::Owner,
        }
    }

    /// Whether such a team can own records and hold roles (T-1).
    pub fn owns(self) -> bool {
        self != TeamKind::Access
    }
}

/// A team.
#[derive(Clone, Debug)]
pub struct Team {
    /// Id.
    pub id: TeamId,
    /// Name.
    pub name: String,
    /// The business unit it belongs to.
    pub business_unit: BusinessUnitId,
    /// Owner, access or group team.
    pub kind: TeamKind,
    /// Whether it is its unit's default team (T-3).
    pub is_default: bool,
    /// Whether it was made from an access-team template (SH-1).
    pub system_managed: bool,
}

/// A role, or the copy of one in a business unit.
#[derive(Clone, Debug)]
pub struct Role {
    /// Id of this copy.
    pub id: RoleId,
    /// Name, the same for all copies.
    pub name: String,
    /// The copy's business unit: the anchor of its grants (AC-0).
    pub business_unit: BusinessUnitId,
    /// The copy (or root) in the parent unit; `None` for the root role.
    pub parent: Option<RoleId>,
    /// The root role, which holds the privileges.
    pub root: RoleId,
    /// Role template, for the shipped roles.
    pub template: Option<Uuid>,
    /// Whether members of a team that holds it also get it at Basic.
    pub member_inheritance: bool,
}

impl Role {
    /// Whether this is a root role, not a copy.
    pub fn is_root(&self) -> bool {
        self.id == self.root
    }
}

/// A business unit.
#[derive(Clone, Debug)]
pub struct BusinessUnit {
    /// Id.
    pub id: BusinessUnitId,
    /// Name.
    pub name: String,
    /// Its parent; `None` for the root.
    pub parent: Option<BusinessUnitId>,
    /// Whether its users and teams may act (BU-4).
    pub disabled: bool,
}

/// A currency, for amounts and their display.
#[derive(Clone, Debug)]
pub struct Currency {
    /// Name.
    pub name: String,
    /// Symbol put before an amount.
    pub symbol: String,
    /// Digits after the point.
    pub precision: u32,
    /// How much of it one unit of the base currency buys.
    pub exchange_rate: Decimal,
}

/// The privileges of one root role: depth and `roleprivileges` record of each.
pub type RolePrivileges = BTreeMap<Privilege, (PrivilegeDepth, Uuid)>;

/// Roles as the decision takes them, each made once per snapshot: users with the same roles share
/// what is compiled of them.
#[derive(Debug, Default)]
pub struct RoleCache(std::collections::HashMap<RoleId, Arc<RoleFacts>>);

/// A bearer token, known by its hash only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// Public name of the token.
    pub id: Uuid,
    /// Whom it signs in.
    pub user: UserId,
    /// What it was made for.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: UserId,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// A token as it lies in the store under its hash (keyspace 15).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StoredToken {
    /// Public name of the token.
    pub id: Uuid,
    /// Whom it signs in.
    pub user: Uuid,
    /// What it was made for.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: Uuid,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl From<StoredToken> for Token {
    fn from(token: StoredToken) -> Self {
        Token {
            id: token.id,
            user: UserId(token.user),
            label: token.label,
            created: token.created,
            created_by: UserId(token.created_by),
            expires: token.expires,
            revoked: token.revoked,
        }
    }
}

impl Directory {
    /// What the organization row says.
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The organization's id as the decision knows it.
    pub fn organization_id(&self) -> OrganizationId {
        OrganizationId(self.organization.id)
    }

    /// A user by id.
    pub fn user(&self, id: UserId) -> Option<&Arc<User>> {
        self.users.get(&id)
    }

    /// A user by directory object id.
    pub fn user_by_object_id(&self, object_id: Uuid) -> Option<&Arc<User>> {
        self.users_by_object_id
            .get(&object_id)
            .and_then(|id| self.users.get(id))
    }

    /// Every user.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.values()
    }

    /// A team by id.
    pub fn team(&self, id: TeamId) -> Option<&Arc<Team>> {
        self.teams.get(&id)
    }

    /// Every team.
    pub fn teams(&self) -> impl Iterator<Item = &Arc<Team>> {
        self.teams.values()
    }

    /// A role or role copy by id.
    pub fn role(&self, id: RoleId) -> Option<&Arc<Role>> {
        self.roles.get(&id)
    }

    /// Every role and role copy.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.values()
    }

    /// A business unit by id.
    pub fn unit(&self, id: BusinessUnitId) -> Option<&Arc<BusinessUnit>> {
        self.units.get(&id)
    }

    /// Every business unit.
    pub fn units(&self) -> impl Iterator<Item = &Arc<BusinessUnit>> {
        self.units.values()
    }

    /// The tree of business units.
    pub fn tree(&self) -> &Arc<BusinessUnitTree> {
        &self.tree
    }

    /// The unit without a parent.
    pub fn root_unit(&self) -> Option<&Arc<BusinessUnit>> {
        self.units.values().find(|unit| unit.parent.is_none())
    }

    /// A unit's default team (T-3).
    pub fn default_team(&self, unit: BusinessUnitId) -> Option<&Arc<Team>> {
        self.teams
            .values()
            .find(|team| team.is_default && team.business_unit == unit)
    }

    /// Whether a unit exists and is enabled (BU-4).
    pub fn unit_enabled(&self, id: BusinessUnitId) -> bool {
        self.units.get(&id).is_some_and(|unit| !unit.disabled)
    }

    /// A currency by id.
    pub fn currency(&self, id: Uuid) -> Option<&Arc<Currency>> {
        self.currencies.get(&id)
    }

    /// The privileges of a role, read at its root.
    pub fn role_privileges(&self, role: RoleId) -> Option<&Arc<RolePrivileges>> {
        let root = self.roles.get(&role).map_or(role, |role| role.root);
        self.role_privileges.get(&root)
    }

    /// The roles given to a user directly.
    pub fn roles_of_user(&self, user: UserId) -> impl Iterator<Item = &Arc<Role>> {
        self.linked(&self.user_roles, user, |id| self.roles.get(id))
    }

    /// The roles given to a team.
    pub fn roles_of_team(&self, team: TeamId) -> impl Iterator<Item = &Arc<Role>> {
        self.linked(&self.team_roles, team, |id| self.roles.get(id))
    }

    /// The teams a user is in.
    pub fn teams_of(&self, user: UserId) -> impl Iterator<Item = &Arc<Team>> {
        self.linked(&self.memberships, user, |id| self.teams.get(id))
    }

    /// The users in a team.
    pub fn members_of(&self, team: TeamId) -> impl Iterator<Item = &Arc<User>> {
        self.linked(&self.members, team, |id| self.users.get(id))
    }

    /// Whether a user is in a team.
    pub fn is_member(&self, user: UserId, team: TeamId) -> bool {
        self.memberships
            .get(&user)
            .is_some_and(|teams| teams.contains(&team))
    }

    fn linked<'a, L, R, T>(
        &'a self,
        links: &'a Links<L, R>,
        of: L,
        resolve: impl Fn(&R) -> Option<&'a Arc<T>> + 'a,
    ) -> impl Iterator<Item = &'a Arc<T>>
    where
        L: std::hash::Hash + Eq,
        R: Ord + Clone + 'a,
        T: 'a,
    {
        links.get(&of).into_iter().flatten().filter_map(resolve)
    }

    /// The token of a hash.
    pub fn token(&self, hash: &[u8; 32]) -> Option<&Arc<Token>> {
        self.tokens.get(hash)
    }

    /// Every token with its hash.
    pub fn tokens(&self) -> impl Iterator<Item = (&[u8; 32], &Arc<Token>)> {
        self.tokens.iter()
    }

    /// The unit and kind of an owner, for prospective facts and owner rules.
    pub fn owner_unit(&self, owner: Owner) -> Option<BusinessUnitId> {
        match owner {
            Owner::User(id) => self.users.get(&id).map(|user| user.business_unit),
            Owner::Team(id) => self.teams.get(&id).map(|team| team.business_unit),
        }
    }

    /// Whether a user holds the System Administrator role, directly or through a team, and can act.
    pub fn is_system_administrator(&self, user: UserId) -> bool {
        let administrator = |role: &Arc<Role>| role.template == Some(SYSTEM_ADMINISTRATOR);
        user == SYSTEM_USER
            || self.roles_of_user(user).any(administrator)
            || self.teams_of(user).any(|team| {
                self.unit_enabled(team.business_unit)
                    && team.kind.owns()
                    && self.roles_of_team(team.id).any(administrator)
            })
    }

    /// What AC-0 needs of a user; `None` when there is no such user.
    pub fn user_facts(&self, id: UserId, roles: &mut RoleCache) -> Option<UserFacts> {
        let user = self.users.get(&id)?;
        Some(UserFacts {
            id,
            business_unit: user.business_unit,
            access_mode: user.access_mode,
            roles: self
                .roles_of_user(id)
                .map(|role| self.role_facts(role, roles))
                .collect(),
            teams: self
                .teams_of(id)
                .map(|team| Arc::new(self.facts_of_team(team, roles)))
                .collect(),
        })
    }

    /// What AC-0 needs of a team acting as a principal (SH-7, OW-4).
    pub fn team_facts(&self, id: TeamId, roles: &mut RoleCache) -> Option<TeamFacts> {
        self.teams
            .get(&id)
            .map(|team| self.facts_of_team(team, roles))
    }

    fn facts_of_team(&self, team: &Team, roles: &mut RoleCache) -> TeamFacts {
        TeamFacts {
            id: team.id,
            business_unit: team.business_unit,
            enabled: self.unit_enabled(team.business_unit),
            holds_roles: team.kind.owns(),
            roles: self
                .roles_of_team(team.id)
                .map(|role| self.role_facts(role, roles))
                .collect(),
        }
    }

    fn role_facts(&self, role: &Role, roles: &mut RoleCache) -> Arc<RoleFacts> {
        let facts = roles.0.entry(role.id).or_insert_with(|| {
            let privileges = self.role_privileges.get(&role.root);
            Arc::new(RoleFacts {
                id: role.id,
                business_unit: role.business_unit,
                member_inheritance: role.member_inheritance,
                privileges: privileges
                    .into_iter()
                    .flat_map(|privileges| privileges.iter())
                    .map(|(&privilege, &(depth, _))| (privilege, depth))
                    .collect(),
            })
        });
        Arc::clone(facts)
    }

    /// The display name of a row that lives here, so that look-ups of users cost no read.
    pub fn name(&self, table: &str, id: Uuid) -> Option<String> {
        match table {
            "systemuser" => self
                .users
                .get(&UserId(id))
                .map(|user| user.full_name.clone()),
            "team" => self.teams.get(&TeamId(id)).map(|team| team.name.clone()),
            "businessunit" => self
                .units
                .get(&BusinessUnitId(id))
                .map(|unit| unit.name.clone()),
            "role" => self.roles.get(&RoleId(id)).map(|role| role.name.clone()),
            "transactioncurrency" => self
                .currencies
                .get(&id)
                .map(|currency| currency.name.clone()),
            "organization" => (self.organization.id == id).then(|| self.organization.name.clone()),
            _ => None,
        }
    }
}
