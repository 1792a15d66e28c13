//! The Socket.IO events of the contract, in both directions, with strict parsing.
//!
//! A server parses [`ClientEvent`]s and a client parses [`ServerEvent`]s from an event's name and its arguments as raw JSON. Unknown fields are
//! ignored; a known field of a wrong type is an error that names it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{DisplayName, PeerId, RoomId};

mod client_event;
mod encode;
mod server_event;

pub use client_event::ClientEventError;
pub use server_event::ServerEventError;

/// A capability that a client names in `join-room`, such as `control` or `screen`.
pub type Caps = Vec<String>;

/// The argument of `join-room`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinRoom {
    /// The room to join; created when it does not exist and the server allows that.
    pub room_id: RoomId,
    /// The name to show; "Guest" when missing.
    #[serde(default)]
    pub display_name: DisplayName,
    /// The room's password, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What this client can do beyond the base contract.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Caps,
}

/// A participant as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// The participant's id.
    pub peer_id: PeerId,
    /// The participant's name.
    #[serde(default)]
    pub display_name: DisplayName,
    /// What the participant's client can do; empty for plain guests.
    #[serde(default)]
    pub caps: Caps,
}

/// An ICE server in the form that browsers take (W3C webrtc, `RTCIceServer`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs. Browsers take a single string as well, and so does this.
    #[serde(deserialize_with = "one_or_many")]
    pub urls: Vec<String>,
    /// TURN user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// TURN password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// A failure as the contract writes it: a stable code for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Stable, kebab-case.
    pub code: String,
    /// One sentence for a person.
    #[serde(default)]
    pub message: String,
}

/// The ack of `join-room`: `{ok:true, …}` or `{ok:false, error}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinAnswer {
    /// The client is in the room.
    Joined(Joined),
    /// The client is not in the room, for this reason.
    Refused(ErrorBody),
}

/// The good half of a [`JoinAnswer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Joined {
    /// The client's own id.
    pub peer_id: PeerId,
    /// The others in the room.
    pub peers: Vec<PeerId>,
    /// The others with names and capabilities (absent from old servers).
    #[serde(default)]
    pub participants: Vec<Participant>,
    /// ICE servers to use for this room's links.
    #[serde(default)]
    pub ice_servers: Vec<IceServer>,
}

/// Client → server.
#[derive(Debug, Clone)]
pub enum ClientEvent {
    /// `join-room`.
    JoinRoom(JoinRoom),
    /// `signal`: relayed to `to` inside the sender's room; `data` is opaque and stays as it is, byte for byte.
    Signal {
        /// The addressee.
        to: PeerId,
        /// JSON of the sender's, untouched.
        data: Box<RawValue>,
    },
    /// `leave-room`.
    LeaveRoom,
}

/// Server → client.
#[derive(Debug, Clone)]
pub enum ServerEvent {
    /// `peers`: who was in the room before the newcomer.
    Peers {
        /// Their ids.
        peers: Vec<PeerId>,
        /// The same with names and capabilities; empty from old servers.
        participants: Vec<Participant>,
    },
    /// `peer-joined`.
    PeerJoined(Participant),
    /// `peer-left`.
    PeerLeft {
        /// Who left.
        peer_id: PeerId,
        /// Why, when the server says it.
        reason: Option<String>,
    },
    /// `signal`.
    Signal {
        /// The sender.
        from: PeerId,
        /// The sender's JSON, untouched.
        data: Box<RawValue>,
    },
    /// `join-error`.
    JoinError(ErrorBody),
    /// `signal-error`.
    SignalError {
        /// The addressee that could not be reached, as it was sent.
        to: String,
        /// Why.
        error: ErrorBody,
    },
    /// `room-closed`.
    RoomClosed {
        /// The room that is gone.
        room_id: RoomId,
        /// Why.
        reason: String,
    },
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(url) => vec![url],
        OneOrMany::Many(urls) => urls,
    })
}
