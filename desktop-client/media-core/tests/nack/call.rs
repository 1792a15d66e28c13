//! A camera, a link that loses packets both ways, and a sender that answers requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use media_core::nack::{NackConfig, NackGenerator, NackInput, NackOutput, NackStats};
use media_core::sim::{self, Link, LinkConfig, Rng};

/// Bytes of a media packet and of a request on the wire.
const PACKET: usize = 1_200;
const REQUEST: usize = 40;

/// How long the sender's pacer holds a retransmission.
const PACER: Duration = Duration::from_millis(3);

/// What came of a call.
#[derive(Debug)]
pub struct Outcome {
    /// Packets sent for the first time.
    pub sent: usize,
    /// Of these, lost on the way.
    pub lost: usize,
    /// Packets that never came.
    pub missing: usize,
    /// Retransmissions sent.
    pub retransmitted: usize,
    /// Of the packets that were lost and came after all: how long after they would have, sorted.
    pub repair_times: Vec<Duration>,
    pub stats: NackStats,
}

impl Outcome {
    pub fn requests_per_loss(&self) -> f64 {
        self.stats.requested as f64 / self.lost as f64
    }

    pub fn median_repair(&self) -> Duration {
        self.repair_times[self.repair_times.len() / 2]
    }
}

#[derive(Debug, Clone)]
enum Wire {
    Media { sequence_number: u16, retransmitted: bool },
    Request(Vec<u16>),
}

/// Sends 30 frames a second of 2–8 packets over `media`, with requests over `feedback`.
pub struct Call {
    pub media: LinkConfig,
    pub feedback: LinkConfig,
    /// What the receiver is told of the round-trip time; `None` leaves its guess.
    pub rtt: Option<Duration>,
    pub seed: u64,
}

impl Call {
    pub fn run(self, duration: Duration) -> Outcome {
        let mut run = Run {
            media: Link::new(self.media, self.seed),
            feedback: Link::new(self.feedback, self.seed ^ 0xF00D),
            generator: NackGenerator::new(NackConfig::default()),
            rng: Rng::new(self.seed ^ 0xBEEF),
            now: sim::epoch(),
            next_frame: sim::epoch(),
            next_sequence: 0,
            lost: BTreeMap::new(),
            came: BTreeSet::new(),
            pacer: Vec::new(),
            retransmitted: 0,
            repair_times: Vec::new(),
        };
        if let Some(rtt) = self.rtt {
            run.generator.handle(NackInput::RoundTripTime(rtt), run.now);
        }
        run.run(sim::epoch() + duration);
        run.outcome()
    }
}

struct Run {
    media: Link<Wire>,
    feedback: Link<Wire>,
    generator: NackGenerator,
    rng: Rng,
    now: Instant,
    next_frame: Instant,
    next_sequence: u64,
    /// Lost packets and when they were sent.
    lost: BTreeMap<u16, Instant>,
    came: BTreeSet<u16>,
    pacer: Vec<(Instant, u16)>,
    retransmitted: usize,
    repair_times: Vec<Duration>,
}

impl Run {
    fn run(&mut self, end: Instant) {
        loop {
            let next = [
                Some(self.next_frame).filter(|at| *at < end),
                self.media.next_arrival(),
                self.feedback.next_arrival(),
                self.generator.poll_timeout(),
                self.pacer.iter().map(|(at, _)| *at).min(),
            ];
            let Some(next) = next.into_iter().flatten().min() else { return };
            self.now = self.now.max(next);
            self.step(end);
        }
    }

    fn step(&mut self, end: Instant) {
        if self.now >= self.next_frame && self.now < end {
            self.next_frame += Duration::from_micros(33_333);
            for _ in 0..2 + self.rng.below(7) {
                let sequence_number = self.next_sequence as u16;
                self.next_sequence += 1;
                self.send(sequence_number, false);
            }
        }
        let now = self.now;
        let due: Vec<u16> = self.pacer.extract_if(.., |(at, _)| *at <= now).map(|(_, n)| n).collect();
        for sequence_number in due {
            self.retransmitted += 1;
            self.send(sequence_number, true);
        }
        while let Some((_, Wire::Request(numbers))) = self.feedback.receive(now) {
            self.pacer.extend(numbers.into_iter().map(|number| (now + PACER, number)));
        }
        while let Some((_, Wire::Media { sequence_number, retransmitted })) = self.media.receive(now) {
            self.came.insert(sequence_number);
            if let Some(sent) = self.lost.get(&sequence_number).filter(|_| retransmitted) {
                self.repair_times.push(now - *sent);
            }
            self.put(NackInput::Packet { sequence_number, retransmitted });
        }
        self.put(NackInput::Tick);
    }

    fn put(&mut self, input: NackInput) {
        self.generator.handle(input, self.now);
        while let Some(NackOutput::Request(numbers)) = self.generator.poll_output() {
            self.feedback.send(Wire::Request(numbers), REQUEST, self.now);
        }
    }

    fn send(&mut self, sequence_number: u16, retransmitted: bool) {
        let lost = |link: &Link<Wire>| link.stats().lost + link.stats().overflowed;
        let before = lost(&self.media);
        self.media.send(Wire::Media { sequence_number, retransmitted }, PACKET, self.now);
        if lost(&self.media) > before && !retransmitted {
            self.lost.insert(sequence_number, self.now);
        }
    }

    fn outcome(mut self) -> Outcome {
        self.repair_times.sort_unstable();
        Outcome {
            sent: self.next_sequence as usize,
            lost: self.lost.len(),
            missing: self.next_sequence as usize - self.came.len(),
            retransmitted: self.retransmitted,
            repair_times: self.repair_times,
            stats: *self.generator.stats(),
        }
    }
}
