//! Associate and Disassociate: look-ups set and cleared from either side, and intersect rows
//! (`messages.md` 1.6).

use std::sync::Arc;

use orgservice_security::requirements;
use uuid::Uuid;

use super::{
    Operation, Work,
    create::reference_id,
    membership,
    parameters::Parameters,
    related::{self, Side},
    stamps, update,
};
use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::{ColumnType, ManyToMany, RelationshipDefinition, TableDefinition},
    model::{
        Entity, EntityReference, OrganizationRequest, OrganizationResponse, Relationship, Value,
    },
    storage::{keys, record::Record},
};

/// Associate.
pub struct Associate;

/// Disassociate.
pub struct Disassociate;

/// What one call comes down to.
pub enum Plan {
    /// Look-ups to set or to clear, each as the Update it comes down to and as checked.
    Changes(Vec<(Entity, update::Change)>),
    /// Pairs of an intersect table, left and right.
    Pairs(Arc<RelationshipDefinition>, Vec<(Uuid, Uuid)>),
}

impl Operation for Associate {
    const NAME: &'static str = "Associate";
    type Checked = Plan;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Plan> {
        let (target, relationship, related) = parameters(request)?;
        check(work, target, relationship, &related, true)
    }

    fn perform(work: &mut Work<'_>, plan: Plan) -> Result<OrganizationResponse> {
        perform(work, plan, true)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

impl Operation for Disassociate {
    const NAME: &'static str = "Disassociate";
    type Checked = Plan;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Plan> {
        let (target, relationship, related) = parameters(request)?;
        check(work, target, relationship, &related, false)
    }

    fn perform(work: &mut Work<'_>, plan: Plan) -> Result<OrganizationResponse> {
        perform(work, plan, false)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

/// Checks and makes an association, for deep inserts.
///
/// # Errors
/// As the message.
pub fn associate(
    work: &mut Work<'_>,
    target: &EntityReference,
    relationship: &Relationship,
    related: &[EntityReference],
) -> Result<()> {
    let plan = check(work, target, relationship, related, true)?;
    perform(work, plan, true)
}

fn parameters(
    request: &OrganizationRequest,
) -> Result<(&EntityReference, &Relationship, Vec<EntityReference>)> {
    let mut parameters = Parameters::of(request);
    let target = parameters.reference("Target")?;
    let relationship = parameters.relationship("Relationship")?;
    let related = parameters.references("RelatedEntities")?;
    parameters.finish()?;
    if related.is_empty() {
        return Err(Fault::missing_parameter("RelatedEntities"));
    }
    Ok((target, relationship, related))
}

fn check(
    work: &Work<'_>,
    target: &EntityReference,
    relationship: &Relationship,
    related: &[EntityReference],
    adding: bool,
) -> Result<Plan> {
    let table = work.table(&target.logical_name, "target.logical_name")?;
    let side = related::side(work, &table, relationship)?;
    let id = work.id_of(target, "target")?;
    match side {
        Side::OneToMany(one) => {
            let mut changes = Vec::new();
            for (index, reference) in related.iter().enumerate() {
                let child = require_table(&one.referencing, reference, index)?;
                let child_id = work.id_of(reference, &format!("related_entities[{index}]"))?;
                changes.extend(lookup_change(
                    work,
                    (child, child_id),
                    (&one.lookup, one.lookup_number),
                    (&table.logical_name, id),
                    adding,
                )?);
            }
            Ok(Plan::Changes(changes))
        }
        Side::ManyToOne(one) => {
            let [parent] = related else {
                return Err(Fault::invalid_argument(
                    "related_entities",
                    format!(
                        "a {} has at most one record through `{}`",
                        table.logical_name, one.schema_name
                    ),
                ));
            };
            let parent_table = require_table(&one.referenced, parent, 0)?;
            let parent_id = work.id_of(parent, "related_entities[0]")?;
            let change = lookup_change(
                work,
                (&table.logical_name, id),
                (&one.lookup, one.lookup_number),
                (parent_table, parent_id),
                adding,
            )?;
            Ok(Plan::Changes(change.into_iter().collect()))
        }
        Side::ManyToMany(definition) => {
            let RelationshipDefinition::ManyToMany(many) = &*definition else {
                return Err(Fault::unexpected(
                    "a many-to-many side without its definition",
                ));
            };
            let target_is_left = many.left.0 == table.logical_name;
            let other = if target_is_left {
                &many.right.0
            } else {
                &many.left.0
            };
            let mut pairs = Vec::new();
            for (index, reference) in related.iter().enumerate() {
                require_table(other, reference, index)?;
                let other = work.id_of(reference, &format!("related_entities[{index}]"))?;
                pairs.push(if target_is_left {
                    (id, other)
                } else {
                    (other, id)
                });
            }
            check_pairs(work, many, &pairs, adding)?;
            Ok(Plan::Pairs(Arc::clone(&definition), pairs))
        }
    }
}

/// Makes what was checked, one after the other. What comes after a first one is checked again just
/// before it is made: what each alone leaves standing, all together may not (U-4).
fn perform(work: &mut Work<'_>, plan: Plan, adding: bool) -> Result<()> {
    match plan {
        Plan::Changes(changes) => {
            for (index, (target, change)) in changes.into_iter().enumerate() {
                if index == 0 {
                    update::perform(work, change, 0)?;
                } else {
                    update::run(work, &target, "target", 0)?;
                }
            }
            Ok(())
        }
        Plan::Pairs(definition, pairs) => {
            let RelationshipDefinition::ManyToMany(many) = &*definition else {
                return Ok(());
            };
            for (index, (left, right)) in pairs.into_iter().enumerate() {
                if index > 0 {
                    check_pairs(work, many, &[(left, right)], adding)?;
                }
                if !adding {
                    unlink(work, many, left, right)?;
                } else if !link(work, many, left, right)? {
                    return Err(Fault::new(
                        FaultCode::DuplicateRecord,
                        format!("{left} and {right} are already associated"),
                    )
                    .record(&many.intersect, left));
                }
            }
            Ok(())
        }
    }
}

/// The Update of a lookup that an association of one-to-many comes down to (AS-8).
///
/// `None` for a disassociation whose lookup points elsewhere (AS-6); the rights are asked all the
/// same.
fn lookup_change(
    work: &Work<'_>,
    (child, child_id): (&str, Uuid),
    (lookup, number): (&str, u16),
    (parent, parent_id): (&str, Uuid),
    adding: bool,
) -> Result<Option<(Entity, update::Change)>> {
    let table = work.table(child, "related_entities.logical_name")?;
    let points_at_parent = work
        .find(&table, child_id)?
        .and_then(|record| record.get(number).and_then(reference_id))
        == Some(parent_id);
    let mut target = Entity::new(child).with_id(child_id);
    if adding {
        target = target.with(lookup, EntityReference::new(parent, parent_id));
    } else if points_at_parent {
        target.attributes.insert(lookup.to_owned(), Value::Null);
    }
    let change = update::check(work, &target, "target")?;
    Ok((adding || points_at_parent).then_some((target, change)))
}

/// Append on both records, or the rules of membership where the relationship is one (AS-7, AS-8).
fn check_pairs(
    work: &Work<'_>,
    many: &ManyToMany,
    pairs: &[(Uuid, Uuid)],
    adding: bool,
) -> Result<()> {
    if membership::is_membership(&many.schema_name) {
        for &(left, right) in pairs {
            membership::check_membership(work, &many.schema_name, left, right, adding)?;
        }
        return Ok(());
    }
    let left = work.table(&many.left.0, "relationship")?;
    let right = work.table(&many.right.0, "relationship")?;
    work.require(&left, requirements::ASSOCIATE)?;
    work.require(&right, requirements::ASSOCIATE)?;
    for &(left_id, right_id) in pairs {
        for (table, id) in [(&left, left_id), (&right, right_id)] {
            let record = work.load(table, id)?;
            work.access(table, id, &record, requirements::ASSOCIATE)?;
        }
    }
    Ok(())
}

fn require_table<'a>(
    expected: &str,
    reference: &'a EntityReference,
    index: usize,
) -> Result<&'a str> {
    if reference.logical_name == expected {
        return Ok(&reference.logical_name);
    }
    Err(Fault::invalid_argument(
        format!("related_entities[{index}].logical_name"),
        format!(
            "the relationship joins records of `{expected}` here, not of `{}`",
            reference.logical_name
        ),
    ))
}

/// Whether two records are joined.
///
/// # Errors
/// What the store says.
pub fn linked(work: &Work<'_>, many: &ManyToMany, left: Uuid, right: Uuid) -> Result<Option<Uuid>> {
    let key = keys::link(many.number, left, right);
    match work.view().get(&key)? {
        Some(id) => Uuid::from_slice(&id)
            .map(Some)
            .map_err(|_| Fault::unexpected("a link entry without the id of its row")),
        None => Ok(None),
    }
}

/// Joins two records with an intersect row; false when they are joined already.
///
/// # Errors
/// What the store says.
pub fn link(work: &mut Work<'_>, many: &ManyToMany, left: Uuid, right: Uuid) -> Result<bool> {
    if linked(work, many, left, right)?.is_some() {
        return Ok(false);
    }
    let table = work.table(&many.intersect, "relationship")?;
    let id = work.new_id();
    let mut record = Record::default();
    for ((end_table, column), end) in [(&many.left, left), (&many.right, right)] {
        let Some(column) = table.column(column) else {
            continue;
        };
        let value = match column.kind {
            ColumnType::Lookup { .. } => {
                Value::EntityReference(EntityReference::new(&**end_table, end))
            }
            _ => Value::Guid(end),
        };
        record.set(column.number, value);
    }
    stamps::create(work, &table, &mut record)?;
    link_row(work, many, left, right, &table, id, record)?;
    Ok(true)
}

/// Stores an intersect row that was filled by its maker, with both link entries.
///
/// # Errors
/// What the store says.
pub fn link_row(
    work: &mut Work<'_>,
    many: &ManyToMany,
    left: Uuid,
    right: Uuid,
    table: &TableDefinition,
    id: Uuid,
    record: Record,
) -> Result<()> {
    work.put(table, id, None, record)?;
    let transaction = work.transaction()?;
    transaction.put(keys::link(many.number, left, right), id.as_bytes().to_vec());
    transaction.put(keys::link_reverse(many.number, right, left), Vec::new());
    Ok(())
}

/// Separates two records; false, and nothing happens, when they are not joined (AS-6).
///
/// # Errors
/// What the store says.
pub fn unlink(work: &mut Work<'_>, many: &ManyToMany, left: Uuid, right: Uuid) -> Result<bool> {
    let Some(id) = linked(work, many, left, right)? else {
        return Ok(false);
    };
    let table = work.table(&many.intersect, "relationship")?;
    if let Some(record) = work.find(&table, id)? {
        work.remove(&table, id, &record)?;
    }
    let transaction = work.transaction()?;
    transaction.delete(keys::link(many.number, left, right));
    transaction.delete(keys::link_reverse(many.number, right, left));
    Ok(true)
}

/// Separates a record from everything it is joined with (DE-3).
///
/// # Errors
/// What the store says; the bound of a cascade.
pub fn unlink_all(work: &mut Work<'_>, table: &TableDefinition, id: Uuid) -> Result<()> {
    let definitions = Arc::clone(work.definitions());
    for definition in definitions.relationships() {
        let RelationshipDefinition::ManyToMany(many) = &**definition else {
            continue;
        };
        let mut pairs = Vec::new();
        if many.left.0 == table.logical_name {
            work.scan_all(keys::link_range(many.number, id), |key, _| {
                pairs.push((id, keys::parse_link(key)?.2));
                Ok(())
            })?;
        }
        if many.right.0 == table.logical_name {
            work.scan_all(keys::link_reverse_range(many.number, id), |key, _| {
                pairs.push((keys::parse_link_reverse(key)?.2, id));
                Ok(())
            })?;
        }
        for (left, right) in pairs {
            work.count_cascaded()?;
            unlink(work, many, left, right)?;
        }
    }
    Ok(())
}
