//! [`Value`]: what a column or a parameter can hold, and the strict ways from it and to it.
//!
//! The contract carries a closed set of kinds, and so does `Value`: an `Integer` is not an `OptionSet` and
//! a `Decimal` is no `Double`, because the server stores them as different types (GV-1). Reading a column
//! as another kind than it has is a [`ConvertError`] that names the column, never a silent conversion.

use bytes::Bytes;
use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    entity::{AliasedValue, ColumnSet, Entity, EntityCollection, EntityReference, Relationship},
    error::{ConvertError, Fault},
    query::Query,
    request::{OrganizationRequest, OrganizationResponse},
    security::PrincipalAccess,
};

/// One typed value of a column, a parameter or a result.
///
/// ```
/// use orgservice_client::{Money, Value};
///
/// assert_eq!(Value::from("Contoso"), Value::String("Contoso".into()));
/// assert_eq!(Value::from(Money::new(5000)).kind(), "Money");
/// assert_eq!(Value::from(None::<bool>), Value::Null);
/// assert!(i32::try_from(Value::from(1_i64)).is_err(), "BigInt is not Integer");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Explicit null: in a write it clears the column (GV-5).
    #[default]
    Null,
    /// Column type Boolean.
    Boolean(bool),
    /// Column type Integer.
    Integer(i32),
    /// Column type BigInt.
    BigInt(i64),
    /// Column type Double.
    Double(f64),
    /// Column type Decimal.
    Decimal(Decimal),
    /// Column type Money; its currency is the `transactioncurrencyid` of the record.
    Money(Money),
    /// Column types String, Memo and EntityName.
    String(String),
    /// Column type DateTime. For DateOnly and TimeZoneIndependent columns the wall-clock time, written as
    /// if it were UTC (GV-4).
    DateTime(Timestamp),
    /// Column type Uniqueidentifier.
    Guid(Uuid),
    /// Column types Picklist, State and Status.
    OptionSet(OptionSet),
    /// Column type MultiSelectPicklist.
    OptionSets(Vec<OptionSet>),
    /// Column types Lookup, Customer and Owner.
    EntityReference(EntityReference),
    /// A list of references; a message parameter.
    EntityReferences(Vec<EntityReference>),
    /// One record, or an SDK structure without a kind of its own (GV-9).
    Entity(Box<Entity>),
    /// Records; also the column type PartyList.
    Entities(Box<EntityCollection>),
    /// A column of a joined table or one with an alias; in query results only. [`Entity::get`] sees
    /// through it.
    Aliased(Box<AliasedValue>),
    /// Column type Image.
    Bytes(Bytes),
    /// A property that a solution may lock: its value, and whether it may be changed. A message parameter.
    ManagedProperty {
        /// The value.
        value: bool,
        /// Whether it may be changed.
        can_be_changed: bool,
        /// Logical name of the property; empty on input.
        logical_name: String,
    },
    /// A principal and its rights; a message parameter.
    PrincipalAccess(Box<PrincipalAccess>),
    /// Values of any kinds; a message parameter.
    List(Vec<Value>),
    /// A message parameter.
    ColumnSet(ColumnSet),
    /// A message parameter.
    Relationship(Relationship),
    /// A message parameter.
    Query(Box<Query>),
    /// A message parameter.
    Request(Box<OrganizationRequest>),
    /// A message result.
    Response(Box<OrganizationResponse>),
    /// A message result.
    Fault(Box<Fault>),
    /// A kind that a newer server knows and this SDK does not (GE-3). A server refuses it in a request
    /// (GV-6), so it cannot be written back by accident.
    Unknown,
}

impl Value {
    /// The field's name of the kind, as errors say it: `Integer`, `EntityReference`, ….
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "Boolean",
            Self::Integer(_) => "Integer",
            Self::BigInt(_) => "BigInt",
            Self::Double(_) => "Double",
            Self::Decimal(_) => "Decimal",
            Self::Money(_) => "Money",
            Self::String(_) => "String",
            Self::DateTime(_) => "DateTime",
            Self::Guid(_) => "Uniqueidentifier",
            Self::OptionSet(_) => "OptionSet",
            Self::OptionSets(_) => "OptionSet list",
            Self::EntityReference(_) => "EntityReference",
            Self::EntityReferences(_) => "EntityReference list",
            Self::Entity(_) => "Entity",
            Self::Entities(_) => "EntityCollection",
            Self::Aliased(_) => "AliasedValue",
            Self::Bytes(_) => "bytes",
            Self::ManagedProperty { .. } => "BooleanManagedProperty",
            Self::PrincipalAccess(_) => "PrincipalAccess",
            Self::List(_) => "list",
            Self::ColumnSet(_) => "ColumnSet",
            Self::Relationship(_) => "Relationship",
            Self::Query(_) => "Query",
            Self::Request(_) => "OrganizationRequest",
            Self::Response(_) => "OrganizationResponse",
            Self::Fault(_) => "OrganizationServiceFault",
            Self::Unknown => "a kind unknown to this client",
        }
    }

    /// A list of values of one Rust type: `Value::list([ann, bob])` is the `MemberIds` of a team.
    pub fn list<I: IntoIterator<Item = V>, V: Into<Value>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }

    /// Whether this is the explicit null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// An amount of money, exact. Its currency is the `transactioncurrencyid` of the record.
///
/// ```
/// # use orgservice_client::Money;
/// assert_eq!(Money::new(5000).to_string(), "5000");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub Decimal);

impl Money {
    /// An amount, from a whole number or a [`Decimal`].
    pub fn new(amount: impl Into<Decimal>) -> Self {
        Self(amount.into())
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of one option of a Picklist, State or Status column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionSet(pub i32);

/// Types that a column can be read as. Strict: a type is read from its own kind only.
///
/// `Option<T>` reads null and an absent column as `None`; every other type fails on them. An enum of your
/// own for the options of a column stands on [`OptionSet`]:
///
/// ```
/// use orgservice_client::{Entity, FromValue, OptionSet, Value};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Category {
///     Preferred,
///     Standard,
/// }
///
/// impl FromValue for Category {
///     const EXPECTED: &'static str = "OptionSet 1 or 2";
///
///     fn from_value(value: Value) -> Result<Self, Value> {
///         match value {
///             Value::OptionSet(OptionSet(1)) => Ok(Self::Preferred),
///             Value::OptionSet(OptionSet(2)) => Ok(Self::Standard),
///             other => Err(other),
///         }
///     }
/// }
///
/// impl From<Category> for Value {
///     fn from(category: Category) -> Self {
///         OptionSet(match category {
///             Category::Preferred => 1,
///             Category::Standard => 2,
///         })
///         .into()
///     }
/// }
///
/// #[derive(Entity)]
/// #[entity(logical_name = "account")]
/// struct Account {
///     accountcategorycode: Option<Category>,
/// }
///
/// let account = Entity::from(Account { accountcategorycode: Some(Category::Standard) });
/// assert_eq!(account.get::<Category>("accountcategorycode")?, Category::Standard);
/// # Ok::<(), orgservice_client::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "no column can be read as a `{Self}`",
    label = "no kind of value belongs to this type"
)]
pub trait FromValue: Sized {
    /// The kind that is read, as errors say it.
    const EXPECTED: &'static str;

    /// Converts, or gives a value of another kind back.
    ///
    /// # Errors
    /// The value itself, when its kind is not [`EXPECTED`](Self::EXPECTED).
    fn from_value(value: Value) -> Result<Self, Value>;

    /// What an absent column reads as: `None` here means that it is an error.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

impl FromValue for Value {
    const EXPECTED: &'static str = "any kind";

    fn from_value(value: Value) -> Result<Self, Value> {
        Ok(value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: Value) -> Result<Self, Value> {
        if value.is_null() {
            Ok(None)
        } else {
            T::from_value(value).map(Some)
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// `value` as a `T`, or the error that names where it was found. Sees through aliased values.
pub(crate) fn convert<T: FromValue>(column: &str, value: Option<Value>) -> Result<T, ConvertError> {
    let value = match value {
        Some(Value::Aliased(aliased)) => Some(aliased.value),
        other => other,
    };
    match value {
        Some(value) => T::from_value(value)
            .map_err(|value| ConvertError::new(column, T::EXPECTED, value.kind())),
        None => T::absent().ok_or_else(|| ConvertError::new(column, T::EXPECTED, "no value")),
    }
}

/// Both ways between a type and the one kind it belongs to.
macro_rules! kinds {
    ($($type:ty => $kind:ident $name:literal),+ $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$kind(value.into())
            }
        }
        kinds!(@read $type => $kind $name, |inner| inner);
    )+};
    (@read $type:ty => $kind:ident $name:literal, |$inner:ident| $read:expr) => {
        impl FromValue for $type {
            const EXPECTED: &'static str = $name;

            fn from_value(value: Value) -> Result<Self, Value> {
                match value {
                    Value::$kind($inner) => Ok($read),
                    other => Err(other),
                }
            }
        }

        impl TryFrom<Value> for $type {
            type Error = ConvertError;

            fn try_from(value: Value) -> Result<Self, ConvertError> {
                convert("", Some(value))
            }
        }
    };
}

kinds! {
    bool => Boolean "Boolean",
    i32 => Integer "Integer",
    i64 => BigInt "BigInt",
    f64 => Double "Double",
    Decimal => Decimal "Decimal",
    Money => Money "Money",
    String => String "String",
    Timestamp => DateTime "DateTime",
    Uuid => Guid "Uniqueidentifier",
    OptionSet => OptionSet "OptionSet",
    Vec<OptionSet> => OptionSets "OptionSet list",
    EntityReference => EntityReference "EntityReference",
    Vec<EntityReference> => EntityReferences "EntityReference list",
    Bytes => Bytes "bytes",
    Vec<Value> => List "list",
    ColumnSet => ColumnSet "ColumnSet",
    Relationship => Relationship "Relationship",
}

/// The kinds that are boxed because they are much larger than the rest.
macro_rules! boxed_kinds {
    ($($type:ty => $kind:ident $name:literal),+ $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$kind(Box::new(value))
            }
        }
        kinds!(@read $type => $kind $name, |inner| *inner);
    )+};
}

boxed_kinds! {
    Entity => Entity "Entity",
    EntityCollection => Entities "EntityCollection",
    PrincipalAccess => PrincipalAccess "PrincipalAccess",
    Query => Query "Query",
    OrganizationRequest => Request "OrganizationRequest",
    OrganizationResponse => Response "OrganizationResponse",
    Fault => Fault "OrganizationServiceFault",
}

kinds!(@read Vec<u8> => Bytes "bytes", |inner| inner.into());

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::String(text.clone())
    }
}

impl From<&EntityReference> for Value {
    fn from(reference: &EntityReference) -> Self {
        Self::EntityReference(reference.clone())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// What a type writes it reads back, and no other type reads it.
    #[test]
    fn reads_its_own_kind_only() {
        let id = Uuid::from_u128(1);
        let values = [
            Value::from(true),
            Value::from(1_i32),
            Value::from(1_i64),
            Value::from(1.0),
            Value::from(Decimal::ONE),
            Value::from(Money::new(1)),
            Value::from("1"),
            Value::from(Timestamp::UNIX_EPOCH),
            Value::from(id),
            Value::from(OptionSet(1)),
            Value::from(vec![OptionSet(1)]),
            Value::from(EntityReference::new("account", id)),
            Value::from(vec![1_u8]),
            Value::Null,
            Value::Unknown,
        ];
        fn readers(value: &Value) -> usize {
            fn reads<T: FromValue>(value: &Value) -> usize {
                usize::from(T::from_value(value.clone()).is_ok())
            }
            reads::<bool>(value)
                + reads::<i32>(value)
                + reads::<i64>(value)
                + reads::<f64>(value)
                + reads::<Decimal>(value)
                + reads::<Money>(value)
                + reads::<String>(value)
                + reads::<Timestamp>(value)
                + reads::<Uuid>(value)
                + reads::<OptionSet>(value)
                + reads::<Vec<OptionSet>>(value)
                + reads::<EntityReference>(value)
                + reads::<Bytes>(value)
        }
        for value in values {
            let expected = usize::from(!matches!(value, Value::Null | Value::Unknown));
            assert_eq!(readers(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn names_column_expected_and_found() {
        let error = convert::<i32>("revenue", Some(Value::from("x"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `revenue`: expected Integer, found String"
        );
        let error = convert::<i32>("revenue", None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `revenue`: expected Integer, found no value"
        );
        assert_eq!(convert::<Option<i32>>("revenue", None).unwrap(), None);
        assert_eq!(
            convert::<Option<i32>>("revenue", Some(Value::Null)).unwrap(),
            None
        );
    }

    #[test]
    fn sees_through_aliases() {
        let aliased = Value::Aliased(Box::new(AliasedValue {
            entity_logical_name: "contact".into(),
            attribute_logical_name: "fullname".into(),
            value: "Jim".into(),
        }));
        assert_eq!(
            convert::<String>("c.fullname", Some(aliased)).unwrap(),
            "Jim"
        );
    }
}
