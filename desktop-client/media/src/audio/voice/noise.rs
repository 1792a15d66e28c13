//! Suppresses noise: RNNoise (Valin 2018), a small neural network that knows voices. Its sound is 10 ms late.
//!
//! Where it finds no voice it takes white hiss for one half of the time and lets it pass. So what it leaves is turned down while it is itself of the opinion that
//! nobody talks.

use nnnoiseless::DenoiseState;

use super::Samples16;

/// Probability from which on somebody talks.
const VOICE: f32 = 0.3;

/// Frames of 10 ms after that which are left as they are: pauses between words.
const HOLD: u32 = 30;

/// What is left of everything else, in amplitude: -18 dB.
const LEAST: f32 = 0.12;

/// Share of the way down in one frame.
const RELEASE: f32 = 0.1;

/// Samples until the first sound of a word is as loud as it was: 1 ms.
const ATTACK: f32 = 48.0;

/// The suppressor.
pub struct NoiseSuppressor {
    state: Box<DenoiseState<'static>>,
    hold: u32,
    gain: f32,
}

impl NoiseSuppressor {
    /// Before anything is heard.
    pub fn new() -> Self {
        Self { state: DenoiseState::new(), hold: HOLD, gain: 1.0 }
    }

    /// Removes what is no voice.
    pub fn suppress(&mut self, samples: &mut Samples16) {
        let noisy = *samples;
        let voice = self.state.process_frame(samples, &noisy);
        self.hold = if voice > VOICE { HOLD } else { self.hold.saturating_sub(1) };
        let (from, length) = (self.gain, samples.len() as f32);
        let (to, ramp) =
            if self.hold > 0 { (1.0, ATTACK) } else { (from + RELEASE * (LEAST - from), length) };
        for (n, sample) in samples.iter_mut().enumerate() {
            *sample *= from + (to - from) * (n as f32 / ramp).min(1.0);
        }
        self.gain = to;
    }
}
