//! Video from encoder to decoder over networks in virtual time: the receiver never emits a frame whose reference it did not emit, and goes on as well as the
//! network lets it.

use std::time::Duration;

use crate::call::Call;
use crate::sender::{Pattern, Sender};
use media_core::sim::{Jitter, LinkConfig, Loss, Reordering};

fn call(pattern: Pattern, config: LinkConfig, seed: u64) -> Call {
    Call::new(Sender::new(pattern, 4_000), config, seed)
}

fn delay(ms: u64) -> LinkConfig {
    LinkConfig { delay: Duration::from_millis(ms), ..LinkConfig::default() }
}

#[test]
fn a_clean_link_delivers_every_frame_at_once() {
    let outcome = call(Pattern::Single, delay(20), 1).run(Duration::from_secs(10));
    assert_eq!(outcome.frames_sent, outcome.frames.len());
    assert_eq!(outcome.key_frame_requests, 0);
    assert!(outcome.frames.iter().all(|frame| frame.emitted == frame.last_packet_arrival));
}

#[test]
fn reordering_loses_nothing() {
    let config = LinkConfig {
        reordering: Reordering::Held { share: 0.2, by: Duration::from_millis(8) },
        duplicates: 0.1,
        ..delay(20)
    };
    for pattern in [Pattern::Single, Pattern::TwoLayers] {
        let outcome = call(pattern, config, 2).run(Duration::from_secs(20));
        assert_eq!(outcome.frames_sent, outcome.frames.len(), "{pattern:?}");
        assert_eq!(outcome.key_frame_requests, 0, "{pattern:?}");
        assert!(outcome.stats.packets_duplicated + outcome.stats.packets_discarded > 0);
    }
}

#[test]
fn under_loss_without_repair_only_whole_chains_are_decoded_and_key_frames_bring_the_picture_back() {
    for seed in 0..5 {
        let config = LinkConfig { loss: Loss::Uniform { share: 0.01 }, ..delay(30) };
        let outcome = call(Pattern::Single, config, seed).run(Duration::from_secs(60));
        outcome.assert_decodable();
        let share = outcome.frames.len() as f64 / outcome.frames_sent as f64;
        assert!(share > 0.2, "{share}");
        assert!(outcome.key_frame_requests > 20);
        assert!(outcome.longest_silence() < Duration::from_millis(1_500), "{:?}", outcome.longest_silence());
    }
}

#[test]
fn repair_by_retransmission_spares_key_frames() {
    for pattern in [Pattern::Single, Pattern::TwoLayers, Pattern::ThreeLayers] {
        let config = LinkConfig { loss: Loss::Uniform { share: 0.05 }, ..delay(25) };
        let outcome = call(pattern, config, 7).with_repair().run(Duration::from_secs(60));
        outcome.assert_decodable();
        let share = outcome.frames.len() as f64 / outcome.frames_sent as f64;
        assert!(share > 0.8, "{pattern:?}: {share}");
        assert!(outcome.key_frame_requests < 10, "{pattern:?}: {}", outcome.key_frame_requests);
    }
}

#[test]
fn a_loss_above_the_base_layer_costs_no_key_frame() {
    for pattern in [Pattern::TwoLayers, Pattern::ThreeLayers] {
        let config = LinkConfig { loss: Loss::Uniform { share: 0.05 }, ..delay(30) };
        let outcome = call(pattern, config, 3).losing_only_upper_layers().run(Duration::from_secs(60));
        outcome.assert_decodable();
        assert_eq!(outcome.key_frame_requests, 0, "{pattern:?}");
        assert_eq!(outcome.base_frames_sent, outcome.base_frames(), "{pattern:?}");
        let share = outcome.frames.len() as f64 / outcome.frames_sent as f64;
        assert!(share > 0.55 && share < 1.0, "{pattern:?}: {share}");
    }
}

#[test]
fn bursts_and_jitter_end_in_a_picture_again() {
    for seed in 0..5 {
        let config = LinkConfig {
            jitter: Jitter { spread: Duration::from_millis(60), correlation: Duration::from_millis(100) },
            loss: Loss::Bursts { share: 0.02, mean_length: 3.0 },
            ..delay(5)
        };
        let outcome = call(Pattern::TwoLayers, config, seed).with_repair().run(Duration::from_secs(60));
        outcome.assert_decodable();
        assert!(outcome.longest_silence() < Duration::from_secs(1), "{:?}", outcome.longest_silence());
    }
}

#[test]
fn streams_without_picture_ids_are_received() {
    let config = LinkConfig { loss: Loss::Uniform { share: 0.02 }, ..delay(25) };
    let outcome = call(Pattern::Bare, config, 4).with_repair().run(Duration::from_secs(30));
    outcome.assert_decodable();
    assert!(outcome.frames.len() as f64 > 0.8 * outcome.frames_sent as f64);
}

#[test]
fn a_sender_that_restarts_is_followed() {
    // The sequence before ends near 65 400: a jump, a small step back, a new SSRC.
    for (sequence_number, change_ssrc) in [(20_000, false), (65_100, false), (65_100, true)] {
        let mut call = call(Pattern::TwoLayers, delay(20), 1);
        call.run_for(Duration::from_secs(3));
        let before = call.outcome().frames.len();
        call.restart_sender(sequence_number, change_ssrc);
        call.run_for(Duration::from_secs(3));
        let outcome = call.outcome();
        let new = outcome.frames.len() - before;
        assert!(new >= 65, "{new} new frames from {sequence_number}");
        assert_eq!(outcome.stats.restarts, 1);
    }
}

#[test]
fn a_receiver_that_joins_late_asks_for_a_key_frame_and_gets_the_picture() {
    let mut call =
        call(Pattern::TwoLayers, LinkConfig { loss: Loss::Uniform { share: 1.0 }, ..delay(20) }, 1);
    call.run_for(Duration::from_secs(1));
    call.set_link(delay(20));
    call.run_for(Duration::from_secs(1));
    let outcome = call.outcome();
    outcome.assert_decodable();
    assert_eq!(outcome.key_frame_requests, 1);
    assert!(outcome.frames.len() >= 25, "{}", outcome.frames.len());
}

#[test]
fn requests_that_bring_nothing_are_repeated_ever_more_slowly() {
    let mut call = call(Pattern::Single, delay(20), 1).deaf_to_requests();
    call.run_for(Duration::from_secs(1));
    call.lose_next_frame();
    call.run_for(Duration::from_secs(30));
    let requests = call.outcome().request_times.clone();
    let gaps: Vec<u128> = requests.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    assert!(gaps.windows(2).all(|pair| pair[1] >= pair[0]), "{gaps:?}");
    assert!((8..=14).contains(&requests.len()), "{gaps:?}");
}
