//! The life of a session: one task, from the handshake to the last word.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::ws::WebSocket;
use tokio::sync::mpsc;
use tokio::time::Sleep;

use super::hub::Hub;
use super::link::Command;
use super::session::Session;
use super::{Protocol, polling, websocket};
use crate::DisconnectReason;

/// What carries a session at its start.
pub(super) enum Transport {
    /// HTTP requests, forwarded by their handlers.
    Polling(mpsc::Receiver<Command>),
    /// A WebSocket.
    WebSocket(Box<WebSocket>),
}

/// Runs a session to its end.
pub(super) async fn run<P: Protocol>(hub: Arc<Hub<P>>, mut session: Session<P>, transport: Transport) {
    tracing::debug!(session = ?session.link.id, remote = ?session.link.remote, "session opened");
    if let Some(item) = session.protocol.opened() {
        hub.deliver(item).await;
    }
    let websocket = match transport {
        Transport::WebSocket(websocket) => Some(websocket),
        // Boxed, so that its state does not weigh on the WebSocket's time, which is the longer one.
        Transport::Polling(requests) => Box::pin(run_polling(&hub, &mut session, requests)).await,
    };
    if let Some(websocket) = websocket {
        run_websocket(&hub, &mut session, websocket).await;
    }
    hub.registry.remove(session.link.id);
}

/// Runs the polling part. Returns the WebSocket that the client moved to, or nothing when the session is over.
async fn run_polling<P: Protocol>(
    hub: &Hub<P>,
    session: &mut Session<P>,
    requests: mpsc::Receiver<Command>,
) -> Option<Box<WebSocket>> {
    let mut polling = polling::Polling::new(requests);
    let reason = match polling.run(hub, session).await {
        polling::End::Upgraded(websocket) => return Some(websocket),
        polling::End::Closed(reason) => reason,
    };
    let told = polling.say_goodbye(session, reason);
    conclude(hub, session, reason).await;
    if !told {
        polling.linger(hub, session, reason).await;
    }
    None
}

async fn run_websocket<P: Protocol>(hub: &Hub<P>, session: &mut Session<P>, mut websocket: Box<WebSocket>) {
    hub.counters.websockets.fetch_add(1, Ordering::Relaxed);
    let reason = websocket::run(hub, session, &mut websocket).await;
    hub.counters.websockets.fetch_sub(1, Ordering::Relaxed);
    // Boxed: only closing connections pay for it.
    let answer_due = Box::pin(websocket::say_goodbye(hub, session, &mut websocket, reason)).await;
    conclude(hub, session, reason).await;
    if answer_due {
        Box::pin(websocket::await_close(hub, &mut websocket)).await;
    }
}

/// Tells the consumer that it is over.
async fn conclude<P: Protocol>(hub: &Hub<P>, session: &mut Session<P>, reason: DisconnectReason) {
    tracing::debug!(session = ?session.link.id, %reason, "session closed");
    hub.counters.closed(reason);
    // From here on nothing can be queued, whoever still holds a handle.
    session.link.outbox.close(reason);
    while let Some(item) = session.protocol.closed(reason) {
        if !hub.deliver(item).await {
            return;
        }
    }
}

/// One timer that follows a moving deadline.
pub(super) struct Timer {
    sleep: Pin<Box<Sleep>>,
    due: Instant,
}

impl Timer {
    pub(super) fn new(due: Instant) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(due.into())), due }
    }

    /// Ready when `due` has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        if due != self.due {
            self.due = due;
            self.sleep.as_mut().reset(due.into());
        }
        self.sleep.as_mut().poll(cx)
    }
}
