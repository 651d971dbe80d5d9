//! Killed at any moment, the store keeps every commit it acknowledged, and no half of any other
//! (TX-2, invariant 4).
//!
//! The test runs itself as a child that commits from several threads and prints what was
//! acknowledged; the parent kills it at a random moment, opens the store and compares.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use orgservice_server::{
    model::Value,
    storage::{
        Direction, EmbeddedStore, Store,
        engine::{SledEngine, SledOptions},
        index::{IndexDescription, TableKeys, entries, record_changes},
        keys,
        record::{Record, StoredOwner},
    },
};
use uuid::Uuid;

const ROUNDS: u32 = 200;
/// Rounds after which the store starts from nothing again, so that files grow in some of them.
const ROUNDS_OF_ONE_STORE: u32 = 20;
const LONGEST_ROUND: Duration = Duration::from_millis(120);
const WRITERS: u64 = 4;
/// Slots of each writer; every commit of a writer replaces one record in each slot group.
const SLOTS: u64 = 16;
const RECORDS_PER_COMMIT: u64 = 3;

const FOLDER_VARIABLE: &str = "ORGSERVICE_CRASH_FOLDER";
const OTC: u32 = 10_000;

/// Columns: the number of the commit, its text, and now and then something larger than a chunk.
const COMMIT: u16 = 1;
const TEXT: u16 = 2;
const IMAGE: u16 = 3;

fn indexes() -> [IndexDescription; 2] {
    let index = |number, columns: &[u16], unique| IndexDescription {
        number,
        columns: columns.to_vec(),
        unique,
    };
    [index(1, &[COMMIT], false), index(2, &[TEXT, COMMIT], false)]
}

fn table(indexes: &[IndexDescription]) -> TableKeys<'_> {
    TableKeys {
        otc: OTC,
        owned: true,
        has_business_unit: true,
        indexes,
    }
}

fn open(folder: &Path) -> EmbeddedStore {
    let engine = SledEngine::open(&SledOptions {
        directory: folder.to_owned(),
        cache_bytes: 16 * 1024 * 1024,
    });
    EmbeddedStore::open(Box::new(engine.unwrap())).unwrap()
}

fn record_id(writer: u64, slot: u64, part: u64) -> Uuid {
    Uuid::from_u64_pair(writer, slot * RECORDS_PER_COMMIT + part)
}

/// What a writer's commit leaves in each of its records.
fn content(commit: i64, row_version: u64) -> Record {
    let mut record: Record = [
        (COMMIT, Value::BigInt(commit)),
        (TEXT, Value::from(format!("commit {commit}"))),
    ]
    .into_iter()
    .collect();
    if commit % 40 == 0 {
        record.set(IMAGE, Value::Bytes(vec![commit as u8; 70_000].into()));
    }
    record.row_version = row_version;
    record.owner = Some(StoredOwner::User(Uuid::from_u128(commit as u128 % 7)));
    record.business_unit = Some(Uuid::from_u128(commit as u128 % 3));
    record
}

/// Replaces the records of one slot, with all their index entries.
fn commit(store: &dyn Store, writer: u64, slot: u64, number: i64) {
    let indexes = indexes();
    let mut transaction = store.begin().unwrap();
    for part in 0..RECORDS_PER_COMMIT {
        let id = record_id(writer, slot, part);
        let key = keys::record(OTC, id);
        let before = transaction
            .get(&key)
            .unwrap()
            .map(|value| Record::decode(&key, &value).unwrap());
        let after = content(number, store.next_row_version());
        transaction.put(key, after.encode().unwrap());
        for change in record_changes(&table(&indexes), id, before.as_ref(), Some(&after)) {
            change.apply(&mut *transaction);
        }
    }
    transaction.commit(None).unwrap();
}

/// Runs in a process of its own, started by the test below; without its variable it does nothing.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER_VARIABLE) else {
        return;
    };
    let store = open(Path::new(&folder));
    // Commits of earlier rounds are smaller: numbers come from the clock of the row versions.
    let first = i64::try_from(store.next_row_version()).unwrap();
    println!("\nopened");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                for number in first.. {
                    let slot = number as u64 % SLOTS;
                    commit(store, writer, slot, number);
                    // One write, so that a line is never half there. Not by println, which the
                    // test harness would keep to itself.
                    let line = format!("ack {writer} {slot} {number}\n");
                    if std::io::stdout().write_all(line.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

/// The last number acknowledged for each writer and slot.
type Acknowledged = HashMap<(u64, u64), i64>;

/// From when on the time to the kill is counted.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Moment {
    /// From the start: the kill meets the opening, which writes as well.
    WhileOpening,
    /// From when the store is open.
    WhileCommitting,
}

fn run_and_kill(
    folder: &Path,
    moment: Moment,
    after: Duration,
    acknowledged: &mut Acknowledged,
) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER_VARIABLE, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut count = 0;
    let mut note = |line: String| {
        let words: Vec<_> = line.split(' ').collect();
        if let ["ack", writer, slot, number] = words.as_slice() {
            let slot = (writer.parse().unwrap(), slot.parse().unwrap());
            acknowledged.insert(slot, number.parse().unwrap());
            count += 1;
        }
        line
    };
    if moment == Moment::WhileCommitting {
        while let Ok(line) = lines.recv() {
            if note(line) == "opened" {
                break;
            }
        }
    }
    let end = Instant::now() + after;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => drop(note(line)),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => {
                let mut said = String::new();
                std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said)
                    .unwrap();
                panic!("the child ended by itself: {said}");
            }
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    lines.into_iter().for_each(|line| drop(note(line)));
    count
}

/// Opens what the killed process left, and returns the number each slot now has.
fn verify(folder: &Path, acknowledged: &Acknowledged, round: u32) -> Acknowledged {
    let store = open(folder);
    let view = store.read().unwrap();
    let mut found = Acknowledged::new();
    let indexes = indexes();
    let mut rebuilt = BTreeMap::new();
    for writer in 0..WRITERS {
        for slot in 0..SLOTS {
            let numbers: BTreeSet<Option<i64>> = (0..RECORDS_PER_COMMIT)
                .map(|part| {
                    let id = record_id(writer, slot, part);
                    let key = keys::record(OTC, id);
                    let record = Record::decode(&key, &view.get(&key).unwrap()?).unwrap();
                    let Some(Value::BigInt(number)) = record.get(COMMIT) else {
                        panic!("round {round}: a record without its commit");
                    };
                    assert_eq!(
                        record,
                        content(*number, record.row_version),
                        "round {round}"
                    );
                    assert!(record.row_version < store.next_row_version());
                    rebuilt.extend(entries(&table(&indexes), id, &record));
                    Some(*number)
                })
                .collect();
            assert_eq!(
                numbers.len(),
                1,
                "round {round}: writer {writer}, slot {slot} holds parts of commits {numbers:?}"
            );
            let number = numbers.into_iter().next().flatten();
            let promised = acknowledged.get(&(writer, slot)).copied();
            assert!(
                number >= promised,
                "round {round}: writer {writer}, slot {slot} holds {number:?}, but {promised:?} \
                 was acknowledged"
            );
            found.extend(number.map(|number| ((writer, slot), number)));
        }
    }
    let mut stored = BTreeMap::new();
    for space in [
        keys::BY_OWNER,
        keys::BY_BUSINESS_UNIT,
        keys::INDEX,
        keys::UNIQUE,
    ] {
        let range = keys::prefix_range(vec![space]);
        let pairs = view.scan(&range, Direction::Forward, usize::MAX).unwrap();
        stored.extend(pairs.into_iter().map(|(k, v)| (Vec::from(k), Vec::from(v))));
    }
    assert!(
        stored == rebuilt,
        "round {round}: the indexes are not those of the records"
    );
    found
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn tx_2_nothing_acknowledged_is_lost_and_nothing_is_torn_by_a_kill() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut commits = 0;
    for first in (0..ROUNDS).step_by(ROUNDS_OF_ONE_STORE as usize) {
        let folder = std::env::temp_dir().join(format!("orgservice-crash-{}", Uuid::new_v4()));
        let folder = Folder(folder);
        let mut acknowledged = Acknowledged::new();
        for round in first..first + ROUNDS_OF_ONE_STORE {
            let after = LONGEST_ROUND.mul_f64(random.f64());
            let moment = match random.u8(0..5) {
                0 => Moment::WhileOpening,
                _ => Moment::WhileCommitting,
            };
            commits += run_and_kill(&folder.0, moment, after, &mut acknowledged);
            acknowledged = verify(&folder.0, &acknowledged, round);
        }
    }
    println!("{commits} commits acknowledged in {ROUNDS} rounds");
    assert!(
        commits > ROUNDS as usize,
        "only {commits} commits were made: nothing was tested"
    );
}
