//! Columns on the command line: `name=Contoso`, `revenue:money=5000.00`.

use std::str::FromStr;

use jiff::{Timestamp, civil};
use orgservice_client::{
    Decimal, Entity, EntityReference, Money, OptionSet, OrganizationRequest, Uuid, Value,
};

use crate::failure::{Failure, Result};

/// The forms of values, for the help of every command that takes them.
pub const SYNTAX: &str = "\
Values are COLUMN=TEXT, or COLUMN:TYPE=VALUE for other types than text:
  name=Contoso                          text
  numberofemployees:int=500             whole number, 32 bits (bigint: 64 bits)
  revenue:money=5000.00                 amount of money (decimal, float: other numbers)
  creditonhold:bool=true                true or false
  accountcategorycode:option=1          choice (options=1,3: several)
  birthdate:date=1970-02-28             day, or point in time: 2026-01-31T12:00:00Z
  primarycontactid:lookup=contact/GUID  lookup, TABLE/GUID
  accountid:guid=GUID                   id
  telephone1:null=                      clears the column";

/// The types, for whoever guessed another one.
const TYPES: &str = "text, int, bigint, decimal, double, money, bool, option, options, date, guid, \
                     lookup, null";

/// One `COLUMN=TEXT` or `COLUMN:TYPE=VALUE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Logical name of the column, or name of the parameter.
    pub column: String,
    /// What it becomes.
    pub value: Value,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not of the form COLUMN=VALUE"))?;
        let (column, kind) = name.split_once(':').unwrap_or((name, "text"));
        if column.is_empty() {
            return Err(format!("`{text}` names no column before `=`"));
        }
        Ok(Self {
            column: column.to_owned(),
            value: parse(kind, value).map_err(|problem| format!("`{text}`: {problem}"))?,
        })
    }
}

impl Assignment {
    /// A record with columns set.
    pub fn set_all(mut record: Entity, assignments: &[Self]) -> Entity {
        for assignment in assignments {
            record.insert(assignment.column.clone(), assignment.value.clone());
        }
        record
    }

    /// A request with parameters set.
    pub fn set_parameters(
        mut request: OrganizationRequest,
        assignments: &[Self],
    ) -> OrganizationRequest {
        for assignment in assignments {
            request
                .parameters
                .insert(assignment.column.clone(), assignment.value.clone());
        }
        request
    }
}

fn parse(kind: &str, text: &str) -> std::result::Result<Value, String> {
    let expected = |what: &str| format!("`{text}` is not {what}");
    Ok(match kind {
        "text" | "string" => text.into(),
        "int" => number::<i32>(text, "a whole number of 32 bits")?.into(),
        "bigint" => number::<i64>(text, "a whole number of 64 bits")?.into(),
        "float" | "double" => number::<f64>(text, "a number")?.into(),
        "decimal" => decimal(text)?.into(),
        "money" => Money(decimal(text)?).into(),
        "bool" => match text {
            "true" => true.into(),
            "false" => false.into(),
            _ => return Err(expected("true or false")),
        },
        "option" => OptionSet(number(text, "the number of an option")?).into(),
        "options" => text
            .split(',')
            .filter(|number| !number.is_empty())
            .map(|text| number(text.trim(), "the number of an option").map(OptionSet))
            .collect::<std::result::Result<Vec<_>, _>>()?
            .into(),
        "date" => time(text)
            .ok_or_else(|| expected("a day (2026-01-31) or a time (2026-01-31T12:00:00Z)"))?
            .into(),
        "guid" => guid(text).ok_or_else(|| expected("a GUID"))?.into(),
        "lookup" => reference(text)
            .ok_or_else(|| expected("of the form TABLE/GUID"))?
            .into(),
        "null" if text.is_empty() => Value::Null,
        "null" => return Err("nothing may follow `null=`".to_owned()),
        other => return Err(format!("there is no type `{other}`; there are {TYPES}")),
    })
}

fn number<T: FromStr>(text: &str, what: &str) -> std::result::Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is not {what}"))
}

/// Plain notation, exact: no exponent, no separators (GV-3).
fn decimal(text: &str) -> std::result::Result<Decimal, String> {
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.');
    if text.chars().all(plain)
        && let Ok(decimal) = Decimal::from_str_exact(text)
    {
        return Ok(decimal);
    }
    Err(format!("`{text}` is not a decimal number, such as 5000.00"))
}

/// A point in time; a day alone is its midnight in UTC, as DateOnly columns carry it (GV-4).
pub fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let day: civil::Date = text.parse().ok()?;
    let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp())
}

/// Hyphenated, with or without braces, or 32 hexadecimal digits (G-8).
pub fn guid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// `contact/GUID`.
pub fn reference(text: &str) -> Option<EntityReference> {
    let (table, id) = text.split_once('/')?;
    (!table.is_empty()).then_some(())?;
    Some(EntityReference::new(table, guid(id)?))
}

/// A GUID that a command needs.
pub fn required_guid(text: &str) -> Result<Uuid> {
    guid(text).ok_or_else(|| Failure::usage(format!("`{text}` is not a GUID")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use super::*;

    fn value(text: &str) -> Value {
        text.parse::<Assignment>().unwrap().value
    }

    fn refusal(text: &str) -> String {
        text.parse::<Assignment>().unwrap_err()
    }

    const ID: &str = "e6fa5509-2582-e811-a95e-000d3af40ae7";

    #[test]
    fn every_type_has_its_form() {
        let id = Uuid::try_parse(ID).unwrap();
        assert_eq!(value("name=Contoso"), "Contoso".into());
        assert_eq!(value("name="), "".into());
        assert_eq!(value("name=a=b:c"), "a=b:c".into());
        assert_eq!(value("x:int=-5"), (-5).into());
        assert_eq!(value("x:bigint=5000000000"), 5_000_000_000_i64.into());
        assert_eq!(value("x:float=0.5"), 0.5.into());
        assert_eq!(value("x:bool=false"), false.into());
        assert_eq!(value("x:option=3"), OptionSet(3).into());
        assert_eq!(
            value("x:options=3, 1"),
            vec![OptionSet(3), OptionSet(1)].into()
        );
        assert_eq!(value(&format!("x:guid={{{ID}}}")), id.into());
        assert_eq!(
            value(&format!("primarycontactid:lookup=contact/{ID}")),
            EntityReference::new("contact", id).into()
        );
        assert_eq!(value("x:null="), Value::Null);
    }

    #[test]
    fn money_keeps_its_cents() {
        let Value::Money(money) = value("revenue:money=5000.00") else {
            panic!("not money");
        };
        assert_eq!(money.to_string(), "5000.00");
        for broken in ["1e5", "1,000", "", "ten"] {
            assert!(refusal(&format!("revenue:money={broken}")).contains("decimal"));
        }
    }

    #[test]
    fn days_and_times() {
        assert_eq!(text_of("x:date=1970-02-28"), "1970-02-28T00:00:00Z");
        assert_eq!(
            text_of("x:date=2026-01-31T12:00:00+01:00"),
            "2026-01-31T11:00:00Z"
        );
        assert!(refusal("x:date=tomorrow").contains("2026-01-31"));
    }

    fn text_of(text: &str) -> String {
        crate::output::text_of(&value(text))
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        assert_eq!(refusal("name"), "`name` is not of the form COLUMN=VALUE");
        assert_eq!(refusal("=x"), "`=x` names no column before `=`");
        assert_eq!(
            refusal("x:integer=1"),
            "`x:integer=1`: there is no type `integer`; there are text, int, bigint, decimal, double, \
             money, bool, option, options, date, guid, lookup, null"
        );
        assert!(refusal("x:int=2147483648").contains("32 bits"));
        assert!(refusal("x:bool=yes").contains("true or false"));
        assert!(refusal("x:lookup=contact").contains("TABLE/GUID"));
        assert!(refusal("x:null=0").contains("null"));
    }
}
