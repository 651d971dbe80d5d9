//! Names and currencies that a returned record needs beside its own columns (RT-6, FV-2).

use std::{cell::RefCell, collections::HashMap};

use uuid::Uuid;

use super::Work;
use crate::{
    metadata::TableDefinition,
    model::Value,
    records::{Currency, Lookups},
};

/// Looks names up in the directory first, in the store else; remembers them for one request.
pub struct WorkLookups<'a, 'w> {
    work: &'a Work<'w>,
    /// By table and id: an id is unique per table only (G-9).
    names: RefCell<HashMap<(u32, Uuid), Option<String>>>,
}

impl<'a, 'w> WorkLookups<'a, 'w> {
    /// Look-ups within a unit of work.
    pub fn new(work: &'a Work<'w>) -> Self {
        WorkLookups {
            work,
            names: RefCell::default(),
        }
    }

    fn stored_name(&self, table: &TableDefinition, id: Uuid) -> Option<String> {
        let column = table.primary_name_column()?;
        // A name that cannot be read is left out: it is a courtesy of the result, not part of the
        // record, and a damaged neighbour must not make this record unreadable.
        match self.work.find(table, id).ok()??.get(column.number)? {
            Value::String(name) => Some(name.clone()),
            _ => None,
        }
    }
}

impl Lookups for WorkLookups<'_, '_> {
    fn primary_name(&self, table: &str, id: Uuid) -> Option<String> {
        if let Some(name) = self.work.directory().name(table, id) {
            return Some(name);
        }
        let table = self.work.definitions().table(table)?;
        self.names
            .borrow_mut()
            .entry((table.code.0, id))
            .or_insert_with(|| self.stored_name(table, id))
            .clone()
    }

    fn currency(&self, id: Uuid) -> Option<Currency> {
        self.work.directory().currency(id).map(|currency| Currency {
            symbol: currency.symbol.clone(),
            precision: currency.precision,
        })
    }

    fn base_currency(&self) -> Option<Currency> {
        self.currency(self.work.directory().organization().base_currency?)
    }

    fn organization_id(&self) -> Uuid {
        self.work.directory().organization().id
    }
}
