//! Rights and roles: [`AccessRights`], [`Principal`], and the enums of explanations and faults.
//!
//! Numbers that a newer server may send are kept as `Unknown` (GE-3).

use std::fmt;

use uuid::Uuid;

use crate::{entity::EntityReference, v1};

/// An enum of the contract whose unknown numbers are kept. Zero, "not said", becomes `None`.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident from $wire:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A number that a newer server knows and this SDK does not.
            Unknown(i32),
        }

        impl $name {
            #[allow(dead_code, reason = "some enums are only read, others only written")]
            pub(crate) fn from_wire(number: i32) -> Option<Self> {
                match v1::$wire::try_from(number) {
                    Ok(v1::$wire::Unspecified) => None,
                    $(Ok(v1::$wire::$variant) => Some(Self::$variant),)+
                    Err(_) => Some(Self::Unknown(number)),
                }
            }

            #[allow(dead_code, reason = "some enums are only read, others only written")]
            pub(crate) fn to_wire(self) -> i32 {
                match self {
                    $(Self::$variant => v1::$wire::$variant.into(),)+
                    Self::Unknown(number) => number,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($text),)+
                    Self::Unknown(number) => write!(f, "unknown ({number})"),
                }
            }
        }
    };
}
pub(crate) use open_enum;

open_enum! {
    /// One right on a record.
    AccessRight from AccessRight {
        /// Read it.
        Read = "Read",
        /// Change it.
        Write = "Write",
        /// Attach it to another record.
        Append = "Append",
        /// Attach other records to it.
        AppendTo = "AppendTo",
        /// Create it.
        Create = "Create",
        /// Delete it.
        Delete = "Delete",
        /// Share it.
        Share = "Share",
        /// Give it to another owner.
        Assign = "Assign",
    }
}

open_enum! {
    /// How far a privilege reaches, from the user's own records to all of the organization.
    PrivilegeDepth from PrivilegeDepth {
        /// The records of the user and of its teams.
        Basic = "Basic",
        /// The records of the business unit.
        Local = "Local",
        /// The records of the business unit and of those below it.
        Deep = "Deep",
        /// All records.
        Global = "Global",
    }
}

open_enum! {
    /// Which user a refusal is about.
    PrincipalRole from PrincipalRole {
        /// The authenticated user of a call without impersonation.
        Caller = "caller",
        /// The authenticated user of an impersonated call.
        Impersonator = "impersonator",
        /// The impersonated user.
        Impersonated = "impersonated",
        /// The owner, or the owner to be, of the record.
        Owner = "owner",
        /// The principal that a share is given to.
        Receiver = "receiver",
    }
}

impl PrincipalRole {
    /// The role by its name in the details of a fault (`principalRole`).
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [
            Self::Caller,
            Self::Impersonator,
            Self::Impersonated,
            Self::Owner,
            Self::Receiver,
        ]
        .into_iter()
        .find(|role| role.to_string() == name)
    }
}

open_enum! {
    /// Why access is granted (AC-3, AC-4).
    AccessGroundKind from AccessGroundKind {
        /// A privilege of depth Global.
        Global = "Global",
        /// The record is owned by the user or by a team of the user.
        Ownership = "Ownership",
        /// The record belongs to a business unit within the depth of the privilege.
        BusinessUnit = "BusinessUnit",
        /// The record is shared.
        Share = "Share",
        /// The record belongs to somebody whom the user manages.
        Hierarchy = "Hierarchy",
    }
}

open_enum! {
    /// The role of a table in a relationship with itself.
    EntityRole from EntityRole {
        /// The record holds the lookup: the many side, the child.
        Referencing = "Referencing",
        /// The record is looked up: the one side, the parent.
        Referenced = "Referenced",
    }
}

bitflags::bitflags! {
    /// Rights on one record, as the mask of the field: Read 1, Write 2, Append 4, AppendTo 16, Create 32,
    /// Delete 65536, Share 262144, Assign 524288.
    ///
    /// ```
    /// # use orgservice_client::AccessRights;
    /// let rights = AccessRights::READ | AccessRights::WRITE;
    /// assert_eq!(rights.bits(), 3);
    /// assert!(rights.contains(AccessRights::READ));
    /// assert_eq!(rights.to_string(), "Read, Write");
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct AccessRights: u32 {
        /// Read the record.
        const READ = 1;
        /// Change the record.
        const WRITE = 2;
        /// Attach the record to another one.
        const APPEND = 4;
        /// Attach other records to it.
        const APPEND_TO = 16;
        /// Create the record.
        const CREATE = 32;
        /// Delete the record.
        const DELETE = 65_536;
        /// Share the record.
        const SHARE = 262_144;
        /// Give the record to another owner.
        const ASSIGN = 524_288;
    }
}

impl AccessRights {
    const TABLE: [(AccessRights, AccessRight); 8] = [
        (AccessRights::READ, AccessRight::Read),
        (AccessRights::WRITE, AccessRight::Write),
        (AccessRights::APPEND, AccessRight::Append),
        (AccessRights::APPEND_TO, AccessRight::AppendTo),
        (AccessRights::CREATE, AccessRight::Create),
        (AccessRights::DELETE, AccessRight::Delete),
        (AccessRights::SHARE, AccessRight::Share),
        (AccessRights::ASSIGN, AccessRight::Assign),
    ];

    /// The rights of the mask, one by one.
    pub fn rights(self) -> impl Iterator<Item = AccessRight> {
        Self::TABLE
            .into_iter()
            .filter(move |(flag, _)| self.contains(*flag))
            .map(|(_, right)| right)
    }
}

impl FromIterator<AccessRight> for AccessRights {
    /// Rights that this SDK does not know have no bit and are left out.
    fn from_iter<I: IntoIterator<Item = AccessRight>>(rights: I) -> Self {
        rights.into_iter().fold(Self::empty(), |mask, right| {
            Self::TABLE
                .into_iter()
                .find(|(_, known)| *known == right)
                .map_or(mask, |(flag, _)| mask | flag)
        })
    }
}

impl fmt::Display for AccessRights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, right) in self.rights().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{right}")?;
        }
        Ok(())
    }
}

/// Who receives a share or becomes the owner: a user, a team, or for shares the organization.
///
/// A bare [`Uuid`] means a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal(EntityReference);

impl Principal {
    /// A user, by `systemuserid`.
    #[must_use]
    pub fn user(id: Uuid) -> Self {
        Self(EntityReference::new("systemuser", id))
    }

    /// A team.
    #[must_use]
    pub fn team(id: Uuid) -> Self {
        Self(EntityReference::new("team", id))
    }

    /// The whole organization.
    #[must_use]
    pub fn organization(id: Uuid) -> Self {
        Self(EntityReference::new("organization", id))
    }

    /// The reference to the principal's record.
    #[must_use]
    pub fn reference(&self) -> &EntityReference {
        &self.0
    }

    pub(crate) fn into_reference(self) -> EntityReference {
        self.0
    }
}

impl From<Uuid> for Principal {
    fn from(user: Uuid) -> Self {
        Self::user(user)
    }
}

impl From<EntityReference> for Principal {
    fn from(reference: EntityReference) -> Self {
        Self(reference)
    }
}

impl From<&EntityReference> for Principal {
    fn from(reference: &EntityReference) -> Self {
        Self(reference.clone())
    }
}

/// A principal together with rights on one record: a share.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalAccess {
    /// Who.
    pub principal: EntityReference,
    /// The rights.
    pub access_rights: AccessRights,
    /// Numbers of rights that a newer server knows and this SDK does not.
    pub unknown_rights: Vec<i32>,
}

impl PrincipalAccess {
    /// A share of rights with a principal.
    pub fn new(principal: impl Into<Principal>, access_rights: AccessRights) -> Self {
        Self {
            principal: principal.into().into_reference(),
            access_rights,
            unknown_rights: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_and_list_are_the_same_rights() {
        for bits in 0..256_u32 {
            let rights: AccessRights = AccessRights::TABLE
                .into_iter()
                .enumerate()
                .filter(|(index, _)| bits & (1 << index) != 0)
                .map(|(_, (_, right))| right)
                .collect();
            assert_eq!(rights.rights().collect::<AccessRights>(), rights);
            assert_eq!(rights.rights().count(), bits.count_ones() as usize);
        }
    }

    #[test]
    fn unknown_numbers_are_kept() {
        assert_eq!(PrivilegeDepth::from_wire(0), None);
        assert_eq!(PrivilegeDepth::from_wire(4), Some(PrivilegeDepth::Global));
        assert_eq!(
            PrivilegeDepth::from_wire(99),
            Some(PrivilegeDepth::Unknown(99))
        );
        assert_eq!(PrivilegeDepth::Unknown(99).to_wire(), 99);
        assert_eq!(
            PrincipalRole::from_name("impersonated"),
            Some(PrincipalRole::Impersonated)
        );
        assert_eq!(PrincipalRole::from_name("somebody"), None);
    }
}
