//! What a pin is made of: the server that it is for, and the fingerprint of its certificate.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use url::Url;

/// `host:port` of a server, the key that certificates are pinned under. An IPv6 address is written in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HostPort(String);

/// The text is not `host:port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a server is written as host:port")]
pub struct HostPortError;

impl HostPort {
    /// The host and port that a URL leads to; `None` when it names no host or no port is known for its scheme.
    pub fn of(url: &Url) -> Option<Self> {
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let port = url.port_or_known_default()?;
        Some(Self(format!("{}:{port}", host.to_ascii_lowercase())))
    }

    /// `host:port` as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let (host, port) = text.rsplit_once(':').ok_or(HostPortError)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(HostPortError);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for HostPort {
    type Error = HostPortError;

    fn try_from(text: String) -> Result<Self, HostPortError> {
        text.parse()
    }
}

impl From<HostPort> for String {
    fn from(host: HostPort) -> Self {
        host.0
    }
}

/// SHA-256 of a DER certificate, written as people compare it: `AB:CD:…`, 32 bytes in colon-separated hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// The text is not 32 colon-separated bytes in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a certificate fingerprint is 32 bytes in hex, separated by colons")]
pub struct FingerprintError;

impl Fingerprint {
    /// The fingerprint of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut bytes = [0; 32];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().ok_or(FingerprintError)?;
            if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(FingerprintError);
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| FingerprintError)?;
        }
        if parts.next().is_some() {
            return Err(FingerprintError);
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(url: &str) -> Option<String> {
        HostPort::of(&url.parse().unwrap()).map(|host| host.to_string())
    }

    #[test]
    fn hosts_carry_their_default_port() {
        assert_eq!(host("https://Example.COM/room.html").as_deref(), Some("example.com:443"));
        assert_eq!(host("ws://127.0.0.1:3000").as_deref(), Some("127.0.0.1:3000"));
        assert_eq!(host("https://[::1]:3443/").as_deref(), Some("[::1]:3443"));
        assert_eq!(host("data:text/plain,x"), None);
    }

    #[test]
    fn hosts_are_read_back_as_they_were_written() {
        for text in ["example.com:443", "[::1]:3443"] {
            assert_eq!(text.parse::<HostPort>().map(String::from).as_deref(), Ok(text));
        }
        for wrong in ["", "example.com", ":443", "example.com:", "example.com:65536"] {
            assert_eq!(wrong.parse::<HostPort>(), Err(HostPortError), "{wrong}");
        }
    }

    #[test]
    fn fingerprints_survive_a_round_trip() {
        let fingerprint = Fingerprint::of(&CertificateDer::from(b"certificate".to_vec()));
        let text = fingerprint.to_string();
        assert_eq!(text.len(), 32 * 3 - 1);
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(text.to_lowercase().parse(), Ok(fingerprint));
    }

    #[test]
    fn other_texts_are_no_fingerprint() {
        let text = Fingerprint::of(&CertificateDer::from(b"certificate".to_vec())).to_string();
        for wrong in [
            "",
            "AB",
            &text[3..],
            &format!("{text}:00"),
            &text.replace(':', ""),
            &text.replacen(&text[..2], "+1", 1),
        ] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(FingerprintError), "{wrong}");
        }
    }
}
