//! Roles (`security.md` 1.4).

use std::collections::BTreeMap;

use orgservice_security::{PrivilegeDepth, RoleId};
use orgservice_server::directory::{DELEGATE, SYSTEM_ADMINISTRATOR};
use orgservice_server::fault::FaultCode;
use orgservice_server::model::{Entity, OrganizationRequest, Value};
use uuid::Uuid;

use crate::world::{ACCOUNTS, USER_MANAGER, World, reference, told};

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
