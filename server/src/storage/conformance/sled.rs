//! What only sled needs to be held to: the five rules of docs/adr/0004.

use super::*;
use crate::limits::STORED_SEGMENT_BYTES;

fn blobs(folder: &Folder) -> usize {
    std::fs::read_dir(folder.0.join("blobs")).unwrap().count()
}

/// sled moves a page that outgrows a quarter of a segment to a file that it never syncs. Pages are
/// made as large as the bounds allow here: leaves full of whole chunks, inner pages full of the
/// longest keys, written in order, overwritten and removed at random.
#[test]
fn no_page_ever_goes_to_a_file_that_is_not_synced() {
    let folder = Folder::new();
    let store = open(folder.engine().unwrap());
    let mut random = fastrand::Rng::with_seed(fastrand::u64(..));
    let chunk = vec![7; STORED_CHUNK_BYTES_MAX];
    for n in 0..600_u32 {
        let mut transaction = store.begin().unwrap();
        transaction.put(key(n), chunk.clone());
        transaction.put(key(random.u32(0..600)), chunk.clone());
        transaction.delete(key(random.u32(0..600)));
        transaction.commit(None).unwrap();
    }
    assert_eq!(blobs(&folder), 0, "full leaves");

    let long_key = |n: u32| {
        let mut key = vec![keys::INDEX];
        // Different from the start, so that nothing is saved by common prefixes.
        key.extend_from_slice(&n.wrapping_mul(2_654_435_761).to_be_bytes());
        key.resize(STORED_KEY_BYTES_MAX, 7);
        key
    };
    for group in 0..60_u32 {
        let mut transaction = store.begin().unwrap();
        for n in 0..100 {
            transaction.put(long_key(group * 100 + n), vec![0; 33]);
        }
        transaction.commit(None).unwrap();
    }
    assert_eq!(blobs(&folder), 0, "full inner pages");
    let hash = store.content_hash().unwrap();
    drop(store);
    let store = open(folder.engine().unwrap());
    assert_eq!(store.content_hash().unwrap(), hash);
}

#[test]
fn one_folder_is_open_once() {
    let folder = Folder::new();
    let engine = folder.engine().unwrap();
    let message = folder.engine().unwrap_err().to_string();
    assert!(
        message.ends_with("another process has the store open"),
        "{message}"
    );
    drop(engine);
    folder.engine().unwrap();
}

#[test]
fn a_damaged_file_is_an_error_that_says_what_to_do() {
    let folder = Folder::new();
    let store = open(folder.engine().unwrap());
    for n in 0..200 {
        put(&store, &[(n, &[1; 500])]);
    }
    drop(store);
    std::fs::write(folder.0.join("conf"), b"no configuration of sled").unwrap();
    let message = folder.engine().unwrap_err().to_string();
    assert!(message.ends_with("restore it from a backup"), "{message}");
    assert!(
        message.contains(folder.0.to_str().unwrap()),
        "it names the folder: {message}"
    );
}

/// Bytes changed under the store are never returned as a value: an error, or what was written.
#[test]
fn changed_bytes_are_noticed() {
    let folder = Folder::new();
    let store = open(folder.engine().unwrap());
    let record = |n: u32| {
        let mut record: crate::storage::record::Record =
            [(1, crate::model::Value::from("x".repeat(400)))]
                .into_iter()
                .collect();
        record.row_version = u64::from(n);
        record
    };
    for n in 0..200 {
        put(&store, &[(n, &record(n).encode().unwrap())]);
    }
    drop(store);
    let log = folder.0.join("db");
    let intact = std::fs::read(&log).unwrap();
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..8 {
        let mut bytes = intact.clone();
        let written = bytes.iter().rposition(|&byte| byte != 0).unwrap();
        for _ in 0..3 {
            bytes[random.usize(..written)] ^= 1 << random.u8(..8);
        }
        std::fs::write(&log, &bytes).unwrap();
        let Ok(engine) = folder.engine() else {
            continue;
        };
        for n in 0..200 {
            let Ok(Some(value)) = engine.get(&key(n)) else {
                continue;
            };
            let decoded = crate::storage::record::Record::decode(&key(n), &value);
            if let Ok(decoded) = decoded {
                assert_eq!(decoded, record(n), "seed {seed}");
            }
        }
    }
}

/// Chunks are looked for only in keyspaces that are known to have some; what is known must survive
/// reopening.
#[test]
fn a_small_value_leaves_no_chunks_of_a_large_one_behind() {
    let folder = Folder::new();
    let large = vec![7; 3 * STORED_CHUNK_BYTES_MAX];
    let put = |value: &[u8]| {
        let store = open(folder.engine().unwrap());
        super::put(&store, &[(1, value), (2, b"never large")]);
    };
    let chunks = || {
        let raw = ::sled::Config::new().path(&folder.0);
        let db = raw.segment_size(STORED_SEGMENT_BYTES).open().unwrap();
        db.scan_prefix([0xfe]).count()
    };
    put(&large);
    assert_eq!(chunks(), 3);
    put(b"small");
    assert_eq!(chunks(), 0);
    put(&large);
    put(&large[STORED_CHUNK_BYTES_MAX..]);
    assert_eq!(chunks(), 2);
}
