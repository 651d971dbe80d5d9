//! Assign: a record gets another owner; an Update of `ownerid` and nothing else (`security.md` 5).

use orgservice_security::requirements;

use super::{Operation, Work, cascade, ownership, parameters::Parameters, share, stamps, tables};
use crate::{
    directory,
    fault::Result,
    model::{EntityReference, OrganizationRequest, OrganizationResponse},
    storage::record::Record,
};

/// The message.
pub struct Assign;

/// A record that may change hands.
pub struct Assignable {
    table: std::sync::Arc<crate::metadata::TableDefinition>,
    id: uuid::Uuid,
    before: Record,
    owner: orgservice_security::Owner,
}

impl Operation for Assign {
    const NAME: &'static str = "Assign";
    type Checked = Assignable;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Assignable> {
        let mut parameters = Parameters::of(request);
        let target = parameters.reference("Target")?;
        let assignee = parameters.reference("Assignee")?;
        parameters.finish()?;
        check(work, target, assignee)
    }

    fn perform(work: &mut Work<'_>, assignable: Assignable) -> Result<OrganizationResponse> {
        perform(work, assignable)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

/// Steps 7 to 11.
///
/// # Errors
/// `InvalidOwnershipTypeMask` for a table without owners, then the refusals of the Assign row.
pub fn check(
    work: &Work<'_>,
    target: &EntityReference,
    assignee: &EntityReference,
) -> Result<Assignable> {
    let table = work.table(&target.logical_name, "target.logical_name")?;
    tables::require_message(&table, Assign::NAME, table.messages.update)?;
    share::require_shareable(&table)?;
    work.require(&table, requirements::ASSIGN)?;
    let id = work.id_of(target, "target")?;
    let before = work.load(&table, id)?;
    work.access(&table, id, &before, requirements::ASSIGN)?;
    let owner = ownership::named(work, assignee, "assignee")?;
    ownership::check(work, &table, owner)?;
    Ok(Assignable {
        table,
        id,
        before,
        owner,
    })
}

/// Hands the record over, then what follows it.
///
/// # Errors
/// Refusals of the cascade; what the store says.
pub fn perform(work: &mut Work<'_>, assignable: Assignable) -> Result<()> {
    let Assignable {
        table,
        id,
        before,
        owner,
    } = assignable;
    let previous = before.owner.map(directory::owner);
    // Assigning to the current owner needs the rights and changes nothing.
    if previous == Some(owner) {
        return Ok(());
    }
    let mut after = before.clone();
    ownership::hand_over(work, &table, id, &mut after, owner)?;
    stamps::update(work, &table, &mut after);
    let after = work.put(&table, id, Some(&before), after)?;
    tables::after_update(work, &table, id, &before, &after)?;
    match previous {
        Some(previous) => cascade::assign(work, &table, id, previous, owner),
        None => Ok(()),
    }
}
