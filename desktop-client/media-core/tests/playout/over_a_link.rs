//! Motion and delay over the networks that people have.

use std::time::Duration;

use media_core::sim::{Jitter, LinkConfig, Loss, Profile};

use crate::call::{Call, Outcome};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const LENGTH: Duration = Duration::from_secs(60);

fn call(name: &str, seed: u64) -> Call {
    let config = Profile::named(name).unwrap().down[0].config;
    let mut call = Call::new(config, seed);
    call.repair = true;
    if let Loss::Uniform { share } = config.loss {
        call.request_loss = share;
    }
    call
}

fn run(name: &str) -> Outcome {
    call(name, 1).run(LENGTH)
}

#[test]
fn on_a_clean_link_nothing_waits() {
    let outcome = run("clean");
    assert!(outcome.wait(1.0) < 1.0, "{}", outcome.wait(1.0));
    assert_eq!(outcome.dropped_late, 0);
}

#[test]
fn jitter_that_nobody_sees_costs_no_delay() {
    let config = LinkConfig {
        delay: ms(2),
        jitter: Jitter { spread: ms(8), correlation: ms(20) },
        ..LinkConfig::default()
    };
    let outcome = Call::new(config, 1).run(LENGTH);
    // The first pictures wait until the fastest is known.
    assert!(outcome.wait(0.99) < 1.0, "{}", outcome.wait(0.99));
}

#[test]
fn on_a_busy_wireless_network_motion_is_even_for_little_delay() {
    let outcome = run("wifi");
    assert!(outcome.unevenness() < 0.5 * outcome.unevenness_without_playout());
    assert!(outcome.latency(0.5) < 90.0, "{}", outcome.latency(0.5));
    assert!(outcome.freezes.freeze_count <= outcome.freezes_without_playout.freeze_count);
    assert!(outcome.dropped_late * 50 <= outcome.decoded as u64, "{} late", outcome.dropped_late);
}

#[test]
fn at_five_percent_loss_repairs_are_waited_for() {
    let outcome = run("loss-5");
    assert!(outcome.unevenness() < 0.35 * outcome.unevenness_without_playout());
    assert!(outcome.latency(0.5) < 170.0, "{}", outcome.latency(0.5));
    assert!(outcome.dropped_late * 25 <= outcome.decoded as u64, "{} late", outcome.dropped_late);
    assert_eq!(
        outcome.freezes.freeze_count, 0,
        "without playout: {}",
        outcome.freezes_without_playout.freeze_count
    );
}

#[test]
fn far_away_over_a_poor_line_the_delay_stays_bounded() {
    let mut config = Profile::named("international").unwrap().down[0].config;
    config.rate = None;
    let mut call = Call::new(config, 1);
    call.repair = true;
    let outcome = call.run(LENGTH);
    assert!(outcome.wait(1.0) <= 500.5, "{}", outcome.wait(1.0));
    assert!(outcome.unevenness() < outcome.unevenness_without_playout());
}

#[test]
fn pictures_are_shown_in_their_order() {
    for name in ["wifi", "loss-10", "loss-30"] {
        let outcome = call(name, 2).run(LENGTH);
        assert!(outcome.shown.windows(2).all(|pair| pair[0].index < pair[1].index), "{name}");
        let seen = outcome.shown.len() + outcome.dropped_late as usize + outcome.waiting;
        assert_eq!(seen, outcome.decoded, "{name}");
    }
}

#[test]
fn the_delay_rises_within_seconds_and_falls_slowly() {
    let calm = LinkConfig { delay: ms(20), ..LinkConfig::default() };
    let jitter = Jitter { spread: ms(120), correlation: ms(50) };
    let mut call = Call::new(calm, 3);
    call.run_for(Duration::from_secs(20));
    assert!(call.playout.delay() < ms(2));
    call.set_link(LinkConfig { jitter, ..calm });
    call.run_for(Duration::from_secs(3));
    assert!(call.playout.delay() > ms(60), "{:?}", call.playout.delay());
    call.run_for(Duration::from_secs(20));
    call.set_link(calm);
    call.run_for(Duration::from_secs(5));
    assert!(call.playout.delay() > ms(50), "{:?}", call.playout.delay());
    call.run_for(Duration::from_secs(15));
    assert!(call.playout.delay() < ms(2), "{:?}", call.playout.delay());
}

#[test]
fn a_route_that_gets_slower_or_faster_is_followed_without_lasting_delay() {
    let route = |delay| LinkConfig { delay: ms(delay), ..LinkConfig::default() };
    let mut call = Call::new(route(20), 4);
    for delay in [150, 20] {
        call.run_for(Duration::from_secs(10));
        call.set_link(route(delay));
        call.run_for(Duration::from_secs(20));
        call.outcome();
        call.run_for(Duration::from_secs(5));
        let latency = call.outcome().latency(1.0);
        assert!(latency < delay as f64 + 5.0, "{latency}");
    }
}

#[test]
fn after_an_outage_the_delay_is_soon_as_it_was() {
    let calm = LinkConfig { delay: ms(20), ..LinkConfig::default() };
    let mut call = Call::new(calm, 5);
    call.run_for(Duration::from_secs(10));
    // Everything that is sent in two seconds comes at their end.
    call.set_link(LinkConfig { delay: ms(2_000), ..calm });
    call.run_for(ms(34));
    call.set_link(calm);
    call.run_for(Duration::from_secs(15));
    call.outcome();
    call.run_for(Duration::from_secs(5));
    let outcome = call.outcome();
    assert!(outcome.latency(1.0) < 35.0, "{}", outcome.latency(1.0));
}
