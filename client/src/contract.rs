//! From the contract's messages to the types of this SDK, for programs that hold such messages themselves:
//! read from a file as JSON, or received from elsewhere. The ways back are in `wire`.

use crate::{
    entity::Entity, error::ConvertError, query::Query, request::OrganizationRequest, v1,
    value::Value, wire,
};

impl TryFrom<v1::Value> for Value {
    type Error = ConvertError;

    /// Fails on texts that should be GUIDs, decimals or times and are not.
    fn try_from(value: v1::Value) -> Result<Self, ConvertError> {
        wire::value_from_wire("", value)
    }
}

impl TryFrom<v1::Entity> for Entity {
    type Error = ConvertError;

    /// Fails on texts that should be GUIDs, decimals or times and are not.
    fn try_from(entity: v1::Entity) -> Result<Self, ConvertError> {
        wire::entity_from_wire(entity)
    }
}

impl TryFrom<v1::OrganizationRequest> for OrganizationRequest {
    type Error = ConvertError;

    /// Fails on texts that should be GUIDs, decimals or times and are not.
    fn try_from(request: v1::OrganizationRequest) -> Result<Self, ConvertError> {
        wire::request_from_wire(request)
    }
}

impl From<v1::Query> for Query {
    fn from(query: v1::Query) -> Self {
        Self::from_wire(query)
    }
}

impl From<v1::QueryExpression> for Query {
    fn from(query: v1::QueryExpression) -> Self {
        Self::from_wire(v1::Query {
            query: Some(v1::query::Query::QueryExpression(query)),
        })
    }
}
