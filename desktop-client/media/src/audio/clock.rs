//! A clock that ticks once per 10 ms block, for sources and sinks that have none of their own.

use std::time::{Duration, Instant};

/// Length of a block.
pub const BLOCK: Duration = Duration::from_millis(10);

/// A clock that is further behind than this (the machine slept) jumps instead of catching up.
const LARGEST_LAG: Duration = Duration::from_millis(200);

/// Counts blocks by the system's clock.
pub struct BlockClock {
    next: Instant,
}

impl BlockClock {
    /// The first block is due at `start`.
    pub fn new(start: Instant) -> Self {
        Self { next: start }
    }

    /// Counts from here: another clock has set the pace until now.
    pub fn set(&mut self, now: Instant) {
        self.next = now + BLOCK;
    }

    /// How late the next block is.
    pub fn lag(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.next)
    }

    /// Whether a block is due; if so the clock goes on to the next.
    pub fn due(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.next) > LARGEST_LAG {
            self.next = now;
        }
        if self.next > now {
            return false;
        }
        self.next += BLOCK;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(clock: &mut BlockClock, now: Instant) -> usize {
        std::iter::from_fn(|| clock.due(now).then_some(())).count()
    }

    #[test]
    fn lateness_is_caught_up_and_sleep_is_not() {
        let start = Instant::now();
        let mut clock = BlockClock::new(start);
        assert_eq!(blocks(&mut clock, start), 1);
        assert_eq!(blocks(&mut clock, start + BLOCK / 2), 0);
        assert_eq!(blocks(&mut clock, start + BLOCK * 5), 5);
        assert_eq!(blocks(&mut clock, start + Duration::from_secs(3600)), 1);
    }
}
