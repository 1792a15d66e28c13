//! How long the answer to a request takes: the round-trip time, and what the sender's queues add to it.
//!
//! Smoothed as TCP smooths its round-trip times (RFC 6298 §2). Of a packet that was asked for more than once nobody knows which request was answered, so it
//! does not count (Karn's algorithm), with two exceptions that show that the first one was: it comes too soon after the last request to be an answer to
//! that one, or it comes once more, as the answer to the next.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::holes::Asked;

/// Weight of a new sample in the smoothed time (RFC 6298: 1/8).
const SMOOTHING: f64 = 0.125;

/// Weight of a new sample in the variation (RFC 6298: 1/4).
const VARIATION_SMOOTHING: f64 = 0.25;

/// Variations that are added to the smoothed time. RFC 6298 takes 4; a request too many costs one packet, one that comes late may cost a freeze.
const VARIATIONS: f64 = 2.0;

/// Least that is added to the smoothed time (G in RFC 6298 §2.3): a pacer's step.
const GRANULARITY: Duration = Duration::from_millis(5);

/// What the round-trip time may be short of the time for an answer, before any answer was seen: a quarter.
const MARGIN: f64 = 1.25;

/// Packets that came after several requests and are remembered, in case they come again.
const REMEMBERED: usize = 64;

/// Longer than any path takes; what is measured to be longer is not believed.
const MAX: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct ResponseTime {
    min_interval: Duration,
    rtt: Duration,
    /// Smoothed time and its variation, in seconds.
    smoothed: Option<(f64, f64)>,
    /// Packets of which nobody knows which request was answered, and how long after the first they came.
    doubtful: VecDeque<(i64, Duration)>,
}

impl ResponseTime {
    pub(super) fn new(rtt: Duration, min_interval: Duration) -> Self {
        Self { min_interval, rtt: rtt.min(MAX), smoothed: None, doubtful: VecDeque::new() }
    }

    pub(super) fn round_trip_time(&mut self, rtt: Duration) {
        self.rtt = rtt.min(MAX);
    }

    /// A packet came that had been asked for.
    pub(super) fn answered(&mut self, sequence: i64, asked: Asked, now: Instant) {
        let since_first = now.saturating_duration_since(asked.first);
        let since_last = now.saturating_duration_since(asked.last);
        if asked.times == 1 || (asked.times == 2 && since_last < self.rtt / 2) {
            return self.sample(since_first);
        }
        if self.doubtful.len() == REMEMBERED {
            self.doubtful.pop_front();
        }
        self.doubtful.push_back((sequence, since_first));
    }

    /// A packet came that was there already: if it had been asked for repeatedly, that was too soon.
    pub(super) fn answered_again(&mut self, sequence: i64) {
        if let Some(at) = self.doubtful.iter().position(|(doubtful, _)| *doubtful == sequence)
            && let Some((_, since_first)) = self.doubtful.remove(at)
        {
            self.sample(since_first);
        }
    }

    fn sample(&mut self, sample: Duration) {
        let sample = sample.min(MAX).as_secs_f64();
        self.smoothed = Some(match self.smoothed {
            None => (sample, sample / 4.0),
            Some((time, variation)) => (
                time + SMOOTHING * (sample - time),
                variation + VARIATION_SMOOTHING * ((sample - time).abs() - variation),
            ),
        });
    }

    /// How long to wait for an answer before asking again.
    pub(super) fn interval(&self) -> Duration {
        let interval = match self.smoothed {
            None => self.rtt.mul_f64(MARGIN),
            Some((time, variation)) => {
                let margin = Duration::from_secs_f64(VARIATIONS * variation).max(GRANULARITY);
                self.rtt.max(Duration::from_secs_f64(time) + margin)
            }
        };
        interval.clamp(self.min_interval, MAX.max(self.min_interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn at(t: u64) -> Instant {
        sim::epoch() + ms(t)
    }

    fn asked(times: u32, last_ms: u64) -> Asked {
        Asked { first: at(0), last: at(last_ms), times }
    }

    fn answer(response: &mut ResponseTime, after_ms: u64) {
        response.answered(1, asked(1, 0), at(after_ms));
    }

    #[test]
    fn before_any_answer_the_round_trip_time_gets_a_margin() {
        assert_eq!(ResponseTime::new(ms(100), ms(20)).interval(), ms(125));
        assert_eq!(ResponseTime::new(ms(1), ms(20)).interval(), ms(20));
    }

    #[test]
    fn steady_answers_bring_the_interval_close_to_them() {
        let mut response = ResponseTime::new(ms(100), ms(20));
        (0..30).for_each(|_| answer(&mut response, 110));
        assert!((ms(114)..ms(116)).contains(&response.interval()), "{:?}", response.interval());
    }

    #[test]
    fn answers_that_take_longer_than_the_round_trip_time_are_waited_for() {
        let mut response = ResponseTime::new(ms(100), ms(20));
        // Asked for at 0 and 125, here at 150: that was the first one's answer.
        (0..30).for_each(|_| response.answered(1, asked(2, 125), at(150)));
        assert!(response.interval() > ms(149));
        // Here at 220: nobody knows.
        let before = response.interval();
        response.answered(1, asked(2, 125), at(220));
        assert_eq!(response.interval(), before);
    }

    #[test]
    fn a_packet_that_comes_twice_was_asked_for_too_soon() {
        let mut response = ResponseTime::new(ms(100), ms(20));
        for sequence in 0..30 {
            response.answered(sequence, asked(4, 375), at(410));
            response.answered_again(sequence);
            response.answered_again(sequence);
        }
        assert!((ms(409)..ms(430)).contains(&response.interval()), "{:?}", response.interval());
        (0..1_000).for_each(|sequence| response.answered(sequence, asked(4, 375), at(5_000)));
        assert_eq!(response.doubtful.len(), REMEMBERED);
    }

    #[test]
    fn absurd_times_are_bounded() {
        let mut response = ResponseTime::new(Duration::MAX, ms(20));
        answer(&mut response, 1_000_000);
        response.round_trip_time(Duration::MAX);
        assert!(response.interval() <= MAX);
    }
}
