//! Sample rates: whatever a device or file has, to and from the 48 kHz blocks of the audio thread.
//!
//! A short sinc filter (`rubato`): under 2 ms of delay, and aliases below what a microphone's own noise hides. What is mono is filtered once, what is stereo
//! twice; a stream that becomes the other begins with a filter that is empty, which is heard as a click at most.

use media_core::frame::{SAMPLE_RATE, SAMPLES_PER_BLOCK};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Indexing, Resampler, SincInterpolationParameters, WindowFunction};

use super::block::Block;

/// Lowest sample rate that is taken, in Hz.
const MIN_RATE: u32 = 4_000;

/// Highest sample rate that is taken, in Hz.
const MAX_RATE: u32 = 384_000;

/// Length of the filter in input samples.
const SINC_LENGTH: usize = 96;

/// A rate that cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sample rate of {0} Hz cannot be used")]
pub struct RateError(u32);

/// Makes blocks out of samples of another rate.
pub struct ToBlocks {
    rate: u32,
    channels: usize,
    resampler: Option<Async<f32>>,
}

impl ToBlocks {
    /// From this rate; mono at first.
    pub fn new(rate: u32) -> Result<Self, RateError> {
        Ok(Self { rate, channels: 1, resampler: to_blocks(rate, 1)? })
    }

    /// What comes now has one or two channels.
    pub fn set_channels(&mut self, channels: usize) {
        let channels = channels.clamp(1, 2);
        // The rate was good before.
        if channels != self.channels
            && let Ok(resampler) = to_blocks(self.rate, channels)
        {
            (self.channels, self.resampler) = (channels, resampler);
        }
    }

    /// Channels of what comes and of the blocks.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Samples per channel that the next block takes.
    pub fn needed(&self) -> usize {
        self.resampler.as_ref().map_or(SAMPLES_PER_BLOCK, Resampler::input_frames_next)
    }

    /// Makes a block of exactly [`Self::needed`] × [`Self::channels`] interleaved samples; of another number it makes silence.
    pub fn convert(&mut self, input: &[f32], block: &mut Block) {
        block.clear(self.channels);
        let output = block.samples_mut();
        let made = match &mut self.resampler {
            None if input.len() == output.len() => {
                output.copy_from_slice(input);
                SAMPLES_PER_BLOCK
            }
            None => 0,
            Some(resampler) => process(resampler, input, output, self.channels),
        };
        if made != SAMPLES_PER_BLOCK {
            block.clear(self.channels);
        }
    }
}

/// Makes samples of another rate out of blocks.
pub struct FromBlocks {
    rate: u32,
    channels: usize,
    resampler: Option<Async<f32>>,
    output: Vec<f32>,
}

impl FromBlocks {
    /// To this rate.
    pub fn new(rate: u32) -> Result<Self, RateError> {
        let resampler = from_blocks(rate, 1)?;
        let length = resampler.as_ref().map_or(SAMPLES_PER_BLOCK, Resampler::output_frames_max);
        Ok(Self { rate, channels: 1, resampler, output: vec![0.0; 2 * length] })
    }

    /// Converts a block; gives as many channels as it has, interleaved.
    pub fn convert(&mut self, block: &Block) -> &[f32] {
        let channels = block.channels();
        if channels != self.channels
            && let Ok(resampler) = from_blocks(self.rate, channels)
        {
            // The rate was good before.
            (self.channels, self.resampler) = (channels, resampler);
        }
        let input = block.samples();
        let length = match &mut self.resampler {
            None => {
                self.output[..input.len()].copy_from_slice(input);
                input.len()
            }
            Some(resampler) => {
                let length = self.output.len() / 2 * channels;
                channels * process(resampler, input, &mut self.output[..length], channels)
            }
        };
        &self.output[..length]
    }
}

fn to_blocks(rate: u32, channels: usize) -> Result<Option<Async<f32>>, RateError> {
    let ratio = f64::from(SAMPLE_RATE) / f64::from(rate.max(1));
    resampler(rate, channels, ratio, FixedAsync::Output)
}

fn from_blocks(rate: u32, channels: usize) -> Result<Option<Async<f32>>, RateError> {
    let ratio = f64::from(rate) / f64::from(SAMPLE_RATE);
    resampler(rate, channels, ratio, FixedAsync::Input)
}

fn resampler(
    rate: u32,
    channels: usize,
    ratio: f64,
    fixed: FixedAsync,
) -> Result<Option<Async<f32>>, RateError> {
    if !(MIN_RATE..=MAX_RATE).contains(&rate) {
        return Err(RateError(rate));
    }
    if rate == SAMPLE_RATE {
        return Ok(None);
    }
    let parameters = SincInterpolationParameters::new(SINC_LENGTH, WindowFunction::BlackmanHarris2);
    let resampler = Async::new_sinc(ratio, 1.0, &parameters, SAMPLES_PER_BLOCK, channels, fixed);
    resampler.map(Some).map_err(|_| RateError(rate))
}

/// Samples per channel written; 0 if the lengths do not fit.
fn process(resampler: &mut Async<f32>, input: &[f32], output: &mut [f32], channels: usize) -> usize {
    let length = output.len() / channels;
    let (Ok(input), Ok(mut output)) = (
        InterleavedSlice::new(input, channels, input.len() / channels),
        InterleavedSlice::new_mut(output, channels, length),
    ) else {
        return 0;
    };
    let done = resampler.process_into_buffer(&input, &mut output, Some(&Indexing::default()));
    done.map_or(0, |(_read, written)| written)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const RATES: [u32; 9] = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000];

    fn sine(hz: f64, rate: u32) -> impl Iterator<Item = f32> {
        (0_u32..).map(move |n| (0.5 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as f32)
    }

    /// Amplitude of a frequency in a signal.
    fn amplitude(signal: &[f32], hz: f64, rate: u32) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in signal.iter().enumerate() {
            let phase = TAU * hz * n as f64 / f64::from(rate);
            re += f64::from(*sample) * phase.cos();
            im += f64::from(*sample) * phase.sin();
        }
        2.0 * (re * re + im * im).sqrt() / signal.len() as f64
    }

    fn power(signal: &[f32]) -> f64 {
        signal.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / signal.len() as f64
    }

    #[test]
    fn a_tone_of_any_rate_comes_out_with_its_pitch_and_level() {
        for rate in RATES {
            let mut to_blocks = ToBlocks::new(rate).unwrap();
            let mut input = sine(1000.0, rate);
            let mut output = Vec::new();
            for _ in 0..110 {
                let samples: Vec<f32> = input.by_ref().take(to_blocks.needed()).collect();
                let mut block = Block::silence();
                to_blocks.convert(&samples, &mut block);
                output.extend_from_slice(block.samples());
            }
            // After the filter has filled up: one second.
            let second = &output[4_800..52_800];
            let level = amplitude(second, 1000.0, SAMPLE_RATE);
            assert!((level - 0.5).abs() < 0.01, "{rate} Hz: {level}");
            let noise = power(second) - level * level / 2.0;
            assert!(noise < 1e-5, "{rate} Hz: noise {noise}");
        }
    }

    #[test]
    fn blocks_come_out_at_any_rate_with_pitch_and_level() {
        for rate in RATES {
            let mut from_blocks = FromBlocks::new(rate).unwrap();
            let signal: Vec<f32> = sine(1000.0, SAMPLE_RATE).take(110 * SAMPLES_PER_BLOCK).collect();
            let mut output = Vec::new();
            for block in signal.chunks_exact(SAMPLES_PER_BLOCK) {
                let block = Block::from(<[f32; SAMPLES_PER_BLOCK]>::try_from(block).unwrap());
                output.extend_from_slice(from_blocks.convert(&block));
            }
            let start = rate as usize / 20;
            let second = &output[start..start + rate as usize];
            let level = amplitude(second, 1000.0, rate);
            assert!((level - 0.5).abs() < 0.01, "{rate} Hz: {level}");
        }
    }

    #[test]
    fn channels_stay_apart_at_any_rate_and_may_come_and_go() {
        for rate in RATES {
            let (mut to_blocks, mut from_blocks) =
                (ToBlocks::new(rate).unwrap(), FromBlocks::new(rate).unwrap());
            let mut input = sine(1000.0, rate);
            for channels in [1, 2, 1, 2] {
                to_blocks.set_channels(channels);
                let (mut left, mut right) = (Vec::new(), Vec::new());
                for _ in 0..20 {
                    let samples = input.by_ref().take(to_blocks.needed());
                    let frames = samples.flat_map(|s| [s, -0.5 * s].into_iter().take(channels));
                    let mut block = Block::silence();
                    to_blocks.convert(&frames.collect::<Vec<f32>>(), &mut block);
                    let back = from_blocks.convert(&block);
                    assert_eq!(block.channels(), channels);
                    left.extend(back.iter().step_by(channels));
                    right.extend(back.iter().skip(channels - 1).step_by(channels));
                }
                let part = left.len() / 2..;
                assert!(power(&left[part.clone()]) > 0.1, "{rate} Hz");
                let expected = if channels == 2 { -0.5 } else { 1.0 };
                assert!(
                    left[part.clone()]
                        .iter()
                        .zip(&right[part])
                        .all(|(l, r): (&f32, &f32)| (l * expected - r).abs() < 1e-4)
                );
            }
        }
    }

    #[test]
    fn what_a_lower_rate_cannot_carry_does_not_come_back_as_another_tone() {
        let mut to_blocks = ToBlocks::new(96_000).unwrap();
        let mut input = sine(30_000.0, 96_000);
        let mut output = Vec::new();
        for _ in 0..50 {
            let samples: Vec<f32> = input.by_ref().take(to_blocks.needed()).collect();
            let mut block = Block::silence();
            to_blocks.convert(&samples, &mut block);
            output.extend_from_slice(block.samples());
        }
        assert!(power(&output[4_800..]) < 1e-6);
    }

    #[test]
    fn absurd_rates_are_refused() {
        for rate in [0, 1, 3_999, 384_001, u32::MAX] {
            assert_eq!(ToBlocks::new(rate).err(), Some(RateError(rate)));
            assert_eq!(FromBlocks::new(rate).err(), Some(RateError(rate)));
        }
    }
}
