//! Records as Rust types: [`TypedEntity`], which `#[derive(Entity)]` implements, and [`FromEntity`].

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    entity::{ColumnSet, Entity, EntityReference},
    error::ConvertError,
    value::{FromValue, Value, convert},
};

/// What a record of a result can become: an [`Entity`] as it is, or any [`TypedEntity`].
pub trait FromEntity: Sized + Send + 'static {
    /// The columns to ask for when a query names none; `None` if the type has no opinion.
    fn columns() -> Option<ColumnSet>;

    /// The table that the type belongs to; `None` if it belongs to any.
    fn table() -> Option<&'static str>;

    /// Converts the record.
    ///
    /// # Errors
    /// [`ConvertError`] if a column does not fit the type.
    fn from_entity(entity: Entity) -> Result<Self, ConvertError>;
}

impl FromEntity for Entity {
    fn columns() -> Option<ColumnSet> {
        None
    }

    fn table() -> Option<&'static str> {
        None
    }

    fn from_entity(entity: Entity) -> Result<Self, ConvertError> {
        Ok(entity)
    }
}

impl<T: TypedEntity> FromEntity for T {
    fn columns() -> Option<ColumnSet> {
        Some(Self::column_set())
    }

    fn table() -> Option<&'static str> {
        Some(T::LOGICAL_NAME)
    }

    fn from_entity(entity: Entity) -> Result<Self, ConvertError> {
        T::from_entity(entity)
    }
}

/// A Rust type for the records of one table. Implemented by `#[derive(Entity)]`.
///
/// ```
/// use orgservice_client::{Entity, EntityReference, Money, TypedEntity, Value};
/// use uuid::Uuid;
///
/// #[derive(Clone, Debug, PartialEq, Entity)]
/// #[entity(logical_name = "account")]
/// struct Account {
///     #[entity(primary_id)]
///     accountid: Option<Uuid>,
///     name: String,
///     revenue: Option<Money>,
///     #[entity(lookup = "contact")]
///     primarycontactid: Option<EntityReference>,
///     #[entity(column = "telephone1")]
///     phone: Option<String>,
/// }
///
/// # fn main() -> Result<(), orgservice_client::Error> {
/// assert_eq!(Account::COLUMNS, ["accountid", "name", "revenue", "primarycontactid", "telephone1"]);
///
/// let id = Uuid::from_u128(7);
/// let contoso = Account::from_entity(Entity::new("account").with_id(id).set("name", "Contoso"))?;
/// assert_eq!(contoso.accountid, Some(id));
///
/// // Only what changed goes to the server.
/// let change = contoso.changed(|account| account.revenue = Some(Money::new(6000)));
/// assert_eq!(change, Entity::new("account").with_id(id).set("revenue", Money::new(6000)));
/// # Ok(()) }
/// ```
pub trait TypedEntity: Sized + Send + 'static {
    /// Logical name of the table.
    const LOGICAL_NAME: &'static str;

    /// Logical names of the columns, in the order of the fields.
    const COLUMNS: &'static [&'static str];

    /// Converts a record of the table.
    ///
    /// # Errors
    /// [`ConvertError`] if a column does not fit its field; a field that is not an `Option` needs a value.
    fn from_entity(entity: Entity) -> Result<Self, ConvertError>;

    /// The record with every column of the type, `None` as explicit null, and with its id if it has one.
    fn to_entity(&self) -> Entity;

    /// The columns as a column set.
    #[must_use]
    fn column_set() -> ColumnSet {
        ColumnSet::from(Self::COLUMNS)
    }

    /// The reference to the record of this type with an id.
    #[must_use]
    fn reference(id: Uuid) -> EntityReference {
        EntityReference::new(Self::LOGICAL_NAME, id)
    }

    /// The update that makes `before` this: id and row version of `before`, and the columns that differ.
    #[must_use]
    fn changes_since(&self, before: &Self) -> Entity {
        let mut before = before.to_entity();
        let columns = std::mem::take(&mut before.attributes);
        before.attributes = self
            .to_entity()
            .attributes
            .into_iter()
            .filter(|(column, value)| columns.get(column) != Some(value))
            .collect::<BTreeMap<_, _>>();
        before
    }

    /// The update that an edit amounts to: only the columns that it changes.
    #[must_use]
    fn changed(&self, edit: impl FnOnce(&mut Self)) -> Entity
    where
        Self: Clone,
    {
        let mut after = self.clone();
        edit(&mut after);
        after.changes_since(self)
    }
}

/// A field of a `#[derive(Entity)]` struct marked `lookup`: an [`EntityReference`] or a [`Uuid`], or an
/// `Option` of them.
#[diagnostic::on_unimplemented(
    message = "a lookup cannot be a `{Self}`",
    label = "use `EntityReference` or `Uuid`, or an `Option` of them"
)]
pub trait LookupField: Sized {
    /// Reads the column, which must refer to the table.
    ///
    /// # Errors
    /// [`ConvertError`] if the column holds no reference, or one to another table.
    fn from_lookup(column: &str, table: &str, value: Option<Value>) -> Result<Self, ConvertError>;

    /// The value of the column.
    fn to_lookup(&self, table: &str) -> Value;
}

fn reference_to(
    table: &str,
    column: &str,
    value: Option<Value>,
) -> Result<EntityReference, ConvertError> {
    let reference: EntityReference = convert(column, value)?;
    if reference.logical_name == table {
        return Ok(reference);
    }
    Err(ConvertError::new(
        column,
        format!("EntityReference to {table}"),
        format!("EntityReference to {}", reference.logical_name),
    ))
}

impl LookupField for EntityReference {
    fn from_lookup(column: &str, table: &str, value: Option<Value>) -> Result<Self, ConvertError> {
        reference_to(table, column, value)
    }

    fn to_lookup(&self, _table: &str) -> Value {
        self.into()
    }
}

impl LookupField for Uuid {
    fn from_lookup(column: &str, table: &str, value: Option<Value>) -> Result<Self, ConvertError> {
        reference_to(table, column, value)?
            .id
            .ok_or_else(|| ConvertError::new(column, "EntityReference with an id", "one without"))
    }

    fn to_lookup(&self, table: &str) -> Value {
        EntityReference::new(table, *self).into()
    }
}

impl<T: LookupField> LookupField for Option<T> {
    fn from_lookup(column: &str, table: &str, value: Option<Value>) -> Result<Self, ConvertError> {
        match value {
            None | Some(Value::Null) => Ok(None),
            present => T::from_lookup(column, table, present).map(Some),
        }
    }

    fn to_lookup(&self, table: &str) -> Value {
        self.as_ref()
            .map_or(Value::Null, |lookup| lookup.to_lookup(table))
    }
}

/// A field marked `primary_id`: [`Uuid`] or `Option<Uuid>`.
#[diagnostic::on_unimplemented(
    message = "the id of a record cannot be a `{Self}`",
    label = "use `Uuid` or `Option<Uuid>`"
)]
pub trait IdField: Sized {
    /// The field, from the id of a record.
    ///
    /// # Errors
    /// [`ConvertError`] if the record has none and the field needs one.
    fn from_id(column: &str, id: Option<Uuid>) -> Result<Self, ConvertError>;

    /// The id in the field.
    fn to_id(&self) -> Option<Uuid>;
}

impl IdField for Uuid {
    fn from_id(column: &str, id: Option<Uuid>) -> Result<Self, ConvertError> {
        id.ok_or_else(|| ConvertError::new(column, Self::EXPECTED, "no value"))
    }

    fn to_id(&self) -> Option<Uuid> {
        (!self.is_nil()).then_some(*self)
    }
}

impl IdField for Option<Uuid> {
    fn from_id(_column: &str, id: Option<Uuid>) -> Result<Self, ConvertError> {
        Ok(id)
    }

    fn to_id(&self) -> Option<Uuid> {
        self.filter(|id| !id.is_nil())
    }
}

/// The checks and conversions that derived code shares; not for use by hand.
#[doc(hidden)]
pub mod derive_support {
    use super::{ConvertError, Entity};

    /// A record of another table must not be read as this type.
    ///
    /// # Errors
    /// [`ConvertError`] that names both tables.
    pub fn check_table(entity: &Entity, table: &'static str) -> Result<(), ConvertError> {
        if entity.logical_name == table {
            return Ok(());
        }
        Err(ConvertError::new(
            "",
            format!("a record of {table}"),
            format!("a record of {}", entity.logical_name),
        ))
    }
}
