//! A session as everybody but its own task sees it: how to send to it, and how its HTTP requests reach it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::extract::ws::WebSocket;
use tokio::sync::{mpsc, oneshot};

use super::outbox::Outbox;
use crate::id::SessionId;

/// Requests that may wait for a polling session's task. A client has at most one GET, one POST and one upgrade under way.
pub(super) const COMMAND_QUEUE: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: SessionId,
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) outbox: Outbox,
    /// The way to a polling session's task; `None` on WebSocket. Dropped when the transport changes, so that WebSocket sessions stay small.
    polling: Mutex<Option<mpsc::Sender<Command>>>,
    /// A WebSocket is taking over. One may try at a time.
    upgrading: AtomicBool,
    /// A POST is under way. Overlapping ones could swap messages, so they are refused.
    posting: AtomicBool,
}

/// What an HTTP request asks of a polling session.
pub(super) enum Command {
    /// GET: answer when there is something to send.
    Poll(oneshot::Sender<PollAnswer>),
    /// POST: take these packets.
    Post(String, oneshot::Sender<Accepted>),
    /// The request broke a rule that ends the session.
    Abort(crate::DisconnectReason),
    /// A WebSocket has been probed: end the pending poll soon.
    Probed,
    /// The probed WebSocket went away; stay with polling.
    ProbeFailed,
    /// The client has moved to this WebSocket.
    Upgrade(Box<WebSocket>),
}

/// The answer to a GET.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PollAnswer {
    /// These packets.
    Payload(String),
    /// The request was out of place.
    Refused,
}

/// The answer to a POST: whether the packets were in order.
pub(super) type Accepted = bool;

/// Holds one of a link's flags; gives it back when dropped, even if the request is cancelled.
pub(super) struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Link {
    pub(super) fn new(
        id: SessionId,
        remote: Option<SocketAddr>,
        outbox: Outbox,
        polling: Option<mpsc::Sender<Command>>,
    ) -> Self {
        Self {
            id,
            remote,
            outbox,
            polling: Mutex::new(polling),
            upgrading: AtomicBool::new(false),
            posting: AtomicBool::new(false),
        }
    }

    /// The way to the session's task if its transport is polling.
    pub(super) fn polling(&self) -> Option<mpsc::Sender<Command>> {
        self.polling.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The transport is a WebSocket from now on.
    pub(super) fn leave_polling(&self) {
        self.polling.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Starts a POST, unless one is under way.
    pub(super) fn start_post(&self) -> Option<Guard<'_>> {
        (!self.posting.swap(true, Ordering::AcqRel)).then_some(Guard(&self.posting))
    }

    /// Starts an upgrade, unless one is under way.
    pub(super) fn start_upgrade(&self) -> bool {
        !self.upgrading.swap(true, Ordering::AcqRel)
    }

    /// The upgrade failed; another may be tried.
    pub(super) fn upgrade_failed(&self) {
        self.upgrading.store(false, Ordering::Release);
    }
}
