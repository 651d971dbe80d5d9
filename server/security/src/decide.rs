//! The decision about one record: possession first, then access (AC-2).

use crate::business_units::BusinessUnitTree;
use crate::caller::Caller;
use crate::denial::{Denial, DenialKind};
use crate::principal::Principal;
use crate::record::{RecordFacts, Share};
use crate::rule::Roads;
use crate::types::{AccessRights, Privilege, Right};

impl Caller<'_> {
    /// Decides about one right on one record: the privilege of both users, then the subject's
    /// access (IM-11). For [`Right::Create`] the facts are those of the record to be (AC-5).
    ///
    /// # Errors
    /// [`DenialKind::PrivilegeDenied`] if A or S lacks the privilege, [`DenialKind::AccessDenied`]
    /// if S does not reach the record.
    pub fn decide(
        &self,
        tree: &BusinessUnitTree,
        right: Right,
        facts: &RecordFacts<'_>,
    ) -> Result<(), Denial> {
        self.require(Privilege::Table(facts.table.code, right))?;
        self.access(tree, right, facts)
    }

    /// Decides about several rights on one record: every privilege first, then every access, in
    /// the order given (steps 8 and 10 of §12).
    ///
    /// # Errors
    /// As [`Self::decide`], for the first right refused.
    pub fn decide_all(
        &self,
        tree: &BusinessUnitTree,
        rights: &[Right],
        facts: &RecordFacts<'_>,
    ) -> Result<(), Denial> {
        self.require_rights(facts.table.code, rights)?;
        rights
            .iter()
            .try_for_each(|right| self.access(tree, *right, facts))
    }

    /// Step 10 of §12 alone: whether the subject reaches the record (AC-3 to AC-5). The
    /// authenticated user plays no part in it (IM-12), so it comes after [`Self::require`].
    ///
    /// # Errors
    /// [`DenialKind::AccessDenied`]; [`DenialKind::PrivilegeDenied`] if the subject does not even
    /// possess the privilege.
    pub fn access(
        &self,
        tree: &BusinessUnitTree,
        right: Right,
        facts: &RecordFacts<'_>,
    ) -> Result<(), Denial> {
        let subject = self.subject();
        let Some(reach) = subject.reach(facts.table.code, right) else {
            return Err(self.subject_lacks(Privilege::Table(facts.table.code, right)));
        };
        if reach.roads(subject, tree).admits(right, facts) {
            return Ok(());
        }
        Err(self.out_of_reach(tree, right, facts))
    }

    /// [`Self::access`] for several rights, reading the record's shares only if ownership and
    /// depth do not suffice: most decisions never need them. `load` is called at most once.
    ///
    /// # Errors
    /// As [`Self::access`], for the first right refused, and whatever `load` reports.
    pub fn access_loading_shares<S, E>(
        &self,
        tree: &BusinessUnitTree,
        rights: &[Right],
        facts: &RecordFacts<'_>,
        load: impl FnOnce() -> Result<S, E>,
    ) -> Result<(), E>
    where
        S: AsRef<[Share]>,
        E: From<Denial>,
    {
        let refused = rights.iter().enumerate().find_map(|(index, right)| {
            let denial = self.access(tree, *right, facts).err()?;
            Some((&rights[index..], denial))
        });
        let Some((undecided, denial)) = refused else {
            return Ok(());
        };
        if denial.kind != DenialKind::AccessDenied || !facts.shares_matter(undecided[0]) {
            return Err(denial.into());
        }
        let shares = load()?;
        let facts = facts.with_shares(shares.as_ref());
        undecided
            .iter()
            .try_for_each(|right| self.access(tree, *right, &facts))?;
        Ok(())
    }

    #[cold]
    fn out_of_reach(
        &self,
        tree: &BusinessUnitTree,
        right: Right,
        facts: &RecordFacts<'_>,
    ) -> Denial {
        let subject = self.subject();
        let table = facts.table;
        let needed = subject.reach(table.code, right).and_then(|reach| {
            let enough = reach
                .roads(subject, tree)
                .depth_to_reach(facts.business_unit);
            table
                .depths(right)
                .iter()
                .copied()
                .find(|depth| *depth >= enough)
        });
        let privilege = Privilege::Table(table.code, right);
        Denial {
            kind: DenialKind::AccessDenied,
            record: facts.id,
            depth_held: subject.depth(privilege),
            depth_needed: needed,
            ..self.subject_lacks(privilege)
        }
    }
}

/// All rights that a principal has on a record by ownership, roles and shares together, Create
/// included where it might create one with this owner (SH-7). Evaluated for the principal alone,
/// never intersected (IM-16).
#[must_use]
pub fn access_rights(
    principal: &Principal,
    tree: &BusinessUnitTree,
    facts: &RecordFacts<'_>,
) -> AccessRights {
    let reached = facts.table.privileges().filter(|right| {
        principal
            .reach(facts.table.code, *right)
            .is_some_and(|reach| reach.roads(principal, tree).admits(*right, facts))
    });
    reached.map(Right::flag).collect()
}
