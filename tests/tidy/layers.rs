//! The layer table of ARCHITECTURE.md, held against every path through `crate::` in the server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::source::{Source, files, root, words};

/// One row: modules of one layer, and the lower modules that they may use.
struct Layer {
    modules: BTreeSet<String>,
    may_use: BTreeSet<String>,
}

/// Modules and what they use.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

/// The rows between the markers, highest layer first.
fn layers(document: &str) -> Vec<Layer> {
    let table = document
        .split_once("<!-- layers -->")
        .and_then(|(_, rest)| rest.split_once("<!-- /layers -->"))
        .expect("ARCHITECTURE.md marks its layer table")
        .0;
    let names = |cell: &str| {
        let quoted = cell.split('`').skip(1).step_by(2);
        quoted.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    table
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            Layer {
                modules: names(cells[0]),
                may_use: names(cells[1]),
            }
        })
        .collect()
}

/// The modules of the crate root that a file names by `crate::` or by enough of `super::`, each
/// with a place where it does.
fn used(source: &Source) -> BTreeMap<String, String> {
    let code = source.shipped();
    let up_to_root = "super::".repeat(source.module().len());
    let mut found = BTreeMap::new();
    let mut prefixes = vec!["crate::"];
    if !up_to_root.is_empty() {
        prefixes.push(&up_to_root);
    }
    for prefix in prefixes {
        for (line, after) in words(&code, prefix) {
            for module in heads(after) {
                found
                    .entry(module)
                    .or_insert_with(|| format!("{}:{line}", source.path));
            }
        }
    }
    found
}

/// The first names of a path or of a braced group of paths.
fn heads(after: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        let end = text
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(text.len());
        text[..end].to_owned()
    };
    let Some(group) = after.strip_prefix('{') else {
        return vec![name(after)];
    };
    let mut depth = 0;
    let mut start = 0;
    let mut found = Vec::new();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
        if c == '}' && depth == 0 && start == at + 1 {
            break;
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// What the server's modules use, by module.
fn uses() -> Uses {
    let mut uses = Uses::new();
    for source in files("server/src", &[".rs"]) {
        let module = source.module().first().map(|module| (*module).to_owned());
        if let Some(module) = module.filter(|_| !source.only_tests) {
            uses.entry(module).or_default().extend(used(&source));
        }
    }
    // `super::` inside an inline module leads to no module of the crate root.
    let modules: BTreeSet<String> = uses.keys().cloned().collect();
    for (module, used) in &mut uses {
        used.retain(|name, _| name != module && modules.contains(name));
    }
    uses
}

/// What is wrong between a table and the code.
fn problems(layers: &[Layer], uses: &Uses) -> Vec<String> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    let all: BTreeSet<&String> = layers.iter().flat_map(|layer| &layer.modules).collect();
    for module in uses.keys().filter(|module| !all.contains(module)) {
        problems.push(format!("`{module}` stands in no layer"));
    }
    for layer in layers.iter().rev() {
        let row: Vec<&str> = layer.modules.iter().map(String::as_str).collect();
        let row = row.join("`, `");
        for name in &layer.may_use {
            if !seen.contains(name) {
                problems.push(format!("`{row}` may use `{name}`, which is no lower layer"));
            }
        }
        let mut really = BTreeSet::new();
        for module in &layer.modules {
            if seen.contains(module) {
                problems.push(format!("`{module}` stands in two layers"));
            }
            let Some(used) = uses.get(module) else {
                problems.push(format!("`{module}` is no module of the server"));
                continue;
            };
            for (name, place) in used {
                if !layer.may_use.contains(name) && !layer.modules.contains(name) {
                    problems.push(format!("{place}: `{module}` may not use `{name}`"));
                }
                really.insert(name.clone());
            }
        }
        for name in layer.may_use.difference(&really) {
            problems.push(format!(
                "`{row}` may use `{name}` and does not: delete it from the row"
            ));
        }
        seen.extend(layer.modules.iter().cloned());
    }
    problems
}

#[test]
fn every_module_uses_only_lower_layers() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let problems = problems(&layers(&document), &uses());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_security_crate_sees_no_other_crate_of_ours() {
    let manifest = fs::read_to_string(root().join("server/security/Cargo.toml")).unwrap();
    let dependencies = manifest
        .split("\n[")
        .find_map(|section| section.strip_prefix("dependencies]"))
        .unwrap();
    let names: Vec<&str> = dependencies
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .collect();
    let pure = ["bitflags", "rustc-hash", "smallvec", "uuid"];
    assert!(names.iter().all(|name| pure.contains(name)), "{names:?}");
    assert!(names.contains(&"uuid"), "the dependencies were read");
}

#[test]
fn a_table_that_does_not_hold_is_told() {
    let table = layers(
        "<!-- layers -->\n| module | may use |\n|---|---|\n| `top` | `middle`, `low` |\n\
         | `middle`, `twin` | |\n| `low` | `top` |\n<!-- /layers -->",
    );
    let uses = |pairs: &[(&str, &[&str])]| -> Uses {
        let used = |names: &[&str]| {
            names
                .iter()
                .map(|name| ((*name).to_owned(), "here".to_owned()))
                .collect()
        };
        pairs
            .iter()
            .map(|(module, names)| ((*module).to_owned(), used(names)))
            .collect()
    };
    let found = problems(
        &table,
        &uses(&[
            ("top", &["middle"]),
            ("middle", &["twin", "low"]),
            ("twin", &[]),
            ("low", &["top"]),
            ("lost", &[]),
        ]),
    );
    assert_eq!(
        found,
        [
            "`lost` stands in no layer",
            "`low` may use `top`, which is no lower layer",
            "here: `middle` may not use `low`",
            "`top` may use `low` and does not: delete it from the row",
        ]
    );
}

#[test]
fn heads_of_paths_are_found() {
    assert_eq!(heads("fault::Result;"), ["fault"]);
    assert_eq!(
        heads("{\n a::{B, C::{D}},\n e,\n f::G,\n}; use {h}"),
        ["a", "e", "f"]
    );
}
