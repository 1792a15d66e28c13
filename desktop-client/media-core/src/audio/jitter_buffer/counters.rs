//! What was heard, counted as W3C webrtc-stats counts it (RTCInboundRtpStreamStats).

use std::time::{Duration, Instant};

use super::pcm::Origin;

/// Counters since the start. Samples are per channel at 48 kHz.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JitterBufferStats {
    /// Packets handed in.
    pub packets_received: u64,
    /// Packets dropped without being played: malformed, too late, doubled, or too many.
    pub packets_discarded: u64,
    /// Samples read since the first packet was played, concealed ones included.
    pub total_samples_received: u64,
    /// Samples made up for ones that were lost or late.
    pub concealed_samples: u64,
    /// Of these, the ones that are plain silence, as while nothing comes.
    pub silent_concealed_samples: u64,
    /// Rows of concealed samples.
    pub concealment_events: u64,
    /// Samples added to bring the delay up.
    pub inserted_samples_for_deceleration: u64,
    /// Samples left out to bring the delay down.
    pub removed_samples_for_acceleration: u64,
    /// Sum over emitted samples of the time from a packet's arrival to its samples' reading.
    pub jitter_buffer_delay: Duration,
    /// Sum over emitted samples of the target delay.
    pub jitter_buffer_target_delay: Duration,
    /// Samples from packets that were read: what the two sums are divided by.
    pub jitter_buffer_emitted_count: u64,
    /// Packets restored from the FEC of the next.
    pub fec_packets_used: u64,
    /// Packets restored from copies in later ones.
    pub copies_used: u64,
    /// The newest samples were concealed.
    concealing: bool,
    /// The first packet was played.
    started: bool,
}

impl JitterBufferStats {
    /// Mean time that a sample waited, since the start; `None` before the first.
    pub fn mean_delay(&self) -> Option<Duration> {
        let nanos =
            self.jitter_buffer_delay.as_nanos().checked_div(u128::from(self.jitter_buffer_emitted_count))?;
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    }

    /// Share of samples that were concealed, since the start: 0–1.
    pub fn concealed_share(&self) -> f64 {
        self.concealed_samples as f64 / (self.total_samples_received as f64).max(1.0)
    }

    pub(super) fn emitted(&mut self, samples: usize, origin: Origin, target: Duration, now: Instant) {
        let count = samples as u64;
        let concealed = match origin {
            Origin::Packet(arrival) => {
                self.started = true;
                self.jitter_buffer_emitted_count += count;
                self.jitter_buffer_delay += times(now.saturating_duration_since(arrival), count);
                self.jitter_buffer_target_delay += times(target, count);
                false
            }
            Origin::ComfortNoise => false,
            Origin::Concealed => true,
            Origin::Silence => self.started,
        };
        if !self.started {
            return;
        }
        self.total_samples_received += count;
        if concealed {
            self.concealed_samples += count;
            self.silent_concealed_samples += if origin == Origin::Silence { count } else { 0 };
            self.concealment_events += u64::from(!self.concealing);
        }
        self.concealing = concealed;
    }
}

fn times(duration: Duration, count: u64) -> Duration {
    duration.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}
