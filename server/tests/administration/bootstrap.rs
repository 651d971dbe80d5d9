//! The first start, and every later one.

use std::collections::BTreeMap;
use std::sync::Arc;

use orgservice_security::{PrivilegeDepth, RoleId, TeamId};
use orgservice_server::directory::{
    BASIC_USER, DELEGATE, Directory, INTEGRATION_USER, SYSTEM_ADMINISTRATOR, SYSTEM_CUSTOMIZER,
    SYSTEM_USER,
};
use orgservice_server::metadata::{DefinitionsBuilder, table};
use orgservice_server::model::{Entity, OrganizationRequest, Value};
use orgservice_server::operations::bootstrap::BootstrapOptions;
use orgservice_server::organization::{Organization, OrganizationOptions};
use uuid::Uuid;

use crate::world::{ACCOUNTS, World, reference};

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
