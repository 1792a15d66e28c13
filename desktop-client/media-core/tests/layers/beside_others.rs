//! One slow or hostile peer never lowers anybody else's picture.

use media_core::layers::{LayersInput, Limit, VideoState};
use proptest::prelude::*;

use crate::bench::Bench;

/// The one who disturbs.
const MALLORY: u32 = 99;

#[test]
fn a_slow_peer_lowers_nobody() {
    let mut bench = Bench::settled(&[2_100, 1_900]);
    assert_eq!(bench.rates(), [(2, 1_900)]);
    for kbps in [20, 45, 100, 300, 700, 1_000, 1_390] {
        bench.join(MALLORY, kbps);
        bench.run(30_000);
        assert_eq!([1, 2].map(|id| bench.gets(id)), [Some((2, 2)); 2]);
        assert_eq!(bench.rates().last(), Some(&(2, 1_900)), "beside {kbps} kbit/s");
        bench.leave(MALLORY);
    }
}

#[test]
fn a_slow_peer_that_came_first_holds_nobody_down() {
    let mut bench = Bench::settled(&[720]);
    assert_eq!(bench.rates(), [(2, 720)]);
    bench.join(2, 3_000);
    // Until the first has moved down it loses no frame.
    for _ in 0..20 {
        bench.run(200);
        assert_eq!(bench.gets(1).unwrap().1, 2, "at {} ms", bench.ms);
    }
    assert_eq!((bench.gets(1), bench.gets(2)), (Some((1, 2)), Some((2, 2))));
    assert_eq!(bench.rates(), [(1, 720), (2, 2_200)]);
}

#[test]
fn a_fast_peer_does_not_push_a_crowd_off_its_layer() {
    let mut bench = Bench::settled(&[1_000, 1_050, 1_100]);
    bench.join(MALLORY, 100_000);
    bench.run(60_000);
    assert!([1, 2, 3, MALLORY].iter().all(|id| bench.gets(*id) == Some((2, 2))));
    assert_eq!(bench.rates(), [(2, 1_000)]);
}

#[test]
fn a_peer_that_orders_too_many_key_frames_goes_where_it_disturbs_the_fewest() {
    let mut bench = Bench::settled(&[2_000, 2_000, 700, 700]);
    bench.join(MALLORY, 2_000);
    bench.run(10_000);
    assert_eq!(bench.gets(MALLORY), Some((2, 2)));
    bench.give(LayersInput::KeyFramesOverBudget(MALLORY));
    bench.run(1_000);
    assert_eq!(
        (bench.gets(MALLORY), bench.state(MALLORY)),
        (Some((0, 2)), VideoState::Limited(Limit::KeyFrames))
    );
    // Alone, it may do what it likes.
    bench.give(LayersInput::KeyFramesOverBudget(MALLORY));
    bench.run(30_000);
    assert_eq!(bench.gets(MALLORY), Some((2, 2)));
    assert_eq!([1, 2, 3, 4].map(|id| bench.gets(id).unwrap()), [(2, 2), (2, 2), (1, 2), (1, 2)]);
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Estimate(u64),
    Tile(u32, u32),
    Hide,
    KeyFrames,
    Rejoin,
}

fn act() -> impl Strategy<Value = (u64, Act)> {
    let act = prop_oneof![
        6 => (1_u64..5_000).prop_map(Act::Estimate),
        2 => (0_u32..1_300, 0_u32..730).prop_map(|(width, height)| Act::Tile(width, height)),
        1 => Just(Act::Hide),
        2 => Just(Act::KeyFrames),
        1 => Just(Act::Rejoin),
    ];
    (prop_oneof![1_u64..300, 1_000_u64..9_000], act)
}

fn perform(bench: &mut Bench, act: Act) {
    match act {
        Act::Estimate(kbps) => bench.estimate(MALLORY, kbps),
        Act::Tile(width, height) => bench.tile(MALLORY, width, height),
        Act::Hide => bench.hide(MALLORY),
        Act::KeyFrames => bench.give(LayersInput::KeyFramesOverBudget(MALLORY)),
        Act::Rejoin => {
            bench.leave(MALLORY);
            bench.join(MALLORY, 2_500);
        }
    }
}

/// Each one's layer, temporal limit and rate.
fn pictures(bench: &Bench, people: usize) -> Vec<Option<(u8, u8, u64)>> {
    let picture =
        |id: u32| bench.gets(id).map(|(layer, limit)| (layer, limit, bench.layer_rate(id).unwrap()));
    (1..=people as u32).map(picture).collect()
}

proptest! {
    /// Those whose links bear the most of the top layer, or not much less: nothing that one other does costs them a frame or a layer, or more than a third of the rate.
    #[test]
    fn whatever_one_peer_does_those_with_good_links_lose_at_most_a_third_of_the_rate(
        people in prop::collection::vec(1_700_u64..5_000, 1..4),
        acts in prop::collection::vec(act(), 1..60),
    ) {
        let mut bench = Bench::settled(&people);
        bench.join(MALLORY, 300);
        for (wait, act) in acts {
            perform(&mut bench, act);
            bench.run(wait);
            for (picture, kbps) in pictures(&bench, people.len()).into_iter().zip(&people) {
                let Some((layer, limit, rate)) = picture else { return Err(TestCaseError::fail("no video")) };
                prop_assert!(layer == 2 && limit == 2 && rate >= (*kbps).min(2_200) * 2 / 3 - 1, "{picture:?}");
            }
        }
    }

    /// Several whose links are alike: nothing that one other does costs them a frame or a layer, fast or slow as it may be.
    #[test]
    fn nothing_that_one_peer_does_moves_a_crowd(
        people in prop::collection::vec(1_000_u64..1_250, 2..5),
        acts in prop::collection::vec(act(), 1..60),
    ) {
        let mut bench = Bench::settled(&people);
        bench.join(MALLORY, 300);
        for (wait, act) in acts {
            perform(&mut bench, act);
            bench.run(wait);
            for (picture, kbps) in pictures(&bench, people.len()).into_iter().zip(&people) {
                let Some((layer, limit, rate)) = picture else { return Err(TestCaseError::fail("no video")) };
                prop_assert!(layer == 2 && limit == 2 && rate >= kbps * 2 / 3 - 1, "{picture:?}");
            }
        }
    }

    /// Any links: adding one peer that is no faster changes nobody's layer or frames, and nobody's rate by more than a third.
    #[test]
    fn a_slower_peer_costs_nobody_a_layer_or_a_frame(
        people in prop::collection::vec(45_u64..5_000, 1..5),
        slower in 0.0_f64..1.0,
        acts in prop::collection::vec(act(), 0..20),
    ) {
        let mut bench = Bench::settled(&people);
        let before = pictures(&bench, people.len());
        let most = people.iter().min().copied().unwrap();
        let bounded = |kbps: u64| (kbps as f64 / 5_000.0 * most as f64) as u64;
        bench.join(MALLORY, (most as f64 * slower) as u64);
        for (wait, act) in acts {
            match act {
                Act::Estimate(kbps) => bench.estimate(MALLORY, bounded(kbps)),
                Act::KeyFrames => perform(&mut bench, act),
                Act::Tile(..) | Act::Hide | Act::Rejoin => {}
            }
            bench.run(wait);
        }
        bench.run(10_000);
        for (before, after) in before.iter().zip(pictures(&bench, people.len())) {
            let (Some(before), Some(after)) = (before, after) else {
                prop_assert_eq!(before, &after);
                continue;
            };
            prop_assert_eq!((before.0, before.1), (after.0, after.1));
            prop_assert!(after.2 as f64 >= before.2 as f64 / 1.5 - 1.0, "{:?} {:?}", before, after);
        }
    }

    /// Any links, anything that one peer does: at most one layer, full frames there unless it is the lowest, and never the video.
    #[test]
    fn a_faster_peer_costs_at_most_one_layer(
        people in prop::collection::vec(45_u64..5_000, 1..5),
        acts in prop::collection::vec(act(), 0..30),
        last in 1_u64..5_000,
    ) {
        let mut bench = Bench::settled(&people);
        let before = pictures(&bench, people.len());
        bench.join(MALLORY, 300);
        for (wait, act) in acts {
            perform(&mut bench, act);
            bench.run(wait);
        }
        bench.estimate(MALLORY, last);
        bench.run(30_000);
        let after = pictures(&bench, people.len());
        for (before, after) in before.iter().zip(&after) {
            let (Some(before), Some(after)) = (before, after) else {
                prop_assert_eq!(before, after);
                continue;
            };
            prop_assert!(after.0 + 1 >= before.0, "{:?} {:?}", before, after);
            prop_assert!(after.0 == 0 || after.1 == 2, "{:?} {:?}", before, after);
        }
    }
}
