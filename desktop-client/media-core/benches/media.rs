//! Cost of the work that is done per frame and per block: `cargo bench -p media-core`.
#![expect(missing_docs, reason = "criterion_group! makes a public function")]

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use media_core::audio::jitter_buffer::{Action, JitterBuffer, JitterBufferConfig};
use media_core::audio::mixer::{Gain, Mixer};
use media_core::audio::time_stretch;
use media_core::bitrate::Bitrate;
use media_core::congestion::{BandwidthEstimator, Gcc, GccConfig, PacketResult};
use media_core::frame::{EncodedFrame, I420Frame};
use media_core::layers::{CameraFormat, LayerChoice, LayersConfig, LayersInput};
use media_core::marks;
use media_core::rtp::RtpPacket;
use media_core::sim::{self, Rng};
use media_core::video_receiver::{VideoReceiver, VideoReceiverConfig, VideoReceiverInput};
use media_core::vp8::packetizer::{Packetizer, PacketizerStart};

/// A frame of 720p at 2 Mbit/s and 30 frames a second.
fn frame(key: bool) -> EncodedFrame {
    let header: &[u8] = if key { &[0x10, 0, 0, 0x9D, 0x01, 0x2A, 0, 5, 0xD0, 2] } else { &[0x11, 0, 0] };
    let data: Bytes = header.iter().copied().chain(std::iter::repeat(0xA5)).take(8_300).collect();
    EncodedFrame {
        layer: 0,
        data,
        key,
        temporal_id: 0,
        layer_sync: false,
        discardable: false,
        timestamp: 0,
        captured: sim::epoch(),
        width: 1_280,
        height: 720,
    }
}

fn packets(packetizer: &mut Packetizer, frame: &EncodedFrame) -> Vec<RtpPacket> {
    let packets = packetizer.packetize(frame).into_iter();
    packets
        .map(|p| RtpPacket {
            ssrc: 1,
            sequence_number: p.sequence_number,
            timestamp: p.timestamp,
            marker: p.marker,
            payload: p.payload,
            arrival: sim::epoch(),
        })
        .collect()
}

fn video(c: &mut Criterion) {
    let mut group = c.benchmark_group("video frame of 8.3 kB");
    group.throughput(Throughput::Elements(1));
    let mut packetizer = Packetizer::new(PacketizerStart::default());
    let delta = frame(false);
    group.bench_function("packetise", |b| b.iter(|| packetizer.packetize(black_box(&delta))));
    group.bench_function("packetise and assemble", |b| {
        let mut packetizer = Packetizer::new(PacketizerStart::default());
        let mut receiver = VideoReceiver::new(VideoReceiverConfig::default());
        let mut next = frame(true);
        let mut now = sim::epoch();
        b.iter(|| {
            now += Duration::from_millis(33);
            next.timestamp = next.timestamp.wrapping_add(3_000);
            next.captured = now;
            for packet in packets(&mut packetizer, &next) {
                receiver.handle(VideoReceiverInput::Packet(packet), now);
            }
            while let Some(output) = receiver.poll_output() {
                black_box(output);
            }
            next.data.clone_from(&delta.data);
            next.key = false;
        });
    });
    group.finish();
}

fn audio(c: &mut Criterion) {
    let mut group = c.benchmark_group("audio block of 10 ms");
    group.throughput(Throughput::Elements(1));
    let block: Vec<f32> = (0..480).map(|i| (i as f32 / 20.0).sin() * 0.4).collect();
    for peers in [1, 3, 7] {
        let mut mixer = Mixer::new();
        let mut gains = vec![Gain::default(); peers];
        let mut out = vec![0.0; 960];
        group.bench_function(format!("mix {peers} peers"), |b| {
            b.iter(|| {
                gains.iter_mut().for_each(|gain| mixer.add(black_box(&block), 1, gain));
                mixer.finish(&mut out);
            });
        });
    }
    let sound: Vec<f32> = (0..960).map(|i| (i as f32 / 40.0).sin() * 0.4).collect();
    group.bench_function("shorten a packet by a period", |b| {
        b.iter(|| time_stretch::shorten(&mut sound.clone(), 1, 0.9));
    });
    group.bench_function("jitter buffer without decoder", |b| jitter_buffer(b, &sound));
    group.finish();
}

fn jitter_buffer(b: &mut criterion::Bencher<'_>, sound: &[f32]) {
    let mut buffer = JitterBuffer::new(JitterBufferConfig::default());
    let mut now = sim::epoch();
    let mut blocks = 0_u32;
    let mut out = [0.0; 480];
    b.iter(|| {
        now += Duration::from_millis(10);
        if blocks.is_multiple_of(2) {
            let packet = blocks / 2;
            buffer.insert(RtpPacket {
                ssrc: 1,
                sequence_number: packet as u16,
                timestamp: packet.wrapping_mul(960),
                marker: false,
                payload: Bytes::from_static(&[0x78, 1, 2, 3]),
                arrival: now,
            });
        }
        blocks = blocks.wrapping_add(1);
        while let Some(action) = buffer.poll(now) {
            let samples = match action {
                Action::Decode { samples, .. }
                | Action::DecodeFec { samples, .. }
                | Action::Conceal { samples }
                | Action::ComfortNoise { samples } => samples,
            };
            buffer.decoded(&sound[..samples as usize], now);
        }
        buffer.read(&mut out, now);
    });
}

fn video_marks(c: &mut Criterion) {
    let size = I420Frame::byte_len(1_280, 720);
    let Ok(mut frame) = I420Frame::from_vec(1_280, 720, vec![90; size], sim::epoch()) else { return };
    c.bench_function("draw a mark on 720p", |b| b.iter(|| marks::video::draw(&mut frame, black_box(12_345))));
    c.bench_function("read a mark from 720p", |b| b.iter(|| marks::video::read(black_box(&frame))));
}

/// An estimate comes in, ten times a second from each of so many peers.
fn layer_choice(c: &mut Criterion) {
    let mut group = c.benchmark_group("layer choice, per estimate");
    for peers in [1_u32, 8, 64] {
        let mut choice = LayerChoice::new(LayersConfig::default());
        let mut now = sim::epoch();
        let camera = CameraFormat { width: 1_280, height: 720, framerate: 30 };
        choice.handle(LayersInput::Camera(Some(camera)), now);
        (0..peers).for_each(|peer| choice.handle(LayersInput::Joined(peer), now));
        let mut rng = Rng::new(1);
        let mut turn = 0;
        group.bench_function(format!("{peers} peers"), |b| {
            b.iter(|| {
                now += Duration::from_millis(100) / peers;
                turn = (turn + 1) % peers;
                let bitrate = Bitrate::kbps(300 * u64::from(turn % 8 + 1) + rng.below(400));
                choice.handle(LayersInput::Estimate { peer: turn, bitrate }, now);
                while let Some(output) = choice.poll_output() {
                    black_box(output);
                }
            });
        });
    }
    group.finish();
}

/// A tenth of a second at 2 Mbit/s: what a peer reports at a time.
fn congestion(c: &mut Criterion) {
    let tenth = Duration::from_millis(100);
    let mut gcc = Gcc::new(GccConfig::default(), sim::epoch());
    let mut now = sim::epoch();
    c.bench_function("take in a report of 21 packets", |b| {
        b.iter(|| {
            let results: Vec<PacketResult> = (0..21)
                .map(|i| {
                    let departure = now + tenth * i / 21;
                    PacketResult { departure, arrival: Some(departure - sim::epoch()), bytes: 1_200 }
                })
                .collect();
            now += tenth;
            gcc.on_feedback(black_box(&results), now);
            gcc.estimate()
        });
    });
}

criterion_group!(benches, video, audio, video_marks, layer_choice, congestion);
criterion_main!(benches);
