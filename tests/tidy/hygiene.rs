//! Order of the house: what shipped code does not contain, and what no file contains.

use crate::{
    none,
    source::{Source, files, rust, words},
};

/// Lines of a shipped Rust file, its unit tests included: a file is one idea.
const FILE_LINES_MAX: usize = 600;

/// Columns of a line. rustfmt breaks code at 100 and leaves comments and macro calls alone: those get
/// a little more.
const LINE_COLUMNS_MAX: usize = 110;

/// Files with one entry per line, whatever its length.
const TABLES: [&str; 1] = ["server/src/fault.rs"];

fn shipped() -> impl Iterator<Item = Source> {
    rust()
        .into_iter()
        .filter(|source| !source.only_tests && source.path != "build.rs")
}

#[test]
fn shipped_code_does_not_give_up() {
    // Clippy denies most of these unless an attribute allows them; here no attribute helps.
    const GIVING_UP: [&str; 7] = [
        ".unwrap()",
        ".unwrap_err()",
        "panic!",
        "todo!",
        "unimplemented!",
        "dbg!",
        "println!(\"DEBUG",
    ];
    let mut found = Vec::new();
    for source in shipped() {
        let code = source.shipped();
        for word in GIVING_UP {
            for (line, _) in words(&code, word) {
                found.push(format!("{}:{line}: `{word}` in shipped code", source.path));
            }
        }
        for word in [".expect(", ".expect_err(", "unreachable!"] {
            for (line, _) in words(&code, word) {
                let from = line.saturating_sub(12);
                let before: Vec<&str> = source.text.lines().skip(from).take(line - from).collect();
                if !before.iter().any(|line| line.contains("INVARIANT")) {
                    found.push(format!(
                        "{}:{line}: `{word}` without a named INVARIANT above it",
                        source.path
                    ));
                }
            }
        }
    }
    none(&found);
}

#[test]
fn nothing_is_unsafe_or_ignored() {
    let mut found = Vec::new();
    for source in rust() {
        for word in ["unsafe", "#[ignore"] {
            for (line, _) in words(&source.code, word) {
                found.push(format!("{}:{line}: `{word}`", source.path));
            }
        }
    }
    none(&found);
}

/// A timer that is made and not waited for is no sleep; a benchmark may wait to see what idling costs.
#[test]
fn tests_do_not_sleep() {
    let sleeps = |line: &str| {
        line.contains("sleep(") && (line.contains("thread::sleep(") || line.contains(").await"))
    };
    let mut found = Vec::new();
    for source in rust()
        .into_iter()
        .filter(|source| !source.path.contains("/benches/"))
    {
        let shipped = source.shipped();
        let mut shipped = shipped.lines();
        for (number, line) in source.code.lines().enumerate() {
            let in_test = !shipped.next().is_some_and(sleeps);
            if in_test && sleeps(line) {
                found.push(format!("{}:{}: a test sleeps", source.path, number + 1));
            }
        }
    }
    none(&found);
}

#[test]
fn files_are_one_idea_long() {
    let long = shipped().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines", source.path))
    });
    none(&long.collect::<Vec<_>>());
}

#[test]
fn lines_fit() {
    let mut found = Vec::new();
    for source in rust() {
        if TABLES.contains(&source.path.as_str()) {
            continue;
        }
        let code: Vec<&str> = source.code.lines().collect();
        for (number, line) in source.text.lines().enumerate() {
            let columns = line.chars().count();
            // What nobody can break: a long literal, or a link in a comment.
            let comment = line.trim_start().starts_with("//");
            let code: usize = code[number]
                .split_whitespace()
                .map(|word| word.len() + 1)
                .sum();
            let literal = !comment && code <= LINE_COLUMNS_MAX;
            if columns > LINE_COLUMNS_MAX && !literal && !line.contains("://") {
                found.push(format!("{}:{}: {columns} columns", source.path, number + 1));
            }
        }
    }
    none(&found);
}

#[test]
fn files_name_no_machine_and_hold_no_tabs() {
    let machine = ["/wo\u{72}k/", "/ro\u{6f}t/", "/ho\u{6d}e/", "/Us\u{65}rs/"];
    let endings = [
        ".rs", ".toml", ".md", ".proto", ".py", ".sh", ".yaml", ".json", "run",
    ];
    let mut found = Vec::new();
    for source in files("", &endings) {
        for (number, line) in source.text.lines().enumerate() {
            let place = format!("{}:{}", source.path, number + 1);
            if machine.iter().any(|path| line.contains(path)) {
                found.push(format!("{place}: a path of one machine"));
            }
            if line.contains('\t') {
                found.push(format!("{place}: a tab"));
            }
            if line.ends_with(' ') {
                found.push(format!("{place}: space at the end of a line"));
            }
        }
        if !source.text.is_empty() && !source.text.ends_with('\n') {
            found.push(format!(
                "{}: no line end at the end of the file",
                source.path
            ));
        }
    }
    none(&found);
}

#[test]
fn no_snapshot_waits_for_review() {
    let waiting = files("", &[".snap.new", ".pending-snap"]);
    none(
        &waiting
            .into_iter()
            .map(|source| source.path)
            .collect::<Vec<_>>(),
    );
}
