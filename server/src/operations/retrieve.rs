//! Retrieve: one record by reference (`messages.md` 1.3).

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Operation, Work,
    lookups::WorkLookups,
    parameters::Parameters,
    retrieve_multiple::{RelatedAskable, check_related, related},
};
use crate::{
    fault::Result,
    metadata::TableDefinition,
    model::{OrganizationRequest, OrganizationResponse},
    records::{Projection, project},
    storage::record::Record,
};

/// The message.
pub struct Retrieve;

/// A record that may be shown.
pub struct Readable {
    table: Arc<TableDefinition>,
    id: Uuid,
    record: Record,
    projection: Projection,
    related: Vec<RelatedAskable>,
}

impl Operation for Retrieve {
    const NAME: &'static str = "Retrieve";
    type Checked = Readable;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Readable> {
        let mut parameters = Parameters::of(request);
        let target = parameters.reference("Target")?;
        let columns = parameters.column_set("ColumnSet")?;
        let related = parameters.related_queries()?;
        parameters.finish()?;
        let table = work.table(&target.logical_name, "target.logical_name")?;
        super::tables::require_message(&table, Self::NAME, table.messages.read)?;
        work.require_read(&table)?;
        let related = related
            .iter()
            .map(|query| check_related(work, &table, query))
            .collect::<Result<_>>()?;
        let projection = Projection::resolve(&table, columns, "column_set")?;
        let id = work.id_of(target, "target")?;
        let record = work.load(&table, id)?;
        work.access_row(&table, id, &record)?;
        Ok(Readable {
            table,
            id,
            record,
            projection,
            related,
        })
    }

    fn perform(work: &mut Work<'_>, readable: Readable) -> Result<OrganizationResponse> {
        let Readable {
            table,
            id,
            record,
            projection,
            related: queries,
        } = readable;
        let mut entity = project(&table, id, &record, &projection, &WorkLookups::new(work));
        for query in queries {
            entity
                .related_entities
                .push(related(work, &table, id, query)?);
        }
        Ok(OrganizationResponse::new(Self::NAME).with("Entity", entity))
    }
}
