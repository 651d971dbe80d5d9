//! The entries that a record has in 02 to 05, and what a change of the record does to them.
//!
//! Pure: entries are a function of the record and the description of its table, so they can be
//! rebuilt and compared (invariant 6), and a change writes only what differs.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    Transaction,
    index_value::{IndexKeyBuilder, is_indexable},
    keys,
    record::Record,
};

/// One index of a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IndexDescription {
    /// The number it has in its keys; never reused in a table.
    pub number: u16,
    /// The columns in order; at most [`INDEX_COLUMNS_MAX`](crate::limits::INDEX_COLUMNS_MAX).
    pub columns: Vec<u16>,
    /// Whether it is an alternate key: kept in 05, one record for each combination of values.
    pub unique: bool,
}

/// What the keys of a table's records depend on.
#[derive(Clone, Copy, Debug)]
pub struct TableKeys<'a> {
    /// The table's ObjectTypeCode.
    pub otc: u32,
    /// Whether its records have an owner (02).
    pub owned: bool,
    /// Whether its records belong to a business unit (03).
    pub has_business_unit: bool,
    /// Its indexes and alternate keys (04, 05).
    pub indexes: &'a [IndexDescription],
}

/// One write that keeps the entries in step with a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyChange {
    /// Sets a key.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key.
    Delete(Vec<u8>),
}

impl KeyChange {
    /// Makes the change part of a transaction.
    pub fn apply(self, transaction: &mut dyn Transaction) {
        match self {
            KeyChange::Put(key, value) => transaction.put(key, value),
            KeyChange::Delete(key) => transaction.delete(key),
        }
    }
}

/// Every entry of a record, keys to values; the record itself (01) is not among them.
///
/// A column index has an entry when its first column is not null; an alternate key when none of
/// its columns is, for nulls are not unique.
pub fn entries(table: &TableKeys<'_>, id: Uuid, record: &Record) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let ownership = record.ownership().encode().to_vec();
    let mut entries = BTreeMap::new();
    if let (true, Some(owner)) = (table.owned, record.owner) {
        let key = keys::by_owner(table.otc, owner.id(), id);
        entries.insert(key, ownership.clone());
    }
    if let (true, Some(business_unit)) = (table.has_business_unit, record.business_unit) {
        let key = keys::by_business_unit(table.otc, business_unit, id);
        entries.insert(key, ownership.clone());
    }
    for index in table.indexes {
        if index.unique {
            if let Some(key) = unique_key(table.otc, index, record) {
                entries.insert(key, id.as_bytes().to_vec());
            }
        } else if index.columns.first().is_some_and(|&c| stands(record, c)) {
            let key = values(
                IndexKeyBuilder::index(table.otc, index.number),
                index,
                record,
            );
            entries.insert(key.record(id), ownership.clone());
        }
    }
    entries
}

/// The changes that lead from the entries of `before` to those of `after`: an absent `before` is a
/// creation, an absent `after` a deletion. Entries that stay the same are not written again.
///
/// An alternate key is taken without asking: whoever sets one looks first whether
/// [`unique_key`] belongs to another record.
pub fn record_changes(
    table: &TableKeys<'_>,
    id: Uuid,
    before: Option<&Record>,
    after: Option<&Record>,
) -> Vec<KeyChange> {
    let entries_of = |record: Option<&Record>| {
        record
            .map(|record| entries(table, id, record))
            .unwrap_or_default()
    };
    let (before, after) = (entries_of(before), entries_of(after));
    let gone = before
        .keys()
        .filter(|&key| !after.contains_key(key))
        .cloned()
        .map(KeyChange::Delete);
    let mut changes: Vec<_> = gone.collect();
    let new = after
        .into_iter()
        .filter(|(key, value)| before.get(key) != Some(value));
    changes.extend(new.map(|(key, value)| KeyChange::Put(key, value)));
    changes
}

/// The key under which an alternate key finds the record (05, value: the id); `None` when one of
/// its columns is null.
pub fn unique_key(otc: u32, index: &IndexDescription, record: &Record) -> Option<Vec<u8>> {
    let complete = index.columns.iter().all(|&column| stands(record, column));
    (complete && !index.columns.is_empty())
        .then(|| values(IndexKeyBuilder::unique(otc, index.number), index, record).finish())
}

fn stands(record: &Record, column: u16) -> bool {
    record.get(column).is_some_and(is_indexable)
}

fn values(builder: IndexKeyBuilder, index: &IndexDescription, record: &Record) -> IndexKeyBuilder {
    const NULL: crate::model::Value = crate::model::Value::Null;
    builder.values(
        index
            .columns
            .iter()
            .map(|&column| record.get(column).unwrap_or(&NULL)),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::{
        limits::STORED_KEY_BYTES_MAX,
        model::Value,
        storage::{
            record::{RowOwnership, StoredOwner},
            testing::any_record,
        },
    };

    fn index(number: u16, columns: &[u16], unique: bool) -> IndexDescription {
        IndexDescription {
            number,
            columns: columns.to_vec(),
            unique,
        }
    }

    fn indexes() -> Vec<IndexDescription> {
        vec![
            index(1, &[1], false),
            index(2, &[2, 1, 3], false),
            index(3, &[3, 4], true),
        ]
    }

    fn table(indexes: &[IndexDescription]) -> TableKeys<'_> {
        TableKeys {
            otc: 112,
            owned: true,
            has_business_unit: true,
            indexes,
        }
    }

    proptest! {
        /// Invariant 6: applied to the entries before, the changes give the entries after.
        #[test]
        fn changes_lead_from_the_old_entries_to_the_new_ones(
            before in prop::option::of(any_record()), after in prop::option::of(any_record()), id: u128,
        ) {
            let (indexes, id) = (indexes(), Uuid::from_u128(id));
            let table = table(&indexes);
            let all = |record: &Option<Record>| {
                record.as_ref().map(|r| entries(&table, id, r)).unwrap_or_default()
            };
            let mut state = all(&before);
            for change in record_changes(&table, id, before.as_ref(), after.as_ref()) {
                match change {
                    KeyChange::Put(key, value) => {
                        prop_assert!(key.len() <= STORED_KEY_BYTES_MAX);
                        prop_assert_ne!(state.insert(key, value.clone()), Some(value));
                    }
                    KeyChange::Delete(key) => prop_assert!(state.remove(&key).is_some()),
                }
            }
            prop_assert_eq!(state, all(&after));
        }

        #[test]
        fn every_entry_names_its_record(record in any_record(), id: u128) {
            let (indexes, id) = (indexes(), Uuid::from_u128(id));
            for (key, value) in entries(&table(&indexes), id, &record) {
                let found = match key[0] {
                    keys::BY_OWNER => keys::parse_by_owner(&key).unwrap().id,
                    keys::BY_BUSINESS_UNIT => keys::parse_by_business_unit(&key).unwrap().id,
                    keys::INDEX => keys::parse_index(&key).unwrap().2,
                    _ => Uuid::from_slice(&value).unwrap(),
                };
                prop_assert_eq!(found, id);
                if key[0] != keys::UNIQUE {
                    prop_assert_eq!(RowOwnership::decode(&key, &value).unwrap(), record.ownership());
                }
            }
        }
    }

    #[test]
    fn a_change_writes_only_what_differs() {
        let indexes = indexes();
        let table = table(&indexes);
        let id = Uuid::from_u128(7);
        let mut before: Record = [(1, Value::from("a")), (2, Value::Integer(5))]
            .into_iter()
            .collect();
        before.owner = Some(StoredOwner::User(Uuid::from_u128(1)));
        before.business_unit = Some(Uuid::from_u128(2));

        let mut unrelated = before.clone();
        unrelated.row_version = 99;
        unrelated.set(50, Value::Boolean(true));
        let changes = record_changes(&table, id, Some(&before), Some(&unrelated));
        assert_eq!(changes, [], "no indexed column changed");

        let mut renamed = before.clone();
        renamed.set(2, Value::Null);
        let changes = record_changes(&table, id, Some(&before), Some(&renamed));
        assert!(
            matches!(changes.as_slice(), [KeyChange::Delete(_)]),
            "the entry of the index whose first column became null goes: {changes:?}"
        );

        let mut assigned = before.clone();
        assigned.owner = Some(StoredOwner::Team(Uuid::from_u128(3)));
        let changes = record_changes(&table, id, Some(&before), Some(&assigned));
        let puts = changes
            .iter()
            .filter(|change| matches!(change, KeyChange::Put(..)));
        assert_eq!(
            (changes.len(), puts.count()),
            (5, 4),
            "the owner rides along in every entry: {changes:?}"
        );
    }

    #[test]
    fn an_alternate_key_with_a_null_is_not_taken() {
        let description = index(3, &[3, 4], true);
        let mut record: Record = [(3, Value::Integer(1))].into_iter().collect();
        assert_eq!(unique_key(1, &description, &record), None);
        record.set(4, Value::from("X"));
        let key = unique_key(1, &description, &record);
        record.set(4, Value::from("x "));
        assert_eq!(key, unique_key(1, &description, &record), "FI-2");
        assert!(key.is_some());
    }
}
