//! Who did it, when, and what the platform computes from other columns (`security.md` 8.5, CR-8,
//! CR-10, SY-10).

use jiff::Timestamp;
use orgservice_security::{Privilege, UserId};
use rust_decimal::Decimal;

use super::Work;
use crate::{
    fault::{Fault, Result},
    metadata::{MISC_OVERRIDE_CREATED_ON, TableDefinition, system::columns::number},
    model::{EntityReference, Value},
    records::computed,
    storage::record::Record,
};

/// Stamps a new record with the pair and the time; honours `overriddencreatedon` (CR-9).
///
/// # Errors
/// `InvalidArgument` when `overriddencreatedon` lies in the future.
pub fn create(work: &Work<'_>, table: &TableDefinition, record: &mut Record) -> Result<()> {
    let now = milliseconds(work.now());
    let mut created = now;
    if let Some(Value::DateTime(past)) = record.get(number::OVERRIDDEN_CREATED_ON).cloned() {
        if past > now {
            return Err(Fault::invalid_argument(
                "target.attributes[overriddencreatedon]",
                "`overriddencreatedon` lies in the future",
            )
            .detail("table", &table.logical_name)
            .detail("column", "overriddencreatedon"));
        }
        created = past;
        record.set(number::OVERRIDDEN_CREATED_ON, Value::DateTime(now));
    }
    let (by, on_behalf) = pair(work);
    set(table, record, number::CREATED_ON, Value::DateTime(created));
    set(table, record, number::CREATED_BY, by.clone());
    set(
        table,
        record,
        number::CREATED_ON_BEHALF_BY,
        on_behalf.clone(),
    );
    set(table, record, number::MODIFIED_ON, Value::DateTime(now));
    set(table, record, number::MODIFIED_BY, by);
    set(table, record, number::MODIFIED_ON_BEHALF_BY, on_behalf);
    Ok(())
}

/// CR-9: choosing the creation time needs a privilege of its own; asked with the others of step 8.
///
/// # Errors
/// `PrivilegeDenied`.
pub fn require_override(
    work: &Work<'_>,
    attributes: &std::collections::BTreeMap<String, Value>,
) -> Result<()> {
    match attributes.get("overriddencreatedon") {
        Some(value) if !value.is_null() => {
            work.require_privilege(Privilege::Misc(MISC_OVERRIDE_CREATED_ON), None)
        }
        _ => Ok(()),
    }
}

/// Stamps a changed record: `modifiedby` = S, `modifiedonbehalfby` = A or null (IM-17);
/// `modifiedon` never goes backwards (UP-13).
pub fn update(work: &Work<'_>, table: &TableDefinition, record: &mut Record) {
    let mut now = milliseconds(work.now());
    if let Some(Value::DateTime(before)) = record.get(number::MODIFIED_ON) {
        now = now.max(*before);
    }
    let (by, on_behalf) = pair(work);
    set(table, record, number::MODIFIED_ON, Value::DateTime(now));
    set(table, record, number::MODIFIED_BY, by);
    set(table, record, number::MODIFIED_ON_BEHALF_BY, on_behalf);
}

/// Columns computed from others: names of people, currency, rate and base amounts.
///
/// # Errors
/// `DecimalValueOutOfRange` when a base amount is out of range.
pub fn derive(work: &Work<'_>, table: &TableDefinition, record: &mut Record) -> Result<()> {
    computed::full_name(table, record);
    if computed::has_money(table) {
        let directory = work.directory();
        let mut currency = reference(record.get(number::TRANSACTION_CURRENCY_ID));
        if currency.is_none() && computed::holds_money(table, record) {
            currency = directory
                .user(work.subject())
                .and_then(|user| user.currency)
                .or(directory.organization().base_currency);
            if let Some(id) = currency {
                record.set(
                    number::TRANSACTION_CURRENCY_ID,
                    Value::EntityReference(EntityReference::new("transactioncurrency", id)),
                );
            }
        }
        let rate = currency
            .and_then(|id| directory.currency(id))
            .map_or(Decimal::ONE, |currency| currency.exchange_rate);
        computed::base_amounts(table, record, currency.map(|_| rate))?;
    }
    Ok(())
}

fn reference(value: Option<&Value>) -> Option<uuid::Uuid> {
    match value {
        Some(Value::EntityReference(reference)) => reference.id,
        _ => None,
    }
}

fn pair(work: &Work<'_>) -> (Value, Value) {
    let caller = work.caller();
    let user = |user: UserId| Value::EntityReference(EntityReference::new("systemuser", user.0));
    (
        user(caller.subject()),
        caller.on_behalf_by().map_or(Value::Null, user),
    )
}

fn set(table: &TableDefinition, record: &mut Record, column: u16, value: Value) {
    if table.column_by_number(column).is_some() {
        record.set(column, value);
    }
}

/// Times are stored to the millisecond (CR-8).
fn milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
