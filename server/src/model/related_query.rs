//! [`RelatedEntitiesQuery`]: one entry of the parameter of that name of Retrieve (RT-7).

use super::{Entity, Query, Relationship, Value};
use crate::fault::{Fault, Result};

/// A relationship, and the query whose rows, restricted to the related ones, are read with a record.
///
/// In a parameter bag the entries are a [`Value::List`] of records named `RelatedEntitiesQuery` with
/// the attributes `Relationship` and `Query` (GV-9).
#[derive(Clone, Debug, PartialEq)]
pub struct RelatedEntitiesQuery {
    /// The relationship.
    pub relationship: Relationship,
    /// A query on the table at its other end.
    pub query: Query,
}

impl RelatedEntitiesQuery {
    /// Name of the structure and of the parameter.
    pub const NAME: &'static str = "RelatedEntitiesQuery";

    /// Reads one entry back from a parameter bag.
    ///
    /// # Errors
    /// `InvalidArgument` for anything but what `From` makes.
    pub fn from_value(value: Value) -> Result<Self> {
        let refused = || {
            Fault::invalid_argument(
                Self::NAME,
                "expected a list of entities `RelatedEntitiesQuery` with the attributes \
                 `Relationship` and `Query`",
            )
        };
        let Value::Entity(mut entry) = value else {
            return Err(refused());
        };
        match (
            entry.attributes.remove("Relationship"),
            entry.attributes.remove("Query"),
        ) {
            (Some(Value::Relationship(relationship)), Some(Value::Query(query)))
                if entry.logical_name == Self::NAME && entry.attributes.is_empty() =>
            {
                Ok(RelatedEntitiesQuery {
                    relationship,
                    query: *query,
                })
            }
            _ => Err(refused()),
        }
    }
}

impl From<RelatedEntitiesQuery> for Value {
    fn from(entry: RelatedEntitiesQuery) -> Self {
        Entity::new(RelatedEntitiesQuery::NAME)
            .with("Relationship", Value::Relationship(entry.relationship))
            .with("Query", Value::Query(Box::new(entry.query)))
            .into()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn gv_9_an_entry_survives_the_bag_and_nothing_else_is_one() {
        let entry = RelatedEntitiesQuery {
            relationship: Relationship {
                schema_name: "account_primary_contact".into(),
                primary_entity_role: None,
            },
            query: Query::FetchXml("<fetch/>".into()),
        };
        let value = Value::from(entry.clone());
        assert_eq!(
            RelatedEntitiesQuery::from_value(value.clone()).unwrap(),
            entry
        );
        let Value::Entity(record) = value else {
            unreachable!()
        };
        for wrong in [
            Value::Null,
            Entity::new(RelatedEntitiesQuery::NAME).into(),
            Value::from(record.clone().with("More", true)),
            Value::from(Entity {
                logical_name: "account".into(),
                ..*record
            }),
        ] {
            assert!(RelatedEntitiesQuery::from_value(wrong).is_err());
        }
    }
}
