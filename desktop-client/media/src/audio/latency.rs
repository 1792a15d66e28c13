//! Latency of a peer's sound, from the bursts that mark each whole second.
//!
//! Speech and tones are loud at some time in each second too. Only a short burst between silences is a mark, so a latency counts once the
//! silence after it was heard.

use std::time::Duration;

use media_core::frame::{SAMPLE_RATE, SAMPLES_PER_BLOCK};
use media_core::marks::audio::BurstDetector;
use media_core::stats::Percentiles;

use super::block::MonoBlock;
use super::clock::BLOCK;
use crate::stats::Latency;
use crate::video::decode::figures::percentiles;

/// Latencies that the percentiles are over: five minutes at one mark a second.
const CAPACITY: usize = 300;

/// A block with a sample over this is not silent. Well under what counts as a burst, over what a codec leaves around one.
const SILENCE: f32 = 0.05;

/// Silence before and after a mark, in blocks: 300 ms each, so that latencies up to that leave the second unambiguous.
const QUIET_BLOCKS: u32 = 30;

/// Blocks that a burst of 5 ms may touch, smeared by codec and resampling.
const BURST_BLOCKS: u32 = 3;

/// Finds marks and gathers their latencies.
pub struct LatencyMeter {
    detector: BurstDetector,
    latencies: Percentiles,
    /// Silent blocks in a row.
    quiet: u32,
    /// Loud blocks in a row, after silence.
    loud: u32,
    candidate: Option<Duration>,
}

impl LatencyMeter {
    /// Before the first mark.
    pub fn new() -> Self {
        Self {
            detector: BurstDetector::new(),
            latencies: Percentiles::new(CAPACITY),
            quiet: 0,
            loud: 0,
            candidate: None,
        }
    }

    /// Looks at a block whose first sample is heard at this Unix time.
    pub fn add(&mut self, block: &MonoBlock, since_unix_epoch: Duration) {
        debug_assert_eq!(BLOCK.as_millis() as usize * SAMPLE_RATE as usize / 1000, SAMPLES_PER_BLOCK);
        let latency = self.detector.detect(block, since_unix_epoch);
        if block.iter().any(|sample| sample.abs() > SILENCE) {
            if self.loud == 0 && self.quiet >= QUIET_BLOCKS {
                self.candidate = latency;
            }
            self.candidate =
                self.candidate.or(latency.filter(|_| self.loud > 0 && self.quiet >= QUIET_BLOCKS));
            self.loud += 1;
            if self.loud > BURST_BLOCKS {
                (self.quiet, self.candidate) = (0, None);
            }
        } else {
            self.silent();
        }
    }

    fn silent(&mut self) {
        if self.loud > 0 {
            (self.loud, self.quiet) = (0, 0);
        }
        self.quiet = self.quiet.saturating_add(1);
        if self.quiet >= QUIET_BLOCKS
            && let Some(latency) = self.candidate.take()
        {
            self.latencies.add(latency.as_secs_f64() * 1000.0);
        }
    }

    /// Median and 95th percentile; `None` without marks.
    pub fn latency(&self) -> Option<Latency> {
        percentiles(&self.latencies)
    }
}

#[cfg(test)]
mod tests {
    use media_core::marks;

    use super::*;

    const START: Duration = Duration::from_millis(1_700_000_000_330);

    /// Feeds ten seconds of a signal that is heard `delay` after it was made.
    fn meter(delay: Duration, mut signal: impl FnMut(&mut MonoBlock, Duration)) -> LatencyMeter {
        let mut meter = LatencyMeter::new();
        for n in 0..1000 {
            let made = START + BLOCK * n;
            let mut block = [0.0; SAMPLES_PER_BLOCK];
            signal(&mut block, made);
            meter.add(&block, made + delay);
        }
        meter
    }

    #[test]
    fn marks_tell_their_latency() {
        for ms in [0, 7, 60, 250] {
            let delay = Duration::from_millis(ms);
            let found = meter(delay, |block, made| marks::audio::fill(block, made));
            let latency = found.latency().unwrap();
            assert!(
                (latency.p50 - ms as f64).abs() < 0.1 && (latency.p95 - ms as f64).abs() < 0.1,
                "{latency:?}"
            );
            assert!(found.latencies.len() >= 9);
        }
    }

    #[test]
    fn a_tone_and_speech_have_no_marks() {
        let tone = |block: &mut MonoBlock, _| block.fill(0.25);
        assert_eq!(meter(Duration::ZERO, tone).latency(), None);
        let mut n = 0_u32;
        // Words of 200 ms with pauses of 400.
        let speech = |block: &mut MonoBlock, _| {
            n += 1;
            block.fill(if n % 60 < 20 { 0.4 } else { 0.0 });
        };
        assert_eq!(meter(Duration::ZERO, speech).latency(), None);
        let silence = |_: &mut MonoBlock, _| {};
        assert_eq!(meter(Duration::ZERO, silence).latency(), None);
    }
}
