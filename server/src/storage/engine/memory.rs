//! [`MemoryEngine`]: a sorted map. For tests, and for a server that may forget everything.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;
use parking_lot::RwLock;

use super::{Engine, WriteBatch};
use crate::storage::{CommitVersion, Direction, KeyRange, StorageError};

/// An engine that keeps everything in memory.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    content: RwLock<Content>,
}

#[derive(Debug, Default)]
struct Content {
    pairs: BTreeMap<Bytes, Bytes>,
    version: CommitVersion,
}

impl Engine for MemoryEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        Ok(self.content.read().pairs.get(key).cloned())
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let content = self.content.read();
        let pairs = content
            .pairs
            .range::<[u8], _>((
                Bound::Included(range.start.as_slice()),
                Bound::Excluded(range.end.as_slice()),
            ))
            .map(|(key, value)| (key.clone(), value.clone()));
        Ok(match direction {
            Direction::Forward => pairs.take(limit).collect(),
            Direction::Backward => pairs.rev().take(limit).collect(),
        })
    }

    fn apply(&self, batch: &WriteBatch, version: CommitVersion) -> Result<(), StorageError> {
        let mut content = self.content.write();
        for (key, value) in batch.iter() {
            match value {
                Some(value) => content.pairs.insert(key.clone(), value.clone()),
                None => content.pairs.remove(key),
            };
        }
        content.version = version;
        Ok(())
    }

    fn sync(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn applied_version(&self) -> Result<CommitVersion, StorageError> {
        Ok(self.content.read().version)
    }
}
