//! Packets that wait, in the order of their media time.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;

#[derive(Debug)]
pub(super) struct Packet {
    /// Unwrapped media time of its first sample.
    pub(super) timestamp: i64,
    /// Samples per channel.
    pub(super) samples: u32,
    pub(super) sequence_number: u16,
    pub(super) payload: Bytes,
    pub(super) arrival: Instant,
}

#[derive(Debug)]
pub(super) struct PacketQueue {
    packets: BTreeMap<i64, Packet>,
    bytes: usize,
    max_packets: usize,
    max_bytes: usize,
}

impl PacketQueue {
    pub(super) fn new(max_packets: usize, max_bytes: usize) -> Self {
        Self { packets: BTreeMap::new(), bytes: 0, max_packets, max_bytes }
    }

    /// Takes a packet unless its media time is taken; the oldest make room. Gives whether nothing was dropped.
    pub(super) fn insert(&mut self, packet: Packet) -> bool {
        if self.packets.contains_key(&packet.timestamp) {
            return false;
        }
        self.bytes += packet.payload.len();
        self.packets.insert(packet.timestamp, packet);
        let fits = self.packets.len() <= self.max_packets && self.bytes <= self.max_bytes;
        while self.packets.len() > self.max_packets || self.bytes > self.max_bytes {
            if self.pop().is_none() {
                break;
            }
        }
        fits
    }

    pub(super) fn first(&self) -> Option<&Packet> {
        self.packets.first_key_value().map(|(_, packet)| packet)
    }

    pub(super) fn first_timestamp(&self) -> Option<i64> {
        self.first().map(|packet| packet.timestamp)
    }

    pub(super) fn last_timestamp(&self) -> Option<i64> {
        self.packets.last_key_value().map(|(timestamp, _)| *timestamp)
    }

    pub(super) fn pop(&mut self) -> Option<Packet> {
        let (_, packet) = self.packets.pop_first()?;
        self.bytes -= packet.payload.len();
        Some(packet)
    }

    /// Drops packets that end at or before a media time; gives how many.
    pub(super) fn drop_before(&mut self, position: i64) -> u64 {
        let mut dropped = 0;
        while self.first().is_some_and(|packet| packet.timestamp + i64::from(packet.samples) <= position) {
            self.pop();
            dropped += 1;
        }
        dropped
    }

    pub(super) fn clear(&mut self) {
        self.packets.clear();
        self.bytes = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }
}
