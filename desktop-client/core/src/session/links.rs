//! What the links report: connection states, chat, control messages, quality.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use shared::PeerId;
use shared::events::ClientEvent;

use super::Session;
use super::seam::{Output, SignalingOrder};
use crate::control::ControlMessage;
use crate::link::{Channel, LinkEvent, LinkId, LinkOrder};
use crate::mesh::{MeshInput, MeshOutput};

impl Session {
    pub(super) fn link(&mut self, link: LinkId, event: LinkEvent, now: Instant) {
        self.mesh.handle(MeshInput::Link { link, event }, now);
    }

    /// Tells the others when our microphone or camera is not any more what they were told.
    pub(super) fn tell_state(&mut self) {
        let state = self.devices.state_message();
        if state != self.told {
            self.told = state;
            self.mesh.broadcast(Channel::Control, &state.to_text());
        }
    }

    pub(super) fn drain_mesh(&mut self) {
        while let Some(output) = self.mesh.poll_output() {
            match output {
                MeshOutput::Link { link, order } => {
                    if matches!(order, LinkOrder::Open(_)) {
                        self.relinked(&link.peer);
                    }
                    self.out.push_back(Output::Link { link, order });
                }
                MeshOutput::Signal { to, data } => self.send_signal(to, data),
                MeshOutput::Stranger(peer) => {
                    if let Some(call) = &mut self.call {
                        call.add(&peer, &shared::DisplayName::default());
                    }
                    self.changed = true;
                }
                MeshOutput::Event { peer, event } => self.peer_event(&peer, event),
            }
        }
    }

    fn relinked(&mut self, peer: &PeerId) {
        if let Some(member) = self.call.as_mut().and_then(|call| call.member(peer)) {
            member.relinked();
        }
        self.changed = true;
    }

    /// While the server is away, signals are for links that will be gone when it is back.
    fn send_signal(&mut self, to: PeerId, data: Box<RawValue>) {
        if self.call.as_ref().is_some_and(super::call::Call::is_inside) {
            self.order(SignalingOrder::Emit(ClientEvent::Signal { to, data }));
        }
    }

    fn peer_event(&mut self, peer: &PeerId, event: LinkEvent) {
        let Some(member) = self.call.as_mut().and_then(|call| call.member(peer)) else { return };
        match event {
            LinkEvent::Message { channel: Channel::Chat, text } => {
                let name = member.name.clone();
                if let Some(call) = &mut self.call {
                    self.changed |= call.chat.received(peer.clone(), name, &text);
                }
            }
            LinkEvent::Message { channel: Channel::Control, text } => {
                if let Some(message) = ControlMessage::parse(&text) {
                    self.changed |= member.told(message);
                }
            }
            LinkEvent::MessageDropped { channel: Channel::Chat, .. } => {
                if !std::mem::replace(&mut member.dropped_told, true) {
                    let name = member.name.clone();
                    self.note_dropped(&name);
                }
            }
            LinkEvent::ChannelOpen(Channel::Control) => {
                self.mesh.send(peer, Channel::Control, &self.told.to_text());
            }
            LinkEvent::VideoFlowing(flowing) => {
                self.changed |= std::mem::replace(&mut member.video_flowing, flowing) != flowing;
            }
            LinkEvent::Quality { rtt, .. } => {
                let rtt_ms = rtt.map(whole_milliseconds);
                self.changed |= std::mem::replace(&mut member.rtt_ms, rtt_ms) != rtt_ms;
            }
            LinkEvent::Connection(_) => self.changed = true,
            LinkEvent::OfferCreated { .. }
            | LinkEvent::AnswerCreated { .. }
            | LinkEvent::AnswerAccepted
            | LinkEvent::RolledBack
            | LinkEvent::Failed { .. }
            | LinkEvent::LocalCandidate(_)
            | LinkEvent::NegotiationNeeded
            | LinkEvent::ChannelOpen(Channel::Chat)
            | LinkEvent::ChannelClosed(_)
            | LinkEvent::MessageDropped { channel: Channel::Control, .. } => {}
        }
    }
}

fn whole_milliseconds(rtt: Duration) -> u32 {
    u32::try_from(rtt.as_millis()).unwrap_or(u32::MAX)
}
