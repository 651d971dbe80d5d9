//! Files of the project as the checks see them: text, code without comments and literals, shipped
//! code without tests.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Folders that hold nothing of ours: what is built, what is installed, what git keeps.
const FOREIGN: [&str; 5] = ["target", ".git", "node_modules", ".tools", ".venv"];

/// One text file.
pub struct Source {
    /// Path from the project's folder, with slashes.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Rust files: the text with every comment, string and character replaced by spaces, line for
    /// line. Other files: the text.
    pub code: String,
    /// Whether the file is compiled for tests and benchmarks alone.
    pub only_tests: bool,
}

impl Source {
    /// The code that is shipped: nothing of a test file, and no item behind `#[cfg(test)]`.
    pub fn shipped(&self) -> String {
        if self.only_tests {
            String::new()
        } else {
            without_tests(&self.code)
        }
    }

    /// The path of the module in its crate: `operations/create.rs` is `["operations", "create"]`.
    pub fn module(&self) -> Vec<&str> {
        let inner = self.path.split_once("src/").map_or("", |(_, inner)| inner);
        let inner = inner.strip_suffix(".rs").unwrap_or(inner);
        let mut parts: Vec<&str> = inner.split('/').collect();
        if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
            parts.pop();
        }
        parts
    }
}

/// The folder of the project.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `folder` (from the project's folder) whose name ends with one of `endings`.
pub fn files(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let mut sources: Vec<Source> = paths
        .iter()
        .filter(|path| {
            endings
                .iter()
                .any(|ending| path.to_string_lossy().ends_with(ending))
        })
        .map(|path| source(path))
        .collect();
    let declared = test_modules(&sources);
    for source in &mut sources {
        source.only_tests |= declared.iter().any(|stem| {
            source.path == format!("{stem}.rs") || source.path.starts_with(&format!("{stem}/"))
        });
    }
    sources
}

/// Every Rust file of the project.
pub fn rust() -> Vec<Source> {
    files("", &[".rs"])
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let name = entry.file_name();
        if kind.is_file() {
            paths.push(entry.path());
        } else if kind.is_dir() && !FOREIGN.contains(&name.to_string_lossy().as_ref()) {
            walk(&entry.path(), paths);
        }
    }
}

fn source(path: &Path) -> Source {
    let bytes = fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let relative = path
        .strip_prefix(root())
        .unwrap()
        .to_string_lossy()
        .replace('\\', "/");
    let rust = relative.ends_with(".rs");
    Source {
        code: if rust { blank(&text) } else { text.clone() },
        only_tests: relative
            .split('/')
            .any(|part| matches!(part, "tests" | "benches")),
        path: relative,
        text,
    }
}

/// Paths without `.rs` of the modules that some file declares behind `#[cfg(test)]`.
fn test_modules(sources: &[Source]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in sources {
        let folder = match source.path.rsplit_once('/') {
            Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder.to_owned(),
            _ => source.path.trim_end_matches(".rs").to_owned(),
        };
        let code: Vec<&str> = source.code.lines().collect();
        let text: Vec<&str> = source.text.lines().collect();
        for (number, line) in code.iter().enumerate() {
            if line.trim() != "#[cfg(test)]" {
                continue;
            }
            let declaration = code[number + 1..].iter().map(|line| line.trim());
            let Some(declaration) = declaration.clone().find(|line| !line.starts_with("#[")) else {
                continue;
            };
            let Some(name) = declaration
                .strip_suffix(';')
                .and_then(|d| d.rsplit_once("mod "))
            else {
                continue;
            };
            let renamed = text[number + 1..]
                .iter()
                .map(|line| line.trim())
                .take_while(|line| line.starts_with("#["))
                .find_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix(".rs\"]"));
            let here = source
                .path
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            found.insert(match renamed {
                Some(file) => format!("{here}/{file}"),
                None => format!("{folder}/{}", name.1),
            });
        }
    }
    found
}

/// Rust text with every comment, string and character literal replaced by spaces, line for line.
pub fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn skipped(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    let inside_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next == Some('/') => find(chars, at, |rest| rest[0] == '\n'),
        '/' if next == Some('*') => {
            let mut depth = 0;
            let mut i = at;
            while i < chars.len() {
                match (chars[i], chars.get(i + 1)) {
                    ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
                    ('*', Some('/')) if depth == 1 => return i + 2,
                    ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
            }
            i
        }
        'r' if !inside_word || matches!(chars[at - 1], 'b' | 'c') => raw_string(chars, at),
        '"' => {
            let mut i = at + 1;
            while i < chars.len() && chars[i] != '"' {
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            (i + 1).min(chars.len())
        }
        '\'' if next == Some('\\') => find(chars, at + 3, |rest| rest[0] == '\'') + 1,
        '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let close: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    find(chars, at + 2 + hashes, |rest| rest.starts_with(&close)) + close.len()
}

fn find(chars: &[char], from: usize, end: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len())
        .find(|i| end(&chars[*i..]))
        .unwrap_or(chars.len())
}

/// Blanked code with the items behind `#[cfg(test)]` blanked too.
pub fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        let item = &rest[start + MARK.len()..];
        let end = start + MARK.len() + item_length(item);
        out.push_str(&rest[..start]);
        out.extend(
            rest[start..end]
                .chars()
                .map(|c| if c == '\n' { '\n' } else { ' ' }),
        );
        rest = &rest[end..];
    }
    out + rest
}

/// Bytes up to the end of the first item: its closing brace, or a semicolon before any brace.
fn item_length(code: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in code.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == '}' {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Where `name` stands in code as a whole word, as (line number from 1, what follows it).
pub fn words<'c>(code: &'c str, name: &'c str) -> impl Iterator<Item = (usize, &'c str)> {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).filter_map(move |(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let first = name.starts_with(part_of_word) && before.ends_with(part_of_word);
        let last = name.ends_with(part_of_word) && after.starts_with(part_of_word);
        (!first && !last).then(|| (before.matches('\n').count() + 1, after))
    })
}

#[test]
fn comments_and_literals_are_blanked() {
    let text = "a /* b /* c */ d */ e // f\nlet s = \"g\\\"h\"; let r = r#\"i\"j\"#; 'k: loop {} 'l' '\\n' m";
    let code = blank(text);
    let kept: Vec<&str> = code.split_whitespace().collect();
    let expected = [
        "a", "e", "let", "s", "=", ";", "let", "r", "=", ";", "'k:", "loop", "{}", "m",
    ];
    assert_eq!(kept, expected);
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn test_items_are_blanked() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n\
                #[cfg(test)]\nmod t { fn c() { x[0] } }\nfn d() {}";
    let kept = without_tests(code);
    assert!(kept.contains("fn a") && kept.contains("fn b") && kept.contains("fn d"));
    assert!(!kept.contains("tests") && !kept.contains("fn c"));
    assert_eq!(kept.lines().count(), code.lines().count());
}

#[test]
fn words_are_whole() {
    assert_eq!(
        words("may_own(a)\nmay_owner b.may_own", "may_own").count(),
        2
    );
}
