#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

//! RetrieveMultiple and related queries through the one door.

use std::sync::Arc;

use orgservice_security::{AccessRights, UserId};
use uuid::Uuid;

use crate::{
    caller::Caller,
    fault::{Fault, FaultCode},
    metadata::DefinitionsBuilder,
    model::{
        ColumnSet, ConditionExpression, ConditionOperator, Entity, EntityCollection,
        EntityReference, FilterExpression, OrganizationRequest, PrincipalAccess, Query,
        QueryExpression, RelatedEntitiesQuery, Relationship, Value,
    },
    operations::bootstrap::BootstrapOptions,
    organization::{CallOptions, Organization, OrganizationOptions},
    storage::{EmbeddedStore, engine::MemoryEngine},
};

struct Office {
    organization: Organization,
    administrator: Uuid,
}

impl Office {
    fn open() -> Self {
        let store = EmbeddedStore::open(Box::<MemoryEngine>::default()).unwrap();
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let options = OrganizationOptions::new(definitions, "memory");
        let organization = Organization::open(Arc::new(store), options).unwrap();
        let made = organization.bootstrap(&BootstrapOptions {
            organization_name: "Contoso".into(),
            administrator_name: "Ada Admin".into(),
        });
        let administrator = made.unwrap().unwrap().administrator;
        Office {
            organization,
            administrator,
        }
    }

    fn call(
        &self,
        user: Uuid,
        request: OrganizationRequest,
    ) -> Result<std::collections::BTreeMap<String, Value>, Fault> {
        let caller = Caller::direct(UserId(user));
        let answer = self
            .organization
            .execute(&caller, request, &CallOptions::default())?;
        Ok(answer.results)
    }

    fn create(&self, entity: Entity) -> Uuid {
        let request = OrganizationRequest::new("Create").with("Target", entity);
        match self.call(self.administrator, request).unwrap().remove("id") {
            Some(Value::Guid(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    fn query(&self, user: Uuid, query: QueryExpression) -> Result<EntityCollection, Fault> {
        let query = Value::Query(Box::new(Query::Expression(query)));
        let request = OrganizationRequest::new("RetrieveMultiple").with("Query", query);
        match self.call(user, request)?.remove("EntityCollection") {
            Some(Value::Entities(rows)) => Ok(*rows),
            other => panic!("{other:?}"),
        }
    }

    fn retrieve(&self, user: Uuid, target: EntityReference) -> Result<Entity, Fault> {
        self.retrieve_with(user, target, vec![])
    }

    fn retrieve_with(
        &self,
        user: Uuid,
        target: EntityReference,
        related: Vec<Value>,
    ) -> Result<Entity, Fault> {
        let request = OrganizationRequest::new("Retrieve")
            .with("Target", target)
            .with("ColumnSet", Value::ColumnSet(ColumnSet::default()))
            .with(RelatedEntitiesQuery::NAME, Value::List(related));
        match self.call(user, request)?.remove("Entity") {
            Some(Value::Entity(entity)) => Ok(*entity),
            other => panic!("{other:?}"),
        }
    }

    /// A user with the role Basic User.
    fn user(&self, name: &str) -> Uuid {
        let administrator = EntityReference::new("systemuser", self.administrator);
        let request = OrganizationRequest::new("Retrieve")
            .with("Target", administrator)
            .with(
                "ColumnSet",
                Value::ColumnSet(ColumnSet::of(["businessunitid"])),
            );
        let Some(Value::Entity(entity)) = self
            .call(self.administrator, request)
            .unwrap()
            .remove("Entity")
        else {
            panic!("no user");
        };
        let unit = entity.attributes["businessunitid"].clone();
        let user = Entity::new("systemuser")
            .with("domainname", name)
            .with("lastname", name)
            .with("businessunitid", unit);
        let user = self.create(user);
        let role = self
            .query(self.administrator, named("role", "Basic User"))
            .unwrap();
        let role = role.entities[0].reference();
        let request = OrganizationRequest::new("Associate")
            .with("Target", EntityReference::new("systemuser", user))
            .with(
                "Relationship",
                Value::Relationship(relationship("systemuserroles_association")),
            )
            .with("RelatedEntities", Value::EntityReferences(vec![role]));
        self.call(self.administrator, request).unwrap();
        user
    }
}

fn relationship(schema_name: &str) -> Relationship {
    Relationship {
        schema_name: schema_name.into(),
        primary_entity_role: None,
    }
}

fn all(table: &str) -> QueryExpression {
    QueryExpression {
        entity_name: table.into(),
        ..QueryExpression::default()
    }
}

fn named(table: &str, name: &str) -> QueryExpression {
    let condition = ConditionExpression {
        entity_name: String::new(),
        attribute_name: "name".into(),
        operator: ConditionOperator::EQUAL,
        values: vec![name.into()],
        compare_columns: false,
    };
    let criteria = FilterExpression {
        conditions: vec![condition],
        ..FilterExpression::default()
    };
    QueryExpression {
        criteria,
        ..all(table)
    }
}

fn related_to(schema_name: &str, query: QueryExpression) -> Value {
    RelatedEntitiesQuery {
        relationship: relationship(schema_name),
        query: Query::Expression(query),
    }
    .into()
}

fn ids(rows: &EntityCollection) -> Vec<Uuid> {
    rows.entities.iter().filter_map(|row| row.id).collect()
}

#[test]
fn invariant_6_rows_are_those_on_which_retrieve_is_allowed() {
    let office = Office::open();
    let (user, other) = (office.user("u"), office.user("v"));
    let account = |owner: Uuid| {
        let owner = EntityReference::new("systemuser", owner);
        office.create(
            Entity::new("account")
                .with("name", "A")
                .with("ownerid", owner),
        )
    };
    let accounts = [
        account(user),
        account(other),
        account(office.administrator),
        account(user),
    ];
    let access = PrincipalAccess {
        principal: EntityReference::new("systemuser", user),
        access_mask: AccessRights::READ,
    };
    let request = OrganizationRequest::new("GrantAccess")
        .with("Target", EntityReference::new("account", accounts[2]))
        .with("PrincipalAccess", Value::PrincipalAccess(access));
    office.call(office.administrator, request).unwrap();

    for (caller, count) in [(user, 3), (other, 1), (office.administrator, 4)] {
        let found = ids(&office.query(caller, all("account")).unwrap());
        let mut readable = accounts.to_vec();
        readable.retain(|&id| {
            let retrieved = office.retrieve(caller, EntityReference::new("account", id));
            retrieved.is_ok()
        });
        readable.sort();
        assert_eq!(found, readable);
        assert_eq!(found.len(), count);
    }
}

#[test]
fn g_5_table_then_privilege_then_columns() {
    let office = Office::open();
    let user = office.user("u");
    let code = |caller, table: &str| {
        let mut query = all(table);
        query.column_set = ColumnSet::of(["nothing"]);
        office.query(caller, query).unwrap_err().code()
    };
    assert_eq!(code(user, "nothing"), FaultCode::QueryBuilderNoEntity);
    assert_eq!(
        code(user, "roleprivileges"),
        FaultCode::QueryBuilderNoAttribute
    );
    assert_eq!(code(user, "role"), FaultCode::PrivilegeDenied, "AC-6");
    assert_eq!(
        code(office.administrator, "role"),
        FaultCode::QueryBuilderNoAttribute
    );
}

#[test]
fn rt_7_related_rows_come_with_the_caller_s_access() {
    let office = Office::open();
    let user = office.user("u");
    let owned = |table: &str, owner: Uuid| {
        Entity::new(table).with("ownerid", EntityReference::new("systemuser", owner))
    };
    let account = office.create(owned("account", user).with("name", "A"));
    let parent = EntityReference::new("account", account);
    let contact = |owner: Uuid, name: &str| {
        let contact = owned("contact", owner).with("lastname", name);
        office.create(contact.with("parentcustomerid", parent.clone()))
    };
    let (mine, hidden) = (
        contact(user, "Mine"),
        contact(office.administrator, "Hidden"),
    );
    office.create(owned("contact", user).with("lastname", "Elsewhere"));
    let request = OrganizationRequest::new("Update").with(
        "Target",
        Entity::new("account")
            .with_id(account)
            .with("primarycontactid", EntityReference::new("contact", mine)),
    );
    office.call(office.administrator, request).unwrap();

    let related = |caller, target: EntityReference, schema_name, table| {
        let query = vec![related_to(schema_name, all(table))];
        let entity = office.retrieve_with(caller, target, query)?;
        Ok::<_, Fault>(ids(&entity.related_entities[0].entities))
    };
    let children = "contact_customer_accounts";
    assert_eq!(
        related(user, parent.clone(), children, "contact").unwrap(),
        [mine],
        "1:N"
    );
    assert_eq!(
        related(office.administrator, parent.clone(), children, "contact").unwrap(),
        [mine, hidden]
    );
    let primary = "account_primary_contact";
    assert_eq!(
        related(user, parent.clone(), primary, "contact").unwrap(),
        [mine],
        "N:1"
    );
    let of_hidden = EntityReference::new("contact", hidden);
    assert_eq!(
        related(office.administrator, of_hidden, primary, "account").unwrap(),
        Vec::<Uuid>::new(),
        "1:N without children"
    );
    let roles = "systemuserroles_association";
    let target = EntityReference::new("systemuser", user);
    let found = related(office.administrator, target, roles, "role").unwrap();
    let basic = office
        .query(office.administrator, named("role", "Basic User"))
        .unwrap();
    assert_eq!(found, ids(&basic), "N:N");

    let fault = related(user, parent.clone(), primary, "account").unwrap_err();
    assert_eq!(fault.code(), FaultCode::InvalidArgument, "another table");
    let fault = related(user, parent, "no_such_relationship", "contact").unwrap_err();
    assert_eq!(fault.code(), FaultCode::RelationshipNotFound);
}
