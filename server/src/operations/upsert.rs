//! Upsert: Update if the record exists, else Create (`messages.md` 1.7).

use orgservice_security::requirements;

use super::{Operation, Work, create, parameters::Parameters, tables, update};
use crate::{
    fault::{Fault, Result},
    model::{EntityReference, OrganizationRequest, OrganizationResponse},
};

/// The message.
pub struct Upsert;

/// Which of the two it turned out to be.
pub enum Outcome {
    /// The record did not exist.
    Create(String, Box<create::Creatable>),
    /// It did.
    Update(EntityReference, Box<update::Change>),
}

impl Operation for Upsert {
    const NAME: &'static str = "Upsert";
    type Checked = Outcome;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Outcome> {
        let mut parameters = Parameters::of(request);
        let target = parameters.entity("Target")?;
        parameters.finish()?;
        let table = work.table(&target.logical_name, "target.logical_name")?;
        tables::require_message(
            &table,
            Self::NAME,
            table.messages.create && table.messages.update,
        )?;
        let id = match create::own_id(&table, target, "target")? {
            Some(id) => id,
            None if target.key_attributes.is_empty() => {
                return Err(Fault::invalid_argument(
                    "target.id",
                    "an upsert needs the record's id or an alternate key",
                ));
            }
            None => work.id_of(&target.reference(), "target")?,
        };
        // AC-7: whoever may do neither is told the same, whether the record exists or not.
        let neither = [requirements::CREATE, requirements::UPDATE]
            .iter()
            .all(|rights| !work.holds(&table, rights));
        if neither {
            work.require(&table, requirements::CREATE)?;
        }
        let name = table.logical_name.to_string();
        if work.find(&table, id)?.is_some() {
            let change = update::check(work, target, "target")?;
            Ok(Outcome::Update(
                EntityReference::new(name, id),
                Box::new(change),
            ))
        } else {
            Ok(Outcome::Create(
                name,
                Box::new(create::check(work, target, "target", 0)?),
            ))
        }
    }

    fn perform(work: &mut Work<'_>, outcome: Outcome) -> Result<OrganizationResponse> {
        let (created, reference) = match outcome {
            Outcome::Create(table, creatable) => {
                let id = create::perform(work, *creatable)?;
                (true, EntityReference::new(table, id))
            }
            Outcome::Update(reference, change) => {
                update::perform(work, *change, 0)?;
                (false, reference)
            }
        };
        Ok(OrganizationResponse::new(Self::NAME)
            .with("RecordCreated", created)
            .with("Target", reference))
    }
}
