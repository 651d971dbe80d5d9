//! Rules of business units, users, teams, roles and activities, through the one door
//! (`security.md` 1; `messages.md` 2.1, 6, 7).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::{collections::BTreeMap, sync::Arc};

use orgservice_security::{BusinessUnitId, PrivilegeDepth, RoleId, TeamId, UserId};
use orgservice_server::{
    caller::Caller,
    directory::{
        BASIC_USER, DELEGATE, Directory, INTEGRATION_USER, SYSTEM_ADMINISTRATOR, SYSTEM_CUSTOMIZER,
        SYSTEM_USER,
    },
    fault::FaultCode,
    metadata::{DefinitionsBuilder, table},
    model::{
        ColumnSet, Entity, EntityReference, OrganizationRequest, OrganizationResponse,
        PrincipalAccess, Relationship, Value,
    },
    operations::bootstrap::BootstrapOptions,
    organization::{CallOptions, Organization, OrganizationOptions},
    snapshot::Snapshot,
    storage::{EmbeddedStore, engine::MemoryEngine},
};
use uuid::Uuid;

/// Everything a person needs to work with accounts in its unit and below.
const ACCOUNTS: [(&str, PrivilegeDepth); 6] = [
    ("prvCreateAccount", PrivilegeDepth::Deep),
    ("prvReadAccount", PrivilegeDepth::Deep),
    ("prvWriteAccount", PrivilegeDepth::Deep),
    ("prvDeleteAccount", PrivilegeDepth::Deep),
    ("prvAssignAccount", PrivilegeDepth::Deep),
    ("prvShareAccount", PrivilegeDepth::Deep),
];

/// What managing users takes, without any privilege on accounts.
const USER_MANAGER: [(&str, PrivilegeDepth); 9] = [
    ("prvReadUser", PrivilegeDepth::Global),
    ("prvWriteUser", PrivilegeDepth::Global),
    ("prvAppendUser", PrivilegeDepth::Global),
    ("prvReadBusinessUnit", PrivilegeDepth::Global),
    ("prvAppendToBusinessUnit", PrivilegeDepth::Global),
    ("prvReadRole", PrivilegeDepth::Global),
    ("prvAssignRole", PrivilegeDepth::Global),
    ("prvReadTeam", PrivilegeDepth::Global),
    ("prvWriteTeam", PrivilegeDepth::Global),
];

type Outcome = Result<OrganizationResponse, FaultCode>;

struct World {
    organization: Organization,
    administrator: UserId,
    root: BusinessUnitId,
}

impl World {
    fn fresh() -> Self {
        let store = EmbeddedStore::open(Box::new(MemoryEngine::default())).unwrap();
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let options = OrganizationOptions::new(definitions, "memory");
        let organization = Organization::open(Arc::new(store), options).unwrap();
        let options = BootstrapOptions {
            organization_name: "Contoso".to_owned(),
            administrator_name: "Ada Admin".to_owned(),
        };
        let made = organization.bootstrap(&options).unwrap().unwrap();
        let root = organization.snapshot().directory().root_unit().unwrap().id;
        World {
            organization,
            administrator: UserId(made.administrator),
            root,
        }
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.organization.snapshot()
    }

    fn ask<T>(&self, question: impl FnOnce(&Directory) -> T) -> T {
        question(self.snapshot().directory())
    }

    fn run_as(&self, user: UserId, request: OrganizationRequest) -> Outcome {
        let caller = Caller::direct(user);
        let outcome = self
            .organization
            .execute(&caller, request, &CallOptions::default());
        outcome.map_err(|fault| {
            assert_ne!(fault.code(), FaultCode::UnExpected, "{:?}", fault.body());
            fault.code()
        })
    }

    fn run_on_behalf(
        &self,
        authenticated: UserId,
        impersonated: UserId,
        request: OrganizationRequest,
    ) -> Outcome {
        let caller = Caller::on_behalf_of(authenticated, impersonated);
        let outcome = self
            .organization
            .execute(&caller, request, &CallOptions::default());
        outcome.map_err(|fault| fault.code())
    }

    fn run(&self, request: OrganizationRequest) -> Outcome {
        self.run_as(self.administrator, request)
    }

    fn try_create(&self, entity: Entity) -> Result<Uuid, FaultCode> {
        self.create_as(self.administrator, entity)
    }

    fn create_as(&self, user: UserId, entity: Entity) -> Result<Uuid, FaultCode> {
        let response = self.run_as(
            user,
            OrganizationRequest::new("Create").with("Target", entity),
        )?;
        match response.results["id"] {
            Value::Guid(id) => Ok(id),
            _ => panic!("no id"),
        }
    }

    fn update(&self, entity: Entity) -> Outcome {
        self.update_as(self.administrator, entity)
    }

    fn update_as(&self, user: UserId, entity: Entity) -> Outcome {
        self.run_as(
            user,
            OrganizationRequest::new("Update").with("Target", entity),
        )
    }

    fn delete(&self, table: &str, id: Uuid) -> Outcome {
        self.run(OrganizationRequest::new("Delete").with("Target", EntityReference::new(table, id)))
    }

    fn retrieve(&self, table: &str, id: Uuid) -> Result<BTreeMap<String, Value>, FaultCode> {
        let response = self.run(
            OrganizationRequest::new("Retrieve")
                .with("Target", EntityReference::new(table, id))
                .with("ColumnSet", Value::ColumnSet(ColumnSet::all())),
        )?;
        match &response.results["Entity"] {
            Value::Entity(entity) => Ok(entity.attributes.clone()),
            _ => panic!("no entity"),
        }
    }

    fn column(&self, table: &str, id: Uuid, column: &str) -> Option<Value> {
        let mut row = self.retrieve(table, id).unwrap();
        row.remove(column).map(|value| match value {
            Value::EntityReference(reference) => Value::Guid(reference.id.unwrap()),
            other => other,
        })
    }

    fn unit(&self, name: &str, parent: BusinessUnitId) -> BusinessUnitId {
        let entity = Entity::new("businessunit")
            .with("name", name)
            .with("parentbusinessunitid", reference("businessunit", parent.0));
        BusinessUnitId(self.try_create(entity).unwrap())
    }

    fn user(&self, name: &str, unit: BusinessUnitId) -> UserId {
        let entity = Entity::new("systemuser")
            .with("lastname", name)
            .with("businessunitid", reference("businessunit", unit.0));
        UserId(self.try_create(entity).unwrap())
    }

    fn team(&self, name: &str, unit: BusinessUnitId) -> TeamId {
        let entity = Entity::new("team")
            .with("name", name)
            .with("businessunitid", reference("businessunit", unit.0));
        TeamId(self.try_create(entity).unwrap())
    }

    fn role(
        &self,
        name: &str,
        unit: BusinessUnitId,
        privileges: &[(&str, PrivilegeDepth)],
    ) -> RoleId {
        let entity = Entity::new("role")
            .with("name", name)
            .with("businessunitid", reference("businessunit", unit.0));
        let role = RoleId(self.try_create(entity).unwrap());
        self.run(self.privileges_request("AddPrivilegesRole", role, privileges))
            .unwrap();
        role
    }

    fn privileges_request(
        &self,
        message: &str,
        role: RoleId,
        privileges: &[(&str, PrivilegeDepth)],
    ) -> OrganizationRequest {
        let structures = privileges.iter().map(|&(name, depth)| {
            Value::from(
                Entity::new("RolePrivilege")
                    .with("PrivilegeId", self.privilege(name))
                    .with("Depth", depth.number()),
            )
        });
        OrganizationRequest::new(message)
            .with("RoleId", role.0)
            .with("Privileges", Value::List(structures.collect()))
    }

    fn privilege(&self, name: &str) -> Uuid {
        let snapshot = self.snapshot();
        snapshot
            .definitions()
            .privileges()
            .by_name(name)
            .unwrap()
            .id
    }

    /// The copy of a root role in a unit, if there is one.
    fn copy(&self, root: RoleId, unit: BusinessUnitId) -> Option<RoleId> {
        self.ask(|directory| {
            let mut roles = directory.roles();
            let found = roles.find(|role| role.root == root && role.business_unit == unit);
            found.map(|role| role.id)
        })
    }

    fn shipped_role(&self, template: Uuid) -> RoleId {
        self.ask(|directory| {
            let mut roles = directory.roles();
            let found = roles.find(|role| role.template == Some(template) && role.is_root());
            found.unwrap().id
        })
    }

    fn associate(
        &self,
        user: UserId,
        message: &str,
        relationship: &str,
        target: EntityReference,
        related: EntityReference,
    ) -> Outcome {
        let relationship = Relationship {
            schema_name: relationship.to_owned(),
            primary_entity_role: None,
        };
        self.run_as(
            user,
            OrganizationRequest::new(message)
                .with("Target", target)
                .with("Relationship", Value::Relationship(relationship))
                .with("RelatedEntities", Value::EntityReferences(vec![related])),
        )
    }

    fn give_as(&self, giver: UserId, user: UserId, role: RoleId) -> Outcome {
        let target = EntityReference::new("systemuser", user.0);
        let role = EntityReference::new("role", role.0);
        self.associate(
            giver,
            "Associate",
            "systemuserroles_association",
            target,
            role,
        )
    }

    /// Gives a user the copy that lives in its unit.
    fn give(&self, user: UserId, root: RoleId) {
        let unit = self.ask(|directory| directory.user(user).unwrap().business_unit);
        let copy = self.copy(root, unit).unwrap();
        self.give_as(self.administrator, user, copy).unwrap();
    }

    fn take(&self, user: UserId, role: RoleId) -> Outcome {
        let target = EntityReference::new("systemuser", user.0);
        let role = EntityReference::new("role", role.0);
        self.associate(
            self.administrator,
            "Disassociate",
            "systemuserroles_association",
            target,
            role,
        )
    }

    fn give_team(&self, team: TeamId, role: RoleId) -> Outcome {
        let target = EntityReference::new("team", team.0);
        let role = EntityReference::new("role", role.0);
        let relationship = "teamroles_association";
        self.associate(self.administrator, "Associate", relationship, target, role)
    }

    fn members(&self, user: UserId, message: &str, team: TeamId, members: &[UserId]) -> Outcome {
        let ids = members.iter().map(|member| Value::Guid(member.0)).collect();
        self.run_as(
            user,
            OrganizationRequest::new(message)
                .with("TeamId", team.0)
                .with("MemberIds", Value::List(ids)),
        )
    }

    fn set_of(&self, table: &str, id: Uuid, column: &str, value: impl Into<Value>) -> Outcome {
        self.update(Entity::new(table).with_id(id).with(column, value))
    }

    fn move_user(&self, user: UserId, unit: BusinessUnitId) -> Outcome {
        let unit = reference("businessunit", unit.0);
        self.set_of("systemuser", user.0, "businessunitid", unit)
    }

    fn setting(&self, name: &str, value: bool) {
        let id = self.ask(|directory| directory.organization().id);
        let settings = format!("<OrgSettings><{name}>{value}</{name}></OrgSettings>");
        self.set_of("organization", id, "orgdborgsettings", settings)
            .unwrap();
    }

    fn account(&self, owner: EntityReference) -> Uuid {
        let entity = Entity::new("account")
            .with("name", "A")
            .with("ownerid", owner);
        self.try_create(entity).unwrap()
    }

    fn role_contents(&self, role: RoleId) -> BTreeMap<String, PrivilegeDepth> {
        let snapshot = self.snapshot();
        let contents = snapshot.directory().role_privileges(role);
        let named = contents.into_iter().flat_map(|contents| contents.iter());
        named
            .map(|(&privilege, &(depth, _))| (snapshot.privilege_name(privilege).to_owned(), depth))
            .collect()
    }

    fn default_team(&self, unit: BusinessUnitId) -> TeamId {
        self.ask(|directory| directory.default_team(unit).unwrap().id)
    }

    fn is_member(&self, user: UserId, team: TeamId) -> bool {
        self.ask(|directory| directory.is_member(user, team))
    }

    fn roles_of(&self, user: UserId) -> Vec<RoleId> {
        self.ask(|directory| directory.roles_of_user(user).map(|role| role.id).collect())
    }
}

fn reference(table: &str, id: Uuid) -> EntityReference {
    EntityReference::new(table, id)
}

fn owner(user: UserId) -> EntityReference {
    reference("systemuser", user.0)
}

fn guid(id: Uuid) -> Option<Value> {
    Some(Value::Guid(id))
}

/// What a list of RolePrivilege structures says.
fn told(response: &OrganizationResponse) -> BTreeMap<String, i32> {
    let Value::List(structures) = &response.results["RolePrivileges"] else {
        panic!("no list");
    };
    let told = structures.iter().map(|structure| match structure {
        Value::Entity(entity) => {
            match (
                &entity.attributes["PrivilegeName"],
                &entity.attributes["Depth"],
            ) {
                (Value::String(name), Value::Integer(depth)) => (name.clone(), *depth),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    });
    told.collect()
}

#[test]
fn ex_85_a_fresh_organization() {
    let world = World::fresh();
    world.ask(|directory| {
        assert_eq!(directory.units().count(), 1);
        let team = directory.default_team(world.root).unwrap();
        assert_eq!(team.name, "Contoso");
        assert_eq!(directory.teams().count(), 1);
        let mut members: Vec<_> = directory.members_of(team.id).map(|user| user.id).collect();
        let mut users: Vec<_> = directory.users().map(|user| user.id).collect();
        members.sort_unstable();
        users.sort_unstable();
        assert_eq!(members, users, "T-3: exactly the users of the unit");
        assert_eq!(users.len(), 3);
        for built_in in [SYSTEM_USER, INTEGRATION_USER] {
            assert!(directory.user(built_in).unwrap().disabled);
        }
        assert!(directory.is_system_administrator(world.administrator));
        let currency = directory.organization().base_currency.unwrap();
        assert_eq!(directory.currency(currency).unwrap().symbol, "$");
    });
    let response = world.run(OrganizationRequest::new("WhoAmI")).unwrap();
    assert_eq!(
        response.results["BusinessUnitId"],
        Value::Guid(world.root.0)
    );
    assert_eq!(
        world.column("systemuser", world.administrator.0, "fullname"),
        Some(Value::from("Ada Admin"))
    );
    let again = world.organization.bootstrap(&BootstrapOptions {
        organization_name: "Other".to_owned(),
        administrator_name: "Other".to_owned(),
    });
    assert!(again.unwrap().is_none());
}

#[test]
fn r_4_shipped_roles_contain_exactly_what_they_should() {
    let world = World::fresh();
    let snapshot = world.snapshot();
    let catalog = snapshot.definitions().privileges();
    let contents = |template| world.role_contents(world.shipped_role(template));

    let everything: BTreeMap<_, _> = catalog
        .iter()
        .map(|found| (found.name.to_string(), found.highest_depth()))
        .collect();
    assert_eq!(contents(SYSTEM_ADMINISTRATOR), everything);

    let delegate = contents(DELEGATE);
    assert_eq!(
        delegate.keys().collect::<Vec<_>>(),
        ["prvActOnBehalfOfAnotherUser"]
    );

    let verbs = [
        "Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share",
    ];
    let mut basic: BTreeMap<String, PrivilegeDepth> = ["Account", "Contact", "Activity"]
        .iter()
        .flat_map(|table| verbs.map(|verb| (format!("prv{verb}{table}"), PrivilegeDepth::Basic)))
        .collect();
    for name in ["prvReadUser", "prvReadTeam", "prvReadBusinessUnit"] {
        basic.insert(name.to_owned(), PrivilegeDepth::Global);
    }
    assert_eq!(contents(BASIC_USER), basic);

    let customizer = contents(SYSTEM_CUSTOMIZER);
    assert!(
        basic
            .iter()
            .all(|(name, depth)| customizer.get(name) == Some(depth))
    );
    assert_eq!(customizer["prvCreateEntity"], PrivilegeDepth::Global);
    assert!(!customizer.contains_key("prvActOnBehalfOfAnotherUser"));
    assert_eq!(customizer.len(), basic.len() + 13);
}

#[test]
fn every_privilege_has_its_rows() {
    let world = World::fresh();
    let response = world
        .run(OrganizationRequest::new("RetrievePrivilegeSet"))
        .unwrap();
    let Value::Entities(collection) = &response.results["EntityCollection"] else {
        panic!("no collection");
    };
    assert_eq!(collection.entity_name, "privilege");
    for entity in &collection.entities {
        let row = world.retrieve("privilege", entity.id.unwrap()).unwrap();
        for (column, value) in &entity.attributes {
            assert_eq!(row.get(column), Some(value), "{column}");
        }
    }
    let snapshot = world.snapshot();
    assert_eq!(
        collection.entities.len(),
        snapshot.definitions().privileges().iter().count()
    );
    // The shared privileges of activities have a row for each of their tables.
    let read = world.privilege("prvReadActivity");
    for table in ["activitypointer", "task"] {
        let id = Uuid::new_v5(&read, table.as_bytes());
        let row = world.retrieve("privilegeobjecttypecodes", id).unwrap();
        assert_eq!(row["objecttypecode"], Value::from(table));
    }
}

#[test]
fn ex_86_business_units_have_a_parent_and_a_default_team() {
    let world = World::fresh();
    let unit = Entity::new("businessunit").with("name", "Second");
    assert_eq!(
        world.try_create(unit.clone()),
        Err(FaultCode::MultipleOrganizationsNotAllowed)
    );
    let nowhere = reference("businessunit", Uuid::from_u128(1));
    assert_eq!(
        world.try_create(unit.with("parentbusinessunitid", nowhere.clone())),
        Err(FaultCode::ParentBusinessDoesNotExist)
    );
    let sales = world.unit("Sales", world.root);
    let team = world.default_team(sales);
    assert_eq!(
        world.column("team", team.0, "name"),
        Some(Value::from("Sales"))
    );
    assert_eq!(
        world.set_of("businessunit", sales.0, "parentbusinessunitid", nowhere),
        Err(FaultCode::ParentBusinessDoesNotExist)
    );
    assert_eq!(
        world.set_of("businessunit", sales.0, "parentbusinessunitid", Value::Null),
        Err(FaultCode::MultipleOrganizationsNotAllowed)
    );
    let north = world.unit("North", sales);
    for (unit, parent) in [(sales, north), (sales, sales), (world.root, north)] {
        let request = OrganizationRequest::new("SetParentBusinessUnit")
            .with("BusinessUnitId", unit.0)
            .with("ParentId", parent.0);
        assert_eq!(
            world.run(request),
            Err(FaultCode::BusinessManagementLoopBeingCreated)
        );
    }
    // A rename renames nothing else.
    world
        .set_of("businessunit", sales.0, "name", "Selling")
        .unwrap();
    assert_eq!(
        world.column("team", team.0, "name"),
        Some(Value::from("Sales"))
    );
}

#[test]
fn bu_4_bu_5_disabling_and_deleting_a_unit() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let north = world.unit("North", sales);
    let disable = |unit: BusinessUnitId| {
        world.set_of("businessunit", unit.0, "isdisabled", Value::Boolean(true))
    };
    assert_eq!(
        disable(world.root),
        Err(FaultCode::RootBusinessUnitCannotBeDisabled)
    );
    let delete = |unit: BusinessUnitId| world.delete("businessunit", unit.0);
    assert_eq!(
        delete(sales),
        Err(FaultCode::BusinessUnitIsNotDisabledAndCannotBeDeleted)
    );
    disable(sales).unwrap();
    assert_eq!(
        delete(sales),
        Err(FaultCode::BusinessUnitHasChildAndCannotBeDeleted)
    );

    // The default team owns a record, then does not.
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let team = world.default_team(north);
    world
        .give_team(team, world.copy(role, north).unwrap())
        .unwrap();
    let account = world.account(reference("team", team.0));
    disable(north).unwrap();
    assert_eq!(
        delete(north),
        Err(FaultCode::BusinessUnitDefaultTeamOwnsRecords)
    );
    world.delete("account", account).unwrap();
    let copies = world.ask(|directory| directory.roles().count());
    delete(north).unwrap();
    world.ask(|directory| {
        assert!(directory.unit(north).is_none());
        assert!(directory.team(team).is_none());
        assert!(directory.roles().all(|role| role.business_unit != north));
        assert_eq!(
            directory.roles().count(),
            copies - 5,
            "four shipped, one made here"
        );
    });

    let user = world.user("Uma", sales);
    assert_eq!(delete(sales), Err(FaultCode::CannotDeleteDueToAssociation));
    world.move_user(user, world.root).unwrap();
    delete(sales).unwrap();
}

#[test]
fn bu_4_the_unit_of_the_last_administrator_stays_enabled() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let north = world.unit("North", sales);
    let second = world.user("Second", north);
    world.give(second, world.shipped_role(SYSTEM_ADMINISTRATOR));
    world
        .set_of(
            "systemuser",
            world.administrator.0,
            "isdisabled",
            Value::Boolean(true),
        )
        .unwrap();
    let disable = |unit: BusinessUnitId| {
        let entity = Entity::new("businessunit").with_id(unit.0);
        world.update_as(second, entity.with("isdisabled", Value::Boolean(true)))
    };
    for unit in [north, sales] {
        assert_eq!(disable(unit), Err(FaultCode::BusinessUnitCannotBeDisabled));
    }
    let south = world_unit_as(&world, second, "South", sales);
    disable(south).unwrap();
}

fn world_unit_as(
    world: &World,
    user: UserId,
    name: &str,
    parent: BusinessUnitId,
) -> BusinessUnitId {
    let entity = Entity::new("businessunit")
        .with("name", name)
        .with("parentbusinessunitid", reference("businessunit", parent.0));
    BusinessUnitId(world.create_as(user, entity).unwrap())
}

#[test]
fn r_1_r_2_a_role_has_a_copy_in_every_unit_below() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let north = world.unit("North", sales);
    let service = world.unit("Service", world.root);
    let role = world.role("Seller", sales, &ACCOUNTS);
    let south = world.unit("South", sales);
    assert_eq!(world.copy(role, world.root), None);
    assert_eq!(world.copy(role, service), None);
    for unit in [north, south] {
        let copy = world.copy(role, unit).unwrap();
        world.ask(|directory| {
            let copy = directory.role(copy).unwrap();
            assert_eq!((copy.parent, copy.root), (Some(role), role));
            assert_eq!(copy.name, "Seller");
        });
        assert_eq!(world.role_contents(copy).len(), ACCOUNTS.len());
        let rename = world.set_of("role", copy.0, "name", "Other");
        assert_eq!(rename, Err(FaultCode::InheritedRoleNotEditable));
        let request = world.privileges_request("ReplacePrivilegesRole", copy, &[]);
        assert_eq!(world.run(request), Err(FaultCode::InheritedRoleNotEditable));
        assert_eq!(
            world.delete("role", copy.0),
            Err(FaultCode::InheritedRoleNotDeletable)
        );
    }
    // The root's changes show in every copy; a client cannot tie a role to another one.
    let copy = world.copy(role, north).unwrap();
    world
        .update(
            Entity::new("role")
                .with_id(role.0)
                .with("name", "Salesperson")
                .with("isinherited", Value::OptionSet(0))
                .with("parentroleid", reference("role", copy.0)),
        )
        .unwrap();
    world.ask(|directory| {
        for role in [role, copy] {
            let role = directory.role(role).unwrap();
            assert_eq!(role.name, "Salesperson");
            assert!(!role.member_inheritance);
        }
        assert_eq!(directory.role(role).unwrap().parent, None);
    });
    let user = world.user("Uma", north);
    world.give(user, role);
    world.delete("role", role.0).unwrap();
    world.ask(|directory| assert!(directory.roles().all(|other| other.root != role)));
    assert_eq!(world.roles_of(user), []);
    assert!(world.role_contents(role).is_empty());
}

#[test]
fn r_4_system_administrator_is_neither_changed_nor_deleted() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let root = world.shipped_role(SYSTEM_ADMINISTRATOR);
    for role in [root, world.copy(root, sales).unwrap()] {
        let rename = world.set_of("role", role.0, "name", "Other");
        assert_eq!(rename, Err(FaultCode::CannotModifySysAdmin));
        let request = OrganizationRequest::new("RemovePrivilegeRole")
            .with("RoleId", role.0)
            .with("PrivilegeId", world.privilege("prvReadAccount"));
        assert_eq!(world.run(request), Err(FaultCode::CannotModifySysAdmin));
        assert_eq!(
            world.delete("role", role.0),
            Err(FaultCode::CannotDeleteSysAdmin)
        );
    }
}

#[test]
fn a_moved_unit_inherits_the_roles_of_its_new_ancestors() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let service = world.unit("Service", world.root);
    let north = world.unit("North", sales);
    let harbour = world.unit("Harbour", north);
    let everywhere = world.role("Everywhere", world.root, &ACCOUNTS);
    let of_sales = world.role("Of Sales", sales, &ACCOUNTS);
    let of_service = world.role("Of Service", service, &ACCOUNTS);
    let of_north = world.role("Of North", north, &ACCOUNTS);
    let user = world.user("Uma", harbour);
    for role in [everywhere, of_sales, of_north] {
        world.give(user, role);
    }
    let account = world.account(owner(user));
    let kept = world.copy(everywhere, harbour).unwrap();

    world
        .set_of(
            "businessunit",
            north.0,
            "parentbusinessunitid",
            reference("businessunit", service.0),
        )
        .unwrap();
    for unit in [north, harbour] {
        assert_eq!(world.copy(of_sales, unit), None);
        assert!(world.copy(of_service, unit).is_some());
    }
    assert_eq!(world.copy(everywhere, harbour), Some(kept));
    let in_north = world.copy(everywhere, north).unwrap();
    world.ask(|directory| {
        let in_service = directory.role(in_north).unwrap().parent.unwrap();
        assert_eq!(directory.role(in_service).unwrap().business_unit, service);
        assert_eq!(directory.role(kept).unwrap().parent, Some(in_north));
    });
    let mut left = world.roles_of(user);
    left.sort_unstable();
    let mut expected = vec![kept, world.copy(of_north, harbour).unwrap()];
    expected.sort_unstable();
    assert_eq!(
        left, expected,
        "the role of the old ancestor went with its assignment"
    );
    assert_eq!(
        world.column("account", account, "owningbusinessunit"),
        guid(harbour.0),
        "BU-2"
    );
}

#[test]
fn u_1_u_2_a_user_moves_with_its_records_and_without_its_roles() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let service = world.unit("Service", world.root);
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let homeless = UserId(
        world
            .try_create(Entity::new("systemuser").with("lastname", "Homeless"))
            .unwrap(),
    );
    world.ask(|directory| {
        assert_eq!(directory.user(homeless).unwrap().business_unit, world.root);
    });

    let user = world.user("Uma", sales);
    let mate = world.team("Mates", sales);
    world
        .members(world.administrator, "AddMembersTeam", mate, &[user])
        .unwrap();
    world.give(user, role);
    assert!(world.is_member(user, world.default_team(sales)));
    let account = world.account(owner(user));

    world.move_user(user, service).unwrap();
    assert_eq!(world.roles_of(user), []);
    assert!(!world.is_member(user, world.default_team(sales)));
    assert!(world.is_member(user, world.default_team(service)));
    assert!(world.is_member(user, mate), "other teams stay");
    assert_eq!(
        world.column("account", account, "owningbusinessunit"),
        guid(service.0)
    );
    let request =
        OrganizationRequest::new("Retrieve").with("Target", reference("account", account));
    assert_eq!(
        world.run_as(user, request),
        Err(FaultCode::UserNotAssignedRoles),
        "example 67"
    );

    world.setting("AlwaysMoveRecordToOwnerBusinessUnit", false);
    world.move_user(user, sales).unwrap();
    assert_eq!(
        world.column("account", account, "owningbusinessunit"),
        guid(service.0)
    );
    world.setting("DoNotRemoveRolesOnChangeBusinessUnit", true);
    world.give(user, role);
    world.move_user(user, service).unwrap();
    assert_eq!(world.roles_of(user), [world.copy(role, sales).unwrap()]);

    let nowhere = BusinessUnitId(Uuid::from_u128(1));
    assert_eq!(
        world.move_user(user, nowhere),
        Err(FaultCode::ObjectDoesNotExist)
    );
}

#[test]
fn u_2_holds_for_teams_too() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let service = world.unit("Service", world.root);
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let team = world.team("Hunters", sales);
    world
        .give_team(team, world.copy(role, sales).unwrap())
        .unwrap();
    let account = world.account(reference("team", team.0));
    let to_service = reference("businessunit", service.0);
    world
        .set_of("team", team.0, "businessunitid", to_service.clone())
        .unwrap();
    world.ask(|directory| assert_eq!(directory.roles_of_team(team).count(), 0));
    assert_eq!(
        world.column("account", account, "owningbusinessunit"),
        guid(service.0)
    );
    let default = world.default_team(sales);
    assert_eq!(
        world.set_of("team", default.0, "businessunitid", to_service),
        Err(FaultCode::InvalidArgument)
    );
}

#[test]
fn set_business_system_user_hands_records_over() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let service = world.unit("Service", world.root);
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let contacts = world.role(
        "Tasks",
        world.root,
        &[
            ("prvReadActivity", PrivilegeDepth::Basic),
            ("prvReadContact", PrivilegeDepth::Basic),
        ],
    );
    let user = world.user("Uma", sales);
    let heir = world.user("Hal", sales);
    for person in [user, heir] {
        world.give(person, role);
        world.give(person, contacts);
    }
    let account = world.account(owner(user));
    let child = Entity::new("account")
        .with("name", "Child")
        .with("ownerid", owner(user))
        .with("parentaccountid", reference("account", account));
    let child = world.try_create(child).unwrap();
    let task = Entity::new("task")
        .with("subject", "T")
        .with("ownerid", owner(user))
        .with("regardingobjectid", reference("account", account));
    let task = world.try_create(task).unwrap();
    let request = OrganizationRequest::new("SetBusinessSystemUser")
        .with("UserId", user.0)
        .with("BusinessId", service.0)
        .with("ReassignPrincipal", owner(heir));
    world.run(request).unwrap();
    for (table, id) in [
        ("account", account),
        ("account", child),
        ("task", task),
        ("activitypointer", task),
    ] {
        assert_eq!(world.column(table, id, "ownerid"), guid(heir.0), "{table}");
        assert_eq!(world.column(table, id, "owningbusinessunit"), guid(sales.0));
    }
    world.ask(|directory| assert_eq!(directory.user(user).unwrap().business_unit, service));

    // Back again; the user itself keeps what it has.
    world.give(user, role);
    let own = world.account(owner(user));
    let request = OrganizationRequest::new("SetBusinessSystemUser")
        .with("UserId", user.0)
        .with("BusinessId", sales.0)
        .with("ReassignPrincipal", owner(user));
    world.run(request).unwrap();
    assert_eq!(world.column("account", own, "ownerid"), guid(user.0));
    assert_eq!(
        world.column("account", own, "owningbusinessunit"),
        guid(sales.0)
    );
}

#[test]
fn u_4_ex_87_the_last_administrator_stays_one() {
    let world = World::fresh();
    let administrator = world.administrator;
    let root_role = world.shipped_role(SYSTEM_ADMINISTRATOR);
    let set =
        |column: &str, value: Value| world.set_of("systemuser", administrator.0, column, value);
    assert_eq!(
        set("isdisabled", Value::Boolean(true)),
        Err(FaultCode::CannotDisableSysAdmin)
    );
    assert_eq!(
        set("accessmode", Value::OptionSet(2)),
        Err(FaultCode::CannotMakeSelfReadOnlyUser)
    );
    assert_eq!(
        set("accessmode", Value::OptionSet(1)),
        Err(FaultCode::CannotMakeReadOnlyUser)
    );
    assert_eq!(
        set("accessmode", Value::OptionSet(3)),
        Err(FaultCode::InvalidArgument),
        "U-3: reserved"
    );
    assert_eq!(
        world.take(administrator, root_role),
        Err(FaultCode::CannotRemoveFromSysAdmin)
    );
    let sales = world.unit("Sales", world.root);
    assert_eq!(
        world.move_user(administrator, sales),
        Err(FaultCode::CannotRemoveFromSysAdmin),
        "U-2 would take the role"
    );

    // A second one through a team: now the first may go, but the way through the team may not.
    let second = world.user("Second", sales);
    let team = world.team("Admins", sales);
    world
        .give_team(team, world.copy(root_role, sales).unwrap())
        .unwrap();
    world
        .members(administrator, "AddMembersTeam", team, &[second])
        .unwrap();
    set("isdisabled", Value::Boolean(true)).unwrap();
    assert_eq!(
        world.members(second, "RemoveMembersTeam", team, &[second]),
        Err(FaultCode::CannotRemoveFromSysAdmin)
    );
    let delete = OrganizationRequest::new("Delete").with("Target", reference("team", team.0));
    assert_eq!(
        world.run_as(second, delete),
        Err(FaultCode::CannotRemoveFromSysAdmin)
    );
}

#[test]
fn u_6_built_in_users_stay_as_they_are() {
    let world = World::fresh();
    let team = world.team("Team", world.root);
    for user in [SYSTEM_USER, INTEGRATION_USER] {
        let refused = Err(FaultCode::CannotModifySpecialUser);
        assert_eq!(
            world.set_of("systemuser", user.0, "lastname", "Root"),
            refused
        );
        assert_eq!(
            world.give_as(world.administrator, user, world.shipped_role(BASIC_USER)),
            refused
        );
        assert_eq!(
            world.members(world.administrator, "AddMembersTeam", team, &[user]),
            refused
        );
    }
}

#[test]
fn r_3_a_role_of_the_own_unit_only() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let user = world.user("Uma", sales);
    let team = world.team("Team", sales);
    assert_eq!(
        world.give_as(world.administrator, user, role),
        Err(FaultCode::UserInWrongBusiness)
    );
    assert_eq!(
        world.give_team(team, role),
        Err(FaultCode::TeamInWrongBusiness)
    );
    world.setting("EnableOwnershipAcrossBusinessUnits", true);
    world.give_as(world.administrator, user, role).unwrap();
    assert_eq!(
        world.give_as(world.administrator, user, role),
        Err(FaultCode::DuplicateRecord),
        "AS-2"
    );
}

#[test]
fn r_6_nobody_hands_out_what_he_does_not_hold() {
    let world = World::fresh();
    let manager = world.user("Mia", world.root);
    let user = world.user("Uma", world.root);
    world.give(manager, world.role("Manager", world.root, &USER_MANAGER));
    let accounts = world.role("Accounts", world.root, &ACCOUNTS);
    let team = world.team("Team", world.root);

    assert_eq!(
        world.give_as(manager, user, accounts),
        Err(FaultCode::PrivilegeDenied)
    );
    world
        .members(manager, "AddMembersTeam", team, &[user])
        .unwrap();
    world
        .members(manager, "AddMembersTeam", team, &[user])
        .unwrap();
    world
        .members(manager, "RemoveMembersTeam", team, &[user])
        .unwrap();
    world.give_team(team, accounts).unwrap();
    assert_eq!(
        world.members(manager, "AddMembersTeam", team, &[user]),
        Err(FaultCode::PrivilegeDenied)
    );

    // Identity, unit and access mode of a user who holds more than the manager.
    let change = |column: &str, value: Value| {
        let entity = Entity::new("systemuser").with_id(user.0);
        world.update_as(manager, entity.with(column, value))
    };
    change("domainname", Value::from("uma@example.com")).unwrap();
    world.give(user, accounts);
    change("jobtitle", Value::from("Seller")).unwrap();
    let sales = world.unit("Sales", world.root);
    for (column, value) in [
        ("domainname", Value::from("mia@example.com")),
        ("azureactivedirectoryobjectid", Value::Guid(Uuid::max())),
        ("applicationid", Value::Guid(Uuid::max())),
        ("accessmode", Value::OptionSet(2)),
        ("businessunitid", reference("businessunit", sales.0).into()),
    ] {
        assert_eq!(
            change(column, value),
            Err(FaultCode::PrivilegeDenied),
            "{column}"
        );
    }
    change("domainname", Value::from("uma@example.com")).unwrap();
}

/// A delegate of an administrator hands out no more than it holds itself (IM-15).
#[test]
fn r_6_is_asked_of_both_users() {
    let world = World::fresh();
    let delegate = world.user("Del", world.root);
    let editing = [
        ("prvReadRole", PrivilegeDepth::Global),
        ("prvWriteRole", PrivilegeDepth::Global),
    ];
    world.give(delegate, world.role("Editor", world.root, &editing));
    world.give(delegate, world.shipped_role(DELEGATE));
    let role = world.role("Role", world.root, &[]);
    let add = |privilege| {
        let privileges = [(privilege, PrivilegeDepth::Global)];
        let request = world.privileges_request("AddPrivilegesRole", role, &privileges);
        world.run_on_behalf(delegate, world.administrator, request)
    };
    assert_eq!(add("prvReadAccount"), Err(FaultCode::PrivilegeDenied));
    add("prvWriteRole").unwrap();
    assert_eq!(
        world.role_contents(role).into_keys().collect::<Vec<_>>(),
        ["prvWriteRole"]
    );
}

/// A unit's default team may hold roles, and whoever comes into the unit gets them.
#[test]
fn r_6_holds_for_the_default_team_of_a_unit() {
    let world = World::fresh();
    let manager = world.user("Mia", world.root);
    let creation = ("prvCreateUser", PrivilegeDepth::Global);
    let privileges: Vec<_> = USER_MANAGER.into_iter().chain([creation]).collect();
    world.give(manager, world.role("Manager", world.root, &privileges));
    let sales = world.unit("Sales", world.root);
    let newcomer = || {
        Entity::new("systemuser")
            .with("lastname", "New")
            .with("businessunitid", reference("businessunit", sales.0))
    };
    world.create_as(manager, newcomer()).unwrap();
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let copy = world.copy(role, sales).unwrap();
    world.give_team(world.default_team(sales), copy).unwrap();
    let denied = FaultCode::PrivilegeDenied;
    assert_eq!(world.create_as(manager, newcomer()), Err(denied));
    let own = newcomer().with_id(manager.0);
    assert_eq!(world.update_as(manager, own), Err(denied));
    world.try_create(newcomer()).unwrap();
}

#[test]
fn a_login_belongs_to_one_user() {
    let world = World::fresh();
    let user = |column: &str, value: Value| {
        world.try_create(
            Entity::new("systemuser")
                .with("lastname", "User")
                .with(column, value),
        )
    };
    let first = user("domainname", Value::from("Uma@Example.com")).unwrap();
    assert_eq!(
        user("domainname", Value::from("uma@example.COM")),
        Err(FaultCode::DuplicateRecord)
    );
    user("domainname", Value::from("umä@example.com")).unwrap();
    for column in ["azureactivedirectoryobjectid", "applicationid"] {
        let id = Value::Guid(Uuid::max());
        let holder = user(column, id.clone()).unwrap();
        assert_eq!(user(column, id.clone()), Err(FaultCode::DuplicateRecord));
        assert_eq!(
            world.set_of("systemuser", first, column, id.clone()),
            Err(FaultCode::DuplicateRecord)
        );
        world
            .set_of("systemuser", holder, column, id.clone())
            .unwrap();
        world
            .set_of("systemuser", holder, column, Value::Null)
            .unwrap();
        world.set_of("systemuser", first, column, id).unwrap();
    }
    let boss = user("parentsystemuserid", owner(UserId(first)).into()).unwrap();
    assert_eq!(
        world.set_of(
            "systemuser",
            first,
            "parentsystemuserid",
            owner(UserId(boss))
        ),
        Err(FaultCode::EntityLoopBeingCreated)
    );
}

#[test]
fn t_3_default_teams_are_kept_by_the_server() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let team = world.default_team(sales);
    let user = world.user("Uma", sales);
    let stranger = world.administrator;
    assert_eq!(
        world.members(stranger, "AddMembersTeam", team, &[stranger]),
        Err(FaultCode::CannotAddMembersToDefaultTeam)
    );
    assert_eq!(
        world.members(stranger, "RemoveMembersTeam", team, &[user]),
        Err(FaultCode::CannotRemoveMembersFromDefaultTeam)
    );
    let target = reference("team", team.0);
    let relationship = "teammembership_association";
    assert_eq!(
        world.associate(stranger, "Disassociate", relationship, target, owner(user)),
        Err(FaultCode::CannotRemoveMembersFromDefaultTeam),
        "AS-7"
    );
    assert_eq!(
        world.set_of("team", team.0, "name", "Others"),
        Err(FaultCode::CannotUpdateNameDefaultTeam)
    );
    assert_eq!(
        world.delete("team", team.0),
        Err(FaultCode::CannotDeleteDefaultTeam)
    );
    let pretender = Entity::new("team")
        .with("name", "Pretender")
        .with("isdefault", Value::Boolean(true));
    let pretender = world.try_create(pretender).unwrap();
    world.ask(|directory| assert!(!directory.team(TeamId(pretender)).unwrap().is_default));
}

#[test]
fn t_1_t_5_access_teams() {
    let world = World::fresh();
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let team = world.team("Team", world.root);
    let convert = |to: i32| world.set_of("team", team.0, "teamtype", Value::OptionSet(to));
    world.give_team(team, role).unwrap();
    let account = world.account(reference("team", team.0));
    assert_eq!(
        convert(1),
        Err(FaultCode::CannotChangeTeamTypeDueToOwnership)
    );
    assert_eq!(
        world.delete("team", team.0),
        Err(FaultCode::CannotDeleteTeamOwningRecords)
    );
    world.delete("account", account).unwrap();
    assert_eq!(
        convert(1),
        Err(FaultCode::CannotChangeTeamTypeDueToRoleOrProfile)
    );
    let target = reference("team", team.0);
    world
        .associate(
            world.administrator,
            "Disassociate",
            "teamroles_association",
            target,
            reference("role", role.0),
        )
        .unwrap();
    convert(1).unwrap();
    assert_eq!(convert(0), Err(FaultCode::InvalidArgument), "never back");
    assert_eq!(
        world.give_team(team, role),
        Err(FaultCode::CannotAssignRolesOrProfilesToAccessTeam)
    );
}

#[test]
fn t_6_sh_9_what_a_team_gave_ends_with_it() {
    let world = World::fresh();
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let team = world.team("Team", world.root);
    let sales = world.unit("Sales", world.root);
    let user = world.user("Uma", sales);
    world.give(user, role);
    world
        .members(world.administrator, "AddMembersTeam", team, &[user])
        .unwrap();
    let account = world.account(owner(world.administrator));
    let access = PrincipalAccess {
        principal: reference("team", team.0),
        access_mask: orgservice_security::AccessRights::READ,
    };
    let grant = OrganizationRequest::new("GrantAccess")
        .with("Target", reference("account", account))
        .with("PrincipalAccess", Value::PrincipalAccess(access));
    world.run(grant).unwrap();
    let read = || {
        let request =
            OrganizationRequest::new("Retrieve").with("Target", reference("account", account));
        world.run_as(user, request).map(|_| ())
    };
    read().unwrap();
    world.delete("team", team.0).unwrap();
    assert_eq!(read(), Err(FaultCode::AccessDenied));
    let request = OrganizationRequest::new("RetrieveSharedPrincipalsAndAccess")
        .with("Target", reference("account", account));
    let response = world.run(request).unwrap();
    assert_eq!(
        response.results["PrincipalAccesses"],
        Value::List(Vec::new())
    );
    world.ask(|directory| assert_eq!(directory.teams_of(user).count(), 1));
}

#[test]
fn privileges_of_a_role_are_added_replaced_and_removed() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let role = world.role(
        "Role",
        world.root,
        &[("prvReadAccount", PrivilegeDepth::Basic)],
    );
    let read = |message: &str, parameter: &str, id: Uuid| {
        let request = OrganizationRequest::new(message).with(parameter, id);
        told(&world.run(request).unwrap())
    };
    let of_role = |role: RoleId| read("RetrieveRolePrivilegesRole", "RoleId", role.0);
    let run = |message: &str, privileges: &[(&str, PrivilegeDepth)]| {
        world.run(world.privileges_request(message, role, privileges))
    };
    run(
        "AddPrivilegesRole",
        &[
            ("prvReadAccount", PrivilegeDepth::Deep),
            ("prvReadContact", PrivilegeDepth::Local),
        ],
    )
    .unwrap();
    let both = BTreeMap::from([
        ("prvReadAccount".to_owned(), 2),
        ("prvReadContact".to_owned(), 1),
    ]);
    assert_eq!(of_role(role), both);
    let copy = world.copy(role, sales).unwrap();
    assert_eq!(of_role(copy), both, "R-2");

    let user = world.user("Uma", sales);
    let team = world.team("Team", sales);
    world.give(user, role);
    world.give_team(team, copy).unwrap();
    assert_eq!(read("RetrieveUserPrivileges", "UserId", user.0), both);
    assert_eq!(read("RetrieveTeamPrivileges", "TeamId", team.0), both);
    let own = OrganizationRequest::new("RetrieveUserPrivileges").with("UserId", user.0);
    assert_eq!(
        told(&world.run_as(user, own).unwrap()),
        both,
        "one's own: nothing asked"
    );
    let other =
        OrganizationRequest::new("RetrieveUserPrivileges").with("UserId", world.administrator.0);
    assert_eq!(world.run_as(user, other), Err(FaultCode::PrivilegeDenied));

    run(
        "ReplacePrivilegesRole",
        &[("prvWriteAccount", PrivilegeDepth::Basic)],
    )
    .unwrap();
    assert_eq!(
        of_role(copy),
        BTreeMap::from([("prvWriteAccount".to_owned(), 0)])
    );
    let remove = |privilege: Uuid| {
        world.run(
            OrganizationRequest::new("RemovePrivilegeRole")
                .with("RoleId", role.0)
                .with("PrivilegeId", privilege),
        )
    };
    remove(world.privilege("prvWriteAccount")).unwrap();
    remove(world.privilege("prvWriteAccount")).unwrap();
    assert_eq!(of_role(role), BTreeMap::new());
    assert_eq!(
        remove(Uuid::from_u128(1)),
        Err(FaultCode::ObjectDoesNotExist)
    );

    assert_eq!(
        run(
            "AddPrivilegesRole",
            &[("prvReadTeam", PrivilegeDepth::Basic)]
        ),
        Err(FaultCode::InvalidPrivilegeDepth)
    );
    let target = reference("role", role.0);
    let privilege = reference("privilege", world.privilege("prvReadAccount"));
    let relationship = "roleprivileges_association";
    assert_eq!(
        world.associate(
            world.administrator,
            "Associate",
            relationship,
            target,
            privilege
        ),
        Err(FaultCode::InvalidArgument),
        "AS-7"
    );
}

#[test]
fn r_6_privileges_are_added_by_those_who_hold_them() {
    let world = World::fresh();
    let editor = world.user("Ed", world.root);
    let role = world.role(
        "Role",
        world.root,
        &[
            ("prvReadRole", PrivilegeDepth::Global),
            ("prvWriteRole", PrivilegeDepth::Global),
        ],
    );
    world.give(editor, role);
    let other = world.role(
        "Other",
        world.root,
        &[("prvReadAccount", PrivilegeDepth::Local)],
    );
    let run = |message: &str, privileges: &[(&str, PrivilegeDepth)]| {
        let request = world.privileges_request(message, other, privileges);
        world.run_as(editor, request).map(|_| ())
    };
    let denied = Err(FaultCode::PrivilegeDenied);
    assert_eq!(
        run(
            "AddPrivilegesRole",
            &[("prvReadContact", PrivilegeDepth::Basic)]
        ),
        denied
    );
    assert_eq!(
        run(
            "AddPrivilegesRole",
            &[("prvReadAccount", PrivilegeDepth::Deep)]
        ),
        denied,
        "more of what is there"
    );
    run(
        "ReplacePrivilegesRole",
        &[("prvReadAccount", PrivilegeDepth::Basic)],
    )
    .unwrap();
    run(
        "AddPrivilegesRole",
        &[("prvWriteRole", PrivilegeDepth::Local)],
    )
    .unwrap();
}

#[test]
fn sy_9_ex_83_an_activity_and_its_shared_row() {
    let world = World::fresh();
    let role = world.role(
        "Tasks",
        world.root,
        &[("prvReadActivity", PrivilegeDepth::Basic)],
    );
    let user = world.user("Uma", world.root);
    world.give(user, role);
    let task = world
        .try_create(Entity::new("task").with("subject", "T"))
        .unwrap();
    let pointer = |column: &str| world.column("activitypointer", task, column);
    assert_eq!(pointer("subject"), Some(Value::from("T")));
    assert_eq!(pointer("activitytypecode"), Some(Value::from("task")));
    assert_eq!(pointer("statecode"), Some(Value::OptionSet(0)));
    assert_eq!(
        world.try_create(Entity::new("activitypointer").with("subject", "T")),
        Err(FaultCode::SdkEntityDoesNotSupportMessage)
    );

    world.set_of("task", task, "subject", "U").unwrap();
    world
        .set_of("task", task, "statecode", Value::OptionSet(1))
        .unwrap();
    let assign = OrganizationRequest::new("Assign")
        .with("Target", reference("task", task))
        .with("Assignee", owner(user));
    world.run(assign).unwrap();
    assert_eq!(pointer("subject"), Some(Value::from("U")));
    assert_eq!(pointer("statecode"), Some(Value::OptionSet(1)));
    assert_eq!(pointer("statuscode"), Some(Value::OptionSet(2)));
    assert_eq!(pointer("ownerid"), guid(user.0));

    world.delete("task", task).unwrap();
    assert_eq!(
        world.retrieve("activitypointer", task),
        Err(FaultCode::ObjectDoesNotExist)
    );
}

#[test]
fn tokens_are_made_listed_and_revoked_by_administrators() {
    let world = World::fresh();
    let user = world.user("Uma", world.root);
    world.give(user, world.shipped_role(BASIC_USER));
    let administrator = Caller::direct(world.administrator);
    let create = |caller: &Caller, user: UserId, label: &str| {
        let made = world
            .organization
            .create_token(caller, user.0, label.to_owned(), None);
        made.map_err(|fault| fault.code())
    };
    let (id, secret) = create(&administrator, user, " laptop ").unwrap();
    let identity = world.organization.authenticate(&secret).unwrap();
    assert_eq!(
        (identity.user, identity.label),
        (Some(user), "laptop".to_owned())
    );

    let denied = Err(FaultCode::PrivilegeDenied);
    assert_eq!(create(&Caller::direct(user), user, "x"), denied);
    for nobody in [SYSTEM_USER, INTEGRATION_USER, UserId(Uuid::from_u128(1))] {
        assert_eq!(
            create(&administrator, nobody, "x"),
            Err(FaultCode::ObjectDoesNotExist)
        );
    }
    for label in ["  ", &"x".repeat(201)] {
        assert_eq!(
            create(&administrator, user, label),
            Err(FaultCode::InvalidArgument)
        );
    }
    let list = |of| world.organization.list_tokens(&administrator, of).unwrap();
    assert_eq!(list(Some(user.0)).len(), 1);
    assert_eq!(list(None).len(), 2, "the administrator's first one too");
    let token = &list(Some(user.0))[0];
    assert_eq!((token.id, token.created_by), (id, world.administrator));

    for _ in 0..2 {
        world.organization.revoke_token(&administrator, id).unwrap();
    }
    let refused = world.organization.authenticate(&secret).unwrap_err();
    assert_eq!(refused.code(), FaultCode::RequestIsNotAuthenticated);
    assert!(list(Some(user.0))[0].revoked.is_some());
    let unknown = world
        .organization
        .revoke_token(&administrator, Uuid::from_u128(1));
    assert_eq!(unknown.unwrap_err().code(), FaultCode::ObjectDoesNotExist);
}

/// A server that knows more tables than the one before gives their privileges to administrators.
#[test]
fn r_4_privileges_of_new_tables_are_added_when_a_store_is_opened() {
    let world = World::fresh();
    let definitions = DefinitionsBuilder::system().table(table("new_Widget"));
    let options = OrganizationOptions::new(definitions.build().unwrap(), "memory");
    let store = Arc::clone(world.organization.store());
    let reopened = World {
        organization: Organization::open(store, options).unwrap(),
        ..world
    };
    let contents = reopened.role_contents(reopened.shipped_role(SYSTEM_ADMINISTRATOR));
    assert_eq!(contents["prvSharenew_Widget"], PrivilegeDepth::Global);
    let id = reopened.privilege("prvSharenew_Widget");
    let row = reopened.retrieve("privilege", id).unwrap();
    assert_eq!(row["name"], Value::from("prvSharenew_Widget"));
    reopened.try_create(Entity::new("new_widget")).unwrap();
}

/// The directory is a function of the records: what transactions built up bit by bit is what a
/// restart loads.
#[test]
fn a_reopened_store_has_the_same_directory() {
    let world = World::fresh();
    let sales = world.unit("Sales", world.root);
    let north = world.unit("North", sales);
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let user = world.user("Uma", north);
    world.give(user, role);
    world.move_user(user, sales).unwrap();
    world.give(user, role);
    world
        .set_of(
            "businessunit",
            north.0,
            "parentbusinessunitid",
            reference("businessunit", world.root.0),
        )
        .unwrap();

    let definitions = DefinitionsBuilder::system().build().unwrap();
    let options = OrganizationOptions::new(definitions, "memory");
    let reopened = Organization::open(Arc::clone(world.organization.store()), options).unwrap();
    let snapshot = reopened.snapshot();
    let loaded = snapshot.directory();
    world.ask(|kept| {
        assert_eq!(kept.tree().units(), loaded.tree().units());
        assert_eq!(kept.roles().count(), loaded.roles().count());
        for role in kept.roles() {
            let other = loaded.role(role.id).unwrap();
            assert_eq!((role.parent, role.root), (other.parent, other.root));
            assert_eq!(
                kept.role_privileges(role.id),
                loaded.role_privileges(role.id)
            );
        }
        for user in kept.users() {
            let roles = |directory: &Directory| -> Vec<RoleId> {
                directory
                    .roles_of_user(user.id)
                    .map(|role| role.id)
                    .collect()
            };
            let teams = |directory: &Directory| -> Vec<TeamId> {
                directory.teams_of(user.id).map(|team| team.id).collect()
            };
            assert_eq!(roles(kept), roles(loaded));
            assert_eq!(teams(kept), teams(loaded));
        }
    });
}
