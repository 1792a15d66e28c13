//! What one stream sent lately.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::rtp::{OutgoingPacket, SequenceUnwrapper};

/// Newest packets that padding is made of: of use to a receiver only while it still waits for them.
const PADDING_WINDOW: usize = 64;

#[derive(Debug)]
pub(super) struct Sent {
    pub packet: OutgoingPacket,
    /// When it was sent for the first time.
    first: Instant,
    /// When it was last sent, or chosen to be sent, again.
    pub resent: Option<Instant>,
    /// How often it was sent again.
    pub times: u8,
}

#[derive(Debug, Default)]
pub(super) struct History {
    unwrapper: SequenceUnwrapper,
    packets: BTreeMap<i64, Sent>,
    bytes: usize,
}

impl History {
    pub(super) fn insert(&mut self, packet: OutgoingPacket, now: Instant) {
        let sequence = self.unwrapper.unwrap(packet.sequence_number);
        self.bytes += packet.payload.len();
        let sent = Sent { packet, first: now, resent: None, times: 0 };
        if let Some(replaced) = self.packets.insert(sequence, sent) {
            self.bytes -= replaced.packet.payload.len();
        }
    }

    /// Forgets the oldest packets as far as the limits ask for it.
    pub(super) fn limit(&mut self, packets: usize, bytes: usize, lifetime: Duration, now: Instant) {
        while let Some(oldest) = self.packets.first_entry() {
            let expired = now.saturating_duration_since(oldest.get().first) > lifetime;
            if !expired && self.packets.len() <= packets && self.bytes <= bytes {
                return;
            }
            if let Some((_, forgotten)) = self.packets.pop_first() {
                self.bytes -= forgotten.packet.payload.len();
            }
        }
    }

    pub(super) fn find(&mut self, sequence_number: u16) -> Option<(i64, &mut Sent)> {
        let sequence = self.unwrapper.peek(sequence_number);
        self.packets.get_mut(&sequence).map(|sent| (sequence, sent))
    }

    pub(super) fn get(&mut self, sequence: i64) -> Option<&mut Sent> {
        self.packets.get_mut(&sequence)
    }

    /// Chooses a packet for padding and notes that it is sent again; gives its payload's size.
    pub(super) fn pad(&mut self, now: Instant) -> Option<(i64, usize)> {
        let recent = self.packets.iter_mut().rev().take(PADDING_WINDOW);
        // The one that is not sent again for the longest time, never ones first; of equals the newest.
        let (sequence, sent) = recent.min_by_key(|(_, sent)| sent.resent)?;
        sent.resent = Some(now);
        Some((*sequence, sent.packet.payload.len()))
    }

    /// When the newest packet was sent.
    pub(super) fn newest(&self) -> Option<Instant> {
        self.packets.last_key_value().map(|(_, sent)| sent.first)
    }

    pub(super) fn newest_timestamp(&self) -> Option<u32> {
        self.packets.last_key_value().map(|(_, sent)| sent.packet.timestamp)
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.packets.len(), self.bytes)
    }
}
