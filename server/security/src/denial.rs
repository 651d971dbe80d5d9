//! Who was refused what, and why: everything that the fault's details tell (§11).

use std::fmt;

use uuid::Uuid;

use crate::types::{ObjectTypeCode, Privilege, PrivilegeDepth, Right};

/// Which of the two checks failed (AC-2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DenialKind {
    /// The privilege is not possessed: `PrivilegeDenied`, 0x80040220.
    PrivilegeDenied,
    /// The privilege is possessed, the record out of reach: `unManagedIdsAccessDenied`, 0x80048306.
    AccessDenied,
}

/// The part that the refused principal plays in the call (`principalRole`, §11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PrincipalRole {
    /// The authenticated user, acting for himself.
    Caller,
    /// The authenticated user, acting on behalf of another.
    Impersonator,
    /// The user acted for.
    Impersonated,
    /// The owner of a record, old or new (OW-4).
    Owner,
    /// Who is to receive a share, a role or a membership.
    Receiver,
}

impl PrincipalRole {
    /// The word written in fault details.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Impersonator => "impersonator",
            Self::Impersonated => "impersonated",
            Self::Owner => "owner",
            Self::Receiver => "receiver",
        }
    }
}

impl fmt::Display for PrincipalRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A refusal. It names the principal that lacks something; if both users of a pair lack a
/// privilege, the impersonator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Denial {
    /// Which check failed.
    pub kind: DenialKind,
    /// The part of the principal in the call.
    pub side: PrincipalRole,
    /// Its id.
    pub principal: Uuid,
    /// The privilege that is missing, or that does not reach the record.
    pub privilege: Privilege,
    /// The right of a table privilege.
    pub right: Option<Right>,
    /// The table of a table privilege.
    pub table: Option<ObjectTypeCode>,
    /// The record out of reach. Always `None` with [`DenialKind::PrivilegeDenied`]: whoever lacks
    /// the privilege learns nothing about ids (AC-7).
    pub record: Option<Uuid>,
    /// The highest depth held, where depth decided.
    pub depth_held: Option<PrivilegeDepth>,
    /// The lowest depth that, set in the roles held, would have reached the record.
    pub depth_needed: Option<PrivilegeDepth>,
}

impl Denial {
    /// `principal` does not possess `privilege` (AC-1).
    #[must_use]
    pub const fn lacks(side: PrincipalRole, principal: Uuid, privilege: Privilege) -> Self {
        let (table, right) = match privilege {
            Privilege::Table(table, right) => (Some(table), Some(right)),
            Privilege::Misc(_) => (None, None),
        };
        Self {
            kind: DenialKind::PrivilegeDenied,
            side,
            principal,
            privilege,
            right,
            table,
            record: None,
            depth_held: None,
            depth_needed: None,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            side,
            principal,
            privilege,
            ..
        } = self;
        match self.kind {
            DenialKind::PrivilegeDenied => {
                write!(f, "the {side} {principal} lacks the privilege {privilege}")
            }
            DenialKind::AccessDenied => {
                write!(f, "the {side} {principal} holds the privilege {privilege}")?;
                if let Some(held) = self.depth_held {
                    write!(f, " at depth {held}")?;
                }
                f.write_str(", which does not reach ")?;
                match self.record {
                    Some(id) => write!(f, "the record {id}"),
                    None => f.write_str("the record"),
                }?;
                match self.depth_needed {
                    Some(needed) => write!(f, "; depth {needed} would"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for Denial {}
