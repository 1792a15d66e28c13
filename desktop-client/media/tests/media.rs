//! The media threads together: encoding once, switching things off and on, and things that fail.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use call_media::{
    CameraSource, DeviceKind, DeviceState, Media, MediaConfig, MediaEvent, MicrophoneSource, SpeakerSink,
    Subscription, VideoFormat,
};
use media_core::marks;
use media_core::video_receiver::ReceivedFrame;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(30);

const SMALL: VideoFormat = VideoFormat { width: 160, height: 90, framerate: 30 };

fn config() -> MediaConfig {
    MediaConfig {
        camera: Some(CameraSource::TestPattern(SMALL)),
        microphone: Some(MicrophoneSource::Tone(440.0)),
        camera_enabled: true,
        microphone_enabled: true,
        ..MediaConfig::default()
    }
}

fn start(config: MediaConfig) -> (Media, mpsc::Receiver<MediaEvent>) {
    let (sender, events) = mpsc::channel(64);
    (Media::start(config, sender).unwrap(), events)
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "{what} does not come");
        std::thread::sleep(Duration::from_millis(3));
    }
}

fn wait_for_state(
    events: &mut mpsc::Receiver<MediaEvent>,
    kind: DeviceKind,
    wanted: impl Fn(&DeviceState) -> bool,
) -> DeviceState {
    let mut found = None;
    wait("the state", || {
        while let Ok(event) = events.try_recv() {
            let (of, state) = match event {
                MediaEvent::CameraState(state) => (DeviceKind::Camera, state),
                MediaEvent::MicrophoneState(state) => (DeviceKind::Microphone, state),
                MediaEvent::SpeakerState(state) => (DeviceKind::Speaker, state),
                MediaEvent::Devices { .. } => continue,
            };
            if of == kind && wanted(&state) {
                found = Some(state);
                return true;
            }
        }
        false
    });
    found.unwrap()
}

fn running(state: &DeviceState) -> bool {
    matches!(state, DeviceState::Running { .. })
}

fn failure(state: DeviceState) -> String {
    match state {
        DeviceState::Failed(error) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_picture_is_encoded_once_however_many_receive_it() {
    let (media, _events) = start(config());
    wait("the camera", || media.stats().capture.frames > 3);
    assert!(media.stats().layers.is_empty(), "nobody is subscribed, nothing is encoded");
    let mut subscriptions: Vec<Subscription> = (0..5).map(|_| media.subscribe()).collect();
    let mut received = vec![0_u64; subscriptions.len()];
    let mut first = None;
    wait("thirty frames for each", || {
        for (subscription, count) in subscriptions.iter_mut().zip(&mut received) {
            while let Ok(frame) = subscription.video.try_recv() {
                assert!(*count > 0 || frame.key, "each starts with a key frame");
                *count += 1;
                first.get_or_insert_with(|| Arc::clone(&frame));
            }
        }
        received.iter().all(|count| *count >= 30)
    });
    let layer = media.stats().layers[0];
    let most = *received.iter().max().unwrap();
    assert!(layer.frames_encoded <= most + 8, "{layer:?} {received:?}");
    // All of them asked for a key frame to start with, which was the same one, or half a second apart.
    assert!(layer.key_frames <= 3, "{layer:?}");
    drop(subscriptions);
    let mut last = 0;
    wait("the end of encoding", || {
        let now = media.stats().layers[0].frames_encoded;
        let frames = media.stats().capture.frames;
        wait("more pictures", || media.stats().capture.frames > frames + 3);
        std::mem::replace(&mut last, now) == now
    });
}

#[test]
fn a_peer_that_asks_for_key_frames_all_the_time_gets_few() {
    let (media, _events) = start(config());
    let mut subscription = media.subscribe();
    let start = Instant::now();
    let (mut keys, mut frames) = (0, 0);
    wait("sixty frames", || {
        subscription.key_frames.request(0);
        subscription.key_frames.request(255);
        while let Ok(frame) = subscription.video.try_recv() {
            frames += 1;
            keys += u64::from(frame.key);
        }
        frames >= 60
    });
    let allowed = 2 + start.elapsed().as_millis() as u64 / 500;
    assert!(keys >= 2 && keys <= allowed, "{keys} of {frames}");
}

#[test]
fn the_camera_goes_off_and_comes_back_with_a_key_frame() {
    let (media, mut events) = start(config());
    let mut subscription = media.subscribe();
    let repaints = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&repaints);
    media.set_repaint(Arc::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    wait_for_state(&mut events, DeviceKind::Camera, running);
    wait("a frame", || subscription.video.try_recv().is_ok());
    wait("repaints", || repaints.load(Ordering::Relaxed) > 3);
    media.set_camera_enabled(false);
    wait_for_state(&mut events, DeviceKind::Camera, |state| *state == DeviceState::Idle);
    assert!(media.local_video().peek().is_none(), "no stale picture of one's own");
    assert_eq!(media.stats().capture.frames_per_second, None);
    while subscription.video.try_recv().is_ok() {}
    let captured = media.stats().capture.frames;
    media.set_camera_enabled(true);
    wait_for_state(&mut events, DeviceKind::Camera, running);
    let mut next = None;
    wait("a frame again", || {
        next = subscription.video.try_recv().ok();
        next.is_some()
    });
    assert!(next.unwrap().key);
    assert!(media.stats().capture.frames > captured);
    assert!(media.local_video().peek().is_some());
}

#[test]
fn the_microphone_goes_off_and_time_goes_on() {
    let (media, _events) = start(config());
    let mut subscription = media.subscribe();
    let mut packets = Vec::new();
    wait("sound", || {
        packets.extend(std::iter::from_fn(|| subscription.audio.try_recv().ok()));
        packets.len() > 10
    });
    assert!(packets.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) == 960));
    media.set_microphone_enabled(false);
    let encoded = media.stats().audio.packets_encoded;
    wait("a second of silence", || media.stats().audio.packets_encoded > encoded + 50);
    let muted: Vec<_> = std::iter::from_fn(|| subscription.audio.try_recv().ok()).collect();
    assert!(muted.len() < 35, "{} packets", muted.len());
    media.set_microphone_enabled(true);
    let mut spoken = Vec::new();
    wait("sound again", || {
        spoken.extend(std::iter::from_fn(|| subscription.audio.try_recv().ok()));
        spoken.iter().any(|packet| packet.data.len() > 20)
    });
    assert!(spoken.iter().any(|packet| packet.talk_spurt));
    let last = packets.last().unwrap().timestamp;
    assert!(spoken.last().unwrap().timestamp.wrapping_sub(last) >= 50 * 960);
}

#[test]
fn sources_that_cannot_be_opened_are_told_and_others_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let absent = |name: &str| folder.path().join(name);
    let (media, mut events) = start(MediaConfig {
        camera: Some(CameraSource::File { path: absent("absent.y4m"), marks: None }),
        microphone: Some(MicrophoneSource::File(absent("absent.wav"))),
        speaker: SpeakerSink::File(absent("no/folder.wav")),
        ..config()
    });
    let failed = |state: &DeviceState| matches!(state, DeviceState::Failed(_));
    // States of the three come in any order; each kind is looked at in an own run.
    let mut sentences = Vec::new();
    wait("three failures", || {
        while let Ok(event) = events.try_recv() {
            if let MediaEvent::CameraState(state)
            | MediaEvent::MicrophoneState(state)
            | MediaEvent::SpeakerState(state) = event
                && failed(&state)
            {
                sentences.push(failure(state));
            }
        }
        sentences.len() == 3
    });
    for name in ["absent.y4m", "absent.wav", "folder.wav"] {
        assert!(sentences.iter().any(|sentence| sentence.contains(name)), "{name}: {sentences:?}");
    }
    std::fs::write(absent("absent.y4m"), [b"YUV4MPEG2 W4 H4 F30:1\nFRAME\n".as_slice(), &[90; 24]].concat())
        .unwrap();
    media.retry(DeviceKind::Camera);
    wait_for_state(&mut events, DeviceKind::Camera, running);
    media.choose_camera(Some(CameraSource::TestPattern(SMALL)));
    wait_for_state(&mut events, DeviceKind::Camera, running);
    media.choose_microphone(Some(MicrophoneSource::Marks));
    wait_for_state(&mut events, DeviceKind::Microphone, running);
    media.choose_speaker(SpeakerSink::File(absent("mix.wav")));
    wait_for_state(&mut events, DeviceKind::Speaker, running);
    wait("a recording", || std::fs::metadata(absent("mix.wav")).is_ok_and(|file| file.len() > 40_000));
}

#[test]
fn there_is_no_camera_here_and_it_is_said() {
    if !call_media::DeviceList::query().cameras.is_empty() {
        // A machine with a camera: nothing to show.
        return;
    }
    let (_media, mut events) = start(MediaConfig { camera: Some(CameraSource::Device(None)), ..config() });
    let state =
        wait_for_state(&mut events, DeviceKind::Camera, |state| matches!(state, DeviceState::Failed(_)));
    assert_eq!(failure(state), "Camera: There is no camera. Plug one in, then press “Try again”.");
}

#[test]
fn a_damaged_frame_asks_for_help_and_leaves_the_last_picture() {
    let (media, _events) = start(config());
    let mut subscription = media.subscribe();
    let mut player = media.add_peer();
    let needs_help = player.decode_failed();
    let frame = |data: bytes::Bytes, key: bool| {
        let now = Instant::now();
        ReceivedFrame {
            data,
            key,
            dimensions: None,
            timestamp: 0,
            temporal_id: 0,
            first_packet_arrival: now,
            last_packet_arrival: now,
        }
    };
    let mut encoded = Vec::new();
    wait("frames", || {
        encoded.extend(std::iter::from_fn(|| subscription.video.try_recv().ok()));
        encoded.len() >= 3
    });
    player.push_video(frame(encoded[0].data.clone(), true));
    wait("a picture", || player.frames().peek().is_some());
    let before = player.frames().written();
    player.push_video(frame(encoded[1].data.slice(..encoded[1].data.len() / 3), false));
    player.push_video(frame(bytes::Bytes::from_static(b"not video"), false));
    player.push_video(frame(encoded[2].data.clone(), false));
    wait("the drops", || player.stats().video.frames_dropped >= 2);
    assert_eq!(player.frames().written(), before, "nothing smeared is shown");
    assert!(player.frames().peek().is_some());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(needs_help.notified());
    player.push_video(frame(encoded[0].data.clone(), true));
    wait("a new picture", || player.frames().written() > before);
}

#[test]
fn pictures_that_come_too_fast_are_dropped_up_to_a_key_frame() {
    let (media, _events) = start(config());
    let mut subscription = media.subscribe();
    let mut encoded = Vec::new();
    wait("frames", || {
        encoded.extend(std::iter::from_fn(|| subscription.video.try_recv().ok()));
        encoded.len() >= 20
    });
    let mut player = media.add_peer();
    let now = Instant::now();
    for _ in 0..200 {
        for frame in &encoded {
            player.push_video(ReceivedFrame {
                data: frame.data.clone(),
                key: frame.key,
                dimensions: None,
                timestamp: frame.timestamp,
                temporal_id: 0,
                first_packet_arrival: now,
                last_packet_arrival: now,
            });
        }
    }
    let total = 200 * encoded.len() as u64;
    wait("an end", || {
        let video = player.stats().video;
        video.frames_decoded + video.frames_dropped >= total
    });
    let video = player.stats().video;
    assert!(video.frames_decoded > 0 && video.frames_dropped > 0, "{video:?}");
}

#[test]
fn the_time_in_the_pattern_tells_the_latency() {
    let (media, _events) = start(config());
    let mut subscription = media.subscribe();
    let mut player = media.add_peer();
    wait("latency", || {
        while let Ok(frame) = subscription.video.try_recv() {
            let now = Instant::now();
            player.push_video(ReceivedFrame {
                data: frame.data.clone(),
                key: frame.key,
                dimensions: None,
                timestamp: frame.timestamp,
                temporal_id: 0,
                first_packet_arrival: now,
                last_packet_arrival: now,
            });
        }
        player.stats().video.latency_ms.is_some() && player.stats().video.frames_decoded > 20
    });
    let latency = player.stats().video.latency_ms.unwrap();
    assert!(latency.p50 >= 0.0 && latency.p50 < 5_000.0, "{latency:?}");
    let picture = player.frames().peek().unwrap();
    assert!(marks::video::read(&picture).is_some());
}

#[test]
fn stopping_is_quick_even_with_everything_running() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let (media, _events) =
            start(MediaConfig { speaker: SpeakerSink::File(folder.path().join("mix.wav")), ..config() });
        let subscription = media.subscribe();
        let player = media.add_peer();
        media.watch_devices(true);
        wait("a picture", || media.local_video().peek().is_some());
        drop(media);
        // What outlives it is harmless.
        drop((subscription, player));
    }
}

#[test]
fn a_microphone_that_stands_by_is_open_while_it_is_off_and_closed_afterwards() {
    let (media, mut events) = start(MediaConfig { microphone_enabled: false, ..config() });
    media.set_microphone_stand_by(true);
    wait_for_state(&mut events, DeviceKind::Microphone, running);
    let mut subscription = media.subscribe();
    let silent = |level: f32| level < -100.0;
    let mut heard = 0;
    wait("silence, sparsely", || {
        while let Ok(packet) = subscription.audio.try_recv() {
            assert!(silent(packet.level_dbfs), "{} dBFS while it is off", packet.level_dbfs);
            heard += 1;
        }
        heard > 1
    });
    media.set_microphone_enabled(true);
    wait("the tone", || subscription.audio.try_recv().is_ok_and(|packet| !silent(packet.level_dbfs)));
    media.set_microphone_enabled(false);
    drop(subscription);
    media.set_microphone_stand_by(false);
    wait_for_state(&mut events, DeviceKind::Microphone, |state| *state == DeviceState::Idle);
}
