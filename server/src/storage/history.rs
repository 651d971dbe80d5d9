//! What transactions read and what recent commits wrote, and whether the two meet.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    ops::Bound::{Included, Unbounded},
};

use bytes::Bytes;

use super::{KeyRange, StorageError};
use crate::limits::COMMIT_HISTORY_KEYS_MAX;

/// Keys and ranges that a transaction looked at, found or not.
#[derive(Debug, Default)]
pub(super) struct ReadSet {
    keys: HashSet<Vec<u8>>,
    /// Start to end; disjoint.
    ranges: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl ReadSet {
    pub(super) fn add_key(&mut self, key: &[u8]) {
        if !self.covers(key) {
            self.keys.insert(key.to_vec());
        }
    }

    /// Adds a range; ranges that touch are kept as one.
    pub(super) fn add_range(&mut self, range: KeyRange) {
        if range.is_empty() {
            return;
        }
        let KeyRange { mut start, mut end } = range;
        while let Some((other_start, other_end)) = self
            .ranges
            .range::<[u8], _>((Unbounded, Included(end.as_slice())))
            .next_back()
            .filter(|(_, other_end)| **other_end >= start)
            .map(|(s, e)| (s.clone(), e.clone()))
        {
            self.ranges.remove(&other_start);
            start = start.min(other_start);
            end = end.max(other_end);
        }
        self.ranges.insert(start, end);
    }

    fn covers(&self, key: &[u8]) -> bool {
        self.ranges
            .range::<[u8], _>((Unbounded, Included(key)))
            .next_back()
            .is_some_and(|(_, end)| key < end.as_slice())
    }

    /// Whether a write to `key` changes something that was read.
    pub(super) fn meets(&self, key: &[u8]) -> bool {
        self.keys.contains(key) || self.covers(key)
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ranges.is_empty()
    }
}

/// The keys that recent commits wrote, kept while a transaction runs that is older than they are.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Version and keys written, oldest first.
    commits: VecDeque<(u64, Vec<Bytes>)>,
    keys: usize,
    /// Commits up to here are forgotten.
    forgotten: u64,
    /// How many running transactions are valid as of which version.
    running: BTreeMap<u64, usize>,
}

impl History {
    /// A store that was opened at `version` knows nothing of what came before.
    pub(super) fn starting_at(version: u64) -> Self {
        History {
            forgotten: version,
            ..History::default()
        }
    }

    /// A transaction begins to see the store as of `version`.
    pub(super) fn enter(&mut self, version: u64) {
        *self.running.entry(version).or_default() += 1;
    }

    /// A transaction no longer sees the store as of `version`.
    pub(super) fn leave(&mut self, version: u64) {
        if let Some(count) = self.running.get_mut(&version) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(&version);
                self.forget();
            }
        }
    }

    /// Whether what was read as of `version` is still what the store holds.
    pub(super) fn validate(&self, reads: &ReadSet, version: u64) -> Result<(), StorageError> {
        if reads.is_empty() {
            return Ok(());
        }
        if version < self.forgotten {
            return Err(StorageError::Conflict);
        }
        let first_newer = self.commits.partition_point(|&(at, _)| at <= version);
        let changed = self
            .commits
            .range(first_newer..)
            .flat_map(|(_, keys)| keys)
            .any(|key| reads.meets(key));
        if changed {
            Err(StorageError::Conflict)
        } else {
            Ok(())
        }
    }

    /// A commit became visible.
    pub(super) fn push(&mut self, version: u64, keys: Vec<Bytes>) {
        self.keys += keys.len();
        self.commits.push_back((version, keys));
        self.forget();
    }

    /// Drops what no running transaction needs, and what the bound does not allow.
    fn forget(&mut self) {
        let oldest = self.running.keys().next().copied();
        while let Some((version, keys)) = self.commits.front() {
            let needed = oldest.is_some_and(|oldest| oldest < *version);
            if needed && self.keys <= COMMIT_HISTORY_KEYS_MAX {
                break;
            }
            self.forgotten = *version;
            self.keys -= keys.len();
            self.commits.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn range(start: u8, end: u8) -> KeyRange {
        KeyRange {
            start: vec![start],
            end: vec![end],
        }
    }

    proptest! {
        #[test]
        fn a_read_set_is_the_union_of_what_was_added(
            ranges in prop::collection::vec((0_u8..30, 0_u8..30), 0..8),
            keys in prop::collection::vec(0_u8..30, 0..4),
        ) {
            let mut set = ReadSet::default();
            for &(start, end) in &ranges {
                set.add_range(range(start, end));
            }
            for &key in &keys {
                set.add_key(&[key]);
            }
            for probe in 0..31_u8 {
                let expected = keys.contains(&probe)
                    || ranges.iter().any(|&(start, end)| (start..end).contains(&probe));
                prop_assert_eq!(set.meets(&[probe]), expected);
            }
            let ends: Vec<_> = set.ranges.iter().collect();
            for pair in ends.windows(2) {
                prop_assert!(pair[0].1 < pair[1].0, "ranges overlap or touch");
            }
        }
    }

    #[test]
    fn only_commits_after_the_version_count() {
        let mut history = History::starting_at(5);
        history.enter(5);
        let mut reads = ReadSet::default();
        reads.add_range(range(10, 20));
        history.push(6, vec![Bytes::from_static(&[9])]);
        assert!(history.validate(&reads, 5).is_ok());
        history.push(7, vec![Bytes::from_static(&[10])]);
        assert!(history.validate(&reads, 5).is_err());
        assert!(history.validate(&reads, 7).is_ok());
        assert!(history.validate(&ReadSet::default(), 5).is_ok());
    }

    #[test]
    fn a_transaction_older_than_the_history_conflicts() {
        let mut history = History::starting_at(0);
        let mut reads = ReadSet::default();
        reads.add_key(&[1]);
        history.enter(0);
        history.push(1, vec![Bytes::from_static(&[2])]);
        assert!(history.validate(&reads, 0).is_ok());
        history.push(2, vec![Bytes::from_static(&[3]); COMMIT_HISTORY_KEYS_MAX]);
        assert!(matches!(
            history.validate(&reads, 0),
            Err(StorageError::Conflict)
        ));
    }

    #[test]
    fn nothing_is_kept_that_no_transaction_needs() {
        let mut history = History::starting_at(0);
        history.enter(0);
        history.push(1, vec![Bytes::from_static(&[1])]);
        history.enter(1);
        history.leave(0);
        assert!(history.commits.is_empty());
        history.push(2, vec![Bytes::from_static(&[1])]);
        assert_eq!(history.commits.len(), 1);
        history.leave(1);
        assert_eq!((history.commits.len(), history.keys), (0, 0));
    }
}
