//! [`DefinitionsBuilder`]: descriptions of tables become one checked [`Definitions`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use orgservice_security::ObjectTypeCode;
use rustc_hash::FxHashMap;

use super::{
    CascadeConfiguration, ColumnDefinition, ColumnType, Definitions, OneToMany, PrivilegeCatalog,
    RelationshipDefinition, RequiredLevel, TableDefinition, system,
    table::{BuiltLookup, BuiltTable, TableBuilder},
};
use crate::{limits::INDEX_COLUMNS_MAX, storage::index::IndexDescription};

/// First object type code of tables that are not shipped.
const CUSTOM_CODE_MIN: u32 = 10_000;

/// Longest String column, in UTF-16 units (`messages.md` 3.1).
const STRING_LENGTH_MAX: usize = 4_000;

/// Longest Memo column, in UTF-16 units (`messages.md` 3.1).
const MEMO_LENGTH_MAX: usize = 1_048_576;

/// Collects tables and cascade settings, then checks and freezes them.
#[derive(Clone, Debug)]
pub struct DefinitionsBuilder {
    tables: Vec<TableBuilder>,
    cascades: BTreeMap<String, CascadeConfiguration>,
    no_cascade: bool,
}

impl DefinitionsBuilder {
    /// The shipped tables (`messages.md` 7).
    pub fn system() -> Self {
        DefinitionsBuilder {
            tables: system::tables(),
            cascades: BTreeMap::new(),
            no_cascade: false,
        }
    }

    /// One more table.
    pub fn table(mut self, table: TableBuilder) -> Self {
        self.tables.push(table);
        self
    }

    /// Other cascade settings for a relationship, by its schema name.
    pub fn cascade(mut self, relationship: &str, cascade: CascadeConfiguration) -> Self {
        self.cascades.insert(relationship.to_owned(), cascade);
        self
    }

    /// NoCascade and RemoveLink on every relationship that [`cascade`](Self::cascade) does not
    /// name: the fixture of `security.md` 13. Links to a record's business unit stay Restrict,
    /// because there is no record without one.
    pub fn no_cascade(mut self) -> Self {
        self.no_cascade = true;
        self
    }

    /// Checks everything and freezes it.
    ///
    /// # Errors
    /// What is wrong with the description, for the developer who wrote it: a name or number used
    /// twice, a lookup to a table that does not exist, bounds that contradict each other, a cascade
    /// setting for an unknown relationship.
    pub fn build(self) -> Result<Definitions, String> {
        let DefinitionsBuilder {
            tables: builders,
            mut cascades,
            no_cascade,
        } = self;
        let names: BTreeSet<String> = builders.iter().map(TableBuilder::logical_name).collect();
        let mut codes: BTreeSet<u32> = builders.iter().filter_map(|table| table.code).collect();

        let mut tables = BTreeMap::new();
        let mut relationships = Relationships::default();
        let mut seen = BTreeSet::new();
        let mut next_code = CUSTOM_CODE_MIN;
        for builder in builders {
            let name = builder.logical_name();
            check_name(&name)?;
            if !seen.insert(name.clone()) {
                return Err(format!("table `{name}` is defined twice"));
            }
            let code = builder.code.unwrap_or_else(|| {
                while !codes.insert(next_code) {
                    next_code += 1;
                }
                next_code
            });
            let BuiltTable {
                table,
                lookups,
                many_to_many,
            } = builder.build(ObjectTypeCode(code))?;
            for column in &table.columns {
                check_column(&table, column, &names)?;
            }
            if let Some(wide) = widest(&table.indexes).filter(|&wide| wide > INDEX_COLUMNS_MAX) {
                return Err(format!(
                    "an index of `{name}` has {wide} columns; index_columns_max is \
                     {INDEX_COLUMNS_MAX}"
                ));
            }
            for lookup in lookups {
                relationships.add_lookup(&table, lookup, no_cascade, &mut cascades)?;
            }
            if let Some(joined) = many_to_many {
                for side in [&joined.left, &joined.right] {
                    check_target(&table, &side.0, &names)?;
                }
                relationships.add(
                    Arc::clone(&joined.schema_name),
                    RelationshipDefinition::ManyToMany(joined),
                )?;
            }
            if let Some(other) = tables.insert(code, Arc::new(table)) {
                return Err(format!(
                    "tables `{}` and `{name}` share code {code}",
                    other.logical_name
                ));
            }
        }
        if let Some(unknown) = cascades.keys().next() {
            return Err(format!(
                "no relationship `{unknown}` to cascade differently"
            ));
        }

        // Code order: a BTreeMap by code.
        let tables: Vec<Arc<TableDefinition>> = tables.into_values().collect();
        let privileges = PrivilegeCatalog::new(&tables)?;
        let numbered = || tables.iter().enumerate();
        Ok(Definitions {
            by_name: numbered()
                .map(|(at, table)| (Arc::clone(&table.logical_name), at))
                .collect(),
            by_code: numbered().map(|(at, table)| (table.code, at)).collect(),
            relationships: relationships.by_name,
            referencing: relationships.by_parent,
            privileges,
            tables,
        })
    }
}

#[derive(Default)]
struct Relationships {
    by_name: FxHashMap<Arc<str>, Arc<RelationshipDefinition>>,
    by_parent: FxHashMap<Arc<str>, Vec<Arc<OneToMany>>>,
}

impl Relationships {
    fn add_lookup(
        &mut self,
        table: &TableDefinition,
        lookup: BuiltLookup,
        no_cascade: bool,
        overrides: &mut BTreeMap<String, CascadeConfiguration>,
    ) -> Result<(), String> {
        let (schema_name, shipped) = lookup.named.unwrap_or_else(|| {
            let (parent, child) = (&lookup.referenced, &table.logical_name);
            // Currencies and business units are not taken from under those that use them.
            let cascade = match &**parent {
                "transactioncurrency" | "businessunit" => CascadeConfiguration::RESTRICT,
                _ => CascadeConfiguration::NONE,
            };
            (format!("{parent}_{child}_{}", lookup.lookup), cascade)
        });
        let cascade = match overrides.remove(&schema_name) {
            Some(cascade) => cascade,
            None if no_cascade && lookup.stored => CascadeConfiguration::NONE,
            None => shipped,
        };
        let schema_name: Arc<str> = schema_name.into();
        let relationship = Arc::new(OneToMany {
            schema_name: Arc::clone(&schema_name),
            referenced: Arc::clone(&lookup.referenced),
            referencing: Arc::clone(&table.logical_name),
            lookup: lookup.lookup,
            lookup_number: lookup.number,
            cascade,
        });
        self.by_parent
            .entry(lookup.referenced)
            .or_default()
            .push(Arc::clone(&relationship));
        self.add(schema_name, RelationshipDefinition::OneToMany(relationship))
    }

    fn add(&mut self, name: Arc<str>, relationship: RelationshipDefinition) -> Result<(), String> {
        match self
            .by_name
            .insert(Arc::clone(&name), Arc::new(relationship))
        {
            Some(_) => Err(format!("relationship `{name}` is defined twice")),
            None => Ok(()),
        }
    }
}

/// Logical names are lower-case ASCII words (MD-2).
/// The number of columns of the widest index.
fn widest(indexes: &[IndexDescription]) -> Option<usize> {
    indexes.iter().map(|index| index.columns.len()).max()
}

fn check_name(name: &str) -> Result<(), String> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if starts_well && name.chars().all(is_word) {
        Ok(())
    } else {
        Err(format!("`{name}` is no logical name"))
    }
}

fn check_target(
    table: &TableDefinition,
    target: &str,
    names: &BTreeSet<String>,
) -> Result<(), String> {
    if names.contains(target) {
        Ok(())
    } else {
        Err(format!(
            "table `{}` points at `{target}`, which does not exist",
            table.logical_name
        ))
    }
}

/// Bounds make sense, options are distinct, targets exist.
fn check_column(
    table: &TableDefinition,
    column: &ColumnDefinition,
    names: &BTreeSet<String>,
) -> Result<(), String> {
    check_name(&column.name)?;
    let wrong = |what: &str| {
        Err(format!(
            "column `{}` of table `{}`: {what}",
            column.name, table.logical_name
        ))
    };
    let is_own = column.number >= system::columns::number::FIRST_OWN;
    if is_own && table.code.0 >= CUSTOM_CODE_MIN && column.required == RequiredLevel::SystemRequired
    {
        return wrong("custom columns cannot be required by the system");
    }
    match &column.kind {
        ColumnType::String { max_length } if !(1..=STRING_LENGTH_MAX).contains(max_length) => {
            wrong("max length is out of bounds")
        }
        ColumnType::Memo { max_length } if !(1..=MEMO_LENGTH_MAX).contains(max_length) => {
            wrong("max length is out of bounds")
        }
        ColumnType::Integer { min, max } if min > max => wrong("min is larger than max"),
        ColumnType::Decimal {
            min,
            max,
            precision,
        } if min > max || *precision > 10 => wrong("bounds or precision make no sense"),
        ColumnType::Double {
            min,
            max,
            precision,
        } if min.partial_cmp(max).is_none_or(std::cmp::Ordering::is_gt) || *precision > 5 => {
            wrong("bounds or precision make no sense")
        }
        ColumnType::Money {
            min,
            max,
            precision,
            ..
        } if min > max || *precision > 4 => wrong("bounds or precision make no sense"),
        ColumnType::Picklist { options, default } => {
            let values: BTreeSet<i32> = options.iter().map(|option| option.value).collect();
            if values.len() != options.len() {
                return wrong("an option is there twice");
            }
            match default {
                Some(default) if !values.contains(default) => wrong("the default is no option"),
                _ => Ok(()),
            }
        }
        ColumnType::Status { options } => {
            let known: Vec<i32> = match table.column("statecode").map(|state| &state.kind) {
                Some(ColumnType::State { options }) => {
                    options.iter().map(|option| option.value).collect()
                }
                _ => Vec::new(),
            };
            if options.iter().any(|status| !known.contains(&status.state)) {
                return wrong("a status reason belongs to no state");
            }
            if known
                .iter()
                .any(|&state| table.default_status(state).is_none())
            {
                return wrong("a state has no status reason");
            }
            Ok(())
        }
        ColumnType::Lookup { targets } if targets.is_empty() => wrong("it has no target"),
        ColumnType::Lookup { targets } => targets
            .iter()
            .try_for_each(|target| check_target(table, target, names)),
        _ => Ok(()),
    }
}
