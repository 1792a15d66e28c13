//! Whatever packets come: no panic, no endless loop, bounded memory, finite sound.

use std::time::Duration;

use bytes::Bytes;
use media_core::audio::jitter_buffer::JitterBufferConfig;
use media_core::rtp::RtpPacket;
use media_core::sim;
use proptest::prelude::*;

use crate::call::Listener;

proptest! {
    #[test]
    fn arbitrary_packets_do_no_harm(
        packets in prop::collection::vec(
            (
                (0_u32..3, any::<u16>(), any::<u32>(), any::<bool>()),
                prop::collection::vec(any::<u8>(), 0..10),
                0_u64..60,
                prop::bool::weighted(0.7),
            ),
            0..200,
        ),
    ) {
        let mut listener = Listener::new(JitterBufferConfig::default());
        let mut now = sim::epoch();
        for ((ssrc, sequence_number, timestamp, marker), payload, wait, near) in packets {
            now += Duration::from_millis(wait);
            // Most are near each other, or nothing would ever be played.
            let timestamp = if near { timestamp % 100_000 } else { timestamp };
            let ssrc = if near { 0 } else { ssrc };
            let payload = Bytes::from(payload);
            listener.insert(RtpPacket { ssrc, sequence_number, timestamp, marker, payload, arrival: now });
            listener.play(now);
            prop_assert!(listener.buffer.waiting_packets() <= 400);
        }
        for _ in 0..100 {
            now += Duration::from_millis(10);
            listener.play(now);
        }
        let stats = listener.stats();
        prop_assert!(stats.concealed_samples <= stats.total_samples_received);
        prop_assert!(stats.silent_concealed_samples <= stats.concealed_samples);
    }
}
