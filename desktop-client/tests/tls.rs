//! Trust on first use against real TLS servers on loopback.
#![expect(clippy::unwrap_used, reason = "preparations that fail shall fail the test")]

mod support;

use std::collections::BTreeMap;

use call_core::session::{RestCall, RestFailure, RestOrder};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use roundtable::reach::ReachError;
use roundtable::rest::{self, RestClient, RestError};
use roundtable::tls::{Fingerprint, HostPort, TrustStore, UntrustedCertificate};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use support::{Server, self_signed, tls_config};
use url::Url;

fn no_pins() -> TrustStore {
    TrustStore::new(BTreeMap::new())
}

async fn get(url: &Url, trust: &TrustStore) -> Result<(), RestError> {
    RestClient::new(url, trust).unwrap().rooms().await.map(drop)
}

async fn refused(url: &Url, trust: &TrustStore) -> UntrustedCertificate {
    match get(url, trust).await {
        Err(RestError::Reach(ReachError::Untrusted(untrusted))) => untrusted,
        other => panic!("{other:?}"),
    }
}

/// A server with a certificate that is only its own word.
async fn self_signed_server(names: &[&str]) -> (Server, CertificateDer<'static>) {
    let made = self_signed(names);
    let certificate = made.cert.der().clone();
    (Server::tls(tls_config(vec![certificate.clone()], &made.signing_key), "[]").await, certificate)
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_and_trusted_after_pinning() {
    let (server, certificate) = self_signed_server(&["127.0.0.1"]).await;
    let url = server.url("/");
    let mut trust = no_pins();

    let untrusted = refused(&url, &trust).await;
    assert_eq!(untrusted.host.to_string(), server.address.to_string());
    assert_eq!(untrusted.fingerprint, Fingerprint::of(&certificate));
    assert!(!untrusted.changed);
    let prompt = untrusted.report();
    assert_eq!(
        (prompt.host, prompt.fingerprint),
        (server.address.to_string(), untrusted.fingerprint.to_string())
    );

    trust.pin(untrusted.host, untrusted.fingerprint);
    get(&url, &trust).await.unwrap();
}

#[tokio::test]
async fn the_session_hears_of_an_unknown_certificate_beside_the_failure() {
    let (server, certificate) = self_signed_server(&["127.0.0.1"]).await;
    let order = RestOrder { request: 1, server: server.url("").to_string(), call: RestCall::List };
    let (event, untrusted) = rest::perform(order, &no_pins()).await;
    assert!(matches!(event.result, Err(RestFailure::Unreachable(_))), "{event:?}");
    assert_eq!(untrusted.unwrap().fingerprint, Fingerprint::of(&certificate));
}

#[tokio::test]
async fn a_pinned_certificate_may_be_for_another_name() {
    let (server, certificate) = self_signed_server(&["somewhere.example"]).await;
    let url = server.url("/");
    let mut trust = no_pins();
    assert!(!refused(&url, &trust).await.changed);
    trust.pin(HostPort::of(&url).unwrap(), Fingerprint::of(&certificate));
    get(&url, &trust).await.unwrap();
}

#[tokio::test]
async fn a_changed_certificate_is_refused_as_changed() {
    let (server, _) = self_signed_server(&["127.0.0.1"]).await;
    let url = server.url("/");
    let mut trust = no_pins();
    let another = self_signed(&["127.0.0.1"]);
    trust.pin(HostPort::of(&url).unwrap(), Fingerprint::of(another.cert.der()));
    let untrusted = refused(&url, &trust).await;
    assert!(untrusted.changed);
    assert!(untrusted.to_string().contains("not the one that was trusted before"), "{untrusted}");
}

#[tokio::test]
async fn a_pin_holds_for_its_own_port_only() {
    let (server, certificate) = self_signed_server(&["127.0.0.1"]).await;
    let mut trust = no_pins();
    let other_port = HostPort::of(&"https://127.0.0.1:1".parse().unwrap()).unwrap();
    trust.pin(other_port, Fingerprint::of(&certificate));
    assert!(!refused(&server.url("/"), &trust).await.changed);
}

#[tokio::test]
async fn showing_a_pinned_certificate_without_its_key_is_not_enough() {
    let real = self_signed(&["127.0.0.1"]);
    let impostor = KeyPair::generate().unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut config = tls_config(vec![real.cert.der().clone()], &impostor);
        config = restrict(config, version);
        let server = Server::tls(config, "[]").await;
        let url = server.url("/");
        let mut trust = no_pins();
        trust.pin(HostPort::of(&url).unwrap(), Fingerprint::of(real.cert.der()));
        let error = get(&url, &trust).await.unwrap_err();
        assert!(matches!(error, RestError::Reach(ReachError::Tls(..))), "{version:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_pinned_server_may_speak_tls_1_2() {
    let made = self_signed(&["127.0.0.1"]);
    let config = tls_config(vec![made.cert.der().clone()], &made.signing_key);
    let server = Server::tls(restrict(config, &rustls::version::TLS12), "[]").await;
    let url = server.url("/");
    let mut trust = no_pins();
    trust.pin(HostPort::of(&url).unwrap(), Fingerprint::of(made.cert.der()));
    get(&url, &trust).await.unwrap();
}

/// The same server with one protocol version only.
fn restrict(
    config: rustls::ServerConfig,
    version: &'static rustls::SupportedProtocolVersion,
) -> rustls::ServerConfig {
    rustls::ServerConfig::builder_with_provider(config.crypto_provider().clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(config.cert_resolver)
}

/// An authority of our own, and a server with a certificate that it signed for this name.
async fn vouched_for(name: &str) -> (Server, RootCertStore) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&ca_key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();

    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(params, ca_key)).unwrap();
    (Server::tls(tls_config(vec![leaf.der().clone()], &key), "[]").await, roots)
}

#[tokio::test]
async fn what_an_authority_vouches_for_needs_no_pin() {
    let (server, roots) = vouched_for("127.0.0.1").await;
    get(&server.url("/"), &TrustStore::with_roots(roots, BTreeMap::new())).await.unwrap();
}

#[tokio::test]
async fn what_an_authority_vouches_for_must_be_for_this_host() {
    let (server, roots) = vouched_for("somewhere.example").await;
    let untrusted = refused(&server.url("/"), &TrustStore::with_roots(roots, BTreeMap::new())).await;
    assert!(untrusted.to_string().contains("it is for another host name"), "{untrusted}");
}

#[tokio::test]
async fn an_authority_that_the_system_does_not_know_is_unknown() {
    let (server, _) = vouched_for("127.0.0.1").await;
    let untrusted = refused(&server.url("/"), &no_pins()).await;
    assert!(untrusted.to_string().contains("not signed by one of them"), "{untrusted}");
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let server = Server::raw(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let mut url = server.url("/");
    url.set_scheme("https").unwrap();
    let error = get(&url, &no_pins()).await.unwrap_err();
    assert!(matches!(error, RestError::Reach(ReachError::NotTls(_))), "{error:?}");
}

#[tokio::test]
async fn a_server_with_tls_that_is_asked_without_is_told() {
    let (server, _) = self_signed_server(&["127.0.0.1"]).await;
    let mut url = server.url("/");
    url.set_scheme("http").unwrap();
    let error = get(&url, &no_pins()).await.unwrap_err();
    assert!(matches!(error, RestError::Reach(ReachError::NotHttp(_) | ReachError::Closed(_))), "{error}");
}
