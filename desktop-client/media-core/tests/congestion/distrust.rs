//! Feedback that lies: the estimate stays in its bounds, and nothing panics.

use std::time::{Duration, Instant};

use media_core::bitrate::Bitrate;
use media_core::congestion::{BandwidthEstimator, Gcc, GccConfig, PacketResult, ProbeSent};
use media_core::sim;
use proptest::prelude::*;

fn at(ms: u64) -> Instant {
    sim::epoch() + Duration::from_millis(ms)
}

fn in_bounds(gcc: &Gcc) -> bool {
    let config = GccConfig::default();
    (config.min..=config.max).contains(&gcc.estimate())
}

/// Sends 1 Mbit/s for a minute with a report each 100 ms, whose arrivals somebody makes up from the departure in milliseconds and the packet's number.
fn run(arrival: impl Fn(u64, u64) -> Option<Duration>) -> Gcc {
    let mut gcc = Gcc::new(GccConfig::default(), at(0));
    for report in 0..600 {
        let results: Vec<PacketResult> = (0..10)
            .map(|i| {
                let departure = report * 100 + i * 10;
                PacketResult {
                    departure: at(departure),
                    arrival: arrival(departure, report * 10 + i),
                    bytes: 1_250,
                }
            })
            .collect();
        results.iter().for_each(|result| gcc.on_sent(result.bytes, result.departure));
        let now = at(report * 100 + 140);
        gcc.on_feedback(&results, now);
        while let Some(probe) = gcc.poll_probe() {
            gcc.on_probe_sent(ProbeSent { id: probe.id, first: now, last: now }, now);
        }
        gcc.handle_timeout(now);
        assert!(in_bounds(&gcc), "{}", gcc.estimate());
    }
    gcc
}

#[test]
fn arrivals_that_make_no_sense_are_survived() {
    run(|departure, _| Some(Duration::from_secs(1_000_000).saturating_sub(Duration::from_millis(departure))));
    run(|_, _| Some(Duration::ZERO));
    run(|_, _| Some(Duration::MAX));
    run(|_, i| Some(if i % 2 == 0 { Duration::MAX } else { Duration::ZERO }));
    run(|departure, i| Some(Duration::from_millis(departure / 3 + i % 7 * 1_000)));
    run(|departure, _| Some(Duration::from_millis(departure * 1_000)));
}

#[test]
fn when_everything_is_lost_the_estimate_falls_to_the_floor() {
    let gcc = run(|_, _| None);
    assert!(gcc.estimate() <= Bitrate::kbps(160), "{}", gcc.estimate());
    assert_eq!(gcc.stats().acknowledged, None);
    assert!(gcc.stats().fraction_lost.is_some_and(|lost| lost > 0.99));
}

#[test]
fn a_clock_that_is_set_costs_nothing() {
    let gcc = run(|departure, _| {
        let set = if departure > 30_000 { 500_000 } else { 1_000_000 };
        Some(Duration::from_millis(set + departure))
    });
    assert!(gcc.estimate() >= Bitrate::kbps(1_000), "{}", gcc.estimate());
}

#[test]
fn the_same_report_over_and_over_changes_nothing() {
    let mut gcc = run(|departure, _| Some(Duration::from_millis(departure)));
    let before = gcc.estimate();
    let again = [PacketResult { departure: at(59_990), arrival: Some(Duration::ZERO), bytes: 1 << 30 }];
    for i in 0..10_000 {
        gcc.on_feedback(&again, at(60_040 + i));
        gcc.on_feedback(&[], at(60_040 + i));
    }
    assert_eq!(gcc.estimate(), before);
}

#[test]
fn silence_halves_the_estimate_down_to_the_floor_only_while_something_is_sent() {
    let mut gcc = run(|departure, _| Some(Duration::from_millis(departure)));
    let before = gcc.estimate();
    for ms in 60_100..70_000 {
        gcc.handle_timeout(at(ms));
    }
    assert_eq!(gcc.estimate(), before);
    let mut estimates = vec![before];
    for ms in 70_000..80_000 {
        gcc.on_sent(1_000, at(ms));
        if gcc.poll_timeout().is_some_and(|due| due <= at(ms)) {
            gcc.handle_timeout(at(ms));
        }
        if estimates.last() != Some(&gcc.estimate()) {
            estimates.push(gcc.estimate());
        }
    }
    assert!(estimates.len() > 5, "{estimates:?}");
    assert_eq!(estimates.last(), Some(&Bitrate::kbps(30)), "{estimates:?}");
}

#[test]
fn reports_of_packets_that_never_left_are_ignored() {
    let mut gcc = Gcc::new(GccConfig::default(), at(0));
    let future = [PacketResult { departure: at(1_000_000), arrival: Some(Duration::ZERO), bytes: 1_000 }];
    gcc.on_feedback(&future, at(100));
    assert_eq!(gcc.stats().round_trip_time, None);
}

#[derive(Debug, Clone)]
enum Event {
    Report(Vec<(u64, Option<u64>, usize)>),
    Sent(u64),
    Demand(u64),
    ProbeSent(u32, u64, u64),
    Timeout,
}

fn event() -> impl Strategy<Value = Event> {
    let arrival = prop_oneof![
        3 => (0_u64..200).prop_map(Some),
        1 => any::<u64>().prop_map(Some),
        1 => Just(None),
    ];
    let result = (0_u64..3_000, arrival, prop_oneof![0_usize..2_000, any::<usize>()]);
    prop_oneof![
        6 => proptest::collection::vec(result, 0..40).prop_map(Event::Report),
        4 => (0_u64..500).prop_map(Event::Sent),
        1 => any::<u64>().prop_map(Event::Demand),
        2 => (0_u32..10, 0_u64..2_000, 0_u64..2_000).prop_map(|(id, first, last)| Event::ProbeSent(id, first, last)),
        2 => Just(Event::Timeout),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_a_peer_reports_breaks_the_bounds(events in proptest::collection::vec((0_u64..400, event()), 0..64)) {
        let mut gcc = Gcc::new(GccConfig::default(), at(0));
        let mut now = 0;
        for (later, event) in events {
            now += later;
            match event {
                Event::Report(results) => {
                    let results: Vec<PacketResult> = results
                        .into_iter()
                        .map(|(ago, arrival, bytes)| PacketResult {
                            departure: at(now.saturating_sub(ago)),
                            arrival: arrival.map(|ms| Duration::from_millis(now.saturating_add(ms))),
                            bytes,
                        })
                        .collect();
                    gcc.on_feedback(&results, at(now));
                }
                Event::Sent(ago) => gcc.on_sent(1_000, at(now.saturating_sub(ago))),
                Event::Demand(bps) => gcc.set_demand(Bitrate::bps(bps), at(now)),
                Event::ProbeSent(id, first, last) => {
                    let sent = ProbeSent { id, first: at(now.saturating_sub(first)), last: at(now.saturating_sub(last)) };
                    gcc.on_probe_sent(sent, at(now));
                }
                Event::Timeout => gcc.handle_timeout(at(now)),
            }
            while let Some(probe) = gcc.poll_probe() {
                prop_assert!(probe.rate <= GccConfig::default().max);
            }
            prop_assert!(in_bounds(&gcc), "{}", gcc.estimate());
            prop_assert!(gcc.stats().fraction_lost.is_none_or(|lost| (0.0..=1.0).contains(&lost)));
        }
    }
}
