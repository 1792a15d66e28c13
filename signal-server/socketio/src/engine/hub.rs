//! What all sessions of one server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use axum::extract::ws::WebSocket;
use shared::packet::engine::{Open, Packet};
use tokio::sync::mpsc;

use super::link::{self, Link};
use super::outbox::{Frame, Outbox};
use super::registry::{Full, Registry};
use super::session::Session;
use super::task::{self, Transport};
use super::{Protocol, http};
use crate::id::SessionId;
use crate::{Config, DisconnectReason};

/// See the module.
pub(crate) struct Hub<P: Protocol> {
    pub(super) config: Config,
    pub(super) registry: Registry,
    pub(crate) counters: Counters,
    consumer: mpsc::Sender<P::Item>,
    protocol: Box<dyn Fn(Arc<Link>) -> P + Send + Sync>,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) websockets: AtomicUsize,
    pub(crate) opened: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) slow_readers: AtomicU64,
    pub(crate) violations: AtomicU64,
}

impl Counters {
    pub(super) fn closed(&self, reason: DisconnectReason) {
        match reason {
            DisconnectReason::SlowReader => self.slow_readers.fetch_add(1, Ordering::Relaxed),
            DisconnectReason::ProtocolViolation | DisconnectReason::PayloadTooLarge => {
                self.violations.fetch_add(1, Ordering::Relaxed)
            }
            DisconnectReason::ClientDisconnect
            | DisconnectReason::ClientClose
            | DisconnectReason::TransportLost
            | DisconnectReason::PingTimeout
            | DisconnectReason::ConnectTimeout
            | DisconnectReason::ServerDisconnect
            | DisconnectReason::ServerShutdown => 0,
        };
    }
}

impl<P: Protocol> Hub<P> {
    pub(crate) fn new(
        config: Config,
        protocol: impl Fn(Arc<Link>) -> P + Send + Sync + 'static,
    ) -> (Arc<Self>, mpsc::Receiver<P::Item>) {
        let (consumer, items) = mpsc::channel(config.inbound_queue.max(1));
        let registry = Registry::new(config.max_sessions);
        let protocol = Box::new(protocol);
        let hub = Self { config, registry, counters: Counters::default(), consumer, protocol };
        (Arc::new(hub), items)
    }

    pub(crate) fn router(self: &Arc<Self>) -> axum::Router {
        http::router(Arc::clone(self))
    }

    /// Sessions that are open now.
    pub(crate) fn sessions(&self) -> usize {
        self.registry.len()
    }

    pub(crate) async fn shutdown(&self) {
        self.registry.close_all(DisconnectReason::ServerShutdown);
        // Saying goodbye and waiting for the answer may each take the close timeout.
        let patience = self.config.close_timeout.saturating_mul(3);
        if tokio::time::timeout(patience, self.registry.until_empty()).await.is_err() {
            tracing::warn!(sessions = self.sessions(), "sessions did not close in time");
        }
    }

    /// Hands an item to the consumer; waits while the queue is full. `false` when there is no consumer any more.
    pub(super) async fn deliver(&self, item: P::Item) -> bool {
        match self.consumer.try_send(item) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(item)) => self.consumer.send(item).await.is_ok(),
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// Begins a session on long-polling and returns its `open` packet, which answers the handshake.
    pub(super) fn open_polling(
        self: &Arc<Self>,
        remote: Option<std::net::SocketAddr>,
    ) -> Result<String, Full> {
        let (commands, requests) = mpsc::channel(link::COMMAND_QUEUE);
        let session = self.open(remote, Some(commands))?;
        let packet = self.open_packet(session.link.id, &["websocket"]);
        tokio::spawn(task::run(Arc::clone(self), session, Transport::Polling(requests)));
        Ok(packet)
    }

    /// Begins a session on a WebSocket.
    pub(super) fn open_websocket(
        self: &Arc<Self>,
        remote: Option<std::net::SocketAddr>,
        websocket: WebSocket,
    ) -> Result<(), Full> {
        let session = self.open(remote, None)?;
        let packet = self.open_packet(session.link.id, &[]);
        session.link.outbox.push([Frame::Text(packet.into())]);
        // A task of its own and not the caller's: the caller's also holds what the handshake needed.
        tokio::spawn(task::run(Arc::clone(self), session, Transport::WebSocket(Box::new(websocket))));
        Ok(())
    }

    fn open(
        &self,
        remote: Option<std::net::SocketAddr>,
        commands: Option<mpsc::Sender<link::Command>>,
    ) -> Result<Session<P>, Full> {
        let outbox = Outbox::new(self.config.send_queue_bytes);
        let link = Arc::new(Link::new(SessionId::random(), remote, outbox, commands));
        let protocol = (self.protocol)(Arc::clone(&link));
        let session = Session::new(Arc::clone(&link), protocol, &self.config, Instant::now());
        self.registry.insert(link)?;
        self.counters.opened.fetch_add(1, Ordering::Relaxed);
        Ok(session)
    }

    fn open_packet(&self, id: SessionId, upgrades: &[&str]) -> String {
        let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let open = Open {
            sid: id.as_str().to_owned(),
            upgrades: upgrades.iter().map(|name| (*name).to_owned()).collect(),
            ping_interval: millis(self.config.ping_interval),
            ping_timeout: millis(self.config.ping_timeout),
            max_payload: Some(self.config.max_payload as u64),
        };
        let json = serde_json::to_string(&open).unwrap_or_default();
        Packet::Open(&json).encode()
    }
}
