//! How much the computer can encode.
//!
//! When encoding falls behind, the top layer loses half its frames, then goes altogether; then the next does. The way back is slow, and slower each time
//! that it was taken too early.

use std::time::{Duration, Instant};

use super::config::LoadConfig;
use super::seam::EncoderLoad;

/// The highest layer that is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Top {
    pub(super) layer: usize,
    /// It has half the framerate.
    pub(super) halved: bool,
}

#[derive(Debug)]
pub(super) struct Load {
    config: LoadConfig,
    top: Option<Top>,
    lowered: Option<Instant>,
    raised: Option<Instant>,
    calm_since: Option<Instant>,
    recovery: Duration,
}

impl Load {
    pub(super) fn new(config: LoadConfig) -> Self {
        Self { config, top: None, lowered: None, raised: None, calm_since: None, recovery: config.recovery }
    }

    /// What is allowed; `None`: everything.
    pub(super) fn top(&self) -> Option<Top> {
        self.top
    }

    /// Another camera: what it costs is unknown.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.config);
    }

    /// Takes a report; `busiest` is the highest layer that is being encoded.
    pub(super) fn report(&mut self, load: EncoderLoad, busiest: Option<usize>, now: Instant) {
        let share = match load {
            EncoderLoad::Behind => f64::INFINITY,
            EncoderLoad::Share(share) => share,
        };
        if share >= self.config.high {
            self.calm_since = None;
            self.lower(busiest, now);
        } else if share <= self.config.low {
            self.calm_since.get_or_insert(now);
        } else {
            self.calm_since = None;
        }
    }

    /// Allows more when it has been calm for long; `layers` is how many the camera has.
    pub(super) fn advance(&mut self, layers: usize, now: Instant) {
        let Some(calm_since) = self.calm_since else { return };
        let calm = now.saturating_duration_since(calm_since);
        if let Some(top) = self.top
            && calm >= self.recovery
        {
            self.top = match top {
                Top { layer, halved: true } if layer + 1 >= layers => None,
                Top { layer, halved: true } => Some(Top { layer, halved: false }),
                Top { layer, halved: false } if layer + 1 >= layers => None,
                Top { layer, halved: false } => Some(Top { layer: layer + 1, halved: true }),
            };
            self.calm_since = Some(now);
            self.raised = Some(now);
        } else if self.top.is_none() && calm >= self.config.recovery_max {
            self.recovery = self.config.recovery;
        }
    }

    fn lower(&mut self, busiest: Option<usize>, now: Instant) {
        let Some(busiest) = busiest else { return };
        if self.lowered.is_some_and(|at| now.saturating_duration_since(at) < self.config.step) {
            return;
        }
        if self.raised.take().is_some_and(|at| now.saturating_duration_since(at) < self.recovery) {
            self.recovery = (self.recovery * 2).min(self.config.recovery_max);
        }
        self.top = Some(match self.top {
            Some(Top { layer, halved: true }) if layer <= busiest => match layer.checked_sub(1) {
                Some(below) => Top { layer: below, halved: false },
                None => Top { layer, halved: true },
            },
            Some(_) | None => Top { layer: busiest, halved: true },
        });
        self.lowered = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    /// Reports `share_of(top)` once a second, and lists the tops with the second from which they held.
    fn run(seconds: u64, share_of: impl Fn(u64, Option<Top>) -> f64) -> Vec<(u64, Option<Top>)> {
        let mut load = Load::new(LoadConfig::default());
        let mut tops = vec![(0, None)];
        for second in 0..seconds {
            let busiest = load.top().map_or(2, |top| top.layer);
            load.report(EncoderLoad::Share(share_of(second, load.top())), Some(busiest), at(second * 1_000));
            load.advance(3, at(second * 1_000));
            if tops.last().is_some_and(|(_, top)| *top != load.top()) {
                tops.push((second, load.top()));
            }
        }
        tops
    }

    #[test]
    fn the_top_layer_first_loses_frames_and_then_goes() {
        let tops = run(10, |_, _| 1.2);
        let tops: Vec<_> = tops.into_iter().filter_map(|(_, top)| top.map(|t| (t.layer, t.halved))).collect();
        assert_eq!(tops, [(2, true), (1, false), (1, true), (0, false), (0, true)]);
    }

    #[test]
    fn it_comes_back_slowly_when_the_load_is_gone() {
        let tops = run(120, |second, _| if second < 3 { 1.0 } else { 0.1 });
        assert_eq!(tops.last().unwrap().1, None);
        assert!(tops.windows(2).skip(3).all(|pair| pair[1].0 - pair[0].0 >= 10), "{tops:?}");
    }

    #[test]
    fn a_step_up_that_does_not_last_is_tried_ever_less_often() {
        // All of the top layer is too much, half of it is fine and looks like there was room for all.
        let tops = run(600, |_, top| if top.is_none() { 1.0 } else { 0.4 });
        assert!(tops.len() <= 2 * 8, "{tops:?}");
        let waits: Vec<u64> = tops.windows(2).skip(1).step_by(2).map(|pair| pair[1].0 - pair[0].0).collect();
        assert!(waits.is_sorted() && waits.last().is_some_and(|wait| *wait >= 80), "{waits:?}");
    }

    #[test]
    fn nonsense_is_no_load() {
        let mut load = Load::new(LoadConfig::default());
        for share in [f64::NAN, -1.0] {
            load.report(EncoderLoad::Share(share), Some(2), at(0));
        }
        assert_eq!(load.top(), None);
        load.report(EncoderLoad::Behind, None, at(0));
        assert_eq!(load.top(), None);
    }
}
