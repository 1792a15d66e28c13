//! Whatever packets come, in whatever order: exactly the decodable frames go out, nothing panics, nothing spins.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::sender::{Pattern, Sender};
use bytes::Bytes;
use media_core::rtp::RtpPacket;
use media_core::sim::{self, Rng};
use media_core::video_receiver::{
    VideoReceiver, VideoReceiverConfig, VideoReceiverInput, VideoReceiverOutput,
};
use proptest::prelude::*;

/// Sends a stream at one instant, with some packets lost and all shuffled, and gives (frames that can be decoded, frames that came out).
fn shuffle_and_lose(pattern: Pattern, frames: usize, loss: f64, seed: u64) -> (BTreeSet<u32>, Vec<u32>) {
    let mut rng = Rng::new(seed);
    let mut sender = Sender::new(pattern, 2_500);
    let mut decodable = BTreeSet::new();
    let mut packets = Vec::new();
    for index in 0..frames {
        let (id, frame, references) =
            sender.next_frame(sim::epoch() + Duration::from_millis(33 * index as u64));
        let all = sender.packets(&frame, sim::epoch());
        // The first frame always comes, or nothing would.
        let kept: Vec<RtpPacket> = all.iter().filter(|_| frame.key || !rng.chance(loss)).cloned().collect();
        if kept.len() == all.len() && references.is_subset(&decodable) {
            decodable.insert(id);
        }
        packets.extend(kept);
    }
    rng.shuffle(&mut packets);
    let mut receiver = VideoReceiver::new(VideoReceiverConfig::default());
    let packets = packets.into_iter().map(VideoReceiverInput::Packet);
    packets.for_each(|packet| receiver.handle(packet, sim::epoch()));
    receiver.handle(VideoReceiverInput::Tick, sim::epoch() + Duration::from_millis(50));
    let emitted = std::iter::from_fn(|| receiver.poll_output()).filter_map(|output| match output {
        VideoReceiverOutput::Frame(frame) => Some(crate::sender::number(&frame)),
        VideoReceiverOutput::RequestKeyFrame => None,
    });
    (decodable, emitted.collect())
}

fn arbitrary_packet() -> impl Strategy<Value = RtpPacket> {
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..24),
        // Looks like a frame.
        (any::<bool>(), any::<[u8; 6]>()).prop_map(|(key, id)| {
            let mut payload = vec![0x90, 0xE0, 0x80 | id[0], id[1], id[2], id[3] & 0xE0];
            payload.extend(if key {
                &[0x10, 0, 0, 0x9D, 1, 0x2A, 64, 0, 64, 0][..]
            } else {
                &[0x11, 0, 0][..]
            });
            payload
        }),
    ];
    (0_u32..3, any::<u16>(), 0_u32..4, any::<bool>(), payload).prop_map(
        |(ssrc, sequence_number, frame, marker, payload)| RtpPacket {
            ssrc,
            sequence_number: sequence_number % 2_000,
            timestamp: frame * 3_000,
            marker,
            payload: Bytes::from(payload),
            arrival: sim::epoch(),
        },
    )
}

proptest! {
    #[test]
    fn exactly_the_decodable_frames_come_out_in_order(
        pattern in prop::sample::select(vec![Pattern::Single, Pattern::Bare, Pattern::TwoLayers]),
        frames in 1_usize..60,
        loss in prop::sample::select(vec![0.0, 0.01, 0.05, 0.3]),
        seed in any::<u64>(),
    ) {
        let (decodable, emitted) = shuffle_and_lose(pattern, frames, loss, seed);
        prop_assert_eq!(emitted, decodable.into_iter().collect::<Vec<_>>());
    }

    /// With three layers a receiver cannot know which layer a lost frame was of, so it may have to pass over a frame that could be decoded; never the other way round.
    #[test]
    fn with_three_layers_no_undecodable_frame_comes_out(
        frames in 1_usize..60,
        loss in prop::sample::select(vec![0.0, 0.01, 0.05, 0.3]),
        seed in any::<u64>(),
    ) {
        let (decodable, emitted) = shuffle_and_lose(Pattern::ThreeLayers, frames, loss, seed);
        prop_assert!(emitted.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(emitted.iter().all(|id| decodable.contains(id)));
        if loss == 0.0 {
            prop_assert_eq!(emitted.len(), frames);
        }
    }

    #[test]
    fn arbitrary_packets_neither_panic_nor_make_it_spin(
        packets in prop::collection::vec((arbitrary_packet(), 0_u64..100), 0..300),
    ) {
        let mut receiver = VideoReceiver::new(VideoReceiverConfig::default());
        let mut now = sim::epoch();
        for (packet, wait) in packets {
            now += Duration::from_millis(wait);
            receiver.handle(VideoReceiverInput::Packet(RtpPacket { arrival: now, ..packet }), now);
            while receiver.poll_output().is_some() {}
            prop_assert!(receiver.poll_timeout().is_none_or(|at| at > now), "a timeout that is already due");
        }
        let stats = receiver.stats();
        prop_assert!(stats.frames_emitted <= stats.packets_received);
        prop_assert!(stats.pli_count <= 1 + now.duration_since(sim::epoch()).as_millis() as u64 / 300);
    }
}

#[test]
fn memory_stays_bounded_when_no_frame_ever_becomes_decodable() {
    let mut receiver = VideoReceiver::new(VideoReceiverConfig::default());
    let payload = Bytes::from([&[0x10, 0x11, 0, 0][..], &[0; 1_000]].concat());
    let mut now = sim::epoch();
    for i in 0..100_000_u32 {
        now += Duration::from_millis(1);
        // Every third packet is missing; half of the rest are whole frames that wait for a key frame.
        let packet = RtpPacket {
            ssrc: 1,
            sequence_number: (i * 3 / 2) as u16,
            timestamp: i,
            marker: i % 2 == 0,
            payload: payload.clone(),
            arrival: now,
        };
        receiver.handle(VideoReceiverInput::Packet(packet), now);
        while receiver.poll_output().is_some() {}
        assert!(receiver.held_bytes() <= 13 << 20, "{} bytes", receiver.held_bytes());
    }
    assert!(receiver.stats().frames_dropped > 30_000);
}
