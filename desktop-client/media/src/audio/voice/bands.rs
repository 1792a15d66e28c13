//! Sound in three bands of 8 kHz each, for the echo canceller, and back: a cosine-modulated filter bank.
//!
//! The prototype is a Kaiser window's (Y.-P. Lin and P. P. Vaidyanathan, “A Kaiser window approach for the design of prototype filters of cosine modulated
//! filterbanks”, IEEE Signal Processing Letters 5, 1998). Loops run over the 160 samples of a band, so that compilers make vectors of them.

use std::f64::consts::PI;

use media_core::frame::SAMPLES_PER_BLOCK;

use super::Samples16;

/// Number of bands.
pub const BANDS: usize = 3;

/// Samples of each in 10 ms.
pub const BAND_SAMPLES: usize = SAMPLES_PER_BLOCK / BANDS;

/// 10 ms of each band, of 16 bit samples: up to 8, 16 and 24 kHz. The second has its highest frequency first.
pub type Bands = [[f32; BAND_SAMPLES]; BANDS];

/// The cosines repeat with other signs after so many taps.
const PERIOD: usize = 2 * BANDS;

/// So many such periods are in the prototype.
const PERIODS: usize = 8;

/// Taps of the prototype.
const TAPS: usize = PERIOD * PERIODS;

/// Samples of a band, or of a third of the sound, that the first ones of a block need from before it.
const PAST: usize = TAPS / BANDS - 1;

/// The shape of the Kaiser window: what is 4 kHz inside another band is 80 dB lower.
const BETA: f64 = 8.0;

/// Where the prototype cuts off, in half the sampling rate divided by the number of bands: found by a search for the sum that is nearest to the sound (−63 dB).
const CUTOFF: f64 = 0.563_52;

/// Sound and what was before it.
type WithPast = [f32; PAST + BAND_SAMPLES];

/// The prototype by its place in the period, with the signs of the cosines, and the cosines of each band.
struct Filters {
    taps: [[f32; PERIODS]; PERIOD],
    cosines: [[f32; PERIOD]; BANDS],
}

impl Filters {
    /// With cosines that are this much of an eighth of a turn ahead: 1 to split, −1 to merge.
    fn new(ahead: f64) -> Self {
        let taps = std::array::from_fn(|place| {
            std::array::from_fn(|period| {
                let sign = if period.is_multiple_of(2) { 1.0 } else { -1.0 };
                (sign * prototype(PERIOD * period + place)) as f32
            })
        });
        let cosines = std::array::from_fn(|band| {
            let phase = if band.is_multiple_of(2) { ahead } else { -ahead } * PI / 4.0;
            let frequency = (2 * band + 1) as f64 * PI / PERIOD as f64;
            std::array::from_fn(|place| (2.0 * (frequency * (place as f64 - MIDDLE) + phase).cos()) as f32)
        });
        Self { taps, cosines }
    }
}

/// The middle of the prototype.
const MIDDLE: f64 = (TAPS - 1) as f64 / 2.0;

/// A tap of the low-pass filter that all bands are made of.
fn prototype(tap: usize) -> f64 {
    let x = tap as f64 - MIDDLE;
    let cutoff = CUTOFF / BANDS as f64;
    let ideal = (PI * cutoff * x).sin() / (PI * x);
    ideal * bessel(BETA * (1.0 - (x / MIDDLE).powi(2)).sqrt()) / bessel(BETA)
}

/// The modified Bessel function of the first kind, of order 0, by its power series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..40 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

/// Makes bands of sound.
pub struct Splitter {
    filters: Filters,
    /// Every third sample, from the first, second and third on.
    thirds: [WithPast; BANDS],
}

impl Splitter {
    /// Nothing was heard yet.
    pub fn new() -> Self {
        Self { filters: Filters::new(1.0), thirds: [[0.0; PAST + BAND_SAMPLES]; BANDS] }
    }

    /// The bands of the next samples.
    pub fn split(&mut self, samples: &Samples16) -> Bands {
        for (first, third) in self.thirds.iter_mut().enumerate() {
            third.copy_within(BAND_SAMPLES.., 0);
            for (to, from) in third[PAST..].iter_mut().zip(samples[first..].iter().step_by(BANDS)) {
                *to = *from;
            }
        }
        let mut bands = [[0.0; BAND_SAMPLES]; BANDS];
        for (place, taps) in self.filters.taps.iter().enumerate() {
            let third = &self.thirds[BANDS - 1 - place % BANDS];
            let filtered = filter(taps, third, place / BANDS);
            for (band, cosines) in bands.iter_mut().zip(&self.filters.cosines) {
                add(band, cosines[place], &filtered);
            }
        }
        bands
    }
}

/// Makes sound of bands.
pub struct Merger {
    filters: Filters,
    /// The bands by place in the period, each with its cosine.
    places: [WithPast; PERIOD],
}

impl Merger {
    /// Nothing was merged yet.
    pub fn new() -> Self {
        Self { filters: Filters::new(-1.0), places: [[0.0; PAST + BAND_SAMPLES]; PERIOD] }
    }

    /// The sound of the next bands, a millisecond late.
    pub fn merge(&mut self, bands: &Bands) -> Samples16 {
        let mut samples = [0.0; SAMPLES_PER_BLOCK];
        for first in 0..BANDS {
            let mut third = [0.0; BAND_SAMPLES];
            for place in [first, first + BANDS] {
                let sound = &mut self.places[place];
                sound.copy_within(BAND_SAMPLES.., 0);
                let mut newest = [0.0; BAND_SAMPLES];
                for (band, cosines) in bands.iter().zip(&self.filters.cosines) {
                    add(&mut newest, cosines[place], band);
                }
                sound[PAST..].copy_from_slice(&newest);
                add(&mut third, BANDS as f32, &filter(&self.filters.taps[place], sound, place / BANDS));
            }
            for (to, from) in samples[first..].iter_mut().step_by(BANDS).zip(&third) {
                *to = *from;
            }
        }
        samples
    }
}

/// Every second sample before each of the newest ones, weighted; the first is `late` samples before it.
fn filter(taps: &[f32; PERIODS], sound: &WithPast, late: usize) -> [f32; BAND_SAMPLES] {
    let mut filtered = [0.0; BAND_SAMPLES];
    for (period, tap) in taps.iter().enumerate() {
        let from = PAST - 2 * period - late;
        if let Some(sound) = sound[from..].first_chunk() {
            add(&mut filtered, *tap, sound);
        }
    }
    filtered
}

fn add(sum: &mut [f32; BAND_SAMPLES], gain: f32, sound: &[f32; BAND_SAMPLES]) {
    for (sum, sample) in sum.iter_mut().zip(sound) {
        *sum += gain * sample;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_core::sim::Rng;

    const BLOCKS: usize = 20;

    fn tone(hz: f64) -> Vec<f32> {
        let samples = 0..BLOCKS * SAMPLES_PER_BLOCK;
        samples.map(|n| (1000.0 * (2.0 * PI * hz * n as f64 / 48_000.0).sin()) as f32).collect()
    }

    fn power(samples: &[f32]) -> f64 {
        samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64
    }

    fn split(sound: &[f32]) -> [Vec<f32>; BANDS] {
        let mut splitter = Splitter::new();
        let mut all: [Vec<f32>; BANDS] = Default::default();
        for block in sound.as_chunks().0 {
            for (all, band) in all.iter_mut().zip(splitter.split(block)) {
                all.extend(band);
            }
        }
        all
    }

    #[test]
    fn merged_bands_are_the_sound_a_millisecond_late() {
        let mut rng = Rng::new(3);
        let sound: Vec<f32> =
            (0..BLOCKS * SAMPLES_PER_BLOCK).map(|_| rng.unit() as f32 * 2000.0 - 1000.0).collect();
        let (mut splitter, mut merger) = (Splitter::new(), Merger::new());
        let merged: Vec<f32> =
            sound.as_chunks().0.iter().flat_map(|block| merger.merge(&splitter.split(block))).collect();
        let late = TAPS - BANDS;
        let errors: Vec<f32> =
            merged[late..].iter().zip(&sound).map(|(merged, sound)| merged - sound).collect();
        let noise = 10.0 * (power(&errors) / power(&sound)).log10();
        assert!(noise < -60.0, "{noise:.1} dB of what comes back is not what was split");
    }

    #[test]
    fn a_tone_is_in_its_band_at_its_level_and_nowhere_else() {
        for (hz, own) in [(1_000.0, 0), (4_000.0, 0), (12_000.0, 1), (20_000.0, 2), (22_000.0, 2)] {
            let sound = tone(hz);
            let levels =
                split(&sound).map(|band| 10.0 * (power(&band[BAND_SAMPLES..]) / power(&sound)).log10());
            for (band, level) in levels.iter().enumerate() {
                if band == own {
                    assert!(level.abs() < 0.1, "{hz} Hz is in its own band with {level:.2} dB");
                } else {
                    assert!(*level < -75.0, "{hz} Hz is in band {band} with {level:.1} dB");
                }
            }
        }
    }
}
