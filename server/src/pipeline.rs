//! The stages of one message: check, then perform.
//!
//! This is where steps before, within and after the operation will stand; the check (steps 7 to 11
//! of `security.md` 12) is a stage of its own so that it can be asked without being acted on.

use crate::{
    fault::Result,
    model::{OrganizationRequest, OrganizationResponse},
    operations::{Operation, Work},
};

/// Runs a message: its check, and unless the call is only being explained its work.
///
/// # Errors
/// Whatever the operation refuses.
pub fn run<O: Operation>(
    work: &mut Work<'_>,
    request: &OrganizationRequest,
) -> Result<OrganizationResponse> {
    let checked = O::check(work, request)?;
    if work.is_explaining() {
        return Ok(OrganizationResponse::new(O::NAME));
    }
    O::perform(work, checked)
}
