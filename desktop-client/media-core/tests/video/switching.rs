//! A peer whose layer changes sees one unbroken stream.

use std::time::Duration;

use media_core::frame::EncodedFrame;
use media_core::rtp::{RtpPacket, timestamp_diff};
use media_core::sim::{self, Rng};
use media_core::video_receiver::{
    VideoReceiver, VideoReceiverConfig, VideoReceiverInput, VideoReceiverOutput,
};
use media_core::vp8::packetizer::{Packetizer, PacketizerStart};
use media_core::vp8::payload::{PayloadDescriptor, PictureId};
use media_core::vp8::selector::{FrameSelector, Selection};

/// One picture of the camera in one layer: temporal layers 0 1 0 1 …, every upper frame syncs.
fn encode(layer: u8, index: u64, key: bool) -> EncodedFrame {
    let header: &[u8] = if key { &[0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 2, 0x68, 1] } else { &[0x11, 0, 0] };
    let temporal_id = if key { 0 } else { (index % 2) as u8 };
    EncodedFrame {
        layer,
        data: header
            .iter()
            .copied()
            .chain(std::iter::repeat(layer))
            .take(900 * (usize::from(layer) + 1))
            .collect(),
        key,
        temporal_id,
        layer_sync: temporal_id > 0,
        discardable: temporal_id > 0,
        timestamp: (index * 3_000) as u32,
        captured: sim::epoch() + Duration::from_micros(33_333 * index),
        width: 640,
        height: 360,
    }
}

/// Sends with a random layer and temporal limit every ten pictures; the encoder obeys key-frame wishes with the next picture. Gives what was sent.
fn switching_stream(pictures: u64) -> (Vec<RtpPacket>, u64, u64) {
    let mut rng = Rng::new(4);
    let mut selector = FrameSelector::new(0);
    let mut packetizer =
        Packetizer::new(PacketizerStart { picture_id: 0x7FF0, ..PacketizerStart::default() });
    let (mut packets, mut frames, mut switches) = (Vec::new(), 0, 0);
    for index in 0..pictures {
        if index % 10 == 0 {
            selector.set_target(Some(rng.below(3) as u8), rng.below(2) as u8);
        }
        let wanted = selector.wants_key_frame();
        let before = selector.current_layer();
        for layer in 0..3 {
            let frame = encode(layer, index, wanted == Some(layer));
            if selector.select(&frame) == Selection::Send {
                frames += 1;
                packets.extend(packetizer.packetize(&frame).into_iter().map(|p| RtpPacket {
                    ssrc: 1,
                    sequence_number: p.sequence_number,
                    timestamp: p.timestamp,
                    marker: p.marker,
                    payload: p.payload,
                    arrival: frame.captured,
                }));
            }
        }
        switches += u64::from(before.is_some() && before != selector.current_layer());
    }
    (packets, frames, switches)
}

#[test]
fn across_a_hundred_switches_nothing_is_missing_and_no_key_frame_is_asked_for() {
    let (packets, frames, switches) = switching_stream(2_000);
    assert!(switches > 100, "{switches}");
    let mut receiver = VideoReceiver::new(VideoReceiverConfig::default());
    let mut emitted = 0;
    for packet in packets {
        let now = packet.arrival;
        receiver.handle(VideoReceiverInput::Packet(packet), now);
        while let Some(output) = receiver.poll_output() {
            assert_ne!(output, VideoReceiverOutput::RequestKeyFrame);
            emitted += 1;
        }
    }
    assert_eq!(emitted, frames);
}

#[test]
fn numbers_never_skip_and_time_never_stands_still() {
    let (packets, _, _) = switching_stream(2_000);
    let starts: Vec<(PayloadDescriptor, u32)> = packets
        .iter()
        .filter_map(|p| {
            PayloadDescriptor::parse(&p.payload).ok().map(|(descriptor, _)| (descriptor, p.timestamp))
        })
        .filter(|(descriptor, _)| descriptor.starts_frame())
        .collect();
    assert!(
        packets.windows(2).all(|pair| pair[1].sequence_number == pair[0].sequence_number.wrapping_add(1))
    );
    for pair in starts.windows(2) {
        let [(before, earlier), (after, later)] = pair else { continue };
        let id = |descriptor: &PayloadDescriptor| descriptor.picture_id.unwrap_or(PictureId::Short(0));
        assert_eq!(id(after).distance_from(id(before)), 1);
        let base = after.temporal.is_some_and(|temporal| temporal.id == 0);
        let expected = before.tl0_pic_idx.map(|tl0| tl0.wrapping_add(u8::from(base)));
        assert_eq!(after.tl0_pic_idx, expected);
        assert!(timestamp_diff(*later, *earlier) > 0);
    }
}
