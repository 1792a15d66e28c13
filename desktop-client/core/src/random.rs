//! Randomness from a seed, so that a whole call can be repeated exactly.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): enough for jitter, unfit for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A duration of at least `low` and less than `high`.
    pub(crate) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        // 53 random bits as a fraction of 0–1, as precise as an f64 is.
        let fraction = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        low + high.saturating_sub(low).mul_f64(fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_stay_in_range_and_differ() {
        let (low, high) = (Duration::from_millis(300), Duration::from_millis(800));
        let mut random = Random::new(1);
        let drawn: Vec<_> = (0..1000).map(|_| random.between(low, high)).collect();
        assert!(drawn.iter().all(|d| (low..high).contains(d)));
        assert!(drawn.iter().min() < Some(&(low + Duration::from_millis(20))));
        assert!(drawn.iter().max() > Some(&(high - Duration::from_millis(20))));
        assert_eq!(random.between(high, low), high);
    }
}
