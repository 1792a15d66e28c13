//! Engine.IO without Socket.IO.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use shared::packet::engine::Packet;
use tokio::sync::mpsc;

use super::{Frame, Hub, Link, Outcome, Protocol};
use crate::{Config, DisconnectReason, SocketId};

/// A server of bare Engine.IO sessions. Settings that concern namespaces have no meaning here.
#[derive(Clone)]
pub struct EngineServer {
    hub: Arc<Hub<Bare>>,
}

/// What happens in bare sessions.
#[derive(Debug)]
pub enum EngineInbound {
    /// A session was opened.
    Opened(Connection),
    /// A message arrived on this session.
    Message(SocketId, Message),
    /// The session has ended. Exactly one for each `Opened`.
    Closed(SocketId, DisconnectReason),
}

/// A message in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// A handle to an open session. Sending never blocks.
#[derive(Debug, Clone)]
pub struct Connection {
    id: SocketId,
    link: Arc<Link>,
}

impl EngineServer {
    /// A server, and the queue on which everything arrives.
    pub fn new(config: Config) -> (Self, mpsc::Receiver<EngineInbound>) {
        let (hub, items) = Hub::new(config, |link| Bare(Connection { id: SocketId::random(), link }, false));
        (Self { hub }, items)
    }

    /// The routes to mount.
    pub fn router(&self) -> axum::Router {
        self.hub.router()
    }

    /// Closes all sessions and waits, for a bounded time, until they are gone.
    pub async fn shutdown(&self) {
        self.hub.shutdown().await;
    }
}

impl Connection {
    /// This session's id for the application. Not the Engine.IO session id, which is a secret.
    pub fn id(&self) -> SocketId {
        self.id
    }

    /// Where the client connects from, if the application serves with connection info.
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.link.remote
    }

    /// Queues a message.
    pub fn send(&self, message: Message) {
        let frame = match message {
            Message::Text(text) => Frame::Text(Utf8Bytes::from(Packet::Message(&text).encode())),
            Message::Binary(bytes) => Frame::Binary(bytes),
        };
        self.link.outbox.push([frame]);
    }

    /// Closes the session after everything that is queued.
    pub fn close(&self) {
        self.link.outbox.close(DisconnectReason::ServerDisconnect);
    }
}

/// A bare session, and whether its end was reported.
struct Bare(Connection, bool);

impl Protocol for Bare {
    type Item = EngineInbound;

    fn opened(&mut self) -> Option<EngineInbound> {
        Some(EngineInbound::Opened(self.0.clone()))
    }

    fn text(&mut self, text: &str) -> Outcome<EngineInbound> {
        Ok(Some(EngineInbound::Message(self.0.id, Message::Text(text.to_owned()))))
    }

    fn binary(&mut self, bytes: Bytes) -> Outcome<EngineInbound> {
        Ok(Some(EngineInbound::Message(self.0.id, Message::Binary(bytes))))
    }

    fn disconnect(&mut self, _: SocketId) -> Option<EngineInbound> {
        None
    }

    fn is_unused(&self) -> bool {
        false
    }

    fn farewell(&self, _: DisconnectReason) -> Vec<Frame> {
        Vec::new()
    }

    fn closed(&mut self, reason: DisconnectReason) -> Option<EngineInbound> {
        let reported = std::mem::replace(&mut self.1, true);
        (!reported).then_some(EngineInbound::Closed(self.0.id, reason))
    }
}
