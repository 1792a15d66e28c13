//! What a session decides, apart from any transport: packets in, items for the consumer out, frames into the outbox.
//!
//! No I/O and no clock. The transports' loops bring packets and the time, carry out what comes back, and close the session when it says why.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use shared::packet::engine::Packet;

use super::Protocol;
use super::heartbeat::{Beat, Heartbeat};
use super::link::Link;
use super::outbox::{Entry, Frame};
use crate::{Config, DisconnectReason, SocketId};

/// One Engine.IO session and the protocol that it carries.
pub(crate) struct Session<P> {
    pub(super) link: Arc<Link>,
    pub(super) protocol: P,
    heartbeat: Heartbeat,
    /// Until when the protocol must have been put to use; `None` once it was.
    connect_due: Option<Instant>,
}

/// An item for the consumer, nothing, or the reason to close.
pub(crate) type Outcome<T> = Result<Option<T>, DisconnectReason>;

impl<P: Protocol> Session<P> {
    pub(super) fn new(link: Arc<Link>, protocol: P, config: &Config, now: Instant) -> Self {
        let heartbeat = Heartbeat::new(config.ping_interval, config.ping_timeout, now);
        let connect_due = protocol.is_unused().then(|| now + config.connect_timeout);
        Self { link, protocol, heartbeat, connect_due }
    }

    /// A packet in text form, from either transport.
    pub(super) fn packet(&mut self, packet: Packet<'_>, now: Instant) -> Outcome<P::Item> {
        match packet {
            Packet::Pong(_) => {
                self.heartbeat.pong(now);
                Ok(None)
            }
            Packet::Close => Err(DisconnectReason::ClientClose),
            // In protocol 4 only the server pings.
            Packet::Ping(_) => Err(DisconnectReason::ProtocolViolation),
            Packet::Message(text) => {
                self.heartbeat.packet(now);
                let outcome = self.protocol.text(text);
                self.note_use();
                outcome
            }
            Packet::Binary(bytes) => self.binary(bytes.into_owned().into(), now),
            // As in Node: harmless where they have no meaning.
            Packet::Open(_) | Packet::Upgrade | Packet::Noop => {
                self.heartbeat.packet(now);
                Ok(None)
            }
        }
    }

    /// A binary message of a WebSocket.
    pub(super) fn binary(&mut self, bytes: Bytes, now: Instant) -> Outcome<P::Item> {
        self.heartbeat.packet(now);
        let outcome = self.protocol.binary(bytes);
        self.note_use();
        outcome
    }

    /// The application disconnects one socket.
    pub(super) fn disconnect(&mut self, socket: SocketId) -> Option<P::Item> {
        self.protocol.disconnect(socket)
    }

    /// When [`Session::on_time`] must be called at the latest.
    pub(super) fn deadline(&self) -> Instant {
        let beat = self.heartbeat.deadline();
        self.connect_due.map_or(beat, |due| due.min(beat))
    }

    /// Does what is due at `now`.
    pub(super) fn on_time(&mut self, now: Instant) -> Result<(), DisconnectReason> {
        if self.connect_due.is_some_and(|due| now >= due) {
            return Err(DisconnectReason::ConnectTimeout);
        }
        loop {
            match self.heartbeat.beat(now) {
                Beat::Wait => return Ok(()),
                Beat::Ping => self.link.outbox.push([Frame::ping()]),
                Beat::Dead => return Err(DisconnectReason::PingTimeout),
            }
        }
    }

    /// What the client is still to be sent when the session ends: what is queued, and the protocol's last words.
    pub(super) fn last_frames(&self, reason: DisconnectReason) -> Vec<Frame> {
        if reason == DisconnectReason::ClientClose {
            return Vec::new();
        }
        let queued = std::iter::from_fn(|| self.link.outbox.pop()).filter_map(|entry| match entry {
            Entry::Frame(frame) => Some(frame),
            // The end of the session disconnects every socket.
            Entry::Disconnect(_) => None,
        });
        queued.chain(self.protocol.farewell(reason)).collect()
    }

    fn note_use(&mut self) {
        if self.connect_due.is_some() && !self.protocol.is_unused() {
            self.connect_due = None;
        }
    }
}
