//! Stand-in until the core is merged: the public shape of `caller.rs`.
use orgservice_security::UserId;
/// Who holds the credential of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The user row it stands for.
    pub user: Option<UserId>,
    /// Whether the deployment lists it.
    pub trusted_host: bool,
    /// Name for the log.
    pub label: String,
}
/// The caller keys of a request as they came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CallerKeys {
    /// Every value of `caller-id` and its alias.
    pub caller_id: Vec<String>,
    /// Every value of `caller-object-id` and its alias.
    pub caller_object_id: Vec<String>,
    /// Whether `x-org-offline-playback` was sent.
    pub offline_playback: bool,
}
/// The pair (A, B).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// A.
    pub authenticated: Option<UserId>,
    /// B.
    pub impersonated: Option<UserId>,
    /// IM-4.
    pub trusted_host: bool,
}
impl Caller {
    /// A user acting for itself.
    pub fn direct(user: UserId) -> Self {
        Caller { authenticated: Some(user), impersonated: None, trusted_host: false }
    }
}
