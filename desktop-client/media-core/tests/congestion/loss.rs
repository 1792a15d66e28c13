//! Loss that comes at any rate does not lower the rate; loss that the rate makes does.

use std::time::Duration;

use media_core::sim::{LinkConfig, Loss, RateLimit};

use crate::network::Network;

fn lossy(share: f64) -> LinkConfig {
    LinkConfig { delay: Duration::from_millis(50), loss: Loss::Uniform { share }, ..LinkConfig::default() }
}

#[test]
fn uniform_loss_leaves_a_useful_rate() {
    for (name, least) in [("loss-5", 1_500.0), ("loss-10", 1_300.0), ("loss-20", 500.0), ("loss-30", 250.0)] {
        for seed in 1..=5 {
            let mut network = Network::named(name, seed).adaptive(1_700, 0.0);
            network.run_to(60.0);
            let received = network.flows[0].mean(10.0, 60.0, |s| s.received);
            assert!(received > least, "{name}, seed {seed}: {received} kbit/s");
            let early = network.flows[0].mean(3.0, 10.0, |s| s.received);
            assert!(early > 0.6 * least, "{name}, seed {seed}: {early} kbit/s early on");
        }
    }
}

#[test]
fn loss_that_begins_in_a_call_costs_little() {
    for seed in 1..=5 {
        let mut network =
            Network::stepped(&[(0.0, lossy(0.0)), (20.0, lossy(0.15))], seed).adaptive(1_000, 0.0);
        network.run_to(60.0);
        let received = network.flows[0].mean(20.0, 60.0, |s| s.received);
        assert!(received > 0.8 * 850.0, "seed {seed}: {received} kbit/s");
    }
}

#[test]
fn a_policer_without_a_queue_is_found() {
    for seed in 1..=5 {
        let rate = RateLimit { bits_per_second: 800_000, queue: Duration::from_millis(10) };
        let policer = LinkConfig { rate: Some(rate), ..lossy(0.0) };
        let mut network = Network::new(policer, seed).adaptive(2_000, 0.0);
        network.run_to(60.0);
        let flow = &network.flows[0];
        let (estimate, received) =
            (flow.mean(10.0, 60.0, |s| s.estimate), flow.mean(10.0, 60.0, |s| s.received));
        assert!(received > 600.0, "seed {seed}: {received} kbit/s");
        assert!(estimate < 1.2 * 800.0, "seed {seed}: {estimate} kbit/s sent for {received}");
    }
}

#[test]
fn a_policer_that_closes_in_a_call_is_followed() {
    let policer = |kbps: u64| {
        let rate = RateLimit { bits_per_second: kbps * 1_000, queue: Duration::from_millis(10) };
        LinkConfig { rate: Some(rate), ..lossy(0.0) }
    };
    let mut network =
        Network::stepped(&[(0.0, policer(2_500)), (20.0, policer(500))], 1).adaptive(1_700, 0.0);
    network.run_to(60.0);
    let flow = &network.flows[0];
    let followed = flow.first(20.0, |s| s.estimate < 650.0).expect("followed");
    assert!(followed < 24.0, "{followed} s");
    assert!(flow.mean(25.0, 60.0, |s| s.estimate) < 650.0);
    assert!(flow.mean(25.0, 60.0, |s| s.received) > 350.0);
}

#[test]
fn random_loss_does_not_hide_a_bottleneck() {
    for seed in 1..=5 {
        let rate = RateLimit { bits_per_second: 600_000, queue: Duration::from_millis(300) };
        let mut network =
            Network::new(LinkConfig { rate: Some(rate), ..lossy(0.1) }, seed).adaptive(1_700, 0.0);
        network.run_to(60.0);
        let flow = &network.flows[0];
        let (received, queue) = (flow.mean(15.0, 60.0, |s| s.received), flow.mean(15.0, 60.0, |s| s.queue));
        assert!(received > 0.65 * 540.0, "seed {seed}: {received} kbit/s");
        assert!(queue < 100.0, "seed {seed}: {queue} ms");
    }
}
