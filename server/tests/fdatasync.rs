//! Acknowledged means on the disk, not in a cache of the operating system (TX-2).
//!
//! sled's own flush ends in `sync_file_range`, which a power cut does not respect; the engine adds
//! an `fdatasync` of sled's log through a handle of its own (docs/adr/0004). It leans on the name
//! of an internal file, so this test watches the system calls of a process that commits: between
//! the last write to the log and each acknowledgement stands a successful `fdatasync` of the log.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::{
    collections::HashMap,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use orgservice_server::storage::{
    EmbeddedStore, Store,
    engine::{SledEngine, SledOptions},
    keys,
};
use uuid::Uuid;

const FOLDER_VARIABLE: &str = "ORGSERVICE_FDATASYNC_FOLDER";
const COMMITS: u32 = 50;

/// Runs under strace, started by the test below; without its variable it does nothing.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER_VARIABLE) else {
        return;
    };
    let engine = SledEngine::open(&SledOptions {
        directory: PathBuf::from(folder),
        cache_bytes: 16 * 1024 * 1024,
    });
    let store = EmbeddedStore::open(Box::new(engine.unwrap())).unwrap();
    for number in 0..COMMITS {
        let mut transaction = store.begin().unwrap();
        for part in 0..3 {
            let key = keys::record(number, Uuid::from_u128(part));
            // Some of them in chunks.
            transaction.put(key, vec![1; 300 + 40_000 * (number as usize % 7 / 6)]);
        }
        transaction.commit(None).unwrap();
        let line = format!("acknowledged {number}\n");
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}

/// What one traced system call did that matters here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Event {
    LogWritten,
    LogSynced,
    Acknowledged(u32),
}

/// The events of a trace, in the order in which the calls had their effect for the process: a write
/// counts from its beginning, a sync from its successful end.
fn events(trace: &str, log: &Path) -> Vec<Event> {
    let log = format!("<{}>", log.display());
    let mut unfinished: HashMap<&str, &str> = HashMap::new();
    let mut events = Vec::new();
    for line in trace.lines() {
        let Some((process, call)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let call = call.trim_start();
        let begins = !call.starts_with("<...");
        if begins && call.ends_with("<unfinished ...>") {
            unfinished.insert(process, call);
        }
        let ends = !call.ends_with("<unfinished ...>");
        let whole = if begins {
            call
        } else {
            unfinished.remove(process).unwrap_or_default()
        };
        let name = whole.split('(').next().unwrap_or_default();
        let on_log = whole
            .split([',', ')'])
            .next()
            .is_some_and(|first| first.contains(&log));
        match name {
            "pwrite64" | "write" | "pwritev" | "writev" if on_log && begins => {
                events.push(Event::LogWritten);
            }
            "fdatasync" if on_log && ends && call.trim_end().ends_with("= 0") => {
                events.push(Event::LogSynced);
            }
            "write" if begins => {
                let number = whole
                    .split_once("\"acknowledged ")
                    .and_then(|(_, rest)| rest.split('\\').next()?.parse().ok());
                events.extend(number.map(Event::Acknowledged));
            }
            _ => {}
        }
    }
    events
}

/// Where the first acknowledgement stands that came too early.
fn check(events: &[Event]) -> Result<u32, String> {
    let (mut written, mut synced, mut acknowledged) = (false, false, 0);
    for event in events {
        match *event {
            Event::LogWritten => (written, synced) = (true, false),
            Event::LogSynced => synced = written,
            Event::Acknowledged(number) => {
                if !written {
                    return Err(format!("commit {number} was acknowledged but not written"));
                }
                if !synced {
                    return Err(format!("commit {number} was acknowledged before fdatasync"));
                }
                (written, synced) = (false, false);
                acknowledged += 1;
            }
        }
    }
    Ok(acknowledged)
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn tx_2_an_fdatasync_of_the_log_stands_before_every_acknowledgement() {
    let folder = std::env::temp_dir().join(format!("orgservice-fdatasync-{}", Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let folder = Folder(folder.canonicalize().unwrap());
    let store = folder.0.join("store");
    let trace = folder.0.join("trace");
    let output = Command::new("strace")
        .args(["-f", "-y", "-s", "64", "-o"])
        .arg(&trace)
        .args(["-e", "trace=fdatasync,write,pwrite64,writev,pwritev"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER_VARIABLE, &store)
        .output()
        .unwrap_or_else(|error| {
            panic!("this test needs strace, which tests/run installs: {error}")
        });
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let trace = std::fs::read_to_string(&trace).unwrap();
    let events = events(&trace, &store.join("db"));
    assert_eq!(check(&events), Ok(COMMITS));
}

/// The check itself: a trace without the engine's own sync, and one where it comes too early.
#[test]
fn an_early_acknowledgement_is_found() {
    let log = Path::new("/s/db");
    let of = |lines: &[&str]| check(&events(&lines.join("\n"), log));
    let write = "7 pwrite64(3</s/db>, \"..\", 9, 0) = 9";
    let sync = "7 fdatasync(4</s/db>) = 0";
    let failed = "7 fdatasync(4</s/db>) = -1 EIO (Input/output error)";
    let elsewhere = "7 fdatasync(4</s/conf>) = 0";
    let ack = "8 write(1<pipe:[1]>, \"acknowledged 0\\n\", 15) = 15";
    assert_eq!(of(&[write, sync, ack]), Ok(1));
    for early in [
        &[write, ack][..],
        &[sync, write, ack],
        &[write, failed, ack],
        &[write, elsewhere, ack],
        &[
            write,
            "7 fdatasync(4</s/db> <unfinished ...>",
            ack,
            "7 <... fdatasync resumed>) = 0",
        ],
    ] {
        assert!(of(early).is_err(), "{early:?}");
    }
    let resumed = [
        write,
        "7 fdatasync(4</s/db> <unfinished ...>",
        "7 <... fdatasync resumed>) = 0",
        ack,
    ];
    assert_eq!(of(&resumed), Ok(1));
}
