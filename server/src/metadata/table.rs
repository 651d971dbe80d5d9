//! How one table is described in code: [`TableBuilder`], started with [`table`].

use std::sync::Arc;

use orgservice_security::{ObjectTypeCode, TableFacts, TableOwnership};
use rustc_hash::FxHashMap;

use super::{
    CascadeConfiguration, ColumnDefinition, ColumnSource, ColumnType, ManyToMany, TableDefinition,
    TableMessages,
    column::{self, ColumnBuilder},
    system::columns::{self, number},
};
use crate::{
    limits::{INDEX_COLUMNS_MAX, RECORD_COLUMNS_MAX},
    storage::index::IndexDescription,
};

/// States of a table that names none of its own.
const ACTIVE_INACTIVE: &[(i32, &str)] = &[(0, "Active"), (1, "Inactive")];
/// Status reasons that go with them.
const ACTIVE_INACTIVE_REASONS: &[(i32, &str, i32)] = &[(1, "Active", 0), (2, "Inactive", 1)];

/// Object type code of `activitypointer`, whose privileges guard every activity table (PR-1).
pub(super) const ACTIVITY_CODE: u32 = 4200;

/// A table under construction: user-owned with the states Active and Inactive unless told otherwise.
#[derive(Clone, Debug)]
pub struct TableBuilder {
    pub(super) schema_name: String,
    pub(super) code: Option<u32>,
    ownership: TableOwnership,
    administrative: bool,
    stamped: bool,
    is_activity: bool,
    messages: TableMessages,
    primary_id: String,
    primary_name: Option<String>,
    states: Option<[ColumnBuilder; 2]>,
    currency: Option<ColumnBuilder>,
    business_unit: Option<ColumnBuilder>,
    columns: Vec<ColumnBuilder>,
    pub(super) intersect: Option<IntersectBuilder>,
}

/// A many-to-many relationship under construction.
#[derive(Clone, Debug)]
pub(super) struct IntersectBuilder {
    schema_name: String,
    left: (String, String),
    right: (String, String),
}

/// A finished table with the relationships its lookups ask for.
pub(super) struct BuiltTable {
    pub(super) table: TableDefinition,
    pub(super) lookups: Vec<BuiltLookup>,
    pub(super) many_to_many: Option<ManyToMany>,
}

/// One lookup towards one of its targets.
pub(super) struct BuiltLookup {
    pub(super) referenced: Arc<str>,
    pub(super) lookup: Arc<str>,
    pub(super) number: u16,
    pub(super) stored: bool,
    /// Name and cascade, where the description states them.
    pub(super) named: Option<(String, CascadeConfiguration)>,
}

/// Starts a user-owned table of this schema name; the logical name is the same in lower case.
pub fn table(schema_name: &str) -> TableBuilder {
    TableBuilder {
        schema_name: schema_name.to_owned(),
        code: None,
        ownership: TableOwnership::UserOwned,
        administrative: false,
        stamped: true,
        is_activity: false,
        messages: TableMessages::ALL,
        primary_id: format!("{schema_name}Id"),
        primary_name: None,
        states: Some(columns::states(ACTIVE_INACTIVE, ACTIVE_INACTIVE_REASONS)),
        currency: None,
        business_unit: None,
        columns: Vec::new(),
        intersect: None,
    }
}

impl TableBuilder {
    /// Its object type code; without one a table gets the next free number from 10,000 on.
    pub fn code(mut self, code: u32) -> Self {
        self.code = Some(code);
        self
    }

    /// Owned by users and teams (the default).
    pub fn user_owned(mut self) -> Self {
        self.ownership = TableOwnership::UserOwned;
        self
    }

    /// Owned by the organization.
    pub fn organization_owned(mut self) -> Self {
        self.ownership = TableOwnership::OrganizationOwned;
        self
    }

    /// Owned by business units; without states (SY-4).
    pub(super) fn business_owned(mut self) -> Self {
        self.ownership = TableOwnership::BusinessOwned;
        self.stateless()
    }

    /// Owned by nobody: no stamps, no states, no privileges of its own.
    pub(super) fn unowned(mut self) -> Self {
        self.ownership = TableOwnership::None;
        self.stamped = false;
        self.stateless()
    }

    /// Counts as an administration table (U-3).
    pub(super) fn administrative(mut self) -> Self {
        self.administrative = true;
        self
    }

    /// An activity: shares its id with an `activitypointer` row (SY-9) and its privileges with all
    /// other activities (PR-1).
    pub fn activity(mut self) -> Self {
        self.is_activity = true;
        self.primary_id("ActivityId")
    }

    /// Without statecode and statuscode.
    pub fn stateless(mut self) -> Self {
        self.states = None;
        self
    }

    /// States of its own: `(value, label)`, the default one first, and status reasons
    /// `(value, label, state)`, the default one of each state first.
    pub fn states(mut self, states: &[(i32, &str)], statuses: &[(i32, &str, i32)]) -> Self {
        self.states = Some(columns::states(states, statuses));
        self
    }

    /// Which messages it answers; all unless told otherwise.
    pub fn messages(mut self, messages: TableMessages) -> Self {
        self.messages = messages;
        self
    }

    /// Schema name of the primary key, if it is not the table's with `Id`.
    pub fn primary_id(mut self, schema_name: &str) -> Self {
        schema_name.clone_into(&mut self.primary_id);
        self
    }

    /// The column that names a record to people; indexed.
    pub fn primary_name(mut self, column: ColumnBuilder) -> Self {
        self.primary_name = Some(column.logical_name());
        self.column(column.indexed())
    }

    /// A currency of its own even without amounts; tables with Money columns have one anyway.
    pub(super) fn currency(mut self, relationship: &str) -> Self {
        let cascade = CascadeConfiguration::RESTRICT;
        self.currency =
            Some(columns::currency().relationship("transactioncurrency", relationship, cascade));
        self
    }

    /// `businessunitid` under its relationship's name (SY-3).
    pub(super) fn business_unit(mut self, column: ColumnBuilder) -> Self {
        self.business_unit = Some(column);
        self
    }

    /// One more column of its own. Their order is their number in stored records: append only.
    pub fn column(mut self, mut column: ColumnBuilder) -> Self {
        let ColumnType::Money {
            min,
            max,
            precision,
            base: None,
        } = column.kind
        else {
            self.columns.push(column);
            return self;
        };
        // The base column stands right behind its amount, so its number is known here.
        let base_number = self.next_number() + 1;
        let base_name = format!("{}_Base", column.schema_name);
        let base = column::money(&base_name, -column::MONEY_MAX).read_only();
        column.kind = ColumnType::Money {
            min,
            max,
            precision,
            base: Some(base_number),
        };
        self.columns.extend([column, base]);
        self
    }

    /// Several columns.
    pub fn columns(self, columns: impl IntoIterator<Item = ColumnBuilder>) -> Self {
        columns.into_iter().fold(self, Self::column)
    }

    /// Joins two tables many-to-many: name, and table and id column of either side (SY-8).
    pub(super) fn intersection(
        mut self,
        schema_name: &str,
        left: (&str, &str),
        right: (&str, &str),
    ) -> Self {
        let owned = |(table, column): (&str, &str)| (table.to_owned(), column.to_lowercase());
        self.intersect = Some(IntersectBuilder {
            schema_name: schema_name.to_owned(),
            left: owned(left),
            right: owned(right),
        });
        self.messages(TableMessages::READ_ONLY)
            .column(column::guid(left.1).read_only().indexed())
            .column(column::guid(right.1).read_only().indexed())
    }

    pub(super) fn logical_name(&self) -> String {
        self.schema_name.to_lowercase()
    }

    fn next_number(&self) -> u16 {
        let own = u16::try_from(self.columns.len()).unwrap_or(u16::MAX);
        number::FIRST_OWN.saturating_add(own)
    }

    /// The table with system columns added and everything numbered.
    pub(super) fn build(mut self, code: ObjectTypeCode) -> Result<BuiltTable, String> {
        let name: Arc<str> = self.logical_name().into();
        if self.columns.len() > RECORD_COLUMNS_MAX - usize::from(number::FIRST_OWN) {
            return Err(format!(
                "table `{name}` has more than {RECORD_COLUMNS_MAX} columns"
            ));
        }
        let columns = self.all_columns();
        let has_state = self.states.is_some();

        let mut lookups = Vec::new();
        let mut indexes = Vec::new();
        let mut definitions = Vec::with_capacity(columns.len());
        for (column_number, builder) in columns {
            let column = definition(&builder, column_number);
            // Derived columns are not in the stored record; keyspaces 02 and 03 find them.
            let stored = builder.source == ColumnSource::Stored;
            if let ColumnType::Lookup { targets } = &column.kind
                && let Some(stray) = builder
                    .relationships
                    .iter()
                    .find(|relationship| !targets.iter().any(|t| **t == *relationship.target))
            {
                let (relationship, target) = (&stray.schema_name, &stray.target);
                return Err(format!(
                    "relationship `{relationship}` leads to `{target}`, but its lookup does not"
                ));
            }
            // Rows that only the server writes follow other rows by rule, not by cascade.
            if let ColumnType::Lookup { targets } = &column.kind
                && !builder.unrelated
                && self.messages.update
            {
                lookups.extend(targets.iter().map(|target| {
                    BuiltLookup {
                        referenced: Arc::clone(target),
                        lookup: Arc::clone(&column.name),
                        number: column_number,
                        stored,
                        named: builder
                            .relationships
                            .iter()
                            .find(|relationship| *relationship.target == **target)
                            .map(|found| (found.schema_name.clone(), found.cascade)),
                    }
                }));
            }
            let is_lookup = matches!(column.kind, ColumnType::Lookup { .. });
            if stored && (builder.indexed || (is_lookup && !builder.unrelated)) {
                indexes.push(IndexDescription {
                    number: column_number,
                    columns: vec![column_number],
                    unique: false,
                });
            }
            definitions.push(column);
        }
        if indexes
            .iter()
            .any(|index| index.columns.len() > INDEX_COLUMNS_MAX)
        {
            return Err(format!(
                "an index of table `{name}` has more than {INDEX_COLUMNS_MAX} columns"
            ));
        }
        definitions.sort_by_key(|column| column.number);

        let mut by_name = FxHashMap::default();
        let mut by_number = FxHashMap::default();
        for (index, column) in definitions.iter().enumerate() {
            if by_name.insert(Arc::clone(&column.name), index).is_some() {
                return Err(format!("table `{name}` has two columns `{}`", column.name));
            }
            if by_number.insert(column.number, index).is_some() {
                return Err(format!("table `{name}` has two columns {}", column.number));
            }
        }
        let primary_id = by_number
            .get(&number::PRIMARY_ID)
            .copied()
            .ok_or_else(|| format!("table `{name}` has no primary key"))?;
        let primary_name = self
            .primary_name
            .take()
            .and_then(|column| by_name.get(column.as_str()).copied());

        // The code whose privileges guard the table is not its own for activities (PR-1).
        let guard = if self.is_activity {
            ObjectTypeCode(ACTIVITY_CODE)
        } else {
            code
        };
        let facts = if self.administrative {
            TableFacts::administrative(guard, self.ownership)
        } else {
            TableFacts::new(guard, self.ownership)
        };
        let many_to_many = self
            .intersect
            .take()
            .map(|intersect| intersect.build(code, &name));
        let table = TableDefinition {
            code,
            logical_name: Arc::clone(&name),
            schema_name: self.schema_name.into(),
            facts,
            columns: definitions,
            by_name,
            by_number,
            primary_id,
            primary_name,
            messages: self.messages,
            has_state,
            is_activity: self.is_activity,
            intersect: many_to_many
                .as_ref()
                .map(|joined| (Arc::clone(&joined.left.1), Arc::clone(&joined.right.1))),
            indexes,
        };
        Ok(BuiltTable {
            table,
            lookups,
            many_to_many,
        })
    }

    /// System columns under their fixed numbers, own columns in declared order from 100 on.
    fn all_columns(&mut self) -> Vec<(u16, ColumnBuilder)> {
        let mut system = vec![
            columns::primary_id(&self.primary_id),
            columns::version_number(),
        ];
        if self.stamped {
            system.extend(columns::stamps());
        }
        match self.ownership {
            TableOwnership::UserOwned => system.extend(columns::ownership()),
            // The organization's own key already has that name.
            TableOwnership::OrganizationOwned if self.primary_id == "OrganizationId" => {}
            TableOwnership::OrganizationOwned => system.push(columns::organization()),
            TableOwnership::BusinessOwned => system.extend(self.business_unit.take()),
            TableOwnership::None => {}
        }
        system.extend(self.states.clone().into_iter().flatten());
        let has_money = self
            .columns
            .iter()
            .any(|column| matches!(column.kind, ColumnType::Money { .. }));
        if has_money {
            system.push(columns::exchange_rate());
            let currency = self.currency.take().unwrap_or_else(|| {
                let relationship = format!("transactioncurrency_{}", self.logical_name());
                columns::currency().relationship(
                    "transactioncurrency",
                    &relationship,
                    CascadeConfiguration::RESTRICT,
                )
            });
            system.push(currency);
        } else {
            system.extend(self.currency.take());
        }
        let own = std::mem::take(&mut self.columns);
        let own = own
            .into_iter()
            .zip(number::FIRST_OWN..)
            .map(|(column, number)| (number, column));
        system
            .into_iter()
            .map(|column| (column.number.unwrap_or_default(), column))
            .chain(own)
            .collect()
    }
}

impl IntersectBuilder {
    /// The code of the intersect table is the relationship's number: unique and fixed for ever.
    fn build(self, code: ObjectTypeCode, intersect: &Arc<str>) -> ManyToMany {
        let shared = |(table, column): (String, String)| (table.into(), column.into());
        ManyToMany {
            schema_name: self.schema_name.into(),
            number: code.0,
            left: shared(self.left),
            right: shared(self.right),
            intersect: Arc::clone(intersect),
        }
    }
}

fn definition(builder: &ColumnBuilder, number: u16) -> ColumnDefinition {
    ColumnDefinition {
        number,
        name: builder.logical_name().into(),
        schema_name: builder.schema_name.as_str().into(),
        kind: builder.kind.clone(),
        required: builder.required,
        valid_for_create: builder.valid_for_create,
        valid_for_read: true,
        valid_for_update: builder.valid_for_update,
        source: builder.source,
    }
}
