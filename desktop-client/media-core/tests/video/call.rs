//! One camera, one link, one receiver.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media_core::rtp::RtpPacket;
use media_core::sim::{self, Link, LinkConfig, Rng};
use media_core::video_receiver::{
    VideoReceiver, VideoReceiverConfig, VideoReceiverInput, VideoReceiverOutput, VideoReceiverStats,
};

use crate::sender::{Sender, content, number, references};

/// A frame as it went to the decoder.
#[derive(Debug, Clone)]
pub struct Emitted {
    pub id: u32,
    pub key: bool,
    pub references: Vec<u32>,
    pub temporal_id: u8,
    pub emitted: Instant,
    pub last_packet_arrival: Instant,
    pub data: Bytes,
}

/// What came of a call.
#[derive(Debug, Default)]
pub struct Outcome {
    pub frames_sent: usize,
    pub base_frames_sent: usize,
    pub frames: Vec<Emitted>,
    pub key_frame_requests: usize,
    pub request_times: Vec<Instant>,
    pub stats: VideoReceiverStats,
}

impl Outcome {
    /// Every frame came after all that it refers to (which a key frame makes irrelevant), in order and with its bytes.
    pub fn assert_decodable(&self) {
        let mut decoded = BTreeSet::new();
        let mut last = None;
        for frame in &self.frames {
            assert!(last < Some(frame.id), "frame {} came after {last:?}", frame.id);
            last = Some(frame.id);
            if frame.key {
                decoded.clear();
            }
            for reference in &frame.references {
                assert!(
                    decoded.contains(reference),
                    "frame {} refers to {reference}, which was not decoded",
                    frame.id
                );
            }
            decoded.insert(frame.id);
            let references = frame.references.iter().copied().collect();
            assert_eq!(frame.data, content(frame.id, frame.key, &references, frame.data.len()));
        }
    }

    pub fn base_frames(&self) -> usize {
        self.frames.iter().filter(|frame| frame.temporal_id == 0).count()
    }

    pub fn longest_silence(&self) -> Duration {
        self.frames.windows(2).map(|pair| pair[1].emitted - pair[0].emitted).max().unwrap_or_default()
    }
}

/// A running call of 30 frames a second.
#[derive(Debug)]
pub struct Call {
    sender: Sender,
    link: Link<RtpPacket>,
    receiver: VideoReceiver,
    now: Instant,
    next_frame: Instant,
    round_trip: Duration,
    repair: bool,
    spare_base: bool,
    deaf: bool,
    lose_next: bool,
    rng: Rng,
    loss_share: f64,
    /// Requests and repairs on their way back.
    requests: Vec<Instant>,
    repairs: Vec<(Instant, RtpPacket)>,
    outcome: Outcome,
}

impl Call {
    pub fn new(sender: Sender, config: LinkConfig, seed: u64) -> Self {
        Self {
            sender,
            link: Link::new(config, seed),
            receiver: VideoReceiver::new(VideoReceiverConfig::default()),
            now: sim::epoch(),
            next_frame: sim::epoch(),
            round_trip: config.delay * 2,
            repair: false,
            spare_base: false,
            deaf: false,
            lose_next: false,
            rng: Rng::new(seed ^ 0xABCD),
            loss_share: 0.0,
            requests: Vec::new(),
            repairs: Vec::new(),
            outcome: Outcome::default(),
        }
        .with_round_trip(config.delay * 2)
    }

    fn with_round_trip(mut self, rtt: Duration) -> Self {
        self.receiver.handle(VideoReceiverInput::RoundTripTime(rtt), self.now);
        self
    }

    /// Lost packets come again one and a half round trips after they were sent, as often as the link loses them.
    pub fn with_repair(mut self) -> Self {
        self.repair = true;
        self
    }

    /// The link's uniform loss of 5 % hits only packets of upper temporal layers.
    pub fn losing_only_upper_layers(mut self) -> Self {
        self.spare_base = true;
        self.loss_share = 0.05;
        let clean = LinkConfig { delay: self.round_trip / 2, ..LinkConfig::default() };
        self.link.set_config(clean);
        self
    }

    /// The sender ignores requests.
    pub fn deaf_to_requests(mut self) -> Self {
        self.deaf = true;
        self
    }

    pub fn restart_sender(&mut self, sequence_number: u16, change_ssrc: bool) {
        self.sender.restart(sequence_number, change_ssrc);
    }

    pub fn set_link(&mut self, config: LinkConfig) {
        self.link.set_config(config);
    }

    pub fn lose_next_frame(&mut self) {
        self.lose_next = true;
    }

    pub fn outcome(&mut self) -> &Outcome {
        self.outcome.stats = *self.receiver.stats();
        &self.outcome
    }

    pub fn run(mut self, duration: Duration) -> Outcome {
        self.run_for(duration);
        // What is under way, and what waits for it.
        self.next_frame = self.now + Duration::from_secs(2);
        self.run_for(Duration::from_secs(1));
        self.outcome.stats = *self.receiver.stats();
        self.outcome
    }

    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let events = [
                Some(self.next_frame),
                self.link.next_arrival(),
                self.receiver.poll_timeout(),
                self.requests.iter().min().copied(),
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
        let due = |at: &Instant| *at <= self.now;
        if self.requests.iter().any(due) {
            self.requests.retain(|at| *at > self.now);
            self.sender.key_wanted = true;
        }
        let (repairs, later) = std::mem::take(&mut self.repairs).into_iter().partition(|(at, _)| due(at));
        self.repairs = later;
        for (_, packet) in repairs {
            self.send(packet);
        }
        self.deliver();
        self.receiver.handle(VideoReceiverInput::Tick, self.now);
        self.take_outputs();
    }

    fn send_frame(&mut self) {
        let (_, frame, _) = self.sender.next_frame(self.now);
        let packets = self.sender.packets(&frame, self.now);
        self.outcome.frames_sent += 1;
        self.outcome.base_frames_sent += usize::from(frame.temporal_id == 0);
        let upper_loss = self.spare_base && frame.temporal_id > 0;
        let lost = std::mem::take(&mut self.lose_next);
        for packet in packets {
            if !(lost || upper_loss && self.rng.chance(self.loss_share)) {
                self.send(packet);
            }
        }
    }

    fn send(&mut self, packet: RtpPacket) {
        let before = self.link.stats();
        self.link.send(packet.clone(), packet.payload.len() + 40, self.now);
        if self.repair && self.link.stats().lost > before.lost {
            self.repairs.push((self.now + self.round_trip + Duration::from_millis(5), packet));
        }
    }

    fn deliver(&mut self) {
        while let Some((at, packet)) = self.link.receive(self.now) {
            let packet = RtpPacket { arrival: at, ..packet };
            self.receiver.handle(VideoReceiverInput::Packet(packet), self.now);
            self.take_outputs();
        }
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.receiver.poll_output() {
            match output {
                VideoReceiverOutput::RequestKeyFrame => {
                    self.outcome.key_frame_requests += 1;
                    self.outcome.request_times.push(self.now);
                    if !self.deaf {
                        self.requests.push(self.now + self.round_trip / 2);
                    }
                }
                VideoReceiverOutput::Frame(frame) => {
                    self.outcome.frames.push(Emitted {
                        id: number(&frame),
                        key: frame.key,
                        references: references(&frame),
                        temporal_id: frame.temporal_id,
                        emitted: self.now,
                        last_packet_arrival: frame.last_packet_arrival,
                        data: frame.data,
                    });
                }
            }
        }
    }
}
