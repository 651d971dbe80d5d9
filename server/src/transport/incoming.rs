//! Connections as they are accepted: without Nagle's delay, not more than a bound, and not for ever
//! without a word.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Sleep, sleep},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::limits;

/// Bytes a client sends before anything else: the HTTP/2 preface. A TLS greeting is longer.
const PREFACE: usize = 24;

/// Pause after a failed accept. Out of file descriptors, the next one would fail at once as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the stream is dropped.
pub(super) fn incoming(listener: TcpListener) -> ReceiverStream<io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::select! {
            () = accept(listener, &sender) => {}
            () = sender.closed() => {}
        }
    });
    ReceiverStream::new(receiver)
}

async fn accept(listener: TcpListener, sender: &mpsc::Sender<io::Result<Connection>>) {
    let slots = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    // The semaphore is never closed.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without this small answers wait for an acknowledgement, tens of milliseconds.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%peer, %error, "a connection ended before it began");
                    continue;
                }
                if sender
                    .send(Ok(Connection::new(stream, slot)))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A connection that holds its place among all of them, and fails if its client stays silent.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    silence: Option<Pin<Box<Sleep>>>,
    received: usize,
    _slot: OwnedSemaphorePermit,
}

/// Ends when a silent client has had its time.
fn patience(time: Duration) -> Pin<Box<Sleep>> {
    Box::pin(sleep(time))
}

impl Connection {
    fn new(stream: TcpStream, slot: OwnedSemaphorePermit) -> Self {
        let silence = patience(Duration::from_secs(limits::CONNECTION_PREFACE_SECONDS_MAX));
        Connection {
            stream,
            silence: Some(silence),
            received: 0,
            _slot: slot,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let Some(silence) = &mut this.silence {
            this.received += buffer.filled().len() - before;
            if this.received >= PREFACE {
                this.silence = None;
            } else if read.is_pending() && silence.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_stream::StreamExt as _;

    use super::*;

    async fn pair() -> (
        TcpStream,
        Connection,
        ReceiverStream<io::Result<Connection>>,
    ) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut incoming = incoming(listener);
        let client = TcpStream::connect(address).await.unwrap();
        let connection = incoming.next().await.unwrap().unwrap();
        (client, connection, incoming)
    }

    #[tokio::test]
    async fn connections_have_no_nagle_delay() {
        let (_client, connection, _incoming) = pair().await;
        assert!(connection.stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_silent_client_is_let_go_and_one_that_spoke_may_be_silent() {
        let (mut client, mut connection, _incoming) = pair().await;
        // The end of the clock stands for the bound: nothing here waits for it.
        connection.silence = Some(patience(Duration::ZERO));
        let mut buffer = [0; 64];
        let error = connection.read(&mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        client.write_all(&[b'x'; PREFACE]).await.unwrap();
        connection.silence = Some(patience(Duration::from_secs(60)));
        let mut preface = [0; PREFACE];
        connection.read_exact(&mut preface).await.unwrap();
        assert!(connection.silence.is_none());
    }

    #[tokio::test]
    async fn the_listener_is_closed_with_the_stream() {
        let (client, _connection, incoming) = pair().await;
        let address = client.peer_addr().unwrap();
        drop(incoming);
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
