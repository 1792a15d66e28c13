//! `join-room`: who may come in, and who is told.

use shared::events::{ErrorBody, JoinRoom, Joined, Participant, ServerEvent};
use shared::{PeerId, RoomId, codes};

use crate::lobby::{AckId, Answer, Lobby, Now, Output};
use crate::refusal::{error, rate_limited};
use crate::room::Room;

impl Lobby {
    pub(crate) fn join(&mut self, peer: &PeerId, join: JoinRoom, ack: Option<AckId>, now: Now) {
        let rate = self.config.limits.joins;
        let within = self.take_event(peer, now.instant)
            && self.peers.get_mut(peer).is_some_and(|state| state.joins.take(1, rate, now.instant));
        if !within {
            return self.refuse_join(peer, ack, rate_limited(), now.instant);
        }
        let current = self.peers.get(peer).and_then(|state| state.room.clone());
        if current.as_ref() == Some(&join.room_id) {
            return self.welcome(peer, &join.room_id, ack);
        }
        if let Err(refusal) = self.admit(peer, &join, now) {
            // A refused join changes nothing: who was in another room stays there.
            return self.refuse_join(peer, ack, refusal, now.instant);
        }
        self.leave(peer, "left");
        self.enter(peer, join, ack, now);
    }

    /// Whether this peer may join this room now.
    fn admit(&mut self, peer: &PeerId, join: &JoinRoom, now: Now) -> Result<(), ErrorBody> {
        let Some(room) = self.rooms.get(&join.room_id) else { return self.admit_to_new_room(peer) };
        if let Some(hash) = &room.password {
            let rate = self.config.limits.wrong_passwords;
            let Some(state) = self.peers.get_mut(peer) else { return Ok(()) };
            match &join.password {
                None => return Err(error(codes::PASSWORD_REQUIRED, "This room needs a password.")),
                // The budget is asked first, so that whoever has used it up does not even learn of a right guess.
                Some(_) if !state.wrong_passwords.has_one(rate, now.instant) => {
                    return Err(error(codes::RATE_LIMITED, "Too many wrong passwords. Wait and try again."));
                }
                Some(password) if !hash.matches(password) => {
                    state.wrong_passwords.take(1, rate, now.instant);
                    return Err(error(codes::WRONG_PASSWORD, "That is not this room's password."));
                }
                Some(_) => {}
            }
        }
        if room.is_full() {
            let message = format!("The room is full: it holds {} people.", room.capacity);
            return Err(error(codes::ROOM_FULL, message));
        }
        Ok(())
    }

    fn admit_to_new_room(&self, peer: &PeerId) -> Result<(), ErrorBody> {
        if !self.config.ephemeral_rooms {
            return Err(error(codes::ROOM_NOT_FOUND, "There is no such room. Create it first."));
        }
        // The room that the peer is about to leave may be the one that makes space.
        let freed = usize::from(self.leaves_an_ephemeral_room_empty(peer));
        if self.rooms.len() - freed >= self.config.max_rooms {
            return Err(error(codes::TOO_MANY_ROOMS, "The server has no space for another room."));
        }
        Ok(())
    }

    fn leaves_an_ephemeral_room_empty(&self, peer: &PeerId) -> bool {
        let room = self.peers.get(peer).and_then(|state| state.room.as_ref());
        room.and_then(|id| self.rooms.get(id)).is_some_and(|room| !room.permanent && room.members.len() == 1)
    }

    fn enter(&mut self, peer: &PeerId, join: JoinRoom, ack: Option<AckId>, now: Now) {
        let JoinRoom { room_id, display_name, password: _, caps } = join;
        let newcomer = Participant { peer_id: peer.clone(), display_name, caps };
        self.ensure_room(&room_id, now);
        let Some(room) = self.rooms.get_mut(&room_id) else { return };
        let others = room.member_ids();
        room.members.push(newcomer.clone());
        if let Some(state) = self.peers.get_mut(peer) {
            state.room = Some(room_id.clone());
        }
        // `peers` to the newcomer, then `peer-joined` to the others, then the ack.
        let joined = self.emit_peers(peer, &room_id);
        if !others.is_empty() {
            let event = ServerEvent::PeerJoined(newcomer);
            self.outputs.push_back(Output::Broadcast { to: others, event });
        }
        self.answer_joined(peer, ack, joined);
    }

    /// Answers a peer that is inside already, without changing anything.
    fn welcome(&mut self, peer: &PeerId, room_id: &RoomId, ack: Option<AckId>) {
        let joined = self.emit_peers(peer, room_id);
        self.answer_joined(peer, ack, joined);
    }

    fn emit_peers(&mut self, peer: &PeerId, room_id: &RoomId) -> Joined {
        let participants = self.rooms.get(room_id).map(|room| room.others(peer)).unwrap_or_default();
        let peers: Vec<PeerId> = participants.iter().map(|other| other.peer_id.clone()).collect();
        let event = ServerEvent::Peers { peers: peers.clone(), participants: participants.clone() };
        self.outputs.push_back(Output::Emit { to: peer.clone(), event });
        Joined { peer_id: peer.clone(), peers, participants, ice_servers: self.config.ice_servers.clone() }
    }

    fn answer_joined(&mut self, peer: &PeerId, ack: Option<AckId>, joined: Joined) {
        if let Some(ack) = ack {
            self.outputs.push_back(Output::Answer { to: peer.clone(), ack, answer: Answer::Joined(joined) });
        }
    }

    fn ensure_room(&mut self, room_id: &RoomId, now: Now) {
        if self.rooms.contains_key(room_id) {
            return;
        }
        self.made_rooms += 1;
        let room = Room {
            id: room_id.clone(),
            name: room_id.to_string(),
            created_at: now.wall,
            order: self.made_rooms,
            capacity: self.config.default_capacity,
            password: None,
            permanent: false,
            members: Vec::new(),
        };
        self.rooms.insert(room_id.clone(), room);
    }
}
