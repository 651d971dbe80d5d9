//! From an encoded request to a decoded response: connections, metadata, deadline and repeats.
//!
//! Nothing here knows what an operation means. A message is encoded once, however often it is sent.

use std::{
    future::Future,
    marker::PhantomData,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::{Buf as _, BufMut as _, Bytes};
use orgservice::metadata_keys;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Body as HttpBody, Service, StdError, http, http::uri::PathAndQuery},
    metadata::{Ascii, MetadataKey, MetadataValue},
};
use tower::{ServiceExt as _, util::BoxCloneSyncService};
use uuid::Uuid;

use crate::{
    error::{Code, Error, TransportError},
    retry::{Failure, Repeat, RetryPolicy},
};

type BoxedService = BoxCloneSyncService<
    http::Request<tonic::body::Body>,
    http::Response<tonic::body::Body>,
    Status,
>;

/// A longer timeout than this is none, and tonic's header of it has no room for more than some thousand
/// years.
const TIMEOUT_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Anything that carries gRPC: one HTTP/2 connection, or a server in the same process.
#[derive(Clone)]
pub(crate) struct Transport(BoxedService);

impl Transport {
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<http::Request<tonic::body::Body>, Response = http::Response<B>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Error: Into<StdError>,
        S::Future: Future<Output = Result<http::Response<B>, S::Error>> + Send + 'static,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        Self(BoxCloneSyncService::new(
            service
                .map_response(|response: http::Response<B>| response.map(tonic::body::Body::new))
                .map_err(|error: S::Error| Status::from_error(error.into())),
        ))
    }
}

/// Whom a call runs for: at most one of the two caller keys is ever sent (IM-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The authenticated user itself.
    Authenticated,
    /// The user with this `systemuserid`.
    User(Uuid),
    /// The user with this directory object id.
    DirectoryObject(Uuid),
}

impl Identity {
    /// `caller_id` wins over `caller_object_id`; all-zero means "not set" (IM-1, GM-3).
    pub(crate) fn new(caller_id: Option<Uuid>, caller_object_id: Option<Uuid>) -> Self {
        let set = |id: Option<Uuid>| id.filter(|id| !id.is_nil());
        match (set(caller_id), set(caller_object_id)) {
            (Some(id), _) => Self::User(id),
            (None, Some(id)) => Self::DirectoryObject(id),
            (None, None) => Self::Authenticated,
        }
    }

    fn metadata(self) -> Option<(&'static str, Uuid)> {
        match self {
            Self::Authenticated => None,
            Self::User(id) => Some((metadata_keys::CALLER_ID, id)),
            Self::DirectoryObject(id) => Some((metadata_keys::CALLER_OBJECT_ID, id)),
        }
    }
}

/// One unary call, ready to be sent any number of times.
pub(crate) struct Outgoing {
    pub(crate) path: &'static str,
    pub(crate) body: Bytes,
    pub(crate) identity: Identity,
    pub(crate) timeout: Duration,
    pub(crate) repeat: Repeat,
}

/// What all clones of a handle share.
pub(crate) struct Shared {
    pub(crate) transports: Vec<Transport>,
    pub(crate) next: AtomicUsize,
    pub(crate) token: Option<MetadataValue<Ascii>>,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) message_size_limit: usize,
}

impl Shared {
    /// Sends a call and repeats it as [`RetryPolicy::next_delay`] decides.
    pub(crate) async fn call<R>(&self, outgoing: &Outgoing) -> Result<tonic::Response<R>, Error>
    where
        R: prost::Message + Default + 'static,
    {
        self.check_size(outgoing.body.len())?;
        let started = Instant::now();
        let timeout = outgoing.timeout.min(TIMEOUT_MAX);
        let deadline = started + timeout;
        let mut tried = 0;
        let mut may_have_run = false;
        loop {
            let attempt =
                self.attempt(outgoing, deadline.saturating_duration_since(Instant::now()));
            let error = match timeout_at(deadline, attempt).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => error,
                Err(_) => Error::deadline_exceeded(timeout),
            };
            tried += 1;
            may_have_run |= error.is_outcome_unknown();
            let delay = self.retry.next_delay(
                Failure::of(&error),
                outgoing.repeat,
                tried,
                started.elapsed(),
                fastrand::f64(),
            );
            match delay {
                Some(delay) if delay < deadline.saturating_duration_since(Instant::now()) => {
                    sleep(delay).await;
                }
                _ => return Err(after(error, may_have_run)),
            }
        }
    }

    async fn attempt<R>(
        &self,
        outgoing: &Outgoing,
        left: Duration,
    ) -> Result<tonic::Response<R>, Error>
    where
        R: prost::Message + Default + 'static,
    {
        let mut request = tonic::Request::new(outgoing.body.clone());
        request.set_timeout(left);
        let metadata = request.metadata_mut();
        if let Some(token) = &self.token {
            metadata.insert(metadata_keys::AUTHORIZATION, token.clone());
        }
        if let Some((key, id)) = outgoing.identity.metadata() {
            // A call must never go out without the identity it was given: fail instead.
            let value = MetadataValue::try_from(id.to_string())
                .map_err(|_| Error::Config(format!("the id {id} is no metadata value")))?;
            metadata.insert(MetadataKey::from_static(key), value);
        }
        let mut grpc = tonic::client::Grpc::new(self.pick().0)
            .max_decoding_message_size(self.message_size_limit)
            .max_encoding_message_size(self.message_size_limit);
        grpc.ready()
            .await
            .map_err(|status| Error::from_status(&status))?;
        let path = PathAndQuery::from_static(outgoing.path);
        grpc.unary(request, path, Encoded(PhantomData))
            .await
            .map_err(|status| Error::from_status(&status))
    }

    /// The connections take turns.
    fn pick(&self) -> Transport {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.transports[turn % self.transports.len()].clone()
    }

    fn check_size(&self, bytes: usize) -> Result<(), Error> {
        if bytes <= self.message_size_limit {
            return Ok(());
        }
        Err(Error::Transport(Box::new(TransportError {
            code: Code::OutOfRange,
            message: format!(
                "the request has {bytes} bytes, more than the limit `message_size_limit` of {}",
                self.message_size_limit
            ),
            unknown_outcome: false,
            not_sent: false,
        })))
    }
}

/// An earlier try may have run even if the last one certainly did not.
fn after(mut error: Error, may_have_run: bool) -> Error {
    if let Error::Transport(transport) = &mut error {
        transport.unknown_outcome |= may_have_run;
    }
    error
}

/// Sends bytes that are encoded already and decodes the answer.
struct Encoded<R>(PhantomData<fn() -> R>);

impl<R: prost::Message + Default + 'static> Codec for Encoded<R> {
    type Encode = Bytes;
    type Decode = R;
    type Encoder = Verbatim;
    type Decoder = Decode<R>;

    fn encoder(&mut self) -> Verbatim {
        Verbatim
    }

    fn decoder(&mut self) -> Decode<R> {
        Decode(PhantomData)
    }
}

struct Verbatim;

impl Encoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, bytes: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(bytes.len());
        buffer.put(bytes);
        Ok(())
    }
}

struct Decode<R>(PhantomData<fn() -> R>);

impl<R: prost::Message + Default> Decoder for Decode<R> {
    type Item = R;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<R>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        R::decode(bytes)
            .map(Some)
            .map_err(|error| Status::internal(format!("the response does not decode: {error}")))
    }
}
