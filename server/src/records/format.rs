//! Display texts of values, in en-US (FV-2).

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::{
    metadata::{ColumnDefinition, ColumnType, DateTimeBehavior, OptionDefinition},
    model::Value,
};

/// `M/d/yyyy h:mm tt`.
const DATE_AND_TIME: &str = "%-m/%-d/%Y %-I:%M %p";

/// `M/d/yyyy`.
const DATE: &str = "%-m/%-d/%Y";

/// How amounts of a currency are shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Currency {
    /// Written in front of the amount (`$`).
    pub symbol: String,
    /// Digits after the point.
    pub precision: u32,
}

/// The display text of a value; `None` for what has none: text, GUIDs, BigInts, pictures,
/// null, and references, whose text is the name of the record they point at (RT-6).
///
/// Money without a currency is shown as a number with the column's precision.
pub fn formatted_value(
    column: &ColumnDefinition,
    value: &Value,
    currency: Option<&Currency>,
    time_zone: &TimeZone,
) -> Option<String> {
    match (&column.kind, value) {
        (ColumnType::Boolean { labels, .. }, Value::Boolean(flag)) => {
            Some(if *flag { labels.0 } else { labels.1 }.to_owned())
        }
        (
            ColumnType::Picklist { options, .. } | ColumnType::State { options },
            Value::OptionSet(chosen),
        ) => label(options, *chosen).map(str::to_owned),
        (ColumnType::Status { options }, Value::OptionSet(chosen)) => options
            .iter()
            .find(|option| option.value == *chosen)
            .map(|option| option.label.to_string()),
        (ColumnType::MultiSelect { options }, Value::OptionSets(chosen)) => {
            let labels: Vec<&str> = chosen
                .iter()
                .filter_map(|&chosen| label(options, chosen))
                .collect();
            Some(labels.join("; "))
        }
        (ColumnType::Integer { .. }, Value::Integer(number)) => Some(grouped(&number.to_string())),
        (ColumnType::Decimal { precision, .. }, Value::Decimal(number)) => {
            Some(grouped(&fixed(*number, *precision)))
        }
        (ColumnType::Double { precision, .. }, Value::Double(number)) => {
            let precision = usize::try_from(*precision).unwrap_or_default();
            Some(grouped(&format!("{number:.precision$}")))
        }
        (ColumnType::Money { precision, .. }, Value::Money(amount)) => {
            Some(money(*amount, *precision, currency))
        }
        (ColumnType::DateTime(behavior), Value::DateTime(instant)) => {
            date_time(*behavior, *instant, time_zone)
        }
        _ => None,
    }
}

fn label(options: &[OptionDefinition], chosen: i32) -> Option<&str> {
    options
        .iter()
        .find(|option| option.value == chosen)
        .map(|option| &*option.label)
}

fn money(amount: Decimal, precision: u32, currency: Option<&Currency>) -> String {
    let Some(currency) = currency else {
        return grouped(&fixed(amount, precision));
    };
    let amount = grouped(&fixed(amount, currency.precision));
    match amount.strip_prefix('-') {
        Some(positive) => format!("-{}{positive}", currency.symbol),
        None => format!("{}{amount}", currency.symbol),
    }
}

/// Exactly `precision` digits after the point, rounded half away from zero as on write.
fn fixed(number: Decimal, precision: u32) -> String {
    let mut rounded =
        number.round_dp_with_strategy(precision, RoundingStrategy::MidpointAwayFromZero);
    if rounded.is_zero() {
        rounded.set_sign_positive(true);
    }
    let digits = usize::try_from(precision).unwrap_or_default();
    format!("{rounded:.digits$}")
}

/// The same number with a comma after every third digit before the point.
fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut text = String::with_capacity(number.len() + whole / 3);
    text.push_str(sign);
    for (at, digit) in digits.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// UserLocal in the user's zone; the other two as stored.
fn date_time(
    behavior: DateTimeBehavior,
    instant: Timestamp,
    time_zone: &TimeZone,
) -> Option<String> {
    let (format, zone) = match behavior {
        DateTimeBehavior::UserLocal => (DATE_AND_TIME, time_zone.clone()),
        DateTimeBehavior::TimeZoneIndependent => (DATE_AND_TIME, TimeZone::UTC),
        DateTimeBehavior::DateOnly => (DATE, TimeZone::UTC),
    };
    strtime::format(format, &instant.to_zoned(zone)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::metadata::{
        DefinitionsBuilder,
        column::{choices, date_time, decimal, double},
        table,
    };

    fn shown_in(zone: &TimeZone, table_name: &str, column: &str, value: Value) -> Option<String> {
        let definitions = DefinitionsBuilder::system()
            .table(
                table("x_All")
                    .column(choices("x_Colors", &[(1, "Red"), (2, "Green")]))
                    .column(decimal("x_Decimal", 3))
                    .column(double("x_Double", -1e9, 1e9, 2))
                    .column(date_time("x_Wall", DateTimeBehavior::TimeZoneIndependent)),
            )
            .build()
            .unwrap();
        let column = definitions
            .table(table_name)
            .unwrap()
            .column(column)
            .unwrap();
        let dollar = Currency {
            symbol: "$".to_owned(),
            precision: 2,
        };
        formatted_value(column, &value, Some(&dollar), zone)
    }

    fn shown(table: &str, column: &str, value: Value) -> Option<String> {
        shown_in(&TimeZone::UTC, table, column, value)
    }

    fn at(text: &str) -> Value {
        Value::DateTime(text.parse().unwrap())
    }

    #[test]
    fn fv_2_each_kind_has_its_format() {
        let cases = [
            (
                "account",
                "donotemail",
                Value::Boolean(true),
                "Do Not Allow",
            ),
            (
                "account",
                "accountcategorycode",
                Value::OptionSet(1),
                "Preferred Customer",
            ),
            ("account", "statecode", Value::OptionSet(1), "Inactive"),
            ("task", "statuscode", Value::OptionSet(3), "In Progress"),
            (
                "x_all",
                "x_colors",
                Value::OptionSets(vec![1, 2]),
                "Red; Green",
            ),
            (
                "account",
                "numberofemployees",
                Value::Integer(1_234_567),
                "1,234,567",
            ),
            ("account", "numberofemployees", Value::Integer(999), "999"),
            (
                "x_all",
                "x_decimal",
                Value::Decimal(Decimal::new(-12_345_678, 4)),
                "-1,234.568",
            ),
            ("x_all", "x_double", Value::Double(1234.5), "1,234.50"),
            (
                "account",
                "revenue",
                Value::Money(Decimal::new(1_234_567, 1)),
                "$123,456.70",
            ),
            (
                "account",
                "revenue",
                Value::Money(Decimal::new(-5, 0)),
                "-$5.00",
            ),
            (
                "account",
                "createdon",
                at("2024-01-05T00:07:59Z"),
                "1/5/2024 12:07 AM",
            ),
            (
                "contact",
                "birthdate",
                at("1980-12-31T00:00:00Z"),
                "12/31/1980",
            ),
        ];
        for (table, column, value, expected) in cases {
            let text = shown(table, column, value);
            assert_eq!(text.as_deref(), Some(expected), "{table}.{column}");
        }
    }

    #[test]
    fn fv_2_text_guids_and_unknown_options_have_none() {
        assert_eq!(shown("account", "name", Value::from("X")), None);
        assert_eq!(
            shown("account", "accountid", Value::Guid(uuid::Uuid::nil())),
            None
        );
        assert_eq!(shown("account", "versionnumber", Value::BigInt(7)), None);
        assert_eq!(shown("account", "industrycode", Value::OptionSet(99)), None);
    }

    #[test]
    fn dt_1_only_user_local_values_follow_the_zone() {
        let auckland = TimeZone::fixed(jiff::tz::offset(13));
        let show =
            |table, column| shown_in(&auckland, table, column, at("2024-01-05T23:00:00Z")).unwrap();
        assert_eq!(show("account", "createdon"), "1/6/2024 12:00 PM");
        assert_eq!(show("contact", "birthdate"), "1/5/2024");
        assert_eq!(show("x_all", "x_wall"), "1/5/2024 11:00 PM");
    }

    proptest! {
        #[test]
        fn grouping_only_adds_commas(number: i64, scale in 0_u32..10) {
            let plain = fixed(Decimal::new(number, scale), scale);
            let text = grouped(&plain);
            prop_assert_eq!(text.replace(',', ""), plain);
            let whole = text.trim_start_matches('-').split('.').next().unwrap().to_owned();
            for (at, group) in whole.split(',').enumerate() {
                prop_assert!(group.len() == 3 || (at == 0 && (1..=3).contains(&group.len())));
            }
        }
    }
}
