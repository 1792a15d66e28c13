//! Measuring a tone: frequency and level.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// A measured tone.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
pub struct Tone {
    /// In Hz.
    pub frequency: f64,
    /// Of the whole signal's mean square, in dB relative to full scale.
    pub level: f64,
    /// How much of the signal's power is in the tone, 0–1.
    pub purity: f64,
}

/// How far off a measured frequency may be, in Hz: sample clocks of two programs differ by some 100 ppm, and spectra have lines 3 Hz apart.
const FREQUENCY_TOLERANCE: f64 = 5.0;

/// How far off a level may be, in dB: codecs and resamplers change it by less than one.
pub const LEVEL_TOLERANCE: f64 = 4.0;

/// Least part of the power that must be in the tone. Lost packets cost some.
const PURITY_LEAST: f64 = 0.8;

impl Tone {
    /// Checks that this is the tone that was sent.
    pub fn expect(&self, frequency: f64, level: f64) -> Result<()> {
        ensure!(
            (self.frequency - frequency).abs() < FREQUENCY_TOLERANCE,
            "{self:?} is not at {frequency} Hz"
        );
        ensure!((self.level - level).abs() < LEVEL_TOLERANCE, "{self:?} is not at {level} dB");
        ensure!(self.purity > PURITY_LEAST, "{self:?} is not clean");
        Ok(())
    }
}

/// Checks that these levels on the left and on the right are the expected ones; of an expected one of −40 dB and less, that it is not above.
pub fn expect_sides(sides: [f64; 2], expected: [f64; 2]) -> Result<()> {
    let fits = |level: f64, wanted: f64| {
        if wanted <= -40.0 { level <= wanted } else { (level - wanted).abs() < LEVEL_TOLERANCE }
    };
    ensure!(fits(sides[0], expected[0]) && fits(sides[1], expected[1]), "{sides:?} dB, not {expected:?}");
    Ok(())
}

/// The tone in the last second of a WAV, or `None` if it is shorter or silent. The file may still be growing: then its header's length is not to be
/// relied on.
pub fn in_wav(path: &Path) -> Result<Option<Tone>> {
    Ok(last_second(path)?.and_then(|(samples, rate)| measure(&samples, rate)))
}

/// The level of what the last second of a WAV has at a frequency, beside other sounds, in dB relative to full scale; `None` if there is no such file
/// yet or it is shorter.
pub fn level_in_wav(path: &Path, frequency: u32) -> Result<Option<f64>> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(last_second(path)?.map(|(samples, rate)| level_at(&samples, rate, frequency)))
}

/// The same of the left and the right channel; `None` also if there are not two.
pub fn sides_in_wav(path: &Path, frequency: u32) -> Result<Option<[f64; 2]>> {
    if !path.exists() {
        return Ok(None);
    }
    let Some((frames, rate)) = last_frames(path)? else { return Ok(None) };
    if frames.first().is_none_or(|frame| frame.len() != 2) {
        return Ok(None);
    }
    let level = |side: usize| {
        let samples: Vec<f64> = frames.iter().map(|frame| frame[side]).collect();
        level_at(&samples, rate, frequency)
    };
    Ok(Some([level(0), level(1)]))
}

fn last_second(path: &Path) -> Result<Option<(Vec<f64>, u32)>> {
    let mean = |frame: &Vec<f64>| frame.iter().sum::<f64>() / frame.len() as f64;
    Ok(last_frames(path)?.map(|(frames, rate)| (frames.iter().map(mean).collect(), rate)))
}

/// A sample of each channel for each moment.
fn last_frames(path: &Path) -> Result<Option<(Vec<Vec<f64>>, u32)>> {
    let file = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Ok(reader) = hound::WavReader::new(file.as_slice()) else { return Ok(None) };
    let spec = reader.spec();
    let Some(data) = data_chunk(&file) else { return Ok(None) };
    let frames = frames(data, spec)?;
    let rate = spec.sample_rate as usize;
    Ok(frames.len().checked_sub(rate).map(|from| (frames[from..].to_vec(), spec.sample_rate)))
}

/// What follows the header of the `data` chunk.
fn data_chunk(file: &[u8]) -> Option<&[u8]> {
    let at = file.windows(4).position(|window| window == b"data")?;
    file.get(at + 8..)
}

fn frames(data: &[u8], spec: hound::WavSpec) -> Result<Vec<Vec<f64>>> {
    let sample: fn(&[u8]) -> f64 = match (spec.sample_format, spec.bits_per_sample) {
        (hound::SampleFormat::Int, 16) => |b| f64::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0,
        (hound::SampleFormat::Float, 32) => |b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        other => anyhow::bail!("samples of {other:?} are not known here"),
    };
    let width = usize::from(spec.bits_per_sample / 8);
    let channels = usize::from(spec.channels);
    let frames = data.chunks_exact(width * channels);
    Ok(frames.map(|frame| frame.chunks_exact(width).map(sample).collect()).collect())
}

/// The strongest tone between 100 Hz and 4 kHz, to the nearest Hz; `None` for silence.
pub fn measure(samples: &[f64], rate: u32) -> Option<Tone> {
    let power = samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64;
    if power < 1e-9 {
        return None;
    }
    let strength =
        |samples: &[f64], frequency: u32| goertzel(samples, f64::from(frequency) / f64::from(rate));
    // A look at a tenth of a second, whose spectral lines are 10 Hz apart, says where to look closely.
    let part = &samples[..samples.len().min(rate as usize / 10)];
    let coarse = strongest((100..4_000).step_by(5), |frequency| strength(part, frequency))?;
    let frequency = strongest(coarse - 10..=coarse + 10, |frequency| strength(samples, frequency))?;
    let purity = (power_near(samples, rate, frequency) / power).min(1.0);
    Some(Tone { frequency: f64::from(frequency), level: 10.0 * power.log10(), purity })
}

/// The level of what is at a frequency, beside other sounds, in dB relative to full scale.
pub fn level_at(samples: &[f64], rate: u32, frequency: u32) -> f64 {
    10.0 * (power_near(samples, rate, frequency) + 1e-12).log10()
}

fn strongest(frequencies: impl Iterator<Item = u32>, strength: impl Fn(u32) -> f64) -> Option<u32> {
    let measured = frequencies.map(|frequency| (frequency, strength(frequency)));
    measured.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(frequency, _)| frequency)
}

/// Power at a frequency and its neighbours, over which a tone is spread when it is not at a whole number of Hz or its phase jumped.
fn power_near(samples: &[f64], rate: u32, frequency: u32) -> f64 {
    // Lines of a spectrum are as far apart as the signal is short.
    let step = f64::from(rate) / samples.len() as f64;
    (-3..=3)
        .map(|line| goertzel(samples, (f64::from(frequency) + f64::from(line) * step) / f64::from(rate)))
        .sum()
}

/// Power at a frequency, given in cycles per sample (Goertzel 1958).
fn goertzel(samples: &[f64], frequency: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency).cos();
    let (last, before) = samples
        .iter()
        .fold((0.0, 0.0), |(last, before), sample| (sample + coefficient * last - before, last));
    let count = samples.len() as f64;
    2.0 * (last * last + before * before - coefficient * last * before) / (count * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(frequency: f64, amplitude: f64) -> Vec<f64> {
        (0..48_000)
            .map(|i| amplitude * (std::f64::consts::TAU * frequency * f64::from(i) / 48_000.0).sin())
            .collect()
    }

    #[test]
    fn a_tone_is_measured_as_it_is() {
        let tone = measure(&sine(660.3, 0.25), 48_000).unwrap();
        tone.expect(660.0, -15.05).unwrap();
        assert!(tone.expect(700.0, -15.0).is_err() && tone.expect(660.0, -30.0).is_err());
    }

    #[test]
    fn noise_and_silence_are_no_tone() {
        let mut state = 1_u32;
        let noise: Vec<f64> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state) / f64::from(u32::MAX) - 0.5
        })
        .take(48_000)
        .collect();
        assert!(measure(&noise, 48_000).unwrap().purity < 0.1);
        assert_eq!(measure(&[0.0; 48_000], 48_000), None);
    }

    #[test]
    fn a_clip_reads_as_it_was_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::clip::write_tone(file.path(), 880, -18.0).unwrap();
        in_wav(file.path()).unwrap().unwrap().expect(880.0, -18.0).unwrap();
        assert!((level_in_wav(file.path(), 880).unwrap().unwrap() + 18.0).abs() < 0.5);
        assert!(level_in_wav(file.path(), 440).unwrap().unwrap() < -60.0);
    }
}
