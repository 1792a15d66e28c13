//! What a peer has borne lately: the lowest estimate within a window, so that a rise counts only once it has lasted.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::bitrate::Bitrate;

/// Lower estimates that follow each other within this time are kept as one.
const GRAIN: Duration = Duration::from_millis(50);

/// Estimates of the last while.
#[derive(Debug, Clone)]
pub(super) struct Estimates {
    current: Bitrate,
    /// Estimates that were in force before and are lower than all after them; so the lowest, and oldest, comes first.
    past: VecDeque<Past>,
    window: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Past {
    value: Bitrate,
    /// When it was kept.
    born: Instant,
    /// Until when it was in force, at least.
    until: Instant,
}

impl Estimates {
    /// Starts with an estimate; `window` is the longest that will be asked for.
    pub(super) fn new(first: Bitrate, window: Duration) -> Self {
        Self { current: first, past: VecDeque::new(), window }
    }

    /// A new estimate holds from now on.
    pub(super) fn set(&mut self, estimate: Bitrate, now: Instant) {
        let before = std::mem::replace(&mut self.current, estimate);
        while self.past.front().is_some_and(|past| past.until + self.window <= now) {
            self.past.pop_front();
        }
        while self.past.back().is_some_and(|past| past.value >= before.min(estimate)) {
            self.past.pop_back();
        }
        if before >= estimate {
            return;
        }
        match self.past.back_mut() {
            Some(last) if now.saturating_duration_since(last.born) < GRAIN => last.until = now,
            _ => self.past.push_back(Past { value: before, born: now, until: now }),
        }
    }

    /// The estimate that holds now.
    pub(super) fn current(&self) -> Bitrate {
        self.current
    }

    /// The lowest that held at any time within this window.
    pub(super) fn lowest_within(&self, window: Duration, now: Instant) -> Bitrate {
        let recent = self.past.iter().find(|past| past.until + window > now);
        recent.map_or(self.current, |past| past.value.min(self.current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;
    use proptest::prelude::*;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    proptest! {
        /// Against a list of all estimates; a lower one may be remembered for a grain longer.
        #[test]
        fn the_lowest_is_that_of_the_whole_history(
            steps in prop::collection::vec((0_u64..400, 1_u64..20), 1..80),
            window in 0_u64..3_000,
        ) {
            let mut estimates = Estimates::new(Bitrate::kbps(10), Duration::from_secs(3));
            let mut history = vec![(0, 10)];
            let mut now = 0;
            for (wait, kbps) in steps {
                now += wait;
                estimates.set(Bitrate::kbps(kbps), at(now));
                history.push((now, kbps));
                let lowest = |window: u64| {
                    let ends = history.iter().skip(1).map(|(from, _)| Some(*from)).chain([None]);
                    let in_force = history.iter().zip(ends);
                    in_force
                        .filter(|(_, end)| end.is_none_or(|end| end + window > now))
                        .map(|((_, kbps), _)| Bitrate::kbps(*kbps))
                        .min()
                };
                let actual = estimates.lowest_within(Duration::from_millis(window), at(now));
                let (exact, longer) = (lowest(window).unwrap(), lowest(window + 50).unwrap());
                prop_assert!(actual <= exact && actual >= longer, "{actual} {exact} {longer}");
                prop_assert!(estimates.past.iter().is_sorted_by(|a, b| a.value < b.value && a.until <= b.until));
            }
        }
    }

    #[test]
    fn a_flood_is_kept_in_bounded_memory() {
        let mut estimates = Estimates::new(Bitrate::ZERO, Duration::from_secs(5));
        for ms in 0..60_000 {
            estimates.set(Bitrate::bps(1 + ms), at(ms));
        }
        assert!(estimates.past.len() <= 5_000 / 50 + 1, "{}", estimates.past.len());
    }
}
