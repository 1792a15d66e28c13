//! How each of the two encodings of our sound is made, by what those who listen to it report.
//!
//! Sound is encoded once for all: in the usual way and, for thin paths ([`super::thin_path`]), in a thin one. So each has one bitrate and one loss that its in-band
//! FEC (RFC 6716 §2.1.7) is prepared for, and both follow its own listeners:
//!
//! - The loss is that of the worst of them. Who gets copies of earlier packets ([`super::redundancy`]) counts for what copies leave lost.
//! - The usual bitrate rises when each of them has much room, and falls when each has little: one slow listener lowers nobody's sound, and who cannot take it
//!   at all gets the thin one.
//! - The thin bitrate falls with the poorest.
//!
//! What is safer is done at once, what is better after a while of asking for it.

use std::time::{Duration, Instant};

use super::redundancy::MAX_COPIES;
use crate::bitrate::Bitrate;

/// What our sound is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SoundMode {
    /// A voice: mono, processed.
    #[default]
    Voice,
    /// Music: stereo where the source is, as it is.
    Music,
}

/// What is known of somebody who listens.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Listener {
    /// Share of our packets that get lost on the way, 0–1.
    pub loss: f64,
    /// What the way bears.
    pub estimate: Bitrate,
    /// What our pictures would take of it if they were as good as they can be.
    pub pictures: Bitrate,
    /// How many of the packets before it each packet repeats.
    pub copies: u8,
    /// Gets the thin encoding.
    pub thin: bool,
}

/// How sound is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// What Opus may spend; for music, on two channels.
    pub bitrate: Bitrate,
    /// Loss that in-band FEC is prepared for, in percent.
    pub expected_loss: u8,
}

/// Both encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encodings {
    /// What they are of.
    pub mode: SoundMode,
    /// In packets of 20 ms.
    pub usual: Encoding,
    /// In packets of 60 ms, always mono.
    pub thin: Encoding,
}

/// What differs between the modes.
struct Rules {
    /// The usual bitrate with much room, by default, and with little room.
    usual: [Bitrate; 3],
    /// An estimate of so much is much room,
    much: Bitrate,
    /// and so is so much more than pictures want. (An estimate does not grow far beyond what is wanted.)
    spare: Bitrate,
    /// An estimate below this is little room: with its headers the default would be more than a fourth of it.
    little: Bitrate,
}

/// 32 kbit/s are full-band voice that few can tell from the original, and 48 kbit/s fewer. At 24 kbit/s FEC costs some of the band.
const VOICE: Rules = Rules {
    usual: [Bitrate::kbps(48), Bitrate::kbps(32), Bitrate::kbps(24)],
    much: Bitrate::kbps(1_000),
    spare: Bitrate::kbps(200),
    little: Bitrate::kbps(220),
};

/// 128 kbit/s are stereo that few can tell from the original, 64 kbit/s are good.
const MUSIC: Rules = Rules {
    usual: [Bitrate::kbps(128), Bitrate::kbps(96), Bitrate::kbps(64)],
    much: Bitrate::kbps(1_200),
    spare: Bitrate::kbps(400),
    little: Bitrate::kbps(400),
};

/// The thin bitrate, and that for the poorest: wide-band voice, and voice like a good telephone's.
const THIN: [Bitrate; 2] = [Bitrate::kbps(16), Bitrate::kbps(12)];

/// Below this estimate of the poorest listener thin sound is made poorer: with its headers it would take more than half.
const POOR: Bitrate = Bitrate::kbps(45);

/// More loss than this is no reason for a higher bitrate, whatever the room.
const LITTLE_LOSS: f64 = 0.02;

/// Losses that FEC is prepared for, in percent. With none it would be off, and the first loss of all would be heard; beyond 25 % Opus makes no difference.
const LOSSES: [u8; 6] = [2, 5, 10, 15, 20, 25];

/// Where the loss starts before anybody has reported: 10 %.
const START_LOSS: usize = 2;

/// What is left of a loss by so many copies. Losses come in bursts, of which a copy only helps against the short ones.
const LEFT: [f64; MAX_COPIES as usize + 1] = [1.0, 0.35, 0.15];

/// How long less loss must have been reported before less is expected: loss comes and goes.
const LESS_LOSS_AFTER: Duration = Duration::from_secs(10);

/// How long there must have been room before the bitrate rises.
const RISE_AFTER: Duration = Duration::from_secs(5);

/// Headers of packets of 20 ms and of 60 ms on the wire, 70 bytes with tags.
const HEADERS: Bitrate = Bitrate::kbps(28);
const THIN_HEADERS: Bitrate = Bitrate::kbps(10);

impl SoundMode {
    fn rules(self) -> &'static Rules {
        match self {
            Self::Voice => &VOICE,
            Self::Music => &MUSIC,
        }
    }

    /// The most that the usual encoding may take in this mode.
    pub fn most(self) -> Bitrate {
        self.rules().usual[0]
    }
}

impl Encodings {
    /// Before anybody has listened.
    pub fn start(mode: SoundMode) -> Self {
        let of = |bitrate| Encoding { bitrate, expected_loss: LOSSES[START_LOSS] };
        Self { mode, usual: of(mode.rules().usual[1]), thin: of(THIN[0]) }
    }

    /// One of the two.
    pub fn get(&self, thin: bool) -> Encoding {
        if thin { self.thin } else { self.usual }
    }
}

/// What sound of this bitrate takes on the wire, without copies.
pub fn rate(bitrate: Bitrate, thin: bool) -> Bitrate {
    bitrate.saturating_add(if thin { THIN_HEADERS } else { HEADERS })
}

/// Follows the listeners.
#[derive(Debug, Clone)]
pub struct EncodingChoice {
    usual_rate: Caution,
    thin_rate: Caution,
    usual_loss: Caution,
    thin_loss: Caution,
}

impl Default for EncodingChoice {
    fn default() -> Self {
        Self {
            usual_rate: Caution::new(1),
            thin_rate: Caution::new(0),
            usual_loss: Caution::new(START_LOSS),
            thin_loss: Caution::new(START_LOSS),
        }
    }
}

impl EncodingChoice {
    /// Takes what is known of everybody who listens now; gives how sound shall be encoded. An encoding without listeners stays as it is.
    pub fn update(&mut self, mode: SoundMode, listeners: &[Listener], now: Instant) -> Encodings {
        let rules = mode.rules();
        let of = |thin| listeners.iter().filter(move |listener| listener.thin == thin);
        if of(false).next().is_some() {
            let wanted = if of(false).all(|listener| has_much_room(listener, rules)) {
                0
            } else if of(false).all(|listener| listener.estimate < rules.little) {
                2
            } else {
                1
            };
            self.usual_rate.update(wanted, RISE_AFTER, now);
            self.usual_loss.update(expected_loss(of(false)), LESS_LOSS_AFTER, now);
        }
        if of(true).next().is_some() {
            let is_poor = of(true).any(|listener| listener.estimate < POOR);
            self.thin_rate.update(usize::from(is_poor), RISE_AFTER, now);
            self.thin_loss.update(expected_loss(of(true)), LESS_LOSS_AFTER, now);
        }
        let encoding = |rates: &[Bitrate], rate: &Caution, loss: &Caution| Encoding {
            bitrate: rates[rate.step.min(rates.len() - 1)],
            expected_loss: LOSSES[loss.step.min(LOSSES.len() - 1)],
        };
        Encodings {
            mode,
            usual: encoding(&rules.usual, &self.usual_rate, &self.usual_loss),
            thin: encoding(&THIN, &self.thin_rate, &self.thin_loss),
        }
    }
}

fn has_much_room(listener: &Listener, rules: &Rules) -> bool {
    let spare = listener.estimate.saturating_sub(listener.pictures);
    listener.loss <= LITTLE_LOSS && (listener.estimate >= rules.much || spare >= rules.spare)
}

/// Index of the loss to be prepared for. What is no number counts as none.
fn expected_loss<'a>(listeners: impl Iterator<Item = &'a Listener>) -> usize {
    let left = |listener: &Listener| {
        listener.loss.clamp(0.0, 1.0) * LEFT[usize::from(listener.copies).min(LEFT.len() - 1)]
    };
    let worst = listeners.map(left).fold(0.0, f64::max);
    LOSSES.iter().position(|loss| worst * 100.0 <= f64::from(*loss)).unwrap_or(LOSSES.len() - 1)
}

/// A step on a ladder whose higher steps are the safer ones: up at once, down to the highest that was asked for meanwhile when that was lower all the time.
#[derive(Debug, Clone)]
struct Caution {
    step: usize,
    lower: Option<Lower>,
}

/// Less caution is asked for.
#[derive(Debug, Clone, Copy)]
struct Lower {
    since: Instant,
    highest: usize,
}

impl Caution {
    fn new(step: usize) -> Self {
        Self { step, lower: None }
    }

    fn update(&mut self, wanted: usize, patience: Duration, now: Instant) {
        if wanted >= self.step {
            *self = Self::new(wanted);
            return;
        }
        let lower = self.lower.get_or_insert(Lower { since: now, highest: wanted });
        lower.highest = lower.highest.max(wanted);
        if now.saturating_duration_since(lower.since) >= patience {
            *self = Self::new(lower.highest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn listener(kbps: u64, loss: f64) -> Listener {
        Listener {
            loss,
            estimate: Bitrate::kbps(kbps),
            pictures: Bitrate::kbps(2_000),
            ..Listener::default()
        }
    }

    fn thin(kbps: u64, loss: f64) -> Listener {
        Listener { thin: true, ..listener(kbps, loss) }
    }

    /// A call in virtual time, one update in 100 ms.
    #[derive(Default)]
    struct Call {
        choice: EncodingChoice,
        ms: u64,
    }

    impl Call {
        /// `(usual bitrate, usual loss, thin bitrate, thin loss)` after so many seconds.
        fn after(&mut self, seconds: f64, listeners: &[Listener]) -> (u64, u8, u64, u8) {
            self.run(SoundMode::Voice, seconds, listeners)
        }

        fn run(&mut self, mode: SoundMode, seconds: f64, listeners: &[Listener]) -> (u64, u8, u64, u8) {
            let until = self.ms + (seconds * 1_000.0) as u64;
            loop {
                let at = sim::epoch() + Duration::from_millis(self.ms);
                let Encodings { usual, thin, .. } = self.choice.update(mode, listeners, at);
                if self.ms >= until {
                    let kbps = |encoding: Encoding| encoding.bitrate.as_kbps();
                    return (kbps(usual), usual.expected_loss, kbps(thin), thin.expected_loss);
                }
                self.ms += 100;
            }
        }
    }

    #[test]
    fn much_room_raises_the_bitrate_after_a_while_and_a_narrow_path_lowers_it_at_once() {
        let mut call = Call::default();
        assert_eq!(call.after(4.0, &[listener(2_000, 0.0)]).0, 32);
        assert_eq!(call.after(1.5, &[listener(2_000, 0.0)]).0, 48);
        assert_eq!(call.after(0.0, &[listener(600, 0.0)]).0, 32);
        assert_eq!(call.after(0.0, &[listener(150, 0.0)]).0, 24);
        assert_eq!(call.after(4.0, &[listener(600, 0.0)]).0, 24);
        assert_eq!(call.after(1.5, &[listener(600, 0.0)]).0, 32);
        assert_eq!(call.after(60.0, &[listener(2_000, 0.05)]).0, 32, "a lossy path");
    }

    #[test]
    fn without_pictures_less_is_much_room() {
        let alone = Listener { pictures: Bitrate::ZERO, ..listener(300, 0.0) };
        assert_eq!(Call::default().after(6.0, &[alone]).0, 48);
    }

    #[test]
    fn one_slow_listener_lowers_nobodys_sound() {
        let mut call = Call::default();
        assert_eq!(call.after(20.0, &[listener(600, 0.0), listener(130, 0.0)]).0, 32);
        assert_eq!(call.after(20.0, &[listener(2_000, 0.0), listener(2_000, 0.0), thin(60, 0.3)]).0, 48);
        assert_eq!(call.after(1.0, &[listener(2_000, 0.0), listener(130, 0.0)]).0, 32);
    }

    #[test]
    fn the_worst_listener_of_each_encoding_sets_its_loss_and_copies_count() {
        let mut call = Call::default();
        let (_, usual, _, thin_loss) =
            call.after(0.0, &[listener(600, 0.12), listener(600, 0.0), thin(80, 0.2)]);
        assert_eq!((usual, thin_loss), (15, 20));
        let copied = Listener { copies: 2, ..listener(600, 0.3) };
        assert_eq!(Call::default().after(12.0, &[copied]).1, 5);
        assert_eq!(Call::default().after(12.0, &[Listener { copies: 1, ..copied }]).1, 15);
        assert_eq!(Call::default().after(12.0, &[copied, listener(600, 0.2)]).1, 20);
    }

    #[test]
    fn less_loss_is_believed_after_ten_seconds_and_more_at_once() {
        let mut call = Call::default();
        assert_eq!(call.after(9.0, &[listener(600, 0.0)]).1, 10, "before anything is known");
        assert_eq!(call.after(1.5, &[listener(600, 0.0)]).1, 2);
        assert_eq!(call.after(0.0, &[listener(600, 0.18)]).1, 20);
        assert_eq!(call.after(5.0, &[listener(600, 0.0)]).1, 20);
        assert_eq!(call.after(1.0, &[listener(600, 0.09)]).1, 20);
        assert_eq!(call.after(4.2, &[listener(600, 0.0)]).1, 10, "the worst of the ten seconds");
        assert_eq!(call.after(10.5, &[listener(600, 0.0)]).1, 2);
    }

    #[test]
    fn loss_that_comes_and_goes_changes_nothing() {
        let mut call = Call::default();
        call.after(0.0, &[listener(600, 0.1)]);
        for _ in 0..30 {
            assert_eq!(call.after(8.0, &[listener(600, 0.0)]).1, 10);
            assert_eq!(call.after(0.2, &[listener(600, 0.1)]).1, 10);
        }
    }

    #[test]
    fn the_poorest_thin_path_makes_thin_sound_poorer() {
        let mut call = Call::default();
        assert_eq!(call.after(1.0, &[thin(90, 0.0)]).2, 16);
        assert_eq!(call.after(0.0, &[thin(90, 0.0), thin(35, 0.0)]).2, 12);
        assert_eq!(call.after(4.0, &[thin(90, 0.0)]).2, 12);
        assert_eq!(call.after(1.5, &[thin(90, 0.0)]).2, 16);
    }

    #[test]
    fn an_encoding_to_which_nobody_listens_stays() {
        let mut call = Call::default();
        call.after(6.0, &[listener(2_000, 0.0)]);
        assert_eq!(call.after(60.0, &[thin(90, 0.0)]), (48, 10, 16, 2));
        assert_eq!(call.after(60.0, &[]), (48, 10, 16, 2));
    }

    #[test]
    fn music_gets_more_and_its_thin_paths_the_same() {
        let mut call = Call::default();
        let room = [listener(3_000, 0.0), thin(90, 0.0)];
        assert_eq!(call.run(SoundMode::Music, 6.0, &room).0, 128);
        assert_eq!(call.run(SoundMode::Music, 0.0, &[listener(700, 0.0)]).0, 96);
        assert_eq!(call.run(SoundMode::Music, 0.0, &[listener(300, 0.0)]).0, 64);
        assert_eq!(call.run(SoundMode::Music, 0.0, &[thin(90, 0.0)]).2, 16);
    }

    #[test]
    fn garbage_counts_as_no_loss_or_all_of_it() {
        for (loss, expected) in [(f64::NAN, 2), (-1.0, 2), (f64::INFINITY, 25), (7.0, 25)] {
            assert_eq!(Call::default().after(11.0, &[listener(600, loss)]).1, expected, "{loss}");
        }
    }

    #[test]
    fn what_is_sent_is_known() {
        assert_eq!(rate(Bitrate::kbps(32), false), Bitrate::kbps(60));
        assert_eq!(rate(Bitrate::kbps(16), true), Bitrate::kbps(26));
    }
}
