//! A camera whose frames say what they are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bytes::Bytes;
use media_core::frame::EncodedFrame;
use media_core::rtp::{OutgoingPacket, RtpPacket};
use media_core::sim::{self, Rng};
use media_core::video_receiver::ReceivedFrame;
use media_core::vp8::packetizer::{Packetizer, PacketizerStart};
use media_core::vp8::payload::PayloadDescriptor;

/// Temporal structure of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Each frame refers to the one before.
    Single,
    /// The same, in packets that carry no picture id or layer.
    Bare,
    /// 0 1 0 1 …
    TwoLayers,
    /// 0 2 1 2 …
    ThreeLayers,
}

impl Pattern {
    fn temporal_id(self, index: usize) -> u8 {
        match self {
            Self::Single | Self::Bare => 0,
            Self::TwoLayers => [0, 1][index % 2],
            Self::ThreeLayers => [0, 2, 1, 2][index % 4],
        }
    }

    /// Upper layers sync every eight frames, and build on their own past between, as libvpx's usual patterns do.
    fn syncs(self, index: usize) -> bool {
        self.temporal_id(index) > 0 && index % 8 < 4
    }
}

/// Makes frames whose content says which frame they are and which they refer to.
#[derive(Debug)]
pub struct Sender {
    pattern: Pattern,
    bytes: usize,
    index: usize,
    since_key: usize,
    /// The newest frame of each temporal layer.
    newest: BTreeMap<u8, u32>,
    packetizer: Packetizer,
    ssrc: u32,
    /// The next frame shall be a key frame.
    pub key_wanted: bool,
}

impl Sender {
    /// Frames of about `bytes` bytes; key frames are three times as large.
    pub fn new(pattern: Pattern, bytes: usize) -> Self {
        Self {
            pattern,
            bytes,
            index: 0,
            since_key: 0,
            newest: BTreeMap::new(),
            packetizer: Packetizer::new(PacketizerStart {
                sequence_number: 65_000,
                picture_id: 0x7F00,
                tl0_pic_idx: 250,
                timestamp_offset: u32::MAX - 100_000,
            }),
            ssrc: 1,
            key_wanted: true,
        }
    }

    /// Numbers start anew, as of another encoder.
    pub fn restart(&mut self, sequence_number: u16, change_ssrc: bool) {
        self.packetizer = Packetizer::new(PacketizerStart {
            sequence_number,
            picture_id: 5,
            tl0_pic_idx: 77,
            timestamp_offset: 1_000_000_000,
        });
        self.ssrc += u32::from(change_ssrc);
        self.key_wanted = true;
    }

    /// The next frame: its number, and the numbers that it refers to.
    pub fn next_frame(&mut self, now: Instant) -> (u32, EncodedFrame, BTreeSet<u32>) {
        let key = std::mem::take(&mut self.key_wanted);
        if key {
            self.since_key = 0;
            self.newest.clear();
        }
        let id = self.index as u32;
        let temporal_id = if key { 0 } else { self.pattern.temporal_id(self.since_key) };
        let layer_sync = !key && self.pattern.syncs(self.since_key);
        let references: BTreeSet<u32> = self
            .newest
            .iter()
            .filter(|(t, _)| **t == 0 || (!layer_sync && **t <= temporal_id))
            .map(|(_, id)| *id)
            .collect();
        let data = content(id, key, &references, if key { 3 * self.bytes } else { self.bytes });
        if key {
            self.newest.extend((0..4).map(|layer| (layer, id)));
        }
        self.newest.insert(temporal_id, id);
        let timestamp = (now.duration_since(sim::epoch()).as_micros() as u64 * 9 / 100) as u32;
        self.index += 1;
        self.since_key += 1;
        let frame = EncodedFrame {
            layer: 0,
            data,
            key,
            temporal_id,
            layer_sync,
            discardable: false,
            timestamp,
            captured: now,
            width: 640,
            height: 360,
        };
        (id, frame, references)
    }

    pub fn packets(&mut self, frame: &EncodedFrame, now: Instant) -> Vec<RtpPacket> {
        let bare = self.pattern == Pattern::Bare;
        let ssrc = self.ssrc;
        let packet = move |p: OutgoingPacket| RtpPacket {
            ssrc,
            sequence_number: p.sequence_number,
            timestamp: p.timestamp,
            marker: p.marker,
            payload: if bare { strip(&p.payload) } else { p.payload },
            arrival: now,
        };
        self.packetizer.packetize(frame).into_iter().map(packet).collect()
    }
}

/// The payload with nothing but S in its descriptor.
fn strip(payload: &Bytes) -> Bytes {
    let Ok((descriptor, data)) = PayloadDescriptor::parse(payload) else { panic!("not a VP8 payload") };
    let mut bare = Vec::new();
    PayloadDescriptor { partition_start: descriptor.partition_start, ..PayloadDescriptor::default() }
        .write(&mut bare);
    bare.extend_from_slice(data);
    bare.into()
}

/// A VP8 header, then the frame's number and the numbers that it refers to.
pub fn content(id: u32, key: bool, references: &BTreeSet<u32>, len: usize) -> Bytes {
    let mut data =
        if key { vec![0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01] } else { vec![0x11, 0, 0] };
    data.extend(id.to_be_bytes());
    data.push(references.len() as u8);
    references.iter().for_each(|reference| data.extend(reference.to_be_bytes()));
    let mut rng = Rng::new(u64::from(id));
    data.resize_with(len.max(data.len()), || rng.next_u64() as u8);
    data.into()
}

fn body(frame: &ReceivedFrame) -> &[u8] {
    &frame.data[if frame.key { 10 } else { 3 }..]
}

fn number_at(body: &[u8], at: usize) -> u32 {
    body[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// The number that the sender gave to a frame.
pub fn number(frame: &ReceivedFrame) -> u32 {
    number_at(body(frame), 0)
}

pub fn references(frame: &ReceivedFrame) -> Vec<u32> {
    let body = body(frame);
    (0..usize::from(body[4])).map(|i| number_at(body, 5 + 4 * i)).collect()
}
