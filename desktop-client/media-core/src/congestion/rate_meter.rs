//! A rate over the latest packets, with the times left out of which nothing is known.
//!
//! Reports get lost, too. What they would have told must not look like packets that did not arrive: a packet after such a hole starts a new measurement and
//! counts neither its bytes nor the time before it.

use std::collections::VecDeque;
use std::time::Duration;

use super::timeline::millis;
use crate::bitrate::Bitrate;

/// Packets that are remembered: more than pass in [`MAX_SPAN_MS`] at 5 Mbit/s.
const MAX_PACKETS: usize = 2_048;

/// Time that is remembered, and that a single gap counts at most, in milliseconds.
const MAX_SPAN_MS: f64 = 2_000.0;

/// Fewer packets, or a shorter span in milliseconds, say nothing.
const MIN_PACKETS: usize = 4;
const MIN_SPAN_MS: f64 = 100.0;

#[derive(Debug, Default)]
pub(super) struct RateMeter {
    /// Time since the packet before, and bytes.
    gaps: VecDeque<(f64, usize)>,
    span_ms: f64,
    last_ms: Option<f64>,
}

impl RateMeter {
    /// A packet at a time; `after_hole` when others before it were never reported.
    pub(super) fn add(&mut self, at_ms: f64, bytes: usize, after_hole: bool) {
        let last = self.last_ms.map_or(at_ms, |last| last.max(at_ms));
        let Some(before) = self.last_ms.replace(last) else { return };
        if after_hole {
            return;
        }
        let gap = (last - before).min(MAX_SPAN_MS);
        self.gaps.push_back((gap, bytes));
        self.span_ms += gap;
        while (self.span_ms > MAX_SPAN_MS || self.gaps.len() > MAX_PACKETS)
            && let Some((gap, _)) = self.gaps.pop_front()
        {
            self.span_ms -= gap;
        }
    }

    /// The rate over the latest packets that span so much time, or over what there is.
    pub(super) fn over(&self, window: Duration) -> Option<Bitrate> {
        let window = millis(window);
        let (mut span, mut bytes, mut packets) = (0.0, 0, 0);
        for (gap, size) in self.gaps.iter().rev() {
            span += gap;
            bytes += size;
            packets += 1;
            if span >= window && packets >= MIN_PACKETS {
                break;
            }
        }
        let known = packets >= MIN_PACKETS && span >= MIN_SPAN_MS;
        known.then(|| Bitrate::bps((bytes as f64 * 8_000.0 / span) as u64))
    }

    /// Starts over.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(500);

    /// 1000 bytes each 20 ms are 400 kbit/s.
    fn steady(meter: &mut RateMeter, from: u32, to: u32) {
        (from..to).for_each(|i| meter.add(f64::from(i) * 20.0, 1_000, false));
    }

    #[test]
    fn the_rate_is_that_of_the_latest_window() {
        let mut meter = RateMeter::default();
        assert_eq!(meter.over(WINDOW), None);
        steady(&mut meter, 0, 100);
        assert_eq!(meter.over(WINDOW), Some(Bitrate::kbps(400)));
        (0..60).for_each(|i| meter.add(2_000.0 + f64::from(i) * 10.0, 1_000, false));
        assert_eq!(meter.over(WINDOW), Some(Bitrate::kbps(800)));
    }

    #[test]
    fn a_hole_in_the_reports_is_no_silence() {
        let mut meter = RateMeter::default();
        steady(&mut meter, 0, 20);
        meter.add(800.0, 1_000, true);
        steady(&mut meter, 41, 60);
        assert_eq!(meter.over(WINDOW), Some(Bitrate::kbps(400)));
    }

    #[test]
    fn memory_is_bounded_when_time_stands_still() {
        let mut meter = RateMeter::default();
        (0..100_000).for_each(|_| meter.add(1.0, 1_000, false));
        assert!(meter.gaps.len() <= MAX_PACKETS);
        assert_eq!(meter.over(WINDOW), None);
    }
}
