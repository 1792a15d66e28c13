//! Why a socket is gone.

use std::fmt;

/// Why a socket, or the connection below it, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The client left the namespace (Socket.IO DISCONNECT).
    ClientDisconnect,
    /// The client closed the connection in an orderly way: Engine.IO `close`, or a WebSocket closing handshake (1000, 1001, or no code).
    ClientClose,
    /// The connection broke, or the WebSocket was closed with a code that tells of an error.
    TransportLost,
    /// No answer to a heartbeat.
    PingTimeout,
    /// No namespace was joined in time.
    ConnectTimeout,
    /// The client broke the protocol: a malformed packet, overlapping polls, an event for a namespace that it has not joined.
    ProtocolViolation,
    /// The client sent more than the limit in one message.
    PayloadTooLarge,
    /// The client did not read what was sent to it.
    SlowReader,
    /// The application disconnected the client.
    ServerDisconnect,
    /// The server shuts down.
    ServerShutdown,
}

impl DisconnectReason {
    /// Whether somebody decided to end it. Otherwise the client may well come back.
    pub fn is_clean(self) -> bool {
        match self {
            Self::ClientDisconnect | Self::ClientClose | Self::ServerDisconnect | Self::ServerShutdown => {
                true
            }
            Self::TransportLost
            | Self::PingTimeout
            | Self::ConnectTimeout
            | Self::ProtocolViolation
            | Self::PayloadTooLarge
            | Self::SlowReader => false,
        }
    }

    /// The reason in words, Node's where it has some.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientDisconnect => "client namespace disconnect",
            Self::ClientClose => "transport close",
            Self::TransportLost => "transport error",
            Self::PingTimeout => "ping timeout",
            Self::ConnectTimeout => "connect timeout",
            Self::ProtocolViolation => "parse error",
            Self::PayloadTooLarge => "payload too large",
            Self::SlowReader => "slow reader",
            Self::ServerDisconnect => "server namespace disconnect",
            Self::ServerShutdown => "server shutting down",
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
