//! What one side encodes, the other decodes: pictures and sound, within one process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::time::{Duration, Instant};

use call_media::{
    CameraSource, Media, MediaConfig, MicrophoneSource, PeerPlayer, SpeakerSink, Subscription, VideoFormat,
};
use media_core::audio::encodings::SoundMode;
use media_core::audio::opus_packet;
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

#[test]
fn music_is_switched_on_and_off_while_a_peer_listens() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&clip, spec).unwrap();
    for n in 0..48_000 {
        writer.write_sample((8_000.0 * (n as f32 * 0.06).sin()) as i16).unwrap();
        writer.write_sample(0_i16).unwrap();
    }
    writer.finalize().unwrap();
    let heard = folder.path().join("heard.wav");
    let config = MediaConfig {
        microphone: Some(MicrophoneSource::File(clip)),
        speaker: SpeakerSink::StereoFile(heard.clone()),
        microphone_enabled: true,
        ..MediaConfig::default()
    };
    let media = Media::start(config, mpsc::channel(64).0).unwrap();
    let mut subscription = media.subscribe();
    let mut player = media.add_peer();
    let mut sequence_number = 0;
    for (mode, stereo) in [(SoundMode::Voice, false), (SoundMode::Music, true), (SoundMode::Voice, false)] {
        media.set_sound_mode(mode);
        assert_eq!(media.sound_mode(), mode);
        // A second of packets of the right kind, after those that were on their way.
        let mut right = 0;
        let deadline = Instant::now() + Duration::from_secs(20);
        while right < 50 {
            assert!(Instant::now() < deadline, "{mode:?}: {right} packets");
            let Ok(packet) = subscription.audio.try_recv() else {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            };
            let is_right = opus_packet::is_stereo(&packet.data) == stereo;
            assert!(is_right || right == 0, "packets take turns");
            right += u32::from(is_right);
            player.push_audio(RtpPacket {
                ssrc: 1,
                sequence_number,
                timestamp: packet.timestamp,
                marker: packet.talk_spurt,
                payload: packet.data.clone(),
                arrival: Instant::now(),
            });
            sequence_number += 1;
        }
    }
    drop(media);
    // In the recording: the middle, the left side, the middle.
    let samples: Vec<f32> = hound::WavReader::open(&heard)
        .unwrap()
        .samples::<i16>()
        .map(|sample| sample.unwrap().into())
        .collect();
    let level = |tenth: &[f32], side: usize| {
        let squares = tenth.iter().skip(side).step_by(2).map(|sample| sample * sample);
        (squares.sum::<f32>() / 4_800.0).sqrt()
    };
    let kinds: Vec<char> = samples
        .chunks_exact(9_600)
        .map(|tenth| match (level(tenth, 0), level(tenth, 1)) {
            (left, right) if left > 1_000.0 && (left / right - 1.0).abs() < 0.05 => 'm',
            (left, right) if left > 3_000.0 && right < 100.0 => 'l',
            _ => '-',
        })
        .collect();
    let mut order: Vec<char> = kinds.iter().copied().filter(|kind| *kind != '-').collect();
    order.dedup();
    assert_eq!(order, ['m', 'l', 'm'], "{kinds:?}");
    let counted = |kind| kinds.iter().filter(|other| **other == kind).count();
    assert!(counted('l') >= 7 && counted('m') >= 12, "{kinds:?}");
}
