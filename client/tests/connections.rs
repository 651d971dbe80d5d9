//! Real connections: how many there are, what a cut one means, and that the next call makes a new one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper_util::rt::TokioIo;
use orgservice::v1::organization_service_server::OrganizationServiceServer;
use orgservice_client::{Entity, Error, OrganizationServiceClient, RetryPolicy};
use support::Fake;
use tokio::{
    io::{AsyncReadExt as _, DuplexStream},
    net::TcpListener,
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint, Server};

async fn listen(fake: &Fake) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(
        Server::builder()
            .add_service(OrganizationServiceServer::new(fake.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    address
}

#[tokio::test]
async fn connections_take_turns() {
    let fake = Fake::default();
    let address = format!("http://{}", listen(&fake).await);
    let service = OrganizationServiceClient::builder(address)
        .token("t")
        .connections(3)
        .connect()
        .await
        .unwrap();
    for _ in 0..9 {
        service.clone().who_am_i().await.unwrap();
    }
    let peers: Vec<_> = fake
        .seen()
        .into_iter()
        .map(|seen| seen.peer.unwrap())
        .collect();
    let connections: BTreeSet<_> = peers.iter().copied().collect();
    assert_eq!(connections.len(), 3);
    for connection in connections {
        assert_eq!(peers.iter().filter(|peer| **peer == connection).count(), 3);
    }
}

#[tokio::test]
async fn a_lazy_client_connects_with_its_first_call() {
    let fake = Fake::default();
    let address = format!("http://{}", listen(&fake).await);
    let service = OrganizationServiceClient::builder(address)
        .connect_lazy()
        .unwrap();
    assert!(fake.seen().is_empty());
    service.who_am_i().await.unwrap();
    assert_eq!(fake.seen().len(), 1);
}

/// A channel whose first connections are cut as soon as the request has arrived; later ones reach the
/// fake.
fn cut_first(fake: &Fake, cuts: usize) -> (Channel, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let (fake, counter) = (fake.clone(), Arc::clone(&made));
    let connector = tower::service_fn(move |_| {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        if counter.fetch_add(1, Ordering::SeqCst) < cuts {
            tokio::spawn(read_and_cut(theirs));
        } else {
            tokio::spawn(
                Server::builder()
                    .add_service(OrganizationServiceServer::new(fake.clone()))
                    .serve_with_incoming(tokio_stream::once(Ok::<_, io::Error>(theirs))),
            );
        }
        async move { Ok::<_, io::Error>(TokioIo::new(ours)) }
    });
    (
        Endpoint::from_static("http://fake").connect_with_connector_lazy(connector),
        made,
    )
}

/// Reads the HTTP/2 preface, its settings and the first headers, then hangs up.
async fn read_and_cut(mut stream: DuplexStream) {
    let mut received = Vec::new();
    let mut buffer = [0; 1024];
    // The path is in the first headers, and only there: literal in HPACK unless Huffman-coded, so the
    // length decides. A preface with settings has less than 100 bytes.
    while received.len() < 150 {
        let read = stream.read(&mut buffer).await.unwrap();
        if read == 0 {
            break;
        }
        received.extend_from_slice(&buffer[..read]);
    }
}

fn eager() -> RetryPolicy {
    RetryPolicy {
        first_delay: Duration::ZERO,
        ..RetryPolicy::default()
    }
}

/// A connection that breaks while a call is under way: the call may have run. A write with an id is
/// repeated over a new connection.
#[tokio::test]
async fn a_cut_connection_is_replaced() {
    let fake = Fake::default();
    let (channel, made) = cut_first(&fake, 2);
    let service = OrganizationServiceClient::builder("in-process")
        .retry(eager())
        .over(channel)
        .unwrap();
    service.create(Entity::new("account")).await.unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 3);
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_cut_leaves_the_outcome_of_a_write_unknown() {
    let fake = Fake::default();
    let (channel, _) = cut_first(&fake, 1);
    let service = OrganizationServiceClient::builder("in-process")
        .retry(eager())
        .over(channel)
        .unwrap();
    let error = service
        .create(Entity::new("account"))
        .without_request_id()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert!(error.is_retryable(), "{error:?}");
    assert!(fake.seen().is_empty(), "it was not repeated");

    // The handle is as good as before.
    service
        .create(Entity::new("account"))
        .without_request_id()
        .await
        .unwrap();
}
