//! The layers of a camera, with a real encoder and decoder and times of our own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod common;

use std::time::{Duration, Instant};

use call_media::codec::vp8_decoder::Vp8Decoder;
use call_media::scale::Scaler;
use call_media::{LayerEncoders, LayerMask, LayerTarget, VideoSettings};
use common::psnr;
use media_core::frame::{EncodedFrame, I420Frame};
use media_core::sim::Scene;

const ALL: [u8; 3] = [0, 1, 2];

fn target(layer: u8, width: u32, height: u32, kbps: u32) -> LayerTarget {
    LayerTarget { layer, width, height, kbps, framerate: 30 }
}

fn three() -> Vec<LayerTarget> {
    vec![target(0, 80, 46, 60), target(1, 160, 90, 120), target(2, 320, 180, 400)]
}

/// A camera and the encoders behind it.
struct Bench {
    scene: Scene,
    start: Instant,
    next: u32,
    encoders: LayerEncoders,
}

impl Bench {
    fn new(width: u32, height: u32) -> Self {
        let start = Instant::now();
        let encoders = LayerEncoders::new(VideoSettings::default(), start);
        Self { scene: Scene::new(width, height), start, next: 0, encoders }
    }

    fn picture(&mut self) -> I420Frame {
        let time = self.start + Duration::from_secs(1) * self.next / 30;
        self.next += 1;
        self.scene.picture(self.next, time).unwrap()
    }

    fn encode(&mut self, picture: &I420Frame, wanted: &[u8], key: LayerMask) -> Vec<EncodedFrame> {
        let due = self.encoders.due(picture.time, wanted.iter().copied().collect());
        let mut encoded = Vec::new();
        self.encoders.encode(picture, due, key, |frame| encoded.push(frame));
        self.encoders.free_idle(picture.time);
        encoded
    }

    /// Encodes so many pictures.
    fn run(&mut self, pictures: u32, wanted: &[u8]) -> Vec<EncodedFrame> {
        let mut all = Vec::new();
        for _ in 0..pictures {
            let picture = self.picture();
            all.extend(self.encode(&picture, wanted, LayerMask::NONE));
        }
        all
    }
}

fn layers(frames: &[EncodedFrame]) -> LayerMask {
    frames.iter().map(|frame| frame.layer).collect()
}

fn keys(frames: &[EncodedFrame]) -> Vec<u8> {
    frames.iter().filter(|frame| frame.key).map(|frame| frame.layer).collect()
}

#[test]
fn each_layer_shows_the_camera_in_its_size() {
    let mut bench = Bench::new(320, 180);
    bench.encoders.set_targets(three());
    let mut decoders = [(); 3].map(|()| Vp8Decoder::new().unwrap());
    let mut scaler = Scaler::new();
    let mut seen = [0; 3];
    for _ in 0..60 {
        let picture = bench.picture();
        scaler.begin();
        for frame in bench.encode(&picture, &ALL, LayerMask::NONE) {
            let size = [(80, 46), (160, 90), (320, 180)][usize::from(frame.layer)];
            assert_eq!((frame.width, frame.height), size);
            let decoded =
                decoders[usize::from(frame.layer)].decode(&frame.data, picture.time).unwrap().unwrap();
            scaler.scale(&picture, size).unwrap();
            let quality = psnr(scaler.get(&picture, size).unwrap(), &decoded);
            assert!(quality > 28.0, "layer {}: {quality:.1} dB", frame.layer);
            assert_eq!(frame.captured, picture.time);
            assert!(frame.timestamp.abs_diff((bench.next - 1) * 3_000) <= 1, "{}", frame.timestamp);
            seen[usize::from(frame.layer)] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count >= 55), "{seen:?}");
}

#[test]
fn only_what_is_listed_and_wanted_is_encoded() {
    let mut bench = Bench::new(160, 90);
    assert_eq!(
        layers(&bench.run(3, &ALL)),
        LayerMask::only(0),
        "the camera's own size, until targets are set"
    );
    bench.encoders.set_targets(three());
    assert_eq!(layers(&bench.run(3, &[1])), LayerMask::only(1));
    assert_eq!(layers(&bench.run(3, &[])), LayerMask::NONE);
    bench.encoders.set_targets(vec![target(2, 160, 90, 100), target(7, 160, 90, 100), target(2, 80, 44, 9)]);
    let frames = bench.run(3, &ALL);
    assert_eq!(layers(&frames), LayerMask::only(2));
    assert!(frames.iter().all(|frame| frame.width == 160), "the first target of a layer holds");
    bench.encoders.set_targets(Vec::new());
    assert_eq!(layers(&bench.run(3, &ALL)), LayerMask::NONE);
}

#[test]
fn a_new_rate_needs_no_key_frame_and_a_new_size_does() {
    let mut bench = Bench::new(320, 180);
    let mut rates = Vec::new();
    for kbps in [80, 25, 80] {
        bench.encoders.set_targets(vec![target(1, 320, 180, kbps)]);
        let frames = bench.run(120, &[1]);
        assert_eq!(keys(&frames).len(), usize::from(rates.is_empty()), "{kbps} kbit/s");
        let last: usize =
            frames.iter().filter(|f| f.timestamp >= (bench.next - 61) * 3_000).map(|f| f.data.len()).sum();
        rates.push(last as f64 * 8.0 / 2.0 / 1_000.0);
    }
    assert!(rates[1] < 35.0 && rates[0] > 1.5 * rates[1] && rates[2] > 1.5 * rates[1], "{rates:?}");
    bench.encoders.set_targets(vec![target(1, 160, 90, 100)]);
    let frames = bench.run(10, &[1]);
    assert!(frames[0].key && frames[0].width == 160);
    assert_eq!(keys(&frames), [1]);
}

#[test]
fn a_layer_that_comes_back_soon_goes_on_and_later_it_starts_anew() {
    let mut bench = Bench::new(320, 180);
    bench.encoders.set_targets(three());
    bench.run(90, &ALL);
    let small = three()[..2].to_vec();
    bench.encoders.set_targets(small.clone());
    assert!(!layers(&bench.run(60, &ALL)).contains(2));
    bench.encoders.set_targets(three());
    let after = bench.run(30, &ALL);
    assert!(keys(&after).is_empty(), "{:?}", keys(&after));
    // A quarter of a second of the 172 kbit/s that this size gets: the pause of two seconds is not made up for.
    let most = after.iter().filter(|frame| frame.layer == 2).map(|frame| frame.data.len()).max().unwrap();
    assert!(most < 172_000 / 8 / 4, "{most} bytes");
    bench.encoders.set_targets(small);
    bench.run(180, &ALL);
    bench.encoders.set_targets(three());
    assert_eq!(keys(&bench.run(10, &ALL)), [2]);
}

#[test]
fn a_forced_key_frame_is_of_its_layer_only() {
    let mut bench = Bench::new(320, 180);
    bench.encoders.set_targets(three());
    bench.run(10, &ALL);
    let picture = bench.picture();
    assert_eq!(keys(&bench.encode(&picture, &ALL, LayerMask::only(1))), [1]);
}

#[test]
fn each_layer_has_its_own_frame_rate() {
    let mut bench = Bench::new(160, 90);
    let slow = LayerTarget { framerate: 10, ..target(0, 80, 44, 60) };
    bench.encoders.set_targets(vec![slow, target(1, 160, 90, 200)]);
    let frames = bench.run(90, &ALL);
    let count = |layer| frames.iter().filter(|frame| frame.layer == layer).count();
    assert!((28..=34).contains(&count(0)) && count(1) >= 85, "{} {}", count(0), count(1));
}

#[test]
fn cameras_of_any_size_are_made_smaller_and_never_larger() {
    for (camera, sizes) in [
        ((161, 91), [(80, 46), (160, 90), (161, 91)]),
        ((90, 160), [(26, 46), (50, 90), (90, 160)]),
        ((64, 36), [(64, 36), (64, 36), (64, 36)]),
    ] {
        let mut bench = Bench::new(camera.0, camera.1);
        bench.encoders.set_targets(three());
        let frames = bench.run(1, &ALL);
        let got: Vec<_> = frames.iter().map(|frame| (frame.width, frame.height)).collect();
        assert_eq!(got, sizes, "{camera:?}");
    }
}

#[test]
fn another_camera_needs_key_frames_where_the_size_changes() {
    let mut bench = Bench::new(320, 180);
    bench.encoders.set_targets(vec![target(0, 160, 90, 100), target(1, 320, 180, 300)]);
    bench.run(10, &ALL);
    bench.scene = Scene::new(160, 90);
    let frames = bench.run(10, &ALL);
    assert_eq!(keys(&frames[..2]), [1], "the smaller layer kept its size");
    assert!(frames.iter().all(|frame| (frame.width, frame.height) == (160, 90)));
}

#[test]
fn figures_stay_right_while_layers_come_and_go() {
    let mut bench = Bench::new(320, 180);
    assert!(bench.encoders.stats(bench.start).is_empty());
    bench.encoders.set_targets(three());
    let mut frames = bench.run(90, &ALL);
    bench.encoders.set_targets(three()[..2].to_vec());
    frames.extend(bench.run(200, &[1]));
    bench.encoders.set_targets(vec![target(2, 160, 90, 40)]);
    frames.extend(bench.run(60, &[2]));
    let now = bench.start + Duration::from_secs(1) * bench.next / 30;
    let stats = bench.encoders.stats(now);
    assert_eq!(stats.iter().map(|layer| layer.layer).collect::<Vec<_>>(), ALL);
    for layer in &stats {
        let own: Vec<_> = frames.iter().filter(|frame| frame.layer == layer.layer).collect();
        let last = own.last().unwrap();
        assert_eq!(layer.frames_encoded, own.len() as u64);
        assert_eq!(layer.key_frames, own.iter().filter(|frame| frame.key).count() as u64);
        assert_eq!(layer.bytes, own.iter().map(|frame| frame.data.len() as u64).sum::<u64>());
        assert_eq!((layer.width, layer.height), (last.width, last.height));
        assert!(layer.cpu_seconds.is_none_or(|seconds| seconds > 0.0));
    }
    assert_eq!(stats.iter().map(|layer| layer.target_kbps).collect::<Vec<_>>(), [None, None, Some(40)]);
    assert_eq!(stats[0].bitrate_kbps, None);
    let measured = stats[2].bitrate_kbps.unwrap();
    assert!((20.0..80.0).contains(&measured), "{measured}");
}
