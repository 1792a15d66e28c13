//! Reaching a server: finding its name, connecting to the first address that answers, and saying in a sentence why it did not work.
//!
//! REST and signaling share this, so that the same trouble reads the same wherever it is met.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use url::{Host, Url};

use crate::tls::{HostPort, UntrustedCertificate};

/// How long finding the name, connecting and TLS may take together: three retransmissions of a lost SYN (1, 2 and 4 s) and some slack.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Head start of one address before the next is tried beside it (RFC 8305 §5, "Connection Attempt Delay").
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Most addresses of a name that are tried; what a hostile name server adds to these costs nothing.
const MAX_ADDRESSES: usize = 8;

/// Why there is no connection with a server. Each reads as a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReachError {
    /// The URL cannot lead to a server. Ask for another.
    #[error(
        "\"{0}\" is not the address of a server. Write it like https://example.org or http://192.168.1.20:3000."
    )]
    BadUrl(String),
    /// The name is unknown, or no name server answers.
    #[error("The server {0} was not found. Check the address and the network connection.")]
    NameNotFound(String),
    /// The host is there but nothing listens on the port.
    #[error("Nothing answers at {0}. Check that the server is running and that the port is right.")]
    Refused(HostPort),
    /// No answer came in time.
    #[error("{0} does not answer. Check the address and the network connection, then try again.")]
    TimedOut(HostPort),
    /// The network says that there is no way.
    #[error("There is no way to {0} from this network ({1}). Check the network connection.")]
    Unreachable(HostPort, String),
    /// The certificate wants a decision of the person's.
    #[error(transparent)]
    Untrusted(#[from] UntrustedCertificate),
    /// The server does not speak TLS on this port.
    #[error(
        "{0} does not offer an encrypted connection. If you trust this network, use an address that starts with http://."
    )]
    NotTls(HostPort),
    /// TLS failed for another reason.
    #[error("No encrypted connection with {0} could be made ({1}).")]
    Tls(HostPort, String),
    /// The connection ended before an answer came.
    #[error(
        "{0} closed the connection without an answer. If it is a Roundtable server, try https:// instead of http://, or later."
    )]
    Closed(HostPort),
    /// Something answers that is not HTTP: TLS, or another protocol.
    #[error(
        "{0} does not speak plain HTTP on this port. Check the address: it may have to start with https://."
    )]
    NotHttp(HostPort),
    /// Something answers, but not as a Roundtable server does.
    #[error("{0} is not a Roundtable server (it answered {1}). Check the address.")]
    NotRoundtable(HostPort, String),
    /// The server does not want the connection, either just then or at all.
    #[error(
        "{0} does not take the connection (it answered {1}). Try again later, or ask whoever runs the server."
    )]
    Declined(HostPort, String),
}

impl ReachError {
    /// Finds the cause of a failed connection, however deep a library wrapped it; `None` when it is no failure to connect.
    pub fn find(error: &(dyn Error + 'static), host: &HostPort) -> Option<Self> {
        if let Some(untrusted) = UntrustedCertificate::find(error) {
            return Some(Self::Untrusted(untrusted));
        }
        let mut next = Some(error);
        let mut io_error = None;
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found.clone());
            }
            if let Some(tls) = error.downcast_ref::<rustls::Error>() {
                return Some(Self::of_tls(tls, host));
            }
            let io = error.downcast_ref::<io::Error>();
            io_error = io.filter(|io| io.kind() != io::ErrorKind::Other).or(io_error);
            // The source of an I/O error is the source of what it wraps, which would skip the wrapped error itself.
            next = match io.and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        io_error.map(|io| Self::of_io(io, host))
    }

    /// The reason in a few words, to be put into somebody else's sentence.
    pub fn few_words(&self) -> String {
        match self {
            Self::BadUrl(_) => "that is not the address of a server".to_owned(),
            Self::NameNotFound(name) => format!("there is no host named {name}"),
            Self::Refused(_) => "connection refused".to_owned(),
            Self::TimedOut(_) => "no answer in time".to_owned(),
            Self::Unreachable(_, reason) | Self::Tls(_, reason) => reason.clone(),
            Self::Untrusted(_) => "its certificate is not trusted".to_owned(),
            Self::NotTls(_) => {
                "it offers no encryption; the address may have to start with http://".to_owned()
            }
            Self::Closed(_) => "it closed the connection".to_owned(),
            Self::NotHttp(_) => {
                "it does not speak plain HTTP; the address may have to start with https://".to_owned()
            }
            Self::Declined(_, answer) => format!("it does not take the connection and answered {answer}"),
            Self::NotRoundtable(_, answer) => format!("not a Roundtable server, it answered {answer}"),
        }
    }

    fn of_tls(error: &rustls::Error, host: &HostPort) -> Self {
        match error {
            rustls::Error::InvalidMessage(_) => Self::NotTls(host.clone()),
            other => Self::Tls(host.clone(), other.to_string()),
        }
    }

    /// The sentence for an I/O error.
    pub fn of_io(error: &io::Error, host: &HostPort) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused(host.clone()),
            io::ErrorKind::TimedOut => Self::TimedOut(host.clone()),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Closed(host.clone()),
            _ => Self::Unreachable(host.clone(), error.to_string()),
        }
    }
}

/// Connects to the first address of the URL's host that answers. An address that fails or does not answer soon costs little, since the next
/// one is tried beside it (RFC 8305). The caller bounds the whole by [`CONNECT_TIMEOUT`]; dropping the future gives up all attempts.
pub async fn connect(url: &Url) -> Result<TcpStream, ReachError> {
    let (host, addresses) = addresses(url).await?;
    let mut untried = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut first_error = None;
    loop {
        attempts.extend(untried.next().map(TcpStream::connect));
        let patience = if untried.len() > 0 { ATTEMPT_DELAY } else { CONNECT_TIMEOUT };
        match tokio::time::timeout(patience, attempts.next()).await {
            Ok(Some(Ok(stream))) => return Ok(without_delay(stream)),
            Ok(Some(Err(error))) => first_error = first_error.or(Some(error)),
            Ok(None) => break,
            Err(_) if untried.len() > 0 => {}
            Err(_) => return Err(ReachError::TimedOut(host)),
        }
    }
    let no_address = || ReachError::NameNotFound(host.to_string());
    Err(first_error.map_or_else(no_address, |error| ReachError::of_io(&error, &host)))
}

/// Nagle's algorithm would hold small signals back.
fn without_delay(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        // The connection works without it, only slower.
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    retry_soon(&stream);
    stream
}

/// A few messages bring a call about: on a network that loses many, each further loss of the same one must not double the wait. Only Linux has it.
fn retry_soon(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_thin_linear_timeouts(true) {
        tracing::debug!(%error, "TCP_THIN_LINEAR_TIMEOUTS could not be set");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

async fn addresses(url: &Url) -> Result<(HostPort, Vec<SocketAddr>), ReachError> {
    let bad_url = || ReachError::BadUrl(url.to_string());
    let host = HostPort::of(url).ok_or_else(bad_url)?;
    let port = url.port_or_known_default().ok_or_else(bad_url)?;
    let addresses = match url.host().ok_or_else(bad_url)? {
        Host::Ipv4(ip) => vec![SocketAddr::from((ip, port))],
        Host::Ipv6(ip) => vec![SocketAddr::from((ip, port))],
        Host::Domain(name) => look_up(name, port).await?,
    };
    Ok((host, addresses))
}

/// The addresses of a name, IPv6 and IPv4 in turn, the resolver's favourite first.
pub async fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>, ReachError> {
    let found = tokio::net::lookup_host((name, port)).await.map_err(|error| {
        tracing::debug!(%error, name, "the name lookup failed");
        ReachError::NameNotFound(name.to_owned())
    })?;
    let addresses = interleave(&found.collect::<Vec<_>>());
    if addresses.is_empty() { Err(ReachError::NameNotFound(name.to_owned())) } else { Ok(addresses) }
}

/// RFC 8305 §4: the families alternate, so that a broken one costs one head start only.
fn interleave(found: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = found.iter().copied().partition(|a| a.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut mixed = Vec::with_capacity(found.len());
    for address in first {
        mixed.push(address);
        mixed.extend(second.next());
    }
    mixed.extend(second);
    mixed.truncate(MAX_ADDRESSES);
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn address_families_take_turns() {
        let found: Vec<SocketAddr> =
            ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"].map(|a| a.parse().unwrap()).to_vec();
        let mixed: Vec<String> = interleave(&found).iter().map(ToString::to_string).collect();
        assert_eq!(mixed, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(interleave(&found.repeat(10)).len(), MAX_ADDRESSES);
        assert!(interleave(&[]).is_empty());
    }

    #[tokio::test]
    async fn localhost_is_reached_whichever_family_listens() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = connect(&url(&format!("http://localhost:{port}"))).await.unwrap();
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_closed_port_is_refused_in_a_sentence() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = connect(&url(&format!("http://{address}"))).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "Nothing answers at {address}. Check that the server is running and that the port is right."
            )
        );
    }

    #[tokio::test]
    async fn a_name_that_cannot_exist_is_not_found() {
        // A label of more than 63 characters (RFC 1035 §2.3.4) is refused without asking a name server.
        let name = format!("{}.invalid", "x".repeat(70));
        let error = connect(&url(&format!("http://{name}:3000"))).await.unwrap_err();
        assert_eq!(error, ReachError::NameNotFound(name));
    }

    #[test]
    fn the_cause_is_found_inside_wrapped_errors() {
        let host = HostPort::of(&url("https://example.org")).unwrap();
        let tls = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        assert_eq!(ReachError::find(&wrapped, &host), Some(ReachError::NotTls(host.clone())));
        let reset = io::Error::other(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(ReachError::find(&reset, &host), Some(ReachError::Closed(host.clone())));
        let worded = io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        assert_eq!(ReachError::find(&worded, &host), Some(ReachError::Closed(host.clone())));
        assert_eq!(ReachError::find(&std::fmt::Error, &host), None);
    }
}
