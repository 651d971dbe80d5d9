//! [`Failure`]: why a command did not do its work, as a text for people and as an exit code.

use std::{fmt::Write as _, io, process::ExitCode};

use orgservice_client::{ConvertError, Error, Fault};

/// What every command returns.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line, or a file that it names, asks for something that makes no sense. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The server refused (exit code 1), or the call did not get through (exit code 3).
    #[error(transparent)]
    Service(#[from] Error),
    /// The answer cannot be written. Exit code 3.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// A [`Failure::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Whether whoever reads our output has had enough of it: `orgctl query account | head`.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// 1 for a fault, 2 for usage, 3 when the call or its answer did not get through.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Service(Error::Fault(_)) => 1,
            Self::Usage(_) | Self::Service(Error::Config(_)) => 2,
            Self::Service(_) | Self::Output(_) => 3,
        })
    }

    /// The whole text for people, one fact a line.
    pub fn describe(&self) -> String {
        match self {
            Self::Service(error) if error.is_unauthenticated() => {
                format!(
                    "error: {error}\n  a token is given by --token-file, --token or ORGSERVICE_TOKEN"
                )
            }
            Self::Service(Error::Fault(fault)) => format!("error: {}", describe_fault(fault)),
            Self::Service(error) if error.is_outcome_unknown() => {
                format!("error: {error}\n  the server may have run the call all the same")
            }
            other => format!("error: {other}"),
        }
    }
}

impl From<ConvertError> for Failure {
    fn from(error: ConvertError) -> Self {
        Self::Service(error.into())
    }
}

/// `PrivilegeDenied 0x80040220`: the name of a code and the number, as the documentation writes it.
pub fn code_of(fault: &Fault) -> String {
    let name = if fault.name.is_empty() {
        &fault.reason
    } else {
        &fault.name
    };
    format!("{name} {:#010x}", fault.code.cast_unsigned())
}

/// A refusal for people: the message, then who lacks what, then which fields are wrong.
pub fn describe_fault(fault: &Fault) -> String {
    let mut text = fault.message.clone();
    let mut line = |label: &str, value: String| {
        let _ = write!(text, "\n  {label:<9} {value}");
    };
    line("code", code_of(fault));
    let wanted = fault.privilege.as_deref().or(fault.detail("right"));
    match (fault.side, wanted) {
        (Some(side), Some(wanted)) => {
            let id = fault.detail("principalId").unwrap_or_default();
            line(
                "lacking",
                format!("{wanted}, by the {side} {id}")
                    .trim_end()
                    .to_owned(),
            );
        }
        (None, Some(wanted)) => line("lacking", wanted.to_owned()),
        (Some(side), None) => line("about", format!("the {side}")),
        (None, None) => {}
    }
    if let Some(role) = fault.detail("role") {
        line("role", format!("{role} is needed"));
    }
    if let Some(needed) = fault.detail("depthNeeded") {
        let held = fault.detail("depthHeld").unwrap_or("none");
        line("depth", format!("{needed} is needed, {held} is held"));
    }
    if let Some(table) = fault.detail("table") {
        let place = [fault.detail("id"), fault.detail("column")];
        let place: Vec<_> = place.into_iter().flatten().collect();
        line(
            "record",
            format!("{table} {}", place.join(" ")).trim_end().to_owned(),
        );
    }
    if let (Some(limit), Some(value)) = (fault.detail("limit"), fault.detail("limitValue")) {
        line("limit", format!("{limit} = {value}"));
    }
    if let Some(reason) = fault.detail("reason") {
        line("reason", reason.to_owned());
    }
    for violation in &fault.violations {
        line(
            "field",
            format!("{}: {}", violation.field, violation.description),
        );
    }
    if let Some(index) = fault.faulted_request_index {
        line("request", format!("number {index}, counted from 0"));
    }
    if let Some(wait) = fault.retry_after {
        line("retry", format!("after {} s", wait.as_secs_f64().ceil()));
    }
    if let Some(trace) = &fault.trace_text {
        line("trace", trace.replace('\n', "\n            "));
    }
    if let Some(id) = &fault.request_id {
        line("call", id.clone());
    }
    if let Some(inner) = &fault.inner_fault {
        line("because", describe_fault(inner).replace('\n', "\n  "));
    }
    text
}

#[cfg(test)]
mod tests {
    use orgservice_client::{FieldViolation, PrincipalRole};

    use super::*;

    #[test]
    fn a_refusal_names_who_lacks_what() {
        let mut fault = Fault::default();
        fault.code = (0x8004_0220_u32).cast_signed();
        fault.name = "PrivilegeDenied".to_owned();
        fault.message = "the impersonator lacks prvDeleteAccount".to_owned();
        fault.side = Some(PrincipalRole::Impersonator);
        fault.privilege = Some("prvDeleteAccount".to_owned());
        fault.details = [
            ("principalId", "4026be43-6b69-e111-8f65-78e7d1620f5e"),
            ("table", "account"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        insta::assert_snapshot!(describe_fault(&fault), @r"
        the impersonator lacks prvDeleteAccount
          code      PrivilegeDenied 0x80040220
          lacking   prvDeleteAccount, by the impersonator 4026be43-6b69-e111-8f65-78e7d1620f5e
          record    account
        ");
    }

    #[test]
    fn depths_and_fields_have_lines_of_their_own() {
        let mut fault = Fault::default();
        fault.code = (0x8004_8306_u32).cast_signed();
        fault.name = "unManagedIdsAccessDenied".to_owned();
        fault.message = "the record is out of reach".to_owned();
        fault.details = [
            ("right", "Write"),
            ("depthHeld", "Basic"),
            ("depthNeeded", "Local"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        fault.violations = vec![FieldViolation {
            field: "target.attributes[name]".to_owned(),
            description: "too long".to_owned(),
        }];
        fault.faulted_request_index = Some(2);
        insta::assert_snapshot!(describe_fault(&fault), @r"
        the record is out of reach
          code      unManagedIdsAccessDenied 0x80048306
          lacking   Write
          depth     Local is needed, Basic is held
          field     target.attributes[name]: too long
          request   number 2, counted from 0
        ");
    }

    #[test]
    fn exit_codes_tell_faults_usage_and_transport_apart() {
        let code = |failure: Failure| format!("{:?}", failure.exit_code());
        let of = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!(code(Error::from(Fault::default()).into()), of(1));
        assert_eq!(code(Failure::usage("no such table")), of(2));
        assert_eq!(code(Error::Config("no address".to_owned()).into()), of(2));
        assert_eq!(code(ConvertError::new("id", "a", "b").into()), of(3));
    }
}
