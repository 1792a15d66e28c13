//! Sound that was recorded.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// Sound of one channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sound {
    /// Samples per second.
    pub rate: u32,
    /// All of them.
    pub samples: Vec<i16>,
}

impl Sound {
    /// The recording of a desktop client, which may still be going on.
    pub fn read(path: &Path) -> Result<Self> {
        let mut reader =
            WavReader::open(path).with_context(|| format!("{} is no recording", path.display()))?;
        let rate = reader.spec().sample_rate;
        Ok(Self { rate, samples: reader.samples().collect::<Result<_, _>>()? })
    }

    /// Samples as a page hands them over: 16 bits each, the low byte first.
    pub fn from_bytes(rate: u32, bytes: &[u8]) -> Self {
        let samples = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
        Self { rate, samples }
    }

    /// Writes the last part of it, with silence before it where there is less.
    pub fn write_last(&self, length: Duration, path: &Path) -> Result<()> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: self.rate.max(1),
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let wanted = (length.as_secs_f64() * f64::from(self.rate)) as usize;
        let missing = wanted.saturating_sub(self.samples.len());
        let there = &self.samples[self.samples.len() - (wanted - missing)..];
        let mut writer = WavWriter::create(path, spec)?;
        for sample in std::iter::repeat_n(&0, missing).chain(there) {
            writer.write_sample(*sample)?;
        }
        Ok(writer.finalize()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_is_written_with_silence_before_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sound = Sound::from_bytes(10, &[1, 0, 2, 0, 255, 255, 9]);
        assert_eq!(sound.samples, [1, 2, -1]);
        for (tenths, expected) in [(2, vec![2, -1]), (5, vec![0, 0, 1, 2, -1])] {
            sound.write_last(Duration::from_millis(100) * tenths, file.path()).unwrap();
            assert_eq!(Sound::read(file.path()).unwrap(), Sound { rate: 10, samples: expected });
        }
    }
}
