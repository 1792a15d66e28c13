//! What a person sees, as one immutable value. The engine publishes a new one after each change; views are functions of it.

use serde::{Deserialize, Serialize};
use shared::rest::Room;
use shared::{PeerId, RoomId};

use crate::command::DeviceKind;
use crate::link::ConnectionState;
use crate::volume::Hearing;

/// Everything that the window shows, except pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Which screen is up.
    pub screen: Screen,
    /// The person's display name as remembered or typed (may be empty on the start screen).
    pub display_name: String,
    /// The server and what it said last.
    pub server: ServerView,
    /// The room of the preview or the call.
    pub room: Option<RoomView>,
    /// Who speaks is shown large and the others small; otherwise everybody at the same size.
    pub speaker_view: bool,
    /// Our own microphone, camera and speaker.
    pub devices: DevicesView,
    /// Messages that the person has not closed, oldest first.
    pub notices: Vec<Notice>,
    /// A certificate that wants a decision.
    pub trust: Option<TrustPrompt>,
}

/// The screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// Server, name, list of rooms.
    Start,
    /// Own picture and devices, before joining a room.
    Preview,
    /// In a room, or on the way into it.
    Call,
}

/// The server of the start screen.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerView {
    /// As typed or remembered.
    pub url: String,
    /// What `GET /api/rooms` gave.
    pub rooms: RoomsState,
    /// A create or delete request is under way.
    pub busy: bool,
    /// Why the last create or delete failed, to be shown beside the form.
    pub form_error: Option<String>,
}

/// The list of rooms.
#[derive(Debug, Clone, PartialEq)]
pub enum RoomsState {
    /// No server chosen yet.
    Unknown,
    /// The request is under way.
    Loading,
    /// The rooms, in the server's order.
    Loaded(Vec<Room>),
    /// It failed; the sentence says what to do.
    Failed(String),
}

/// The room that we preview or are in.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomView {
    /// Its id.
    pub id: RoomId,
    /// Its name, when known.
    pub name: String,
    /// The link for guests.
    pub link: String,
    /// How the session with the server stands.
    pub connection: RoomConnection,
    /// Our own id, while joined.
    pub own_id: Option<PeerId>,
    /// The others, in a stable order (by the time they joined).
    pub participants: Vec<ParticipantView>,
    /// Who of them stays large whoever speaks.
    pub pinned: Option<PeerId>,
    /// The chat, oldest first, bounded.
    pub chat: Vec<ChatLine>,
}

/// How the session with the server stands.
#[derive(Debug, Clone, PartialEq)]
pub enum RoomConnection {
    /// On the preview: nothing asked yet.
    Idle,
    /// Connecting and joining.
    Joining,
    /// In the room.
    Joined,
    /// The server is gone; calls in progress go on, and we try again by ourselves.
    Reconnecting {
        /// Number of the attempt, from 1.
        attempt: u32,
    },
    /// The server refused; the sentence says why and what to do. `wants_password` asks for a password.
    Refused {
        /// For the person.
        message: String,
        /// The room wants a (different) password.
        wants_password: bool,
    },
    /// The room was closed under us, or we gave up; the sentence says why.
    Ended {
        /// For the person.
        message: String,
    },
}

/// Somebody else in the room.
#[derive(Debug, Clone, PartialEq)]
pub struct ParticipantView {
    /// Their id.
    pub peer_id: PeerId,
    /// Their name.
    pub display_name: String,
    /// How our link with them stands.
    pub connection: ConnectionState,
    /// Microphone on? `None` when their client does not say.
    pub microphone: Option<bool>,
    /// Camera on? `None` when their client does not say.
    pub camera: Option<bool>,
    /// Their picture is arriving.
    pub video_flowing: bool,
    /// They say that the path to us bears sound only, so they have suspended their video to us.
    pub sends_sound_only: bool,
    /// The path to them bears sound only, so we have suspended our video to them.
    pub gets_sound_only: bool,
    /// Round-trip time in milliseconds, when known.
    pub rtt_ms: Option<u32>,
    /// How the person wants to hear them.
    pub hearing: Hearing,
}

/// A line of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLine {
    /// Counts the lines of this room from 1; goes on when the oldest are forgotten.
    pub number: u64,
    /// Sender; `None` is us.
    pub from: Option<PeerId>,
    /// The sender's name when the line was written.
    pub name: String,
    /// The text.
    pub text: String,
    /// How many of our peers could not be reached with it (own lines only).
    pub undelivered: u32,
}

/// Our own devices.
#[derive(Debug, Clone, PartialEq)]
pub struct DevicesView {
    /// The camera.
    pub camera: DeviceView,
    /// The microphone.
    pub microphone: DeviceView,
    /// The speaker.
    pub speaker: DeviceView,
    /// What is done to the microphone's sound.
    pub voice: VoiceProcessing,
    /// The microphone is off unless a key is held.
    pub push_to_talk: bool,
    /// A key is held: others hear us although the microphone is off.
    pub talking: bool,
}

/// What the microphone's sound is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SoundMode {
    /// A voice: mono.
    #[default]
    Voice,
    /// Music: stereo if the microphone is, at a high bitrate, and not processed at all.
    Music,
}

/// What is done to the microphone's sound. Default: everything. Settings files hold it in this form, and what they leave out is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VoiceProcessing {
    /// What it is. The switches below hold for a voice.
    #[serde(deserialize_with = "known_or_default")]
    pub mode: SoundMode,
    /// The echo of our own speaker is removed.
    pub echo_cancellation: bool,
    /// Steady noise is removed.
    pub noise_suppression: bool,
    /// Quiet voices are made louder.
    pub automatic_gain: bool,
}

impl VoiceProcessing {
    /// The sound as it is.
    pub const OFF: Self = Self {
        mode: SoundMode::Voice,
        echo_cancellation: false,
        noise_suppression: false,
        automatic_gain: false,
    };
}

impl Default for VoiceProcessing {
    fn default() -> Self {
        Self {
            mode: SoundMode::Voice,
            echo_cancellation: true,
            noise_suppression: true,
            automatic_gain: true,
        }
    }
}

/// What a newer version wrote must not make all settings unreadable.
fn known_or_default<'de, D: serde::Deserializer<'de>>(value: D) -> Result<SoundMode, D::Error> {
    let written = String::deserialize(value)?;
    Ok(if written == "music" { SoundMode::Music } else { SoundMode::Voice })
}

impl DevicesView {
    /// Others hear us, as far as it is for the person to say.
    pub fn is_heard(&self) -> bool {
        self.microphone.enabled || self.talking
    }

    /// The view of one kind.
    pub fn get(&self, kind: DeviceKind) -> &DeviceView {
        match kind {
            DeviceKind::Camera => &self.camera,
            DeviceKind::Microphone => &self.microphone,
            DeviceKind::Speaker => &self.speaker,
        }
    }
}

/// One of our devices.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceView {
    /// What the person wants: on or off. Only the person changes it, never a reconnect.
    pub enabled: bool,
    /// Whether it runs.
    pub state: DeviceState,
    /// What can be chosen.
    pub available: Vec<DeviceInfo>,
    /// The chosen id; `None` is the system's default.
    pub chosen: Option<String>,
}

/// Whether a device runs.
#[derive(Debug, Clone, PartialEq)]
pub enum DeviceState {
    /// Not in use.
    Idle,
    /// Being opened.
    Opening,
    /// Running.
    Running,
    /// Could not be opened or was lost; the sentence names the device, the reason and the next step.
    Failed(String),
}

/// A device that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Stable id.
    pub id: String,
    /// Name for people.
    pub name: String,
}

/// A message to the person that is not bound to one place of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Number, for [`crate::command::Command::DismissNotice`].
    pub id: u64,
    /// How bad it is.
    pub level: NoticeLevel,
    /// What happened and what to do.
    pub text: String,
}

/// How bad a [`Notice`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something is worse than it should be.
    Warning,
    /// Something does not work.
    Error,
}

/// A server certificate that no authority vouches for and that is not pinned yet, or that differs from the pinned one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustPrompt {
    /// `host:port`.
    pub host: String,
    /// SHA-256 of the certificate, as colon-separated hex.
    pub fingerprint: String,
    /// The host was pinned with another certificate before: likely an attack or a reinstalled server.
    pub changed: bool,
}
