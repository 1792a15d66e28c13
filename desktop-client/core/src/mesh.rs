//! The mesh: one link with each of the others in the room.
//!
//! Who offers, who yields and which messages are late is decided here (see the contract); the peer connections themselves belong to peer
//! tasks. After each `handle` the outputs are drained to the end.
//!
//! When our own id changes after a reconnect, the others see us leave and somebody new join; the roles may be the other way round then.
//! So the links of the old id are closed and new ones are made, all at once: [`MeshInput::Entered`].

mod candidates;
mod negotiation;
mod peer;
mod recovery;
mod sdp;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use serde_json::value::RawValue;
use shared::PeerId;
use shared::events::{IceServer, Participant};
use shared::limits::ROOM_CAPACITY_MAX;
use shared::signal_data::SignalData;

use crate::control::{self, ShownTile};
use crate::link::{Channel, ConnectionState, LinkEvent, LinkId, LinkOrder};
use crate::random::Random;
use crate::volume::Volume;
use peer::Peer;

/// Most peers that are taken note of before the server has told us of them.
const STRANGERS_MAX: usize = 16;

/// A fact for the mesh.
#[derive(Debug)]
pub enum MeshInput {
    /// We are in the room, with this id, among these others.
    Entered {
        /// Our own id.
        own_id: PeerId,
        /// The others.
        participants: Vec<Participant>,
        /// For the links of this room.
        ice_servers: Vec<IceServer>,
    },
    /// Somebody came.
    PeerJoined(Participant),
    /// Somebody left.
    PeerLeft(PeerId),
    /// Somebody sent a signal.
    Signal {
        /// Who.
        from: PeerId,
        /// What.
        data: Box<RawValue>,
    },
    /// A peer task reports.
    Link {
        /// Its link.
        link: LinkId,
        /// What happened.
        event: LinkEvent,
    },
    /// The connection with the server is lost: links stay as they are, and nothing is tried until we have entered again.
    Offline,
    /// We are not in the room any more.
    Left,
}

/// An order of the mesh's, or news for the session.
#[derive(Debug)]
pub enum MeshOutput {
    /// For the peer task of this link.
    Link {
        /// The link.
        link: LinkId,
        /// What to do.
        order: LinkOrder,
    },
    /// For the server to relay.
    Signal {
        /// The addressee.
        to: PeerId,
        /// The contract's `data`.
        data: Box<RawValue>,
    },
    /// A peer that the server has not told us of sends signals: treat it as a participant.
    Stranger(PeerId),
    /// A fact about the current link with this peer, for whom it may concern.
    Event {
        /// The peer.
        peer: PeerId,
        /// What happened.
        event: LinkEvent,
    },
}

/// What all peers share.
#[derive(Debug)]
struct Context {
    random: Random,
    last_epoch: u32,
    ice_servers: Vec<IceServer>,
    out: VecDeque<MeshOutput>,
}

impl Context {
    /// Counts all attempts with all peers, so that no number comes twice even when a peer leaves and comes back.
    fn next_epoch(&mut self) -> u32 {
        self.last_epoch = self.last_epoch.wrapping_add(1);
        self.last_epoch
    }
}

/// See the module.
#[derive(Debug)]
pub struct Mesh {
    own_id: Option<PeerId>,
    online: bool,
    peers: BTreeMap<PeerId, Peer>,
    context: Context,
}

impl Mesh {
    /// An empty mesh; `seed` is for the jitter of its waits.
    pub fn new(seed: u64) -> Self {
        let context = Context {
            random: Random::new(seed),
            last_epoch: 0,
            ice_servers: Vec::new(),
            out: VecDeque::new(),
        };
        Self { own_id: None, online: false, peers: BTreeMap::new(), context }
    }

    /// Takes a fact.
    pub fn handle(&mut self, input: MeshInput, now: Instant) {
        match input {
            MeshInput::Entered { own_id, participants, ice_servers } => {
                self.enter(own_id, participants, ice_servers, now);
            }
            MeshInput::PeerJoined(participant) => self.add(participant, now),
            MeshInput::PeerLeft(peer) => self.remove(&peer),
            MeshInput::Signal { from, data } => self.signal(&from, &data, now),
            MeshInput::Link { link, event } => self.link_event(&link, event, now),
            MeshInput::Offline => self.online = false,
            MeshInput::Left => {
                self.close_all();
                self.own_id = None;
                self.online = false;
            }
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.online {
            for peer in self.peers.values_mut() {
                peer.handle_timeout(&mut self.context, now);
            }
        }
    }

    /// The next order or news.
    pub fn poll_output(&mut self) -> Option<MeshOutput> {
        self.context.out.pop_front()
    }

    /// When `handle_timeout` wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let peers = self.peers.values().filter(|_| self.online);
        peers.filter_map(Peer::poll_timeout).min()
    }

    /// The state of the link with this peer.
    pub fn connection(&self, peer: &PeerId) -> Option<ConnectionState> {
        self.peers.get(peer).map(Peer::connection)
    }

    /// Sends to everybody with whom this channel is open; gives the number of the others.
    pub fn broadcast(&mut self, channel: Channel, text: &str) -> u32 {
        let sent = |peer: &mut Peer| u32::from(!peer.send(channel, text, &mut self.context));
        self.peers.values_mut().map(sent).sum()
    }

    /// Sends to one peer, if this channel is open.
    pub fn send(&mut self, peer: &PeerId, channel: Channel, text: &str) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.send(channel, text, &mut self.context);
        }
    }

    /// Has the link with this peer send no more video than such a tile shows.
    pub fn fit_tile(&mut self, peer: &PeerId, tile: ShownTile) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.fit_tile(tile, &mut self.context);
        }
    }

    /// Has the link with this peer play it this loud.
    pub fn set_volume(&mut self, peer: &PeerId, volume: Volume) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.set_volume(volume, &mut self.context);
        }
    }

    fn enter(&mut self, own_id: PeerId, participants: Vec<Participant>, ice: Vec<IceServer>, now: Instant) {
        if self.own_id.as_ref() != Some(&own_id) {
            self.close_all();
        }
        let absent = |id: &PeerId| !participants.iter().any(|participant| participant.peer_id == *id);
        let gone: Vec<PeerId> = self.peers.keys().filter(|id| absent(id)).cloned().collect();
        for id in gone {
            self.remove(&id);
        }
        self.own_id = Some(own_id);
        self.online = true;
        self.context.ice_servers = ice;
        for participant in participants {
            self.add(participant, now);
        }
    }

    fn add(&mut self, participant: Participant, now: Instant) {
        let Participant { peer_id, caps, .. } = participant;
        if let Some(peer) = self.peers.get_mut(&peer_id) {
            peer.announced = true;
            return;
        }
        let control = caps.iter().any(|cap| cap == control::CAP);
        self.insert(peer_id, control, now);
    }

    fn insert(&mut self, peer_id: PeerId, control: bool, now: Instant) -> Option<&mut Peer> {
        let own_id = self.own_id.as_ref().filter(|own_id| **own_id != peer_id)?;
        if self.peers.len() >= ROOM_CAPACITY_MAX as usize {
            return None;
        }
        let peer = Peer::new(peer_id.clone(), own_id, control, &mut self.context, now);
        Some(self.peers.entry(peer_id).or_insert(peer))
    }

    fn remove(&mut self, peer: &PeerId) {
        if let Some(mut peer) = self.peers.remove(peer) {
            peer.close(&mut self.context);
        }
    }

    fn close_all(&mut self) {
        for (_, mut peer) in std::mem::take(&mut self.peers) {
            peer.close(&mut self.context);
        }
    }

    fn signal(&mut self, from: &PeerId, data: &RawValue, now: Instant) {
        let data = match SignalData::parse(data) {
            Ok(data) => data,
            Err(error) => return tracing::debug!(peer = %from, %error, "dropped a signal"),
        };
        if !self.peers.contains_key(from) {
            let strangers = self.peers.values().filter(|peer| !peer.announced).count();
            if strangers >= STRANGERS_MAX {
                return;
            }
            let Some(stranger) = self.insert(from.clone(), false, now) else { return };
            stranger.announced = false;
            self.context.out.push_back(MeshOutput::Stranger(from.clone()));
        }
        if let Some(peer) = self.peers.get_mut(from) {
            peer.receive(data, &mut self.context, now);
        }
    }

    fn link_event(&mut self, link: &LinkId, event: LinkEvent, now: Instant) {
        let Some(peer) = self.peers.get_mut(&link.peer).filter(|peer| peer.link_id() == link) else { return };
        self.context.out.push_back(MeshOutput::Event { peer: link.peer.clone(), event: event.clone() });
        peer.handle(event, &mut self.context, now);
    }
}

#[cfg(test)]
mod tests;
