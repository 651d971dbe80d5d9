//! Records that travel with their target: deep insert (CR-12), related updates (UP-10), and the loop
//! check of self-referencing look-ups (UP-12).

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Work,
    append::{self, SetLookup},
    associate, create,
    create::reference_id,
    facts, update,
};
use crate::{
    directory,
    fault::{Fault, FaultCode, Result},
    limits,
    metadata::{ColumnSource, OneToMany, RelationshipDefinition, TableDefinition},
    model::{Entity, EntityReference, EntityRole, RelatedEntities, Relationship, Value},
    storage::record::Record,
};

/// On which side of a relationship a record stands, and what is on the other one.
pub enum Side {
    /// The record holds the lookup; the related record is its parent.
    ManyToOne(Arc<OneToMany>),
    /// The record is pointed at; the related records are its children.
    OneToMany(Arc<OneToMany>),
    /// An intersect table joins them.
    ManyToMany(Arc<RelationshipDefinition>),
}

/// Finds the side a table stands on.
///
/// # Errors
/// 0x80040E02 (reason RELATIONSHIP_NOT_FOUND) for an unknown relationship, `InvalidArgument` when
/// the table does not take part or a self-reference leaves the role open (AS-3, AS-4).
pub fn side(work: &Work<'_>, table: &TableDefinition, relationship: &Relationship) -> Result<Side> {
    let name = &relationship.schema_name;
    let definition = work.definitions().relationship(name).ok_or_else(|| {
        let description = format!("relationship `{name}` does not exist");
        Fault::new(FaultCode::RelationshipNotFound, description.clone())
            .violation("relationship.schema_name", description)
    })?;
    let outsider = || {
        Fault::invalid_argument(
            "relationship.schema_name",
            format!(
                "table `{}` takes no part in relationship `{name}`",
                table.logical_name
            ),
        )
    };
    match &**definition {
        RelationshipDefinition::OneToMany(one) => {
            let referencing = one.referencing == table.logical_name;
            let referenced = one.referenced == table.logical_name;
            match (referencing, referenced, relationship.primary_entity_role) {
                (true, true, Some(EntityRole::Referencing)) | (true, false, _) => {
                    Ok(Side::ManyToOne(Arc::clone(one)))
                }
                (true, true, Some(EntityRole::Referenced)) | (false, true, _) => {
                    Ok(Side::OneToMany(Arc::clone(one)))
                }
                (true, true, None) => Err(Fault::invalid_argument(
                    "relationship.primary_entity_role",
                    format!(
                        "`{name}` joins `{}` with itself: the role is needed",
                        table.logical_name
                    ),
                )),
                (false, false, _) => Err(outsider()),
            }
        }
        RelationshipDefinition::ManyToMany(many) => {
            if many.left.0 != table.logical_name && many.right.0 != table.logical_name {
                return Err(outsider());
            }
            Ok(Side::ManyToMany(Arc::clone(definition)))
        }
    }
}

/// Related records with the side their target stands on.
pub struct Group {
    side: Side,
    relationship: Relationship,
    entities: Vec<Entity>,
}

/// Splits related records into those to be created before their target and those after it.
///
/// # Errors
/// As [`side`].
pub fn split(
    work: &Work<'_>,
    table: &TableDefinition,
    related: &[RelatedEntities],
) -> Result<(Vec<Group>, Vec<Group>)> {
    let mut groups = Vec::new();
    for RelatedEntities {
        relationship,
        entities,
    } in related
    {
        let side = side(work, table, relationship)?;
        groups.push(Group {
            side,
            relationship: relationship.clone(),
            entities: entities.entities.clone(),
        });
    }
    Ok(groups
        .into_iter()
        .partition(|group| matches!(group.side, Side::ManyToOne(_))))
}

/// Creates the record that `record`'s lookup will point at.
///
/// # Errors
/// `InvalidArgument` for more than one record; whatever its creation refuses.
pub fn create_parent(
    work: &mut Work<'_>,
    table: &TableDefinition,
    record: &mut Record,
    group: &Group,
    depth: usize,
) -> Result<()> {
    let Side::ManyToOne(one) = &group.side else {
        return Ok(());
    };
    let [entity] = group.entities.as_slice() else {
        return Err(Fault::invalid_argument(
            path(&group.relationship, 1),
            format!(
                "a {} has at most one record through `{}`",
                table.logical_name, one.schema_name
            ),
        ));
    };
    require_table(&one.referenced, entity, &group.relationship, 0)?;
    if table
        .column_by_number(one.lookup_number)
        .is_some_and(|column| column.source != ColumnSource::Stored)
    {
        return Err(Fault::invalid_argument(
            path(&group.relationship, 0),
            format!("the record behind `{}` has to exist before", one.lookup),
        ));
    }
    let creatable = create::check(work, entity, &path(&group.relationship, 0), depth + 1)?;
    work.count_cascaded()?;
    let id = create::perform(work, creatable)?;
    // The lookup to the new parent obeys the append rule like any other.
    let parent_table = work.table(&one.referenced, "relationship")?;
    let lookups = [SetLookup {
        table: parent_table,
        id: Some(id),
    }];
    let owner = record.owner.map(directory::owner);
    append::require(work, table, &lookups)?;
    append::access(
        work,
        table,
        &facts(table, None, owner, record.business_unit),
        &lookups,
    )?;
    append::check_references(work, table, &lookups)?;
    record.set(
        one.lookup_number,
        Value::EntityReference(EntityReference::new(&*one.referenced, id)),
    );
    Ok(())
}

/// Creates records and ties them to the record just created.
///
/// # Errors
/// Whatever their creation or association refuses.
pub fn create_children(
    work: &mut Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    group: &Group,
    depth: usize,
) -> Result<()> {
    for (index, entity) in group.entities.iter().enumerate() {
        work.count_cascaded()?;
        let path = path(&group.relationship, index);
        match &group.side {
            Side::OneToMany(one) => {
                require_table(&one.referencing, entity, &group.relationship, index)?;
                let mut entity = entity.clone();
                entity.attributes.insert(
                    one.lookup.to_string(),
                    Value::EntityReference(EntityReference::new(&*table.logical_name, id)),
                );
                let creatable = create::check(work, &entity, &path, depth + 1)?;
                create::perform(work, creatable)?;
            }
            Side::ManyToMany(_) => {
                let creatable = create::check(work, entity, &path, depth + 1)?;
                let related = create::perform(work, creatable)?;
                let target = EntityReference::new(&*table.logical_name, id);
                let other = EntityReference::new(entity.logical_name.clone(), related);
                associate::associate(work, &target, &group.relationship, &[other])?;
            }
            Side::ManyToOne(_) => {}
        }
    }
    Ok(())
}

/// Updates the related records of an update (UP-10): the primary row first, then these.
///
/// # Errors
/// `InvalidArgument` for one without id; whatever their update refuses.
pub fn update_all(
    work: &mut Work<'_>,
    table: &TableDefinition,
    related: &[RelatedEntities],
    depth: usize,
) -> Result<()> {
    if depth > limits::DEEP_INSERT_DEPTH_MAX {
        return Err(Fault::limit_exceeded(
            "deep_insert_depth_max",
            limits::DEEP_INSERT_DEPTH_MAX,
        ));
    }
    for RelatedEntities {
        relationship,
        entities,
    } in related
    {
        side(work, table, relationship)?;
        for (index, entity) in entities.entities.iter().enumerate() {
            work.count_cascaded()?;
            update::run(work, entity, &path(relationship, index), depth + 1)?;
        }
    }
    Ok(())
}

/// UP-12: a self-referencing lookup must not lead back to the record.
///
/// # Errors
/// `AccountLoopBeingCreated` and its siblings.
pub fn refuse_loop(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    before: Option<&Record>,
    after: &Record,
) -> Result<()> {
    for one in work.definitions().children_of(&table.logical_name) {
        if one.referencing != table.logical_name {
            continue;
        }
        let parent = |record: &Record| record.get(one.lookup_number).and_then(reference_id);
        let mut next = parent(after);
        if next.is_none() || next == before.and_then(parent) {
            continue;
        }
        let mut steps = 0;
        while let Some(ancestor) = next {
            steps += 1;
            if ancestor == id || steps > limits::HIERARCHY_DEPTH_MAX {
                return Err(loop_fault(table, one, id));
            }
            next = work.find(table, ancestor)?.as_ref().and_then(parent);
        }
    }
    Ok(())
}

fn loop_fault(table: &TableDefinition, one: &OneToMany, id: Uuid) -> Fault {
    let code = match &*table.logical_name {
        "account" => FaultCode::AccountLoopBeingCreated,
        "contact" => FaultCode::ContactLoopBeingCreated,
        "businessunit" => FaultCode::BusinessManagementLoopBeingCreated,
        _ => FaultCode::EntityLoopBeingCreated,
    };
    Fault::new(
        code,
        format!("`{}` would lead back to the record itself", one.lookup),
    )
    .record(&table.logical_name, id)
    .detail("column", &one.lookup)
}

fn require_table(
    expected: &str,
    entity: &Entity,
    relationship: &Relationship,
    index: usize,
) -> Result<()> {
    if entity.logical_name == expected {
        return Ok(());
    }
    Err(Fault::invalid_argument(
        format!("{}.logical_name", path(relationship, index)),
        format!(
            "`{}` holds records of `{expected}`",
            relationship.schema_name
        ),
    ))
}

fn path(relationship: &Relationship, index: usize) -> String {
    format!(
        "target.related_entities[{}].entities[{index}]",
        relationship.schema_name
    )
}
