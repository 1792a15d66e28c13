//! What goes into a session and what comes out of it.
//!
//! Inputs are facts, outputs are orders. The engine that owns the session carries the orders out and reports what came of them.

use std::fmt;

use shared::RoomId;
use shared::events::{ClientEvent, ErrorBody};
use shared::rest::{CreateRoom, Room};

use crate::command::{Command, DeviceKind};
use crate::link::{LinkEvent, LinkId, LinkOrder};
use crate::signaling::SignalingEvent;
use crate::snapshot::{DeviceInfo, VoiceProcessing};

/// What a session starts with: settings from the last time, or from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionConfig {
    /// The display name as remembered; may be empty. Default: empty.
    pub display_name: String,
    /// The server as typed or remembered; may be empty, or a whole room link. Default: empty.
    pub server_url: String,
    /// Whether others hear us from the start. Default: true.
    pub microphone_enabled: bool,
    /// Whether others see us from the start. Default: true.
    pub camera_enabled: bool,
    /// The devices that were chosen the last time. Default: the system's.
    pub chosen: ChosenDevices,
    /// What is done to the microphone's sound. Default: everything.
    pub voice: VoiceProcessing,
    /// The microphone is off unless a key is held; [`Self::microphone_enabled`] does not count then. Default: false.
    pub push_to_talk: bool,
    /// Who speaks is shown large. Default: false.
    pub speaker_view: bool,
    /// What our client can do beyond the base contract, as `join-room` tells it. Default: `control`.
    pub caps: Vec<String>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            display_name: String::new(),
            server_url: String::new(),
            microphone_enabled: true,
            camera_enabled: true,
            chosen: ChosenDevices::default(),
            voice: VoiceProcessing::default(),
            push_to_talk: false,
            speaker_view: false,
            caps: vec![crate::control::CAP.to_owned()],
        }
    }
}

/// A device's id for each kind; `None` is the system's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChosenDevices {
    /// Video in.
    pub camera: Option<String>,
    /// Audio in.
    pub microphone: Option<String>,
    /// Audio out.
    pub speaker: Option<String>,
}

impl ChosenDevices {
    /// The choice for one kind.
    pub fn get(&self, kind: DeviceKind) -> Option<&str> {
        match kind {
            DeviceKind::Camera => self.camera.as_deref(),
            DeviceKind::Microphone => self.microphone.as_deref(),
            DeviceKind::Speaker => self.speaker.as_deref(),
        }
    }

    /// Changes the choice for one kind.
    pub fn set(&mut self, kind: DeviceKind, id: Option<String>) {
        match kind {
            DeviceKind::Camera => self.camera = id,
            DeviceKind::Microphone => self.microphone = id,
            DeviceKind::Speaker => self.speaker = id,
        }
    }
}

/// What is worth remembering until the program is started again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The display name as typed.
    pub display_name: String,
    /// The server as typed.
    pub server_url: String,
    /// The chosen devices.
    pub chosen: ChosenDevices,
    /// What is done to the microphone's sound.
    pub voice: VoiceProcessing,
    /// The microphone is off unless a key is held.
    pub push_to_talk: bool,
    /// Who speaks is shown large.
    pub speaker_view: bool,
}

/// A fact for the session.
#[derive(Debug, Clone)]
pub enum Input {
    /// The person asks for something.
    Command(Command),
    /// The signaling core reports.
    Signaling(SignalingEvent),
    /// A peer task reports. Facts about links that are gone are ignored.
    Link {
        /// Its link.
        link: LinkId,
        /// What happened.
        event: LinkEvent,
    },
    /// A REST request has ended.
    Rest(RestEvent),
    /// A device reports.
    Media(MediaFact),
    /// A server showed a certificate that no authority vouches for and that is not pinned. The shell fails that connection attempt as well.
    Certificate(UntrustedCertificate),
}

/// An order of the session's.
#[derive(Debug, Clone)]
pub enum Output {
    /// For the signaling core.
    Signaling(SignalingOrder),
    /// For the peer task of this link. [`LinkOrder::Open`] is a link's first order: start a task for it. [`LinkOrder::Close`] is its last.
    Link {
        /// The link.
        link: LinkId,
        /// What to do.
        order: LinkOrder,
    },
    /// A REST request to make.
    Rest(RestOrder),
    /// For the devices.
    Media(MediaOrder),
    /// Remember these settings.
    Persist(Settings),
    /// Pin this certificate; later connections to this host are good with it and only with it.
    TrustCertificate {
        /// `host:port`.
        host: String,
        /// SHA-256, as it was reported.
        fingerprint: String,
    },
    /// Publish a new snapshot. At most one per drain, and always the last output.
    SnapshotChanged,
}

/// For the signaling core and its driver.
#[derive(Debug, Clone)]
pub enum SignalingOrder {
    /// Connect to the server with this base URL (`http(s)://host[:port]`), and keep connected.
    Connect {
        /// The base URL.
        url: String,
    },
    /// Send an event. A join is remembered and repeated after each reconnect.
    Emit(ClientEvent),
    /// End the connection and forget the join.
    Disconnect,
}

/// A request to the server's REST API. Answer with a [`RestEvent`] that carries the same number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestOrder {
    /// Tells answers apart: an answer to an outdated request is ignored.
    pub request: u64,
    /// Base URL, `http(s)://host[:port]`.
    pub server: String,
    /// What to ask for.
    pub call: RestCall,
}

/// The calls of the REST API that the window uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestCall {
    /// `GET /api/rooms`.
    List,
    /// `POST /api/rooms`.
    Create(CreateRoom),
    /// `DELETE /api/rooms/:id`.
    Delete(RoomId),
}

/// How a REST request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestEvent {
    /// The number of the [`RestOrder`].
    pub request: u64,
    /// The answer, or why there is none.
    pub result: Result<RestAnswer, RestFailure>,
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestAnswer {
    /// To [`RestCall::List`].
    Rooms(Vec<Room>),
    /// To [`RestCall::Create`].
    Created(Room),
    /// To [`RestCall::Delete`].
    Deleted,
}

/// Why a request has no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestFailure {
    /// No answer came. Carries the reason in a few words, for people ("connection refused").
    Unreachable(String),
    /// The server answered with an error.
    Refused {
        /// HTTP status.
        status: u16,
        /// The error of the contract, when the body held one.
        error: Option<ErrorBody>,
    },
    /// The answer is not what the contract says: probably no Roundtable server.
    Malformed,
}

/// What a device reports. Messages are sentences for people that name the device, the reason and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaFact {
    /// It is being opened.
    Opening(DeviceKind),
    /// It runs.
    Opened(DeviceKind),
    /// It is not in use any more, as ordered.
    Closed(DeviceKind),
    /// It could not be opened.
    Failed {
        /// Which one.
        kind: DeviceKind,
        /// Device, reason, next step.
        message: String,
    },
    /// It ran and is gone.
    Lost {
        /// Which one.
        kind: DeviceKind,
        /// Device, reason, next step.
        message: String,
    },
    /// The devices of this kind that can be chosen.
    Devices {
        /// Which kind.
        kind: DeviceKind,
        /// All of them.
        list: Vec<DeviceInfo>,
    },
}

/// What the devices shall do.
///
/// `Choose`, `Enable` and `StandBy` set what is wanted, in any scene and before the first one as well; the scene says what of it is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaOrder {
    /// The preview is up: run the camera (if enabled) for the own picture, and the microphone for its level. Nobody hears or sees us.
    StartPreview,
    /// The call is up: run camera, microphone and speaker.
    StartCall,
    /// Neither is up: release all devices.
    Stop,
    /// Switch the camera or the microphone on or off. Off, nothing of it leaves this computer. A speaker is always on.
    Enable {
        /// Which one.
        kind: DeviceKind,
        /// On or off.
        enabled: bool,
    },
    /// Keep the microphone open in a call while it is off, so that nothing of the first word is lost; or no longer.
    StandBy(bool),
    /// Use this device from now on.
    Choose {
        /// Which kind.
        kind: DeviceKind,
        /// Its id; `None` is the system's default.
        id: Option<String>,
    },
    /// Process the microphone's sound in this way from now on.
    ProcessVoice(VoiceProcessing),
    /// Open a device that failed again.
    Retry(DeviceKind),
    /// List the devices of all kinds again.
    List,
}

/// A certificate that wants a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UntrustedCertificate {
    /// `host:port`.
    pub host: String,
    /// SHA-256 of the certificate, as colon-separated hex.
    pub fingerprint: String,
    /// The host was pinned with another certificate before.
    pub changed: bool,
}

impl fmt::Display for RestFailure {
    /// A sentence for a person: the cause and the next step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(reason) => {
                write!(
                    f,
                    "The server does not answer ({reason}). Check the address and your connection, then try again."
                )
            }
            Self::Refused { error: Some(error), .. } => f.write_str(&crate::refusal::sentence(error)),
            Self::Refused { status, error: None } => {
                write!(f, "The server answered with an error (HTTP status {status}). Try again later.")
            }
            Self::Malformed => {
                f.write_str("This does not seem to be a Roundtable server. Check the address.")
            }
        }
    }
}
