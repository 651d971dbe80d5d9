//! Short ways to requests and values of the contract.

use orgservice::v1::{
    AccessRight, ColumnSet, Entity, EntityReference, OrganizationRequest, PrincipalAccess, Query,
    QueryExpression, Relationship, Value, ValueList, query, value::Kind,
};
use uuid::Uuid;

/// A reference to a record.
pub fn reference(table: &str, id: Uuid) -> EntityReference {
    EntityReference {
        logical_name: table.to_owned(),
        id: id.to_string(),
        ..EntityReference::default()
    }
}

/// A record to be, without id.
pub fn entity<const N: usize>(table: &str, attributes: [(&str, Value); N]) -> Entity {
    Entity {
        logical_name: table.to_owned(),
        attributes: attributes
            .into_iter()
            .map(|(column, value)| (column.to_owned(), value))
            .collect(),
        ..Entity::default()
    }
}

/// A record with an id.
pub fn record<const N: usize>(table: &str, id: Uuid, attributes: [(&str, Value); N]) -> Entity {
    Entity {
        id: id.to_string(),
        ..entity(table, attributes)
    }
}

/// A GUID as a value.
pub fn guid(id: Uuid) -> Value {
    Kind::GuidValue(id.to_string()).into()
}

/// A choice as a value.
pub fn option(value: i32) -> Value {
    Kind::OptionSetValue(value).into()
}

/// A list as a value.
pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
    ValueList {
        values: values.into_iter().collect(),
    }
    .into()
}

/// A message with its parameters.
pub fn request<const N: usize>(name: &str, parameters: [(&str, Value); N]) -> OrganizationRequest {
    OrganizationRequest {
        request_name: name.to_owned(),
        parameters: parameters
            .into_iter()
            .map(|(parameter, value)| (parameter.to_owned(), value))
            .collect(),
        request_id: String::new(),
    }
}

/// Columns by name.
pub fn columns<const N: usize>(names: [&str; N]) -> ColumnSet {
    ColumnSet {
        all_columns: false,
        columns: names.map(str::to_owned).into(),
    }
}

/// Every column.
pub fn all_columns() -> ColumnSet {
    ColumnSet {
        all_columns: true,
        columns: Vec::new(),
    }
}

/// Retrieve.
pub fn retrieve(target: EntityReference, columns: ColumnSet) -> OrganizationRequest {
    request(
        "Retrieve",
        [("Target", target.into()), ("ColumnSet", columns.into())],
    )
}

/// A query for all rows of a table.
pub fn everything(table: &str) -> Query {
    query::Query::QueryExpression(QueryExpression {
        entity_name: table.to_owned(),
        column_set: Some(ColumnSet::default()),
        ..QueryExpression::default()
    })
    .into()
}

/// RetrieveMultiple.
pub fn retrieve_multiple(query: Query) -> OrganizationRequest {
    request("RetrieveMultiple", [("Query", query.into())])
}

/// Associate or Disassociate.
pub fn link(
    message: &str,
    target: EntityReference,
    relationship: &str,
    related: impl IntoIterator<Item = EntityReference>,
) -> OrganizationRequest {
    let relationship = Relationship {
        schema_name: relationship.to_owned(),
        primary_entity_role: 0,
    };
    let related = orgservice::v1::EntityReferenceCollection {
        entity_references: related.into_iter().collect(),
    };
    request(
        message,
        [
            ("Target", target.into()),
            ("Relationship", relationship.into()),
            ("RelatedEntities", related.into()),
        ],
    )
}

/// GrantAccess or ModifyAccess.
pub fn share(
    message: &str,
    target: EntityReference,
    principal: EntityReference,
    rights: &[AccessRight],
) -> OrganizationRequest {
    let access = PrincipalAccess {
        principal: Some(principal),
        access_rights: rights.iter().map(|&right| right.into()).collect(),
    };
    request(
        message,
        [
            ("Target", target.into()),
            ("PrincipalAccess", access.into()),
        ],
    )
}

/// Several requests as one transaction.
pub fn transaction(
    requests: impl IntoIterator<Item = OrganizationRequest>,
    return_responses: bool,
) -> OrganizationRequest {
    request(
        "ExecuteTransaction",
        [
            ("Requests", list(requests.into_iter().map(Value::from))),
            ("ReturnResponses", return_responses.into()),
        ],
    )
}
