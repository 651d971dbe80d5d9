//! RetrieveMultiple: the rows of a query that the caller may see (`messages.md` 1.10, AC-6), and the
//! related rows that come with a Retrieve (RT-7).

use std::sync::Arc;

use orgservice_security::{BusinessUnitId, RecordScope};
use uuid::Uuid;

use super::{
    Operation, Work,
    authorizer::RowAccess,
    lookups::WorkLookups,
    parameters::Parameters,
    related::{self, Side},
    tables,
};
use crate::{
    directory::{self, INTEGRATION_USER, SYSTEM_USER},
    fault::{Fault, Result},
    metadata::{RelationshipDefinition, TableDefinition},
    model::{
        EntityCollection, EntityReference, EntityRole, OrganizationRequest, OrganizationResponse,
        RelatedEntities, RelatedEntitiesQuery, Relationship, Value,
    },
    query::{self, BoundQuery, QueryContext, RowFilter},
    records::value_of,
    storage::{keys, record::Record},
};

/// The message.
pub struct RetrieveMultiple;

/// A query that may be asked, and which of its rows may be shown.
pub struct Askable {
    table: Arc<TableDefinition>,
    access: RowAccess,
    query: BoundQuery,
}

impl Operation for RetrieveMultiple {
    const NAME: &'static str = "RetrieveMultiple";
    type Checked = Askable;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Askable> {
        let mut parameters = Parameters::of(request);
        let query = parameters.query("Query")?;
        parameters.finish()?;
        let table = Arc::clone(query::require_query_table(
            work.definitions(),
            query,
            "query",
        )?);
        tables::require_message(&table, Self::NAME, table.messages.read)?;
        let access = work.row_access(&table)?;
        let query = query::bind(work.definitions(), query, "query")?;
        Ok(Askable {
            table,
            access,
            query,
        })
    }

    fn perform(work: &mut Work<'_>, askable: Askable) -> Result<OrganizationResponse> {
        let rows = execute(work, &askable)?;
        Ok(OrganizationResponse::new(Self::NAME)
            .with("EntityCollection", Value::Entities(Box::new(rows))))
    }
}

fn execute(work: &Work<'_>, askable: &Askable) -> Result<EntityCollection> {
    let context = QueryContext {
        view: work.view(),
        lookups: &WorkLookups::new(work),
        filter: &VisibleRows {
            work,
            table: &askable.table,
            access: &askable.access,
        },
        cookie_key: work.cookie_key(),
        subject: work.subject().0,
        check_deadline: &|| work.check_deadline(),
    };
    query::execute(&context, &askable.query)
}

/// AC-6 as a filter: exactly the rows on which a Retrieve would be allowed.
struct VisibleRows<'a, 'w> {
    work: &'a Work<'w>,
    table: &'a TableDefinition,
    access: &'a RowAccess,
}

impl RowFilter for VisibleRows<'_, '_> {
    fn scope(&self) -> Option<&RecordScope> {
        match self.access {
            RowAccess::Scope(scope) => Some(scope),
            RowAccess::Everyone | RowAccess::Related => None,
        }
    }

    fn admits(&self, id: Uuid, record: &Record) -> Result<bool> {
        // U-6: the built-in users do not show in lists.
        if &*self.table.logical_name == "systemuser"
            && [SYSTEM_USER.0, INTEGRATION_USER.0].contains(&id)
        {
            return Ok(false);
        }
        let scope = match self.access {
            RowAccess::Scope(scope) => scope,
            RowAccess::Everyone => return Ok(true),
            RowAccess::Related => return self.work.related_readable(self.table, id, record),
        };
        let owner = record.owner.map(directory::owner);
        if scope.admits_without_shares(owner, record.business_unit.map(BusinessUnitId)) {
            return Ok(true);
        }
        if scope.shared_with.is_empty() {
            return Ok(false);
        }
        let shares = self.work.shares(self.table, id)?;
        let facts = self.work.facts(self.table, id, record);
        Ok(scope.admits(&facts.with_shares(&shares)))
    }
}

/// A query for related records that may be asked.
pub struct RelatedAskable {
    side: Side,
    relationship: Relationship,
    askable: Askable,
}

/// Steps 7 and 8 for a query about records related to those of a table (RT-7).
///
/// # Errors
/// As [`related::side`] for the relationship; `InvalidArgument` when the query is about another
/// table than the relationship's other end; what RetrieveMultiple refuses.
pub fn check_related(
    work: &Work<'_>,
    table: &TableDefinition,
    request: &RelatedEntitiesQuery,
) -> Result<RelatedAskable> {
    const FIELD: &str = "related_entities_query.query";
    let side = related::side(work, table, &request.relationship)?;
    let queried = Arc::clone(query::require_query_table(
        work.definitions(),
        &request.query,
        FIELD,
    )?);
    tables::require_message(&queried, RetrieveMultiple::NAME, queried.messages.read)?;
    let require_end = |end: &str| {
        if end == &*queried.logical_name {
            return Ok(());
        }
        Err(Fault::invalid_argument(
            FIELD,
            format!(
                "relationship `{}` leads to `{end}`, the query is about `{}`",
                request.relationship.schema_name, queried.logical_name
            ),
        ))
    };
    match &side {
        Side::OneToMany(one) => require_end(&one.referencing)?,
        Side::ManyToOne(one) => require_end(&one.referenced)?,
        Side::ManyToMany(definition) => {
            if let RelationshipDefinition::ManyToMany(many) = &**definition {
                let is_left = *many.left.0 == *table.logical_name;
                require_end(if is_left { &many.right.0 } else { &many.left.0 })?;
            }
        }
    }
    let access = work.row_access(&queried)?;
    let query = query::bind(work.definitions(), &request.query, FIELD)?;
    Ok(RelatedAskable {
        side,
        relationship: request.relationship.clone(),
        askable: Askable {
            table: queried,
            access,
            query,
        },
    })
}

/// The rows of a checked query that are related to a record.
///
/// # Errors
/// What the store says.
pub fn related(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    request: RelatedAskable,
) -> Result<RelatedEntities> {
    let RelatedAskable {
        side,
        relationship,
        askable,
    } = request;
    let Askable {
        table: queried,
        access,
        query,
    } = askable;
    let query = match side {
        Side::OneToMany(one) => query.pointing_at(one.lookup_number, &table.logical_name, id),
        Side::ManyToOne(one) => {
            let parent = parent(work, table, id, one.lookup_number)?
                .filter(|parent| *parent.logical_name == *one.referenced);
            query.only(parent.and_then(|parent| parent.id))
        }
        Side::ManyToMany(definition) => {
            let RelationshipDefinition::ManyToMany(many) = &*definition else {
                return Err(Fault::unexpected(
                    "a many-to-many side of another relationship",
                ));
            };
            let role = relationship.primary_entity_role;
            let from_left = match *many.left.0 == *many.right.0 {
                true => role != Some(EntityRole::Referenced),
                false => *many.left.0 == *table.logical_name,
            };
            query.linked(if from_left {
                keys::link_range(many.number, id)
            } else {
                keys::link_reverse_range(many.number, id)
            })
        }
    };
    let rows = execute(
        work,
        &Askable {
            table: queried,
            access,
            query,
        },
    )?;
    Ok(RelatedEntities {
        relationship,
        entities: rows,
    })
}

/// What a record's lookup points at.
fn parent(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    lookup: u16,
) -> Result<Option<EntityReference>> {
    let record = work.load(table, id)?;
    let organization = work.directory().organization().id;
    let value = table
        .column_by_number(lookup)
        .map(|column| value_of(table, column, &record, id, organization).into_owned());
    Ok(match value {
        Some(Value::EntityReference(reference)) => Some(reference),
        _ => None,
    })
}

#[cfg(test)]
#[path = "retrieve_multiple_tests.rs"]
mod tests;
