//! Bearer tokens, and the shared rows of activities.

use orgservice_security::{AccessRights, PrivilegeDepth, UserId};
use orgservice_server::caller::Caller;
use orgservice_server::directory::{BASIC_USER, INTEGRATION_USER, SYSTEM_USER};
use orgservice_server::fault::FaultCode;
use orgservice_server::metadata::column::{entity_name, text};
use orgservice_server::metadata::{DefinitionsBuilder, table};
use orgservice_server::model::{Entity, OrganizationRequest, PrincipalAccess, Value};
use uuid::Uuid;

use crate::world::{World, guid, owner, reference};

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

/// The shared row could be shared by itself: a second way to the activity's columns that no Revoke
/// on the activity took back.
#[test]
fn sy_9_the_shared_row_is_shared_with_its_activity_only() {
    let world = World::fresh();
    let user = world.user("Uma", world.root);
    let task = world
        .try_create(Entity::new("task").with("subject", "T"))
        .unwrap();
    let access = PrincipalAccess {
        principal: owner(user),
        access_mask: AccessRights::READ,
    };
    for message in ["GrantAccess", "ModifyAccess", "RevokeAccess"] {
        let on = |table: &str| {
            let request = OrganizationRequest::new(message).with("Target", reference(table, task));
            world.run(match message {
                "RevokeAccess" => request.with("Revokee", owner(user)),
                _ => request.with("PrincipalAccess", Value::PrincipalAccess(access.clone())),
            })
        };
        let refused = Err(FaultCode::SdkEntityDoesNotSupportMessage);
        assert_eq!(on("activitypointer"), refused, "{message}");
        on("task").unwrap();
    }
}

/// Two activities of different tables with one id took turns in one shared row.
#[test]
fn sy_9_a_shared_row_is_of_one_activity() {
    let letter = table("Letter")
        .activity()
        .primary_name(text("Subject", 200))
        .column(entity_name("ActivityTypeCode").read_only());
    let world = World::of(DefinitionsBuilder::system().table(letter));
    let task = world
        .try_create(Entity::new("task").with("subject", "T"))
        .unwrap();
    let letter = Entity::new("letter").with("subject", "L");
    assert_eq!(
        world.try_create(letter.clone().with_id(task)),
        Err(FaultCode::DuplicateRecord)
    );
    assert_eq!(
        world.retrieve("letter", task),
        Err(FaultCode::ObjectDoesNotExist)
    );
    let subject = |id: Uuid| world.column("activitypointer", id, "subject");
    assert_eq!(subject(task), Some(Value::from("T")));
    let letter = world.try_create(letter).unwrap();
    assert_eq!(subject(letter), Some(Value::from("L")));
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
