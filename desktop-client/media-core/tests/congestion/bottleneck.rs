//! Links that carry so much and no more: how fast their rate is found, followed and left alone.

use std::time::Duration;

use media_core::bitrate::Bitrate;
use media_core::congestion::{BandwidthEstimator as _, Gcc, GccConfig};
use media_core::sim::{self, LinkConfig, RateLimit};

use crate::network::Network;

pub fn thin(kbps: u64, queue_ms: u64) -> LinkConfig {
    let rate = RateLimit { bits_per_second: kbps * 1_000, queue: Duration::from_millis(queue_ms) };
    LinkConfig { delay: Duration::from_millis(20), rate: Some(rate), ..LinkConfig::default() }
}

#[test]
fn on_a_wide_link_the_demand_is_reached_in_seconds() {
    let mut network = Network::new(thin(10_000, 300), 1).adaptive(2_000, 0.0);
    network.run_to(10.0);
    let flow = &network.flows[0];
    let reached = flow.first(0.0, |s| s.received >= 1_900.0).expect("reached");
    assert!(reached < 3.0, "{reached} s");
    assert!(flow.mean(3.0, 10.0, |s| s.received) > 1_950.0);
}

#[test]
fn thin_links_are_filled_without_a_standing_queue() {
    for (kbps, most_queue) in [(2_500, 30.0), (1_000, 30.0), (300, 60.0), (100, 120.0), (50, 200.0)] {
        let mut network = Network::new(thin(kbps, 300), 1).adaptive(3_000, 0.0);
        network.run_to(90.0);
        let flow = &network.flows[0];
        let share = flow.mean(30.0, 90.0, |s| s.received) / kbps as f64;
        assert!(share > 0.85, "{kbps} kbit/s: {share} of the link");
        let queue = flow.mean(30.0, 90.0, |s| s.queue);
        assert!(queue < most_queue, "{kbps} kbit/s: {queue} ms");
        assert!(flow.mean(30.0, 90.0, |s| s.estimate) < 1.15 * kbps as f64);
    }
}

#[test]
fn a_start_above_the_link_is_over_in_seconds() {
    for kbps in [50, 100] {
        let mut network = Network::new(thin(kbps, 300), 1).adaptive(1_700, 0.0);
        network.run_to(10.0);
        let calm = network.flows[0].first(1.0, |s| s.estimate < 1.1 * kbps as f64).expect("calm");
        assert!(calm < 5.0, "{kbps} kbit/s: {calm} s");
    }
}

#[test]
fn a_large_buffer_stays_empty() {
    let mut network = Network::new(thin(1_000, 2_000), 1).adaptive(3_000, 0.0);
    network.run_to(120.0);
    let flow = &network.flows[0];
    let queue = flow.most(10.0, 120.0, |s| s.queue);
    assert!(queue < 200.0, "{queue} ms");
    assert!(flow.mean(10.0, 120.0, |s| s.received) > 850.0);
}

#[test]
fn a_dip_is_answered_at_once_and_left_as_fast() {
    let mut network = Network::named("dip", 1).adaptive(2_200, 0.0);
    network.run_to(60.0);
    let flow = &network.flows[0];
    let before = flow.mean(5.0, 10.0, |s| s.received);
    assert!(before > 1_900.0, "{before}");
    let full = flow.first(10.1, |s| s.queue > 200.0).expect("the queue fills");
    let short = flow.first(full, |s| s.queue < 200.0).expect("the queue empties");
    assert!(short < 11.5, "{short} s");
    assert!(flow.most(13.0, 25.0, |s| s.queue) < 300.0);
    assert!(flow.mean(13.0, 25.0, |s| s.received) > 300.0);
    let back = flow.first(25.0, |s| s.received >= 0.8 * before).expect("the rate comes back");
    assert!(back < 32.0, "{back} s");
}

#[test]
fn a_link_that_becomes_faster_is_noticed() {
    let mut network =
        Network::stepped(&[(0.0, thin(500, 300)), (60.0, thin(2_000, 300))], 1).adaptive(1_700, 0.0);
    network.run_to(120.0);
    let flow = &network.flows[0];
    assert!(flow.mean(30.0, 60.0, |s| s.received) > 425.0);
    let reached = flow.first(60.0, |s| s.received > 1_500.0).expect("noticed");
    assert!(reached < 80.0, "{reached} s");
}

#[test]
fn small_steps_down_are_followed_without_long_queues() {
    let steps: Vec<(f64, LinkConfig)> =
        (0_u32..6).map(|i| (f64::from(i) * 20.0, thin(2_000 - 300 * u64::from(i), 1_000))).collect();
    let mut network = Network::stepped(&steps, 1).adaptive(3_000, 0.0);
    network.run_to(120.0);
    let flow = &network.flows[0];
    for i in 0_u32..6 {
        let (from, to) = (f64::from(i) * 20.0 + 4.0, f64::from(i) * 20.0 + 20.0);
        let queue = flow.mean(from, to, |s| s.queue);
        assert!(queue < 60.0, "step {i}: {queue} ms");
        let share = flow.mean(from, to, |s| s.received) / f64::from(2_000 - 300 * i);
        assert!(share > 0.75, "step {i}: {share} of the link");
    }
}

#[test]
fn a_path_that_goes_dead_brings_the_estimate_to_the_floor_and_a_live_one_back() {
    let dead = LinkConfig { loss: sim::Loss::Uniform { share: 1.0 }, ..thin(3_000, 300) };
    let steps = [(0.0, thin(3_000, 300)), (10.0, dead), (20.0, thin(3_000, 300))];
    let mut network = Network::stepped(&steps, 1).adaptive(1_700, 0.0);
    network.run_to(40.0);
    let flow = &network.flows[0];
    let halved = flow.first(10.0, |s| s.estimate < 1_300.0).expect("halved");
    assert!(halved < 11.5, "{halved} s");
    assert!(flow.mean(19.0, 20.0, |s| s.estimate) < 40.0);
    let back = flow.first(20.0, |s| s.received > 0.8 * 1_700.0).expect("back");
    assert!(back < 28.0, "{back} s");
}

#[test]
fn a_path_on_which_connecting_took_long_is_begun_with_caution() {
    for (setup_ms, kbps) in [(100, 300), (590, 300), (700, 100), (1_700, 100), (5_000, 80)] {
        let mut estimator = Gcc::new(GccConfig::default(), sim::epoch());
        estimator.on_sent(200, sim::epoch() + Duration::from_millis(setup_ms));
        estimator.on_sent(200, sim::epoch() + Duration::from_millis(setup_ms + 700));
        assert_eq!(estimator.estimate(), Bitrate::kbps(kbps), "{setup_ms} ms");
    }
}
