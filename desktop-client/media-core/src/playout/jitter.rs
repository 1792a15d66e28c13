//! The jitter of arrivals, as receiver reports and statistics count it.

use std::time::{Duration, Instant};

use crate::rtp;

/// Weight of a new difference (RFC 3550 §6.4.1).
const SMOOTHING: f64 = 1.0 / 16.0;

/// A larger difference is a sender that started anew or a stall, not jitter. In seconds; as in [`super`].
const MAX_DIFFERENCE: f64 = 3.0;

/// Interarrival jitter (RFC 3550 §6.4.1 and A.8), taken once per frame, as packets of a frame share their media time.
#[derive(Debug, Clone, Default)]
pub struct ArrivalJitter {
    last: Option<(u32, Instant)>,
    /// In seconds; `None` before the second frame.
    jitter: Option<f64>,
}

impl ArrivalJitter {
    /// The first packet of a frame came.
    pub fn arrived(&mut self, timestamp: u32, arrival: Instant) {
        let Some((before, earlier)) = self.last.replace((timestamp, arrival)) else { return };
        let media = f64::from(rtp::timestamp_diff(timestamp, before)) / f64::from(rtp::VIDEO_CLOCK_RATE);
        let passed = match arrival.checked_duration_since(earlier) {
            Some(passed) => passed.as_secs_f64(),
            None => -earlier.duration_since(arrival).as_secs_f64(),
        };
        let difference = (passed - media).abs();
        if difference <= MAX_DIFFERENCE {
            let jitter = self.jitter.unwrap_or(0.0);
            self.jitter = Some(jitter + (difference - jitter) * SMOOTHING);
        }
    }

    /// The jitter; `None` before the second frame.
    pub fn jitter(&self) -> Option<Duration> {
        self.jitter.map(Duration::from_secs_f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn after(arrivals: impl IntoIterator<Item = (u32, u64)>) -> Option<f64> {
        let mut jitter = ArrivalJitter::default();
        for (timestamp, ms) in arrivals {
            jitter.arrived(timestamp, sim::epoch() + Duration::from_millis(ms));
        }
        jitter.jitter().map(|jitter| jitter.as_secs_f64() * 1e3)
    }

    #[test]
    fn a_steady_stream_has_none_and_a_single_frame_has_no_figure() {
        assert_eq!(after([(0, 0)]), None);
        assert!(
            after((0..100).map(|i| ((i * 1_800_u32).wrapping_sub(90_000), u64::from(i) * 20))).unwrap()
                < 0.001
        );
    }

    #[test]
    fn arrivals_that_alternate_by_10_ms_have_a_jitter_of_10_ms() {
        let jitter = after((0..500).map(|i| (i * 3_600, u64::from(i) * 40 + u64::from(i % 2) * 10))).unwrap();
        assert!((9.9..10.1).contains(&jitter), "{jitter}");
    }

    #[test]
    fn a_sender_that_starts_anew_adds_none() {
        let steady = (0..50).map(|i| (i * 3_600, u64::from(i) * 40));
        let moved = (50..100).map(|i| (i * 3_600 + 2_000_000_000, u64::from(i) * 40));
        assert!(after(steady.chain(moved)).unwrap() < 0.001);
    }
}
