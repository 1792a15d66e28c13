//! Both clocks on one axis, and what is impossible on it.
//!
//! Departures are on our clock, arrivals on the peer's, whose zero means nothing. All that counts is how the difference changes. A difference that jumps by
//! seconds is a peer whose clock was set, or a lie: everything that compared old times with new ones starts over.

use std::time::{Duration, Instant};

/// A difference of the clocks that jumps by more is not a queue, in milliseconds (libwebrtc's kArrivalTimeOffsetThreshold).
const MAX_JUMP_MS: f64 = 3_000.0;

/// A packet that arrived, in milliseconds since the first one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Arrived {
    pub(super) departure: Instant,
    pub(super) departure_ms: f64,
    pub(super) arrival_ms: f64,
    pub(super) bytes: usize,
}

impl Arrived {
    /// Time on the way, off by a constant.
    pub(super) fn delay_ms(&self) -> f64 {
        self.arrival_ms - self.departure_ms
    }
}

/// Where a packet is on the axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// Comparable with those before.
    Follows(Arrived),
    /// The axis starts here.
    Starts(Arrived),
}

#[derive(Debug, Default)]
pub(super) struct Timeline {
    zero: Option<(Instant, Duration)>,
    delay_ms: f64,
}

impl Timeline {
    /// Places a packet.
    pub(super) fn place(&mut self, departure: Instant, arrival: Duration, bytes: usize) -> Place {
        let Some((first_departure, first_arrival)) = self.zero else {
            return self.start(departure, arrival, bytes);
        };
        let arrived = Arrived {
            departure,
            departure_ms: instants_ms(departure, first_departure),
            arrival_ms: durations_ms(arrival, first_arrival),
            bytes,
        };
        if (arrived.delay_ms() - self.delay_ms).abs() > MAX_JUMP_MS {
            return self.start(departure, arrival, bytes);
        }
        self.delay_ms = arrived.delay_ms();
        Place::Follows(arrived)
    }

    /// A departure on the axis; `None` before there is one.
    pub(super) fn departure_ms(&self, departure: Instant) -> Option<f64> {
        self.zero.map(|(zero, _)| instants_ms(departure, zero))
    }

    fn start(&mut self, departure: Instant, arrival: Duration, bytes: usize) -> Place {
        self.zero = Some((departure, arrival));
        self.delay_ms = 0.0;
        Place::Starts(Arrived { departure, departure_ms: 0.0, arrival_ms: 0.0, bytes })
    }
}

/// Milliseconds from one instant to another, negative when it is the other way round.
pub(super) fn instants_ms(later: Instant, earlier: Instant) -> f64 {
    later
        .checked_duration_since(earlier)
        .map_or_else(|| -millis(earlier.saturating_duration_since(later)), millis)
}

fn durations_ms(later: Duration, earlier: Duration) -> f64 {
    later.checked_sub(earlier).map_or_else(|| -millis(earlier.saturating_sub(later)), millis)
}

/// A span in milliseconds.
pub(super) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    #[test]
    fn only_the_change_of_the_delay_counts() {
        let mut timeline = Timeline::default();
        timeline.place(at(0), Duration::from_secs(77), 1);
        let Place::Follows(arrived) = timeline.place(at(10), Duration::from_millis(77_030), 1) else {
            panic!("a new axis");
        };
        assert!((arrived.delay_ms() - 20.0).abs() < 1e-6);
    }

    #[test]
    fn a_clock_that_was_set_starts_a_new_axis() {
        for arrival in [Duration::ZERO, Duration::from_secs(90), Duration::MAX] {
            let mut timeline = Timeline::default();
            timeline.place(at(0), Duration::from_secs(77), 1);
            assert!(matches!(timeline.place(at(10), arrival, 1), Place::Starts(_)), "{arrival:?}");
            let next = arrival.saturating_add(Duration::from_millis(10));
            assert!(matches!(timeline.place(at(20), next, 1), Place::Follows(_)), "{arrival:?}");
        }
    }
}
