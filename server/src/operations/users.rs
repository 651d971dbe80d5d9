//! SetBusinessSystemUser and SetParentBusinessUnit: updates under their older names
//! (`messages.md` 2.1).

use orgservice_security::{BusinessUnitId, Owner, UserId};

use super::{
    Operation, Work, assign, missing, ownership,
    parameters::Parameters,
    tables::{
        principal::{owned_records, owned_tables},
        user::USER,
    },
    update,
};
use crate::{
    fault::Result,
    model::{Entity, EntityReference, OrganizationRequest, OrganizationResponse},
    snapshot::owner_reference,
};

/// SetBusinessSystemUser.
pub struct SetBusinessSystemUser;

/// SetParentBusinessUnit.
pub struct SetParentBusinessUnit;

/// A user that may move, and who takes over what it owned.
pub struct Move {
    change: update::Change,
    user: UserId,
    from: BusinessUnitId,
    /// `None`: the user keeps its records (U-2).
    heir: Option<EntityReference>,
}

impl Operation for SetBusinessSystemUser {
    const NAME: &'static str = "SetBusinessSystemUser";
    type Checked = Move;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Move> {
        let mut parameters = Parameters::of(request);
        let id = parameters.guid("UserId")?;
        let unit = parameters.guid("BusinessId")?;
        let heir = match parameters.optional("ReassignPrincipal") {
            None => None,
            Some(crate::model::Value::EntityReference(heir)) => Some(heir.clone()),
            Some(other) => {
                let expected = "entityReference";
                return Err(super::parameters::mistyped(
                    "ReassignPrincipal",
                    expected,
                    other,
                ));
            }
        };
        parameters.finish()?;
        let target = Entity::new(USER)
            .with_id(id)
            .with("businessunitid", EntityReference::new("businessunit", unit));
        let change = update::check(work, &target, "target")?;

        let user = work
            .directory()
            .user(UserId(id))
            .ok_or_else(|| missing(USER, id))?;
        let (user, from) = (user.id, user.business_unit);
        let heir = match heir {
            Some(heir) => {
                let owner = ownership::named(work, &heir, "ReassignPrincipal")?;
                (owner != Owner::User(user)).then(|| owner_reference(owner))
            }
            None => None,
        };
        if let Some(heir) = &heir {
            for record in inheritance(work, user, from)? {
                assign::check(work, &record, heir)?;
            }
        }
        Ok(Move {
            change,
            user,
            from,
            heir,
        })
    }

    fn perform(work: &mut Work<'_>, planned: Move) -> Result<OrganizationResponse> {
        let Move {
            change,
            user,
            from,
            heir,
        } = planned;
        if let Some(heir) = &heir {
            for record in inheritance(work, user, from)? {
                // An earlier record may have taken this one along by cascade, or changed it, so it
                // is looked at again.
                work.count_cascaded()?;
                let assignable = assign::check(work, &record, heir)?;
                assign::perform(work, assignable)?;
            }
        }
        update::perform(work, change, 0)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

impl Operation for SetParentBusinessUnit {
    const NAME: &'static str = "SetParentBusinessUnit";
    type Checked = update::Change;

    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<update::Change> {
        let mut parameters = Parameters::of(request);
        let unit = parameters.guid("BusinessUnitId")?;
        let parent = parameters.guid("ParentId")?;
        parameters.finish()?;
        let target = Entity::new("businessunit").with_id(unit).with(
            "parentbusinessunitid",
            EntityReference::new("businessunit", parent),
        );
        update::check(work, &target, "target")
    }

    fn perform(work: &mut Work<'_>, change: update::Change) -> Result<OrganizationResponse> {
        update::perform(work, change, 0)?;
        Ok(OrganizationResponse::new(Self::NAME))
    }
}

/// What a user owns in a business unit and could be assigned; shared rows of activities follow
/// theirs.
fn inheritance(
    work: &Work<'_>,
    user: UserId,
    unit: BusinessUnitId,
) -> Result<Vec<EntityReference>> {
    let mut records = Vec::new();
    for table in owned_tables(work)
        .into_iter()
        .filter(|table| table.messages.update)
    {
        let ids = owned_records(work, &table, Owner::User(user), |its| its == Some(unit.0))?;
        records.extend(
            ids.into_iter()
                .map(|id| EntityReference::new(&*table.logical_name, id)),
        );
    }
    Ok(records)
}
