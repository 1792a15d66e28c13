//! How loud a peer is made.

use std::f32::consts::TAU;

use media_core::audio::level::level;
use media_core::frame::SAMPLES_PER_BLOCK;

use super::*;
use crate::audio::block::MonoBlock;
use crate::codec::opus::{AudioEncoder, Form, SAMPLES_PER_PACKET};

/// A quarter of a second and more: a jitter buffer has begun to play by then.
const START: usize = 30;

/// Plays a tone to a mixer, a packet for every other block.
struct Peer {
    input: AudioInput,
    receiver: AudioReceiver,
    encoder: AudioEncoder,
    mixer: Mixer,
    now: Instant,
    blocks: usize,
}

impl Peer {
    fn new() -> Self {
        let (input, receiver) = audio_player();
        let encoder = AudioEncoder::new(Form::Voice, 64_000, 0, SAMPLES_PER_PACKET).unwrap();
        Self { input, receiver, encoder, mixer: Mixer::new(), now: Instant::now(), blocks: 0 }
    }

    fn block(&mut self) -> MonoBlock {
        if self.blocks.is_multiple_of(2) {
            let first = self.blocks * SAMPLES_PER_BLOCK;
            let sample = |n: usize| ((first + n) as f32 * 440.0 / 48_000.0 * TAU).sin() * 0.2;
            let tone: Vec<f32> = (0..SAMPLES_PER_PACKET).map(sample).collect();
            let payload = self.encoder.encode(&tone).unwrap();
            let packet = RtpPacket {
                ssrc: 1,
                sequence_number: (self.blocks / 2) as u16,
                timestamp: first as u32,
                marker: first == 0,
                payload,
                arrival: self.now,
            };
            self.input.push(packet, Kind::New);
        }
        self.blocks += 1;
        self.now += Duration::from_millis(10);
        self.receiver.mix_into(&mut self.mixer, self.now, self.now);
        let mut block = [0.0; SAMPLES_PER_BLOCK];
        self.mixer.finish(&mut block);
        block
    }

    /// Level of the mix over the next tenth of a second, in dBFS.
    fn level(&mut self) -> f32 {
        let mix: Vec<f32> = (0..10).flat_map(|_| self.block()).collect();
        level(&mix).rms_dbfs
    }
}

#[test]
fn the_volume_changes_what_is_mixed_and_not_what_is_said_of_the_voice() {
    let mut peer = Peer::new();
    for _ in 0..START {
        peer.block();
    }
    let original = peer.level();
    assert!((original + 17.0).abs() < 1.5, "a sine of amplitude 0.2: {original} dBFS");
    let mut at = |gain: f32| {
        peer.input.shared().set_volume(gain);
        // The change is spread over a block.
        peer.block();
        let level = peer.level();
        (level, peer.input.shared().voice_level(peer.now))
    };
    let (double, voice) = at(2.0);
    assert!((double - original - 6.02).abs() < 0.5, "{double} against {original}");
    assert!(voice.is_some_and(|voice| (voice - original).abs() < 1.0), "{voice:?}");
    let (half, _) = at(0.5);
    assert!((half - original + 6.02).abs() < 0.5, "{half} against {original}");
    let (silent, voice) = at(0.0);
    assert!(silent < -120.0, "{silent}");
    assert!(voice.is_some(), "who is not heard speaks all the same");
    let (back, _) = at(1.0);
    assert!((back - original).abs() < 0.5, "{back} against {original}");
}

#[test]
fn who_is_silenced_before_the_first_packet_is_never_heard() {
    let mut peer = Peer::new();
    peer.input.shared().set_volume(0.0);
    for _ in 0..START {
        assert!(peer.block().iter().all(|sample| *sample == 0.0));
    }
    peer.input.shared().set_volume(f32::NAN);
    assert!(peer.block().iter().all(|sample| *sample == 0.0));
}
