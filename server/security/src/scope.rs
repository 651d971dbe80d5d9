//! The same rule as a filter for the rows of a query (AC-6): a plain value that a planner can turn
//! into index ranges and an executor can ask about every row it read.

use crate::business_units::BusinessUnitTree;
use crate::caller::Caller;
use crate::denial::Denial;
use crate::record::{Owner, RecordFacts, SharePrincipal};
use crate::rule::Roads;
use crate::table::{TableFacts, TableOwnership};
use crate::types::{BusinessUnitId, Privilege, Right};

/// Which records of one table a subject reaches with one right. A record is in the scope if any
/// of the parts admits it. All lists are sorted and without duplicates; they are empty when `all`
/// is set, and those that have no meaning for the table's ownership are empty too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordScope {
    /// The right in question: the bit that a share must have.
    pub right: Right,
    /// Every record.
    pub all: bool,
    /// Records of these owners.
    pub owners: Vec<Owner>,
    /// Records of these business units.
    pub business_units: Vec<BusinessUnitId>,
    /// Records of which one of these has a share with the right.
    pub shared_with: Vec<SharePrincipal>,
}

impl Caller<'_> {
    /// The records of `table` that the pair reaches with `right`: both must possess the
    /// privilege, the subject's reach decides (IM-11, AC-6).
    ///
    /// # Errors
    /// [`DenialKind::PrivilegeDenied`](crate::DenialKind::PrivilegeDenied): the query is refused
    /// as a whole.
    pub fn record_scope(
        &self,
        tree: &BusinessUnitTree,
        table: TableFacts,
        right: Right,
    ) -> Result<RecordScope, Denial> {
        let privilege = Privilege::Table(table.code, right);
        self.require(privilege)?;
        let subject = self.subject();
        let Some(reach) = subject.reach(table.code, right) else {
            return Err(self.subject_lacks(privilege));
        };
        let roads = reach.roads(subject, tree);
        let mut scope = RecordScope {
            right,
            all: roads.by_organization(table.ownership),
            owners: Vec::new(),
            business_units: Vec::new(),
            shared_with: Vec::new(),
        };
        if scope.all {
            return Ok(scope);
        }
        match table.ownership {
            TableOwnership::UserOwned => {
                scope.owners = roads.owners();
                scope.business_units = roads.business_units();
                if right != Right::Create {
                    scope.shared_with = roads.shared_with();
                }
            }
            TableOwnership::BusinessOwned => scope.business_units = roads.business_units(),
            TableOwnership::OrganizationOwned | TableOwnership::None => {}
        }
        Ok(scope)
    }
}

impl RecordScope {
    /// Whether the record, shares included, is in the scope: the outcome of
    /// [`Caller::decide`] for the pair the scope was made for.
    #[must_use]
    pub fn admits(&self, facts: &RecordFacts<'_>) -> bool {
        Roads::admits(self, self.right, facts)
    }

    /// Whether owner or business unit, which ride in the indexes, already admit a record; if not,
    /// its shares decide.
    #[must_use]
    pub fn admits_without_shares(
        &self,
        owner: Option<Owner>,
        business_unit: Option<BusinessUnitId>,
    ) -> bool {
        self.all
            || owner.is_some_and(|owner| self.owner(owner))
            || business_unit.is_some_and(|unit| self.unit(unit))
    }

    /// Whether a share with this principal, if it has the right, admits a record.
    #[must_use]
    pub fn admits_share(&self, principal: SharePrincipal) -> bool {
        self.all || self.share(principal)
    }
}

impl Roads for RecordScope {
    fn all(&self) -> bool {
        self.all
    }

    fn owner(&self, owner: Owner) -> bool {
        self.owners.binary_search(&owner).is_ok()
    }

    fn unit(&self, unit: BusinessUnitId) -> bool {
        self.business_units.binary_search(&unit).is_ok()
    }

    fn share(&self, principal: SharePrincipal) -> bool {
        self.shared_with.binary_search(&principal).is_ok()
    }
}
