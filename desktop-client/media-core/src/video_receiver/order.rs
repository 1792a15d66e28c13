//! Decode order: whole frames in, and out those whose references went out before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::ReceivedFrame;
use crate::vp8::assembler::AssembledFrame;
use crate::vp8::header::FrameHeader;
use crate::vp8::payload::{PictureId, TemporalInfo};
use crate::vp8::temporal::TemporalChain;

/// TL0PICIDX has 8 bits: over a longer hole (in pictures, or packets where pictures are not numbered) it may have wrapped and proves nothing.
const MAX_TL0_SPAN: i64 = 255;

/// Padding packets that are remembered; senders put a few between two frames.
const MAX_PADDING: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct DecodeOrder {
    frames: BTreeMap<i64, Waiting>,
    bytes: usize,
    padding: BTreeSet<i64>,
    tail: Option<Tail>,
    tl0_pic_idx: Option<u8>,
    chain: TemporalChain,
    /// Since when only a key frame helps; `None` before the first packet and while the base layer is whole.
    base_lost_since: Option<Instant>,
    dropped: u64,
}

#[derive(Debug)]
struct Waiting {
    frame: AssembledFrame,
    header: FrameHeader,
    since: Instant,
}

/// How long a frame that needs nothing of what is missing before it waits for that all the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// It may only be reordered.
    pub(super) reorder_time: Duration,
    /// A repair should have come by then.
    pub(super) repaired_by: Option<Instant>,
}

impl Patience {
    fn until(self, waiting: &Waiting) -> Instant {
        let reordered = waiting.since + self.reorder_time;
        self.repaired_by.map_or(reordered, |repaired| repaired.max(reordered))
    }
}

/// The newest frame that is through, decoded or dropped.
#[derive(Debug, Clone, Copy)]
struct Tail {
    sequence: i64,
    picture_id: Option<PictureId>,
}

impl DecodeOrder {
    /// The last sequence number that is through.
    pub(super) fn tail(&self) -> Option<i64> {
        self.tail.map(|tail| tail.sequence)
    }

    /// A packet of the stream came: from now on a key frame is missed.
    pub(super) fn started(&mut self, now: Instant) {
        if self.tail.is_none() && self.base_lost_since.is_none() {
            self.base_lost_since = Some(now);
        }
    }

    /// Bytes of frames that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The stream starts anew; gives the number of frames that it loses.
    pub(super) fn restart(&mut self, now: Instant) -> u64 {
        let lost = self.frames.len() as u64 + self.dropped;
        *self = Self::default();
        self.started(now);
        lost
    }

    /// A packet without a frame: it takes a sequence number between frames.
    pub(super) fn padding(&mut self, sequence: i64) {
        self.padding.insert(sequence);
        if self.padding.len() > MAX_PADDING {
            self.padding.pop_first();
        }
    }

    /// The base layer cannot go on.
    pub(super) fn lost_base(&mut self, now: Instant) {
        self.chain.lost_base();
        self.base_lost_since.get_or_insert(now);
    }

    /// Since when only a key frame helps.
    pub(super) fn base_lost_since(&self) -> Option<Instant> {
        self.base_lost_since
    }

    pub(super) fn push(&mut self, frame: AssembledFrame, header: FrameHeader, now: Instant) {
        if self.tail().is_some_and(|tail| frame.first_sequence <= tail) {
            self.dropped += 1;
            return;
        }
        self.bytes += frame.data.len();
        self.frames.insert(frame.first_sequence, Waiting { frame, header, since: now });
    }

    /// Holds to the limits (frames, bytes) by giving up the older half of what waits; gives the number of frames dropped.
    pub(super) fn enforce(&mut self, (frames, bytes): (usize, usize), now: Instant) -> u64 {
        if self.frames.len() <= frames && self.bytes <= bytes {
            return 0;
        }
        // What waits, waits for a frame before it; without that one none of it is of use, unless it is a key frame, and that does not wait.
        let half = self.frames.keys().nth(self.frames.len() / 2).copied();
        let keep = half.map(|first| self.frames.split_off(&first)).unwrap_or_default();
        let given_up = std::mem::replace(&mut self.frames, keep);
        self.bytes = self.frames.values().map(|waiting| waiting.frame.data.len()).sum();
        if let Some(last) = given_up.values().next_back() {
            self.move_tail(&last.frame);
        }
        self.lost_base(now);
        given_up.len() as u64
    }

    /// The next frame to decode.
    pub(super) fn next(&mut self, now: Instant, patience: Patience) -> Option<ReceivedFrame> {
        while let Some((&first, waiting)) = self.frames.first_key_value() {
            if !self.chain.base_intact() {
                // The rest stays: a key frame before it may have been overtaken.
                let key =
                    self.frames.iter().find(|(_, waiting)| waiting.header.key).map(|(first, _)| *first)?;
                return self.skip_to(key);
            }
            if !self.follows_tail(waiting) {
                break;
            }
            if waiting.header.key || self.chain.decodable(temporal(waiting)) {
                return self.emit(first);
            }
            self.pass_over(first);
        }
        let over_hole = self.frames.values().find(|waiting| {
            waiting.header.key || (now >= patience.until(waiting) && self.decodable_over_hole(waiting))
        })?;
        self.skip_to(over_hole.frame.first_sequence)
    }

    /// When a frame may go out although ones before it are missing.
    pub(super) fn skip_due(&self, patience: Patience) -> Option<Instant> {
        let skippable = self.frames.values().filter(|waiting| self.decodable_over_hole(waiting));
        skippable.map(|waiting| patience.until(waiting)).min()
    }

    /// Since when the oldest whole frame waits for one before it.
    pub(super) fn oldest_waiting(&self) -> Option<Instant> {
        self.frames.values().map(|waiting| waiting.since).min()
    }

    /// Frames dropped since the last call.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Gives up everything before a frame and lets it out.
    fn skip_to(&mut self, first: i64) -> Option<ReceivedFrame> {
        let rest = self.frames.split_off(&first);
        for passed in std::mem::replace(&mut self.frames, rest).into_values() {
            self.bytes -= passed.frame.data.len();
            self.dropped += 1;
        }
        self.chain.lost_above_base();
        self.emit(first)
    }

    fn emit(&mut self, first: i64) -> Option<ReceivedFrame> {
        let Waiting { frame, header, .. } = self.frames.remove(&first)?;
        self.bytes -= frame.data.len();
        self.move_tail(&frame);
        let temporal = frame.descriptor.temporal.unwrap_or(BASE);
        if header.key {
            self.chain.key_frame();
            self.base_lost_since = None;
        } else {
            self.chain.decoded(temporal);
        }
        if temporal.id == 0 {
            self.tl0_pic_idx = frame.descriptor.tl0_pic_idx;
        }
        Some(ReceivedFrame {
            data: frame.data,
            key: header.key,
            dimensions: header.dimensions,
            timestamp: frame.timestamp,
            temporal_id: temporal.id,
            first_packet_arrival: frame.first_packet_arrival,
            last_packet_arrival: frame.last_packet_arrival,
        })
    }

    /// Drops a frame in its place: nothing is missing before it, but its layer is broken.
    fn pass_over(&mut self, first: i64) {
        let Some(waiting) = self.frames.remove(&first) else { return };
        self.bytes -= waiting.frame.data.len();
        self.dropped += 1;
        if !waiting.frame.descriptor.non_reference {
            self.chain.lost(temporal(&waiting));
        }
        self.move_tail(&waiting.frame);
    }

    fn move_tail(&mut self, frame: &AssembledFrame) {
        self.tail = Some(Tail { sequence: frame.last_sequence, picture_id: frame.descriptor.picture_id });
        self.padding = self.padding.split_off(&(frame.last_sequence + 1));
    }

    /// No frame is missing between the tail and this one: only padding lies between, or the picture ids are neighbours.
    fn follows_tail(&self, waiting: &Waiting) -> bool {
        let Some(tail) = self.tail else { return false };
        let first = waiting.frame.first_sequence;
        let mut next = tail.sequence + 1;
        while next < first && self.padding.contains(&next) {
            next += 1;
        }
        next == first || self.pictures_after(tail, waiting) == Some(1)
    }

    fn pictures_after(&self, tail: Tail, waiting: &Waiting) -> Option<u16> {
        Some(waiting.frame.descriptor.picture_id?.distance_from(tail.picture_id?))
    }

    /// The frame needs nothing of what is missing before it: only frames above the base layer were lost.
    fn decodable_over_hole(&self, waiting: &Waiting) -> bool {
        let descriptor = &waiting.frame.descriptor;
        let (Some(tail), Some(temporal)) = (self.tail, descriptor.temporal) else { return false };
        let (Some(last), Some(own)) = (self.tl0_pic_idx, descriptor.tl0_pic_idx) else { return false };
        let pictures = self.pictures_after(tail, waiting).map(i64::from);
        let span = pictures.unwrap_or(waiting.frame.first_sequence - tail.sequence);
        let expected = if temporal.id == 0 { last.wrapping_add(1) } else { last };
        self.chain.base_intact()
            && span <= MAX_TL0_SPAN
            && own == expected
            && (temporal.id == 0 || temporal.layer_sync)
    }
}

const BASE: TemporalInfo = TemporalInfo { id: 0, layer_sync: false };

fn temporal(waiting: &Waiting) -> TemporalInfo {
    waiting.frame.descriptor.temporal.unwrap_or(BASE)
}
