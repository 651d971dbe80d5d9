//! Columns that the server computes from others: full names and base amounts.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::{ColumnDefinition, ColumnType, TableDefinition, system::columns::number},
    model::Value,
    storage::record::Record,
};

/// Sets `fullname` of a contact or systemuser to its first, middle and last name (SY-10); other
/// tables are left alone. To be called on the whole record, after a write changed it.
pub fn full_name(table: &TableDefinition, record: &mut Record) {
    if !matches!(&*table.logical_name, "contact" | "systemuser") {
        return;
    }
    let Some(column) = table.column("fullname") else {
        return;
    };
    let part = |name: &str| match record.get(table.column(name)?.number)? {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    };
    let parts: Vec<&str> = ["firstname", "middlename", "lastname"]
        .into_iter()
        .filter_map(part)
        .collect();
    let name = match column.kind {
        _ if parts.is_empty() => Value::Null,
        ColumnType::String { max_length } => Value::String(cut(parts.join(" "), max_length)),
        _ => Value::String(parts.join(" ")),
    };
    record.set(column.number, name);
}

/// The longest beginning of at most `max_length` UTF-16 units (VT-2). The parts of a user's name
/// may be longer together than the whole.
fn cut(mut text: String, max_length: usize) -> String {
    let mut units = 0;
    let end = text.char_indices().find_map(|(at, character)| {
        units += character.len_utf16();
        (units > max_length).then_some(at)
    });
    if let Some(end) = end {
        text.truncate(end);
    }
    text
}

/// Whether records of the table hold amounts, and with them a currency and its rate (SY-5). (A
/// systemuser has a currency, but no amounts.)
pub fn has_money(table: &TableDefinition) -> bool {
    table.column_by_number(number::EXCHANGE_RATE).is_some()
}

/// Whether some amount of the record is not null, so that it needs a currency (CR-10).
pub fn holds_money(table: &TableDefinition, record: &Record) -> bool {
    amounts(table).any(|(amount, _)| record.get(amount.number).is_some())
}

/// Sets `exchangerate` and every base amount from the rate of the record's currency (CR-10):
/// `amount / rate`, rounded half away from zero to the base column's precision. `None`, the rate
/// of a record without currency, clears them all. To be called on the whole record, after a write
/// changed it.
///
/// # Errors
/// `DecimalValueOutOfRange` naming the amount whose base amount is out of bounds.
pub fn base_amounts(
    table: &TableDefinition,
    record: &mut Record,
    rate: Option<Decimal>,
) -> Result<()> {
    if has_money(table) {
        let value = rate.map_or(Value::Null, Value::Decimal);
        record.set(number::EXCHANGE_RATE, value);
    }
    for (column, base) in amounts(table) {
        let value = match (record.get(column.number), rate) {
            (Some(Value::Money(amount)), Some(rate)) => base_amount(base, *amount, rate)
                .map(Value::Money)
                .ok_or_else(|| out_of_range(table, column))?,
            _ => Value::Null,
        };
        record.set(base.number, value);
    }
    Ok(())
}

/// The Money columns of a table, each with its base column.
fn amounts(
    table: &TableDefinition,
) -> impl Iterator<Item = (&ColumnDefinition, &ColumnDefinition)> {
    table.columns.iter().filter_map(|column| match column.kind {
        ColumnType::Money { base, .. } => Some((column, table.column_by_number(base?)?)),
        _ => None,
    })
}

/// `None` when the rate is zero or the result is out of the base column's bounds.
fn base_amount(base: &ColumnDefinition, amount: Decimal, rate: Decimal) -> Option<Decimal> {
    let ColumnType::Money {
        min,
        max,
        precision,
        ..
    } = &base.kind
    else {
        return None;
    };
    let amount = amount
        .checked_div(rate)?
        .round_dp_with_strategy(*precision, RoundingStrategy::MidpointAwayFromZero);
    (min..=max).contains(&&amount).then_some(amount)
}

fn out_of_range(table: &TableDefinition, column: &ColumnDefinition) -> Fault {
    let description = format!(
        "column `{}` is out of range in the base currency",
        column.name
    );
    Fault::new(FaultCode::DecimalValueOutOfRange, description.clone())
        .detail("table", &table.logical_name)
        .detail("column", &column.name)
        .violation(format!("target.attributes[{}]", column.name), description)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::metadata::{Definitions, DefinitionsBuilder};

    fn definitions() -> Definitions {
        DefinitionsBuilder::system().build().unwrap()
    }

    fn number_of(definitions: &Definitions, table: &str, column: &str) -> u16 {
        definitions
            .table(table)
            .unwrap()
            .column(column)
            .unwrap()
            .number
    }

    #[test]
    fn ex_84_a_full_name_follows_its_parts() {
        let definitions = definitions();
        let contact = definitions.table("contact").unwrap();
        let number = |name| number_of(&definitions, "contact", name);
        let mut record = Record::default();
        let shown = |record: &Record| record.get(number("fullname")).cloned();

        record.set(number("firstname"), Value::from("Jo"));
        record.set(number("lastname"), Value::from("Doe"));
        full_name(contact, &mut record);
        assert_eq!(shown(&record), Some(Value::from("Jo Doe")));
        record.set(number("lastname"), Value::from("Roe"));
        full_name(contact, &mut record);
        assert_eq!(shown(&record), Some(Value::from("Jo Roe")));
        record.set(number("middlename"), Value::from("M."));
        full_name(contact, &mut record);
        assert_eq!(shown(&record), Some(Value::from("Jo M. Roe")));
        for part in ["firstname", "middlename", "lastname"] {
            record.set(number(part), Value::Null);
        }
        full_name(contact, &mut record);
        assert_eq!(shown(&record), None);
    }

    #[test]
    fn sy_10_a_user_s_name_is_cut_to_its_column_and_other_tables_have_none() {
        let definitions = definitions();
        let user = definitions.table("systemuser").unwrap();
        let number = |name| number_of(&definitions, "systemuser", name);
        // One character of two UTF-16 units stands across the end.
        let mut record: Record = [
            (number("firstname"), Value::from("a".repeat(199))),
            (number("lastname"), Value::from("b")),
        ]
        .into_iter()
        .collect();
        record.set(number("lastname"), Value::from("\u{1F600}"));
        full_name(user, &mut record);
        let Some(Value::String(name)) = record.get(number("fullname")) else {
            unreachable!("a text")
        };
        assert_eq!(name.len(), 200, "the space fits, half a character does not");

        let account = definitions.table("account").unwrap();
        let mut record = Record::default();
        full_name(account, &mut record);
        assert_eq!(record.columns(), []);
    }

    #[test]
    fn ex_63_base_amounts_are_divided_by_the_rate() {
        let definitions = definitions();
        let account = definitions.table("account").unwrap();
        let number = |name| number_of(&definitions, "account", name);
        let mut record: Record = [
            (number("revenue"), Value::Money(Decimal::new(10_000, 2))),
            (number("creditlimit_base"), Value::Money(Decimal::ONE)),
        ]
        .into_iter()
        .collect();
        base_amounts(account, &mut record, Some(Decimal::new(5, 1))).unwrap();
        let money = |amount| Some(Value::Money(Decimal::new(amount, 2)));
        assert_eq!(record.get(number("revenue_base")).cloned(), money(20_000));
        let rate = record.get(number("exchangerate")).cloned();
        assert_eq!(rate, Some(Value::Decimal(Decimal::new(5, 1))));
        assert_eq!(
            record.get(number("creditlimit_base")),
            None,
            "its amount is null"
        );
    }

    #[test]
    fn cr_10_a_base_amount_out_of_bounds_is_refused() {
        let definitions = definitions();
        let account = definitions.table("account").unwrap();
        let revenue = number_of(&definitions, "account", "revenue");
        let most = Value::Money(Decimal::from(922_337_203_685_477_i64));
        for rate in [Decimal::new(1, 10), Decimal::ZERO] {
            let mut record: Record = [(revenue, most.clone())].into_iter().collect();
            let fault = base_amounts(account, &mut record, Some(rate)).unwrap_err();
            assert_eq!(fault.code(), FaultCode::DecimalValueOutOfRange);
            assert_eq!(fault.body().details["column"], "revenue");
        }
    }

    #[test]
    fn cr_10_without_a_currency_nothing_is_left() {
        let definitions = definitions();
        let account = definitions.table("account").unwrap();
        let number = |name| number_of(&definitions, "account", name);
        let revenue = Value::Money(Decimal::TEN);
        let mut record: Record = [(number("revenue"), revenue)].into_iter().collect();
        base_amounts(account, &mut record, Some(Decimal::TWO)).unwrap();
        assert_eq!(record.columns().len(), 3);
        base_amounts(account, &mut record, None).unwrap();
        assert_eq!(record.columns().len(), 1, "the amount itself stays");
    }

    #[test]
    fn sy_5_which_tables_and_records_hold_money() {
        let definitions = definitions();
        let account = definitions.table("account").unwrap();
        assert!(has_money(account));
        assert!(!has_money(definitions.table("systemuser").unwrap()));
        let mut record: Record = [(
            number::TRANSACTION_CURRENCY_ID,
            Value::Guid(uuid::Uuid::nil()),
        )]
        .into_iter()
        .collect();
        assert!(!holds_money(account, &record), "a currency is no amount");
        let revenue = number_of(&definitions, "account", "revenue");
        record.set(revenue, Value::Money(Decimal::ZERO));
        assert!(holds_money(account, &record));
    }

    proptest! {
        /// Back and forth again, an amount differs by no more than its rounding.
        #[test]
        fn a_base_amount_converts_back(cents in -1_000_000_000_i64..1_000_000_000, rate in 1_u32..10_000) {
            let definitions = definitions();
            let base = definitions.table("account").unwrap().column("revenue_base").unwrap();
            let (amount, rate) = (Decimal::new(cents, 2), Decimal::new(rate.into(), 2));
            let converted = base_amount(base, amount, rate).unwrap();
            prop_assert!(converted.scale() <= 2);
            let half_a_cent = Decimal::new(5, 3);
            prop_assert!((converted * rate - amount).abs() <= half_a_cent * rate);
        }
    }
}
