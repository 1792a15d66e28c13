//! When packets leave: audio first, then what was lost, then video, then padding, at a rate that the path carries.
//!
//! An encoder gives a frame as a heap of packets at once. Sent so, they fill a queue on the way, and that queue delays the next audio packet and looks
//! like congestion. The pacer spreads them: at [`PacerConfig::factor`] times the target rate, so that a frame leaves well before the next one comes, and never
//! more at once than [`PacerConfig::burst`] at that rate. Audio is small and late at once, so it never waits; what it takes is counted.
//!
//! What is queued must not grow old: when video would wait longer than [`PacerConfig::queue_limit`], the pacer goes faster, as fast as it must to keep to
//! the limit. Packets have their sequence numbers by then, and leaving one out costs more than sending it; the place to leave out whole frames is before they are
//! numbered, and [`Pacer::queue_delay`] tells when. Retransmissions that have waited too long are dropped: the receiver has given up on them or asked again.
//!
//! A probe ([`Probe`]) is sent at its own rate: media while there is some, and padding that the caller makes on [`PacerOutput::NeedPadding`]. It delays video
//! by the little that its rate is below the pacing rate, and audio not at all.
//!
//! Core: [`Pacer::handle`], then [`Pacer::poll_output`] until it is empty; wake it at [`Pacer::poll_timeout`], which is always later than the last `now`. The
//! items are the caller's: a packet, or a note from which it is made when its turn comes. The rules follow libwebrtc's pacing in purpose and default values.

mod budget;
mod probe;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use self::budget::Budget;
use self::probe::Probes;
use self::queue::{Queue, Queued};
use crate::bitrate::Bitrate;
use crate::congestion::{Probe, ProbeSent};

/// Never paced below this: a target of nothing would hold packets forever.
const MIN_RATE: Bitrate = Bitrate::kbps(30);

/// How packets leave.
#[derive(Debug, Clone, Copy)]
pub struct PacerConfig {
    /// Pacing rate as a multiple of the target. Default 2.5, as in libwebrtc: a frame leaves in less than half a frame interval. More sends it sooner
    /// and in a harder burst.
    pub factor: f64,
    /// What may leave at once, as time at the pacing rate. Default 5 ms; more wakes the caller less often.
    pub burst: Duration,
    /// Longest time that video waits, as far as the pacing rate can see to it. Default 300 ms.
    pub queue_limit: Duration,
    /// Age at which a waiting retransmission is useless. Default 250 ms: receivers ask again sooner.
    pub retransmission_lifetime: Duration,
    /// Most bytes that wait; what comes on top is dropped. Default 2 MiB, more than 300 ms of any rate we send at.
    pub max_bytes: usize,
    /// Most packets that wait; what comes on top is dropped. Default 2048.
    pub max_packets: usize,
}

impl Default for PacerConfig {
    fn default() -> Self {
        Self {
            factor: 2.5,
            burst: Duration::from_millis(5),
            queue_limit: Duration::from_millis(300),
            retransmission_lifetime: Duration::from_millis(250),
            max_bytes: 2 << 20,
            max_packets: 2_048,
        }
    }
}

/// What goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Leaves at once.
    Audio,
    /// Fills a hole at the receiver, where newer video may be waiting for it.
    Retransmission,
    /// Paced.
    Video,
    /// Only fills probes.
    Padding,
}

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacerInput<T> {
    /// A packet wants to leave.
    Packet {
        /// What it is.
        priority: Priority,
        /// Its size on the wire.
        bytes: usize,
        /// What the caller gets back when it leaves.
        item: T,
    },
    /// The path carries this much, as far as we know.
    Target(Bitrate),
    /// A probe is wanted. It starts when the ones before it are through.
    Probe(Probe),
    /// Time went on.
    Tick,
}

/// An order or a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacerOutput<T> {
    /// Send this now.
    Send {
        /// What the caller handed in.
        item: T,
        /// As it was handed in.
        priority: Priority,
        /// How long it has waited.
        waited: Duration,
    },
    /// This will not be sent: the queue is full, a retransmission is too late, or padding is no longer wanted.
    Drop {
        /// What the caller handed in.
        item: T,
        /// As it was handed in.
        priority: Priority,
    },
    /// A probe lacks this many bytes at this moment: hand in as many as [`Priority::Padding`], or none if there is nothing to make them of.
    NeedPadding {
        /// Size on the wire, all packets together. More is fine.
        bytes: usize,
    },
    /// A probe is through.
    ProbeSent(ProbeSent),
}

/// Paces one path.
#[derive(Debug)]
pub struct Pacer<T> {
    config: PacerConfig,
    target: Bitrate,
    budget: Budget,
    retransmissions: Queue<T>,
    video: Queue<T>,
    padding: Queue<T>,
    probes: Probes,
    /// The active probe is too slow for the queue's limit.
    hurried: bool,
    /// The rate of the probe that the plan was made for.
    planned: Option<Bitrate>,
    outputs: VecDeque<PacerOutput<T>>,
    now: Option<Instant>,
}

impl<T> Pacer<T> {
    /// A pacer for a path that carries `target`.
    pub fn new(config: PacerConfig, target: Bitrate) -> Self {
        let target = target.max(MIN_RATE);
        Self {
            config,
            target,
            budget: Budget::new(config.burst, target.scale(config.factor)),
            retransmissions: Queue::default(),
            video: Queue::default(),
            padding: Queue::default(),
            probes: Probes::default(),
            hurried: false,
            planned: None,
            outputs: VecDeque::new(),
            now: None,
        }
    }

    /// Takes a fact in; drain [`Self::poll_output`] afterwards.
    pub fn handle(&mut self, input: PacerInput<T>, now: Instant) {
        // Time that goes backwards stands still.
        let now = self.now.map_or(now, |last| last.max(now));
        self.now = Some(now);
        self.budget.forward(now);
        match input {
            PacerInput::Packet { priority, bytes, item } => {
                self.accept(priority, Queued { item, bytes, since: now }, now);
            }
            PacerInput::Target(target) => self.target = target.max(MIN_RATE),
            PacerInput::Probe(probe) => self.probes.push(probe),
            PacerInput::Tick => {}
        }
        self.drop_late_retransmissions(now);
        self.plan(now);
        self.release(now);
    }

    /// The next order or report.
    pub fn poll_output(&mut self) -> Option<PacerOutput<T>> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle`] with [`PacerInput::Tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let now = self.now?;
        let probe = self.probes.due();
        let waits = !self.retransmissions.is_empty() || !self.video.is_empty();
        let open = (waits && (probe.is_none() || self.hurried)).then(|| now + self.budget.until_open());
        probe.into_iter().chain(open).min()
    }

    /// How long what is queued would take at the target: what a frame that is handed in now adds to. Leave frames out, before they are numbered, while it is
    /// long.
    pub fn queue_delay(&self) -> Duration {
        let bytes = self.retransmissions.bytes() + self.video.bytes();
        self.target.time_for(bytes as u64).unwrap_or_default()
    }

    /// How long the oldest video packet has waited.
    pub fn queue_time(&self) -> Duration {
        let waited = |since: Instant| self.now.map(|now| now.saturating_duration_since(since));
        self.video.oldest().and_then(waited).unwrap_or_default()
    }

    /// Bytes that wait.
    pub fn queued_bytes(&self) -> usize {
        self.retransmissions.bytes() + self.video.bytes() + self.padding.bytes()
    }

    /// The rate at which packets leave at this moment, probes aside.
    pub fn pacing_rate(&self) -> Bitrate {
        self.budget.rate()
    }

    fn accept(&mut self, priority: Priority, packet: Queued<T>, now: Instant) {
        let queue = match priority {
            Priority::Audio => return self.send(priority, packet, now),
            Priority::Retransmission => &mut self.retransmissions,
            Priority::Video => &mut self.video,
            Priority::Padding => &mut self.padding,
        };
        let full = queue.len() >= self.config.max_packets
            || queue.bytes().saturating_add(packet.bytes) > self.config.max_bytes;
        if full || (priority == Priority::Padding && !self.probes.active()) {
            self.outputs.push_back(PacerOutput::Drop { item: packet.item, priority });
        } else {
            queue.push(packet);
        }
    }

    fn send(&mut self, priority: Priority, packet: Queued<T>, now: Instant) {
        self.budget.spend(packet.bytes);
        let waited = now.saturating_duration_since(packet.since);
        self.outputs.push_back(PacerOutput::Send { item: packet.item, priority, waited });
        if let Some(sent) = self.probes.sent(packet.bytes, now) {
            self.finish_probe(sent);
        }
    }

    fn finish_probe(&mut self, sent: ProbeSent) {
        self.outputs.push_back(PacerOutput::ProbeSent(sent));
        while let Some(packet) = self.padding.pop() {
            self.outputs.push_back(PacerOutput::Drop { item: packet.item, priority: Priority::Padding });
        }
    }

    /// Everything that may leave now.
    fn release(&mut self, now: Instant) {
        loop {
            if let Some(sent) = self.probes.forward(now) {
                self.finish_probe(sent);
            }
            if self.planned != self.probes.rate() {
                self.plan(now);
            }
            let paced = self.budget.is_open();
            let open =
                if self.probes.active() { self.probes.is_due(now) || (self.hurried && paced) } else { paced };
            if !open {
                return;
            }
            let Some((priority, packet)) = self.next() else { break };
            self.send(priority, packet, now);
        }
        if let Some(bytes) = self.probes.lacking(now) {
            self.outputs.push_back(PacerOutput::NeedPadding { bytes });
        }
    }

    fn next(&mut self) -> Option<(Priority, Queued<T>)> {
        let retransmission = self.retransmissions.pop().map(|packet| (Priority::Retransmission, packet));
        retransmission
            .or_else(|| self.video.pop().map(|packet| (Priority::Video, packet)))
            .or_else(|| self.padding.pop().map(|packet| (Priority::Padding, packet)))
    }

    fn drop_late_retransmissions(&mut self, now: Instant) {
        let lifetime = self.config.retransmission_lifetime;
        while let Some(packet) =
            self.retransmissions.pop_if(|packet| now.saturating_duration_since(packet.since) > lifetime)
        {
            let priority = Priority::Retransmission;
            self.outputs.push_back(PacerOutput::Drop { item: packet.item, priority });
        }
    }

    /// Sets the pacing rate: the usual one, or as much as the queue's limit asks for, which counts more than the exact rate of a probe.
    fn plan(&mut self, now: Instant) {
        let usual = self.target.scale(self.config.factor).max(MIN_RATE);
        let needed = self.needed_rate(self.budget.debt(), usual, now);
        self.budget.set_rate(usual.max(needed));
        self.planned = self.probes.rate();
        self.hurried =
            self.planned.is_some_and(|served| self.needed_rate(self.probes.ahead(now), served, now) > served);
    }

    /// The least rate at which every queued video packet leaves within the limit, after so many bytes; nothing when `enough` is enough.
    fn needed_rate(&self, mut ahead: u64, enough: Bitrate, now: Instant) -> Bitrate {
        let limit = self.config.queue_limit;
        let left = |since: Instant| {
            // Late packets are spread over one burst: never everything in one instant.
            limit.saturating_sub(now.saturating_duration_since(since)).max(self.config.burst)
        };
        let Some(oldest) = self.video.oldest() else { return Bitrate::ZERO };
        ahead += self.retransmissions.bytes() as u64;
        if ahead + self.video.bytes() as u64 <= enough.bytes_in(left(oldest)) {
            return Bitrate::ZERO;
        }
        self.video.iter().fold(Bitrate::ZERO, |rate, packet| {
            ahead += packet.bytes as u64;
            rate.max(Bitrate::of(ahead, left(packet.since)))
        })
    }
}
