//! How late packets come, and the delay that catches enough of them.
//!
//! A packet's transit is its arrival minus its media time. The smallest transit of the last seconds is the base: the network at its best, wherever the two
//! clocks stand and however they drift. What a packet comes later than that goes into a histogram that slowly forgets; the target delay is a percentile of
//! it (as in WebRTC's NetEQ, with finer steps).

use std::collections::VecDeque;

use super::JitterBufferConfig;
use crate::frame::SAMPLE_RATE;
use crate::rtp;

/// Width of a histogram bucket in samples: 5 ms.
const BUCKET: i64 = SAMPLE_RATE as i64 / 200;

/// Buckets: 600 ms.
const BUCKETS: usize = 120;

/// What stays of the histogram with each packet. 0.995 remembers about 200 packets, four seconds of speech.
const REMEMBER: f64 = 0.995;

/// Packets before the histogram is believed over the initial target: half a second of speech.
const LEARNING: u64 = 25;

/// Length of each piece of the window in which the base is sought, in samples: 500 ms.
const PIECE: i64 = SAMPLE_RATE as i64 / 2;

/// Pieces in that window: five seconds. A longer one follows a route that got slower too late, a shorter one mistakes a long burst of jitter for it.
const PIECES: usize = 10;

#[derive(Debug)]
pub(super) struct DelayEstimator {
    min: i64,
    max: i64,
    initial: i64,
    percentile: f64,
    histogram: Vec<f64>,
    /// The base that the histogram counts from, within one bucket.
    anchor: Option<i64>,
    packets: u64,
    target: i64,
    /// What is wanted on top.
    extra: i64,
    /// Start of each piece of the window and the smallest transit in it.
    minima: VecDeque<(i64, i64)>,
}

impl DelayEstimator {
    pub(super) fn new(config: &JitterBufferConfig) -> Self {
        let samples = |duration| i64::from(rtp::ticks(duration, SAMPLE_RATE));
        let min = samples(config.min_delay);
        let max = samples(config.max_delay).max(min);
        let initial = samples(config.initial_delay).clamp(min, max);
        Self {
            min,
            max,
            initial,
            percentile: config.percentile,
            histogram: vec![0.0; BUCKETS],
            anchor: None,
            packets: 0,
            target: initial,
            extra: 0,
            minima: VecDeque::with_capacity(PIECES),
        }
    }

    /// A packet came; its transit and arrival in samples.
    pub(super) fn packet_arrived(&mut self, transit: i64, arrival: i64) {
        self.note_transit(transit, arrival);
        let base = self.base().unwrap_or(transit);
        self.follow_rise(base);
        let lateness = transit - base;
        let bucket = usize::try_from(lateness / BUCKET).unwrap_or(0).min(BUCKETS - 1);
        self.packets += 1;
        // An even average at first, then one that forgets.
        let remember = REMEMBER.min(1.0 - 1.0 / self.packets as f64);
        self.histogram.iter_mut().for_each(|share| *share *= remember);
        self.histogram[bucket] += 1.0 - remember;
        let learnt = self.learnt();
        self.target = if self.packets < LEARNING { learnt.max(self.initial) } else { learnt };
    }

    /// The transit of the fastest packets lately, in samples.
    pub(super) fn base(&self) -> Option<i64> {
        self.minima.iter().map(|(_, transit)| *transit).min()
    }

    /// The delay to aim at, in samples.
    pub(super) fn target(&self) -> i64 {
        (self.target + self.extra).min(self.max)
    }

    /// The part of the target that the network does not ask for, in samples.
    pub(super) fn extra(&self) -> i64 {
        self.target() - self.target
    }

    /// Raises the delay to aim at over what was learnt, in samples.
    pub(super) fn set_extra(&mut self, extra: i64) {
        self.extra = extra;
    }

    /// The stream starts anew: transits before mean nothing, the lateness that was learnt still does.
    pub(super) fn restart(&mut self) {
        self.minima.clear();
        self.anchor = None;
    }

    fn note_transit(&mut self, transit: i64, arrival: i64) {
        match self.minima.back_mut() {
            Some((start, minimum)) if arrival - *start < PIECE => *minimum = transit.min(*minimum),
            Some(_) | None => self.minima.push_back((arrival, transit)),
        }
        let expired = |start: i64| arrival - start > PIECE * PIECES as i64;
        while self.minima.len() > PIECES || self.minima.front().is_some_and(|(start, _)| expired(*start)) {
            self.minima.pop_front();
        }
    }

    /// When the base rises, what was late before is less so. When it falls, one fast packet does not make the others late.
    fn follow_rise(&mut self, base: i64) {
        let anchor = *self.anchor.get_or_insert(base);
        if base < anchor {
            self.anchor = Some(base);
            return;
        }
        let steps = ((base - anchor) / BUCKET) as usize;
        if steps > 0 {
            self.anchor = Some(anchor + steps as i64 * BUCKET);
            let (gone, kept) = self.histogram.split_at(steps.min(BUCKETS));
            let mut shifted = kept.to_vec();
            shifted.resize(BUCKETS, 0.0);
            shifted[0] += gone.iter().sum::<f64>();
            self.histogram = shifted;
        }
    }

    fn learnt(&self) -> i64 {
        let mut share = 0.0;
        let reached = self.histogram.iter().position(|bucket| {
            share += bucket;
            share >= self.percentile
        });
        let buckets = reached.unwrap_or(BUCKETS - 1) as i64 + 1;
        (buckets * BUCKET).clamp(self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = SAMPLE_RATE as i64 / 1_000;

    /// Feeds packets of 20 ms with the given lateness in ms, and gives the estimator.
    fn after(lateness: impl IntoIterator<Item = i64>) -> DelayEstimator {
        let mut estimator = DelayEstimator::new(&JitterBufferConfig::default());
        for (i, late) in lateness.into_iter().enumerate() {
            let sent = i as i64 * 20 * MS;
            let arrival = sent + 70 * MS + late * MS;
            estimator.packet_arrived(arrival - sent, arrival);
        }
        estimator
    }

    #[test]
    fn the_initial_target_holds_until_enough_is_learnt() {
        assert_eq!(after([0; 24]).target(), 40 * MS);
        assert_eq!(after([0; 25]).target(), 20 * MS);
    }

    #[test]
    fn the_target_catches_the_share_that_was_asked_for() {
        let jittery = (0..2_000).map(|i| (i * 37) % 100);
        let target = after(jittery).target() / MS;
        assert!((95..=105).contains(&target), "{target}");
    }

    #[test]
    fn rare_stragglers_do_not_raise_the_target() {
        let rare = (0..2_000).map(|i| if i % 100 == 50 { 300 } else { 0 });
        assert_eq!(after(rare).target(), 20 * MS);
    }

    #[test]
    fn the_target_has_an_upper_bound() {
        let terrible = (0..2_000).map(|i| if i % 2 == 0 { 0 } else { 2_000 });
        assert_eq!(after(terrible).target(), 400 * MS);
    }

    #[test]
    fn a_route_that_got_slower_becomes_the_base() {
        let estimator = after((0..1_000).map(|i| if i < 500 { 0 } else { 120 }));
        assert_eq!(estimator.base(), Some(190 * MS));
        assert_eq!(estimator.target(), 20 * MS, "what seemed late no longer is");
    }

    #[test]
    fn a_route_that_got_faster_leaves_the_target() {
        let estimator = after((0..1_000).map(|i| if i < 500 { 120 } else { 0 }));
        assert_eq!((estimator.base(), estimator.target()), (Some(70 * MS), 20 * MS));
    }

    #[test]
    fn drifting_clocks_do_not_move_the_target() {
        // 200 ppm over ten minutes: 120 ms.
        let mut estimator = DelayEstimator::new(&JitterBufferConfig::default());
        for i in 0..30_000_i64 {
            let sent = i * 960;
            estimator.packet_arrived(sent / 5_000, sent + sent / 5_000);
        }
        assert_eq!(estimator.target(), 20 * MS);
        assert_eq!(estimator.minima.len(), PIECES);
    }
}
