//! SetState: an Update of statecode and statuscode under its older name (`messages.md` 2.1).

use super::{Operation, Work, parameters::Parameters, update};
use crate::{
    fault::{Fault, Result},
    model::{Entity, OrganizationRequest, OrganizationResponse, Value},
};

/// The message.
pub struct SetState;

/// Status -1 means "the state's default".
const DEFAULT_STATUS: i32 = -1;

impl Operation for SetState {
    const NAME: &'static str = "SetState";
    type Checked = update::Change;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<update::Change> {
        let mut parameters = Parameters::of(request);
        let moniker = parameters.reference("EntityMoniker")?;
        let state = parameters.integer("State")?;
        let status = parameters.integer("Status")?;
        parameters.finish()?;
        let table = work.table(&moniker.logical_name, "entity_moniker.logical_name")?;
        if !table.has_state {
            super::tables::require_message(&table, Self::NAME, false)?;
        }
        let id = work.id_of(moniker, "entity_moniker")?;
        if id.is_nil() {
            return Err(Fault::invalid_argument(
                "entity_moniker.id",
                "the id is all zero",
            ));
        }
        let mut target = Entity::new(moniker.logical_name.clone())
            .with_id(id)
            .with("statecode", Value::OptionSet(state));
        if status != DEFAULT_STATUS {
            target = target.with("statuscode", Value::OptionSet(status));
        }
        update::check(work, &target, "target")
    }

    fn perform(work: &mut Work<'_>, change: update::Change) -> Result<OrganizationResponse> {
        update::perform(work, change, 0)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}
