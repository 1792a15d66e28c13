//! When sound is stretched to bring the delay nearer to its target: in pauses where that can wait for one, for there nobody hears it.

use super::BLOCK;
use super::pauses::Pauses;
use crate::frame::SAMPLE_RATE;

/// Blocks between two stretchings of a voice, so that none is heard as a rhythm: 50 ms.
const REST: u32 = 5;

/// How long a stretching waits for a pause, in samples: 2 s.
const PATIENCE: i64 = 2 * SAMPLE_RATE as i64;

/// The delay may be off its target by this part of it without being stretched (a fourth in NetEQ).
const BAND: i64 = 8;

/// How like each other two stretches of a voice have to be, and of what may be heard less or of what is urgent (see [`crate::audio::time_stretch`]).
const LIKE: f32 = 0.85;
const ROUGHLY_LIKE: f32 = 0.3;

/// Where the delay stands, in samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delay {
    /// By how much it is over its target; negative when it is under.
    pub(super) excess: i64,
    pub(super) target: i64,
    /// The part of the target that the network does not ask for.
    pub(super) extra: i64,
}

/// What sound shall become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Shorter,
    Longer,
}

/// What is to be done, and how careful.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    pub(super) to: Length,
    pub(super) likeness: f32,
}

#[derive(Debug, Default)]
pub(super) struct Stretcher {
    /// Blocks until the next stretching of a voice.
    rest: u32,
    /// Samples for which a stretching has waited for a pause.
    postponed: i64,
    pauses: Pauses,
}

impl Stretcher {
    /// What to do with the sound of the next packet, which has so many samples per channel.
    pub(super) fn decide(&mut self, sound: &[f32], samples: i64, delay: Delay) -> Option<Stretch> {
        let Delay { excess, target, extra } = delay;
        let pause = self.pauses.is_pause(sound);
        let to = if excess < -(target / BAND).max(BLOCK / 4) {
            Length::Longer
        } else if excess > BLOCK.max(target / BAND) {
            Length::Shorter
        } else {
            self.postponed = 0;
            return None;
        };
        let far = excess.abs() > target.max(4 * BLOCK);
        // Sound that runs out is worse than any stretching. What is wanted on top of what the network asks for can wait.
        let urgent = far || (to == Length::Longer && excess + extra < 0);
        if !pause && !urgent && self.postponed < PATIENCE {
            self.postponed += samples;
            return None;
        }
        if self.rest > 0 && !pause && !far {
            return None;
        }
        // The further off, the more may be heard of it.
        let likeness = if pause || excess.abs() > 10 * BLOCK { ROUGHLY_LIKE } else { LIKE };
        Some(Stretch { to, likeness })
    }

    /// So many samples were added or left out.
    pub(super) fn stretched(&mut self, samples: usize) {
        self.rest = if samples > 0 { REST } else { 0 };
    }

    /// A block was read.
    pub(super) fn block_read(&mut self) {
        self.rest = self.rest.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: i64 = 960;
    const MS: i64 = 48;

    fn voice() -> Vec<f32> {
        vec![0.2; PACKET as usize]
    }

    fn pause() -> Vec<f32> {
        vec![0.001; PACKET as usize]
    }

    /// What is done after how many packets of a voice.
    fn after(delay: Delay) -> (usize, Option<Stretch>) {
        let mut stretcher = Stretcher::default();
        let found = (0..200).find_map(|n| stretcher.decide(&voice(), PACKET, delay).map(|what| (n, what)));
        found.map_or((200, None), |(n, what)| (n, Some(what)))
    }

    #[test]
    fn too_much_delay_is_given_back_in_the_next_pause_or_after_two_seconds() {
        let delay = Delay { excess: 30 * MS, target: 60 * MS, extra: 0 };
        assert_eq!(after(delay), (100, Some(Stretch { to: Length::Shorter, likeness: LIKE })));
        let mut stretcher = Stretcher::default();
        assert_eq!(stretcher.decide(&voice(), PACKET, delay), None);
        let shorter = Some(Stretch { to: Length::Shorter, likeness: ROUGHLY_LIKE });
        assert_eq!(stretcher.decide(&pause(), PACKET, delay), shorter);
    }

    #[test]
    fn what_the_network_asks_for_does_not_wait_and_what_lip_sync_asks_for_does() {
        let short = Delay { excess: -20 * MS, target: 60 * MS, extra: 0 };
        let longer = Some(Stretch { to: Length::Longer, likeness: LIKE });
        assert_eq!(after(short), (0, longer));
        assert_eq!(after(Delay { extra: 30 * MS, ..short }), (100, longer));
    }

    #[test]
    fn a_delay_far_off_does_not_wait_and_one_near_its_target_stays() {
        let far = Delay { excess: 150 * MS, target: 60 * MS, extra: 0 };
        assert_eq!(after(far), (0, Some(Stretch { to: Length::Shorter, likeness: ROUGHLY_LIKE })));
        assert_eq!(after(Delay { excess: 7 * MS, ..far }), (200, None));
    }

    #[test]
    fn a_voice_rests_between_two_stretchings_and_a_pause_does_not() {
        let short = Delay { excess: -20 * MS, target: 60 * MS, extra: 0 };
        let mut stretcher = Stretcher::default();
        assert!(stretcher.decide(&voice(), PACKET, short).is_some());
        stretcher.stretched(480);
        assert_eq!(stretcher.decide(&voice(), PACKET, short), None);
        assert!(stretcher.decide(&pause(), PACKET, short).is_some());
        (0..REST).for_each(|_| stretcher.block_read());
        assert!(stretcher.decide(&voice(), PACKET, short).is_some());
    }
}
