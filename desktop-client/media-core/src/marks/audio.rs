//! A 5 ms burst of a 3 kHz sine with amplitude 0.9 at each whole second of Unix time; the receiver takes the first sample of a second whose magnitude is over
//! 0.15. The latency that this shows is below one second.

use std::time::Duration;

use crate::frame::SAMPLE_RATE;

/// Length of a burst in samples: 5 ms.
const BURST_SAMPLES: u64 = SAMPLE_RATE as u64 / 200;

/// Pitch of a burst in Hz.
const PITCH: f32 = 3_000.0;

/// Peak of a burst, where 1 is full scale.
const AMPLITUDE: f32 = 0.9;

/// A sample over this is a burst.
const DETECTION_LEVEL: f32 = 0.15;

/// Samples of 48 kHz since the Unix epoch.
fn sample_index(since_unix_epoch: Duration) -> u64 {
    let rate = u64::from(SAMPLE_RATE);
    since_unix_epoch.as_secs() * rate + u64::from(since_unix_epoch.subsec_nanos()) * rate / 1_000_000_000
}

/// Writes the part of the marked signal that starts at a Unix time: silence but for the bursts. Mono at 48 kHz. For a gapless signal derive each block's time
/// from the first one's and the samples since, not from a clock.
pub fn fill(out: &mut [f32], since_unix_epoch: Duration) {
    let first = sample_index(since_unix_epoch);
    for (index, sample) in (first..).zip(out) {
        let in_second = index % u64::from(SAMPLE_RATE);
        *sample = if in_second < BURST_SAMPLES { burst(in_second) } else { 0.0 };
    }
}

fn burst(sample: u64) -> f32 {
    // Exact in f32: below 240.
    let seconds = sample as f32 / SAMPLE_RATE as f32;
    AMPLITUDE * (std::f32::consts::TAU * PITCH * seconds).sin()
}

/// Finds bursts in a received signal, of one peer and before mixing.
#[derive(Debug, Clone, Default)]
pub struct BurstDetector {
    /// The second in which the newest burst was found: each has only one.
    found_in: Option<u64>,
}

impl BurstDetector {
    /// A detector that found nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at mono samples at 48 kHz, the first of which is heard at a Unix time; gives the latency of a burst that starts here. Blocks up to a second find at
    /// most one.
    pub fn detect(&mut self, samples: &[f32], since_unix_epoch: Duration) -> Option<Duration> {
        let rate = u64::from(SAMPLE_RATE);
        let first = sample_index(since_unix_epoch);
        for (index, sample) in (first..).zip(samples) {
            let second = index / rate;
            if sample.abs() > DETECTION_LEVEL && self.found_in != Some(second) {
                self.found_in = Some(second);
                return Some(Duration::from_nanos(index % rate * 1_000_000_000 / rate));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SAMPLES_PER_BLOCK;

    const START: Duration = Duration::from_millis(1_700_000_000_730);

    fn signal(blocks: usize) -> Vec<f32> {
        let mut out = vec![9.0; blocks * SAMPLES_PER_BLOCK];
        for (i, block) in out.chunks_exact_mut(SAMPLES_PER_BLOCK).enumerate() {
            fill(block, START + Duration::from_millis(10) * i as u32);
        }
        out
    }

    #[test]
    fn a_burst_of_five_milliseconds_starts_each_second() {
        let signal = signal(200);
        let loud: Vec<usize> =
            signal.iter().enumerate().filter(|(_, s)| s.abs() > 0.01).map(|(i, _)| i).collect();
        // The first whole second is 270 ms after the start, the sine starts with 0.
        assert_eq!(loud[0], 270 * 48 + 1);
        let first_second: Vec<_> = loud.iter().filter(|i| **i < 1_000 * 48).collect();
        assert_eq!(**first_second.last().unwrap(), 275 * 48 - 1);
        let peak = signal.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        assert!((peak - 0.9).abs() < 0.01, "{peak}");
    }

    #[test]
    fn the_detector_tells_the_latency_of_each_burst_once() {
        let mut detector = BurstDetector::new();
        let delay = Duration::from_millis(57);
        let found: Vec<Duration> = signal(400)
            .chunks_exact(SAMPLES_PER_BLOCK)
            .enumerate()
            .filter_map(|(i, block)| {
                detector.detect(block, START + delay + Duration::from_millis(10) * i as u32)
            })
            .collect();
        assert_eq!(found.len(), 4, "{found:?}");
        // The sine passes the level with its second sample.
        assert!(found.iter().all(|latency| latency.abs_diff(delay) < Duration::from_micros(50)), "{found:?}");
    }

    #[test]
    fn silence_and_nan_are_no_burst() {
        let mut detector = BurstDetector::new();
        assert_eq!(detector.detect(&[0.0, 0.1, -0.15, f32::NAN], START), None);
    }
}
