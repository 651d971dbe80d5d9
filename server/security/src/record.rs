//! What a decision has to know of one record.

use std::fmt;

use uuid::Uuid;

use crate::table::{TableFacts, TableOwnership};
use crate::types::{AccessRights, BusinessUnitId, Right, TeamId, UserId};

/// Who owns a record, and who holds a role: a user or a team (OW-1, AC-0).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Owner {
    /// `owninguser`.
    User(UserId),
    /// `owningteam`.
    Team(TeamId),
}

impl Owner {
    /// The id without its kind.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::User(UserId(id)) | Self::Team(TeamId(id)) => id,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Team(id) => write!(f, "team {id}"),
        }
    }
}

/// Whom a record is shared with (SH-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SharePrincipal {
    /// One user.
    User(UserId),
    /// A team of any kind, and with it every member (SH-6).
    Team(TeamId),
    /// Everybody.
    Organization,
}

impl From<Owner> for SharePrincipal {
    fn from(owner: Owner) -> Self {
        match owner {
            Owner::User(id) => Self::User(id),
            Owner::Team(id) => Self::Team(id),
        }
    }
}

/// One `principalobjectaccess` row of a record (SH-2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Share {
    /// Whom it is given to.
    pub principal: SharePrincipal,
    /// `accessrightsmask | inheritedaccessrightsmask`.
    pub rights: AccessRights,
}

/// The facts of one record, stored or prospective (AC-5).
#[derive(Clone, Copy, Debug)]
pub struct RecordFacts<'a> {
    /// Its table.
    pub table: TableFacts,
    /// Its id, named in a denial; `None` if it has none yet.
    pub id: Option<Uuid>,
    /// `ownerid`, on user-owned tables.
    pub owner: Option<Owner>,
    /// `owningbusinessunit` on user-owned tables, `businessunitid` on business-owned ones, and
    /// the own id of a business unit (OW-6).
    pub business_unit: Option<BusinessUnitId>,
    /// Its shares; empty as long as they are not loaded (see [`Caller::access_loading_shares`]).
    ///
    /// [`Caller::access_loading_shares`]: crate::Caller::access_loading_shares
    pub shares: &'a [Share],
}

impl<'a> RecordFacts<'a> {
    /// A record of an organization-owned table: nothing but the table matters (AC-4).
    #[must_use]
    pub const fn of_organization(table: TableFacts, id: Option<Uuid>) -> Self {
        Self {
            table,
            id,
            owner: None,
            business_unit: None,
            shares: &[],
        }
    }

    /// A record of a business-owned table (AC-4).
    #[must_use]
    pub const fn of_business(
        table: TableFacts,
        id: Option<Uuid>,
        business_unit: BusinessUnitId,
    ) -> Self {
        Self {
            table,
            id,
            owner: None,
            business_unit: Some(business_unit),
            shares: &[],
        }
    }

    /// A record of a user-owned table, without its shares (AC-3).
    #[must_use]
    pub const fn of_owner(
        table: TableFacts,
        id: Option<Uuid>,
        owner: Owner,
        business_unit: BusinessUnitId,
    ) -> Self {
        Self {
            table,
            id,
            owner: Some(owner),
            business_unit: Some(business_unit),
            shares: &[],
        }
    }

    /// The same record with these shares.
    #[must_use]
    pub const fn with_shares<'b>(self, shares: &'b [Share]) -> RecordFacts<'b>
    where
        'a: 'b,
    {
        RecordFacts { shares, ..self }
    }

    /// Whether a share could give this right: on user-owned tables only (SH-1), and never Create
    /// (AC-5).
    #[must_use]
    pub fn shares_matter(&self, right: Right) -> bool {
        self.table.ownership == TableOwnership::UserOwned && right != Right::Create
    }
}
