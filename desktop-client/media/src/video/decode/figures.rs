//! The figures of one peer's pictures.

use std::time::{Duration, Instant};

use media_core::frame::I420Frame;
use media_core::marks::video as marks;
use media_core::stats::{FreezeDetector, Percentiles, RateCounter};

use crate::clock::unix_time;
use crate::stats::{Latency, VideoReceiveStats};

/// Latencies that the percentiles are over: five minutes at 30 a second.
const LATENCIES: usize = 9_000;

/// Time between two computations of the percentiles, which sort.
const LATENCY_INTERVAL: Duration = Duration::from_millis(500);

/// Gathers figures.
pub struct Figures {
    rate: RateCounter,
    freezes: FreezeDetector,
    latencies: Percentiles,
    latency: Option<(Instant, Option<Latency>)>,
    stats: VideoReceiveStats,
}

impl Figures {
    /// Before the first picture.
    pub fn new() -> Self {
        Self {
            rate: RateCounter::default(),
            freezes: FreezeDetector::new(),
            latencies: Percentiles::new(LATENCIES),
            latency: None,
            stats: VideoReceiveStats::default(),
        }
    }

    /// A picture came out of the decoder.
    pub fn decoded(&mut self, picture: &I420Frame, now: Instant) {
        self.rate.add(1, now);
        self.stats.frames_decoded += 1;
        self.stats.frame_width = Some(picture.width());
        self.stats.frame_height = Some(picture.height());
        self.stats.frames_per_second = Some(self.rate.per_second(now));
    }

    /// A picture is shown.
    pub fn shown(&mut self, picture: &I420Frame, now: Instant) {
        self.freezes.frame_rendered(now);
        if let Some(mark) = marks::read(picture) {
            self.latencies.add(f64::from(marks::latency_ms(mark, unix_time())));
        }
        let freezes = self.freezes.stats();
        self.stats.freeze_count = freezes.freeze_count;
        self.stats.total_freezes_duration = freezes.total_freezes_duration.as_secs_f64();
        self.stats.latency_ms = self.latency(now);
    }

    /// A frame gave no picture.
    pub fn dropped(&mut self) {
        self.stats.frames_dropped += 1;
    }

    /// As of now.
    pub fn stats(&self) -> VideoReceiveStats {
        self.stats
    }

    fn latency(&mut self, now: Instant) -> Option<Latency> {
        match self.latency {
            Some((at, latency)) if now.saturating_duration_since(at) < LATENCY_INTERVAL => latency,
            _ => {
                let latency = percentiles(&self.latencies);
                self.latency = Some((now, latency));
                latency
            }
        }
    }
}

/// Median and 95th percentile; `None` without values.
pub fn percentiles(values: &Percentiles) -> Option<Latency> {
    Some(Latency { p50: values.p50()?, p95: values.p95()? })
}
