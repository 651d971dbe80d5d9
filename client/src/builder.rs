//! [`ClientBuilder`]: where the server is, who we are, and how patient.

use std::{fmt, future::Future, net::IpAddr, sync::atomic::AtomicUsize, time::Duration};

use bytes::Bytes;
use tonic::{
    codegen::{Body as HttpBody, Service, StdError, http},
    metadata::MetadataValue,
    transport::{Certificate, ClientTlsConfig, Endpoint},
};
use uuid::Uuid;

use crate::{
    client::OrganizationServiceClient,
    error::Error,
    retry::RetryPolicy,
    transport::{Shared, Transport},
};

/// The server ends a call after two minutes anyway unless the client asks for less (messages 10).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// A connection that takes longer than this will hardly come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Notices a dead peer between calls: proxies forget idle connections without a word (grpc 12).
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// More connections than this to one server serve nobody.
const CONNECTIONS_MAX: usize = 64;

/// Settings of a connection; [`OrganizationServiceClient::builder`] makes one.
///
/// ```no_run
/// # use std::time::Duration;
/// # use orgservice_client::{OrganizationServiceClient, RetryPolicy};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let service = OrganizationServiceClient::builder("https://crm.example:50051")
///     .token(std::env::var("ORG_TOKEN")?)
///     .timeout(Duration::from_secs(30))
///     .retry(RetryPolicy::default())
///     .connections(4)
///     .connect()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "a builder connects nothing until `connect` is called"]
pub struct ClientBuilder {
    address: String,
    token: Option<String>,
    timeout: Duration,
    retry: RetryPolicy,
    caller_id: Option<Uuid>,
    caller_object_id: Option<Uuid>,
    connections: usize,
    ca_certificate: Option<Vec<u8>>,
    message_size_limit: usize,
    plaintext_token: bool,
}

impl ClientBuilder {
    pub(crate) fn new(address: String) -> Self {
        Self {
            address,
            token: None,
            timeout: DEFAULT_TIMEOUT,
            retry: RetryPolicy::default(),
            caller_id: None,
            caller_object_id: None,
            connections: 1,
            ca_certificate: None,
            message_size_limit: orgservice::MESSAGE_SIZE_LIMIT,
            plaintext_token: false,
        }
    }

    /// The token of the authenticated user.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Time for each call, repeats included; 2 minutes unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often and for how long calls are repeated.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The user to act for, by `systemuserid`.
    pub fn caller_id(mut self, user: Uuid) -> Self {
        self.caller_id = Some(user);
        self
    }

    /// The user to act for, by directory object id.
    pub fn caller_object_id(mut self, object: Uuid) -> Self {
        self.caller_object_id = Some(object);
        self
    }

    /// Number of HTTP/2 connections that the calls share in turns, 1 to 64; 1 unless set. One carries many
    /// calls at once; more help when a single TCP stream is the bottleneck.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Trusts servers whose certificate this one has signed, besides those that the public authorities
    /// vouch for. PEM.
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(pem.into());
        self
    }

    /// Bytes that one message may have, in both directions; 64 MiB unless set. The server has its own limit.
    pub fn message_size_limit(mut self, bytes: usize) -> Self {
        self.message_size_limit = bytes;
        self
    }

    /// Sends the token over `http://` to other hosts than this one. Whoever reads the network then holds
    /// the token: only for networks that are protected by other means.
    pub fn allow_plaintext_token(mut self) -> Self {
        self.plaintext_token = true;
        self
    }

    /// Connects, and fails if the server cannot be reached. Sends no request.
    ///
    /// # Errors
    /// [`Error::Config`] for settings that cannot work, [`Error::Transport`] if there is no connection.
    pub async fn connect(self) -> Result<OrganizationServiceClient, Error> {
        let endpoint = self.endpoint()?;
        let mut transports = Vec::with_capacity(self.connections);
        for _ in 0..self.connections {
            let channel = endpoint
                .connect()
                .await
                .map_err(|error| Error::not_sent(&error))?;
            transports.push(Transport::new(channel));
        }
        self.finish(transports)
    }

    /// Connects with the first call. Needs a running tokio runtime.
    ///
    /// # Errors
    /// [`Error::Config`] for settings that cannot work.
    pub fn connect_lazy(self) -> Result<OrganizationServiceClient, Error> {
        let endpoint = self.endpoint()?;
        let transports = (0..self.connections)
            .map(|_| Transport::new(endpoint.connect_lazy()))
            .collect();
        self.finish(transports)
    }

    /// Sends the calls through a given service instead of a connection of its own: a channel with another
    /// connector, or a server in the same process. The address is not used.
    ///
    /// # Errors
    /// [`Error::Config`] for settings that cannot work.
    pub fn over<S, B>(self, service: S) -> Result<OrganizationServiceClient, Error>
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
        self.finish(vec![Transport::new(service)])
    }

    fn endpoint(&self) -> Result<Endpoint, Error> {
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            return Err(Error::Config(format!(
                "`connections` is {}, but must be from 1 to {CONNECTIONS_MAX}",
                self.connections
            )));
        }
        let invalid = |error: tonic::transport::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            Error::Config(format!(
                "cannot connect to `{}`: {}",
                self.address,
                cause.unwrap_or_else(|| error.to_string())
            ))
        };
        let endpoint = Endpoint::from_shared(self.address.clone())
            .map_err(invalid)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_while_idle(true)
            .http2_adaptive_window(true);
        match endpoint.uri().scheme_str() {
            Some("https") => {
                let mut tls = ClientTlsConfig::new().with_enabled_roots();
                if let Some(pem) = &self.ca_certificate {
                    tls = tls.ca_certificate(Certificate::from_pem(pem));
                }
                endpoint.tls_config(tls).map_err(invalid)
            }
            Some("http") if self.ca_certificate.is_some() => Err(Error::Config(format!(
                "a CA certificate is given, but `{}` is not https",
                self.address
            ))),
            Some("http")
                if self.token.is_some() && !self.plaintext_token && !is_loopback(&endpoint) =>
            {
                Err(Error::Config(format!(
                    "the token would travel unencrypted to `{}`: use https, or `allow_plaintext_token`",
                    self.address
                )))
            }
            Some("http") => Ok(endpoint),
            _ => Err(Error::Config(format!(
                "the address `{}` must begin with http:// or https://",
                self.address
            ))),
        }
    }

    fn finish(self, transports: Vec<Transport>) -> Result<OrganizationServiceClient, Error> {
        let token = self
            .token
            .map(|token| {
                let mut value = MetadataValue::try_from(format!("Bearer {token}"))
                    .map_err(|_| Error::Config("the token is not printable ASCII".to_owned()))?;
                // Keeps it out of debug output and out of the header compression's table.
                value.set_sensitive(true);
                Ok::<_, Error>(value)
            })
            .transpose()?;
        let shared = Shared {
            transports,
            next: AtomicUsize::new(0),
            token,
            timeout: self.timeout,
            retry: self.retry,
            message_size_limit: self.message_size_limit,
        };
        Ok(OrganizationServiceClient::new(
            shared,
            self.caller_id,
            self.caller_object_id,
        ))
    }
}

fn is_loopback(endpoint: &Endpoint) -> bool {
    let host = endpoint.uri().host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for ClientBuilder {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("address", &self.address)
            .field("caller_id", &self.caller_id)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn refusal(builder: ClientBuilder) -> Option<String> {
        match builder.endpoint() {
            Ok(_) => None,
            Err(Error::Config(message)) => Some(message),
            Err(other) => Some(format!("not a configuration error: {other:?}")),
        }
    }

    #[test]
    fn a_token_stays_off_open_networks() {
        let with_token = |address: &str| ClientBuilder::new(address.into()).token("t");
        for address in [
            "http://localhost:1",
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "https://crm.example",
        ] {
            assert_eq!(refusal(with_token(address)), None, "{address}");
        }
        for address in [
            "http://crm.example:1",
            "http://10.0.0.1:1",
            "http://localhost.example:1",
        ] {
            let message = refusal(with_token(address)).unwrap();
            assert!(message.contains("unencrypted"), "{message}");
            assert_eq!(refusal(with_token(address).allow_plaintext_token()), None);
        }
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let message =
            refusal(ClientBuilder::new("http://localhost".into()).connections(0)).unwrap();
        assert_eq!(message, "`connections` is 0, but must be from 1 to 64");
        assert!(refusal(ClientBuilder::new("crm.example:50051".into())).is_some());
        assert!(refusal(ClientBuilder::new("not an address".into())).is_some());
        let plain = ClientBuilder::new("http://localhost".into()).ca_certificate("pem");
        assert!(refusal(plain).unwrap().contains("not https"));
    }

    #[tokio::test]
    async fn the_token_is_never_shown() {
        let builder = ClientBuilder::new("http://localhost:1".into()).token("secret");
        assert!(!format!("{builder:?}").contains("secret"));
        let service = builder.connect_lazy().unwrap();
        assert!(!format!("{service:?} {:?}", service.who_am_i()).contains("secret"));
        let broken = ClientBuilder::new("http://localhost:1".into())
            .token("a\nb")
            .connect_lazy();
        assert!(matches!(broken, Err(Error::Config(_))));
    }
}
