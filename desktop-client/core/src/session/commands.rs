//! What the person asks for.

use std::time::Instant;

use shared::events::{ClientEvent, JoinRoom};
use shared::limits::DISPLAY_NAME_MAX_CHARS;
use shared::{PeerId, RoomId};

use super::Session;
use super::call::Call;
use super::chat::LINE_MAX_BYTES;
use super::devices::Scene;
use super::seam::{Output, SignalingOrder};
use crate::command::{Command, DeviceKind};
use crate::control::ShownTile;
use crate::link::Channel;
use crate::mesh::MeshInput;
use crate::room_url::RoomUrl;
use crate::snapshot::{NoticeLevel, RoomConnection, Screen};
use crate::text;
use crate::volume::Hearing;

/// A display name as typed: safe to show, and not longer than others will see it.
pub(super) fn typed_name(typed: &str) -> String {
    text::single_line(typed, usize::MAX).chars().take(DISPLAY_NAME_MAX_CHARS).collect()
}

impl Session {
    pub(super) fn command(&mut self, command: Command, now: Instant) {
        // The window knows itself how large it shows people.
        self.changed |= !matches!(command, Command::ShowTile { .. });
        match command {
            Command::SetDisplayName(name) => self.display_name = typed_name(&name),
            Command::SetServer(typed) => {
                self.trust.forget_rejected();
                self.server.set(&typed);
            }
            Command::RefreshRooms => {
                self.trust.forget_rejected();
                self.server.refresh();
            }
            Command::CreateRoom(room) => self.server.create(room),
            Command::DeleteRoom(room) => self.server.delete(room),
            Command::OpenPreview(room) => self.open_preview(room, now),
            Command::BackToStart => self.back_to_start(now),
            Command::Join { password } => self.join(password),
            Command::Leave => self.leave(now),
            Command::SetMicrophone(on) => self.devices.enable(DeviceKind::Microphone, on),
            Command::Talk(held) => self.devices.talk(held),
            Command::SetPushToTalk(on) => self.devices.set_push_to_talk(on),
            Command::SetCamera(on) => self.devices.enable(DeviceKind::Camera, on),
            Command::ChooseDevice { kind, id } => self.devices.choose(kind, id),
            Command::ProcessVoice(parts) => self.devices.process_voice(parts),
            Command::RetryDevice(kind) => self.devices.retry(kind),
            Command::RefreshDevices => self.devices.list(),
            Command::ShowTile { peer, tile } => self.show_tile(peer, tile),
            Command::Hear { peer, hearing } => self.hear(&peer, hearing),
            Command::ShowSpeaker(on) => self.speaker_view = on,
            Command::Pin(peer) => self.pin(peer),
            Command::SendChat(text) => self.send_chat(&text),
            Command::TrustCertificate => self.trust_certificate(),
            Command::RejectCertificate => self.reject_certificate(now),
            Command::DismissNotice(id) => self.notices.dismiss(id),
        }
    }

    fn open_preview(&mut self, room: RoomId, now: Instant) {
        let Some(server) = self.server.base().cloned() else {
            self.notices.add(NoticeLevel::Error, "Type the address of a server first.".to_owned());
            return;
        };
        self.hang_up(now);
        let name = self.server.name_of(&room);
        self.call = Some(Call::preview(RoomUrl { server, room }, name));
        self.show(Screen::Preview, Scene::Preview);
    }

    fn back_to_start(&mut self, now: Instant) {
        self.hang_up(now);
        self.call = None;
        self.show(Screen::Start, Scene::Nothing);
        self.server.refresh();
    }

    fn join(&mut self, password: Option<String>) {
        let Some(call) = self.call.as_mut().filter(|call| !call.is_under_way()) else { return };
        self.trust.forget_rejected();
        call.connection = RoomConnection::Joining;
        call.been_inside = false;
        let url = call.url.server.to_string();
        let room_id = call.url.room.clone();
        if self.devices.view().push_to_talk {
            self.devices.enable(DeviceKind::Microphone, false);
        }
        self.show(Screen::Call, Scene::Call);
        self.order(SignalingOrder::Connect { url });
        let (display_name, caps) = (self.public_name(), self.caps.clone());
        let request = JoinRoom { room_id, display_name, password, caps };
        self.order(SignalingOrder::Emit(ClientEvent::JoinRoom(request)));
    }

    /// Out of a call, the person wants to see the rooms; out of an attempt at one, the preview.
    fn leave(&mut self, now: Instant) {
        match &self.call {
            Some(call) if call.is_under_way() && !call.been_inside => {
                self.hang_up(now);
                if let Some(call) = &mut self.call {
                    call.end(RoomConnection::Idle);
                }
                self.show(Screen::Preview, Scene::Preview);
            }
            Some(_) | None => self.back_to_start(now),
        }
    }

    /// Ends the session with the server and closes all links, if there are any.
    pub(super) fn hang_up(&mut self, now: Instant) {
        if self.call.as_ref().is_some_and(Call::is_under_way) {
            self.order(SignalingOrder::Emit(ClientEvent::LeaveRoom));
            self.order(SignalingOrder::Disconnect);
            self.ending += 1;
        }
        self.notices.clear_server();
        self.tiles.clear();
        self.mesh.handle(MeshInput::Left, now);
    }

    pub(super) fn show(&mut self, screen: Screen, scene: Scene) {
        self.screen = screen;
        self.devices.set_scene(scene);
    }

    pub(super) fn order(&mut self, order: SignalingOrder) {
        self.out.push_back(Output::Signaling(order));
    }

    fn show_tile(&mut self, peer: PeerId, tile: ShownTile) {
        if self.call.as_mut().is_some_and(|call| call.member(&peer).is_some()) {
            self.tiles.show(peer, tile);
        }
    }

    fn hear(&mut self, peer: &PeerId, hearing: Hearing) {
        if self.call.as_mut().is_some_and(|call| call.hear(peer, hearing)) {
            self.mesh.set_volume(peer, hearing.effective());
        }
    }

    fn pin(&mut self, peer: Option<PeerId>) {
        if let Some(call) = &mut self.call {
            call.pinned = peer.filter(|peer| call.member(peer).is_some());
        }
    }

    fn send_chat(&mut self, typed: &str) {
        let line = text::multi_line(typed);
        let name = self.public_name().to_string();
        let Some(call) = self.call.as_mut().filter(|call| call.been_inside && call.is_under_way()) else {
            return;
        };
        if line.is_empty() {
            return;
        }
        if line.len() > LINE_MAX_BYTES {
            let text = format!(
                "The message is too long to send ({} of at most {LINE_MAX_BYTES} bytes). Send it in parts.",
                line.len()
            );
            self.notices.add(NoticeLevel::Warning, text);
            return;
        }
        let undelivered = self.mesh.broadcast(Channel::Chat, &line);
        call.chat.sent(name, line, undelivered);
    }

    fn trust_certificate(&mut self) {
        let Some(certificate) = self.trust.accept() else { return };
        let (host, fingerprint) = (certificate.host, certificate.fingerprint);
        self.out.push_back(Output::TrustCertificate { host, fingerprint });
        self.server.refresh();
        if let Some(call) = self.call.as_ref().filter(|call| call.is_under_way() && !call.is_inside()) {
            let url = call.url.server.to_string();
            self.order(SignalingOrder::Connect { url });
        }
    }

    fn reject_certificate(&mut self, now: Instant) {
        let Some(host) = self.trust.reject() else { return };
        let message =
            format!("You do not trust the certificate of {host}. Choose another server, or try again.");
        self.server.fail(message.clone());
        if self.call.as_ref().is_some_and(|call| call.is_under_way() && !call.is_inside()) {
            self.give_up(message, false, now);
        }
    }
}
