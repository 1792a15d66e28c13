//! Delay that varies is no queue, and clocks that differ are no delay.

use std::time::Duration;

use media_core::sim::{Jitter, LinkConfig, RateLimit, Reordering};

use crate::network::Network;

#[test]
fn wireless_jitter_does_not_lower_the_rate() {
    for seed in 1..=8 {
        let mut network = Network::named("wifi", seed).adaptive(1_700, 0.0);
        network.run_to(60.0);
        let received = network.flows[0].mean(10.0, 60.0, |s| s.received);
        assert!(received > 1_500.0, "seed {seed}: {received} kbit/s");
    }
}

#[test]
fn a_bottleneck_behind_jitter_is_respected() {
    for seed in 1..=5 {
        let config = LinkConfig {
            delay: Duration::from_millis(5),
            jitter: Jitter { spread: Duration::from_millis(55), correlation: Duration::from_millis(100) },
            rate: Some(RateLimit { bits_per_second: 1_000_000, queue: Duration::from_secs(1) }),
            ..LinkConfig::default()
        };
        let mut network = Network::new(config, seed).adaptive(3_000, 0.0);
        network.run_to(60.0);
        let flow = &network.flows[0];
        let (received, queue) = (flow.mean(10.0, 60.0, |s| s.received), flow.mean(10.0, 60.0, |s| s.queue));
        assert!(received > 750.0, "seed {seed}: {received} kbit/s");
        assert!(queue < 150.0, "seed {seed}: {queue} ms");
    }
}

#[test]
fn far_away_over_poor_lines_about_half_of_the_link_is_used() {
    let mut total = 0.0;
    for seed in 1..=8 {
        let mut network = Network::named("international", seed).adaptive(1_700, 0.0);
        network.run_to(60.0);
        let received = network.flows[0].mean(10.0, 60.0, |s| s.received);
        assert!(received > 90.0, "seed {seed}: {received} kbit/s");
        total += received;
    }
    assert!(total / 8.0 > 150.0, "{} kbit/s", total / 8.0);
}

#[test]
fn reordering_and_duplicates_do_no_harm() {
    let config = LinkConfig {
        delay: Duration::from_millis(20),
        reordering: Reordering::Held { share: 0.1, by: Duration::from_millis(8) },
        duplicates: 0.1,
        ..LinkConfig::default()
    };
    let mut network = Network::new(config, 1).adaptive(1_700, 0.0);
    network.run_to(30.0);
    assert!(network.flows[0].mean(5.0, 30.0, |s| s.received) > 1_600.0);
}

#[test]
fn clocks_that_drift_are_no_queue() {
    for drift in [200e-6, -200e-6] {
        let mut network = Network::named("dsl", 1).adaptive(1_700, 0.0);
        network.flows[0].drift = drift;
        network.run_to(120.0);
        let flow = &network.flows[0];
        assert!(flow.mean(20.0, 120.0, |s| s.received) > 850.0, "{drift}");
        assert!(flow.mean(20.0, 120.0, |s| s.queue) < 60.0, "{drift}");
    }
}
