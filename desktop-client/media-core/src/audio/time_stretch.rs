//! Makes sound shorter or longer by whole pitch periods, which keeps its pitch and is hardly heard.
//!
//! Two neighbouring stretches of equal length that look alike (one period of a voice, or just silence) are cross-faded into one, or one is repeated. The
//! idea is that of WSOLA (Verhelst, Roelands 1993) and of the accelerate and preemptive-expand operations in WebRTC's NetEQ.

/// Shortest period in samples: 2.5 ms, a voice of 400 Hz. Higher pitches match at multiples.
const MIN_PERIOD: usize = 120;

/// Longest period in samples: 15 ms, a voice of 67 Hz.
const MAX_PERIOD: usize = 720;

/// Step of the coarse search in samples, and of the samples that it looks at.
const COARSE: usize = 4;

/// Mean square below which sound is taken for silence, where any cut is inaudible: −50 dBFS.
const SILENCE: f32 = 1e-5;

/// Removes one period from `samples` (interleaved), when the sound after it is at least as like it as `likeness` asks (1 is equal, 0 is anything). Gives the
/// samples per channel that were removed, 0 when nothing fits.
pub fn shorten(samples: &mut Vec<f32>, channels: usize, likeness: f32) -> usize {
    let Some(period) = find_period(samples, channels, likeness) else { return 0 };
    let width = period * channels;
    for i in 0..width {
        samples[i] = cross_fade(samples[i], samples[i + width], i / channels, period);
    }
    samples.drain(width..2 * width);
    period
}

/// Repeats one period of `samples`, under the same condition. Gives the samples per channel that were added, 0 when nothing fits.
pub fn lengthen(samples: &mut Vec<f32>, channels: usize, likeness: f32) -> usize {
    let Some(period) = find_period(samples, channels, likeness) else { return 0 };
    let width = period * channels;
    // After the first period goes what leads from the second back into the first, so that the second follows again.
    let bridge: Vec<f32> =
        (0..width).map(|i| cross_fade(samples[i + width], samples[i], i / channels, period)).collect();
    samples.splice(width..width, bridge);
    period
}

/// From `old` to `new` over `length` steps.
fn cross_fade(old: f32, new: f32, step: usize, length: usize) -> f32 {
    let weight = (step as f32 + 0.5) / length as f32;
    old + (new - old) * weight
}

/// The period at which the start of the sound is most like what follows.
fn find_period(samples: &[f32], channels: usize, likeness: f32) -> Option<usize> {
    if channels == 0 {
        return None;
    }
    let mono: Vec<f32> = samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>()).collect();
    let longest = MAX_PERIOD.min(mono.len() / 2);
    if longest < MIN_PERIOD {
        return None;
    }
    let energy = mono.iter().map(|s| s * s).sum::<f32>() / mono.len() as f32;
    if energy < SILENCE {
        return Some(longest);
    }
    let coarse = best(&mono, (MIN_PERIOD..=longest).step_by(COARSE), COARSE)?;
    let around = coarse.saturating_sub(COARSE).max(MIN_PERIOD)..=(coarse + COARSE).min(longest);
    let period = best(&mono, around, 1)?;
    (correlation(&mono, period, 1) >= likeness).then_some(period)
}

fn best(mono: &[f32], periods: impl Iterator<Item = usize>, step: usize) -> Option<usize> {
    let scored = periods.map(|period| (correlation(mono, period, step), period));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, period)| period)
}

/// Normalised correlation of the first period with the second, looking at every `step`-th sample: −1…1.
fn correlation(mono: &[f32], period: usize, step: usize) -> f32 {
    let (mut cross, mut first, mut second) = (0.0, 0.0, 0.0);
    for i in (0..period).step_by(step) {
        let (a, b) = (mono[i], mono[i + period]);
        cross += a * b;
        first += a * a;
        second += b * b;
    }
    cross / (first * second).sqrt().max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Rng;

    fn tone(hz: f32, len: usize) -> Vec<f32> {
        (0..len).map(|i| 0.5 * (std::f32::consts::TAU * hz * i as f32 / 48_000.0).sin()).collect()
    }

    /// Largest step between neighbours: a click would show here.
    fn roughness(samples: &[f32]) -> f32 {
        samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_tone_is_shortened_and_lengthened_without_a_click() {
        for hz in [80.0, 150.0, 440.0, 1_000.0, 3_000.0] {
            let original = tone(hz, 1_440);
            for stretch in [shorten, lengthen] {
                let mut samples = original.clone();
                let moved = stretch(&mut samples, 1, 0.9);
                assert!((MIN_PERIOD..=MAX_PERIOD).contains(&moved), "{hz} Hz");
                assert_eq!(samples.len().abs_diff(original.len()), moved);
                assert!(roughness(&samples) < 1.2 * roughness(&original), "{hz} Hz");
            }
        }
    }

    #[test]
    fn the_samples_at_both_ends_stay() {
        let original = tone(200.0, 1_440);
        let mut samples = original.clone();
        shorten(&mut samples, 1, 0.9);
        assert!((samples[0] - original[0]).abs() < 1e-3);
        assert_eq!(samples.last(), original.last());
    }

    #[test]
    fn noise_is_left_alone_unless_anything_is_allowed() {
        let mut rng = Rng::new(3);
        let noise: Vec<f32> = (0..1_440).map(|_| 0.2 * rng.normal() as f32).collect();
        assert_eq!(shorten(&mut noise.clone(), 1, 0.8), 0);
        assert!(shorten(&mut noise.clone(), 1, -1.0) > 0);
    }

    #[test]
    fn silence_gives_its_longest_period() {
        assert_eq!(shorten(&mut vec![0.0; 960], 1, 0.9), 480);
        assert_eq!(lengthen(&mut vec![0.0; 2 * 960], 2, 0.9), 480);
    }

    #[test]
    fn stereo_keeps_its_channels_apart() {
        let mut samples: Vec<f32> = tone(300.0, 1_440).into_iter().flat_map(|s| [s, -0.5 * s]).collect();
        assert!(shorten(&mut samples, 2, 0.9) > 0);
        assert!(samples.chunks_exact(2).all(|frame| (frame[1] + 0.5 * frame[0]).abs() < 1e-4));
    }

    #[test]
    fn too_little_sound_is_left_alone() {
        for len in [0, 1, 239] {
            assert_eq!(shorten(&mut vec![0.0; len], 1, 0.0), 0);
        }
        assert_eq!(shorten(&mut vec![0.0; 960], 0, 0.0), 0);
    }

    #[test]
    fn nan_does_no_harm() {
        let mut samples = vec![f32::NAN; 960];
        let _ = shorten(&mut samples, 1, 0.9);
        let _ = lengthen(&mut samples, 1, 0.9);
    }
}
