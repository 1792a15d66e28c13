//! How many of the packets before it each packet of sound repeats ([`super::red`]), by the loss of a path and the room on it.

use std::time::{Duration, Instant};

use crate::bitrate::Bitrate;

/// What each repeated packet takes on the wire: 32 kbit/s and a header.
pub const COPY: Bitrate = Bitrate::kbps(34);

/// Most packets that are repeated: one that is three packets old comes too late for a conversation.
pub const MAX_COPIES: u8 = 2;

/// `(copies, least loss, least estimate)`: two where there is much room or much loss, one where there is less. Pictures do without that much rather than voices.
const RULES: [(u8, f64, Bitrate); 3] = [
    (2, 0.01, Bitrate::kbps(400)),
    (2, 0.05, Bitrate::kbps(220)),
    (1, 0.01, Bitrate::kbps(170)),
];

/// How long less must have been enough before less is repeated: loss comes and goes.
const LESS_AFTER: Duration = Duration::from_secs(10);

/// Follows one path.
#[derive(Debug, Clone, Default)]
pub struct Redundancy {
    copies: u8,
    /// Since when fewer would do, because the loss is low.
    since: Option<Instant>,
}

impl Redundancy {
    /// Takes the share of lost packets, 0–1, and the estimate of the path; gives how many packets each one repeats, at most [`MAX_COPIES`].
    pub fn update(&mut self, loss: f64, estimate: Bitrate, now: Instant) -> u8 {
        let has_room = |copies: u8| RULES.iter().any(|rule| rule.0 >= copies && estimate >= rule.2);
        let wanted = RULES.iter().find(|rule| loss >= rule.1 && estimate >= rule.2).map_or(0, |rule| rule.0);
        if wanted >= self.copies {
            self.copies = wanted;
            self.since = None;
        } else if !has_room(self.copies)
            || now.saturating_duration_since(*self.since.get_or_insert(now)) >= LESS_AFTER
        {
            self.copies = wanted;
            self.since = None;
        }
        self.copies
    }
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
        let copies = |loss, kbps| Redundancy::default().update(loss, Bitrate::kbps(kbps), at(0));
        assert_eq!([0.0, 0.005, 0.02, 0.3].map(|loss| copies(loss, 1_000)), [0, 0, 2, 2]);
        assert_eq!([0.0, 0.02, 0.06, 0.3].map(|loss| copies(loss, 300)), [0, 1, 2, 2]);
        assert_eq!([0.02, 0.3].map(|loss| copies(loss, 180)), [1, 1]);
        assert_eq!([0.02, 0.3].map(|loss| copies(loss, 100)), [0, 0]);
        assert_eq!(copies(f64::NAN, 1_000), 0);
    }

    #[test]
    fn it_ends_long_after_the_loss_but_at_once_when_there_is_no_room() {
        let mut redundancy = Redundancy::default();
        let estimate = Bitrate::kbps(1_000);
        assert_eq!(redundancy.update(0.1, estimate, at(0)), 2);
        assert_eq!(redundancy.update(0.0, estimate, at(1)), 2);
        assert_eq!(redundancy.update(0.1, estimate, at(8)), 2);
        assert_eq!(redundancy.update(0.0, estimate, at(9)), 2);
        assert_eq!(redundancy.update(0.0, estimate, at(18)), 2);
        assert_eq!(redundancy.update(0.0, estimate, at(19)), 0);
        assert_eq!(redundancy.update(0.1, estimate, at(20)), 2);
        assert_eq!(redundancy.update(0.1, Bitrate::kbps(180), at(21)), 1);
        assert_eq!(redundancy.update(0.1, Bitrate::kbps(100), at(22)), 0);
    }
}
