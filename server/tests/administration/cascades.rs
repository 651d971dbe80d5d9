//! What comes down to children and goes again (`security.md` 7).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use orgservice_server::fault::FaultCode;
use orgservice_server::metadata::{CascadeConfiguration, DefinitionsBuilder};
use orgservice_server::model::Entity;
use orgservice_server::storage::engine::{Engine, MemoryEngine, WriteBatch};
use orgservice_server::storage::{CommitVersion, Direction, KeyRange, StorageError};
use uuid::Uuid;

use crate::world::{World, owner, reference};

fn account_below(world: &World, parent: Uuid) -> Uuid {
    let entity = Entity::new("account")
        .with("name", "A")
        .with("parentaccountid", reference("account", parent));
    world.try_create(entity).unwrap()
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
