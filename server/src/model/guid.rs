//! GUIDs as text (G-8).

use uuid::Uuid;

/// Reads a GUID: hyphenated in any case, with or without braces, or 32 hex digits; nothing else.
pub fn parse_guid(text: &str) -> Option<Uuid> {
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(text);
    // The library also reads `urn:uuid:` forms, which the contract does not know.
    let plain = inner.len() == 36 || (inner.len() == 32 && inner.len() == text.len());
    if plain {
        Uuid::try_parse(inner).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::parse_guid;

    #[test]
    fn g_8_forms() {
        let id = parse_guid("4026be43-6b69-e111-8f65-78e7d1620f5e");
        assert!(id.is_some());
        for same in [
            "4026BE43-6B69-E111-8F65-78E7D1620F5E",
            "{4026be43-6b69-e111-8f65-78e7d1620f5e}",
            "4026be436b69e1118f6578e7d1620f5e",
        ] {
            assert_eq!(parse_guid(same), id, "{same}");
        }
        for bad in [
            "",
            " ",
            "not-a-guid",
            "urn:uuid:4026be43-6b69-e111-8f65-78e7d1620f5e",
            "{4026be43",
            "4026be43-6b69-e111-8f65-78e7d1620f5g",
        ] {
            assert_eq!(parse_guid(bad), None, "{bad}");
        }
    }
}
