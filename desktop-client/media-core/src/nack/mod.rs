//! Which packets of one stream to ask for again: generic NACK (RFC 4585 §6.2.1), answered by retransmissions (RFC 4588) or by the packet itself.
//!
//! A hole in the sequence numbers is first given time, as it may be mere reordering. Then its number is asked for, and asked for again when an answer is
//! overdue. How long an answer takes is learnt from those that come ([`response`]), so that a packet is not asked for twice while the first copy is under
//! way. What is no longer of use, or has been asked for often enough, is given up: a key frame repairs that ([`crate::video_receiver`] asks for it).
//!
//! Core: [`NackGenerator::handle`], then [`NackGenerator::poll_output`] until it is empty; wake it at [`NackGenerator::poll_timeout`]. Memory and the work
//! for a packet are bounded by [`NackConfig::max_holes`], whatever comes in.

mod holes;
mod response;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use self::holes::{Due, Filled, Holes};
use self::response::ResponseTime;
use crate::rtp::SequenceUnwrapper;

/// A packet further than this from the newest one is not of the running sequence (RFC 3550 A.1, MAX_DROPOUT).
const MAX_JUMP: i64 = 3_000;

/// Packets of a part of the sequence that is through are late repairs; when nothing newer comes for this long, the sender restarted.
const STALL: Duration = Duration::from_millis(500);

/// When to ask, and how often.
#[derive(Debug, Clone, Copy)]
pub struct NackConfig {
    /// How long a missing packet may merely be reordered. Default 10 ms; more delays every repair, less asks for packets that come anyway.
    pub reorder_time: Duration,
    /// Later packets that end this wait early. Default 3, as in TCP (RFC 5681 §3.2).
    pub reorder_packets: u64,
    /// Round-trip time before it is known. Default 100 ms, as libwebrtc's.
    pub initial_rtt: Duration,
    /// Least time between two requests for a packet. Default 20 ms, as libwebrtc's; less only asks twice on short paths.
    pub min_interval: Duration,
    /// Most requests for a packet. Default 10, as libwebrtc's.
    pub max_requests: u32,
    /// How long a packet is of use, unless two round trips take longer. Default 1 s; a longer time spends the path on pictures that were given up.
    pub max_age: Duration,
    /// Packets that may be missing at once; when there are more, all are given up. Default 1000, as libwebrtc's.
    pub max_holes: usize,
    /// Numbers in one request. Default 250: at most 1012 bytes (RFC 4585 §6.2.1), within any MTU.
    pub max_batch: usize,
    /// A first request that is due this soon goes with what is due now, so that fewer RTCP packets are sent. Default 4 ms.
    pub batch_window: Duration,
}

impl Default for NackConfig {
    fn default() -> Self {
        Self {
            reorder_time: Duration::from_millis(10),
            reorder_packets: 3,
            initial_rtt: Duration::from_millis(100),
            min_interval: Duration::from_millis(20),
            max_requests: 10,
            max_age: Duration::from_secs(1),
            max_holes: 1_000,
            max_batch: 250,
            batch_window: Duration::from_millis(4),
        }
    }
}

/// A fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NackInput {
    /// A packet came.
    Packet {
        /// Its number in the stream; of a retransmission the original one (OSN, RFC 4588 §4).
        sequence_number: u16,
        /// It came as a retransmission.
        retransmitted: bool,
    },
    /// Everything up to this number is decoded or was passed over: it need not come any more.
    Through(u16),
    /// The round-trip time was measured.
    RoundTripTime(Duration),
    /// Time went on.
    Tick,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NackOutput {
    /// Ask for these packets, in one RTCP packet.
    Request(Vec<u16>),
}

/// Counters since the start; names follow W3C webrtc-stats where it has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NackStats {
    /// Requests sent, each for one or more packets.
    pub nack_count: u64,
    /// Packets asked for, each time counted.
    pub requested: u64,
    /// Packets that came after they were asked for.
    pub recovered: u64,
    /// Packets that came by themselves before they were asked for.
    pub reordered: u64,
    /// Packets that were given up: asked for too often, too old, or too many at once.
    pub given_up: u64,
    /// Packets that were no longer needed.
    pub obsolete: u64,
    /// Packets that were there already, or that nobody waits for any more.
    pub redundant: u64,
    /// Times that the sender started anew.
    pub restarts: u64,
}

/// Finds the holes in one stream and asks for what is missing.
#[derive(Debug)]
pub struct NackGenerator {
    config: NackConfig,
    unwrapper: SequenceUnwrapper,
    holes: Holes,
    response: ResponseTime,
    /// A packet off the sequence; if the next one follows it, the sequence moved there.
    candidate: Option<u16>,
    last_progress: Option<Instant>,
    outputs: VecDeque<NackOutput>,
    timeout: Option<Instant>,
    stats: NackStats,
}

impl NackGenerator {
    /// A generator that has seen nothing.
    pub fn new(config: NackConfig) -> Self {
        let min_interval = config.min_interval.max(Duration::from_millis(1));
        let config = NackConfig { max_batch: config.max_batch.max(1), min_interval, ..config };
        Self {
            unwrapper: SequenceUnwrapper::default(),
            holes: Holes::default(),
            response: ResponseTime::new(config.initial_rtt, config.min_interval),
            candidate: None,
            last_progress: None,
            outputs: VecDeque::new(),
            timeout: None,
            stats: NackStats::default(),
            config,
        }
    }

    /// Takes a fact in; drain [`Self::poll_output`] afterwards.
    pub fn handle(&mut self, input: NackInput, now: Instant) {
        match input {
            NackInput::Packet { sequence_number, retransmitted } => {
                self.packet(sequence_number, retransmitted, now);
            }
            NackInput::Through(sequence_number) => self.through(sequence_number),
            NackInput::RoundTripTime(rtt) => self.response.round_trip_time(rtt),
            NackInput::Tick => {}
        }
        self.request(now);
    }

    /// The next order.
    pub fn poll_output(&mut self) -> Option<NackOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle`] with [`NackInput::Tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timeout
    }

    /// Counters since the start.
    pub fn stats(&self) -> &NackStats {
        &self.stats
    }

    /// Packets that are missing and not given up.
    pub fn missing(&self) -> usize {
        self.holes.len()
    }

    fn packet(&mut self, sequence_number: u16, retransmitted: bool, now: Instant) {
        let sequence = self.unwrapper.peek(sequence_number);
        let Some(newest) = self.unwrapper.newest() else {
            // A retransmission says nothing of where the stream is.
            if !retransmitted {
                self.advance(sequence_number, now);
            }
            return;
        };
        if (sequence - newest).abs() > MAX_JUMP {
            return self.off_sequence(sequence_number, now);
        }
        if sequence > newest {
            self.note_gap(newest + 1, sequence, now);
            return self.advance(sequence_number, now);
        }
        match self.holes.fill(sequence) {
            Some(filled) => self.filled(sequence, filled, now),
            None => self.late(sequence, sequence_number, retransmitted, now),
        }
    }

    fn filled(&mut self, sequence: i64, filled: Filled, now: Instant) {
        match filled {
            Filled::Reordered => self.stats.reordered += 1,
            Filled::Repaired(asked) => {
                self.stats.recovered += 1;
                self.response.answered(sequence, asked, now);
            }
        }
    }

    fn advance(&mut self, sequence_number: u16, now: Instant) {
        self.unwrapper.unwrap(sequence_number);
        self.candidate = None;
        self.last_progress = Some(now);
        self.holes.packet_came();
    }

    fn note_gap(&mut self, from: i64, to: i64, now: Instant) {
        let missing = usize::try_from(to - from).unwrap_or(0);
        if self.holes.len() + missing > self.config.max_holes {
            self.stats.given_up += (self.holes.len() + missing) as u64;
            self.holes.clear();
            return;
        }
        (from..to).for_each(|sequence| self.holes.open(sequence, now));
    }

    /// There already, given up, or of a sender that restarted at lower numbers.
    fn late(&mut self, sequence: i64, sequence_number: u16, retransmitted: bool, now: Instant) {
        let stalled = self.last_progress.is_some_and(|at| now.saturating_duration_since(at) >= STALL);
        if stalled && !retransmitted {
            return self.off_sequence(sequence_number, now);
        }
        self.stats.redundant += 1;
        self.response.answered_again(sequence);
    }

    /// One packet far off is garbage, a second one that follows it is a sender that moved.
    fn off_sequence(&mut self, sequence_number: u16, now: Instant) {
        if self.candidate.is_some_and(|candidate| sequence_number == candidate.wrapping_add(1)) {
            self.stats.restarts += 1;
            self.stats.given_up += self.holes.len() as u64;
            self.holes.clear();
            self.unwrapper = SequenceUnwrapper::default();
            self.advance(sequence_number, now);
        } else {
            self.candidate = Some(sequence_number);
        }
    }

    fn through(&mut self, sequence_number: u16) {
        let sequence = self.unwrapper.peek(sequence_number);
        // What is far off is of a sequence before this one.
        if self.unwrapper.newest().is_some_and(|newest| (sequence - newest).abs() <= MAX_JUMP) {
            self.stats.obsolete += self.holes.close_to(sequence);
        }
    }

    /// Asks for what is due, and notes when the next is.
    fn request(&mut self, now: Instant) {
        let due = self.holes.due(&Due {
            now,
            first_after: self.config.reorder_time,
            after_packets: self.config.reorder_packets,
            again_after: self.response.interval(),
            max_requests: self.config.max_requests,
            max_age: self.config.max_age.max(self.response.interval().saturating_mul(2)),
            window: self.config.batch_window,
        });
        self.stats.given_up += due.given_up;
        self.timeout = due.next;
        for batch in due.numbers.chunks(self.config.max_batch) {
            self.stats.nack_count += 1;
            self.stats.requested += batch.len() as u64;
            self.outputs.push_back(NackOutput::Request(batch.to_vec()));
        }
    }
}
