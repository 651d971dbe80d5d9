//! Columns that the server computes from others: full names and base amounts.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::{ColumnType, TableDefinition, system::columns::number},
    model::Value,
    storage::record::Record,
};

/// First, middle and last name as one (SY-10); `None` when there are none.
pub fn full_name(first: Option<&str>, middle: Option<&str>, last: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [first, middle, last]
        .into_iter()
        .flatten()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Sets `fullname` of a contact or systemuser from its parts (SY-10); other tables are left alone.
/// To be called on the whole record, after a write changed it.
pub fn apply_full_name(table: &TableDefinition, record: &mut Record) {
    if !matches!(&*table.logical_name, "contact" | "systemuser") {
        return;
    }
    let Some(column) = table.column("fullname") else {
        return;
    };
    let part = |name: &str| match record.get(table.column(name)?.number)? {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    let name = full_name(part("firstname"), part("middlename"), part("lastname"));
    let name = match column.kind {
        ColumnType::String { max_length } => name.map(|name| cut(name, max_length)),
        _ => name,
    };
    record.set(column.number, name.map_or(Value::Null, Value::String));
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

/// Whether a write sets an amount or the currency, so that rate and base amounts have to be
/// computed anew (CR-10).
pub fn touches_money(table: &TableDefinition, written: &BTreeMap<u16, Value>) -> bool {
    let of_money = |column: u16| {
        let column = table.column_by_number(column);
        matches!(
            column.map(|found| &found.kind),
            Some(ColumnType::Money { .. })
        )
    };
    // A systemuser has a currency, but no amounts.
    table.column_by_number(number::EXCHANGE_RATE).is_some()
        && written
            .keys()
            .any(|&column| column == number::TRANSACTION_CURRENCY_ID || of_money(column))
}

/// An amount in the organization's base currency: `amount / rate`, rounded half away from zero
/// (CR-10). `None` when the rate is zero or the result cannot be represented.
pub fn base_amount(amount: Decimal, rate: Decimal, precision: u32) -> Option<Decimal> {
    let base = amount.checked_div(rate)?;
    Some(base.round_dp_with_strategy(precision, RoundingStrategy::MidpointAwayFromZero))
}

/// Sets `exchangerate` and every base amount of a record from the rate of its currency (CR-10). To
/// be called on the whole record, after a write changed it.
///
/// # Errors
/// `DecimalValueOutOfRange` naming the amount whose base amount is out of bounds.
pub fn apply_exchange_rate(
    table: &TableDefinition,
    record: &mut Record,
    rate: Decimal,
) -> Result<()> {
    if let Some(column) = table.column_by_number(number::EXCHANGE_RATE) {
        record.set(column.number, Value::Decimal(rate));
    }
    for column in &table.columns {
        let ColumnType::Money {
            base: Some(base), ..
        } = column.kind
        else {
            continue;
        };
        let Some(Value::Money(amount)) = record.get(column.number) else {
            record.set(base, Value::Null);
            continue;
        };
        let amount = match table.column_by_number(base).map(|column| &column.kind) {
            Some(ColumnType::Money {
                min,
                max,
                precision,
                ..
            }) => base_amount(*amount, rate, *precision)
                .filter(|amount| (min..=max).contains(&amount)),
            _ => None,
        };
        let Some(amount) = amount else {
            let description = format!(
                "column `{}` is out of range in the base currency",
                column.name
            );
            return Err(
                Fault::new(FaultCode::DecimalValueOutOfRange, description.clone())
                    .detail("table", &table.logical_name)
                    .detail("column", &column.name)
                    .violation(format!("target.attributes[{}]", column.name), description),
            );
        };
        record.set(base, Value::Money(amount));
    }
    Ok(())
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
        apply_full_name(contact, &mut record);
        assert_eq!(shown(&record), Some(Value::from("Jo Doe")));
        record.set(number("lastname"), Value::from("Roe"));
        apply_full_name(contact, &mut record);
        assert_eq!(shown(&record), Some(Value::from("Jo Roe")));
        record.set(number("middlename"), Value::from("M."));
        apply_full_name(contact, &mut record);
        assert_eq!(shown(&record), Some(Value::from("Jo M. Roe")));
        for part in ["firstname", "middlename", "lastname"] {
            record.set(number(part), Value::Null);
        }
        apply_full_name(contact, &mut record);
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
        apply_full_name(user, &mut record);
        let Some(Value::String(name)) = record.get(number("fullname")) else {
            unreachable!("a text")
        };
        assert_eq!(name.len(), 200, "the space fits, half a character does not");

        let account = definitions.table("account").unwrap();
        let mut record = Record::default();
        apply_full_name(account, &mut record);
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
        apply_exchange_rate(account, &mut record, Decimal::new(5, 1)).unwrap();
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
            let fault = apply_exchange_rate(account, &mut record, rate).unwrap_err();
            assert_eq!(fault.code(), FaultCode::DecimalValueOutOfRange);
            assert_eq!(fault.body().details["column"], "revenue");
        }
    }

    #[test]
    fn cr_10_amounts_and_the_currency_ask_for_a_rate() {
        let definitions = definitions();
        let touches = |table: &str, column: &str| {
            let written = BTreeMap::from([(number_of(&definitions, table, column), Value::Null)]);
            touches_money(definitions.table(table).unwrap(), &written)
        };
        assert!(touches("account", "revenue"));
        assert!(touches("account", "transactioncurrencyid"));
        assert!(!touches("account", "name"));
        assert!(!touches("systemuser", "transactioncurrencyid"));
    }

    proptest! {
        /// Back and forth again, an amount differs by no more than its rounding.
        #[test]
        fn a_base_amount_converts_back(cents in -1_000_000_000_i64..1_000_000_000, rate in 1_u32..10_000) {
            let (amount, rate) = (Decimal::new(cents, 2), Decimal::new(rate.into(), 2));
            let base = base_amount(amount, rate, 2).unwrap();
            prop_assert!(base.scale() <= 2);
            let half_a_cent = Decimal::new(5, 3);
            prop_assert!((base * rate - amount).abs() <= half_a_cent * rate);
        }
    }
}
