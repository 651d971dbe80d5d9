//! Records and references as they travel: [`Entity`], [`EntityReference`] and what names parts of them.

use std::collections::BTreeMap;

use orgservice_security::AccessRights;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Value;

/// A record, or the part of it that a request or a result carries.
///
/// An absent attribute is not touched on write and is null on read; [`Value::Null`] clears (GV-5).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Entity {
    /// Logical name of the table.
    pub logical_name: String,
    /// The record's id; `None` when not supplied (the all-zero GUID means the same, G-8).
    pub id: Option<Uuid>,
    /// Column values by logical name.
    pub attributes: BTreeMap<String, Value>,
    /// Display texts by logical name (FV-1); output only.
    pub formatted_values: BTreeMap<String, String>,
    /// Alternate key values that name the record instead of its id.
    pub key_attributes: BTreeMap<String, Value>,
    /// The version counter of the row (SY-6), for optimistic concurrency and in results.
    pub row_version: Option<u64>,
    /// Records to be created or changed together with this one (CR-12, UP-10), or returned with it.
    pub related_entities: Vec<RelatedEntities>,
}

impl Entity {
    /// An empty record of a table.
    pub fn new(logical_name: impl Into<String>) -> Self {
        Entity {
            logical_name: logical_name.into(),
            ..Entity::default()
        }
    }

    /// The same record with one more column value.
    pub fn with(mut self, column: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.insert(column.into(), value.into());
        self
    }

    /// The same record with its id.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// The reference to this record.
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

/// Names a record by table and id, or by table and alternate key.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct EntityReference {
    /// Logical name of the table.
    pub logical_name: String,
    /// The record's id; `None` when an alternate key names it.
    pub id: Option<Uuid>,
    /// The record's primary name; output only (RT-6).
    pub name: Option<String>,
    /// Alternate key values instead of the id.
    pub key_attributes: BTreeMap<String, Value>,
    /// The row version a Delete expects (OC-1).
    pub row_version: Option<u64>,
}

impl EntityReference {
    /// A reference by id.
    pub fn new(logical_name: impl Into<String>, id: Uuid) -> Self {
        EntityReference {
            logical_name: logical_name.into(),
            id: Some(id),
            ..Self::default()
        }
    }
}

/// Records with what a query says about the page they are on (`messages.md` 4.6).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct EntityCollection {
    /// Logical name of the records' table.
    pub entity_name: String,
    /// The records, in order.
    pub entities: Vec<Entity>,
    /// Whether rows remain after this page.
    pub more_records: bool,
    /// The opaque position to continue from (PG-2); `None` on the last page.
    pub paging_cookie: Option<String>,
    /// Number of rows the query matches; -1 unless asked for (PG-6).
    pub total_record_count: i64,
    /// Whether the count stopped at its limit.
    pub total_record_count_limit_exceeded: bool,
}

/// The records related to another one through a relationship.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RelatedEntities {
    /// The relationship.
    pub relationship: Relationship,
    /// The records on its other side.
    pub entities: EntityCollection,
}

/// Which columns to return (RT-3).
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
pub struct ColumnSet {
    /// Every readable column except image data.
    pub all_columns: bool,
    /// These columns; the primary key comes always.
    pub columns: Vec<String>,
}

impl ColumnSet {
    /// Every readable column.
    pub fn all() -> Self {
        ColumnSet {
            all_columns: true,
            columns: Vec::new(),
        }
    }

    /// The named columns.
    pub fn of<I: IntoIterator<Item = S>, S: Into<String>>(columns: I) -> Self {
        ColumnSet {
            all_columns: false,
            columns: columns.into_iter().map(Into::into).collect(),
        }
    }
}

/// The side of a self-referencing relationship that the target stands on (AS-4).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub enum EntityRole {
    /// The target holds the lookup.
    Referencing,
    /// The target is pointed at.
    Referenced,
}

/// A relationship by its schema name, case-sensitive (`account_primary_contact`).
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct Relationship {
    /// Schema name.
    pub schema_name: String,
    /// The target's side, where the relationship joins a table with itself.
    pub primary_entity_role: Option<EntityRole>,
}

/// A principal and the rights it is given on a record (SH-3).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct PrincipalAccess {
    /// A systemuser, a team or the organization.
    pub principal: EntityReference,
    /// The rights; unknown bits are kept so that they can be refused (SH-4).
    #[serde(with = "rights")]
    pub access_mask: AccessRights,
}

/// Rights as their mask.
mod rights {
    use orgservice_security::AccessRights;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(rights: &AccessRights, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(rights.bits())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<AccessRights, D::Error> {
        u32::deserialize(from).map(AccessRights::from_bits_retain)
    }
}
