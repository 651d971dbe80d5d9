//! Where bytes live: the traits [`Store`], [`ReadView`] and [`Transaction`] that the core sees.
//!
//! Synchronous. Knows keys, values and versions; must never know what a record means to the rules
//! above. Keys are ordered byte strings; every keyspace is a first byte (`keys.rs`).
//!
//! Reading order: the traits here; [`keys`], [`record`], [`share`] and [`index`], which are pure
//! codecs; [`engine`], what a disk has to offer; [`EmbeddedStore`], transactions and group commit
//! over an engine.

mod bytes;
mod committer;
#[cfg(test)]
mod conformance;
mod embedded;
pub mod engine;
mod history;
pub mod index;
pub mod index_value;
pub mod keys;
pub mod record;
pub mod sealed;
pub mod share;
#[cfg(test)]
mod testing;
mod transaction;

pub use embedded::{EmbeddedStore, FORMAT_VERSION};

use std::sync::mpsc::sync_channel;

use ::bytes::Bytes;

use crate::fault::{Fault, FaultCode};

/// A key range: from `start` (included) to `end` (excluded).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRange {
    /// First key that belongs to it.
    pub start: Vec<u8>,
    /// First key that no longer belongs to it.
    pub end: Vec<u8>,
}

impl KeyRange {
    /// Whether a key belongs to it.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && key < self.end.as_slice()
    }

    /// Whether no key can belong to it.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
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
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// Another commit changed what this transaction read: run the request again (TX-4).
    #[error("another commit changed what this transaction read")]
    Conflict,
    /// The engine or the disk failed; nothing of a transaction that was to be committed was kept.
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
    /// A value of a kind that no column holds, or a key outside the transactions' part of the store.
    #[error("{0} cannot be stored")]
    NotStorable(String),
    /// The store is closing or was broken by a failure; whether a commit that got this answer was
    /// kept shows after the next start.
    #[error("the store is not available: {0}")]
    Unavailable(String),
}

impl From<StorageError> for Fault {
    /// A lost race is told apart so that the request can run again; everything else is the server's
    /// own trouble, whose cause goes to the log only.
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict => Fault::new(
                FaultCode::WriteConflict,
                "another request changed the same records; try again",
            ),
            StorageError::TooLarge { limit, value } => Fault::limit_exceeded(limit, value),
            other => Fault::unexpected(other),
        }
    }
}

impl StorageError {
    /// The outcome of a commit that nobody is left to tell about.
    fn unanswered() -> Self {
        StorageError::Unavailable("the committer ended without an answer".into())
    }
}

/// One consistent snapshot of the store, or one consistent page of it.
///
/// Every read can fail with [`StorageError::Engine`], [`StorageError::Corrupt`] and
/// [`StorageError::Unavailable`]; those of a [`Transaction`] also with [`StorageError::Conflict`],
/// as soon as a commit of another one changed what it read: what it sees is always one snapshot.
pub trait ReadView {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError>;

    /// The values of several keys, in the order asked for.
    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Bytes>>, StorageError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Up to `limit` pairs of a range, in order; fewer only at its end.
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

/// What is told the outcome of a commit.
pub type CommitAnswer = Box<dyn FnOnce(Result<CommitVersion, StorageError>) + Send>;

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
    /// One that wrote nothing and brings no hook returns at once, with the version it was read at.
    /// Must not be called by a thread that holds a [`ReadView`]: the commit would wait for it.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] when a commit since the start changed something this one read;
    /// [`StorageError::TooLarge`] and [`StorageError::NotStorable`] for what was put;
    /// [`StorageError::Engine`] when nothing was kept, [`StorageError::Unavailable`] when that is
    /// not known.
    fn commit(self: Box<Self>, hook: Option<CommitHook>) -> Result<CommitVersion, StorageError> {
        let (sender, receiver) = sync_channel(1);
        let answer = move |outcome| {
            // Nobody stops waiting before the answer.
            let _ = sender.send(outcome);
        };
        self.submit(hook, Box::new(answer));
        receiver
            .recv()
            .unwrap_or_else(|_| Err(StorageError::unanswered()))
    }

    /// As [`Transaction::commit`], without waiting: `answer` is called with the outcome once it is
    /// known, here or by the thread that commits. It must not block, for all other commits wait.
    fn submit(self: Box<Self>, hook: Option<CommitHook>, answer: CommitAnswer);
}

/// A mark inside a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Savepoint(pub usize);

/// A store of ordered keys with serializable transactions.
pub trait Store: Send + Sync {
    /// A consistent view. It may hold back commits while it lives: one request, or one page.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    fn read(&self) -> Result<Box<dyn ReadView + '_>, StorageError>;

    /// A new unit of work.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    fn begin(&self) -> Result<Box<dyn Transaction + '_>, StorageError>;

    /// A number larger than every one handed out before, for row versions (SY-6).
    fn next_row_version(&self) -> u64;

    /// Whether a [`Store::read`] would have to wait at this moment, for a commit that is becoming
    /// visible or for one that waits for a long page: a hint for threads that must not wait.
    fn is_busy(&self) -> bool;

    /// SHA-256 over every pair of one consistent view, the row-version counter left out: two equal
    /// hashes show that nothing was written in between (invariant 4).
    ///
    /// # Errors
    /// As [`Store::read`].
    fn content_hash(&self) -> Result<[u8; 32], StorageError>;
}
