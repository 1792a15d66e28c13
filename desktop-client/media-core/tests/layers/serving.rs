//! Which layers there are, and who gets which.

use media_core::bitrate::Bitrate;
use media_core::layers::{CameraFormat, Limit, VideoState};

use media_core::layers::LayersInput;

use crate::bench::{Bench, HD};

#[test]
fn peers_that_are_alike_share_one_layer() {
    let bench = Bench::settled(&[2_000, 1_800, 1_700, 1_900, 2_400, 1_750, 1_990]);
    assert_eq!(bench.rates(), [(2, 1_700)]);
    assert!((1..=7).all(|id| bench.gets(id) == Some((2, 2)) && bench.state(id) == VideoState::Full));
    let layer = bench.encoding[0];
    assert_eq!((layer.width, layer.height, layer.framerate), (1_280, 720, 30));
}

#[test]
fn each_peer_gets_the_best_layer_that_its_path_bears() {
    let bench = Bench::settled(&[3_000, 1_000, 450, 100, 50, 25]);
    let gets: Vec<_> = (1..=6).map(|id| bench.gets(id)).collect();
    assert_eq!(gets, [Some((2, 2)), Some((1, 2)), Some((0, 2)), Some((0, 2)), Some((0, 1)), None]);
    assert_eq!(bench.rates(), [(0, 83), (1, 800), (2, 2_200)]);
    assert_eq!(bench.state(2), VideoState::Limited(Limit::Bandwidth));
    assert_eq!(bench.state(6), VideoState::Suspended);
}

#[test]
fn a_lone_peer_gets_all_that_its_path_bears() {
    for (kbps, layer) in [(5_000, 2), (1_000, 2), (700, 2), (680, 1), (210, 1), (190, 0), (75, 0)] {
        let bench = Bench::settled(&[kbps]);
        assert_eq!(bench.gets(1), Some((layer, 2)), "{kbps} kbit/s");
        let most = [120, 800, 2_200][usize::from(layer)];
        assert_eq!(bench.rates(), [(layer, kbps.min(most))]);
    }
}

#[test]
fn a_small_tile_gets_the_layer_that_covers_it() {
    let mut bench = Bench::settled(&[3_000, 3_000]);
    bench.tile(1, 600, 340);
    bench.run(1_000);
    assert_eq!((bench.gets(1), bench.state(1)), (Some((1, 2)), VideoState::Limited(Limit::Tile)));
    assert_eq!(bench.rates(), [(1, 800), (2, 2_200)]);
    assert_eq!(bench.orders[&1].demand, Bitrate::kbps(800));
    bench.tile(1, 300, 160);
    bench.run(1_000);
    assert_eq!(bench.gets(1), Some((0, 2)));
    bench.tile(1, 1_000, 600);
    bench.run(1_000);
    assert_eq!((bench.gets(1), bench.state(1)), (Some((2, 2)), VideoState::Full));
}

#[test]
fn a_hidden_tile_costs_nothing() {
    let mut bench = Bench::settled(&[3_000, 650]);
    assert_eq!(bench.rates(), [(1, 650), (2, 2_200)]);
    bench.hide(1);
    assert_eq!((bench.gets(1), bench.state(1)), (None, VideoState::Hidden));
    assert_eq!(bench.rates(), [(1, 650)]);
    bench.tile(2, 0, 400);
    assert_eq!(bench.rates(), []);
    assert_eq!(bench.layers.poll_timeout(), None);
    bench.tile(1, 1_280, 720);
    assert_eq!(bench.gets(1), Some((2, 2)));
}

#[test]
fn a_layer_is_kept_until_those_who_leave_it_have_switched() {
    let mut bench = Bench::settled(&[3_000]);
    bench.tile(1, 320, 180);
    assert_eq!(bench.rates(), [(0, 120), (2, 2_200)]);
    bench.run(700);
    assert_eq!(bench.rates(), [(0, 120)]);
}

#[test]
fn a_peer_that_leaves_takes_its_layer_with_it() {
    let mut bench = Bench::settled(&[3_000, 100]);
    assert_eq!(bench.rates(), [(0, 100), (2, 2_200)]);
    bench.leave(2);
    assert_eq!(bench.rates(), [(2, 2_200)]);
    bench.leave(1);
    assert_eq!(bench.rates(), []);
}

#[test]
fn without_a_camera_nothing_is_encoded() {
    let mut bench = Bench::settled(&[3_000, 100]);
    bench.give(LayersInput::Camera(None));
    assert_eq!(bench.rates(), []);
    assert_eq!((bench.gets(1), bench.state(1)), (None, VideoState::Off));
    bench.give(LayersInput::Camera(Some(HD)));
    assert_eq!(bench.rates(), [(0, 100), (2, 2_200)]);
    bench.give(LayersInput::Camera(Some(CameraFormat { width: 640, height: 360, framerate: 30 })));
    assert_eq!(bench.rates(), [(0, 100), (1, 800)]);
    assert_eq!(bench.state(1), VideoState::Full);
}

#[test]
fn a_slow_camera_needs_less() {
    let mut bench = Bench::new(CameraFormat { framerate: 15, ..HD });
    bench.join(1, 9_000);
    bench.run(10_000);
    let layer = bench.encoding[0];
    assert_eq!((layer.framerate, layer.bitrate.as_kbps()), (15, 1_308));
}

#[test]
fn facts_about_strangers_are_ignored() {
    let mut bench = Bench::settled(&[1_000]);
    let before = bench.rates();
    bench.estimate(9, 100);
    bench.hide(9);
    bench.leave(9);
    bench.give(LayersInput::KeyFramesOverBudget(9));
    bench.give(LayersInput::Joined(1));
    assert_eq!(bench.rates(), before);
}
