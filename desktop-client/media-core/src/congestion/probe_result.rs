//! What probes show: how fast their packets left and how fast they arrived.
//!
//! As libwebrtc's ProbeBitrateEstimator does; its constants.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::timeline::Arrived;
use super::{Probe, ProbeSent};
use crate::bitrate::Bitrate;

/// Share of the packets and of the bytes that must have arrived, of those that the path does not lose anyway.
const MIN_RECEIVED: f64 = 0.8;

/// A path that loses more is not taken to lose it anyway.
const MAX_LOSS: f64 = 0.4;

/// Faster arrivals by more were held up and came all together.
const MAX_SPEEDUP: f64 = 2.0;

/// Slower arrivals show the bottleneck…
const BOTTLENECK: f64 = 0.9;

/// …of which this much is used.
const USE_OF_BOTTLENECK: f64 = 0.95;

/// Longer probes are not bursts, in milliseconds.
const MAX_SPAN_MS: f64 = 1_000.0;

/// Packets that are remembered: a probe is often reported before the pacer says when it left.
const MAX_PACKETS: usize = 1_024;

/// Probes that are waited for.
const MAX_PROBES: usize = 4;

/// A probe that has not left after this time was given up.
const PATIENCE: Duration = Duration::from_secs(2);

/// One that left and was not reported on after this time and two round trips has failed.
const REPORT_PATIENCE: Duration = Duration::from_secs(1);

/// How a probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProbeOutcome {
    /// What was asked for.
    pub(super) asked: Bitrate,
    /// What the path carries by it; `None` when it shows nothing.
    pub(super) shown: Option<Bitrate>,
    /// It arrived as fast as it left: the path may carry more.
    pub(super) unhindered: bool,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    probe: Probe,
    asked_at: Instant,
    sent: Option<ProbeSent>,
}

#[derive(Debug, Default)]
pub(super) struct ProbeResults {
    packets: VecDeque<Arrived>,
    pending: Vec<Pending>,
    /// All packets up to this departure are reported.
    reported: Option<Instant>,
}

impl ProbeResults {
    /// A probe was asked for.
    pub(super) fn asked(&mut self, probe: Probe, now: Instant) {
        if self.pending.len() == MAX_PROBES {
            self.pending.remove(0);
        }
        self.pending.push(Pending { probe, asked_at: now, sent: None });
    }

    /// A probe left.
    pub(super) fn sent(&mut self, sent: ProbeSent) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.probe.id == sent.id) {
            pending.sent = Some(sent);
        }
    }

    /// A packet arrived.
    pub(super) fn add(&mut self, packet: Arrived) {
        if self.packets.len() == MAX_PACKETS {
            self.packets.pop_front();
        }
        self.packets.push_back(packet);
    }

    /// All packets up to a departure are reported.
    pub(super) fn reported(&mut self, last: Instant) {
        self.reported = Some(self.reported.map_or(last, |reported| reported.max(last)));
    }

    /// A clock was set.
    pub(super) fn start_over(&mut self) {
        self.packets.clear();
    }

    /// Is a probe under way?
    pub(super) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// When a probe is given up.
    pub(super) fn deadline(&self, round_trip: Duration) -> Option<Instant> {
        self.pending.iter().map(|pending| pending.deadline(round_trip)).min()
    }

    /// The next probe that is decided; `loss` is the share of packets that the path has been losing, 0–1.
    pub(super) fn poll(&mut self, round_trip: Duration, loss: f64, now: Instant) -> Option<ProbeOutcome> {
        let reported = self.reported;
        let is_reported = |pending: &Pending| {
            pending.sent.is_some_and(|sent| reported.is_some_and(|last| last >= sent.last))
        };
        let decided = self
            .pending
            .iter()
            .position(|pending| is_reported(pending) || now >= pending.deadline(round_trip))?;
        let Pending { probe, sent, .. } = self.pending.remove(decided);
        let shown = sent.and_then(|sent| self.evaluate(&probe, &sent, loss));
        Some(shown.unwrap_or(ProbeOutcome { asked: probe.rate, shown: None, unhindered: false }))
    }

    fn evaluate(&self, probe: &Probe, sent: &ProbeSent, loss: f64) -> Option<ProbeOutcome> {
        let kept = 1.0 - loss.clamp(0.0, MAX_LOSS);
        let of_probe = || {
            let span = sent.first..=sent.last;
            self.packets.iter().filter(move |packet| span.contains(&packet.departure))
        };
        let (packets, bytes) = of_probe().fold((0, 0), |(n, bytes), packet| (n + 1, bytes + packet.bytes));
        let enough = |got: usize, wanted: usize| got as f64 >= MIN_RECEIVED * kept * wanted as f64;
        if packets < 2 || !enough(packets, probe.packets) || !enough(bytes, probe.bytes) {
            return None;
        }
        let last_left = of_probe().max_by(|a, b| a.departure_ms.total_cmp(&b.departure_ms))?;
        let first_left = of_probe().min_by(|a, b| a.departure_ms.total_cmp(&b.departure_ms))?;
        let last_came = of_probe().max_by(|a, b| a.arrival_ms.total_cmp(&b.arrival_ms))?;
        let first_came = of_probe().min_by(|a, b| a.arrival_ms.total_cmp(&b.arrival_ms))?;
        // The last packet left at the end of the span, the first one arrived at its start: neither counts.
        let send = rate(bytes - last_left.bytes, last_left.departure_ms - first_left.departure_ms)?;
        let receive = rate(bytes - first_came.bytes, last_came.arrival_ms - first_came.arrival_ms)?;
        if receive > MAX_SPEEDUP * send {
            return None;
        }
        // Lost packets slow both rates down alike, so what is compared is these, not the rate that was asked for.
        let unhindered = receive >= BOTTLENECK * send;
        // What is lost at any rate has left at that rate all the same.
        let came = (bytes as f64 / probe.bytes.max(1) as f64).clamp(kept, 1.0);
        let shown = if unhindered { send.min(receive) / came } else { USE_OF_BOTTLENECK * receive };
        Some(ProbeOutcome { asked: probe.rate, shown: Some(Bitrate::bps(shown as u64)), unhindered })
    }
}

impl Pending {
    fn deadline(&self, round_trip: Duration) -> Instant {
        match self.sent {
            Some(sent) => sent.last + REPORT_PATIENCE + round_trip * 2,
            None => self.asked_at + PATIENCE,
        }
    }
}

/// Bits per second; `None` for a span that is no burst.
fn rate(bytes: usize, span_ms: f64) -> Option<f64> {
    (span_ms > 0.0 && span_ms <= MAX_SPAN_MS).then(|| bytes as f64 * 8_000.0 / span_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    const RTT: Duration = Duration::from_millis(50);

    fn at(ms: f64) -> Instant {
        sim::epoch() + Duration::from_secs_f64(ms / 1e3)
    }

    /// A probe at 2 Mbit/s in six packets of 1000 bytes, of which some arrive so many milliseconds apart.
    fn shown(arrive: impl Fn(usize) -> bool, apart_ms: f64) -> Option<u64> {
        shown_by(arrive, apart_ms, 0.0)
    }

    /// The same on a path that has been losing a share of the packets.
    fn shown_by(arrive: impl Fn(usize) -> bool, apart_ms: f64, loss: f64) -> Option<u64> {
        let mut results = ProbeResults::default();
        results.asked(Probe { id: 3, rate: Bitrate::kbps(2_000), bytes: 5_000, packets: 5 }, at(0.0));
        results.sent(ProbeSent { id: 3, first: at(0.0), last: at(20.0) });
        for i in (0..6).filter(|i| arrive(*i)) {
            let departure_ms = 4.0 * i as f64;
            let arrival_ms = 30.0 + apart_ms * i as f64;
            results.add(Arrived { departure: at(departure_ms), departure_ms, arrival_ms, bytes: 1_000 });
        }
        assert_eq!(results.poll(RTT, loss, at(80.0)), None);
        results.reported(at(20.0));
        let outcome = results.poll(RTT, loss, at(100.0)).expect("decided");
        assert!(!results.is_waiting());
        assert_eq!(outcome.unhindered, outcome.shown.is_some() && apart_ms <= 4.0);
        outcome.shown.map(Bitrate::as_kbps)
    }

    #[test]
    fn a_probe_that_arrives_as_it_left_shows_its_rate() {
        assert_eq!(shown(|_| true, 4.0), Some(2_000));
    }

    #[test]
    fn a_probe_that_is_stretched_shows_the_bottleneck() {
        assert_eq!(shown(|_| true, 8.0), Some(950));
    }

    #[test]
    fn a_probe_that_is_squeezed_shows_nothing() {
        assert_eq!(shown(|_| true, 1.0), None);
    }

    #[test]
    fn a_probe_of_which_too_little_arrives_shows_nothing() {
        assert_eq!(shown(|i| i != 2, 4.0), Some(1_600));
        assert_eq!(shown(|i| i < 3, 4.0), None);
    }

    #[test]
    fn what_a_path_loses_anyway_need_not_arrive() {
        assert_eq!(shown_by(|i| i != 1 && i != 3, 4.0, 0.3), Some(1_500));
        assert_eq!(shown_by(|i| [0, 2, 5].contains(&i), 4.0, 0.3), Some(1_142));
        assert_eq!(shown_by(|i| [0, 2, 5].contains(&i), 4.0, 0.1), None);
        assert_eq!(shown_by(|i| i < 2, 4.0, 0.9), None, "nobody believes in so much loss");
        assert_eq!(shown_by(|i| i != 3, 8.0, 0.3), Some(760), "the bottleneck is what it is");
    }

    #[test]
    fn a_probe_that_never_leaves_ends_without_result() {
        let mut results = ProbeResults::default();
        results.asked(Probe { id: 1, rate: Bitrate::kbps(900), bytes: 1_000, packets: 5 }, at(0.0));
        assert_eq!(results.deadline(RTT), Some(at(2_000.0)));
        assert_eq!(results.poll(RTT, 0.0, at(1_999.0)), None);
        assert_eq!(results.poll(RTT, 0.0, at(2_000.0)).map(|outcome| outcome.shown), Some(None));
    }
}
