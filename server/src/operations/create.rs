//! Create: one record, and with it the records related to it (`messages.md` 1.2).

use std::sync::Arc;

use orgservice_security::{Owner, RecordFacts, TableOwnership, requirements};
use uuid::Uuid;

use super::{
    Operation, Work, append, facts, ownership, parameters::Parameters, related, stamps, state,
    stored_owner, tables,
};
use crate::{
    directory,
    fault::{Fault, FaultCode, Result},
    limits,
    metadata::{ColumnSource, ColumnType, TableDefinition},
    model::{Entity, OrganizationRequest, OrganizationResponse, RelatedEntities, Value},
    records::{self, WriteKind},
    storage::record::Record,
};

/// The message.
pub struct Create;

/// A record that may be created.
pub struct Creatable {
    table: Arc<TableDefinition>,
    id: Uuid,
    record: Record,
    related: Vec<RelatedEntities>,
    depth: usize,
}

impl Operation for Create {
    const NAME: &'static str = "Create";
    type Checked = Creatable;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Creatable> {
        let mut parameters = Parameters::of(request);
        let target = parameters.entity("Target")?;
        parameters.finish()?;
        check(work, target, "target", 0)
    }

    fn perform(work: &mut Work<'_>, creatable: Creatable) -> Result<OrganizationResponse> {
        let id = perform(work, creatable)?;
        Ok(OrganizationResponse::new(Self::NAME).with("id", id))
    }
}

/// Steps 7 to 11 for one record to be.
///
/// # Errors
/// The first refusal, in the order of G-5.
pub fn check(work: &Work<'_>, target: &Entity, path: &str, depth: usize) -> Result<Creatable> {
    if depth > limits::DEEP_INSERT_DEPTH_MAX {
        return Err(Fault::limit_exceeded(
            "deep_insert_depth_max",
            limits::DEEP_INSERT_DEPTH_MAX,
        ));
    }
    let table = work.table(&target.logical_name, &format!("{path}.logical_name"))?;
    tables::require_message(&table, Create::NAME, table.messages.create)?;

    let lookups = append::named(work, &table, &target.attributes, WriteKind::Create, None);
    work.require(&table, requirements::CREATE)?;
    append::require(work, &table, &lookups)?;
    stamps::require_override(work, &target.attributes)?;

    let values = records::validate(
        &table,
        work.definitions(),
        &target.attributes,
        WriteKind::Create,
        path,
    )?;
    if let Some(column) = target.key_attributes.keys().next() {
        return Err(super::work::key_not_defined(
            &table.logical_name,
            column,
            path,
        ));
    }
    let id = own_id(&table, target, path)?.unwrap_or_else(|| work.new_id());

    let mut record = Record::default();
    let mut owner = None;
    for (number, value) in values {
        match table.column_by_number(number).map(|column| column.source) {
            Some(ColumnSource::Owner) if !value.is_null() => {
                owner = Some(ownership::of_value(
                    work,
                    &value,
                    &format!("{path}.attributes[ownerid]"),
                )?);
            }
            Some(ColumnSource::BusinessUnit) => record.business_unit = reference_id(&value),
            Some(ColumnSource::Stored) => record.set(number, value),
            _ => {}
        }
    }
    let facts = prospective(work, &table, id, &mut record, owner)?;
    work.access_facts(&table, &facts, requirements::CREATE)?;
    append::access(work, &table, &facts, &lookups)?;
    append::check_references(work, &table, &lookups)?;
    if let Some(owner) = facts.owner {
        ownership::check(work, &table, owner)?;
    }
    // Records that come along may still fill in what the rules look at.
    if target.related_entities.is_empty() {
        tables::before_create(work, &table, id, &mut record)?;
    }
    Ok(Creatable {
        table,
        id,
        record,
        related: target.related_entities.clone(),
        depth,
    })
}

/// Writes a checked record, its follow-up rows and its related records.
///
/// # Errors
/// `DuplicateRecord`, the table's own rules, refusals of related records.
pub fn perform(work: &mut Work<'_>, creatable: Creatable) -> Result<Uuid> {
    let Creatable {
        table,
        id,
        mut record,
        related,
        depth,
    } = creatable;
    // Records this one points at come first, so that its lookups can name them (CR-12).
    let (parents, children) = related::split(work, &table, &related)?;
    for parent in parents {
        related::create_parent(work, &table, &mut record, &parent, depth)?;
    }
    if work.find(&table, id)?.is_some() {
        return Err(duplicate(&table, id));
    }
    defaults(&table, &mut record);
    state::create(&table, &mut record);
    stamps::create(work, &table, &mut record)?;
    if !related.is_empty() {
        tables::before_create(work, &table, id, &mut record)?;
    }
    related::refuse_loop(work, &table, id, None, &record)?;
    stamps::derive(work, &table, &mut record)?;
    let record = work.put(&table, id, None, record)?;
    tables::after_create(work, &table, id, &record)?;
    for child in children {
        related::create_children(work, &table, id, &child, depth)?;
    }
    Ok(id)
}

/// The facts of the record as it would be stored (AC-5); fills in owner and business unit.
fn prospective(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    record: &mut Record,
    owner: Option<Owner>,
) -> Result<RecordFacts<'static>> {
    match table.ownership() {
        TableOwnership::UserOwned => {
            // OW-2: without `ownerid` the subject owns it.
            let owner = owner.unwrap_or(Owner::User(work.subject()));
            record.owner = Some(stored_owner(owner));
            record.business_unit = Some(ownership::unit(work, owner)?);
        }
        TableOwnership::BusinessOwned => {
            if &*table.logical_name == "businessunit" {
                record.business_unit = Some(id);
                // A unit that does not exist yet stands where its parent stands.
                let parent = table
                    .column("parentbusinessunitid")
                    .and_then(|column| record.get(column.number))
                    .and_then(reference_id);
                return Ok(facts(table, None, None, parent));
            }
            if record.business_unit.is_none() {
                record.business_unit = tables::default_business_unit(work, table);
            }
        }
        TableOwnership::OrganizationOwned | TableOwnership::None => {}
    }
    Ok(facts(
        table,
        None,
        record.owner.map(directory::owner),
        record.business_unit,
    ))
}

/// CR-5: Boolean and choice columns start at their default.
pub fn defaults(table: &TableDefinition, record: &mut Record) {
    for column in &table.columns {
        if column.source != ColumnSource::Stored || record.get(column.number).is_some() {
            continue;
        }
        match &column.kind {
            ColumnType::Boolean {
                default: Some(default),
                ..
            } => {
                record.set(column.number, Value::Boolean(*default));
            }
            ColumnType::Picklist {
                default: Some(default),
                ..
            } => {
                record.set(column.number, Value::OptionSet(*default));
            }
            _ => {}
        }
    }
}

/// CR-1, CR-2: the id, given as such or as the primary key column; the all-zero GUID is none.
pub fn own_id(table: &TableDefinition, target: &Entity, path: &str) -> Result<Option<Uuid>> {
    let column = &table.primary_id_column().name;
    let in_column = match target.attributes.get(&**column) {
        Some(Value::Guid(id)) => Some(*id),
        _ => None,
    };
    let id = target.id.filter(|id| !id.is_nil());
    let in_column = in_column.filter(|id| !id.is_nil());
    match (id, in_column) {
        (Some(a), Some(b)) if a != b => Err(Fault::invalid_argument(
            format!("{path}.attributes[{column}]"),
            format!("`{column}` differs from the record's id"),
        )),
        (a, b) => Ok(a.or(b)),
    }
}

/// `DuplicateRecord` for an id that is taken (CR-3).
pub fn duplicate(table: &TableDefinition, id: Uuid) -> Fault {
    Fault::new(
        FaultCode::DuplicateRecord,
        format!("{} {id} already exists", table.logical_name),
    )
    .record(&table.logical_name, id)
}

/// The id in a lookup value.
pub fn reference_id(value: &Value) -> Option<Uuid> {
    match value {
        Value::EntityReference(reference) => reference.id,
        Value::Guid(id) => Some(*id),
        _ => None,
    }
}
