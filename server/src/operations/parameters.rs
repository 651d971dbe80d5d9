//! The parameter bag of a message, taken apart once: what is missing, mistyped or unknown is named.

use uuid::Uuid;

use crate::{
    fault::{Fault, Result},
    limits,
    model::{
        ColumnSet, ConcurrencyBehavior, Entity, EntityReference, OrganizationRequest,
        PrincipalAccess, Query, RelatedEntitiesQuery, Relationship, Value,
    },
};

/// Optional parameters that every message takes (`messages.md` 1.9).
const EVERYWHERE: [&str; 7] = [
    "SuppressDuplicateDetection",
    "BypassBusinessLogicExecution",
    "BypassBusinessLogicExecutionStepIds",
    "BypassCustomPluginExecution",
    "SuppressCallbackRegistrationExpanderJob",
    "SolutionUniqueName",
    "tag",
];

/// What an absent column set means (RT-3).
static NO_COLUMNS: ColumnSet = ColumnSet {
    all_columns: false,
    columns: Vec::new(),
};

/// The parameters of one request, removed one by one.
///
/// Every getter of a required parameter faults with `RequiredFieldMissing` when it is absent, and
/// with `InvalidArgument` when it has the wrong kind; both name it.
pub struct Parameters<'a> {
    values: Vec<(&'a str, &'a Value)>,
}

impl<'a> Parameters<'a> {
    /// The bag of a request.
    pub fn of(request: &'a OrganizationRequest) -> Self {
        let values = request
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        Parameters {
            values: values.collect(),
        }
    }

    /// Refuses what nobody took (`messages.md` 1.9).
    ///
    /// # Errors
    /// `InvalidArgument` naming the parameter.
    pub fn finish(self) -> Result<()> {
        match self
            .values
            .iter()
            .find(|(name, _)| !EVERYWHERE.contains(name))
        {
            None => Ok(()),
            Some((name, _)) => Err(Fault::invalid_argument(
                *name,
                format!("the message has no parameter `{name}`"),
            )),
        }
    }

    /// A parameter that may be absent; an explicit null counts as absent.
    pub fn optional(&mut self, name: &str) -> Option<&'a Value> {
        // A handful: looked through faster than a map of them is made.
        let at = self.values.iter().position(|(other, _)| *other == name)?;
        let (_, value) = self.values.remove(at);
        Some(value).filter(|value| !value.is_null())
    }

    /// A required parameter, as `read` understands it.
    fn required<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T> {
        let value = self
            .optional(name)
            .ok_or_else(|| Fault::missing_parameter(name))?;
        read(value).ok_or_else(|| mistyped(name, expected, value))
    }

    /// A record.
    pub fn entity(&mut self, name: &str) -> Result<&'a Entity> {
        self.required(name, "entity", |value| match value {
            Value::Entity(entity) => Some(&**entity),
            _ => None,
        })
    }

    /// A reference.
    pub fn reference(&mut self, name: &str) -> Result<&'a EntityReference> {
        self.required(name, "entityReference", |value| match value {
            Value::EntityReference(reference) => Some(reference),
            _ => None,
        })
    }

    /// References.
    pub fn references(&mut self, name: &str) -> Result<Vec<EntityReference>> {
        self.required(name, "entityReferences", |value| match value {
            Value::EntityReferences(references) => Some(references.clone()),
            Value::List(values) => values
                .iter()
                .map(|value| match value {
                    Value::EntityReference(reference) => Some(reference.clone()),
                    _ => None,
                })
                .collect(),
            _ => None,
        })
    }

    /// A GUID that is not all zero (G-8).
    pub fn guid(&mut self, name: &str) -> Result<Uuid> {
        let id = self.required(name, "guidValue", guid)?;
        not_nil(name, id)
    }

    /// GUIDs that are not all zero.
    pub fn guids(&mut self, name: &str) -> Result<Vec<Uuid>> {
        let ids: Vec<Uuid> = self.required(name, "list of guidValue", |value| match value {
            Value::List(values) => values.iter().map(guid).collect(),
            _ => None,
        })?;
        ids.into_iter().map(|id| not_nil(name, id)).collect()
    }

    /// A number or an option.
    pub fn integer(&mut self, name: &str) -> Result<i32> {
        self.required(name, "integerValue", integer)
    }

    /// A flag; absent means false.
    pub fn flag(&mut self, name: &str) -> Result<bool> {
        match self.optional(name) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(*flag),
            Some(other) => Err(mistyped(name, "booleanValue", other)),
        }
    }

    /// The columns to return; absent means the primary key only (RT-3).
    pub fn column_set(&mut self, name: &str) -> Result<&'a ColumnSet> {
        match self.optional(name) {
            None => Ok(&NO_COLUMNS),
            Some(Value::ColumnSet(columns)) => Ok(columns),
            Some(other) => Err(mistyped(name, "columnSet", other)),
        }
    }

    /// A relationship.
    pub fn relationship(&mut self, name: &str) -> Result<&'a Relationship> {
        self.required(name, "relationship", |value| match value {
            Value::Relationship(relationship) => Some(relationship),
            _ => None,
        })
    }

    /// A query.
    pub fn query(&mut self, name: &str) -> Result<&'a Query> {
        self.required(name, "query", |value| match value {
            Value::Query(query) => Some(&**query),
            _ => None,
        })
    }

    /// A principal and its rights.
    pub fn principal_access(&mut self, name: &str) -> Result<&'a PrincipalAccess> {
        self.required(name, "principalAccess", |value| match value {
            Value::PrincipalAccess(access) => Some(access),
            _ => None,
        })
    }

    /// Queries for records related to the target (RT-7); absent means none.
    pub fn related_queries(&mut self) -> Result<Vec<RelatedEntitiesQuery>> {
        match self.optional(RelatedEntitiesQuery::NAME) {
            None => Ok(Vec::new()),
            Some(Value::List(values)) if values.len() > limits::RELATED_QUERIES_MAX => {
                Err(Fault::invalid_argument(
                    "related_entities_query",
                    format!(
                        "a Retrieve takes {} related queries",
                        limits::RELATED_QUERIES_MAX
                    ),
                )
                .limit("related_queries_max", limits::RELATED_QUERIES_MAX))
            }
            Some(Value::List(values)) => values
                .iter()
                .cloned()
                .map(RelatedEntitiesQuery::from_value)
                .collect(),
            Some(other) => Err(mistyped(
                RelatedEntitiesQuery::NAME,
                "list of entity",
                other,
            )),
        }
    }

    /// SDK structures of one type (GV-9).
    pub fn structures(&mut self, name: &str) -> Result<Vec<&'a Entity>> {
        self.required(name, "list of entity", |value| match value {
            Value::List(values) => values
                .iter()
                .map(|value| match value {
                    Value::Entity(entity) => Some(&**entity),
                    _ => None,
                })
                .collect(),
            _ => None,
        })
    }

    /// Requests of a batch.
    pub fn requests(&mut self, name: &str) -> Result<Vec<&'a OrganizationRequest>> {
        self.required(name, "list of organizationRequest", |value| match value {
            Value::List(values) => values
                .iter()
                .map(|value| match value {
                    Value::Request(request) => Some(&**request),
                    _ => None,
                })
                .collect(),
            _ => None,
        })
    }

    /// What to do about a row version (OC-1).
    pub fn concurrency_behavior(&mut self) -> Result<ConcurrencyBehavior> {
        const NAME: &str = "ConcurrencyBehavior";
        let Some(value) = self.optional(NAME) else {
            return Ok(ConcurrencyBehavior::Default);
        };
        match integer(value) {
            Some(0) => Ok(ConcurrencyBehavior::Default),
            Some(1) => Ok(ConcurrencyBehavior::IfRowVersionMatches),
            Some(2) => Ok(ConcurrencyBehavior::AlwaysOverwrite),
            Some(other) => Err(Fault::invalid_argument(
                NAME,
                format!("{other} is no concurrency behavior"),
            )),
            None => Err(mistyped(NAME, "integerValue", value)),
        }
    }
}

/// A GUID parameter; a reference is understood by its id.
pub fn guid(value: &Value) -> Option<Uuid> {
    match value {
        Value::Guid(id) => Some(*id),
        Value::EntityReference(reference) => reference.id,
        _ => None,
    }
}

/// A number parameter; an option counts by its number.
pub fn integer(value: &Value) -> Option<i32> {
    match value {
        Value::Integer(number) | Value::OptionSet(number) => Some(*number),
        _ => None,
    }
}

fn not_nil(name: &str, id: Uuid) -> Result<Uuid> {
    if id.is_nil() {
        return Err(Fault::invalid_argument(
            name,
            format!("`{name}` is the all-zero GUID"),
        ));
    }
    Ok(id)
}

/// A parameter or structure attribute of the wrong kind.
pub fn mistyped(name: &str, expected: &str, received: &Value) -> Fault {
    Fault::invalid_argument(
        name,
        format!("`{name}` takes {expected} and received {}", received.kind()),
    )
}
