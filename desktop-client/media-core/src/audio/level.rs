//! How loud a block is.

/// Reported for silence, in dBFS: below what 16 bits can hold.
pub const SILENCE_DBFS: f32 = -127.0;

/// Levels of some sound. Full scale (0 dBFS) is a magnitude of 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Root of the mean square in dBFS, between [`SILENCE_DBFS`] and about 0.
    pub rms_dbfs: f32,
    /// Largest magnitude in dBFS.
    pub peak_dbfs: f32,
}

impl Level {
    /// The level of nothing.
    pub const SILENCE: Self = Self { rms_dbfs: SILENCE_DBFS, peak_dbfs: SILENCE_DBFS };
}

/// Gathers the level of samples over some time, as for a meter or a line of statistics.
#[derive(Debug, Clone, Copy, Default)]
pub struct LevelMeter {
    squares: f64,
    peak: f32,
    count: u64,
}

impl LevelMeter {
    /// A meter that heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds samples; those that are no number count as 0.
    pub fn add(&mut self, samples: &[f32]) {
        let mut squares = 0.0_f32;
        for sample in samples.iter().map(|s| if s.is_finite() { s.abs() } else { 0.0 }) {
            squares += sample * sample;
            self.peak = self.peak.max(sample);
        }
        self.squares += f64::from(squares);
        self.count += samples.len() as u64;
    }

    /// The level since the last call, and starts anew. `None` when nothing was added.
    pub fn take(&mut self) -> Option<Level> {
        let Self { squares, peak, count } = std::mem::take(self);
        (count > 0)
            .then(|| Level { rms_dbfs: dbfs((squares / count as f64).sqrt() as f32), peak_dbfs: dbfs(peak) })
    }
}

/// A level as packets tell it (RFC 6464 §3): one bit that says whether it is a voice, and 7 bits of how far it is below full scale, in dB.
pub fn to_header(level_dbfs: f32, voice: bool) -> u8 {
    let below = if level_dbfs.is_finite() { (-level_dbfs).clamp(0.0, 127.0).round() as u8 } else { 127 };
    u8::from(voice) << 7 | below
}

/// The level in dBFS that a packet tells; `None` for silence.
pub fn from_header(byte: u8) -> Option<f32> {
    let below = byte & 0x7F;
    (below < 127).then(|| -f32::from(below))
}

/// The level of one block.
pub fn level(samples: &[f32]) -> Level {
    let mut meter = LevelMeter::new();
    meter.add(samples);
    meter.take().unwrap_or(Level::SILENCE)
}

fn dbfs(magnitude: f32) -> f32 {
    if magnitude > 0.0 { (20.0 * magnitude.log10()).max(SILENCE_DBFS) } else { SILENCE_DBFS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_has_minus_three_decibels() {
        let sine: Vec<f32> = (0..480).map(|i| (std::f32::consts::TAU * i as f32 / 48.0).sin()).collect();
        let level = level(&sine);
        assert!((level.rms_dbfs + 3.01).abs() < 0.02 && level.peak_dbfs.abs() < 0.02, "{level:?}");
    }

    #[test]
    fn silence_and_garbage_have_a_floor() {
        assert_eq!(level(&[0.0; 480]), Level::SILENCE);
        assert_eq!(level(&[f32::NAN, f32::INFINITY]), Level::SILENCE);
        assert_eq!(level(&[]), Level::SILENCE);
    }

    #[test]
    fn packets_tell_levels_as_the_rfc_says() {
        assert_eq!([to_header(0.0, false), to_header(-30.4, true), to_header(-200.0, false)], [0, 0x9E, 127]);
        assert_eq!([to_header(3.0, true), to_header(f32::NAN, false)], [0x80, 127]);
        assert_eq!(
            [0x80, 0x9E, 30, 127, 255].map(from_header),
            [Some(0.0), Some(-30.0), Some(-30.0), None, None]
        );
    }

    #[test]
    fn a_meter_gathers_and_starts_anew() {
        let mut meter = LevelMeter::new();
        meter.add(&[1.0; 100]);
        meter.add(&[0.0; 300]);
        let level = meter.take().unwrap();
        assert!((level.rms_dbfs + 6.02).abs() < 0.01 && level.peak_dbfs == 0.0);
        assert_eq!(meter.take(), None);
    }
}
