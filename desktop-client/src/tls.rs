//! TLS towards servers: the system's authorities first, then trust on first use.
//!
//! Servers on a home network have a self-signed certificate. When no authority vouches for a certificate, its SHA-256 is compared with the
//! one that the person pinned for this `host:port`; an unknown or changed one refuses the connection with an [`UntrustedCertificate`], from
//! which the session asks the person. Trusting pins the fingerprint, and the next connection succeeds.
//!
//! A pin replaces the chain, the host name and the validity period, as a known host does in SSH. The handshake's signature is always
//! verified: knowing the certificate is not enough to pose as its owner.

mod host;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, OnceLock};

use call_core::session;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};

pub use host::{Fingerprint, FingerprintError, HostPort, HostPortError};

/// Makes *ring* the process's cryptography, once; call it first in `main`, for libraries that ask for the process's default.
pub fn install_provider() {
    // A second call finds it installed already: nothing to do.
    let _ = ring::default_provider().install_default();
}

/// Which servers we believe: those that an authority vouches for, and those that the person pinned.
#[derive(Debug, Clone)]
pub struct TrustStore {
    authorities: Arc<Authorities>,
    pins: BTreeMap<HostPort, Fingerprint>,
}

impl TrustStore {
    /// Trusts the system's authorities (Mozilla's list where the system has none) and these pins. The authorities are read when the first
    /// certificate is to be verified, so that a call without TLS costs nothing.
    pub fn new(pins: BTreeMap<HostPort, Fingerprint>) -> Self {
        Self { authorities: Arc::new(Authorities::new(system_roots)), pins }
    }

    /// Trusts these authorities only, and these pins.
    pub fn with_roots(roots: RootCertStore, pins: BTreeMap<HostPort, Fingerprint>) -> Self {
        Self { authorities: Arc::new(Authorities::new(move || roots.clone())), pins }
    }

    /// Trusts this certificate at this host from the next connection on.
    pub fn pin(&mut self, host: HostPort, fingerprint: Fingerprint) {
        self.pins.insert(host, fingerprint);
    }

    /// The configuration for connections with one host. It must not be used for any other: the pin is bound to the host.
    ///
    /// Fails only when the cryptography offers no TLS version at all.
    pub fn client_config(&self, host: &HostPort) -> Result<ClientConfig, rustls::Error> {
        let verifier = Verifier {
            authorities: Arc::clone(&self.authorities),
            pinned: self.pins.get(host).copied(),
            host: host.clone(),
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.authorities.provider))
            .with_safe_default_protocol_versions()?;
        Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
    }
}

/// A server's certificate that no authority vouches for and that the person has not pinned. Ask the person, pin, and connect again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct UntrustedCertificate {
    /// The server.
    pub host: HostPort,
    /// The certificate that it showed.
    pub fingerprint: Fingerprint,
    /// Another certificate is pinned for this host: an attack, or the server was set up anew.
    pub changed: bool,
    /// Why the authorities do not vouch for it.
    pub reason: String,
}

impl UntrustedCertificate {
    /// Finds it among the causes of a failed connection, however deep a library wrapped it.
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause)))) =
                error.downcast_ref()
                && let Some(found) = cause.downcast_ref::<Self>()
            {
                return Some(found.clone());
            }
            // The source of an I/O error is the source of what it wraps, which would skip the wrapped error itself.
            let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            next = match wrapped {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        None
    }

    /// The fact for the session, which asks the person.
    pub fn report(&self) -> session::UntrustedCertificate {
        session::UntrustedCertificate {
            host: self.host.to_string(),
            fingerprint: self.fingerprint.to_string(),
            changed: self.changed,
        }
    }

    fn sentence(&self) -> String {
        let Self { host, fingerprint, changed, reason } = self;
        if *changed {
            format!(
                "The certificate of {host} is not the one that was trusted before. Somebody may be listening in, or the server was set up \
                 anew: compare the fingerprint {fingerprint} with the one that the server shows."
            )
        } else {
            format!(
                "No authority vouches for the certificate of {host} ({reason}). Compare its fingerprint {fingerprint} with the one that the \
                 server shows, and trust it if they are the same."
            )
        }
    }
}

/// The authorities, read on first use.
struct Authorities {
    provider: Arc<CryptoProvider>,
    roots: Box<dyn Fn() -> RootCertStore + Send + Sync>,
    verifier: OnceLock<Result<Arc<WebPkiServerVerifier>, rustls::Error>>,
}

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorities")
            .field("verifier", &self.verifier.get().is_some())
            .finish_non_exhaustive()
    }
}

impl Authorities {
    fn new(roots: impl Fn() -> RootCertStore + Send + Sync + 'static) -> Self {
        Self {
            provider: Arc::new(ring::default_provider()),
            roots: Box::new(roots),
            verifier: OnceLock::new(),
        }
    }

    fn verifier(&self) -> Result<&WebPkiServerVerifier, rustls::Error> {
        let made = self.verifier.get_or_init(|| {
            WebPkiServerVerifier::builder_with_provider(Arc::new((self.roots)()), Arc::clone(&self.provider))
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))
        });
        made.as_deref().map_err(Clone::clone)
    }
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "a certificate of the system's authorities could not be read");
    }
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// Verifies the certificates of one host.
#[derive(Debug)]
struct Verifier {
    authorities: Arc<Authorities>,
    pinned: Option<Fingerprint>,
    host: HostPort,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let by_authority = self.authorities.verifier().and_then(|verifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        });
        let reason = match by_authority {
            Ok(verified) => return Ok(verified),
            Err(error) => reason_of(&error),
        };
        let fingerprint = Fingerprint::of(end_entity);
        if self.pinned == Some(fingerprint) {
            return Ok(ServerCertVerified::assertion());
        }
        let untrusted = UntrustedCertificate {
            host: self.host.clone(),
            fingerprint,
            changed: self.pinned.is_some(),
            reason,
        };
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.authorities.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.authorities.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why an authority does not vouch, in words that fit into a sentence.
fn reason_of(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(why) = error else { return error.to_string() };
    let reason = match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => "it is not signed by one of them",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host name"
        }
        CertificateError::Revoked => "it has been revoked",
        other => return other.to_string(),
    };
    reason.to_owned()
}
