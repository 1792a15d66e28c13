//! One microphone, one link, one jitter buffer with a decoder whose sound tells where it came from.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media_core::audio::jitter_buffer::{Action, JitterBuffer, JitterBufferConfig, JitterBufferStats};
use media_core::rtp::RtpPacket;
use media_core::sim::{self, Link, LinkConfig};

/// Samples of a packet: 20 ms.
pub const PACKET: u32 = 960;

/// SILK, wide band, 20 ms, one frame; then the flags for voice activity and FEC.
const TOC: u8 = 9 << 3;
const FEC: u8 = 0xC0;
const NO_FEC: u8 = 0x80;

/// A packet that stands for 20 ms of a tone; its media time is in the payload.
pub fn packet(sequence_number: u16, timestamp: u32, arrival: Instant) -> RtpPacket {
    let mut payload = vec![TOC, NO_FEC];
    payload.extend(timestamp.to_be_bytes());
    RtpPacket { ssrc: 1, sequence_number, timestamp, marker: false, payload: payload.into(), arrival }
}

/// The same with a copy of the packet before it.
pub fn with_fec(mut packet: RtpPacket) -> RtpPacket {
    let mut payload = packet.payload.to_vec();
    payload[1] = FEC;
    packet.payload = payload.into();
    packet
}

/// A packet that announces silence.
pub fn dtx(mut packet: RtpPacket) -> RtpPacket {
    packet.payload = Bytes::from_static(&[TOC]);
    packet
}

/// Sound of a media time: a tone of 200 Hz that never jumps.
pub fn tone(timestamp: u32) -> f32 {
    0.5 * (std::f32::consts::TAU * (timestamp % 240) as f32 / 240.0).sin()
}

/// What was asked of the decoder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orders {
    pub decoded: u64,
    pub restored: u64,
    pub concealed: u64,
    pub comfort: u64,
}

/// A jitter buffer, its decoder and what came out.
#[derive(Debug)]
pub struct Listener {
    pub buffer: JitterBuffer,
    pub orders: Orders,
    /// Media times that were decoded, in order.
    pub timestamps: Vec<u32>,
    pub heard: Vec<f32>,
    pub keep: bool,
}

impl Listener {
    pub fn new(config: JitterBufferConfig) -> Self {
        Self {
            buffer: JitterBuffer::new(config),
            orders: Orders::default(),
            timestamps: Vec::new(),
            heard: Vec::new(),
            keep: true,
        }
    }

    pub fn insert(&mut self, packet: RtpPacket) {
        self.buffer.insert(packet);
    }

    /// Plays 10 ms.
    pub fn play(&mut self, now: Instant) {
        let mut actions = 0;
        while let Some(action) = self.buffer.poll(now) {
            actions += 1;
            assert!(actions < 100, "it never has enough");
            let pcm = self.decode(action);
            self.buffer.decoded(&pcm, now);
        }
        let mut block = [f32::NAN; 480];
        self.buffer.read(&mut block, now);
        assert!(block.iter().all(|s| s.is_finite()));
        if self.keep {
            self.heard.extend(block);
        }
    }

    fn decode(&mut self, action: Action) -> Vec<f32> {
        match action {
            Action::Decode { payload, samples } => {
                self.orders.decoded += 1;
                let Some(at) = timestamp_of(&payload) else { return vec![0.0; samples as usize] };
                if self.keep {
                    self.timestamps.push(at);
                }
                (0..samples).map(|i| tone(at.wrapping_add(i))).collect()
            }
            Action::DecodeFec { payload, samples } => {
                self.orders.restored += 1;
                let at = timestamp_of(&payload).map_or(0, |at| at.wrapping_sub(samples));
                (0..samples).map(|i| tone(at.wrapping_add(i))).collect()
            }
            Action::Conceal { samples } => {
                self.orders.concealed += 1;
                vec![0.0; samples as usize]
            }
            Action::ComfortNoise { samples } => {
                self.orders.comfort += 1;
                vec![0.0; samples as usize]
            }
        }
    }

    pub fn stats(&self) -> &JitterBufferStats {
        self.buffer.stats()
    }
}

fn timestamp_of(payload: &[u8]) -> Option<u32> {
    let bytes = payload.get(2..6)?;
    Some(bytes.iter().fold(0, |n, byte| n << 8 | u32::from(*byte)))
}

/// A running call.
#[derive(Debug)]
pub struct Call {
    pub listener: Listener,
    link: Link<RtpPacket>,
    now: Instant,
    start: Instant,
    sent: u64,
    /// Samples that the sender's clock makes in a true second.
    sender_rate: f64,
    fec: bool,
    /// How many packets before it each one repeats.
    copies: u16,
    next_block: Instant,
}

impl Call {
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        let start = sim::epoch();
        Self {
            listener: Listener::new(JitterBufferConfig::default()),
            link: Link::new(config, seed),
            now: start,
            start,
            sent: 0,
            sender_rate: 48_000.0,
            fec: false,
            copies: 0,
            // The two clocks do not tick together.
            next_block: start + Duration::from_millis(3),
        }
    }

    pub fn with_fec(mut self) -> Self {
        self.fec = true;
        self
    }

    pub fn with_copies(mut self, copies: u16) -> Self {
        self.copies = copies;
        self
    }

    /// The sender's clock runs fast by parts per million.
    pub fn with_drift(mut self, ppm: f64) -> Self {
        self.sender_rate *= 1.0 + ppm / 1e6;
        self.listener.keep = false;
        self
    }

    pub fn set_link(&mut self, config: LinkConfig) {
        self.link.set_config(config);
    }

    pub fn delay(&self) -> Duration {
        self.listener.buffer.current_delay(self.now)
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let next_packet = self.next_packet();
            let next = next_packet.min(self.next_block);
            if next >= end {
                self.now = end;
                return;
            }
            self.now = next;
            if next == next_packet {
                self.send();
            } else {
                self.next_block += Duration::from_millis(10);
                while let Some((at, packet)) = self.link.receive(self.now) {
                    self.receive(RtpPacket { arrival: at, ..packet });
                }
                self.listener.play(self.now);
            }
        }
    }

    fn receive(&mut self, received: RtpPacket) {
        for distance in (1..=self.copies).rev() {
            let (sequence_number, timestamp) = (
                received.sequence_number.wrapping_sub(distance),
                received.timestamp.wrapping_sub(u32::from(distance) * PACKET),
            );
            self.listener.buffer.insert_copy(packet(sequence_number, timestamp, received.arrival));
        }
        self.listener.insert(received);
    }

    /// A packet leaves when its last sample is recorded.
    fn next_packet(&self) -> Instant {
        self.start + Duration::from_secs_f64((self.sent + 1) as f64 * f64::from(PACKET) / self.sender_rate)
    }

    fn send(&mut self) {
        let packet = packet(self.sent as u16, (self.sent * u64::from(PACKET)) as u32, self.now);
        let packet = if self.fec { with_fec(packet) } else { packet };
        self.sent += 1;
        self.link.send(packet, 120, self.now);
    }
}

/// Largest step between neighbouring samples: clicks show here. The tone itself has 0.0131.
pub fn roughness(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}
