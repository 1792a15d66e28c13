//! The packets of Engine.IO protocol 4 and Socket.IO protocol 5, as both programs read and write them.
//!
//! Two layers, as in the protocols: [`engine`] carries messages over HTTP long-polling or WebSocket, [`socket`] puts namespaces, events,
//! acknowledgements and binary attachments into those messages. Nothing here does I/O, and nothing that a peer sends can panic or cost more
//! than a small multiple of its own size. Event arguments stay raw JSON, so that what is only relayed is relayed byte for byte.
//!
//! References: the `engine.io-protocol` (revision 4) and `socket.io-protocol` (revision 5) documents of the Socket.IO project.

pub mod engine;
pub mod socket;
