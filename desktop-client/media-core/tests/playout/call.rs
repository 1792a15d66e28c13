//! A camera of 30 frames a second, a link, the receiver, a decoder that takes no time, and playout.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media_core::frame::EncodedFrame;
use media_core::playout::{PlayoutConfig, RenderQueue, RenderQueueLimits, VideoPlayout};
use media_core::rtp::RtpPacket;
use media_core::sim::{self, Link, LinkConfig, Rng};
use media_core::stats::{FreezeDetector, FreezeStats};
use media_core::video_receiver::{
    VideoReceiver, VideoReceiverConfig, VideoReceiverInput, VideoReceiverOutput,
};
use media_core::vp8::packetizer::{Packetizer, PacketizerStart};

/// A picture on the screen.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Its number.
    pub index: u64,
    pub captured: Instant,
    /// When it could have been shown.
    pub ready: Instant,
    pub shown: Instant,
}

impl Shown {
    pub fn latency(&self) -> Duration {
        self.shown - self.captured
    }
}

#[derive(Debug)]
pub struct Outcome {
    pub shown: Vec<Shown>,
    /// Pictures that were decoded.
    pub decoded: usize,
    pub dropped_late: u64,
    /// Pictures that wait for their time.
    pub waiting: usize,
    pub freezes: FreezeStats,
    pub freezes_without_playout: FreezeStats,
}

impl Outcome {
    /// A percentile of something over the shown pictures, in ms.
    fn percentile(&self, share: f64, what: impl Fn(&Shown) -> Duration) -> f64 {
        let mut values: Vec<f64> = self.shown.iter().map(|s| what(s).as_secs_f64() * 1e3).collect();
        values.sort_unstable_by(f64::total_cmp);
        values[((values.len() as f64 * share) as usize).min(values.len() - 1)]
    }

    pub fn latency(&self, share: f64) -> f64 {
        self.percentile(share, Shown::latency)
    }

    /// How long pictures waited that were ready.
    pub fn wait(&self, share: f64) -> f64 {
        self.percentile(share, |shown| shown.shown - shown.ready)
    }

    /// Mean absolute deviation of the time between shown pictures from the time between their captures, in ms.
    pub fn unevenness(&self) -> f64 {
        unevenness(self.shown.iter().map(|s| (s.captured, s.shown)))
    }

    pub fn unevenness_without_playout(&self) -> f64 {
        unevenness(self.shown.iter().map(|s| (s.captured, s.ready)))
    }
}

fn unevenness(times: impl Iterator<Item = (Instant, Instant)>) -> f64 {
    let times: Vec<_> = times.collect();
    let steps = times.windows(2).map(|pair| {
        let (captured, shown) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        shown.as_secs_f64() - captured.as_secs_f64()
    });
    steps.map(f64::abs).sum::<f64>() * 1e3 / (times.len() - 1) as f64
}

/// The sending side and its clock.
pub struct Call {
    link: Link<RtpPacket>,
    rng: Rng,
    packetizer: Packetizer,
    receiver: VideoReceiver,
    pub playout: VideoPlayout,
    queue: RenderQueue<Shown>,
    freezes: FreezeDetector,
    freezes_without: FreezeDetector,
    pub now: Instant,
    next_frame: Instant,
    index: u64,
    captures: Vec<Instant>,
    ids: Vec<(u32, u64)>,
    round_trip: Duration,
    /// The sender's media clock runs faster than ours by this share.
    pub drift: f64,
    /// Added to media time.
    pub timestamp_offset: u32,
    pub ssrc: u32,
    pub repair: bool,
    /// Share of requests for repair that are lost, 0–1.
    pub request_loss: f64,
    key_wanted: bool,
    repairs: Vec<(Instant, RtpPacket)>,
    shown: Vec<Shown>,
    decoded: usize,
}

impl Call {
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        let mut receiver = VideoReceiver::new(VideoReceiverConfig::default());
        receiver.handle(VideoReceiverInput::RoundTripTime(config.delay * 2), sim::epoch());
        Self {
            link: Link::new(config, seed),
            rng: Rng::new(seed ^ 0xFEED),
            packetizer: Packetizer::new(PacketizerStart::default()),
            receiver,
            playout: VideoPlayout::new(PlayoutConfig::default()),
            queue: RenderQueue::new(RenderQueueLimits::default()),
            freezes: FreezeDetector::new(),
            freezes_without: FreezeDetector::new(),
            now: sim::epoch(),
            next_frame: sim::epoch(),
            index: 0,
            captures: Vec::new(),
            ids: Vec::new(),
            round_trip: config.delay * 2,
            drift: 0.0,
            timestamp_offset: 0,
            ssrc: 1,
            repair: false,
            request_loss: 0.0,
            key_wanted: true,
            repairs: Vec::new(),
            shown: Vec::new(),
            decoded: 0,
        }
    }

    pub fn set_link(&mut self, config: LinkConfig) {
        self.link.set_config(config);
    }

    pub fn run(mut self, duration: Duration) -> Outcome {
        self.run_for(duration);
        self.outcome()
    }

    pub fn outcome(&mut self) -> Outcome {
        Outcome {
            shown: std::mem::take(&mut self.shown),
            decoded: self.decoded,
            dropped_late: self.queue.dropped(),
            waiting: self.queue.len(),
            freezes: *self.freezes.stats(),
            freezes_without_playout: *self.freezes_without.stats(),
        }
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let events = [
                Some(self.next_frame),
                self.link.next_arrival(),
                self.receiver.poll_timeout(),
                self.queue.next_due(),
                self.repairs.iter().map(|(at, _)| *at).min(),
            ];
            let next = events.into_iter().flatten().min().unwrap_or(end);
            if next >= end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            self.step();
        }
    }

    fn step(&mut self) {
        if self.now >= self.next_frame {
            self.next_frame += Duration::from_micros(33_333);
            self.send_frame();
        }
        let now = self.now;
        let due: Vec<RtpPacket> =
            self.repairs.extract_if(.., |(at, _)| *at <= now).map(|(_, packet)| packet).collect();
        due.into_iter().for_each(|packet| self.send(packet));
        while let Some((at, packet)) = self.link.receive(now) {
            self.receiver.handle(VideoReceiverInput::Packet(RtpPacket { arrival: at, ..packet }), now);
            self.take_frames();
        }
        self.receiver.handle(VideoReceiverInput::Tick, now);
        self.take_frames();
        if let Some(picture) = self.queue.pop_due(now) {
            self.show(picture);
        }
    }

    fn send_frame(&mut self) {
        let media = (self.now - sim::epoch()).as_secs_f64() * (1.0 + self.drift) * 90_000.0;
        let timestamp = media as u64 as u32;
        let key = std::mem::take(&mut self.key_wanted);
        let header: &[u8] = if key { &[0x10, 0, 0, 0x9D, 1, 0x2A, 0x80, 2, 0x68, 1] } else { &[0x11, 0, 0] };
        let size = if key { 12_000 } else { 1_500 + self.rng.below(3_000) as usize };
        let data: Vec<u8> = header.iter().copied().chain(std::iter::repeat(7)).take(size).collect();
        let frame = EncodedFrame {
            layer: 0,
            data: Bytes::from(data),
            key,
            temporal_id: 0,
            layer_sync: false,
            discardable: false,
            timestamp,
            captured: self.now,
            width: 640,
            height: 360,
        };
        self.captures.push(self.now);
        for packet in self.packetizer.packetize(&frame) {
            let timestamp = packet.timestamp.wrapping_add(self.timestamp_offset);
            if packet.marker {
                self.ids.push((timestamp, self.index));
            }
            self.send(RtpPacket {
                ssrc: self.ssrc,
                sequence_number: packet.sequence_number,
                timestamp,
                marker: packet.marker,
                payload: packet.payload,
                arrival: self.now,
            });
        }
        self.index += 1;
    }

    fn send(&mut self, packet: RtpPacket) {
        let before = self.link.stats().lost;
        self.link.send(packet.clone(), packet.payload.len() + 40, self.now);
        if self.repair && self.link.stats().lost > before {
            let answer = self.round_trip + Duration::from_millis(15);
            let rounds = 1 + u32::from(self.rng.chance(self.request_loss));
            self.repairs.push((self.now + answer * rounds, packet));
        }
    }

    fn take_frames(&mut self) {
        while let Some(output) = self.receiver.poll_output() {
            match output {
                VideoReceiverOutput::RequestKeyFrame => self.key_wanted = true,
                VideoReceiverOutput::Frame(frame) => {
                    self.decoded += 1;
                    self.freezes_without.frame_rendered(self.now);
                    let index = self.ids.iter().rev().find(|(t, _)| *t == frame.timestamp).unwrap().1;
                    let due = self.playout.picture(frame.timestamp, self.now);
                    assert!(due >= self.now, "shown before it is ready");
                    let captured = self.captures[index as usize];
                    let picture = Shown { index, captured, ready: self.now, shown: due };
                    if let Some(early) = self.queue.push(picture, 640 * 360 * 3 / 2, due) {
                        self.show(early);
                    }
                    if let Some(picture) = self.queue.pop_due(self.now) {
                        self.show(picture);
                    }
                }
            }
        }
    }

    fn show(&mut self, picture: Shown) {
        self.freezes.frame_rendered(self.now);
        self.shown.push(Shown { shown: self.now, ..picture });
    }
}
