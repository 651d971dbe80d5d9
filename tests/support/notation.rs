//! The notation of `security.md` 0: `account[CRWPT:l, D:u]`.

use std::collections::BTreeMap;

use orgservice::v1::AccessRight;
use orgservice_security::{AccessRights, PrivilegeDepth, Right};

/// One thing a role contains.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Granted {
    /// A right on the records of a table, at a depth.
    Table(String, Right, PrivilegeDepth),
    /// A privilege that belongs to no table, by name.
    Misc(String),
}

/// Reads what a role contains: tables with rights at depths, and names of privileges, separated by
/// commas. `None` for a text that is the name of a role.
pub fn role(text: &str) -> Option<Vec<Granted>> {
    if !text.contains('[') && !text.starts_with("prv") {
        return None;
    }
    let mut contained = Vec::new();
    for item in outside_brackets(text) {
        match item.split_once('[') {
            None => contained.push(Granted::Misc(item.to_owned())),
            Some((table, inner)) => {
                let inner = inner
                    .strip_suffix(']')
                    .unwrap_or_else(|| panic!("`{item}` has no `]`"));
                for group in inner.split(',') {
                    let (letters, depth) = group
                        .trim()
                        .split_once(':')
                        .unwrap_or_else(|| panic!("`{group}` in `{text}` has no depth"));
                    for right in rights(letters) {
                        contained.push(Granted::Table(table.to_owned(), right, self::depth(depth)));
                    }
                }
            }
        }
    }
    Some(contained)
}

/// Reads letters of rights.
pub fn rights(letters: &str) -> Vec<Right> {
    letters.chars().map(right).collect()
}

/// Rights of a share, as the contract writes them.
pub fn access_rights(letters: &str) -> Vec<AccessRight> {
    rights(letters).into_iter().map(access_right).collect()
}

/// Rights as a mask (PR-5).
pub fn mask(rights: impl IntoIterator<Item = Right>) -> u32 {
    rights
        .into_iter()
        .fold(AccessRights::empty(), |mask, right| mask | right.flag())
        .bits()
}

/// The rights of a privilege matrix: what is there for one table, written back in the notation with
/// the depths in the order of the letters `CRWDPTGS` (`CRW:l G:u`).
pub fn matrix(depths: &BTreeMap<Right, PrivilegeDepth>) -> String {
    let mut text = String::new();
    let mut last = None;
    for right in Right::ALL {
        let Some(&depth) = depths.get(&right) else {
            continue;
        };
        if last.is_some_and(|last| last != depth) {
            text.push_str(&format!(":{} ", last.map_or(' ', depth_letter)));
        }
        text.push(right_letter(right));
        last = Some(depth);
    }
    if let Some(last) = last {
        text.push_str(&format!(":{}", depth_letter(last)));
    }
    text
}

fn outside_brackets(text: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            ',' if !inside => {
                items.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(text[start..].trim());
    items
}

fn right(letter: char) -> Right {
    Right::ALL
        .into_iter()
        .find(|&right| right_letter(right) == letter)
        .unwrap_or_else(|| panic!("`{letter}` is no right"))
}

fn right_letter(right: Right) -> char {
    match right {
        Right::Create => 'C',
        Right::Read => 'R',
        Right::Write => 'W',
        Right::Delete => 'D',
        Right::Append => 'P',
        Right::AppendTo => 'T',
        Right::Assign => 'G',
        Right::Share => 'S',
    }
}

fn access_right(right: Right) -> AccessRight {
    match right {
        Right::Create => AccessRight::Create,
        Right::Read => AccessRight::Read,
        Right::Write => AccessRight::Write,
        Right::Delete => AccessRight::Delete,
        Right::Append => AccessRight::Append,
        Right::AppendTo => AccessRight::AppendTo,
        Right::Assign => AccessRight::Assign,
        Right::Share => AccessRight::Share,
    }
}

const DEPTHS: [(char, PrivilegeDepth); 4] = [
    ('u', PrivilegeDepth::Basic),
    ('l', PrivilegeDepth::Local),
    ('d', PrivilegeDepth::Deep),
    ('o', PrivilegeDepth::Global),
];

fn depth(letter: &str) -> PrivilegeDepth {
    DEPTHS
        .iter()
        .find(|(known, _)| letter.trim() == known.to_string())
        .unwrap_or_else(|| panic!("`{letter}` is no depth"))
        .1
}

fn depth_letter(depth: PrivilegeDepth) -> char {
    DEPTHS
        .iter()
        .find(|(_, known)| *known == depth)
        .map_or('?', |(letter, _)| *letter)
}
