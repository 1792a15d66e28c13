//! Clocks that drift and senders that start anew.

use std::time::Duration;

use media_core::sim::{Jitter, LinkConfig};

use crate::call::Call;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn uneven() -> LinkConfig {
    LinkConfig {
        delay: ms(20),
        jitter: Jitter { spread: ms(40), correlation: ms(50) },
        ..LinkConfig::default()
    }
}

#[test]
fn clocks_that_drift_for_an_hour_change_nothing() {
    for drift in [-200e-6, 200e-6] {
        let mut call = Call::new(uneven(), 1);
        call.drift = drift;
        call.run_for(Duration::from_secs(60));
        let first = call.outcome().latency(0.5);
        call.run_for(Duration::from_secs(3_500));
        call.outcome();
        call.run_for(Duration::from_secs(40));
        let outcome = call.outcome();
        // The drift alone makes 720 ms.
        assert!((outcome.latency(0.5) - first).abs() < 10.0, "{first} then {}", outcome.latency(0.5));
        assert!(outcome.dropped_late * 50 <= outcome.decoded as u64);
        assert_eq!(call.playout.restarts(), 0);
    }
}

#[test]
fn a_sender_that_jumps_in_its_media_time_is_followed_with_the_delay_that_was_learnt() {
    for jump in [1_000_000_000, 90_000 * 10, 0_u32.wrapping_sub(90_000 * 10), u32::MAX / 2] {
        let mut call = Call::new(uneven(), 2);
        call.run_for(Duration::from_secs(20));
        let before = call.playout.delay();
        let steady = call.outcome().latency(0.95);
        call.timestamp_offset = call.timestamp_offset.wrapping_add(jump);
        call.ssrc += 1;
        call.run_for(ms(500));
        let after = call.playout.delay();
        let changed = after.abs_diff(before);
        assert!(changed < ms(40), "{before:?} then {after:?}");
        call.run_for(Duration::from_secs(10));
        let outcome = call.outcome();
        assert_eq!(call.playout.restarts(), 1, "{jump}");
        assert!(outcome.latency(0.95) < steady + 45.0, "{} after {steady}", outcome.latency(0.95));
        assert_eq!(outcome.freezes.freeze_count, 0);
    }
}

#[test]
fn a_camera_that_was_off_comes_back_without_delay() {
    let mut call = Call::new(LinkConfig { delay: ms(20), ..LinkConfig::default() }, 3);
    call.run_for(Duration::from_secs(5));
    call.set_link(LinkConfig {
        loss: media_core::sim::Loss::Uniform { share: 1.0 },
        ..LinkConfig::default()
    });
    call.run_for(Duration::from_secs(60));
    call.set_link(LinkConfig { delay: ms(20), ..LinkConfig::default() });
    call.run_for(Duration::from_secs(2));
    call.outcome();
    call.run_for(Duration::from_secs(5));
    let outcome = call.outcome();
    assert!(outcome.latency(1.0) < 25.0, "{}", outcome.latency(1.0));
}
