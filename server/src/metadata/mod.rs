//! What tables, columns and relationships exist: [`Definitions`], an immutable snapshot.
//!
//! Pure look-ups. The shipped tables are described in code (`system/`); a server under test may add
//! tables of its own through [`DefinitionsBuilder`] until metadata messages exist.
//!
//! An activity table (`task`) has two numbers: `code` is its own, `facts.code` that of
//! `activitypointer`, whose privileges guard every activity (PR-1). Keys and references use the
//! first, decisions the second.

mod builder;
pub mod column;
mod privileges;
pub mod system;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use orgservice_security::{ObjectTypeCode, TableFacts, TableOwnership};
use rust_decimal::Decimal;
use rustc_hash::FxHashMap;

pub use builder::DefinitionsBuilder;
pub use privileges::{
    MISC_BYPASS_BUSINESS_LOGIC, MISC_BYPASS_PLUGINS, MISC_OVERRIDE_CREATED_ON, MISC_PRIVILEGES,
    PrivilegeCatalog, PrivilegeDefinition,
};
pub use table::{TableBuilder, table};

use crate::{
    fault::{Fault, FaultCode, Result},
    storage::index::{IndexDescription, TableKeys},
};

/// Every table and relationship of the organization at one moment.
#[derive(Debug)]
pub struct Definitions {
    tables: Vec<Arc<TableDefinition>>,
    by_name: FxHashMap<Arc<str>, usize>,
    by_code: FxHashMap<ObjectTypeCode, usize>,
    relationships: FxHashMap<Arc<str>, Arc<RelationshipDefinition>>,
    /// One-to-many relationships by the table that is pointed at, for cascades.
    referencing: FxHashMap<Arc<str>, Vec<Arc<OneToMany>>>,
    privileges: PrivilegeCatalog,
}

/// One table.
#[derive(Debug)]
pub struct TableDefinition {
    /// Object type code: the table's number, also its key prefix in the store.
    pub code: ObjectTypeCode,
    /// Logical name (`account`).
    pub logical_name: Arc<str>,
    /// Schema name (`Account`).
    pub schema_name: Arc<str>,
    /// What the access decision needs to know of it (PR-2).
    pub facts: TableFacts,
    /// Its columns, in column-number order.
    pub columns: Vec<ColumnDefinition>,
    /// Index into `columns` by logical name.
    by_name: FxHashMap<Arc<str>, usize>,
    /// Index into `columns` by column number.
    by_number: FxHashMap<u16, usize>,
    /// Index into `columns` of the primary key.
    pub primary_id: usize,
    /// Index into `columns` of the primary name, where there is one.
    pub primary_name: Option<usize>,
    /// Which messages the table answers.
    pub messages: TableMessages,
    /// Whether it has statecode and statuscode (SY-4).
    pub has_state: bool,
    /// Whether it is an activity table with a shared `activitypointer` row (SY-9).
    pub is_activity: bool,
    /// The two id columns of an intersect table (SY-8).
    pub intersect: Option<(Arc<str>, Arc<str>)>,
    /// Column indexes the store keeps (keyspace 04).
    pub indexes: Vec<IndexDescription>,
}

/// Which generic messages a table answers; the others are `SdkEntityDoesNotSupportMessage`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TableMessages {
    /// Create and Upsert.
    pub create: bool,
    /// Update, SetState and Upsert.
    pub update: bool,
    /// Delete.
    pub delete: bool,
    /// Retrieve and RetrieveMultiple.
    pub read: bool,
}

/// One column.
#[derive(Debug)]
pub struct ColumnDefinition {
    /// Number in the stored record; never reused, never changed.
    pub number: u16,
    /// Logical name.
    pub name: Arc<str>,
    /// Schema name.
    pub schema_name: Arc<str>,
    /// Type with its bounds.
    pub kind: ColumnType,
    /// Required level (MD-4).
    pub required: RequiredLevel,
    /// Whether a client's value counts on Create (G-6).
    pub valid_for_create: bool,
    /// Whether a value is ever returned.
    pub valid_for_read: bool,
    /// Whether a client's value counts on Update (G-6).
    pub valid_for_update: bool,
    /// Where the value lives.
    pub source: ColumnSource,
}

/// Where a column's value lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnSource {
    /// In the record's columns under its number.
    Stored,
    /// The record's key.
    PrimaryId,
    /// The header's owner, as Owner column (`ownerid`).
    Owner,
    /// The header's owner if it is a user (`owninguser`).
    OwningUser,
    /// The header's owner if it is a team (`owningteam`).
    OwningTeam,
    /// The header's business unit (`owningbusinessunit`, or `businessunitid` of a user, team, role).
    BusinessUnit,
    /// The header's row version (`versionnumber`).
    RowVersion,
    /// The one organization (`organizationid` of organization-owned tables).
    Organization,
}

/// Whether a value must be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequiredLevel {
    /// No.
    None,
    /// Enforced by the server (UP-3).
    SystemRequired,
    /// A hint for forms; never enforced.
    ApplicationRequired,
    /// A weaker hint.
    Recommended,
}

/// Type of a column (`messages.md` 3.1).
#[derive(Clone, Debug)]
pub enum ColumnType {
    /// Text up to `max_length` UTF-16 units.
    String {
        /// In UTF-16 code units (VT-2).
        max_length: usize,
    },
    /// Long text.
    Memo {
        /// In UTF-16 code units.
        max_length: usize,
    },
    /// 32-bit number.
    Integer {
        /// Smallest value.
        min: i32,
        /// Largest value.
        max: i32,
    },
    /// 64-bit number.
    BigInt,
    /// Exact decimal.
    Decimal {
        /// Smallest value.
        min: Decimal,
        /// Largest value.
        max: Decimal,
        /// Digits after the point that are kept.
        precision: u32,
    },
    /// Floating point.
    Double {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// Digits after the point in the formatted value.
        precision: u32,
    },
    /// Amount of money; the currency is the row's.
    Money {
        /// Smallest value.
        min: Decimal,
        /// Largest value.
        max: Decimal,
        /// Digits after the point that are kept.
        precision: u32,
        /// Number of the `_base` column computed from this one (SY-5); `None` on the base column.
        base: Option<u16>,
    },
    /// Yes or no.
    Boolean {
        /// Value when left out on Create (CR-5).
        default: Option<bool>,
        /// Label of true and of false.
        labels: (&'static str, &'static str),
    },
    /// Point in time.
    DateTime(DateTimeBehavior),
    /// One of the options.
    Picklist {
        /// The options.
        options: Vec<OptionDefinition>,
        /// Value when left out on Create.
        default: Option<i32>,
    },
    /// `statecode`.
    State {
        /// The states; the first one is the default.
        options: Vec<OptionDefinition>,
    },
    /// `statuscode`.
    Status {
        /// The reasons, each tied to a state.
        options: Vec<StatusDefinition>,
    },
    /// A set of options.
    MultiSelect {
        /// The options.
        options: Vec<OptionDefinition>,
    },
    /// Points at a record of one of `targets`.
    Lookup {
        /// Logical names.
        targets: Vec<Arc<str>>,
    },
    /// `ownerid`: systemuser or team.
    Owner,
    /// A GUID.
    UniqueIdentifier,
    /// The logical name of a table.
    EntityName,
    /// Picture data, returned only when asked for by name.
    Image,
}

/// How a DateTime column treats time zones (DT-1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DateTimeBehavior {
    /// Stored as UTC, formatted in the user's time zone.
    UserLocal,
    /// No time of day.
    DateOnly,
    /// As given.
    TimeZoneIndependent,
}

/// One option of a choice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OptionDefinition {
    /// The stored number.
    pub value: i32,
    /// The text a person sees.
    pub label: Arc<str>,
}

/// One status reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusDefinition {
    /// The stored number.
    pub value: i32,
    /// The text a person sees.
    pub label: Arc<str>,
    /// The state it belongs to.
    pub state: i32,
    /// Whether it is the state's default (UP-7).
    pub default: bool,
}

/// A relationship by schema name.
#[derive(Debug)]
pub enum RelationshipDefinition {
    /// A lookup.
    OneToMany(Arc<OneToMany>),
    /// An intersect table.
    ManyToMany(ManyToMany),
}

/// A lookup seen as a relationship, with what happens to children (`security.md` 7).
#[derive(Debug)]
pub struct OneToMany {
    /// Schema name (`account_primary_contact`).
    pub schema_name: Arc<str>,
    /// The parent's table.
    pub referenced: Arc<str>,
    /// The child's table.
    pub referencing: Arc<str>,
    /// The child's lookup column.
    pub lookup: Arc<str>,
    /// Number of that column.
    pub lookup_number: u16,
    /// Cascade settings.
    pub cascade: CascadeConfiguration,
}

/// A many-to-many relationship.
#[derive(Debug)]
pub struct ManyToMany {
    /// Schema name.
    pub schema_name: Arc<str>,
    /// Number in keyspaces 08 and 09.
    pub number: u32,
    /// First table and its id column in the intersect table.
    pub left: (Arc<str>, Arc<str>),
    /// Second table and its id column in the intersect table.
    pub right: (Arc<str>, Arc<str>),
    /// Intersect table.
    pub intersect: Arc<str>,
}

/// What happens to children when something happens to their parent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CascadeConfiguration {
    /// Assign.
    pub assign: CascadeType,
    /// Share and ModifyShare.
    pub share: CascadeType,
    /// Unshare.
    pub unshare: CascadeType,
    /// Change of parent; without effect until record inheritance exists (CA-3).
    pub reparent: CascadeType,
    /// Delete.
    pub delete: DeleteCascade,
}

/// Which children an action reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CascadeType {
    /// All.
    Cascade,
    /// Those whose statecode is 0.
    Active,
    /// Those owned by whoever owned the parent before the action.
    UserOwned,
    /// None.
    NoCascade,
}

/// What happens to children of a deleted record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeleteCascade {
    /// They are deleted.
    Cascade,
    /// Their lookup is emptied.
    RemoveLink,
    /// The delete is refused while one exists.
    Restrict,
}

impl TableMessages {
    /// Every message.
    pub const ALL: Self = Self {
        create: true,
        update: true,
        delete: true,
        read: true,
    };
    /// Retrieve and RetrieveMultiple.
    pub const READ_ONLY: Self = Self {
        create: false,
        update: false,
        delete: false,
        read: true,
    };
}

impl CascadeConfiguration {
    /// Nothing follows the parent; a delete empties the lookup.
    pub const NONE: Self = Self::of(CascadeType::NoCascade, DeleteCascade::RemoveLink);
    /// Nothing follows the parent; it cannot be deleted while a child exists.
    pub const RESTRICT: Self = Self::of(CascadeType::NoCascade, DeleteCascade::Restrict);
    /// Everything follows the parent.
    pub const PARENTAL: Self = Self::of(CascadeType::Cascade, DeleteCascade::Cascade);
    /// Everything follows the parent, but a delete empties the lookup.
    pub const FOLLOWING: Self = Self::of(CascadeType::Cascade, DeleteCascade::RemoveLink);

    /// The same choice for Assign, Share, Unshare and Reparent.
    pub const fn of(each: CascadeType, delete: DeleteCascade) -> Self {
        CascadeConfiguration {
            assign: each,
            share: each,
            unshare: each,
            reparent: each,
            delete,
        }
    }
}

impl Definitions {
    /// The table of a logical name, compared case-sensitively (G-1).
    pub fn table(&self, logical_name: &str) -> Option<&Arc<TableDefinition>> {
        self.by_name
            .get(logical_name)
            .map(|&index| &self.tables[index])
    }

    /// The table of a logical name.
    ///
    /// # Errors
    /// `QueryBuilderNoEntity` with the field's path when there is none (G-2).
    pub fn require_table(&self, logical_name: &str, field: &str) -> Result<&Arc<TableDefinition>> {
        self.table(logical_name).ok_or_else(|| {
            let description = format!("table `{logical_name}` does not exist");
            Fault::new(FaultCode::QueryBuilderNoEntity, description.clone())
                .detail("table", logical_name)
                .violation(field, description)
        })
    }

    /// The table of an object type code.
    pub fn table_by_code(&self, code: ObjectTypeCode) -> Option<&Arc<TableDefinition>> {
        self.by_code.get(&code).map(|&index| &self.tables[index])
    }

    /// Every table, in object-type-code order.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableDefinition>> {
        self.tables.iter()
    }

    /// The relationship of a schema name, compared case-sensitively.
    pub fn relationship(&self, schema_name: &str) -> Option<&Arc<RelationshipDefinition>> {
        self.relationships.get(schema_name)
    }

    /// Every relationship.
    pub fn relationships(&self) -> impl Iterator<Item = &Arc<RelationshipDefinition>> {
        self.relationships.values()
    }

    /// One-to-many relationships in which records of this table are the parents.
    pub fn children_of(&self, logical_name: &str) -> &[Arc<OneToMany>] {
        self.referencing
            .get(logical_name)
            .map_or(&[], Vec::as_slice)
    }

    /// Names and ids of every privilege (PR-1, PR-4).
    pub fn privileges(&self) -> &PrivilegeCatalog {
        &self.privileges
    }
}

impl TableDefinition {
    /// The column of a logical name.
    pub fn column(&self, name: &str) -> Option<&ColumnDefinition> {
        self.by_name.get(name).map(|&index| &self.columns[index])
    }

    /// Where a column stands in `columns`.
    pub(crate) fn column_index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The column of a number.
    pub fn column_by_number(&self, number: u16) -> Option<&ColumnDefinition> {
        self.by_number
            .get(&number)
            .map(|&index| &self.columns[index])
    }

    /// The column of a logical name.
    ///
    /// # Errors
    /// `QueryBuilderNoAttribute` with table, column and the field's path when there is none (G-2).
    pub fn require_column(
        &self,
        name: &str,
        field: impl FnOnce() -> String,
    ) -> Result<&ColumnDefinition> {
        self.column(name).ok_or_else(|| {
            let description = format!("table `{}` has no column `{name}`", self.logical_name);
            Fault::new(FaultCode::QueryBuilderNoAttribute, description.clone())
                .detail("table", &self.logical_name)
                .detail("column", name)
                .violation(field(), description)
        })
    }

    /// The primary key column.
    pub fn primary_id_column(&self) -> &ColumnDefinition {
        &self.columns[self.primary_id]
    }

    /// The primary name column, where there is one.
    pub fn primary_name_column(&self) -> Option<&ColumnDefinition> {
        self.primary_name.map(|index| &self.columns[index])
    }

    /// Who owns its records.
    pub fn ownership(&self) -> TableOwnership {
        self.facts.ownership
    }

    /// What the store keeps for its records beside the records themselves.
    pub fn keys(&self) -> TableKeys<'_> {
        let ownership = self.facts.ownership;
        TableKeys {
            otc: self.code.0,
            owned: ownership == TableOwnership::UserOwned,
            has_business_unit: matches!(
                ownership,
                TableOwnership::UserOwned | TableOwnership::BusinessOwned
            ),
            indexes: &self.indexes,
        }
    }

    /// The default status reason of a state (UP-7).
    pub fn default_status(&self, state: i32) -> Option<i32> {
        self.statuses()
            .iter()
            .find(|status| status.state == state && status.default)
            .map(|status| status.value)
    }

    /// The state a status reason belongs to.
    pub fn state_of_status(&self, status: i32) -> Option<i32> {
        self.statuses()
            .iter()
            .find(|option| option.value == status)
            .map(|option| option.state)
    }

    fn statuses(&self) -> &[StatusDefinition] {
        match self.column("statuscode").map(|column| &column.kind) {
            Some(ColumnType::Status { options }) => options,
            _ => &[],
        }
    }
}
