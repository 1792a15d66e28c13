//! Encoded frames to RTP payloads, for one peer.
//!
//! Only frames that go out are numbered: sequence numbers, picture ids, TL0PICIDX and timestamps run on without a hole over left-out frames and
//! layer switches, so the receiver sees one continuous stream (RFC 7741 §4.2; a hole in picture ids makes receivers wait, one in sequence numbers
//! makes them send NACKs).

use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::payload::{PayloadDescriptor, PictureId, TemporalInfo};
use crate::frame::EncodedFrame;
use crate::rtp::{self, OutgoingPacket, VIDEO_CLOCK_RATE};

/// Largest RTP packet that we send, in bytes over UDP: what WebRTC endpoints use to stay below tunnels' and mobile networks' limits.
pub const MAX_PACKET_SIZE: usize = 1_200;

/// Bytes around a payload: RTP header 12, header extensions 24 (MID, transport-wide number, send time, in one-byte form), RTX original sequence
/// number 2 (RFC 4588), SRTP tag 16 (AES-GCM, RFC 7714).
pub const PACKET_OVERHEAD: usize = 12 + 24 + 2 + 16;

/// Where a peer's counters start; RFC 3550 §5.1 wants these random, and randomness is the caller's.
#[derive(Debug, Clone, Copy, Default)]
pub struct PacketizerStart {
    /// First RTP sequence number.
    pub sequence_number: u16,
    /// First picture id; 15 bits are used.
    pub picture_id: u16,
    /// First TL0PICIDX.
    pub tl0_pic_idx: u8,
    /// Added to the media time of frames.
    pub timestamp_offset: u32,
}

/// Numbers and splits the frames that one peer gets.
#[derive(Debug, Clone)]
pub struct Packetizer {
    max_payload: usize,
    sequence_number: u16,
    picture_id: u16,
    tl0_pic_idx: u8,
    timestamp_offset: u32,
    last: Option<LastFrame>,
}

#[derive(Debug, Clone, Copy)]
struct LastFrame {
    timestamp: u32,
    captured: Instant,
}

/// Ticks between two frames of one capture time, as when a switch sends the key frame of another layer: 1 ms. Receivers tell frames apart by their
/// timestamps, so no two may be equal.
const MIN_TIMESTAMP_STEP: u32 = VIDEO_CLOCK_RATE / 1_000;

/// A step of media time that differs by more ticks than this from the step of capture times is a source that restarted its clock: 2 s.
const MAX_TIMESTAMP_ERROR: u32 = 2 * VIDEO_CLOCK_RATE;

impl Packetizer {
    /// A packetizer for payloads that fit in [`MAX_PACKET_SIZE`] with [`PACKET_OVERHEAD`].
    pub fn new(start: PacketizerStart) -> Self {
        Self::with_max_payload(start, MAX_PACKET_SIZE - PACKET_OVERHEAD)
    }

    /// A packetizer for payloads of at most `max_payload` bytes, descriptor included (at least one byte of VP8 is always carried).
    pub fn with_max_payload(start: PacketizerStart, max_payload: usize) -> Self {
        Self {
            max_payload,
            sequence_number: start.sequence_number,
            picture_id: start.picture_id & 0x7FFF,
            tl0_pic_idx: start.tl0_pic_idx,
            timestamp_offset: start.timestamp_offset,
            last: None,
        }
    }

    /// The sequence number that the next packet gets: other streams (probing, RTX without its own SSRC) must not use it.
    pub fn next_sequence_number(&self) -> u16 {
        self.sequence_number
    }

    /// Numbers a frame and splits it into pieces of equal size (±1 byte), the marker on the last. An empty frame gives no packets and takes no
    /// numbers.
    pub fn packetize(&mut self, frame: &EncodedFrame) -> Vec<OutgoingPacket> {
        if frame.data.is_empty() {
            return Vec::new();
        }
        let timestamp = self.timestamp(frame);
        let descriptor = self.describe(frame);
        let packets = self.split(&frame.data, descriptor, timestamp);
        self.picture_id = (self.picture_id + 1) & 0x7FFF;
        packets
    }

    fn describe(&mut self, frame: &EncodedFrame) -> PayloadDescriptor {
        if frame.temporal_id == 0 {
            // TL0PICIDX names the newest base-layer frame, so it moves before the frame that it names.
            self.tl0_pic_idx = self.tl0_pic_idx.wrapping_add(1);
        }
        PayloadDescriptor {
            non_reference: frame.discardable && !frame.key,
            partition_start: true,
            partition_index: 0,
            picture_id: Some(PictureId::Long(self.picture_id)),
            tl0_pic_idx: Some(self.tl0_pic_idx),
            // On the base layer the bit says nothing new; browsers leave it clear there.
            temporal: Some(TemporalInfo {
                id: frame.temporal_id.min(3),
                layer_sync: frame.layer_sync && frame.temporal_id > 0,
            }),
            key_idx: None,
        }
    }

    /// Media time of a frame with this peer's offset, always ahead of the frame before.
    fn timestamp(&mut self, frame: &EncodedFrame) -> u32 {
        let mut timestamp = frame.timestamp.wrapping_add(self.timestamp_offset);
        if let Some(last) = self.last {
            let elapsed =
                rtp::ticks(frame.captured.saturating_duration_since(last.captured), VIDEO_CLOCK_RATE);
            let step = rtp::timestamp_diff(timestamp, last.timestamp);
            if step.wrapping_sub_unsigned(elapsed).unsigned_abs() > MAX_TIMESTAMP_ERROR {
                timestamp = last.timestamp.wrapping_add(elapsed.max(MIN_TIMESTAMP_STEP));
                self.timestamp_offset = timestamp.wrapping_sub(frame.timestamp);
            } else if step < MIN_TIMESTAMP_STEP as i32 {
                timestamp = last.timestamp.wrapping_add(MIN_TIMESTAMP_STEP);
            }
        }
        self.last = Some(LastFrame { timestamp, captured: frame.captured });
        timestamp
    }

    fn split(
        &mut self,
        data: &Bytes,
        mut descriptor: PayloadDescriptor,
        timestamp: u32,
    ) -> Vec<OutgoingPacket> {
        let header = descriptor.encoded_len();
        let room = self.max_payload.saturating_sub(header).max(1);
        let count = data.len().div_ceil(room);
        // One allocation for the whole frame; the payloads share it.
        let mut buffer = BytesMut::with_capacity(data.len() + count * header);
        let mut packets = Vec::with_capacity(count);
        let mut rest = &data[..];
        for index in 0..count {
            let (piece, tail) = rest.split_at(rest.len().div_ceil(count - index));
            rest = tail;
            descriptor.partition_start = index == 0;
            descriptor.write(&mut buffer);
            buffer.extend_from_slice(piece);
            packets.push(OutgoingPacket {
                sequence_number: self.sequence_number,
                timestamp,
                marker: index + 1 == count,
                payload: buffer.split().freeze(),
            });
            self.sequence_number = self.sequence_number.wrapping_add(1);
        }
        packets
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::frame::test_frames::{frame, sized};

    fn start() -> PacketizerStart {
        PacketizerStart {
            sequence_number: 65_535,
            picture_id: 0x7FFF,
            tl0_pic_idx: 255,
            timestamp_offset: 1_000,
        }
    }

    fn descriptor(packet: &OutgoingPacket) -> PayloadDescriptor {
        PayloadDescriptor::parse(&packet.payload).unwrap().0
    }

    #[test]
    fn pieces_are_of_equal_size_fit_and_carry_the_frame() {
        let mut packetizer = Packetizer::new(start());
        let frame = sized(frame(0, true, 0), 5_000);
        let packets = packetizer.packetize(&frame);
        assert_eq!(packets.len(), 5);
        let sizes: Vec<usize> = packets.iter().map(|p| p.payload.len()).collect();
        assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        assert!(sizes.iter().all(|size| size + PACKET_OVERHEAD <= MAX_PACKET_SIZE));
        let joined: Vec<u8> =
            packets.iter().flat_map(|p| PayloadDescriptor::parse(&p.payload).unwrap().1.to_vec()).collect();
        assert_eq!(joined, frame.data);
    }

    #[test]
    fn the_first_piece_starts_the_frame_and_the_last_has_the_marker() {
        let packets = Packetizer::new(start()).packetize(&sized(frame(0, true, 0), 3_000));
        let starts: Vec<bool> = packets.iter().map(|p| descriptor(p).starts_frame()).collect();
        let markers: Vec<bool> = packets.iter().map(|p| p.marker).collect();
        assert_eq!(starts, [true, false, false]);
        assert_eq!(markers, [false, false, true]);
    }

    #[test]
    fn numbers_run_on_over_their_wraps() {
        let mut packetizer = Packetizer::new(start());
        let first = packetizer.packetize(&frame(0, true, 0)).remove(0);
        let second = packetizer.packetize(&frame(0, false, 1)).remove(0);
        let third = packetizer.packetize(&frame(0, false, 0)).remove(0);
        assert_eq!([first.sequence_number, second.sequence_number, third.sequence_number], [65_535, 0, 1]);
        assert_eq!(descriptor(&first).picture_id, Some(PictureId::Long(0x7FFF)));
        assert_eq!(descriptor(&second).picture_id, Some(PictureId::Long(0)));
        let tl0: Vec<_> = [&first, &second, &third].map(|p| descriptor(p).tl0_pic_idx.unwrap()).to_vec();
        assert_eq!(tl0, [0, 0, 1], "upper layers name the base frame that they build on");
    }

    #[test]
    fn two_frames_of_one_capture_get_different_timestamps() {
        let mut packetizer = Packetizer::new(start());
        let low = packetizer.packetize(&frame(0, true, 0)).remove(0);
        let high = packetizer.packetize(&EncodedFrame { layer: 1, ..frame(0, true, 0) }).remove(0);
        assert_eq!(high.timestamp, low.timestamp + 90);
    }

    #[test]
    fn a_source_that_restarts_its_clock_does_not_move_the_stream_back() {
        let mut packetizer = Packetizer::new(start());
        let before = EncodedFrame { timestamp: 900_000_000, ..frame(0, true, 0) };
        let after = EncodedFrame {
            timestamp: 0,
            captured: before.captured + Duration::from_millis(100),
            ..frame(0, true, 0)
        };
        let next = EncodedFrame {
            timestamp: 3_000,
            captured: after.captured + Duration::from_millis(33),
            ..after.clone()
        };
        let timestamps: Vec<u32> =
            [before, after, next].iter().map(|f| packetizer.packetize(f)[0].timestamp).collect();
        assert_eq!(timestamps, [900_001_000, 900_010_000, 900_013_000]);
    }

    #[test]
    fn an_empty_frame_takes_no_numbers() {
        let mut packetizer = Packetizer::new(start());
        assert!(packetizer.packetize(&sized(frame(0, true, 0), 0)).is_empty());
        assert_eq!(packetizer.next_sequence_number(), 65_535);
    }

    #[test]
    fn a_payload_size_smaller_than_the_descriptor_still_makes_progress() {
        let mut packetizer = Packetizer::with_max_payload(start(), 0);
        assert_eq!(packetizer.packetize(&sized(frame(0, true, 0), 3)).len(), 3);
    }
}
