//! The one rule by which texts are compared, ordered and indexed (FI-2).

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The key under which two texts are equal: case, accents and trailing spaces do not count.
///
/// Pure ASCII, the common case, is folded without normalization.
pub fn collation_key(text: &str) -> String {
    let text = text.trim_end_matches(' ');
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd()
        .filter(|&c| !is_combining_mark(c))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::collation_key;

    #[test]
    fn fi_2_case_accents_and_trailing_spaces_do_not_count() {
        assert_eq!(collation_key("México D.F. "), collation_key("MEXICO d.f."));
        assert_ne!(collation_key("Redmond"), collation_key("Redmont"));
    }
}
