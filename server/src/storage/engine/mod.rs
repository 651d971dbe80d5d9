//! What an embedded engine has to offer, and nothing more: ordered reads, one atomic batch, and a
//! sync that survives a power cut. Transactions, validation and group commit are built above it,
//! once for all engines ([`EmbeddedStore`](super::EmbeddedStore)).

mod faulty;
mod memory;
mod sled;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

pub use self::{
    faulty::{FaultyEngine, InjectedFault, Operation},
    memory::MemoryEngine,
    sled::{SledEngine, SledOptions},
};
use super::{CommitVersion, Direction, KeyRange, StorageError};

/// Writes that become visible together: at most one for each key, `None` removes it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WriteBatch {
    writes: BTreeMap<Bytes, Option<Bytes>>,
}

impl WriteBatch {
    /// Adds a write; a later one to the same key takes its place.
    pub fn write(&mut self, key: Bytes, value: Option<Bytes>) {
        self.writes.insert(key, value);
    }

    /// The writes, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, Option<&Bytes>)> {
        self.writes.iter().map(|(key, value)| (key, value.as_ref()))
    }

    /// Number of writes.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether it writes nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

/// An embedded engine. One thread applies and syncs; many read meanwhile.
///
/// Keys from [`RESERVED`](super::keys::RESERVED) on are the engine's own and never appear in a scan.
/// A scan need not be a snapshot: the store above holds back `apply` while one runs.
pub trait Engine: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StorageError::Engine`] or [`StorageError::Corrupt`]; the same for the other reads.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError>;

    /// Up to `limit` pairs of a range, in order; fewer only at its end.
    ///
    /// # Errors
    /// As [`Engine::get`].
    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError>;

    /// Makes the whole batch visible and remembers `version` with it. After a crash all of it is
    /// there or nothing, also when [`Engine::sync`] was never reached.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when part of the batch may be visible in memory: the engine
    /// must not be used again before it was reopened. Any other error: nothing was applied.
    fn apply(&self, batch: &WriteBatch, version: CommitVersion) -> Result<(), StorageError>;

    /// Returns when everything applied before survives a power cut.
    ///
    /// # Errors
    /// [`StorageError::Engine`]: nothing since the last success can be relied on.
    fn sync(&self) -> Result<(), StorageError>;

    /// The version of the last batch applied; 0 in an empty store.
    ///
    /// # Errors
    /// As [`Engine::get`].
    fn applied_version(&self) -> Result<CommitVersion, StorageError>;
}

/// An engine that outlives the store over it, as a disk outlives a process.
impl<E: Engine + ?Sized> Engine for Arc<E> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        (**self).get(key)
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        (**self).scan(range, direction, limit)
    }

    fn apply(&self, batch: &WriteBatch, version: CommitVersion) -> Result<(), StorageError> {
        (**self).apply(batch, version)
    }

    fn sync(&self) -> Result<(), StorageError> {
        (**self).sync()
    }

    fn applied_version(&self) -> Result<CommitVersion, StorageError> {
        (**self).applied_version()
    }
}
