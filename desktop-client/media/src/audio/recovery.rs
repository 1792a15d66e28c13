//! When a sound device that failed is tried again by itself: it may have been plugged in again, or its service may be back.

use std::time::{Duration, Instant};

/// Time from a failure to the first attempt. Each further attempt waits twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A device that ran for so long is good again: its next failure is a new one.
const GOOD: Duration = Duration::from_secs(20);

/// The attempts for one device.
#[derive(Debug)]
pub struct Recovery {
    pause: Duration,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing has failed, or an attempt is on its way.
    Idle,
    /// It runs since then.
    Running(Instant),
    /// The next attempt is then.
    Waiting(Instant),
}

impl Recovery {
    /// Of a device that has not failed yet.
    pub fn new() -> Self {
        Self { pause: FIRST_PAUSE, stage: Stage::Idle }
    }

    /// A person asked for the device: whatever was before is forgotten.
    pub fn start_over(&mut self) {
        *self = Self::new();
    }

    /// The device runs.
    pub fn running(&mut self, now: Instant) {
        self.stage = Stage::Running(now);
    }

    /// The device failed, or could not be opened.
    pub fn failed(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Running(since) if now.saturating_duration_since(since) >= GOOD) {
            self.pause = FIRST_PAUSE;
        }
        self.stage = Stage::Waiting(now + self.pause);
        self.pause = (2 * self.pause).min(LONGEST_PAUSE);
    }

    /// Whether to try now; an attempt is told once, and ends with [`Self::running`] or [`Self::failed`].
    pub fn due(&mut self, now: Instant) -> bool {
        let due = matches!(self.stage, Stage::Waiting(then) if now >= then);
        if due {
            self.stage = Stage::Idle;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from the start to each attempt of a device that stays away.
    fn attempts(recovery: &mut Recovery, start: Instant, seconds: u64) -> Vec<u64> {
        let mut attempts = Vec::new();
        for second in 0..=seconds {
            let now = start + Duration::from_secs(second);
            if recovery.due(now) {
                attempts.push(second);
                recovery.failed(now);
            }
        }
        attempts
    }

    #[test]
    fn attempts_become_rare_and_never_end() {
        let start = Instant::now();
        let mut recovery = Recovery::new();
        recovery.failed(start);
        assert_eq!(attempts(&mut recovery, start, 130), [1, 3, 7, 15, 31, 61, 91, 121]);
    }

    #[test]
    fn a_device_that_never_failed_is_left_alone() {
        let start = Instant::now();
        let mut recovery = Recovery::new();
        recovery.running(start);
        assert!(attempts(&mut recovery, start, 100).is_empty());
    }

    #[test]
    fn an_attempt_on_its_way_is_not_repeated() {
        let start = Instant::now();
        let mut recovery = Recovery::new();
        recovery.failed(start);
        assert!(recovery.due(start + FIRST_PAUSE));
        assert!(!recovery.due(start + Duration::from_secs(100)));
    }

    #[test]
    fn one_that_fails_again_at_once_waits_longer_and_one_that_ran_well_does_not() {
        let start = Instant::now();
        for (ran, pause) in [(Duration::from_secs(3), 2 * FIRST_PAUSE), (GOOD, FIRST_PAUSE)] {
            let mut recovery = Recovery::new();
            recovery.failed(start);
            let opened = start + FIRST_PAUSE;
            assert!(recovery.due(opened));
            recovery.running(opened);
            let lost = opened + ran;
            recovery.failed(lost);
            assert!(!recovery.due(lost + pause - Duration::from_millis(1)));
            assert!(recovery.due(lost + pause));
        }
    }

    #[test]
    fn who_asks_for_it_starts_over() {
        let start = Instant::now();
        let mut recovery = Recovery::new();
        recovery.failed(start);
        attempts(&mut recovery, start, 60);
        recovery.start_over();
        recovery.failed(start);
        assert!(recovery.due(start + FIRST_PAUSE));
    }
}
