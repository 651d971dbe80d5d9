//! The listener: every limit of a connection, TLS, health, reflection, and the drain at the end.

use std::time::Duration;

use orgservice::v1::{
    admin_service_server::AdminServiceServer,
    organization_service_server::OrganizationServiceServer,
};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};
use tonic::{
    server::NamedService,
    transport::{self, Identity, Server, ServerTlsConfig},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_reflection::server as reflection;

use super::{
    admin_service::AdminServiceHandler, gate::Gate, incoming::incoming, length::Budget,
    organization_service::OrganizationServiceHandler,
};
use crate::{limits, organization::Organization};

/// How to serve, beyond the limits that nobody chooses.
#[derive(Clone, Debug)]
pub struct TransportOptions {
    /// The certificate to show; `None` serves without TLS.
    pub tls: Option<TlsOptions>,
    /// Whether to serve reflection, by which tools learn the contract.
    pub reflection: bool,
    /// How long open calls may go on once the server is asked to stop.
    pub drain: Duration,
}

/// A certificate chain and its private key, both PEM.
#[derive(Clone)]
pub struct TlsOptions {
    /// The chain, the server's own certificate first.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

impl TlsOptions {
    /// Whether they can be used: to be asked before anything is opened.
    ///
    /// # Errors
    /// [`ServeError::Tls`].
    pub fn check(&self) -> Result<(), ServeError> {
        builder(Some(self.clone())).map(drop)
    }
}

impl std::fmt::Debug for TlsOptions {
    /// Says nothing of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsOptions").finish_non_exhaustive()
    }
}

/// Why a server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate or its key cannot be used.
    #[error("`tls_certificate` and `tls_key` cannot be used together: {0}")]
    Tls(String),
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Transport(#[from] transport::Error),
    /// The descriptors of the contract are broken.
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] reflection::Error),
}

type Organizations = Gate<OrganizationServiceServer<OrganizationServiceHandler>>;
type Admins = Gate<AdminServiceServer<AdminServiceHandler>>;

/// Serves an organization until `shutdown` is ready, and then until open calls have ended or the
/// time to drain is over.
///
/// # Errors
/// [`ServeError`] if serving could not begin or the listener failed.
pub async fn serve(
    listener: TcpListener,
    organization: Organization,
    options: TransportOptions,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    let budget = Budget::new(limits::REQUEST_BYTES_IN_FLIGHT_MAX);
    let organizations = Gate::new(
        OrganizationServiceServer::new(OrganizationServiceHandler::new(organization.clone()))
            .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
            .max_encoding_message_size(limits::MESSAGE_BYTES_MAX),
        organization.clone(),
        budget.clone(),
    );
    let admins = Gate::new(
        AdminServiceServer::new(AdminServiceHandler::new(organization.clone()))
            .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
            .max_encoding_message_size(limits::MESSAGE_BYTES_MAX),
        organization,
        budget,
    );
    let reflection_v1 = options
        .reflection
        .then(|| descriptors().build_v1())
        .transpose()?;
    // The only version that older grpcurl knows.
    let reflection_v1alpha = options
        .reflection
        .then(|| descriptors().build_v1alpha())
        .transpose()?;
    let router = builder(options.tls)?
        .add_service(health_service)
        .add_service(organizations)
        .add_service(admins)
        .add_optional_service(reflection_v1)
        .add_optional_service(reflection_v1alpha);

    report(&health, ServingStatus::Serving).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = router.serve_with_incoming_shutdown(incoming(listener), async {
        // Stopped by a word or because nobody is left to say it.
        let _ = stopped.await;
    });
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return Ok(ended?),
        () = shutdown => {}
    }
    tracing::info!(
        seconds = options.drain.as_secs(),
        "draining: no new calls are accepted"
    );
    report(&health, ServingStatus::NotServing).await;
    let _ = stop.send(());
    match timeout(options.drain, serving).await {
        Ok(ended) => Ok(ended?),
        Err(_) => {
            tracing::warn!("calls were still open when the time to drain was over");
            Ok(())
        }
    }
}

/// A server with every limit stated; tonic has none of its own for most of them.
///
/// There is no grace after the age of a connection on purpose: with one, tonic cuts a connection
/// without asking it to end first.
fn builder(tls: Option<TlsOptions>) -> Result<Server, ServeError> {
    let keepalive = Duration::from_secs(limits::KEEPALIVE_SECONDS);
    let server = Server::builder()
        .max_concurrent_streams(limits::CONCURRENT_STREAMS_MAX)
        .http2_max_header_list_size(limits::METADATA_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(limits::PENDING_RESET_STREAMS_MAX))
        .http2_max_local_error_reset_streams(Some(limits::LOCAL_ERROR_RESET_STREAMS_MAX))
        .http2_keepalive_interval(Some(keepalive))
        .http2_keepalive_timeout(Some(keepalive))
        .max_connection_age(Duration::from_secs(limits::CONNECTION_MINUTES_MAX * 60));
    let Some(tls) = tls else { return Ok(server) };
    let config = ServerTlsConfig::new()
        .identity(Identity::from_pem(tls.certificate, tls.key))
        .timeout(Duration::from_secs(limits::TLS_HANDSHAKE_SECONDS_MAX));
    server.tls_config(config).map_err(|error| {
        let cause = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), |cause| cause.to_string());
        ServeError::Tls(cause)
    })
}

/// The contract, health, and the types of error details, so that tools print them (GX-2).
fn descriptors() -> reflection::Builder<'static> {
    reflection::Builder::configure()
        .register_encoded_file_descriptor_set(orgservice::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

/// Sets the health of the server as a whole and of each service.
async fn report(health: &HealthReporter, status: ServingStatus) {
    for name in ["", Organizations::NAME, Admins::NAME] {
        health.set_service_status(name, status).await;
    }
}
