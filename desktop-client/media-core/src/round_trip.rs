//! The round-trip time from RTCP reports (RFC 3550 §6.4.1).
//!
//! The peer's reports name our last sender report by the middle 32 bits of its NTP time, and tell how long ago it arrived. Our own record of when that report
//! left gives the rest, without any clock but the monotonic one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Sender reports that are remembered: some seconds of them, for two streams.
const REMEMBERED: usize = 32;

/// Longer round trips are mistakes or lies.
const LONGEST: Duration = Duration::from_secs(10);

/// Weight of the past in the smoothed time, against 1 (RFC 6298 §2).
const SMOOTHING: u32 = 7;

/// Measures round trips.
#[derive(Debug, Default)]
pub struct ReportClock {
    sent: VecDeque<(u32, Instant)>,
    smoothed: Option<Duration>,
}

impl ReportClock {
    /// A sender report with this NTP time left.
    pub fn sent(&mut self, ntp_time: u64, now: Instant) {
        if self.sent.len() >= REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back((middle(ntp_time), now));
    }

    /// A report block came; `delay` is in 1/65536 s. `None` when it names no report of ours or cannot be true.
    pub fn reported(&mut self, last_sender_report: u32, delay: u32, now: Instant) -> Option<Duration> {
        let (_, left) = self.sent.iter().rev().find(|(ntp_time, _)| *ntp_time == last_sender_report)?;
        let held = Duration::from_secs_f64(f64::from(delay) / 65_536.0);
        // Rounding may make a short trip negative.
        let trip = now.saturating_duration_since(*left).saturating_sub(held).max(Duration::from_micros(1));
        if trip > LONGEST {
            return None;
        }
        let smooth = |past: Duration| (past * SMOOTHING + trip) / (SMOOTHING + 1);
        self.smoothed = Some(self.smoothed.map_or(trip, smooth));
        Some(trip)
    }

    /// The smoothed round-trip time (RFC 6298 §2).
    pub fn smoothed(&self) -> Option<Duration> {
        self.smoothed
    }
}

fn middle(ntp_time: u64) -> u32 {
    (ntp_time >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    #[test]
    fn a_report_block_gives_the_round_trip_without_the_peers_delay() {
        let mut clock = ReportClock::default();
        clock.sent(0x1234_5678_9abc_def0, sim::epoch());
        let later = sim::epoch() + Duration::from_millis(600);
        assert_eq!(clock.reported(0x5678_9abc, 0x8000, later), Some(Duration::from_millis(100)));
        assert_eq!(clock.smoothed(), Some(Duration::from_millis(100)));
        assert_eq!(clock.reported(0x5678_9abc, u32::MAX, later), Some(Duration::from_micros(1)));
        assert_eq!(clock.smoothed(), Some(Duration::from_nanos(87_500_125)));
    }

    #[test]
    fn unknown_and_absurd_reports_are_ignored() {
        let mut clock = ReportClock::default();
        assert_eq!(clock.reported(0, 0, sim::epoch()), None);
        for ntp_time in 0..1_000_u64 {
            clock.sent(ntp_time << 16, sim::epoch());
        }
        assert_eq!(clock.sent.len(), REMEMBERED);
        assert_eq!(clock.reported(1, 0, sim::epoch()), None);
        assert_eq!(clock.reported(999, 0, sim::epoch() + Duration::from_secs(11)), None);
    }
}
