//! The server that the official protocol suites talk to: `engine.io-protocol` (v4) and `socket.io-protocol` (v5), both on port 3000.
//!
//! `/engine.io/` echoes every message. `/socket.io/` has the namespaces `/` and `/custom`; it emits `auth` with the handshake's authentication
//! object, answers `message` with `message-back` and `message-with-ack` with an acknowledgement, both with the same arguments.
//!
//! `cargo run -p socketio --example conformance -- [PORT]`

use std::collections::HashMap;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::serve::ListenerExt as _;
use serde_json::value::RawValue;
use socketio::engine::{Connection, EngineInbound, EngineServer};
use socketio::{Args, Config, Inbound, Server, Socket, SocketId};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Items that are taken from the queue at once.
const BATCH: usize = 64;

/// How long `auth` waits behind the answer to CONNECT. The suites listen for one message at a time, and their WebSocket client hands over all
/// messages of one read at once: they lose a message that arrives together with the one before, from any server.
const AUTH_DELAY: Duration = Duration::from_millis(20);

// One thread, so that requests are handled in the order in which they arrive: a test of the suites sends a GET and a POST on two connections
// at once and expects the GET to be seen first.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let port = std::env::args().nth(1).map_or(Ok(3000), |port| port.parse())?;
    let config = Config {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        connect_timeout: Duration::from_secs(1),
        max_payload: 1_000_000,
        namespaces: vec!["/".to_owned(), "/custom".to_owned()],
        ..Config::default()
    };
    let (engine, messages) = EngineServer::new(Config { path: "/engine.io/".to_owned(), ..config.clone() });
    let (server, events) = Server::new(config);
    tokio::spawn(echo(messages));
    tokio::spawn(answer(events));
    let app = engine.router().merge(server.router());
    // The suites say "localhost", which may mean either family: an IPv6 socket usually takes both.
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::warn!(%error, "cannot set TCP_NODELAY");
        }
    });
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn echo(mut messages: mpsc::Receiver<EngineInbound>) {
    let mut connections: HashMap<SocketId, Connection> = HashMap::new();
    while let Some(inbound) = messages.recv().await {
        match inbound {
            EngineInbound::Opened(connection) => {
                connections.insert(connection.id(), connection);
            }
            EngineInbound::Message(id, message) => {
                if let Some(connection) = connections.get(&id) {
                    connection.send(message);
                }
            }
            EngineInbound::Closed(id, _) => {
                connections.remove(&id);
            }
        }
    }
}

async fn answer(mut events: mpsc::Receiver<Inbound>) {
    let mut sockets: HashMap<SocketId, Socket> = HashMap::new();
    let mut batch = Vec::with_capacity(BATCH);
    while events.recv_many(&mut batch, BATCH).await > 0 {
        for inbound in batch.drain(..) {
            if let Inbound::Connected { .. } = inbound {
                tokio::time::sleep(AUTH_DELAY).await;
            }
            handle(&mut sockets, inbound);
        }
    }
}

fn handle(sockets: &mut HashMap<SocketId, Socket>, inbound: Inbound) {
    match inbound {
        Inbound::Connected { socket, auth } => {
            let sent = match auth {
                Some(auth) => socket.emit_json("auth", &auth),
                None => socket.emit_json("auth", &serde_json::Map::new()),
            };
            if let Err(error) = sent {
                tracing::error!(%error, "cannot encode");
            }
            sockets.insert(socket.id(), socket);
        }
        Inbound::Event { socket, name, args, ack } => {
            let Some(socket) = sockets.get(&socket) else { return };
            match (name.as_str(), ack) {
                ("message", _) => reply(&args, |items| {
                    socket.emit_with_attachments("message-back", items, args.attachments().to_vec());
                }),
                ("message-with-ack", Some(id)) => reply(&args, |items| {
                    socket.ack_with_attachments(id, items, args.attachments().to_vec());
                }),
                _ => {}
            }
        }
        Inbound::Disconnected { socket, .. } => {
            sockets.remove(&socket);
        }
    }
}

fn reply(args: &Args, send: impl FnOnce(&[&RawValue])) {
    let items: Vec<_> = args.iter().collect();
    send(&items);
}
