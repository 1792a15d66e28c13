//! How much per second, over the last second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Pieces that the window is cut into, so that memory does not grow with the rate.
const PIECES: u32 = 20;

/// Sums amounts (bytes, frames) over a sliding window.
#[derive(Debug, Clone)]
pub struct RateCounter {
    window: Duration,
    pieces: VecDeque<(Instant, u64)>,
    started: Option<Instant>,
    total: u64,
}

impl Default for RateCounter {
    /// A window of one second.
    fn default() -> Self {
        Self::new(Duration::from_secs(1))
    }
}

impl RateCounter {
    /// A counter with a window (at least 1 ms).
    pub fn new(window: Duration) -> Self {
        let window = window.max(Duration::from_millis(1));
        Self { window, pieces: VecDeque::new(), started: None, total: 0 }
    }

    /// Adds an amount. Calls go forward in time.
    pub fn add(&mut self, amount: u64, now: Instant) {
        self.started.get_or_insert(now);
        self.total += amount;
        self.forget(now);
        let width = self.window / PIECES;
        match self.pieces.back_mut() {
            Some((start, sum)) if now.saturating_duration_since(*start) < width => *sum += amount,
            Some(_) | None => self.pieces.push_back((now, amount)),
        }
    }

    /// Amount per second over the window, or since the first amount when that is less long ago (but at least a tenth of the window).
    pub fn per_second(&mut self, now: Instant) -> f64 {
        self.forget(now);
        let since = self.started.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let span = since.clamp(self.window / 10, self.window);
        self.pieces.iter().map(|(_, sum)| *sum).sum::<u64>() as f64 / span.as_secs_f64()
    }

    /// Kilobits per second, when the amounts are bytes.
    pub fn kilobits_per_second(&mut self, now: Instant) -> f64 {
        self.per_second(now) * 8.0 / 1_000.0
    }

    /// Everything since the start.
    pub fn total(&self) -> u64 {
        self.total
    }

    fn forget(&mut self, now: Instant) {
        while self
            .pieces
            .front()
            .is_some_and(|(start, _)| now.saturating_duration_since(*start) >= self.window)
        {
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    #[test]
    fn a_steady_stream_has_its_rate() {
        let mut rate = RateCounter::default();
        (0..5_000).for_each(|ms| rate.add(125, at(ms)));
        let kbps = rate.kilobits_per_second(at(5_000));
        assert!((kbps - 1_000.0).abs() < 60.0, "{kbps}");
        assert_eq!(rate.total(), 625_000);
        assert!(rate.pieces.len() <= PIECES as usize + 1);
    }

    #[test]
    fn the_first_second_is_not_thinned() {
        let mut rate = RateCounter::default();
        (0..10).for_each(|i| rate.add(1, at(i * 33)));
        assert!((25.0..40.0).contains(&rate.per_second(at(330))));
    }

    #[test]
    fn a_stream_that_stops_falls_to_nothing() {
        let mut rate = RateCounter::default();
        rate.add(1_000_000, at(0));
        assert_eq!(rate.per_second(at(1_000)), 0.0);
    }
}
