//! Reads Socket.IO packets, strictly: what the JavaScript parser refuses is refused here too.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{AckId, Body, Packet, RESERVED_EVENTS, ROOT_NAMESPACE, scan};
use crate::limits::MAX_PAYLOAD_BYTES;

/// What one packet may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most attachments of one packet. Default 10, as in Node's parser.
    pub attachments: usize,
    /// Most bytes of all attachments of one packet together. Default [`MAX_PAYLOAD_BYTES`]: waiting for attachments must not cost more than
    /// a single message can.
    pub attachment_bytes: usize,
    /// Deepest nesting of arrays and objects. Default 64: well-known parsers stop between 100 and 1000 levels, and relaying deeper JSON would
    /// harm whoever receives it.
    pub depth: usize,
    /// Longest namespace, in bytes. Default 256.
    pub namespace_bytes: usize,
    /// Most arguments of one event or acknowledgement. Default 256. Each is kept on its own, which costs many times the two bytes that a
    /// needless one takes in a message.
    pub arguments: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attachments: 10,
            attachment_bytes: MAX_PAYLOAD_BYTES,
            depth: 64,
            namespace_bytes: 256,
            arguments: 256,
        }
    }
}

/// Why a message is not a Socket.IO packet. The connection that sent it is beyond repair: close it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The first character is no packet type, or there is none.
    #[error("unknown packet type")]
    UnknownType,
    /// The number of attachments is missing, malformed or zero.
    #[error("illegal number of attachments")]
    Attachments,
    /// More or larger attachments than [`Limits`] allow.
    #[error("too many or too large attachments")]
    AttachmentsTooLarge,
    /// A namespace longer than [`Limits::namespace_bytes`].
    #[error("namespace is too long")]
    NamespaceTooLong,
    /// An acknowledgement number that is missing where it must stand, stands where none may, or does not fit 64 bits.
    #[error("illegal acknowledgement number")]
    AckId,
    /// JSON that does not parse, is not of the form that the packet type asks for, or has more arguments than [`Limits::arguments`].
    #[error("invalid payload")]
    Payload,
    /// JSON that nests deeper than [`Limits::depth`].
    #[error("payload nests too deeply")]
    TooDeep,
    /// A text message while attachments were missing.
    #[error("text where an attachment was due")]
    TextInsteadOfAttachment,
    /// A binary message that no packet announced.
    #[error("binary message without a packet that announced it")]
    UnexpectedBinary,
}

/// Turns the messages of one connection into packets. Holds the packet that waits for attachments, if any.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    /// Boxed, because nearly no connection ever waits for attachments.
    incomplete: Option<Box<Incomplete>>,
}

#[derive(Debug)]
struct Incomplete {
    packet: Packet,
    expected: usize,
    received: Vec<Bytes>,
    received_bytes: usize,
}

impl Decoder {
    /// A decoder with these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, incomplete: None }
    }

    /// Takes a text message. `None` means that the packet waits for attachments.
    pub fn text(&mut self, text: &str) -> Result<Option<Packet>, DecodeError> {
        if self.incomplete.is_some() {
            return Err(DecodeError::TextInsteadOfAttachment);
        }
        let (packet, expected) = decode(text, &self.limits)?;
        if expected == 0 {
            return Ok(Some(packet));
        }
        let incomplete = Incomplete { packet, expected, received: Vec::new(), received_bytes: 0 };
        self.incomplete = Some(Box::new(incomplete));
        Ok(None)
    }

    /// Takes a binary message. `None` means that the packet waits for more of them.
    pub fn binary(&mut self, bytes: Bytes) -> Result<Option<Packet>, DecodeError> {
        let mut incomplete = self.incomplete.take().ok_or(DecodeError::UnexpectedBinary)?;
        incomplete.received_bytes += bytes.len();
        if incomplete.received_bytes > self.limits.attachment_bytes {
            return Err(DecodeError::AttachmentsTooLarge);
        }
        incomplete.received.push(bytes);
        if incomplete.received.len() < incomplete.expected {
            self.incomplete = Some(incomplete);
            return Ok(None);
        }
        let Incomplete { mut packet, received, .. } = *incomplete;
        if let Body::Event { args, .. } | Body::Ack { args, .. } = &mut packet.body {
            args.set_attachments(received);
        }
        Ok(Some(packet))
    }
}

/// The parts of a packet's text, unread.
struct Parts<'a> {
    kind: u8,
    attachments: usize,
    namespace: &'a str,
    id: Option<AckId>,
    json: &'a str,
}

fn decode(text: &str, limits: &Limits) -> Result<(Packet, usize), DecodeError> {
    let parts = split(text, limits)?;
    if scan::nests_deeper_than(parts.json, limits.depth) {
        return Err(DecodeError::TooDeep);
    }
    let body = match parts.kind {
        b'0' => {
            parts.forbid_id()?;
            Body::Connect(if parts.json.is_empty() { None } else { Some(object(parts.json)?) })
        }
        b'1' => {
            parts.forbid_id()?;
            if !parts.json.is_empty() {
                return Err(DecodeError::Payload);
            }
            Body::Disconnect
        }
        b'2' | b'5' => {
            let (name, args) = array(parts.json, EventArray { max: limits.arguments })?;
            Body::Event { name, args: args.into(), ack: parts.id }
        }
        b'3' | b'6' => {
            let args = array(parts.json, ArgsArray { max: limits.arguments })?;
            Body::Ack { id: parts.id.ok_or(DecodeError::AckId)?, args: args.into() }
        }
        b'4' => {
            parts.forbid_id()?;
            Body::ConnectError(object_or_string(parts.json)?)
        }
        _ => return Err(DecodeError::UnknownType),
    };
    if parts.attachments > 0 {
        scan::check_placeholders(parts.json, parts.attachments).map_err(|_| DecodeError::Attachments)?;
    }
    let namespace = match parts.namespace {
        ROOT_NAMESPACE => Cow::Borrowed(ROOT_NAMESPACE),
        other => Cow::Owned(other.to_owned()),
    };
    Ok((Packet { namespace, body }, parts.attachments))
}

impl Parts<'_> {
    fn forbid_id(&self) -> Result<(), DecodeError> {
        if self.id.is_some() { Err(DecodeError::AckId) } else { Ok(()) }
    }
}

fn split<'a>(text: &'a str, limits: &Limits) -> Result<Parts<'a>, DecodeError> {
    let kind = *text
        .as_bytes()
        .first()
        .filter(|kind| matches!(kind, b'0'..=b'6'))
        .ok_or(DecodeError::UnknownType)?;
    let rest = &text[1..];
    let (attachments, rest) = match kind {
        b'5' | b'6' => split_attachments(rest, limits)?,
        _ => (0, rest),
    };
    let (namespace, rest) = match rest.strip_prefix('/') {
        Some(_) => rest.split_once(',').unwrap_or((rest, "")),
        None => (ROOT_NAMESPACE, rest),
    };
    if namespace.len() > limits.namespace_bytes {
        return Err(DecodeError::NamespaceTooLong);
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, json) = rest.split_at(digits);
    let id =
        if number.is_empty() { None } else { Some(AckId(number.parse().map_err(|_| DecodeError::AckId)?)) };
    Ok(Parts { kind, attachments, namespace, id, json })
}

fn split_attachments<'a>(rest: &'a str, limits: &Limits) -> Result<(usize, &'a str), DecodeError> {
    let (number, rest) = rest.split_once('-').ok_or(DecodeError::Attachments)?;
    if number.is_empty() || number.len() > 9 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecodeError::Attachments);
    }
    match number.parse() {
        Ok(0) | Err(_) => Err(DecodeError::Attachments),
        Ok(count) if count > limits.attachments => Err(DecodeError::AttachmentsTooLarge),
        Ok(count) => Ok((count, rest)),
    }
}

fn object(json: &str) -> Result<Box<RawValue>, DecodeError> {
    let raw: Box<RawValue> = serde_json::from_str(json).map_err(|_| DecodeError::Payload)?;
    if raw.get().starts_with('{') { Ok(raw) } else { Err(DecodeError::Payload) }
}

fn object_or_string(json: &str) -> Result<Box<RawValue>, DecodeError> {
    let raw: Box<RawValue> = serde_json::from_str(json).map_err(|_| DecodeError::Payload)?;
    if raw.get().starts_with(['{', '"']) { Ok(raw) } else { Err(DecodeError::Payload) }
}

/// Reads a JSON array in one pass, each element kept as it is.
fn array<'de, S: DeserializeSeed<'de>>(json: &'de str, seed: S) -> Result<S::Value, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = seed.deserialize(&mut deserializer).map_err(|_| DecodeError::Payload)?;
    deserializer.end().map_err(|_| DecodeError::Payload)?;
    Ok(value)
}

/// `["name", …]`
struct EventArray {
    max: usize,
}

/// `[…]`
struct ArgsArray {
    max: usize,
}

impl<'de> DeserializeSeed<'de> for EventArray {
    type Value = (String, Vec<Box<RawValue>>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EventArray {
    type Value = (String, Vec<Box<RawValue>>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array that starts with an event name")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Name(name) = seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        Ok((name, ArgsArray { max: self.max }.visit_seq(seq)?))
    }
}

impl<'de> DeserializeSeed<'de> for ArgsArray {
    type Value = Vec<Box<RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ArgsArray {
    type Value = Vec<Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of at most {} arguments", self.max)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut args = Vec::new();
        while let Some(arg) = seq.next_element()? {
            if args.len() == self.max {
                return Err(de::Error::invalid_length(self.max + 1, &self));
            }
            args.push(arg);
        }
        Ok(args)
    }
}

/// An event's name. JavaScript also takes numbers, which it turns into strings.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event name that is not reserved")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
                if RESERVED_EVENTS.contains(&name) {
                    return Err(E::invalid_value(de::Unexpected::Str(name), &self));
                }
                Ok(Name(name.to_owned()))
            }

            fn visit_u64<E>(self, name: u64) -> Result<Name, E> {
                Ok(Name(name.to_string()))
            }

            fn visit_i64<E>(self, name: i64) -> Result<Name, E> {
                Ok(Name(name.to_string()))
            }

            fn visit_f64<E>(self, name: f64) -> Result<Name, E> {
                Ok(Name(name.to_string()))
            }
        }
        deserializer.deserialize_any(NameVisitor)
    }
}
