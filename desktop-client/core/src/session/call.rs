//! The room of the preview or the call, without the links: who is in it, what they say about themselves, and the chat.

use std::time::Duration;

use shared::events::{Joined, Participant, ServerEvent};
use shared::limits::ROOM_CAPACITY_MAX;
use shared::{DisplayName, PeerId};

use super::chat::ChatLog;
use super::hearings::Hearings;
use crate::allowance::Allowance;
use crate::control::{ControlMessage, ShownTile};
use crate::link::ConnectionState;
use crate::room_url::RoomUrl;
use crate::snapshot::{ParticipantView, RoomConnection, RoomView};
use crate::volume::{Hearing, Volume};

/// Most events that are kept between a reconnect and the answer to our join.
const EARLY_MAX: usize = 1024;

#[derive(Debug)]
pub(super) struct Call {
    pub(super) url: RoomUrl,
    pub(super) name: String,
    pub(super) connection: RoomConnection,
    pub(super) own_id: Option<PeerId>,
    /// We have been inside since the person joined.
    pub(super) been_inside: bool,
    pub(super) chat: ChatLog,
    hearings: Hearings,
    /// Who stays large.
    pub(super) pinned: Option<PeerId>,
    participants: Vec<Member>,
    /// Who is inside with names and capabilities, as the event `peers` told it.
    announced: Vec<Participant>,
    /// What happened in the room before our join was answered.
    early: Vec<ServerEvent>,
}

/// Control messages of one member that are looked at: so many at once, and one more each interval. A window that is being resized makes four a second;
/// what a flood has more of is not even parsed.
const CONTROL_BURST: u32 = 40;
const CONTROL_INTERVAL: Duration = Duration::from_millis(50);

/// What came of a control message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing new.
    Nothing,
    /// People see something new.
    News,
    /// The member shows our picture at another size.
    Tile(ShownTile),
}

/// Somebody else in the room.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: PeerId,
    pub(super) name: String,
    pub(super) microphone: Option<bool>,
    pub(super) camera: Option<bool>,
    pub(super) video_flowing: bool,
    /// Its video to us is suspended, by its own account.
    pub(super) sends_sound_only: bool,
    /// Our video to it is suspended.
    pub(super) gets_sound_only: bool,
    /// How it shows our picture, as far as its link knows.
    pub(super) tile: Option<ShownTile>,
    pub(super) rtt_ms: Option<u32>,
    /// Control messages that are looked at.
    pub(super) control: Allowance,
    /// The person was told that a message of this member's was dropped.
    pub(super) dropped_told: bool,
}

impl Call {
    pub(super) fn preview(url: RoomUrl, name: String) -> Self {
        Self {
            url,
            name,
            connection: RoomConnection::Idle,
            own_id: None,
            been_inside: false,
            chat: ChatLog::default(),
            hearings: Hearings::default(),
            pinned: None,
            participants: Vec::new(),
            announced: Vec::new(),
            early: Vec::new(),
        }
    }

    /// The server knows us as a member of the room at this moment.
    pub(super) fn is_inside(&self) -> bool {
        self.connection == RoomConnection::Joined
    }

    /// The person wants to be in the room.
    pub(super) fn is_under_way(&self) -> bool {
        match self.connection {
            RoomConnection::Joining | RoomConnection::Joined | RoomConnection::Reconnecting { .. } => true,
            RoomConnection::Idle | RoomConnection::Refused { .. } | RoomConnection::Ended { .. } => false,
        }
    }

    /// Keeps an event until our join is answered.
    pub(super) fn keep(&mut self, event: ServerEvent) {
        if let ServerEvent::Peers { participants, .. } = event {
            self.announced = participants;
        } else if self.early.len() < EARLY_MAX {
            self.early.push(event);
        }
    }

    /// A new connection begins: what was kept belongs to the old one.
    pub(super) fn forget_early(&mut self) {
        self.early.clear();
        self.announced.clear();
    }

    /// We are inside: gives the others, and the events that were kept.
    pub(super) fn enter(&mut self, joined: Joined) -> (Vec<Participant>, Vec<ServerEvent>) {
        let own_id = joined.peer_id;
        let known: Vec<Participant> =
            joined.participants.into_iter().chain(std::mem::take(&mut self.announced)).collect();
        let mut others: Vec<Participant> = Vec::new();
        let ids = joined.peers.into_iter().chain(known.iter().map(|participant| participant.peer_id.clone()));
        for id in ids.take(4 * ROOM_CAPACITY_MAX as usize) {
            if id == own_id || others.iter().any(|other| other.peer_id == id) {
                continue;
            }
            let plain =
                || Participant { peer_id: id.clone(), display_name: DisplayName::default(), caps: vec![] };
            others.push(known.iter().find(|p| p.peer_id == id).cloned().unwrap_or_else(plain));
        }
        others.truncate(ROOM_CAPACITY_MAX as usize);
        if self.own_id.as_ref() != Some(&own_id) {
            self.participants.clear();
        }
        self.participants.retain(|member| others.iter().any(|other| other.peer_id == member.id));
        for other in &others {
            self.add(&other.peer_id, &other.display_name);
        }
        self.unpin_absent();
        self.own_id = Some(own_id);
        self.been_inside = true;
        self.connection = RoomConnection::Joined;
        (others, std::mem::take(&mut self.early))
    }

    pub(super) fn add(&mut self, id: &PeerId, name: &DisplayName) {
        if let Some(member) = self.member(id) {
            member.name = name.to_string();
        } else if self.own_id.as_ref() != Some(id) && self.participants.len() < ROOM_CAPACITY_MAX as usize {
            self.participants.push(Member {
                id: id.clone(),
                name: name.to_string(),
                microphone: None,
                camera: None,
                video_flowing: false,
                sends_sound_only: false,
                gets_sound_only: false,
                tile: None,
                rtt_ms: None,
                control: Allowance::new(CONTROL_BURST, CONTROL_INTERVAL),
                dropped_told: false,
            });
        }
    }

    pub(super) fn remove(&mut self, id: &PeerId) {
        self.participants.retain(|member| member.id != *id);
        self.unpin_absent();
    }

    /// Who is not there cannot be watched.
    fn unpin_absent(&mut self) {
        self.pinned = self.pinned.take().filter(|id| self.member(id).is_some());
    }

    pub(super) fn member(&mut self, id: &PeerId) -> Option<&mut Member> {
        self.participants.iter_mut().find(|member| member.id == *id)
    }

    /// The person wants to hear a member in this way; false if there is no such member.
    pub(super) fn hear(&mut self, id: &PeerId, hearing: Hearing) -> bool {
        let Some(member) = self.participants.iter().find(|member| member.id == *id) else { return false };
        self.hearings.set(id, &member.name, hearing);
        true
    }

    /// How loud a member is to be played.
    pub(super) fn volume_of(&self, id: &PeerId) -> Volume {
        self.hearings.get(id).effective()
    }

    /// Recognises members who came back under a new id; gives those who are to be played at another volume now.
    pub(super) fn recognise(&mut self) -> Vec<PeerId> {
        let present: Vec<(&PeerId, &str)> =
            self.participants.iter().map(|member| (&member.id, member.name.as_str())).collect();
        self.hearings.adopt(&present)
    }

    /// The call is over; the chat stays readable.
    pub(super) fn end(&mut self, connection: RoomConnection) {
        self.connection = connection;
        self.own_id = None;
        self.participants.clear();
        self.pinned = None;
        self.hearings.clear();
        self.forget_early();
    }

    pub(super) fn view(&self, state_of: impl Fn(&PeerId) -> ConnectionState) -> RoomView {
        RoomView {
            id: self.url.room.clone(),
            name: self.name.clone(),
            link: self.url.guest_link(),
            connection: self.connection.clone(),
            own_id: self.own_id.clone(),
            participants: self
                .participants
                .iter()
                .map(|member| member.view(&state_of, &self.hearings))
                .collect(),
            pinned: self.pinned.clone(),
            chat: self.chat.to_vec(),
        }
    }
}

impl Member {
    /// A new attempt at a connection begins: what was known of the old one is void.
    pub(super) fn relinked(&mut self) {
        self.video_flowing = false;
        self.sends_sound_only = false;
        self.gets_sound_only = false;
        self.tile = None;
        self.rtt_ms = None;
    }

    /// Takes what the member tells.
    pub(super) fn told(&mut self, message: ControlMessage) -> Heard {
        let news = |is_news: bool| if is_news { Heard::News } else { Heard::Nothing };
        match message {
            ControlMessage::State { microphone, camera } => {
                let before = (self.microphone.replace(microphone), self.camera.replace(camera));
                news(before != (self.microphone, self.camera))
            }
            ControlMessage::Video { suspended } => {
                news(std::mem::replace(&mut self.sends_sound_only, suspended) != suspended)
            }
            ControlMessage::Tile(tile) if self.tile.replace(tile) != Some(tile) => Heard::Tile(tile),
            ControlMessage::Tile(_) => Heard::Nothing,
        }
    }

    fn view(&self, state_of: impl Fn(&PeerId) -> ConnectionState, hearings: &Hearings) -> ParticipantView {
        ParticipantView {
            peer_id: self.id.clone(),
            display_name: self.name.clone(),
            connection: state_of(&self.id),
            microphone: self.microphone,
            camera: self.camera,
            video_flowing: self.video_flowing,
            sends_sound_only: self.sends_sound_only,
            gets_sound_only: self.gets_sound_only,
            rtt_ms: self.rtt_ms,
            hearing: hearings.get(&self.id),
        }
    }
}
