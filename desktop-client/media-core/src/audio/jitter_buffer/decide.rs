//! The decision what is played next.

use std::time::Instant;

use super::packets::Packet;
use super::pcm::Origin;
use super::{Action, BLOCK, JitterBuffer, Pending, State};
use crate::audio::opus_packet;
use crate::frame::{SAMPLE_RATE, SAMPLES_PER_BLOCK};
use crate::rtp;

/// Comfort noise without a new packet, in samples: 1 s. Encoders renew it every 400 ms (RFC 6716 §2.1.9).
const MAX_COMFORT: u32 = SAMPLE_RATE;

/// Decoders make up sound in multiples of this, in samples: Opus in 2.5 ms.
const CONCEALMENT_STEP: u32 = 120;

impl JitterBuffer {
    /// What to decode next; `None` when something else changed (state, or silence was put in): ask again.
    pub(super) fn decide(&mut self, now: Instant) -> Option<Action> {
        match self.state {
            State::Waiting => self.start_when_due(now),
            State::Comfort(made_up) => self.comfort(made_up, now),
            State::Playing | State::Starved(_) => self.play(),
        }
    }

    fn start_when_due(&mut self, now: Instant) -> Option<Action> {
        match self.packets.first_timestamp() {
            Some(first) if self.is_due(first, now) => {
                self.position = first;
                self.state = State::Playing;
                self.pcm.smooth_next();
                self.play()
            }
            Some(_) | None => {
                self.pcm.push_silence(SAMPLES_PER_BLOCK - self.pcm.len(), Origin::Silence);
                None
            }
        }
    }

    fn comfort(&mut self, made_up: u32, now: Instant) -> Option<Action> {
        if let Some(first) = self.packets.first_timestamp()
            && self.is_due(first, now)
        {
            // In silence media time can be set without anybody hearing it.
            self.position = first;
            self.state = State::Playing;
            return self.play();
        }
        if made_up >= MAX_COMFORT {
            return self.stop();
        }
        self.state = State::Comfort(made_up + BLOCK as u32);
        self.position += BLOCK;
        self.order(Action::ComfortNoise { samples: BLOCK as u32 }, 0, Origin::ComfortNoise)
    }

    fn play(&mut self) -> Option<Action> {
        self.stats.packets_discarded += self.packets.drop_before(self.position);
        let position = self.position;
        let Some(first) = self.packets.first() else { return self.starve() };
        if first.timestamp <= position {
            let packet = self.packets.pop()?;
            return self.decode(packet);
        }
        let gap = first.timestamp - position;
        let sequence_number = first.sequence_number;
        if let State::Starved(made_up) = self.state {
            // What was made up while nothing came stands for what is missing.
            self.state = State::Playing;
            self.position += gap.min(i64::from(made_up));
            return self.play();
        }
        let intended = self.last_sequence.is_some_and(|last| rtp::sequence_diff(sequence_number, last) == 1);
        if intended {
            self.state = State::Comfort(0);
            return None;
        }
        self.fill_gap(gap)
    }

    fn decode(&mut self, packet: Packet) -> Option<Action> {
        let skip = self.position - packet.timestamp;
        self.position = packet.timestamp + i64::from(packet.samples);
        self.last_sequence = Some(packet.sequence_number);
        self.state = if opus_packet::is_dtx(&packet.payload) { State::Comfort(0) } else { State::Playing };
        let origin = Origin::Packet(packet.arrival);
        // Shorter than the packet, as the packet reaches beyond the position.
        let skip = u32::try_from(skip).unwrap_or(0);
        self.order(Action::Decode { payload: packet.payload, samples: packet.samples }, skip, origin)
    }

    /// A packet is lost and the one after it is there.
    fn fill_gap(&mut self, gap: i64) -> Option<Action> {
        let next = self.packets.first()?;
        let covered = i64::from(next.samples);
        let has_fec = opus_packet::has_fec(&next.payload);
        if has_fec && gap <= covered {
            let (payload, samples) = (next.payload.clone(), next.samples);
            let origin = Origin::Packet(next.arrival);
            self.position += gap;
            self.stats.fec_packets_used += 1;
            return self.order(Action::DecodeFec { payload, samples }, (covered - gap) as u32, origin);
        }
        let step = if has_fec { gap - covered } else { gap }.min(BLOCK) as u32;
        self.position += i64::from(step);
        let samples = step.next_multiple_of(CONCEALMENT_STEP);
        self.order(Action::Conceal { samples }, 0, Origin::Concealed)
    }

    /// Nothing is there to play.
    fn starve(&mut self) -> Option<Action> {
        let made_up = match self.state {
            State::Starved(made_up) => made_up,
            State::Waiting | State::Playing | State::Comfort(_) => 0,
        };
        if rtp::ticks_to_duration(u64::from(made_up), SAMPLE_RATE) >= self.config.max_concealment {
            return self.stop();
        }
        // No more than this block needs, in the decoder's steps: the packet may come before the next one.
        let missing = (SAMPLES_PER_BLOCK - self.pcm.len()) as u32;
        let samples = missing.next_multiple_of(CONCEALMENT_STEP);
        self.state = State::Starved(made_up + samples);
        self.order(Action::Conceal { samples }, 0, Origin::Concealed)
    }

    /// Falls silent until packets come again.
    fn stop(&mut self) -> Option<Action> {
        self.state = State::Waiting;
        self.last_sequence = None;
        None
    }

    fn order(&mut self, action: Action, skip: u32, origin: Origin) -> Option<Action> {
        let samples = match action {
            Action::Decode { samples, .. }
            | Action::DecodeFec { samples, .. }
            | Action::Conceal { samples }
            | Action::ComfortNoise { samples } => samples,
        };
        self.pending = Some(Pending { samples, skip, origin });
        Some(action)
    }
}
