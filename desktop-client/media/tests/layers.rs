//! Subscriptions that choose their layers, with the media threads running.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use call_media::{CameraSource, LayerMask, LayerTarget, Media, MediaConfig, Subscription, VideoFormat};
use media_core::frame::EncodedFrame;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(30);

fn start() -> Media {
    let format = VideoFormat { width: 320, height: 180, framerate: 30 };
    let config = MediaConfig {
        camera: Some(CameraSource::TestPattern(format)),
        camera_enabled: true,
        ..MediaConfig::default()
    };
    let media = Media::start(config, mpsc::channel(64).0).unwrap();
    media.set_layers(three());
    media
}

fn three() -> Vec<LayerTarget> {
    let target = |layer, width, height, kbps| LayerTarget { layer, width, height, kbps, framerate: 30 };
    vec![target(0, 80, 44, 60), target(1, 160, 90, 120), target(2, 320, 180, 400)]
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "{what} does not come");
        std::thread::sleep(Duration::from_millis(3));
    }
}

fn drain(subscription: &mut Subscription) -> Vec<Arc<EncodedFrame>> {
    std::iter::from_fn(|| subscription.video.try_recv().ok()).collect()
}

/// The next frame of a layer, and whatever comes before it.
fn until(subscription: &mut Subscription, layer: u8) -> Vec<Arc<EncodedFrame>> {
    let mut frames = Vec::new();
    wait("a frame of the layer", || {
        frames.extend(drain(subscription));
        frames.iter().any(|frame| frame.layer == layer)
    });
    frames
}

fn encoded(media: &Media, layer: u8) -> u64 {
    let layers = media.stats().layers;
    layers.iter().find(|stats| stats.layer == layer).map_or(0, |stats| stats.frames_encoded)
}

#[test]
fn each_peer_gets_the_layers_that_it_chose_and_nothing_else_is_encoded() {
    let media = start();
    let mut small = media.subscribe();
    let mut large = media.subscribe();
    assert_eq!(small.layers.get(), LayerMask::only(0));
    large.layers.set(LayerMask::only(2));
    let mut counts = [0, 0];
    wait("thirty frames for each", || {
        for (subscription, (count, layer)) in
            [&mut small, &mut large].into_iter().zip(counts.iter_mut().zip([0, 2]))
        {
            for frame in drain(subscription) {
                // The choice may come after the first picture.
                assert!(frame.layer == layer || *count == 0, "{}", frame.layer);
                *count += u32::from(frame.layer == layer);
            }
        }
        counts.iter().all(|count| *count >= 30)
    });
    assert_eq!(encoded(&media, 1), 0, "nobody wants it");
    let load = media.stats().encode_load.unwrap();
    assert!(load > 0.0, "{load}");
    let stats = media.stats();
    assert_eq!((stats.capture.width, stats.capture.height), (Some(320), Some(180)));
    for layer in &stats.layers {
        assert!(layer.target_kbps.is_some() && layer.bitrate_kbps.is_some(), "{layer:?}");
    }
}

#[test]
fn a_layer_that_is_chosen_later_begins_with_a_key_frame_while_the_old_one_goes_on() {
    let media = start();
    let mut subscription = media.subscribe();
    let mut other = media.subscribe();
    other.layers.set(LayerMask::only(1));
    until(&mut subscription, 0);
    until(&mut other, 1);
    drain(&mut other);
    subscription.layers.set([0, 1].into_iter().collect());
    let frames = until(&mut subscription, 1);
    let first = frames.iter().find(|frame| frame.layer == 1).unwrap();
    assert!(first.key);
    assert!(frames.iter().all(|frame| frame.layer == 1 || !frame.key), "the old layer needs none");
    subscription.layers.set(LayerMask::only(1));
    wait("the end of the old layer", || {
        let frames = drain(&mut subscription);
        frames.iter().any(|frame| frame.layer == 1) && frames.iter().all(|frame| frame.layer == 1)
    });
}

#[test]
fn a_peer_over_its_budget_is_told_of() {
    let media = start();
    let subscription = media.subscribe();
    let mut subscription = subscription;
    let key_frames = subscription.key_frames.clone();
    wait("a request over the budget", || {
        drain(&mut subscription);
        key_frames.request(0);
        key_frames.over_budget(0) > 0
    });
    assert_eq!(key_frames.over_budget(1) + key_frames.over_budget(255), 0);
}

#[test]
fn an_empty_list_encodes_nothing_and_a_new_list_starts_again() {
    let media = start();
    let mut subscription = media.subscribe();
    until(&mut subscription, 0);
    media.set_layers(Vec::new());
    wait("rest", || media.stats().encode_load.is_none());
    let before = (encoded(&media, 0), media.stats().capture.frames);
    wait("more pictures", || media.stats().capture.frames > before.1 + 5);
    assert_eq!(encoded(&media, 0), before.0);
    assert_eq!(media.stats().layers[0].target_kbps, None);
    drain(&mut subscription);
    media.set_layers(three());
    until(&mut subscription, 0);
}

#[test]
fn figures_of_now_end_with_the_camera() {
    let media = start();
    let mut subscription = media.subscribe();
    until(&mut subscription, 0);
    wait("a load", || media.stats().encode_load.is_some());
    media.set_camera_enabled(false);
    wait("an end", || {
        let stats = media.stats();
        stats.encode_load.is_none() && stats.layers[0].bitrate_kbps.is_none() && stats.capture.width.is_none()
    });
    assert!(media.stats().layers[0].frames_encoded > 0, "what was counted stays");
}
