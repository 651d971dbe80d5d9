//! The canonical JSON of the contract, both ways: what one command prints, another one accepts.
//!
//! The generated messages know no JSON, so they take a way round: encoded, read as a dynamic message of the
//! contract's descriptor, and written as JSON; and back.

use std::{fs, io::Read as _, sync::OnceLock};

use orgservice::{FILE_DESCRIPTOR_SET, v1};
use orgservice_client::{
    Entity, EntityCollection, OrganizationRequest, OrganizationResponse, Query,
};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::{Map, Value};

use crate::failure::{Failure, Result};

/// The longest file that is read: what one gRPC message may have.
const FILE_SIZE_MAX: u64 = orgservice::MESSAGE_SIZE_LIMIT as u64;

/// Fields of the contract that are maps. Their order means nothing, so they are sorted, to give the same
/// text for the same record.
const MAPS: [&str; 7] = [
    "attributes",
    "formattedValues",
    "keyAttributes",
    "parameters",
    "results",
    "errorDetails",
    "limits",
];

fn descriptor(message: &str) -> Result<MessageDescriptor> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).ok())
        .as_ref()
        .and_then(|pool| pool.get_message_by_name(&format!("orgservice.v1.{message}")))
        .ok_or_else(|| Failure::usage(format!("the contract has no message `{message}`")))
}

/// A message of the contract as JSON.
fn to_json(name: &str, message: &impl Message) -> Result<Value> {
    let unprintable =
        |error: String| Failure::usage(format!("cannot write {name} as JSON: {error}"));
    let dynamic = DynamicMessage::decode(descriptor(name)?, message.encode_to_vec().as_slice())
        .map_err(|error| unprintable(error.to_string()))?;
    let json = serde_json::to_value(&dynamic).map_err(|error| unprintable(error.to_string()))?;
    Ok(sort_maps(json, false))
}

fn sort_maps(json: Value, is_map: bool) -> Value {
    match json {
        Value::Object(object) => {
            let mut entries: Vec<_> = object
                .into_iter()
                .map(|(key, value)| {
                    let value = sort_maps(value, !is_map && MAPS.contains(&key.as_str()));
                    (key, value)
                })
                .collect();
            if is_map {
                entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            }
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => values
            .into_iter()
            .map(|value| sort_maps(value, false))
            .collect(),
        other => other,
    }
}

/// JSON as a message of the contract. Unknown fields are refused, so that no typing error is passed over.
fn from_json<M: Message + Default>(name: &str, json: Value) -> Result<M> {
    let dynamic = DynamicMessage::deserialize(descriptor(name)?, json)
        .map_err(|error| Failure::usage(format!("this is no {name} of the contract: {error}")))?;
    dynamic
        .transcode_to()
        .map_err(|error| Failure::usage(format!("this is no {name} of the contract: {error}")))
}

/// Reads a JSON file; `-` is standard input.
pub fn read(path: &str) -> Result<Value> {
    let mut text = String::new();
    let read = if path == "-" {
        std::io::stdin()
            .take(FILE_SIZE_MAX + 1)
            .read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(FILE_SIZE_MAX + 1).read_to_string(&mut text))
    };
    let bytes = read.map_err(|error| Failure::usage(format!("cannot read `{path}`: {error}")))?;
    if bytes as u64 > FILE_SIZE_MAX {
        return Err(Failure::usage(format!(
            "`{path}` has more bytes than one message may have ({FILE_SIZE_MAX})"
        )));
    }
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{path}` is not JSON: {error}")))
}

/// `{"logicalName":…}` as a record.
pub fn to_entity(json: Value) -> Result<Entity> {
    let entity: v1::Entity = from_json("Entity", json)?;
    entity
        .try_into()
        .map_err(|error| Failure::usage(format!("this is no Entity of the contract: {error}")))
}

/// A QueryExpression as a query.
pub fn to_query(json: Value) -> Result<Query> {
    let query: v1::QueryExpression = from_json("QueryExpression", json)?;
    Ok(query.into())
}

/// Parameters by name, each a Value of the contract, as a request; a whole OrganizationRequest does as well.
pub fn to_request(message: &str, json: Value) -> Result<OrganizationRequest> {
    let whole = json.get("parameters").is_some_and(Value::is_object)
        || json.get("requestName").is_some_and(Value::is_string);
    let mut object = match (whole, json) {
        (true, Value::Object(object)) => object,
        (_, parameters) => {
            let mut object = Map::new();
            object.insert("parameters".to_owned(), parameters);
            object
        }
    };
    object.insert("requestName".to_owned(), message.into());
    let request: v1::OrganizationRequest = from_json("OrganizationRequest", Value::Object(object))?;
    request
        .try_into()
        .map_err(|error| Failure::usage(format!("these are no parameters: {error}")))
}

/// A record as JSON, formatted values included.
pub fn from_entity(entity: &Entity) -> Result<Value> {
    to_json("Entity", &entity_to_wire(entity))
}

/// Records as JSON, with what the server said of the page.
pub fn from_collection(collection: &EntityCollection) -> Result<Value> {
    let wire = v1::EntityCollection {
        entity_name: collection.entity_name.clone(),
        entities: collection.entities.iter().map(entity_to_wire).collect(),
        more_records: collection.more_records,
        paging_cookie: collection.paging_cookie.clone().unwrap_or_default(),
        total_record_count: collection
            .total_record_count
            .and_then(|count| count.try_into().ok())
            .unwrap_or(-1),
        total_record_count_limit_exceeded: collection.total_record_count_limit_exceeded,
    };
    to_json("EntityCollection", &wire)
}

/// The results of a message as JSON.
pub fn from_response(response: &OrganizationResponse) -> Result<Value> {
    to_json(
        "OrganizationResponse",
        &v1::OrganizationResponse::from(response.clone()),
    )
}

/// The SDK leaves formatted values out of what it sends; here they are what was read.
fn entity_to_wire(entity: &Entity) -> v1::Entity {
    let mut wire = v1::Entity::from(entity.clone());
    wire.formatted_values.clone_from(&entity.formatted_values);
    wire
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use orgservice_client::{Money, OptionSet, Uuid};
    use serde_json::json;

    use super::*;

    fn account() -> Entity {
        let mut account = Entity::new("account")
            .with_id(Uuid::from_u128(1))
            .set("name", "Contoso")
            .set("accountcategorycode", OptionSet(1))
            .set("revenue", Money::new(5000))
            .set("numberofemployees", 500)
            .set("telephone1", orgservice_client::Value::Null);
        account
            .formatted_values
            .insert("accountcategorycode".to_owned(), "Preferred".to_owned());
        account
    }

    #[test]
    fn what_retrieve_prints_create_accepts() {
        let printed = from_entity(&account()).unwrap();
        let mut read = to_entity(printed).unwrap();
        assert_eq!(read.formatted_values.len(), 1);
        read.formatted_values = account().formatted_values;
        assert_eq!(read, account());
    }

    #[test]
    fn records_are_the_canonical_json_of_the_contract() {
        insta::assert_snapshot!(from_entity(&account()).unwrap().to_string(), @r#"{"logicalName":"account","id":"00000000-0000-0000-0000-000000000001","attributes":{"accountcategorycode":{"optionSetValue":1},"name":{"stringValue":"Contoso"},"numberofemployees":{"integerValue":500},"revenue":{"moneyValue":{"value":"5000"}},"telephone1":{"nullValue":null}},"formattedValues":{"accountcategorycode":"Preferred"}}"#);
    }

    #[test]
    fn typing_errors_are_not_passed_over() {
        let error = to_entity(json!({"logicalName": "account", "atributes": {}})).unwrap_err();
        assert!(error.to_string().contains("atributes"), "{error}");
        let error = to_entity(json!({"logicalName": "account", "id": "seven"})).unwrap_err();
        assert!(error.to_string().contains("seven"), "{error}");
    }

    #[test]
    fn parameters_may_come_alone_or_as_a_request() {
        let parameters = json!({"TeamId": {"guidValue": Uuid::from_u128(7).to_string()}});
        let alone = to_request("AddMembersTeam", parameters.clone()).unwrap();
        let whole = to_request("AddMembersTeam", json!({"parameters": parameters})).unwrap();
        assert_eq!(alone, whole);
        assert_eq!(alone.request_name, "AddMembersTeam");
        assert_eq!(alone.parameters.len(), 1);
    }

    #[test]
    fn queries_are_query_expressions() {
        let query = json!({"entityName": "account", "topCount": 3, "criteria": {"conditions": [
            {"attributeName": "name", "operator": "CONDITION_OPERATOR_NOT_NULL"}]}});
        assert!(to_query(query).is_ok());
        assert!(to_query(json!({"entity": "account"})).is_err());
    }

    #[test]
    fn maps_are_sorted_and_messages_keep_the_order_of_their_fields() {
        let collection: EntityCollection = vec![account()].into();
        let printed = from_collection(&collection).unwrap().to_string();
        let place = |text: &str| printed.find(text).unwrap();
        assert!(place("accountcategorycode") < place("\"name\""));
        assert!(place("logicalName") < place("\"id\""));
    }
}
