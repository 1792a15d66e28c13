//! Listening sockets and what each accepted connection may cost before it is anything: idle or slow connections end, and there is a limit to
//! all of them together.

mod guard;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::Semaphore;

use guard::GuardedAcceptor;

/// How long a client may take for the TLS handshake, for its first request, and for the head of each request, waiting between two included.
/// Above the 5 s and below the 60 s that Node allows for these.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Connections that the system completes for us while we are busy.
const BACKLOG: i32 = 1024;

/// Files that the program needs beside its connections: listeners, logs, certificates, the runtime's own.
const RESERVED_FILES: u64 = 64;

/// Why an address cannot be listened on. Its text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Stop the other program, or choose another port.
    #[error(
        "cannot listen on {0}: another program uses this port. Stop it, or choose another port with --listen"
    )]
    InUse(SocketAddr),
    /// Ports below 1024 need a privilege on many systems.
    #[error("cannot listen on {0}: this user may not use this port. Choose one above 1023 with --listen")]
    NotAllowed(SocketAddr),
    /// The address belongs to no interface of this machine.
    #[error("cannot listen on {0}: this machine does not have this address")]
    NoSuchAddress(SocketAddr),
    /// Anything else that the system says.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
}

/// Opens a listening socket for each address.
pub fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, ListenError> {
    let any_v4 = |port| addresses.contains(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    let open = |address: &SocketAddr| {
        // `[::]` takes IPv4 as well, on every system, unless that has a listener of its own.
        let dual = address.is_ipv6() && address.ip().is_unspecified() && !any_v4(address.port());
        open(*address, dual).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(*address),
            io::ErrorKind::PermissionDenied => ListenError::NotAllowed(*address),
            io::ErrorKind::AddrNotAvailable => ListenError::NoSuchAddress(*address),
            _ => ListenError::Other(*address, error),
        })
    };
    addresses.iter().map(open).collect()
}

fn open(address: SocketAddr, dual: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!dual)?;
    }
    // On Unix this allows a restart while old connections linger; on Windows it would allow two programs on one port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// At most this many connections can be held: what was asked for, or what the system allows after it was asked for more.
pub fn connection_limit(wanted: usize) -> usize {
    // Elsewhere sockets are no files.
    let files =
        if cfg!(unix) { rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX) } else { u64::MAX };
    let possible = usize::try_from(files.saturating_sub(RESERVED_FILES)).unwrap_or(usize::MAX);
    if possible < wanted {
        tracing::info!(wanted, possible, "the system allows fewer open files than connections are wanted");
    }
    wanted.min(possible).max(1)
}

/// Serves on one listener until `handle` ends it. `connections` holds a permit for each connection that may be open.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<RustlsConfig>,
    connections: Arc<Semaphore>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let mut server = axum_server::from_tcp(listener)?
        .handle(handle)
        .first_request_timeout(HEAD_TIMEOUT)
        .accept_error_handler(|peer, error| tracing::debug!(?peer, %error, "connection not accepted"));
    server.http_builder().http1().header_read_timeout(HEAD_TIMEOUT);
    server.http_builder().http2().keep_alive_interval(HEAD_TIMEOUT).max_concurrent_streams(16);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let guarded = GuardedAcceptor::new(connections);
    match tls {
        None => server.acceptor(guarded).serve(service).await,
        Some(config) => {
            let acceptor = RustlsAcceptor::new(config).handshake_timeout(HEAD_TIMEOUT).acceptor(guarded);
            server.acceptor(acceptor).serve(service).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_explained() {
        let taken = bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = taken[0].local_addr().unwrap();
        let error = bind(&[address]).unwrap_err();
        assert!(matches!(error, ListenError::InUse(_)), "{error:?}");
        assert!(error.to_string().contains("--listen"));
    }

    #[test]
    fn an_address_of_another_machine_is_explained() {
        let error = bind(&["192.0.2.1:0".parse().unwrap()]).unwrap_err();
        assert!(matches!(error, ListenError::NoSuchAddress(_)), "{error:?}");
    }
}
