//! The transits of the last seconds: the least of them, and their spread.

use std::collections::VecDeque;
use std::time::Duration;

/// Transits that are remembered at most: ten seconds at 100 frames a second.
const MAX_SAMPLES: usize = 1_024;

/// Times and transits in nanoseconds.
#[derive(Debug)]
pub(super) struct TransitWindow {
    window: i64,
    samples: VecDeque<(i64, i64)>,
    base: Option<i64>,
    scratch: Vec<i64>,
}

impl TransitWindow {
    pub(super) fn new(window: Duration) -> Self {
        Self { window: super::nanos(window), samples: VecDeque::new(), base: None, scratch: Vec::new() }
    }

    pub(super) fn add(&mut self, now: i64, transit: i64) {
        let expired = |at: i64| now.saturating_sub(at) > self.window;
        let mut base_left = false;
        while self.samples.len() >= MAX_SAMPLES || self.samples.front().is_some_and(|(at, _)| expired(*at)) {
            let Some((_, left)) = self.samples.pop_front() else { break };
            base_left |= Some(left) == self.base;
        }
        self.samples.push_back((now, transit));
        self.base = if base_left {
            self.samples.iter().map(|(_, transit)| *transit).min()
        } else {
            Some(self.base.map_or(transit, |base| base.min(transit)))
        };
    }

    /// The smallest transit.
    pub(super) fn base(&self) -> Option<i64> {
        self.base
    }

    /// What a share of the transits is at or below (nearest rank). Those that exceed the smallest by more than `max` do not count: no delay would catch
    /// them, so they are stalls, and say nothing of how uneven the path is.
    pub(super) fn percentile(&mut self, share: f64, max: i64) -> Option<i64> {
        let limit = self.base?.saturating_add(max);
        self.scratch.clear();
        self.scratch.extend(self.samples.iter().map(|(_, transit)| *transit).filter(|t| *t <= limit));
        let rank = (share.clamp(0.0, 1.0) * self.scratch.len() as f64).ceil() as usize;
        let index = rank.saturating_sub(1);
        if index >= self.scratch.len() {
            return None;
        }
        Some(*self.scratch.select_nth_unstable(index).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut window = TransitWindow::new(Duration::from_secs(10));
        (0..10).for_each(|i| window.add(i * SECOND, 100 + i));
        assert_eq!(window.base(), Some(100));
        window.add(12 * SECOND, 900);
        assert_eq!((window.base(), window.samples.len()), (Some(102), 9));
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank_without_stalls() {
        let mut window = TransitWindow::new(Duration::from_secs(10));
        (0..100).for_each(|i| window.add(i, i));
        window.add(100, 10_000);
        assert_eq!(window.percentile(0.95, 500), Some(94));
        assert_eq!(window.percentile(1.0, 50_000), Some(10_000));
    }

    #[test]
    fn memory_is_bounded() {
        let mut window = TransitWindow::new(Duration::from_secs(10));
        (0..100_000).for_each(|i| window.add(i, -i));
        assert_eq!((window.samples.len(), window.base()), (MAX_SAMPLES, Some(-99_999)));
    }
}
