//! Business units (`security.md` 1.1).

use orgservice_security::BusinessUnitId;
use orgservice_server::directory::SYSTEM_ADMINISTRATOR;
use orgservice_server::fault::FaultCode;
use orgservice_server::model::{Entity, OrganizationRequest, Value};
use uuid::Uuid;

use crate::world::{ACCOUNTS, World, guid, owner, reference};

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
    let south = world.unit_as(second, "South", sales);
    disable(south).unwrap();
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
