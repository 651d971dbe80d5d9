//! RetrieveVersion and RetrieveCurrentOrganization: what this server is. Neither needs a privilege.

use super::{Operation, Work, parameters::Parameters};
use crate::{
    fault::Result,
    model::{Entity, OrganizationRequest, OrganizationResponse},
};

/// RetrieveVersion.
pub struct RetrieveVersion;

impl Operation for RetrieveVersion {
    const NAME: &'static str = "RetrieveVersion";
    type Checked = ();

    fn check(_: &mut Work<'_>, request: &OrganizationRequest) -> Result<()> {
        Parameters::of(request).finish()
    }

    fn perform(_: &mut Work<'_>, (): ()) -> Result<OrganizationResponse> {
        Ok(OrganizationResponse::new(Self::NAME).with("Version", version()))
    }
}

/// RetrieveCurrentOrganization.
pub struct RetrieveCurrentOrganization;

impl Operation for RetrieveCurrentOrganization {
    const NAME: &'static str = "RetrieveCurrentOrganization";
    type Checked = ();

    fn check(_: &mut Work<'_>, request: &OrganizationRequest) -> Result<()> {
        let mut parameters = Parameters::of(request);
        // The product answers with addresses of one kind or another; there is one kind here.
        parameters.optional("AccessType");
        parameters.finish()
    }

    fn perform(work: &mut Work<'_>, (): ()) -> Result<OrganizationResponse> {
        let organization = work.directory().organization();
        let unique_name: String = organization
            .name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let detail = Entity::new("OrganizationDetail")
            .with("OrganizationId", organization.id)
            .with("UniqueName", unique_name.to_ascii_lowercase())
            .with("FriendlyName", organization.name.clone())
            .with("OrganizationVersion", version())
            // OrganizationState.Enabled
            .with("State", 0);
        Ok(OrganizationResponse::new(Self::NAME).with("Detail", detail))
    }
}

/// The contract's generation that is served (9.2), then this server's own version.
pub fn version() -> String {
    let own = env!("CARGO_PKG_VERSION")
        .split('.')
        .take(2)
        .collect::<Vec<_>>()
        .join(".");
    format!("9.2.{own}")
}
