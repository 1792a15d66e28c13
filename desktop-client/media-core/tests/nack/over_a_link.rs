//! How well holes are repaired, and at what price.

use std::time::Duration;

use media_core::sim::{Jitter, LinkConfig, Loss, Profile, RateLimit, Reordering};

use crate::call::{Call, Outcome};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Six minutes of a call: fewer packets than sequence numbers wrap at, so that each has its own.
const LENGTH: Duration = Duration::from_secs(360);

fn profile(name: &str, rtt: Option<Duration>, seed: u64) -> Outcome {
    let profile = Profile::named(name).unwrap();
    Call { media: profile.down[0].config, feedback: profile.up[0].config, rtt, seed }.run(LENGTH)
}

#[test]
fn at_five_percent_loss_little_more_is_asked_for_than_was_lost() {
    for rtt in [None, Some(ms(100))] {
        let outcome = profile("loss-5", rtt, 1);
        assert!(outcome.lost > 1_500);
        assert!(outcome.requests_per_loss() <= 1.2, "{}", outcome.requests_per_loss());
        assert!(outcome.retransmitted as f64 <= 1.15 * outcome.lost as f64);
        assert_eq!(outcome.missing, 0, "{:?}", outcome.stats);
        assert!(outcome.median_repair() < ms(170), "{:?}", outcome.median_repair());
    }
}

#[test]
fn at_twenty_percent_loss_almost_everything_is_repaired() {
    let outcome = profile("loss-20", Some(ms(100)), 2);
    assert!(outcome.requests_per_loss() <= 1.8, "{}", outcome.requests_per_loss());
    assert!(outcome.missing * 500 <= outcome.lost, "{} of {}", outcome.missing, outcome.lost);
}

#[test]
fn on_a_busy_wireless_network_bursts_are_repaired() {
    for rtt in [None, Some(ms(30))] {
        let outcome = profile("wifi", rtt, 3);
        assert!(outcome.requests_per_loss() <= 1.5, "{}", outcome.requests_per_loss());
        assert!(outcome.missing * 100 <= outcome.lost, "{} of {}", outcome.missing, outcome.lost);
    }
}

#[test]
fn a_round_trip_time_that_nobody_told_is_learnt_from_the_answers() {
    let config = LinkConfig { delay: ms(200), loss: Loss::Uniform { share: 0.05 }, ..LinkConfig::default() };
    let outcome = Call { media: config, feedback: config, rtt: None, seed: 4 }.run(LENGTH);
    assert!(outcome.requests_per_loss() <= 1.3, "{}", outcome.requests_per_loss());
    // A second allows for three requests.
    assert!(outcome.missing <= 5, "{}", outcome.missing);
}

#[test]
fn far_away_over_a_poor_line_requests_do_not_pile_up() {
    let mut config = Profile::named("international").unwrap().down[0].config;
    config.rate = Some(RateLimit { bits_per_second: 3_000_000, queue: ms(300) });
    let outcome = Call { media: config, feedback: config, rtt: Some(ms(500)), seed: 5 }.run(LENGTH);
    assert!(outcome.requests_per_loss() <= 1.6, "{}", outcome.requests_per_loss());
    assert!(outcome.missing * 10 <= outcome.lost, "{} of {}", outcome.missing, outcome.lost);
}

#[test]
fn reordering_within_its_time_costs_nothing() {
    let reordering = Reordering::Held { share: 0.05, by: ms(2) };
    let config = LinkConfig { delay: ms(20), reordering, ..LinkConfig::default() };
    let outcome = Call { media: config, feedback: config, rtt: Some(ms(40)), seed: 6 }.run(LENGTH);
    let share = outcome.stats.requested as f64 / outcome.sent as f64;
    // Only what three packets of a burst overtake is asked for.
    assert!(share < 0.03, "{share}");
    assert!(outcome.stats.reordered > 100);
}

#[test]
fn jitter_without_loss_asks_for_nothing() {
    let jitter = Jitter { spread: ms(80), correlation: ms(50) };
    let config = LinkConfig { delay: ms(20), jitter, ..LinkConfig::default() };
    let outcome = Call { media: config, feedback: config, rtt: Some(ms(100)), seed: 7 }.run(LENGTH);
    assert_eq!(outcome.stats.requested, 0);
}

#[test]
fn a_link_that_is_dead_for_a_while_is_not_flooded_with_requests() {
    let dead = LinkConfig {
        loss: Loss::Bursts { share: 0.5, mean_length: 300.0 },
        delay: ms(50),
        ..LinkConfig::default()
    };
    let outcome = Call { media: dead, feedback: dead, rtt: Some(ms(100)), seed: 8 }.run(LENGTH);
    assert!(outcome.requests_per_loss() <= 3.0, "{}", outcome.requests_per_loss());
}
