//! [`FaultyEngine`]: test support, another engine that fails on demand.

use std::collections::BTreeMap;

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Engine, WriteBatch};
use crate::storage::{CommitVersion, Direction, KeyRange, StorageError};

/// An operation that can fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// A `get`.
    Get,
    /// A `scan`.
    Scan,
    /// An `apply`.
    Apply,
    /// A `sync`.
    Sync,
}

/// How it fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InjectedFault {
    /// An I/O error; nothing was done.
    InputOutput,
    /// No space is left; nothing was done. Lasts until [`FaultyEngine::heal`].
    DiskFull,
    /// `apply` only: half of the batch stands in the engine's memory, nothing on disk.
    ShortWrite,
}

#[derive(Debug, Default)]
struct Plan {
    /// The fault, the operation it waits for, and how many of those it lets pass.
    next: Option<(Operation, usize, InjectedFault)>,
    disk_full: bool,
    /// What a short write left in memory.
    torn: BTreeMap<Bytes, Option<Bytes>>,
}

/// An engine that passes everything on to another one until it is told to fail.
///
/// What stands in the engine underneath is the disk; dropping this one and wrapping it again is a
/// restart.
#[derive(Debug)]
pub struct FaultyEngine<E> {
    disk: E,
    plan: Mutex<Plan>,
}

impl<E> FaultyEngine<E> {
    /// Wraps an engine; without faults at first.
    pub fn new(disk: E) -> Self {
        FaultyEngine {
            disk,
            plan: Mutex::default(),
        }
    }

    /// Lets `passing` operations of this kind pass and fails the next one.
    pub fn fail(&self, operation: Operation, passing: usize, fault: InjectedFault) {
        self.plan.lock().next = Some((operation, passing, fault));
    }

    /// No more faults.
    pub fn heal(&self) {
        let mut plan = self.plan.lock();
        plan.next = None;
        plan.disk_full = false;
    }

    fn meet(&self, operation: Operation, batch: Option<&WriteBatch>) -> Result<(), StorageError> {
        let plan = &mut *self.plan.lock();
        let writes = matches!(operation, Operation::Apply | Operation::Sync);
        if plan.disk_full && writes {
            return Err(StorageError::Engine("no space left on device".into()));
        }
        match &mut plan.next {
            Some((at, passing, _)) if *at == operation && *passing > 0 => {
                *passing -= 1;
                Ok(())
            }
            Some((at, _, fault)) if *at == operation => {
                let fault = *fault;
                plan.next = None;
                Err(match fault {
                    InjectedFault::InputOutput => StorageError::Engine("input/output error".into()),
                    InjectedFault::DiskFull => {
                        plan.disk_full = true;
                        StorageError::Engine("no space left on device".into())
                    }
                    InjectedFault::ShortWrite => {
                        let half = batch.into_iter().flat_map(WriteBatch::iter);
                        let count = batch.map_or(0, WriteBatch::len).div_ceil(2);
                        plan.torn.extend(
                            half.take(count)
                                .map(|(key, value)| (key.clone(), value.cloned())),
                        );
                        StorageError::Unavailable("a batch was written in part".into())
                    }
                })
            }
            _ => Ok(()),
        }
    }
}

impl<E: Engine> Engine for FaultyEngine<E> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        self.meet(Operation::Get, None)?;
        if let Some(torn) = self.plan.lock().torn.get(key) {
            return Ok(torn.clone());
        }
        self.disk.get(key)
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        self.meet(Operation::Scan, None)?;
        self.disk.scan(range, direction, limit)
    }

    fn apply(&self, batch: &WriteBatch, version: CommitVersion) -> Result<(), StorageError> {
        self.meet(Operation::Apply, Some(batch))?;
        self.disk.apply(batch, version)
    }

    fn sync(&self) -> Result<(), StorageError> {
        self.meet(Operation::Sync, None)?;
        self.disk.sync()
    }

    fn applied_version(&self) -> Result<CommitVersion, StorageError> {
        self.disk.applied_version()
    }
}
