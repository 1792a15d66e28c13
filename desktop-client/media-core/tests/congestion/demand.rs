//! Who sends little learns little, and forgets nothing.

use media_core::sim::LinkConfig;

use crate::bottleneck::thin;
use crate::network::Network;

#[test]
fn the_estimate_stays_near_the_demand() {
    for demand in [40, 300, 1_000] {
        let mut network = Network::new(thin(10_000, 300), 1).adaptive(demand, 0.0);
        network.run_to(60.0);
        let flow = &network.flows[0];
        let most = flow.most(0.0, 60.0, |s| s.estimate);
        assert!(most <= 1.5 * demand as f64, "{demand}: {most}");
        let received = flow.mean(5.0, 60.0, |s| s.received);
        assert!(received > 0.97 * demand as f64, "{demand}: {received}");
    }
}

#[test]
fn after_a_quiet_minute_more_demand_is_met_in_seconds() {
    for kbps in [10_000, 2_200] {
        let mut network = Network::new(thin(kbps, 300), 1).adaptive(60, 0.0);
        network.run_to(60.0);
        network.set_demand(0, 1_700);
        network.run_to(70.0);
        let flow = &network.flows[0];
        let met = flow.first(60.0, |s| s.received > 1_500.0).expect("met");
        assert!(met < 63.0, "{kbps}: {met} s");
        assert!(flow.mean(63.0, 70.0, |s| s.queue) < 60.0);
    }
}

#[test]
fn an_estimate_is_kept_while_little_is_sent() {
    let mut network = Network::new(thin(2_500, 300), 1).adaptive(1_700, 0.0);
    network.run_to(20.0);
    network.set_demand(0, 50);
    network.run_to(80.0);
    network.set_demand(0, 1_700);
    network.run_to(81.5);
    let flow = &network.flows[0];
    assert!(flow.mean(30.0, 80.0, |s| s.estimate) <= 75.0);
    assert!(flow.mean(80.5, 81.5, |s| s.received) > 1_500.0);
}

#[test]
fn a_link_that_became_thin_in_a_quiet_minute_is_noticed_at_once() {
    let steps = [(0.0, thin(2_500, 300)), (30.0, thin(300, 300))];
    let mut network = Network::stepped(&steps, 1).adaptive(1_700, 0.0);
    network.run_to(20.0);
    network.set_demand(0, 50);
    network.run_to(60.0);
    network.set_demand(0, 1_700);
    network.run_to(80.0);
    let flow = &network.flows[0];
    let noticed = flow.first(60.2, |s| s.estimate < 330.0).expect("noticed");
    assert!(noticed < 62.0, "{noticed} s");
    assert!(flow.mean(64.0, 80.0, |s| s.queue) < 100.0);
}

#[test]
fn a_demand_that_moves_all_the_time_ends_in_the_demand() {
    let mut network = Network::new(LinkConfig::default(), 1).adaptive(300, 0.0);
    for (second, demand) in (0_u32..60).zip([300, 1_700, 600, 40, 2_500, 900].into_iter().cycle()) {
        network.set_demand(0, demand);
        network.run_to(f64::from(second) + 1.0);
    }
    network.set_demand(0, 1_700);
    network.run_to(65.0);
    assert!(network.flows[0].mean(63.0, 65.0, |s| s.received) > 1_600.0);
}
