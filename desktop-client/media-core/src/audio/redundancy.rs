//! How many of the packets before it each packet of sound repeats ([`super::red`]), by the loss of a path and the room on it.

use std::time::{Duration, Instant};

use crate::bitrate::Bitrate;

/// What each repeated packet takes on the wire, with its header: sound of 32 kbit/s in packets of 20 ms, and thin sound of 16 kbit/s in packets of 60 ms.
const COPY: Bitrate = Bitrate::kbps(34);
const THIN_COPY: Bitrate = Bitrate::kbps(17);

/// Most packets that are repeated: one that is three packets old comes too late for a conversation.
pub const MAX_COPIES: u8 = 2;

/// `(copies, least loss, least estimate)`.
type Rule = (u8, f64, Bitrate);

/// Two where there is much room or much loss, one where there is less. Pictures do without that much rather than voices.
const RULES: [Rule; 3] =
    [(2, 0.01, Bitrate::kbps(400)), (2, 0.05, Bitrate::kbps(220)), (1, 0.01, Bitrate::kbps(170))];

/// The same for thin sound.
const THIN_RULES: [Rule; 2] = [(2, 0.08, Bitrate::kbps(130)), (1, 0.03, Bitrate::kbps(60))];

/// How long less must have been enough before less is repeated: loss comes and goes.
const LESS_AFTER: Duration = Duration::from_secs(10);

/// The same on a thin path, where a copy takes the room of a picture: what was lost there at the start was too much sent.
const THIN_LESS_AFTER: Duration = Duration::from_secs(1);

/// Follows one path.
#[derive(Debug, Clone, Default)]
pub struct Redundancy {
    copies: u8,
    /// Since when fewer would do, because the loss is low.
    since: Option<Instant>,
}

impl Redundancy {
    /// Takes the share of lost packets, 0–1, the estimate of the path, and whether sound is thin ([`super::thin_path`]); gives how many packets each one repeats, at
    /// most [`MAX_COPIES`].
    pub fn update(&mut self, loss: f64, estimate: Bitrate, thin: bool, now: Instant) -> u8 {
        let rules: &[Rule] = if thin { &THIN_RULES } else { &RULES };
        let has_room = |copies: u8| rules.iter().any(|rule| rule.0 >= copies && estimate >= rule.2);
        let wanted = rules.iter().find(|rule| loss >= rule.1 && estimate >= rule.2).map_or(0, |rule| rule.0);
        if wanted < self.copies && has_room(self.copies) {
            let since = *self.since.get_or_insert(now);
            let patience = if thin { THIN_LESS_AFTER } else { LESS_AFTER };
            if now.saturating_duration_since(since) < patience {
                return self.copies;
            }
        }
        self.since = None;
        self.copies = wanted;
        self.copies
    }
}

/// What so many copies take on the wire.
pub fn rate(copies: u8, thin: bool) -> Bitrate {
    if thin { THIN_COPY } else { COPY }.scale(copies.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn at(seconds: u64) -> Instant {
        sim::epoch() + Duration::from_secs(seconds)
    }

    #[test]
    fn more_loss_and_more_room_mean_more_copies() {
        let of = |loss, kbps, thin| Redundancy::default().update(loss, Bitrate::kbps(kbps), thin, at(0));
        let copies = |loss, kbps| of(loss, kbps, false);
        assert_eq!([0.0, 0.005, 0.02, 0.3].map(|loss| copies(loss, 1_000)), [0, 0, 2, 2]);
        assert_eq!([0.0, 0.02, 0.06, 0.3].map(|loss| copies(loss, 300)), [0, 1, 2, 2]);
        assert_eq!([0.02, 0.3].map(|loss| copies(loss, 180)), [1, 1]);
        assert_eq!([0.02, 0.3].map(|loss| copies(loss, 100)), [0, 0]);
        assert_eq!(copies(f64::NAN, 1_000), 0);
        assert_eq!([0.02, 0.05, 0.1].map(|loss| of(loss, 140, true)), [0, 1, 2]);
        assert_eq!([50, 70].map(|kbps| of(0.1, kbps, true)), [0, 1]);
    }

    #[test]
    fn it_ends_long_after_the_loss_but_at_once_when_there_is_no_room() {
        let mut redundancy = Redundancy::default();
        let estimate = Bitrate::kbps(1_000);
        assert_eq!(redundancy.update(0.1, estimate, false, at(0)), 2);
        assert_eq!(redundancy.update(0.0, estimate, false, at(1)), 2);
        assert_eq!(redundancy.update(0.1, estimate, false, at(8)), 2);
        assert_eq!(redundancy.update(0.0, estimate, false, at(9)), 2);
        assert_eq!(redundancy.update(0.0, estimate, false, at(18)), 2);
        assert_eq!(redundancy.update(0.0, estimate, false, at(19)), 0);
        assert_eq!(redundancy.update(0.1, estimate, false, at(20)), 2);
        assert_eq!(redundancy.update(0.1, Bitrate::kbps(180), false, at(21)), 1);
        assert_eq!(redundancy.update(0.1, Bitrate::kbps(100), false, at(22)), 0);
        assert_eq!(redundancy.update(0.1, Bitrate::kbps(100), true, at(23)), 1);
        assert_eq!(redundancy.update(0.0, Bitrate::kbps(100), true, at(24)), 1);
        assert_eq!(redundancy.update(0.0, Bitrate::kbps(100), true, at(25)), 0);
    }
}
