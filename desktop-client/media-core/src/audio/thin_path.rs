//! Whether a path is so thin that sound goes in long packets at a low rate.
//!
//! Of a packet of 20 ms, headers are half of the bytes. Packets of 60 ms at half the bitrate take a third of the usual rate, for 40 ms more delay: on a path
//! that would otherwise queue or lose voices that is the better bargain, and it leaves room for a small picture.

use std::time::{Duration, Instant};

use super::encodings::SoundMode;
use crate::bitrate::Bitrate;

/// Below this estimate sound becomes thin: usual sound takes half of it, and a picture would have no room.
const THIN_BELOW: Bitrate = Bitrate::kbps(110);

/// Above this estimate it may become usual again.
const USUAL_ABOVE: Bitrate = Bitrate::kbps(170);

/// The same for music, whose lowest usual bitrate is twice as high.
const MUSIC_THIN_BELOW: Bitrate = Bitrate::kbps(190);
const MUSIC_USUAL_ABOVE: Bitrate = Bitrate::kbps(280);

/// How long an estimate must have been so low. Estimates dip for a moment when a path is merely uneven.
const LOW_FOR: Duration = Duration::from_millis(300);

/// How long an estimate must have been so high. Each change is heard as a change of delay.
const HIGH_FOR: Duration = Duration::from_secs(5);

/// Follows the estimate of one path.
#[derive(Debug, Clone, Default)]
pub struct ThinPath {
    thin: bool,
    /// Since when the estimate asks for the other state.
    since: Option<Instant>,
}

impl ThinPath {
    /// Takes an estimate; true while sound should be thin.
    pub fn update(&mut self, estimate: Bitrate, mode: SoundMode, now: Instant) -> bool {
        let (thin_below, usual_above) = match mode {
            SoundMode::Voice => (THIN_BELOW, USUAL_ABOVE),
            SoundMode::Music => (MUSIC_THIN_BELOW, MUSIC_USUAL_ABOVE),
        };
        let (wants_change, patience) =
            if self.thin { (estimate > usual_above, HIGH_FOR) } else { (estimate < thin_below, LOW_FOR) };
        if !wants_change {
            self.since = None;
        } else if now.saturating_duration_since(*self.since.get_or_insert(now)) >= patience {
            self.thin = !self.thin;
            self.since = None;
        }
        self.thin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn run(path: &mut ThinPath, from_ms: u64, until_ms: u64, kbps: u64) -> bool {
        let at = |ms| sim::epoch() + Duration::from_millis(ms);
        (from_ms..until_ms)
            .step_by(100)
            .fold(path.thin, |_, ms| path.update(Bitrate::kbps(kbps), SoundMode::Voice, at(ms)))
    }

    #[test]
    fn a_low_estimate_makes_sound_thin_soon_and_a_high_one_usual_late() {
        let mut path = ThinPath::default();
        assert!(!run(&mut path, 0, 1_000, 300));
        assert!(!run(&mut path, 1_000, 1_300, 60), "a short dip");
        assert!(run(&mut path, 1_300, 1_500, 60));
        assert!(run(&mut path, 1_500, 20_000, 150), "neither low nor high");
        assert!(run(&mut path, 20_000, 24_900, 400));
        assert!(!run(&mut path, 24_900, 25_200, 400));
    }

    #[test]
    fn music_is_thin_sooner() {
        let mut path = ThinPath::default();
        let mut at = |kbps, ms| {
            path.update(Bitrate::kbps(kbps), SoundMode::Music, sim::epoch() + Duration::from_millis(ms))
        };
        assert!(!at(150, 0) && at(150, 300));
        assert!(at(300, 1_000) && !at(300, 6_000));
    }

    #[test]
    fn an_estimate_that_wavers_changes_nothing() {
        let mut path = ThinPath::default();
        for second in 0..60 {
            let from = second * 1_000;
            assert!(!run(&mut path, from, from + 200, 50));
            assert!(!run(&mut path, from + 200, from + 1_000, 200));
        }
    }
}
