//! Flows that share a bottleneck.

use crate::bottleneck::thin;
use crate::network::Network;

#[test]
fn two_of_a_kind_share_fairly() {
    for (kbps, starts) in [(2_000, 0.5), (2_000, 20.0), (1_000, 20.0), (600, 20.0)] {
        let mut network = Network::new(thin(kbps, 300), 1).adaptive(3_000, 0.0).adaptive(3_000, starts);
        network.run_to(120.0);
        let shares: Vec<f64> =
            network.flows.iter().map(|flow| flow.mean(starts + 60.0, 120.0, |s| s.received)).collect();
        let ratio = shares[0].max(shares[1]) / shares[0].min(shares[1]);
        assert!(ratio < 3.0, "{kbps} kbit/s, second after {starts} s: {shares:?}");
        assert!(shares.iter().sum::<f64>() > 0.8 * kbps as f64, "{kbps} kbit/s: {shares:?}");
        let queue = network.flows[0].mean(60.0, 120.0, |s| s.queue);
        assert!(queue < 100.0, "{kbps} kbit/s: {queue} ms");
    }
}

#[test]
fn pictures_of_another_one_do_not_starve_a_flow() {
    for starts in [0.3, 5.0, 21.7, 33.1] {
        let mut network = Network::new(thin(2_000, 300), 1).adaptive(3_000, 0.0).adaptive(3_000, starts);
        network.flows.iter_mut().for_each(|flow| flow.pictures = true);
        // Cameras are never quite in step.
        network.flows[1].picture_interval = std::time::Duration::from_micros(33_400);
        network.run_to(140.0);
        let shares: Vec<f64> =
            network.flows.iter().map(|flow| flow.mean(starts + 60.0, 140.0, |s| s.received)).collect();
        let ratio = shares[0].max(shares[1]) / shares[0].min(shares[1]);
        assert!(ratio < 4.0, "second after {starts} s: {shares:?}");
    }
}

#[test]
fn what_a_constant_flow_leaves_is_used() {
    let mut network = Network::new(thin(1_500, 300), 1).adaptive(3_000, 0.0).constant(600, 20.0);
    network.run_to(90.0);
    let flow = &network.flows[0];
    let rest = flow.mean(30.0, 90.0, |s| s.received);
    assert!(rest > 0.75 * 900.0, "{rest} kbit/s");
    assert!(flow.mean(30.0, 90.0, |s| s.queue) < 100.0);
    let other = network.flows[1].mean(30.0, 90.0, |s| s.received);
    assert!(other > 570.0, "{other} kbit/s");
}

#[test]
fn a_constant_flow_that_ends_gives_its_share_back() {
    let mut network = Network::new(thin(2_000, 300), 1).adaptive(1_700, 0.0).constant(1_400, 10.0);
    network.run_to(40.0);
    network.end(1);
    network.run_to(70.0);
    let flow = &network.flows[0];
    let back = flow.first(40.0, |s| s.received > 0.8 * 1_700.0).expect("back");
    assert!(back < 52.0, "{back} s");
}
