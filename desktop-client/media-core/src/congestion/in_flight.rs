//! What left and was not reported yet: tells a peer that is silent from us being silent, and packets whose report was lost from lost packets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets that are remembered; the oldest are forgotten first. At 5 Mbit/s these are 15 s.
const MAX_PACKETS: usize = 8_192;

/// Fewer packets without a report are no silence: on a thin link that loses packets in rows, nothing may have arrived yet that could be reported.
const MIN_PACKETS: u32 = 8;

#[derive(Debug, Default)]
pub(super) struct InFlight {
    departures: VecDeque<Instant>,
    /// Departure of the first packet after the last report.
    waiting_since: Option<Instant>,
    /// Packets since then.
    waiting: u32,
}

impl InFlight {
    /// A packet left.
    pub(super) fn sent(&mut self, departure: Instant) {
        if self.departures.len() == MAX_PACKETS {
            self.departures.pop_front();
        }
        self.departures.push_back(departure);
        self.waiting_since.get_or_insert(departure);
        self.waiting = self.waiting.saturating_add(1);
    }

    /// A report covers departures from the first to the last. Answers whether packets before it were skipped: their report is lost.
    pub(super) fn reported(&mut self, first: Instant, last: Instant) -> bool {
        self.waited();
        let mut skipped = false;
        while let Some(departure) = self.departures.front().copied()
            && departure <= last
        {
            skipped |= departure < first;
            self.departures.pop_front();
        }
        skipped
    }

    /// When the silence has lasted too long.
    pub(super) fn deadline(&self, patience: Duration) -> Option<Instant> {
        let since = self.waiting_since.filter(|_| self.waiting >= MIN_PACKETS)?;
        Some(since + patience)
    }

    /// The silence was answered; it counts anew from the next packet.
    pub(super) fn waited(&mut self) {
        self.waiting_since = None;
        self.waiting = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    #[test]
    fn a_lost_report_is_seen_at_the_next() {
        let mut in_flight = InFlight::default();
        (0..30).for_each(|i| in_flight.sent(at(10 * i)));
        assert!(!in_flight.reported(at(0), at(90)));
        assert!(in_flight.reported(at(200), at(290)));
        assert!(!in_flight.reported(at(300), at(390)));
    }

    #[test]
    fn silence_counts_only_while_something_is_sent() {
        let mut in_flight = InFlight::default();
        let patience = Duration::from_millis(700);
        assert_eq!(in_flight.deadline(patience), None);
        (0..7).for_each(|i| in_flight.sent(at(10 * i)));
        assert_eq!(in_flight.deadline(patience), None);
        in_flight.sent(at(70));
        assert_eq!(in_flight.deadline(patience), Some(at(700)));
        in_flight.reported(at(0), at(0));
        assert_eq!(in_flight.deadline(patience), None);
        (0..8).for_each(|i| in_flight.sent(at(100 + i)));
        assert_eq!(in_flight.deadline(patience), Some(at(800)));
    }
}
