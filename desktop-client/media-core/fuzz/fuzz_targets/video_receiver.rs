//! A video stream from a hostile sender: no panic, no spinning, bounded memory, and the first frame is a key frame.
//!
//! The input is a row of packets: flags, sequence number, timestamp, milliseconds since the one before, length, payload.
#![no_main]

use std::time::Duration;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media_core::rtp::RtpPacket;
use media_core::sim;
use media_core::video_receiver::{
    VideoReceiver, VideoReceiverConfig, VideoReceiverInput, VideoReceiverOutput,
};

fuzz_target!(|bytes: &[u8]| {
    let mut receiver = VideoReceiver::new(VideoReceiverConfig::default());
    let mut now = sim::epoch();
    let mut started = false;
    let mut rest = bytes;
    while let [flags, seq_high, seq_low, timestamp, wait, len, tail @ ..] = rest {
        let (payload, next) = tail.split_at(tail.len().min(usize::from(*len)));
        rest = next;
        now += Duration::from_millis(u64::from(*wait));
        let packet = RtpPacket {
            ssrc: u32::from(flags >> 6),
            sequence_number: u16::from_be_bytes([*seq_high, *seq_low]),
            timestamp: u32::from(*timestamp) * 1_000,
            marker: flags & 1 != 0,
            payload: Bytes::copy_from_slice(payload),
            arrival: now,
        };
        let input = match flags & 6 {
            2 if flags & 8 != 0 => VideoReceiverInput::DecodeFailed,
            4 if flags & 8 != 0 => VideoReceiverInput::Tick,
            _ => VideoReceiverInput::Packet(packet),
        };
        receiver.handle(input, now);
        while let Some(output) = receiver.poll_output() {
            if let VideoReceiverOutput::Frame(frame) = output {
                assert!(started || frame.key);
                started = true;
            }
        }
        assert!(receiver.poll_timeout().is_none_or(|at| at > now));
        assert!(receiver.held_bytes() <= 13 << 20);
    }
});
