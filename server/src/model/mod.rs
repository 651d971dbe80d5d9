//! The domain's own values: what a request, a record and a query are, independent of the wire.
//!
//! `transport/convert` is the only translator between these and the protobuf types, so a wire
//! value "with no kind set" cannot exist inside (GV-6), and storage, operations and queries share
//! one vocabulary. Nothing here knows access, storage or transport.

mod collation;
mod entity;
mod explanation;
mod guid;
mod query;
mod related_query;
mod request;
mod value;

pub use collation::collation_key;
pub use entity::{
    ColumnSet, Entity, EntityCollection, EntityReference, EntityRole, PrincipalAccess,
    RelatedEntities, Relationship,
};
pub use explanation::{
    AccessExplanation, AccessGround, AccessRequirement, ExplainAccess, PrivilegeMatrix,
    ScopeDescription,
};
pub use guid::parse_guid;
pub use query::{
    ConditionExpression, ConditionOperator, FilterExpression, LogicalOperator, OrderExpression,
    OrderType, PagingInfo, Query, QueryByAttribute, QueryExpression,
};
pub use related_query::RelatedEntitiesQuery;
pub use request::{ConcurrencyBehavior, OrganizationRequest, OrganizationResponse, RequestOptions};
pub use value::{AliasedValue, Value, ValueKind};
