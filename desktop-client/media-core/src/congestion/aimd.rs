//! The rate by the delay: it grows while nothing waits, and falls below what comes through when a queue builds up.
//!
//! draft-ietf-rmcat-gcc-02, section 5.5. Beyond it: the fall is deeper the longer the queue is, so that the queue is gone within a second, and once it is gone the
//! rate returns to where the draft would have set it.

use std::time::{Duration, Instant};

use super::config::GccConfig;
use super::delay::Verdict;
use super::link_capacity::LinkCapacity;
use crate::bitrate::Bitrate;

/// The rate may be at most this many times what comes through (draft-ietf-rmcat-gcc-02, section 5.5)…
const MAX_OVER_ACKNOWLEDGED: f64 = 1.5;

/// …and this much (libwebrtc's default), or it could never leave the floor.
const GRACE: Bitrate = Bitrate::kbps(10);

/// Near the capacity, the rate may be this many times what comes through: our choice, so that a queue on a thin link, where a trend takes seconds to show, grows no
/// faster than by 150 ms per second.
const NEAR_CAPACITY: f64 = 1.15;

/// A queue that waits at this moment should be gone after this time.
const DRAIN: Duration = Duration::from_secs(1);

/// Draining leaves at least this share of what comes through.
const MIN_DRAIN: f64 = 0.5;

/// The return from draining waits no longer: the queue may be somebody else's.
const MAX_DRAIN: Duration = Duration::from_secs(2);

/// On top of the round trip, the time until a change of the rate shows in the verdict (libwebrtc's default).
const REACTION: Duration = Duration::from_millis(100);

/// At the capacity, from this share of it on, growth per second is at most this share of the rate, and at most this much: our choice. Each round of growth and fall
/// is a queue, the longer the faster the growth; and flows that share a link become equal only if the larger ones do not grow by more.
const AT_CAPACITY: f64 = 0.95;
const GROWTH_AT_CAPACITY: f64 = 0.04;
const MAX_GROWTH_AT_CAPACITY: f64 = 24_000.0;

/// Growth is at least this much per second (libwebrtc's default for multiplication).
const MIN_GROWTH: f64 = 1_000.0;

/// Longer times between reports count as this.
const MAX_STEP: Duration = Duration::from_secs(1);

/// Bytes of a packet, and pictures in a second, of video: growth by addition is a packet per reaction.
const PACKET_BYTES: f64 = 1_200.0;
const FRAMES_PER_SECOND: f64 = 30.0;

/// What is known besides the verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// What comes through, random loss added back.
    pub(super) acknowledged: Option<Bitrate>,
    pub(super) round_trip: Duration,
    /// Growth ends here.
    pub(super) ceiling: Bitrate,
    /// Nothing waits on the way.
    pub(super) drained: bool,
}

#[derive(Debug)]
pub(super) struct Aimd {
    rate: Bitrate,
    min: Bitrate,
    backoff: f64,
    growth: f64,
    capacity: LinkCapacity,
    updated: Option<Instant>,
    /// Where the rate returns to after draining.
    resume: Option<(Bitrate, Instant)>,
}

impl Aimd {
    pub(super) fn new(config: &GccConfig) -> Self {
        Self {
            rate: config.start,
            min: config.min,
            backoff: config.backoff,
            growth: config.growth,
            capacity: LinkCapacity::default(),
            updated: None,
            resume: None,
        }
    }

    /// The rate.
    pub(super) fn rate(&self) -> Bitrate {
        self.rate
    }

    /// The first packet leaves, at this rate.
    pub(super) fn start(&mut self, rate: Bitrate) {
        self.rate = rate;
    }

    /// A report came, with a verdict.
    pub(super) fn update(&mut self, verdict: Verdict, circumstances: &Circumstances, now: Instant) {
        let elapsed =
            self.updated.map_or(Duration::ZERO, |at| now.saturating_duration_since(at)).min(MAX_STEP);
        self.updated = Some(now);
        match verdict {
            Verdict::TooHigh(queue_ms) => self.decrease(queue_ms, circumstances, now),
            Verdict::Wait => self.finish_draining(circumstances, now),
            Verdict::Fine => {
                self.finish_draining(circumstances, now);
                self.increase(elapsed, circumstances);
            }
        }
    }

    /// A probe came through at a rate.
    pub(super) fn probed(&mut self, rate: Bitrate) {
        if rate > self.rate {
            self.rate = rate;
            self.resume = None;
            self.capacity.passed(rate);
        }
    }

    /// Nothing was reported for long.
    pub(super) fn halve(&mut self) {
        self.rate = self.rate.scale(0.5).max(self.min);
        self.resume = None;
        self.capacity.forget();
    }

    fn decrease(&mut self, queue_ms: f64, circumstances: &Circumstances, now: Instant) {
        // While a queue empties more comes through than is sent; that much is still what the link carries.
        let through = circumstances.acknowledged.unwrap_or(self.rate);
        self.capacity.overused_at(through);
        let drain = 1.0 - queue_ms / (DRAIN.as_secs_f64() * 1e3);
        let target = through.scale(drain.clamp(MIN_DRAIN.min(self.backoff), self.backoff)).max(self.min);
        self.rate = self.rate.min(target);
        self.resume = Some((through.scale(self.backoff), now));
    }

    fn finish_draining(&mut self, circumstances: &Circumstances, now: Instant) {
        let due =
            |since: &Instant| circumstances.drained || now.saturating_duration_since(*since) > MAX_DRAIN;
        if let Some((rate, _)) = self.resume.take_if(|(_, since)| due(since)) {
            self.rate = self.rate.max(rate);
        }
    }

    fn increase(&mut self, elapsed: Duration, circumstances: &Circumstances) {
        // Nothing is known of what comes through: nothing to grow on.
        let Some(through) = circumstances.acknowledged else { return };
        self.capacity.passed(through);
        let (per_second, limit) = match self.capacity.get() {
            Some(capacity) => {
                (self.addition(capacity, circumstances.round_trip), through.scale(NEAR_CAPACITY))
            }
            None => (self.multiplication(), through.scale(MAX_OVER_ACKNOWLEDGED).saturating_add(GRACE)),
        };
        let limit = limit.min(circumstances.ceiling);
        let grown = self.rate.saturating_add(Bitrate::bps((per_second * elapsed.as_secs_f64()) as u64));
        self.rate = self.rate.max(grown.min(limit));
    }

    fn multiplication(&self) -> f64 {
        (self.growth * self.rate.as_bps() as f64).max(MIN_GROWTH)
    }

    /// A packet of usual size per reaction, and no faster than by multiplication.
    fn addition(&self, capacity: Bitrate, round_trip: Duration) -> f64 {
        let frame = self.rate.as_bps() as f64 / 8.0 / FRAMES_PER_SECOND;
        let packet = frame / (frame / PACKET_BYTES).ceil().max(1.0);
        let per_second = 8.0 * packet / (round_trip + REACTION).as_secs_f64();
        let most = if self.rate < capacity.scale(AT_CAPACITY) {
            self.multiplication()
        } else {
            (GROWTH_AT_CAPACITY * self.rate.as_bps() as f64).min(MAX_GROWTH_AT_CAPACITY)
        };
        per_second.min(most).max(MIN_GROWTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn circumstances(kbps: u64) -> Circumstances {
        Circumstances {
            acknowledged: Some(Bitrate::kbps(kbps)),
            round_trip: Duration::from_millis(50),
            ceiling: Bitrate::kbps(5_000),
            drained: true,
        }
    }

    fn run(aimd: &mut Aimd, verdict: Verdict, circumstances: &Circumstances, seconds: u64) -> u64 {
        let start = aimd.updated.unwrap_or_else(sim::epoch);
        for i in 1..=10 * seconds {
            aimd.update(verdict, circumstances, start + Duration::from_millis(100 * i));
        }
        aimd.rate().as_kbps()
    }

    #[test]
    fn far_from_congestion_it_grows_by_the_growth_up_to_what_was_acknowledged() {
        let mut aimd = Aimd::new(&GccConfig::default());
        let rate = run(&mut aimd, Verdict::Fine, &circumstances(300), 1);
        assert!((320..=326).contains(&rate), "{rate}");
        assert_eq!(run(&mut aimd, Verdict::Fine, &circumstances(300), 60), 460);
    }

    #[test]
    fn a_queue_lowers_it_below_what_comes_through_and_it_returns_when_drained() {
        let mut aimd = Aimd::new(&GccConfig { start: Bitrate::kbps(2_000), ..GccConfig::default() });
        let waiting = Circumstances { drained: false, ..circumstances(1_000) };
        aimd.update(Verdict::TooHigh(300.0), &waiting, sim::epoch());
        assert_eq!(aimd.rate(), Bitrate::kbps(700));
        aimd.update(Verdict::Wait, &waiting, sim::epoch() + Duration::from_millis(500));
        assert_eq!(aimd.rate(), Bitrate::kbps(700));
        aimd.update(Verdict::Wait, &circumstances(700), sim::epoch() + Duration::from_millis(900));
        assert_eq!(aimd.rate(), Bitrate::kbps(850));
    }

    #[test]
    fn near_the_capacity_it_grows_slowly() {
        let mut aimd = Aimd::new(&GccConfig { start: Bitrate::kbps(1_000), ..GccConfig::default() });
        aimd.update(Verdict::TooHigh(20.0), &circumstances(1_000), sim::epoch());
        let (before, after) = (aimd.rate(), run(&mut aimd, Verdict::Fine, &circumstances(950), 1));
        assert!((30..60).contains(&(after - before.as_kbps())), "{before} to {after}");
    }

    #[test]
    fn without_knowledge_of_what_comes_through_it_does_not_grow() {
        let mut aimd = Aimd::new(&GccConfig::default());
        let unknown = Circumstances { acknowledged: None, ..circumstances(0) };
        assert_eq!(run(&mut aimd, Verdict::Fine, &unknown, 10), 300);
    }
}
