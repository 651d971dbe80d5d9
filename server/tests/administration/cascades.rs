//! What comes down to children and goes again (`security.md` 7).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use orgservice_security::{AccessRights, UserId};
use orgservice_server::fault::FaultCode;
use orgservice_server::metadata::{CascadeConfiguration, DefinitionsBuilder};
use orgservice_server::model::{
    Entity, EntityReference, OrganizationRequest, PrincipalAccess, Value,
};
use orgservice_server::storage::engine::{Engine, MemoryEngine, WriteBatch};
use orgservice_server::storage::{CommitVersion, Direction, KeyRange, StorageError};
use uuid::Uuid;

use crate::world::{ACCOUNTS, World, owner, reference};

/// A user who sees accounts of others by shares only.
fn receiver(world: &World) -> UserId {
    let sales = world.unit("Sales", world.root);
    let role = world.role("Accounts", world.root, &ACCOUNTS);
    let user = world.user("Uma", sales);
    world.give(user, role);
    user
}

fn account_below(world: &World, parent: Uuid) -> Uuid {
    let entity = Entity::new("account")
        .with("name", "A")
        .with("parentaccountid", reference("account", parent));
    world.try_create(entity).unwrap()
}

fn share(world: &World, account: Uuid, user: UserId) {
    let access = PrincipalAccess {
        principal: owner(user),
        access_mask: AccessRights::READ,
    };
    let grant = OrganizationRequest::new("GrantAccess")
        .with("Target", reference("account", account))
        .with("PrincipalAccess", Value::PrincipalAccess(access));
    world.run(grant).unwrap();
}

fn revoke(world: &World, account: Uuid, user: UserId) {
    let request = OrganizationRequest::new("RevokeAccess")
        .with("Target", reference("account", account))
        .with("Revokee", owner(user));
    world.run(request).unwrap();
}

fn reads(world: &World, user: UserId, account: Uuid) -> bool {
    let target: EntityReference = reference("account", account);
    let request = OrganizationRequest::new("Retrieve").with("Target", target);
    match world.run_as(user, request) {
        Ok(_) => true,
        Err(code) => {
            assert_eq!(code, FaultCode::AccessDenied);
            false
        }
    }
}

/// Children that outlived a shared parent kept what its share had given them, for ever: there was
/// no record left to revoke it on.
#[test]
fn ca_2_sh_9_what_came_from_a_deleted_parent_goes_with_it() {
    let world = World::fresh();
    let user = receiver(&world);
    let parent = world.account(owner(world.administrator));
    let child = account_below(&world, parent);
    let grandchild = account_below(&world, child);
    let shared_itself = account_below(&world, parent);
    share(&world, parent, user);
    share(&world, shared_itself, user);
    for account in [parent, child, grandchild, shared_itself] {
        assert!(reads(&world, user, account));
    }
    world.delete("account", parent).unwrap();
    assert!(!reads(&world, user, child));
    assert!(!reads(&world, user, grandchild));
    assert!(reads(&world, user, shared_itself), "explicit shares stay");
}

/// The record between a shared one and its grandchildren went, and Revoke did not reach them.
#[test]
fn ca_2_what_came_through_a_deleted_record_goes_with_it() {
    let world = World::fresh();
    let user = receiver(&world);
    let top = world.account(owner(world.administrator));
    let between = account_below(&world, top);
    let child = account_below(&world, between);
    let grandchild = account_below(&world, child);
    let beside = account_below(&world, top);
    share(&world, top, user);
    // Its own origin is above the grandchild still.
    share(&world, child, user);
    world.delete("account", between).unwrap();
    for account in [top, child, grandchild, beside] {
        assert!(reads(&world, user, account));
    }
    revoke(&world, child, user);
    assert!(!reads(&world, user, child));
    assert!(!reads(&world, user, grandchild));
    assert!(reads(&world, user, beside));
}

/// Revoke no longer found a child whose lookup was changed or cleared, so what it had inherited
/// stayed for ever.
#[test]
fn ca_2_what_came_from_a_former_parent_goes_with_the_link() {
    let world = World::fresh();
    let user = receiver(&world);
    let top = world.account(owner(world.administrator));
    let parent = account_below(&world, top);
    let other = account_below(&world, top);
    let (child, cleared) = (account_below(&world, parent), account_below(&world, parent));
    let grandchild = account_below(&world, child);
    let link = |account: Uuid, to: Value| {
        let change = world.set_of("account", account, "parentaccountid", to);
        change.unwrap();
    };
    share(&world, parent, user);
    link(child, reference("account", other).into());
    link(cleared, Value::Null);
    for account in [child, cleared, grandchild] {
        assert!(!reads(&world, user, account));
    }
    assert!(reads(&world, user, parent));

    // From one parent to another below the same origin, nothing is lost.
    share(&world, top, user);
    link(child, reference("account", parent).into());
    for account in [child, grandchild] {
        assert!(reads(&world, user, account));
    }
    revoke(&world, top, user);
    for account in [child, grandchild] {
        assert!(!reads(&world, user, account));
    }
}

/// Counts the records and entries that are read one by one.
#[derive(Default)]
struct Counting {
    memory: MemoryEngine,
    reads: AtomicUsize,
}

impl Engine for Counting {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.memory.get(key)
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        self.memory.scan(range, direction, limit)
    }

    fn apply(&self, batch: &WriteBatch, version: CommitVersion) -> Result<(), StorageError> {
        self.memory.apply(batch, version)
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.memory.sync()
    }

    fn applied_version(&self) -> Result<CommitVersion, StorageError> {
        self.memory.applied_version()
    }
}

/// Every child was loaded to know whether there is one.
#[test]
fn ca_6_one_child_is_enough_to_refuse_a_delete() {
    let engine = Arc::new(Counting::default());
    let definitions = DefinitionsBuilder::system()
        .cascade("account_parent_account", CascadeConfiguration::RESTRICT);
    let world = World::over(Box::new(Arc::clone(&engine)), definitions);
    let parent = world.account(owner(world.administrator));
    for _ in 0..100 {
        account_below(&world, parent);
    }
    let before = engine.reads.load(Ordering::Relaxed);
    assert_eq!(
        world.delete("account", parent),
        Err(FaultCode::CannotDeleteDueToAssociation)
    );
    let reads = engine.reads.load(Ordering::Relaxed) - before;
    assert!(reads < 50, "{reads} of 100 children and more");
}
