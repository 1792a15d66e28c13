//! How many of the packets before it each packet of sound repeats ([`super::red`]), by the loss of a path and the room on it.

use std::time::{Duration, Instant};

use super::encodings::SoundMode;
use crate::bitrate::Bitrate;

/// What the headers of repeated packets take on the wire, 4 bytes each, in packets of 20 ms and of 60 ms.
const HEADER: Bitrate = Bitrate::kbps(2);
const THIN_HEADER: Bitrate = Bitrate::kbps(1);

/// Most packets that are repeated: one that is three packets old comes too late for a conversation.
pub const MAX_COPIES: u8 = 2;

/// `(copies, least loss, least estimate)`.
type Rule = (u8, f64, Bitrate);

/// Two where there is much room or much loss, one where there is less. Pictures do without that much rather than voices.
const RULES: [Rule; 3] =
    [(2, 0.01, Bitrate::kbps(400)), (2, 0.05, Bitrate::kbps(220)), (1, 0.01, Bitrate::kbps(170))];

/// The same for music, whose copies are two to four times as large.
const MUSIC_RULES: [Rule; 3] =
    [(2, 0.01, Bitrate::kbps(1_200)), (2, 0.05, Bitrate::kbps(800)), (1, 0.01, Bitrate::kbps(450))];

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
    /// Takes the share of lost packets, 0–1, the estimate of the path, whether sound is thin ([`super::thin_path`]), and what it is; gives how many packets each one
    /// repeats, at most [`MAX_COPIES`].
    pub fn update(&mut self, loss: f64, estimate: Bitrate, thin: bool, mode: SoundMode, now: Instant) -> u8 {
        let rules: &[Rule] = match (thin, mode) {
            (true, SoundMode::Voice | SoundMode::Music) => &THIN_RULES,
            (false, SoundMode::Voice) => &RULES,
            (false, SoundMode::Music) => &MUSIC_RULES,
        };
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

/// What so many copies of sound of this bitrate take on the wire.
pub fn rate(copies: u8, bitrate: Bitrate, thin: bool) -> Bitrate {
    bitrate.saturating_add(if thin { THIN_HEADER } else { HEADER }).scale(copies.into())
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
        let of = |loss, kbps, thin| {
            Redundancy::default().update(loss, Bitrate::kbps(kbps), thin, SoundMode::Voice, at(0))
        };
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
    fn copies_of_music_take_more_room() {
        let of = |loss, kbps| {
            Redundancy::default().update(loss, Bitrate::kbps(kbps), false, SoundMode::Music, at(0))
        };
        assert_eq!([0.0, 0.02, 0.1].map(|loss| of(loss, 1_500)), [0, 2, 2]);
        assert_eq!([0.02, 0.1].map(|loss| of(loss, 900)), [1, 2]);
        assert_eq!(of(0.1, 400), 0);
    }

    #[test]
    fn what_copies_take_follows_the_bitrate() {
        assert_eq!(rate(2, Bitrate::kbps(32), false), Bitrate::kbps(68));
        assert_eq!(rate(1, Bitrate::kbps(16), true), Bitrate::kbps(17));
        assert_eq!(rate(0, Bitrate::kbps(128), false), Bitrate::ZERO);
    }

    #[test]
    fn it_ends_long_after_the_loss_but_at_once_when_there_is_no_room() {
        let mut redundancy = Redundancy::default();
        let estimate = Bitrate::kbps(1_000);
        assert_eq!(redundancy.update(0.1, estimate, false, SoundMode::Voice, at(0)), 2);
        assert_eq!(redundancy.update(0.0, estimate, false, SoundMode::Voice, at(1)), 2);
        assert_eq!(redundancy.update(0.1, estimate, false, SoundMode::Voice, at(8)), 2);
        assert_eq!(redundancy.update(0.0, estimate, false, SoundMode::Voice, at(9)), 2);
        assert_eq!(redundancy.update(0.0, estimate, false, SoundMode::Voice, at(18)), 2);
        assert_eq!(redundancy.update(0.0, estimate, false, SoundMode::Voice, at(19)), 0);
        assert_eq!(redundancy.update(0.1, estimate, false, SoundMode::Voice, at(20)), 2);
        assert_eq!(redundancy.update(0.1, Bitrate::kbps(180), false, SoundMode::Voice, at(21)), 1);
        assert_eq!(redundancy.update(0.1, Bitrate::kbps(100), false, SoundMode::Voice, at(22)), 0);
        assert_eq!(redundancy.update(0.1, Bitrate::kbps(100), true, SoundMode::Voice, at(23)), 1);
        assert_eq!(redundancy.update(0.0, Bitrate::kbps(100), true, SoundMode::Voice, at(24)), 1);
        assert_eq!(redundancy.update(0.0, Bitrate::kbps(100), true, SoundMode::Voice, at(25)), 0);
    }
}
