//! Turns the microphone down while the other person talks and it is not known yet how late their echo is: the first second of a call, in which nothing can be
//! cancelled. Whoever talks into the other's first words is not heard so long; with a headset, whose echo is never found, this ends by itself.

use super::bands::Bands;
use super::power;

/// Power of what is played from which on there is an echo, of 16 bit samples.
const LOUD: f32 = 900.0;

/// Frames of 10 ms over which the echo of a frame may come: delay and reverberation.
const LASTS: u32 = 60;

/// Loud frames after which there is no echo, or none that is ever found: 2 s.
const MOST: u32 = 200;

/// What is left meanwhile: -30 dB.
const LEAST: f32 = 0.03;

/// Share of the way back in one frame.
const RELEASE: f32 = 0.2;

/// Loud frames for which it goes on once the delay is known: the canceller has to learn.
const LEARNING: u32 = 100;

/// The gain of the microphone.
pub struct Guard {
    known: u32,
    loud: u32,
    left: u32,
    gain: f32,
}

impl Guard {
    /// Before anything was played.
    pub fn new() -> Self {
        Self { known: 0, loud: 0, left: 0, gain: 1.0 }
    }

    /// Takes what is played, and what is sent meanwhile; `known` once the delay of the echo is.
    pub fn watch(&mut self, played: &[f32], bands: &mut Bands, known: bool) {
        if power(played) > LOUD {
            self.loud = (self.loud + 1).min(MOST);
            self.left = LASTS;
            self.known = if known { (self.known + 1).min(LEARNING) } else { 0 };
        }
        self.left = self.left.saturating_sub(1);
        let guarded = self.known < LEARNING && self.left > 0 && self.loud < MOST;
        let to = if guarded { LEAST } else { self.gain + RELEASE * (1.0 - self.gain) };
        if self.gain < 0.99 || guarded {
            for band in bands {
                let step = (to - self.gain) / band.len() as f32;
                for (n, sample) in band.iter_mut().enumerate() {
                    *sample *= self.gain + step * n as f32;
                }
            }
        }
        self.gain = to;
    }
}

#[cfg(test)]
mod tests {
    use super::super::bands::{BAND_SAMPLES, BANDS};
    use super::*;

    /// What is left of 1 in the last of so many frames.
    fn left(guard: &mut Guard, frames: u32, played: f32, known: bool) -> f32 {
        (0..frames).fold(1.0, |_, _| {
            let mut bands = [[1.0; BAND_SAMPLES]; BANDS];
            guard.watch(&[played; BAND_SAMPLES], &mut bands, known);
            bands[0][BAND_SAMPLES - 1]
        })
    }

    #[test]
    fn the_first_echo_is_turned_down_until_its_delay_is_known() {
        let mut guard = Guard::new();
        assert_eq!(left(&mut guard, 100, 0.0, false), 1.0);
        assert!(left(&mut guard, 20, 1_000.0, false) < 0.05);
        assert!(left(&mut guard, 40, 0.0, false) < 0.05, "it comes late");
        assert!(left(&mut guard, 40, 0.0, false) > 0.95);
        assert!(left(&mut guard, 20, 1_000.0, false) < 0.05);
        assert!(left(&mut guard, 90, 1_000.0, true) < 0.05, "it is not cancelled yet");
        assert!(left(&mut guard, 30, 1_000.0, true) > 0.95);
    }

    #[test]
    fn without_an_echo_nobody_is_turned_down_for_ever() {
        let mut guard = Guard::new();
        assert!(left(&mut guard, 150, 1_000.0, false) < 0.05);
        assert!(left(&mut guard, 100, 1_000.0, false) > 0.95);
    }
}
