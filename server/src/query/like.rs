//! Patterns of `like` (FI-7): `%` any run, `_` one character, `[abc]`, `[a-c]`, `[^a]`.
//!
//! A pattern is run as a set of states, one bit each, so the time for a text is its length times the
//! pattern's length over 64, whatever the two look like: there is no backtracking to provoke.

use rustc_hash::FxHashMap;

use crate::{
    fault::{Fault, FaultCode, Result},
    limits::LIKE_PATTERN_CHARACTERS_MAX,
    model::collation_key,
};

/// A text as `like` and its relatives see it: case and accents do not count (FI-2), trailing spaces
/// do, because only eq and ne ignore them.
pub fn folded(text: &str) -> String {
    let kept = text.trim_end_matches(' ').len();
    let mut folded = collation_key(text);
    folded.push_str(&text[kept..]);
    folded
}

/// One character of a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    One,
    Literal(char),
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Token {
    fn matches(&self, character: char) -> bool {
        match self {
            Token::One => true,
            Token::Literal(literal) => *literal == character,
            Token::Set { negated, ranges } => {
                ranges
                    .iter()
                    .any(|&(low, high)| (low..=high).contains(&character))
                    != *negated
            }
        }
    }
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    tokens: Vec<Token>,
    /// Bit i: after i tokens any further character may be skipped (`%`).
    skips: Vec<u64>,
    /// For each literal character of the pattern, the tokens that match it.
    known: FxHashMap<char, Vec<u64>>,
    /// The tokens that match a character that is nowhere in the pattern, sets left aside.
    otherwise: Vec<u64>,
    has_sets: bool,
}

impl Pattern {
    /// Compiles a pattern. A `[` that is never closed stands for itself.
    ///
    /// # Errors
    /// `QueryBuilderInvalid_Value` above [`LIKE_PATTERN_CHARACTERS_MAX`].
    pub fn new(text: &str, field: &str) -> Result<Self> {
        if text.chars().count() > LIKE_PATTERN_CHARACTERS_MAX {
            let description =
                format!("a pattern has at most {LIKE_PATTERN_CHARACTERS_MAX} characters");
            return Err(
                Fault::new(FaultCode::QueryBuilderInvalidValue, description.clone())
                    .limit("like_pattern_characters_max", LIKE_PATTERN_CHARACTERS_MAX)
                    .violation(field, description),
            );
        }
        let (tokens, stars) = parse(text);
        let words = tokens.len() / 64 + 1;
        let mut skips = vec![0; words];
        for at in stars {
            set(&mut skips, at);
        }
        let mut otherwise = vec![0; words];
        for (at, token) in tokens.iter().enumerate() {
            if *token == Token::One {
                set(&mut otherwise, at);
            }
        }
        let has_sets = tokens
            .iter()
            .any(|token| matches!(token, Token::Set { .. }));
        let mut pattern = Pattern {
            text: text.to_owned(),
            tokens,
            skips,
            known: FxHashMap::default(),
            otherwise,
            has_sets,
        };
        pattern.learn_literals();
        Ok(pattern)
    }

    /// The masks of every literal, in one pass over the pattern.
    fn learn_literals(&mut self) {
        let mut known: FxHashMap<char, Vec<u64>> = FxHashMap::default();
        for (at, token) in self.tokens.iter().enumerate() {
            if let Token::Literal(literal) = token {
                let mask = known
                    .entry(*literal)
                    .or_insert_with(|| self.otherwise.clone());
                set(mask, at);
            }
        }
        if self.has_sets {
            for (at, token) in self.tokens.iter().enumerate() {
                if matches!(token, Token::Set { .. }) {
                    for (character, mask) in &mut known {
                        if token.matches(*character) {
                            set(mask, at);
                        }
                    }
                }
            }
        }
        self.known = known;
    }

    /// The pattern as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What every match begins with, folded.
    pub fn beginning(&self) -> String {
        let literals = self
            .tokens
            .iter()
            .enumerate()
            .map_while(|(at, token)| match token {
                Token::Literal(literal) if !has(&self.skips, at) => Some(*literal),
                _ => None,
            });
        literals.collect()
    }

    /// Whether the whole of a folded text matches.
    pub fn matches(&self, text: &str) -> bool {
        let words = self.skips.len();
        let end = self.tokens.len();
        let mut states = vec![0_u64; words];
        set(&mut states, 0);
        // Characters that only sets can tell: judged once per text.
        let mut told: FxHashMap<char, Vec<u64>> = FxHashMap::default();
        for character in text.chars() {
            let mask = match self.known.get(&character) {
                Some(mask) => mask,
                None if !self.has_sets => &self.otherwise,
                None => told
                    .entry(character)
                    .or_insert_with(|| self.mask(character)),
            };
            let mut carry = 0;
            let mut alive = 0;
            for word in 0..words {
                let moved = states[word] & mask[word];
                let next = (moved << 1) | carry | (states[word] & self.skips[word]);
                carry = moved >> 63;
                states[word] = next;
                alive |= next;
            }
            if alive == 0 {
                return false;
            }
        }
        has(&states, end)
    }

    fn mask(&self, character: char) -> Vec<u64> {
        let mut mask = self.otherwise.clone();
        for (at, token) in self.tokens.iter().enumerate() {
            if token.matches(character) {
                set(&mut mask, at);
            }
        }
        mask
    }
}

fn set(bits: &mut [u64], at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn has(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64)
        .is_some_and(|word| word >> (at % 64) & 1 == 1)
}

/// Tokens, and after how many of them a `%` stands. Wildcards are found before folding, so that a
/// character which merely folds to one is not taken for it.
fn parse(text: &str) -> (Vec<Token>, Vec<usize>) {
    let characters: Vec<char> = text.chars().collect();
    let (mut tokens, mut stars) = (Vec::new(), Vec::new());
    let mut at = 0;
    // Where a `[` is known to have no end, so that many of them are not searched again and again.
    let mut unclosed = false;
    while let Some(&character) = characters.get(at) {
        at += 1;
        match character {
            '%' => stars.push(tokens.len()),
            '_' => tokens.push(Token::One),
            '[' if !unclosed => match parse_set(&characters, at) {
                Some((token, after)) => {
                    tokens.push(token);
                    at = after;
                }
                None => {
                    unclosed = true;
                    tokens.push(Token::Literal('['));
                }
            },
            other => tokens.extend(fold(other).map(Token::Literal)),
        }
    }
    (tokens, stars)
}

/// The set that begins after a `[`, and where it ends.
fn parse_set(characters: &[char], from: usize) -> Option<(Token, usize)> {
    let negated = characters.get(from) == Some(&'^');
    let first = from + usize::from(negated);
    // A `]` right at the start belongs to the set.
    let end = first
        + 1
        + characters
            .get(first + 1..)?
            .iter()
            .position(|&c| c == ']')?;
    let inner = characters.get(first..end)?;
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(&low) = inner.get(at) {
        if let (Some('-'), Some(&high)) = (inner.get(at + 1), inner.get(at + 2)) {
            ranges.push((
                fold(low).next().unwrap_or(low),
                fold(high).next().unwrap_or(high),
            ));
            at += 3;
        } else {
            ranges.extend(fold(low).map(|c| (c, c)));
            at += 1;
        }
    }
    Some((Token::Set { negated, ranges }, end + 1))
}

fn fold(character: char) -> std::vec::IntoIter<char> {
    let mut buffer = [0; 4];
    folded(character.encode_utf8(&mut buffer))
        .chars()
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn like(text: &str, pattern: &str) -> bool {
        Pattern::new(pattern, "p").unwrap().matches(&folded(text))
    }

    #[test]
    fn fi_7_wildcards() {
        for (text, pattern, expected) in [
            ("Contoso Ltd", "contoso%", true),
            ("Contoso Ltd", "%LTD", true),
            ("Contoso Ltd", "%to%lt%", true),
            ("Contoso Ltd", "contoso", false),
            ("", "%", true),
            ("", "", true),
            ("", "_", false),
            ("a", "", false),
            ("ab", "a_", true),
            ("abc", "a_", false),
            ("bat", "[bc]at", true),
            ("cat", "[a-c]at", true),
            ("dat", "[a-c]at", false),
            ("dat", "[^a-c]at", true),
            ("bat", "[^B]at", false),
            ("50%", "50[%]", true),
            ("500", "50[%]", false),
            ("a]", "a[]]", true),
            ("a[b", "a[b", true),
            ("[[[", "[[[", true),
            ("México", "mex_co", true),
            ("a\u{ff05}b", "a\u{ff05}b", true),
            ("axb", "a\u{ff05}b", false),
            ("a ", "a", false),
            ("a ", "a ", true),
        ] {
            assert_eq!(like(text, pattern), expected, "{text:?} like {pattern:?}");
        }
    }

    #[test]
    fn a_pattern_made_to_backtrack_takes_linear_time() {
        let text = "a".repeat(10_000);
        let pattern = format!("{}b", "%a".repeat(500));
        assert!(!like(&text, &pattern));
        let sets = format!("{}b", "%[a-z]".repeat(500));
        assert!(!like(&text, &sets));
    }

    #[test]
    fn folding_twice_is_folding_once() {
        // Index ranges are made of what is folded already.
        for character in '\0'..=char::MAX {
            let once = folded(&character.to_string());
            assert_eq!(folded(&once), once, "{character:?}");
        }
    }

    #[test]
    fn the_beginning_is_what_stands_before_the_first_wildcard() {
        for (pattern, beginning) in [
            ("ABC%", "abc"),
            ("%a", ""),
            ("a_b", "a"),
            ("é[x]", "e"),
            ("x", "x"),
        ] {
            assert_eq!(
                Pattern::new(pattern, "p").unwrap().beginning(),
                beginning,
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_longer_pattern_than_allowed_names_the_bound() {
        let fault = Pattern::new(&"a".repeat(LIKE_PATTERN_CHARACTERS_MAX + 1), "here").unwrap_err();
        assert_eq!(fault.body().details["limit"], "like_pattern_characters_max");
        assert_eq!(fault.body().violations[0].field, "here");
    }

    /// The definition, by recursion.
    fn naive(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|at| naive(&text[at..], rest)),
            Some((&c, rest)) => text
                .split_first()
                .is_some_and(|(&t, tail)| (c == '_' || c == t) && naive(tail, rest)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(text in "[ab]{0,8}", pattern in "[ab%_]{0,7}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(like(&text, &pattern), naive(&chars(&text), &chars(&pattern)));
        }

        #[test]
        fn agrees_with_the_definition_beyond_one_word(
            text in "[ab]{60,90}", pattern in "[ab_]{60,90}(%[ab]{0,3})?",
        ) {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(like(&text, &pattern), naive(&chars(&text), &chars(&pattern)));
            prop_assert!(like(&text, &text));
        }
    }
}
