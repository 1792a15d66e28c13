//! What waits to be sent to one client: a queue bounded in bytes, filled from anywhere, drained by the session's task.
//!
//! Filling never blocks. The task is woken once for however much is queued before it runs, and then writes all of it in one go.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use futures_util::task::AtomicWaker;

use crate::{DisconnectReason, SocketId};

/// What a queued frame costs beside its bytes. Keeps floods of tiny frames bounded too.
const FRAME_OVERHEAD: usize = 64;

/// Entries that an emptied queue keeps room for; more is given back, so that idle connections stay small.
const KEPT_CAPACITY: usize = 16;

/// One WebSocket message, or one packet of a polling payload.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    /// An Engine.IO packet in text form, type included.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
}

impl Frame {
    /// The heartbeat.
    pub(super) fn ping() -> Self {
        Self::Text(Utf8Bytes::from_static("2"))
    }

    fn cost(&self) -> usize {
        FRAME_OVERHEAD
            + match self {
                Self::Text(text) => text.len(),
                Self::Binary(bytes) => bytes.len(),
            }
    }
}

/// One step for the session's task, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Send this.
    Frame(Frame),
    /// Disconnect one socket, after everything that was sent to it.
    Disconnect(SocketId),
}

/// The queue. A mutex and not a channel, because its bound is in bytes and a packet with attachments must stay together.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    waker: AtomicWaker,
    limit: usize,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
    closing: Option<DisconnectReason>,
}

impl Outbox {
    /// An empty queue that holds at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { queue: Mutex::default(), waker: AtomicWaker::new(), limit }
    }

    /// Queues frames that belong together. If they exceed the limit the connection is given up; if it is closing they are dropped.
    pub(crate) fn push(&self, frames: impl IntoIterator<Item = Frame>) {
        let mut queue = self.lock();
        if queue.closing.is_some() {
            return;
        }
        let was_empty = queue.entries.is_empty();
        for frame in frames {
            queue.bytes += frame.cost();
            queue.entries.push_back(Entry::Frame(frame));
        }
        if queue.bytes > self.limit {
            *queue = Queue { closing: Some(DisconnectReason::SlowReader), ..Queue::default() };
        } else if !was_empty {
            return;
        }
        drop(queue);
        self.waker.wake();
    }

    /// Queues the disconnection of one socket.
    pub(crate) fn disconnect(&self, socket: SocketId) {
        let mut queue = self.lock();
        if queue.closing.is_none() {
            queue.entries.push_back(Entry::Disconnect(socket));
            drop(queue);
            self.waker.wake();
        }
    }

    /// Ends the connection after what is queued. Nothing can be queued any more.
    pub(crate) fn close(&self, reason: DisconnectReason) {
        let mut queue = self.lock();
        if queue.closing.is_none() {
            queue.closing = Some(reason);
            drop(queue);
            self.waker.wake();
        }
    }

    /// Registers the task to be woken. Do so before looking, or a wake-up may be missed.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// The next step.
    pub(crate) fn pop(&self) -> Option<Entry> {
        let mut queue = self.lock();
        let entry = queue.entries.pop_front();
        if let Some(Entry::Frame(frame)) = &entry {
            queue.bytes -= frame.cost();
        }
        if queue.entries.is_empty() && queue.entries.capacity() > KEPT_CAPACITY {
            queue.entries = VecDeque::new();
        }
        entry
    }

    /// What is queued, and whether the connection is to be closed after it.
    pub(crate) fn status(&self) -> Status {
        let queue = self.lock();
        Status { is_empty: queue.entries.is_empty(), bytes: queue.bytes, closing: queue.closing }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic while it was held cannot have left the queue half changed in a way that matters.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Outbox::status`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    pub(crate) is_empty: bool,
    pub(crate) bytes: usize,
    pub(crate) closing: Option<DisconnectReason>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Frame {
        Frame::Text("x".repeat(length).into())
    }

    #[test]
    fn entries_come_out_in_order() {
        let outbox = Outbox::new(1000);
        let socket = SocketId::random();
        outbox.push([text(1), text(2)]);
        outbox.disconnect(socket);
        outbox.push([text(3)]);
        let lengths: Vec<_> = std::iter::from_fn(|| outbox.pop())
            .map(|entry| match entry {
                Entry::Frame(Frame::Text(text)) => text.len(),
                Entry::Frame(Frame::Binary(_)) => panic!("no binary was queued"),
                Entry::Disconnect(id) => {
                    assert_eq!(id, socket);
                    0
                }
            })
            .collect();
        assert_eq!(lengths, [1, 2, 0, 3]);
        assert_eq!(outbox.status().bytes, 0);
    }

    #[test]
    fn too_many_bytes_give_the_connection_up() {
        let outbox = Outbox::new(200);
        outbox.push([text(100)]);
        assert_eq!(outbox.status().closing, None);
        outbox.push([text(100)]);
        assert_eq!(outbox.status().closing, Some(DisconnectReason::SlowReader));
        assert!(outbox.status().is_empty);
        outbox.push([text(1)]);
        assert!(outbox.pop().is_none());
    }

    #[test]
    fn closing_keeps_what_was_queued_and_takes_no_more() {
        let outbox = Outbox::new(1000);
        outbox.push([text(1)]);
        outbox.close(DisconnectReason::ServerShutdown);
        outbox.close(DisconnectReason::ServerDisconnect);
        outbox.push([text(2)]);
        assert!(outbox.pop().is_some());
        assert!(outbox.pop().is_none());
        assert_eq!(outbox.status().closing, Some(DisconnectReason::ServerShutdown));
    }
}
