//! Where bytes live: the traits [`Store`], [`ReadView`] and [`Transaction`] that the core sees.
//!
//! Synchronous. Knows keys, values and versions; must never know what a record means to the rules
//! above. Keys are ordered byte strings; every keyspace is a first byte (`keys.rs`).

pub mod index;
pub mod record;

use bytes::Bytes;

/// A key range: from `start` (included) to `end` (excluded).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRange {
    /// First key that belongs to it.
    pub start: Vec<u8>,
    /// First key that no longer belongs to it.
    pub end: Vec<u8>,
}

/// In which order a scan goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// Smallest key first.
    Forward,
    /// Largest key first.
    Backward,
}

/// The number of a commit; strictly increasing, 0 for an empty store.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CommitVersion(pub u64);

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another commit changed what this transaction read: run the request again (TX-4).
    #[error("another commit changed what this transaction read")]
    Conflict,
    /// The engine or the disk failed; nothing of the transaction was kept.
    #[error("the storage engine failed: {0}")]
    Engine(String),
    /// A stored value failed its checksum or format check.
    #[error("the store is damaged: {0}; restore it from a backup")]
    Corrupt(String),
    /// A bound of the store was met.
    #[error("the transaction exceeds {limit} = {value}")]
    TooLarge {
        /// Name of the bound.
        limit: &'static str,
        /// Its value.
        value: usize,
    },
    /// The store is closing or was broken by an earlier failure.
    #[error("the store is not available: {0}")]
    Unavailable(String),
}

/// One consistent snapshot of the store, or one consistent page of it.
pub trait ReadView {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError>;

    /// The values of several keys, in the order asked for.
    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>, StorageError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Up to `limit` pairs of a range, in order.
    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError>;
}

/// What runs in the same instant as a commit becomes visible, under the page gate: the swap of the
/// snapshots derived from the data.
pub type CommitHook = Box<dyn FnOnce(CommitVersion) + Send>;

/// A unit of work: reads see its own writes, nothing is visible to others before `commit`.
pub trait Transaction: ReadView {
    /// Sets a key.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>);

    /// Removes a key; not an error when it is absent.
    fn delete(&mut self, key: Vec<u8>);

    /// Marks a point to go back to.
    fn savepoint(&mut self) -> Savepoint;

    /// Forgets every write since the mark; what was read stays part of the validation.
    fn rollback_to(&mut self, savepoint: Savepoint);

    /// Validates what was read, applies what was written in one atomic step, and returns once it is
    /// durable. `hook` runs in the instant of application.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when a commit since the start changed something this one read.
    fn commit(self: Box<Self>, hook: Option<CommitHook>) -> Result<CommitVersion, StorageError>;
}

/// A mark inside a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Savepoint(pub usize);

/// A store of ordered keys with serializable transactions.
pub trait Store: Send + Sync {
    /// A consistent view. It may hold back commits while it lives: one request, or one page.
    fn read(&self) -> Result<Box<dyn ReadView + '_>, StorageError>;

    /// A new unit of work.
    fn begin(&self) -> Result<Box<dyn Transaction + '_>, StorageError>;

    /// A number larger than every one handed out before, for row versions (SY-6).
    fn next_row_version(&self) -> u64;
}
