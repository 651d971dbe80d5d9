//! Teams (`security.md` 1.3).

use orgservice_security::TeamId;
use orgservice_server::fault::FaultCode;
use orgservice_server::model::{Entity, OrganizationRequest, PrincipalAccess, Value};

use crate::world::{ACCOUNTS, World, guid, owner, reference};

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
