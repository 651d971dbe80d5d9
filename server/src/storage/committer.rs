//! Group commit: one thread takes what waits, validates each, applies all in one batch, syncs
//! once, and answers all (docs/adr/0004).

use std::{
    collections::{BTreeMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

use super::{
    CommitAnswer, CommitHook, CommitVersion, StorageError,
    embedded::{Shared, row_version_write},
    engine::WriteBatch,
    history::ReadSet,
};
use crate::limits::{GROUP_COMMIT_BYTES_MAX, GROUP_COMMIT_TRANSACTIONS_MAX};

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
    waiting: VecDeque<(Pending, CommitAnswer)>,
    closed: bool,
}

impl Queue {
    /// Hands a transaction over, with whom to tell the outcome.
    pub(super) fn submit(&self, pending: Pending, answer: CommitAnswer) {
        {
            let mut state = self.state.lock();
            if state.closed {
                drop(state);
                return answer(Err(StorageError::Unavailable("it is closing".into())));
            }
            state.waiting.push_back((pending, answer));
        }
        self.arrived.notify_one();
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
    fn next_group(&self) -> Option<Vec<(Pending, CommitAnswer)>> {
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

/// Whom to tell the outcome of each transaction of a group, by its place; each is told once.
struct Answers(Vec<Option<CommitAnswer>>);

impl Answers {
    fn tell(&mut self, place: usize, outcome: Result<CommitVersion, StorageError>) {
        if let Some(answer) = self.0.get_mut(place).and_then(Option::take) {
            answer(outcome);
        }
    }
}

/// A transaction of the group that passed validation.
struct Accepted {
    version: CommitVersion,
    keys: Vec<Bytes>,
    hook: Option<CommitHook>,
    /// Its place in the group.
    place: usize,
}

/// The committer's life: until the queue is closed and empty.
pub(super) fn run(shared: &Shared) {
    while let Some(group) = shared.queue.next_group() {
        commit_group(shared, group);
    }
}

fn commit_group(shared: &Shared, group: Vec<(Pending, CommitAnswer)>) {
    let (group, answers) = group
        .into_iter()
        .map(|(pending, answer)| (pending, Some(answer)))
        .unzip();
    let mut answers = Answers(answers);
    // sled can panic; a hook can. What is visible is not known then, so nothing may be.
    let committed = catch_unwind(AssertUnwindSafe(|| {
        try_commit_group(shared, group, &mut answers)
    }));
    if committed.is_err() {
        shared.break_down("the storage engine stopped in the middle of a commit");
        for place in 0..answers.0.len() {
            answers.tell(place, shared.usable().map(|()| CommitVersion::default()));
        }
    }
}

fn try_commit_group(shared: &Shared, group: Vec<Pending>, answers: &mut Answers) {
    let (batch, accepted) = validate(shared, group, answers);
    let Some(last) = accepted.last() else {
        return;
    };
    if let Err(error) = shared.usable() {
        return refuse_all(&accepted, answers, &error);
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
            return refuse_all(&accepted, answers, &error);
        }
        let mut history = shared.history.lock();
        for Accepted {
            version,
            keys,
            hook,
            place,
        } in accepted
        {
            history.push(version.0, keys);
            hooks.extend(hook.map(|hook| (version, hook)));
            committed.push((version, place));
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
    for (version, place) in committed {
        answers.tell(place, shared.usable().map(|()| version));
    }
}

/// Refuses what conflicts, with commits since it was read and with those before it in the group,
/// and merges the rest into one batch.
fn validate(
    shared: &Shared,
    group: Vec<Pending>,
    answers: &mut Answers,
) -> (WriteBatch, Vec<Accepted>) {
    let mut version = shared.current.load(Ordering::Acquire);
    let mut batch = WriteBatch::default();
    let mut accepted: Vec<Accepted> = Vec::with_capacity(group.len());
    let mut conflicting = Vec::new();
    let mut history = shared.history.lock();
    for (place, pending) in group.into_iter().enumerate() {
        let earlier = accepted.iter().flat_map(|accepted| &accepted.keys);
        let valid = history
            .validate(&pending.reads, pending.valid_as_of)
            .is_ok()
            && !earlier.into_iter().any(|key| pending.reads.meets(key));
        // It sees nothing any more.
        history.leave(pending.valid_as_of);
        if !valid {
            conflicting.push(place);
            continue;
        }
        version += 1;
        accepted.push(Accepted {
            version: CommitVersion(version),
            keys: pending.writes.keys().cloned().collect(),
            hook: pending.hook,
            place,
        });
        for (key, value) in pending.writes {
            batch.write(key, value);
        }
    }
    drop(history);
    for place in conflicting {
        answers.tell(place, Err(StorageError::Conflict));
    }
    // Every number inside the batch was handed out before its transaction came here.
    let (key, value) = row_version_write(shared.row_version.load(Ordering::Acquire));
    batch.write(key, Some(value));
    (batch, accepted)
}

fn refuse_all(accepted: &[Accepted], answers: &mut Answers, error: &StorageError) {
    for accepted in accepted {
        answers.tell(accepted.place, Err(error.clone()));
    }
}
