//! One call after the gate: who makes it, how long it may take, and where its work runs.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    task::spawn_blocking,
};
use tonic::{Request, Response, Status};
use tracing::Span;
use uuid::Uuid;

use super::{convert::Writer, status::status};
use crate::{
    caller::Caller,
    fault::{Fault, FaultCode, Result},
    model::{OrganizationRequest, OrganizationResponse, RequestOptions},
    organization::{CallOptions, Organization, Started},
};

/// What the gate found out about a call before its message was read.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The `request-id` of the answer and the `activity_id` of its faults (GM-6).
    pub activity_id: Uuid,
    /// In whose name it runs.
    pub caller: Caller,
    /// When it must be over (GO-4).
    pub deadline: Instant,
    /// The log's context.
    pub span: Span,
    /// The place of a large message in the budget of all of them, for as long as the call lasts.
    pub reservation: Reservation,
}

/// A place in a budget that is taken later than it is made room for.
#[derive(Clone, Debug, Default)]
pub(super) struct Reservation(pub Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Call {
    /// Takes a request apart into its call and its message.
    pub(super) fn take<T>(request: Request<T>) -> Result<(Call, T), Status> {
        let (_, mut extensions, message) = request.into_parts();
        match extensions.remove::<Call>() {
            Some(call) => Ok((call, message)),
            None => Err(status(
                &Fault::unexpected("a call came past the gate"),
                Uuid::nil(),
            )),
        }
    }

    /// Does the work of the call, and answers.
    ///
    /// Work of microseconds runs right here if it is said to be `inline`; any other runs on a
    /// thread that may wait. A panic is that call's failure and nobody else's (GX-5).
    pub(super) async fn perform<T: Send + 'static>(
        self,
        inline: bool,
        work: impl FnOnce(&Call) -> Result<T> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let activity_id = self.activity_id;
        let work = move || {
            let _entered = self.span.clone().entered();
            if Instant::now() >= self.deadline {
                return Err(Fault::deadline_passed());
            }
            guarded(|| work(&self))
        };
        let outcome = if inline {
            work()
        } else {
            // A panic was caught inside; what remains is a runtime that shuts down.
            spawn_blocking(work)
                .await
                .unwrap_or_else(|error| Err(Fault::unexpected(error)))
        };
        outcome
            .map(Response::new)
            .map_err(|fault| status(&fault, activity_id))
    }

    /// Runs a message that ends in a commit, and answers: on a thread that may wait up to the commit,
    /// and on none while the disk works.
    pub(super) async fn commit<T>(
        self,
        organization: Organization,
        read: impl FnOnce() -> Result<(OrganizationRequest, RequestOptions)> + Send + 'static,
        write: fn(OrganizationResponse, Writer) -> Result<T>,
    ) -> Result<Response<T>, Status> {
        let (then, started) = oneshot::channel();
        let starting = organization.clone();
        let start = move |call: &Call| {
            let (request, options) = read()?;
            let then = move |started| {
                // A client that is gone needs no answer.
                let _ = then.send(started);
            };
            starting.start(&call.caller, request, call.options(options), then);
            Ok(())
        };
        self.clone().perform(false, start).await?;
        let outcome = match started.await {
            Ok(Started::Finished(outcome)) => outcome,
            Ok(Started::Overtaken(request, options)) => {
                let again =
                    move |call: &Call| organization.execute(&call.caller, request, &options);
                Ok(self.clone().perform(false, again).await?.into_inner())
            }
            Err(_) => Err(Fault::unexpected("a commit ended without an answer")),
        };
        outcome
            .and_then(|response| guarded(|| write(response, self.writer())))
            .map(Response::new)
            .map_err(|fault| status(&fault, self.activity_id))
    }

    /// The answer of a message that is not built.
    pub(super) fn not_built(&self, message: &'static str, what: &str) -> Status {
        let fault = Fault::new(
            FaultCode::NotImplemented,
            format!("{what} is not implemented"),
        );
        status(&fault.detail("message", message), self.activity_id)
    }

    /// The options of the call for the core.
    pub(super) fn options(&self, options: RequestOptions) -> CallOptions {
        CallOptions {
            options,
            deadline: Some(self.deadline),
            correlation: self.activity_id,
        }
    }

    /// What writes the answer.
    pub(super) fn writer(&self) -> Writer {
        Writer {
            activity_id: self.activity_id,
        }
    }
}

/// A panic is that call's failure and nobody else's (GX-5).
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Fault::unexpected(format!("panic: {}", panic_text(&*panic)))))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::time::Duration;

    use orgservice_security::UserId;
    use tonic::Code;
    use tonic_types::StatusExt as _;

    use super::*;

    fn call(deadline: Instant) -> Call {
        Call {
            activity_id: Uuid::from_u128(7),
            caller: Caller::direct(UserId(Uuid::from_u128(1))),
            deadline,
            span: Span::none(),
            reservation: Reservation::default(),
        }
    }

    fn in_time() -> Call {
        call(Instant::now() + Duration::from_secs(60))
    }

    #[tokio::test]
    async fn gx_5_a_panic_is_internal_with_an_activity_id_and_without_its_text() {
        for inline in [true, false] {
            let outcome = in_time()
                .perform::<()>(inline, |_| panic!("a secret {}", 1))
                .await;
            let status = outcome.unwrap_err();
            assert_eq!(status.code(), Code::Internal);
            assert_eq!(
                status.get_details_error_info().unwrap().reason,
                "UN_EXPECTED"
            );
            let id = status.get_details_request_info().unwrap().request_id;
            assert_eq!(id, Uuid::from_u128(7).to_string());
            assert!(!format!("{status:?}").contains("secret"));
        }
    }

    #[tokio::test]
    async fn go_4_work_does_not_begin_after_the_deadline() {
        let outcome = call(Instant::now())
            .perform::<()>(true, |_| panic!("it began"))
            .await;
        assert_eq!(outcome.unwrap_err().code(), Code::DeadlineExceeded);
    }

    #[tokio::test]
    async fn work_runs_where_it_is_said_to() {
        let here = std::thread::current().id();
        let ran = |inline| in_time().perform(inline, |_| Ok(std::thread::current().id()));
        assert_eq!(ran(true).await.unwrap().into_inner(), here);
        assert_ne!(ran(false).await.unwrap().into_inner(), here);
    }

    #[test]
    fn a_request_without_a_call_is_refused() {
        let status = Call::take(Request::new(())).unwrap_err();
        assert_eq!(status.code(), Code::Internal);
    }
}
