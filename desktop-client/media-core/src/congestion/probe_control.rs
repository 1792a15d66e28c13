//! When to try a higher rate: at the start, after a dip, when more is wanted, and now and then while less is sent than the path carries.
//!
//! Growth takes seconds for each step of the picture, and none takes place while little is sent; a probe of some packets takes a round trip. The shape is
//! libwebrtc's ProbeController; constants are its defaults unless said otherwise.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Probe;
use super::probe_result::ProbeOutcome;
use super::timeline::millis;
use crate::bitrate::Bitrate;

/// Rates of the first probes, as multiples of the start rate.
const FIRST: [f64; 2] = [3.0, 6.0];

/// Further probes, as multiples of what the last one showed if nothing held it up.
const FURTHER: f64 = 2.0;

/// Probes go this far above the demand: our choice, what a layer switch needs to be sure of.
const ABOVE_DEMAND: f64 = 1.2;

/// A probe that shows nothing, because too little of it arrived, is repeated so often: our choice, for paths that lose much.
const RETRIES: u32 = 2;

/// Later it is tried so often: it says nothing about the path, and where little is sent nothing else lifts the estimate. Our choice.
const LOST_INTERVAL: Duration = Duration::from_secs(2);

/// A probe must promise this much more than is known.
const WORTHWHILE: f64 = 1.1;

/// Fewest packets and bytes of a probe, and its least length.
const PACKETS: usize = 5;
const MIN_BYTES: u64 = 600;
const LENGTH: Duration = Duration::from_millis(15);

/// Where the delay varies, a probe is as long as it varies, up to this: our choice.
const MAX_LENGTH: Duration = Duration::from_millis(60);

/// A probe that fails leaves a queue of its bytes: at most this long at the estimate. Our choice.
const MAX_QUEUE: Duration = Duration::from_millis(150);

/// A fall to less than this share is a dip; the probe after it asks for that share of the rate before.
const DIP: f64 = 0.66;
const RECOVERY: f64 = 0.85;

/// After a dip, probes are this far apart, for this long; then further apart; then it is no dip any more. Our choice: a link that recovers is found within 4 s.
const RECOVERY_INTERVALS: [(Duration, Duration); 2] =
    [(Duration::from_secs(30), Duration::from_secs(4)), (Duration::from_secs(90), Duration::from_secs(10))];

/// The rate before a dip is the highest one lately, fading with this time.
const PEAK_FADING: Duration = Duration::from_secs(20);

/// While the path limits, probes are at least this far apart, and twice as far after each that shows nothing new, up to [`MAX_INTERVAL`]. Our choice.
const LIMITED_INTERVAL: Duration = Duration::from_secs(10);
const MAX_INTERVAL: Duration = Duration::from_secs(40);

/// What is known when a probe might be due.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProbeContext {
    /// What the path carries as far as we know, whatever the demand.
    pub(super) estimate: Bitrate,
    /// What comes through.
    pub(super) acknowledged: Option<Bitrate>,
    /// Nothing speaks against more: no queue, no recent fall, no loss under test.
    pub(super) calm: bool,
    /// Less is sent than the estimate allows.
    pub(super) application_limited: bool,
    /// How much the delay varies by itself, in milliseconds.
    pub(super) jitter_ms: f64,
    /// A probe is under way.
    pub(super) waiting: bool,
}

#[derive(Debug, Clone, Copy)]
struct Dip {
    before: Bitrate,
    since: Instant,
    next: Instant,
}

#[derive(Debug)]
pub(super) struct ProbeControl {
    /// Probes and when they were thought of.
    ready: VecDeque<(Probe, Instant)>,
    next_id: u32,
    started: bool,
    demand: Bitrate,
    max: Bitrate,
    /// A probe at this rate is wanted as soon as it is calm.
    wanted: Option<Bitrate>,
    peak: Bitrate,
    dip: Option<Dip>,
    interval: Duration,
    failures: u32,
    /// Probes in a row that showed nothing.
    lost: u32,
    last: Option<Instant>,
    ticked: Option<Instant>,
}

impl ProbeControl {
    pub(super) fn new(max: Bitrate, interval: Duration) -> Self {
        Self {
            ready: VecDeque::new(),
            next_id: 0,
            started: false,
            demand: max,
            max,
            wanted: None,
            peak: Bitrate::ZERO,
            dip: None,
            interval,
            failures: 0,
            lost: 0,
            last: None,
            ticked: None,
        }
    }

    /// The first packet leaves.
    pub(super) fn start(&mut self, start: Bitrate, now: Instant) {
        self.started = true;
        for factor in FIRST {
            let rate = start.scale(factor);
            if rate >= self.most() {
                self.ask_beyond(start, self.most(), now);
                return;
            }
            self.ask_beyond(start, rate, now);
        }
    }

    /// What would be sent if the path allowed it.
    pub(super) fn set_demand(&mut self, demand: Bitrate, estimate: Bitrate) {
        let before = std::mem::replace(&mut self.demand, demand);
        if self.started && demand > before.scale(WORTHWHILE) && demand > estimate.scale(WORTHWHILE) {
            self.wanted = Some(demand);
            self.failures = 0;
        }
    }

    /// A probe is decided; `estimate` takes it into account.
    pub(super) fn decided(&mut self, outcome: &ProbeOutcome, estimate: Bitrate) {
        let Some(shown) = outcome.shown else {
            self.lost = self.lost.saturating_add(1);
            if self.lost <= RETRIES {
                self.wanted = self.wanted.max(Some(outcome.asked));
            }
            return;
        };
        self.lost = 0;
        if !outcome.unhindered {
            self.failures += 1;
            return;
        }
        self.failures = 0;
        let further = shown.scale(FURTHER);
        if further > estimate {
            self.wanted = Some(further);
        }
    }

    /// Something is known now that may have made probes fail.
    pub(super) fn try_again(&mut self, estimate: Bitrate) {
        (self.failures, self.lost) = (0, 0);
        self.wanted = self.wanted.max(Some(estimate.scale(FIRST[0])));
    }

    /// Time went on.
    pub(super) fn tick(&mut self, context: &ProbeContext, now: Instant) {
        self.follow(context, now);
        if !self.started || !context.calm || context.waiting || !self.ready.is_empty() {
            return;
        }
        let Some(rate) = self.due(context, now) else { return };
        let length = length(context.jitter_ms);
        let bearable = context.estimate.scale(millis(MAX_QUEUE) / millis(length));
        let rate = rate.min(self.most()).min(bearable);
        if rate > context.estimate.scale(WORTHWHILE) {
            self.ask(rate, length, now);
        }
    }

    /// The next probe, and when it was thought of.
    pub(super) fn poll(&mut self) -> Option<(Probe, Instant)> {
        self.ready.pop_front()
    }

    /// The rate that is wanted by now, which is not wanted again for a while.
    fn due(&mut self, context: &ProbeContext, now: Instant) -> Option<Bitrate> {
        if let Some(rate) = self.wanted.take() {
            return Some(rate);
        }
        if let Some(dip) = self.dip.as_mut()
            && now >= dip.next
        {
            let age = now.saturating_duration_since(dip.since);
            let interval = RECOVERY_INTERVALS.iter().find(|(until, _)| age < *until).map(|(_, every)| *every);
            let rate = dip.before.scale(RECOVERY);
            match interval {
                Some(every) => dip.next = now + every,
                None => self.dip = None,
            }
            return Some(rate);
        }
        let elapsed = self.last.map(|last| now.saturating_duration_since(last));
        if self.lost > RETRIES && elapsed.is_some_and(|elapsed| elapsed >= LOST_INTERVAL) {
            return Some(context.estimate.scale(FIRST[0]));
        }
        let interval = if context.application_limited { self.interval } else { LIMITED_INTERVAL };
        let interval = (interval * 2_u32.pow(self.failures.min(2))).min(MAX_INTERVAL.max(interval));
        elapsed.is_some_and(|elapsed| elapsed >= interval).then(|| context.estimate.scale(FURTHER))
    }

    /// Notices dips, and their ends.
    fn follow(&mut self, context: &ProbeContext, now: Instant) {
        let elapsed = self.ticked.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.ticked = Some(now);
        // Only what has come through counts: a start rate that was too high is no dip.
        let proven =
            context.acknowledged.map_or(Bitrate::ZERO, |rate| rate.scale(WORTHWHILE).min(context.estimate));
        let faded = self.peak.scale((-elapsed.as_secs_f64() / PEAK_FADING.as_secs_f64()).exp());
        self.peak = faded.max(proven);
        if context.estimate < self.peak.scale(DIP) {
            let before = self.dip.map_or(self.peak, |dip| dip.before.max(self.peak));
            let next = self.dip.map_or(now, |dip| dip.next.max(now));
            self.dip = Some(Dip { before, since: now, next });
            self.peak = context.estimate;
        }
        self.dip = self.dip.take_if(|dip| context.estimate < dip.before.scale(RECOVERY));
    }

    /// The highest rate that is worth a probe.
    fn most(&self) -> Bitrate {
        self.demand.scale(ABOVE_DEMAND).min(self.max)
    }

    fn ask_beyond(&mut self, known: Bitrate, rate: Bitrate, now: Instant) {
        if rate > known.scale(WORTHWHILE) {
            self.ask(rate, LENGTH, now);
        }
    }

    fn ask(&mut self, rate: Bitrate, length: Duration, now: Instant) {
        let bytes = usize::try_from(rate.bytes_in(length).max(MIN_BYTES)).unwrap_or(usize::MAX);
        self.ready.push_back((Probe { id: self.next_id, rate, bytes, packets: PACKETS }, now));
        self.next_id = self.next_id.wrapping_add(1);
        self.last = Some(now);
    }
}

fn length(jitter_ms: f64) -> Duration {
    Duration::from_secs_f64(jitter_ms.clamp(millis(LENGTH), millis(MAX_LENGTH)) / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    fn control() -> ProbeControl {
        ProbeControl::new(Bitrate::kbps(5_000), Duration::from_secs(5))
    }

    fn context(kbps: u64) -> ProbeContext {
        ProbeContext {
            estimate: Bitrate::kbps(kbps),
            acknowledged: Some(Bitrate::kbps(kbps)),
            calm: true,
            application_limited: false,
            jitter_ms: 0.0,
            waiting: false,
        }
    }

    fn polled(control: &mut ProbeControl) -> Vec<u64> {
        std::iter::from_fn(|| control.poll()).map(|(probe, _)| probe.rate.as_kbps()).collect()
    }

    fn outcome(shown: Option<u64>, unhindered: bool) -> ProbeOutcome {
        ProbeOutcome { asked: Bitrate::kbps(1_000), shown: shown.map(Bitrate::kbps), unhindered }
    }

    #[test]
    fn it_starts_with_three_and_six_times_the_start_rate_within_the_demand() {
        for (demand, probes) in
            [(5_000, vec![900, 1_800]), (1_000, vec![900, 1_200]), (600, vec![720]), (40, vec![])]
        {
            let mut control = control();
            control.set_demand(Bitrate::kbps(demand), Bitrate::kbps(300));
            control.start(Bitrate::kbps(300), at(0));
            assert_eq!(polled(&mut control), probes, "{demand}");
        }
    }

    #[test]
    fn a_probe_that_shows_what_was_asked_is_followed_by_twice_that() {
        let mut control = control();
        control.start(Bitrate::kbps(300), at(0));
        polled(&mut control);
        control.decided(&outcome(Some(1_750), true), Bitrate::kbps(1_750));
        control.tick(&context(1_750), at(100));
        assert_eq!(polled(&mut control), [3_500]);
        control.decided(&outcome(Some(2_200), false), Bitrate::kbps(2_200));
        control.tick(&context(2_200), at(200));
        assert_eq!(polled(&mut control), []);
    }

    #[test]
    fn a_probe_that_shows_nothing_is_repeated_twice() {
        let mut control = control();
        control.start(Bitrate::kbps(300), at(0));
        polled(&mut control);
        let mut repeated = Vec::new();
        for i in 0..5 {
            control.decided(&outcome(None, false), Bitrate::kbps(300));
            control.tick(&context(300), at(100 + 100 * i));
            repeated.extend(polled(&mut control));
        }
        assert_eq!(repeated, [1_000, 1_000]);
    }

    #[test]
    fn after_a_dip_the_old_rate_is_tried_until_it_is_back() {
        let mut control = control();
        control.start(Bitrate::kbps(300), at(0));
        polled(&mut control);
        control.tick(&context(2_000), at(1_000));
        control.tick(&ProbeContext { calm: false, ..context(400) }, at(1_100));
        assert_eq!(polled(&mut control), []);
        control.tick(&context(400), at(2_000));
        let first = polled(&mut control);
        assert!(first.len() == 1 && (1_650..=1_700).contains(&first[0]), "{first:?}");
        control.tick(&context(400), at(3_000));
        assert_eq!(polled(&mut control), []);
        control.tick(&context(400), at(6_100));
        assert_eq!(polled(&mut control).len(), 1);
        control.tick(&context(1_900), at(6_200));
        control.tick(&context(1_900), at(11_000));
        assert_eq!(polled(&mut control), []);
    }

    #[test]
    fn more_demand_is_tried_at_once_within_what_a_queue_can_bear() {
        let mut control = control();
        control.set_demand(Bitrate::kbps(100), Bitrate::kbps(300));
        control.start(Bitrate::kbps(300), at(0));
        control.tick(&context(100), at(100));
        assert_eq!(polled(&mut control), []);
        control.set_demand(Bitrate::kbps(1_700), Bitrate::kbps(100));
        control.tick(&context(100), at(200));
        assert_eq!(polled(&mut control), [1_000]);
    }

    #[test]
    fn an_idle_path_is_tried_now_and_then_and_less_often_when_that_shows_nothing() {
        let mut control = control();
        control.start(Bitrate::kbps(300), at(0));
        polled(&mut control);
        let idle = ProbeContext { application_limited: true, ..context(500) };
        let mut times = Vec::new();
        for ms in (100..60_000).step_by(100) {
            control.tick(&idle, at(ms));
            if !polled(&mut control).is_empty() {
                times.push(ms / 1_000);
                control.decided(&outcome(Some(500), false), Bitrate::kbps(500));
            }
        }
        assert_eq!(times, [5, 15, 35, 55]);
    }
}
