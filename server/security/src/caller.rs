//! The pair of users behind a call, and the intersection rule over it (IM-9 to IM-11).

use crate::denial::{Denial, PrincipalRole};
use crate::principal::Principal;
use crate::types::{MiscPrivilege, ObjectTypeCode, Privilege, PrivilegeDepth, Right};

/// Who acts, and for whom. Privileges are asked of both, access of the subject alone.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a>(Pair<'a>);

#[derive(Clone, Copy, Debug)]
enum Pair<'a> {
    Direct(&'a Principal),
    OnBehalf {
        authenticated: &'a Principal,
        impersonated: &'a Principal,
    },
    TrustedHost {
        impersonated: &'a Principal,
    },
}

impl<'a> Caller<'a> {
    /// A user acting for himself, and server-side work under one user's rights alone (IM-23).
    #[must_use]
    pub const fn direct(principal: &'a Principal) -> Self {
        Self(Pair::Direct(principal))
    }

    /// `authenticated` acting on behalf of `impersonated`; on behalf of himself is no
    /// impersonation (IM-2). Whether he may is [`authorize_impersonation`].
    ///
    /// [`authorize_impersonation`]: crate::authorize_impersonation
    #[must_use]
    pub fn on_behalf_of(authenticated: &'a Principal, impersonated: &'a Principal) -> Self {
        if authenticated.owner() == impersonated.owner() {
            Self::direct(authenticated)
        } else {
            Self(Pair::OnBehalf {
                authenticated,
                impersonated,
            })
        }
    }

    /// A trusted service identity without a user row, acting on behalf of `impersonated`: it has
    /// no privileges to intersect with, so the result is exactly the rights of `impersonated`
    /// (IM-4).
    #[must_use]
    pub const fn trusted_host_for(impersonated: &'a Principal) -> Self {
        Self(Pair::TrustedHost { impersonated })
    }

    /// S: the impersonated user, else the authenticated one.
    #[must_use]
    pub const fn subject(&self) -> &'a Principal {
        match self.0 {
            Pair::Direct(subject)
            | Pair::OnBehalf {
                impersonated: subject,
                ..
            }
            | Pair::TrustedHost {
                impersonated: subject,
            } => subject,
        }
    }

    /// A: who holds the token; `None` for a trusted host without a user row.
    #[must_use]
    pub const fn authenticated(&self) -> Option<&'a Principal> {
        match self.0 {
            Pair::Direct(authenticated) | Pair::OnBehalf { authenticated, .. } => {
                Some(authenticated)
            }
            Pair::TrustedHost { .. } => None,
        }
    }

    /// B: who is acted for; `None` without impersonation.
    #[must_use]
    pub const fn impersonated(&self) -> Option<&'a Principal> {
        match self.0 {
            Pair::Direct(_) => None,
            Pair::OnBehalf { impersonated, .. } | Pair::TrustedHost { impersonated } => {
                Some(impersonated)
            }
        }
    }

    /// p ∈ poss(A) ∩ poss(S) (IM-9).
    #[must_use]
    pub fn possesses(&self, privilege: Privilege) -> bool {
        self.depth(privilege).is_some()
    }

    /// The effective depth: the subject's highest, if both possess the privilege (IM-10).
    #[must_use]
    pub fn depth(&self, privilege: Privilege) -> Option<PrivilegeDepth> {
        match self.0 {
            Pair::OnBehalf { authenticated, .. } if !authenticated.possesses(privilege) => None,
            _ => self.subject().depth(privilege),
        }
    }

    /// Refuses unless both possess the privilege (step 8 of §12), naming who does not: the
    /// impersonator first.
    ///
    /// # Errors
    /// [`DenialKind::PrivilegeDenied`](crate::DenialKind::PrivilegeDenied).
    pub fn require(&self, privilege: Privilege) -> Result<(), Denial> {
        if let Pair::OnBehalf { authenticated, .. } = self.0
            && !authenticated.possesses(privilege)
        {
            let side = PrincipalRole::Impersonator;
            return Err(Denial::lacks(side, authenticated.id(), privilege));
        }
        if !self.subject().possesses(privilege) {
            return Err(self.subject_lacks(privilege));
        }
        Ok(())
    }

    /// [`Self::require`] for each privilege in turn, as for the privileges that a role change or
    /// a membership would hand out.
    ///
    /// # Errors
    /// [`DenialKind::PrivilegeDenied`](crate::DenialKind::PrivilegeDenied) for the first one
    /// missing.
    pub fn require_all(
        &self,
        mut privileges: impl Iterator<Item = Privilege>,
    ) -> Result<(), Denial> {
        privileges.try_for_each(|privilege| self.require(privilege))
    }

    /// [`Self::require`] for the privileges of some rights on one table, in their order
    /// ([`requirements`](crate::requirements)).
    ///
    /// # Errors
    /// [`DenialKind::PrivilegeDenied`](crate::DenialKind::PrivilegeDenied) for the first one
    /// missing.
    pub fn require_rights(&self, table: ObjectTypeCode, rights: &[Right]) -> Result<(), Denial> {
        self.require_all(rights.iter().map(|right| Privilege::Table(table, *right)))
    }

    /// The part that the subject plays in the call.
    #[must_use]
    pub const fn subject_role(&self) -> PrincipalRole {
        match self.0 {
            Pair::Direct(_) => PrincipalRole::Caller,
            Pair::OnBehalf { .. } | Pair::TrustedHost { .. } => PrincipalRole::Impersonated,
        }
    }

    pub(crate) fn subject_lacks(&self, privilege: Privilege) -> Denial {
        Denial::lacks(self.subject_role(), self.subject().id(), privilege)
    }
}

/// Whether a user may act on behalf of others at all: prvActOnBehalfOfAnotherUser from a role
/// given to him directly (IM-3). Asked before the other user is looked up (IM-5), and not asked
/// of a trusted service identity (IM-4).
///
/// # Errors
/// [`DenialKind::PrivilegeDenied`](crate::DenialKind::PrivilegeDenied), naming the impersonator.
pub fn authorize_impersonation(authenticated: &Principal) -> Result<(), Denial> {
    let needed = MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER;
    if authenticated.holds_directly(needed) {
        return Ok(());
    }
    let side = PrincipalRole::Impersonator;
    Err(Denial::lacks(
        side,
        authenticated.id(),
        Privilege::Misc(needed),
    ))
}

/// Whether a principal may own records of a table: it must possess Read there, at any depth
/// (OW-4). Asked of the owner alone, never intersected (IM-16).
///
/// # Errors
/// [`DenialKind::PrivilegeDenied`](crate::DenialKind::PrivilegeDenied) with
/// [`PrincipalRole::Owner`]; the caller of this function answers
/// `TargetPrincipalLacksReadPrivilege`.
pub fn may_own(owner: &Principal, table: ObjectTypeCode) -> Result<(), Denial> {
    let read = Privilege::Table(table, Right::Read);
    if owner.possesses(read) {
        return Ok(());
    }
    Err(Denial::lacks(PrincipalRole::Owner, owner.id(), read))
}
