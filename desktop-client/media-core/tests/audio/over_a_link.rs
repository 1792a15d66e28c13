//! How the jitter buffer fares on networks.

use std::time::Duration;

use media_core::sim::{Jitter, LinkConfig, Loss, Reordering};

use crate::call::{Call, roughness};

fn delay(ms: u64) -> LinkConfig {
    LinkConfig { delay: Duration::from_millis(ms), ..LinkConfig::default() }
}

fn jittery(spread_ms: u64) -> LinkConfig {
    let jitter = Jitter { spread: Duration::from_millis(spread_ms), correlation: Duration::from_millis(100) };
    LinkConfig { jitter, ..delay(5) }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn on_a_clean_link_nothing_is_concealed_and_the_delay_is_small() {
    let mut call = Call::new(delay(1), 1);
    call.run_for(60 * SECOND);
    let stats = call.listener.stats();
    assert_eq!((stats.concealed_samples, stats.packets_discarded), (0, 0));
    let mean = stats.mean_delay().unwrap();
    assert!((Duration::from_millis(20)..=Duration::from_millis(40)).contains(&mean), "{mean:?}");
    assert!(roughness(&call.listener.heard) < 0.02, "{}", roughness(&call.listener.heard));
}

#[test]
fn wireless_jitter_is_learnt_and_little_is_concealed() {
    for seed in 0..5 {
        let mut call = Call::new(jittery(55), seed);
        call.run_for(60 * SECOND);
        let stats = call.listener.stats();
        assert!(stats.concealed_share() < 0.02, "{}", stats.concealed_share());
        let mean = stats.mean_delay().unwrap();
        assert!(mean < Duration::from_millis(120), "{mean:?}");
    }
}

#[test]
fn the_delay_comes_down_again_when_the_network_calms() {
    let mut call = Call::new(jittery(150), 3);
    call.run_for(30 * SECOND);
    assert!(
        call.listener.buffer.target_delay() > Duration::from_millis(80),
        "{:?}",
        call.listener.buffer.target_delay()
    );
    call.set_link(delay(5));
    call.run_for(20 * SECOND);
    assert!(call.delay() < Duration::from_millis(45), "{:?}", call.delay());
    assert!(call.listener.stats().removed_samples_for_acceleration > 0);
}

#[test]
fn a_route_that_becomes_longer_or_shorter_is_followed() {
    let mut call = Call::new(delay(20), 1);
    call.run_for(10 * SECOND);
    let before = *call.listener.stats();
    call.set_link(delay(170));
    call.run_for(15 * SECOND);
    let concealed = call.listener.stats().concealed_samples - before.concealed_samples;
    assert!(concealed < 48 * 200, "{} ms", concealed / 48);
    assert!(call.delay() < Duration::from_millis(60), "{:?}", call.delay());
    let before = *call.listener.stats();
    call.set_link(delay(20));
    call.run_for(15 * SECOND);
    assert_eq!(call.listener.stats().concealed_samples, before.concealed_samples);
    assert!(call.delay() < Duration::from_millis(60), "{:?}", call.delay());
}

#[test]
fn forward_error_correction_restores_most_single_losses() {
    let lossy = LinkConfig { loss: Loss::Uniform { share: 0.05 }, ..delay(20) };
    let mut plain = Call::new(lossy, 9);
    plain.run_for(60 * SECOND);
    let mut fec = Call::new(lossy, 9).with_fec();
    fec.run_for(60 * SECOND);
    let (plain, fec) = (plain.listener.stats().concealed_share(), fec.listener.stats().concealed_share());
    assert!((0.03..0.07).contains(&plain), "{plain}");
    assert!(fec < 0.01, "{fec}");
}

#[test]
fn copies_in_later_packets_restore_nearly_all_that_is_lost_for_little_delay() {
    let lossy = |share| LinkConfig { loss: Loss::Uniform { share }, ..delay(20) };
    for (share, copies, most) in [(0.05, 1, 0.005), (0.1, 2, 0.012), (0.2, 2, 0.04), (0.3, 2, 0.06)] {
        let mut call = Call::new(lossy(share), 9).with_copies(copies);
        call.run_for(60 * SECOND);
        let stats = call.listener.stats();
        assert!(stats.concealed_share() < most, "{share}: {}", stats.concealed_share());
        assert!(stats.copies_used > (0.8 * share * 3_000.0) as u64, "{share}: {}", stats.copies_used);
        let mean = stats.mean_delay().unwrap();
        assert!(mean < Duration::from_millis(20 + 25 * u64::from(copies)), "{share}: {mean:?}");
        assert!(call.listener.timestamps.windows(2).all(|pair| pair[1] > pair[0]));
    }
}

#[test]
fn copies_of_what_has_come_change_nothing() {
    let mut plain = Call::new(jittery(55), 4);
    let mut copied = Call::new(jittery(55), 4).with_copies(2);
    plain.run_for(20 * SECOND);
    copied.run_for(20 * SECOND);
    assert_eq!(plain.listener.heard, copied.listener.heard);
    assert_eq!(copied.listener.stats().copies_used, 0);
}

#[test]
fn reordering_and_duplicates_within_the_delay_are_not_heard() {
    let config = LinkConfig {
        reordering: Reordering::Held { share: 0.1, by: Duration::from_millis(25) },
        duplicates: 0.2,
        ..delay(10)
    };
    let mut call = Call::new(config, 2);
    call.run_for(5 * SECOND);
    let learnt = *call.listener.stats();
    call.run_for(30 * SECOND);
    let stats = call.listener.stats();
    assert_eq!(stats.concealed_samples, learnt.concealed_samples);
    assert!(stats.packets_discarded > 250, "duplicates are counted");
    assert!(call.listener.timestamps.windows(2).all(|pair| pair[1] > pair[0]));
}

#[test]
fn after_an_outage_the_call_goes_on_near() {
    let mut call = Call::new(delay(20), 1);
    call.run_for(10 * SECOND);
    call.set_link(LinkConfig { loss: Loss::Uniform { share: 1.0 }, ..delay(20) });
    call.run_for(2 * SECOND);
    call.set_link(delay(20));
    call.run_for(5 * SECOND);
    assert!(call.delay() < Duration::from_millis(60), "{:?}", call.delay());
    let stats = call.listener.stats();
    let concealed_ms = stats.concealed_samples / 48;
    assert!((1_900..2_200).contains(&concealed_ms), "{concealed_ms}");
    assert_eq!(stats.concealment_events, 1);
    assert!(stats.silent_concealed_samples > stats.concealed_samples / 2);
}

#[test]
fn packets_that_were_held_up_all_together_are_heard_and_the_delay_is_made_good() {
    let mut call = Call::new(delay(20), 1);
    call.run_for(10 * SECOND);
    let before = call.listener.orders.decoded;
    // Everything stands still for 150 ms, then comes at once.
    call.set_link(delay(170));
    call.run_for(SECOND / 20);
    call.set_link(delay(20));
    call.run_for(10 * SECOND);
    assert_eq!(call.listener.stats().packets_discarded, 0);
    assert!(call.listener.orders.decoded - before >= 500);
    assert!(call.delay() < Duration::from_millis(60), "{:?}", call.delay());
}

#[test]
#[ignore = "takes long"]
fn eight_hours_of_drift_leave_the_delay_where_it_is() {
    for ppm in [150.0, -150.0] {
        let mut call = Call::new(jittery(30), 1).with_drift(ppm);
        call.run_for(60 * SECOND);
        let mut waiting = 0;
        for minute in 0..8 * 60 {
            call.run_for(60 * SECOND);
            let (delay, target) = (call.delay(), call.listener.buffer.target_delay());
            assert!(delay.abs_diff(target) < Duration::from_millis(20), "{ppm} ppm, {minute} min: {delay:?}");
            waiting = waiting.max(call.listener.buffer.waiting_packets());
        }
        assert!(waiting < 10, "{waiting} packets");
        assert!(call.listener.stats().concealed_share() < 0.02);
    }
}

#[test]
fn drifting_clocks_neither_starve_nor_fill_the_buffer() {
    for ppm in [150.0, -150.0] {
        let mut call = Call::new(delay(10), 1).with_drift(ppm);
        for _ in 0..4 {
            call.run_for(300 * SECOND);
            assert!(call.delay() < Duration::from_millis(45), "{ppm} ppm: {:?}", call.delay());
            assert!(call.delay() > Duration::from_millis(5), "{ppm} ppm: {:?}", call.delay());
        }
        let stats = call.listener.stats();
        // 20 minutes at 150 ppm are 180 ms; the initial target adds or spares 20.
        let moved = if ppm > 0.0 {
            stats.removed_samples_for_acceleration
        } else {
            stats.inserted_samples_for_deceleration
        };
        assert!((150..215).contains(&(moved / 48)), "{} ms", moved / 48);
        assert!(stats.concealed_share() < 1e-4, "{}", stats.concealed_share());
    }
}
