//! Engine.IO packets: one per WebSocket message, or several joined by a record separator in a long-polling payload.
//!
//! Text packets start with a digit that tells their type. Binary packets are always messages: bare binary frames on WebSocket, base64 with a
//! leading `b` in a payload.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

/// Separates the packets of a long-polling payload: ASCII "record separator".
pub const RECORD_SEPARATOR: char = '\u{1e}';

/// The data of the ping and pong that probe a new transport during an upgrade.
pub const PROBE: &str = "probe";

/// Node's parser takes base64 with or without padding, so both are accepted; padding is always written.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why bytes are not an Engine.IO packet. The session that sent them is beyond repair: close it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// There is no packet at all, for example between two separators.
    #[error("empty packet")]
    Empty,
    /// The first character is no packet type.
    #[error("unknown packet type")]
    UnknownType,
    /// A packet that carries nothing by definition carries something.
    #[error("unexpected data in a packet without payload")]
    UnexpectedData,
    /// The base64 of a binary packet does not decode.
    #[error("invalid base64")]
    Base64,
}

/// One Engine.IO packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0`: the handshake, JSON of an [`Open`].
    Open(&'a str),
    /// `1`: this session is over.
    Close,
    /// `2`: heartbeat from the server, or `2probe` from a client that upgrades.
    Ping(&'a str),
    /// `3`: the answer to a ping, with the same data.
    Pong(&'a str),
    /// `4`: a text message.
    Message(&'a str),
    /// A binary message.
    Binary(Cow<'a, [u8]>),
    /// `5`: the client moves to this transport.
    Upgrade,
    /// `6`: does nothing; ends a pending poll.
    Noop,
}

impl<'a> Packet<'a> {
    /// Reads a packet from a WebSocket text message. (A WebSocket binary message is a [`Packet::Binary`] as it is.)
    pub fn decode(text: &'a str) -> Result<Self, DecodeError> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(DecodeError::Empty)?;
        let data = chars.as_str();
        let bare = |packet| if data.is_empty() { Ok(packet) } else { Err(DecodeError::UnexpectedData) };
        match kind {
            '0' => Ok(Self::Open(data)),
            '1' => bare(Self::Close),
            '2' => Ok(Self::Ping(data)),
            '3' => Ok(Self::Pong(data)),
            '4' => Ok(Self::Message(data)),
            '5' => bare(Self::Upgrade),
            '6' => bare(Self::Noop),
            _ => Err(DecodeError::UnknownType),
        }
    }

    /// Reads a packet from a long-polling payload, where binary is base64 behind a `b`.
    pub fn decode_from_payload(text: &'a str) -> Result<Self, DecodeError> {
        match text.strip_prefix('b') {
            Some(encoded) => {
                let bytes = BASE64.decode(encoded).map_err(|_| DecodeError::Base64)?;
                Ok(Self::Binary(Cow::Owned(bytes)))
            }
            None => Self::decode(text),
        }
    }

    /// Appends the packet in its text form, which is what a payload holds; binary becomes base64.
    pub fn encode_to(&self, out: &mut String) {
        let (kind, data) = match self {
            Self::Open(data) => ('0', *data),
            Self::Close => ('1', ""),
            Self::Ping(data) => ('2', *data),
            Self::Pong(data) => ('3', *data),
            Self::Message(data) => ('4', *data),
            Self::Upgrade => ('5', ""),
            Self::Noop => ('6', ""),
            Self::Binary(bytes) => {
                out.push('b');
                BASE64.encode_string(bytes, out);
                return;
            }
        };
        out.push(kind);
        out.push_str(data);
    }

    /// The packet in its text form.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        self.encode_to(&mut out);
        out
    }
}

/// Reads the packets of a long-polling payload in order. Stop at the first error: what follows cannot be trusted.
pub fn decode_payload(payload: &str) -> impl Iterator<Item = Result<Packet<'_>, DecodeError>> {
    payload.split(RECORD_SEPARATOR).map(Packet::decode_from_payload)
}

/// Joins packets into a long-polling payload.
pub fn encode_payload<'p>(packets: impl IntoIterator<Item = Packet<'p>>) -> String {
    let mut out = String::new();
    for packet in packets {
        append_to_payload(&mut out, &packet);
    }
    out
}

/// Appends one packet to a payload that may already hold some.
pub fn append_to_payload(payload: &mut String, packet: &Packet<'_>) {
    if !payload.is_empty() {
        payload.push(RECORD_SEPARATOR);
    }
    packet.encode_to(payload);
}

/// What the server says in the `open` packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    /// The session's id. A secret of this session: whoever knows it can speak as the client.
    pub sid: String,
    /// Transports that the client may upgrade to.
    #[serde(default)]
    pub upgrades: Vec<String>,
    /// Milliseconds between two heartbeats of the server.
    pub ping_interval: u64,
    /// Milliseconds that the server waits for the answer to a heartbeat.
    pub ping_timeout: u64,
    /// Most bytes that the server takes in one payload or message. Absent from servers of early revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_payload: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packets_have_the_documented_form() {
        assert_eq!(Packet::decode("4hello"), Ok(Packet::Message("hello")));
        assert_eq!(Packet::decode("2probe"), Ok(Packet::Ping(PROBE)));
        assert_eq!(Packet::decode("6"), Ok(Packet::Noop));
        assert_eq!(Packet::decode(""), Err(DecodeError::Empty));
        assert_eq!(Packet::decode("abc"), Err(DecodeError::UnknownType));
        assert_eq!(Packet::decode("€"), Err(DecodeError::UnknownType));
        assert_eq!(Packet::decode("1now"), Err(DecodeError::UnexpectedData));
        assert_eq!(Packet::decode("bAQID"), Err(DecodeError::UnknownType));
    }

    #[test]
    fn payloads_mix_text_and_base64() {
        let payload = "4hello\u{1e}bAQIDBA==\u{1e}4";
        let packets: Result<Vec<_>, _> = decode_payload(payload).collect();
        let packets = packets.unwrap();
        assert_eq!(
            packets,
            [Packet::Message("hello"), Packet::Binary(vec![1, 2, 3, 4].into()), Packet::Message("")]
        );
        assert_eq!(encode_payload(packets), payload);
        assert_eq!(Packet::decode_from_payload("bAQIDBA"), Ok(Packet::Binary(vec![1, 2, 3, 4].into())));
        assert_eq!(Packet::decode_from_payload("b!"), Err(DecodeError::Base64));
    }

    #[test]
    fn an_empty_record_is_an_error() {
        assert_eq!(decode_payload("").next(), Some(Err(DecodeError::Empty)));
        assert_eq!(decode_payload("4a\u{1e}").nth(1), Some(Err(DecodeError::Empty)));
    }

    fn any_packet() -> impl Strategy<Value = Packet<'static>> {
        // A record separator cannot appear inside a packet of a payload: JSON escapes control characters.
        let text = "[^\u{1e}]{0,40}".prop_map(|text: String| &*text.leak());
        prop_oneof![
            text.clone().prop_map(Packet::Open),
            Just(Packet::Close),
            text.clone().prop_map(Packet::Ping),
            text.clone().prop_map(Packet::Pong),
            text.prop_map(Packet::Message),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Packet::Binary(bytes.into())),
            Just(Packet::Upgrade),
            Just(Packet::Noop),
        ]
    }

    proptest! {
        #[test]
        fn payloads_survive_a_round_trip(packets in prop::collection::vec(any_packet(), 1..8)) {
            let payload = encode_payload(packets.clone());
            let decoded: Result<Vec<_>, _> = decode_payload(&payload).collect();
            prop_assert_eq!(decoded, Ok(packets));
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            for packet in decode_payload(&text).map_while(Result::ok) {
                packet.encode();
            }
        }
    }
}
