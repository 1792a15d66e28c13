//! Lets the rest of the client read what the congestion controller thinks of the path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rtc::interceptor::{BandwidthEstimator, EstimatorStats, Gcc, PacketReport};

/// First guess before there is any feedback, in bit/s: Chromium starts at the same rate.
const START: f64 = 300_000.0;
/// Never below this, in bit/s: audio alone needs about as much with its headers.
const MIN: f64 = 60_000.0;
/// Never above this, in bit/s: no layer of ours needs more.
const MAX: f64 = 5_000_000.0;

/// The latest estimate of one link, shared with whoever shows or uses it.
#[derive(Debug, Clone)]
pub struct EstimateReader(Arc<AtomicU64>);

impl EstimateReader {
    /// Bits per second that the path carries at this moment, as far as we know.
    pub fn bits_per_second(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// Google congestion control (draft-ietf-rmcat-gcc-02) whose target can be read from outside the interceptor chain.
pub struct Reported {
    inner: Gcc,
    shared: Arc<AtomicU64>,
}

impl Reported {
    /// An estimator and its reader.
    pub fn new() -> (Self, EstimateReader) {
        let inner = Gcc::new(START, MIN, MAX);
        let shared = Arc::new(AtomicU64::new(inner.target_bitrate().to_bits()));
        (Self { inner, shared: Arc::clone(&shared) }, EstimateReader(shared))
    }

    fn publish(&self) {
        self.shared.store(self.inner.target_bitrate().to_bits(), Ordering::Relaxed);
    }
}

impl BandwidthEstimator for Reported {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        self.inner.on_reports(now, reports);
        self.publish();
    }

    fn target_bitrate(&self) -> f64 {
        self.inner.target_bitrate()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
        self.publish();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }

    fn stats(&self) -> EstimatorStats {
        self.inner.stats()
    }
}
