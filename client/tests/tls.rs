//! `https`: the server must show a certificate of a trusted authority, for the name it is reached by.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use orgservice::v1::organization_service_server::OrganizationServiceServer;
use orgservice_client::{Error, OrganizationServiceClient, RetryPolicy};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use support::Fake;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Identity, Server, ServerTlsConfig};

/// An authority, as PEM, and a server with a certificate of it for `localhost`.
async fn listen(fake: &Fake) -> (String, u16) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let identity = Identity::from_pem(certificate.pem(), key.serialize_pem());
    tokio::spawn(
        Server::builder()
            .tls_config(ServerTlsConfig::new().identity(identity))
            .unwrap()
            .add_service(OrganizationServiceServer::new(fake.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    (authority.pem(), port)
}

#[tokio::test]
async fn a_trusted_certificate_for_the_right_name() {
    let fake = Fake::default();
    let (authority, port) = listen(&fake).await;
    let connect = |host: &str, trusted: bool| {
        let builder = OrganizationServiceClient::builder(format!("https://{host}:{port}"))
            .token("secret")
            .retry(RetryPolicy::none());
        let builder = if trusted {
            builder.ca_certificate(authority.as_str())
        } else {
            builder
        };
        builder.connect()
    };

    let service = connect("localhost", true).await.unwrap();
    service.who_am_i().await.unwrap();
    assert_eq!(
        fake.seen()[0].authorization.as_deref(),
        Some("Bearer secret")
    );

    // An authority that nobody trusts, and a name that the certificate is not for: no token is sent.
    for (host, trusted) in [("localhost", false), ("127.0.0.1", true)] {
        let error = connect(host, trusted).await.unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{host}: {error:?}");
        assert!(error.to_string().contains("certificate"), "{host}: {error}");
        assert!(!error.is_outcome_unknown());
    }
    assert_eq!(fake.seen().len(), 1);
}
