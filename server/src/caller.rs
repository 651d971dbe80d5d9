//! In whose name a request runs: from an identity and the caller keys to a [`Caller`]
//! (`security.md` 8 and steps 1 to 6 of 12).
//!
//! The order of the checks is the rule: whoever may not impersonate learns nothing about the user
//! it names (IM-5).

use std::sync::Arc;

use orgservice_security as security;
use orgservice_security::{Principal, UserId};
use uuid::Uuid;

use crate::{
    directory::{Directory, User},
    fault::{Fault, FaultCode, Result},
    snapshot::Snapshot,
};

/// Who holds the credential of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The user row it stands for; `None` for a trusted host without one (IM-4).
    pub user: Option<UserId>,
    /// The credential itself, to tell hosts without a user row apart.
    pub credential: Uuid,
    /// Whether the deployment's PrivUserGroup lists it (IM-4).
    pub trusted_host: bool,
    /// Name of the credential for the log.
    pub label: String,
}

/// The caller keys of a request as they came, aliases merged (`grpc.md` 6).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CallerKeys {
    /// Every value of `caller-id` and its alias.
    pub caller_id: Vec<String>,
    /// Every value of `caller-object-id` and its alias.
    pub caller_object_id: Vec<String>,
    /// Whether `x-org-offline-playback` was sent.
    pub offline_playback: bool,
}

/// The pair (A, B): who holds the token, and the user the request is made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// A; `None` is a trusted host without a user row: it possesses everything and stamps SYSTEM.
    pub authenticated: Option<UserId>,
    /// B, unless nobody or A itself is named (IM-2).
    pub impersonated: Option<UserId>,
    /// Whether membership of the PrivUserGroup replaces the Delegate privilege (IM-4).
    pub trusted_host: bool,
    /// The credential of a host without a user row; all zero for users.
    pub host: Uuid,
}

/// A [`Caller`] with what the decision knows of both users at one snapshot.
#[derive(Clone, Debug)]
pub struct Principals {
    authenticated: Option<Arc<Principal>>,
    impersonated: Option<Arc<Principal>>,
}

impl Caller {
    /// A user acting for itself.
    pub fn direct(user: UserId) -> Self {
        Caller {
            authenticated: Some(user),
            impersonated: None,
            trusted_host: false,
            host: Uuid::nil(),
        }
    }

    /// A user acting on behalf of another one.
    pub fn on_behalf_of(authenticated: UserId, impersonated: UserId) -> Self {
        Caller {
            authenticated: Some(authenticated),
            impersonated: Some(impersonated),
            trusted_host: false,
            host: Uuid::nil(),
        }
    }

    /// S: whom the call runs for.
    pub fn subject(&self) -> UserId {
        self.impersonated
            .or(self.authenticated)
            .unwrap_or(crate::directory::SYSTEM_USER)
    }

    /// What `…onbehalfby` columns get: A when impersonating, else nothing (IM-17).
    pub fn on_behalf_by(&self) -> Option<UserId> {
        self.impersonated
            .map(|_| self.authenticated.unwrap_or(crate::directory::SYSTEM_USER))
    }

    /// Names the user behind an identity and its caller keys: steps 1 to 4.
    ///
    /// # Errors
    /// `UserNotMemberOfOrg`, `unManagedidsusernotenabled`, `InvalidArgument`, `PrivilegeDenied` or
    /// `ObjectDoesNotExist`, in the order of `security.md` 12.
    pub fn resolve(snapshot: &Snapshot, identity: &Identity, keys: &CallerKeys) -> Result<Self> {
        let directory = snapshot.directory();
        if let Some(user) = identity.user {
            enabled(directory, existing(directory, user)?)?;
        }
        let caller_id = single(&keys.caller_id, "caller-id")?;
        let object_id = single(&keys.caller_object_id, "caller-object-id")?;
        if keys.offline_playback && (caller_id.is_some() || object_id.is_some()) {
            return Err(Fault::invalid_argument(
                "x-org-offline-playback",
                "offline playback cannot be combined with a caller id",
            ));
        }
        let direct = Caller {
            authenticated: identity.user,
            impersonated: None,
            trusted_host: identity.trusted_host,
            host: match identity.user {
                Some(_) => Uuid::nil(),
                None => identity.credential,
            },
        };
        if caller_id.is_none() && object_id.is_none() {
            return match identity.user {
                Some(_) => Ok(direct),
                None => Err(not_a_member("the credential belongs to no user")),
            };
        }
        if let Some(user) = identity.user
            && names_only(directory, user, caller_id, object_id)
        {
            return Ok(direct);
        }
        if !identity.trusted_host {
            let user = identity
                .user
                .ok_or_else(|| not_a_member("the credential belongs to no user"))?;
            snapshot.require_impersonation(user)?;
        }
        let impersonated = named_user(directory, caller_id, object_id)?;
        impersonable(directory, impersonated)?;
        Ok(Caller {
            impersonated: Some(impersonated.id),
            ..direct
        })
    }

    /// Checks steps 2 and 4 again and compiles both users at this snapshot; step 5 is
    /// [`Principals::require_roles`].
    ///
    /// # Errors
    /// As [`Caller::resolve`], when something changed since.
    pub fn admit(&self, snapshot: &Snapshot) -> Result<Principals> {
        let directory = snapshot.directory();
        let authenticated = match self.authenticated {
            Some(user) if user == crate::directory::SYSTEM_USER => Some(snapshot.principal(user)?),
            Some(user) => {
                enabled(directory, existing(directory, user)?)?;
                Some(snapshot.principal(user)?)
            }
            None => None,
        };
        let impersonated = match self.impersonated {
            Some(user) => {
                if let (Some(authenticated), false) = (self.authenticated, self.trusted_host) {
                    snapshot.require_impersonation(authenticated)?;
                }
                let user = directory
                    .user(user)
                    .ok_or_else(|| unknown_caller_id(user.0))?;
                impersonable(directory, user)?;
                Some(snapshot.principal(user.id)?)
            }
            None => None,
        };
        Ok(Principals {
            authenticated,
            impersonated,
        })
    }
}

impl Principals {
    /// The pair as the decision takes it.
    pub fn pair(&self) -> security::Caller<'_> {
        match (&self.authenticated, &self.impersonated) {
            (Some(a), Some(b)) => security::Caller::on_behalf_of(a, b),
            (None, Some(b)) => security::Caller::trusted_host_for(b),
            (Some(a), None) => security::Caller::direct(a),
            // INVARIANT (somebody calls): `resolve` refuses a host without a user that names nobody,
            // and `Caller` has no other constructor without an authenticated user.
            (None, None) => unreachable!("a caller names a user"),
        }
    }

    /// S as the decision knows it.
    pub fn subject(&self) -> Option<&Arc<Principal>> {
        self.impersonated.as_ref().or(self.authenticated.as_ref())
    }

    /// A as the decision knows it.
    pub fn authenticated(&self) -> Option<&Arc<Principal>> {
        self.authenticated.as_ref()
    }

    /// B as the decision knows it.
    pub fn impersonated(&self) -> Option<&Arc<Principal>> {
        self.impersonated.as_ref()
    }

    /// Step 5: a user without any role can only ask who it is (U-8).
    ///
    /// # Errors
    /// `UserNotAssignedRoles`.
    pub fn require_roles(&self) -> Result<()> {
        match self.subject() {
            Some(subject) if subject.has_no_roles() => Err(Fault::new(
                FaultCode::UserNotAssignedRoles,
                format!(
                    "user {} has no role, neither directly nor through a team",
                    subject.id()
                ),
            )
            .detail("principalId", subject.id())),
            _ => Ok(()),
        }
    }
}

fn existing(directory: &Directory, user: UserId) -> Result<&Arc<User>> {
    directory
        .user(user)
        .ok_or_else(|| not_a_member("the credential's user does not exist"))
}

fn not_a_member(message: &str) -> Fault {
    Fault::new(FaultCode::UserNotMemberOfOrg, message)
}

/// U-5, BU-4: neither the user nor its business unit may be disabled.
fn enabled(directory: &Directory, user: &User) -> Result<()> {
    if user.disabled || !directory.unit_enabled(user.business_unit) {
        let what = if user.disabled {
            "is disabled"
        } else {
            "is in a disabled business unit"
        };
        return Err(
            Fault::new(FaultCode::UserDisabled, format!("user {} {what}", user.id))
                .detail("principalId", user.id),
        );
    }
    Ok(())
}

/// IM-7: disabled users, users of disabled units and the built-in users cannot be impersonated.
fn impersonable(directory: &Directory, user: &User) -> Result<()> {
    if user.is_built_in() {
        return Err(Fault::new(
            FaultCode::UserDisabled,
            format!("the built-in user {} cannot be impersonated", user.id),
        )
        .detail("principalId", user.id));
    }
    enabled(directory, user)
}

/// GM-2, GM-3: one value at most, a GUID, and the all-zero one means "not set".
fn single(values: &[String], key: &'static str) -> Result<Option<Uuid>> {
    match values {
        [] => Ok(None),
        [value] => {
            let id = crate::model::parse_guid(value).ok_or_else(|| {
                Fault::invalid_argument(key, format!("the value of `{key}` is not a GUID"))
            })?;
            Ok((!id.is_nil()).then_some(id))
        }
        _ => Err(Fault::invalid_argument(
            key,
            format!("`{key}` or its alias is given more than once"),
        )),
    }
}

/// IM-2: the ids name A and nobody else.
fn names_only(
    directory: &Directory,
    user: UserId,
    caller_id: Option<Uuid>,
    object_id: Option<Uuid>,
) -> bool {
    let by_id = caller_id.is_none_or(|id| id == user.0);
    let by_object = object_id.is_none_or(|id| {
        directory
            .user(user)
            .is_some_and(|user| user.object_id == Some(id))
    });
    by_id && by_object
}

/// IM-6: the user the ids name; both must name the same one.
fn named_user(
    directory: &Directory,
    caller_id: Option<Uuid>,
    object_id: Option<Uuid>,
) -> Result<&Arc<User>> {
    let by_id = caller_id
        .map(|id| {
            directory
                .user(UserId(id))
                .ok_or_else(|| unknown_caller_id(id))
        })
        .transpose()?;
    let by_object = object_id
        .map(|id| {
            directory.user_by_object_id(id).ok_or_else(|| {
                not_a_member("the caller object id belongs to no user").detail("id", id)
            })
        })
        .transpose()?;
    match (by_id, by_object) {
        (Some(a), Some(b)) if a.id != b.id => Err(Fault::invalid_argument(
            "caller-object-id",
            "caller-id and caller-object-id name different users",
        )),
        (Some(user), _) | (None, Some(user)) => Ok(user),
        (None, None) => Err(Fault::unexpected("a caller key was given and then lost")),
    }
}

fn unknown_caller_id(id: Uuid) -> Fault {
    Fault::new(
        FaultCode::ObjectDoesNotExist,
        format!("caller id {id} names no user"),
    )
    .record("systemuser", id)
}
