//! Delete: a record, and what its relationships say of its children (`messages.md` 1.5).

use std::sync::Arc;

use orgservice_security::requirements;
use uuid::Uuid;

use super::{Operation, Work, cascade, parameters::Parameters, tables, update::version_matches};
use crate::{
    fault::Result,
    metadata::TableDefinition,
    model::{OrganizationRequest, OrganizationResponse},
};

/// The message.
pub struct Delete;

impl Operation for Delete {
    const NAME: &'static str = "Delete";
    type Checked = (Arc<TableDefinition>, Uuid);

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Self::Checked> {
        let mut parameters = Parameters::of(request);
        let target = parameters.reference("Target")?;
        let concurrency = parameters.concurrency_behavior()?;
        parameters.finish()?;
        let table = work.table(&target.logical_name, "target.logical_name")?;
        tables::require_message(&table, Self::NAME, table.messages.delete)?;
        work.require(&table, requirements::DELETE)?;
        let id = work.id_of(target, "target")?;
        let record = work.load(&table, id)?;
        work.access(&table, id, &record, requirements::DELETE)?;
        tables::require_deletable(work, &table, id, &record)?;
        cascade::require_unrestricted(work, &table, id)?;
        version_matches(&table, id, &record, concurrency, target.row_version)?;
        Ok((table, id))
    }

    fn perform(
        work: &mut Work<'_>,
        (table, id): (Arc<TableDefinition>, Uuid),
    ) -> Result<OrganizationResponse> {
        cascade::delete(work, &table, id)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}
