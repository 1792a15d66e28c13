//! Who speaks, and who of them holds the floor, by the levels of everybody's sound.
//!
//! Somebody speaks who is clearly louder than the quiet of their own room, which is learnt from their pauses. The floor changes hands only to somebody who has been the
//! louder for a while, or when its holder has fallen silent: a cough or a "yes" takes nobody's place.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Sound below this is no voice, however quiet the room, in dBFS.
const QUIETEST_VOICE: f32 = -52.0;

/// A voice is this much louder than the room, in dB.
const ABOVE_ROOM: f32 = 12.0;

/// The room is taken to become louder by this much per second, in dB: a fan that starts is noise after some seconds. It becomes quieter at once.
const ROOM_RISES: f32 = 2.0;

/// No room is taken to be louder than this, in dBFS: else whoever talks for a minute without a pause would be noise.
const LOUDEST_ROOM: f32 = -42.0;

/// Pauses within a sentence.
const PAUSE: Duration = Duration::from_millis(500);

/// Loudness is averaged over this time when voices are compared.
const AVERAGING: Duration = Duration::from_millis(800);

/// Another voice takes the floor when it has been louder than its holder by this much, in dB, for this long.
const LOUDER: f32 = 6.0;
const LOUDER_FOR: Duration = Duration::from_millis(800);

/// …or when it has spoken for this long while the holder was silent.
const ALONE_FOR: Duration = Duration::from_millis(300);

/// Longer times between levels count as this.
const MAX_STEP: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
struct Voice {
    /// Of the room, in dBFS.
    room: f32,
    /// Averaged, in dBFS.
    loudness: f32,
    heard: Instant,
    /// When it was last louder than the room, and since when with pauses only.
    spoke: Option<Instant>,
    since: Option<Instant>,
    /// Since when it has been the louder one, were it to take the floor.
    ahead: Option<Instant>,
}

/// Follows everybody in a call. `P` names a participant.
#[derive(Debug, Clone)]
pub struct Speakers<P> {
    voices: BTreeMap<P, Voice>,
    floor: Option<P>,
}

impl<P> Default for Speakers<P> {
    fn default() -> Self {
        Self { voices: BTreeMap::new(), floor: None }
    }
}

impl<P: Ord + Clone> Speakers<P> {
    /// Takes the level of everybody's newest sound in dBFS, `None` for silence; ten times a second is enough. Who is not named has left.
    pub fn update(&mut self, levels: impl IntoIterator<Item = (P, Option<f32>)>, now: Instant) {
        let mut present = BTreeMap::new();
        for (who, level) in levels {
            let level = level.filter(|level| level.is_finite()).unwrap_or(-127.0).clamp(-127.0, 0.0);
            let mut voice = self.voices.get(&who).copied().unwrap_or_else(|| Voice::new(level, now));
            voice.hear(level, now);
            present.insert(who, voice);
        }
        self.voices = present;
        self.pass_the_floor(now);
    }

    /// Whether somebody speaks at this moment, pauses within a sentence included.
    pub fn is_speaking(&self, who: &P) -> bool {
        self.voices.get(who).is_some_and(Voice::is_speaking)
    }

    /// Everybody who speaks.
    pub fn speaking(&self) -> impl Iterator<Item = &P> {
        self.voices.iter().filter(|(_, voice)| voice.is_speaking()).map(|(who, _)| who)
    }

    /// Who speaks, or has spoken last.
    pub fn floor(&self) -> Option<&P> {
        self.floor.as_ref()
    }

    fn pass_the_floor(&mut self, now: Instant) {
        let holder = self.floor.as_ref().and_then(|who| self.voices.get(who)).copied();
        if holder.is_none() {
            self.floor = None;
        }
        let holder = holder.filter(Voice::is_speaking);
        for (who, voice) in &mut self.voices {
            let is_ahead = voice.is_speaking()
                && self.floor.as_ref() != Some(who)
                && holder.is_none_or(|holder| voice.loudness > holder.loudness + LOUDER);
            voice.ahead = is_ahead.then(|| voice.ahead.unwrap_or(now));
        }
        let patience = if holder.is_some() { LOUDER_FOR } else { ALONE_FOR };
        let is_due =
            |voice: &Voice| voice.ahead.is_some_and(|since| now.saturating_duration_since(since) >= patience);
        let due = self.voices.iter().filter(|(_, voice)| is_due(voice));
        if let Some((who, _)) = due.max_by(|(_, a), (_, b)| a.loudness.total_cmp(&b.loudness)) {
            self.floor = Some(who.clone());
        }
    }
}

impl Voice {
    fn new(level: f32, now: Instant) -> Self {
        Self {
            room: level.min(LOUDEST_ROOM - ABOVE_ROOM),
            loudness: level.max(QUIETEST_VOICE),
            heard: now,
            spoke: None,
            since: None,
            ahead: None,
        }
    }

    fn hear(&mut self, level: f32, now: Instant) {
        let step = now.saturating_duration_since(self.heard).min(MAX_STEP).as_secs_f32();
        self.heard = now;
        self.room = (self.room + ROOM_RISES * step).min(level).min(LOUDEST_ROOM);
        let weight = 1.0 - (-step / AVERAGING.as_secs_f32()).exp();
        // How deep a silence was does not matter to who is louder.
        self.loudness += weight * (level.max(QUIETEST_VOICE) - self.loudness);
        if level >= QUIETEST_VOICE.max(self.room + ABOVE_ROOM) {
            self.spoke = Some(now);
            self.since.get_or_insert(now);
        } else if self.spoke.is_none_or(|spoke| now.saturating_duration_since(spoke) > PAUSE) {
            self.spoke = None;
            self.since = None;
        }
    }

    /// A single loud moment is a click.
    fn is_speaking(&self) -> bool {
        self.since.zip(self.spoke).is_some_and(|(since, spoke)| spoke > since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    /// A meeting of three, ten levels a second.
    struct Meeting {
        speakers: Speakers<u8>,
        now: Instant,
    }

    impl Meeting {
        fn new() -> Self {
            let mut meeting = Self { speakers: Speakers::default(), now: sim::epoch() };
            meeting.hear(20, [-70.0, -65.0, -127.0]);
            meeting
        }

        fn hear(&mut self, tenths: u32, levels: [f32; 3]) -> &mut Self {
            for _ in 0..tenths {
                self.now += Duration::from_millis(100);
                self.speakers.update((0..).zip(levels.map(Some)), self.now);
            }
            self
        }

        fn speaking(&self) -> Vec<u8> {
            self.speakers.speaking().copied().collect()
        }
    }

    #[test]
    fn who_is_louder_than_their_room_speaks_until_a_pause_has_lasted() {
        let mut meeting = Meeting::new();
        assert!(meeting.speaking().is_empty());
        assert_eq!(meeting.hear(3, [-30.0, -65.0, -127.0]).speaking(), [0]);
        assert_eq!(meeting.hear(4, [-70.0, -65.0, -127.0]).speaking(), [0]);
        assert!(meeting.hear(3, [-70.0, -65.0, -127.0]).speaking().is_empty());
        assert_eq!(meeting.speakers.floor(), Some(&0), "nobody else has spoken since");
    }

    #[test]
    fn a_click_is_no_voice_and_neither_is_a_fan_after_some_seconds() {
        let mut meeting = Meeting::new();
        meeting.hear(1, [-20.0, -65.0, -127.0]);
        assert!(meeting.speaking().is_empty());
        meeting.hear(150, [-70.0, -46.0, -127.0]);
        assert!(meeting.speaking().is_empty(), "a steady noise below any voice's level");
        assert_eq!(meeting.hear(5, [-70.0, -25.0, -127.0]).speaking(), [1]);
    }

    #[test]
    fn the_floor_goes_to_who_speaks_alone_soon_and_to_the_louder_one_later() {
        let mut meeting = Meeting::new();
        assert_eq!(meeting.hear(5, [-30.0, -65.0, -127.0]).speakers.floor(), Some(&0));
        // "Yes", of the same loudness.
        assert_eq!(meeting.hear(5, [-30.0, -28.0, -127.0]).speakers.floor(), Some(&0));
        meeting.hear(10, [-30.0, -65.0, -127.0]);
        // Much louder, for longer.
        assert_eq!(meeting.hear(6, [-40.0, -65.0, -20.0]).speakers.floor(), Some(&0));
        assert_eq!(meeting.hear(15, [-40.0, -65.0, -20.0]).speakers.floor(), Some(&2));
        // The holder falls silent.
        assert_eq!(meeting.hear(12, [-35.0, -65.0, -127.0]).speakers.floor(), Some(&0));
    }

    #[test]
    fn who_leaves_is_forgotten_and_garbage_is_silence() {
        let mut meeting = Meeting::new();
        meeting.hear(5, [-30.0, f32::NAN, f32::INFINITY]);
        assert_eq!((meeting.speaking(), meeting.speakers.floor()), (vec![0], Some(&0)));
        meeting.speakers.update([(1, None)], meeting.now);
        assert_eq!((meeting.speaking(), meeting.speakers.floor()), (vec![], None));
    }
}
