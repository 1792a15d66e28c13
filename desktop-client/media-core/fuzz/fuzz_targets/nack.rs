//! Sequence numbers from a hostile sender: no panic, no spinning, bounded memory, bounded requests.
//!
//! The input is a row of facts: flags, two bytes, milliseconds since the one before.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use media_core::nack::{NackConfig, NackGenerator, NackInput, NackOutput};
use media_core::sim;

fuzz_target!(|bytes: &[u8]| {
    let mut generator = NackGenerator::new(NackConfig::default());
    let mut now = sim::epoch();
    let (chunks, _) = bytes.as_chunks::<4>();
    for [flags, high, low, wait] in chunks {
        now += Duration::from_millis(u64::from(*wait));
        let number = u16::from_be_bytes([*high, *low]);
        let input = match flags & 7 {
            0..=3 => NackInput::Packet { sequence_number: number, retransmitted: false },
            4 => NackInput::Packet { sequence_number: number, retransmitted: true },
            5 => NackInput::Through(number),
            6 => NackInput::RoundTripTime(Duration::from_millis(u64::from(number))),
            _ => NackInput::Tick,
        };
        generator.handle(input, now);
        while let Some(NackOutput::Request(numbers)) = generator.poll_output() {
            assert!((1..=250).contains(&numbers.len()));
        }
        assert!(generator.poll_timeout().is_none_or(|at| at > now));
        assert!(generator.missing() <= 1_000);
    }
});
