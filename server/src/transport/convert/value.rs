//! `Value`, kind by kind.

use std::collections::BTreeMap;

use orgservice::v1::{self, value::Kind};
use orgservice_security::AccessRights;
use prost_types::NullValue;

use super::{
    Depth, Read, Refusal, Within, Writer, entity, message, query, read_list,
    scalar::{read_decimal, read_double, read_guid, read_timestamp, write_guid, write_timestamp},
};
use crate::{
    fault::FaultCode,
    model::{AliasedValue, PrincipalAccess, Value},
};

/// Every right with its number in the contract; the order is the contract's.
pub(super) const RIGHTS: [(v1::AccessRight, AccessRights); 8] = [
    (v1::AccessRight::Read, AccessRights::READ),
    (v1::AccessRight::Write, AccessRights::WRITE),
    (v1::AccessRight::Append, AccessRights::APPEND),
    (v1::AccessRight::AppendTo, AccessRights::APPEND_TO),
    (v1::AccessRight::Create, AccessRights::CREATE),
    (v1::AccessRight::Delete, AccessRights::DELETE),
    (v1::AccessRight::Share, AccessRights::SHARE),
    (v1::AccessRight::Assign, AccessRights::ASSIGN),
];

/// Reads a value. One without a kind is refused: a kind of a later version of the contract arrives
/// like that, and taking it for null would erase data (GV-6).
pub(super) fn read_value(wire: v1::Value, depth: Depth) -> Read<Value> {
    let depth = depth.deeper()?;
    let Some(kind) = wire.kind else {
        return Err(Refusal::new("the value has no kind that this server knows"));
    };
    Ok(match kind {
        Kind::NullValue(number) => match NullValue::try_from(number) {
            Ok(NullValue::NullValue) => Value::Null,
            Err(_) => return Err(Refusal::unknown_enum("NullValue", number)),
        },
        Kind::BooleanValue(value) => Value::Boolean(value),
        Kind::IntegerValue(value) => Value::Integer(value),
        Kind::BigIntValue(value) => Value::BigInt(value),
        Kind::DoubleValue(value) => Value::Double(read_double(value)?),
        Kind::DecimalValue(text) => Value::Decimal(read_decimal(&text)?),
        Kind::MoneyValue(money) => Value::Money(read_decimal(&money.value)?),
        Kind::StringValue(text) => Value::String(text),
        Kind::DateTimeValue(time) => Value::DateTime(read_timestamp(time)?),
        Kind::GuidValue(text) => Value::Guid(read_guid(&text)?),
        Kind::OptionSetValue(number) => Value::OptionSet(number),
        Kind::OptionSetValues(options) => Value::OptionSets(options.values),
        Kind::EntityReference(reference) => Value::EntityReference(
            entity::read_reference(*reference, depth).within("entity_reference")?,
        ),
        Kind::EntityReferences(references) => Value::EntityReferences(
            read_list(
                "entity_references",
                references.entity_references,
                |reference| entity::read_reference(reference, depth),
            )
            .within("entity_references")?,
        ),
        Kind::Entity(record) => Value::Entity(Box::new(
            entity::read_entity(*record, depth).within("entity")?,
        )),
        Kind::Entities(records) => Value::Entities(Box::new(
            entity::read_collection(*records, depth).within("entities")?,
        )),
        Kind::AliasedValue(aliased) => Value::Aliased(Box::new(
            read_aliased(*aliased, depth).within("aliased_value")?,
        )),
        Kind::BytesValue(bytes) => Value::Bytes(bytes),
        Kind::BooleanManagedProperty(property) => Value::BooleanManagedProperty(property.value),
        Kind::PrincipalAccess(access) => Value::PrincipalAccess(
            read_principal_access(*access, depth).within("principal_access")?,
        ),
        Kind::List(list) => Value::List(
            read_list("values", list.values, |value| read_value(value, depth)).within("list")?,
        ),
        Kind::ColumnSet(columns) => Value::ColumnSet(entity::read_column_set(columns)),
        Kind::Relationship(relationship) => {
            Value::Relationship(entity::read_relationship(relationship).within("relationship")?)
        }
        Kind::Query(wire) => {
            Value::Query(Box::new(query::read_query(*wire, depth).within("query")?))
        }
        Kind::OrganizationRequest(request) => Value::Request(Box::new(
            message::read_request(*request, depth).within("organization_request")?,
        )),
        Kind::OrganizationResponse(response) => Value::Response(Box::new(
            message::read_response(*response, depth).within("organization_response")?,
        )),
        Kind::Fault(_) => return Err(Refusal::new("a fault is an answer, never an input")),
    })
}

/// Reads a map of values, such as attributes or parameters.
pub(super) fn read_values(
    field: &str,
    wire: BTreeMap<String, v1::Value>,
    depth: Depth,
) -> Read<BTreeMap<String, Value>> {
    wire.into_iter()
        .map(|(name, value)| match read_value(value, depth) {
            Ok(value) => Ok((name, value)),
            Err(refusal) => Err(refusal).of(field, &name),
        })
        .collect()
}

fn read_aliased(wire: v1::AliasedValue, depth: Depth) -> Read<AliasedValue> {
    let value =
        read_value(wire.value.map(|value| *value).unwrap_or_default(), depth).within("value")?;
    if matches!(value, Value::Aliased(_)) {
        return Err(Refusal::new(
            "an aliased value holds no other aliased value",
        ))
        .within("value");
    }
    Ok(AliasedValue {
        entity_logical_name: wire.entity_logical_name,
        attribute_logical_name: wire.attribute_logical_name,
        value,
    })
}

/// Reads a principal and its rights. A principal that is missing is for the core to refuse, as an
/// empty one (SH-4).
pub(super) fn read_principal_access(
    wire: v1::PrincipalAccess,
    depth: Depth,
) -> Read<PrincipalAccess> {
    let principal =
        entity::read_reference(wire.principal.unwrap_or_default(), depth).within("principal")?;
    let rights = read_list("access_rights", wire.access_rights, |number| {
        RIGHTS
            .iter()
            .find(|(right, _)| i32::from(*right) == number)
            .map(|(_, flag)| *flag)
            .ok_or_else(|| {
                let description = format!("{number} is not a known AccessRight");
                Refusal::with_code(FaultCode::InvalidAccessRights, description)
            })
    })?;
    Ok(PrincipalAccess {
        principal,
        access_mask: rights.into_iter().collect(),
    })
}

impl Writer {
    pub(super) fn value(self, value: Value) -> v1::Value {
        let kind = match value {
            Value::Null => Kind::NullValue(NullValue::NullValue.into()),
            Value::Boolean(value) => Kind::BooleanValue(value),
            Value::Integer(value) => Kind::IntegerValue(value),
            Value::BigInt(value) => Kind::BigIntValue(value),
            Value::Double(value) => Kind::DoubleValue(value),
            Value::Decimal(value) => Kind::DecimalValue(value.to_string()),
            Value::Money(value) => Kind::MoneyValue(v1::Money {
                value: value.to_string(),
            }),
            Value::String(text) => Kind::StringValue(text),
            Value::DateTime(time) => Kind::DateTimeValue(write_timestamp(time)),
            Value::Guid(id) => Kind::GuidValue(write_guid(id)),
            Value::OptionSet(number) => Kind::OptionSetValue(number),
            Value::OptionSets(values) => {
                Kind::OptionSetValues(v1::OptionSetValueCollection { values })
            }
            Value::EntityReference(reference) => {
                Kind::EntityReference(Box::new(self.reference(reference)))
            }
            Value::EntityReferences(references) => {
                Kind::EntityReferences(v1::EntityReferenceCollection {
                    entity_references: self.references(references),
                })
            }
            Value::Entity(record) => Kind::Entity(Box::new(self.entity(*record))),
            Value::Entities(records) => Kind::Entities(Box::new(self.collection(*records))),
            Value::Aliased(aliased) => Kind::AliasedValue(Box::new(v1::AliasedValue {
                entity_logical_name: aliased.entity_logical_name,
                attribute_logical_name: aliased.attribute_logical_name,
                value: Some(Box::new(self.value(aliased.value))),
            })),
            Value::Bytes(bytes) => Kind::BytesValue(bytes),
            Value::BooleanManagedProperty(value) => {
                Kind::BooleanManagedProperty(v1::BooleanManagedProperty {
                    value,
                    ..v1::BooleanManagedProperty::default()
                })
            }
            Value::PrincipalAccess(access) => {
                Kind::PrincipalAccess(Box::new(v1::PrincipalAccess {
                    principal: Some(self.reference(access.principal)),
                    access_rights: RIGHTS
                        .iter()
                        .filter(|(_, flag)| access.access_mask.contains(*flag))
                        .map(|(right, _)| i32::from(*right))
                        .collect(),
                }))
            }
            Value::List(values) => Kind::List(v1::ValueList {
                values: values.into_iter().map(|value| self.value(value)).collect(),
            }),
            Value::ColumnSet(columns) => Kind::ColumnSet(entity::write_column_set(columns)),
            Value::Relationship(relationship) => {
                Kind::Relationship(entity::write_relationship(relationship))
            }
            Value::Query(query) => Kind::Query(Box::new(self.query(*query))),
            Value::Request(request) => Kind::OrganizationRequest(Box::new(self.request(*request))),
            Value::Response(response) => {
                Kind::OrganizationResponse(Box::new(self.response(*response)))
            }
            Value::Fault(fault) => Kind::Fault(Box::new(self.fault(&fault))),
        };
        v1::Value { kind: Some(kind) }
    }

    pub(super) fn values(self, values: BTreeMap<String, Value>) -> BTreeMap<String, v1::Value> {
        values
            .into_iter()
            .map(|(name, value)| (name, self.value(value)))
            .collect()
    }
}
