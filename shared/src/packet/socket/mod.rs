//! Socket.IO packets: namespaces, events, acknowledgements and binary attachments inside Engine.IO messages.
//!
//! A packet is one text message, `<type>[<attachments>-][<namespace>,][<ack id>][JSON]`, followed by one binary message per attachment. JSON
//! refers to its attachments by `{"_placeholder":true,"num":N}`.
//!
//! [`Decoder`] is the stateful side (it waits for attachments); [`encode`] writes packets. Arguments are kept as the JSON text that arrived.

pub mod args;
pub mod decode;
pub mod encode;
mod scan;

use std::borrow::Cow;

use serde_json::value::RawValue;

pub use args::Args;
pub use decode::{DecodeError, Decoder, Limits};

/// The namespace that every client has.
pub const ROOT_NAMESPACE: &str = "/";

/// Event names that mean something to the libraries themselves and are refused on the wire, as by the JavaScript parser.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// The number by which an acknowledgement names the event that it answers. Chosen by whoever sent the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AckId(pub u64);

/// One Socket.IO packet with all its attachments.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// The namespace, `/` when the packet names none. Not allocated for `/`.
    pub namespace: Cow<'static, str>,
    /// What it says.
    pub body: Body,
}

/// What a [`Packet`] says.
#[derive(Debug, Clone)]
pub enum Body {
    /// `0`: a client asks to join a namespace with this authentication object, or a server confirms with `{"sid": …}`.
    Connect(Option<Box<RawValue>>),
    /// `1`: leaves the namespace.
    Disconnect,
    /// `2` or `5`: an event.
    Event {
        /// The event's name.
        name: String,
        /// Its arguments.
        args: Args,
        /// The acknowledgement that the sender waits for.
        ack: Option<AckId>,
    },
    /// `3` or `6`: answers an event.
    Ack {
        /// The event's number.
        id: AckId,
        /// The answer.
        args: Args,
    },
    /// `4`: the server refuses a [`Body::Connect`], with an object (or, from old servers, a string) that says why.
    ConnectError(Box<RawValue>),
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Connect(a), Self::Connect(b)) => {
                a.as_deref().map(RawValue::get) == b.as_deref().map(RawValue::get)
            }
            (Self::Disconnect, Self::Disconnect) => true,
            (Self::Event { name, args, ack }, Self::Event { name: name_b, args: args_b, ack: ack_b }) => {
                name == name_b && args == args_b && ack == ack_b
            }
            (Self::Ack { id, args }, Self::Ack { id: id_b, args: args_b }) => id == id_b && args == args_b,
            (Self::ConnectError(a), Self::ConnectError(b)) => a.get() == b.get(),
            (
                Self::Connect(_)
                | Self::Disconnect
                | Self::Event { .. }
                | Self::Ack { .. }
                | Self::ConnectError(_),
                _,
            ) => false,
        }
    }
}
