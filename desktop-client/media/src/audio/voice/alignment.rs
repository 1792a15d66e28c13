//! Finds how late the echo of what is played is heard.
//!
//! The generalized cross-correlation with phase transform (Knapp and Carter 1976) of both signals: it asks every frequency for its phase alone, so that neither
//! the voice nor the room's colour hides the peak of the direct sound. A delay that jumps is found within a second, also where reverberation keeps matched
//! filters (what WebRTC uses) busy for five.

use std::ops::Range;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::history::History;
use super::power;

/// Sampling rate of the lower band, in Hz.
const RATE: usize = 16_000;

/// Samples of what is played that are compared, 1 s.
pub const SPAN: usize = 16_384;

/// Newest samples of the microphone that they are compared with.
const HEARD: usize = SPAN / 2;

/// Largest delay, in samples: 500 ms.
pub const LONGEST: usize = 8_000;

/// Frames of 10 ms between two looks.
const INTERVAL: u32 = 16;

/// What is left of what was known at each look: half after a third of a second.
const MEMORY: f32 = 0.7;

/// Frequencies that are asked: those where voices are.
const BINS: Range<usize> = 100 * SPAN / RATE..4_000 * SPAN / RATE;

/// A peak is one when it is so many times higher than the correlation is on average; two synthetic voices without any echo have been seen to reach 12.
const CLEAR: f32 = 9.0;

/// So many times higher is believed at once when nothing is known.
const CERTAIN: f32 = 12.0;

/// Looks in a row that must agree otherwise.
const LOOKS: u32 = 3;

/// Samples by which looks that agree may differ, 10 ms: reflections may be as strong as the direct sound.
const ALIKE: usize = 160;

/// A peak elsewhere must be so many times higher than the one where the echo was.
const HIGHER: f32 = 1.6;

/// Power of what is played and of what is heard below which there is nothing to compare, of 16 bit samples.
const SILENT: [f32; 2] = [900.0, 4.0];

/// Finds the delay.
pub struct Alignment {
    forward: Arc<dyn RealToComplex<f32>>,
    back: Arc<dyn ComplexToReal<f32>>,
    heard: History,
    frames: u32,
    /// The phases of both, of all looks.
    phases: Vec<Complex<f32>>,
    spectra: [Vec<Complex<f32>>; 2],
    samples: Vec<f32>,
    scratch: Vec<Complex<f32>>,
    /// A delay that may be the new one, and how many looks have seen it.
    candidate: Option<(usize, u32)>,
}

impl Alignment {
    /// Before anything is heard.
    pub fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let (forward, back) = (planner.plan_fft_forward(SPAN), planner.plan_fft_inverse(SPAN));
        let scratch = forward.get_scratch_len().max(back.get_scratch_len());
        Self {
            heard: History::new(SPAN),
            frames: 0,
            phases: forward.make_output_vec(),
            spectra: [forward.make_output_vec(), forward.make_output_vec()],
            samples: vec![0.0; SPAN],
            scratch: vec![Complex::default(); scratch],
            candidate: None,
            forward,
            back,
        }
    }

    /// Both signals were shifted against each other: what was found before is of no use.
    pub fn forget(&mut self) {
        self.phases.fill(Complex::default());
        self.candidate = None;
    }

    /// Takes the next frame of the microphone, with the newest samples of what was played, and gives the delay in samples when it is not within the known ones.
    pub fn hear(&mut self, played: &[f32], frame: &[f32], known: Option<&Range<usize>>) -> Option<usize> {
        self.heard.push(frame);
        self.frames += 1;
        if !self.frames.is_multiple_of(INTERVAL) {
            return None;
        }
        let newest = SPAN - HEARD..SPAN;
        let loud = [&played[newest.clone()], &self.heard.newest()[newest]].map(power);
        if loud[0] < SILENT[0] || loud[1] < SILENT[1] {
            return None;
        }
        self.correlate(played);
        self.judge(known)
    }

    /// Leaves the correlation for each delay in `samples`.
    fn correlate(&mut self, played: &[f32]) {
        self.samples.copy_from_slice(played);
        self.transform(0);
        self.samples.copy_from_slice(self.heard.newest());
        // Zeros keep the correlation from wrapping around.
        self.samples[..SPAN - HEARD].fill(0.0);
        self.transform(1);
        let [played, heard] = &mut self.spectra;
        for bin in BINS {
            let cross = heard[bin] * played[bin].conj();
            let size = cross.norm();
            let phase = if size > 1e-9 { cross / size } else { Complex::default() };
            self.phases[bin] = self.phases[bin] * MEMORY + phase;
        }
        played.copy_from_slice(&self.phases);
        // Neither fails: all lengths are those of the plan.
        let _ = self.back.process_with_scratch(played, &mut self.samples, &mut self.scratch);
    }

    fn transform(&mut self, signal: usize) {
        let spectrum = &mut self.spectra[signal];
        let _ = self.forward.process_with_scratch(&mut self.samples, spectrum, &mut self.scratch);
    }

    fn judge(&mut self, known: Option<&Range<usize>>) -> Option<usize> {
        let delays = &self.samples[..LONGEST];
        let usual = power(delays).sqrt();
        let (found, peak) = highest(delays, 0..LONGEST);
        let there = known.map_or(0.0, |known| highest(delays, known.clone()).1);
        let same = known.is_some_and(|known| known.contains(&found));
        if same || peak < CLEAR * usual || peak < HIGHER * there {
            self.candidate = None;
            return None;
        }
        let looks = match self.candidate {
            Some((delay, looks)) if delay.abs_diff(found) < ALIKE => looks + 1,
            _ => 1,
        };
        let certain = known.is_none() && peak > CERTAIN * usual;
        self.candidate = (!certain && looks < LOOKS).then_some((found, looks));
        self.candidate.is_none().then_some(found)
    }
}

/// The highest peak among these, of either sign, and where it is.
fn highest(samples: &[f32], among: Range<usize>) -> (usize, f32) {
    let among = among.start.min(samples.len())..among.end.min(samples.len());
    let peaks = samples[among.clone()].iter().map(|sample| sample.abs()).zip(among);
    peaks.fold((0, 0.0), |best, (height, at)| if height > best.1 { (at, height) } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_core::sim::Rng;

    #[test]
    fn a_delay_is_found_and_followed_but_not_while_nothing_echoes() {
        let (mut rng, mut alignment) = (Rng::new(1), Alignment::new());
        let mut played = vec![0.0; SPAN];
        let (mut known, mut found) = (None, Vec::new());
        for frame in 0..900 {
            played.copy_within(160.., 0);
            played[SPAN - 160..].fill_with(|| (rng.unit() as f32 - 0.5) * 4_000.0);
            let delay = if frame < 300 { 700 } else { 4_000 };
            let from = SPAN - 160 - delay;
            let mut heard = played[from..from + 160].to_vec();
            if frame >= 600 {
                heard.fill_with(|| (rng.unit() as f32 - 0.5) * 1_000.0);
            }
            if let Some(delay) = alignment.hear(&played, &heard, known.as_ref()) {
                known = Some(delay - 100..delay + 400);
                found.push((frame, delay));
            }
        }
        assert_eq!(found.iter().map(|(_, delay)| *delay).collect::<Vec<_>>(), [700, 4_000], "{found:?}");
        assert!(found[0].0 < 100 && found[1].0 < 400, "{found:?}");
    }
}
