//! The unit of sound between devices and codec: 10 ms, mono or stereo.
//!
//! A block says itself which of the two it is, so that voices stay mono all the way, and only what is stereo costs twice.

use media_core::frame::SAMPLES_PER_BLOCK;

/// 10 ms of 48 kHz mono.
pub type MonoBlock = [f32; SAMPLES_PER_BLOCK];

/// 10 ms of 48 kHz, mono or stereo.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Mono is the first half; stereo is interleaved over both.
    halves: [MonoBlock; 2],
    channels: usize,
}

impl Block {
    /// Mono silence.
    pub fn silence() -> Self {
        Self::silent(1)
    }

    /// Silence of one or two channels.
    pub fn silent(channels: usize) -> Self {
        Self { halves: [[0.0; SAMPLES_PER_BLOCK]; 2], channels: channels.clamp(1, 2) }
    }

    /// One or two.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// All samples, interleaved.
    pub fn samples(&self) -> &[f32] {
        &self.halves.as_flattened()[..SAMPLES_PER_BLOCK * self.channels]
    }

    /// The same, to write.
    pub fn samples_mut(&mut self) -> &mut [f32] {
        &mut self.halves.as_flattened_mut()[..SAMPLES_PER_BLOCK * self.channels]
    }

    /// The samples of each moment.
    pub fn frames_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let channels = self.channels;
        self.samples_mut().chunks_exact_mut(channels)
    }

    /// Becomes silence of so many channels, to be written.
    pub fn clear(&mut self, channels: usize) {
        self.channels = channels.clamp(1, 2);
        self.samples_mut().fill(0.0);
    }

    /// Left and right; the same for mono.
    pub fn pairs(&self) -> impl Iterator<Item = [f32; 2]> + '_ {
        self.samples().chunks_exact(self.channels).map(|frame| [frame[0], frame[self.channels - 1]])
    }

    /// Mixed down.
    pub fn to_mono(&self) -> MonoBlock {
        let mut mono = [0.0; SAMPLES_PER_BLOCK];
        for (out, [left, right]) in mono.iter_mut().zip(self.pairs()) {
            *out = 0.5 * (left + right);
        }
        mono
    }

    /// Mixed down where it is, to be processed.
    pub fn as_mono_mut(&mut self) -> &mut MonoBlock {
        if self.channels == 2 {
            self.halves[0] = self.to_mono();
            self.channels = 1;
        }
        &mut self.halves[0]
    }

    /// Appends it as so many channels, interleaved.
    pub fn append_to(&self, samples: &mut Vec<f32>, channels: usize) {
        match (self.channels, channels) {
            (1, 1) | (2, 2) => samples.extend_from_slice(self.samples()),
            (_, 2) => samples.extend(self.pairs().flatten()),
            (_, _) => samples.extend_from_slice(&self.to_mono()),
        }
    }
}

impl From<MonoBlock> for Block {
    fn from(mono: MonoBlock) -> Self {
        Self { halves: [mono, [0.0; SAMPLES_PER_BLOCK]], channels: 1 }
    }
}

#[cfg(test)]
impl Block {
    /// Of what two functions give for each sample's number.
    pub fn stereo(mut left: impl FnMut(usize) -> f32, mut right: impl FnMut(usize) -> f32) -> Self {
        let mut block = Self::silent(2);
        for (n, frame) in block.frames_mut().enumerate() {
            frame.copy_from_slice(&[left(n), right(n)]);
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mono_is_the_same_on_both_sides_and_stereo_is_mixed_down() {
        let mono = Block::from([0.5; SAMPLES_PER_BLOCK]);
        assert!(mono.samples().len() == 480 && mono.pairs().all(|pair| pair == [0.5, 0.5]));
        let mut stereo = Block::stereo(|_| 0.2, |_| 0.6);
        assert!(stereo.samples().len() == 960 && stereo.to_mono().iter().all(|s| (s - 0.4).abs() < 1e-6));
        let mut samples = Vec::new();
        mono.append_to(&mut samples, 2);
        stereo.append_to(&mut samples, 2);
        assert_eq!((samples.len(), samples[1], samples[960], samples[961]), (1_920, 0.5, 0.2, 0.6));
        stereo.append_to(&mut samples, 1);
        assert_eq!(samples.len(), 2_400);
        assert_eq!(stereo.as_mono_mut().len(), 480);
        assert_eq!(stereo.channels(), 1);
    }
}
