//! Values that follow from other values or from their absence: defaults and states.

use std::collections::BTreeMap;

use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::{ColumnSource, ColumnType, TableDefinition, system::columns::number},
    model::Value,
};

/// Fills in what a Create left out: defaults of choices and Booleans (CR-5), and the default state
/// (CR-6). A state other than the default one is replaced by it together with its reason; another
/// reason *within* the default state is kept.
pub fn apply_defaults(table: &TableDefinition, values: &mut BTreeMap<u16, Value>) {
    for column in table
        .columns
        .iter()
        .filter(|column| column.source == ColumnSource::Stored)
    {
        let default = match &column.kind {
            ColumnType::Boolean { default, .. } => default.map(Value::Boolean),
            ColumnType::Picklist { default, .. } => default.map(Value::OptionSet),
            _ => None,
        };
        if let Some(default) = default {
            values.entry(column.number).or_insert(default);
        }
    }
    let Some(initial) = initial_state(table) else {
        return;
    };
    let named_state = option(values, number::STATE_CODE).unwrap_or(initial);
    let reason = option(values, number::STATUS_CODE)
        .filter(|&reason| named_state == initial && table.state_of_status(reason) == Some(initial));
    values.insert(number::STATE_CODE, Value::OptionSet(initial));
    if let Some(reason) = reason.or_else(|| table.default_status(initial)) {
        values.insert(number::STATUS_CODE, Value::OptionSet(reason));
    }
}

/// Completes the state columns of an Update (UP-7): a reason alone brings its state, a state alone
/// its default reason.
///
/// `path` is where the entity stands in the request (`target`).
///
/// # Errors
/// `InvalidStateCodeStatusCode` when both are given and the reason belongs to another state.
pub fn follow_state(
    table: &TableDefinition,
    values: &mut BTreeMap<u16, Value>,
    path: &str,
) -> Result<()> {
    let state = option(values, number::STATE_CODE);
    let reason = option(values, number::STATUS_CODE);
    match (state, reason) {
        (None, Some(reason)) => {
            if let Some(state) = table.state_of_status(reason) {
                values.insert(number::STATE_CODE, Value::OptionSet(state));
            }
        }
        (Some(state), None) => {
            if let Some(reason) = table.default_status(state) {
                values.insert(number::STATUS_CODE, Value::OptionSet(reason));
            }
        }
        (Some(state), Some(reason)) if table.state_of_status(reason) != Some(state) => {
            let description = format!("status reason {reason} does not belong to state {state}");
            return Err(
                Fault::new(FaultCode::InvalidStateCodeStatusCode, description.clone())
                    .detail("table", &table.logical_name)
                    .detail("stateCode", state)
                    .detail("statusCode", reason)
                    .violation(format!("{path}.attributes[statuscode]"), description),
            );
        }
        _ => {}
    }
    Ok(())
}

fn initial_state(table: &TableDefinition) -> Option<i32> {
    match &table.column_by_number(number::STATE_CODE)?.kind {
        ColumnType::State { options } => options.first().map(|option| option.value),
        _ => None,
    }
}

fn option(values: &BTreeMap<u16, Value>, column: u16) -> Option<i32> {
    match values.get(&column) {
        Some(Value::OptionSet(chosen)) => Some(*chosen),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;
    use crate::metadata::{Definitions, DefinitionsBuilder};

    fn definitions() -> Definitions {
        DefinitionsBuilder::system().build().unwrap()
    }

    fn states(values: &[(u16, i32)]) -> BTreeMap<u16, Value> {
        values
            .iter()
            .map(|&(column, chosen)| (column, Value::OptionSet(chosen)))
            .collect()
    }

    #[test]
    fn cr_5_defaults_of_what_is_left_out() {
        let definitions = definitions();
        let user = definitions.table("systemuser").unwrap();
        let number = |name: &str| user.column(name).unwrap().number;
        let mut values = BTreeMap::from([(number("isdisabled"), Value::Boolean(true))]);
        apply_defaults(user, &mut values);
        assert_eq!(values[&number("isdisabled")], Value::Boolean(true), "given");
        assert_eq!(values[&number("accessmode")], Value::OptionSet(0));
        assert_eq!(values.get(&number::STATE_CODE), None, "SY-4");
        assert_eq!(values.get(&number("jobtitle")), None);
    }

    #[test]
    fn ex_10_a_new_record_is_in_the_default_state() {
        let definitions = definitions();
        let account = definitions.table("account").unwrap();
        let mut values = states(&[(number::STATE_CODE, 1), (number::STATUS_CODE, 2)]);
        apply_defaults(account, &mut values);
        assert_eq!(option(&values, number::STATE_CODE), Some(0));
        assert_eq!(option(&values, number::STATUS_CODE), Some(1));
    }

    #[test]
    fn cr_6_another_reason_of_the_default_state_is_kept() {
        let definitions = definitions();
        let task = definitions.table("task").unwrap();
        for (given, expected) in [(Some(3), 3), (Some(5), 2), (None, 2)] {
            let given: Vec<_> = given
                .map(|reason| (number::STATUS_CODE, reason))
                .into_iter()
                .collect();
            let mut values = states(&given);
            apply_defaults(task, &mut values);
            assert_eq!(option(&values, number::STATE_CODE), Some(0));
            assert_eq!(option(&values, number::STATUS_CODE), Some(expected));
        }
    }

    #[test]
    fn ex_26_and_ex_27_state_and_reason_follow_each_other() {
        let definitions = definitions();
        let account = definitions.table("account").unwrap();
        let follow = |given: &[(u16, i32)]| {
            let mut values = states(given);
            follow_state(account, &mut values, "target").map(|()| {
                (
                    option(&values, number::STATE_CODE),
                    option(&values, number::STATUS_CODE),
                )
            })
        };
        assert_eq!(
            follow(&[(number::STATUS_CODE, 2)]).unwrap(),
            (Some(1), Some(2))
        );
        assert_eq!(
            follow(&[(number::STATE_CODE, 1)]).unwrap(),
            (Some(1), Some(2))
        );
        assert_eq!(follow(&[]).unwrap(), (None, None));
        let fault = follow(&[(number::STATE_CODE, 1), (number::STATUS_CODE, 1)]).unwrap_err();
        assert_eq!(fault.code(), FaultCode::InvalidStateCodeStatusCode);
        assert_eq!(
            fault.body().violations[0].field,
            "target.attributes[statuscode]"
        );
    }
}
