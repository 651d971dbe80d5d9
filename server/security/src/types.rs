//! The words of the model: ids, depths, rights and privileges, with the numbers they have on the
//! wire and in storage.
//!
//! Every id is a type of its own. There is no conversion between them, so that the compiler keeps
//! an authenticated user, an impersonated user, a team and a role apart.

use std::fmt;

use bitflags::bitflags;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// `systemuserid` of a user.
    UserId
    /// `teamid` of a team, whatever its kind.
    TeamId
    /// `businessunitid` of a business unit.
    BusinessUnitId
    /// `roleid` of a role: a root role or one of its copies.
    RoleId
    /// Primary id of a record of any table.
    RecordId
    /// `organizationid` of the one organization row.
    OrganizationId
}

/// The platform's number for a table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectTypeCode(pub u32);

impl ObjectTypeCode {
    /// `systemuser`.
    pub const SYSTEM_USER: Self = Self(8);
    /// `team`.
    pub const TEAM: Self = Self(9);
    /// `businessunit`, whose Create and Delete have no Local depth (PR-2).
    pub const BUSINESS_UNIT: Self = Self(10);
    /// `organization`, which has Read and Write only (PR-2).
    pub const ORGANIZATION: Self = Self(1019);
    /// `role`, the one business-owned table with Assign (PR-2).
    pub const ROLE: Self = Self(1036);
}

impl fmt::Display for ObjectTypeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a grant reaches, from the own records to the whole organization. "None" is an absent
/// grant, hence `Option<PrivilegeDepth>` where it can occur.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PrivilegeDepth {
    /// `u`: records of the holder.
    Basic,
    /// `l`: records of the business unit the grant counts from.
    Local,
    /// `d`: that business unit and everything below it.
    Deep,
    /// `o`: every record of the organization.
    Global,
}

impl PrivilegeDepth {
    /// All depths, lowest first.
    pub const ALL: [Self; 4] = [Self::Basic, Self::Local, Self::Deep, Self::Global];

    /// The message parameter `PrivilegeDepth`: 0, 1, 2, 3 (PR-3).
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The depth of a message parameter, `None` for a number that is no depth (PR-3).
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Basic),
            1 => Some(Self::Local),
            2 => Some(Self::Deep),
            3 => Some(Self::Global),
            _ => None,
        }
    }

    /// The bit stored in `roleprivileges.privilegedepthmask`: 1, 2, 4, 8 (PR-3).
    #[must_use]
    pub const fn mask(self) -> i32 {
        1 << self.number()
    }

    /// The depth of a stored mask, `None` unless exactly one of the four bits is set (PR-3).
    #[must_use]
    pub const fn from_mask(mask: i32) -> Option<Self> {
        match mask {
            1 => Some(Self::Basic),
            2 => Some(Self::Local),
            4 => Some(Self::Deep),
            8 => Some(Self::Global),
            _ => None,
        }
    }

    /// `Basic`, `Local`, `Deep` or `Global`, as written in fault details.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Local => "Local",
            Self::Deep => "Deep",
            Self::Global => "Global",
        }
    }
}

impl fmt::Display for PrivilegeDepth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

bitflags! {
    /// Rights on one record as a mask, with the numbers of PR-5.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
    pub struct AccessRights: u32 {
        /// Read the record.
        const READ = 1;
        /// Change its columns.
        const WRITE = 2;
        /// Let it refer to other records.
        const APPEND = 4;
        /// Let other records refer to it.
        const APPEND_TO = 16;
        /// Create a record with this owner. Never part of a share (SH-4).
        const CREATE = 32;
        /// Delete it.
        const DELETE = 65_536;
        /// Share it with others.
        const SHARE = 262_144;
        /// Give it another owner.
        const ASSIGN = 524_288;
    }
}

impl AccessRights {
    /// The seven rights that a share can give: everything but Create, 851991 = 0xD0017 (PR-5).
    pub const ALL_RECORD_RIGHTS: Self =
        Self::from_bits_truncate(Self::all().bits() & !Self::CREATE.bits());
}

/// What one may do with a record: the verb of a table privilege and, Create excepted, one bit of
/// a share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Right {
    /// Create a record (AC-5).
    Create,
    /// Read it.
    Read,
    /// Change it.
    Write,
    /// Delete it.
    Delete,
    /// Let it refer to another record.
    Append,
    /// Let another record refer to it.
    AppendTo,
    /// Give it another owner; on a role: give the role to somebody.
    Assign,
    /// Share it.
    Share,
}

impl Right {
    /// All eight, in the order of the columns of a privilege matrix.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::Read,
        Self::Write,
        Self::Delete,
        Self::Append,
        Self::AppendTo,
        Self::Assign,
        Self::Share,
    ];

    /// Its bit in an access mask (PR-5).
    #[must_use]
    pub const fn flag(self) -> AccessRights {
        match self {
            Self::Create => AccessRights::CREATE,
            Self::Read => AccessRights::READ,
            Self::Write => AccessRights::WRITE,
            Self::Delete => AccessRights::DELETE,
            Self::Append => AccessRights::APPEND,
            Self::AppendTo => AccessRights::APPEND_TO,
            Self::Assign => AccessRights::ASSIGN,
            Self::Share => AccessRights::SHARE,
        }
    }

    /// The verb of the privilege name: `Read` of `prvReadAccount` (PR-1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
            Self::Append => "Append",
            Self::AppendTo => "AppendTo",
            Self::Assign => "Assign",
            Self::Share => "Share",
        }
    }

    /// The letter of the specification: `CRWDPTGS`.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Create => 'C',
            Self::Read => 'R',
            Self::Write => 'W',
            Self::Delete => 'D',
            Self::Append => 'P',
            Self::AppendTo => 'T',
            Self::Assign => 'G',
            Self::Share => 'S',
        }
    }

    /// The rights of a mask, in the order of [`Right::ALL`]: what whoever shares a record with
    /// this mask must hold himself (§5, GrantAccess).
    pub fn of(mask: AccessRights) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |right| mask.contains(right.flag()))
    }

    /// Its place in [`Right::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A privilege that belongs to no table (PR-4). The server numbers and names them; this crate
/// knows only the one that the rules of impersonation name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MiscPrivilege(pub u16);

impl MiscPrivilege {
    /// `prvActOnBehalfOfAnotherUser` (IM-3).
    pub const ACT_ON_BEHALF_OF_ANOTHER_USER: Self = Self(0);
}

/// What a role can contain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Privilege {
    /// A right on the records of one table (PR-1).
    Table(ObjectTypeCode, Right),
    /// A privilege that belongs to no table (PR-4).
    Misc(MiscPrivilege),
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table, right) => write!(f, "{right} on table {table}"),
            Self::Misc(MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER) => {
                f.write_str("prvActOnBehalfOfAnotherUser")
            }
            Self::Misc(MiscPrivilege(number)) => write!(f, "miscellaneous privilege {number}"),
        }
    }
}

/// `systemuser.accessmode` (U-3): what kind of privileges of a user count at all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum AccessMode {
    /// 0: everything counts.
    #[default]
    ReadWrite,
    /// 1: only privileges on administration tables count.
    Administrative,
    /// 2: only Read privileges count.
    Read,
    /// 3: reserved; everything counts.
    SupportUser,
    /// 4: no person; everything counts.
    NonInteractive,
    /// 5: reserved; everything counts.
    DelegatedAdmin,
}

impl AccessMode {
    /// The option value of the column.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The mode of an option value, `None` if there is no such mode.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::ReadWrite),
            1 => Some(Self::Administrative),
            2 => Some(Self::Read),
            3 => Some(Self::SupportUser),
            4 => Some(Self::NonInteractive),
            5 => Some(Self::DelegatedAdmin),
            _ => None,
        }
    }
}
