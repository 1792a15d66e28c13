//! The estimator behind the history of what left: reports as they are on the wire, in which a loss becomes known later than the arrivals around it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::time::Duration;

use media_core::congestion::{BandwidthEstimator as _, Gcc, GccConfig};
use media_core::sim;
use media_core::transport_feedback::{TransportHistory, TransportReport};

/// Packets in a report, 10 ms apart.
const PACKETS: u64 = 10;

/// Reports: 6 s.
const REPORTS: u64 = 60;

/// The fraction lost that the estimator sees when each packet for whose place in its report `lost` holds does not arrive.
fn fraction_lost(lost: impl Fn(u64) -> bool) -> f64 {
    let start = sim::epoch();
    let mut history = TransportHistory::default();
    let mut estimator = Gcc::new(GccConfig::default(), start);
    for first in (0..REPORTS).map(|report| report * PACKETS) {
        for number in first..first + PACKETS {
            let now = start + Duration::from_millis(10 * number);
            estimator.on_sent(1_000, now);
            history.departed(1_000, now);
        }
        // Each arrives 30 ms after it left; times count in microseconds from the reference time, which counts in 64 ms.
        let reference_time = first * 10 / 64;
        let mut before = i64::try_from(reference_time * 64_000).unwrap();
        let mut statuses = Vec::new();
        for number in first..first + PACKETS {
            let arrival = i64::try_from(number * 10_000 + 30_000).unwrap();
            let arrives = !lost(number - first);
            statuses.push(arrives.then(|| arrival - before));
            if arrives {
                before = arrival;
            }
        }
        let report = TransportReport {
            base: u16::try_from(first).unwrap(),
            reference_time: u32::try_from(reference_time).unwrap(),
            statuses,
        };
        let now = start + Duration::from_millis(10 * (first + PACKETS) + 30);
        let results = history.reported(report, now);
        estimator.on_feedback(&results, now);
    }
    estimator.stats().fraction_lost.unwrap_or_default()
}

#[test]
fn losses_count_wherever_in_a_report_they_are() {
    assert!(fraction_lost(|_| false) < 0.001);
    for (name, lost) in [
        ("at the start", (|place| place < 3) as fn(u64) -> bool),
        ("in the middle", |place| (4..7).contains(&place)),
        ("at the end", |place| place >= 7),
        ("here and there", |place| place % 3 == 1),
    ] {
        let share = fraction_lost(lost);
        assert!((0.25..0.35).contains(&share), "{name}: {share}");
    }
}
