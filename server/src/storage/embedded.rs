//! [`EmbeddedStore`]: serializable transactions over any [`Engine`] (docs/adr/0003).

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    CommitVersion, Direction, KeyRange, ReadView, StorageError, Store, Transaction,
    committer::{self, Queue},
    engine::{Engine, WriteBatch},
    history::{History, ReadSet},
    keys,
    transaction::EmbeddedTransaction,
};

/// The format of everything below the traits; a store of another format is refused.
pub const FORMAT_VERSION: u16 = 1;

const FORMAT_NAME: &str = "format";
const STORE_ID_NAME: &str = "store_id";
const ROW_VERSION_NAME: &str = "row_version";

/// Pairs of one page of [`EmbeddedStore::content_hash`].
const HASH_PAGE: usize = 1_000;

/// A store in this process: transactions validated at commit, made durable in groups by one thread.
///
/// Dropping it commits what waits, syncs, and lets the engine go.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    store_id: Uuid,
    committer: Option<JoinHandle<()>>,
}

/// What the store, its transactions and the committer share.
pub(super) struct Shared {
    pub(super) engine: Box<dyn Engine>,
    /// Readers hold it for one view or one read, the committer while a batch becomes visible.
    pub(super) gate: RwLock<()>,
    /// The version of the last commit that is visible; changes under the gate and the history.
    pub(super) current: AtomicU64,
    pub(super) row_version: AtomicU64,
    pub(super) history: Mutex<History>,
    pub(super) queue: Queue,
    /// Why nothing can be read, written or acknowledged any more.
    broken: OnceLock<String>,
}

impl Shared {
    pub(super) fn usable(&self) -> Result<(), StorageError> {
        match self.broken.get() {
            None => Ok(()),
            Some(why) => Err(StorageError::Unavailable(why.clone())),
        }
    }

    /// From now on everything is refused; the first reason stays.
    pub(super) fn break_down(&self, why: &str) {
        tracing::error!(why, "the store is no longer available");
        let _ = self.broken.set(why.to_owned());
    }

    /// Registers a transaction; what it will read is valid as of the version returned.
    pub(super) fn enter(&self) -> u64 {
        let mut history = self.history.lock();
        let version = self.current.load(Ordering::Acquire);
        history.enter(version);
        version
    }

    pub(super) fn leave(&self, version: u64) {
        self.history.lock().leave(version);
    }

    /// Validates what was read as of `version` against the commits since; it is then valid as of
    /// the version returned. To be called inside the gate.
    pub(super) fn extend(&self, reads: &ReadSet, version: u64) -> Result<u64, StorageError> {
        let current = self.current.load(Ordering::Acquire);
        if current != version {
            let mut history = self.history.lock();
            history.validate(reads, version)?;
            history.enter(current);
            history.leave(version);
        }
        Ok(current)
    }
}

/// The write that remembers which row versions were handed out.
pub(super) fn row_version_write(number: u64) -> (Bytes, Bytes) {
    (
        Bytes::from(keys::meta(ROW_VERSION_NAME)),
        Bytes::copy_from_slice(&number.to_be_bytes()),
    )
}

impl EmbeddedStore {
    /// Opens the store in an engine; an empty engine becomes a new store.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] for a store of another format version,
    /// [`StorageError::Corrupt`] for content that is no store, and what the engine reports.
    pub fn open(engine: Box<dyn Engine>) -> Result<Self, StorageError> {
        let version = engine.applied_version()?;
        let format = read_meta(&*engine, FORMAT_NAME)?.map(u16::from_be_bytes);
        let store_id = match format {
            None => create(&*engine, version)?,
            Some(FORMAT_VERSION) => {
                let id = read_meta(&*engine, STORE_ID_NAME)?;
                Uuid::from_bytes(id.ok_or_else(|| missing(STORE_ID_NAME))?)
            }
            Some(other) => {
                return Err(StorageError::Unavailable(format!(
                    "it has format version {other}, and this server reads version \
                     {FORMAT_VERSION}; export it with the server that wrote it"
                )));
            }
        };
        let row_version = read_meta(&*engine, ROW_VERSION_NAME)?
            .map(u64::from_be_bytes)
            .ok_or_else(|| missing(ROW_VERSION_NAME))?;
        let shared = Arc::new(Shared {
            engine,
            gate: RwLock::new(()),
            current: AtomicU64::new(version.0),
            row_version: AtomicU64::new(row_version),
            history: Mutex::new(History::starting_at(version.0)),
            queue: Queue::default(),
            broken: OnceLock::new(),
        });
        let committer = thread::Builder::new()
            .name("committer".into())
            .spawn({
                let shared = Arc::clone(&shared);
                move || committer::run(&shared)
            })
            .map_err(|error| StorageError::Engine(format!("no thread for commits: {error}")))?;
        Ok(EmbeddedStore {
            shared,
            store_id,
            committer: Some(committer),
        })
    }

    /// The id that was drawn when the store was created; two stores never share one.
    pub fn store_id(&self) -> Uuid {
        self.store_id
    }

    /// The version of the last commit that is visible.
    pub fn version(&self) -> CommitVersion {
        CommitVersion(self.shared.current.load(Ordering::Acquire))
    }
}

#[cfg(test)]
impl EmbeddedStore {
    /// Returns once the committer stands before the gate, held back by a view of the caller, and
    /// `waiting` more transactions wait behind it.
    pub(super) fn until_held_back(&self, waiting: usize) {
        while self.shared.gate.try_read().is_some() || self.shared.queue.len() != waiting {
            thread::yield_now();
        }
    }
}

impl Store for EmbeddedStore {
    fn read(&self) -> Result<Box<dyn ReadView + '_>, StorageError> {
        let gate = self.shared.gate.read();
        self.shared.usable()?;
        Ok(Box::new(View {
            shared: &self.shared,
            _gate: gate,
        }))
    }

    fn begin(&self) -> Result<Box<dyn Transaction + '_>, StorageError> {
        self.shared.usable()?;
        Ok(Box::new(EmbeddedTransaction::begin(&self.shared)))
    }

    fn next_row_version(&self) -> u64 {
        self.shared.row_version.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn is_busy(&self) -> bool {
        self.shared.gate.try_read().is_none()
    }

    fn content_hash(&self) -> Result<[u8; 32], StorageError> {
        let volatile = keys::meta(ROW_VERSION_NAME);
        let view = self.read()?;
        let mut hash = Sha256::new();
        let mut range = keys::everything();
        loop {
            let page = view.scan(&range, Direction::Forward, HASH_PAGE)?;
            let Some((last, _)) = page.last() else {
                return Ok(hash.finalize().into());
            };
            range.start = keys::successor(last);
            for (key, value) in page.iter().filter(|(key, _)| *key != volatile) {
                for part in [key, value] {
                    hash.update((part.len() as u64).to_be_bytes());
                    hash.update(part);
                }
            }
        }
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(committer) = self.committer.take() {
            // A committer that panicked has said so in the log.
            let _ = committer.join();
        }
    }
}

/// A view of the embedded store: commits wait while it lives.
struct View<'a> {
    shared: &'a Shared,
    _gate: RwLockReadGuard<'a, ()>,
}

impl ReadView for View<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.shared.usable()?;
        self.shared.engine.get(key)
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        self.shared.usable()?;
        self.shared.engine.scan(range, direction, limit)
    }
}

fn read_meta<const N: usize>(
    engine: &dyn Engine,
    name: &str,
) -> Result<Option<[u8; N]>, StorageError> {
    let Some(value) = engine.get(&keys::meta(name))? else {
        return Ok(None);
    };
    let bytes = value
        .as_ref()
        .try_into()
        .map_err(|_| StorageError::Corrupt(format!("`{name}` has {} bytes", value.len())))?;
    Ok(Some(bytes))
}

fn missing(name: &str) -> StorageError {
    StorageError::Corrupt(format!("`{name}` is missing"))
}

/// Makes an empty engine a store.
fn create(engine: &dyn Engine, version: CommitVersion) -> Result<Uuid, StorageError> {
    let content = engine.scan(&keys::everything(), Direction::Forward, 1)?;
    if version != CommitVersion::default() || !content.is_empty() {
        return Err(missing(FORMAT_NAME));
    }
    let id = Uuid::new_v4();
    let mut batch = WriteBatch::default();
    let mut put = |name, value: &[u8]| {
        batch.write(
            Bytes::from(keys::meta(name)),
            Some(Bytes::copy_from_slice(value)),
        );
    };
    put(FORMAT_NAME, &FORMAT_VERSION.to_be_bytes());
    put(STORE_ID_NAME, id.as_bytes());
    put(ROW_VERSION_NAME, &0_u64.to_be_bytes());
    engine.apply(&batch, version)?;
    engine.sync()?;
    Ok(id)
}
