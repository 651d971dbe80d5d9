//! Words that may stand in few places only: decisions about access, keys of records, the wire,
//! clocks and randomness.

use crate::{
    none,
    source::{Source, files, words},
};

/// Words, and the files or folders (under `server/src`) that may say them.
struct Boundary {
    words: &'static [&'static str],
    home: &'static [&'static str],
    why: &'static str,
}

const BOUNDARIES: [Boundary; 7] = [
    Boundary {
        words: &[
            "Decision",
            "access_loading_shares(",
            "access_rights(",
            "admits_share(",
            "authorize_impersonation(",
            ".decide(",
            ".decide_all(",
            ".holds_directly(",
            "may_own(",
            ".pair()",
            ".possesses(",
            ".record_scope(",
            ".require_rights(",
        ],
        home: &[
            "operations/authorizer.rs",
            "operations/explain.rs",
            "snapshot.rs",
        ],
        why: "access is decided by the security crate, which is asked in few places",
    },
    Boundary {
        words: &["admits_without_shares("],
        home: &["operations/retrieve_multiple.rs", "query/execute.rs"],
        why: "rows are judged by the scope that the caller's rights gave, where they are read",
    },
    Boundary {
        words: &["keys::record(", "keys::records("],
        home: &[
            "storage/",
            "operations/work.rs",
            "directory/load.rs",
            "query/",
        ],
        why: "a record is read where the same hands check access",
    },
    Boundary {
        words: &[
            "tonic",
            "prost",
            "prost_types",
            "tonic_types",
            "orgservice",
            "tower",
            "tokio",
        ],
        home: &["transport/", "main.rs", "serve.rs"],
        why: "the wire and async end in the transport",
    },
    Boundary {
        words: &["SystemTime", "Timestamp::now", "Zoned::now", "now_v7"],
        home: &["transport/", "main.rs", "clock.rs"],
        why: "the time of day is an input: `clock` reads it",
    },
    Boundary {
        words: &["Instant::now", "sleep("],
        home: &[
            "transport/",
            "main.rs",
            "operations/work.rs",
            "organization/commit.rs",
            "storage/engine/sled.rs",
        ],
        why: "deadlines and waiting belong to whoever runs requests, and to engines",
    },
    Boundary {
        words: &["getrandom", "fastrand", "new_v4", "thread_rng"],
        home: &[
            "clock.rs",
            "identity/token.rs",
            "organization.rs",
            "query/paging.rs",
            "storage/embedded.rs",
        ],
        why: "chance is an input: ids come from `clock`, secrets are made in few places",
    },
];

fn at_home(source: &Source, home: &[&str]) -> bool {
    let inner = source.path.trim_start_matches("server/src/");
    home.iter()
        .any(|place| inner == *place || place.ends_with('/') && inner.starts_with(place))
}

fn strangers(sources: &[Source], boundary: &Boundary) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources
        .iter()
        .filter(|source| !at_home(source, boundary.home))
    {
        let code = source.shipped();
        for word in boundary.words {
            for (line, _) in words(&code, word) {
                found.push(format!(
                    "{}:{line}: `{word}`: {}",
                    source.path, boundary.why
                ));
            }
        }
    }
    found
}

#[test]
fn words_stay_where_they_belong() {
    let sources = files("server/src", &[".rs"]);
    let found: Vec<String> = BOUNDARIES
        .iter()
        .flat_map(|b| strangers(&sources, b))
        .collect();
    none(&found);
}

#[test]
fn every_place_says_what_it_is_allowed_to() {
    let sources = files("server/src", &[".rs"]);
    for boundary in &BOUNDARIES {
        assert!(
            boundary.words.iter().any(|word| sources
                .iter()
                .filter(|source| at_home(source, boundary.home))
                .any(|source| words(&source.shipped(), word).next().is_some())),
            "nothing says {:?}: the check looks for names that are gone",
            boundary.words
        );
    }
}

/// The security crate is a pure function of its arguments; its manifest keeps crates out, this keeps
/// the standard library's surroundings out.
#[test]
fn the_security_crate_is_pure() {
    const SURROUNDINGS: [&str; 9] = [
        "std::env",
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::thread",
        "std::time",
        "static",
        "async",
    ];
    let mut found = Vec::new();
    for source in files("server/security/src", &[".rs"]) {
        let code = source.shipped().replace("'static", "");
        for word in SURROUNDINGS {
            for (line, _) in words(&code, word) {
                found.push(format!(
                    "{}:{line}: `{word}` in the pure crate",
                    source.path
                ));
            }
        }
    }
    none(&found);
}
