//! Suppresses the reverberation that comes when the other person has stopped, which AEC3 lets pass until its filter has converged: the filter's end is what it
//! guesses the reverberation from.
//!
//! The late part of an echo is modelled as an exponential decay (Polack 1988) of what was played more than [`EARLY`] blocks ago. How loud it is in this room is
//! learned from pauses of the other person. Where hardly more than that is left the sound is turned down; a near voice above it stays as it is.

use std::collections::VecDeque;

use sonora_aec3::block::Block;

use super::power;

/// Blocks of 4 ms that AEC3 takes care of.
const EARLY: usize = 10;

/// Decay from block to block: 60 dB in 0.76 s, longer than that of rooms in which people make calls.
const DECAY: f32 = 0.93;

/// Loudness of reverberation relative to what is played before it is known, in power, and most that is believed: -6 dB.
const LOUDEST: f32 = 0.25;

/// Most by which it grows from one pause to the next, in power: somebody near who talks in one is no reverberation.
const GROWTH: f32 = 1.5;

/// What is played is over when the newest is so much lower than the reverberation model, in power.
const OVER: f32 = 0.02;

/// Power of the model below which nothing is learned, of 16 bit samples.
const FAINT: f32 = 400.0;

/// Margin above the expected reverberation, in power.
const MARGIN: f32 = 3.2;

/// Least gain, in amplitude.
const LEAST: f32 = 0.03;

/// Share of the way back to full gain in one block.
const RELEASE: f32 = 0.35;

/// The suppressor.
pub struct Tail {
    early: VecDeque<f32>,
    late: f32,
    loudness: f32,
    /// Loudest relative to the model in the present pause.
    pause: Option<f32>,
    heard: f32,
    left: f32,
    gain: f32,
}

impl Tail {
    /// In a room that is not known.
    pub fn new() -> Self {
        Self {
            early: vec![0.0; EARLY].into(),
            late: 0.0,
            loudness: LOUDEST,
            pause: None,
            heard: 0.0,
            left: 0.0,
            gain: 1.0,
        }
    }

    /// Takes the powers of what was played and of what was heard, without delay between them, and what AEC3 has left of it.
    pub fn suppress(&mut self, played: f32, heard: f32, block: &mut Block) {
        self.early.push_back(played);
        let old = self.early.pop_front().unwrap_or_default();
        self.late = DECAY * self.late + (1.0 - DECAY) * old;
        self.heard += 0.5 * (heard - self.heard);
        self.left += 0.5 * (power(block.view(0, 0)) - self.left);
        self.learn();
        let to = self.next_gain();
        for band in 0..block.num_bands() {
            let samples = block.view_mut(band, 0);
            let step = (to - self.gain) / samples.len() as f32;
            for (n, sample) in samples.iter_mut().enumerate() {
                *sample *= self.gain + step * n as f32;
            }
        }
        self.gain = to;
    }

    fn learn(&mut self) {
        let newest = self.early.iter().sum::<f32>() / EARLY as f32;
        if newest < OVER * self.late && self.late > FAINT {
            let loudness = self.heard / self.late;
            self.pause = Some(self.pause.map_or(loudness, |loudest| loudest.max(loudness)));
        } else if let Some(loudest) = self.pause.take() {
            let less = 0.5 * (self.loudness + loudest);
            let more = loudest.min(GROWTH * self.loudness);
            self.loudness = if loudest < self.loudness { less } else { more }.clamp(1e-4, LOUDEST);
        }
    }

    fn next_gain(&self) -> f32 {
        let expected = MARGIN * self.loudness * self.late;
        let wanted = (self.left / (expected + 1.0)).clamp(LEAST, 1.0);
        if wanted < self.gain { wanted } else { self.gain + RELEASE * (wanted - self.gain) }
    }
}
