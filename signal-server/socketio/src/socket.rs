//! The application's handle to one client in one namespace.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use shared::packet::socket::AckId;

use crate::engine::{Frame, Link};
use crate::event::{self, EncodedEvent};
use crate::{DisconnectReason, SocketId};

/// A client in a namespace. Cheap to clone; a handle to a connection that is gone does nothing.
///
/// Sending never blocks: it queues bytes and wakes the connection's task once. A client for which too much is queued is disconnected.
#[derive(Debug, Clone)]
pub struct Socket {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    id: SocketId,
    namespace: Arc<str>,
    link: Arc<Link>,
    connected: AtomicBool,
}

impl Socket {
    pub(crate) fn new(id: SocketId, namespace: Arc<str>, link: Arc<Link>) -> Self {
        Self { shared: Arc::new(Shared { id, namespace, link, connected: AtomicBool::new(true) }) }
    }

    /// The id that the client sees as `socket.id`.
    pub fn id(&self) -> SocketId {
        self.shared.id
    }

    /// The namespace that the client joined.
    pub fn namespace(&self) -> &str {
        &self.shared.namespace
    }

    /// Where the client connects from, if the application serves with connection info.
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.shared.link.remote
    }

    /// Whether the socket is still in its namespace. It may have left although its [`Inbound::Disconnected`](crate::Inbound::Disconnected) is
    /// still in the queue; what is sent until that is handled goes out all the same, such as the answer to the client's last event.
    pub fn is_connected(&self) -> bool {
        self.shared.connected.load(Ordering::Relaxed)
    }

    /// Bytes that wait to be sent to the client, over all its namespaces. Above [`Config::send_queue_bytes`](crate::Config::send_queue_bytes) it
    /// is disconnected; who relays others' messages can refuse them earlier.
    pub fn queued_bytes(&self) -> usize {
        self.shared.link.outbox.status().bytes
    }

    /// Sends an event whose arguments are JSON.
    pub fn emit(&self, name: &str, args: &[&RawValue]) {
        self.emit_with_attachments(name, args, Vec::new());
    }

    /// Sends an event with one argument.
    ///
    /// Fails only if `arg` cannot be JSON, such as a map whose keys are no strings.
    pub fn emit_json<T: Serialize + ?Sized>(&self, name: &str, arg: &T) -> Result<(), serde_json::Error> {
        let json = serde_json::to_string(arg)?;
        let args = std::iter::once(json.as_str());
        self.send(event::event_text(self.namespace(), None, name, args, 0), Vec::new());
        Ok(())
    }

    /// Sends an event whose arguments refer to binary `attachments` by
    /// [placeholders](shared::packet::socket::encode::placeholder).
    pub fn emit_with_attachments(&self, name: &str, args: &[&RawValue], attachments: Vec<Bytes>) {
        let args = args.iter().map(|arg| arg.get());
        self.send(event::event_text(self.namespace(), None, name, args, attachments.len()), attachments);
    }

    /// Sends an event that was encoded once, for many sockets.
    pub fn emit_encoded(&self, event: &EncodedEvent) {
        self.shared.link.outbox.push(event.frames(self.namespace()));
    }

    /// Answers an event that asked for an acknowledgement.
    pub fn ack(&self, id: AckId, args: &[&RawValue]) {
        self.ack_with_attachments(id, args, Vec::new());
    }

    /// Answers an event with one argument. Fails as [`Socket::emit_json`].
    pub fn ack_json<T: Serialize + ?Sized>(&self, id: AckId, arg: &T) -> Result<(), serde_json::Error> {
        let json = serde_json::to_string(arg)?;
        self.send(event::ack_text(self.namespace(), id, std::iter::once(json.as_str()), 0), Vec::new());
        Ok(())
    }

    /// Answers an event with binary attachments.
    pub fn ack_with_attachments(&self, id: AckId, args: &[&RawValue], attachments: Vec<Bytes>) {
        let args = args.iter().map(|arg| arg.get());
        self.send(event::ack_text(self.namespace(), id, args, attachments.len()), attachments);
    }

    /// Takes the client out of the namespace, after everything that was sent to it. The connection stays, for other namespaces.
    /// [`Inbound::Disconnected`](crate::Inbound::Disconnected) follows.
    pub fn disconnect(&self) {
        self.shared.link.outbox.disconnect(self.id());
    }

    /// Closes the client's connection, and with it all its namespaces, after everything that was sent.
    pub fn close(&self) {
        self.shared.link.outbox.close(DisconnectReason::ServerDisconnect);
    }

    /// The socket is gone.
    pub(crate) fn mark_disconnected(&self) {
        self.shared.connected.store(false, Ordering::Relaxed);
    }

    fn send(&self, text: String, attachments: Vec<Bytes>) {
        let text = std::iter::once(Frame::Text(text.into()));
        self.shared.link.outbox.push(text.chain(attachments.into_iter().map(Frame::Binary)));
    }
}
