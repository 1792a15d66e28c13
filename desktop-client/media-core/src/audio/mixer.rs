//! Many participants' sound into one block for the speaker.

use super::limiter::Limiter;
use crate::frame::SAMPLES_PER_BLOCK;

/// Volume of one participant. Changes are spread over a block, so that none is heard as a click.
#[derive(Debug, Clone, Copy)]
pub struct Gain {
    target: f32,
    current: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self { target: 1.0, current: 1.0 }
    }
}

impl Gain {
    /// Loudest volume: 12 dB over the original.
    pub const MAX: f32 = 4.0;

    /// A gain at once, without a ramp.
    pub fn new(linear: f32) -> Self {
        let target = Self::clamp(linear);
        Self { target, current: target }
    }

    /// Sets the gain: 1 leaves the sound as it is, 0 mutes it. Held to 0…[`Self::MAX`]; what is no number counts as 0.
    pub fn set(&mut self, linear: f32) {
        self.target = Self::clamp(linear);
    }

    fn clamp(linear: f32) -> f32 {
        if linear.is_nan() { 0.0 } else { linear.clamp(0.0, Self::MAX) }
    }
}

/// Sums blocks of 10 ms, then limits the sum. Allocates only when it is made.
#[derive(Debug, Clone)]
pub struct Mixer {
    channels: usize,
    sum: Vec<f32>,
    limiter: Limiter,
}

impl Mixer {
    /// A mixer with one or two output channels (other numbers count as the nearer of them).
    pub fn new(channels: usize) -> Self {
        let channels = channels.clamp(1, 2);
        Self { channels, sum: vec![0.0; SAMPLES_PER_BLOCK * channels], limiter: Limiter::new() }
    }

    /// Output channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Adds one participant's block of [`SAMPLES_PER_BLOCK`] × `channels` interleaved samples (`channels` is 1 or 2). A short block counts as silent at its end;
    /// samples that are no number as 0.
    pub fn add(&mut self, block: &[f32], channels: usize, gain: &mut Gain) {
        let step = (gain.target - gain.current) / SAMPLES_PER_BLOCK as f32;
        let inputs = block.chunks_exact(channels.clamp(1, 2));
        for (i, (out, input)) in self.sum.chunks_exact_mut(self.channels).zip(inputs).enumerate() {
            let gain = gain.current + step * (i + 1) as f32;
            add_frame(out, input, gain);
        }
        gain.current = gain.target;
    }

    /// Writes the mix of what was added since the last call ([`SAMPLES_PER_BLOCK`] × [`Self::channels`] samples), within ±1.
    pub fn finish(&mut self, out: &mut [f32]) {
        self.limiter.process(&mut self.sum, self.channels);
        let len = out.len().min(self.sum.len());
        out[..len].copy_from_slice(&self.sum[..len]);
        out[len..].fill(0.0);
        self.sum.fill(0.0);
    }
}

fn add_frame(out: &mut [f32], input: &[f32], gain: f32) {
    let clean = |sample: f32| if sample.is_finite() { sample * gain } else { 0.0 };
    match (out, input) {
        ([out], [mono]) => *out += clean(*mono),
        ([out], [left, right]) => *out += 0.5 * (clean(*left) + clean(*right)),
        ([out_left, out_right], [mono]) => {
            *out_left += clean(*mono);
            *out_right += clean(*mono);
        }
        ([out_left, out_right], [left, right]) => {
            *out_left += clean(*left);
            *out_right += clean(*right);
        }
        // Both have one or two channels.
        (_, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(mixer: &mut Mixer) -> Vec<f32> {
        let mut out = vec![9.0; SAMPLES_PER_BLOCK * mixer.channels()];
        mixer.finish(&mut out);
        out
    }

    #[test]
    fn everybody_is_heard_and_nothing_is_left_for_the_next_block() {
        let mut mixer = Mixer::new(1);
        for value in [0.1, 0.2, 0.3] {
            mixer.add(&[value; 480], 1, &mut Gain::default());
        }
        assert!(mixed(&mut mixer).iter().all(|s| (s - 0.6).abs() < 1e-6));
        assert!(mixed(&mut mixer).iter().all(|s| *s == 0.0));
    }

    #[test]
    fn mono_and_stereo_meet() {
        let stereo: Vec<f32> = [0.2, 0.4].repeat(480);
        let mut to_stereo = Mixer::new(2);
        to_stereo.add(&[0.1; 480], 1, &mut Gain::default());
        to_stereo.add(&stereo, 2, &mut Gain::default());
        let out = mixed(&mut to_stereo);
        assert!(out.chunks(2).all(|f| (f[0] - 0.3).abs() < 1e-6 && (f[1] - 0.5).abs() < 1e-6));
        let mut to_mono = Mixer::new(1);
        to_mono.add(&stereo, 2, &mut Gain::default());
        assert!(mixed(&mut to_mono).iter().all(|s| (s - 0.3).abs() < 1e-6));
    }

    #[test]
    fn a_change_of_gain_is_spread_over_a_block() {
        let mut mixer = Mixer::new(1);
        let mut gain = Gain::new(0.0);
        gain.set(1.0);
        mixer.add(&[0.5; 480], 1, &mut gain);
        let out = mixed(&mut mixer);
        assert!(out[0] < 0.01 && (out[479] - 0.5).abs() < 1e-6);
        assert!(out.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.002));
    }

    #[test]
    fn eight_loud_people_do_not_clip() {
        let mut mixer = Mixer::new(1);
        let loud: Vec<f32> = (0..480).map(|i| (i as f32 / 7.0).sin()).collect();
        for _ in 0..8 {
            mixer.add(&loud, 1, &mut Gain::new(4.0));
        }
        assert!(mixed(&mut mixer).iter().all(|s| s.abs() < 1.0));
    }

    #[test]
    fn garbage_from_one_participant_does_not_reach_the_others() {
        let mut mixer = Mixer::new(1);
        mixer.add(&[f32::NAN; 480], 1, &mut Gain::default());
        mixer.add(&[f32::INFINITY; 480], 2, &mut Gain::new(f32::NAN));
        mixer.add(&[0.25; 480], 1, &mut Gain::default());
        assert!(mixed(&mut mixer).iter().all(|s| *s == 0.25));
    }

    #[test]
    fn blocks_of_a_wrong_size_are_taken_as_far_as_they_go() {
        let mut mixer = Mixer::new(1);
        mixer.add(&[0.2; 100], 1, &mut Gain::default());
        mixer.add(&[0.2; 5_000], 1, &mut Gain::default());
        let mut out = [7.0; 500];
        mixer.finish(&mut out);
        assert_eq!((out[0], out[200], out[480]), (0.4, 0.2, 0.0));
    }
}
