//! What one side encodes, the other decodes: pictures and sound, within one process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::time::{Duration, Instant};

use call_media::{CameraSource, Media, MediaConfig, MicrophoneSource, PeerPlayer, Subscription, VideoFormat};
use media_core::rtp::RtpPacket;
use media_core::video_receiver::ReceivedFrame;
use tokio::sync::mpsc;

fn start() -> Media {
    let format = VideoFormat { width: 320, height: 180, framerate: 30 };
    let config = MediaConfig {
        camera: Some(CameraSource::TestPattern(format)),
        microphone: Some(MicrophoneSource::Tone(440.0)),
        camera_enabled: true,
        microphone_enabled: true,
        ..MediaConfig::default()
    };
    Media::start(config, mpsc::channel(64).0).unwrap()
}

/// Moves everything from the subscription to the player, as a lossless network would, until `done`.
fn transport(
    subscription: &mut Subscription,
    player: &mut PeerPlayer,
    mut done: impl FnMut(&PeerPlayer) -> bool,
) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut sequence_number = 0;
    while !done(player) {
        assert!(Instant::now() < deadline, "gave up: {:?}", player.stats());
        while let Ok(frame) = subscription.video.try_recv() {
            let (data, key, timestamp) = (frame.data.clone(), frame.key, frame.timestamp);
            let now = Instant::now();
            player.push_video(ReceivedFrame {
                data,
                key,
                dimensions: key.then_some((frame.width, frame.height)),
                timestamp,
                temporal_id: frame.temporal_id,
                first_packet_arrival: now,
                last_packet_arrival: now,
            });
        }
        while let Ok(packet) = subscription.audio.try_recv() {
            let (payload, timestamp) = (packet.data.clone(), packet.timestamp);
            player.push_audio(RtpPacket {
                ssrc: 1,
                sequence_number,
                timestamp,
                marker: packet.talk_spurt,
                payload,
                arrival: Instant::now(),
            });
            sequence_number += 1;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_peer_sees_and_hears_what_is_sent() {
    let media = start();
    let mut subscription = media.subscribe();
    let mut player = media.add_peer();
    transport(&mut subscription, &mut player, |player| {
        let stats = player.stats();
        stats.video.frames_decoded >= 20 && stats.audio.total_samples_received >= 24_000
    });
    let picture = player.frames().peek().unwrap();
    assert_eq!((picture.width(), picture.height()), (320, 180));
    assert!(media.local_video().peek().is_some());
    let layers = media.stats().layers;
    assert_eq!(layers.len(), 1);
    assert!(layers[0].key_frames >= 1 && layers[0].frames_encoded >= 20);
}
