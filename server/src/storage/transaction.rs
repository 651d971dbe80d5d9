//! [`EmbeddedTransaction`]: writes kept aside until commit, reads that see them, and a read set.
//!
//! Each read happens in an instant at which everything read before is still true: when commits
//! came in between, what was read is validated against them first. So a transaction sees one
//! snapshot, and code that runs on it never meets a half of somebody else's change; the commit
//! validates once more, against what came since.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
};

use bytes::Bytes;

use super::{
    CommitAnswer, CommitHook, CommitVersion, Direction, KeyRange, ReadView, Savepoint,
    StorageError, Transaction, committer::Pending, embedded::Shared, history::ReadSet, keys,
};
use crate::limits::{STORED_KEY_BYTES_MAX, TRANSACTION_BYTES_MAX};

/// What a transaction would do to a key.
type Write = Option<Bytes>;

/// A transaction over an embedded engine.
pub(super) struct EmbeddedTransaction<'a> {
    shared: &'a Shared,
    reads: RefCell<Reads>,
    overlay: BTreeMap<Bytes, Write>,
    /// What each write replaced in the overlay, in order: the way back to a savepoint.
    undo: Vec<(Bytes, Option<Write>)>,
    /// Bytes written since the start, those not rolled back.
    bytes: usize,
    refused: Option<Refused>,
    /// Whether it is the committer's now.
    submitted: bool,
}

#[derive(Debug, Default)]
struct Reads {
    set: ReadSet,
    valid_as_of: u64,
}

/// A write that cannot be committed; `put` has no way to say so.
#[derive(Clone, Copy, Debug)]
enum Refused {
    Size,
    KeyLength,
    KeySpace,
}

impl<'a> EmbeddedTransaction<'a> {
    pub(super) fn begin(shared: &'a Shared) -> Self {
        EmbeddedTransaction {
            shared,
            reads: RefCell::new(Reads {
                set: ReadSet::default(),
                valid_as_of: shared.enter(),
            }),
            overlay: BTreeMap::new(),
            undo: Vec::new(),
            bytes: 0,
            refused: None,
            submitted: false,
        }
    }

    /// The version it was read at, unless it cannot be committed.
    fn committable(&self) -> Result<u64, StorageError> {
        match self.refused {
            Some(Refused::Size) => Err(StorageError::TooLarge {
                limit: "transaction_bytes_max",
                value: TRANSACTION_BYTES_MAX,
            }),
            Some(Refused::KeyLength) => Err(StorageError::TooLarge {
                limit: "stored_key_bytes_max",
                value: STORED_KEY_BYTES_MAX,
            }),
            Some(Refused::KeySpace) => Err(StorageError::NotStorable(
                "a key outside the keyspaces".into(),
            )),
            None => {
                self.shared.usable()?;
                Ok(self.reads.borrow().valid_as_of)
            }
        }
    }

    /// Runs a read of the engine in an instant at which all earlier reads are still true.
    fn reading<T>(
        &self,
        read: impl FnOnce(&mut ReadSet) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let gate = self.shared.gate.read();
        self.shared.usable()?;
        let reads = &mut *self.reads.borrow_mut();
        reads.valid_as_of = self.shared.extend(&reads.set, reads.valid_as_of)?;
        let result = read(&mut reads.set);
        drop(gate);
        result
    }

    fn write(&mut self, key: Vec<u8>, value: Write) {
        if key.len() > STORED_KEY_BYTES_MAX {
            self.refused = Some(Refused::KeyLength);
        } else if key.first().is_none_or(|&space| space >= keys::RESERVED) {
            self.refused = Some(Refused::KeySpace);
        }
        self.bytes += key.len() + value.as_ref().map_or(0, Bytes::len);
        if self.bytes > TRANSACTION_BYTES_MAX {
            self.refused = Some(Refused::Size);
        }
        if self.refused.is_some() {
            // It cannot be committed any more: keeping the writes would only fill memory.
            return;
        }
        let key = Bytes::from(key);
        let replaced = self.overlay.insert(key.clone(), value);
        self.undo.push((key, replaced));
    }

    /// One page of the engine's pairs and the part of the range that it covers.
    fn page(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Page, StorageError> {
        let pairs = self.shared.engine.scan(range, direction, limit)?;
        let last = pairs.last().filter(|_| pairs.len() >= limit);
        let Some((last, _)) = last else {
            return Ok(Page {
                pairs,
                covered: range.clone(),
                rest: None,
            });
        };
        let (covered, rest) = split(range, direction, last);
        Ok(Page {
            pairs,
            covered,
            rest: Some(rest),
        })
    }

    /// The page as this transaction sees it.
    fn merge(&self, page: Page, direction: Direction) -> Vec<(Bytes, Bytes)> {
        let mut written = self
            .overlay
            .range::<[u8], _>((
                Bound::Included(page.covered.start.as_slice()),
                Bound::Excluded(page.covered.end.as_slice()),
            ))
            .peekable();
        if written.peek().is_none() {
            return page.pairs;
        }
        let mut merged: BTreeMap<Bytes, Bytes> = page.pairs.into_iter().collect();
        for (key, write) in written {
            match write {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        match direction {
            Direction::Forward => merged.into_iter().collect(),
            Direction::Backward => merged.into_iter().rev().collect(),
        }
    }
}

struct Page {
    pairs: Vec<(Bytes, Bytes)>,
    covered: KeyRange,
    rest: Option<KeyRange>,
}

/// The part of a range up to `last`, in the direction of the scan, and what remains of it.
fn split(range: &KeyRange, direction: Direction, last: &[u8]) -> (KeyRange, KeyRange) {
    let at = match direction {
        Direction::Forward => keys::successor(last),
        Direction::Backward => last.to_vec(),
    };
    let low = KeyRange {
        start: range.start.clone(),
        end: at.clone(),
    };
    let high = KeyRange {
        start: at,
        end: range.end.clone(),
    };
    match direction {
        Direction::Forward => (low, high),
        Direction::Backward => (high, low),
    }
}

impl ReadView for EmbeddedTransaction<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StorageError> {
        if let Some(written) = self.overlay.get(key) {
            return Ok(written.clone());
        }
        self.reading(|set| {
            set.add_key(key);
            self.shared.engine.get(key)
        })
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StorageError> {
        if range.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        self.reading(|set| {
            let mut found = Vec::new();
            let mut next = Some(range.clone());
            while let Some(range) = next.take() {
                let page = self.page(&range, direction, limit - found.len())?;
                let rest = page.rest.clone();
                found.extend(self.merge(page, direction));
                if found.len() < limit {
                    next = rest;
                }
            }
            // What was read ends with the last key returned when the limit cut it there.
            found.truncate(limit);
            set.add_range(match found.last() {
                Some((last, _)) if found.len() == limit => split(range, direction, last).0,
                _ => range.clone(),
            });
            Ok(found)
        })
    }
}

impl Transaction for EmbeddedTransaction<'_> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.write(key, Some(value.into()));
    }

    fn delete(&mut self, key: Vec<u8>) {
        self.write(key, None);
    }

    fn savepoint(&mut self) -> Savepoint {
        Savepoint(self.undo.len())
    }

    fn rollback_to(&mut self, savepoint: Savepoint) {
        while self.undo.len() > savepoint.0 {
            let Some((key, replaced)) = self.undo.pop() else {
                break;
            };
            let Entry::Occupied(mut entry) = self.overlay.entry(key) else {
                continue;
            };
            self.bytes -= entry.key().len() + entry.get().as_ref().map_or(0, Bytes::len);
            match replaced {
                Some(write) => {
                    entry.insert(write);
                }
                None => {
                    entry.remove();
                }
            }
        }
    }

    fn submit(mut self: Box<Self>, hook: Option<CommitHook>, answer: CommitAnswer) {
        let read_at = match self.committable() {
            Ok(read_at) => read_at,
            Err(error) => return answer(Err(error)),
        };
        if self.overlay.is_empty() && hook.is_none() {
            return answer(Ok(CommitVersion(read_at)));
        }
        // The committer strikes it off the running ones when it has validated it.
        self.submitted = true;
        self.shared.queue.submit(
            Pending {
                reads: std::mem::take(&mut self.reads.borrow_mut().set),
                valid_as_of: read_at,
                writes: std::mem::take(&mut self.overlay),
                bytes: self.bytes,
                hook,
            },
            answer,
        );
    }
}

impl Drop for EmbeddedTransaction<'_> {
    fn drop(&mut self) {
        if !self.submitted {
            self.shared.leave(self.reads.get_mut().valid_as_of);
        }
    }
}
