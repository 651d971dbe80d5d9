//! Why a decision fell as it did, for those who may ask (§10), and the privilege matrices.

use crate::business_units::BusinessUnitTree;
use crate::caller::Caller;
use crate::denial::PrincipalRole;
use crate::principal::Principal;
use crate::reach::Reach;
use crate::record::{Owner, RecordFacts, SharePrincipal};
use crate::rule::Roads;
use crate::table::TableFacts;
use crate::types::{
    BusinessUnitId, MiscPrivilege, ObjectTypeCode, Privilege, PrivilegeDepth, Right, RoleId,
};

/// One decision, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The outcome, equal to [`Caller::decide`].
    pub granted: bool,
    /// Who is in the way: the one that lacks the privilege, else the subject that does not reach
    /// the record; `None` if granted.
    pub lacking: Option<PrincipalRole>,
    /// The subject's highest depth for the privilege.
    pub depth_held: Option<PrivilegeDepth>,
    /// The lowest depth that, set in the subject's roles, would have reached the record, if they
    /// do not.
    pub depth_needed: Option<PrivilegeDepth>,
    /// Everything that admits the subject to the record. Not empty with `granted` false means
    /// that the impersonator lacks the privilege.
    pub grounds: Vec<Ground>,
}

/// The road of AC-3 or AC-4 that a ground stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GroundKind {
    /// A Global grant; on organization-owned tables any grant.
    Global,
    /// The subject, or a team of it, owns the record, and the grant's holder makes that count.
    Ownership,
    /// A Local or Deep grant and the record's business unit.
    BusinessUnit,
    /// A share.
    Share,
    /// The manager or position hierarchy, for servers that have it switched on.
    Hierarchy,
}

/// One reason for which the subject reaches the record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ground {
    /// The road.
    pub kind: GroundKind,
    /// The role of the grant; `None` for a share and for SYSTEM, which needs no role.
    pub role: Option<RoleId>,
    /// Who holds the grant.
    pub holder: Option<Owner>,
    /// The business unit the grant counts from.
    pub business_unit: Option<BusinessUnitId>,
    /// Whom the record is shared with.
    pub share_principal: Option<SharePrincipal>,
}

impl Caller<'_> {
    /// Explains [`Self::decide`] for one right on one record.
    #[must_use]
    pub fn explain(
        &self,
        tree: &BusinessUnitTree,
        right: Right,
        facts: &RecordFacts<'_>,
    ) -> Explanation {
        let denial = self.decide(tree, right, facts).err();
        let privilege = Privilege::Table(facts.table.code, right);
        Explanation {
            granted: denial.is_none(),
            lacking: denial.map(|denial| denial.side),
            depth_held: self.subject().depth(privilege),
            depth_needed: denial.and_then(|denial| denial.depth_needed),
            grounds: grounds(self.subject(), tree, right, facts),
        }
    }
}

/// Asks the rule about every grant by itself.
fn grounds(
    subject: &Principal,
    tree: &BusinessUnitTree,
    right: Right,
    facts: &RecordFacts<'_>,
) -> Vec<Ground> {
    let Some(whole) = subject.reach(facts.table.code, right) else {
        return Vec::new();
    };
    let whole = whole.roads(subject, tree);
    let mut grounds = Vec::new();
    if subject.possesses_everything() {
        grounds.push(Ground {
            kind: GroundKind::Global,
            role: None,
            holder: Some(subject.owner()),
            business_unit: None,
            share_principal: None,
        });
    }
    for grant in subject.grants(Privilege::Table(facts.table.code, right)) {
        let reach = Reach::of(std::iter::once(grant.part(subject.owner())));
        let roads = reach.roads(subject, tree);
        let kinds = [
            (
                GroundKind::Global,
                roads.by_organization(facts.table.ownership),
            ),
            (GroundKind::Ownership, roads.by_ownership(facts)),
            (GroundKind::BusinessUnit, roads.by_business_unit(facts)),
        ];
        grounds.extend(
            kinds
                .into_iter()
                .filter(|(_, admits)| *admits)
                .map(|(kind, _)| Ground {
                    kind,
                    role: Some(grant.role),
                    holder: Some(grant.holder),
                    business_unit: Some(grant.anchor),
                    share_principal: None,
                }),
        );
    }
    grounds.extend(
        facts
            .shares
            .iter()
            .filter(|share| whole.by_shares(right, &facts.with_shares(std::slice::from_ref(share))))
            .map(|share| Ground {
                kind: GroundKind::Share,
                role: None,
                holder: None,
                business_unit: None,
                share_principal: Some(share.principal),
            }),
    );
    grounds
}

/// What somebody possesses, table by table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrivilegeMatrix {
    /// Per table the highest depth of each right, in the order of [`Right::ALL`].
    pub rows: Vec<(ObjectTypeCode, [Option<PrivilegeDepth>; Right::ALL.len()])>,
    /// Possessed privileges that belong to no table, sorted.
    pub other: Vec<MiscPrivilege>,
}

impl PrivilegeMatrix {
    /// The matrix of one principal.
    #[must_use]
    pub fn of(principal: &Principal, tables: impl IntoIterator<Item = TableFacts>) -> Self {
        Self::effective(&Caller::direct(principal), tables)
    }

    /// The matrix of a pair: the depths of the subject for what both possess (IM-10).
    #[must_use]
    pub fn effective(caller: &Caller<'_>, tables: impl IntoIterator<Item = TableFacts>) -> Self {
        let rows = tables.into_iter().map(|table| {
            let mut row = [None; Right::ALL.len()];
            for right in table.privileges() {
                row[right.index()] = caller.depth(Privilege::Table(table.code, right));
            }
            (table.code, row)
        });
        // Of both, because the list of SYSTEM, who has everything, is empty.
        let both = caller.authenticated().into_iter().chain([caller.subject()]);
        let listed = both
            .flat_map(Principal::privileges)
            .filter_map(|(privilege, _)| {
                let Privilege::Misc(misc) = privilege else {
                    return None;
                };
                caller.possesses(privilege).then_some(misc)
            });
        let mut other: Vec<_> = listed.collect();
        other.sort_unstable();
        other.dedup();
        Self {
            rows: rows.collect(),
            other,
        }
    }
}
