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

/// Sums blocks of 10 ms, then limits the sum. It is mono until something stereo is added, so that voices alone cost no more. Allocates only when it is made.
#[derive(Debug, Clone)]
pub struct Mixer {
    channels: usize,
    /// Room for two channels.
    sum: Vec<f32>,
    limiter: Limiter,
}

impl Default for Mixer {
    fn default() -> Self {
        Self::new()
    }
}

impl Mixer {
    /// A mixer to which nothing was added.
    pub fn new() -> Self {
        Self { channels: 1, sum: vec![0.0; SAMPLES_PER_BLOCK * 2], limiter: Limiter::new() }
    }

    /// Channels of what was added since the last [`Self::finish`]: 2 if any of it is stereo.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Adds one participant's block of [`SAMPLES_PER_BLOCK`] × `channels` interleaved samples (`channels` is 1 or 2). A short block counts as silent at its end;
    /// samples that are no number as 0.
    pub fn add(&mut self, block: &[f32], channels: usize, gain: &mut Gain) {
        let channels = channels.clamp(1, 2);
        if channels > self.channels {
            self.become_stereo();
        }
        let step = (gain.target - gain.current) / SAMPLES_PER_BLOCK as f32;
        let sum = &mut self.sum[..SAMPLES_PER_BLOCK * self.channels];
        for (i, (out, input)) in
            sum.chunks_exact_mut(self.channels).zip(block.chunks_exact(channels)).enumerate()
        {
            let gain = gain.current + step * (i + 1) as f32;
            add_frame(out, input, gain);
        }
        gain.current = gain.target;
    }

    /// Writes the mix of what was added since the last call ([`SAMPLES_PER_BLOCK`] × [`Self::channels`] samples), within ±1.
    pub fn finish(&mut self, out: &mut [f32]) {
        let sum = &mut self.sum[..SAMPLES_PER_BLOCK * self.channels];
        self.limiter.process(sum, self.channels);
        let len = out.len().min(sum.len());
        out[..len].copy_from_slice(&sum[..len]);
        out[len..].fill(0.0);
        sum.fill(0.0);
        self.channels = 1;
    }

    /// What was added in mono so far is heard on both sides.
    fn become_stereo(&mut self) {
        for n in (0..SAMPLES_PER_BLOCK).rev() {
            let sample = self.sum[n];
            self.sum[2 * n..2 * n + 2].fill(sample);
        }
        self.channels = 2;
    }
}

fn add_frame(out: &mut [f32], input: &[f32], gain: f32) {
    let clean = |sample: f32| if sample.is_finite() { sample * gain } else { 0.0 };
    match (out, input) {
        ([out], [mono]) => *out += clean(*mono),
        ([out_left, out_right], [mono]) => {
            *out_left += clean(*mono);
            *out_right += clean(*mono);
        }
        ([out_left, out_right], [left, right]) => {
            *out_left += clean(*left);
            *out_right += clean(*right);
        }
        // The sum has no fewer channels than what is added.
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
        let mut mixer = Mixer::new();
        for value in [0.1, 0.2, 0.3] {
            mixer.add(&[value; 480], 1, &mut Gain::default());
        }
        assert!(mixed(&mut mixer).iter().all(|s| (s - 0.6).abs() < 1e-6));
        assert!(mixed(&mut mixer).iter().all(|s| *s == 0.0));
    }

    #[test]
    fn mono_and_stereo_meet() {
        let stereo: Vec<f32> = [0.2, 0.4].repeat(480);
        let mut mixer = Mixer::new();
        for _ in 0..2 {
            mixer.add(&[0.1; 480], 1, &mut Gain::default());
            mixer.add(&stereo, 2, &mut Gain::new(0.5));
            mixer.add(&[0.1; 480], 1, &mut Gain::default());
            let out = mixed(&mut mixer);
            assert_eq!(out.len(), 960);
            assert!(out.chunks(2).all(|f| (f[0] - 0.3).abs() < 1e-6 && (f[1] - 0.4).abs() < 1e-6));
            mixer.add(&[0.1; 480], 1, &mut Gain::default());
            assert_eq!(mixed(&mut mixer), [0.1; 480], "voices alone are mono");
        }
    }

    #[test]
    fn a_loud_side_is_limited_and_keeps_its_place() {
        let mut mixer = Mixer::new();
        let loud: Vec<f32> = (0..480).flat_map(|i| [(i as f32 / 7.0).sin(), 0.0]).collect();
        for _ in 0..8 {
            mixer.add(&loud, 2, &mut Gain::new(4.0));
        }
        let out = mixed(&mut mixer);
        assert!(out.chunks(2).all(|frame| frame[0].abs() < 1.0 && frame[1] == 0.0));
        assert!(out.iter().step_by(2).any(|left| left.abs() > 0.8));
    }

    #[test]
    fn a_change_of_gain_is_spread_over_a_block() {
        let mut mixer = Mixer::new();
        let mut gain = Gain::new(0.0);
        gain.set(1.0);
        mixer.add(&[0.5; 480], 1, &mut gain);
        let out = mixed(&mut mixer);
        assert!(out[0] < 0.01 && (out[479] - 0.5).abs() < 1e-6);
        assert!(out.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.002));
    }

    #[test]
    fn eight_loud_people_do_not_clip() {
        let mut mixer = Mixer::new();
        let loud: Vec<f32> = (0..480).map(|i| (i as f32 / 7.0).sin()).collect();
        for _ in 0..8 {
            mixer.add(&loud, 1, &mut Gain::new(4.0));
        }
        assert!(mixed(&mut mixer).iter().all(|s| s.abs() < 1.0));
    }

    #[test]
    fn garbage_from_one_participant_does_not_reach_the_others() {
        let mut mixer = Mixer::new();
        mixer.add(&[f32::NAN; 480], 1, &mut Gain::default());
        mixer.add(&[f32::INFINITY; 480], 2, &mut Gain::new(f32::NAN));
        mixer.add(&[0.25; 480], 1, &mut Gain::default());
        assert!(mixed(&mut mixer).iter().all(|s| *s == 0.25));
    }

    #[test]
    fn blocks_of_a_wrong_size_are_taken_as_far_as_they_go() {
        let mut mixer = Mixer::new();
        mixer.add(&[0.2; 100], 1, &mut Gain::default());
        mixer.add(&[0.2; 5_000], 1, &mut Gain::default());
        let mut out = [7.0; 500];
        mixer.finish(&mut out);
        assert_eq!((out[0], out[200], out[480]), (0.4, 0.2, 0.0));
    }
}
