//! statecode and statuscode: defaults on Create, consistency on Update (CR-6, UP-7).

use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::{TableDefinition, system::columns::number},
    model::Value,
    storage::record::Record,
};

/// The state every record starts in.
const DEFAULT_STATE: i32 = 0;

/// Puts a new record into the default state; a status reason of that state is honoured (CR-6).
pub fn create(table: &TableDefinition, record: &mut Record) {
    if !table.has_state {
        return;
    }
    let wanted = option(record, number::STATUS_CODE)
        .filter(|&status| table.state_of_status(status) == Some(DEFAULT_STATE));
    let status = wanted.or_else(|| table.default_status(DEFAULT_STATE));
    record.set(number::STATE_CODE, Value::OptionSet(DEFAULT_STATE));
    record.set(
        number::STATUS_CODE,
        status.map_or(Value::Null, Value::OptionSet),
    );
}

/// Completes and checks the state of a changed record: `state` and `status` are what the request
/// supplied (UP-7).
///
/// # Errors
/// `InvalidStateCodeStatusCode`.
pub fn update(
    table: &TableDefinition,
    record: &mut Record,
    state: Option<i32>,
    status: Option<i32>,
) -> Result<()> {
    let (state, status) = match (state, status) {
        (None, None) => return Ok(()),
        (Some(state), None) => {
            let unchanged = option(record, number::STATUS_CODE)
                .filter(|&status| table.state_of_status(status) == Some(state));
            let status = unchanged.or_else(|| table.default_status(state));
            (state, status.ok_or_else(|| invalid(table, state, None))?)
        }
        (None, Some(status)) => {
            let state = table
                .state_of_status(status)
                .ok_or_else(|| invalid(table, -1, Some(status)))?;
            (state, status)
        }
        (Some(state), Some(status)) => (state, status),
    };
    if table.state_of_status(status) != Some(state) {
        return Err(invalid(table, state, Some(status)));
    }
    record.set(number::STATE_CODE, Value::OptionSet(state));
    record.set(number::STATUS_CODE, Value::OptionSet(status));
    Ok(())
}

/// The number of an option column.
pub fn option(record: &Record, column: u16) -> Option<i32> {
    match record.get(column) {
        Some(Value::OptionSet(number)) => Some(*number),
        _ => None,
    }
}

fn invalid(table: &TableDefinition, state: i32, status: Option<i32>) -> Fault {
    let message = match status {
        Some(status) => format!(
            "status {status} does not belong to state {state} of `{}`",
            table.logical_name
        ),
        None => format!("`{}` has no state {state}", table.logical_name),
    };
    Fault::new(FaultCode::InvalidStateCodeStatusCode, message).detail("table", &table.logical_name)
}
