//! A stream's media time on the sender's wall clock.

use std::time::Instant;

use super::{PlayoutPoint, SenderReport};
use crate::rtp;

/// What is played is this close to the last report, or the report is of another time of the stream: 60 s.
const MAX_DISTANCE: i64 = 60_000_000_000;

/// One report, taken apart. Times are nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapping {
    ntp: i64,
    rtp: u32,
    rate: u32,
    arrival: Instant,
}

impl Mapping {
    /// `None` when the sender has no wall clock (RFC 3550 §6.4.1: it may then send zero).
    pub(super) fn of(report: &SenderReport, rate: u32) -> Option<Self> {
        if report.ntp == 0 {
            return None;
        }
        let seconds = (report.ntp >> 32) as i64;
        let fraction = ((report.ntp & 0xFFFF_FFFF) * 1_000_000_000) >> 32;
        // At most 2^32 seconds: fits.
        let ntp = seconds * 1_000_000_000 + fraction as i64;
        Some(Self { ntp, rtp: report.rtp, rate, arrival: report.arrival })
    }

    pub(super) fn arrival(&self) -> Instant {
        self.arrival
    }

    /// How much the way of the other's report seems longer than this one's, going by the clock that both came with.
    pub(super) fn skew(&self, other: &Self) -> Option<i64> {
        between(self.arrival, other.arrival)?.checked_sub(other.ntp.checked_sub(self.ntp)?)
    }

    /// From when something was taken, on the sender's clock, to when it is played, on ours counted from `zero`. `None` when the two have nothing to do with
    /// each other.
    pub(super) fn latency(&self, point: PlayoutPoint, zero: Instant) -> Option<i64> {
        let ticks = i64::from(rtp::timestamp_diff(point.timestamp, self.rtp));
        let since_report = ticks * 1_000_000_000 / i64::from(self.rate.max(1));
        if since_report.abs() > MAX_DISTANCE {
            return None;
        }
        between(zero, point.at)?.checked_sub(self.ntp.checked_add(since_report)?)
    }
}

/// Signed nanoseconds from one instant to another.
fn between(from: Instant, to: Instant) -> Option<i64> {
    match to.checked_duration_since(from) {
        Some(after) => i64::try_from(after.as_nanos()).ok(),
        None => i64::try_from(from.duration_since(to).as_nanos()).ok().map(|before| -before),
    }
}
