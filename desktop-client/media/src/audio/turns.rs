//! When the audio thread wakes: every 10 ms, and shortly after the microphone has delivered, so that its sound does not lie about until the
//! next turn.

use std::time::{Duration, Instant};

use super::clock::BLOCK;

/// How long after a delivery a turn shall be: deliveries are not quite even.
const AFTER: Duration = Duration::from_millis(1);

/// Share of its error by which a turn is moved.
const SHARE: f64 = 0.1;

/// Most that a turn is moved: microphones whose callbacks have no rhythm of 10 ms move turns to and fro.
const MOST: f64 = 200e-6;

/// Times of turns.
pub struct Turns {
    next: Instant,
}

impl Turns {
    /// The first turn is now.
    pub fn new(now: Instant) -> Self {
        Self { next: now }
    }

    /// When the next turn is.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// A turn is over that began at `began`; a microphone delivered last at `delivered`.
    pub fn done(&mut self, began: Instant, delivered: Option<Instant>) {
        let planned = self.next;
        self.next = (planned + BLOCK).max(began);
        let Some(delivered) =
            delivered.filter(|delivered| began.saturating_duration_since(*delivered) < 10 * BLOCK)
        else {
            return;
        };
        // How far a turn is after the delivery before it, which may lie some turns back, or ahead of this one when the turn began late.
        let block = BLOCK.as_secs_f64();
        let after = seconds_between(delivered, planned) - AFTER.as_secs_f64();
        let error = after - (after / block).round() * block;
        let moved = (error * SHARE).clamp(-MOST, MOST);
        let moved_to = if moved > 0.0 {
            self.next.checked_sub(Duration::from_secs_f64(moved))
        } else {
            Some(self.next + Duration::from_secs_f64(-moved))
        };
        self.next = moved_to.unwrap_or(self.next);
    }
}

fn seconds_between(from: Instant, to: Instant) -> f64 {
    match to.checked_duration_since(from) {
        Some(after) => after.as_secs_f64(),
        None => -from.duration_since(to).as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean time that sound waits for a turn, in milliseconds, over 100 deliveries at this distance, each late by up to `jitter`; and the
    /// number of turns meanwhile.
    fn wait(distance: Duration, offset: Duration, jitter: Duration) -> (f64, u32) {
        let start = Instant::now();
        let mut turns = Turns::new(start);
        let delivery = |n: u32| start + offset + distance * n + jitter * (n * 7 % 5) / 4;
        let (mut number, mut waits, mut count) = (0, Vec::new(), 0);
        while number < 400 {
            let now = turns.next();
            let mut last = None;
            while delivery(number) <= now {
                last = Some(delivery(number));
                waits.push((now - delivery(number)).as_secs_f64() * 1e3);
                number += 1;
            }
            let last = last.or_else(|| Some(delivery(number.checked_sub(1)?)));
            turns.done(now, last);
            count += 1;
        }
        let late = &waits[300..400];
        (late.iter().sum::<f64>() / late.len() as f64, count)
    }

    #[test]
    fn turns_come_shortly_after_deliveries() {
        for distance in [10, 20, 60].map(Duration::from_millis) {
            for offset in [0, 2, 5, 9].map(Duration::from_millis) {
                let (mean, _) = wait(distance, offset, Duration::from_micros(400));
                assert!(mean < 2.0, "{distance:?}, {offset:?}: {mean:.1} ms");
            }
        }
    }

    #[test]
    fn deliveries_without_that_rhythm_leave_the_pace_alone() {
        for micros in [21_333, 5_333, 1_451, 92_879] {
            let distance = Duration::from_micros(micros);
            let (_, count) = wait(distance, Duration::ZERO, Duration::ZERO);
            let expected = (distance * 400).as_millis() as f64 / 10.0;
            assert!((f64::from(count) / expected - 1.0).abs() < 0.02, "{distance:?}: {count} of {expected}");
        }
    }

    #[test]
    fn a_turn_that_was_late_is_not_made_up_for_twice() {
        let start = Instant::now();
        let mut turns = Turns::new(start);
        let late = start + BLOCK * 50;
        turns.done(late, None);
        assert_eq!(turns.next(), late);
        turns.done(late, None);
        assert_eq!(turns.next(), late + BLOCK);
    }
}
