//! What the links report: connection states, chat, control messages, quality.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use shared::PeerId;
use shared::events::ClientEvent;

use super::Session;
use super::call::Heard;
use super::seam::{Output, SignalingOrder};
use crate::control::ControlMessage;
use crate::link::{Channel, LinkEvent, LinkId, LinkOrder};
use crate::mesh::{MeshInput, MeshOutput};
use crate::volume::Volume;

impl Session {
    pub(super) fn link(&mut self, link: LinkId, event: LinkEvent, now: Instant) {
        if matches!(event, LinkEvent::Message { channel: Channel::Control, .. }) {
            let member = self.call.as_mut().and_then(|call| call.member(&link.peer));
            if member.is_some_and(|member| !member.control.take(now)) {
                return;
            }
        }
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

    /// Tells the others how large they are shown.
    pub(super) fn tell_tiles(&mut self, now: Instant) {
        while let Some((peer, tile)) = self.tiles.take_due(now) {
            self.mesh.send(&peer, Channel::Control, &ControlMessage::Tile(tile).to_text());
        }
        self.drain_mesh();
    }

    pub(super) fn drain_mesh(&mut self) {
        while let Some(output) = self.mesh.poll_output() {
            match output {
                MeshOutput::Link { link, order } => {
                    let opens = matches!(order, LinkOrder::Open(_));
                    self.out.push_back(Output::Link { link: link.clone(), order });
                    if opens {
                        self.relinked(link);
                    }
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

    /// A new link plays people as they sound: it is told how the person wants to hear this one.
    fn relinked(&mut self, link: LinkId) {
        self.changed = true;
        let Some(call) = &mut self.call else { return };
        if let Some(member) = call.member(&link.peer) {
            member.relinked();
        }
        let volume = call.volume_of(&link.peer);
        if volume != Volume::default() {
            self.out.push_back(Output::Link { link, order: LinkOrder::SetVolume(volume) });
        }
    }

    /// After somebody came or left.
    pub(super) fn recognise(&mut self) {
        let Some(call) = &mut self.call else { return };
        for peer in call.recognise() {
            self.mesh.set_volume(&peer, call.volume_of(&peer));
        }
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
                let Some(message) = ControlMessage::parse(&text) else { return };
                match member.told(message) {
                    Heard::Nothing => {}
                    Heard::News => self.changed = true,
                    Heard::Tile(tile) => self.mesh.fit_tile(peer, tile),
                }
            }
            LinkEvent::MessageDropped { channel: Channel::Chat, .. } => {
                if !std::mem::replace(&mut member.dropped_told, true) {
                    let name = member.name.clone();
                    self.note_dropped(&name);
                }
            }
            LinkEvent::ChannelOpen(Channel::Control) => {
                let suspended = member.gets_sound_only;
                self.mesh.send(peer, Channel::Control, &self.told.to_text());
                if suspended {
                    self.mesh.send(peer, Channel::Control, &ControlMessage::Video { suspended }.to_text());
                }
                self.tiles.channel_opened(peer);
            }
            LinkEvent::VideoSuspended(suspended) => {
                if std::mem::replace(&mut member.gets_sound_only, suspended) != suspended {
                    self.mesh.send(peer, Channel::Control, &ControlMessage::Video { suspended }.to_text());
                    self.changed = true;
                }
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
