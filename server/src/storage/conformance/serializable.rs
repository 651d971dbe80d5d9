//! Concurrent random transactions, checked against the order in which they say they committed.
//!
//! Each transaction writes down what it did and saw. Replayed one after the other in the order of
//! their commit versions, on a plain map, every one must have seen exactly what it did.

use std::{collections::BTreeMap, thread};

use bytes::Bytes;

use super::{Direction, KeyRange, Place, StorageError, Store, key, keys_from};

const THREADS: u64 = 4;
const TRANSACTIONS: usize = 60;
const KEYS: u32 = 12;

#[derive(Debug)]
enum Step {
    Got(u32, Option<Bytes>),
    Scanned(KeyRange, Direction, usize, Vec<(Bytes, Bytes)>),
    Put(u32, Vec<u8>),
    Deleted(u32),
    Marked,
    RolledBack,
}

#[derive(Debug)]
struct Committed {
    version: u64,
    wrote: bool,
    steps: Vec<Step>,
}

/// One attempt; `None` when it lost a conflict.
fn attempt(store: &dyn Store, random: &mut fastrand::Rng) -> Option<Committed> {
    let lost = |error: StorageError| match error {
        StorageError::Conflict => None::<Committed>,
        other => panic!("{other}"),
    };
    let mut transaction = store.begin().unwrap();
    let mut steps = Vec::new();
    let mut mark = None;
    let mut wrote = false;
    for _ in 0..random.usize(1..8) {
        let n = random.u32(0..KEYS);
        match random.u8(0..10) {
            0..=2 => match transaction.get(&key(n)) {
                Ok(value) => steps.push(Step::Got(n, value)),
                Err(error) => return lost(error),
            },
            3..=4 => {
                let range = keys_from(n, random.u32(0..=KEYS));
                let limit = random.usize(1..6);
                let direction = if random.bool() {
                    Direction::Forward
                } else {
                    Direction::Backward
                };
                match transaction.scan(&range, direction, limit) {
                    Ok(found) => steps.push(Step::Scanned(range, direction, limit, found)),
                    Err(error) => return lost(error),
                }
            }
            5..=6 => {
                let value = random.u64(..).to_be_bytes().to_vec();
                transaction.put(key(n), value.clone());
                steps.push(Step::Put(n, value));
                wrote = true;
            }
            7 => {
                transaction.delete(key(n));
                steps.push(Step::Deleted(n));
                wrote = true;
            }
            8 => {
                mark = Some((transaction.savepoint(), wrote));
                steps.push(Step::Marked);
            }
            _ => {
                if let Some((savepoint, wrote_before)) = mark {
                    transaction.rollback_to(savepoint);
                    wrote = wrote_before;
                    steps.push(Step::RolledBack);
                }
            }
        }
    }
    match transaction.commit(None) {
        Ok(version) => Some(Committed {
            version: version.0,
            wrote,
            steps,
        }),
        Err(error) => lost(error),
    }
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Does the steps on a map and compares what they saw.
fn replay(model: &Model, committed: &Committed, seed: u64) -> Model {
    let mut state = model.clone();
    let mut mark = state.clone();
    for step in &committed.steps {
        match step {
            Step::Got(n, value) => {
                let expected = state.get(&key(*n));
                assert_eq!(
                    value.as_deref(),
                    expected.map(Vec::as_slice),
                    "seed {seed}, {committed:?}"
                );
            }
            Step::Scanned(range, direction, limit, found) => {
                let expected = super::expected(&state, range, *direction, *limit);
                assert_eq!(*found, expected, "seed {seed}, {committed:?}");
            }
            Step::Put(n, value) => {
                state.insert(key(*n), value.clone());
            }
            Step::Deleted(n) => {
                state.remove(&key(*n));
            }
            Step::Marked => mark = state.clone(),
            Step::RolledBack => state = mark.clone(),
        }
    }
    state
}

pub(super) fn histories_are_serializable(place: Place<'_>) {
    let seed = fastrand::u64(..);
    let store = place();
    let mut history: Vec<Committed> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let store = &store;
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed ^ thread);
                    let mut done = Vec::new();
                    while done.len() < TRANSACTIONS {
                        done.extend(attempt(store, &mut random));
                    }
                    done
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    // One that wrote comes before those that read the state it left.
    history.sort_by_key(|committed| (committed.version, !committed.wrote));
    let mut model = Model::new();
    for committed in &history {
        let after = replay(&model, committed, seed);
        if committed.wrote {
            model = after;
        }
    }
    let left = store
        .read()
        .unwrap()
        .scan(&keys_from(0, KEYS), Direction::Forward, usize::MAX)
        .unwrap();
    let expected = super::expected(&model, &keys_from(0, KEYS), Direction::Forward, usize::MAX);
    assert_eq!(left, expected, "seed {seed}");
}
