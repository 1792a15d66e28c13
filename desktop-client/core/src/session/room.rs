//! What the server reports while we are in a room, or on the way into it.

use std::time::Instant;

use shared::events::{ErrorBody, JoinAnswer, Joined, ServerEvent};

use super::Session;
use super::devices::Scene;
use crate::mesh::MeshInput;
use crate::refusal;
use crate::signaling::SignalingEvent;
use crate::snapshot::{NoticeLevel, RoomConnection, Screen};
use crate::text::single_line;

impl Session {
    pub(super) fn signaling(&mut self, event: SignalingEvent, now: Instant) {
        if self.ending > 0 {
            if matches!(event, SignalingEvent::Closed) {
                self.ending -= 1;
            }
            return;
        }
        let Some(call) = self.call.as_mut().filter(|call| call.is_under_way()) else { return };
        match event {
            SignalingEvent::Connected { .. } => {
                call.forget_early();
                self.notices.clear_server();
                self.changed = true;
            }
            // After a reconnect, what happens in the room means something only once we know who is in it.
            SignalingEvent::Event(event) if call.is_inside() => self.server_event(event, now),
            SignalingEvent::Event(event @ (ServerEvent::JoinError(_) | ServerEvent::RoomClosed { .. })) => {
                self.server_event(event, now);
            }
            SignalingEvent::Event(event) => call.keep(event),
            SignalingEvent::JoinAnswered(JoinAnswer::Joined(joined)) => self.joined(joined, now),
            SignalingEvent::JoinAnswered(JoinAnswer::Refused(error)) => self.join_refused(&error, now),
            SignalingEvent::Lost { reason, attempt, .. } => self.lost(&reason, attempt, now),
            SignalingEvent::Refused { message } => self.give_up(message, false, now),
            SignalingEvent::Closed => {}
        }
    }

    fn server_event(&mut self, event: ServerEvent, now: Instant) {
        let Some(call) = &mut self.call else { return };
        match event {
            ServerEvent::PeerJoined(participant) => {
                call.add(&participant.peer_id, &participant.display_name);
                self.mesh.handle(MeshInput::PeerJoined(participant), now);
                self.recognise();
                self.changed = true;
            }
            ServerEvent::PeerLeft { peer_id, .. } => {
                call.remove(&peer_id);
                self.tiles.remove(&peer_id);
                self.mesh.handle(MeshInput::PeerLeft(peer_id), now);
                self.recognise();
                self.changed = true;
            }
            ServerEvent::Signal { from, data } => self.mesh.handle(MeshInput::Signal { from, data }, now),
            ServerEvent::RoomClosed { room_id, reason } if room_id == call.url.room => {
                self.room_closed(&reason, now);
            }
            ServerEvent::JoinError(error) if !call.is_inside() => self.join_refused(&error, now),
            // The answer to the join says it all; and the links notice themselves what became of their signals.
            ServerEvent::Peers { .. }
            | ServerEvent::SignalError { .. }
            | ServerEvent::RoomClosed { .. }
            | ServerEvent::JoinError(_) => {}
        }
    }

    fn joined(&mut self, joined: Joined, now: Instant) {
        let Some(call) = &mut self.call else { return };
        let (own_id, ice_servers) = (joined.peer_id.clone(), joined.ice_servers.clone());
        let (participants, early) = call.enter(joined);
        self.mesh.handle(MeshInput::Entered { own_id, participants, ice_servers }, now);
        for event in early {
            self.server_event(event, now);
        }
        self.recognise();
        self.notices.clear_server();
        self.changed = true;
    }

    fn join_refused(&mut self, error: &ErrorBody, now: Instant) {
        self.give_up(refusal::sentence(error), refusal::wants_password(error), now);
    }

    fn lost(&mut self, reason: &str, attempt: u32, now: Instant) {
        let Some(call) = &mut self.call else { return };
        if call.been_inside {
            call.connection = RoomConnection::Reconnecting { attempt };
            self.mesh.handle(MeshInput::Offline, now);
        } else {
            let host = call.url.server.as_str();
            let text = format!(
                "{host} cannot be reached ({reason}). Trying again; check the address and your connection."
            );
            self.notices.set_server(text);
        }
        self.changed = true;
    }

    fn room_closed(&mut self, reason: &str, now: Instant) {
        let message = match reason {
            "" => "The room was closed.".to_owned(),
            "deleted" => "The room was deleted.".to_owned(),
            other => format!("The room was closed: {}.", single_line(other, 100).trim_end_matches('.')),
        };
        self.hang_up(now);
        if let Some(call) = &mut self.call {
            call.end(RoomConnection::Ended { message });
        }
        self.show(Screen::Call, Scene::Nothing);
        self.changed = true;
    }

    /// We do not get in, or not back in.
    pub(super) fn give_up(&mut self, message: String, wants_password: bool, now: Instant) {
        self.hang_up(now);
        let Some(call) = &mut self.call else { return };
        if call.been_inside {
            call.end(RoomConnection::Ended { message });
            self.show(Screen::Call, Scene::Nothing);
        } else {
            call.end(RoomConnection::Refused { message, wants_password });
            self.show(Screen::Preview, Scene::Preview);
        }
        self.changed = true;
    }

    pub(super) fn note_dropped(&mut self, name: &str) {
        let text = format!("A message of {name} was too long, or not text, and was dropped.");
        self.notices.add(NoticeLevel::Info, text);
        self.changed = true;
    }
}
