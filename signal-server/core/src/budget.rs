//! How much one connection may ask for: token buckets in the form of the generic cell rate algorithm (ITU-T I.371), which needs one instant
//! of state per bucket and no timer.

use std::time::{Duration, Instant};

/// A bucket's size and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tokens in a full bucket.
    pub burst: u32,
    /// The time in which one token comes back.
    pub refill: Duration,
}

impl Rate {
    /// A rate of `burst` tokens at once and `per_second` (at least 1) in the long run.
    pub const fn new(burst: u32, per_second: u32) -> Self {
        let per_second = if per_second == 0 { 1 } else { per_second };
        Self { burst, refill: Duration::from_nanos(1_000_000_000 / per_second as u64) }
    }
}

/// One bucket. Full when new.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Budget {
    /// When the bucket will be full again; it is full when this is past or unset.
    full_at: Option<Instant>,
}

impl Budget {
    /// Takes `tokens` out of the bucket, or nothing when it holds fewer.
    pub(crate) fn take(&mut self, tokens: u32, rate: Rate, now: Instant) -> bool {
        let from = self.full_at.map_or(now, |full_at| full_at.max(now));
        let full_at = from + rate.refill * tokens;
        let affordable = full_at.duration_since(now) <= rate.refill * rate.burst;
        if affordable {
            self.full_at = Some(full_at);
        }
        affordable
    }

    /// Whether the bucket holds at least one token.
    pub(crate) fn has_one(&self, rate: Rate, now: Instant) -> bool {
        let mut copy = *self;
        copy.take(1, rate, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let (rate, start) = (Rate::new(10, 2), Instant::now_for_test());
        let mut budget = Budget::default();
        assert!((0..10).all(|_| budget.take(1, rate, start)));
        assert!(!budget.has_one(rate, start));
        assert!(!budget.take(1, rate, start + Duration::from_millis(499)));
        assert!(budget.take(1, rate, start + Duration::from_millis(500)));
        assert!(!budget.take(1, rate, start + Duration::from_millis(500)));
        let rested = start + Duration::from_secs(3600);
        assert!(!budget.take(11, rate, rested) && budget.take(10, rate, rested));
    }

    #[test]
    fn a_clock_that_stands_still_or_jumps_back_is_harmless() {
        let (rate, start) = (Rate::new(1, 1), Instant::now_for_test() + Duration::from_secs(10));
        let mut budget = Budget::default();
        assert!(budget.take(1, rate, start));
        assert!(!budget.take(1, rate, start - Duration::from_secs(5)));
        assert!(budget.take(1, rate, start + Duration::from_secs(1)));
    }

    trait ForTest {
        fn now_for_test() -> Self;
    }

    impl ForTest for Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "an instant has no other constructor; its value does not matter"
        )]
        fn now_for_test() -> Self {
            Instant::now()
        }
    }
}
