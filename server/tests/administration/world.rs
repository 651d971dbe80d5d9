//! An organization in memory, and short words for what the tests do with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use orgservice_security::{BusinessUnitId, PrivilegeDepth, RoleId, TeamId, UserId};
use orgservice_server::caller::Caller;
use orgservice_server::directory::Directory;
use orgservice_server::fault::FaultCode;
use orgservice_server::metadata::DefinitionsBuilder;
use orgservice_server::model::{
    ColumnSet, Entity, EntityReference, OrganizationRequest, OrganizationResponse, Relationship,
    Value,
};
use orgservice_server::operations::bootstrap::BootstrapOptions;
use orgservice_server::organization::{CallOptions, Organization, OrganizationOptions};
use orgservice_server::snapshot::Snapshot;
use orgservice_server::storage::EmbeddedStore;
use orgservice_server::storage::engine::{Engine, MemoryEngine};
use uuid::Uuid;

/// Everything a person needs to work with accounts in its unit and below.
pub const ACCOUNTS: [(&str, PrivilegeDepth); 6] = [
    ("prvCreateAccount", PrivilegeDepth::Deep),
    ("prvReadAccount", PrivilegeDepth::Deep),
    ("prvWriteAccount", PrivilegeDepth::Deep),
    ("prvDeleteAccount", PrivilegeDepth::Deep),
    ("prvAssignAccount", PrivilegeDepth::Deep),
    ("prvShareAccount", PrivilegeDepth::Deep),
];

/// What managing users takes, without any privilege on accounts.
pub const USER_MANAGER: [(&str, PrivilegeDepth); 9] = [
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

pub type Outcome = Result<OrganizationResponse, FaultCode>;

pub struct World {
    pub organization: Organization,
    pub administrator: UserId,
    pub root: BusinessUnitId,
}

impl World {
    pub fn fresh() -> Self {
        Self::of(DefinitionsBuilder::system())
    }

    pub fn of(definitions: DefinitionsBuilder) -> Self {
        Self::over(Box::new(MemoryEngine::default()), definitions)
    }

    pub fn over(engine: Box<dyn Engine>, definitions: DefinitionsBuilder) -> Self {
        let store = EmbeddedStore::open(engine).unwrap();
        let definitions = definitions.build().unwrap();
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

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.organization.snapshot()
    }

    pub fn ask<T>(&self, question: impl FnOnce(&Directory) -> T) -> T {
        question(self.snapshot().directory())
    }

    pub fn run_as(&self, user: UserId, request: OrganizationRequest) -> Outcome {
        let caller = Caller::direct(user);
        let outcome = self
            .organization
            .execute(&caller, request, &CallOptions::default());
        outcome.map_err(|fault| {
            assert_ne!(fault.code(), FaultCode::UnExpected, "{:?}", fault.body());
            fault.code()
        })
    }

    pub fn run_on_behalf(
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

    pub fn run(&self, request: OrganizationRequest) -> Outcome {
        self.run_as(self.administrator, request)
    }

    pub fn try_create(&self, entity: Entity) -> Result<Uuid, FaultCode> {
        self.create_as(self.administrator, entity)
    }

    pub fn create_as(&self, user: UserId, entity: Entity) -> Result<Uuid, FaultCode> {
        let response = self.run_as(
            user,
            OrganizationRequest::new("Create").with("Target", entity),
        )?;
        match response.results["id"] {
            Value::Guid(id) => Ok(id),
            _ => panic!("no id"),
        }
    }

    pub fn update(&self, entity: Entity) -> Outcome {
        self.update_as(self.administrator, entity)
    }

    pub fn update_as(&self, user: UserId, entity: Entity) -> Outcome {
        self.run_as(
            user,
            OrganizationRequest::new("Update").with("Target", entity),
        )
    }

    pub fn delete(&self, table: &str, id: Uuid) -> Outcome {
        self.run(OrganizationRequest::new("Delete").with("Target", EntityReference::new(table, id)))
    }

    pub fn retrieve(&self, table: &str, id: Uuid) -> Result<BTreeMap<String, Value>, FaultCode> {
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

    pub fn column(&self, table: &str, id: Uuid, column: &str) -> Option<Value> {
        let mut row = self.retrieve(table, id).unwrap();
        row.remove(column).map(|value| match value {
            Value::EntityReference(reference) => Value::Guid(reference.id.unwrap()),
            other => other,
        })
    }

    pub fn unit(&self, name: &str, parent: BusinessUnitId) -> BusinessUnitId {
        self.unit_as(self.administrator, name, parent)
    }

    pub fn unit_as(&self, user: UserId, name: &str, parent: BusinessUnitId) -> BusinessUnitId {
        let entity = Entity::new("businessunit")
            .with("name", name)
            .with("parentbusinessunitid", reference("businessunit", parent.0));
        BusinessUnitId(self.create_as(user, entity).unwrap())
    }

    pub fn user(&self, name: &str, unit: BusinessUnitId) -> UserId {
        let entity = Entity::new("systemuser")
            .with("lastname", name)
            .with("businessunitid", reference("businessunit", unit.0));
        UserId(self.try_create(entity).unwrap())
    }

    pub fn team(&self, name: &str, unit: BusinessUnitId) -> TeamId {
        let entity = Entity::new("team")
            .with("name", name)
            .with("businessunitid", reference("businessunit", unit.0));
        TeamId(self.try_create(entity).unwrap())
    }

    pub fn role(
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

    pub fn privileges_request(
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

    pub fn privilege(&self, name: &str) -> Uuid {
        let snapshot = self.snapshot();
        snapshot
            .definitions()
            .privileges()
            .by_name(name)
            .unwrap()
            .id
    }

    /// The copy of a root role in a unit, if there is one.
    pub fn copy(&self, root: RoleId, unit: BusinessUnitId) -> Option<RoleId> {
        self.ask(|directory| {
            let mut roles = directory.roles();
            let found = roles.find(|role| role.root == root && role.business_unit == unit);
            found.map(|role| role.id)
        })
    }

    pub fn shipped_role(&self, template: Uuid) -> RoleId {
        self.ask(|directory| {
            let mut roles = directory.roles();
            let found = roles.find(|role| role.template == Some(template) && role.is_root());
            found.unwrap().id
        })
    }

    pub fn associate(
        &self,
        user: UserId,
        message: &str,
        relationship: &str,
        target: EntityReference,
        related: EntityReference,
    ) -> Outcome {
        self.associate_all(user, message, relationship, target, vec![related])
    }

    pub fn associate_all(
        &self,
        user: UserId,
        message: &str,
        relationship: &str,
        target: EntityReference,
        related: Vec<EntityReference>,
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
                .with("RelatedEntities", Value::EntityReferences(related)),
        )
    }

    pub fn give_as(&self, giver: UserId, user: UserId, role: RoleId) -> Outcome {
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
    pub fn give(&self, user: UserId, root: RoleId) {
        let unit = self.ask(|directory| directory.user(user).unwrap().business_unit);
        let copy = self.copy(root, unit).unwrap();
        self.give_as(self.administrator, user, copy).unwrap();
    }

    pub fn take(&self, user: UserId, role: RoleId) -> Outcome {
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

    pub fn give_team(&self, team: TeamId, role: RoleId) -> Outcome {
        let target = EntityReference::new("team", team.0);
        let role = EntityReference::new("role", role.0);
        let relationship = "teamroles_association";
        self.associate(self.administrator, "Associate", relationship, target, role)
    }

    pub fn members(
        &self,
        user: UserId,
        message: &str,
        team: TeamId,
        members: &[UserId],
    ) -> Outcome {
        let ids = members.iter().map(|member| Value::Guid(member.0)).collect();
        self.run_as(
            user,
            OrganizationRequest::new(message)
                .with("TeamId", team.0)
                .with("MemberIds", Value::List(ids)),
        )
    }

    pub fn set_of(&self, table: &str, id: Uuid, column: &str, value: impl Into<Value>) -> Outcome {
        self.update(Entity::new(table).with_id(id).with(column, value))
    }

    pub fn move_user(&self, user: UserId, unit: BusinessUnitId) -> Outcome {
        let unit = reference("businessunit", unit.0);
        self.set_of("systemuser", user.0, "businessunitid", unit)
    }

    pub fn setting(&self, name: &str, value: bool) {
        let id = self.ask(|directory| directory.organization().id);
        let settings = format!("<OrgSettings><{name}>{value}</{name}></OrgSettings>");
        self.set_of("organization", id, "orgdborgsettings", settings)
            .unwrap();
    }

    pub fn account(&self, owner: EntityReference) -> Uuid {
        let entity = Entity::new("account")
            .with("name", "A")
            .with("ownerid", owner);
        self.try_create(entity).unwrap()
    }

    pub fn role_contents(&self, role: RoleId) -> BTreeMap<String, PrivilegeDepth> {
        let snapshot = self.snapshot();
        let contents = snapshot.directory().role_privileges(role);
        let named = contents.into_iter().flat_map(|contents| contents.iter());
        named
            .map(|(&privilege, &(depth, _))| (snapshot.privilege_name(privilege).to_owned(), depth))
            .collect()
    }

    pub fn default_team(&self, unit: BusinessUnitId) -> TeamId {
        self.ask(|directory| directory.default_team(unit).unwrap().id)
    }

    pub fn is_member(&self, user: UserId, team: TeamId) -> bool {
        self.ask(|directory| directory.is_member(user, team))
    }

    pub fn roles_of(&self, user: UserId) -> Vec<RoleId> {
        self.ask(|directory| directory.roles_of_user(user).map(|role| role.id).collect())
    }
}

pub fn reference(table: &str, id: Uuid) -> EntityReference {
    EntityReference::new(table, id)
}

pub fn owner(user: UserId) -> EntityReference {
    reference("systemuser", user.0)
}

pub fn guid(id: Uuid) -> Option<Value> {
    Some(Value::Guid(id))
}

/// What a list of RolePrivilege structures says.
pub fn told(response: &OrganizationResponse) -> BTreeMap<String, i32> {
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
