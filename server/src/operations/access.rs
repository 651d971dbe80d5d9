//! RetrievePrincipalAccess and RetrieveSharedPrincipalsAndAccess (SH-7, SH-8).

use std::sync::Arc;

use orgservice_security::{AccessRights, Owner, TeamId, UserId, requirements};
use uuid::Uuid;

use super::{Operation, Work, parameters::Parameters, tables};
use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::TableDefinition,
    model::{EntityReference, OrganizationRequest, OrganizationResponse, PrincipalAccess, Value},
    storage::record::Record,
};

/// A record whose access list may be read.
type Readable = (Arc<TableDefinition>, Uuid, Record);

/// RetrievePrincipalAccess: every right a principal has on a record, for it alone.
pub struct RetrievePrincipalAccess;

impl Operation for RetrievePrincipalAccess {
    const NAME: &'static str = "RetrievePrincipalAccess";
    type Checked = (Readable, Owner);

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Self::Checked> {
        let mut parameters = Parameters::of(request);
        let target = parameters.reference("Target")?;
        let principal = parameters.reference("Principal")?;
        parameters.finish()?;
        let readable = readable(work, target, Self::NAME)?;
        let id = work.id_of(principal, "principal")?;
        let principal = match &*principal.logical_name {
            "systemuser" => Owner::User(UserId(id)),
            "team" => Owner::Team(TeamId(id)),
            other => {
                let description = format!("access is held by users and teams, not by `{other}`");
                return Err(
                    Fault::new(FaultCode::InvalidPrincipalType, description.clone())
                        .violation("principal", description),
                );
            }
        };
        Ok((readable, principal))
    }

    fn perform(
        work: &mut Work<'_>,
        ((table, id, record), principal): Self::Checked,
    ) -> Result<OrganizationResponse> {
        let rights = work.rights_of(principal, &table, id, &record)?;
        Ok(OrganizationResponse::new(Self::NAME)
            .with("AccessRights", Value::Integer(rights.bits().cast_signed())))
    }
}

/// RetrieveSharedPrincipalsAndAccess: with whom a record is shared; owners and role holders do not
/// appear.
pub struct RetrieveSharedPrincipalsAndAccess;

impl Operation for RetrieveSharedPrincipalsAndAccess {
    const NAME: &'static str = "RetrieveSharedPrincipalsAndAccess";
    type Checked = Readable;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Readable> {
        let mut parameters = Parameters::of(request);
        let target = parameters.reference("Target")?;
        parameters.finish()?;
        readable(work, target, Self::NAME)
    }

    fn perform(work: &mut Work<'_>, (table, id, _): Readable) -> Result<OrganizationResponse> {
        let rows = work.share_rows(&table, id)?;
        let accesses = rows.into_iter().map(|(principal, row)| {
            let principal = work.snapshot().share_principal(principal);
            let reference = work.snapshot().share_reference(principal);
            let name = reference
                .id
                .and_then(|id| work.directory().name(&reference.logical_name, id));
            Value::PrincipalAccess(PrincipalAccess {
                principal: EntityReference { name, ..reference },
                access_mask: AccessRights::from_bits_truncate(row.effective()),
            })
        });
        let accesses = Value::List(accesses.collect());
        Ok(OrganizationResponse::new(Self::NAME).with("PrincipalAccesses", accesses))
    }
}

fn readable(work: &Work<'_>, target: &EntityReference, message: &str) -> Result<Readable> {
    let table = work.table(&target.logical_name, "target.logical_name")?;
    tables::require_message(&table, message, table.messages.read)?;
    work.require_read(&table)?;
    let id = work.id_of(target, "target")?;
    let record = work.load(&table, id)?;
    if table.ownership() == orgservice_security::TableOwnership::None {
        work.access_row(&table, id, &record)?;
    } else {
        work.access(&table, id, &record, requirements::READ_ACCESS)?;
    }
    Ok((table, id, record))
}
