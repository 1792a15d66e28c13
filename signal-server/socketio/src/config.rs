//! What can be set, and what each setting costs.

use std::time::Duration;

use shared::limits::MAX_PAYLOAD_BYTES;

/// Settings of a [`Server`](crate::Server). The defaults are those of Node's Socket.IO unless said otherwise.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where requests arrive, with a leading slash; a trailing slash is optional in requests. Default `/socket.io/`.
    pub path: String,
    /// Time between heartbeats, and from the handshake to the first. Default 25 s. Shorter finds dead clients sooner and wakes phones more often.
    pub ping_interval: Duration,
    /// Time that a client has to answer a heartbeat. Default 20 s.
    pub ping_timeout: Duration,
    /// Time from the handshake until a client must have joined a namespace. Default 45 s.
    pub connect_timeout: Duration,
    /// Time from a WebSocket that wants to take over a polling session until the upgrade must be complete. Default 10 s.
    pub upgrade_timeout: Duration,
    /// Longest time that closing a connection may take once the decision is made: sending what is queued, the WebSocket's closing handshake.
    /// Default 2 s. Bounds [`Server::shutdown`](crate::Server::shutdown).
    pub close_timeout: Duration,
    /// Most bytes of a polling request's body, of a WebSocket message, and of all attachments of one packet together. More closes the
    /// connection. Default [`MAX_PAYLOAD_BYTES`]. This much memory can be held by each connection.
    pub max_payload: usize,
    /// Most bytes that may wait for one client; more disconnects it. Default 4 MiB. Reading from a client stops while a quarter of this waits
    /// for it, so that a client that sends much and reads late slows down instead of being disconnected.
    pub send_queue_bytes: usize,
    /// Items that may wait for the consumer, over all clients. Default 1024. When it is full, connections stop reading.
    pub inbound_queue: usize,
    /// Most sessions at a time; further handshakes are answered with 503. Default 65 536.
    pub max_sessions: usize,
    /// Namespaces that clients may join. Default `/` alone.
    pub namespaces: Vec<String>,
    /// Origins whose pages may use long-polling. (Browsers do not ask for WebSocket.) Default any, which Node's default is not: a signaling
    /// server without cookies gains nothing by refusing.
    pub cors: CorsOrigins,
    /// On shutdown, send Socket.IO DISCONNECT before closing. Default no, as Node: a JavaScript client that is told DISCONNECT stays away for
    /// good, while one whose connection is merely closed comes back by itself when the server is there again.
    pub disconnect_on_shutdown: bool,
}

/// Origins that cross-origin requests may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Any origin: `Access-Control-Allow-Origin: *`, without credentials.
    Any,
    /// These origins, such as `https://example.org`, with credentials.
    List(Vec<String>),
    /// None: no CORS headers at all, preflight requests are refused.
    None,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: "/socket.io/".to_owned(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            max_payload: MAX_PAYLOAD_BYTES,
            send_queue_bytes: 4 * 1024 * 1024,
            inbound_queue: 1024,
            max_sessions: 65_536,
            namespaces: vec!["/".to_owned()],
            cors: CorsOrigins::Any,
            disconnect_on_shutdown: false,
        }
    }
}
