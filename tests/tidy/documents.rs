//! Documents that stay true: the files they name exist, and every bound is explained and in force.

use std::{collections::BTreeSet, fs};

use crate::{
    none,
    source::{files, root, rust, words},
};

/// Folders whose files documents name by path.
const FOLDERS: [&str; 6] = ["client/", "docs/", "proto/", "server/", "tests/", ".ci/"];

/// The paths that a text names: between backticks, in links, or in plain words.
fn paths(text: &str) -> BTreeSet<String> {
    let boundary = |c: char| c.is_whitespace() || "`()<>[]\"',;|".contains(c);
    text.split(boundary)
        .map(|word| word.trim_end_matches(['.', ':', '!', '?']))
        .map(|word| word.trim_start_matches("./").trim_start_matches("../"))
        .map(|word| word.split(['#', ':']).next().unwrap_or(word))
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
        .filter(|word| !word.contains(['*', '{', '$', '\\']) && !word.contains("..."))
        .map(str::to_owned)
        .collect()
}

/// Whether a file or folder has this path; `docs/adr/0004` may stand for the file that begins so.
fn exists(path: &str) -> bool {
    let full = root().join(path);
    if full.exists() {
        return true;
    }
    let (Some(folder), Some(start)) = (full.parent(), full.file_name()) else {
        return false;
    };
    let start = format!("{}-", start.to_string_lossy());
    fs::read_dir(folder).is_ok_and(|entries| {
        let mut names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        names.any(|name| name.to_string_lossy().starts_with(&start))
    })
}

#[test]
fn documents_name_files_that_exist() {
    let mut found = Vec::new();
    for source in files("", &[".md", ".toml", ".proto"]).iter().chain(&rust()) {
        for (number, line) in source.text.lines().enumerate() {
            let comment = line.trim_start().starts_with("//") || line.trim_start().starts_with('#');
            if !source.path.ends_with(".md") && !comment {
                continue;
            }
            for path in paths(line).into_iter().filter(|path| !exists(path)) {
                found.push(format!("{}:{}: no file `{path}`", source.path, number + 1));
            }
        }
    }
    none(&found);
}

#[test]
fn the_documents_of_the_house_are_there() {
    let documents = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/adr",
    ];
    let missing = documents
        .into_iter()
        .filter(|path| !root().join(path).exists());
    none(&missing.map(str::to_owned).collect::<Vec<_>>());
}

/// A bound is explained where it stands, and something enforces it.
#[test]
fn every_bound_is_explained_and_in_force() {
    let limits = fs::read_to_string(root().join("server/src/limits.rs")).unwrap();
    let elsewhere: Vec<String> = files("server/src", &[".rs"])
        .iter()
        .filter(|source| source.path != "server/src/limits.rs")
        .map(|source| source.shipped())
        .collect();
    let mut found = Vec::new();
    let mut bounds = 0;
    let mut above = "";
    for line in limits.lines() {
        if let Some((name, _)) = line
            .strip_prefix("pub const ")
            .and_then(|rest| rest.split_once(':'))
        {
            bounds += 1;
            if !above.starts_with("///") {
                found.push(format!("limits.rs: `{name}` has no reason"));
            }
            if !elsewhere
                .iter()
                .any(|code| words(code, name).next().is_some())
            {
                found.push(format!("limits.rs: nothing enforces `{name}`"));
            }
        }
        above = line;
    }
    assert!(bounds > 20, "the bounds were read");
    none(&found);
}

#[test]
fn paths_are_found_in_prose() {
    let found = paths(
        "See [it](docs/a.md#top), `server/src/lib.rs:12` and tests/run. Not path/x or server.",
    );
    let expected = ["docs/a.md", "server/src/lib.rs", "tests/run"];
    assert_eq!(
        found.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}
