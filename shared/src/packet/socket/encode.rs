//! Writes Socket.IO packets.
//!
//! Every function appends the text message of a packet to a string, so that a caller can put the Engine.IO type in front without a copy. Binary
//! attachments follow as messages of their own, in order.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::{AckId, Body, Packet, ROOT_NAMESPACE};

/// The JSON that stands for attachment number `index`.
pub fn placeholder(index: usize) -> Box<RawValue> {
    let json = format!(r#"{{"_placeholder":true,"num":{index}}}"#);
    RawValue::from_string(json).unwrap_or_default()
}

/// Appends any packet.
pub fn packet(out: &mut String, packet: &Packet) {
    let namespace = packet.namespace.as_ref();
    match &packet.body {
        Body::Connect(payload) => connect(out, namespace, payload.as_deref()),
        Body::Disconnect => disconnect(out, namespace),
        Body::Event { name, args, ack: id } => {
            event(out, namespace, *id, name, args.iter().map(RawValue::get), args.attachments().len());
        }
        Body::Ack { id, args } => {
            ack(out, namespace, *id, args.iter().map(RawValue::get), args.attachments().len());
        }
        Body::ConnectError(reason) => connect_error(out, namespace, reason),
    }
}

/// Appends CONNECT: a client's request with its authentication object, or a server's confirmation.
pub fn connect(out: &mut String, namespace: &str, payload: Option<&RawValue>) {
    head(out, '0', 0, namespace);
    out.push_str(payload.map_or("", RawValue::get));
}

/// Appends DISCONNECT.
pub fn disconnect(out: &mut String, namespace: &str) {
    head(out, '1', 0, namespace);
}

/// Appends EVENT, or BINARY_EVENT when there are attachments. `args` are JSON texts.
pub fn event<'a>(
    out: &mut String,
    namespace: &str,
    id: Option<AckId>,
    name: &str,
    args: impl IntoIterator<Item = &'a str>,
    attachments: usize,
) {
    event_head(out, namespace, attachments);
    number(out, id);
    event_json(out, name, args);
}

/// Appends the head of an event that asks for no acknowledgement: everything before its JSON.
pub fn event_head(out: &mut String, namespace: &str, attachments: usize) {
    head(out, if attachments == 0 { '2' } else { '5' }, attachments, namespace);
}

/// Appends the JSON of an event: an array of its name and its arguments.
pub fn event_json<'a>(out: &mut String, name: &str, args: impl IntoIterator<Item = &'a str>) {
    out.push('[');
    quoted(out, name);
    for arg in args {
        out.push(',');
        out.push_str(arg);
    }
    out.push(']');
}

/// Appends ACK, or BINARY_ACK when there are attachments. `args` are JSON texts.
pub fn ack<'a>(
    out: &mut String,
    namespace: &str,
    id: AckId,
    args: impl IntoIterator<Item = &'a str>,
    attachments: usize,
) {
    head(out, if attachments == 0 { '3' } else { '6' }, attachments, namespace);
    number(out, Some(id));
    out.push('[');
    for (index, arg) in args.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(arg);
    }
    out.push(']');
}

/// Appends CONNECT_ERROR with an object that says why.
pub fn connect_error(out: &mut String, namespace: &str, reason: &RawValue) {
    head(out, '4', 0, namespace);
    out.push_str(reason.get());
}

fn head(out: &mut String, kind: char, attachments: usize, namespace: &str) {
    out.push(kind);
    if attachments > 0 {
        let _ = write!(out, "{attachments}-");
    }
    if namespace != ROOT_NAMESPACE {
        out.push_str(namespace);
        out.push(',');
    }
}

fn number(out: &mut String, id: Option<AckId>) {
    if let Some(AckId(id)) = id {
        let _ = write!(out, "{id}");
    }
}

/// Appends `text` as a JSON string. Event names are plain words as a rule, which need no escaping.
fn quoted(out: &mut String, text: &str) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}
