//! Running writing work: one transaction, admitted at one snapshot, committed, and run again when
//! another commit was faster (TX-4).

use std::{sync::Arc, time::Instant};

use super::{DIRECTORY_VERSION, Organization};
use crate::{
    caller::Caller,
    fault::{Fault, FaultCode, Result},
    limits,
    operations::{Unit, Work},
    storage::{CommitHook, ReadView, StorageError, Transaction, keys},
};

impl Organization {
    /// Runs writing work in a transaction, again when another commit changed what it read (TX-4).
    pub(super) fn write<T>(
        &self,
        caller: &Caller,
        deadline: Option<Instant>,
        run: impl Fn(&mut Work<'_>) -> Result<T>,
    ) -> Result<T> {
        for attempt in 0..limits::CONFLICT_RETRIES_MAX {
            let attempted = self.attempt(caller, deadline, &run);
            match attempted.and_then(Committable::commit) {
                Err(Attempt::Conflict) => {
                    // A random pause keeps two requests from colliding in step for ever.
                    let pause = u64::from(attempt) * fast_random(50);
                    std::thread::sleep(std::time::Duration::from_micros(pause));
                }
                Err(Attempt::Refused(fault)) => return Err(fault),
                Ok(result) => return Ok(result),
            }
        }
        Err(Fault::new(
            FaultCode::WriteConflict,
            "other requests kept changing the same records; try again",
        )
        .limit("conflict_retries_max", limits::CONFLICT_RETRIES_MAX))
    }

    pub(super) fn attempt<T>(
        &self,
        caller: &Caller,
        deadline: Option<Instant>,
        run: &impl Fn(&mut Work<'_>) -> Result<T>,
    ) -> Result<Committable<'_, T>, Attempt> {
        let transaction = self.0.store.begin()?;
        // The version is part of what the transaction read: a right revoked before the commit is a
        // conflict, never a race.
        let version = read_version(&*transaction)?;
        let snapshot = self.snapshot();
        if snapshot.version() != version {
            return Err(Attempt::Conflict);
        }
        let unit = Unit::Transaction(transaction);
        let mut work = Work::start(self.environment(deadline), unit, snapshot, *caller)?;
        let result = run(&mut work)?;
        work.check_deadline()?;
        let (unit, snapshot, touched) = work.into_parts();
        let Unit::Transaction(mut transaction) = unit else {
            return Err(Fault::unexpected("a transaction became a view").into());
        };
        let hook = touched.then(|| {
            let version = snapshot.version().to_be_bytes().to_vec();
            transaction.put(keys::meta(DIRECTORY_VERSION), version);
            let current = Arc::clone(&self.0.snapshot);
            let hook: CommitHook = Box::new(move |_| current.store(snapshot));
            hook
        });
        Ok(Committable {
            result,
            transaction,
            hook,
        })
    }
}

/// What an attempt would commit.
pub(super) struct Committable<'a, T> {
    pub(super) result: T,
    pub(super) transaction: Box<dyn Transaction + 'a>,
    pub(super) hook: Option<CommitHook>,
}

impl<T> Committable<'_, T> {
    fn commit(self) -> Result<T, Attempt> {
        self.transaction.commit(self.hook)?;
        Ok(self.result)
    }
}

/// Why an attempt did not commit.
pub(super) enum Attempt {
    Conflict,
    Refused(Fault),
}

impl From<Fault> for Attempt {
    fn from(fault: Fault) -> Self {
        if fault.is_conflict() {
            Attempt::Conflict
        } else {
            Attempt::Refused(fault)
        }
    }
}

impl From<StorageError> for Attempt {
    fn from(error: StorageError) -> Self {
        Fault::from(error).into()
    }
}

pub(super) fn read_version(view: &(impl ReadView + ?Sized)) -> Result<u64> {
    let version = view.get(&keys::meta(DIRECTORY_VERSION))?;
    Ok(version
        .and_then(|bytes| <[u8; 8]>::try_from(&*bytes).ok())
        .map_or(0, u64::from_be_bytes))
}

/// A number below `bound` that differs from thread to thread and moment to moment.
fn fast_random(bound: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::thread::current().id()) % bound
}
