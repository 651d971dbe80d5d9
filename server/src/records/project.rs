//! A stored record as a client sees it (`messages.md` 1.3, 3.3).

use std::borrow::Cow;

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::{
    format::{Currency, formatted_value},
    validate::with_violations_of,
};
use crate::{
    fault::Result,
    metadata::{
        ColumnDefinition, ColumnSource, ColumnType, TableDefinition, system::columns::number,
    },
    model::{ColumnSet, Entity, EntityReference, Value},
    storage::record::{Record, StoredOwner},
};

/// What a display text needs to know of other records.
pub trait Lookups {
    /// The primary name of a record; `None` when it has none or is gone.
    fn primary_name(&self, table: &str, id: Uuid) -> Option<String>;

    /// How amounts of a currency are shown.
    fn currency(&self, id: Uuid) -> Option<Currency>;

    /// How base amounts are shown: the organization's currency.
    fn base_currency(&self) -> Option<Currency>;

    /// The one organization.
    fn organization_id(&self) -> Uuid;

    /// The subject's time zone.
    fn time_zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// Which columns of one table to return; resolved once and used for every row of a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Projection {
    /// Indexes into the table's columns, sorted by logical name, the primary key among them.
    columns: Vec<usize>,
}

impl Projection {
    /// Resolves a client's column set (RT-1, RT-3): all readable columns but pictures, or the named
    /// ones, or the primary key alone. Columns that are not valid for read yield nothing (RT-4).
    ///
    /// `field` is where the column set stands in the request.
    ///
    /// # Errors
    /// `QueryBuilderNoAttribute` with every unknown name as a violation (RT-4).
    pub fn resolve(table: &TableDefinition, columns: &ColumnSet, field: &str) -> Result<Self> {
        let mut chosen = vec![table.primary_id];
        if columns.all_columns {
            let is_shown = |column: &ColumnDefinition| {
                column.valid_for_read && !matches!(column.kind, ColumnType::Image)
            };
            let shown = table.columns.iter().enumerate();
            chosen.extend(
                shown
                    .filter(|(_, column)| is_shown(column))
                    .map(|(at, _)| at),
            );
        }
        let mut unknown = columns.columns.iter().enumerate().filter_map(|(at, name)| {
            table
                .require_column(name, || format!("{field}.columns[{at}]"))
                .err()
        });
        if let Some(first) = unknown.next() {
            return Err(unknown.fold(first, with_violations_of));
        }
        let named = columns
            .columns
            .iter()
            .filter_map(|name| table.column_index(name));
        chosen.extend(named.filter(|&at| table.columns[at].valid_for_read));
        let name = |&at: &usize| &table.columns[at].name;
        chosen.sort_unstable_by_key(name);
        chosen.dedup();
        Ok(Projection { columns: chosen })
    }

    /// The columns, sorted by logical name.
    pub fn columns<'t>(
        &'t self,
        table: &'t TableDefinition,
    ) -> impl Iterator<Item = &'t ColumnDefinition> {
        self.columns.iter().map(|&at| &table.columns[at])
    }
}

/// The record as an [`Entity`]: what is asked for and not null (RT-2), primary key always (RT-1),
/// row version (RT-8), names of what lookups point at (RT-6), display texts (FV-1).
pub fn project(
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
    projection: &Projection,
    lookups: &dyn Lookups,
) -> Entity {
    let mut entity = Entity::new(&*table.logical_name);
    entity.id = Some(id);
    entity.row_version = Some(record.row_version);
    // Asked for once per record, and only if it shows amounts.
    let mut currency: Option<Option<Currency>> = None;
    let mut time_zone: Option<TimeZone> = None;

    for column in projection.columns(table) {
        let value = value_of(table, column, record, id, lookups.organization_id());
        let mut value = match value {
            Cow::Borrowed(Value::Null) => continue,
            value => value.into_owned(),
        };
        let text = match (&mut value, &column.kind) {
            (Value::EntityReference(reference), _) => {
                reference.name = reference
                    .id
                    .and_then(|id| lookups.primary_name(&reference.logical_name, id));
                reference.name.clone()
            }
            (Value::Money(_), ColumnType::Money { base, .. }) => {
                // What has no base amount is one.
                if base.is_some() {
                    let of_row = currency.get_or_insert_with(|| currency_of(record, lookups));
                    formatted_value(column, &value, of_row.as_ref(), &TimeZone::UTC)
                } else {
                    let of_base = lookups.base_currency();
                    formatted_value(column, &value, of_base.as_ref(), &TimeZone::UTC)
                }
            }
            (Value::DateTime(_), _) => {
                let time_zone = time_zone.get_or_insert_with(|| lookups.time_zone());
                formatted_value(column, &value, None, time_zone)
            }
            _ => formatted_value(column, &value, None, &TimeZone::UTC),
        };
        if let Some(text) = text {
            entity
                .formatted_values
                .insert(column.name.to_string(), text);
        }
        entity.attributes.insert(column.name.to_string(), value);
    }
    entity
}

fn currency_of(record: &Record, lookups: &dyn Lookups) -> Option<Currency> {
    match record.get(number::TRANSACTION_CURRENCY_ID)? {
        Value::EntityReference(reference) => lookups.currency(reference.id?),
        _ => None,
    }
}

/// The value of one column, wherever it lives; [`Value::Null`] when there is none. What filters and
/// orders compare.
pub fn value_of<'r>(
    table: &TableDefinition,
    column: &ColumnDefinition,
    record: &'r Record,
    id: Uuid,
    organization_id: Uuid,
) -> Cow<'r, Value> {
    static NULL: Value = Value::Null;
    debug_assert!(
        table.column_by_number(column.number).is_some(),
        "a column of another table"
    );
    let reference =
        |table: &str, id: Uuid| Some(Value::EntityReference(EntityReference::new(table, id)));
    let derived = match (column.source, record.owner) {
        (ColumnSource::Stored, _) => {
            return Cow::Borrowed(record.get(column.number).unwrap_or(&NULL));
        }
        (ColumnSource::PrimaryId, _) => Some(Value::Guid(id)),
        (ColumnSource::Owner | ColumnSource::OwningUser, Some(StoredOwner::User(owner))) => {
            reference("systemuser", owner)
        }
        (ColumnSource::Owner | ColumnSource::OwningTeam, Some(StoredOwner::Team(owner))) => {
            reference("team", owner)
        }
        (ColumnSource::Owner | ColumnSource::OwningUser | ColumnSource::OwningTeam, _) => None,
        (ColumnSource::BusinessUnit, _) => record
            .business_unit
            .and_then(|unit| reference("businessunit", unit)),
        (ColumnSource::RowVersion, _) => i64::try_from(record.row_version).ok().map(Value::BigInt),
        (ColumnSource::Organization, _) => reference("organization", organization_id),
    };
    derived.map_or(Cow::Borrowed(&NULL), Cow::Owned)
}

#[cfg(test)]
#[path = "project_tests.rs"]
mod tests;
