//! First in, first out, with its bytes counted.

use std::collections::VecDeque;
use std::time::Instant;

/// A packet that waits.
#[derive(Debug)]
pub(super) struct Queued<T> {
    pub item: T,
    pub bytes: usize,
    pub since: Instant,
}

#[derive(Debug)]
pub(super) struct Queue<T> {
    packets: VecDeque<Queued<T>>,
    bytes: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { packets: VecDeque::new(), bytes: 0 }
    }
}

impl<T> Queue<T> {
    pub(super) fn push(&mut self, packet: Queued<T>) {
        self.bytes += packet.bytes;
        self.packets.push_back(packet);
    }

    pub(super) fn pop(&mut self) -> Option<Queued<T>> {
        self.pop_if(|_| true)
    }

    /// The first packet, if it is such a one.
    pub(super) fn pop_if(&mut self, wanted: impl FnOnce(&Queued<T>) -> bool) -> Option<Queued<T>> {
        let packet = if wanted(self.packets.front()?) { self.packets.pop_front() } else { None }?;
        self.bytes -= packet.bytes;
        Some(packet)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Queued<T>> {
        self.packets.iter()
    }

    /// Since when the first packet waits.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.packets.front().map(|packet| packet.since)
    }

    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
