//! What a worse or noisy link does, and how a better one is followed.

use media_core::bitrate::Bitrate;
use media_core::layers::{LayersInput, Limit, VideoState};
use media_core::sim::Rng;
use proptest::prelude::*;

use crate::bench::{Bench, HD};

#[test]
fn a_lone_peers_layer_follows_its_link_down_at_once_and_up_when_it_lasts() {
    let mut bench = Bench::settled(&[2_000]);
    bench.estimate(1, 1_100);
    assert_eq!((bench.gets(1), bench.rates()), (Some((2, 2)), vec![(2, 1_100)]));
    bench.estimate(1, 1_800);
    bench.run(1_000);
    assert_eq!(bench.rates(), [(2, 1_100)]);
    bench.run(1_100);
    assert_eq!(bench.rates(), [(2, 1_800)]);
}

#[test]
fn a_short_dip_costs_frames_and_no_switch() {
    let mut bench = Bench::settled(&[2_000, 2_000]);
    bench.estimate(2, 1_250);
    assert_eq!(bench.gets(2), Some((2, 1)));
    assert_eq!(bench.state(2), VideoState::Limited(Limit::Bandwidth));
    bench.estimate(2, 900);
    assert_eq!(bench.gets(2), Some((2, 0)));
    bench.run(500);
    bench.estimate(2, 2_000);
    bench.run(2_100);
    assert_eq!((bench.gets(2), bench.gets(1)), (Some((2, 2)), Some((2, 2))));
    assert_eq!(bench.rates(), [(2, 2_000)]);
}

#[test]
fn a_lasting_dip_leads_to_the_next_layer_whole() {
    let mut bench = Bench::settled(&[2_000, 2_000]);
    bench.estimate(2, 900);
    bench.run(1_400);
    assert_eq!(bench.gets(2), Some((2, 0)));
    bench.run(200);
    // The old layer's frames go out until the switch, so the limit stays for so long.
    assert_eq!(bench.gets(2), Some((1, 0)));
    bench.run(700);
    assert_eq!((bench.gets(2), bench.gets(1)), (Some((1, 2)), Some((2, 2))));
    assert_eq!(bench.rates(), [(1, 800), (2, 2_000)]);
}

#[test]
fn a_link_that_breaks_down_loses_the_layer_at_once_and_below_the_floor_the_video() {
    let mut bench = Bench::settled(&[2_000, 2_000]);
    bench.estimate(2, 300);
    assert_eq!(bench.gets(2).unwrap().0, 1);
    bench.run(1_000);
    bench.estimate(2, 31);
    assert_eq!((bench.gets(2), bench.state(2)), (None, VideoState::Suspended));
    assert!(bench.orders[&2].demand > Bitrate::ZERO);
    assert_eq!(bench.rates(), [(2, 2_000)]);
    // A little more is not enough.
    bench.estimate(2, 41);
    bench.run(60_000);
    assert_eq!(bench.gets(2), None);
    // Somewhat more must last; what is at once many times more has been found by a probe.
    bench.estimate(2, 80);
    bench.run(4_900);
    assert_eq!(bench.gets(2), None);
    bench.run(300);
    assert_eq!(bench.gets(2).unwrap().0, 0);
    bench.estimate(2, 2_000);
    bench.run(700);
    assert_eq!(bench.gets(2), Some((2, 2)));
}

#[test]
fn a_better_link_leads_up_after_some_seconds() {
    let mut bench = Bench::settled(&[500]);
    bench.estimate(1, 680);
    bench.run(30_000);
    assert_eq!(bench.gets(1), Some((1, 2)));
    bench.estimate(1, 800);
    bench.run(4_900);
    assert_eq!(bench.gets(1), Some((1, 2)));
    bench.run(300);
    assert_eq!(bench.gets(1), Some((2, 2)));
}

/// Estimates ten times a second around `mean`: independent noise, or slow waves.
fn noisy(mean: f64, spread: f64, period_s: Option<f64>, minutes: u64, seed: u64) -> Bench {
    let mut rng = Rng::new(seed);
    let mut bench = Bench::new(HD);
    bench.join(1, mean as u64);
    bench.join(2, 4_000);
    for step in 0..minutes * 600 {
        let wave = match period_s {
            Some(period) => (step as f64 / 10.0 / period * std::f64::consts::TAU).sin(),
            None => 2.0 * rng.unit() - 1.0,
        };
        bench.estimate(1, (mean * (1.0 + spread * wave)) as u64);
        bench.run(100);
    }
    bench
}

#[test]
fn a_noisy_estimate_does_not_make_it_flap() {
    let mut worst = (0.0, 0.0);
    for mean in [60, 150, 230, 500, 600, 650, 700, 800, 1_000, 1_470, 1_700, 2_000] {
        for (spread, period) in
            [(0.1, None), (0.25, None), (0.25, Some(6.0)), (0.3, Some(25.0)), (0.4, Some(60.0))]
        {
            let minutes = 10;
            let bench = noisy(mean as f64, spread, period, minutes, mean);
            let per_minute = |count: usize| count as f64 / minutes as f64;
            let switches = per_minute(bench.switches[&1].len());
            let temporal = per_minute(bench.temporal_changes.get(&1).copied().unwrap_or(0) as usize);
            assert!(switches <= 4.5, "{mean} ±{spread} {period:?}: {switches} switches a minute");
            assert!(temporal <= 40.0, "{mean} ±{spread} {period:?}: {temporal} changes a minute");
            assert_eq!(bench.gets(2), Some((2, 2)));
            worst = (f64::max(worst.0, switches), f64::max(worst.1, temporal));
        }
    }
    println!("at most {} switches and {} changes of the temporal limit a minute", worst.0, worst.1);
}

proptest! {
    /// Whatever a peer reports and shows, its moves up are bounded, and so are the key frames that they cost.
    #[test]
    fn nothing_makes_a_peer_move_up_more_often_than_its_budget(
        steps in prop::collection::vec((0_u64..600, 0_u64..5, 0_u64..5_000), 1..400),
    ) {
        let mut bench = Bench::new(HD);
        bench.join(1, 1_000);
        bench.join(2, 1_000);
        for (wait, what, value) in steps {
            bench.run(wait);
            match what {
                0 => bench.tile(1, value as u32 / 3, value as u32 / 5),
                1 => bench.hide(1),
                2 => bench.give(LayersInput::KeyFramesOverBudget(1)),
                3.. => bench.estimate(1, value),
            }
        }
        let moves = &bench.switches[&1];
        let ups = moves.windows(2).filter(|pair| pair[0].1 < pair[1].1).count() as u64;
        prop_assert!(ups <= 5 + bench.ms / 5_000, "{ups} in {} ms", bench.ms);
        prop_assert!(moves.len() as u64 <= 3 * (ups + 2));
    }
}
