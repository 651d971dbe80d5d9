//! What is left of a commit when the engine fails in the middle of it (invariant 4).

use std::sync::Barrier;

use super::*;
use crate::storage::engine::{InjectedFault, Operation, WriteBatch};

/// A store over an engine that fails on demand, over a disk that stays.
struct Rig {
    disk: Arc<dyn Engine>,
    engine: Arc<FaultyEngine<Arc<dyn Engine>>>,
    store: EmbeddedStore,
}

impl Rig {
    fn new(disk: Arc<dyn Engine>) -> Self {
        let engine = Arc::new(FaultyEngine::new(Arc::clone(&disk)));
        let store = open(Arc::clone(&engine));
        put(&store, &[(1, b"old"), (2, b"old")]);
        Rig {
            disk,
            engine,
            store,
        }
    }

    /// A new process over the same disk.
    fn restart(self) -> EmbeddedStore {
        drop(self.store);
        open(self.disk)
    }
}

fn over_memory() -> Rig {
    Rig::new(Arc::new(MemoryEngine::default()))
}

fn over_both(check: fn(Rig)) {
    check(over_memory());
    let folder = Folder::new();
    check(Rig::new(Arc::new(folder.engine().unwrap())));
}

fn try_put(store: &EmbeddedStore) -> Result<CommitVersion, StorageError> {
    let mut transaction = store.begin()?;
    for n in 1..5 {
        transaction.put(key(n), b"new".to_vec());
    }
    transaction.commit(None)
}

#[test]
fn a_commit_that_was_not_applied_leaves_nothing_and_the_store_goes_on() {
    over_both(|rig| {
        let hash = rig.store.content_hash().unwrap();
        rig.engine
            .fail(Operation::Apply, 0, InjectedFault::InputOutput);
        let refused = try_put(&rig.store);
        assert!(
            matches!(refused, Err(StorageError::Engine(_))),
            "{refused:?}"
        );
        assert_eq!(rig.store.content_hash().unwrap(), hash);
        try_put(&rig.store).unwrap();
        assert_eq!(get(&rig.store, 4).as_deref(), Some(&b"new"[..]));
    });
}

#[test]
fn a_full_disk_refuses_commits_until_there_is_space() {
    over_both(|rig| {
        let hash = rig.store.content_hash().unwrap();
        rig.engine
            .fail(Operation::Apply, 0, InjectedFault::DiskFull);
        for _ in 0..3 {
            let message = try_put(&rig.store).unwrap_err().to_string();
            assert!(message.contains("no space left"), "{message}");
            assert_eq!(rig.store.content_hash().unwrap(), hash);
        }
        rig.engine.heal();
        try_put(&rig.store).unwrap();
    });
}

#[test]
fn half_a_batch_is_never_shown() {
    over_both(|rig| {
        let hash = rig.store.content_hash().unwrap();
        rig.engine
            .fail(Operation::Apply, 0, InjectedFault::ShortWrite);
        let refused = try_put(&rig.store);
        assert!(
            matches!(refused, Err(StorageError::Unavailable(_))),
            "{refused:?}"
        );
        assert!(rig.store.read().is_err(), "half of it could be seen");
        assert!(rig.store.begin().is_err());
        let store = rig.restart();
        assert_eq!(store.content_hash().unwrap(), hash);
        try_put(&store).unwrap();
    });
}

#[test]
fn nothing_is_acknowledged_after_a_failed_sync() {
    over_both(|rig| {
        let running = rig.store.begin().unwrap();
        rig.engine
            .fail(Operation::Sync, 0, InjectedFault::InputOutput);
        let refused = try_put(&rig.store).unwrap_err();
        assert!(matches!(refused, StorageError::Unavailable(_)));
        let message = refused.to_string();
        assert!(message.contains("did not confirm a commit"), "{message}");
        // Also what was running before, and what only reads: it may have seen what is not durable.
        assert!(running.get(&key(1)).is_err());
        assert!(running.commit(None).is_err());
        for _ in 0..2 {
            assert_eq!(try_put(&rig.store).unwrap_err().to_string(), message);
            assert!(rig.store.read().is_err());
        }
        try_put(&rig.restart()).unwrap();
    });
}

#[test]
fn a_read_that_fails_says_so_and_harms_nothing() {
    over_both(|rig| {
        for operation in [Operation::Get, Operation::Scan] {
            rig.engine.fail(operation, 1, InjectedFault::InputOutput);
            let view = rig.store.read().unwrap();
            let transaction = rig.store.begin().unwrap();
            let read = |view: &dyn ReadView| match operation {
                Operation::Get => view.get(&key(1)).map(drop),
                _ => view.scan(&keys_from(0, 9), Direction::Forward, 9).map(drop),
            };
            read(&*transaction).unwrap();
            assert!(matches!(read(&*view), Err(StorageError::Engine(_))));
            read(&*view).unwrap();
        }
        try_put(&rig.store).unwrap();
    });
}

#[test]
fn all_of_a_group_get_the_fault() {
    const WAITING: u32 = 6;
    let rig = over_memory();
    let store = &rig.store;
    let hash_without_first = store.content_hash().unwrap();
    rig.engine
        .fail(Operation::Apply, 1, InjectedFault::InputOutput);
    // While the view lives the committer stands before the gate with the first transaction; the
    // others gather behind it into one group.
    assert!(!store.is_busy());
    let view = store.read().unwrap();
    // Another reader would not have to wait for this one.
    assert!(!store.is_busy());
    let outcomes: Vec<_> = thread::scope(|scope| {
        let commit = |n: u32| {
            scope.spawn(move || {
                let mut transaction = store.begin().unwrap();
                transaction.put(key(n), b"new".to_vec());
                transaction.commit(None)
            })
        };
        let first = commit(100);
        store.until_held_back(0);
        let others: Vec<_> = (0..WAITING).map(commit).collect();
        store.until_held_back(WAITING as usize);
        assert!(store.is_busy());
        drop(view);
        first.join().unwrap().unwrap();
        others.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Err(StorageError::Engine(_)))),
        "{outcomes:?}"
    );
    let mut undo = store.begin().unwrap();
    undo.delete(key(100));
    undo.commit(None).unwrap();
    assert_eq!(store.content_hash().unwrap(), hash_without_first);
}

#[test]
fn those_of_one_group_are_validated_against_each_other() {
    const WAITING: usize = 5;
    let rig = over_memory();
    let store = &rig.store;
    let view = store.read().unwrap();
    // Two meetings: everybody has read, and the committer is held back by a first transaction.
    let barrier = Barrier::new(WAITING + 1);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let increment = || {
            let mut transaction = store.begin().unwrap();
            transaction.get(&key(50)).unwrap();
            transaction.put(key(50), b"mine".to_vec());
            barrier.wait();
            barrier.wait();
            transaction.commit(None)
        };
        let threads: Vec<_> = (0..WAITING).map(|_| scope.spawn(increment)).collect();
        barrier.wait();
        scope.spawn(|| put(store, &[(7, b"first")]));
        store.until_held_back(0);
        barrier.wait();
        store.until_held_back(WAITING);
        drop(view);
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let committed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(committed, 1, "{outcomes:?}");
    assert_eq!(
        outcomes.iter().filter(|o| is_conflict(o)).count(),
        WAITING - 1
    );
}

#[test]
fn a_hook_that_panics_breaks_the_store_instead_of_hanging_it() {
    let rig = over_memory();
    let transaction = rig.store.begin().unwrap();
    let refused = transaction.commit(Some(Box::new(|_| panic!("hook"))));
    assert!(matches!(refused, Err(StorageError::Unavailable(_))));
    assert!(rig.store.begin().is_err());
}

#[test]
fn a_store_of_another_format_is_refused() {
    let engine = Arc::new(MemoryEngine::default());
    drop(open(Arc::clone(&engine)));
    let mut batch = WriteBatch::default();
    batch.write(
        keys::meta("format").into(),
        Some(2_u16.to_be_bytes().to_vec().into()),
    );
    engine.apply(&batch, CommitVersion(1)).unwrap();
    let refused = EmbeddedStore::open(Box::new(engine)).err().unwrap();
    assert_eq!(
        refused.to_string(),
        "the store is not available: it has format version 2, and this server reads version 1; \
         export it with the server that wrote it"
    );
}

#[test]
fn content_that_is_no_store_is_refused() {
    let engine = MemoryEngine::default();
    let mut batch = WriteBatch::default();
    batch.write(key(1).into(), Some("x".into()));
    engine.apply(&batch, CommitVersion(0)).unwrap();
    let refused = EmbeddedStore::open(Box::new(engine)).err().unwrap();
    assert!(matches!(refused, StorageError::Corrupt(_)));
}
