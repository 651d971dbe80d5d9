//! A small organization whose users, teams, roles and records are known by name.
//!
//! It is written down as a [`Fixture`] and built over the socket by the first administrator, as any
//! client would. Ids are derived from names, so two worlds of one fixture are the same.

use std::collections::{BTreeMap, BTreeSet};

use orgservice::v1::{Entity, EntityReference, OrganizationRequest, Value, value::Kind};
use orgservice_security::{Privilege, RoleId};
use orgservice_server::directory::SYSTEM_USER;
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use super::fixture::Fixture;
use super::{
    client::Client,
    fixture::{RecordFixture, TeamFixture, UserFixture},
    notation::{self, Granted},
    server::{Image, ROOT, TestOptions, TestServer},
    values::{entity, guid, link, list, option, record, reference, request, share, transaction},
};

/// The business units of `security.md` 13: each with its parent.
pub const DEFAULT_TREE: [(&str, &str); 5] = [
    ("SALES", ROOT),
    ("NORTH", "SALES"),
    ("SOUTH", "SALES"),
    ("SVC", ROOT),
    ("SVC1", "SVC"),
];

/// What ids are derived from, with names.
const NAMESPACE: Uuid = Uuid::from_u128(0x5ce0_a710_0000_4000_8000_0000_0000_0001);

/// Lets anybody own a record while the world is built, whatever his own roles say (OW-4).
const OWNERSHIP: &str = "records may be owned";

/// A server with a [`Fixture`] in it.
pub struct World {
    /// The server.
    pub server: TestServer,
    /// A client of the first administrator.
    pub administrator: Client,
    names: BTreeMap<String, EntityReference>,
    tokens: BTreeMap<String, String>,
    trusted: BTreeSet<String>,
}

impl World {
    /// Starts a server with the business units of `security.md` 13 and builds the fixture in it.
    pub async fn build(fixture: &Fixture) -> Self {
        static TREE: OnceCell<Image> = OnceCell::const_new();
        let image = TREE.get_or_init(default_tree).await;
        let mut options = TestOptions {
            shipped_cascades: fixture.shipped_cascades,
            ..TestOptions::default()
        };
        options.cascades = fixture
            .cascades
            .iter()
            .map(|(name, cascade)| (name.clone(), cascade.configuration()))
            .collect();
        let users = fixture.users.iter().filter(|(_, user)| user.trusted);
        let users = users.map(|(name, _)| name.clone());
        options.trusted_hosts = users
            .clone()
            .map(|name| id_of_name("systemuser", &name).to_string())
            .chain(fixture.hosts.iter().cloned())
            .collect();
        let server = TestServer::start_from(image, options).await;
        let mut world = World {
            administrator: server.as_administrator(),
            server,
            names: BTreeMap::new(),
            tokens: BTreeMap::new(),
            trusted: fixture.hosts.iter().cloned().chain(users).collect(),
        };
        world.know_what_is_there();
        world.add(fixture).await;
        world
    }

    /// The reference of a name.
    pub fn reference(&self, name: &str) -> EntityReference {
        if let Some(reference) = self.names.get(name) {
            return reference.clone();
        }
        let snapshot = self.server.organization.snapshot();
        let privilege = snapshot.definitions().privileges().by_name(name);
        let privilege = privilege.unwrap_or_else(|| panic!("nothing is called `{name}`"));
        reference("privilege", privilege.id)
    }

    /// The id of a name.
    pub fn id(&self, name: &str) -> Uuid {
        self.reference(name).id.parse().expect("a GUID")
    }

    /// Whether something has this name.
    pub fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Gives a name to a record.
    pub fn name(&mut self, name: &str, table: &str, id: Uuid) {
        self.names.insert(name.to_owned(), reference(table, id));
    }

    /// The name of an id, or the id.
    pub fn name_of(&self, id: &str) -> String {
        self.names
            .iter()
            .find(|(_, reference)| reference.id == id)
            .map_or_else(|| id.to_owned(), |(name, _)| name.clone())
    }

    /// A text with every known id replaced by its name.
    pub fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, reference) in &self.names {
            if text.contains(&reference.id) {
                text = text.replace(&reference.id, name);
            }
        }
        text
    }

    /// A client of a user or host.
    pub fn client(&self, name: &str) -> Client {
        if name == "administrator" {
            return self.administrator.clone();
        }
        self.server.client(self.token(name))
    }

    /// The token of a user or host.
    pub fn token(&self, name: &str) -> &str {
        self.tokens
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` has no token"))
    }

    /// Whether the deployment trusts this user or host (IM-4).
    pub fn is_trusted(&self, name: &str) -> bool {
        self.trusted.contains(name)
    }

    /// The directory object id of a user.
    pub fn object_id(name: &str) -> Uuid {
        id_of_name("directory object", name)
    }

    /// A value of a scenario file: `@ann` is a reference, `null` nothing, everything else is itself.
    pub fn value(&self, value: &toml::Value) -> Value {
        match value {
            toml::Value::String(text) if text == "null" => Value::null(),
            toml::Value::String(text) => match text.strip_prefix('@') {
                Some(name) => self.reference(name).into(),
                None => text.as_str().into(),
            },
            toml::Value::Boolean(flag) => (*flag).into(),
            toml::Value::Integer(number) => i32::try_from(*number).expect("32 bits").into(),
            toml::Value::Table(typed) => self.typed_value(typed),
            toml::Value::Array(values) => list(values.iter().map(|value| self.value(value))),
            other => panic!("`{other}` has no kind"),
        }
    }

    /// `{ guid = "@ann" }`, `{ option = 1 }`, `{ money = "1.00" }`: a value whose kind is spelled out.
    fn typed_value(&self, typed: &toml::Table) -> Value {
        let (kind, value) = typed.iter().next().expect("a kind and a value");
        let text = || {
            value
                .as_str()
                .unwrap_or_else(|| panic!("`{value}` is no text"))
                .to_owned()
        };
        match kind.as_str() {
            "guid" => {
                let text = text();
                let id = text.strip_prefix('@').map(|name| self.reference(name).id);
                Kind::GuidValue(id.unwrap_or(text)).into()
            }
            "option" => option(value.as_integer().expect("a number") as i32),
            "money" => orgservice::v1::Money { value: text() }.into(),
            "decimal" => Kind::DecimalValue(text()).into(),
            "date" => Kind::DateTimeValue(prost_types::Timestamp {
                seconds: text()
                    .parse::<jiff::Timestamp>()
                    .expect("a time")
                    .as_second(),
                nanos: 0,
            })
            .into(),
            // What a role contains, as AddPrivilegesRole takes it.
            "privileges" => {
                let contained = notation::role(&text()).expect("what a role contains");
                list(self.role_privileges(&contained))
            }
            other => panic!("`{other}` is no kind"),
        }
    }

    /// A value as scenario files write it.
    pub fn text_of(&self, value: Option<&Value>) -> String {
        match value.and_then(|value| value.kind.as_ref()) {
            None | Some(Kind::NullValue(_)) => "null".to_owned(),
            Some(Kind::EntityReference(reference)) => format!("@{}", self.name_of(&reference.id)),
            Some(Kind::GuidValue(id)) => format!("@{}", self.name_of(id)),
            Some(Kind::StringValue(text) | Kind::DecimalValue(text)) => text.clone(),
            Some(Kind::BooleanValue(flag)) => flag.to_string(),
            Some(Kind::IntegerValue(number) | Kind::OptionSetValue(number)) => number.to_string(),
            Some(Kind::BigIntValue(number)) => number.to_string(),
            Some(Kind::MoneyValue(money)) => money.value.clone(),
            Some(Kind::DateTimeValue(time)) => jiff::Timestamp::from_second(time.seconds)
                .expect("a time")
                .to_string(),
            Some(other) => format!("{other:?}"),
        }
    }

    fn know_what_is_there(&mut self) {
        self.name("administrator", "systemuser", self.server.administrator);
        self.name("SYSTEM", "systemuser", SYSTEM_USER.0);
        let snapshot = self.server.organization.snapshot();
        let directory = snapshot.directory();
        self.name("organization", "organization", directory.organization().id);
        for unit in directory.units() {
            self.name(&unit.name, "businessunit", unit.id.0);
            if let Some(team) = directory.default_team(unit.id) {
                self.name(&format!("team of {}", unit.name), "team", team.id.0);
            }
        }
        for role in directory.roles() {
            let unit = directory.unit(role.business_unit).expect("a unit");
            self.name(&format!("{}@{}", role.name, unit.name), "role", role.id.0);
        }
    }

    async fn add(&mut self, fixture: &Fixture) {
        let mut requests = Vec::new();
        for (name, contents) in &fixture.roles {
            let contained = notation::role(contents).expect("what a role contains");
            self.make_role(&mut requests, name, &contained, true);
        }
        let mut given = Vec::new();
        for (name, user) in &fixture.users {
            self.make_user(&mut requests, name, user);
            for (at, role) in user.roles.iter().enumerate() {
                let own = format!("role {at} of {name}");
                let role = self.role_named(&mut requests, role, &own, true);
                given.push((
                    "systemuserroles_association",
                    name.as_str(),
                    role,
                    &*user.unit,
                ));
            }
        }
        for (name, team) in &fixture.teams {
            self.make_team(&mut requests, name, team);
            for (at, role) in team.roles.iter().enumerate() {
                let own = format!("role {at} of {name}");
                let role = self.role_named(&mut requests, role, &own, team.inherited);
                given.push(("teamroles_association", name.as_str(), role, &*team.unit));
            }
        }
        self.run(requests).await;
        // Role copies have ids of their own.
        self.know_what_is_there();

        let (owned, owners) = self.make_records(fixture);
        let (give, take) = (
            self.ownership("Associate", &owners),
            self.ownership("Disassociate", &owners),
        );
        self.run(give.into_iter().chain(owned).chain(take).collect())
            .await;

        let mut requests = Vec::new();
        for (relationship, holder, role, unit) in given {
            let role = self.reference(&format!("{role}@{unit}"));
            requests.push(link(
                "Associate",
                self.reference(holder),
                relationship,
                [role],
            ));
        }
        for share in &fixture.shares {
            requests.push(self.make_share(share));
        }
        if !fixture.settings.is_empty() {
            let target = self.reference("organization");
            requests.push(self.update(target, &fixture.settings));
        }
        for (name, user) in fixture.users.iter().filter(|(_, user)| user.disabled) {
            let disabled = record("systemuser", self.id(name), [("isdisabled", true.into())]);
            requests.push(request("Update", [("Target", disabled.into())]));
            let _ = user;
        }
        self.run(requests).await;
        for name in fixture.users.keys() {
            let token = self.administrator.token_for(self.id(name), name).await;
            self.tokens.insert(name.clone(), token);
        }
        for host in &fixture.hosts {
            self.tokens.insert(host.clone(), self.host_token(host));
        }
    }

    /// The token of a host without a user row; only the deployment itself can make one (IM-4).
    fn host_token(&self, host: &str) -> String {
        use orgservice_server::caller::Caller;
        let administrator = Caller::direct(orgservice_security::UserId(self.server.administrator));
        let made = self.server.organization.create_token(
            &administrator,
            Uuid::nil(),
            host.to_owned(),
            None,
        );
        made.expect("a token for a host").1
    }

    async fn run(&self, requests: Vec<OrganizationRequest>) {
        if requests.is_empty() {
            return;
        }
        let described: Vec<String> = requests
            .iter()
            .map(|request| format!("{request:?}"))
            .collect();
        if let Err(refusal) = self
            .administrator
            .execute(transaction(requests, false))
            .await
        {
            let at = refusal.fault.faulted_request_index.unwrap_or_default();
            panic!(
                "the world cannot be built: {}\n{}",
                self.named(&refusal.essence()),
                self.named(&described[at as usize])
            );
        }
    }

    /// The name of a role for a user or team: a shipped one, one of the fixture, or one of his own.
    fn role_named(
        &mut self,
        requests: &mut Vec<OrganizationRequest>,
        text: &str,
        own: &str,
        inherited: bool,
    ) -> String {
        match notation::role(text) {
            None => text.to_owned(),
            Some(contained) => {
                self.make_role(requests, own, &contained, inherited);
                own.to_owned()
            }
        }
    }

    fn make_role(
        &mut self,
        requests: &mut Vec<OrganizationRequest>,
        name: &str,
        contained: &[Granted],
        inherited: bool,
    ) {
        let id = id_of_name("role", name);
        let target = record(
            "role",
            id,
            [
                ("name", name.into()),
                ("businessunitid", self.reference(ROOT).into()),
                ("isinherited", option(inherited.into())),
            ],
        );
        requests.push(request("Create", [("Target", target.into())]));
        let privileges = list(self.role_privileges(contained));
        requests.push(request(
            "AddPrivilegesRole",
            [("RoleId", guid(id)), ("Privileges", privileges)],
        ));
    }

    /// The SDK structures of what a role contains (GV-9).
    fn role_privileges(&self, contained: &[Granted]) -> Vec<Value> {
        let snapshot = self.server.organization.snapshot();
        let catalog = snapshot.definitions().privileges();
        let privileges = contained.iter().map(|granted| {
            let (privilege, depth) = match granted {
                Granted::Misc(name) => (catalog.by_name(name), 3),
                Granted::Table(table, right, depth) => {
                    let table = snapshot.definitions().table(table).expect("a table");
                    let privilege = Privilege::Table(table.facts.code, *right);
                    (catalog.get(privilege), depth.number())
                }
            };
            let privilege = privilege.unwrap_or_else(|| panic!("no privilege for {granted:?}"));
            entity(
                "RolePrivilege",
                [("PrivilegeId", guid(privilege.id)), ("Depth", depth.into())],
            )
            .into()
        });
        privileges.collect()
    }

    fn make_user(
        &mut self,
        requests: &mut Vec<OrganizationRequest>,
        name: &str,
        user: &UserFixture,
    ) {
        let id = id_of_name("systemuser", name);
        let mut target = record(
            "systemuser",
            id,
            [
                ("lastname", name.into()),
                ("domainname", format!("{name}@example.com").into()),
                ("businessunitid", self.reference(&user.unit).into()),
                ("azureactivedirectoryobjectid", guid(Self::object_id(name))),
            ],
        );
        if user.access_mode != 0 {
            let mode = option(user.access_mode);
            target.attributes.insert("accessmode".to_owned(), mode);
        }
        requests.push(request("Create", [("Target", target.into())]));
        self.name(name, "systemuser", id);
    }

    fn make_team(
        &mut self,
        requests: &mut Vec<OrganizationRequest>,
        name: &str,
        team: &TeamFixture,
    ) {
        let id = id_of_name("team", name);
        let target = record(
            "team",
            id,
            [
                ("name", name.into()),
                ("businessunitid", self.reference(&team.unit).into()),
                ("teamtype", option(team.access.into())),
            ],
        );
        requests.push(request("Create", [("Target", target.into())]));
        self.name(name, "team", id);
        let members = team.members.iter().map(|name| guid(self.id(name)));
        requests.push(request(
            "AddMembersTeam",
            [("TeamId", guid(id)), ("MemberIds", list(members))],
        ));
    }

    /// Requests that make the records, those that others point at first; and who owns one.
    fn make_records(&mut self, fixture: &Fixture) -> (Vec<OrganizationRequest>, BTreeSet<String>) {
        let mut requests = Vec::new();
        let mut owners = BTreeSet::new();
        let mut waiting: BTreeMap<_, _> = fixture.records.iter().collect();
        while !waiting.is_empty() {
            let ready = |record: &RecordFixture| {
                let mut named = record
                    .set
                    .values()
                    .filter_map(|value| value.as_str()?.strip_prefix('@'));
                named.all(|name| self.knows(name))
            };
            let next = waiting.iter().find(|(_, record)| ready(record));
            let (name, record) = next
                .map(|(name, record)| ((*name).clone(), *record))
                .expect("records that do not wait for each other");
            waiting.remove(&name);
            let id = id_of_name(&record.table, &name);
            if !record.missing {
                let mut target = self.entity(&record.table, Some(id), &record.set);
                if let Some(column) = primary_name(&record.table) {
                    let named = target.attributes.entry(column.to_owned());
                    named.or_insert_with(|| name.as_str().into());
                }
                if let Some(owner) = &record.owner {
                    let owner = owner.clone();
                    let reference = self.reference(&owner);
                    target
                        .attributes
                        .insert("ownerid".to_owned(), reference.into());
                    owners.insert(owner);
                }
                requests.push(request("Create", [("Target", target.into())]));
            }
            self.name(&name, &record.table, id);
        }
        (requests, owners)
    }

    /// Gives all owners the role that lets them own, or takes it from them.
    fn ownership(&self, message: &str, owners: &BTreeSet<String>) -> Vec<OrganizationRequest> {
        let snapshot = self.server.organization.snapshot();
        let directory = snapshot.directory();
        let owners = owners.iter().map(|owner| {
            let reference = self.reference(owner);
            let id: Uuid = reference.id.parse().expect("a GUID");
            let (relationship, unit) = match reference.logical_name.as_str() {
                "systemuser" => {
                    let user = directory.user(orgservice_security::UserId(id));
                    (
                        "systemuserroles_association",
                        user.expect("a user").business_unit,
                    )
                }
                _ => {
                    let team = directory.team(orgservice_security::TeamId(id));
                    ("teamroles_association", team.expect("a team").business_unit)
                }
            };
            let root = RoleId(id_of_name("role", OWNERSHIP));
            let copy = directory
                .roles()
                .find(|role| role.root == root && role.business_unit == unit)
                .expect("a copy of the role");
            link(
                message,
                reference,
                relationship,
                [self::reference("role", copy.id.0)],
            )
        });
        owners.collect()
    }

    /// `rec with eve: RW` as GrantAccess.
    fn make_share(&self, text: &str) -> OrganizationRequest {
        let (record, rest) = text
            .split_once(" with ")
            .expect("`record with principal: rights`");
        let (principal, rights) = rest
            .split_once(": ")
            .expect("`record with principal: rights`");
        share(
            "GrantAccess",
            self.reference(record),
            self.reference(principal),
            &notation::access_rights(rights),
        )
    }

    /// An entity with columns as scenario files write them.
    pub fn entity(
        &self,
        table: &str,
        id: Option<Uuid>,
        columns: &BTreeMap<String, toml::Value>,
    ) -> Entity {
        let columns = columns.iter();
        Entity {
            logical_name: table.to_owned(),
            id: id.map(|id| id.to_string()).unwrap_or_default(),
            attributes: columns
                .map(|(name, value)| (name.clone(), self.value(value)))
                .collect(),
            ..Entity::default()
        }
    }

    fn update(
        &self,
        target: EntityReference,
        columns: &BTreeMap<String, toml::Value>,
    ) -> OrganizationRequest {
        let id = target.id.parse().ok();
        let target = self.entity(&target.logical_name, id, columns);
        request("Update", [("Target", target.into())])
    }
}

/// The column a record is named by.
fn primary_name(table: &str) -> Option<&'static str> {
    match table {
        "account" => Some("name"),
        "contact" => Some("lastname"),
        "task" => Some("subject"),
        "x_rate" => Some("x_name"),
        _ => None,
    }
}

/// The id that belongs to a name: always the same.
pub fn id_of_name(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}:{name}").as_bytes())
}

/// The default business units, and the role by which anybody can own records for a while.
async fn default_tree() -> Image {
    let server = TestServer::start(TestOptions::default()).await;
    let mut world = World {
        administrator: server.as_administrator(),
        server,
        names: BTreeMap::new(),
        tokens: BTreeMap::new(),
        trusted: BTreeSet::new(),
    };
    world.know_what_is_there();
    let mut requests = Vec::new();
    for (name, parent) in DEFAULT_TREE {
        let id = id_of_name("businessunit", name);
        let target = record(
            "businessunit",
            id,
            [
                ("name", name.into()),
                ("parentbusinessunitid", world.reference(parent).into()),
            ],
        );
        requests.push(request("Create", [("Target", target.into())]));
        world.name(name, "businessunit", id);
    }
    let contained = notation::role("account[R:u], contact[R:u], task[R:u]");
    world.make_role(&mut requests, OWNERSHIP, &contained.expect("rights"), true);
    world.run(requests).await;
    world.server.image()
}
