//! The lobby's state, its inputs and outputs, and the ways in and out.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Instant, SystemTime};

use serde_json::value::RawValue;
use shared::events::{ClientEvent, ClientEventError, ErrorBody, Joined, ServerEvent};
use shared::{PeerId, RoomId};

use crate::LobbyConfig;
use crate::budget::Budget;
use crate::room::Room;

/// What a client numbers its request with when it wants an answer; opaque to the lobby.
pub type AckId = u64;

/// Both clocks, as the shell reads them at the moment of an input.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For budgets.
    pub instant: Instant,
    /// For [`crate::RoomInfo::created_at`].
    pub wall: SystemTime,
}

/// A fact about a connection.
#[derive(Debug)]
pub enum Input {
    /// A client connected and has this id, which no other connection has.
    Connected {
        /// Its id.
        peer: PeerId,
    },
    /// A client sent an event.
    Event {
        /// The sender.
        peer: PeerId,
        /// What it asks for.
        event: ClientEvent,
        /// How it wants to be answered, if it does.
        ack: Option<AckId>,
    },
    /// A client sent an event that cannot be understood.
    Invalid {
        /// The sender.
        peer: PeerId,
        /// What is wrong with it.
        error: ClientEventError,
        /// How it wants to be answered, if it does.
        ack: Option<AckId>,
    },
    /// An [`Output::Relay`] could not be carried out because the addressee's queue has no room.
    Undeliverable {
        /// The sender.
        peer: PeerId,
        /// The addressee.
        to: PeerId,
        /// How the sender wants to be answered, if it does.
        ack: Option<AckId>,
    },
    /// A connection is gone, for whatever reason.
    Disconnected {
        /// Whose.
        peer: PeerId,
    },
}

/// An order to the shell.
#[derive(Debug)]
pub enum Output {
    /// Send an event to one client.
    Emit {
        /// The addressee.
        to: PeerId,
        /// The event.
        event: ServerEvent,
    },
    /// Send the same event to several clients.
    Broadcast {
        /// The addressees: at least one, none twice.
        to: Vec<PeerId>,
        /// The event.
        event: ServerEvent,
    },
    /// Send `signal` to `to`, then tell the sender that it is on its way if it wants to know ([`Answer::Done`]); if the addressee's queue has no
    /// room for it, report [`Input::Undeliverable`] instead.
    Relay {
        /// The sender.
        from: PeerId,
        /// The addressee.
        to: PeerId,
        /// The sender's JSON, untouched.
        data: Box<RawValue>,
        /// How the sender wants to be answered, if it does.
        ack: Option<AckId>,
    },
    /// Answer a request that asked for it.
    Answer {
        /// Who asked.
        to: PeerId,
        /// Which request.
        ack: AckId,
        /// The answer.
        answer: Answer,
    },
    /// Tell a client that it sent an event which does not exist.
    UnknownEvent {
        /// The sender.
        to: PeerId,
        /// The event's name, cut to a length that is safe to send back.
        event: String,
        /// The error.
        error: ErrorBody,
    },
    /// Close this connection. The lobby has forgotten it already.
    Disconnect {
        /// Whose.
        peer: PeerId,
    },
}

/// The argument of an ack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `join-room` was carried out.
    Joined(Joined),
    /// `leave-room` or `signal` was carried out.
    Done,
    /// The request was refused and changed nothing.
    Refused(ErrorBody),
}

/// All rooms and everybody connected.
#[derive(Debug)]
pub struct Lobby {
    pub(crate) config: LobbyConfig,
    /// Only looked up, never walked through: its order is not deterministic.
    pub(crate) peers: HashMap<PeerId, Peer>,
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    pub(crate) permanent_rooms: usize,
    /// How many rooms were ever made.
    pub(crate) made_rooms: u64,
    pub(crate) outputs: VecDeque<Output>,
}

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    pub(crate) room: Option<RoomId>,
    pub(crate) events: Budget,
    pub(crate) signal_kib: Budget,
    pub(crate) joins: Budget,
    pub(crate) wrong_passwords: Budget,
    pub(crate) refusals: Budget,
}

impl Lobby {
    /// An empty lobby.
    pub fn new(config: LobbyConfig) -> Self {
        Self {
            config,
            peers: HashMap::new(),
            rooms: BTreeMap::new(),
            permanent_rooms: 0,
            made_rooms: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes a fact in. Facts about connections that the lobby does not know, or no longer knows, are ignored.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Connected { peer } => self.connected(peer),
            Input::Event { peer, event, ack } => {
                if self.peers.contains_key(&peer) {
                    self.event(&peer, event, ack, now);
                }
            }
            Input::Invalid { peer, error, ack } => self.refuse_invalid(&peer, error, ack, now.instant),
            Input::Undeliverable { peer, to, ack } => self.refuse_busy(&peer, &to, ack, now.instant),
            Input::Disconnected { peer } => self.disconnected(&peer),
        }
    }

    /// The next order, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How many connections there are.
    pub fn peer_count(&self) -> usize {
        self.peers.len()
    }

    fn connected(&mut self, peer: PeerId) {
        if self.peers.contains_key(&peer) {
            return;
        }
        if self.peers.len() >= self.config.max_peers {
            self.outputs.push_back(Output::Disconnect { peer });
            return;
        }
        self.peers.insert(peer, Peer::default());
    }

    fn event(&mut self, peer: &PeerId, event: ClientEvent, ack: Option<AckId>, now: Now) {
        match event {
            ClientEvent::JoinRoom(join) => self.join(peer, join, ack, now),
            ClientEvent::Signal { to, data } => self.signal(peer, to, data, ack, now.instant),
            ClientEvent::LeaveRoom => self.leave_room(peer, ack, now.instant),
        }
    }

    fn leave_room(&mut self, peer: &PeerId, ack: Option<AckId>, now: Instant) {
        if !self.take_event(peer, now) {
            return self.refuse_leave(peer, ack, now);
        }
        self.leave(peer, "left");
        if let Some(ack) = ack {
            self.outputs.push_back(Output::Answer { to: peer.clone(), ack, answer: Answer::Done });
        }
    }

    pub(crate) fn disconnected(&mut self, peer: &PeerId) {
        self.leave(peer, "disconnected");
        self.peers.remove(peer);
    }

    /// Takes a peer out of its room, if it is in one, and tells the others.
    pub(crate) fn leave(&mut self, peer: &PeerId, reason: &str) {
        let Some(room_id) = self.peers.get_mut(peer).and_then(|state| state.room.take()) else { return };
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        room.members.retain(|member| member.peer_id != *peer);
        if room.members.is_empty() {
            if !room.permanent {
                self.rooms.remove(&room_id);
            }
            return;
        }
        let event = ServerEvent::PeerLeft { peer_id: peer.clone(), reason: Some(reason.to_owned()) };
        self.outputs.push_back(Output::Broadcast { to: room.member_ids(), event });
    }

    /// Takes one event out of the peer's budget.
    pub(crate) fn take_event(&mut self, peer: &PeerId, now: Instant) -> bool {
        let rate = self.config.limits.events;
        self.peers.get_mut(peer).is_some_and(|state| state.events.take(1, rate, now))
    }
}
