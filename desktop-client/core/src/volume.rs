//! How loud this person hears somebody else. Nobody but this client knows of it.

use std::fmt;

/// Amplitude in percent of the sound as it came: 0 (silence) to 200 (6 dB louder). Default: 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Volume(u8);

impl Volume {
    /// Silence.
    pub const SILENT: Self = Self(0);
    /// As it came.
    pub const ORIGINAL: Self = Self(100);
    /// The loudest.
    pub const MAX: Self = Self(200);

    /// A volume in percent, held to 0–200 and rounded; `None` for what is no number.
    pub fn from_percent(percent: f32) -> Option<Self> {
        let most = f32::from(Self::MAX.0);
        (!percent.is_nan()).then(|| Self(percent.clamp(0.0, most).round() as u8))
    }

    /// In percent.
    pub fn percent(self) -> u8 {
        self.0
    }

    /// The factor for samples.
    pub fn gain(self) -> f32 {
        f32::from(self.0) / 100.0
    }
}

impl Default for Volume {
    fn default() -> Self {
        Self::ORIGINAL
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

/// How somebody is heard. Default: as they sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hearing {
    /// How loud, unless silenced.
    pub volume: Volume,
    /// Not at all; the volume is kept for when they are heard again.
    pub silenced: bool,
}

impl Hearing {
    /// At this volume from now on: whoever chooses one wants to hear.
    pub fn at(volume: Volume) -> Self {
        Self { volume, silenced: false }
    }

    /// What is heard.
    pub fn effective(self) -> Volume {
        if self.silenced { Volume::SILENT } else { self.volume }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_stay_in_range_and_what_is_no_number_is_refused() {
        let percent = |percent| Volume::from_percent(percent).map(Volume::percent);
        assert_eq!([-1.0, 0.0, 33.4, 100.0, 1e9].map(percent), [0, 0, 33, 100, 200].map(Some));
        assert_eq!([f32::INFINITY, f32::NEG_INFINITY, f32::NAN].map(percent), [Some(200), Some(0), None]);
        assert_eq!((Volume::default().gain(), Volume::MAX.gain()), (1.0, 2.0));
    }

    #[test]
    fn the_volume_of_who_is_silenced_is_kept_until_another_is_chosen() {
        let silenced = Hearing { silenced: true, ..Hearing::at(Volume::MAX) };
        assert_eq!((silenced.effective(), silenced.volume), (Volume::SILENT, Volume::MAX));
        assert_eq!(Hearing::at(Volume::ORIGINAL), Hearing::default());
    }
}
