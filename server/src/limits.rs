//! Every bound of the server, why it has its value, and the name a fault gives it.
//!
//! A request that meets a bound gets a fault whose metadata carries `limit` (the name of the
//! constant in lower case) and `limitValue`.

use std::collections::BTreeMap;

/// Bytes of a request or response message; the product's own ceiling is near 117 MB, and 64 MiB
/// carries the largest batch with room to spare (`grpc.md` 12).
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Streams one connection may have open; tonic sets none by itself.
pub const CONCURRENT_STREAMS_MAX: u32 = 256;

/// Bytes of request metadata; hyper's default, stated so that a change there is not a change here.
pub const METADATA_BYTES_MAX: u32 = 16 * 1024;

/// Requests in one ExecuteMultiple or ExecuteTransaction (XM-3, XT-2).
pub const BATCH_REQUESTS_MAX: usize = 1000;

/// Records that one request may change by cascading; more is a job, not a request (CA-6).
pub const CASCADE_ROWS_MAX: usize = 10_000;

/// Nesting of related records in one Create or Update (CR-12).
pub const DEEP_INSERT_DEPTH_MAX: usize = 10;

/// Steps up a hierarchy that a loop check follows before it calls the chain broken (UP-12).
pub const HIERARCHY_DEPTH_MAX: usize = 1_000;

/// Rows of one page, and the default (`messages.md` 4.2).
pub const PAGE_ROWS_MAX: usize = 5_000;

/// `top` of a query (`messages.md` 4.2).
pub const TOP_ROWS_MAX: i32 = 5_000;

/// Rows that simple paging without a cookie may skip (`messages.md` 4.2).
pub const SIMPLE_PAGING_ROWS_MAX: usize = 50_000;

/// Conditions of one query (`messages.md` 4.2).
pub const QUERY_CONDITIONS_MAX: usize = 500;

/// Nesting of filters, so that a recursive walk cannot exhaust a stack.
pub const FILTER_DEPTH_MAX: usize = 32;

/// Values of one `in` condition; with 500 conditions of it a filter stays below a million compares.
pub const CONDITION_VALUES_MAX: usize = 2_000;

/// Rows a total count goes up to (`messages.md` 4.2).
pub const TOTAL_COUNT_MAX: usize = 5_000;

/// Index keys one page may look at before it comes back short with `more_records`: the page gate is
/// held for as long, and commits wait.
pub const PAGE_KEYS_SCANNED_MAX: usize = 100_000;

/// Related queries of one Retrieve (RT-7): each is a page of its own.
pub const RELATED_QUERIES_MAX: usize = 10;

/// Orders of one query; every row's key holds a part for each.
pub const QUERY_ORDERS_MAX: usize = 32;

/// Characters of a `like` pattern; the product's own is 4,000 bytes, and the time of a comparison
/// grows with it.
pub const LIKE_PATTERN_CHARACTERS_MAX: usize = 4_000;

/// Key ranges that one query merges; a scope of more parts is tested row by row instead.
pub const MERGED_RANGES_MAX: usize = 256;

/// Characters of a paging cookie: the values of all orders of a row at their longest.
pub const PAGING_COOKIE_CHARACTERS_MAX: usize = 64 * 1024;

/// Times a request that lost a write conflict is run again before WRITE_CONFLICT (TX-4).
pub const CONFLICT_RETRIES_MAX: u32 = 12;

/// Minutes for which a request id is remembered (GO-2).
pub const REQUEST_MEMORY_MINUTES: i64 = 10;

/// Seconds a request may take unless the client sets a shorter deadline (`messages.md` 10).
pub const REQUEST_SECONDS_MAX: u64 = 120;

/// Nesting of a value inside values of one request; protobuf decoders stop at 100 messages.
pub const VALUE_DEPTH_MAX: usize = 48;

/// Bytes of one stored value before it is split into chunks: a page of sled that outgrows a quarter
/// of its segment goes to a file that sled never syncs, and a page holds up to 20 values
/// (docs/adr/0004).
pub const STORED_CHUNK_BYTES_MAX: usize = 16 * 1024;

/// Bytes of one segment of sled's log. A quarter of it, 512 KiB, holds the largest page that the
/// two bounds around this one allow: 20 chunks with their keys, or 257 keys of an inner page.
pub const STORED_SEGMENT_BYTES: usize = 2 * 1024 * 1024;

/// Bytes of one stored key, for the same reason; the key codecs stay below it by themselves.
pub const STORED_KEY_BYTES_MAX: usize = 1_900;

/// Bytes of one stored value: what the largest message can carry, and a field's length fits u32.
pub const STORED_VALUE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Columns of one record: a column number has 16 bits, and the product allows about a thousand.
pub const RECORD_COLUMNS_MAX: usize = 4_096;

/// Columns of one index or alternate key; the product allows 16 in a key.
pub const INDEX_COLUMNS_MAX: usize = 16;

/// UTF-16 code units of a text that an index orders by; what is longer is told apart by a digest.
pub const INDEX_STRING_UNITS_MAX: usize = 256;

/// Bytes that the texts of one index key may take together, so that a key stays below
/// [`STORED_KEY_BYTES_MAX`]; met by deterministic shortening, never by a refusal.
pub const INDEX_STRING_BYTES_MAX: usize = 1_200;

/// Origins from which one principal can have inherited a share of one record; as many as a cascade
/// can visit rows.
pub const SHARE_CONTRIBUTIONS_MAX: usize = CASCADE_ROWS_MAX;

/// Keys written by recent commits that are remembered for validation; a transaction that outlives
/// them is told to run again.
pub const COMMIT_HISTORY_KEYS_MAX: usize = 1_000_000;

/// Transactions in one group commit; bounds how long sled's process-wide lock is held.
pub const GROUP_COMMIT_TRANSACTIONS_MAX: usize = 64;

/// Bytes in one group commit, for the same reason.
pub const GROUP_COMMIT_BYTES_MAX: usize = 256 * 1024;

/// Bytes that one transaction may write: a batch of 1000 large records fits, a runaway one does
/// not.
pub const TRANSACTION_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Principals whose compiled privileges are kept per snapshot of the directory.
pub const PRINCIPAL_CACHE_ENTRIES: usize = 10_000;

/// Options one MultiSelectPicklist value may hold (`messages.md` 3.1).
pub const MULTISELECT_OPTIONS_MAX: usize = 150;

/// Bytes of an Image value; the product's default (`messages.md` 3.1).
pub const IMAGE_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Characters of a token's label: enough to say what it is for.
pub const TOKEN_LABEL_CHARACTERS_MAX: usize = 200;

/// Characters of a bearer token that are looked at; ours have 47.
pub const TOKEN_CHARACTERS_MAX: usize = 256;

/// Connections open at one time; each may hold [`CONCURRENT_STREAMS_MAX`] requests. The next one
/// waits in the backlog of the operating system.
pub const CONNECTIONS_MAX: usize = 4_096;

/// Seconds a new connection may take to begin to speak; neither hyper nor tonic has such a bound.
pub const CONNECTION_PREFACE_SECONDS_MAX: u64 = 10;

/// Seconds a TLS handshake may take.
pub const TLS_HANDSHAKE_SECONDS_MAX: u64 = 10;

/// Minutes after which a connection is asked to end, so that clients come back through a balancer
/// and nothing holds a place for ever.
pub const CONNECTION_MINUTES_MAX: u64 = 30;

/// Seconds between two HTTP/2 pings, and for the answer (`grpc.md` 12).
pub const KEEPALIVE_SECONDS: u64 = 30;

/// Streams a client may open and reset before it is answered by closing the connection
/// (CVE-2023-44487); h2's default, stated.
pub const PENDING_RESET_STREAMS_MAX: usize = 20;

/// Streams the server may reset for errors of the client before it closes the connection
/// (RUSTSEC-2024-0003).
pub const LOCAL_ERROR_RESET_STREAMS_MAX: usize = 256;

/// Bytes of announced request messages above which further large ones wait: bounds what decoding
/// reserves, however many streams there are.
pub const REQUEST_BYTES_IN_FLIGHT_MAX: usize = 512 * 1024 * 1024;

/// Bytes of a request message that are never counted against
/// [`REQUEST_BYTES_IN_FLIGHT_MAX`]: flow control holds as much for every stream anyway.
pub const REQUEST_BYTES_UNCOUNTED: usize = 64 * 1024;

/// Threads for calls that may wait for the disk; more calls than these wait for their turn.
pub const BLOCKING_THREADS_MAX: usize = 512;

/// Bytes of the message of a status. A status travels in headers, which clients bound as well: the
/// usual 16 KiB hold the largest status.
pub const STATUS_MESSAGE_BYTES_MAX: usize = 512;

/// Bytes of one other text in a status.
pub const STATUS_TEXT_BYTES_MAX: usize = 256;

/// Bytes of all field violations in a status; further violations are left out.
pub const STATUS_VIOLATIONS_BYTES_MAX: usize = 2_048;

/// Characters of a client's correlation id that is echoed; a longer one is ignored.
pub const CLIENT_REQUEST_ID_CHARACTERS_MAX: usize = 128;

const _: () = assert!(
    MESSAGE_BYTES_MAX <= REQUEST_BYTES_IN_FLIGHT_MAX,
    "one message of any size can be received"
);
const _: () = assert!(
    TOP_ROWS_MAX as usize <= PAGE_ROWS_MAX,
    "one page holds a whole top query"
);
const _: () = assert!(
    64 * MERGED_RANGES_MAX < PAGE_KEYS_SCANNED_MAX,
    "the first keys of every merged range can be read"
);
const _: () = assert!(
    PAGE_ROWS_MAX < PAGE_KEYS_SCANNED_MAX,
    "a full page can be scanned"
);
const _: () = assert!(
    20 * (STORED_CHUNK_BYTES_MAX + STORED_KEY_BYTES_MAX) < STORED_SEGMENT_BYTES / 4,
    "a leaf page of full chunks stays inside the log"
);
const _: () = assert!(
    257 * STORED_KEY_BYTES_MAX < STORED_SEGMENT_BYTES / 4,
    "an inner page of the longest keys stays inside the log"
);
const _: () = assert!(
    INDEX_STRING_BYTES_MAX + INDEX_COLUMNS_MAX * 32 < STORED_KEY_BYTES_MAX,
    "every index key fits"
);
const _: () = assert!(
    STORED_CHUNK_BYTES_MAX <= GROUP_COMMIT_BYTES_MAX,
    "a chunk fits into a group commit"
);

macro_rules! named {
    ($($name:ident,)*) => {
        /// Every bound by the name a fault gives it, for RetrieveServerInfo.
        pub fn all() -> BTreeMap<String, String> {
            BTreeMap::from([$((stringify!($name).to_lowercase(), $name.to_string()),)*])
        }
    };
}

named! {
    MESSAGE_BYTES_MAX,
    CONCURRENT_STREAMS_MAX,
    METADATA_BYTES_MAX,
    CONNECTIONS_MAX,
    CONNECTION_PREFACE_SECONDS_MAX,
    TLS_HANDSHAKE_SECONDS_MAX,
    CONNECTION_MINUTES_MAX,
    KEEPALIVE_SECONDS,
    PENDING_RESET_STREAMS_MAX,
    LOCAL_ERROR_RESET_STREAMS_MAX,
    REQUEST_BYTES_IN_FLIGHT_MAX,
    REQUEST_BYTES_UNCOUNTED,
    BLOCKING_THREADS_MAX,
    STATUS_MESSAGE_BYTES_MAX,
    STATUS_TEXT_BYTES_MAX,
    STATUS_VIOLATIONS_BYTES_MAX,
    CLIENT_REQUEST_ID_CHARACTERS_MAX,
    BATCH_REQUESTS_MAX,
    CASCADE_ROWS_MAX,
    DEEP_INSERT_DEPTH_MAX,
    HIERARCHY_DEPTH_MAX,
    PAGE_ROWS_MAX,
    TOP_ROWS_MAX,
    SIMPLE_PAGING_ROWS_MAX,
    QUERY_CONDITIONS_MAX,
    QUERY_ORDERS_MAX,
    LIKE_PATTERN_CHARACTERS_MAX,
    MERGED_RANGES_MAX,
    PAGING_COOKIE_CHARACTERS_MAX,
    FILTER_DEPTH_MAX,
    CONDITION_VALUES_MAX,
    TOTAL_COUNT_MAX,
    PAGE_KEYS_SCANNED_MAX,
    RELATED_QUERIES_MAX,
    CONFLICT_RETRIES_MAX,
    REQUEST_MEMORY_MINUTES,
    REQUEST_SECONDS_MAX,
    VALUE_DEPTH_MAX,
    STORED_CHUNK_BYTES_MAX,
    STORED_SEGMENT_BYTES,
    STORED_KEY_BYTES_MAX,
    STORED_VALUE_BYTES_MAX,
    RECORD_COLUMNS_MAX,
    INDEX_COLUMNS_MAX,
    INDEX_STRING_UNITS_MAX,
    INDEX_STRING_BYTES_MAX,
    SHARE_CONTRIBUTIONS_MAX,
    COMMIT_HISTORY_KEYS_MAX,
    GROUP_COMMIT_TRANSACTIONS_MAX,
    GROUP_COMMIT_BYTES_MAX,
    TRANSACTION_BYTES_MAX,
    PRINCIPAL_CACHE_ENTRIES,
    MULTISELECT_OPTIONS_MAX,
    IMAGE_BYTES_MAX,
    TOKEN_LABEL_CHARACTERS_MAX,
    TOKEN_CHARACTERS_MAX,
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_bound_is_named() {
        let here = include_str!("limits.rs");
        let declared = here
            .lines()
            .filter(|line| line.starts_with("pub const "))
            .count();
        assert_eq!(declared, super::all().len());
    }
}
