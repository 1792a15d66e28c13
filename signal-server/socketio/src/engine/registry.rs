//! All sessions by id. Touched by handshakes, polling requests and closings; WebSocket traffic never comes here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::link::Link;
use crate::DisconnectReason;
use crate::id::SessionId;

/// Why there is no room for another session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The limit on sessions is reached.
    Limit,
    /// The server shuts down.
    Closing,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Registry {
    sessions: Mutex<Sessions>,
    max: usize,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Sessions {
    by_id: HashMap<SessionId, Arc<Link>>,
    closing: bool,
}

impl Registry {
    pub(super) fn new(max: usize) -> Self {
        Self { sessions: Mutex::default(), max, emptied: Notify::new() }
    }

    pub(super) fn insert(&self, link: Arc<Link>) -> Result<(), Full> {
        let mut sessions = self.lock();
        if sessions.closing {
            return Err(Full::Closing);
        }
        if sessions.by_id.len() >= self.max {
            return Err(Full::Limit);
        }
        sessions.by_id.insert(link.id, link);
        Ok(())
    }

    pub(super) fn get(&self, id: SessionId) -> Option<Arc<Link>> {
        self.lock().by_id.get(&id).cloned()
    }

    pub(super) fn remove(&self, id: SessionId) {
        let mut sessions = self.lock();
        sessions.by_id.remove(&id);
        if sessions.by_id.is_empty() {
            // A long crowd must not leave its memory behind.
            sessions.by_id.shrink_to_fit();
            self.emptied.notify_waiters();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Refuses newcomers and closes every session.
    pub(super) fn close_all(&self, reason: DisconnectReason) {
        let links: Vec<_> = {
            let mut sessions = self.lock();
            sessions.closing = true;
            sessions.by_id.values().cloned().collect()
        };
        for link in links {
            link.outbox.close(reason);
        }
    }

    /// Waits until there is no session.
    pub(super) async fn until_empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
