//! Engine.IO: sessions that carry text and binary messages over long-polling or WebSocket.
//!
//! [`Server`](crate::Server) puts Socket.IO on top. [`EngineServer`] is the same machinery bare, for protocols of one's own.
//!
//! One task owns each session. HTTP requests of a polling session are sent to that task; whoever wants to send puts frames into the session's
//! outbox. So what a client sends is handled in the order in which it was sent, whatever transport carries it, even across an upgrade.

mod bare;
mod cors;
mod heartbeat;
mod http;
mod hub;
mod link;
mod outbox;
mod polling;
mod probe;
mod refusal;
mod registry;
mod session;
mod task;
mod websocket;

use bytes::Bytes;

pub use bare::{Connection, EngineInbound, EngineServer, Message};
pub(crate) use hub::Hub;
pub(crate) use link::Link;
pub(crate) use outbox::Frame;
pub(crate) use session::Outcome;

use crate::{DisconnectReason, SocketId};

/// The protocol that a session carries. One value per session, owned by its task.
pub(crate) trait Protocol: Send + Sync + Sized + 'static {
    /// What the consumer receives.
    type Item: Send + 'static;

    /// The session has begun.
    fn opened(&mut self) -> Option<Self::Item>;

    /// A text message arrived.
    fn text(&mut self, text: &str) -> Outcome<Self::Item>;

    /// A binary message arrived.
    fn binary(&mut self, bytes: Bytes) -> Outcome<Self::Item>;

    /// The application disconnects one socket of this session.
    fn disconnect(&mut self, socket: SocketId) -> Option<Self::Item>;

    /// Whether the session was never put to use. Such sessions are closed after the connect timeout.
    fn is_unused(&self) -> bool;

    /// What to tell the client before its connection is closed for `reason`.
    fn farewell(&self, reason: DisconnectReason) -> Vec<Frame>;

    /// The session has ended. Called until it returns `None`.
    fn closed(&mut self, reason: DisconnectReason) -> Option<Self::Item>;
}
