//! Users (`security.md` 1.2, R-6).

use orgservice_security::{BusinessUnitId, PrivilegeDepth, UserId};
use orgservice_server::directory::{
    BASIC_USER, INTEGRATION_USER, SYSTEM_ADMINISTRATOR, SYSTEM_USER,
};
use orgservice_server::fault::FaultCode;
use orgservice_server::model::{Entity, OrganizationRequest, Value};
use uuid::Uuid;

use crate::world::{ACCOUNTS, USER_MANAGER, World, guid, owner, reference};

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

/// Each of two administrators may be taken away while the other stays; both were, in one request.
#[test]
fn u_4_as_7_one_administrator_stays_of_several_taken_away_together() {
    let world = World::fresh();
    let first = world.administrator;
    let role = world.shipped_role(SYSTEM_ADMINISTRATOR);
    let second = world.user("Second", world.root);
    world.give(second, role);
    let refused = Err(FaultCode::CannotRemoveFromSysAdmin);
    let both = || vec![owner(first), owner(second)];

    let relationship = "systemuserroles_association";
    let target = reference("role", role.0);
    assert_eq!(
        world.associate_all(first, "Disassociate", relationship, target.clone(), both()),
        refused
    );
    let sales = world.unit("Sales", world.root);
    let relationship = "business_unit_system_users";
    let unit = reference("businessunit", sales.0);
    assert_eq!(
        world.associate_all(first, "Associate", relationship, unit, both()),
        refused,
        "U-2 would take the role of both"
    );

    // The same through the membership of a team.
    let team = world.team("Admins", world.root);
    world.give_team(team, role).unwrap();
    world
        .members(first, "AddMembersTeam", team, &[first, second])
        .unwrap();
    for user in [first, second] {
        world.take(user, role).unwrap();
    }
    let relationship = "teammembership_association";
    let target = reference("team", team.0);
    assert_eq!(
        world.associate_all(first, "Disassociate", relationship, target.clone(), both()),
        refused
    );
    assert!(world.is_member(first, team) && world.is_member(second, team));
    world
        .associate_all(
            first,
            "Disassociate",
            relationship,
            target,
            vec![owner(second)],
        )
        .unwrap();
    assert!(world.is_member(first, team) && !world.is_member(second, team));
}
