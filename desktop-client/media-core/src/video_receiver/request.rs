//! When a key frame may be asked for again.

use std::time::{Duration, Instant};

/// Grows the time between requests that bring nothing.
#[derive(Debug)]
pub(super) struct RequestTimer {
    first_interval: Duration,
    max_interval: Duration,
    last: Option<Instant>,
    /// From the last request to the next.
    interval: Duration,
    /// From the next to the one after it.
    next_interval: Duration,
}

impl RequestTimer {
    pub(super) fn new(first_interval: Duration, max_interval: Duration) -> Self {
        let max_interval = max_interval.max(first_interval);
        Self {
            first_interval,
            max_interval,
            last: None,
            interval: first_interval,
            next_interval: first_interval,
        }
    }

    /// The earliest time for the next request.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.last.map(|last| last + self.interval)
    }

    /// A request went out.
    pub(super) fn sent(&mut self, now: Instant) {
        self.last = Some(now);
        self.interval = self.next_interval;
        self.next_interval = (self.interval * 2).min(self.max_interval);
    }

    /// A key frame comes: the next request is the first of its row again, but not sooner than the first interval after the last.
    pub(super) fn relax(&mut self) {
        self.interval = self.first_interval;
        self.next_interval = self.first_interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    #[test]
    fn requests_come_ever_more_slowly_until_a_key_frame_comes() {
        let mut timer = RequestTimer::new(Duration::from_millis(300), Duration::from_secs(1));
        let mut now = sim::epoch();
        let mut next_gap = |timer: &mut RequestTimer| {
            timer.sent(now);
            let gap = timer.not_before().unwrap_or(now) - now;
            now += gap;
            gap.as_millis()
        };
        assert_eq!([(); 4].map(|()| next_gap(&mut timer)), [300, 600, 1_000, 1_000]);
        timer.relax();
        assert_eq!([(); 2].map(|()| next_gap(&mut timer)), [300, 600]);
    }
}
