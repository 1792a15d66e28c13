//! What the bottleneck carried when it was full, with an uncertainty.
//!
//! draft-ietf-rmcat-gcc-02, section 5.5: near the rates of earlier decreases the rate grows by addition, far from them by multiplication. Constants are libwebrtc's.

use crate::bitrate::Bitrate;

/// Weight of a new sample.
const WEIGHT: f64 = 0.05;

/// Bounds of the normalised variance, in kbit/s.
const MIN_DEVIATION: f64 = 0.4;
const MAX_DEVIATION: f64 = 2.5;

/// Deviations within which a rate is near.
const NEAR: f64 = 3.0;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LinkCapacity {
    estimate: Option<Estimate>,
}

#[derive(Debug, Clone, Copy)]
struct Estimate {
    kbps: f64,
    deviation: f64,
}

impl LinkCapacity {
    /// What came through while a queue grew.
    pub(super) fn overused_at(&mut self, rate: Bitrate) {
        let sample = rate.as_bps() as f64 / 1e3;
        if self.estimate.is_some_and(|estimate| sample < estimate.kbps - estimate.margin()) {
            self.estimate = None;
        }
        let estimate = self.estimate.get_or_insert(Estimate { kbps: sample, deviation: MIN_DEVIATION });
        let error = estimate.kbps - sample;
        estimate.kbps -= WEIGHT * error;
        let spread = error * error / estimate.kbps.max(1.0);
        estimate.deviation =
            ((1.0 - WEIGHT) * estimate.deviation + WEIGHT * spread).clamp(MIN_DEVIATION, MAX_DEVIATION);
    }

    /// What comes through without a queue: if it is clearly more, the link has changed.
    pub(super) fn passed(&mut self, rate: Bitrate) {
        let sample = rate.as_bps() as f64 / 1e3;
        if self.estimate.is_some_and(|estimate| sample > estimate.kbps + estimate.margin()) {
            self.estimate = None;
        }
    }

    /// The capacity, if the link was full lately.
    pub(super) fn get(&self) -> Option<Bitrate> {
        self.estimate.map(|estimate| Bitrate::bps((estimate.kbps * 1e3) as u64))
    }

    /// Starts over.
    pub(super) fn forget(&mut self) {
        self.estimate = None;
    }
}

impl Estimate {
    fn margin(&self) -> f64 {
        NEAR * (self.deviation * self.kbps).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_learnt_when_the_link_is_full_and_forgotten_when_more_passes() {
        let mut capacity = LinkCapacity::default();
        capacity.passed(Bitrate::kbps(9_000));
        assert_eq!(capacity.get(), None);
        (0..5).for_each(|_| capacity.overused_at(Bitrate::kbps(1_000)));
        assert_eq!(capacity.get(), Some(Bitrate::kbps(1_000)));
        capacity.passed(Bitrate::kbps(1_030));
        assert_eq!(capacity.get(), Some(Bitrate::kbps(1_000)));
        capacity.passed(Bitrate::kbps(1_200));
        assert_eq!(capacity.get(), None);
    }

    #[test]
    fn a_link_that_became_slower_is_learnt_at_once() {
        let mut capacity = LinkCapacity::default();
        (0..5).for_each(|_| capacity.overused_at(Bitrate::kbps(1_000)));
        capacity.overused_at(Bitrate::kbps(300));
        assert_eq!(capacity.get(), Some(Bitrate::kbps(300)));
    }
}
