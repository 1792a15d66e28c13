//! A WebSocket that wants to take over a polling session: it must answer to a probe before the session moves.
//!
//! The client sends `2probe` and gets `3probe`; it stops polling and sends `5`; from then on the WebSocket carries the session.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt as _;
use shared::packet::engine::{PROBE, Packet};
use tokio::sync::mpsc;

use super::link::{Command, Link};
use crate::Config;

/// Probes the WebSocket and hands it to the session. Closes it when there is no session to take over, or another WebSocket is at it.
pub(super) async fn run(config: &Config, link: Arc<Link>, mut websocket: WebSocket) {
    let Some(session) = link.polling().filter(|_| link.start_upgrade()) else {
        refuse(config, websocket).await;
        return;
    };
    let probed = tokio::select! {
        probed = tokio::time::timeout(config.upgrade_timeout, probe(&session, &mut websocket)) => probed == Ok(true),
        () = session.closed() => false,
    };
    if probed {
        // If the session ended meanwhile, dropping the WebSocket with the message is all that is left to do.
        let _ = session.send(Command::Upgrade(Box::new(websocket))).await;
        return;
    }
    // The same: an ended session needs to know nothing.
    let _ = session.send(Command::ProbeFailed).await;
    link.upgrade_failed();
    refuse(config, websocket).await;
}

/// Whether the client completed the upgrade.
async fn probe(session: &mpsc::Sender<Command>, websocket: &mut WebSocket) -> bool {
    while let Some(Ok(message)) = websocket.next().await {
        match message {
            Message::Text(text) => match Packet::decode(text.as_str()) {
                Ok(Packet::Ping(PROBE)) => {
                    let pong = Packet::Pong(PROBE).encode();
                    if websocket.send(Message::Text(pong.into())).await.is_err()
                        || session.send(Command::Probed).await.is_err()
                    {
                        return false;
                    }
                }
                Ok(Packet::Upgrade) => return true,
                _ => return false,
            },
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) | Message::Close(_) => return false,
        }
    }
    false
}

/// Closes a WebSocket that has no place, in an orderly way.
pub(super) async fn refuse(config: &Config, mut websocket: WebSocket) {
    let closed = async {
        if websocket.send(Message::Close(None)).await.is_ok() {
            while let Some(Ok(_)) = websocket.next().await {}
        }
    };
    // Dropped either way.
    let _ = tokio::time::timeout(config.close_timeout, closed).await;
}
