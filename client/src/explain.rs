//! Explanations: why a call is or would be refused, and how a query was run.

use uuid::Uuid;

use crate::{
    entity::EntityReference,
    error::{ConvertError, Fault},
    security::{AccessGroundKind, AccessRight, PrincipalRole, PrivilegeDepth, open_enum},
    v1, wire,
};

type Converted<T> = Result<T, ConvertError>;

/// Why a call is or would be allowed or refused. Covers privileges and access, not values and plug-ins
/// (GA-2).
#[derive(Clone, Debug, PartialEq)]
pub struct AccessExplanation {
    /// Whether the call would pass.
    pub allowed: bool,
    /// The refusal that it would meet.
    pub fault: Option<Fault>,
    /// What the call needs, in the order of the checks, up to the one that refuses.
    pub requirements: Vec<AccessRequirement>,
    /// Which records a query would see; `None` for other calls.
    pub record_scope: Option<RecordScope>,
    /// Privileges of the authenticated user.
    pub authenticated: Option<PrivilegeMatrix>,
    /// Privileges of the impersonated user; `None` without impersonation.
    pub impersonated: Option<PrivilegeMatrix>,
    /// Privileges that the call has: those that both users possess, at the depths of the impersonated
    /// user (IM-10).
    pub effective: Option<PrivilegeMatrix>,
}

/// One thing that a call needs.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessRequirement {
    /// Name of the privilege, as in `prvReadAccount`.
    pub privilege: String,
    /// The right on the record.
    pub right: Option<AccessRight>,
    /// The record; `None` for a check of the privilege alone.
    pub record: Option<EntityReference>,
    /// Whether it is held.
    pub granted: bool,
    /// Which side lacks it.
    pub lacking: Option<PrincipalRole>,
    /// The highest depth held.
    pub depth_held: Option<PrivilegeDepth>,
    /// The least depth that would do; `None` if any would.
    pub depth_needed: Option<PrivilegeDepth>,
    /// Everything that grants it.
    pub grounds: Vec<AccessGround>,
}

/// One reason why access is granted.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessGround {
    /// The kind of reason.
    pub kind: Option<AccessGroundKind>,
    /// The role of the grant.
    pub role: Option<EntityReference>,
    /// Who holds the role.
    pub holder: Option<EntityReference>,
    /// The business unit that the depth counts from.
    pub business_unit: Option<EntityReference>,
    /// For a share: whom it is given to.
    pub share_principal: Option<EntityReference>,
}

/// The privileges of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivilegeMatrix {
    /// The user.
    pub user_id: Option<Uuid>,
    /// One row for each table.
    pub rows: Vec<PrivilegeMatrixRow>,
    /// Privileges that belong to no table.
    pub other_privileges: Vec<String>,
}

/// The depths that one user holds on one table; `None`: not held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivilegeMatrixRow {
    /// Logical name of the table.
    pub table_name: String,
    /// Depth of Create.
    pub create: Option<PrivilegeDepth>,
    /// Depth of Read.
    pub read: Option<PrivilegeDepth>,
    /// Depth of Write.
    pub write: Option<PrivilegeDepth>,
    /// Depth of Delete.
    pub delete: Option<PrivilegeDepth>,
    /// Depth of Append.
    pub append: Option<PrivilegeDepth>,
    /// Depth of AppendTo.
    pub append_to: Option<PrivilegeDepth>,
    /// Depth of Assign.
    pub assign: Option<PrivilegeDepth>,
    /// Depth of Share.
    pub share: Option<PrivilegeDepth>,
}

/// Which records of a table a user may read: all, or those that match at least one of the lists.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordScope {
    /// All records.
    pub all: bool,
    /// Records owned by one of these.
    pub owners: Vec<EntityReference>,
    /// Records of one of these business units.
    pub business_units: Vec<EntityReference>,
    /// Records shared with one of these.
    pub shared_with: Vec<EntityReference>,
}

fn reference(reference: Option<v1::EntityReference>) -> Converted<Option<EntityReference>> {
    reference
        .map(|reference| wire::reference_from_wire("", reference))
        .transpose()
}

fn references(references: Vec<v1::EntityReference>) -> Converted<Vec<EntityReference>> {
    references
        .into_iter()
        .map(|reference| wire::reference_from_wire("", reference))
        .collect()
}

impl AccessExplanation {
    pub(crate) fn from_wire(answer: v1::ExplainAccessResponse) -> Converted<Self> {
        Ok(Self {
            allowed: answer.allowed,
            fault: answer.fault.map(Fault::from_wire),
            requirements: answer
                .requirements
                .into_iter()
                .map(AccessRequirement::from_wire)
                .collect::<Converted<_>>()?,
            record_scope: answer
                .record_scope
                .map(RecordScope::from_wire)
                .transpose()?,
            authenticated: answer
                .authenticated
                .map(PrivilegeMatrix::from_wire)
                .transpose()?,
            impersonated: answer
                .impersonated
                .map(PrivilegeMatrix::from_wire)
                .transpose()?,
            effective: answer
                .effective
                .map(PrivilegeMatrix::from_wire)
                .transpose()?,
        })
    }
}

impl AccessRequirement {
    fn from_wire(requirement: v1::AccessRequirement) -> Converted<Self> {
        Ok(Self {
            right: AccessRight::from_wire(requirement.right),
            lacking: PrincipalRole::from_wire(requirement.lacking),
            depth_held: PrivilegeDepth::from_wire(requirement.depth_held),
            depth_needed: PrivilegeDepth::from_wire(requirement.depth_needed),
            granted: requirement.granted,
            record: reference(requirement.record)?,
            privilege: requirement.privilege,
            grounds: requirement
                .grounds
                .into_iter()
                .map(AccessGround::from_wire)
                .collect::<Converted<_>>()?,
        })
    }
}

impl AccessGround {
    fn from_wire(ground: v1::AccessGround) -> Converted<Self> {
        Ok(Self {
            kind: AccessGroundKind::from_wire(ground.kind),
            role: reference(ground.role)?,
            holder: reference(ground.holder)?,
            business_unit: reference(ground.business_unit)?,
            share_principal: reference(ground.share_principal)?,
        })
    }
}

impl PrivilegeMatrix {
    fn from_wire(matrix: v1::PrivilegeMatrix) -> Converted<Self> {
        Ok(Self {
            user_id: wire::optional_guid_from_wire("user_id", &matrix.user_id)?,
            rows: matrix
                .rows
                .into_iter()
                .map(PrivilegeMatrixRow::from_wire)
                .collect(),
            other_privileges: matrix.other_privileges,
        })
    }
}

impl PrivilegeMatrixRow {
    fn from_wire(row: v1::PrivilegeMatrixRow) -> Self {
        Self {
            create: PrivilegeDepth::from_wire(row.create),
            read: PrivilegeDepth::from_wire(row.read),
            write: PrivilegeDepth::from_wire(row.write),
            delete: PrivilegeDepth::from_wire(row.delete),
            append: PrivilegeDepth::from_wire(row.append),
            append_to: PrivilegeDepth::from_wire(row.append_to),
            assign: PrivilegeDepth::from_wire(row.assign),
            share: PrivilegeDepth::from_wire(row.share),
            table_name: row.table_name,
        }
    }
}

impl RecordScope {
    fn from_wire(scope: v1::RecordScope) -> Converted<Self> {
        Ok(Self {
            all: scope.all,
            owners: references(scope.owners)?,
            business_units: references(scope.business_units)?,
            shared_with: references(scope.shared_with)?,
        })
    }
}

open_enum! {
    /// How the server found the rows of a query.
    QueryPlanKind from QueryPlanKind {
        /// By the filter, then the caller's scope.
        FilterFirst = "filter first",
        /// By the caller's scope, then the filter.
        ScopeFirst = "scope first",
        /// By reading the whole table.
        TableScan = "table scan",
    }
}

/// How a query was run (GQ-7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryPlan {
    /// The plan as a readable tree.
    pub text: String,
    /// How the rows were found.
    pub plan_kind: Option<QueryPlanKind>,
    /// The index used, if any.
    pub index_name: Option<String>,
    /// Rows expected.
    pub rows_estimated: i64,
    /// Keys read in indexes.
    pub keys_scanned: i64,
    /// Rows read.
    pub rows_read: i64,
    /// Rows returned.
    pub rows_returned: i64,
}

impl QueryPlan {
    pub(crate) fn from_wire(plan: v1::QueryPlan) -> Self {
        Self {
            plan_kind: QueryPlanKind::from_wire(plan.plan_kind),
            text: plan.text,
            index_name: wire::text(plan.index_name),
            rows_estimated: plan.rows_estimated,
            keys_scanned: plan.keys_scanned,
            rows_read: plan.rows_read,
            rows_returned: plan.rows_returned,
        }
    }
}
