//! Transport-wide sequence numbers, and what the peer reports of them (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! Every RTP packet that leaves takes one number, whatever stream it belongs to. The peer reports in intervals which numbers arrived, and when on its own
//! clock. Here the two sides are joined to [`PacketResult`]s for the estimator.
//!
//! A packet that a report calls missing may only have been overtaken: it counts as lost when a later report, [`LOSS_GRACE`] after the first, still does
//! not know it. Packets that no report covers (the report itself was lost) are forgotten: nothing is known of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::congestion::PacketResult;
use crate::rtp::SequenceUnwrapper;

/// Unit of the reference time in reports (§3.1 of the draft).
const REFERENCE_TICK: Duration = Duration::from_millis(64);

/// The reference time has 24 bits.
const REFERENCE_SPAN: i64 = 1 << 24;

/// How long a packet may be overtaken before it counts as lost. Reports come every 50 to 100 ms: about one interval.
const LOSS_GRACE: Duration = Duration::from_millis(60);

/// Packets that wait for a report: at most a quarter of the numbers, so that each number means one packet.
const MAX_PACKETS: usize = 1 << 14;

/// How long a packet waits for a report.
const LIFETIME: Duration = Duration::from_secs(5);

/// A report, as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportReport<I> {
    /// The number that the first status belongs to; the others follow without gaps.
    pub base: u16,
    /// Time of the peer that the arrivals count from, in 64 ms, 24 bits.
    pub reference_time: u32,
    /// For each number, `None` when it did not arrive, or its arrival in microseconds after the one before it (the first: after the reference time).
    pub statuses: I,
}

/// Numbers what leaves and joins it with reports.
#[derive(Debug, Default)]
pub struct TransportHistory {
    next: i64,
    packets: BTreeMap<i64, Departed>,
    references: ReferenceClock,
    unwrapper: SequenceUnwrapper,
}

#[derive(Debug)]
struct Departed {
    at: Instant,
    bytes: usize,
    missing_since: Option<Instant>,
}

impl TransportHistory {
    /// A packet leaves; answers with its number.
    pub fn departed(&mut self, bytes: usize, now: Instant) -> u16 {
        let sequence = self.next;
        self.next += 1;
        self.packets.insert(sequence, Departed { at: now, bytes, missing_since: None });
        while let Some(oldest) = self.packets.first_entry() {
            let expired = now.saturating_duration_since(oldest.get().at) > LIFETIME;
            if !expired && self.packets.len() <= MAX_PACKETS {
                break;
            }
            self.packets.pop_first();
        }
        // The lower 16 bits are what the wire has.
        let number = sequence as u16;
        self.unwrapper.unwrap(number);
        number
    }

    /// A report came; answers with the packets whose fate is known now, in the order in which they left.
    pub fn reported(
        &mut self,
        report: TransportReport<impl IntoIterator<Item = Option<i64>>>,
        now: Instant,
    ) -> Vec<PacketResult> {
        let mut results: BTreeMap<i64, PacketResult> = BTreeMap::new();
        let mut arrival = self.references.unwrap(report.reference_time);
        let first = self.unwrapper.peek(report.base);
        for (sequence, status) in (first..self.next).zip(report.statuses) {
            match status {
                Some(delta) => {
                    arrival = moved(arrival, delta);
                    if let Some(packet) = self.packets.remove(&sequence) {
                        results.insert(sequence, packet.result(Some(arrival)));
                    }
                }
                None => {
                    if let Some(packet) = self.packets.get_mut(&sequence) {
                        packet.missing_since.get_or_insert(now);
                    }
                }
            }
        }
        let lost: Vec<i64> = self.packets.iter().filter(|(_, p)| p.is_lost(now)).map(|(s, _)| *s).collect();
        for sequence in lost {
            if let Some(packet) = self.packets.remove(&sequence) {
                results.insert(sequence, packet.result(None));
            }
        }
        results.into_values().collect()
    }
}

impl Departed {
    fn result(self, arrival: Option<Duration>) -> PacketResult {
        PacketResult { departure: self.at, arrival, bytes: self.bytes }
    }

    fn is_lost(&self, now: Instant) -> bool {
        self.missing_since.is_some_and(|since| now.saturating_duration_since(since) >= LOSS_GRACE)
    }
}

fn moved(time: Duration, microseconds: i64) -> Duration {
    let by = Duration::from_micros(microseconds.unsigned_abs());
    if microseconds < 0 { time.saturating_sub(by) } else { time.saturating_add(by) }
}

/// Unwraps the peer's reference time. Its zero is a whole span before the first one, so that it never goes below zero.
#[derive(Debug, Default)]
struct ReferenceClock {
    newest: Option<i64>,
}

impl ReferenceClock {
    fn unwrap(&mut self, reference_time: u32) -> Duration {
        let wrapped = i64::from(reference_time) % REFERENCE_SPAN;
        let ticks = self.newest.map_or(REFERENCE_SPAN + wrapped, |newest| {
            let ahead = (wrapped - newest).rem_euclid(REFERENCE_SPAN);
            // The nearer of the two ways around.
            newest + if ahead < REFERENCE_SPAN / 2 { ahead } else { ahead - REFERENCE_SPAN }
        });
        self.newest = Some(self.newest.map_or(ticks, |newest| newest.max(ticks)));
        Duration::from_millis(u64::try_from(ticks).unwrap_or(0) * REFERENCE_TICK.as_millis() as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sim;

    const START: Duration = Duration::from_millis(64 << 24);

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    fn report(
        history: &mut TransportHistory,
        base: u16,
        statuses: &[Option<i64>],
        ms: u64,
    ) -> Vec<PacketResult> {
        let statuses = statuses.iter().copied();
        history.reported(TransportReport { base, reference_time: 10, statuses }, at(ms))
    }

    fn sent(history: &mut TransportHistory, count: u64) {
        for ms in 0..count {
            history.departed(1_000, at(ms));
        }
    }

    #[test]
    fn arrivals_count_from_the_reference_time_and_from_each_other() {
        let mut history = TransportHistory::default();
        sent(&mut history, 3);
        let results = report(&mut history, 0, &[Some(500), Some(1_000), Some(-250)], 50);
        let arrivals: Vec<_> = results.iter().map(|result| result.arrival.unwrap() - START).collect();
        let reference = Duration::from_millis(640);
        assert_eq!(arrivals, [500, 1_500, 1_250].map(|us| reference + Duration::from_micros(us)));
        assert_eq!(results[1].departure, at(1));
        assert_eq!(report(&mut history, 0, &[Some(500)], 60), [], "each packet once");
    }

    #[test]
    fn a_missing_packet_is_lost_only_when_a_later_report_does_not_know_it_either() {
        let mut history = TransportHistory::default();
        sent(&mut history, 4);
        assert_eq!(report(&mut history, 0, &[Some(0), None, None], 50).len(), 1);
        let overtaken = report(&mut history, 1, &[Some(0)], 100);
        assert_eq!((overtaken.len(), overtaken[0].departure), (1, at(1)));
        let lost = report(&mut history, 3, &[Some(0)], 150);
        assert_eq!(lost.iter().map(|r| r.arrival.is_some()).collect::<Vec<_>>(), [false, true]);
        assert_eq!(lost[0].departure, at(2));
    }

    #[test]
    fn reports_on_packets_that_never_left_say_nothing() {
        let mut history = TransportHistory::default();
        sent(&mut history, 2);
        assert_eq!(report(&mut history, 2, &[Some(0); 100], 50), []);
        assert_eq!(report(&mut history, 40_000, &[Some(0); 100], 50), []);
        assert_eq!(report(&mut history, 0, &[Some(i64::MIN), Some(i64::MAX)], 50).len(), 2);
    }

    #[test]
    fn memory_is_bounded_without_reports() {
        let mut history = TransportHistory::default();
        for _ in 0..100_000 {
            history.departed(1_000, at(0));
        }
        assert_eq!(history.packets.len(), MAX_PACKETS);
        history.departed(1_000, at(6_000));
        assert_eq!(history.packets.len(), 1);
    }

    #[test]
    fn the_reference_time_wraps() {
        let mut clock = ReferenceClock::default();
        let before = clock.unwrap((1 << 24) - 1);
        assert_eq!(clock.unwrap(0) - before, REFERENCE_TICK);
        assert_eq!(clock.unwrap((1 << 24) - 1), before);
    }

    #[test]
    fn numbers_wrap_with_the_wire() {
        let mut history = TransportHistory::default();
        let mut last = 0;
        for _ in 0..65_540 {
            last = history.departed(1, at(0));
        }
        assert_eq!(last, 3);
        let results = report(&mut history, 65_535, &[Some(0); 5], 50);
        assert_eq!(results.len(), 5);
    }

    proptest! {
        /// Whatever a peer reports: each packet has one fate, and the results of a report are in the order in which their packets left.
        #[test]
        fn each_packet_has_one_fate(
            reports in prop::collection::vec(
                (any::<u16>(), any::<u32>(), prop::collection::vec(prop::option::of(-9_000..9_000_i64), 0..400), 0..200_u64),
                1..60,
            ),
        ) {
            let mut history = TransportHistory::default();
            let (mut now, mut left, mut known) = (0, 0_u64, 0_usize);
            for (base, reference_time, statuses, wait) in reports {
                for _ in 0..50 {
                    now += 1;
                    left += 1;
                    history.departed(1_000, at(now));
                }
                now += wait;
                let base = (left as u16).wrapping_sub(base % 600);
                let results = history.reported(TransportReport { base, reference_time, statuses }, at(now));
                prop_assert!(results.windows(2).all(|pair| pair[0].departure < pair[1].departure));
                known += results.len();
            }
            prop_assert!(known + history.packets.len() <= left as usize);
        }
    }
}
