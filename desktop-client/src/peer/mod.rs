//! One task per peer: it owns the peer connection, carries out the session's orders in their order, and reports facts.
//!
//! The seam is [`call_core::link`]. Media does not pass through the session: frames go from the encoder's subscription to the wire
//! ([`send`]) and from the wire to the peer's player ([`receive`]) inside the tasks that belong to the link.

mod channels;
mod connection;
mod feedback;
mod handler;
mod handshake;
mod layers;
mod nack;
mod receive;
mod report;
mod sdp;
mod send;
mod sender_reports;
mod sending;
mod sound;
mod task;

pub use channels::LinkEvents;
pub use connection::NetworkConfig;
pub use layers::Layers;
pub use nack::NackCounts;
pub use report::{LinkReport, ReceivedReport, SendReport};
pub use task::{LinkHandle, PeerContext, spawn};
