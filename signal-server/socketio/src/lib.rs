//! A Socket.IO server: Engine.IO protocol 4 and Socket.IO protocol 5 over HTTP long-polling and WebSocket, on axum.
//!
//! It knows nothing of what its messages mean. [`Server::new`] returns the server and the receiving end of one bounded queue: everything that
//! clients do arrives there as [`Inbound`], in the order in which each client did it. Answers go out through [`Socket`], which never blocks.
//! That shape suits a consumer that is one task and owns all state; nothing is spawned per event, so nothing can be reordered.
//!
//! - Every [`Inbound::Connected`] is followed by exactly one [`Inbound::Disconnected`] of the same socket, with its events in between.
//! - A client that floods waits for its place in the queue; others wait no longer than the queue is long.
//! - A client that does not read is disconnected when more than [`Config::send_queue_bytes`] wait for it; nothing is skipped silently.
//! - The Engine.IO session id, which authenticates a client's requests, and the socket id, which others may see, are independent random values.
//!
//! The application must serve with connection info (`into_make_service_with_connect_info::<SocketAddr>()`) for [`Socket::remote_address`] to
//! be known, and should set `TCP_NODELAY` on accepted connections: signaling messages are small and many.
//!
//! Layers, as in the protocols: [`engine`] moves messages (sessions, heartbeats, transports, upgrades); above it, namespaces, events and
//! acknowledgements. References: the `engine.io-protocol` (4) and `socket.io-protocol` (5) documents, RFC 6455, and the behaviour of Node's
//! `engine.io` 6 where those leave room.

mod config;
pub mod engine;
mod event;
mod id;
mod namespace;
mod reason;
mod server;
mod socket;

pub use config::{Config, CorsOrigins};
pub use event::EncodedEvent;
pub use id::SocketId;
pub use reason::DisconnectReason;
pub use server::{Inbound, Server, Stats};
pub use shared::packet::socket::{AckId, Args};
pub use socket::Socket;
