//! One file per message, and the table that finds it.
//!
//! Every operation has the same two parts. `check` takes the request apart and asks every question
//! of access, in the order of `security.md` 12 and G-5, without changing anything; `perform` writes.

pub mod access;
mod append;
mod assign;
mod associate;
mod authorizer;
pub mod batch;
pub mod bootstrap;
mod cascade;
mod create;
mod delete;
pub mod explain;
mod lookups;
mod membership;
mod organization_info;
mod ownership;
mod parameters;
mod related;
mod retrieve;
mod retrieve_multiple;
mod roles;
mod set_state;
mod share;
mod share_rows;
mod stamps;
mod state;
mod tables;
mod teams;
pub mod tokens;
mod update;
mod upsert;
mod users;
mod who_am_i;
mod work;

pub use work::{Environment, Mark, Unit, Work, facts, missing, stored_owner, user_owned};

use orgservice_security::Privilege;

use crate::{
    fault::{Fault, FaultCode, Result},
    metadata::{MISC_BYPASS_BUSINESS_LOGIC, MISC_BYPASS_PLUGINS},
    model::{OrganizationRequest, OrganizationResponse, Value},
    pipeline,
};

/// A message of the organization service.
pub trait Operation {
    /// Its name in Execute.
    const NAME: &'static str;

    /// What the check found out and the work needs.
    type Checked;

    /// Asks everything that has to be asked, in order, and changes nothing.
    ///
    /// # Errors
    /// The first refusal.
    fn check(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<Self::Checked>;

    /// Does the work.
    ///
    /// # Errors
    /// Refusals that only the work can find: duplicates, state rules, cascades.
    fn perform(work: &mut Work<'_>, checked: Self::Checked) -> Result<OrganizationResponse>;
}

/// What a message does to the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Reads a record or two: microseconds.
    Glance,
    /// Reads, perhaps a lot.
    Read,
    /// Writes in one transaction.
    Write,
    /// Runs each of its requests in a transaction of its own.
    Batch,
}

/// One row of the table of messages.
pub struct Message {
    /// Its name, case-sensitive.
    pub name: &'static str,
    /// What it does to the store.
    pub effect: Effect,
    run: fn(&mut Work<'_>, &OrganizationRequest) -> Result<OrganizationResponse>,
}

macro_rules! messages {
    ($($effect:ident $operation:path;)*) => {
        &[$(Message {
            name: <$operation as Operation>::NAME,
            effect: Effect::$effect,
            run: pipeline::run::<$operation>,
        },)*]
    };
}

/// Every message that is built.
pub const MESSAGES: &[Message] = messages! {
    Glance retrieve::Retrieve;
    Write create::Create;
    Write update::Update;
    Write upsert::Upsert;
    Write delete::Delete;
    Read retrieve_multiple::RetrieveMultiple;
    Write associate::Associate;
    Write associate::Disassociate;
    Write assign::Assign;
    Write share::GrantAccess;
    Write share::ModifyAccess;
    Write share::RevokeAccess;
    Read access::RetrievePrincipalAccess;
    Read access::RetrieveSharedPrincipalsAndAccess;
    Write set_state::SetState;
    Glance who_am_i::WhoAmI;
    Glance organization_info::RetrieveVersion;
    Glance organization_info::RetrieveCurrentOrganization;
    Batch batch::ExecuteMultiple;
    Write batch::ExecuteTransaction;
    Write teams::AddMembersTeam;
    Write teams::RemoveMembersTeam;
    Write roles::AddPrivilegesRole;
    Write roles::ReplacePrivilegesRole;
    Write roles::RemovePrivilegeRole;
    Read roles::RetrieveRolePrivilegesRole;
    Read roles::RetrieveUserPrivileges;
    Read roles::RetrieveTeamPrivileges;
    Read roles::RetrievePrivilegeSet;
    Write users::SetBusinessSystemUser;
    Write users::SetParentBusinessUnit;
};

/// The message of a name.
///
/// # Errors
/// `NotImplemented` naming it.
pub fn message(name: &str) -> Result<&'static Message> {
    MESSAGES
        .iter()
        .find(|message| message.name == name)
        .ok_or_else(|| not_built(name))
}

/// `NotImplemented` for a message that is unknown or not built yet.
pub fn not_built(name: &str) -> Fault {
    Fault::new(
        FaultCode::NotImplemented,
        format!("message `{name}` is not implemented"),
    )
    .detail("message", name)
}

/// Runs a message in a unit of work: step 5, then the message's own steps.
///
/// # Errors
/// Whatever it refuses.
pub fn run(work: &mut Work<'_>, request: &OrganizationRequest) -> Result<OrganizationResponse> {
    // A user without roles is told so before it is told that a message does not exist (U-8).
    if request.name != who_am_i::WhoAmI::NAME {
        work.principals().require_roles()?;
    }
    let message = message(&request.name)?;
    require_bypass(work, request)?;
    (message.run)(work, request)
}

/// `messages.md` 1.9: leaving out custom logic needs a privilege, also where there is none to leave
/// out.
fn require_bypass(work: &Work<'_>, request: &OrganizationRequest) -> Result<()> {
    let given = |name: &str| {
        let value = request.parameters.get(name);
        value.is_some_and(|value| !matches!(value, Value::Null | Value::Boolean(false)))
    };
    if given("BypassBusinessLogicExecution") || given("BypassBusinessLogicExecutionStepIds") {
        work.require_privilege(Privilege::Misc(MISC_BYPASS_BUSINESS_LOGIC), None)?;
    }
    if given("BypassCustomPluginExecution") {
        work.require_privilege(Privilege::Misc(MISC_BYPASS_PLUGINS), None)?;
    }
    Ok(())
}
