//! Short ways from Rust values to a [`Value`], for the types that leave no doubt about their kind.
//! Numbers of options, GUIDs and decimals need their kind spelled out: as `i32` or text they would be
//! mistaken for another one.

use prost_types::NullValue;

use crate::v1::{
    AliasedValue, ColumnSet, Entity, EntityCollection, EntityReference, EntityReferenceCollection,
    Money, OptionSetValueCollection, OrganizationRequest, OrganizationResponse,
    OrganizationServiceFault, PrincipalAccess, Query, Relationship, Value, ValueList, query,
    value::Kind,
};

// Records are maps of Values: a new kind larger than this belongs among the boxed ones in `build.rs`.
const _: () = assert!(size_of::<Value>() <= 40);

impl Value {
    /// The explicit null that clears a column (GV-5).
    #[must_use]
    pub fn null() -> Self {
        Kind::NullValue(NullValue::NullValue.into()).into()
    }
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self { kind: Some(kind) }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Kind::StringValue(text.to_owned()).into()
    }
}

impl From<Vec<Value>> for Value {
    fn from(values: Vec<Value>) -> Self {
        ValueList { values }.into()
    }
}

/// One `From` for each type that belongs to exactly one kind.
macro_rules! kinds {
    ($($type:ty => $kind:ident),+ $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Kind::$kind(value.into()).into()
            }
        }
    )+};
}

kinds! {
    bool => BooleanValue,
    i32 => IntegerValue,
    i64 => BigIntValue,
    f64 => DoubleValue,
    String => StringValue,
    prost_types::Timestamp => DateTimeValue,
    Money => MoneyValue,
    OptionSetValueCollection => OptionSetValues,
    EntityReference => EntityReference,
    EntityReferenceCollection => EntityReferences,
    Entity => Entity,
    EntityCollection => Entities,
    AliasedValue => AliasedValue,
    PrincipalAccess => PrincipalAccess,
    ValueList => List,
    ColumnSet => ColumnSet,
    Relationship => Relationship,
    Query => Query,
    OrganizationRequest => OrganizationRequest,
    OrganizationResponse => OrganizationResponse,
    OrganizationServiceFault => Fault,
}

impl From<query::Query> for Query {
    fn from(form: query::Query) -> Self {
        Self { query: Some(form) }
    }
}
