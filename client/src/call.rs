//! [`Call`]: a request about to be sent. Every method of the client returns one; `.await` sends it.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use orgservice::metadata_keys;
use prost::Message as _;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use crate::{
    error::{ConvertError, Error},
    retry::Repeat,
    transport::{Identity, Outgoing, Shared},
    v1,
    value::Value,
};

/// One operation of the services. Implemented by the types of [`operations`](crate::operations) only.
pub trait Operation: sealed::Wire {
    /// What the call answers.
    type Output: Send + 'static;

    #[doc(hidden)]
    fn output(response: Self::Response) -> Result<Self::Output, ConvertError>;
}

pub(crate) mod sealed {
    use super::v1;

    /// What the server makes of a repeated call.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Effect {
        /// It changes nothing, or a second time nothing more.
        Harmless,
        /// It writes, and a repeat with the same request id is answered from memory (GO-2).
        Remembered,
        /// It writes, and a repeat would write again.
        Forgotten,
    }

    /// How an operation looks on the wire.
    pub trait Wire: Send + Sized + 'static {
        const PATH: &'static str;
        const EFFECT: Effect;
        type Request: prost::Message + 'static;
        type Response: prost::Message + Default + 'static;

        fn into_request(self, options: v1::RequestOptions) -> Self::Request;
    }
}

use sealed::Effect;

/// Where the request id of a call comes from.
#[derive(Clone, Copy, Debug)]
enum RequestId {
    /// The SDK makes one for every write that the server remembers.
    Automatic,
    Given(Uuid),
    Without,
}

/// A request about to be sent: options can be set, `.await` sends it.
///
/// It has taken its identity from the handle when it was made; changing the handle afterwards does not
/// change it. It owns all it needs, so it can be moved into another task.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<O> {
    shared: Arc<Shared>,
    identity: Identity,
    pub(crate) operation: O,
    options: v1::RequestOptions,
    request_id: RequestId,
    timeout: Duration,
}

impl<O> Call<O> {
    pub(crate) fn new(shared: Arc<Shared>, identity: Identity, operation: O) -> Self {
        let timeout = shared.timeout;
        Self {
            shared,
            identity,
            operation,
            options: v1::RequestOptions::default(),
            request_id: RequestId::Automatic,
            timeout,
        }
    }

    /// Runs this call for a user, whatever the handle says. The all-zero id: for the authenticated user
    /// itself (GM-3).
    pub fn caller_id(mut self, user: Uuid) -> Self {
        self.identity = Identity::new(Some(user), None);
        self
    }

    /// Runs this call for the user with a directory object id, whatever the handle says.
    pub fn caller_object_id(mut self, object: Uuid) -> Self {
        self.identity = Identity::new(None, Some(object));
        self
    }

    /// The id by which the server recognizes a repeat of this call for 10 minutes (GO-2). The SDK makes
    /// one for every write; give your own to be safe across restarts of your program, too.
    pub fn request_id(mut self, id: Uuid) -> Self {
        self.request_id = RequestId::Given(id);
        self
    }

    /// Sends no request id. Then a write is not repeated after a failure that leaves its outcome unknown.
    pub fn without_request_id(mut self) -> Self {
        self.request_id = RequestId::Without;
        self
    }

    /// Time for this call, repeats included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets an optional parameter of the message that has no method of its own (messages 1.9).
    pub fn option(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options
            .parameters
            .insert(name.into(), value.into().into());
        self
    }

    /// A text that plug-ins see as the shared variable `tag`.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.options.tag = tag.into();
        self
    }

    /// `false` runs duplicate detection, `true` does not; unset means `true` (CR-14).
    pub fn suppress_duplicate_detection(mut self, suppress: bool) -> Self {
        self.options.suppress_duplicate_detection = Some(suppress);
        self
    }

    /// Skips synchronous custom logic. Needs `prvBypassCustomBusinessLogic`.
    pub fn bypass_custom_sync(self) -> Self {
        self.bypass(v1::BypassLogic::CustomSync)
    }

    /// Skips asynchronous custom logic. Needs `prvBypassCustomBusinessLogic`.
    pub fn bypass_custom_async(self) -> Self {
        self.bypass(v1::BypassLogic::CustomAsync)
    }

    fn bypass(mut self, logic: v1::BypassLogic) -> Self {
        self.options
            .bypass_business_logic_execution
            .push(logic.into());
        self
    }

    /// The same call with another operation; its options stay.
    pub(crate) fn with_operation<P>(self, operation: impl FnOnce(O) -> P) -> Call<P> {
        Call {
            shared: self.shared,
            identity: self.identity,
            operation: operation(self.operation),
            options: self.options,
            request_id: self.request_id,
            timeout: self.timeout,
        }
    }
}

impl<O: Operation> Call<O> {
    /// Sends the call; the same as awaiting it.
    ///
    /// # Errors
    /// [`Error::Fault`] when the server refuses, [`Error::Transport`] when it cannot be reached in time,
    /// [`Error::Convert`] when the answer does not fit.
    pub async fn send(self) -> Result<O::Output, Error> {
        self.send_with_info().await.map(|(output, _)| output)
    }

    /// Sends the call, and answers what the server says about the call itself, too (GM-6).
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_with_info(mut self) -> Result<(O::Output, CallInfo), Error> {
        let request_id = match (self.request_id, O::EFFECT) {
            (RequestId::Given(id), _) => Some(id),
            (RequestId::Automatic, Effect::Remembered) => Some(Uuid::now_v7()),
            (RequestId::Automatic | RequestId::Without, _) => None,
        };
        let repeat = match (O::EFFECT, request_id) {
            (Effect::Harmless, _) | (Effect::Remembered, Some(_)) => Repeat::Harmless,
            (Effect::Remembered, None) | (Effect::Forgotten, _) => Repeat::Harmful,
        };
        if let Some(id) = request_id {
            self.options.request_id = id.to_string();
        }
        let request = self.operation.into_request(self.options);
        let response = self
            .shared
            .call::<O::Response>(&Outgoing {
                path: O::PATH,
                body: request.encode_to_vec().into(),
                identity: self.identity,
                timeout: self.timeout,
                repeat,
            })
            .await?;
        let info = CallInfo::from_metadata(response.metadata());
        Ok((O::output(response.into_inner())?, info))
    }
}

/// What the server says about a call itself: its response metadata (GM-6, SP-6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallInfo {
    /// The server's id of the call, which its log and audit show.
    pub request_id: Option<String>,
    /// The user that an impersonated call ran for.
    pub effective_user_id: Option<Uuid>,
    /// Requests left in the current window, if the server limits them.
    pub remaining_requests: Option<u64>,
    /// Execution time left in the current window, if the server limits it.
    pub remaining_time: Option<Duration>,
}

impl CallInfo {
    fn from_metadata(metadata: &MetadataMap) -> Self {
        let text = |key: &str| metadata.get(key).and_then(|value| value.to_str().ok());
        let number = |key: &str| text(key).and_then(|text| text.parse().ok());
        Self {
            request_id: text(metadata_keys::REQUEST_ID).map(str::to_owned),
            effective_user_id: text(metadata_keys::EFFECTIVE_USER_ID)
                .and_then(|id| Uuid::try_parse(id).ok()),
            remaining_requests: number(metadata_keys::RATELIMIT_REMAINING_REQUESTS),
            remaining_time: number(metadata_keys::RATELIMIT_REMAINING_TIME_MS)
                .map(Duration::from_millis),
        }
    }
}

impl<O: Operation> IntoFuture for Call<O> {
    type Output = Result<O::Output, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<O> fmt::Debug for Call<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &std::any::type_name::<O>())
            .field("identity", &self.identity)
            .field("request_id", &self.request_id)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
