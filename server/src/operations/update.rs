//! Update: the supplied columns of one record change (`messages.md` 1.4).

use std::{collections::BTreeMap, sync::Arc};

use orgservice_security::{Owner, requirements};
use uuid::Uuid;

use super::{
    Operation, Work, append, cascade, ownership, parameters::Parameters, related, stamps, state,
    tables,
};
use crate::{
    directory,
    fault::{Fault, FaultCode, Result},
    metadata::{ColumnSource, TableDefinition, system::columns::number},
    model::{
        ConcurrencyBehavior, Entity, OrganizationRequest, OrganizationResponse, RelatedEntities,
        Value,
    },
    records::{self, WriteKind},
    storage::record::Record,
};

/// The message.
pub struct Update;

/// A change that may be made.
pub struct Change {
    table: Arc<TableDefinition>,
    id: Uuid,
    before: Record,
    after: Record,
    state: Option<i32>,
    status: Option<i32>,
    owner: Option<Owner>,
    related: Vec<RelatedEntities>,
}

impl Operation for Update {
    const NAME: &'static str = "Update";
    type Checked = Change;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Change> {
        let mut parameters = Parameters::of(request);
        let target = parameters.entity("Target")?;
        let concurrency = parameters.concurrency_behavior()?;
        parameters.finish()?;
        let change = check(work, target, "target")?;
        version_matches(
            &change.table,
            change.id,
            &change.before,
            concurrency,
            target.row_version,
        )?;
        Ok(change)
    }

    fn perform(work: &mut Work<'_>, change: Change) -> Result<OrganizationResponse> {
        perform(work, change, 0)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

/// Steps 7 to 11 for one change.
///
/// # Errors
/// The first refusal, in the order of G-5.
pub fn check(work: &Work<'_>, target: &Entity, path: &str) -> Result<Change> {
    let table = work.table(&target.logical_name, &format!("{path}.logical_name"))?;
    tables::require_message(&table, Update::NAME, table.messages.update)?;
    let id = target_id(work, &table, target, path);
    // Read before step 8 for one purpose only: a lookup that keeps its value asks nothing. That is
    // so only for whoever may change the record: a refusal must not tell what is in another one. A
    // missing record is told about in step 9, after the privileges (AC-7).
    let found = match &id {
        Ok(id) => work.find(&table, *id)?,
        Err(_) => None,
    };
    let known = match (&id, &found) {
        (Ok(id), Some(record)) if work.may(&table, *id, record, requirements::UPDATE)? => {
            found.as_ref()
        }
        _ => None,
    };
    let lookups = append::named(work, &table, &target.attributes, WriteKind::Update, known);
    let assigns = table.column("ownerid").is_some()
        && target
            .attributes
            .get("ownerid")
            .is_some_and(|owner| !owner.is_null());
    work.require(&table, requirements::UPDATE)?;
    append::require(work, &table, &lookups)?;
    if assigns {
        work.require(&table, requirements::ASSIGN)?;
    }
    let mut values = records::validate(
        &table,
        work.definitions(),
        &target.attributes,
        WriteKind::Update,
        path,
    )?;
    let id = id?;
    let before = found.ok_or_else(|| super::missing(&table.logical_name, id))?;
    work.access(&table, id, &before, requirements::UPDATE)?;
    append::access(work, &table, &work.facts(&table, id, &before), &lookups)?;
    if assigns {
        work.access(&table, id, &before, requirements::ASSIGN)?;
    }
    append::check_references(work, &table, &lookups)?;
    let owner = match values
        .remove(&number::OWNER_ID)
        .filter(|owner| !owner.is_null())
    {
        Some(owner) if assigns => {
            let owner = ownership::of_value(work, &owner, &format!("{path}.attributes[ownerid]"))?;
            ownership::check(work, &table, owner)?;
            Some(owner)
        }
        _ => None,
    };
    let option = |column: u16| match values.get(&column) {
        Some(Value::OptionSet(option)) => Some(*option),
        _ => None,
    };
    let (state, status) = (option(number::STATE_CODE), option(number::STATUS_CODE));
    let after = changed(&table, &before, values);
    tables::before_update(work, &table, id, &before, &after)?;
    Ok(Change {
        table,
        id,
        before,
        after,
        state,
        status,
        owner,
        related: target.related_entities.clone(),
    })
}

/// Makes a checked change, with everything that follows from it.
///
/// # Errors
/// State rules, loops, the table's own rules, refusals of cascades and related records.
pub fn perform(work: &mut Work<'_>, change: Change, depth: usize) -> Result<()> {
    let Change {
        table,
        id,
        before,
        mut after,
        state,
        status,
        owner,
        related,
    } = change;
    if table.has_state {
        state::update(&table, &mut after, state, status)?;
    }
    related::refuse_loop(work, &table, id, Some(&before), &after)?;
    let previous = before.owner.map(directory::owner);
    if let Some(owner) = owner {
        ownership::hand_over(work, &table, id, &mut after, owner)?;
    }
    stamps::update(work, &table, &mut after);
    stamps::derive(work, &table, &mut after)?;
    let after = work.put(&table, id, Some(&before), after)?;
    tables::after_update(work, &table, id, &before, &after)?;
    cascade::detached(work, &table, id, &before, &after)?;
    if let (Some(owner), Some(previous)) = (owner, previous)
        && owner != previous
    {
        cascade::assign(work, &table, id, previous, owner)?;
    }
    related::update_all(work, &table, &related, depth)
}

/// The record with the supplied values; state and owner follow rules of their own.
fn changed(table: &TableDefinition, before: &Record, values: BTreeMap<u16, Value>) -> Record {
    let mut after = before.clone();
    for (column, value) in values {
        match table.column_by_number(column).map(|column| column.source) {
            Some(ColumnSource::BusinessUnit) => {
                after.business_unit = super::create::reference_id(&value).or(after.business_unit);
            }
            Some(ColumnSource::Stored)
                if column != number::STATE_CODE && column != number::STATUS_CODE =>
            {
                after.set(column, value);
            }
            _ => {}
        }
    }
    after
}

/// Checks and makes one change: for related records and messages that are an Update in disguise.
///
/// # Errors
/// As [`check`] and [`perform`].
pub fn run(work: &mut Work<'_>, target: &Entity, path: &str, depth: usize) -> Result<()> {
    let change = check(work, target, path)?;
    perform(work, change, depth)
}

/// UP-4, UP-11: the id of the record to change.
fn target_id(
    work: &Work<'_>,
    table: &TableDefinition,
    target: &Entity,
    path: &str,
) -> Result<Uuid> {
    match super::create::own_id(table, target, path)? {
        Some(id) => Ok(id),
        None if target.key_attributes.is_empty() => Err(Fault::invalid_argument(
            format!("{path}.id"),
            "the entity id must be specified for update",
        )),
        None => work.id_of(&target.reference(), path),
    }
}

/// OC-1, OC-2: the row version, where the request wants it compared.
///
/// # Errors
/// `ConcurrencyVersionNotProvided`, `ConcurrencyVersionMismatch`.
pub fn version_matches(
    table: &TableDefinition,
    id: Uuid,
    record: &Record,
    behavior: ConcurrencyBehavior,
    version: Option<u64>,
) -> Result<()> {
    if behavior != ConcurrencyBehavior::IfRowVersionMatches {
        return Ok(());
    }
    match version {
        None => Err(Fault::new(
            FaultCode::ConcurrencyVersionNotProvided,
            "the row version to compare with is missing",
        )
        .violation("target.row_version", "missing")),
        Some(version) if version == record.row_version => Ok(()),
        Some(version) => Err(Fault::new(
            FaultCode::ConcurrencyVersionMismatch,
            format!(
                "{} {id} is at version {}, not at {version}",
                table.logical_name, record.row_version
            ),
        )
        .record(&table.logical_name, id)),
    }
}
