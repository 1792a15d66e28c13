//! One remote video stream: packets in, decodable frames out in decode order, key-frame requests where nothing else helps.
//!
//! A frame that can be decoded goes out at once. A hole is given time for repair (NACK and RTX work in the WebRTC stack, their packets come in here like any
//! other); when that time is over, a key frame is asked for, again and again at growing intervals. A frame whose reference is missing never goes out: the
//! picture freezes rather than smears. When temporal layers are signalled (RFC 7741 TL0PICIDX, TID, Y), a loss above the base layer costs only those frames.
//!
//! Core: [`VideoReceiver::handle`], then [`VideoReceiver::poll_output`] until it is empty; wake it at [`VideoReceiver::poll_timeout`]. When a frame is
//! *shown* is decided after this, by playout.

mod admission;
mod gaps;
mod order;
mod request;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::admission::{Admission, Admitter};
use self::gaps::Gaps;
use self::order::{DecodeOrder, Patience};
use self::request::RequestTimer;
use crate::rtp::RtpPacket;
use crate::vp8::assembler::{AssembledFrame, Assembler, AssemblerLimits, Insertion};
use crate::vp8::header::FrameHeader;

/// How long to wait for what, and how much to hold.
#[derive(Debug, Clone, Copy)]
pub struct VideoReceiverConfig {
    /// How long a hole may wait for repair before a key frame is asked for, while the round-trip time is unknown. Default 200 ms; a longer time freezes
    /// longer when repair fails, a shorter one asks for key frames that repair would have spared.
    pub repair_time: Duration,
    /// How long a frame that is decodable without the ones missing before it waits for them, so that mere reordering costs no frame. Default 20 ms. On a
    /// short path it waits for a repair, see [`VideoReceiverInput::RoundTripTime`].
    pub reorder_time: Duration,
    /// Time between the first two key-frame requests; doubles with each. Default 300 ms.
    pub request_interval: Duration,
    /// Longest time between two requests. Default 3 s: what a sender's budget allows one peer.
    pub max_request_interval: Duration,
    /// Pieces of frames that may wait.
    pub assembler: AssemblerLimits,
    /// Whole frames that may wait for ones before them. Default 128: four seconds at 30 frames a second.
    pub max_frames: usize,
    /// Bytes of such frames. Default 8 MiB.
    pub max_frame_bytes: usize,
}

impl Default for VideoReceiverConfig {
    fn default() -> Self {
        Self {
            repair_time: Duration::from_millis(200),
            reorder_time: Duration::from_millis(20),
            request_interval: Duration::from_millis(300),
            max_request_interval: Duration::from_secs(3),
            assembler: AssemblerLimits::default(),
            max_frames: 128,
            max_frame_bytes: 8 << 20,
        }
    }
}

/// A fact.
#[derive(Debug, Clone)]
pub enum VideoReceiverInput {
    /// A packet came, new or repaired.
    Packet(RtpPacket),
    /// The decoder refused a frame: its references are gone.
    DecodeFailed,
    /// The round-trip time was measured; the time for repair follows it. Up to [`LONGEST_WAITED_FOR`] frames above the base layer are waited for as well: the
    /// base layer's need the same time anyway, so that the motion is even for no more delay.
    RoundTripTime(Duration),
    /// Time went on.
    Tick,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoReceiverOutput {
    /// Decode this next.
    Frame(ReceivedFrame),
    /// Send a PLI (RFC 4585 §6.3.1).
    RequestKeyFrame,
}

/// A frame to decode. All that it refers to went out before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFrame {
    /// The VP8 frame.
    pub data: Bytes,
    /// Decodable without any other.
    pub key: bool,
    /// Width and height of a key frame in pixels, within what we decode.
    pub dimensions: Option<(u32, u32)>,
    /// RTP media time, 90 kHz.
    pub timestamp: u32,
    /// Temporal layer, 0 when none is signalled.
    pub temporal_id: u8,
    /// When the earliest of its packets came.
    pub first_packet_arrival: Instant,
    /// When the latest of its packets came.
    pub last_packet_arrival: Instant,
}

/// Counters since the start; names follow W3C webrtc-stats where it has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VideoReceiverStats {
    /// Packets handed in.
    pub packets_received: u64,
    /// Bytes of their payloads.
    pub bytes_received: u64,
    /// Packets that could not be used: malformed, late, or of another stream.
    pub packets_discarded: u64,
    /// Packets that were there already.
    pub packets_duplicated: u64,
    /// Frames that became whole.
    pub frames_received: u64,
    /// Frames that went out.
    pub frames_emitted: u64,
    /// Key frames among them.
    pub key_frames_emitted: u64,
    /// Whole frames that could not be decoded, or were passed over.
    pub frames_dropped: u64,
    /// Key frames asked for.
    pub pli_count: u64,
    /// Times that the sender started anew (SSRC, sequence numbers).
    pub restarts: u64,
}

/// Round-trip time up to which a frame is worth waiting for that others can do without.
pub const LONGEST_WAITED_FOR: Duration = Duration::from_millis(150);

/// Receives one stream.
#[derive(Debug)]
pub struct VideoReceiver {
    config: VideoReceiverConfig,
    repair_time: Duration,
    /// How long a hole is waited for by frames that are decodable without what is missing.
    skip_time: Duration,
    admitter: Admitter,
    assembler: Assembler,
    gaps: Gaps,
    order: DecodeOrder,
    requests: RequestTimer,
    outputs: VecDeque<VideoReceiverOutput>,
    stats: VideoReceiverStats,
}

impl VideoReceiver {
    /// A receiver that has seen nothing.
    pub fn new(config: VideoReceiverConfig) -> Self {
        Self {
            repair_time: config.repair_time,
            skip_time: Duration::ZERO,
            admitter: Admitter::default(),
            assembler: Assembler::new(config.assembler),
            gaps: Gaps::default(),
            order: DecodeOrder::default(),
            requests: RequestTimer::new(config.request_interval, config.max_request_interval),
            outputs: VecDeque::new(),
            stats: VideoReceiverStats::default(),
            config,
        }
    }

    /// Takes a fact in; drain [`Self::poll_output`] afterwards.
    pub fn handle(&mut self, input: VideoReceiverInput, now: Instant) {
        match input {
            VideoReceiverInput::Packet(packet) => self.packet(packet, now),
            VideoReceiverInput::DecodeFailed => self.order.lost_base(now),
            VideoReceiverInput::RoundTripTime(rtt) => {
                self.repair_time = repair_time(rtt);
                self.skip_time = skip_time(rtt);
            }
            VideoReceiverInput::Tick => {}
        }
        self.advance(now);
    }

    /// The next order.
    pub fn poll_output(&mut self) -> Option<VideoReceiverOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle`] with [`VideoReceiverInput::Tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let skip = self.order.skip_due(self.patience());
        [skip, self.request_due()].into_iter().flatten().min()
    }

    /// Counters since the start.
    pub fn stats(&self) -> &VideoReceiverStats {
        &self.stats
    }

    /// The sequence number up to which nothing is needed any more: it is decoded, or was passed over.
    pub fn through(&self) -> Option<u16> {
        // The low 16 bits are the number on the wire.
        self.order.tail().map(|tail| tail as u16)
    }

    /// Bytes of payload that wait: pieces of frames, and frames that wait for ones before them.
    pub fn held_bytes(&self) -> usize {
        self.assembler.waiting_bytes() + self.order.bytes()
    }

    fn packet(&mut self, packet: RtpPacket, now: Instant) {
        self.stats.packets_received += 1;
        self.stats.bytes_received += packet.payload.len() as u64;
        match self.admitter.admit(packet, self.order.tail(), now) {
            Admission::Accept(sequence, packet) => self.accept(sequence, &packet, now),
            Admission::Restart(packets) => {
                self.restart(now);
                for (sequence, packet) in packets {
                    self.accept(sequence, &packet, now);
                }
            }
            Admission::Refuse => self.stats.packets_discarded += 1,
        }
    }

    fn restart(&mut self, now: Instant) {
        self.stats.restarts += 1;
        self.stats.frames_dropped += self.order.restart(now);
        self.assembler.clear();
        self.gaps = Gaps::default();
    }

    fn accept(&mut self, sequence: i64, packet: &RtpPacket, now: Instant) {
        if self.gaps.contains(sequence) {
            self.stats.packets_duplicated += 1;
            return;
        }
        self.order.started(now);
        if packet.payload.is_empty() {
            self.gaps.insert(sequence, now);
            self.order.padding(sequence);
            return;
        }
        match self.assembler.insert(sequence, packet) {
            Err(_malformed) => {
                // Not marked as seen: what it stood for is missing.
                self.stats.packets_discarded += 1;
                return;
            }
            Ok(Insertion::Waiting) => {}
            Ok(Insertion::Duplicate) => self.stats.packets_duplicated += 1,
            Ok(Insertion::Whole(frame)) => self.whole(frame, now),
            Ok(Insertion::Overflow) => self.order.lost_base(now),
        }
        self.gaps.insert(sequence, now);
    }

    fn whole(&mut self, frame: AssembledFrame, now: Instant) {
        self.stats.frames_received += 1;
        match FrameHeader::of_frame(&frame.data) {
            Ok(header) => {
                self.order.push(frame, header, now);
                let limits = (self.config.max_frames, self.config.max_frame_bytes);
                self.stats.frames_dropped += self.order.enforce(limits, now);
            }
            // It stays a hole: what follows must not be decoded without it.
            Err(_refused) => self.stats.frames_dropped += 1,
        }
    }

    fn advance(&mut self, now: Instant) {
        while let Some(frame) = self.order.next(now, self.patience()) {
            self.stats.frames_emitted += 1;
            self.stats.key_frames_emitted += u64::from(frame.key);
            if frame.key {
                self.requests.relax();
            }
            self.outputs.push_back(VideoReceiverOutput::Frame(frame));
        }
        self.stats.frames_dropped += self.order.take_dropped();
        if let Some(tail) = self.order.tail() {
            self.assembler.discard_before(tail + 1);
            self.gaps.release(tail, now);
        }
        if self.assembler.key_frame_progress().is_some() {
            // The sender listens, even if this key frame should be lost.
            self.requests.relax();
        }
        if self.request_due().is_some_and(|due| due <= now) {
            self.requests.sent(now);
            self.stats.pli_count += 1;
            self.outputs.push_back(VideoReceiverOutput::RequestKeyFrame);
        }
    }

    /// How long frames wait that are decodable without what is missing before them.
    fn patience(&self) -> Patience {
        let repaired_by = self.gaps.oldest().map(|since| since + self.skip_time);
        Patience { reorder_time: self.config.reorder_time, repaired_by }
    }

    /// When the next key-frame request is due, if the stream is stuck.
    fn request_due(&self) -> Option<Instant> {
        let stuck = match self.order.base_lost_since() {
            // Nothing was decoded yet: the key frame's packets may only be reordered. Afterwards, waiting helps nobody.
            Some(since) if self.order.tail().is_none() => Some(since + self.config.reorder_time),
            Some(since) => Some(since),
            None => {
                let waiting = [self.gaps.oldest(), self.order.oldest_waiting()].into_iter().flatten().min();
                waiting.map(|since| since + self.repair_time)
            }
        }?;
        let due = self.requests.not_before().map_or(stuck, |at| stuck.max(at));
        Some(self.assembler.key_frame_progress().map_or(due, |arriving| due.max(arriving + self.repair_time)))
    }
}

/// Time for two rounds of NACK and retransmission, with a margin for the sender's pacer, in bounds that a person bears.
fn repair_time(rtt: Duration) -> Duration {
    (rtt.saturating_mul(2) + Duration::from_millis(60))
        .clamp(Duration::from_millis(100), Duration::from_secs(1))
}

/// Time for one round of NACK and retransmission with a margin for its detection, if that is short.
fn skip_time(rtt: Duration) -> Duration {
    if rtt <= LONGEST_WAITED_FOR { rtt + Duration::from_millis(25) } else { Duration::ZERO }
}
