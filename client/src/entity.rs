//! Records and references, without types: [`Entity`], [`EntityReference`] and what goes with them.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    error::ConvertError,
    security::EntityRole,
    typed::FromEntity,
    value::{FromValue, Value, convert},
};

/// One record: the logical name of its table, its id and its columns by logical name.
///
/// In a write an absent column is not touched and [`Value::Null`] clears one; in results null columns are
/// absent (GV-5).
///
/// ```
/// use orgservice_client::{Entity, Money, Value};
///
/// # fn main() -> Result<(), orgservice_client::Error> {
/// let account = Entity::new("account")
///     .set("name", "Contoso")
///     .set("revenue", Money::new(5000))
///     .set("telephone1", Value::Null);
///
/// assert_eq!(account.get::<String>("name")?, "Contoso");
/// assert_eq!(account.get::<Option<i32>>("numberofemployees")?, None);
/// let error = account.get::<i32>("revenue").unwrap_err();
/// assert_eq!(error.to_string(), "column `revenue`: expected Integer, found Money");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity {
    /// Logical name of the table.
    pub logical_name: String,
    /// Id of the record. `None` on create lets the server choose one (CR-1).
    pub id: Option<Uuid>,
    /// Columns by logical name.
    pub attributes: BTreeMap<String, Value>,
    /// Values as a user reads them, keyed like the attributes. Output only.
    pub formatted_values: BTreeMap<String, String>,
    /// Columns and values of an alternate key that names the record instead of its id.
    pub key_attributes: BTreeMap<String, Value>,
    /// Version of the record: the one read, or the one that an update expects (OC-2).
    pub row_version: Option<u64>,
    /// Records created, changed or read together with this one (CR-12, UP-10, RT-7).
    pub related_entities: Vec<RelatedEntities>,
}

impl Entity {
    /// An empty record of a table.
    pub fn new(logical_name: impl Into<String>) -> Self {
        Self {
            logical_name: logical_name.into(),
            ..Self::default()
        }
    }

    /// The same record with a column set.
    #[must_use]
    pub fn set(mut self, column: impl Into<String>, value: impl Into<Value>) -> Self {
        self.insert(column, value);
        self
    }

    /// Sets a column in place and returns what it held before.
    pub fn insert(&mut self, column: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.attributes.insert(column.into(), value.into())
    }

    /// The same record with its id.
    #[must_use]
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// The same record, named by one more column of an alternate key.
    #[must_use]
    pub fn with_key(mut self, column: impl Into<String>, value: impl Into<Value>) -> Self {
        self.key_attributes.insert(column.into(), value.into());
        self
    }

    /// The same record with the version that an update expects to find.
    #[must_use]
    pub fn with_row_version(mut self, row_version: u64) -> Self {
        self.row_version = Some(row_version);
        self
    }

    /// The same record with related ones, created or changed in the same transaction.
    #[must_use]
    pub fn with_related(
        mut self,
        relationship: impl Into<Relationship>,
        entities: impl IntoIterator<Item = Entity>,
    ) -> Self {
        self.related_entities.push(RelatedEntities {
            relationship: relationship.into(),
            entities: EntityCollection {
                entities: entities.into_iter().collect(),
                ..EntityCollection::default()
            },
        });
        self
    }

    /// A column, converted. `Option<T>` accepts an absent column; sees through aliased values.
    ///
    /// # Errors
    /// [`ConvertError`] if the column is absent or of another kind.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, ConvertError> {
        convert(column, self.attributes.get(column).cloned())
    }

    /// Like [`get`](Self::get), but moves the value out of the record.
    ///
    /// # Errors
    /// [`ConvertError`] if the column is absent or of another kind; the value is gone then, too.
    pub fn take<T: FromValue>(&mut self, column: &str) -> Result<T, ConvertError> {
        convert(column, self.attributes.remove(column))
    }

    /// A column as a user reads it: the label of an option, the name of a reference (FV-1).
    #[must_use]
    pub fn formatted(&self, column: &str) -> Option<&str> {
        self.formatted_values.get(column).map(String::as_str)
    }

    /// The records read through a relationship (RT-7); empty if it was not asked for.
    #[must_use]
    pub fn related(&self, relationship: &str) -> &[Entity] {
        self.related_entities
            .iter()
            .find(|related| related.relationship.schema_name == relationship)
            .map_or(&[], |related| &related.entities.entities)
    }

    /// The reference to this record.
    #[must_use]
    pub fn reference(&self) -> EntityReference {
        EntityReference {
            logical_name: self.logical_name.clone(),
            id: self.id,
            name: None,
            key_attributes: self.key_attributes.clone(),
            row_version: self.row_version,
        }
    }
}

impl From<&Entity> for Entity {
    fn from(entity: &Entity) -> Self {
        entity.clone()
    }
}

/// Names one record: by table and id, or by table and alternate key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntityReference {
    /// Logical name of the table.
    pub logical_name: String,
    /// Id of the record; `None` when an alternate key names it.
    pub id: Option<Uuid>,
    /// Value of the record's primary name column. Output only (RT-6).
    pub name: Option<String>,
    /// Columns and values of an alternate key, instead of the id.
    pub key_attributes: BTreeMap<String, Value>,
    /// The version that a delete expects (OC-2).
    pub row_version: Option<u64>,
}

impl EntityReference {
    /// A reference by id.
    pub fn new(logical_name: impl Into<String>, id: Uuid) -> Self {
        Self {
            logical_name: logical_name.into(),
            id: Some(id),
            ..Self::default()
        }
    }

    /// A reference by alternate key; [`with_key`](Self::with_key) adds further columns of it.
    pub fn by_key(
        logical_name: impl Into<String>,
        column: impl Into<String>,
        value: impl Into<Value>,
    ) -> Self {
        Self {
            logical_name: logical_name.into(),
            ..Self::default()
        }
        .with_key(column, value)
    }

    /// The same reference with one more column of the alternate key.
    #[must_use]
    pub fn with_key(mut self, column: impl Into<String>, value: impl Into<Value>) -> Self {
        self.key_attributes.insert(column.into(), value.into());
        self
    }

    /// The same reference with the version that a delete expects to find.
    #[must_use]
    pub fn with_row_version(mut self, row_version: u64) -> Self {
        self.row_version = Some(row_version);
        self
    }
}

impl From<&EntityReference> for EntityReference {
    fn from(reference: &EntityReference) -> Self {
        reference.clone()
    }
}

impl From<&Entity> for EntityReference {
    fn from(entity: &Entity) -> Self {
        entity.reference()
    }
}

/// `id.in_table("account")`: the short way from an id to a reference.
pub trait InTable {
    /// The reference to the record with this id in a table.
    fn in_table(self, logical_name: impl Into<String>) -> EntityReference;
}

impl InTable for Uuid {
    fn in_table(self, logical_name: impl Into<String>) -> EntityReference {
        EntityReference::new(logical_name, self)
    }
}

/// Records of one table, such as one page of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntityCollection {
    /// Logical name of the table.
    pub entity_name: String,
    /// The records, in order.
    pub entities: Vec<Entity>,
    /// Whether more rows follow this page (PG-1).
    pub more_records: bool,
    /// The opaque position after this page; `None` if the query has no cookie (PG-3).
    pub paging_cookie: Option<String>,
    /// Rows of the whole query, counted up to 5000; `None` unless it was asked for (PG-6).
    pub total_record_count: Option<u64>,
    /// Whether the query has more rows than the count says.
    pub total_record_count_limit_exceeded: bool,
}

impl EntityCollection {
    /// The records as a type.
    ///
    /// # Errors
    /// [`ConvertError`] of the first record that does not fit the type.
    pub fn typed<T: FromEntity>(self) -> Result<Vec<T>, ConvertError> {
        self.entities.into_iter().map(T::from_entity).collect()
    }
}

impl From<Vec<Entity>> for EntityCollection {
    fn from(entities: Vec<Entity>) -> Self {
        Self {
            entities,
            ..Self::default()
        }
    }
}

/// The records at the other end of one relationship of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct RelatedEntities {
    /// The relationship.
    pub relationship: Relationship,
    /// The records.
    pub entities: EntityCollection,
}

/// A relationship as the operand of an operation, by schema name: `account_primary_contact`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relationship {
    /// Schema name.
    pub schema_name: String,
    /// The role of the target; needed only if both ends are the same table (AS-4).
    pub primary_entity_role: Option<EntityRole>,
}

impl Relationship {
    /// A relationship between two tables.
    pub fn new(schema_name: impl Into<String>) -> Self {
        Self {
            schema_name: schema_name.into(),
            primary_entity_role: None,
        }
    }

    /// The same relationship, with the role that the target plays in it.
    #[must_use]
    pub fn with_role(mut self, role: EntityRole) -> Self {
        self.primary_entity_role = Some(role);
        self
    }
}

impl From<&str> for Relationship {
    fn from(schema_name: &str) -> Self {
        Self::new(schema_name)
    }
}

impl From<String> for Relationship {
    fn from(schema_name: String) -> Self {
        Self::new(schema_name)
    }
}

/// Which columns to return (RT-3). Empty: the primary key only, which is always returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnSet {
    /// Every readable column except image data.
    pub all_columns: bool,
    /// Logical names; with `all_columns` additions to it.
    pub columns: Vec<String>,
}

impl ColumnSet {
    /// Every readable column except image data.
    #[must_use]
    pub fn all() -> Self {
        Self {
            all_columns: true,
            columns: Vec::new(),
        }
    }

    /// The named columns.
    pub fn of<I: IntoIterator<Item = S>, S: Into<String>>(columns: I) -> Self {
        Self {
            all_columns: false,
            columns: columns.into_iter().map(Into::into).collect(),
        }
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for ColumnSet {
    fn from(columns: [S; N]) -> Self {
        Self::of(columns)
    }
}

impl<S: Into<String>> From<Vec<S>> for ColumnSet {
    fn from(columns: Vec<S>) -> Self {
        Self::of(columns)
    }
}

impl From<&[&str]> for ColumnSet {
    fn from(columns: &[&str]) -> Self {
        Self::of(columns.iter().copied())
    }
}

/// A value in a query result together with the column it was read from (LK-5).
#[derive(Clone, Debug, PartialEq)]
pub struct AliasedValue {
    /// Logical name of the column's table.
    pub entity_logical_name: String,
    /// Logical name of the column.
    pub attribute_logical_name: String,
    /// The value.
    pub value: Value,
}
