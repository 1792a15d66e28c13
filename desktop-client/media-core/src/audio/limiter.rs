//! Keeps a mix below full scale without clipping.
//!
//! The block is cut into slices of 0.5 ms; each asks for the gain that keeps its peak at the threshold. Gain falls in a ramp before the loud slice, within
//! the block, and rises slowly after it. What still passes the threshold (a peak in the very first slice) is bent, not cut. No delay is added.

/// Magnitude that the limiter aims at: −1 dBFS.
const THRESHOLD: f32 = 0.891;

/// Samples per channel of a slice: 0.5 ms, as in the limiter of WebRTC's AGC2.
const SLICE: usize = 24;

/// Rise of the gain per slice: from half to full in about 300 ms.
const RELEASE: f32 = 1.001_2;

/// A limiter for one output stream.
#[derive(Debug, Clone)]
pub struct Limiter {
    gain: f32,
    targets: Vec<f32>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Limiter {
    /// A limiter at rest.
    pub fn new() -> Self {
        // Room for 10 ms, so that nothing is allocated later.
        Self { gain: 1.0, targets: Vec::with_capacity(20) }
    }

    /// Limits a block of interleaved samples in place. Afterwards each is finite and within ±1.
    pub fn process(&mut self, block: &mut [f32], channels: usize) {
        let slice = SLICE * channels.max(1);
        self.targets.clear();
        self.targets.extend(block.chunks(slice).map(wanted_gain));
        // A slice starts at the gain where the one before ended, so that end must suit both.
        for i in 0..self.targets.len() {
            let next = self.targets.get(i + 1).copied().unwrap_or(1.0);
            let start = self.gain.min(self.targets[i]);
            let end = self.targets[i].min(next).min(start * RELEASE);
            let from = i * slice;
            let to = (from + slice).min(block.len());
            ramp(&mut block[from..to], channels.max(1), start, end);
            self.gain = end;
        }
    }
}

fn wanted_gain(slice: &[f32]) -> f32 {
    let peak = slice.iter().filter(|s| s.is_finite()).fold(0.0_f32, |peak, s| peak.max(s.abs()));
    if peak > THRESHOLD { THRESHOLD / peak } else { 1.0 }
}

fn ramp(slice: &mut [f32], channels: usize, start: f32, end: f32) {
    let step = (end - start) / SLICE as f32;
    for (i, frame) in slice.chunks_mut(channels).enumerate() {
        let gain = start + step * i as f32;
        for sample in frame {
            *sample = bend(*sample * gain);
        }
    }
}

/// Straight up to the threshold, then ever flatter towards 1.
fn bend(sample: f32) -> f32 {
    let magnitude = sample.abs();
    if magnitude <= THRESHOLD {
        sample
    } else if magnitude.is_finite() {
        let over = (magnitude - THRESHOLD) / (1.0 - THRESHOLD);
        (1.0 - (1.0 - THRESHOLD) / (1.0 + over)).copysign(sample)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sine(amplitude: f32, blocks: usize) -> Vec<f32> {
        (0..480 * blocks).map(|i| amplitude * (std::f32::consts::TAU * i as f32 / 100.0).sin()).collect()
    }

    fn limit(samples: &mut [f32]) {
        let mut limiter = Limiter::new();
        samples.chunks_mut(480).for_each(|block| limiter.process(block, 1));
    }

    #[test]
    fn quiet_sound_passes_unchanged() {
        let mut samples = sine(0.8, 5);
        limit(&mut samples);
        assert_eq!(samples, sine(0.8, 5));
    }

    #[test]
    fn loud_sound_comes_down_to_the_threshold_and_keeps_its_shape() {
        let mut samples = sine(3.0, 50);
        limit(&mut samples);
        let settled = &samples[4_800..];
        let peak = settled.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        assert!((0.85..=THRESHOLD + 0.01).contains(&peak), "{peak}");
        // Distortion: what a sine of the same period does not explain.
        let reference = &sine(1.0, 50)[4_800..];
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let explained = dot(settled, reference).powi(2) / dot(reference, reference);
        assert!(1.0 - explained / dot(settled, settled) < 1e-3);
    }

    #[test]
    fn the_gain_recovers_after_a_peak() {
        let mut limiter = Limiter::new();
        limiter.process(&mut [4.0; 480], 1);
        for _ in 0..100 {
            limiter.process(&mut [0.1; 480], 1);
        }
        let mut block = [0.1; 480];
        limiter.process(&mut block, 1);
        assert!((block[479] - 0.1).abs() < 1e-4);
    }

    proptest! {
        #[test]
        fn the_output_is_always_finite_and_within_full_scale(
            blocks in prop::collection::vec(prop::collection::vec(any::<f32>(), 0..300), 1..4),
            channels in 0_usize..3,
        ) {
            let mut limiter = Limiter::new();
            for mut block in blocks {
                limiter.process(&mut block, channels);
                prop_assert!(block.iter().all(|s| s.abs() <= 1.0), "{:?}", block);
            }
        }
    }
}
