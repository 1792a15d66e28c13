//! A limit to open connections. The permit travels inside the stream, so that it counts for as long as the connection lives, after the upgrade
//! to WebSocket too.

use std::future::{Ready, ready};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Accepts a connection if a permit is left for it, and closes it at once otherwise.
#[derive(Debug, Clone)]
pub struct GuardedAcceptor {
    permits: Arc<Semaphore>,
}

/// A connection that counts.
#[derive(Debug)]
pub struct Guarded {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

impl GuardedAcceptor {
    /// An acceptor that shares these permits with others.
    pub fn new(permits: Arc<Semaphore>) -> Self {
        Self { permits }
    }
}

impl<S> Accept<TcpStream, S> for GuardedAcceptor {
    type Stream = Guarded;
    type Service = S;
    type Future = Ready<io::Result<(Guarded, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        ready(match permit {
            // Signaling messages are small and must not wait for each other (RFC 896).
            Ok(permit) => {
                retry_soon(&stream);
                stream.set_nodelay(true).map(|()| (Guarded { stream, _permit: permit }, service))
            }
            Err(_) => Err(io::Error::other("too many connections")),
        })
    }
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

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
