//! What each operation asks: the table of §5 as data.
//!
//! A list names the rights asked of one record, in the order in which privileges are checked and
//! refusals are named. Every right means its privilege, of both users, and access to the record,
//! of the subject (§0): [`Caller::require_rights`] and then [`Caller::access_loading_shares`].
//!
//! Operations built from others have no list: Upsert is a Create or an Update, Associate 1:N an
//! Update of the referencing record, SetBusinessSystemUser and SetParentBusinessUnit an Update. An
//! Update that changes `ownerid` asks [`UPDATE`] and [`ASSIGN`]; one that sets lookups asks
//! [`APPEND`] and, of each record named, [`APPEND_TO`].
//!
//! [`Caller::require_rights`]: crate::Caller::require_rights
//! [`Caller::access_loading_shares`]: crate::Caller::access_loading_shares

use crate::types::{AccessRights, Right};

/// Create, of the prospective record (AC-5).
pub const CREATE: &[Right] = &[Right::Create];

/// Retrieve, of the record; RetrieveMultiple, of each row and linked row (AC-6).
pub const RETRIEVE: &[Right] = &[Right::Read];

/// Update and SetState, of the record.
pub const UPDATE: &[Right] = &[Right::Write];

/// Delete, of the record and of every record a cascade deletes (CA-5).
pub const DELETE: &[Right] = &[Right::Delete];

/// Assign, or an Update of `ownerid`: of the record, and of a child for a cascade to take it
/// along (CA-4).
pub const ASSIGN: &[Right] = &[Right::Assign, Right::Write, Right::Read];

/// GrantAccess, ModifyAccess and RevokeAccess, of the record. Granting and modifying ask
/// [`rights_given`] too.
pub const SHARE: &[Right] = &[Right::Share, Right::Read];

/// A cascaded share, of the child (CA-1).
pub const CASCADED_SHARE: &[Right] = &[Right::Share];

/// RetrievePrincipalAccess and RetrieveSharedPrincipalsAndAccess, of the record.
pub const READ_ACCESS: &[Right] = &[Right::Read];

/// The append rule, of the record whose lookup is set; on Create of the prospective record.
pub const APPEND: &[Right] = &[Right::Append];

/// The append rule, of the record that a lookup is set to. Write is not asked.
pub const APPEND_TO: &[Right] = &[Right::AppendTo, Right::Read];

/// Associate and Disassociate N:N, of both records.
pub const ASSOCIATE: &[Right] = &[Right::Append];

/// Giving and removing a role, of the role; besides.
pub const GIVE_ROLE: &[Right] = &[Right::Assign, Right::Read];

/// Giving and removing a role, of the user or team.
pub const RECEIVE_ROLE: &[Right] = &[Right::Write];

/// Adding and removing team members, of the team; R-6 besides.
pub const CHANGE_MEMBERS: &[Right] = &[Right::Write];

/// Adding and removing team members, of the user.
pub const BECOME_MEMBER: &[Right] = &[Right::Read];

/// AddPrivilegesRole, ReplacePrivilegesRole and RemovePrivilegeRole, of the role
/// besides.
pub const CHANGE_ROLE: &[Right] = &[Right::Write];

/// RetrieveUserPrivileges, RetrieveTeamPrivileges and RetrieveRolePrivilegesRole, of the user,
/// team or role; nothing of oneself.
pub const READ_PRIVILEGES: &[Right] = &[Right::Read];

/// What GrantAccess and ModifyAccess ask besides [`SHARE`]: every right being given. Create, which
/// no share gives, is dropped first (SH-4).
pub fn rights_given(mask: AccessRights) -> impl Iterator<Item = Right> {
    Right::of(mask & AccessRights::ALL_RECORD_RIGHTS)
}
