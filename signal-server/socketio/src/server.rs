//! The Socket.IO server and what it reports.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::value::RawValue;
use shared::packet::socket::{AckId, Args, Decoder, Limits};
use tokio::sync::mpsc;

use crate::engine::Hub;
use crate::namespace::{Client, Namespaces};
use crate::{Config, DisconnectReason, Socket, SocketId};

/// A Socket.IO server. Cloning it makes another handle to the same server.
#[derive(Clone)]
pub struct Server {
    hub: Arc<Hub<Client>>,
}

/// What clients do, in the order in which each of them did it.
#[derive(Debug)]
pub enum Inbound {
    /// A client joined a namespace. It already knows its id; what is sent from now on reaches it.
    Connected {
        /// The handle to answer by.
        socket: Socket,
        /// The authentication object that the client sent, if any. Always a JSON object.
        auth: Option<Box<RawValue>>,
    },
    /// A client sent an event.
    Event {
        /// Who sent it.
        socket: SocketId,
        /// The event's name. Never one of the names that the protocol reserves.
        name: String,
        /// Its arguments: valid JSON, bounded in depth.
        args: Args,
        /// The acknowledgement that the client waits for; see [`Socket::ack`].
        ack: Option<AckId>,
    },
    /// A socket is gone. Exactly one for each `Connected`, and the last thing that is heard of it.
    Disconnected {
        /// Which socket.
        socket: SocketId,
        /// Why.
        reason: DisconnectReason,
    },
}

/// Figures for monitoring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sessions that are open now, on either transport.
    pub sessions: usize,
    /// Those of them that are on WebSocket.
    pub websockets: usize,
    /// Sessions that were opened since the start.
    pub opened: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Sessions that ended because the client did not read.
    pub slow_readers: u64,
    /// Sessions that ended because the client broke the protocol or a limit.
    pub violations: u64,
}

impl Server {
    /// A server, and the queue on which everything arrives. The queue is bounded: a client that floods waits, and nobody else suffers. Drop
    /// the receiver and every connection closes at its next message.
    pub fn new(config: Config) -> (Self, mpsc::Receiver<Inbound>) {
        let limits = Limits { attachment_bytes: config.max_payload, ..Limits::default() };
        let namespaces = Arc::new(Namespaces {
            names: config.namespaces.iter().map(|name| Arc::from(name.as_str())).collect(),
            disconnect_on_shutdown: config.disconnect_on_shutdown,
        });
        let (hub, items) =
            Hub::new(config, move |link| Client::new(Arc::clone(&namespaces), link, Decoder::new(limits)));
        (Self { hub }, items)
    }

    /// The routes at [`Config::path`]. Merge them into the application's router.
    pub fn router(&self) -> axum::Router {
        self.hub.router()
    }

    /// Refuses newcomers, closes every session in an orderly way, and waits for a bounded time until all are gone. Keep draining the queue
    /// meanwhile: each socket's `Disconnected` still arrives there.
    pub async fn shutdown(&self) {
        self.hub.shutdown().await;
    }

    /// Figures as they are now.
    pub fn stats(&self) -> Stats {
        let counters = &self.hub.counters;
        Stats {
            sessions: self.hub.sessions(),
            websockets: counters.websockets.load(Ordering::Relaxed),
            opened: counters.opened.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            slow_readers: counters.slow_readers.load(Ordering::Relaxed),
            violations: counters.violations.load(Ordering::Relaxed),
        }
    }
}
