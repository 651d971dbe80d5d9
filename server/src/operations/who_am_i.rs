//! WhoAmI: in whose name a call runs (IM-20). Needs no privilege, not even a role (U-8).

use super::{Operation, Work, parameters::Parameters};
use crate::{
    fault::Result,
    model::{OrganizationRequest, OrganizationResponse},
};

/// The message.
pub struct WhoAmI;

impl Operation for WhoAmI {
    const NAME: &'static str = "WhoAmI";
    type Checked = ();

    fn check(_: &mut Work<'_>, request: &OrganizationRequest) -> Result<()> {
        Parameters::of(request).finish()
    }

    fn perform(work: &mut Work<'_>, (): ()) -> Result<OrganizationResponse> {
        let directory = work.directory();
        let subject = work.subject();
        let unit = directory
            .user(subject)
            .map(|user| user.business_unit.0)
            .unwrap_or_default();
        Ok(OrganizationResponse::new(Self::NAME)
            .with("UserId", subject.0)
            .with("BusinessUnitId", unit)
            .with("OrganizationId", directory.organization().id))
    }
}
