//! What was sent ahead of the pacing rate.

use std::time::{Duration, Instant};

use crate::bitrate::Bitrate;

/// Longest time at the pacing rate for which a burst (audio on a thin link, a probe) holds back what follows. As long as audio alone may exceed the rate.
const MAX_DEBT: Duration = Duration::from_millis(200);

/// Bytes that were sent and that the pacing rate has not yet paid for. Sending is allowed while they are less than a burst.
///
/// After the burst is used up the budget stays closed until half of it is paid back, so that a caller that wakes at [`Budget::until_open`] sends a few packets
/// at a time and wakes no more often than every half burst. That changes no rate: debt is paid back meanwhile.
#[derive(Debug)]
pub(super) struct Budget {
    burst: Duration,
    rate: Bitrate,
    /// In bit-nanoseconds per second (bits × 10^9), so that paying back is exact.
    debt: u128,
    closed: bool,
    updated: Option<Instant>,
}

const BYTE: u128 = 8_000_000_000;

impl Budget {
    pub(super) fn new(burst: Duration, rate: Bitrate) -> Self {
        Self { burst, rate, debt: 0, closed: false, updated: None }
    }

    pub(super) fn rate(&self) -> Bitrate {
        self.rate
    }

    pub(super) fn set_rate(&mut self, rate: Bitrate) {
        self.rate = rate;
        self.debt = self.debt.min(self.worth(MAX_DEBT));
        self.reopen();
    }

    /// Pays back for the time since the last call.
    pub(super) fn forward(&mut self, now: Instant) {
        let passed = self.updated.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.updated = Some(now);
        self.debt = self.debt.saturating_sub(self.worth(passed));
        self.reopen();
    }

    pub(super) fn spend(&mut self, bytes: usize) {
        self.debt = self.debt.saturating_add(bytes as u128 * BYTE).min(self.worth(MAX_DEBT));
        self.closed = self.debt >= self.worth(self.burst);
    }

    pub(super) fn is_open(&self) -> bool {
        !self.closed
    }

    /// Bytes sent ahead of the rate.
    pub(super) fn debt(&self) -> u64 {
        u64::try_from(self.debt / BYTE).unwrap_or(u64::MAX)
    }

    /// How long until sending is allowed again; never zero.
    pub(super) fn until_open(&self) -> Duration {
        let excess = self.debt.saturating_sub(self.worth(self.burst / 2));
        let nanos = excess.div_ceil(u128::from(self.rate.as_bps()).max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX).max(1))
    }

    fn reopen(&mut self) {
        if self.debt <= self.worth(self.burst / 2) {
            self.closed = false;
        }
    }

    fn worth(&self, time: Duration) -> u128 {
        u128::from(self.rate.as_bps()) * time.as_nanos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    #[test]
    fn a_full_burst_closes_and_half_of_it_opens_again() {
        let mut budget = Budget::new(Duration::from_millis(5), Bitrate::kbps(1_600));
        budget.forward(sim::epoch());
        budget.spend(999);
        assert!(budget.is_open());
        budget.spend(1);
        assert!(!budget.is_open());
        assert_eq!(budget.until_open(), Duration::from_micros(2_500));
        budget.forward(sim::epoch() + Duration::from_micros(2_499));
        assert!(!budget.is_open());
        budget.forward(sim::epoch() + Duration::from_micros(2_500));
        assert!(budget.is_open());
        assert_eq!(budget.debt(), 500);
    }

    #[test]
    fn debt_is_bounded() {
        let mut budget = Budget::new(Duration::from_millis(5), Bitrate::kbps(80));
        budget.spend(usize::MAX);
        assert_eq!(budget.debt(), 2_000);
    }
}
