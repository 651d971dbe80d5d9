//! Paging of FetchXML: page number and cookie are attributes of the `fetch` element.
//!
//! Only the start tag of that element is touched. Whether the rest is well-formed is for the server to say.

use std::ops::Range;

/// The same query, for another page. `None` if the text has no `fetch` element to write into.
pub(crate) fn at_page(text: &str, page: i32, cookie: &str) -> Option<String> {
    let tag = fetch_tag(text)?;
    let name_end = tag.start + "<fetch".len();
    let mut paged = String::with_capacity(text.len() + cookie.len() + 40);
    paged.push_str(&text[..name_end]);
    paged.push_str(&format!(" page='{page}'"));
    if !cookie.is_empty() {
        paged.push_str(" paging-cookie='");
        escape(cookie, &mut paged);
        paged.push('\'');
    }
    let mut rest = name_end;
    for attribute in attributes(text, name_end..tag.end) {
        if matches!(&text[attribute.name], "page" | "paging-cookie") {
            paged.push_str(&text[rest..attribute.start]);
            rest = attribute.end;
        }
    }
    paged.push_str(&text[rest..]);
    Some(paged)
}

/// The page that the query asks for; 1 unless it says another number.
pub(crate) fn page(text: &str) -> i32 {
    let Some(tag) = fetch_tag(text) else { return 1 };
    attributes(text, tag.start + "<fetch".len()..tag.end)
        .into_iter()
        .find(|attribute| &text[attribute.name.clone()] == "page")
        .and_then(|attribute| text[attribute.value].trim().parse().ok())
        .filter(|page| *page > 0)
        .unwrap_or(1)
}

/// The start tag of the first element if that is `fetch`, without its closing `>`.
fn fetch_tag(text: &str) -> Option<Range<usize>> {
    let mut start = 0;
    loop {
        start += text[start..].find('<')?;
        let rest = &text[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            start += "<!--".len() + comment.find("-->")? + "-->".len();
        } else if rest.starts_with("<?") {
            start += rest.find("?>")? + "?>".len();
        } else {
            break;
        }
    }
    let name = text[start..].strip_prefix("<fetch")?;
    if !name.starts_with(|next: char| next.is_whitespace() || next == '>' || next == '/') {
        return None;
    }
    let mut quote = None;
    for (offset, character) in name.char_indices() {
        match (quote, character) {
            (None, '>') => return Some(start..start + "<fetch".len() + offset),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    None
}

/// One attribute of a start tag, with the white space before it.
struct Attribute {
    start: usize,
    name: Range<usize>,
    value: Range<usize>,
    end: usize,
}

fn attributes(text: &str, tag: Range<usize>) -> Vec<Attribute> {
    let mut found = Vec::new();
    let mut at = tag.start;
    while let Some(equals) = text[at..tag.end].find('=').map(|offset| at + offset) {
        let before = &text[at..equals];
        let name_start = at + (before.len() - before.trim_start().len());
        let name = name_start..name_start + before.trim().len();
        let value = text[equals + 1..tag.end].trim_start();
        let value_start = tag.end - value.len();
        let Some(quote) = value
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''))
        else {
            break;
        };
        let Some(length) = value[1..].find(quote) else {
            break;
        };
        let end = value_start + length + 2;
        found.push(Attribute {
            start: at,
            name,
            value: value_start + 1..end - 1,
            end,
        });
        at = end;
    }
    found
}

fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&apos;"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_page_and_cookie_into_the_fetch_element() {
        let cases = [
            (
                "<fetch><entity/></fetch>",
                "",
                "<fetch page='2'><entity/></fetch>",
            ),
            ("<fetch/>", "", "<fetch page='2'/>"),
            (
                "<fetch count='3'>",
                "<cookie a=\"1\"/>",
                "<fetch page='2' paging-cookie='&lt;cookie a=&quot;1&quot;/&gt;' count='3'>",
            ),
            (
                "<fetch page = \"1\" count='3'>",
                "",
                "<fetch page='2' count='3'>",
            ),
            (
                "<fetch count='3' paging-cookie='a>b' page='1' top='1'>",
                "c",
                "<fetch page='2' paging-cookie='c' count='3' top='1'>",
            ),
            (
                "<?xml version='1.0'?>\n<!-- <fetch> -->\n<fetch\n\tpage='1'>",
                "",
                "<?xml version='1.0'?>\n<!-- <fetch> -->\n<fetch page='2'>",
            ),
            (
                "<fetch a='page=5' page='1'>",
                "",
                "<fetch page='2' a='page=5'>",
            ),
        ];
        for (text, cookie, expected) in cases {
            assert_eq!(
                at_page(text, 2, cookie).as_deref(),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn reads_the_page() {
        for (text, expected) in [
            ("<fetch page='7'>", 7),
            ("<fetch count=\"2\" page = \" 3 \"/>", 3),
            ("<fetch>", 1),
            ("<fetch page='0'>", 1),
            ("<fetch page='x'>", 1),
            ("no query", 1),
        ] {
            assert_eq!(page(text), expected, "{text}");
        }
    }

    #[test]
    fn leaves_other_texts_to_the_server() {
        for text in [
            "",
            "fetch",
            "<entity/>",
            "<fetcher>",
            "<fetch a='>",
            "<!-- <fetch>",
        ] {
            assert_eq!(at_page(text, 2, ""), None, "{text}");
        }
    }
}
