//! One peer's sound: packets in, 10 ms blocks out.

#[cfg(test)]
mod stereo_tests;
#[cfg(test)]
mod volume_tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use media_core::audio::jitter_buffer::{Action, JitterBuffer, JitterBufferConfig};
use media_core::audio::level::LevelMeter;
use media_core::audio::mixer::{Gain, Mixer};
use media_core::audio::opus_packet;
use media_core::playout::PlayoutPoint;
use media_core::rtp::RtpPacket;
use media_core::slot::Slot;
use rtrb::{Consumer, Producer, RingBuffer};

use super::block::Block;
use super::input::audible_level;
use super::latency::LatencyMeter;
use crate::clock::unix_time;
use crate::codec::opus::{AudioDecoder, OpusError};
use crate::stats::AudioReceiveStats;

/// Packets of one peer between its task and the audio thread, which takes them every 10 ms: more than a second's worth, with two copies of each. When it is full the
/// newest is dropped.
const PACKETS_PER_PLAYER: usize = 192;

/// Blocks between two publications of figures: 100 ms.
const BLOCKS_PER_REPORT: u32 = 10;

/// Blocks over which the level is measured: one second.
const BLOCKS_PER_LEVEL: u32 = 100;

/// Packets in a row without stereo after which a peer is taken for mono again: two seconds and more. A decoder that is made anew begins without what was before, so
/// packets that take turns must not have one made for each.
const MONO_AFTER: u32 = 100;

/// What a packet says of its level holds for so long; then what is heard counts.
const ANNOUNCED_FOR: Duration = Duration::from_millis(300);

/// A player's side of the audio thread.
pub struct AudioInput {
    packets: Producer<(RtpPacket, Kind)>,
    shared: Arc<AudioShared>,
}

/// What a player and the audio thread both see.
pub struct AudioShared {
    /// Bits of an `f32`: linear gain.
    volume: AtomicU32,
    /// Microseconds that lip sync wants the sound to be later.
    extra_delay: AtomicU32,
    /// What is heard and when; empty while nothing is.
    heard: Slot<PlayoutPoint>,
    stats: Slot<AudioReceiveStats>,
    /// What the newest packet says of its own level, and when it came.
    announced: Slot<(Option<f32>, Instant)>,
    /// Level of the last tenth of a second; `None` while silent.
    level: Slot<Option<f32>>,
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Itself.
    New,
    /// What a later one repeats of it.
    Copy,
}

impl AudioInput {
    /// Hands a packet over.
    pub fn push(&mut self, packet: RtpPacket, kind: Kind) {
        let _ = self.packets.push((packet, kind));
    }

    /// What the audio thread shows of itself, and what it is told.
    pub fn shared(&self) -> &Arc<AudioShared> {
        &self.shared
    }
}

impl AudioShared {
    /// 0 is silence, 1 as it came, [`Gain::MAX`] the most; what is no number counts as 0.
    pub fn set_volume(&self, gain: f32) {
        self.volume.store(gain.to_bits(), Ordering::Relaxed);
    }

    fn volume(&self) -> f32 {
        f32::from_bits(self.volume.load(Ordering::Relaxed))
    }

    /// Lip sync wants the sound to be this much later than the network asks for.
    pub fn set_extra_delay(&self, delay: Duration) {
        let micros = u32::try_from(delay.as_micros()).unwrap_or(u32::MAX);
        self.extra_delay.store(micros, Ordering::Relaxed);
    }

    /// What is heard at which time, of the last tenth of a second; `None` while nothing is.
    pub fn heard(&self) -> Option<PlayoutPoint> {
        self.heard.peek()
    }

    /// A packet tells how loud it is, in dBFS.
    pub fn announce_level(&self, level_dbfs: Option<f32>, now: Instant) {
        self.announced.put((level_dbfs, now));
    }

    /// How loud the peer is at the moment, in dBFS, by what its packets say where they do; `None` for silence.
    pub fn voice_level(&self, now: Instant) -> Option<f32> {
        match self.announced.peek() {
            Some((level, at)) if now.saturating_duration_since(at) < ANNOUNCED_FOR => level,
            Some(_) | None => self.level.peek().flatten(),
        }
    }

    /// Figures.
    pub fn stats(&self) -> AudioReceiveStats {
        self.stats.peek().unwrap_or_default()
    }
}

/// The audio thread's side.
pub struct AudioReceiver {
    packets: Consumer<(RtpPacket, Kind)>,
    shared: Arc<AudioShared>,
    buffer: JitterBuffer,
    /// Made with the first packet: a peer that sends no sound costs nothing.
    decoder: Option<AudioDecoder>,
    /// Mono packets since the last stereo one, while what is decoded is stereo.
    mono_packets: u32,
    decoded: Vec<f32>,
    block: Block,
    gain: Gain,
    meter: LevelMeter,
    short_meter: LevelMeter,
    latency: LatencyMeter,
    blocks: u32,
    level_dbfs: Option<f32>,
}

/// The two sides.
pub fn audio_player() -> (AudioInput, AudioReceiver) {
    let (producer, packets) = RingBuffer::new(PACKETS_PER_PLAYER);
    let shared = Arc::new(AudioShared {
        volume: AtomicU32::new(1.0_f32.to_bits()),
        extra_delay: AtomicU32::new(0),
        heard: Slot::new(),
        stats: Slot::new(),
        announced: Slot::new(),
        level: Slot::new(),
    });
    let receiver = AudioReceiver {
        packets,
        shared: Arc::clone(&shared),
        buffer: JitterBuffer::new(JitterBufferConfig::default()),
        decoder: None,
        mono_packets: 0,
        decoded: Vec::new(),
        block: Block::silence(),
        gain: Gain::default(),
        meter: LevelMeter::new(),
        short_meter: LevelMeter::new(),
        latency: LatencyMeter::new(),
        blocks: 0,
        level_dbfs: None,
    };
    (AudioInput { packets: producer, shared }, receiver)
}

impl AudioReceiver {
    /// The player was dropped.
    pub fn ended(&self) -> bool {
        self.packets.is_abandoned()
    }

    /// Adds the next 10 ms of this peer to the mix, whose sound is heard from `heard` on.
    pub fn mix_into(&mut self, mixer: &mut Mixer, now: Instant, heard: Instant) {
        while let Ok((packet, kind)) = self.packets.pop() {
            if self.decoder.is_none() {
                // Nothing was heard before that a change of volume could make click.
                self.gain = Gain::new(self.shared.volume());
                self.decoder = new_decoder(1);
            }
            match kind {
                Kind::New => self.buffer.insert(packet),
                Kind::Copy => self.buffer.insert_copy(packet),
            }
        }
        if self.decoder.is_none() {
            return;
        }
        let extra = self.shared.extra_delay.load(Ordering::Relaxed);
        self.buffer.set_extra_delay(Duration::from_micros(extra.into()));
        self.next_block(now, heard);
        self.measure();
        self.gain.set(self.shared.volume());
        mixer.add(self.block.samples(), self.block.channels(), &mut self.gain);
    }

    fn next_block(&mut self, now: Instant, heard: Instant) {
        while let Some(action) = self.buffer.poll(now) {
            if let Err(error) = self.carry_out(action) {
                tracing::debug!(%error, "a packet was not decoded");
                self.decoded.clear();
            }
            self.buffer.decoded(&self.decoded, now);
        }
        if self.blocks.is_multiple_of(BLOCKS_PER_REPORT) {
            match self.buffer.position() {
                Some(timestamp) => {
                    self.shared.heard.put(PlayoutPoint { timestamp, at: heard });
                }
                None => self.shared.heard.clear(),
            }
        }
        self.block.clear(self.buffer.channels());
        self.buffer.read(self.block.samples_mut(), now);
    }

    /// A peer is decoded in stereo from its first stereo packet on, and in mono again when none has come for long.
    fn fit_channels(&mut self, packet: &[u8]) {
        let stereo = opus_packet::is_stereo(packet);
        self.mono_packets = if stereo { 0 } else { self.mono_packets.saturating_add(1) };
        let channels = match self.buffer.channels() {
            1 if stereo => 2,
            2 if self.mono_packets >= MONO_AFTER => 1,
            _ => return,
        };
        if let Some(decoder) = new_decoder(channels) {
            self.decoder = Some(decoder);
            self.buffer.set_channels(channels);
        }
    }

    fn carry_out(&mut self, action: Action) -> Result<(), OpusError> {
        if let Action::Decode { payload, .. } = &action {
            self.fit_channels(payload);
        }
        let Some(decoder) = &mut self.decoder else {
            self.decoded.clear();
            return Ok(());
        };
        match action {
            Action::Decode { payload, .. } => decoder.decode(&payload, &mut self.decoded),
            Action::DecodeFec { payload, samples } => {
                decoder.decode_fec(&payload, samples as usize, &mut self.decoded)
            }
            Action::Conceal { samples } | Action::ComfortNoise { samples } => {
                decoder.conceal(samples as usize, &mut self.decoded)
            }
        }
    }

    fn measure(&mut self) {
        self.meter.add(self.block.samples());
        self.short_meter.add(self.block.samples());
        self.latency.add(&self.block.to_mono(), unix_time());
        self.blocks += 1;
        if self.blocks.is_multiple_of(BLOCKS_PER_LEVEL) {
            self.level_dbfs = audible_level(&mut self.meter);
        }
        if self.blocks.is_multiple_of(BLOCKS_PER_REPORT) {
            self.shared.level.put(audible_level(&mut self.short_meter));
            self.report();
        }
    }

    fn report(&self) {
        let stats = self.buffer.stats();
        self.shared.stats.put(AudioReceiveStats {
            total_samples_received: stats.total_samples_received,
            concealed_samples: stats.concealed_samples,
            silent_concealed_samples: stats.silent_concealed_samples,
            concealment_events: stats.concealment_events,
            inserted_samples_for_deceleration: stats.inserted_samples_for_deceleration,
            removed_samples_for_acceleration: stats.removed_samples_for_acceleration,
            packets_discarded: stats.packets_discarded,
            packets_restored: stats.fec_packets_used + stats.copies_used,
            jitter_buffer_target_delay_ms: (stats.total_samples_received > 0)
                .then(|| self.buffer.target_delay().as_secs_f64() * 1000.0),
            jitter_buffer_delay_ms: stats.mean_delay().map(|delay| delay.as_secs_f64() * 1000.0),
            level_dbfs: self.level_dbfs,
            latency_ms: self.latency.latency(),
        });
    }
}

fn new_decoder(channels: usize) -> Option<AudioDecoder> {
    AudioDecoder::new(channels).inspect_err(|error| tracing::warn!(%error, "a peer is mute")).ok()
}
