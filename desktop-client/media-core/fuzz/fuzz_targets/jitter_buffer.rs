//! An audio stream from a hostile sender: no panic, no spinning, bounded memory, finite sound.
//!
//! The input is a row of packets: flags, sequence number, timestamp (in 2.5 ms), milliseconds since the one before, length, payload.
#![no_main]

use std::time::Duration;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media_core::audio::jitter_buffer::{Action, JitterBuffer, JitterBufferConfig};
use media_core::rtp::RtpPacket;
use media_core::sim;

fuzz_target!(|bytes: &[u8]| {
    let mut buffer = JitterBuffer::new(JitterBufferConfig::default());
    let mut now = sim::epoch();
    let mut rest = bytes;
    while let [flags, sequence_number, time_high, time_low, wait, len, tail @ ..] = rest {
        let (payload, next) = tail.split_at(tail.len().min(usize::from(len & 31)));
        rest = next;
        let packet = RtpPacket {
            ssrc: u32::from(flags >> 6),
            sequence_number: u16::from(*sequence_number),
            timestamp: u32::from(u16::from_be_bytes([*time_high, *time_low]))
                .wrapping_mul(if flags & 2 != 0 { 120 } else { 65_537 }),
            marker: flags & 1 != 0,
            payload: Bytes::copy_from_slice(payload),
            arrival: now,
        };
        if flags & 16 != 0 {
            buffer.insert_copy(packet);
        } else {
            buffer.insert(packet);
        }
        assert!(buffer.waiting_packets() <= 400);
        for _ in 0..wait / 10 {
            now += Duration::from_millis(10);
            play(&mut buffer, *flags, now);
        }
    }
});

fn play(buffer: &mut JitterBuffer, flags: u8, now: std::time::Instant) {
    let mut orders = 0;
    // A decoder that is mono or stereo in turns.
    let channels = 1 + usize::from(flags >> 5 & 1);
    buffer.set_channels(channels);
    while let Some(action) = buffer.poll(now) {
        orders += 1;
        assert!(orders < 200);
        let samples = match action {
            Action::Decode { samples, .. }
            | Action::DecodeFec { samples, .. }
            | Action::Conceal { samples }
            | Action::ComfortNoise { samples } => samples as usize,
        };
        // A decoder that works, that fails, and that lies about lengths.
        match flags & 12 {
            0 | 4 => buffer.decoded(&vec![0.25; samples * channels], now),
            8 => buffer.decoded(&[], now),
            _ => buffer.decoded(&vec![f32::NAN; samples / 3 + 7_000], now),
        }
    }
    let mut block = vec![f32::NAN; 480 * channels];
    buffer.read(&mut block, now);
    assert!(block.iter().all(|sample| sample.is_finite()));
}
