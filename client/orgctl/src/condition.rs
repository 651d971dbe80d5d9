//! Conditions on the command line: `name like 'A%'`, `revenue > 1000`, `telephone1 is null`.
//!
//! The operators are FetchXML's, beside the signs that everybody knows.

use orgservice_client::{ConditionOperator, Decimal, Filter, Value, column};

use crate::value::{guid, time};

/// The forms of conditions, for the help.
pub const SYNTAX: &str = "\
Conditions are COLUMN OPERATOR [VALUE], and several of them must all hold:
  name like 'A%'              texts stand in '…' (a quote in them is doubled) or are single words
  revenue >= 1000             = != > >= < <=
  address1_city in (London, 'Buenos Aires')
  createdon between 2026-01-01 and 2026-06-30
  telephone1 is null          is not null
  name begins-with A          and the other operators on texts: ends-with, not-like, …
Words are read as true, false, numbers, days, times or GUIDs where they look like it; write '12209' for the
text. For combinations with or use --json.";

/// Names of FetchXML, and signs, that are not simply the name of the operator in the contract.
const NAMES: [(&str, ConditionOperator); 32] = [
    ("=", ConditionOperator::Equal),
    ("eq", ConditionOperator::Equal),
    ("!=", ConditionOperator::NotEqual),
    ("<>", ConditionOperator::NotEqual),
    ("ne", ConditionOperator::NotEqual),
    ("neq", ConditionOperator::NotEqual),
    (">", ConditionOperator::GreaterThan),
    ("gt", ConditionOperator::GreaterThan),
    (">=", ConditionOperator::GreaterEqual),
    ("ge", ConditionOperator::GreaterEqual),
    ("<", ConditionOperator::LessThan),
    ("lt", ConditionOperator::LessThan),
    ("<=", ConditionOperator::LessEqual),
    ("le", ConditionOperator::LessEqual),
    ("not-begin-with", ConditionOperator::DoesNotBeginWith),
    ("not-end-with", ConditionOperator::DoesNotEndWith),
    ("not-contain", ConditionOperator::DoesNotContain),
    (
        "not-contain-values",
        ConditionOperator::DoesNotContainValues,
    ),
    ("last-seven-days", ConditionOperator::Last7Days),
    ("next-seven-days", ConditionOperator::Next7Days),
    ("eq-userid", ConditionOperator::EqualUserId),
    ("ne-userid", ConditionOperator::NotEqualUserId),
    ("eq-businessid", ConditionOperator::EqualBusinessId),
    ("ne-businessid", ConditionOperator::NotEqualBusinessId),
    ("eq-userteams", ConditionOperator::EqualUserTeams),
    (
        "eq-useroruserteams",
        ConditionOperator::EqualUserOrUserTeams,
    ),
    (
        "eq-useroruserhierarchy",
        ConditionOperator::EqualUserOrUserHierarchy,
    ),
    (
        "eq-useroruserhierarchyandteams",
        ConditionOperator::EqualUserOrUserHierarchyAndTeams,
    ),
    ("eq-userlanguage", ConditionOperator::EqualUserLanguage),
    ("eq-or-above", ConditionOperator::AboveOrEqual),
    ("eq-or-under", ConditionOperator::UnderOrEqual),
    ("begin-with", ConditionOperator::BeginsWith),
];

/// Reads one condition.
///
/// # Errors
/// What is wrong with it, for people.
pub fn parse(text: &str) -> Result<Filter, String> {
    let in_text = |problem: String| format!("condition `{text}`: {problem}");
    let tokens = tokens(text).map_err(in_text)?;
    let mut rest = tokens.as_slice();
    let Some(Token::Word(name)) = next(&mut rest) else {
        return Err(in_text("a column must come first".to_owned()));
    };
    let operator = operator(&mut rest).map_err(in_text)?;
    let values = values(operator, rest).map_err(in_text)?;
    Ok(column(name).compare(operator, values))
}

/// For clap, which wants an owned type that knows how to read itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub Filter);

impl std::str::FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).map(Self)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A bare word or a sign.
    Word(String),
    /// A text in quotes.
    Text(String),
    Open,
    Close,
    Comma,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&first) = chars.peek() {
        match first {
            ' ' | '\t' | '\n' => {
                chars.next();
            }
            '(' | ')' | ',' => {
                chars.next();
                tokens.push(match first {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Comma,
                });
            }
            '\'' | '"' => {
                chars.next();
                tokens.push(Token::Text(quoted(first, &mut chars)?));
            }
            _ => {
                let is_sign = is_comparison(first);
                let mut word = String::new();
                while let Some(&c) = chars.peek() {
                    let ends = c.is_whitespace() || "(),'\"".contains(c);
                    if ends || is_comparison(c) != is_sign {
                        break;
                    }
                    word.push(c);
                    chars.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

fn is_comparison(c: char) -> bool {
    matches!(c, '=' | '!' | '<' | '>')
}

fn quoted(
    quote: char,
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<String, String> {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        if c != quote {
            text.push(c);
        } else if chars.peek() == Some(&quote) {
            text.push(quote);
            chars.next();
        } else {
            return Ok(text);
        }
    }
    Err(format!(
        "the text that begins with {quote}{text} does not end"
    ))
}

fn next<'a>(rest: &mut &'a [Token]) -> Option<&'a Token> {
    let (first, others) = rest.split_first()?;
    *rest = others;
    Some(first)
}

/// Takes the next word if it is this one.
fn eat(rest: &mut &[Token], word: &str) -> bool {
    match rest.first() {
        Some(Token::Word(found)) if found.eq_ignore_ascii_case(word) => {
            *rest = &rest[1..];
            true
        }
        _ => false,
    }
}

fn operator(rest: &mut &[Token]) -> Result<ConditionOperator, String> {
    let Some(Token::Word(word)) = next(rest) else {
        return Err("an operator must follow the column".to_owned());
    };
    let mut name = word.to_ascii_lowercase();
    // `is null`, `is not null`, `not like`, `not in`: as SQL says it.
    if name == "is" {
        name = if eat(rest, "not") { "not-null" } else { "null" }.to_owned();
        if !eat(rest, "null") {
            return Err("`is` is followed by `null` or `not null`".to_owned());
        }
    } else if name == "not"
        && let Some(Token::Word(word)) = next(rest)
    {
        name = format!("not-{}", word.to_ascii_lowercase());
    }
    if let Some((_, operator)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Ok(*operator);
    }
    let name = name.replace("olderthan-", "older-than-");
    let of_contract = format!(
        "CONDITION_OPERATOR_{}",
        name.replace('-', "_").to_ascii_uppercase()
    );
    match ConditionOperator::from_str_name(&of_contract) {
        Some(ConditionOperator::Unspecified) | None => {
            Err(format!("there is no operator `{word}`"))
        }
        Some(operator) => Ok(operator),
    }
}

fn values(operator: ConditionOperator, mut rest: &[Token]) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    if rest.first() == Some(&Token::Open) {
        rest = &rest[1..];
        loop {
            values.push(value(next(&mut rest))?);
            match next(&mut rest) {
                Some(Token::Comma) => {}
                Some(Token::Close) => break,
                _ => return Err("a list is (VALUE, VALUE, …)".to_owned()),
            }
        }
    } else if !rest.is_empty() {
        values.push(value(next(&mut rest))?);
        let is_range = matches!(
            operator,
            ConditionOperator::Between | ConditionOperator::NotBetween
        );
        if is_range && eat(&mut rest, "and") {
            values.push(value(next(&mut rest))?);
        }
    }
    match rest.first() {
        None => Ok(values),
        Some(Token::Word(word) | Token::Text(word)) => Err(format!(
            "`{word}` is too much; a text of several words stands in quotes"
        )),
        Some(_) => Err("a parenthesis or comma is too much".to_owned()),
    }
}

fn value(token: Option<&Token>) -> Result<Value, String> {
    match token {
        Some(Token::Text(text)) => Ok(text.into()),
        Some(Token::Word(word)) => Ok(bare(word)),
        _ => Err("a value is missing".to_owned()),
    }
}

/// A bare word: the most special kind that it can be.
fn bare(word: &str) -> Value {
    if let Ok(number) = word.parse::<i32>() {
        return number.into();
    }
    if let Ok(number) = word.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = Decimal::from_str_exact(word) {
        return number.into();
    }
    match word {
        "true" => true.into(),
        "false" => false.into(),
        _ => guid(word)
            .map(Into::into)
            .or_else(|| time(word).map(Into::into))
            .unwrap_or_else(|| word.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use orgservice_client::{Timestamp, Uuid};

    use super::*;

    fn same(text: &str, filter: Filter) {
        assert_eq!(parse(text).unwrap(), filter, "{text}");
    }

    #[test]
    fn signs_and_names_are_the_same_operators() {
        same("revenue > 1000", column("revenue").greater_than(1000));
        same("revenue gt 1000", column("revenue").greater_than(1000));
        same("revenue>1000", column("revenue").greater_than(1000));
        same("revenue>=-5", column("revenue").greater_equal(-5));
        same("name != Contoso", column("name").not_equal("Contoso"));
        same("name <> Contoso", column("name").not_equal("Contoso"));
        same("name EQ Contoso", column("name").equal("Contoso"));
    }

    #[test]
    fn texts_stand_in_quotes() {
        same("name like 'A%'", column("name").like("A%"));
        same("name not like 'A%'", column("name").not_like("A%"));
        same("name not-like 'A%'", column("name").not_like("A%"));
        same("name = 'Bon app'''", column("name").equal("Bon app'"));
        same(
            "name = \"B's Beverages\"",
            column("name").equal("B's Beverages"),
        );
        same("postalcode = '12209'", column("postalcode").equal("12209"));
        same("name = ''", column("name").equal(""));
    }

    #[test]
    fn lists_ranges_and_nulls() {
        same(
            "city in (London, 'Buenos Aires')",
            column("city").is_in(["London", "Buenos Aires"]),
        );
        same("n not in (1,2)", column("n").not_in([1, 2]));
        same("n between 1 and 5", column("n").between(1, 5));
        same("fax is null", column("fax").is_null());
        same("fax is not null", column("fax").is_not_null());
        same("fax not-null", column("fax").is_not_null());
    }

    #[test]
    fn operators_of_fetch_xml() {
        same("ownerid eq-userid", column("ownerid").equal_user_id());
        same(
            "createdon last-x-days 7",
            column("createdon").last_x_days(7),
        );
        same(
            "createdon olderthan-x-months 2",
            column("createdon").older_than_x_months(2),
        );
        same("name begins-with Con", column("name").begins_with("Con"));
        same(
            "name not-begin-with Con",
            column("name").does_not_begin_with("Con"),
        );
        same("createdon today", column("createdon").today());
    }

    #[test]
    fn bare_words_become_what_they_look_like() {
        assert_eq!(bare("true"), true.into());
        assert_eq!(bare("5000000000"), 5_000_000_000_i64.into());
        assert_eq!(bare("12.50").kind(), "Decimal");
        assert_eq!(
            bare("2026-01-31"),
            "2026-01-31T00:00:00Z".parse::<Timestamp>().unwrap().into()
        );
        let id = "e6fa5509-2582-e811-a95e-000d3af40ae7";
        assert_eq!(bare(id), Uuid::try_parse(id).unwrap().into());
        assert_eq!(bare("London"), "London".into());
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let refusal = |text: &str| parse(text).unwrap_err();
        assert!(refusal("").contains("a column must come first"));
        assert!(refusal("name").contains("an operator must follow"));
        assert!(refusal("name resembles x").contains("no operator `resembles`"));
        assert!(refusal("name unspecified x").contains("no operator"));
        assert!(refusal("name = Bon app").contains("`app` is too much"));
        assert!(refusal("name = 'Bon").contains("does not end"));
        assert!(refusal("name in (a, b").contains("a list is"));
        assert!(refusal("name in (a,").contains("a value is missing"));
        assert!(refusal("name is nothing").contains("not null"));
    }
}
