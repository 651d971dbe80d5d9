//! Between the types of this SDK and the messages of the contract.
//!
//! Outgoing conversions cannot fail. Incoming ones are strict about texts that should be GUIDs, decimals or
//! numbers, and tolerant of what a newer server may add (GE-3).

use std::{collections::BTreeMap, str::FromStr as _};

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    entity::{
        AliasedValue, ColumnSet, Entity, EntityCollection, EntityReference, RelatedEntities,
        Relationship,
    },
    error::{ConvertError, Fault},
    query::Query,
    request::{
        ExecuteMultipleItem, ExecuteMultipleResponse, OrganizationRequest, OrganizationResponse,
    },
    security::{AccessRight, AccessRights, EntityRole, PrincipalAccess},
    v1::{self, value::Kind},
    value::{Money, OptionSet, Value},
};

type Converted<T> = Result<T, ConvertError>;

/// Empty text means absent on the wire.
pub(crate) fn text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(crate) fn timestamp_to_wire(time: Timestamp) -> prost_types::Timestamp {
    // jiff counts both parts towards the sign; the wire wants nanoseconds that count forward.
    let nanoseconds = time.subsec_nanosecond();
    if nanoseconds < 0 {
        prost_types::Timestamp {
            seconds: time.as_second() - 1,
            nanos: nanoseconds + 1_000_000_000,
        }
    } else {
        prost_types::Timestamp {
            seconds: time.as_second(),
            nanos: nanoseconds,
        }
    }
}

pub(crate) fn timestamp_from_wire(time: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(time.seconds, time.nanos).ok()
}

fn time_from_wire(column: &str, time: &prost_types::Timestamp) -> Converted<Timestamp> {
    timestamp_from_wire(time).ok_or_else(|| {
        ConvertError::new(
            column,
            "DateTime",
            format!("{} seconds since 1970", time.seconds),
        )
    })
}

/// A GUID that must be there.
pub(crate) fn guid_from_wire(name: &str, guid: &str) -> Converted<Uuid> {
    Uuid::try_parse(guid)
        .map_err(|_| ConvertError::new(name, "Uniqueidentifier", format!("`{guid}`")))
}

/// A GUID that may be absent: empty or all-zero (G-8).
pub(crate) fn optional_guid_from_wire(name: &str, guid: &str) -> Converted<Option<Uuid>> {
    if guid.is_empty() {
        return Ok(None);
    }
    guid_from_wire(name, guid).map(|id| (!id.is_nil()).then_some(id))
}

pub(crate) fn optional_guid_to_wire(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn decimal_from_wire(column: &str, expected: &str, text: &str) -> Converted<Decimal> {
    Decimal::from_str(text).map_err(|_| ConvertError::new(column, expected, format!("`{text}`")))
}

fn row_version_from_wire(text: &str) -> Converted<Option<u64>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| ConvertError::new("row_version", "BigInt", format!("`{text}`")))
}

fn row_version_to_wire(version: Option<u64>) -> String {
    version
        .map(|version| version.to_string())
        .unwrap_or_default()
}

type WireValues = BTreeMap<String, v1::Value>;

pub(crate) fn values_to_wire(values: BTreeMap<String, Value>) -> WireValues {
    values
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect()
}

fn values_from_wire(values: WireValues) -> Converted<BTreeMap<String, Value>> {
    values
        .into_iter()
        .map(|(name, value)| value_from_wire(&name, value).map(|value| (name, value)))
        .collect()
}

impl From<Value> for v1::Value {
    fn from(value: Value) -> Self {
        let kind = match value {
            Value::Null => return Self::null(),
            Value::Boolean(value) => Kind::BooleanValue(value),
            Value::Integer(value) => Kind::IntegerValue(value),
            Value::BigInt(value) => Kind::BigIntValue(value),
            Value::Double(value) => Kind::DoubleValue(value),
            Value::Decimal(value) => Kind::DecimalValue(value.to_string()),
            Value::Money(value) => Kind::MoneyValue(v1::Money {
                value: value.0.to_string(),
            }),
            Value::String(value) => Kind::StringValue(value),
            Value::DateTime(value) => Kind::DateTimeValue(timestamp_to_wire(value)),
            Value::Guid(value) => Kind::GuidValue(value.to_string()),
            Value::OptionSet(value) => Kind::OptionSetValue(value.0),
            Value::OptionSets(values) => Kind::OptionSetValues(v1::OptionSetValueCollection {
                values: values.into_iter().map(|option| option.0).collect(),
            }),
            Value::EntityReference(value) => Kind::EntityReference(Box::new(value.into())),
            Value::EntityReferences(values) => {
                Kind::EntityReferences(v1::EntityReferenceCollection {
                    entity_references: values.into_iter().map(Into::into).collect(),
                })
            }
            Value::Entity(value) => Kind::Entity(Box::new((*value).into())),
            Value::Entities(value) => Kind::Entities(Box::new((*value).into())),
            Value::Aliased(value) => Kind::AliasedValue(Box::new(v1::AliasedValue {
                entity_logical_name: value.entity_logical_name,
                attribute_logical_name: value.attribute_logical_name,
                value: Some(Box::new(value.value.into())),
            })),
            Value::Bytes(value) => Kind::BytesValue(value),
            Value::ManagedProperty {
                value,
                can_be_changed,
                logical_name,
            } => Kind::BooleanManagedProperty(v1::BooleanManagedProperty {
                value,
                can_be_changed,
                managed_property_logical_name: logical_name,
            }),
            Value::PrincipalAccess(value) => Kind::PrincipalAccess(Box::new((*value).into())),
            Value::List(values) => Kind::List(v1::ValueList {
                values: values.into_iter().map(Into::into).collect(),
            }),
            Value::ColumnSet(value) => Kind::ColumnSet(value.into()),
            Value::Relationship(value) => Kind::Relationship(value.into()),
            Value::Query(value) => Kind::Query(Box::new(value.into_wire())),
            Value::Request(value) => Kind::OrganizationRequest(Box::new((*value).into())),
            Value::Response(value) => Kind::OrganizationResponse(Box::new((*value).into())),
            Value::Fault(value) => Kind::Fault(Box::new(value.into_wire())),
            Value::Unknown => return Self { kind: None },
        };
        kind.into()
    }
}

pub(crate) fn value_from_wire(column: &str, value: v1::Value) -> Converted<Value> {
    let Some(kind) = value.kind else {
        return Ok(Value::Unknown);
    };
    Ok(match kind {
        Kind::NullValue(_) => Value::Null,
        Kind::BooleanValue(value) => Value::Boolean(value),
        Kind::IntegerValue(value) => Value::Integer(value),
        Kind::BigIntValue(value) => Value::BigInt(value),
        Kind::DoubleValue(value) => Value::Double(value),
        Kind::DecimalValue(value) => Value::Decimal(decimal_from_wire(column, "Decimal", &value)?),
        Kind::MoneyValue(value) => {
            Value::Money(Money(decimal_from_wire(column, "Money", &value.value)?))
        }
        Kind::StringValue(value) => Value::String(value),
        Kind::DateTimeValue(value) => Value::DateTime(time_from_wire(column, &value)?),
        Kind::GuidValue(value) => Value::Guid(guid_from_wire(column, &value)?),
        Kind::OptionSetValue(value) => Value::OptionSet(OptionSet(value)),
        Kind::OptionSetValues(value) => {
            Value::OptionSets(value.values.into_iter().map(OptionSet).collect())
        }
        Kind::EntityReference(value) => {
            Value::EntityReference(reference_from_wire(column, *value)?)
        }
        Kind::EntityReferences(value) => Value::EntityReferences(
            value
                .entity_references
                .into_iter()
                .map(|reference| reference_from_wire(column, reference))
                .collect::<Converted<_>>()?,
        ),
        Kind::Entity(value) => Value::Entity(Box::new(entity_from_wire(*value)?)),
        Kind::Entities(value) => Value::Entities(Box::new(collection_from_wire(*value)?)),
        Kind::AliasedValue(value) => Value::Aliased(Box::new(AliasedValue {
            entity_logical_name: value.entity_logical_name,
            attribute_logical_name: value.attribute_logical_name,
            value: match value.value {
                Some(value) => value_from_wire(column, *value)?,
                None => Value::Unknown,
            },
        })),
        Kind::BytesValue(value) => Value::Bytes(value),
        Kind::BooleanManagedProperty(value) => Value::ManagedProperty {
            value: value.value,
            can_be_changed: value.can_be_changed,
            logical_name: value.managed_property_logical_name,
        },
        Kind::PrincipalAccess(value) => {
            Value::PrincipalAccess(Box::new(principal_access_from_wire(column, *value)?))
        }
        Kind::List(value) => Value::List(
            value
                .values
                .into_iter()
                .map(|value| value_from_wire(column, value))
                .collect::<Converted<_>>()?,
        ),
        Kind::ColumnSet(value) => Value::ColumnSet(ColumnSet {
            all_columns: value.all_columns,
            columns: value.columns,
        }),
        Kind::Relationship(value) => Value::Relationship(relationship_from_wire(value)),
        Kind::Query(value) => Value::Query(Box::new(Query::from_wire(*value))),
        Kind::OrganizationRequest(value) => Value::Request(Box::new(request_from_wire(*value)?)),
        Kind::OrganizationResponse(value) => Value::Response(Box::new(response_from_wire(*value)?)),
        Kind::Fault(value) => Value::Fault(Box::new(Fault::from_wire(*value))),
    })
}

impl From<EntityReference> for v1::EntityReference {
    fn from(reference: EntityReference) -> Self {
        Self {
            logical_name: reference.logical_name,
            id: optional_guid_to_wire(reference.id),
            name: reference.name.unwrap_or_default(),
            key_attributes: values_to_wire(reference.key_attributes),
            row_version: row_version_to_wire(reference.row_version),
        }
    }
}

pub(crate) fn reference_from_wire(
    column: &str,
    reference: v1::EntityReference,
) -> Converted<EntityReference> {
    Ok(EntityReference {
        logical_name: reference.logical_name,
        id: optional_guid_from_wire(column, &reference.id)?,
        name: text(reference.name),
        key_attributes: values_from_wire(reference.key_attributes)?,
        row_version: row_version_from_wire(&reference.row_version)?,
    })
}

impl From<Entity> for v1::Entity {
    fn from(entity: Entity) -> Self {
        Self {
            logical_name: entity.logical_name,
            id: optional_guid_to_wire(entity.id),
            attributes: values_to_wire(entity.attributes),
            // Output only: the server would ignore them (FV-3).
            formatted_values: BTreeMap::new(),
            key_attributes: values_to_wire(entity.key_attributes),
            row_version: row_version_to_wire(entity.row_version),
            related_entities: entity
                .related_entities
                .into_iter()
                .map(|related| v1::RelatedEntities {
                    relationship: Some(related.relationship.into()),
                    entities: Some(related.entities.into()),
                })
                .collect(),
        }
    }
}

pub(crate) fn entity_from_wire(entity: v1::Entity) -> Converted<Entity> {
    Ok(Entity {
        id: optional_guid_from_wire("id", &entity.id)?,
        logical_name: entity.logical_name,
        attributes: values_from_wire(entity.attributes)?,
        formatted_values: entity.formatted_values,
        key_attributes: values_from_wire(entity.key_attributes)?,
        row_version: row_version_from_wire(&entity.row_version)?,
        related_entities: entity
            .related_entities
            .into_iter()
            .map(|related| {
                Ok(RelatedEntities {
                    relationship: relationship_from_wire(related.relationship.unwrap_or_default()),
                    entities: collection_from_wire(related.entities.unwrap_or_default())?,
                })
            })
            .collect::<Converted<_>>()?,
    })
}

impl From<EntityCollection> for v1::EntityCollection {
    fn from(collection: EntityCollection) -> Self {
        Self {
            entity_name: collection.entity_name,
            entities: collection.entities.into_iter().map(Into::into).collect(),
            more_records: collection.more_records,
            paging_cookie: collection.paging_cookie.unwrap_or_default(),
            // -1 says that it was not asked for (PG-6).
            total_record_count: collection
                .total_record_count
                .and_then(|count| count.try_into().ok())
                .unwrap_or(-1),
            total_record_count_limit_exceeded: collection.total_record_count_limit_exceeded,
        }
    }
}

pub(crate) fn collection_from_wire(
    collection: v1::EntityCollection,
) -> Converted<EntityCollection> {
    Ok(EntityCollection {
        entity_name: collection.entity_name,
        entities: collection
            .entities
            .into_iter()
            .map(entity_from_wire)
            .collect::<Converted<_>>()?,
        more_records: collection.more_records,
        paging_cookie: text(collection.paging_cookie),
        // -1 says that it was not asked for (PG-6).
        total_record_count: collection.total_record_count.try_into().ok(),
        total_record_count_limit_exceeded: collection.total_record_count_limit_exceeded,
    })
}

impl From<Relationship> for v1::Relationship {
    fn from(relationship: Relationship) -> Self {
        Self {
            schema_name: relationship.schema_name,
            primary_entity_role: relationship
                .primary_entity_role
                .map(EntityRole::to_wire)
                .unwrap_or_default(),
        }
    }
}

fn relationship_from_wire(relationship: v1::Relationship) -> Relationship {
    Relationship {
        primary_entity_role: EntityRole::from_wire(relationship.primary_entity_role),
        schema_name: relationship.schema_name,
    }
}

impl From<ColumnSet> for v1::ColumnSet {
    fn from(columns: ColumnSet) -> Self {
        Self {
            all_columns: columns.all_columns,
            columns: columns.columns,
        }
    }
}

impl From<PrincipalAccess> for v1::PrincipalAccess {
    fn from(access: PrincipalAccess) -> Self {
        Self {
            principal: Some(access.principal.into()),
            access_rights: access
                .access_rights
                .rights()
                .map(AccessRight::to_wire)
                .chain(access.unknown_rights)
                .collect(),
        }
    }
}

fn principal_access_from_wire(
    column: &str,
    access: v1::PrincipalAccess,
) -> Converted<PrincipalAccess> {
    let rights: Vec<_> = access
        .access_rights
        .into_iter()
        .filter_map(AccessRight::from_wire)
        .collect();
    Ok(PrincipalAccess {
        principal: reference_from_wire(column, access.principal.unwrap_or_default())?,
        access_rights: rights.iter().copied().collect::<AccessRights>(),
        unknown_rights: rights
            .into_iter()
            .filter_map(|right| match right {
                AccessRight::Unknown(number) => Some(number),
                _ => None,
            })
            .collect(),
    })
}

impl From<OrganizationRequest> for v1::OrganizationRequest {
    fn from(request: OrganizationRequest) -> Self {
        Self {
            request_name: request.request_name,
            parameters: values_to_wire(request.parameters),
            request_id: optional_guid_to_wire(request.request_id),
        }
    }
}

pub(crate) fn request_from_wire(
    request: v1::OrganizationRequest,
) -> Converted<OrganizationRequest> {
    Ok(OrganizationRequest {
        request_name: request.request_name,
        parameters: values_from_wire(request.parameters)?,
        request_id: optional_guid_from_wire("request_id", &request.request_id)?,
    })
}

impl From<OrganizationResponse> for v1::OrganizationResponse {
    fn from(response: OrganizationResponse) -> Self {
        Self {
            response_name: response.response_name,
            results: values_to_wire(response.results),
        }
    }
}

pub(crate) fn response_from_wire(
    response: v1::OrganizationResponse,
) -> Converted<OrganizationResponse> {
    Ok(OrganizationResponse {
        response_name: response.response_name,
        results: values_from_wire(response.results)?,
    })
}

pub(crate) fn execute_multiple_from_wire(
    response: v1::ExecuteMultipleResponse,
) -> Converted<ExecuteMultipleResponse> {
    let items = response
        .responses
        .into_iter()
        .map(|item| {
            let request_index = item.request_index.try_into().map_err(|_| {
                ConvertError::new("request_index", "an index", item.request_index.to_string())
            })?;
            let outcome = match item.fault {
                Some(fault) => Err(Box::new(Fault::from_wire(fault))),
                None => Ok(response_from_wire(item.response.unwrap_or_default())?),
            };
            Ok(ExecuteMultipleItem {
                request_index,
                outcome,
            })
        })
        .collect::<Converted<_>>()?;
    Ok(ExecuteMultipleResponse {
        is_faulted: response.is_faulted,
        items,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn there_and_back(value: Value) -> Value {
        value_from_wire("column", value.into()).unwrap()
    }

    #[test]
    fn every_kind_survives_the_wire() {
        let id = Uuid::from_u128(0x1234);
        let reference = EntityReference::new("contact", id).with_row_version(7);
        let entity = Entity::new("account")
            .with_id(id)
            .with_key("accountnumber", "0001")
            .with_related("account_primary_contact", [Entity::new("contact")])
            .set("name", Value::Null);
        let values = [
            Value::Null,
            true.into(),
            i32::MIN.into(),
            i64::MAX.into(),
            0.1.into(),
            Decimal::from_str("-100000000000.0000000001")
                .unwrap()
                .into(),
            Money(Decimal::from_str("922337203685477.0000").unwrap()).into(),
            "".into(),
            Timestamp::from_str("1753-01-01T00:00:00.5Z")
                .unwrap()
                .into(),
            Timestamp::MAX.into(),
            id.into(),
            OptionSet(3).into(),
            vec![OptionSet(3), OptionSet(1)].into(),
            reference.clone().into(),
            vec![reference.clone()].into(),
            entity.clone().into(),
            EntityCollection {
                total_record_count: Some(0),
                ..vec![entity].into()
            }
            .into(),
            Value::Aliased(Box::new(AliasedValue {
                entity_logical_name: "contact".into(),
                attribute_logical_name: "fullname".into(),
                value: "Jim".into(),
            })),
            vec![1_u8, 2].into(),
            Value::ManagedProperty {
                value: true,
                can_be_changed: false,
                logical_name: "canbedeleted".into(),
            },
            PrincipalAccess {
                unknown_rights: vec![99],
                ..PrincipalAccess::new(id, AccessRights::READ | AccessRights::ASSIGN)
            }
            .into(),
            vec![Value::from(1), Value::from("x")].into(),
            ColumnSet::from(["name"]).into(),
            Relationship::new("account_parent_account")
                .with_role(EntityRole::Referenced)
                .into(),
            Query::fetch_xml("<fetch/>").into(),
            OrganizationRequest::new("WhoAmI")
                .with_request_id(id)
                .into(),
            OrganizationResponse {
                response_name: "WhoAmI".into(),
                ..Default::default()
            }
            .into(),
            Value::Unknown,
        ];
        for value in values {
            assert_eq!(there_and_back(value.clone()), value);
        }
    }

    /// A negative instant with a fraction: the wire counts nanoseconds forward from the second before.
    #[test]
    fn nanoseconds_count_forward() {
        let time = Timestamp::from_str("1969-12-31T23:59:59.25Z").unwrap();
        let wire = timestamp_to_wire(time);
        assert_eq!((wire.seconds, wire.nanos), (-1, 250_000_000));
        assert_eq!(timestamp_from_wire(&wire), Some(time));
    }

    #[test]
    fn broken_texts_name_their_column() {
        for (kind, expected) in [
            (
                Kind::GuidValue("x".into()),
                "column `c`: expected Uniqueidentifier, found `x`",
            ),
            (
                Kind::DecimalValue("1,0".into()),
                "column `c`: expected Decimal, found `1,0`",
            ),
            (
                Kind::MoneyValue(v1::Money {
                    value: String::new(),
                }),
                "column `c`: expected Money, found ``",
            ),
        ] {
            let error = value_from_wire("c", kind.into()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
