//! ExplainAccess: whom and what is asked about, and the answer (`grpc.md` 3.5).

use orgservice::v1;
use orgservice_security::{GroundKind, PrincipalRole, PrivilegeDepth, Right};

use super::{
    Depth, Read, Within, Writer, message::read_request, scalar::read_optional_guid,
    scalar::write_guid, value::RIGHTS,
};
use crate::model::{
    AccessExplanation, AccessGround, AccessRequirement, ExplainAccess, PrivilegeMatrix,
    ScopeDescription,
};

/// Reads the question. Its ids say whom it is about, never who asks (GM-5).
pub(in crate::transport) fn read_question(wire: v1::ExplainAccessRequest) -> Read<ExplainAccess> {
    Ok(ExplainAccess {
        authenticated_user: read_optional_guid(&wire.authenticated_user_id)
            .within("authenticated_user_id")?,
        impersonated_user: read_optional_guid(&wire.impersonated_user_id)
            .within("impersonated_user_id")?,
        request: wire
            .request
            .map(|request| read_request(request, Depth::full()))
            .transpose()
            .within("request")?,
        tables: wire.table_names,
    })
}

/// Writes the answer.
pub(in crate::transport) fn write_explanation(
    explanation: AccessExplanation,
    writer: Writer,
) -> v1::ExplainAccessResponse {
    v1::ExplainAccessResponse {
        allowed: explanation.allowed,
        fault: explanation.fault.as_ref().map(|fault| writer.fault(fault)),
        requirements: explanation
            .requirements
            .into_iter()
            .map(|requirement| writer.requirement(requirement))
            .collect(),
        record_scope: explanation.record_scope.map(|scope| writer.scope(scope)),
        authenticated: explanation.authenticated.map(write_matrix),
        impersonated: explanation.impersonated.map(write_matrix),
        effective: explanation.effective.map(write_matrix),
    }
}

impl Writer {
    fn requirement(self, requirement: AccessRequirement) -> v1::AccessRequirement {
        v1::AccessRequirement {
            privilege: requirement.privilege,
            right: write_right(requirement.right).into(),
            record: requirement.record.map(|record| self.reference(record)),
            granted: requirement.granted,
            lacking: write_role(requirement.lacking).into(),
            depth_held: write_depth(requirement.depth_held).into(),
            depth_needed: write_depth(requirement.depth_needed).into(),
            grounds: requirement
                .grounds
                .into_iter()
                .map(|ground| self.ground(ground))
                .collect(),
        }
    }

    fn ground(self, ground: AccessGround) -> v1::AccessGround {
        let kind = match ground.kind {
            GroundKind::Global => v1::AccessGroundKind::Global,
            GroundKind::Ownership => v1::AccessGroundKind::Ownership,
            GroundKind::BusinessUnit => v1::AccessGroundKind::BusinessUnit,
            GroundKind::Share => v1::AccessGroundKind::Share,
            GroundKind::Hierarchy => v1::AccessGroundKind::Hierarchy,
        };
        v1::AccessGround {
            kind: kind.into(),
            role: ground.role.map(|role| self.reference(role)),
            holder: ground.holder.map(|holder| self.reference(holder)),
            business_unit: ground.business_unit.map(|unit| self.reference(unit)),
            share_principal: ground
                .share_principal
                .map(|principal| self.reference(principal)),
        }
    }

    fn scope(self, scope: ScopeDescription) -> v1::RecordScope {
        v1::RecordScope {
            all: scope.all,
            owners: self.references(scope.owners),
            business_units: self.references(scope.business_units),
            shared_with: self.references(scope.shared_with),
        }
    }
}

fn write_matrix(matrix: PrivilegeMatrix) -> v1::PrivilegeMatrix {
    v1::PrivilegeMatrix {
        user_id: write_guid(matrix.user),
        rows: matrix
            .rows
            .into_iter()
            .map(|(table_name, depths)| {
                let depths = depths.map(|depth| i32::from(write_depth(depth)));
                // The order of `Right::ALL`.
                let [
                    create,
                    read,
                    write,
                    delete,
                    append,
                    append_to,
                    assign,
                    share,
                ] = depths;
                v1::PrivilegeMatrixRow {
                    table_name,
                    create,
                    read,
                    write,
                    delete,
                    append,
                    append_to,
                    assign,
                    share,
                }
            })
            .collect(),
        other_privileges: matrix.other,
    }
}

fn write_right(right: Option<Right>) -> v1::AccessRight {
    right
        .and_then(|right| RIGHTS.iter().find(|(_, flag)| *flag == right.flag()))
        .map_or(v1::AccessRight::Unspecified, |(wire, _)| *wire)
}

fn write_role(role: Option<PrincipalRole>) -> v1::PrincipalRole {
    match role {
        None => v1::PrincipalRole::Unspecified,
        Some(PrincipalRole::Caller) => v1::PrincipalRole::Caller,
        Some(PrincipalRole::Impersonator) => v1::PrincipalRole::Impersonator,
        Some(PrincipalRole::Impersonated) => v1::PrincipalRole::Impersonated,
        Some(PrincipalRole::Owner) => v1::PrincipalRole::Owner,
        Some(PrincipalRole::Receiver) => v1::PrincipalRole::Receiver,
    }
}

fn write_depth(depth: Option<PrivilegeDepth>) -> v1::PrivilegeDepth {
    match depth {
        None => v1::PrivilegeDepth::Unspecified,
        Some(PrivilegeDepth::Basic) => v1::PrivilegeDepth::Basic,
        Some(PrivilegeDepth::Local) => v1::PrivilegeDepth::Local,
        Some(PrivilegeDepth::Deep) => v1::PrivilegeDepth::Deep,
        Some(PrivilegeDepth::Global) => v1::PrivilegeDepth::Global,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wire names eight columns, the domain has an array: their order must be the same.
    #[test]
    fn columns_of_the_matrix_are_in_the_order_of_the_rights() {
        let expected = [
            (Right::Create, v1::AccessRight::Create),
            (Right::Read, v1::AccessRight::Read),
            (Right::Write, v1::AccessRight::Write),
            (Right::Delete, v1::AccessRight::Delete),
            (Right::Append, v1::AccessRight::Append),
            (Right::AppendTo, v1::AccessRight::AppendTo),
            (Right::Assign, v1::AccessRight::Assign),
            (Right::Share, v1::AccessRight::Share),
        ];
        assert_eq!(Right::ALL, expected.map(|(right, _)| right));
        for (right, wire) in expected {
            assert_eq!(write_right(Some(right)), wire);
        }
    }
}
