//! Outcomes and faults in the words of scenario files.

use orgservice_server::fault::{FaultCode, FaultKind};
use tonic::Code;

use crate::support::client::{Outcome, Refusal, Results, rows_of};

/// Whether a query shows a record.
pub fn has_row(results: &Results, id: &str) -> bool {
    rows_of(results).iter().any(|row| row.id == id)
}

/// `allow`, or the name of the fault.
pub fn verdict(outcome: &Outcome) -> String {
    match outcome {
        Ok(_) => "allow".to_owned(),
        Err(refusal) => refusal.name().to_owned(),
    }
}

/// What a query says of a record.
pub fn verdict_of_rows(outcome: &Outcome, id: &str) -> String {
    match outcome {
        Ok(rows) if has_row(rows, id) => "shows it".to_owned(),
        Ok(_) => "does not show it".to_owned(),
        Err(refusal) => format!("was refused: {refusal}"),
    }
}

/// PD or AD.
pub fn is_denial(refusal: &Refusal) -> bool {
    [FaultCode::PrivilegeDenied, FaultCode::AccessDenied]
        .iter()
        .any(|code| code.name() == refusal.name())
}

/// The fault of a short name of `security.md` 0, or of its full name.
pub fn code(name: &str) -> FaultCode {
    match name {
        "PD" => FaultCode::PrivilegeDenied,
        "AD" => FaultCode::AccessDenied,
        "NF" => FaultCode::ObjectDoesNotExist,
        "UD" => FaultCode::UserDisabled,
        "TR" => FaultCode::TargetPrincipalLacksReadPrivilege,
        "ARG" => FaultCode::InvalidArgument,
        name => *FaultCode::ALL
            .iter()
            .find(|code| code.name() == name)
            .unwrap_or_else(|| panic!("`{name}` is no fault")),
    }
}

/// Status of a kind of fault, as `messages.md` 9.2 pairs them.
pub fn status(kind: FaultKind) -> Code {
    match kind {
        FaultKind::NotFound => Code::NotFound,
        FaultKind::InvalidArgument => Code::InvalidArgument,
        FaultKind::OutOfRange => Code::OutOfRange,
        FaultKind::FailedPrecondition => Code::FailedPrecondition,
        FaultKind::AlreadyExists => Code::AlreadyExists,
        FaultKind::Aborted => Code::Aborted,
        FaultKind::PermissionDenied => Code::PermissionDenied,
        FaultKind::Unauthenticated => Code::Unauthenticated,
        FaultKind::Unimplemented => Code::Unimplemented,
        FaultKind::DeadlineExceeded => Code::DeadlineExceeded,
        FaultKind::Internal => Code::Internal,
    }
}

/// A value of a file as text.
pub fn text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
