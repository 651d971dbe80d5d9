//! [`Value`]: the closed set of kinds a column or a message parameter can hold (`grpc.md` 4).

use bytes::Bytes;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ColumnSet, Entity, EntityCollection, EntityReference, OrganizationRequest,
    OrganizationResponse, PrincipalAccess, Query, Relationship,
};
use crate::fault::Fault;

/// One value of a column or of a message parameter.
///
/// The variants from [`Value::ColumnSet`] on are message parameters only: in a column they are
/// refused with `InvalidArgument` (GV-9).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub enum Value {
    /// An explicit null: clears a column on write; never stored, never returned (GV-5, RT-2).
    Null,
    /// A Boolean column.
    Boolean(bool),
    /// An Integer column, an SDK enumeration or a mask.
    Integer(i32),
    /// A BigInt column.
    BigInt(i64),
    /// A Double column; never NaN or infinite once it passed the edge.
    Double(f64),
    /// A Decimal column.
    Decimal(Decimal),
    /// A Money column; the currency is the row's `transactioncurrencyid`.
    Money(Decimal),
    /// A String, Memo or EntityName column.
    String(String),
    /// A DateTime column: an instant, or a wall-clock time written as if UTC (GV-4).
    DateTime(Timestamp),
    /// A Uniqueidentifier column.
    Guid(Uuid),
    /// A Picklist, State or Status column.
    OptionSet(i32),
    /// A MultiSelectPicklist column, sorted and without duplicates once stored.
    OptionSets(Vec<i32>),
    /// A Lookup, Customer or Owner column.
    EntityReference(EntityReference),
    /// A message parameter that lists references.
    EntityReferences(Vec<EntityReference>),
    /// A record as a message parameter, or an SDK structure without a kind of its own (GV-9).
    Entity(Box<Entity>),
    /// A collection of records.
    Entities(Box<EntityCollection>),
    /// A column of a linked table in a query result.
    Aliased(Box<AliasedValue>),
    /// An Image column.
    Bytes(Bytes),
    /// A managed property.
    BooleanManagedProperty(bool),
    /// A principal with the rights it is given.
    PrincipalAccess(PrincipalAccess),
    /// A list of values.
    List(Vec<Value>),
    /// The columns to return.
    ColumnSet(ColumnSet),
    /// A relationship by schema name.
    Relationship(Relationship),
    /// A query in one of its forms.
    Query(Box<Query>),
    /// A request inside a batch.
    Request(Box<OrganizationRequest>),
    /// A response inside a batch.
    Response(Box<OrganizationResponse>),
    /// A fault inside a batch.
    Fault(Box<Fault>),
}

/// A value of a linked table's column, with the table and column it came from (LK-5).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct AliasedValue {
    /// Logical name of the linked table.
    pub entity_logical_name: String,
    /// Logical name of the column.
    pub attribute_logical_name: String,
    /// The value itself.
    pub value: Value,
}

/// The kind of a [`Value`], for messages such as "expected String, received Integer" (VT-1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ValueKind(pub &'static str);

impl std::fmt::Display for ValueKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl Value {
    /// The kind's name as a client knows it: the Value field of the contract in camelCase.
    pub fn kind(&self) -> ValueKind {
        ValueKind(match self {
            Value::Null => "nullValue",
            Value::Boolean(_) => "booleanValue",
            Value::Integer(_) => "integerValue",
            Value::BigInt(_) => "bigIntValue",
            Value::Double(_) => "doubleValue",
            Value::Decimal(_) => "decimalValue",
            Value::Money(_) => "moneyValue",
            Value::String(_) => "stringValue",
            Value::DateTime(_) => "dateTimeValue",
            Value::Guid(_) => "guidValue",
            Value::OptionSet(_) => "optionSetValue",
            Value::OptionSets(_) => "optionSetValues",
            Value::EntityReference(_) => "entityReference",
            Value::EntityReferences(_) => "entityReferences",
            Value::Entity(_) => "entity",
            Value::Entities(_) => "entities",
            Value::Aliased(_) => "aliasedValue",
            Value::Bytes(_) => "bytesValue",
            Value::BooleanManagedProperty(_) => "booleanManagedProperty",
            Value::PrincipalAccess(_) => "principalAccess",
            Value::List(_) => "list",
            Value::ColumnSet(_) => "columnSet",
            Value::Relationship(_) => "relationship",
            Value::Query(_) => "query",
            Value::Request(_) => "organizationRequest",
            Value::Response(_) => "organizationResponse",
            Value::Fault(_) => "fault",
        })
    }

    /// Whether this is the explicit null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::String(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Boolean(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Value::Integer(value)
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Value::Guid(value)
    }
}

impl From<EntityReference> for Value {
    fn from(value: EntityReference) -> Self {
        Value::EntityReference(value)
    }
}

impl From<Entity> for Value {
    fn from(value: Entity) -> Self {
        Value::Entity(Box::new(value))
    }
}
