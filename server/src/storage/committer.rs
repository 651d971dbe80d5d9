//! Group commit: one thread takes what waits, validates each, applies all in one batch, syncs
//! once, and answers all (docs/adr/0004).

use std::{
    collections::{BTreeMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        atomic::Ordering,
        mpsc::{SyncSender, sync_channel},
    },
};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

use super::{
    CommitHook, CommitVersion, StorageError,
    embedded::{Shared, row_version_write},
    engine::WriteBatch,
    history::ReadSet,
};
use crate::limits::{GROUP_COMMIT_BYTES_MAX, GROUP_COMMIT_TRANSACTIONS_MAX};

type Answer = Result<CommitVersion, StorageError>;

/// A transaction that asks to be committed.
pub(super) struct Pending {
    pub(super) reads: ReadSet,
    pub(super) valid_as_of: u64,
    pub(super) writes: BTreeMap<Bytes, Option<Bytes>>,
    pub(super) bytes: usize,
    pub(super) hook: Option<CommitHook>,
}

/// Transactions that wait for the committer.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    arrived: Condvar,
}

#[derive(Default)]
struct QueueState {
    waiting: VecDeque<(Pending, SyncSender<Answer>)>,
    closed: bool,
}

impl Queue {
    /// Hands a transaction over and waits for the answer.
    pub(super) fn submit(&self, pending: Pending) -> Answer {
        let (answer, answered) = sync_channel(1);
        {
            let mut state = self.state.lock();
            if state.closed {
                return Err(StorageError::Unavailable("it is closing".into()));
            }
            state.waiting.push_back((pending, answer));
        }
        self.arrived.notify_one();
        answered.recv().unwrap_or_else(|_| {
            Err(StorageError::Unavailable(
                "the committer ended without an answer".into(),
            ))
        })
    }

    /// Takes no more; what waits is still committed.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.arrived.notify_all();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Waits for the next group; `None` when closed and empty.
    fn next_group(&self) -> Option<Vec<(Pending, SyncSender<Answer>)>> {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            self.arrived.wait(&mut state);
        }
        let mut group = Vec::new();
        let mut bytes = 0;
        while let Some((next, _)) = state.waiting.front() {
            bytes += next.bytes;
            let full =
                group.len() >= GROUP_COMMIT_TRANSACTIONS_MAX || bytes > GROUP_COMMIT_BYTES_MAX;
            // A transaction that is larger than a group by itself is a group by itself.
            if full && !group.is_empty() {
                break;
            }
            group.extend(state.waiting.pop_front());
        }
        Some(group)
    }
}

/// A transaction of the group that passed validation.
struct Accepted {
    version: CommitVersion,
    keys: Vec<Bytes>,
    hook: Option<CommitHook>,
    answer: SyncSender<Answer>,
}

/// The committer's life: until the queue is closed and empty.
pub(super) fn run(shared: &Shared) {
    while let Some(group) = shared.queue.next_group() {
        commit_group(shared, group);
    }
}

fn commit_group(shared: &Shared, group: Vec<(Pending, SyncSender<Answer>)>) {
    let mut answers: Vec<_> = group.iter().map(|(_, answer)| answer.clone()).collect();
    // sled can panic; a hook can. What is visible is not known then, so nothing may be.
    let committed = catch_unwind(AssertUnwindSafe(|| try_commit_group(shared, group)));
    if committed.is_err() {
        shared.break_down("the storage engine stopped in the middle of a commit");
        for answer in answers.drain(..) {
            // Those who have their answer already do not read a second one.
            let _ = answer.try_send(shared.usable().map(|()| CommitVersion::default()));
        }
    }
}

fn try_commit_group(shared: &Shared, group: Vec<(Pending, SyncSender<Answer>)>) {
    let (batch, accepted) = validate(shared, group);
    let Some(last) = accepted.last() else {
        return;
    };
    if let Err(error) = shared.usable() {
        return answer_all(accepted, &error);
    }
    let last = last.version;

    let mut hooks = Vec::new();
    let mut committed = Vec::with_capacity(accepted.len());
    {
        let _gate = shared.gate.write();
        if let Err(error) = shared.engine.apply(&batch, last) {
            if let StorageError::Unavailable(why) = &error {
                shared.break_down(why);
            }
            return answer_all(accepted, &error);
        }
        let mut history = shared.history.lock();
        for Accepted {
            version,
            keys,
            hook,
            answer,
        } in accepted
        {
            history.push(version.0, keys);
            hooks.extend(hook.map(|hook| (version, hook)));
            committed.push((version, answer));
        }
        shared.current.store(last.0, Ordering::Release);
        drop(history);
        for (version, hook) in hooks {
            hook(version);
        }
    }

    // Outside the gate: readers go on while the disk works. Nothing is acknowledged before.
    if let Err(error) = shared.engine.sync() {
        shared.break_down(&format!(
            "the disk did not confirm a commit ({error}); the server must be restarted"
        ));
    }
    for (version, answer) in committed {
        // A waiter that is gone needs no answer.
        let _ = answer.send(shared.usable().map(|()| version));
    }
}

/// Refuses what conflicts, with commits since it was read and with those before it in the group,
/// and merges the rest into one batch.
fn validate(
    shared: &Shared,
    group: Vec<(Pending, SyncSender<Answer>)>,
) -> (WriteBatch, Vec<Accepted>) {
    let mut version = shared.current.load(Ordering::Acquire);
    let mut batch = WriteBatch::default();
    let mut accepted: Vec<Accepted> = Vec::with_capacity(group.len());
    let history = shared.history.lock();
    for (pending, answer) in group {
        let earlier = accepted.iter().flat_map(|accepted| &accepted.keys);
        let valid = history
            .validate(&pending.reads, pending.valid_as_of)
            .is_ok()
            && !earlier.into_iter().any(|key| pending.reads.meets(key));
        if !valid {
            let _ = answer.send(Err(StorageError::Conflict));
            continue;
        }
        version += 1;
        accepted.push(Accepted {
            version: CommitVersion(version),
            keys: pending.writes.keys().cloned().collect(),
            hook: pending.hook,
            answer,
        });
        for (key, value) in pending.writes {
            batch.write(key, value);
        }
    }
    drop(history);
    // Every number inside the batch was handed out before its transaction came here.
    let (key, value) = row_version_write(shared.row_version.load(Ordering::Acquire));
    batch.write(key, Some(value));
    (batch, accepted)
}

fn answer_all(accepted: Vec<Accepted>, error: &StorageError) {
    for accepted in accepted {
        let _ = accepted.answer.send(Err(error.clone()));
    }
}
