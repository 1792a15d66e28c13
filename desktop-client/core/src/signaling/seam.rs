//! What goes into the signaling core and what comes out of it.

use std::time::Instant;

use shared::PeerId;
use shared::events::{ClientEvent, JoinAnswer, ServerEvent};

/// A fact for the signaling core.
///
/// The driver owns at most one WebSocket: a new [`SignalingOutput::Dial`] replaces the one before. Once it has been told to dial or to close, it
/// reports nothing more about an older WebSocket.
#[derive(Debug, Clone)]
pub enum SignalingInput {
    /// Connect to the server with this base URL (`http(s)://host[:port]`), and stay connected. While waiting for the next attempt: try now.
    Start(String),
    /// The WebSocket is open.
    Opened,
    /// A text message came in.
    Text(String),
    /// A binary message came in.
    Binary(Vec<u8>),
    /// The WebSocket could not be opened, or is closed. The reason is for people, in a few words.
    TransportClosed {
        /// Why.
        reason: String,
    },
    /// Send an event. `join-room` is remembered and repeated after a reconnect, until `leave-room` or `Stop`.
    Emit(ClientEvent),
    /// Say goodbye and stay away.
    Stop,
}

/// An order for the driver, or news for the session.
#[derive(Debug, Clone)]
pub enum SignalingOutput {
    /// Open a WebSocket to this URL, instead of the one before. Answer with `Opened` or `TransportClosed`.
    Dial {
        /// `ws(s)://…`, complete.
        url: String,
    },
    /// Send a text message.
    Send(String),
    /// Close the WebSocket, after what was sent before has left. No answer is expected.
    CloseTransport,
    /// News.
    Event(SignalingEvent),
}

/// News for the session.
#[derive(Debug, Clone)]
pub enum SignalingEvent {
    /// Connected; `peer_id` is our id from now on. A remembered join is under way.
    Connected {
        /// The Socket.IO socket id.
        peer_id: PeerId,
    },
    /// The server sent an event.
    Event(ServerEvent),
    /// The server answered a join.
    JoinAnswered(JoinAnswer),
    /// The connection is lost, or could not be made. The next attempt comes by itself.
    Lost {
        /// Why, for people, in a few words.
        reason: String,
        /// Number of the coming attempt since the last good connection, from 1.
        attempt: u32,
        /// When it comes.
        retry_at: Instant,
    },
    /// The server answers, but does not want us, or is none of ours. No further attempt is made.
    Refused {
        /// A sentence for a person.
        message: String,
    },
    /// The connection has ended, as ordered.
    Closed,
}
