//! How much of something a peer may do, so that a flood of it costs nothing.

use std::time::{Duration, Instant};

/// So many at once, and one more each interval.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    burst: u32,
    interval: Duration,
    /// When as many as [`Self::burst`] will be allowed at once again; `None`: they are.
    full_at: Option<Instant>,
}

impl Allowance {
    pub(crate) const fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval, full_at: None }
    }

    /// Takes one, if it is allowed.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.filter(|at| *at > now).unwrap_or(now) + self.interval;
        let allowed = full_at.saturating_duration_since(now) <= self.interval * self.burst;
        if allowed {
            self.full_at = Some(full_at);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_each_interval() {
        let start = crate::test_time::start();
        let mut allowance = Allowance::new(3, Duration::from_millis(100));
        let mut taken = Vec::new();
        for ms in (0..1_000).step_by(10) {
            if allowance.take(start + Duration::from_millis(ms)) {
                taken.push(ms);
            }
        }
        assert_eq!(taken, [0, 10, 20, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
        let later = start + Duration::from_secs(60);
        assert!((0..3).all(|_| allowance.take(later)) && !allowance.take(later));
    }
}
