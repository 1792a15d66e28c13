//! Events that are encoded once and sent to many.

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use shared::packet::engine;
use shared::packet::socket::{AckId, encode};

use crate::engine::Frame;

/// An event in the form in which it travels. Cloning it, and sending it to many sockets, copies no payload.
#[derive(Debug, Clone)]
pub struct EncodedEvent {
    namespace: Box<str>,
    text: Utf8Bytes,
    attachments: Vec<Bytes>,
    /// Where the JSON starts in `text`: behind type, attachments and namespace.
    json_at: usize,
}

impl EncodedEvent {
    /// Encodes an event of `namespace` whose arguments are JSON.
    pub fn new(namespace: &str, name: &str, args: &[&RawValue]) -> Self {
        Self::with_attachments(namespace, name, args, Vec::new())
    }

    /// Encodes an event with one argument.
    ///
    /// Fails only if `arg` cannot be JSON, such as a map whose keys are no strings.
    pub fn json<T: Serialize + ?Sized>(
        namespace: &str,
        name: &str,
        arg: &T,
    ) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(arg)?;
        Ok(Self::encode(namespace, name, std::iter::once(json.as_str()), Vec::new()))
    }

    /// Encodes an event whose arguments refer to binary `attachments` by
    /// [placeholders](shared::packet::socket::encode::placeholder).
    pub fn with_attachments(
        namespace: &str,
        name: &str,
        args: &[&RawValue],
        attachments: Vec<Bytes>,
    ) -> Self {
        Self::encode(namespace, name, args.iter().map(|arg| arg.get()), attachments)
    }

    fn encode<'a>(
        namespace: &str,
        name: &str,
        args: impl Iterator<Item = &'a str>,
        attachments: Vec<Bytes>,
    ) -> Self {
        let mut text = message_start();
        encode::event_head(&mut text, namespace, attachments.len());
        let json_at = text.len();
        encode::event_json(&mut text, name, args);
        Self { namespace: namespace.into(), text: text.into(), attachments, json_at }
    }

    /// The frames for a socket of `namespace`. The head is written anew when that is not the namespace that it was encoded for.
    pub(crate) fn frames(&self, namespace: &str) -> impl Iterator<Item = Frame> + '_ {
        let text = if *self.namespace == *namespace {
            self.text.clone()
        } else {
            let mut text = message_start();
            encode::event_head(&mut text, namespace, self.attachments.len());
            text.push_str(self.text.as_str().get(self.json_at..).unwrap_or_default());
            text.into()
        };
        std::iter::once(Frame::Text(text)).chain(self.attachments.iter().cloned().map(Frame::Binary))
    }
}

/// The text message of an event, Engine.IO type included.
pub(crate) fn event_text<'a>(
    namespace: &str,
    ack: Option<AckId>,
    name: &str,
    args: impl Iterator<Item = &'a str>,
    attachments: usize,
) -> String {
    let mut text = message_start();
    encode::event(&mut text, namespace, ack, name, args, attachments);
    text
}

/// The text message of an acknowledgement, Engine.IO type included.
pub(crate) fn ack_text<'a>(
    namespace: &str,
    id: AckId,
    args: impl Iterator<Item = &'a str>,
    attachments: usize,
) -> String {
    let mut text = message_start();
    encode::ack(&mut text, namespace, id, args, attachments);
    text
}

/// The start of every Socket.IO packet: an Engine.IO message.
pub(crate) fn message_start() -> String {
    // Candidates, the most frequent message, are around 200 bytes.
    let mut text = String::with_capacity(256);
    engine::Packet::Message("").encode_to(&mut text);
    text
}
