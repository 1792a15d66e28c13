//! Peers in mono and in stereo.

use bytes::Bytes;
use media_core::frame::SAMPLES_PER_BLOCK;

use super::*;
use crate::codec::opus::{AudioEncoder, Form, SAMPLES_PER_PACKET};

/// A peer and its packets, one in 20 ms.
struct Peer {
    input: AudioInput,
    receiver: AudioReceiver,
    mixer: Mixer,
    sent: u16,
    now: Instant,
}

impl Peer {
    fn new() -> Self {
        let (input, receiver) = audio_player();
        Self { input, receiver, mixer: Mixer::new(), sent: 0, now: Instant::now() }
    }

    /// Left and right of what is heard of these packets.
    fn hear(&mut self, packets: impl IntoIterator<Item = Bytes>) -> (Vec<f32>, Vec<f32>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for payload in packets {
            let packet = RtpPacket {
                ssrc: 1,
                sequence_number: self.sent,
                timestamp: u32::from(self.sent) * SAMPLES_PER_PACKET as u32,
                marker: false,
                payload,
                arrival: self.now,
            };
            self.sent += 1;
            self.input.push(packet, Kind::New);
            for _ in 0..2 {
                self.receiver.mix_into(&mut self.mixer, self.now, self.now);
                let mut mix = Block::silent(self.mixer.channels());
                self.mixer.finish(mix.samples_mut());
                left.extend(mix.pairs().map(|pair| pair[0]));
                right.extend(mix.pairs().map(|pair| pair[1]));
                self.now += Duration::from_millis(10);
            }
        }
        (left, right)
    }

    fn channels(&self) -> usize {
        self.receiver.buffer.channels()
    }
}

fn encoder(channels: usize) -> AudioEncoder {
    let form = if channels == 2 { Form::Music { channels } } else { Form::Voice };
    AudioEncoder::new(form, 64_000, 2, SAMPLES_PER_PACKET).unwrap()
}

/// A tone on the left side only, or in mono.
fn tone(encoder: &mut AudioEncoder, channels: usize, number: usize) -> Bytes {
    let sample = |n: usize| 0.4 * ((number * SAMPLES_PER_PACKET + n) as f32 * 0.05).sin();
    let frames = (0..SAMPLES_PER_PACKET).flat_map(|n| [sample(n), 0.0].into_iter().take(channels));
    encoder.encode(&frames.collect::<Vec<f32>>()).unwrap()
}

fn power(sound: &[f32]) -> f32 {
    sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32
}

#[test]
fn a_stereo_peer_is_heard_on_its_side_and_a_mono_one_on_both() {
    let (mut mono, mut stereo) = (encoder(1), encoder(2));
    let mut peer = Peer::new();
    let (left, right) = peer.hear((0..50).map(|n| tone(&mut mono, 1, n)));
    assert!(peer.channels() == 1 && left == right && power(&left[24_000..]) > 0.05);
    let (left, right) = peer.hear((0..50).map(|n| tone(&mut stereo, 2, n)));
    assert_eq!(peer.channels(), 2);
    assert!(power(&left[24_000..]) > 0.05 && power(&right[24_000..]) < 1e-4);
    // Back to mono, which is heard on both sides at once and costs one decoder's channel after a while.
    let (left, right) = peer.hear((0..200).map(|n| tone(&mut mono, 1, n)));
    assert_eq!(peer.channels(), 1);
    let part = 24_000..72_000;
    assert!((power(&left[part.clone()]) / power(&right[part]) - 1.0).abs() < 0.01);
}

#[test]
fn packets_that_take_turns_are_all_heard_by_one_decoder() {
    let (mut mono, mut stereo) = (encoder(1), encoder(2));
    let mut peer = Peer::new();
    let turns = |n: usize| if n.is_multiple_of(2) { tone(&mut mono, 1, n) } else { tone(&mut stereo, 2, n) };
    let (left, right) = peer.hear((0..100).map(turns));
    assert_eq!(peer.channels(), 2);
    assert!(power(&left[48_000..]) > 0.02 && left.iter().chain(&right).all(|s| s.abs() <= 1.0));
}

#[test]
fn garbage_among_stereo_packets_is_concealed_and_sound_goes_on() {
    let mut stereo = encoder(2);
    let mut peer = Peer::new();
    let mut random = media_core::sim::Rng::new(3);
    let mut packet = |n: usize| match n % 5 {
        // Too short for what its first byte promises, of eight channels, empty, anything.
        1 => Bytes::from_static(&[0xFF, 0x3F]),
        2 => [&[0xFC, 8, 5, 3], &tone(&mut stereo, 2, n)[..]].concat().into(),
        3 => Bytes::new(),
        4 => (0..100).map(|_| (random.unit() * 256.0) as u8).collect(),
        _ => tone(&mut stereo, 2, n),
    };
    let (left, right) = peer.hear((0..200).map(&mut packet));
    assert!(left.iter().chain(&right).all(|sample| sample.abs() <= 1.0));
    let (left, right) = peer.hear((0..100).map(|n| tone(&mut stereo, 2, n)));
    let late = left.len() - 20 * SAMPLES_PER_BLOCK..;
    assert!(power(&left[late.clone()]) > 0.05 && power(&right[late]) < 1e-3);
}
