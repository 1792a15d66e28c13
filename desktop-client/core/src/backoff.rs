//! Growing, jittered waits between attempts, so that clients which lost the same server do not come back all at once.

use std::time::Duration;

use crate::random::Random;

/// How the waits grow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    /// The first wait is drawn from this range.
    pub first: (Duration, Duration),
    /// No wait is longer.
    pub cap: Duration,
}

/// Counts attempts and draws the wait before each.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    waits: Waits,
    attempt: u32,
}

impl Backoff {
    pub(crate) fn new(waits: Waits) -> Self {
        Self { waits, attempt: 0 }
    }

    /// Counts an attempt and draws the wait before it: the first range, doubled for each attempt before, up to the cap.
    pub(crate) fn next(&mut self, random: &mut Random) -> Duration {
        // 2^16 times any first wait is beyond any cap.
        let factor = 1_u32 << self.attempt.min(16);
        self.attempt = self.attempt.saturating_add(1);
        let high = self.waits.first.1.saturating_mul(factor).min(self.waits.cap);
        // At the cap, the range keeps half of its width: jitter must not vanish.
        let low = self.waits.first.0.saturating_mul(factor).min(high / 2);
        random.between(low, high)
    }

    /// Number of the latest attempt, from 1; 0 before the first.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The last attempt was good.
    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_keep_their_jitter() {
        let ms = Duration::from_millis;
        let waits = Waits { first: (ms(400), ms(800)), cap: ms(10_000) };
        for seed in 0..100 {
            let (mut backoff, mut random) = (Backoff::new(waits), Random::new(seed));
            for (low, high) in [(400, 800), (800, 1600), (1600, 3200), (3200, 6400), (5000, 10_000)] {
                let wait = backoff.next(&mut random);
                assert!((ms(low)..ms(high)).contains(&wait), "{wait:?} of {low}..{high}");
            }
            for _ in 0..100 {
                assert!((ms(5000)..ms(10_000)).contains(&backoff.next(&mut random)));
            }
            assert_eq!(backoff.attempt(), 105);
        }
    }
}
