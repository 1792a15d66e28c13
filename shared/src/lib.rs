//! What both programs must agree on: ids, events, REST types, limits and the Engine.IO/Socket.IO packet codec.
//!
//! The lowest layer: no I/O, no clock, no async runtime. Values are parsed once at the edge; inside, an id or a name is valid because it
//! exists.

pub mod codes;
pub mod events;
pub mod fields;
pub mod ids;
pub mod limits;
pub mod packet;
pub mod rest;
pub mod signal_data;

pub use ids::{DisplayName, PeerId, RoomId};
