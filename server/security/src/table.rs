//! Which privileges a table has, and at which depths: PR-2, exceptions included.

use crate::types::{ObjectTypeCode, PrivilegeDepth, Right};

/// Who can own the records of a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TableOwnership {
    /// A user or a team: access is judged by AC-3, records can be shared and assigned.
    UserOwned,
    /// The organization: possession of the privilege is access (AC-4).
    OrganizationOwned,
    /// A business unit: access is judged by the unit alone (AC-4).
    BusinessOwned,
    /// Nobody: intersection rows and the like, with no privileges of their own.
    None,
}

const EVERY_DEPTH: &[PrivilegeDepth] = &PrivilegeDepth::ALL;
const FROM_LOCAL: &[PrivilegeDepth] = &[
    PrivilegeDepth::Local,
    PrivilegeDepth::Deep,
    PrivilegeDepth::Global,
];
const FROM_DEEP: &[PrivilegeDepth] = &[PrivilegeDepth::Deep, PrivilegeDepth::Global];
const ONLY_GLOBAL: &[PrivilegeDepth] = &[PrivilegeDepth::Global];

impl TableOwnership {
    /// The general line of PR-2: may a role contain this right at this depth on a table of this
    /// ownership? [`TableFacts::allows`] knows the three tables that differ.
    #[must_use]
    pub fn allows(self, right: Right, depth: PrivilegeDepth) -> bool {
        self.depths(right).contains(&depth)
    }

    /// The depths of a right, lowest first; empty where the privilege does not exist (PR-2).
    #[must_use]
    pub const fn depths(self, right: Right) -> &'static [PrivilegeDepth] {
        match (self, right) {
            (Self::UserOwned, _) => EVERY_DEPTH,
            (Self::None, _) | (_, Right::Assign | Right::Share) => &[],
            (Self::OrganizationOwned, _) => ONLY_GLOBAL,
            (Self::BusinessOwned, _) => FROM_LOCAL,
        }
    }
}

/// What a decision has to know of a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TableFacts {
    /// The table's number; the exceptions of PR-2 go by it.
    pub code: ObjectTypeCode,
    /// Who owns its records.
    pub ownership: TableOwnership,
    /// Whether it is one of the security and administration tables whose privileges still count
    /// for a user in the administrative access mode (U-3).
    pub administrative: bool,
}

impl TableFacts {
    /// An ordinary table.
    #[must_use]
    pub const fn new(code: ObjectTypeCode, ownership: TableOwnership) -> Self {
        Self {
            code,
            ownership,
            administrative: false,
        }
    }

    /// An administration table (U-3).
    #[must_use]
    pub const fn administrative(code: ObjectTypeCode, ownership: TableOwnership) -> Self {
        Self {
            code,
            ownership,
            administrative: true,
        }
    }

    /// The depths at which a role may contain this right, lowest first; empty where the
    /// privilege does not exist (PR-2).
    #[must_use]
    pub const fn depths(self, right: Right) -> &'static [PrivilegeDepth] {
        match (self.code, right) {
            (ObjectTypeCode::ORGANIZATION, Right::Read | Right::Write) => ONLY_GLOBAL,
            (ObjectTypeCode::ORGANIZATION, _) => &[],
            (ObjectTypeCode::BUSINESS_UNIT, Right::Create | Right::Delete) => FROM_DEEP,
            (ObjectTypeCode::ROLE, Right::Assign) => FROM_LOCAL,
            _ => self.ownership.depths(right),
        }
    }

    /// Whether a role may contain this right at this depth; if not, the role change is refused
    /// `InvalidPrivilegeDepth` (PR-2).
    #[must_use]
    pub fn allows(self, right: Right, depth: PrivilegeDepth) -> bool {
        self.depths(right).contains(&depth)
    }

    /// The rights for which the table has a privilege, in the order of [`Right::ALL`].
    pub fn privileges(self) -> impl Iterator<Item = Right> {
        Right::ALL
            .into_iter()
            .filter(move |right| !self.depths(*right).is_empty())
    }
}
