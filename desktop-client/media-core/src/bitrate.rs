//! Bits per second as a type.

use std::time::Duration;

/// A rate in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Bitrate(u64);

impl Bitrate {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// From bits per second.
    pub const fn bps(bits_per_second: u64) -> Self {
        Self(bits_per_second)
    }

    /// From kilobits per second.
    pub const fn kbps(kilobits_per_second: u64) -> Self {
        Self(kilobits_per_second * 1_000)
    }

    /// As bits per second.
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// As whole kilobits per second, rounded down.
    pub const fn as_kbps(self) -> u64 {
        self.0 / 1_000
    }

    /// Times a factor; negative and absurd factors give zero and the largest rate.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor) as u64)
    }

    /// The rest after another rate, at least zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum, at most the largest rate.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Rate of so many bytes in so much time; zero for no time.
    pub fn of(bytes: u64, time: Duration) -> Self {
        let nanos = time.as_nanos();
        if nanos == 0 {
            return Self::ZERO;
        }
        Self(u64::try_from(u128::from(bytes) * 8 * 1_000_000_000 / nanos).unwrap_or(u64::MAX))
    }

    /// Whole bytes that pass in this time.
    pub fn bytes_in(self, time: Duration) -> u64 {
        u64::try_from(u128::from(self.0) * time.as_nanos() / 8_000_000_000).unwrap_or(u64::MAX)
    }

    /// How long so many bytes take; `None` at no rate.
    pub fn time_for(self, bytes: u64) -> Option<Duration> {
        let nanos = (u128::from(bytes) * 8_000_000_000).checked_div(u128::from(self.0))?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

impl std::fmt::Display for Bitrate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} kbit/s", self.as_kbps())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_times_and_rates_agree() {
        let rate = Bitrate::of(1_000, Duration::from_millis(8));
        assert_eq!(rate, Bitrate::kbps(1_000));
        assert_eq!(rate.bytes_in(Duration::from_millis(8)), 1_000);
        assert_eq!(rate.time_for(1_000), Some(Duration::from_millis(8)));
        assert_eq!(Bitrate::ZERO.time_for(1), None);
        assert_eq!(Bitrate::of(1, Duration::ZERO), Bitrate::ZERO);
    }
}
