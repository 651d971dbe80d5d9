//! [`SledEngine`]: sled 0.34.7, used by five rules (docs/adr/0004).
//!
//! 1. One thread writes: one `apply_batch`, one blocking `flush`, never `flush_async`.
//! 2. After each flush our own `fdatasync` of sled's `db` file: sled's flush ends in
//!    `sync_file_range`, which survives a killed process but no power cut.
//! 3. No page outgrows a quarter of a log segment, for sled would move it to a file that it never
//!    syncs: values are cut into chunks, keys are bounded, segments are larger than by default.
//! 4. Opened behind a lock file and a guard: sled panics on damaged files.
//! 5. Batches are kept small by the committer: sled locks the whole process while it applies one.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::Mutex;
use sled::IVec;

use super::{Engine, WriteBatch};
use crate::{
    limits::{STORED_CHUNK_BYTES_MAX, STORED_SEGMENT_BYTES, STORED_VALUE_BYTES_MAX},
    storage::{CommitVersion, Direction, KeyRange, StorageError, keys::RESERVED},
};

const LOCK_FILE: &str = "lock";
/// The file that sled keeps its log in.
const LOG_FILE: &str = "db";

/// First byte of a chunk's key; then the key of the whole, then the chunk's number (u32).
const CHUNK: u8 = 0xfe;
/// The key of the version applied last.
const APPLIED: &[u8] = &[0xff];

/// First byte of a stored value that follows right here.
const INLINE: u8 = 0;
/// First byte of a stored value that lies in chunks; its length (u32) and CRC-32 follow.
const CHUNKED: u8 = 1;

/// How long a handle that this process dropped a moment ago may take to let go of the log.
const REOPEN_PATIENCE: Duration = Duration::from_secs(5);

/// Where and how sled is opened.
#[derive(Clone, Debug)]
pub struct SledOptions {
    /// The folder; created when missing.
    pub directory: PathBuf,
    /// Bytes sled's page cache aims at; its resident size can be three times as large.
    pub cache_bytes: u64,
}

/// The default engine.
#[derive(Debug)]
pub struct SledEngine {
    // Dropped in this order: the log is closed before the folder is let go.
    db: sled::Db,
    log: File,
    /// Keyspaces of which some value lies or lay in chunks. A write in any other leaves no chunks
    /// behind and need not look for them, which would cost a read for every key written.
    chunked: Mutex<BTreeSet<u8>>,
    broken: OnceLock<String>,
    _lock: File,
}

impl SledEngine {
    /// Opens a folder, or creates it.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when another process has it open, [`StorageError::Corrupt`]
    /// when sled cannot read it, [`StorageError::Engine`] when the disk refuses.
    pub fn open(options: &SledOptions) -> Result<Self, StorageError> {
        let directory = &options.directory;
        let failed =
            |error: io::Error| StorageError::Engine(format!("`{}`: {error}", directory.display()));
        fs::create_dir_all(directory).map_err(failed)?;
        let lock = take_lock(directory)?;
        let db = open_guarded(options)?;
        let log = OpenOptions::new()
            .read(true)
            .write(true)
            .open(directory.join(LOG_FILE))
            .map_err(failed)?;
        log.sync_all().map_err(failed)?;
        // The names of new files, and of the folder itself, survive a power cut only like this.
        for named_in in [Some(directory.as_path()), directory.parent()] {
            let Some(folder) = named_in.filter(|folder| !folder.as_os_str().is_empty()) else {
                continue;
            };
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(failed)?;
        }
        Ok(SledEngine {
            chunked: Mutex::new(chunked_spaces(&db)?),
            db,
            log,
            broken: OnceLock::new(),
            _lock: lock,
        })
    }

    fn usable(&self) -> Result<(), StorageError> {
        match self.broken.get() {
            None => Ok(()),
            Some(why) => Err(StorageError::Unavailable(why.clone())),
        }
    }

    /// The value behind what sled stores under `key`.
    fn resolve(&self, key: &[u8], stored: &IVec) -> Result<Bytes, StorageError> {
        match stored.split_first() {
            Some((&INLINE, value)) => Ok(Bytes::copy_from_slice(value)),
            Some((&CHUNKED, head)) => self.join(key, head),
            _ => Err(damaged(key)),
        }
    }

    fn join(&self, key: &[u8], head: &[u8]) -> Result<Bytes, StorageError> {
        let (length, checksum) = read_head(head).ok_or_else(|| damaged(key))?;
        let mut value = Vec::with_capacity(length);
        for number in 0..chunk_count(length) {
            let chunk = self.db.get(chunk_key(key, number)).map_err(failed)?;
            value.extend_from_slice(&chunk.ok_or_else(|| damaged(key))?);
        }
        if value.len() != length || crc32fast::hash(&value) != checksum {
            return Err(damaged(key));
        }
        Ok(value.into())
    }

    /// How many chunks the value now stored under `key` has.
    fn stored_chunks(&self, key: &[u8]) -> Result<u32, StorageError> {
        if !key
            .first()
            .is_some_and(|space| self.chunked.lock().contains(space))
        {
            return Ok(0);
        }
        let Some(stored) = self.db.get(key).map_err(failed)? else {
            return Ok(0);
        };
        match stored.split_first() {
            Some((&CHUNKED, head)) => {
                let (length, _) = read_head(head).ok_or_else(|| damaged(key))?;
                Ok(chunk_count(length))
            }
            _ => Ok(0),
        }
    }

    fn prepare(
        &self,
        batch: &WriteBatch,
        version: CommitVersion,
    ) -> Result<sled::Batch, StorageError> {
        let mut writes = sled::Batch::default();
        for (key, value) in batch.iter() {
            let mut chunks = 0;
            match value {
                None => writes.remove(key.as_ref()),
                Some(value) if value.len() <= STORED_CHUNK_BYTES_MAX => {
                    let mut stored = Vec::with_capacity(1 + value.len());
                    stored.push(INLINE);
                    stored.extend_from_slice(value);
                    writes.insert(key.as_ref(), stored);
                }
                Some(value) => {
                    self.chunked.lock().extend(key.first());
                    writes.insert(key.as_ref(), chunk_head(value)?);
                    for chunk in value.chunks(STORED_CHUNK_BYTES_MAX) {
                        writes.insert(chunk_key(key, chunks), chunk);
                        chunks += 1;
                    }
                }
            }
            for number in chunks..self.stored_chunks(key)? {
                writes.remove(chunk_key(key, number));
            }
        }
        writes.insert(APPLIED, &version.0.to_be_bytes());
        Ok(writes)
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.usable()?;
        match self.db.get(key).map_err(failed)? {
            None => Ok(None),
            Some(stored) => self.resolve(key, &stored).map(Some),
        }
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        self.usable()?;
        let end = range.end.as_slice().min(&[RESERVED]);
        if range.start.as_slice() >= end {
            return Ok(Vec::new());
        }
        let pairs = self.db.range(range.start.as_slice()..end);
        let resolved = |pair: sled::Result<(IVec, IVec)>| {
            let (key, stored) = pair.map_err(failed)?;
            Ok((Bytes::copy_from_slice(&key), self.resolve(&key, &stored)?))
        };
        match direction {
            Direction::Forward => pairs.take(limit).map(resolved).collect(),
            Direction::Backward => pairs.rev().take(limit).map(resolved).collect(),
        }
    }

    fn apply(&self, batch: &WriteBatch, version: CommitVersion) -> Result<(), StorageError> {
        self.usable()?;
        let writes = self.prepare(batch, version)?;
        self.db.apply_batch(writes).map_err(|error| {
            // Part of the batch may stand in sled's memory; on disk it is all or nothing.
            let why = format!("a batch was not applied ({error}); the server must be restarted");
            StorageError::Unavailable(self.broken.get_or_init(|| why).clone())
        })
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.usable()?;
        self.db.flush().map_err(failed)?;
        self.log
            .sync_data()
            .map_err(|error| StorageError::Engine(format!("fdatasync: {error}")))
    }

    fn applied_version(&self) -> Result<CommitVersion, StorageError> {
        let Some(stored) = self.db.get(APPLIED).map_err(failed)? else {
            return Ok(CommitVersion(0));
        };
        let bytes = stored.as_ref().try_into().map_err(|_| damaged(APPLIED))?;
        Ok(CommitVersion(u64::from_be_bytes(bytes)))
    }
}

fn take_lock(directory: &Path) -> Result<File, StorageError> {
    let path = directory.join(LOCK_FILE);
    let in_use = |why: String| {
        StorageError::Unavailable(format!("`{}` cannot be locked: {why}", path.display()))
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| in_use(error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use("another process has the store open".into())),
        Err(TryLockError::Error(error)) => Err(in_use(error.to_string())),
    }
}

/// Opens sled so that a damaged file becomes an error instead of a panic.
fn open_guarded(options: &SledOptions) -> Result<sled::Db, StorageError> {
    let config = || {
        sled::Config::new()
            .path(&options.directory)
            .cache_capacity(options.cache_bytes)
            .segment_size(STORED_SEGMENT_BYTES)
            .flush_every_ms(None)
    };
    let unreadable = |why: &str| {
        let directory = options.directory.display();
        StorageError::Corrupt(format!("sled cannot open `{directory}` ({why})"))
    };
    let deadline = Instant::now() + REOPEN_PATIENCE;
    loop {
        match catch_unwind(AssertUnwindSafe(|| config().open())) {
            Ok(Ok(db)) => return Ok(db),
            // Our own lock excludes other processes, so this is the log of a handle that was
            // dropped here and whose last background job has not ended yet.
            Ok(Err(sled::Error::Io(error)))
                if error.to_string().contains("could not acquire lock")
                    && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            Ok(Err(sled::Error::Io(error))) => {
                return Err(StorageError::Engine(format!(
                    "`{}`: {error}",
                    options.directory.display()
                )));
            }
            Ok(Err(error)) => return Err(unreadable(&error.to_string())),
            Err(panic) => {
                let why = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied());
                return Err(unreadable(why.unwrap_or("it stopped without a message")));
            }
        }
    }
}

/// The keyspaces that have chunks: one look at the first chunk of each.
fn chunked_spaces(db: &sled::Db) -> Result<BTreeSet<u8>, StorageError> {
    let mut spaces = BTreeSet::new();
    let mut from = vec![CHUNK];
    while let Some(chunk) = db.range(from..vec![CHUNK + 1]).next() {
        let (key, _) = chunk.map_err(failed)?;
        let space = *key.get(1).ok_or_else(|| damaged(&key))?;
        spaces.insert(space);
        from = match space.checked_add(1) {
            Some(next) => vec![CHUNK, next],
            None => break,
        };
    }
    Ok(spaces)
}

fn chunk_count(length: usize) -> u32 {
    // Below 2^32 for every length that fits a head.
    length.div_ceil(STORED_CHUNK_BYTES_MAX) as u32
}

fn chunk_key(key: &[u8], number: u32) -> Vec<u8> {
    let mut chunk = Vec::with_capacity(key.len() + 5);
    chunk.push(CHUNK);
    chunk.extend_from_slice(key);
    chunk.extend_from_slice(&number.to_be_bytes());
    chunk
}

fn chunk_head(value: &[u8]) -> Result<Vec<u8>, StorageError> {
    let length = u32::try_from(value.len())
        .ok()
        .filter(|_| value.len() <= STORED_VALUE_BYTES_MAX)
        .ok_or(StorageError::TooLarge {
            limit: "stored_value_bytes_max",
            value: STORED_VALUE_BYTES_MAX,
        })?;
    let mut head = Vec::with_capacity(9);
    head.push(CHUNKED);
    head.extend_from_slice(&length.to_be_bytes());
    head.extend_from_slice(&crc32fast::hash(value).to_be_bytes());
    Ok(head)
}

/// Length and checksum of a chunked value.
fn read_head(head: &[u8]) -> Option<(usize, u32)> {
    let (length, rest) = head.split_first_chunk::<4>()?;
    let checksum: [u8; 4] = rest.try_into().ok()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    (length <= STORED_VALUE_BYTES_MAX).then_some((length, u32::from_be_bytes(checksum)))
}

fn damaged(key: &[u8]) -> StorageError {
    crate::storage::record::corrupt(key, "stored value")
}

fn failed(error: sled::Error) -> StorageError {
    match error {
        sled::Error::Corruption { .. } => StorageError::Corrupt(error.to_string()),
        error => StorageError::Engine(error.to_string()),
    }
}
