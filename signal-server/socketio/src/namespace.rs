//! Socket.IO in one session: which namespaces the client has joined, and what its packets mean there.
//!
//! As in Node, a packet that does not fit the state ends the connection: an event for a namespace that was not joined, a second CONNECT to one
//! that was, a packet that only servers send. An unknown namespace is answered with CONNECT_ERROR.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use shared::packet::socket::{Body, Decoder, Packet, encode};

use crate::engine::{Frame, Link, Outcome, Protocol};
use crate::event::message_start;
use crate::{DisconnectReason, Inbound, Socket, SocketId};

/// The namespaces that exist and how to part from them.
#[derive(Debug)]
pub(crate) struct Namespaces {
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) disconnect_on_shutdown: bool,
}

/// The Socket.IO side of a session.
pub(crate) struct Client {
    namespaces: Arc<Namespaces>,
    link: Arc<Link>,
    decoder: Decoder,
    /// One per joined namespace. A list, because clients rarely join more than one.
    sockets: Vec<Socket>,
    has_joined: bool,
}

impl Client {
    pub(crate) fn new(namespaces: Arc<Namespaces>, link: Arc<Link>, decoder: Decoder) -> Self {
        Self { namespaces, link, decoder, sockets: Vec::new(), has_joined: false }
    }

    fn packet(&mut self, packet: Packet) -> Outcome<Inbound> {
        let Packet { namespace, body } = packet;
        match body {
            Body::Connect(auth) => self.connect(&namespace, auth),
            Body::Disconnect => {
                let index = self.index(&namespace)?;
                Ok(Some(self.remove(index, DisconnectReason::ClientDisconnect)))
            }
            Body::Event { name, args, ack } => {
                let socket = self.id(&namespace)?;
                Ok(Some(Inbound::Event { socket, name, args, ack }))
            }
            // We ask for no acknowledgements; Node ignores unexpected ones too.
            Body::Ack { .. } => self.id(&namespace).map(|_| None),
            Body::ConnectError(_) => Err(DisconnectReason::ProtocolViolation),
        }
    }

    fn connect(&mut self, namespace: &str, auth: Option<Box<RawValue>>) -> Outcome<Inbound> {
        if self.index(namespace).is_ok() {
            return Err(DisconnectReason::ProtocolViolation);
        }
        let Some(name) = self.namespaces.names.iter().find(|name| ***name == *namespace) else {
            let reason = to_raw_value(&json!({"message": "Invalid namespace"})).unwrap_or_default();
            self.send(|out| encode::connect_error(out, namespace, &reason));
            return Ok(None);
        };
        let socket = Socket::new(SocketId::random(), Arc::clone(name), Arc::clone(&self.link));
        let answer = to_raw_value(&json!({"sid": socket.id().as_str()})).unwrap_or_default();
        self.send(|out| encode::connect(out, namespace, Some(&answer)));
        self.has_joined = true;
        self.sockets.push(socket.clone());
        Ok(Some(Inbound::Connected { socket, auth }))
    }

    /// Where the socket of a namespace is. Packets for a namespace that was not joined are violations.
    fn index(&self, namespace: &str) -> Result<usize, DisconnectReason> {
        let joined = self.sockets.iter().position(|socket| socket.namespace() == namespace);
        joined.ok_or(DisconnectReason::ProtocolViolation)
    }

    fn id(&self, namespace: &str) -> Result<SocketId, DisconnectReason> {
        self.index(namespace).map(|index| self.sockets[index].id())
    }

    fn remove(&mut self, index: usize, reason: DisconnectReason) -> Inbound {
        let socket = self.sockets.swap_remove(index);
        socket.mark_disconnected();
        Inbound::Disconnected { socket: socket.id(), reason }
    }

    fn send(&self, write: impl FnOnce(&mut String)) {
        self.link.outbox.push([frame(write)]);
    }
}

fn frame(write: impl FnOnce(&mut String)) -> Frame {
    let mut text = message_start();
    write(&mut text);
    Frame::Text(text.into())
}

impl Protocol for Client {
    type Item = Inbound;

    fn opened(&mut self) -> Option<Inbound> {
        None
    }

    fn text(&mut self, text: &str) -> Outcome<Inbound> {
        match self.decoder.text(text) {
            Ok(Some(packet)) => self.packet(packet),
            Ok(None) => Ok(None),
            Err(error) => {
                tracing::debug!(%error, "malformed packet");
                Err(DisconnectReason::ProtocolViolation)
            }
        }
    }

    fn binary(&mut self, bytes: Bytes) -> Outcome<Inbound> {
        match self.decoder.binary(bytes) {
            Ok(Some(packet)) => self.packet(packet),
            Ok(None) => Ok(None),
            Err(error) => {
                tracing::debug!(%error, "misplaced binary message");
                Err(DisconnectReason::ProtocolViolation)
            }
        }
    }

    fn disconnect(&mut self, socket: SocketId) -> Option<Inbound> {
        let index = self.sockets.iter().position(|candidate| candidate.id() == socket)?;
        let namespace = self.sockets[index].namespace().to_owned();
        self.send(|out| encode::disconnect(out, &namespace));
        Some(self.remove(index, DisconnectReason::ServerDisconnect))
    }

    fn is_unused(&self) -> bool {
        !self.has_joined
    }

    fn farewell(&self, reason: DisconnectReason) -> Vec<Frame> {
        let is_final = match reason {
            DisconnectReason::ServerDisconnect => true,
            DisconnectReason::ServerShutdown => self.namespaces.disconnect_on_shutdown,
            DisconnectReason::ClientDisconnect
            | DisconnectReason::ClientClose
            | DisconnectReason::TransportLost
            | DisconnectReason::PingTimeout
            | DisconnectReason::ConnectTimeout
            | DisconnectReason::ProtocolViolation
            | DisconnectReason::PayloadTooLarge
            | DisconnectReason::SlowReader => false,
        };
        let told = self.sockets.iter().filter(|_| is_final);
        told.map(|socket| frame(|out| encode::disconnect(out, socket.namespace()))).collect()
    }

    fn closed(&mut self, reason: DisconnectReason) -> Option<Inbound> {
        let last = self.sockets.len().checked_sub(1)?;
        Some(self.remove(last, reason))
    }
}
