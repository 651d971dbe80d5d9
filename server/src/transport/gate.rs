//! The gate before the services that need a caller.
//!
//! It names the caller from metadata alone, before a byte of the message is read (GM-5): a stranger
//! cannot make the server hold a message. It ends a call at its deadline, and gives every answer
//! its metadata (GM-6).

use std::{
    convert::Infallible,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use orgservice::metadata_keys as keys;
use tokio::time::timeout_at;
use tonic::{
    Code, Status,
    body::Body,
    codegen::{
        BoxFuture, Service,
        http::{HeaderValue, Request, Response},
    },
    server::NamedService,
};
use uuid::Uuid;

use super::{
    call::{Call, Reservation},
    length::{Budget, LengthChecked},
    metadata,
    status::status,
};
use crate::{
    fault::{Fault, FaultCode, Result},
    identity, limits,
    organization::Organization,
};

/// A service behind the gate.
#[derive(Clone)]
pub(super) struct Gate<S> {
    inner: S,
    organization: Organization,
    budget: Budget,
}

impl<S> Gate<S> {
    /// Puts `inner` behind the gate.
    pub(super) fn new(inner: S, organization: Organization, budget: Budget) -> Self {
        Gate {
            inner,
            organization,
            budget,
        }
    }

    /// Steps 1 to 4 of `security.md` 12.
    fn admit<B>(&self, request: &Request<B>, activity_id: Uuid, start: Instant) -> Result<Call> {
        let headers = request.headers();
        let token = identity::bearer(metadata::authorization(headers))?;
        let identity = self.organization.authenticate(token)?;
        let caller = self
            .organization
            .resolve_caller(&identity, &metadata::caller_keys(headers))?;
        let span = tracing::debug_span!(
            "call",
            %activity_id,
            method = request.uri().path(),
            credential = identity.label,
            authenticated = ?caller.authenticated,
            impersonated = ?caller.impersonated,
            trace = metadata::traceparent(headers),
        );
        Ok(Call {
            activity_id,
            caller,
            deadline: deadline(start, metadata::timeout(headers)),
            span,
            reservation: Reservation::default(),
        })
    }
}

/// When a call must be over: after the server's own bound, or earlier if the client says so.
///
/// A millisecond early, because tonic's timer for the same header answers CANCELLED.
fn deadline(start: Instant, timeout: Option<Duration>) -> Instant {
    let bound = Duration::from_secs(limits::REQUEST_SECONDS_MAX);
    let wait = timeout.map_or(bound, |timeout| timeout.min(bound));
    start + wait.saturating_sub(Duration::from_millis(1))
}

impl<S: NamedService> NamedService for Gate<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let start = Instant::now();
        let activity_id = Uuid::now_v7();
        let echo = metadata::client_request_id(request.headers());
        let call = match self.admit(&request, activity_id, start) {
            Ok(call) => call,
            Err(fault) => {
                tracing::info!(
                    %activity_id,
                    method = request.uri().path(),
                    reason = fault.code().reason(),
                    "a call was refused at the gate"
                );
                let mut response = status(&fault, activity_id).into_http();
                describe(&mut response, activity_id, None, echo);
                return Box::pin(std::future::ready(Ok(response)));
            }
        };
        let (budget, reservation) = (self.budget.clone(), call.reservation.clone());
        let mut request = request
            .map(|body| Body::new(LengthChecked::new(body, activity_id, budget, reservation)));
        request.extensions_mut().insert(call.clone());
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let answer = timeout_at(call.deadline.into(), ready.call(request)).await;
            let mut response = match answer {
                Ok(answer) => match unreadable(answer?) {
                    Ok(response) => response,
                    Err(fault) => status(&fault, activity_id).into_http(),
                },
                Err(_) => status(&Fault::deadline_passed(), activity_id).into_http(),
            };
            let impersonated = call.caller.impersonated.map(|user| user.0);
            describe(&mut response, activity_id, impersonated, echo);
            tracing::debug!(
                parent: &call.span,
                code = ?Status::from_header_map(response.headers())
                    .map_or(Code::Ok, |status| status.code()),
                microseconds = start.elapsed().as_micros(),
                "a call ended"
            );
            Ok(response)
        })
    }
}

/// Tells an answer from the framework's own refusal of bytes that are no message, which knows nothing
/// of the details that every refusal of the contract carries (GX-5: an error of the client is not
/// INTERNAL).
fn unreadable(response: Response<Body>) -> Result<Response<Body>> {
    match Status::from_header_map(response.headers()) {
        Some(own) if own.code() == Code::Internal && own.details().is_empty() => Err(Fault::new(
            FaultCode::InvalidArgument,
            format!("the message cannot be read: {}", own.message()),
        )),
        _ => Ok(response),
    }
}

/// The metadata of an answer (GM-6).
fn describe(
    response: &mut Response<Body>,
    activity_id: Uuid,
    impersonated: Option<Uuid>,
    echo: Option<HeaderValue>,
) {
    let mut request_id = guid_header(activity_id);
    if let Some(value) = &mut request_id {
        // Never the same again: in the connection's table of known headers it would only push out
        // those that come with every answer.
        value.set_sensitive(true);
    }
    let pairs = [
        (keys::REQUEST_ID, request_id),
        (keys::EFFECTIVE_USER_ID, impersonated.and_then(guid_header)),
        (keys::CLIENT_REQUEST_ID, echo),
    ];
    for (name, value) in pairs {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
}

/// A GUID is always a valid header.
fn guid_header(id: impl Into<Option<Uuid>>) -> Option<HeaderValue> {
    let mut buffer = Uuid::encode_buffer();
    HeaderValue::from_str(id.into()?.hyphenated().encode_lower(&mut buffer)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_4_the_shorter_of_both_deadlines_counts() {
        let start = Instant::now();
        let millisecond = Duration::from_millis(1);
        let bound = Duration::from_secs(limits::REQUEST_SECONDS_MAX);
        assert_eq!(deadline(start, None), start + bound - millisecond);
        assert_eq!(
            deadline(start, Some(bound * 2)),
            start + bound - millisecond
        );
        let short = Duration::from_millis(20);
        assert_eq!(deadline(start, Some(short)), start + short - millisecond);
        assert_eq!(deadline(start, Some(Duration::ZERO)), start);
    }
}
