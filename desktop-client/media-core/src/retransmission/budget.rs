//! What all retransmissions together may take.

use std::time::{Duration, Instant};

use crate::bitrate::Bitrate;

/// Time over which the budget is counted: what was not used in it is lost.
const WINDOW: Duration = Duration::from_secs(1);

/// A bucket of bytes, filled at a rate.
#[derive(Debug)]
pub(super) struct Budget {
    /// The bucket holds no less than this.
    min_capacity: usize,
    rate: Bitrate,
    level: f64,
    updated: Option<Instant>,
}

impl Budget {
    /// Full, at no rate.
    pub(super) fn new(min_capacity: usize) -> Self {
        Self { min_capacity, rate: Bitrate::ZERO, level: min_capacity as f64, updated: None }
    }

    pub(super) fn set_rate(&mut self, rate: Bitrate, now: Instant) {
        self.forward(now);
        self.rate = rate;
    }

    /// Takes bytes out, if there are so many.
    pub(super) fn spend(&mut self, bytes: usize, now: Instant) -> bool {
        self.forward(now);
        let enough = self.level >= bytes as f64;
        if enough {
            self.level -= bytes as f64;
        }
        enough
    }

    fn forward(&mut self, now: Instant) {
        let passed = self.updated.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.updated = Some(self.updated.map_or(now, |at| at.max(now)));
        let capacity = (self.rate.bytes_in(WINDOW) as f64).max(self.min_capacity as f64);
        self.level = (self.level + self.rate.as_bps() as f64 / 8.0 * passed.as_secs_f64()).min(capacity);
    }
}
