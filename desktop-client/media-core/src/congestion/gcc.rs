//! The estimator: delay, loss and probes put together.
//!
//! The lower one of two rates holds: that of the delay ([`super::aimd`], by the verdict of [`super::delay`]) and that of the loss ([`super::loss`]). Probes
//! ([`super::probe_control`], [`super::probe_result`]) lift both. The demand bounds how far either may grow, but lowers neither: who sends little for a while
//! finds the estimate as it was.

use std::time::{Duration, Instant};

use super::aimd::{Aimd, Circumstances};
use super::config::GccConfig;
use super::delay::{DelayDetector, Verdict};
use super::in_flight::InFlight;
use super::loss::{LossContext, LossControl};
use super::probe_control::{ProbeContext, ProbeControl};
use super::probe_result::ProbeResults;
use super::rate_meter::RateMeter;
use super::timeline::{Arrived, Place, Timeline, instants_ms};
use super::windowed::WindowedMin;
use super::{BandwidthEstimator, EstimatorStats, PacketResult, Probe, ProbeSent};
use crate::bitrate::Bitrate;

/// Results of one report that are looked at, the newest ones: more than a second of anything we send.
const MAX_RESULTS: usize = 4_096;

/// No packet is larger: what a UDP datagram can hold.
const MAX_BYTES: usize = 65_535;

/// The rate that comes through is measured over this time (libwebrtc's initial window).
const ACKNOWLEDGED: Duration = Duration::from_millis(500);

/// The sent rate is measured over this time for tests of loss, and over a longer one to see whether the application limits: video comes in bursts.
const SENT: Duration = Duration::from_millis(400);
const SENT_LONG: Duration = Duration::from_secs(1);

/// Sending less than this share of the estimate means that the application limits (libwebrtc's ALR starts at 0.65 of it).
const APPLICATION_LIMITED: f64 = 0.7;

/// Where connecting took so many times longer than what is slow, the first estimate is this share of the cautious one: too little for a picture beside sound, which
/// has the path for itself until more is known.
const VERY_SLOW: u32 = 3;
const SOUND_FIRST: f64 = 0.8;

/// Loss that is accepted beyond what was before is worth a probe from this share on.
const NEW_LOSS: f64 = 0.05;

/// A first report that comes later than this after the first packet is from a peer that was not ready.
const LATE: Duration = Duration::from_millis(600);

/// After a fall it is not calm for this long.
const UNREST: Duration = Duration::from_secs(1);

/// The round-trip time before there is any report, and bounds of what is believed (a report that comes after minutes says nothing about the path).
const ROUND_TRIP: Duration = Duration::from_millis(200);
const MAX_ROUND_TRIP: Duration = Duration::from_secs(2);

/// The round-trip time is the least of the latest 10 to 20 s, in milliseconds.
const ROUND_TRIP_WINDOW_MS: f64 = 10_000.0;

/// Estimates one path by delay, loss and probes. Deterministic: time is an argument.
#[derive(Debug)]
pub struct Gcc {
    config: GccConfig,
    created: Instant,
    /// When the first packet left, and the estimate then.
    begun: Option<(Instant, Bitrate)>,
    /// There has been a report. Before the first one the peer may not be ready: it has no keys yet when the last message of its handshake is lost.
    heard: bool,
    demand: Bitrate,
    in_flight: InFlight,
    timeline: Timeline,
    acknowledged: RateMeter,
    sent: RateMeter,
    delay: DelayDetector,
    aimd: Aimd,
    loss: LossControl,
    probe_control: ProbeControl,
    probe_results: ProbeResults,
    round_trips: WindowedMin,
    /// Results of packets that left at this time or before are known.
    newest: Option<Instant>,
    verdict: Verdict,
    lowered: Option<Instant>,
}

impl Gcc {
    /// An estimator of a path of which nothing is known, and whose demand is the highest rate.
    pub fn new(config: GccConfig, now: Instant) -> Self {
        let config = config.sound();
        Self {
            config,
            created: now,
            begun: None,
            heard: false,
            demand: config.max,
            in_flight: InFlight::default(),
            timeline: Timeline::default(),
            acknowledged: RateMeter::default(),
            sent: RateMeter::default(),
            delay: DelayDetector::new(&config),
            aimd: Aimd::new(&config),
            loss: LossControl::new(&config),
            probe_control: ProbeControl::new(config.max, config.probe_interval),
            probe_results: ProbeResults::default(),
            round_trips: WindowedMin::new(ROUND_TRIP_WINDOW_MS),
            newest: None,
            verdict: Verdict::Fine,
            lowered: None,
        }
    }

    /// What the path carries as far as we know, whatever the demand.
    fn known(&self) -> Bitrate {
        let delay_based = self.aimd.rate();
        let rate = self.loss.rate().map_or(delay_based, |loss_based| loss_based.min(delay_based));
        rate.clamp(self.config.min, self.config.max)
    }

    /// What estimates may grow to.
    fn ceiling(&self) -> Bitrate {
        self.demand.scale(self.config.headroom).clamp(self.config.min, self.config.max)
    }

    fn round_trip(&self) -> Duration {
        self.round_trips
            .get()
            .map_or(ROUND_TRIP, |ms| Duration::from_secs_f64(ms.max(0.0) / 1e3))
            .min(MAX_ROUND_TRIP)
    }

    /// The first packet leaves.
    fn begin(&mut self, now: Instant) {
        if self.begun.is_some() {
            return;
        }
        let setup = now.saturating_duration_since(self.created);
        let GccConfig { start, cautious_start, slow_setup, min, .. } = self.config;
        let start = if setup > slow_setup * VERY_SLOW {
            cautious_start.scale(SOUND_FIRST).max(min)
        } else if setup > slow_setup {
            cautious_start
        } else {
            start
        };
        self.begun = Some((now, start));
        self.aimd.start(start);
        self.probe_control.start(start, now);
    }

    /// The first report came. If the peer was not ready for long, it has met nothing of the first probes, and what it missed was not lost on the way.
    fn hear(&mut self, results: &[PacketResult], now: Instant) {
        if std::mem::replace(&mut self.heard, true) {
            return;
        }
        if let Some((begun, start)) = self.begun
            && now.saturating_duration_since(begun) > LATE
        {
            let ready =
                results.iter().filter(|result| result.arrival.is_some()).map(|result| result.departure);
            self.loss.path_was_dead(ready.min().unwrap_or(now));
            self.aimd.start(start);
            self.probe_control.start(start, now);
        }
    }

    fn silence_deadline(&self) -> Option<Instant> {
        self.in_flight.deadline(self.round_trip() * 2 + self.config.silence)
    }

    /// The results that are news, in the order in which the packets left. Arrivals are of packets that left after those before; that a packet is lost is known
    /// only some time after later ones have arrived.
    fn news(&self, results: &[PacketResult], now: Instant) -> Vec<PacketResult> {
        let results = &results[results.len().saturating_sub(MAX_RESULTS)..];
        let is_new = |result: &&PacketResult| {
            // What has not left yet cannot have arrived.
            let left = result.departure <= now;
            left && (result.arrival.is_none() || self.newest.is_none_or(|newest| result.departure > newest))
        };
        results.iter().filter(is_new).copied().collect()
    }

    fn take_in(&mut self, results: &[PacketResult], skipped: bool) {
        let mut after_hole = skipped;
        for result in results {
            self.loss.record(result.departure, result.arrival.is_none());
            let bytes = result.bytes.min(MAX_BYTES);
            self.sent.add(instants_ms(result.departure, self.created), bytes, after_hole);
            after_hole = false;
        }
        let mut after_hole = skipped;
        for packet in self.arrived(results) {
            self.acknowledged.add(packet.arrival_ms, packet.bytes, after_hole);
            after_hole = false;
            self.delay.add(&packet);
            self.probe_results.add(packet);
        }
    }

    /// What arrived, in the order in which it did.
    fn arrived(&mut self, results: &[PacketResult]) -> Vec<Arrived> {
        let mut arrived = Vec::with_capacity(results.len());
        for result in results {
            let Some(arrival) = result.arrival else { continue };
            match self.timeline.place(result.departure, arrival, result.bytes.min(MAX_BYTES)) {
                Place::Follows(packet) => arrived.push(packet),
                Place::Starts(packet) => {
                    arrived.clear();
                    arrived.push(packet);
                    self.acknowledged.clear();
                    self.delay.start_over();
                    self.probe_results.start_over();
                }
            }
        }
        arrived.sort_by(|a, b| a.arrival_ms.total_cmp(&b.arrival_ms));
        arrived
    }

    fn conclude(&mut self, now: Instant) {
        let before = self.known();
        self.verdict = self.delay.verdict();
        let overused = matches!(self.verdict, Verdict::TooHigh(_));
        let round_trip = self.round_trip();
        // While a queue builds up, older arrivals are from before it.
        let window = if overused { self.delay.patience() } else { ACKNOWLEDGED };
        let circumstances = Circumstances {
            acknowledged: self.come_through(window),
            round_trip,
            ceiling: self.ceiling(),
            drained: self.delay.drained(),
        };
        self.aimd.update(self.verdict, &circumstances, now);
        let congested = overused || self.delay.congested();
        let context = LossContext { sent: self.sent.over(SENT), congested, delay_based: self.aimd.rate() };
        let accepted = self.loss.accepted();
        self.loss.update(&context, now);
        if self.loss.asks() || self.loss.accepted() > accepted + NEW_LOSS {
            // What was tried before may have failed for the loss alone.
            self.probe_control.try_again(self.known());
        }
        if overused || self.known() < before.scale(0.95) {
            self.lowered = Some(now);
        }
        if overused && let Some(departure) = self.timeline.departure_ms(now) {
            self.delay.rate_lowered(departure);
        }
    }

    /// The rate that comes through, were it not for the loss that comes at any rate.
    fn come_through(&self, window: Duration) -> Option<Bitrate> {
        let share = (1.0 - self.loss.accepted()).max(0.1);
        self.acknowledged.over(window).map(|rate| rate.scale(1.0 / share))
    }

    fn take_probe_results(&mut self, now: Instant) {
        let loss = self.loss.fraction_lost().unwrap_or_default();
        while let Some(outcome) = self.probe_results.poll(self.round_trip(), loss, now) {
            if let Some(shown) = outcome.shown {
                let shown = shown.min(self.ceiling());
                self.aimd.probed(shown);
                self.loss.probed(shown, outcome.unhindered);
            }
            self.probe_control.decided(&outcome, self.known());
        }
    }

    fn think_of_probes(&mut self, now: Instant) {
        let estimate = self.known();
        let restless = self.lowered.is_some_and(|at| now.saturating_duration_since(at) < UNREST);
        let context = ProbeContext {
            estimate,
            acknowledged: self.acknowledged.over(ACKNOWLEDGED),
            calm: self.verdict == Verdict::Fine
                && self.delay.drained()
                && !restless
                && !self.loss.is_holding(),
            application_limited: self
                .sent
                .over(SENT_LONG)
                .is_none_or(|sent| sent < estimate.scale(APPLICATION_LIMITED)),
            jitter_ms: self.delay.jitter_ms(),
            waiting: self.probe_results.is_waiting(),
        };
        self.probe_control.tick(&context, now);
    }
}

impl BandwidthEstimator for Gcc {
    fn set_demand(&mut self, demand: Bitrate, now: Instant) {
        self.demand = demand;
        self.probe_control.set_demand(demand, self.known());
        self.think_of_probes(now);
    }

    fn on_sent(&mut self, _bytes: usize, departure: Instant) {
        self.in_flight.sent(departure);
        self.begin(departure);
    }

    fn on_feedback(&mut self, results: &[PacketResult], now: Instant) {
        let results = &*self.news(results, now);
        let (Some(first), Some(last)) =
            (results.first(), results.iter().map(|result| result.departure).max())
        else {
            return;
        };
        let last = self.newest.map_or(last, |newest| newest.max(last));
        self.newest = Some(last);
        self.begin(now);
        self.hear(results, now);
        let skipped = self.in_flight.reported(first.departure, last);
        if let Some(arrived) = results.iter().rev().find(|result| result.arrival.is_some()) {
            let round_trip = instants_ms(now, arrived.departure);
            self.round_trips.add(instants_ms(now, self.created), round_trip);
        }
        self.take_in(results, skipped);
        self.conclude(now);
        self.probe_results.reported(last);
        self.take_probe_results(now);
        self.think_of_probes(now);
    }

    fn on_probe_sent(&mut self, sent: ProbeSent, now: Instant) {
        self.probe_results.sent(sent);
        self.take_probe_results(now);
    }

    fn estimate(&self) -> Bitrate {
        self.known().min(self.ceiling())
    }

    fn poll_probe(&mut self) -> Option<Probe> {
        let (probe, asked) = self.probe_control.poll()?;
        self.probe_results.asked(probe, asked);
        Some(probe)
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.silence_deadline().is_some_and(|deadline| now >= deadline) {
            self.in_flight.waited();
            self.aimd.halve();
            self.loss.path_was_dead(now);
            self.lowered = Some(now);
        }
        self.take_probe_results(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [self.silence_deadline(), self.probe_results.deadline(self.round_trip())];
        deadlines.into_iter().flatten().min()
    }

    fn stats(&self) -> EstimatorStats {
        let milliseconds = |ms: f64| Duration::from_secs_f64(ms.clamp(0.0, 1e7) / 1e3);
        EstimatorStats {
            delay_based: Some(self.aimd.rate()),
            loss_based: self.loss.rate(),
            acknowledged: self.acknowledged.over(ACKNOWLEDGED),
            fraction_lost: self.loss.fraction_lost(),
            round_trip_time: self.round_trips.get().map(milliseconds),
            queue_delay: self.delay.queue_ms().map(milliseconds),
        }
    }
}
