//! [`Error`]: what can go wrong, told apart by what one can do about it; no matching of texts.
//!
//! A [`Fault`] is the server's no, read from the `google.rpc` details of the status and from the contract's
//! own `OrganizationServiceFault`. Everything else between here and the server is a [`TransportError`].

use std::{collections::BTreeMap, error::Error as _, fmt, time::Duration};

use jiff::Timestamp;
use prost::Message as _;
use tonic_types::StatusExt as _;

use crate::{retry::Failure, security::PrincipalRole, v1, value::Value, wire};

pub use tonic::Code;

/// Error codes of faults, for comparison with [`Fault::code`]; more of them are in the specification.
pub mod fault_code {
    macro_rules! codes {
        ($($(#[$doc:meta])* $name:ident = $code:literal;)+) => {
            $($(#[$doc])* pub const $name: i32 = ($code as u32).cast_signed();)+
        };
    }

    codes! {
        /// No record has that id.
        OBJECT_DOES_NOT_EXIST = 0x8004_0217;
        /// No record has that alternate key.
        RECORD_NOT_FOUND_BY_ENTITY_KEY = 0x8006_0891;
        /// A definition is missing.
        METADATA_NOT_FOUND = 0x8004_024A;
        /// A privilege is missing.
        PRIVILEGE_DENIED = 0x8004_0220;
        /// The privilege is held, but does not reach the record.
        ACCESS_DENIED = 0x8004_8306;
        /// Malformed or mistyped input.
        INVALID_ARGUMENT = 0x8004_0203;
        /// The id or the link exists already.
        DUPLICATE_RECORD = 0x8004_0237;
        /// The alternate key exists already.
        DUPLICATE_RECORD_ENTITY_KEY = 0x8006_0892;
        /// Duplicate detection found similar records.
        DUPLICATE_RECORDS_FOUND = 0x8004_0333;
        /// The record has another row version than expected.
        CONCURRENCY_VERSION_MISMATCH = 0x8006_0882;
        /// The write met another one again and again; nothing was stored.
        WRITE_CONFLICT = 0x8007_1154;
        /// No or unknown credentials.
        REQUEST_IS_NOT_AUTHENTICATED = 0x8004_4302;
        /// The token has expired.
        EXPIRED_AUTH_TICKET = 0x8004_A101;
        /// The user is disabled.
        USER_DISABLED = 0x8004_0225;
        /// Too many requests within the window.
        THROTTLING_BURST_REQUEST_LIMIT = 0x8007_2322;
        /// Too much execution time within the window.
        THROTTLING_TIME = 0x8007_2321;
        /// Too many requests at once.
        THROTTLING_CONCURRENCY_LIMIT = 0x8007_2326;
    }
}

/// What a call of this SDK can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server said no. Nothing was changed (G-4).
    #[error(transparent)]
    Fault(Box<Fault>),
    /// The call did not get through, or its answer did not.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// A value is of another kind than the program expects.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The client is configured in a way that cannot work.
    #[error("{0}")]
    Config(String),
}

impl Error {
    /// The fault, if the server said no.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Whether the same call may succeed later: the connection broke, the server is busy, a write conflict.
    /// It does not say that repeating is harmless: ask [`is_outcome_unknown`](Self::is_outcome_unknown)
    /// about that. The SDK has already repeated what its [`RetryPolicy`](crate::RetryPolicy) allows.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        Failure::of(self) != Failure::Final
    }

    /// Whether the server may have run the call all the same.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::Transport(error) if error.unknown_outcome)
    }

    /// Whether one of the users lacks a privilege; [`Fault::side`] and [`Fault::privilege`] say which.
    #[must_use]
    pub fn is_privilege_denied(&self) -> bool {
        self.has_code(&[fault_code::PRIVILEGE_DENIED])
    }

    /// Whether the privilege is held but does not reach the record.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        self.has_code(&[fault_code::ACCESS_DENIED])
    }

    /// Whether the call was refused for want of any right: privilege, record, column, disabled user.
    #[must_use]
    pub fn is_permission_denied(&self) -> bool {
        self.has_status(Code::PermissionDenied)
    }

    /// Whether a record or definition is missing, by id or by alternate key.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.has_status(Code::NotFound)
            || self.has_code(&[
                fault_code::OBJECT_DOES_NOT_EXIST,
                fault_code::RECORD_NOT_FOUND_BY_ENTITY_KEY,
                fault_code::METADATA_NOT_FOUND,
            ])
    }

    /// Whether something with this id, key or name exists already.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.has_status(Code::AlreadyExists)
            || self.has_code(&[
                fault_code::DUPLICATE_RECORD,
                fault_code::DUPLICATE_RECORD_ENTITY_KEY,
                fault_code::DUPLICATE_RECORDS_FOUND,
            ])
    }

    /// Whether the record has another row version than the one expected (OC-2).
    #[must_use]
    pub fn is_version_mismatch(&self) -> bool {
        self.has_code(&[fault_code::CONCURRENCY_VERSION_MISMATCH])
    }

    /// Whether the request was malformed; [`Fault::violations`] names the fields.
    #[must_use]
    pub fn is_invalid_argument(&self) -> bool {
        self.has_status(Code::InvalidArgument)
    }

    /// Whether the token is missing, unknown, expired or revoked.
    #[must_use]
    pub fn is_unauthenticated(&self) -> bool {
        self.has_status(Code::Unauthenticated)
    }

    /// Whether a request limit was met; [`Fault::retry_after`] says how long it lasts.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.has_code(&[
            fault_code::THROTTLING_BURST_REQUEST_LIMIT,
            fault_code::THROTTLING_TIME,
            fault_code::THROTTLING_CONCURRENCY_LIMIT,
        ])
    }

    /// Whether the call's time was over before its answer came.
    #[must_use]
    pub fn is_deadline_exceeded(&self) -> bool {
        self.has_status(Code::DeadlineExceeded)
    }

    fn has_code(&self, codes: &[i32]) -> bool {
        self.fault()
            .is_some_and(|fault| codes.contains(&fault.code))
    }

    fn has_status(&self, status: Code) -> bool {
        match self {
            Self::Fault(fault) => fault.status == Some(status),
            Self::Transport(error) => error.code == status,
            Self::Convert(_) | Self::Config(_) => false,
        }
    }

    pub(crate) fn deadline_exceeded(timeout: Duration) -> Self {
        Self::Transport(Box::new(TransportError {
            code: Code::DeadlineExceeded,
            message: format!("no answer within the timeout of {timeout:?}"),
            unknown_outcome: true,
            not_sent: false,
        }))
    }

    /// An error before anything was sent, such as a connection that cannot be made.
    pub(crate) fn not_sent(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Transport(Box::new(TransportError {
            code: Code::Unavailable,
            message: with_causes(error.to_string(), error.source()),
            unknown_outcome: false,
            not_sent: true,
        }))
    }

    /// Reads a status: a fault if the server speaks the contract, else an error of the transport.
    pub(crate) fn from_status(status: &tonic::Status) -> Self {
        if let Some(fault) = Fault::from_status(status) {
            return Self::Fault(Box::new(fault));
        }
        let source = status.source();
        let not_sent = causes(source).any(<dyn std::error::Error>::is::<tonic::ConnectError>);
        let timed_out = causes(source).any(<dyn std::error::Error>::is::<tonic::TimeoutExpired>);
        // A status with a cause was made on this side, when the connection broke, whatever its code.
        let code = match (timed_out, source) {
            (true, _) => Code::DeadlineExceeded,
            (false, Some(_)) => Code::Unavailable,
            (false, None) => status.code(),
        };
        let refused = matches!(
            code,
            Code::InvalidArgument
                | Code::NotFound
                | Code::PermissionDenied
                | Code::Unauthenticated
                | Code::Unimplemented
                | Code::ResourceExhausted
                | Code::FailedPrecondition
        );
        Self::Transport(Box::new(TransportError {
            code,
            message: with_causes(status.message().to_owned(), source),
            unknown_outcome: !not_sent && !refused,
            not_sent,
        }))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

fn causes<'a>(
    first: Option<&'a (dyn std::error::Error + 'static)>,
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(first, |&error| error.source())
}

/// "transport error: tcp connect error: connection refused": the causes say what the message does not.
fn with_causes(message: String, source: Option<&(dyn std::error::Error + 'static)>) -> String {
    let mut text = message;
    for cause in causes(source) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// The server's no: why, about whom, and about what.
///
/// Code, reason and the keys of the details are API: they are added to, never renamed (GX-4). The message
/// is for people.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// The error code, as on the wire: PrivilegeDenied is -2147220960, which is 0x80040220.
    pub code: i32,
    /// Name of the code: `PrivilegeDenied`.
    pub name: String,
    /// The stable reason in upper case: `PRIVILEGE_DENIED`, `ISV_ABORTED` for a code that a plug-in chose.
    /// Empty in faults that are data, as in the items of `execute_multiple`.
    pub reason: String,
    /// What was wrong, for people.
    pub message: String,
    /// Status of the call; `None` in faults that are data.
    pub status: Option<Code>,
    /// Which user the refusal is about, if it is about one.
    pub side: Option<PrincipalRole>,
    /// The privilege that is missing, as in `prvDeleteAccount`.
    pub privilege: Option<String>,
    /// Everything that varies, by stable key: `table`, `id`, `column`, `privilege`, `limit`, ….
    pub details: BTreeMap<String, String>,
    /// The fields of the request that were wrong.
    pub violations: Vec<FieldViolation>,
    /// How long to wait before asking again; with a request limit.
    pub retry_after: Option<Duration>,
    /// The server's id of the call: the one that its log and audit show.
    pub request_id: Option<String>,
    /// Index of the request that failed, in `execute_transaction`.
    pub faulted_request_index: Option<usize>,
    /// When the server noticed.
    pub timestamp: Option<Timestamp>,
    /// Trace of a plug-in, for those who may read it (GX-1).
    pub trace_text: Option<String>,
    /// The fault that led to this one.
    pub inner_fault: Option<Box<Fault>>,
}

/// One field of a request that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field: `target.attributes[name]`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl Fault {
    /// The detail with a key, such as `table` or `limitValue`.
    #[must_use]
    pub fn detail(&self, key: &str) -> Option<&str> {
        self.details.get(key).map(String::as_str)
    }

    /// The fault in a status; `None` for a status of some proxy or library that has no details of ours.
    fn from_status(status: &tonic::Status) -> Option<Self> {
        let details = status.get_error_details();
        let info = details
            .error_info()
            .filter(|info| info.domain == orgservice::ERROR_DOMAIN);
        let body = own_detail(status);
        if info.is_none() && body.is_none() {
            return None;
        }
        let mut fault = body.map(Self::from_wire).unwrap_or_default();
        if let Some(info) = info {
            fault.reason.clone_from(&info.reason);
            // The body repeats these; where both speak, ErrorInfo is the stable one.
            fault.details.extend(info.metadata.clone());
        }
        if fault.code == 0 {
            fault.code = fault
                .detail("errorCode")
                .and_then(|code| code.parse().ok())
                .unwrap_or(0);
        }
        if fault.message.is_empty() {
            status.message().clone_into(&mut fault.message);
        }
        fault.status = Some(status.code());
        fault.read_details();
        if let Some(request) = details.bad_request() {
            fault.violations = request
                .field_violations
                .iter()
                .map(|violation| FieldViolation {
                    field: violation.field.clone(),
                    description: violation.description.clone(),
                })
                .collect();
        }
        fault.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        if let Some(info) = details
            .request_info()
            .filter(|info| !info.request_id.is_empty())
        {
            fault.request_id = Some(info.request_id.clone());
        }
        Some(fault)
    }

    /// A fault that is data: the item of a batch, a refusal that an explanation foretells.
    pub(crate) fn from_wire(fault: v1::OrganizationServiceFault) -> Self {
        let details = fault
            .error_details
            .into_iter()
            .filter_map(|(key, value)| {
                let text = match wire::value_from_wire(&key, value).ok()? {
                    Value::String(text) => text,
                    Value::Integer(number) => number.to_string(),
                    Value::BigInt(number) => number.to_string(),
                    Value::Boolean(flag) => flag.to_string(),
                    Value::Guid(id) => id.to_string(),
                    _ => return None,
                };
                Some((key, text))
            })
            .collect();
        let mut fault = Self {
            code: fault.error_code,
            name: fault.error_name,
            message: fault.message,
            details,
            request_id: wire::text(fault.activity_id),
            faulted_request_index: fault
                .faulted_request_index
                .and_then(|index| index.try_into().ok()),
            timestamp: fault
                .timestamp
                .and_then(|time| wire::timestamp_from_wire(&time)),
            trace_text: wire::text(fault.trace_text),
            inner_fault: fault
                .inner_fault
                .map(|inner| Box::new(Self::from_wire(*inner))),
            ..Self::default()
        };
        fault.read_details();
        fault
    }

    fn read_details(&mut self) {
        self.side = self
            .detail("principalRole")
            .and_then(PrincipalRole::from_name);
        self.privilege = self.detail("privilege").map(str::to_owned);
    }

    pub(crate) fn into_wire(self) -> v1::OrganizationServiceFault {
        v1::OrganizationServiceFault {
            error_code: self.code,
            error_name: self.name,
            message: self.message,
            timestamp: self.timestamp.map(wire::timestamp_to_wire),
            error_details: self
                .details
                .into_iter()
                .map(|(key, text)| (key, v1::Value::from(text)))
                .collect(),
            trace_text: self.trace_text.unwrap_or_default(),
            inner_fault: self.inner_fault.map(|inner| Box::new(inner.into_wire())),
            activity_id: self.request_id.unwrap_or_default(),
            faulted_request_index: self
                .faulted_request_index
                .and_then(|index| index.try_into().ok()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.name.is_empty() {
            write!(f, " ({} {:#010x})", self.name, self.code.cast_unsigned())?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// The contract's own detail of a status.
fn own_detail(status: &tonic::Status) -> Option<v1::OrganizationServiceFault> {
    let status = tonic_types::pb::Status::decode(status.details()).ok()?;
    let any = status.details.into_iter().find(|any| {
        any.type_url
            .ends_with("/orgservice.v1.OrganizationServiceFault")
    })?;
    v1::OrganizationServiceFault::decode(any.value.as_slice()).ok()
}

/// The call did not get through, or its answer did not.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct TransportError {
    /// gRPC status.
    pub code: Code,
    /// What happened, for people.
    pub message: String,
    /// Whether the server may have run the call all the same. `false` when no connection was made or the
    /// call was refused at the door.
    pub unknown_outcome: bool,
    /// Whether no byte of the call left this side.
    pub(crate) not_sent: bool,
}

/// A column, parameter or result that holds another kind than the program expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}expected {expected}, found {found}", Self::place(column))]
#[non_exhaustive]
pub struct ConvertError {
    /// Logical name of the column, or name of the parameter; empty for a value on its own.
    pub column: String,
    /// The kind that was expected, in the words of the field: `Integer`, `EntityReference`.
    pub expected: String,
    /// What was found instead.
    pub found: String,
}

impl ConvertError {
    /// The error of a column that holds something else than was expected.
    pub fn new(
        column: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            column: column.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn place(column: &str) -> String {
        if column.is_empty() {
            String::new()
        } else {
            format!("column `{column}`: ")
        }
    }
}
