//! What a person (or a script) can ask of the session.

use shared::rest::CreateRoom;
use shared::{PeerId, RoomId};

use crate::control::ShownTile;
use crate::snapshot::VoiceProcessing;
use crate::volume::Hearing;

/// A request of the person's; the snapshot shows what came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Remember this display name.
    SetDisplayName(String),
    /// Talk to this server (a URL as typed; scheme optional); loads its rooms.
    SetServer(String),
    /// Load the list of rooms again.
    RefreshRooms,
    /// Create a room by REST.
    CreateRoom(CreateRoom),
    /// Delete a room by REST.
    DeleteRoom(RoomId),
    /// Go to the preview of this room.
    OpenPreview(RoomId),
    /// Leave the preview or the end-of-call screen for the start screen.
    BackToStart,
    /// Join the room of the preview.
    Join {
        /// The room's password, when the person typed one.
        password: Option<String>,
    },
    /// Give up joining or reconnecting, or leave the room.
    Leave,
    /// Switch the microphone (true: others hear us).
    SetMicrophone(bool),
    /// Talk while the microphone is off, in a call (true), or no longer: for as long as a key is held.
    Talk(bool),
    /// Joining starts with the microphone off, which is kept ready for [`Command::Talk`]. Setting it switches the microphone off.
    SetPushToTalk(bool),
    /// Switch the camera (true: others see us).
    SetCamera(bool),
    /// Use this camera, microphone or speaker; `None` means the system's default.
    ChooseDevice {
        /// Which of the three.
        kind: DeviceKind,
        /// The device's id as `roundtable devices` lists it.
        id: Option<String>,
    },
    /// Process the microphone's sound in this way.
    ProcessVoice(VoiceProcessing),
    /// Try a failed device again.
    RetryDevice(DeviceKind),
    /// List the devices again.
    RefreshDevices,
    /// The window shows somebody's picture at this size from now on. They are told, at their own pace, so that they need not send more.
    ShowTile {
        /// Whose picture.
        peer: PeerId,
        /// How large.
        tile: ShownTile,
    },
    /// Hear somebody in this way for the rest of the call. Only this client knows of it.
    Hear {
        /// Whom.
        peer: PeerId,
        /// How.
        hearing: Hearing,
    },
    /// Show who speaks large and the others small (true), or everybody at the same size.
    ShowSpeaker(bool),
    /// Keep this person large whoever speaks, or nobody.
    Pin(Option<PeerId>),
    /// Send a chat line to everybody in the room.
    SendChat(String),
    /// Trust the certificate of the pending [`crate::snapshot::TrustPrompt`] from now on.
    TrustCertificate,
    /// Do not trust it; the connection is given up.
    RejectCertificate,
    /// Close the notice with this number.
    DismissNotice(u64),
}

/// The three kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKind {
    /// Video in.
    Camera,
    /// Audio in.
    Microphone,
    /// Audio out.
    Speaker,
}
