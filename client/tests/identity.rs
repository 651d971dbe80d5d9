//! No call ever runs under another identity than its handle, or its own override, says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use orgservice::{
    metadata_keys::{CALLER_ID, CALLER_OBJECT_ID},
    v1::{self, organization_service_server::OrganizationServiceServer},
};
use orgservice_client::{Entity, OrganizationServiceClient};
use prost::Message as _;
use support::Fake;
use tokio::io::DuplexStream;
use tonic::{
    codegen::{Service, http},
    transport::{Channel, Endpoint, Server},
};
use uuid::Uuid;

/// The server's answer to "who am I": directory objects are told apart by their highest bit, which no
/// `systemuserid` of these tests has.
const OBJECT: u128 = 1 << 127;

/// A server reduced to its metadata: answers each call with the identity that came with it. No socket, no
/// HTTP/2: what is tested is which identity the SDK puts on which call.
#[derive(Clone)]
struct Echo;

impl Service<http::Request<tonic::body::Body>> for Echo {
    type Response = http::Response<Answer>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let id = |key: &str| {
            let value = request.headers().get(key)?;
            Some(Uuid::parse_str(value.to_str().unwrap()).unwrap())
        };
        let user = match (id(CALLER_ID), id(CALLER_OBJECT_ID)) {
            (None, None) => Uuid::nil(),
            (Some(user), None) => user,
            (None, Some(object)) => Uuid::from_u128(object.as_u128() | OBJECT),
            (Some(_), Some(_)) => panic!("both caller keys were sent"),
        };
        let message = match request.uri().path().rsplit('/').next().unwrap() {
            "Create" => v1::CreateResponse {
                id: user.to_string(),
            }
            .encode_to_vec(),
            "WhoAmI" => v1::WhoAmIResponse {
                user_id: user.to_string(),
                business_unit_id: user.to_string(),
                organization_id: user.to_string(),
            }
            .encode_to_vec(),
            other => panic!("unexpected call of {other}"),
        };
        let response = http::Response::builder().header("content-type", "application/grpc");
        ready(Ok(response.body(Answer::new(&message)).unwrap()))
    }
}

/// One length-prefixed message and the trailers of success.
struct Answer {
    message: Option<Bytes>,
    trailers: Option<http::HeaderMap>,
}

impl Answer {
    fn new(message: &[u8]) -> Self {
        let mut framed = vec![0];
        framed.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend(message);
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        Self {
            message: Some(framed.into()),
            trailers: Some(trailers),
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        let message = self.message.take().map(http_body::Frame::data);
        Poll::Ready(
            message
                .or_else(|| self.trailers.take().map(http_body::Frame::trailers))
                .map(Ok),
        )
    }
}

/// Whom a call should run for, by the rules of IM-1 and of the call's own override; written down
/// independently of the SDK.
fn expected(handle: &OrganizationServiceClient, overriding: Option<Uuid>) -> Uuid {
    if let Some(user) = overriding {
        return user;
    }
    match (handle.caller_id, handle.caller_object_id) {
        (Some(user), _) if user != Uuid::nil() => user,
        (_, Some(object)) if object != Uuid::nil() => Uuid::from_u128(object.as_u128() | OBJECT),
        _ => Uuid::nil(),
    }
}

fn some_id(random: &mut fastrand::Rng) -> Option<Uuid> {
    match random.u8(0..8) {
        0 => None,
        1 => Some(Uuid::nil()),
        _ => Some(Uuid::from_u128(random.u128(1..OBJECT))),
    }
}

/// One task of the property: handles that are cloned, changed and used at once with those of other tasks.
async fn calls(mut handle: OrganizationServiceClient, calls: usize, seed: u64) {
    const AT_ONCE: usize = 8;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut done = 0;
    while done < calls {
        // A batch of calls is made first and awaited after the handle has changed sides: a call keeps the
        // identity that it was made with.
        let mut batch = Vec::with_capacity(AT_ONCE);
        for _ in 0..AT_ONCE.min(calls - done) {
            match random.u8(0..4) {
                0 => handle.caller_id = some_id(&mut random),
                1 => handle.caller_object_id = some_id(&mut random),
                2 => {
                    let mut other = handle.clone();
                    other.caller_id = some_id(&mut random);
                    if random.bool() {
                        handle = other;
                    }
                }
                _ => {}
            }
            let overriding = random.bool().then(|| some_id(&mut random)).flatten();
            let user = expected(&handle, overriding);
            let call: Pin<Box<dyn Future<Output = Uuid> + Send>> = if random.bool() {
                let call = handle.create(Entity::new("account"));
                let call = match overriding {
                    Some(user) => call.caller_id(user),
                    None => call,
                };
                Box::pin(async { call.await.unwrap() })
            } else {
                let call = handle.who_am_i();
                let call = match overriding {
                    Some(user) => call.caller_id(user),
                    None => call,
                };
                Box::pin(async { call.await.unwrap().user_id })
            };
            batch.push((user, call));
            done += 1;
        }
        random.shuffle(&mut batch);
        for (user, call) in batch {
            let answered = call.await;
            assert_eq!(
                answered, user,
                "a call ran under a wrong identity; seed {seed}"
            );
        }
    }
}

async fn property(service: OrganizationServiceClient, tasks: usize, calls_each: usize) {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let tasks: Vec<_> = (0..tasks as u64)
        .map(|task| tokio::spawn(calls(service.clone(), calls_each, seed.wrapping_add(task))))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// IM-1: a million calls from concurrent handles with different callers, none under a wrong identity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_calls_none_under_a_wrong_identity() {
    let service = OrganizationServiceClient::builder("in-process")
        .over(Echo)
        .unwrap();
    property(service, 64, 1_000_000 / 64).await;
}

/// The same over real HTTP/2 connections, with the generated server at the other end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_over_http2() {
    let fake = Fake::default();
    let channel = over_duplex(fake.clone()).await;
    let service = OrganizationServiceClient::builder("in-process")
        .token("t")
        .over(channel)
        .unwrap();
    property(service, 16, 500).await;
    assert_eq!(fake.seen().len(), 16 * 500);
    assert!(
        fake.seen()
            .iter()
            .all(|seen| seen.authorization.as_deref() == Some("Bearer t"))
    );
}

/// An HTTP/2 channel to the fake, through memory.
async fn over_duplex(fake: Fake) -> Channel {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    tokio::spawn(
        Server::builder()
            .add_service(OrganizationServiceServer::new(fake))
            .serve_with_incoming(tokio_stream::once(Ok::<DuplexStream, std::io::Error>(
                theirs,
            ))),
    );
    let mut ours = Some(ours);
    Endpoint::from_static("http://fake")
        .connect_with_connector(tower::service_fn(move |_| {
            let stream = ours.take().expect("the channel connects once");
            async move { Ok::<_, std::io::Error>(TokioIo::new(stream)) }
        }))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_clone_has_an_identity_of_its_own() {
    let fake = Fake::default();
    let mut service = fake.client();
    service.caller_id = Some(Uuid::from_u128(0xA));
    let mut as_bob = service.clone();
    assert_eq!(
        as_bob.caller_id,
        Some(Uuid::from_u128(0xA)),
        "identity included"
    );
    as_bob.caller_id = Some(Uuid::from_u128(0xB));

    let made_before = service.who_am_i();
    service.caller_id = None;

    assert_eq!(
        as_bob.who_am_i().await.unwrap().user_id,
        Uuid::from_u128(0xB)
    );
    assert_eq!(service.who_am_i().await.unwrap().user_id, Uuid::nil());
    assert_eq!(
        made_before.await.unwrap().user_id,
        Uuid::from_u128(0xA),
        "taken when made"
    );
}

/// IM-1: only the caller id is sent when both are set. The override of one call replaces the identity of
/// the handle as a whole.
#[tokio::test]
async fn at_most_one_caller_key_is_sent() {
    let (ann, object) = (Uuid::from_u128(0xA), Uuid::from_u128(0xB));
    let fake = Fake::default();
    let mut service = fake.client();
    service.caller_id = Some(ann);
    service.caller_object_id = Some(object);
    service.who_am_i().await.unwrap();
    service.who_am_i().caller_object_id(object).await.unwrap();
    service.who_am_i().caller_id(Uuid::nil()).await.unwrap();
    service.caller_id = Some(Uuid::nil());
    service.who_am_i().await.unwrap();
    service.caller_object_id = None;
    service.who_am_i().await.unwrap();

    let keys: Vec<_> = fake
        .seen()
        .into_iter()
        .map(|seen| (seen.caller_id, seen.caller_object_id))
        .collect();
    let (ann, object) = (Some(ann.to_string()), Some(object.to_string()));
    assert_eq!(
        keys,
        [
            (ann, None),
            (None, object.clone()),
            (None, None),
            (None, object),
            (None, None),
        ]
    );
}

#[tokio::test]
async fn the_builder_sets_the_first_identity() {
    let fake = Fake::default();
    let ann = Uuid::from_u128(0xA);
    let builder = OrganizationServiceClient::builder("in-process");
    let service = fake.connect(builder.caller_id(ann));
    assert_eq!(service.who_am_i().await.unwrap().user_id, ann);
    assert_eq!(fake.seen()[0].authorization, None);
}
