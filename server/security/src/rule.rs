//! The one rule of record access, AC-3 to AC-5.
//!
//! Deciding about a record, filtering the rows of a query and explaining an outcome are the same
//! rule asked of three things: everything a subject was granted for a privilege, the row filter
//! made of it, and one single grant. Each of them only says which *roads* it has ([`Roads`]); the
//! provided methods, which are the rule, exist once.

use crate::record::{Owner, RecordFacts, SharePrincipal};
use crate::table::TableOwnership;
use crate::types::{BusinessUnitId, Right};

/// The roads that lead from a subject, in possession of a privilege, to records.
pub(crate) trait Roads {
    /// AC-3 road 1: to every record.
    fn all(&self) -> bool;

    /// AC-3 road 2: to the records of this owner.
    fn owner(&self, owner: Owner) -> bool;

    /// AC-3 road 3: to the records of this business unit.
    fn unit(&self, unit: BusinessUnitId) -> bool;

    /// AC-3 road 4: to the records shared with this principal.
    fn share(&self, principal: SharePrincipal) -> bool;

    /// AC-3, AC-4, and AC-5 for Create: whether one of the roads leads to the record.
    fn admits(&self, right: Right, facts: &RecordFacts<'_>) -> bool {
        self.by_organization(facts.table.ownership)
            || self.by_ownership(facts)
            || self.by_business_unit(facts)
            || self.by_shares(right, facts)
    }

    /// Road 1, and on organization-owned tables possession itself (AC-4).
    fn by_organization(&self, ownership: TableOwnership) -> bool {
        ownership == TableOwnership::OrganizationOwned || self.all()
    }

    /// Road 2, which exists on user-owned tables only.
    fn by_ownership(&self, facts: &RecordFacts<'_>) -> bool {
        facts.table.ownership == TableOwnership::UserOwned
            && facts.owner.is_some_and(|owner| self.owner(owner))
    }

    /// Road 3, which exists where records have a business unit.
    fn by_business_unit(&self, facts: &RecordFacts<'_>) -> bool {
        matches!(
            facts.table.ownership,
            TableOwnership::UserOwned | TableOwnership::BusinessOwned
        ) && facts.business_unit.is_some_and(|unit| self.unit(unit))
    }

    /// Road 4, which exists on user-owned tables (SH-1) and never for Create (AC-5).
    fn by_shares(&self, right: Right, facts: &RecordFacts<'_>) -> bool {
        facts.shares_matter(right)
            && facts
                .shares
                .iter()
                .any(|share| share.rights.contains(right.flag()) && self.share(share.principal))
    }
}
