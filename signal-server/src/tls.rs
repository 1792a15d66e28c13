//! TLS: a certificate from elsewhere, or one that the server makes for itself once and keeps, so that whoever has accepted or pinned it is not
//! asked again after a restart.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::settings::Tls;

/// The file in the data folder: what it is and until when, the certificate, the key.
const FILE_NAME: &str = "self-signed.pem";

/// How long a certificate of ours is valid. Apple's systems refuse more than 825 days, whoever signed.
const VALIDITY: Duration = Duration::days(820);

/// A certificate that ends sooner than this is replaced at start.
const RENEW_BEFORE: Duration = Duration::days(30);

/// What stands before the end of validity in our file.
const VALID_UNTIL: &str = "Valid until ";

/// A configuration to serve with, and what people need to know about it.
pub struct TlsSetup {
    /// For the listeners.
    pub config: RustlsConfig,
    /// SHA-256 over the certificate (RFC 7469 hashes the key only; people compare what browsers show), when it is our own.
    pub self_signed_fingerprint: Option<String>,
}

/// Reads or makes the certificate; nothing when TLS is off. `own_addresses` are put into a certificate that is made.
pub fn prepare(tls: &Tls, own_addresses: &[IpAddr]) -> anyhow::Result<Option<TlsSetup>> {
    let (certificates, key, own) = match tls {
        Tls::Off => return Ok(None),
        Tls::Files { certificate, key } => {
            let certificates = certificates(&read(certificate)?)
                .with_context(|| format!("{} holds no certificate in PEM form", certificate.display()))?;
            let key = PrivateKeyDer::from_pem_slice(&read(key)?)
                .with_context(|| format!("{} holds no private key in PEM form", key.display()))?;
            (certificates, key, false)
        }
        Tls::SelfSigned(folder) => {
            let path = folder.clone().map_or_else(default_folder, Ok)?.join(FILE_NAME);
            let pem = keep_or_make(&path, own_addresses)?;
            let certificates =
                certificates(&pem).with_context(|| format!("{} is damaged: delete it", path.display()))?;
            let key = PrivateKeyDer::from_pem_slice(&pem)
                .with_context(|| format!("{} is damaged: delete it", path.display()))?;
            (certificates, key, true)
        }
    };
    let self_signed_fingerprint = certificates.first().filter(|_| own).map(|first| fingerprint(first));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .context("the certificate and the private key do not fit together")?;
    // WebSockets need HTTP/1.1, and one protocol is enough.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsSetup { config: RustlsConfig::from_config(Arc::new(config)), self_signed_fingerprint }))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn certificates(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
    if certificates.is_empty() {
        bail!("no certificate found");
    }
    Ok(certificates)
}

fn default_folder() -> anyhow::Result<PathBuf> {
    directories::ProjectDirs::from("", "", "roundtable")
        .map(|folders| folders.data_dir().to_owned())
        .ok_or_else(|| {
            anyhow!("this user has no home folder: say where to keep the certificate with --data-dir")
        })
}

fn keep_or_make(path: &Path, own_addresses: &[IpAddr]) -> anyhow::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(pem) if is_valid_for_long(&pem) => Ok(pem),
        Ok(_) => make(path, own_addresses),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path, own_addresses),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// A file without our line was put there by somebody who knows what they do.
fn is_valid_for_long(pem: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    let until = text.lines().find_map(|line| line.strip_prefix(VALID_UNTIL));
    match until.map(|until| OffsetDateTime::parse(until.trim(), &Rfc3339)) {
        Some(Ok(until)) => until - RENEW_BEFORE > OffsetDateTime::now_utc(),
        Some(Err(_)) | None => true,
    }
}

fn make(path: &Path, own_addresses: &[IpAddr]) -> anyhow::Result<Vec<u8>> {
    let now = OffsetDateTime::now_utc();
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(own_addresses.iter().filter(|ip| !ip.is_loopback()).map(ToString::to_string));
    let mut params = CertificateParams::new(names)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Roundtable server (self-signed)");
    params.distinguished_name = subject;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A guest's clock may be behind ours.
    params.not_before = now - Duration::days(1);
    params.not_after = now + VALIDITY;
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let until = params.not_after.format(&Rfc3339)?;
    let pem = format!(
        "Made by roundtable-server for itself. Contains its private key: keep it secret.\n{VALID_UNTIL}{until}\n{}{}",
        certificate.pem(),
        key.serialize_pem()
    );
    write_secretly(path, pem.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(pem.into_bytes())
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_secretly(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("pem.new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(draft, path)
}

fn fingerprint(certificate: &[u8]) -> String {
    let bytes = Sha256::digest(certificate);
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn self_signed(folder: &Path) -> String {
        let tls = Tls::SelfSigned(Some(folder.to_owned()));
        prepare(&tls, &[[10, 0, 0, 1].into()]).unwrap().unwrap().self_signed_fingerprint.unwrap()
    }

    #[test]
    fn the_fingerprint_stays_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let nested = folder.path().join("not/yet/there");
        assert_eq!(self_signed(&nested), self_signed(&nested));
        assert_eq!(self_signed(&nested).len(), 95);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        self_signed(folder.path());
        let mode = fs::metadata(folder.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_certificate_that_ends_soon_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let before = self_signed(folder.path());
        let path = folder.path().join(FILE_NAME);
        let pem = fs::read_to_string(&path).unwrap();
        let soon = (OffsetDateTime::now_utc() + Duration::days(5)).format(&Rfc3339).unwrap();
        let until = pem.lines().find(|line| line.starts_with(VALID_UNTIL)).unwrap();
        fs::write(&path, pem.replace(until, &format!("{VALID_UNTIL}{soon}"))).unwrap();
        assert_ne!(self_signed(folder.path()), before);
    }

    #[test]
    fn files_that_are_no_pem_or_do_not_fit_are_explained() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let _ = (self_signed(&a), self_signed(&b));
        let files = |certificate: &Path, key: &Path| {
            prepare(&Tls::Files { certificate: certificate.to_owned(), key: key.to_owned() }, &[])
        };
        let (a, b) = (a.join(FILE_NAME), b.join(FILE_NAME));
        assert!(files(&a, &a).unwrap().unwrap().self_signed_fingerprint.is_none());
        let error = |certificate: &Path, key: &Path| format!("{:#}", files(certificate, key).err().unwrap());
        assert!(error(&a, &b).contains("do not fit together"));
        let other = folder.path().join("other");
        fs::write(&other, "nothing").unwrap();
        assert!(error(&other, &a).contains("no certificate"), "{}", error(&other, &a));
        assert!(error(&a, &other).contains("no private key"));
        assert!(error(&folder.path().join("missing"), &a).contains("cannot read"));
    }
}
