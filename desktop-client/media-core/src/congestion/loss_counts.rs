//! How many packets are lost of how many, and whether they are lost in rows.

use std::time::{Duration, Instant};

/// Packets since some time, by departure.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) packets: u32,
    lost: u32,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Tally {
    pub(super) fn add(&mut self, departure: Instant, lost: bool) {
        self.packets += 1;
        self.lost += u32::from(lost);
        self.first = Some(self.first.map_or(departure, |first| first.min(departure)));
        self.last = Some(self.last.map_or(departure, |last| last.max(departure)));
    }

    pub(super) fn share(&self) -> f64 {
        f64::from(self.lost) / f64::from(self.packets.max(1))
    }

    pub(super) fn span(&self) -> Duration {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last.saturating_duration_since(first),
            _ => Duration::ZERO,
        }
    }

    pub(super) fn is_enough(&self, dense: (u32, Duration), sparse: (u32, Duration)) -> bool {
        [dense, sparse].iter().any(|(packets, span)| self.packets >= *packets && self.span() >= *span)
    }
}

/// How many packets are lost in a row, lately.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bursts {
    lost: f64,
    rows: f64,
    in_row: bool,
}

impl Bursts {
    /// What stays of the counts at each lost packet.
    const KEEP: f64 = 0.98;

    /// Longer rows are not believed: they are outages.
    const LONGEST: f64 = 10.0;

    pub(super) fn add(&mut self, lost: bool) {
        if lost {
            self.lost = Self::KEEP * self.lost + 1.0;
            self.rows = Self::KEEP * self.rows + if self.in_row { 0.0 } else { 1.0 };
        }
        self.in_row = lost;
    }

    pub(super) fn mean_length(&self) -> f64 {
        if self.rows < 1.0 { 1.0 } else { (self.lost / self.rows).clamp(1.0, Self::LONGEST) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    #[test]
    fn a_tally_is_enough_by_either_measure() {
        let mut tally = Tally::default();
        for i in 0..10 {
            tally.add(sim::epoch() + Duration::from_millis(100 * i), i % 2 == 0);
        }
        assert!((tally.share() - 0.5).abs() < 1e-9);
        assert_eq!(tally.span(), Duration::from_millis(900));
        let second = Duration::from_secs(1);
        assert!(!tally.is_enough((20, Duration::ZERO), (5, second)));
        assert!(tally.is_enough((10, Duration::ZERO), (5, second)));
        assert!(tally.is_enough((20, Duration::ZERO), (5, Duration::from_millis(900))));
    }

    #[test]
    fn rows_are_told_from_single_losses() {
        let (mut rows, mut singles) = (Bursts::default(), Bursts::default());
        for i in 0..1_000 {
            rows.add(i % 40 < 4);
            singles.add(i % 10 == 0);
        }
        assert!((rows.mean_length() - 4.0).abs() < 0.2, "{}", rows.mean_length());
        assert!((singles.mean_length() - 1.0).abs() < 0.1, "{}", singles.mean_length());
    }
}
