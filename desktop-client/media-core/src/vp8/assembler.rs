//! Packets to frames: collects the pieces of each VP8 frame in whatever order they come, and hands the frame out when it is whole.
//!
//! A frame runs from a packet that starts partition 0 to the packet with the marker, without a hole and with one timestamp (RFC 7741 §4.3, §4.4).
//! Which frames may be decoded, and when to stop waiting, is decided above, in [`crate::video_receiver`].

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::header::FrameHeader;
use super::payload::{DescriptorError, PayloadDescriptor};
use crate::rtp::RtpPacket;

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssembledFrame {
    /// Unwrapped sequence number of its first packet.
    pub first_sequence: i64,
    /// Unwrapped sequence number of its last packet.
    pub last_sequence: i64,
    /// The descriptor of its first packet.
    pub descriptor: PayloadDescriptor,
    /// RTP media time, 90 kHz.
    pub timestamp: u32,
    /// The VP8 frame.
    pub data: Bytes,
    /// When the earliest of its packets came.
    pub first_packet_arrival: Instant,
    /// When the latest of its packets came.
    pub last_packet_arrival: Instant,
}

/// What pieces may wait at most for the rest of their frame.
#[derive(Debug, Clone, Copy)]
pub struct AssemblerLimits {
    /// Packets. Default 4 096: a key frame of 4 MB.
    pub packets: usize,
    /// Bytes of payload. Default 4 MiB.
    pub bytes: usize,
}

impl Default for AssemblerLimits {
    fn default() -> Self {
        Self { packets: 4_096, bytes: 4 << 20 }
    }
}

/// What came of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insertion {
    /// It waits for the rest of its frame.
    Waiting,
    /// It made a frame whole.
    Whole(AssembledFrame),
    /// It is there already.
    Duplicate,
    /// No room: everything that waited is dropped. The frames of those packets will never be whole.
    Overflow,
}

/// Collects packets.
#[derive(Debug, Default)]
pub struct Assembler {
    limits: AssemblerLimits,
    pieces: BTreeMap<i64, Piece>,
    bytes: usize,
    key_frame: Option<KeyFrameProgress>,
}

#[derive(Debug)]
struct Piece {
    descriptor: PayloadDescriptor,
    timestamp: u32,
    marker: bool,
    data: Bytes,
    arrival: Instant,
}

/// A key frame that is coming in.
#[derive(Debug, Clone, Copy)]
struct KeyFrameProgress {
    timestamp: u32,
    last_arrival: Instant,
}

impl Assembler {
    /// An assembler with limits.
    pub fn new(limits: AssemblerLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a packet with its unwrapped sequence number. Packets whose descriptor does not parse, or that carry nothing, are refused.
    pub fn insert(&mut self, sequence: i64, packet: &RtpPacket) -> Result<Insertion, DescriptorError> {
        let (descriptor, data) = PayloadDescriptor::parse(&packet.payload)?;
        if self.pieces.contains_key(&sequence) {
            return Ok(Insertion::Duplicate);
        }
        if self.pieces.len() >= self.limits.packets || self.bytes + data.len() > self.limits.bytes {
            self.clear();
            return Ok(Insertion::Overflow);
        }
        self.watch_key_frame(&descriptor, data, packet);
        let piece = Piece {
            descriptor,
            timestamp: packet.timestamp,
            marker: packet.marker,
            data: packet.payload.slice_ref(data),
            arrival: packet.arrival,
        };
        self.bytes += piece.data.len();
        self.pieces.insert(sequence, piece);
        Ok(match self.bounds(sequence) {
            Some((first, last)) => self.join(first, last).map_or(Insertion::Waiting, Insertion::Whole),
            None => Insertion::Waiting,
        })
    }

    /// When the newest packet came of a key frame that is not whole yet. While this moves on, asking for another one would only add to the load.
    pub fn key_frame_progress(&self) -> Option<Instant> {
        self.key_frame.map(|key| key.last_arrival)
    }

    /// Forgets all packets before `sequence`: their frames are no longer wanted.
    pub fn discard_before(&mut self, sequence: i64) {
        while let Some(entry) = self.pieces.first_entry() {
            if *entry.key() >= sequence {
                break;
            }
            let piece = entry.remove();
            self.bytes -= piece.data.len();
            self.forget_key_frame(piece.timestamp);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.pieces.clear();
        self.bytes = 0;
        self.key_frame = None;
    }

    /// Packets that wait.
    pub fn waiting_packets(&self) -> usize {
        self.pieces.len()
    }

    /// Bytes of their payloads.
    pub fn waiting_bytes(&self) -> usize {
        self.bytes
    }

    fn watch_key_frame(&mut self, descriptor: &PayloadDescriptor, data: &[u8], packet: &RtpPacket) {
        let starts = descriptor.starts_frame() && FrameHeader::peek(data).is_ok_and(|header| header.key);
        if starts || self.key_frame.is_some_and(|key| key.timestamp == packet.timestamp) {
            self.key_frame =
                Some(KeyFrameProgress { timestamp: packet.timestamp, last_arrival: packet.arrival });
        }
    }

    fn forget_key_frame(&mut self, timestamp: u32) {
        if self.key_frame.is_some_and(|key| key.timestamp == timestamp) {
            self.key_frame = None;
        }
    }

    /// First and last packet of the frame around a packet, when nothing is missing between.
    fn bounds(&self, sequence: i64) -> Option<(i64, i64)> {
        let timestamp = self.pieces.get(&sequence)?.timestamp;
        let mut last = sequence - 1;
        for (&at, piece) in self.pieces.range(sequence..) {
            if at != last + 1
                || piece.timestamp != timestamp
                || (at > sequence && piece.descriptor.starts_frame())
            {
                return None;
            }
            last = at;
            if piece.marker {
                break;
            }
        }
        if !self.pieces.get(&last)?.marker {
            return None;
        }
        let mut first = sequence + 1;
        for (&at, piece) in self.pieces.range(..=sequence).rev() {
            if at != first - 1 || piece.timestamp != timestamp || (at < sequence && piece.marker) {
                return None;
            }
            first = at;
            if piece.descriptor.starts_frame() {
                return Some((first, last));
            }
        }
        None
    }

    fn join(&mut self, first: i64, last: i64) -> Option<AssembledFrame> {
        let later = self.pieces.split_off(&(last + 1));
        let pieces = self.pieces.split_off(&first);
        self.pieces.extend(later);
        let size = pieces.values().map(|piece| piece.data.len()).sum();
        self.bytes -= size;
        let (_, head) = pieces.first_key_value()?;
        self.forget_key_frame(head.timestamp);
        let (descriptor, timestamp) = (head.descriptor, head.timestamp);
        let data = if pieces.len() == 1 {
            head.data.clone()
        } else {
            let mut joined = BytesMut::with_capacity(size);
            pieces.values().for_each(|piece| joined.extend_from_slice(&piece.data));
            joined.freeze()
        };
        Some(AssembledFrame {
            first_sequence: first,
            last_sequence: last,
            descriptor,
            timestamp,
            data,
            first_packet_arrival: pieces.values().map(|piece| piece.arrival).min()?,
            last_packet_arrival: pieces.values().map(|piece| piece.arrival).max()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::frame::test_frames::{frame, sized};
    use crate::sim::{self, Rng};
    use crate::vp8::packetizer::{Packetizer, PacketizerStart};

    fn packets(size: usize, count: usize) -> Vec<RtpPacket> {
        let mut packetizer = Packetizer::new(PacketizerStart::default());
        let frame = |i: usize| crate::frame::EncodedFrame {
            timestamp: 3_000 * i as u32,
            ..sized(frame(0, i == 0, 0), size)
        };
        (0..count)
            .flat_map(|i| packetizer.packetize(&frame(i)))
            .enumerate()
            .map(|(i, packet)| RtpPacket {
                ssrc: 1,
                sequence_number: packet.sequence_number,
                timestamp: packet.timestamp,
                marker: packet.marker,
                payload: packet.payload,
                arrival: sim::epoch() + Duration::from_millis(i as u64),
            })
            .collect()
    }

    fn insert_all(assembler: &mut Assembler, packets: &[RtpPacket]) -> Vec<AssembledFrame> {
        packets
            .iter()
            .filter_map(|packet| match assembler.insert(i64::from(packet.sequence_number), packet).unwrap() {
                Insertion::Whole(frame) => Some(frame),
                Insertion::Waiting | Insertion::Duplicate | Insertion::Overflow => None,
            })
            .collect()
    }

    #[test]
    fn frames_come_whole_from_packets_in_any_order() {
        let mut packets = packets(5_000, 6);
        for seed in 0..50 {
            Rng::new(seed).shuffle(&mut packets);
            let mut assembler = Assembler::default();
            let mut frames = insert_all(&mut assembler, &packets);
            frames.sort_by_key(|frame| frame.first_sequence);
            assert_eq!(frames.len(), 6);
            assert!(frames.iter().all(|frame| frame.data.len() == 5_000));
            assert_eq!((assembler.waiting_packets(), assembler.bytes), (0, 0));
        }
    }

    #[test]
    fn a_frame_knows_when_its_packets_came() {
        let frames = insert_all(&mut Assembler::default(), &packets(3_000, 1));
        assert_eq!(frames[0].first_packet_arrival, sim::epoch());
        assert_eq!(frames[0].last_packet_arrival, sim::epoch() + Duration::from_millis(2));
    }

    #[test]
    fn a_frame_with_a_missing_packet_waits() {
        let mut packets = packets(5_000, 1);
        let missing = packets.remove(2);
        let mut assembler = Assembler::default();
        assert!(insert_all(&mut assembler, &packets).is_empty());
        assert!(assembler.key_frame_progress().is_some());
        assert_eq!(insert_all(&mut assembler, &[missing]).len(), 1);
        assert!(assembler.key_frame_progress().is_none());
    }

    #[test]
    fn duplicates_change_nothing() {
        let packets = packets(3_000, 1);
        let mut assembler = Assembler::default();
        assembler.insert(0, &packets[0]).unwrap();
        assert_eq!(assembler.insert(0, &packets[0]), Ok(Insertion::Duplicate));
        assert_eq!(assembler.waiting_packets(), 1);
    }

    #[test]
    fn waiting_packets_and_bytes_are_bounded() {
        let packet = &packets(3_000, 1)[0];
        for limits in [
            AssemblerLimits { packets: 10, bytes: 1 << 20 },
            AssemblerLimits { packets: 1_000, bytes: 10_200 },
        ] {
            let mut assembler = Assembler::new(limits);
            for sequence in 0..10 {
                assert_eq!(assembler.insert(2 * sequence, packet), Ok(Insertion::Waiting));
            }
            assert_eq!(assembler.insert(20, packet), Ok(Insertion::Overflow));
            assert_eq!((assembler.waiting_packets(), assembler.bytes), (0, 0));
        }
    }

    #[test]
    fn pieces_of_different_timestamps_are_never_joined() {
        let mut packets = packets(2_000, 1);
        packets[1].timestamp += 1;
        assert!(insert_all(&mut Assembler::default(), &packets).is_empty());
    }
}
