//! When a source without a clock of its own gives its pictures.

use std::time::{Duration, Instant};

/// Evenly spaced times. Whoever is late skips pictures, as a camera would, and keeps to the grid.
pub struct FrameGrid {
    start: Instant,
    interval: Duration,
    next: u64,
}

impl FrameGrid {
    /// The first picture is due at `start`. An interval of zero counts as a nanosecond.
    pub fn new(start: Instant, interval: Duration) -> Self {
        Self { start, interval: interval.max(Duration::from_nanos(1)), next: 0 }
    }

    /// When the next picture is due.
    pub fn due(&self) -> Instant {
        let nanos = u128::from(self.next) * self.interval.as_nanos();
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Whether a picture is due; if so the grid goes on to the next.
    pub fn advance(&mut self, now: Instant) -> bool {
        if now < self.due() {
            return false;
        }
        let passed = now.saturating_duration_since(self.start).as_nanos() / self.interval.as_nanos();
        self.next = u64::try_from(passed).unwrap_or(u64::MAX).saturating_add(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_caller_skips_pictures_and_keeps_to_the_grid() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let mut grid = FrameGrid::new(start, ms(40));
        assert!(grid.advance(start));
        assert!(!grid.advance(start + ms(39)));
        assert!(grid.advance(start + ms(41)));
        assert_eq!(grid.due(), start + ms(80));
        assert!(grid.advance(start + ms(205)));
        assert!(!grid.advance(start + ms(239)));
        assert_eq!(grid.due(), start + ms(240));
    }
}
