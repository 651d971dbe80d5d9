//! The suite that every engine passes under the store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]
use super::{engine::*, *};

#[test]
fn smoke() {
    let directory = std::env::temp_dir().join(format!("orgservice-{}", uuid::Uuid::new_v4()));
    for engine in [
        Box::new(MemoryEngine::default()) as Box<dyn Engine>,
        Box::new(
            SledEngine::open(&SledOptions {
                directory: directory.clone(),
                cache_bytes: 16 << 20,
            })
            .unwrap(),
        ),
    ] {
        let store = EmbeddedStore::open(engine).unwrap();
        let mut transaction = store.begin().unwrap();
        transaction.put(vec![1, 2], vec![3]);
        assert_eq!(transaction.get(&[1, 2]).unwrap().unwrap().as_ref(), [3]);
        transaction.commit(None).unwrap();
        assert_eq!(
            store
                .read()
                .unwrap()
                .get(&[1, 2])
                .unwrap()
                .unwrap()
                .as_ref(),
            [3]
        );
    }
    std::fs::remove_dir_all(directory).unwrap();
}
