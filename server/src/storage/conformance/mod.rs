//! The suite that every engine passes under the store: ordering, isolation, conflicts, savepoints,
//! chunks, reopening. It knows a [`Place`], somewhere a store can be opened again and again; a new
//! engine adds a line to [`engines!`] and is held to all of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod faults;
mod serializable;
mod sled;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use bytes::Bytes;

use super::{
    CommitVersion, Direction, EmbeddedStore, KeyRange, ReadView, StorageError, Store, Transaction,
    engine::{Engine, FaultyEngine, MemoryEngine, SledEngine, SledOptions},
    keys,
};
use crate::limits::{STORED_CHUNK_BYTES_MAX, STORED_KEY_BYTES_MAX, TRANSACTION_BYTES_MAX};

/// Somewhere a store can be opened, closed and opened again.
type Place<'a> = &'a dyn Fn() -> EmbeddedStore;

/// A folder that goes with the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        Folder(std::env::temp_dir().join(format!("orgservice-{}", uuid::Uuid::new_v4())))
    }

    pub(super) fn engine(&self) -> Result<SledEngine, StorageError> {
        SledEngine::open(&SledOptions {
            directory: self.0.clone(),
            cache_bytes: 16 * 1024 * 1024,
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(engine: impl Engine + 'static) -> EmbeddedStore {
    EmbeddedStore::open(Box::new(engine)).unwrap()
}

fn in_memory(check: fn(Place<'_>)) {
    let engine = Arc::new(MemoryEngine::default());
    check(&|| open(Arc::clone(&engine)));
}

fn in_sled(check: fn(Place<'_>)) {
    let folder = Folder::new();
    check(&|| open(folder.engine().unwrap()));
}

fn in_memory_behind_faulty(check: fn(Place<'_>)) {
    let engine = Arc::new(MemoryEngine::default());
    check(&|| open(FaultyEngine::new(Arc::clone(&engine))));
}

fn in_sled_behind_faulty(check: fn(Place<'_>)) {
    let folder = Folder::new();
    check(&|| open(FaultyEngine::new(folder.engine().unwrap())));
}

macro_rules! engines {
    ($($engine:ident),*) => { $(engines!(@suite $engine
        a_transaction_sees_its_writes_and_nobody_else_does,
        versions_grow_with_commits,
        scans_agree_with_a_sorted_map,
        a_savepoint_undoes_exactly_what_came_after_it,
        a_lost_update_is_a_conflict,
        what_appears_in_a_range_that_was_read_is_a_conflict,
        a_scan_cut_by_its_limit_read_no_further,
        writes_without_reads_never_conflict,
        a_transaction_sees_one_snapshot_or_a_conflict,
        bounds_are_named_when_met,
        large_values_come_back_whole,
        what_was_committed_is_there_after_reopening,
        row_versions_are_never_handed_out_again,
        no_page_shows_part_of_a_commit,
        a_hook_runs_in_the_instant_of_the_commit,
        who_submits_is_told_without_waiting,
        closing_commits_what_waits,
        the_content_hash_tells_every_write
    );)* };
    (@suite $engine:ident $($check:ident),*) => {
        mod $engine {
            $(#[test] fn $check() { super::$engine(super::$check); })*
            #[test] fn histories_are_serializable() {
                super::$engine(super::serializable::histories_are_serializable);
            }
        }
    };
}

engines!(
    in_memory,
    in_sled,
    in_memory_behind_faulty,
    in_sled_behind_faulty
);

/// A key of the records' keyspace.
fn key(n: u32) -> Vec<u8> {
    [&[keys::RECORD][..], &n.to_be_bytes()].concat()
}

fn keys_from(start: u32, end: u32) -> KeyRange {
    KeyRange {
        start: key(start),
        end: key(end),
    }
}

fn put(store: &EmbeddedStore, pairs: &[(u32, &[u8])]) -> CommitVersion {
    let mut transaction = store.begin().unwrap();
    for (n, value) in pairs {
        transaction.put(key(*n), value.to_vec());
    }
    transaction.commit(None).unwrap()
}

fn get(store: &EmbeddedStore, n: u32) -> Option<Vec<u8>> {
    let value = store.read().unwrap().get(&key(n)).unwrap();
    value.map(Vec::from)
}

fn is_conflict<T>(result: &Result<T, StorageError>) -> bool {
    matches!(result, Err(StorageError::Conflict))
}

fn a_transaction_sees_its_writes_and_nobody_else_does(place: Place<'_>) {
    let store = place();
    put(&store, &[(1, b"old"), (2, b"gone")]);
    let mut transaction = store.begin().unwrap();
    transaction.put(key(1), b"new".to_vec());
    transaction.delete(key(2));
    transaction.delete(key(99));
    assert_eq!(
        transaction.get(&key(1)).unwrap().as_deref(),
        Some(&b"new"[..])
    );
    assert_eq!(transaction.get(&key(2)).unwrap(), None);
    assert_eq!(get(&store, 1).as_deref(), Some(&b"old"[..]));
    drop(transaction);
    assert_eq!(
        get(&store, 2).as_deref(),
        Some(&b"gone"[..]),
        "dropped without commit"
    );

    let mut transaction = store.begin().unwrap();
    transaction.delete(key(2));
    transaction.commit(None).unwrap();
    let view = store.read().unwrap();
    let found = view.get_many(&[key(2), key(1), key(3)]).unwrap();
    assert_eq!(found, [None, Some("old".into()), None]);
}

fn versions_grow_with_commits(place: Place<'_>) {
    let store = place();
    assert_eq!(store.version(), CommitVersion(0));
    let first = put(&store, &[(1, b"a")]);
    let second = put(&store, &[(1, b"b")]);
    assert!(CommitVersion(0) < first && first < second);
    let read_only = store.begin().unwrap();
    read_only.get(&key(1)).unwrap();
    assert_eq!(read_only.commit(None).unwrap(), second);
    assert_eq!(store.version(), second, "reading commits nothing");
}

/// Random contents, overlays, ranges, directions and limits, against a map.
fn scans_agree_with_a_sorted_map(place: Place<'_>) {
    let store = place();
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for _ in 0..60 {
        let mut transaction = store.begin().unwrap();
        let mut overlay = model.clone();
        for _ in 0..random.usize(0..12) {
            let (n, value) = (random.u32(0..40), vec![random.u8(..)]);
            if random.bool() {
                overlay.insert(key(n), value.clone());
                transaction.put(key(n), value);
            } else {
                overlay.remove(&key(n));
                transaction.delete(key(n));
            }
            let range = keys_from(random.u32(0..42), random.u32(0..42));
            let limit = random.usize(0..8);
            for direction in [Direction::Forward, Direction::Backward] {
                let found = transaction.scan(&range, direction, limit).unwrap();
                assert_eq!(
                    found,
                    expected(&overlay, &range, direction, limit),
                    "seed {seed}, {range:?} {direction:?} {limit}"
                );
            }
        }
        if random.bool() {
            transaction.commit(None).unwrap();
            model = overlay;
        }
        let range = keys_from(random.u32(0..42), random.u32(0..42));
        let view = store.read().unwrap();
        for direction in [Direction::Forward, Direction::Backward] {
            let found = view.scan(&range, direction, 5).unwrap();
            assert_eq!(found, expected(&model, &range, direction, 5), "seed {seed}");
        }
    }
}

fn expected(
    model: &BTreeMap<Vec<u8>, Vec<u8>>,
    range: &KeyRange,
    direction: Direction,
    limit: usize,
) -> Vec<(Bytes, Bytes)> {
    let mut pairs: Vec<_> = model
        .iter()
        .filter(|(key, _)| range.contains(key))
        .map(|(key, value)| (key.clone().into(), value.clone().into()))
        .collect();
    if direction == Direction::Backward {
        pairs.reverse();
    }
    pairs.truncate(limit);
    pairs
}

fn a_savepoint_undoes_exactly_what_came_after_it(place: Place<'_>) {
    let store = place();
    put(&store, &[(1, b"stored"), (2, b"stored")]);
    let mut transaction = store.begin().unwrap();
    transaction.put(key(1), b"first".to_vec());
    let outer = transaction.savepoint();
    transaction.put(key(1), b"second".to_vec());
    transaction.delete(key(2));
    let inner = transaction.savepoint();
    transaction.put(key(3), b"third".to_vec());
    transaction.rollback_to(inner);
    assert_eq!(transaction.get(&key(3)).unwrap(), None);
    assert_eq!(transaction.get(&key(2)).unwrap(), None);
    transaction.rollback_to(outer);
    let all = transaction
        .scan(&keys_from(0, 9), Direction::Forward, 9)
        .unwrap();
    assert_eq!(
        all,
        [
            (key(1).into(), "first".into()),
            (key(2).into(), "stored".into())
        ]
    );
    transaction.put(key(4), b"fourth".to_vec());
    transaction.commit(None).unwrap();
    assert_eq!(get(&store, 1).as_deref(), Some(&b"first"[..]));
    assert_eq!(get(&store, 2).as_deref(), Some(&b"stored"[..]));
    assert_eq!(get(&store, 3), None);
    assert_eq!(get(&store, 4).as_deref(), Some(&b"fourth"[..]));

    // What was read before the rollback still counts.
    let mut transaction = store.begin().unwrap();
    let mark = transaction.savepoint();
    transaction.get(&key(1)).unwrap();
    transaction.rollback_to(mark);
    transaction.put(key(5), b"decided by the read".to_vec());
    put(&store, &[(1, b"changed")]);
    assert!(is_conflict(&transaction.commit(None)));
}

fn a_lost_update_is_a_conflict(place: Place<'_>) {
    let store = place();
    put(&store, &[(1, b"0")]);
    for absent_or_present in [1, 2] {
        let mut one = store.begin().unwrap();
        let mut other = store.begin().unwrap();
        for transaction in [&mut one, &mut other] {
            transaction.get(&key(absent_or_present)).unwrap();
            transaction.put(key(absent_or_present), b"1".to_vec());
        }
        one.commit(None).unwrap();
        assert!(is_conflict(&other.commit(None)));
    }
}

fn what_appears_in_a_range_that_was_read_is_a_conflict(place: Place<'_>) {
    let store = place();
    put(&store, &[(10, b"a"), (20, b"b")]);
    for direction in [Direction::Forward, Direction::Backward] {
        for (n, conflicts) in [(10, true), (15, true), (29, true), (9, false), (30, false)] {
            let mut transaction = store.begin().unwrap();
            transaction.scan(&keys_from(10, 30), direction, 99).unwrap();
            transaction.put(key(1_000), b"sum".to_vec());
            put(&store, &[(n, b"phantom")]);
            let result = transaction.commit(None);
            assert_eq!(is_conflict(&result), conflicts, "key {n}: {result:?}");
            let mut clean = store.begin().unwrap();
            clean.delete(key(n));
            clean.put(key(10), b"a".to_vec());
            clean.commit(None).unwrap();
        }
    }
    // An empty range read is a fact as well.
    let mut transaction = store.begin().unwrap();
    let found = transaction.scan(&keys_from(50, 60), Direction::Forward, 1);
    assert_eq!(found.unwrap(), []);
    transaction.put(key(51), b"first".to_vec());
    put(&store, &[(55, b"phantom")]);
    assert!(is_conflict(&transaction.commit(None)));
}

fn a_scan_cut_by_its_limit_read_no_further(place: Place<'_>) {
    let store = place();
    put(&store, &[(10, b""), (20, b""), (30, b"")]);
    for (direction, n, conflicts) in [
        (Direction::Forward, 20, true),
        (Direction::Forward, 21, false),
        (Direction::Forward, 5, true),
        (Direction::Backward, 20, true),
        (Direction::Backward, 19, false),
        (Direction::Backward, 35, true),
    ] {
        let mut transaction = store.begin().unwrap();
        transaction.scan(&keys_from(0, 40), direction, 2).unwrap();
        transaction.put(key(1_000), Vec::new());
        put(&store, &[(n, b"changed")]);
        let result = transaction.commit(None);
        assert_eq!(is_conflict(&result), conflicts, "{direction:?} {n}");
        if ![10, 20, 30].contains(&n) {
            let mut clean = store.begin().unwrap();
            clean.delete(key(n));
            clean.commit(None).unwrap();
        }
    }
}

fn writes_without_reads_never_conflict(place: Place<'_>) {
    let store = place();
    let mut one = store.begin().unwrap();
    let mut other = store.begin().unwrap();
    one.put(key(1), b"one".to_vec());
    other.put(key(1), b"other".to_vec());
    other.get(&key(1)).unwrap();
    one.commit(None).unwrap();
    other.commit(None).unwrap();
    assert_eq!(get(&store, 1).as_deref(), Some(&b"other"[..]));
}

fn a_transaction_sees_one_snapshot_or_a_conflict(place: Place<'_>) {
    let store = place();
    put(&store, &[(1, b"a"), (2, b"a")]);
    // Nothing that was read has changed: the later commit is seen as if it had come first.
    let moved = store.begin().unwrap();
    moved.get(&key(9)).unwrap();
    put(&store, &[(1, b"b"), (2, b"b")]);
    assert_eq!(moved.get(&key(1)).unwrap(), Some("b".into()));
    assert_eq!(moved.get(&key(2)).unwrap(), Some("b".into()));
    assert_eq!(moved.commit(None).unwrap(), store.version());
    // Something has: the next read says so, before anything is concluded from half a change.
    let torn = store.begin().unwrap();
    torn.get(&key(1)).unwrap();
    put(&store, &[(1, b"c"), (2, b"c")]);
    assert!(is_conflict(&torn.get(&key(2))));
    assert!(is_conflict(&torn.scan(
        &keys_from(0, 9),
        Direction::Forward,
        9
    )));
}

fn bounds_are_named_when_met(place: Place<'_>) {
    let store = place();
    let commit_of = |key: Vec<u8>, value: Vec<u8>| {
        let mut transaction = store.begin().unwrap();
        transaction.put(key, value);
        transaction.commit(None)
    };
    let hash = store.content_hash().unwrap();
    let long_key = commit_of(vec![1; STORED_KEY_BYTES_MAX + 1], Vec::new());
    assert_eq!(
        long_key.unwrap_err().to_string(),
        "the transaction exceeds stored_key_bytes_max = 1900"
    );
    let large = commit_of(key(1), vec![0; TRANSACTION_BYTES_MAX]);
    assert!(matches!(
        large,
        Err(StorageError::TooLarge {
            limit: "transaction_bytes_max",
            ..
        })
    ));
    for foreign in [Vec::new(), vec![keys::RESERVED], vec![0xff]] {
        let refused = commit_of(foreign, Vec::new());
        assert!(matches!(refused, Err(StorageError::NotStorable(_))));
    }
    assert_eq!(store.content_hash().unwrap(), hash);
    commit_of(vec![1; STORED_KEY_BYTES_MAX], Vec::new()).unwrap();
}

fn large_values_come_back_whole(place: Place<'_>) {
    const CHUNK: usize = STORED_CHUNK_BYTES_MAX;
    const SIZES: [usize; 12] = [
        0,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        2 * CHUNK - 1,
        2 * CHUNK,
        2 * CHUNK + 1,
        64 * 1024 - 1,
        64 * 1024,
        64 * 1024 + 1,
        1,
        1024 * 1024 + 3,
    ];
    let value = |seed: u32, size: usize| -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(u64::from(seed));
        (0..size).map(|_| random.u8(..)).collect()
    };
    let mut store = place();
    let mut model = BTreeMap::new();
    // Each key grows and shrinks through all sizes.
    for round in 0..SIZES.len() as u32 {
        for n in 0..3 {
            let size = SIZES[(round + n * 5) as usize % SIZES.len()];
            let content = value(round, size);
            put(&store, &[(n, &content)]);
            model.insert(key(n), content);
        }
        if round % 4 == 3 {
            drop(store);
            store = place();
        }
        let all = store
            .read()
            .unwrap()
            .scan(&keys::everything(), Direction::Backward, usize::MAX);
        let records: Vec<_> = all
            .unwrap()
            .into_iter()
            .filter(|(key, _)| key[0] == keys::RECORD)
            .collect();
        let expected = expected(&model, &keys_from(0, 9), Direction::Backward, 9);
        assert!(records == expected, "round {round} differs");
    }
}

fn what_was_committed_is_there_after_reopening(place: Place<'_>) {
    let store = place();
    let id = store.store_id();
    put(&store, &[(1, b"one"), (2, b"two")]);
    let version = put(&store, &[(3, b"three")]);
    let hash = store.content_hash().unwrap();
    let mut unfinished = store.begin().unwrap();
    unfinished.put(key(4), b"four".to_vec());
    drop(unfinished);
    drop(store);
    for _ in 0..3 {
        let store = place();
        assert_eq!(store.store_id(), id);
        assert_eq!(store.version(), version);
        assert_eq!(store.content_hash().unwrap(), hash);
        assert_eq!(get(&store, 3).as_deref(), Some(&b"three"[..]));
    }
    let store = place();
    assert!(put(&store, &[(4, b"four")]) > version);
}

fn row_versions_are_never_handed_out_again(place: Place<'_>) {
    let mut committed = 0;
    for _ in 0..3 {
        let store = place();
        for _ in 0..5 {
            let version = store.next_row_version();
            assert!(version > committed, "{version} after {committed}");
            put(&store, &[(1, &version.to_be_bytes())]);
            committed = version;
        }
        store.next_row_version();
    }
}

/// A writer replaces all keys in each commit; every page and every transaction sees one value only.
fn no_page_shows_part_of_a_commit(place: Place<'_>) {
    const KEYS: u32 = 100;
    const COMMITS: u32 = 60;
    let store = place();
    let replace = |stamp: u32| {
        let pairs: Vec<_> = (0..KEYS).map(|n| (n, stamp.to_be_bytes())).collect();
        let pairs: Vec<_> = pairs.iter().map(|(n, value)| (*n, &value[..])).collect();
        put(&store, &pairs);
    };
    replace(0);
    let written = AtomicU64::new(0);
    let one_value = |pairs: Vec<(Bytes, Bytes)>| {
        assert_eq!(pairs.len(), KEYS as usize);
        assert!(
            pairs.iter().all(|(_, value)| *value == pairs[0].1),
            "half of a commit"
        );
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            for stamp in 1..=COMMITS {
                replace(stamp);
                written.store(u64::from(stamp), Ordering::Release);
            }
        });
        scope.spawn(|| {
            while written.load(Ordering::Acquire) < u64::from(COMMITS) {
                let view = store.read().unwrap();
                one_value(
                    view.scan(&keys_from(0, KEYS), Direction::Forward, 1_000)
                        .unwrap(),
                );
            }
        });
        scope.spawn(|| {
            while written.load(Ordering::Acquire) < u64::from(COMMITS) {
                let transaction = store.begin().unwrap();
                let first = transaction.get(&key(0)).unwrap();
                let Ok(all) = transaction.scan(&keys_from(0, KEYS), Direction::Backward, 1_000)
                else {
                    continue;
                };
                assert_eq!(first.as_ref(), Some(&all[0].1));
                one_value(all);
            }
        });
    });
}

fn a_hook_runs_in_the_instant_of_the_commit(place: Place<'_>) {
    let store = place();
    put(&store, &[(1, &0_u64.to_be_bytes())]);
    let snapshot = Arc::new(AtomicU64::new(0));
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1..=100_u64 {
                let mut transaction = store.begin().unwrap();
                transaction.put(key(1), n.to_be_bytes().to_vec());
                let swapped = Arc::clone(&snapshot);
                let hook = move |_| swapped.store(n, Ordering::Release);
                let version = transaction.commit(Some(Box::new(hook))).unwrap();
                assert_eq!(version, store.version());
                assert_eq!(snapshot.load(Ordering::Acquire), n, "before the answer");
            }
            done.store(1, Ordering::Release);
        });
        scope.spawn(|| {
            while done.load(Ordering::Acquire) == 0 {
                let view = store.read().unwrap();
                let derived = snapshot.load(Ordering::Acquire);
                let data = view.get(&key(1)).unwrap().unwrap();
                assert_eq!(data.as_ref(), derived.to_be_bytes(), "from two commits");
            }
        });
    });
    // A hook alone is a commit; one of a refused transaction never runs.
    let before = store.version();
    let transaction = store.begin().unwrap();
    let version = transaction.commit(Some(Box::new(|_| ()))).unwrap();
    assert!(version > before);
    let mut refused = store.begin().unwrap();
    refused.get(&key(1)).unwrap();
    refused.put(key(2), Vec::new());
    put(&store, &[(1, b"changed")]);
    let swapped = Arc::clone(&snapshot);
    let hook = move |_| swapped.store(u64::MAX, Ordering::Release);
    assert!(is_conflict(&refused.commit(Some(Box::new(hook)))));
    assert_eq!(snapshot.load(Ordering::Acquire), 100);
}

fn who_submits_is_told_without_waiting(place: Place<'_>) {
    let store = place();
    put(&store, &[(1, b"one")]);
    let (told, outcomes) = std::sync::mpsc::channel();
    let submit = |transaction: Box<dyn Transaction + '_>, name: &'static str| {
        let told = told.clone();
        let answer = move |outcome| told.send((name, outcome)).unwrap();
        transaction.submit(None, Box::new(answer));
    };
    let mut overtaken = store.begin().unwrap();
    overtaken.get(&key(1)).unwrap();
    overtaken.put(key(2), b"two".to_vec());
    let mut first = store.begin().unwrap();
    first.put(key(1), b"changed".to_vec());
    submit(first, "first");
    let (name, outcome) = outcomes.recv().unwrap();
    assert_eq!((name, outcome.unwrap()), ("first", store.version()));
    submit(overtaken, "overtaken");
    let (name, outcome) = outcomes.recv().unwrap();
    assert_eq!(name, "overtaken");
    assert!(is_conflict(&outcome));

    // What cannot be committed, or need not be, is answered right here.
    submit(store.begin().unwrap(), "empty");
    assert!(outcomes.try_recv().unwrap().1.is_ok());
    let mut foreign = store.begin().unwrap();
    foreign.put(vec![keys::RESERVED], Vec::new());
    submit(foreign, "foreign");
    assert!(outcomes.try_recv().unwrap().1.is_err());

    // Nobody has to stay for the answer.
    let mut left = store.begin().unwrap();
    left.put(key(3), b"three".to_vec());
    submit(left, "left");
    drop(store);
    assert!(outcomes.try_recv().unwrap().1.is_ok());
    let all = place().read().unwrap().get(&key(3)).unwrap();
    assert_eq!(all.as_deref(), Some(&b"three"[..]));
}

fn closing_commits_what_waits(place: Place<'_>) {
    let store = place();
    thread::scope(|scope| {
        for n in 0..16 {
            let store = &store;
            scope.spawn(move || put(store, &[(n, b"waits")]));
        }
    });
    drop(store);
    let store = place();
    assert!((0..16).all(|n| get(&store, n).is_some()));
}

fn the_content_hash_tells_every_write(place: Place<'_>) {
    let store = place();
    let mut seen = vec![store.content_hash().unwrap()];
    put(&store, &[(1, b"a")]);
    seen.push(store.content_hash().unwrap());
    put(&store, &[(1, b"b")]);
    seen.push(store.content_hash().unwrap());
    put(&store, &[(2, b"")]);
    seen.push(store.content_hash().unwrap());
    let different: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(different.len(), seen.len());
    let mut back = store.begin().unwrap();
    back.delete(key(2));
    back.put(key(1), b"a".to_vec());
    back.commit(None).unwrap();
    store.next_row_version();
    assert_eq!(store.content_hash().unwrap(), seen[1]);
}
