//! What an action on a record does to its children (`security.md` 7).
//!
//! One request is one atomic change (CA-6): the walk runs inside the transaction, visits a record
//! once, and stops with a fault at `cascade_rows_max` before anything is applied.

use std::{collections::HashSet, ops::ControlFlow, sync::Arc};

use orgservice_security::{ObjectTypeCode, Owner, requirements};
use uuid::Uuid;

use super::{Work, associate, ownership, share, stamps, tables};
use crate::{
    directory,
    fault::{Fault, FaultCode, Result},
    limits,
    metadata::{
        CascadeConfiguration, CascadeType, DeleteCascade, OneToMany, RelationshipDefinition,
        TableDefinition, system::columns::number,
    },
    model::{EntityReference, Value},
    storage::record::Record,
};

type Visited = HashSet<(u32, Uuid)>;

/// A child with the relationship it was reached by.
struct Child {
    table: Arc<TableDefinition>,
    id: Uuid,
    record: Record,
    lookup: u16,
}

/// Re-owns the children of a record that changed hands (CA-4).
///
/// # Errors
/// `TargetPrincipalLacksReadPrivilege` when the new owner cannot own a child; the bound.
pub fn assign(
    work: &mut Work<'_>,
    table: &Arc<TableDefinition>,
    id: Uuid,
    previous: Owner,
    owner: Owner,
) -> Result<()> {
    let mut visited = Visited::from([(table.code.0, id)]);
    let mut pending = vec![(Arc::clone(table), id, previous)];
    while let Some((table, id, previous)) = pending.pop() {
        let children = selected(work, &table, id, Some(previous), |cascade| cascade.assign)?;
        for Child {
            table, id, record, ..
        } in children
        {
            let Some(held_by) = record.owner.map(directory::owner) else {
                continue;
            };
            if held_by == owner || !visited.insert((table.code.0, id)) {
                continue;
            }
            if !work.may(&table, id, &record, requirements::ASSIGN)? {
                continue;
            }
            work.require_may_own(owner, &table)?;
            work.count_cascaded()?;
            let mut after = record.clone();
            ownership::hand_over(work, &table, id, &mut after, owner)?;
            stamps::update(work, &table, &mut after);
            let after = work.put(&table, id, Some(&record), after)?;
            tables::after_update(work, &table, id, &record, &after)?;
            pending.push((table, id, held_by));
        }
    }
    Ok(())
}

/// Gives the receiver of a share the same rights on the children (CA-1).
///
/// # Errors
/// The bound; what the store says.
pub fn share(
    work: &mut Work<'_>,
    table: &Arc<TableDefinition>,
    id: Uuid,
    principal: Uuid,
    mask: u32,
) -> Result<()> {
    let origin = (table.code.0, id);
    walk(
        work,
        table,
        id,
        |cascade| cascade.share,
        |work, child| {
            if !work.may(
                &child.table,
                child.id,
                &child.record,
                requirements::CASCADED_SHARE,
            )? {
                return Ok(false);
            }
            share::contribute(work, &child.table, child.id, principal, origin, |held| {
                held | mask
            })?;
            Ok(true)
        },
    )
}

/// Withdraws from the children what a share of this record gave (CA-2): the bits of `mask`.
///
/// # Errors
/// The bound; what the store says.
pub fn unshare(
    work: &mut Work<'_>,
    table: &Arc<TableDefinition>,
    id: Uuid,
    principal: Uuid,
    mask: u32,
) -> Result<()> {
    let origin = (table.code.0, id);
    walk(
        work,
        table,
        id,
        |cascade| cascade.unshare,
        |work, child| {
            share::contribute(work, &child.table, child.id, principal, origin, |held| {
                held & !mask
            })?;
            Ok(true)
        },
    )
}

/// Withdraws from a record whose look-ups changed, and from everything below it, what came by
/// cascade from records that it is no longer below: a Revoke there would not find it any more
/// (CA-2).
///
/// Shares come down through relationships with Share other than NoCascade. Comes after the change
/// is stored, and before a record that is deleted with its links is gone.
///
/// # Errors
/// The bounds; what the store says.
pub fn detached(
    work: &mut Work<'_>,
    table: &Arc<TableDefinition>,
    id: Uuid,
    before: &Record,
    after: &Record,
) -> Result<()> {
    let names = |record| -> Visited {
        let parents = parents(work, table, record).into_iter();
        parents.map(|(table, id)| (table.code.0, id)).collect()
    };
    if names(before).is_subset(&names(after)) {
        return Ok(());
    }
    let still = above(work, table, after)?;
    let mut lost = Visited::new();
    for (code, origin) in above(work, table, before)? {
        if !still.contains(&(code, origin)) && gives(work, code, origin)? {
            lost.insert((code, origin));
        }
    }
    if lost.is_empty() {
        return Ok(());
    }
    let mut visited = Visited::from([(table.code.0, id)]);
    let mut pending = vec![(Arc::clone(table), id)];
    while let Some((table, id)) = pending.pop() {
        withdraw(work, &table, id, &lost)?;
        for one in work.definitions().children_of(&table.logical_name).to_vec() {
            if one.cascade.share == CascadeType::NoCascade {
                continue;
            }
            for child in children(work, &table, id, &one, |record| record.owner.is_some())? {
                if visited.insert((child.table.code.0, child.id)) {
                    work.count_cascaded()?;
                    pending.push((child.table, child.id));
                }
            }
        }
    }
    Ok(())
}

/// Withdraws what a record has from `lost` origins, but for those it is below on another way.
fn withdraw(
    work: &mut Work<'_>,
    table: &Arc<TableDefinition>,
    id: Uuid,
    lost: &Visited,
) -> Result<()> {
    let mut rows = work.share_rows(table, id)?;
    rows.retain(|(_, row)| {
        let mut origins = row.contributions.iter();
        origins.any(|one| lost.contains(&(one.origin_otc, one.origin_id)))
    });
    if rows.is_empty() {
        return Ok(());
    }
    let record = work.load(table, id)?;
    let still = above(work, table, &record)?;
    for (principal, _) in rows {
        share::withdraw(work, table, id, principal, |origin| {
            !lost.contains(&origin) || still.contains(&origin)
        })?;
    }
    Ok(())
}

/// Whether a record is shared explicitly, so that something of it may have come down.
fn gives(work: &Work<'_>, code: u32, id: Uuid) -> Result<bool> {
    let Some(table) = work.definitions().table_by_code(ObjectTypeCode(code)) else {
        return Ok(false);
    };
    let rows = work.share_rows(table, id)?;
    Ok(rows.iter().any(|(_, row)| row.explicit != 0))
}

/// The records that a record points at through relationships that shares come down by.
fn parents(
    work: &Work<'_>,
    table: &TableDefinition,
    record: &Record,
) -> Vec<(Arc<TableDefinition>, Uuid)> {
    let mut parents = Vec::new();
    for definition in work.definitions().relationships() {
        let RelationshipDefinition::OneToMany(one) = &**definition else {
            continue;
        };
        if one.referencing != table.logical_name || one.cascade.share == CascadeType::NoCascade {
            continue;
        }
        let Some(Value::EntityReference(reference)) = record.get(one.lookup_number) else {
            continue;
        };
        if let Some(parent) = reference.id
            && *reference.logical_name == *one.referenced
            && let Some(table) = work.definitions().table(&one.referenced)
        {
            parents.push((Arc::clone(table), parent));
        }
    }
    parents
}

/// Everything above a record whose shares come down to it.
///
/// # Errors
/// `InvalidOperation` (reason LIMIT_EXCEEDED) above `hierarchy_depth_max` records.
fn above(work: &Work<'_>, table: &TableDefinition, record: &Record) -> Result<Visited> {
    let mut above = Visited::new();
    let mut pending = parents(work, table, record);
    while let Some((table, id)) = pending.pop() {
        if !above.insert((table.code.0, id)) {
            continue;
        }
        if above.len() > limits::HIERARCHY_DEPTH_MAX {
            return Err(Fault::limit_exceeded(
                "hierarchy_depth_max",
                limits::HIERARCHY_DEPTH_MAX,
            ));
        }
        if let Some(record) = work.find(&table, id)? {
            pending.extend(parents(work, &table, &record));
        }
    }
    Ok(above)
}

/// Deletes a record with everything that goes with it (CA-5, DE-2, DE-3).
///
/// # Errors
/// `CannotDeleteDueToAssociation`, refusals on a child, the table's own rules, the bound.
pub fn delete(work: &mut Work<'_>, table: &Arc<TableDefinition>, id: Uuid) -> Result<()> {
    let mut visited = Visited::from([(table.code.0, id)]);
    let mut order = vec![(Arc::clone(table), id)];
    let mut next = 0;
    // Breadth first, so that Restrict is found anywhere below before anything is written.
    while let Some((table, id)) = order.get(next).cloned() {
        next += 1;
        for one in work.definitions().children_of(&table.logical_name).to_vec() {
            if tables::has_own_delete_rule(&one) {
                continue;
            }
            match one.cascade.delete {
                DeleteCascade::Restrict => {
                    if has_child(work, &table, id, &one, &visited)? {
                        return Err(restricted(&table, id, &one));
                    }
                }
                DeleteCascade::Cascade => {
                    for child in children(work, &table, id, &one, |_| true)? {
                        if !visited.insert((child.table.code.0, child.id)) {
                            continue;
                        }
                        work.count_cascaded()?;
                        work.require(&child.table, requirements::DELETE)?;
                        work.access(&child.table, child.id, &child.record, requirements::DELETE)?;
                        order.push((child.table, child.id));
                    }
                }
                DeleteCascade::RemoveLink => {}
            }
        }
    }
    for (table, id) in order.into_iter().rev() {
        remove_links(work, &table, id, &visited)?;
        // The table's own rules may have removed it on the way.
        let Some(record) = work.find(&table, id)? else {
            continue;
        };
        tables::require_deletable(work, &table, id, &record)?;
        tables::before_delete(work, &table, id)?;
        associate::unlink_all(work, &table, id)?;
        work.remove(&table, id, &record)?;
        tables::after_delete(work, &table, id, &record)?;
    }
    Ok(())
}

/// Step 11 of `security.md` 12 for the record itself: no child restricts its delete. Comes before
/// the rights on children that go along, and is what ExplainAccess foresees (GA-2); what restricts
/// further down is found on the way.
///
/// # Errors
/// `CannotDeleteDueToAssociation`.
pub fn require_unrestricted(work: &Work<'_>, table: &TableDefinition, id: Uuid) -> Result<()> {
    for one in work.definitions().children_of(&table.logical_name) {
        if one.cascade.delete == DeleteCascade::Restrict
            && !tables::has_own_delete_rule(one)
            && has_child(work, table, id, one, &Visited::new())?
        {
            return Err(restricted(table, id, one));
        }
    }
    Ok(())
}

/// Empties the look-ups of children that stay (RemoveLink needs no right on the child).
fn remove_links(
    work: &mut Work<'_>,
    table: &Arc<TableDefinition>,
    id: Uuid,
    going: &Visited,
) -> Result<()> {
    for one in work.definitions().children_of(&table.logical_name).to_vec() {
        if one.cascade.delete != DeleteCascade::RemoveLink || tables::has_own_delete_rule(&one) {
            continue;
        }
        for child in children(work, table, id, &one, |_| true)? {
            if going.contains(&(child.table.code.0, child.id)) {
                continue;
            }
            work.count_cascaded()?;
            let mut after = child.record.clone();
            after.set(child.lookup, Value::Null);
            stamps::update(work, &child.table, &mut after);
            let after = work.put(&child.table, child.id, Some(&child.record), after)?;
            tables::after_update(work, &child.table, child.id, &child.record, &after)?;
            detached(work, &child.table, child.id, &child.record, &after)?;
        }
    }
    Ok(())
}

/// Visits the children that a setting selects, and theirs, each once; a child for which `visit`
/// answers false is not entered.
fn walk(
    work: &mut Work<'_>,
    table: &Arc<TableDefinition>,
    id: Uuid,
    setting: impl Fn(&CascadeConfiguration) -> CascadeType + Copy,
    mut visit: impl FnMut(&mut Work<'_>, &Child) -> Result<bool>,
) -> Result<()> {
    let mut visited = Visited::from([(table.code.0, id)]);
    let owner = work
        .find(table, id)?
        .and_then(|record| record.owner)
        .map(directory::owner);
    let mut pending = vec![(Arc::clone(table), id, owner)];
    while let Some((table, id, owner)) = pending.pop() {
        for child in selected(work, &table, id, owner, setting)? {
            if !visited.insert((child.table.code.0, child.id)) {
                continue;
            }
            work.count_cascaded()?;
            if visit(work, &child)? {
                let owner = child.record.owner.map(directory::owner);
                pending.push((child.table, child.id, owner));
            }
        }
    }
    Ok(())
}

/// The children of a record that a setting selects; `owner` is whose the record was before the
/// action. Children without owners are never shared or assigned.
fn selected(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    owner: Option<Owner>,
    setting: impl Fn(&CascadeConfiguration) -> CascadeType,
) -> Result<Vec<Child>> {
    let mut selected = Vec::new();
    for one in work.definitions().children_of(&table.logical_name) {
        let setting = setting(&one.cascade);
        if setting == CascadeType::NoCascade {
            continue;
        }
        selected.extend(children(work, table, id, one, |record| {
            let Some(child_owner) = record.owner.map(directory::owner) else {
                return false;
            };
            match setting {
                CascadeType::Cascade => true,
                CascadeType::Active => {
                    matches!(record.get(number::STATE_CODE), Some(Value::OptionSet(0)))
                }
                CascadeType::UserOwned => Some(child_owner) == owner,
                CascadeType::NoCascade => false,
            }
        })?);
    }
    Ok(selected)
}

/// The children of a record through one relationship that `takes` selects.
///
/// # Errors
/// `InvalidOperation` (reason LIMIT_EXCEEDED) as soon as there are more than one request may
/// change.
fn children(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    one: &OneToMany,
    takes: impl Fn(&Record) -> bool,
) -> Result<Vec<Child>> {
    let mut children = Vec::new();
    visit_children(work, table, id, one, |child| {
        if !takes(&child.record) {
            return Ok(ControlFlow::Continue(()));
        }
        if children.len() == limits::CASCADE_ROWS_MAX {
            let limit = limits::CASCADE_ROWS_MAX;
            return Err(Fault::limit_exceeded("cascade_rows_max", limit));
        }
        children.push(child);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(children)
}

/// Whether a record has a child through one relationship beside those that go with it.
fn has_child(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    one: &OneToMany,
    going: &Visited,
) -> Result<bool> {
    let mut found = false;
    visit_children(work, table, id, one, |child| {
        found = !going.contains(&(child.table.code.0, child.id));
        Ok(if found {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })?;
    Ok(found)
}

fn visit_children(
    work: &Work<'_>,
    table: &TableDefinition,
    id: Uuid,
    one: &OneToMany,
    mut visit: impl FnMut(Child) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let child_table = work.table(&one.referencing, "relationship")?;
    work.visit_children(&child_table, one.lookup_number, id, |child| {
        let Some(record) = work.find(&child_table, child)? else {
            return Ok(ControlFlow::Continue(()));
        };
        // An id is unique per table only: a lookup with several targets says which table it means.
        let points_here = matches!(
            record.get(one.lookup_number),
            Some(Value::EntityReference(EntityReference { logical_name, id: Some(parent), .. }))
                if **logical_name == *table.logical_name && *parent == id
        );
        if !points_here {
            return Ok(ControlFlow::Continue(()));
        }
        visit(Child {
            table: Arc::clone(&child_table),
            id: child,
            record,
            lookup: one.lookup_number,
        })
    })
}

fn restricted(table: &TableDefinition, id: Uuid, one: &OneToMany) -> Fault {
    Fault::new(
        FaultCode::CannotDeleteDueToAssociation,
        format!(
            "{} {id} cannot be deleted while a {} points at it through `{}`",
            table.logical_name, one.referencing, one.lookup
        ),
    )
    .record(&table.logical_name, id)
}
