//! An explanation as JSON, with the field names and the enum names of the contract.

use orgservice_client::{
    AccessExplanation, AccessGround, AccessRequirement, EntityReference, Fault, PrivilegeDepth,
    PrivilegeMatrix, PrivilegeMatrixRow, RecordScope,
};
use serde_json::{Map, Value, json};

/// The whole answer.
pub fn explanation(explanation: &AccessExplanation) -> Value {
    object([
        ("allowed", Some(explanation.allowed.into())),
        ("fault", explanation.fault.as_ref().map(fault)),
        ("requirements", list(&explanation.requirements, requirement)),
        ("recordScope", explanation.record_scope.as_ref().map(scope)),
        (
            "authenticated",
            explanation.authenticated.as_ref().map(matrix),
        ),
        (
            "impersonated",
            explanation.impersonated.as_ref().map(matrix),
        ),
        ("effective", explanation.effective.as_ref().map(matrix)),
    ])
}

/// An object without the fields that are absent.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// A list, absent if it is empty.
fn list<T>(items: &[T], convert: impl Fn(&T) -> Value) -> Option<Value> {
    (!items.is_empty()).then(|| items.iter().map(convert).collect())
}

/// `PRIVILEGE_DEPTH_BASIC` of `Basic`: enum names of the contract carry the name of the enum.
fn enum_name(prefix: &str, name: impl ToString) -> Value {
    let mut text = prefix.to_owned();
    for c in name.to_string().chars() {
        if c.is_ascii_uppercase() || text.len() == prefix.len() {
            text.push('_');
        }
        text.push(c.to_ascii_uppercase());
    }
    text.into()
}

fn depth(depth: Option<PrivilegeDepth>) -> Option<Value> {
    depth.map(|depth| enum_name("PRIVILEGE_DEPTH", depth))
}

fn fault(fault: &Fault) -> Value {
    object([
        ("errorCode", Some(fault.code.into())),
        ("errorName", Some(fault.name.clone().into())),
        ("message", Some(fault.message.clone().into())),
        ("errorDetails", Some(json!(fault.details))),
    ])
}

fn requirement(requirement: &AccessRequirement) -> Value {
    object([
        ("privilege", Some(requirement.privilege.clone().into())),
        (
            "right",
            requirement
                .right
                .map(|right| enum_name("ACCESS_RIGHT", right)),
        ),
        ("record", requirement.record.as_ref().map(reference)),
        ("granted", Some(requirement.granted.into())),
        (
            "lacking",
            requirement
                .lacking
                .map(|role| enum_name("PRINCIPAL_ROLE", role)),
        ),
        ("depthHeld", depth(requirement.depth_held)),
        ("depthNeeded", depth(requirement.depth_needed)),
        ("grounds", list(&requirement.grounds, ground)),
    ])
}

fn ground(ground: &AccessGround) -> Value {
    object([
        (
            "kind",
            ground
                .kind
                .map(|kind| enum_name("ACCESS_GROUND_KIND", kind)),
        ),
        ("role", ground.role.as_ref().map(reference)),
        ("holder", ground.holder.as_ref().map(reference)),
        ("businessUnit", ground.business_unit.as_ref().map(reference)),
        (
            "sharePrincipal",
            ground.share_principal.as_ref().map(reference),
        ),
    ])
}

fn reference(reference: &EntityReference) -> Value {
    object([
        ("logicalName", Some(reference.logical_name.clone().into())),
        ("id", reference.id.map(|id| id.to_string().into())),
        ("name", reference.name.clone().map(Into::into)),
    ])
}

fn matrix(matrix: &PrivilegeMatrix) -> Value {
    object([
        ("userId", matrix.user_id.map(|id| id.to_string().into())),
        ("rows", list(&matrix.rows, row)),
        (
            "otherPrivileges",
            list(&matrix.other_privileges, |privilege| {
                privilege.clone().into()
            }),
        ),
    ])
}

fn row(row: &PrivilegeMatrixRow) -> Value {
    object([
        ("tableName", Some(row.table_name.clone().into())),
        ("create", depth(row.create)),
        ("read", depth(row.read)),
        ("write", depth(row.write)),
        ("delete", depth(row.delete)),
        ("append", depth(row.append)),
        ("appendTo", depth(row.append_to)),
        ("assign", depth(row.assign)),
        ("share", depth(row.share)),
    ])
}

fn scope(scope: &RecordScope) -> Value {
    object([
        ("all", Some(scope.all.into())),
        ("owners", list(&scope.owners, reference)),
        ("businessUnits", list(&scope.business_units, reference)),
        ("sharedWith", list(&scope.shared_with, reference)),
    ])
}

#[cfg(test)]
mod tests {
    use orgservice::v1;
    use orgservice_client::{AccessGroundKind, AccessRight, PrincipalRole};

    use super::*;

    #[test]
    fn enums_have_the_names_of_the_contract() {
        let name = |value: Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!(
            name(enum_name("ACCESS_RIGHT", AccessRight::AppendTo)),
            v1::AccessRight::AppendTo.as_str_name()
        );
        assert_eq!(
            name(enum_name("PRINCIPAL_ROLE", PrincipalRole::Impersonator)),
            v1::PrincipalRole::Impersonator.as_str_name()
        );
        assert_eq!(
            name(enum_name(
                "ACCESS_GROUND_KIND",
                AccessGroundKind::BusinessUnit
            )),
            v1::AccessGroundKind::BusinessUnit.as_str_name()
        );
        assert_eq!(
            depth(Some(PrivilegeDepth::Global)).map(name).as_deref(),
            Some(v1::PrivilegeDepth::Global.as_str_name())
        );
    }

    #[test]
    fn absent_things_are_left_out() {
        let example = crate::explain::matrix::tests::example("lll-ll--", "llllllll", "lll-ll--");
        let json = explanation(&example);
        assert_eq!(
            json["effective"]["rows"][0]["create"],
            "PRIVILEGE_DEPTH_LOCAL"
        );
        assert!(json["effective"]["rows"][0].get("delete").is_none());
        assert!(json.get("fault").is_none());
    }
}
