//! Opus packets in, as the network delivers them; an even stream of 10 ms blocks out.
//!
//! The buffer knows for each packet when it would be heard if it had come with the fastest: that, plus a target delay learnt from how late packets come
//! (how: `delay.rs`), is when it is played. At each block it says what to decode ([`Action`]); the caller owns the decoder, and hands the sound back with
//! [`JitterBuffer::decoded`]. Delay is brought to the target by time stretching ([`crate::audio::time_stretch`];
//! when: `stretcher.rs`).
//!
//! - A packet that is missing while the next one is there is lost: its sound comes from the next one's FEC, or is concealed, and time goes on.
//! - When nothing at all is there, sound is concealed while the buffer waits, so a stream that comes late is heard late, but whole.
//! - After a DTX packet, or a pause that the sequence numbers show to be intended, comfort noise fills in, and the next talk spurt starts with its first packet.
//!
//! Use, every 10 ms: call [`JitterBuffer::poll`] and do what it says until it says nothing, then [`JitterBuffer::read`] a block. Memory is bounded by the
//! configuration whatever comes in.

mod counters;
mod decide;
mod delay;
mod packets;
mod pauses;
mod pcm;
mod stretcher;

use std::time::{Duration, Instant};

use bytes::Bytes;

pub use self::counters::JitterBufferStats;
use self::delay::DelayEstimator;
use self::packets::{Packet, PacketQueue};
use self::pcm::{Origin, PcmQueue};
use self::stretcher::{Delay, Length, Stretch, Stretcher};
use crate::audio::{opus_packet, time_stretch};
use crate::frame::{SAMPLE_RATE, SAMPLES_PER_BLOCK};
use crate::rtp::{self, RtpPacket, TimestampUnwrapper};

/// How much delay to bear.
#[derive(Debug, Clone, Copy)]
pub struct JitterBufferConfig {
    /// Channels that the decoder gives, 1 or 2. Default 1.
    pub channels: usize,
    /// Least target delay. Default 20 ms, one usual packet; less loses more to a busy machine.
    pub min_delay: Duration,
    /// Largest target delay. Default 400 ms: beyond this, people talk into each other.
    pub max_delay: Duration,
    /// Target before anything is learnt. Default 40 ms.
    pub initial_delay: Duration,
    /// Share of packets that the target delay catches. Default 0.97.
    pub percentile: f64,
    /// How much the delay may exceed its target before sound is left out instead of stretched. Default 300 ms.
    pub max_excess: Duration,
    /// How long to conceal while nothing comes, before falling silent. Default 200 ms; synthesised voices are no longer bearable then.
    pub max_concealment: Duration,
    /// Packets held. Default 400, more than the delays above allow.
    pub max_packets: usize,
    /// Bytes held. Default 512 KiB.
    pub max_bytes: usize,
}

impl Default for JitterBufferConfig {
    fn default() -> Self {
        Self {
            channels: 1,
            min_delay: Duration::from_millis(20),
            max_delay: Duration::from_millis(400),
            initial_delay: Duration::from_millis(40),
            percentile: 0.97,
            max_excess: Duration::from_millis(300),
            max_concealment: Duration::from_millis(200),
            max_packets: 400,
            max_bytes: 512 << 10,
        }
    }
}

/// What the decoder shall do next. Answer each with [`JitterBuffer::decoded`]. `samples` are per channel at 48 kHz.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Decode a packet.
    Decode {
        /// The Opus packet.
        payload: Bytes,
        /// What it stands for.
        samples: u32,
    },
    /// Decode the copy of a lost packet that the packet after it carries.
    DecodeFec {
        /// The packet *after* the lost one; it is decoded itself later.
        payload: Bytes,
        /// What the lost one stood for.
        samples: u32,
    },
    /// Make up sound for a loss (Opus: decode without data).
    Conceal {
        /// How much.
        samples: u32,
    },
    /// Go on with comfort noise (Opus: decode without data after a DTX packet).
    ComfortNoise {
        /// How much.
        samples: u32,
    },
}

/// A jitter buffer for one remote audio stream.
#[derive(Debug)]
pub struct JitterBuffer {
    config: JitterBufferConfig,
    ssrc: Option<u32>,
    /// Time zero of the sample clock.
    origin: Option<Instant>,
    unwrapper: TimestampUnwrapper,
    packets: PacketQueue,
    delay: DelayEstimator,
    /// A packet far off the running stream; if the next one is like it, the stream has moved there.
    stray: Option<(i64, RtpPacket)>,
    state: State,
    /// Media time up to which sound was decoded.
    position: i64,
    pending: Option<Pending>,
    pcm: PcmQueue,
    last_sequence: Option<u16>,
    /// The newest that came.
    newest_sequence: Option<u16>,
    stretcher: Stretcher,
    stats: JitterBufferStats,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Silent until the first packet is due.
    Waiting,
    /// Packets follow each other.
    Playing,
    /// Nothing is there; sound is made up, media time stands still. How many samples so far.
    Starved(u32),
    /// The sender is silent on purpose. How many samples of comfort noise since its last packet.
    Comfort(u32),
}

/// What was ordered and not answered yet.
#[derive(Debug, Clone, Copy)]
struct Pending {
    samples: u32,
    /// Samples at the start that were played already.
    skip: u32,
    origin: Origin,
}

/// Samples of a block, as the signed count that media time is kept in.
const BLOCK: i64 = SAMPLES_PER_BLOCK as i64;

/// A packet that comes this much later than the fastest ones is of a stream that moved its clock, in samples: 3 s, longer than networks hold packets.
const MAX_LATER: i64 = 3 * SAMPLE_RATE as i64;

/// The same for packets that come earlier, which no network can make them by much: 500 ms.
const MAX_EARLIER: i64 = SAMPLE_RATE as i64 / 2;

impl JitterBuffer {
    /// An empty buffer.
    pub fn new(config: JitterBufferConfig) -> Self {
        let config = JitterBufferConfig { channels: config.channels.clamp(1, 2), ..config };
        Self {
            ssrc: None,
            origin: None,
            unwrapper: TimestampUnwrapper::default(),
            packets: PacketQueue::new(config.max_packets, config.max_bytes),
            delay: DelayEstimator::new(&config),
            stray: None,
            state: State::Waiting,
            position: 0,
            pending: None,
            pcm: PcmQueue::new(config.channels),
            last_sequence: None,
            newest_sequence: None,
            stretcher: Stretcher::default(),
            stats: JitterBufferStats::default(),
            config,
        }
    }

    /// Takes a packet in. Packets that are malformed, too late or there already are counted and dropped.
    pub fn insert(&mut self, packet: RtpPacket) {
        self.stats.packets_received += 1;
        let Some(samples) = opus_packet::duration(&packet.payload) else {
            self.stats.packets_discarded += 1;
            return;
        };
        if self.ssrc != Some(packet.ssrc) {
            self.restart();
            self.ssrc = Some(packet.ssrc);
        }
        let arrival = self.sample_time(packet.arrival);
        let transit = arrival - self.unwrapper.peek(packet.timestamp);
        if self.is_far_off(transit, self.delay.base()) {
            return self.stray(transit, packet);
        }
        self.stray = None;
        let timestamp = self.unwrapper.unwrap(packet.timestamp);
        self.delay.packet_arrived(arrival - timestamp, arrival);
        if self.follows_a_loss(packet.sequence_number) && opus_packet::has_fec(&packet.payload) {
            // The copy of the lost one is here now: it is as if that one had come so late.
            self.delay.packet_arrived(arrival - timestamp + i64::from(samples), arrival);
        }
        let taken = self.queue(packet, timestamp, samples);
        self.stats.packets_discarded += u64::from(!taken);
    }

    /// Takes in the copy of an earlier packet that one carries (RFC 2198), oldest first and before the packet itself. It counts as a packet that came so late;
    /// copies of what is there are ignored.
    pub fn insert_copy(&mut self, copy: RtpPacket) {
        let is_newer = |newest| rtp::sequence_diff(copy.sequence_number, newest) > 0;
        if self.ssrc != Some(copy.ssrc) || !self.newest_sequence.is_some_and(is_newer) {
            return;
        }
        let Some(samples) = opus_packet::duration(&copy.payload) else { return };
        let arrival = self.sample_time(copy.arrival);
        if self.is_far_off(arrival - self.unwrapper.peek(copy.timestamp), self.delay.base()) {
            return;
        }
        self.newest_sequence = Some(copy.sequence_number);
        let timestamp = self.unwrapper.unwrap(copy.timestamp);
        self.delay.packet_arrived(arrival - timestamp, arrival);
        self.stats.copies_used += u64::from(self.queue(copy, timestamp, samples));
    }

    /// Puts a packet where its time is; false when that is past, or taken.
    fn queue(&mut self, packet: RtpPacket, timestamp: i64, samples: u32) -> bool {
        let started = matches!(self.state, State::Playing | State::Starved(_));
        let late = started && timestamp + i64::from(samples) <= self.position;
        !late
            && self.packets.insert(Packet {
                timestamp,
                samples,
                sequence_number: packet.sequence_number,
                payload: packet.payload,
                arrival: packet.arrival,
            })
    }

    /// What to decode before a block can be read; `None` when a block is ready.
    pub fn poll(&mut self, now: Instant) -> Option<Action> {
        if self.pending.is_some() {
            // The order before was not answered: the decoder is in trouble, time goes on.
            self.decoded(&[], now);
        }
        self.leave_out_excess(now);
        while self.pcm.len() < SAMPLES_PER_BLOCK {
            if let Some(action) = self.decide(now) {
                return Some(action);
            }
        }
        None
    }

    /// The sound that was ordered, interleaved; empty when the decoder failed. What is no number becomes 0.
    pub fn decoded(&mut self, pcm: &[f32], now: Instant) {
        let Some(pending) = self.pending.take() else { return };
        let channels = self.config.channels;
        let limit = opus_packet::MAX_SAMPLES as usize * channels;
        let skip = pending.skip as usize * channels;
        let whole = pcm.len().min(limit) / channels * channels;
        if whole <= skip {
            self.pcm.push_silence(pending.samples.saturating_sub(pending.skip) as usize, Origin::Concealed);
            return;
        }
        let mut sound: Vec<f32> =
            pcm[skip..whole].iter().map(|s| if s.is_finite() { *s } else { 0.0 }).collect();
        if let Origin::Packet(_) = pending.origin {
            self.stretch(&mut sound, now);
        }
        self.pcm.push(&sound, pending.origin);
    }

    /// Reads a block of [`SAMPLES_PER_BLOCK`] × channels interleaved samples, after [`Self::poll`] said nothing. Silence stands in for what is missing.
    pub fn read(&mut self, out: &mut [f32], now: Instant) {
        self.stretcher.block_read();
        let target = rtp::ticks_to_duration(self.delay.target().unsigned_abs(), SAMPLE_RATE);
        self.pcm.read(out, |samples, origin| self.stats.emitted(samples, origin, target, now));
    }

    /// Channels of what is read, and of what [`Self::decoded`] takes.
    pub fn channels(&self) -> usize {
        self.config.channels
    }

    /// From now on the decoder gives one or two channels (other numbers count as the nearer of them). What waits to be read becomes the same. To be called before the
    /// sound is handed over that has the other number.
    pub fn set_channels(&mut self, channels: usize) {
        self.config.channels = channels.clamp(1, 2);
        self.pcm.set_channels(self.config.channels);
    }

    /// Counters since the start.
    pub fn stats(&self) -> &JitterBufferStats {
        &self.stats
    }

    /// The delay that the buffer aims at.
    pub fn target_delay(&self) -> Duration {
        rtp::ticks_to_duration(self.delay.target().unsigned_abs(), SAMPLE_RATE)
    }

    /// How much later than the fastest packets' sound the next block is heard; 0 while nothing plays.
    pub fn current_delay(&self, now: Instant) -> Duration {
        let samples = if self.state == State::Waiting { 0 } else { self.excess(now) + self.delay.target() };
        rtp::ticks_to_duration(u64::try_from(samples).unwrap_or(0), SAMPLE_RATE)
    }

    /// Media time of the next sample that is read; `None` while nothing plays.
    pub fn position(&self) -> Option<u32> {
        match self.state {
            State::Waiting => None,
            // The low 32 bits are the timestamp on the wire.
            State::Playing | State::Starved(_) | State::Comfort(_) => {
                Some((self.position - self.pcm.len() as i64) as u32)
            }
        }
    }

    /// Lip sync wants this much more delay than the network asks for; held to the largest delay.
    pub fn set_extra_delay(&mut self, delay: Duration) {
        self.delay.set_extra(i64::from(rtp::ticks(delay.min(self.config.max_delay), SAMPLE_RATE)));
    }

    /// Packets that wait to be decoded.
    pub fn waiting_packets(&self) -> usize {
        self.packets.len()
    }

    /// The stream starts anew. What is decoded still plays.
    fn restart(&mut self) {
        self.packets.clear();
        self.unwrapper = TimestampUnwrapper::default();
        self.delay.restart();
        self.stray = None;
        self.state = State::Waiting;
        self.last_sequence = None;
        self.newest_sequence = None;
    }

    /// This packet is the newest, and the one before it has not come.
    fn follows_a_loss(&mut self, sequence_number: u16) -> bool {
        let ahead = self.newest_sequence.map_or(1, |newest| rtp::sequence_diff(sequence_number, newest));
        if ahead > 0 {
            self.newest_sequence = Some(sequence_number);
        }
        ahead > 1
    }

    fn is_far_off(&self, transit: i64, other: Option<i64>) -> bool {
        other.is_some_and(|other| !(-MAX_EARLIER..=MAX_LATER).contains(&(transit - other)))
    }

    /// One packet far off is garbage, a second one that goes with it is a sender that moved its clock.
    fn stray(&mut self, transit: i64, packet: RtpPacket) {
        match self.stray.take() {
            Some((other, first)) if !self.is_far_off(transit, Some(other)) => {
                self.stats.packets_received -= 2;
                self.stats.packets_discarded -= 1;
                self.restart();
                self.insert(first);
                self.insert(packet);
            }
            Some(_) | None => {
                self.stats.packets_discarded += 1;
                self.stray = Some((transit, packet));
            }
        }
    }

    /// A packet with this media time should be heard now, or earlier.
    fn is_due(&self, timestamp: i64, now: Instant) -> bool {
        let base = self.delay.base().unwrap_or_default();
        self.sample_time_at(now) - timestamp - base >= self.delay.target()
    }

    /// How much the delay is over its target, in samples; negative when it is under.
    fn excess(&self, now: Instant) -> i64 {
        let playing = self.position - self.pcm.len() as i64;
        self.sample_time_at(now) - playing - self.delay.base().unwrap_or_default() - self.delay.target()
    }

    /// Leaves out sound when the delay is beyond what stretching could bring back.
    fn leave_out_excess(&mut self, now: Instant) {
        let limit = i64::from(rtp::ticks(self.config.max_excess, SAMPLE_RATE));
        let started = matches!(self.state, State::Playing | State::Starved(_));
        if !started || self.excess(now) <= limit {
            return;
        }
        let due = self.sample_time_at(now) - self.delay.base().unwrap_or_default() - self.delay.target();
        let Some(newest) = self.packets.last_timestamp() else { return };
        self.stats.packets_discarded += self.packets.drop_before(due.min(newest));
        if let Some(first) = self.packets.first_timestamp()
            && first > self.position
        {
            self.position = first;
            self.state = State::Playing;
            self.pcm.smooth_next();
        }
    }

    /// Brings the delay nearer to its target.
    fn stretch(&mut self, sound: &mut Vec<f32>, now: Instant) {
        let channels = self.config.channels;
        let samples = (sound.len() / channels) as i64;
        // The position is past this sound already, and the queue does not hold it yet.
        let excess = self.excess(now) + samples;
        let delay = Delay { excess, target: self.delay.target(), extra: self.delay.extra() };
        let Some(Stretch { to, likeness }) = self.stretcher.decide(sound, samples, delay) else { return };
        let moved = match to {
            Length::Shorter => time_stretch::shorten(sound, channels, likeness),
            Length::Longer => time_stretch::lengthen(sound, channels, likeness),
        };
        let counter = match to {
            Length::Shorter => &mut self.stats.removed_samples_for_acceleration,
            Length::Longer => &mut self.stats.inserted_samples_for_deceleration,
        };
        *counter += moved as u64;
        self.stretcher.stretched(moved);
    }

    fn sample_time(&mut self, at: Instant) -> i64 {
        self.origin.get_or_insert(at);
        self.sample_time_at(at)
    }

    fn sample_time_at(&self, at: Instant) -> i64 {
        let Some(origin) = self.origin else { return 0 };
        let samples =
            |duration: Duration| (duration.as_nanos() * u128::from(SAMPLE_RATE) / 1_000_000_000) as i64;
        match at.checked_duration_since(origin) {
            Some(after) => samples(after),
            None => -samples(origin.duration_since(at)),
        }
    }
}
