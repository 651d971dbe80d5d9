//! The question and the answer of ExplainAccess (`grpc.md` 3.5).

use orgservice_security::{GroundKind, PrincipalRole, PrivilegeDepth, Right};
use uuid::Uuid;

use super::{EntityReference, OrganizationRequest};
use crate::fault::Fault;

/// Whom the question is about, and which call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExplainAccess {
    /// A; `None` means the real caller of this question.
    pub authenticated_user: Option<Uuid>,
    /// B; `None` means nobody, or with A absent too the user this question is sent for.
    pub impersonated_user: Option<Uuid>,
    /// The call to explain; it is not run. `None` asks for the matrices only.
    pub request: Option<OrganizationRequest>,
    /// Tables of the matrices; empty means those of the call, else all.
    pub tables: Vec<String>,
}

/// Why a call is or would be refused, and the privileges of both users.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessExplanation {
    /// Whether the call would pass steps 1 to 11 of `security.md` 12.
    pub allowed: bool,
    /// The refusal it would meet.
    pub fault: Option<Fault>,
    /// What was asked, in the order it was asked.
    pub requirements: Vec<AccessRequirement>,
    /// Which rows a RetrieveMultiple would see.
    pub record_scope: Option<ScopeDescription>,
    /// The privileges of A.
    pub authenticated: Option<PrivilegeMatrix>,
    /// The privileges of B.
    pub impersonated: Option<PrivilegeMatrix>,
    /// What B's depths leave of what both possess (IM-10).
    pub effective: Option<PrivilegeMatrix>,
}

/// One thing that a call needs.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessRequirement {
    /// Name of the privilege (`prvReadAccount`).
    pub privilege: String,
    /// The right it stands for on a table; `None` for privileges of no table.
    pub right: Option<Right>,
    /// The record, where the requirement is about one.
    pub record: Option<EntityReference>,
    /// Whether it is met.
    pub granted: bool,
    /// Who lacks it.
    pub lacking: Option<PrincipalRole>,
    /// The highest depth the subject holds.
    pub depth_held: Option<PrivilegeDepth>,
    /// The smallest depth that would have reached the record.
    pub depth_needed: Option<PrivilegeDepth>,
    /// What admits the subject.
    pub grounds: Vec<AccessGround>,
}

/// One reason why a record is in reach.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessGround {
    /// Which kind (AC-3, AC-4).
    pub kind: GroundKind,
    /// The role that grants it.
    pub role: Option<EntityReference>,
    /// The user or team that holds the role.
    pub holder: Option<EntityReference>,
    /// The business unit the grant counts from.
    pub business_unit: Option<EntityReference>,
    /// To whom the record is shared.
    pub share_principal: Option<EntityReference>,
}

/// The rows a query would see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScopeDescription {
    /// Every row.
    pub all: bool,
    /// Rows of these owners.
    pub owners: Vec<EntityReference>,
    /// Rows of these business units.
    pub business_units: Vec<EntityReference>,
    /// Rows shared with these.
    pub shared_with: Vec<EntityReference>,
}

/// The privileges of one user, or of a pair, by table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrivilegeMatrix {
    /// Whose they are; for the effective matrix the subject.
    pub user: Uuid,
    /// Table name and the highest depth of each right, in the order of [`Right::ALL`].
    pub rows: Vec<(String, [Option<PrivilegeDepth>; 8])>,
    /// Names of possessed privileges that belong to no table.
    pub other: Vec<String>,
}
