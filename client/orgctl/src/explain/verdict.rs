//! Whether a call would pass, as text: each thing that it needs with its grounds, and the refusal in one
//! sentence for each side. Pure.

use std::fmt::Write as _;

use orgservice_client::{
    AccessExplanation, AccessGround, AccessGroundKind, AccessRequirement, EntityReference, Fault,
    PrincipalRole, PrivilegeDepth, PrivilegeMatrix, RecordScope, fault_code,
};

use super::{
    People,
    matrix::{Glyphs, held},
};
use crate::{failure::code_of, output::reference_text};

/// The whole verdict.
pub fn render(explanation: &AccessExplanation, people: &People, glyphs: Glyphs) -> String {
    let mut text = match &explanation.fault {
        _ if explanation.allowed => "allowed\n".to_owned(),
        Some(fault) => format!("refused: {}\n{}\n", code_of(fault), fault.message),
        None => "refused\n".to_owned(),
    };
    if !explanation.requirements.is_empty() {
        text.push('\n');
    }
    let name_width = width(explanation, |requirement| requirement.privilege.len());
    let right_width = width(explanation, |requirement| right_of(requirement).len());
    for (index, requirement) in explanation.requirements.iter().enumerate() {
        // A call may ask for the same thing twice; once is enough to read.
        if explanation.requirements[..index].contains(requirement) {
            continue;
        }
        let mut line = format!(
            "{} {:<name_width$}  {:<right_width$}",
            glyphs.is_met(requirement.granted),
            requirement.privilege,
            right_of(requirement),
        );
        let record = requirement.record.as_ref().map(reference_text);
        for part in record.into_iter().chain(shortfall(requirement)) {
            line.push_str("  ");
            line.push_str(&part);
        }
        let _ = writeln!(text, "{}", line.trim_end());
        for ground in &requirement.grounds {
            let _ = writeln!(text, "    {}", ground_text(ground));
        }
    }
    if let Some(scope) = &explanation.record_scope {
        let _ = writeln!(text, "\nsees {}", scope_text(scope));
    }
    let sentences = sentences(explanation, people);
    if !sentences.is_empty() {
        text.push('\n');
    }
    for sentence in sentences {
        let _ = writeln!(text, "{sentence}");
    }
    text
}

fn width(explanation: &AccessExplanation, length: impl Fn(&AccessRequirement) -> usize) -> usize {
    explanation
        .requirements
        .iter()
        .map(length)
        .max()
        .unwrap_or(0)
}

fn right_of(requirement: &AccessRequirement) -> String {
    requirement
        .right
        .map(|right| right.to_string())
        .unwrap_or_default()
}

/// `held at Basic, Local needed, lacking: impersonated`: of a requirement that is not met.
fn shortfall(requirement: &AccessRequirement) -> Option<String> {
    if requirement.granted {
        return None;
    }
    let mut text = match requirement.depth_held {
        Some(depth) => format!("held at {depth}"),
        None => "not held".to_owned(),
    };
    if let Some(depth) = requirement.depth_needed {
        let _ = write!(text, ", {depth} needed");
    }
    if let Some(role) = requirement.lacking {
        let _ = write!(text, ", lacking: {role}");
    }
    Some(text)
}

fn ground_text(ground: &AccessGround) -> String {
    let mut text = match ground.kind {
        Some(AccessGroundKind::Global) => "organization wide".to_owned(),
        Some(AccessGroundKind::Ownership) => "ownership".to_owned(),
        Some(AccessGroundKind::BusinessUnit) => "business unit".to_owned(),
        Some(AccessGroundKind::Share) => "share".to_owned(),
        Some(AccessGroundKind::Hierarchy) => "hierarchy".to_owned(),
        Some(other) => other.to_string(),
        None => "ground".to_owned(),
    };
    let mut parts = Vec::new();
    let mut part = |what: &str, reference: &Option<EntityReference>| {
        if let Some(reference) = reference {
            parts.push(format!("{what}{}", reference_text(reference)));
        }
    };
    part("", &ground.role);
    part("held by ", &ground.holder);
    part("counted from ", &ground.business_unit);
    part("with ", &ground.share_principal);
    if !parts.is_empty() {
        text.push_str(": ");
        text.push_str(&parts.join(", "));
    }
    text
}

fn scope_text(scope: &RecordScope) -> String {
    if scope.all {
        return "all records".to_owned();
    }
    let mut parts = Vec::new();
    for (what, references) in [
        ("owned by", &scope.owners),
        ("of", &scope.business_units),
        ("shared with", &scope.shared_with),
    ] {
        if !references.is_empty() {
            let references: Vec<_> = references.iter().map(reference_text).collect();
            parts.push(format!("{what} {}", references.join(", ")));
        }
    }
    if parts.is_empty() {
        "no records".to_owned()
    } else {
        format!("records {}", parts.join("; or "))
    }
}

/// What was refused to whom.
struct Refusal<'a> {
    privilege: &'a str,
    lacking: PrincipalRole,
    /// The privilege is held, but does not reach the record.
    is_out_of_reach: bool,
    requirement: Option<&'a AccessRequirement>,
}

impl<'a> Refusal<'a> {
    fn of(explanation: &'a AccessExplanation) -> Option<Self> {
        let fault = explanation.fault.as_ref();
        let requirement = explanation
            .requirements
            .iter()
            .find(|requirement| !requirement.granted);
        Some(Self {
            privilege: requirement
                .map(|requirement| requirement.privilege.as_str())
                .or_else(|| fault.and_then(|fault: &Fault| fault.privilege.as_deref()))?,
            lacking: requirement
                .and_then(|requirement| requirement.lacking)
                .or_else(|| fault.and_then(|fault| fault.side))?,
            is_out_of_reach: fault.is_some_and(|fault| fault.code == fault_code::ACCESS_DENIED),
            requirement,
        })
    }

    /// `holds prvReadAccount at Local`, `possesses prvX`, or `lacks prvX`, as the matrix says it.
    fn holding(&self, matrix: Option<&PrivilegeMatrix>) -> Holding {
        let is_other = matrix.is_some_and(|matrix| {
            matrix
                .other_privileges
                .iter()
                .any(|privilege| privilege == self.privilege)
        });
        if is_other {
            return Holding::Possessed;
        }
        let right = self.requirement.and_then(|requirement| requirement.right);
        let table = self
            .requirement
            .and_then(|requirement| requirement.record.as_ref())
            .map(|record| record.logical_name.as_str())
            .or_else(|| match matrix.map(|matrix| matrix.rows.as_slice()) {
                Some([row]) => Some(row.table_name.as_str()),
                _ => None,
            });
        match (right, table) {
            (Some(right), Some(table)) => match held(matrix, table, &right.to_string()) {
                Some(Some(depth)) => Holding::At(depth),
                Some(None) => Holding::Lacking,
                None => Holding::Unknown,
            },
            _ => Holding::Unknown,
        }
    }
}

enum Holding {
    At(PrivilegeDepth),
    Possessed,
    Lacking,
    Unknown,
}

fn sentences(explanation: &AccessExplanation, people: &People) -> Vec<String> {
    let Some(refusal) = Refusal::of(explanation).filter(|_| !explanation.allowed) else {
        return Vec::new();
    };
    let privilege = refusal.privilege;
    let a = &people.authenticated;
    let lacks = |name: &str| format!("{name} lacks {privilege}");
    let Some(b) = &people.impersonated else {
        return vec![match refusal.lacking {
            PrincipalRole::Owner => format!("the owner to be lacks {privilege}"),
            PrincipalRole::Receiver => format!("the receiver lacks {privilege}"),
            _ if refusal.is_out_of_reach => out_of_reach(a, &refusal),
            _ => lacks(a),
        }];
    };
    let useless = |name: &str, holding: Holding| match holding {
        Holding::At(depth) => {
            format!(
                "{name} holds {privilege} at {depth}, which does not help: both must possess it"
            )
        }
        Holding::Possessed => {
            format!("{name} possesses {privilege}, which does not help: both must possess it")
        }
        Holding::Lacking => format!("{name} lacks {privilege}, too"),
        Holding::Unknown => format!("{name} was not asked for it: both must possess it"),
    };
    let (of_a, of_b) = match refusal.lacking {
        PrincipalRole::Impersonator | PrincipalRole::Caller => (
            format!(
                "{}: acting for somebody else, a user gains no privilege",
                lacks(a)
            ),
            if privilege == "prvActOnBehalfOfAnotherUser" {
                format!("{b} was not looked at: who may act for others is asked first")
            } else {
                useless(b, refusal.holding(explanation.impersonated.as_ref()))
            },
        ),
        PrincipalRole::Impersonated if refusal.is_out_of_reach => (
            format!("{a} possesses {privilege}; how far it reaches for A does not count"),
            out_of_reach(b, &refusal),
        ),
        PrincipalRole::Impersonated => (
            useless(a, refusal.holding(explanation.authenticated.as_ref())),
            lacks(b),
        ),
        PrincipalRole::Owner => return vec![format!("the owner to be lacks {privilege}")],
        PrincipalRole::Receiver => return vec![format!("the receiver lacks {privilege}")],
        _ => return Vec::new(),
    };
    vec![format!("A  {of_a}"), format!("B  {of_b}")]
}

fn out_of_reach(name: &str, refusal: &Refusal<'_>) -> String {
    let requirement = refusal.requirement;
    let held = requirement
        .and_then(|requirement| requirement.depth_held)
        .map(|depth| format!(" at {depth}"))
        .unwrap_or_default();
    let record = requirement
        .and_then(|requirement| requirement.record.as_ref())
        .map_or_else(|| "the record".to_owned(), reference_text);
    let needed = requirement
        .and_then(|requirement| requirement.depth_needed)
        .map(|depth| format!(": {depth} is needed, or a share"))
        .unwrap_or_default();
    format!(
        "{name} holds {}{held}, which does not reach {record}{needed}",
        refusal.privilege
    )
}

#[cfg(test)]
mod tests {
    use orgservice_client::{AccessRight, Uuid};

    use super::*;
    use crate::explain::matrix::tests::{example, people};

    fn account() -> EntityReference {
        let mut account = EntityReference::new("account", Uuid::from_u128(1));
        account.name = Some("Alfreds Futterkiste".to_owned());
        account
    }

    fn named(table: &str, name: &str) -> Option<EntityReference> {
        let mut reference = EntityReference::new(table, Uuid::from_u128(2));
        reference.name = Some(name.to_owned());
        Some(reference)
    }

    fn requirement(privilege: &str, right: AccessRight) -> AccessRequirement {
        AccessRequirement {
            privilege: privilege.to_owned(),
            right: Some(right),
            record: Some(account()),
            granted: true,
            lacking: None,
            depth_held: Some(PrivilegeDepth::Local),
            depth_needed: None,
            grounds: Vec::new(),
        }
    }

    fn fault(code: i32, name: &str, message: &str) -> Option<Fault> {
        let mut fault = Fault::default();
        fault.code = code;
        name.clone_into(&mut fault.name);
        message.clone_into(&mut fault.message);
        Some(fault)
    }

    #[test]
    fn example_1_names_the_impersonator() {
        let mut explanation = example("lll-ll--", "llllllll", "lll-ll--");
        explanation.allowed = false;
        explanation.fault = fault(
            fault_code::PRIVILEGE_DENIED,
            "PrivilegeDenied",
            "the impersonator lacks prvDeleteAccount",
        );
        explanation.requirements = vec![AccessRequirement {
            granted: false,
            lacking: Some(PrincipalRole::Impersonator),
            depth_held: None,
            ..requirement("prvDeleteAccount", AccessRight::Delete)
        }];
        insta::assert_snapshot!(render(&explanation, &people(), Glyphs::new(false)), @r#"
        refused: PrivilegeDenied 0x80040220
        the impersonator lacks prvDeleteAccount

        ✗ prvDeleteAccount  Delete  account "Alfreds Futterkiste"  not held, lacking: impersonator

        A  Northwind Integration lacks prvDeleteAccount: acting for somebody else, a user gains no privilege
        B  Nancy Davolio holds prvDeleteAccount at Local, which does not help: both must possess it
        "#);
    }

    #[test]
    fn example_3_is_out_of_the_reach_of_the_impersonated_user() {
        let mut explanation = example("ooo-oo--", "llllllll", "lll-ll--");
        explanation.allowed = false;
        explanation.fault = fault(
            fault_code::ACCESS_DENIED,
            "unManagedIdsAccessDenied",
            "the record is out of reach",
        );
        explanation.requirements = vec![
            AccessRequirement {
                grounds: vec![AccessGround {
                    kind: Some(AccessGroundKind::BusinessUnit),
                    role: named("role", "Salesperson"),
                    holder: named("systemuser", "Nancy Davolio"),
                    business_unit: named("businessunit", "Eastern"),
                    share_principal: None,
                }],
                ..requirement("prvReadAccount", AccessRight::Read)
            },
            AccessRequirement {
                granted: false,
                lacking: Some(PrincipalRole::Impersonated),
                depth_needed: Some(PrivilegeDepth::Global),
                ..requirement("prvWriteAccount", AccessRight::Write)
            },
        ];
        insta::assert_snapshot!(render(&explanation, &people(), Glyphs::new(true)), @r#"
        refused: unManagedIdsAccessDenied 0x80048306
        the record is out of reach

        + prvReadAccount   Read   account "Alfreds Futterkiste"
            business unit: role "Salesperson", held by systemuser "Nancy Davolio", counted from businessunit "Eastern"
        x prvWriteAccount  Write  account "Alfreds Futterkiste"  held at Local, Global needed, lacking: impersonated

        A  Northwind Integration possesses prvWriteAccount; how far it reaches for A does not count
        B  Nancy Davolio holds prvWriteAccount at Local, which does not reach account "Alfreds Futterkiste": Global is needed, or a share
        "#);
    }

    #[test]
    fn what_is_allowed_has_grounds() {
        let mut explanation = example("lll-ll--", "llllllll", "lll-ll--");
        explanation.requirements = vec![AccessRequirement {
            grounds: vec![AccessGround {
                kind: Some(AccessGroundKind::Share),
                role: None,
                holder: None,
                business_unit: None,
                share_principal: named("team", "Boston"),
            }],
            ..requirement("prvReadAccount", AccessRight::Read)
        }];
        // Asked for twice, as sharing the right to read does.
        explanation
            .requirements
            .push(explanation.requirements[0].clone());
        insta::assert_snapshot!(render(&explanation, &people(), Glyphs::new(false)), @r#"
        allowed

        ✓ prvReadAccount  Read  account "Alfreds Futterkiste"
            share: with team "Boston"
        "#);
    }

    #[test]
    fn queries_have_a_scope() {
        let mut scope = RecordScope {
            all: false,
            owners: named("systemuser", "Nancy Davolio").into_iter().collect(),
            business_units: named("businessunit", "Eastern").into_iter().collect(),
            shared_with: Vec::new(),
        };
        assert_eq!(
            scope_text(&scope),
            "records owned by systemuser \"Nancy Davolio\"; or of businessunit \"Eastern\""
        );
        scope.all = true;
        assert_eq!(scope_text(&scope), "all records");
    }

    #[test]
    fn each_side_has_its_sentence() {
        let mut explanation = example("---o----", "oooooooo", "---o----");
        explanation.allowed = false;
        explanation.fault = fault(fault_code::PRIVILEGE_DENIED, "PrivilegeDenied", "no");
        let lacking = |role, privilege: &str, right| AccessRequirement {
            granted: false,
            lacking: Some(role),
            depth_held: None,
            ..requirement(privilege, right)
        };
        explanation.requirements = vec![lacking(
            PrincipalRole::Impersonated,
            "prvDeleteAccount",
            AccessRight::Delete,
        )];
        assert_eq!(
            sentences(&explanation, &people()),
            [
                "A  Northwind Integration holds prvDeleteAccount at Global, which does not help: both \
                 must possess it",
                "B  Nancy Davolio lacks prvDeleteAccount",
            ]
        );
        let alone = People {
            authenticated: "Nancy Davolio".to_owned(),
            impersonated: None,
        };
        explanation.requirements = vec![lacking(
            PrincipalRole::Caller,
            "prvReadAccount",
            AccessRight::Read,
        )];
        assert_eq!(
            sentences(&explanation, &alone),
            ["Nancy Davolio lacks prvReadAccount"]
        );
    }
}
