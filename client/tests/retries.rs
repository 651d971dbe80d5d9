//! What is repeated, and with which request id. The clock is paused: nothing waits in real time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use orgservice_client::{
    Code, Entity, Error, InTable, OrganizationServiceClient, RetryPolicy, fault_code,
};
use support::Fake;
use tokio::time::Instant;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

fn unavailable() -> Status {
    Status::unavailable("the server is going down")
}

/// A fault as the server sends it.
fn fault(code: Code, reason: &str, number: i32, retry_after: Option<Duration>) -> Status {
    let metadata = [("errorCode".to_owned(), number.to_string())];
    let mut details = ErrorDetails::with_error_info(reason, "orgservice", metadata);
    if retry_after.is_some() {
        details.set_retry_info(retry_after);
    }
    Status::with_error_details(code, "no", details)
}

/// GO-2: the repeat of a write carries the id of the first try, so the server can tell.
#[tokio::test(start_paused = true)]
async fn a_write_is_repeated_with_the_same_request_id() {
    let fake = Fake::default();
    fake.fail([unavailable(), unavailable()]);
    fake.client().create(Entity::new("account")).await.unwrap();

    let seen = fake.seen();
    assert_eq!(seen.len(), 3);
    let id = Uuid::parse_str(&seen[0].request_id).unwrap();
    assert!(!id.is_nil());
    assert!(seen.iter().all(|seen| seen.request_id == id.to_string()));
}

#[tokio::test(start_paused = true)]
async fn every_write_gets_an_id_of_its_own() {
    let fake = Fake::default();
    let service = fake.client();
    service.create(Entity::new("account")).await.unwrap();
    service.create(Entity::new("account")).await.unwrap();
    let given = Uuid::from_u128(9);
    service
        .create(Entity::new("account"))
        .request_id(given)
        .await
        .unwrap();
    let ids: Vec<_> = fake
        .seen()
        .into_iter()
        .map(|seen| seen.request_id)
        .collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[2], given.to_string());
}

/// GO-3: without an id the server would not notice that it is a repeat.
#[tokio::test(start_paused = true)]
async fn a_write_without_request_id_is_not_repeated() {
    let fake = Fake::default();
    fake.fail([unavailable()]);
    let error = fake
        .client()
        .create(Entity::new("account"))
        .without_request_id()
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown());
    assert!(error.is_retryable());
    let seen = fake.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].request_id, "");
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_without_an_id() {
    let fake = Fake::default();
    fake.fail([unavailable()]);
    fake.client().who_am_i().await.unwrap();
    assert_eq!(fake.seen().len(), 2);
    assert_eq!(fake.seen()[0].request_id, "");
}

/// The server does not remember the making of tokens: a repeat would make a second one.
#[tokio::test(start_paused = true)]
async fn making_a_token_is_never_repeated() {
    let fake = Fake::default();
    fake.fail([unavailable()]);
    let user = Uuid::from_u128(1);
    let service = fake.client();
    let error = service
        .create_token(user, "t")
        .request_id(user)
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown());
    assert_eq!(fake.seen().len(), 1);

    // Revoking twice is no error, so that one is.
    fake.fail([unavailable()]);
    service.revoke_token(user).await.unwrap();
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn gives_up_after_five_tries() {
    let fake = Fake::default();
    fake.fail(std::iter::repeat_n(unavailable(), 9));
    let error = fake.client().who_am_i().await.unwrap_err();
    assert!(matches!(&error, Error::Transport(error) if error.code == Code::Unavailable));
    assert_eq!(fake.seen().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_none_repeats_nothing() {
    let fake = Fake::default();
    fake.fail([unavailable()]);
    let builder = OrganizationServiceClient::builder("in-process").retry(RetryPolicy::none());
    fake.connect(builder).who_am_i().await.unwrap_err();
    assert_eq!(fake.seen().len(), 1);
}

/// SP-3: the server says when to come back, and nothing ran, so even a write without id may.
#[tokio::test(start_paused = true)]
async fn throttled_calls_wait_as_told() {
    let limit = fault_code::THROTTLING_BURST_REQUEST_LIMIT;
    let throttled = |seconds| {
        let reason = "THROTTLING_BURST_REQUEST_LIMIT_EXCEEDED_ERROR";
        fault(
            Code::ResourceExhausted,
            reason,
            limit,
            Some(Duration::from_secs(seconds)),
        )
    };
    let fake = Fake::default();
    fake.fail([throttled(3)]);
    let started = Instant::now();
    fake.client()
        .create(Entity::new("account"))
        .without_request_id()
        .await
        .unwrap();
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_secs(3) && waited < Duration::from_secs(4),
        "{waited:?}"
    );
    assert_eq!(fake.seen().len(), 2);

    // Longer than the policy's patience: the caller decides.
    fake.fail([throttled(60)]);
    let error = fake.client().who_am_i().await.unwrap_err();
    assert!(error.is_throttled() && error.is_retryable() && !error.is_outcome_unknown());
    assert_eq!(
        error.fault().unwrap().retry_after,
        Some(Duration::from_secs(60))
    );
}

/// TX-4: nothing was stored, so the same write may try again.
#[tokio::test(start_paused = true)]
async fn write_conflicts_are_tried_again() {
    let fake = Fake::default();
    fake.fail([fault(
        Code::Aborted,
        "WRITE_CONFLICT",
        fault_code::WRITE_CONFLICT,
        None,
    )]);
    fake.client()
        .delete(Uuid::from_u128(1).in_table("account"))
        .await
        .unwrap();
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_final() {
    let fake = Fake::default();
    for (code, reason, number) in [
        (
            Code::PermissionDenied,
            "PRIVILEGE_DENIED",
            fault_code::PRIVILEGE_DENIED,
        ),
        (
            Code::NotFound,
            "OBJECT_DOES_NOT_EXIST",
            fault_code::OBJECT_DOES_NOT_EXIST,
        ),
        (
            Code::Aborted,
            "CONCURRENCY_VERSION_MISMATCH",
            fault_code::CONCURRENCY_VERSION_MISMATCH,
        ),
        (Code::Internal, "UN_EXPECTED", -2_147_220_970),
        // Without RetryInfo nobody knows when it would be better.
        (Code::ResourceExhausted, "SOME_LIMIT", 1),
    ] {
        fake.fail([fault(code, reason, number, None)]);
        let before = fake.seen().len();
        let error = fake
            .client()
            .create(Entity::new("account"))
            .await
            .unwrap_err();
        assert!(!error.is_retryable(), "{reason}");
        assert_eq!(fake.seen().len(), before + 1, "{reason}");
    }
}

/// The timeout bounds the call with its repeats, and the server is told what is left of it.
#[tokio::test(start_paused = true)]
async fn the_timeout_covers_everything() {
    let fake = Fake::default();
    fake.never_answer();
    let started = Instant::now();
    let call = fake
        .client()
        .create(Entity::new("account"))
        .timeout(Duration::from_secs(7));
    let error = call.await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::from_secs(7));
    assert!(error.is_deadline_exceeded() && error.is_outcome_unknown());
    let seen = fake.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].grpc_timeout.as_deref(), Some("7000000u"));
}

/// No timeout is too long to be sent.
#[tokio::test]
async fn an_endless_timeout_is_a_year() {
    let fake = Fake::default();
    fake.client()
        .who_am_i()
        .timeout(Duration::MAX)
        .await
        .unwrap();
    let timeout = fake.seen()[0].grpc_timeout.clone().unwrap();
    assert!(timeout.starts_with("3153"), "{timeout}");
}

#[tokio::test(start_paused = true)]
async fn no_repeat_starts_after_the_timeout() {
    let fake = Fake::default();
    fake.fail(std::iter::repeat_n(unavailable(), 9));
    let patient = RetryPolicy {
        tries: 100,
        first_delay: Duration::from_secs(1),
        ..RetryPolicy::default()
    };
    let builder = OrganizationServiceClient::builder("in-process").retry(patient);
    let started = Instant::now();
    let call = fake
        .connect(builder)
        .who_am_i()
        .timeout(Duration::from_millis(1));
    assert!(matches!(call.await.unwrap_err(), Error::Transport(_)));
    assert!(started.elapsed() <= Duration::from_millis(1));
}

/// A request above the limit is never sent, so its outcome is known.
#[tokio::test]
async fn too_long_requests_are_not_sent() {
    let fake = Fake::default();
    let builder = OrganizationServiceClient::builder("in-process").message_size_limit(100);
    let account = Entity::new("account").set("name", "x".repeat(100));
    let error = fake.connect(builder).create(account).await.unwrap_err();
    assert!(
        error.to_string().contains("`message_size_limit` of 100"),
        "{error}"
    );
    assert!(!error.is_outcome_unknown() && !error.is_retryable());
    assert!(fake.seen().is_empty());
}

/// Nobody listens: nothing was sent, so even a write without id may be tried again, and nothing has run.
#[tokio::test]
async fn a_refused_connection_sends_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let builder = || {
        OrganizationServiceClient::builder(&address).retry(RetryPolicy {
            first_delay: Duration::ZERO,
            ..RetryPolicy::default()
        })
    };
    let error = builder().connect().await.unwrap_err();
    assert!(
        !error.is_outcome_unknown() && error.is_retryable(),
        "{error:?}"
    );

    let service = builder().connect_lazy().unwrap();
    let call = service.create(Entity::new("account")).without_request_id();
    let error = call.await.unwrap_err();
    assert!(
        !error.is_outcome_unknown() && error.is_retryable(),
        "{error:?}"
    );
}
