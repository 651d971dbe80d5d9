//! From records to the directory: one function for a full load and for every change.

use std::sync::Arc;

use imbl::HashMap;
use orgservice_security::{
    AccessMode, BusinessUnitId, BusinessUnitTree, PrivilegeDepth, RoleId, TeamId, UserId,
};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    BusinessUnit, Currency, Directory, Links, Organization, Role, RolePrivileges, StoredToken,
    Team, TeamKind, Token, User,
};
use crate::{
    metadata::{Definitions, TableDefinition},
    model::Value,
    storage::{
        Direction, KeyRange, ReadView, StorageError, keys,
        record::{Record, StoredOwner},
        sealed,
    },
};

/// The tables whose records make up the directory.
const TABLES: [&str; 10] = [
    "organization",
    "businessunit",
    "systemuser",
    "team",
    "role",
    "roleprivileges",
    "systemuserroles",
    "teamroles",
    "teammembership",
    "transactioncurrency",
];

/// Rows read per step of a full load.
const LOAD_PAGE_ROWS: usize = 1_000;

impl Directory {
    /// Whether records of this table are part of the directory.
    pub fn covers(table: &str) -> bool {
        TABLES.contains(&table)
    }

    /// A directory of nobody.
    pub fn empty() -> Self {
        Directory {
            organization: Arc::default(),
            users: HashMap::new(),
            users_by_object_id: HashMap::new(),
            teams: HashMap::new(),
            roles: HashMap::new(),
            units: HashMap::new(),
            tree: Arc::new(BusinessUnitTree::new(std::iter::empty())),
            currencies: HashMap::new(),
            role_privileges: HashMap::new(),
            user_roles: Links::new(),
            team_roles: Links::new(),
            memberships: Links::new(),
            members: Links::new(),
            intersections: HashMap::new(),
            tokens: HashMap::new(),
        }
    }

    /// The directory of everything in the store.
    ///
    /// # Errors
    /// What the store says.
    pub fn load(view: &dyn ReadView, definitions: &Definitions) -> Result<Self, StorageError> {
        let mut directory = Directory::empty();
        for name in TABLES {
            let Some(table) = definitions.table(name) else {
                continue;
            };
            for_each(view, keys::record_range(table.code.0), |key, value| {
                let id = keys::parse_record(key)?.1;
                let record = Record::decode(key, value)?;
                directory.apply_without_tree(definitions, table, id, Some(&record));
                Ok(())
            })?;
        }
        for_each(view, keys::token_range(), |key, value| {
            let hash = keys::parse_token(key)?;
            directory.apply_token(hash, Some(sealed::open::<StoredToken>(key, value)?));
            Ok(())
        })?;
        directory.rebuild_tree();
        Ok(directory)
    }

    /// Takes over one changed record; `None` when it was deleted.
    pub fn apply(
        &mut self,
        definitions: &Definitions,
        table: &TableDefinition,
        id: Uuid,
        record: Option<&Record>,
    ) {
        self.apply_without_tree(definitions, table, id, record);
        if &*table.logical_name == "businessunit" {
            self.rebuild_tree();
        }
    }

    /// Takes over one changed token.
    pub fn apply_token(&mut self, hash: [u8; 32], token: Option<StoredToken>) {
        replace(&mut self.tokens, hash, token.map(Token::from));
    }

    fn rebuild_tree(&mut self) {
        let edges = self.units.values().map(|unit| (unit.id, unit.parent));
        self.tree = Arc::new(BusinessUnitTree::new(edges));
    }

    fn apply_without_tree(
        &mut self,
        definitions: &Definitions,
        table: &TableDefinition,
        id: Uuid,
        record: Option<&Record>,
    ) {
        let row = record.map(|record| Row { table, record });
        match &*table.logical_name {
            "organization" => {
                self.organization =
                    Arc::new(row.map(|row| organization(id, &row)).unwrap_or_default());
            }
            "businessunit" => {
                replace(
                    &mut self.units,
                    BusinessUnitId(id),
                    row.map(|row| unit(id, &row)),
                );
            }
            "systemuser" => self.apply_user(UserId(id), row.map(|row| user(id, &row))),
            "team" => replace(&mut self.teams, TeamId(id), row.map(|row| team(id, &row))),
            "role" => replace(&mut self.roles, RoleId(id), row.map(|row| role(id, &row))),
            "transactioncurrency" => {
                replace(&mut self.currencies, id, row.map(|row| currency(&row)));
            }
            "roleprivileges" => self.apply_role_privilege(definitions, id, row),
            "systemuserroles" => {
                let ends =
                    self.move_ends(id, row.and_then(|row| row.ends("systemuserid", "roleid")));
                relink(&mut self.user_roles, ends, UserId, RoleId);
            }
            "teamroles" => {
                let ends = self.move_ends(id, row.and_then(|row| row.ends("teamid", "roleid")));
                relink(&mut self.team_roles, ends, TeamId, RoleId);
            }
            "teammembership" => {
                let ends =
                    self.move_ends(id, row.and_then(|row| row.ends("systemuserid", "teamid")));
                relink(&mut self.memberships, ends, UserId, TeamId);
                let swap = |ends: Option<(Uuid, Uuid)>| ends.map(|(user, team)| (team, user));
                relink(
                    &mut self.members,
                    (swap(ends.0), swap(ends.1)),
                    TeamId,
                    UserId,
                );
            }
            _ => {}
        }
    }

    fn apply_user(&mut self, id: UserId, user: Option<User>) {
        if let Some(object_id) = self.users.get(&id).and_then(|user| user.object_id) {
            self.users_by_object_id.remove(&object_id);
        }
        if let Some(object_id) = user.as_ref().and_then(|user| user.object_id) {
            self.users_by_object_id.insert(object_id, id);
        }
        replace(&mut self.users, id, user);
    }

    fn apply_role_privilege(&mut self, definitions: &Definitions, id: Uuid, row: Option<Row<'_>>) {
        let depth = row
            .as_ref()
            .and_then(|row| row.integer("privilegedepthmask"))
            .and_then(PrivilegeDepth::from_mask);
        let (old, new) = self.move_ends(id, row.and_then(|row| row.ends("roleid", "privilegeid")));
        let privilege = |privilege: Uuid| {
            definitions
                .privileges()
                .by_id(privilege)
                .map(|definition| definition.privilege)
        };
        if let Some((role, privilege)) = old.and_then(|(role, id)| Some((role, privilege(id)?))) {
            self.edit_role(RoleId(role), |privileges| {
                privileges.remove(&privilege);
            });
        }
        let new = new.and_then(|(role, id)| Some((role, privilege(id)?)));
        if let (Some((role, privilege)), Some(depth)) = (new, depth) {
            self.edit_role(RoleId(role), |privileges| {
                privileges.insert(privilege, (depth, id));
            });
        }
    }

    fn edit_role(&mut self, role: RoleId, edit: impl FnOnce(&mut RolePrivileges)) {
        edit(Arc::make_mut(self.role_privileges.entry(role).or_default()));
    }

    /// Remembers which two rows an intersection joins, and tells which ones it joined before.
    fn move_ends(&mut self, id: Uuid, new: Option<(Uuid, Uuid)>) -> Ends {
        let old = match new {
            Some(ends) => self.intersections.insert(id, ends),
            None => self.intersections.remove(&id),
        };
        (old, new)
    }
}

/// What an intersection joined before and joins now.
type Ends = (Option<(Uuid, Uuid)>, Option<(Uuid, Uuid)>);

fn for_each(
    view: &dyn ReadView,
    mut range: KeyRange,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    loop {
        let page = view.scan(&range, Direction::Forward, LOAD_PAGE_ROWS)?;
        for (key, value) in &page {
            visit(key, value)?;
        }
        match page.last() {
            Some((last, _)) if page.len() == LOAD_PAGE_ROWS => {
                range.start = [last, &[0][..]].concat();
            }
            _ => return Ok(()),
        }
    }
}

fn replace<K: std::hash::Hash + Eq + Clone, V>(
    map: &mut HashMap<K, Arc<V>>,
    key: K,
    value: Option<V>,
) {
    match value {
        Some(value) => map.insert(key, Arc::new(value)),
        None => map.remove(&key),
    };
}

fn relink<L, R>(
    links: &mut Links<L, R>,
    (old, new): Ends,
    left: impl Fn(Uuid) -> L,
    right: impl Fn(Uuid) -> R,
) where
    L: std::hash::Hash + Eq + Clone,
    R: Ord + Clone,
{
    if let Some((from, to)) = old
        && let Some(set) = links.get_mut(&left(from))
    {
        set.remove(&right(to));
    }
    if let Some((from, to)) = new {
        links.entry(left(from)).or_default().insert(right(to));
    }
}

/// One record with the table that explains its columns.
struct Row<'a> {
    table: &'a TableDefinition,
    record: &'a Record,
}

impl Row<'_> {
    fn get(&self, column: &str) -> Option<&Value> {
        self.table
            .column(column)
            .and_then(|column| self.record.get(column.number))
    }

    fn text(&self, column: &str) -> String {
        match self.get(column) {
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        }
    }

    fn flag(&self, column: &str) -> Option<bool> {
        match self.get(column) {
            Some(Value::Boolean(flag)) => Some(*flag),
            _ => None,
        }
    }

    fn integer(&self, column: &str) -> Option<i32> {
        match self.get(column) {
            Some(Value::Integer(number) | Value::OptionSet(number)) => Some(*number),
            _ => None,
        }
    }

    fn id(&self, column: &str) -> Option<Uuid> {
        match self.get(column) {
            Some(Value::Guid(id)) => Some(*id),
            Some(Value::EntityReference(reference)) => reference.id,
            _ => None,
        }
    }

    fn decimal(&self, column: &str) -> Option<Decimal> {
        match self.get(column) {
            Some(Value::Decimal(number)) => Some(*number),
            _ => None,
        }
    }

    fn ends(&self, left: &str, right: &str) -> Option<(Uuid, Uuid)> {
        Some((self.id(left)?, self.id(right)?))
    }

    fn business_unit(&self) -> BusinessUnitId {
        BusinessUnitId(self.record.business_unit.unwrap_or_default())
    }
}

fn organization(id: Uuid, row: &Row<'_>) -> Organization {
    let settings = row.text("orgdborgsettings");
    let setting = |name: &str, default: bool| setting(&settings, name).unwrap_or(default);
    Organization {
        id,
        name: row.text("name"),
        base_currency: row.id("basecurrencyid"),
        share_to_previous_owner_on_assign: row
            .flag("sharetopreviousowneronassign")
            .unwrap_or(false),
        ownership_across_business_units: setting("EnableOwnershipAcrossBusinessUnits", false),
        keep_roles_on_business_unit_change: setting("DoNotRemoveRolesOnChangeBusinessUnit", false),
        move_records_with_owner: setting("AlwaysMoveRecordToOwnerBusinessUnit", true),
    }
}

/// A Boolean of `orgdborgsettings`: `<OrgSettings><Name>true</Name></OrgSettings>`.
fn setting(xml: &str, name: &str) -> Option<bool> {
    let value = xml
        .split_once(&format!("<{name}>"))?
        .1
        .split_once(&format!("</{name}>"))?
        .0;
    match value.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn unit(id: Uuid, row: &Row<'_>) -> BusinessUnit {
    BusinessUnit {
        id: BusinessUnitId(id),
        name: row.text("name"),
        parent: row.id("parentbusinessunitid").map(BusinessUnitId),
        disabled: row.flag("isdisabled").unwrap_or(false),
    }
}

fn user(id: Uuid, row: &Row<'_>) -> User {
    User {
        id: UserId(id),
        business_unit: row.business_unit(),
        full_name: row.text("fullname"),
        domain_name: row.text("domainname"),
        disabled: row.flag("isdisabled").unwrap_or(false),
        access_mode: row
            .integer("accessmode")
            .and_then(AccessMode::from_number)
            .unwrap_or(AccessMode::ReadWrite),
        object_id: row.id("azureactivedirectoryobjectid"),
        currency: row.id("transactioncurrencyid"),
    }
}

fn team(id: Uuid, row: &Row<'_>) -> Team {
    Team {
        id: TeamId(id),
        name: row.text("name"),
        business_unit: row.business_unit(),
        kind: TeamKind::from_number(row.integer("teamtype").unwrap_or(0)),
        is_default: row.flag("isdefault").unwrap_or(false),
        system_managed: row.id("teamtemplateid").is_some(),
    }
}

fn role(id: Uuid, row: &Row<'_>) -> Role {
    Role {
        id: RoleId(id),
        name: row.text("name"),
        business_unit: row.business_unit(),
        parent: row.id("parentroleid").map(RoleId),
        root: RoleId(row.id("parentrootroleid").unwrap_or(id)),
        template: row.id("roletemplateid"),
        member_inheritance: row.integer("isinherited") != Some(0),
    }
}

fn currency(row: &Row<'_>) -> Currency {
    Currency {
        name: row.text("currencyname"),
        symbol: row.text("currencysymbol"),
        precision: row
            .integer("currencyprecision")
            .and_then(|digits| u32::try_from(digits).ok())
            .unwrap_or(2),
        exchange_rate: row.decimal("exchangerate").unwrap_or(Decimal::ONE),
    }
}

/// The stored owner as the decision knows it.
pub fn owner(owner: StoredOwner) -> orgservice_security::Owner {
    match owner {
        StoredOwner::User(id) => orgservice_security::Owner::User(UserId(id)),
        StoredOwner::Team(id) => orgservice_security::Owner::Team(TeamId(id)),
    }
}
