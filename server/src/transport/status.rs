//! A [`Fault`] as a gRPC status with its rich details (`grpc.md` 10).
//!
//! The code of the fault alone decides the status (FM-1). Causes go to the log with the id of the
//! call and never to the client (FM-3). A status travels in HTTP/2 headers, and clients refuse
//! large ones, so every text in it is bounded.

use std::borrow::Cow;

use jiff::Timestamp;
use orgservice::{ERROR_DOMAIN, v1};
use prost::Message as _;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::pb;
use uuid::Uuid;

use super::convert::write_timestamp;
use crate::{
    fault::{Fault, FaultBody, FaultCode, FaultKind},
    limits,
};

/// The status of a failed call. The cause of an internal error is logged here.
pub(super) fn status(fault: &Fault, activity_id: Uuid) -> Status {
    let body = fault.body();
    if let Some(cause) = &body.cause {
        tracing::error!(%activity_id, code = body.code.name(), cause, "a call failed unexpectedly");
    }
    let code = code(body.code.kind());
    let message = bounded(&body.message, limits::STATUS_MESSAGE_BYTES_MAX);
    let details = pb::Status {
        code: code.into(),
        message: message.to_string(),
        details: details(fault, activity_id),
    };
    Status::with_details(code, message, details.encode_to_vec().into())
}

/// A fault as data: a detail of every failed call, and the outcome of an item of ExecuteMultiple.
pub(super) fn fault_message(fault: &Fault, activity_id: Uuid) -> v1::OrganizationServiceFault {
    let body = fault.body();
    let text =
        |value: &str| v1::Value::from(bounded(value, limits::STATUS_TEXT_BYTES_MAX).as_ref());
    let mut error_details: std::collections::BTreeMap<_, _> = body
        .details
        .iter()
        .map(|(key, value)| (key.to_string(), text(value)))
        .collect();
    // The product's own spelling, for clients that look for it.
    if let Some(size) = body.details.get("maxBatchSize") {
        error_details.insert("MaxBatchSize".to_owned(), text(size));
    }
    v1::OrganizationServiceFault {
        error_code: body.code.number(),
        error_name: body.code.name().to_owned(),
        message: bounded(&body.message, limits::STATUS_MESSAGE_BYTES_MAX).into_owned(),
        timestamp: Some(write_timestamp(Timestamp::now())),
        error_details,
        activity_id: activity_id.to_string(),
        faulted_request_index: body.faulted_request_index,
        ..v1::OrganizationServiceFault::default()
    }
}

/// Which status a kind of fault has.
const fn code(kind: FaultKind) -> Code {
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

/// Each type at most once, in the order of `grpc.md` 10.
fn details(fault: &Fault, activity_id: Uuid) -> Vec<Any> {
    let body = fault.body();
    let mut details = vec![
        any("google.rpc.ErrorInfo", &error_info(body)),
        any(
            "orgservice.v1.OrganizationServiceFault",
            &fault_message(fault, activity_id),
        ),
    ];
    if let Some(bad_request) = bad_request(body) {
        details.push(any("google.rpc.BadRequest", &bad_request));
    }
    if let Some(resource) = resource_info(body) {
        details.push(any("google.rpc.ResourceInfo", &resource));
    }
    if let Some(failure) = precondition_failure(body) {
        details.push(any("google.rpc.PreconditionFailure", &failure));
    }
    details.push(any(
        "google.rpc.RequestInfo",
        &pb::RequestInfo {
            request_id: activity_id.to_string(),
            serving_data: String::new(),
        },
    ));
    details
}

fn any(name: &str, message: &impl prost::Message) -> Any {
    Any {
        type_url: format!("type.googleapis.com/{name}"),
        value: message.encode_to_vec(),
    }
}

fn error_info(body: &FaultBody) -> pb::ErrorInfo {
    let code = body.code.number();
    let texts = body.details.iter().map(|(key, value)| {
        (
            key.to_string(),
            bounded(value, limits::STATUS_TEXT_BYTES_MAX).into_owned(),
        )
    });
    let codes = [
        ("errorCode".to_owned(), code.to_string()),
        ("errorCodeHex".to_owned(), format!("0x{code:08X}")),
    ];
    pb::ErrorInfo {
        reason: body.code.reason().to_owned(),
        domain: ERROR_DOMAIN.to_owned(),
        metadata: texts.chain(codes).collect(),
    }
}

/// As many of the violations as fit; the first one always does.
fn bad_request(body: &FaultBody) -> Option<pb::BadRequest> {
    let mut bytes = 0;
    let field_violations: Vec<_> = body
        .violations
        .iter()
        .map(|violation| pb::bad_request::FieldViolation {
            field: bounded(&violation.field, limits::STATUS_TEXT_BYTES_MAX).into_owned(),
            description: bounded(&violation.description, limits::STATUS_TEXT_BYTES_MAX)
                .into_owned(),
            ..pb::bad_request::FieldViolation::default()
        })
        .take_while(|violation| {
            bytes += violation.encoded_len();
            bytes <= limits::STATUS_VIOLATIONS_BYTES_MAX
        })
        .collect();
    (!field_violations.is_empty()).then_some(pb::BadRequest { field_violations })
}

fn resource_info(body: &FaultBody) -> Option<pb::ResourceInfo> {
    let about_a_row = matches!(
        body.code.kind(),
        FaultKind::NotFound | FaultKind::AlreadyExists
    ) || body.code == FaultCode::AccessDenied;
    let table = body.details.get("table").filter(|_| about_a_row)?;
    let name = body.details.get("id").or_else(|| body.details.get("key"));
    Some(pb::ResourceInfo {
        resource_type: bounded(table, limits::STATUS_TEXT_BYTES_MAX).into_owned(),
        resource_name: name
            .map(|name| bounded(name, limits::STATUS_TEXT_BYTES_MAX).into_owned())
            .unwrap_or_default(),
        ..pb::ResourceInfo::default()
    })
}

/// The codes that `messages.md` 9.2 gives this detail.
fn precondition_failure(body: &FaultBody) -> Option<pb::PreconditionFailure> {
    let applies = matches!(
        body.code,
        FaultCode::LimitExceeded
            | FaultCode::ConcurrencyVersionMismatch
            | FaultCode::CannotDeleteDueToAssociation
            | FaultCode::InvalidStateCodeStatusCode
    );
    let subject = ["limit", "id", "column", "table"]
        .iter()
        .find_map(|key| body.details.get(*key))
        .map(|subject| bounded(subject, limits::STATUS_TEXT_BYTES_MAX).into_owned());
    applies.then(|| pb::PreconditionFailure {
        violations: vec![pb::precondition_failure::Violation {
            r#type: body.code.reason().to_owned(),
            subject: subject.unwrap_or_default(),
            description: bounded(&body.message, limits::STATUS_MESSAGE_BYTES_MAX).into_owned(),
        }],
    })
}

/// At most `bytes` of a text, cut between two characters and marked when cut.
fn bounded(text: &str, bytes: usize) -> Cow<'_, str> {
    const MARK: &str = "...";
    if text.len() <= bytes {
        return Cow::Borrowed(text);
    }
    let mut end = bytes - MARK.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}{MARK}", &text[..end]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use tonic_types::StatusExt as _;

    use super::*;

    const ACTIVITY: Uuid = Uuid::from_u128(7);

    fn decoded(status: &Status) -> pb::Status {
        pb::Status::decode(status.details()).unwrap()
    }

    fn fault_of(status: &Status) -> v1::OrganizationServiceFault {
        let details = decoded(status).details;
        let any = details
            .iter()
            .find(|any| any.type_url.ends_with("OrganizationServiceFault"));
        v1::OrganizationServiceFault::decode(any.unwrap().value.as_slice()).unwrap()
    }

    #[test]
    fn gex_13_a_missing_row() {
        let id = Uuid::from_u128(1);
        let fault = Fault::new(FaultCode::ObjectDoesNotExist, "no such row").record("account", id);
        let status = status(&fault, ACTIVITY);
        assert_eq!(
            (status.code(), status.message()),
            (Code::NotFound, "no such row")
        );
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("OBJECT_DOES_NOT_EXIST", "orgservice")
        );
        assert_eq!(info.metadata["errorCode"], "-2147220969");
        assert_eq!(info.metadata["errorCodeHex"], "0x80040217");
        assert_eq!(info.metadata["table"], "account");
        let resource = details.resource_info().unwrap();
        assert_eq!(resource.resource_type, "account");
        assert_eq!(resource.resource_name, id.to_string());
        assert_eq!(
            details.request_info().unwrap().request_id,
            ACTIVITY.to_string()
        );
        assert!(details.bad_request().is_none() && details.precondition_failure().is_none());
        let fault = fault_of(&status);
        assert_eq!(
            (fault.error_code, fault.error_name.as_str()),
            (-2147220969, "ObjectDoesNotExist")
        );
        assert_eq!(fault.error_details["table"], v1::Value::from("account"));
        assert_eq!(fault.activity_id, ACTIVITY.to_string());
        assert!(fault.timestamp.is_some() && fault.faulted_request_index.is_none());
    }

    #[test]
    fn fm_1_every_code_has_its_status_reason_and_fault() {
        for code in FaultCode::ALL {
            let status = status(
                &Fault::new(*code, "why").detail("table", "account"),
                ACTIVITY,
            );
            assert_eq!(status.code(), super::code(code.kind()), "{code:?}");
            assert_ne!(status.code(), Code::Unknown, "GX-5: {code:?}");
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, code.reason());
            assert!(info.metadata.keys().all(|key| key.len() <= 64));
            assert_eq!(fault_of(&status).error_code, code.number());
            let decoded = decoded(&status);
            let mut types: Vec<_> = decoded.details.iter().map(|any| &any.type_url).collect();
            types.sort();
            types.dedup();
            assert_eq!(
                types.len(),
                decoded.details.len(),
                "AIP-193: each type at most once"
            );
        }
    }

    #[test]
    fn ex_91_every_violation_is_listed() {
        let fault = Fault::invalid_argument("target.attributes[name]", "too long")
            .violation("target.attributes[fax]", "not text");
        let status = status(&fault, ACTIVITY);
        let fields: Vec<_> = status
            .get_details_bad_request()
            .unwrap()
            .field_violations
            .into_iter()
            .map(|violation| violation.field)
            .collect();
        assert_eq!(
            fields,
            ["target.attributes[name]", "target.attributes[fax]"]
        );
    }

    #[test]
    fn fm_3_a_cause_is_not_sent() {
        let status = status(&Fault::unexpected("disk /dev/sda1 is on fire"), ACTIVITY);
        assert_eq!(status.code(), Code::Internal);
        let everything = format!("{status:?}{:?}", decoded(&status));
        assert!(!everything.contains("sda1"));
        assert!(
            fault_of(&status)
                .activity_id
                .contains(&ACTIVITY.to_string())
        );
    }

    #[test]
    fn gx_3_a_transaction_names_the_request_that_failed() {
        let fault = Fault::new(FaultCode::DuplicateRecord, "exists").at_request(3);
        assert_eq!(
            fault_of(&status(&fault, ACTIVITY)).faulted_request_index,
            Some(3)
        );
    }

    #[test]
    fn a_limit_is_a_precondition() {
        let status = status(&Fault::limit_exceeded("cascade_rows_max", 10_000), ACTIVITY);
        let violation = &status
            .get_details_precondition_failure()
            .unwrap()
            .violations[0];
        assert_eq!(
            (violation.r#type.as_str(), violation.subject.as_str()),
            ("LIMIT_EXCEEDED", "cascade_rows_max")
        );
        assert_eq!(
            status.get_details_error_info().unwrap().metadata["limitValue"],
            "10000"
        );
    }

    #[test]
    fn the_status_of_a_huge_fault_still_fits_into_headers() {
        let huge = "ü".repeat(100_000);
        let mut fault = Fault::new(FaultCode::InvalidArgument, huge.clone());
        for key in ["table", "column", "id", "key", "privilege", "message"] {
            fault = fault.detail(key, &huge);
        }
        for _ in 0..100 {
            fault = fault.violation(huge.clone(), huge.clone());
        }
        let headers = status(&fault, ACTIVITY).into_http::<()>().headers().clone();
        let bytes: usize = headers
            .iter()
            .map(|(key, value)| key.as_str().len() + value.len())
            .sum();
        assert!(bytes < limits::METADATA_BYTES_MAX as usize, "{bytes}");
        assert!(status(&fault, ACTIVITY).get_details_bad_request().is_some());
    }
}
