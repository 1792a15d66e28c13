//! Decoded sound that waits to be read, with where it came from.

use std::collections::VecDeque;
use std::time::Instant;

/// Where sound came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From a packet that came at this time.
    Packet(Instant),
    /// Made up for a loss.
    Concealed,
    /// The sender is silent on purpose.
    ComfortNoise,
    /// Nothing plays.
    Silence,
}

/// Samples over which a jump in the sound is smoothed: 2.5 ms.
const SMOOTHING: usize = 120;

#[derive(Debug)]
pub(super) struct PcmQueue {
    channels: usize,
    samples: VecDeque<f32>,
    /// Samples per channel and their origin, oldest first.
    runs: VecDeque<(usize, Origin)>,
    /// The newest sample of each channel.
    last: [f32; 2],
    smooth: bool,
}

impl PcmQueue {
    /// For one or two channels.
    pub(super) fn new(channels: usize) -> Self {
        Self { channels, samples: VecDeque::new(), runs: VecDeque::new(), last: [0.0; 2], smooth: false }
    }

    /// Samples per channel.
    pub(super) fn len(&self) -> usize {
        self.samples.len() / self.channels
    }

    /// Makes what is there mono or stereo; what is pushed next is bridged, as it comes from another decoder.
    pub(super) fn set_channels(&mut self, channels: usize) {
        if channels == self.channels {
            return;
        }
        self.samples = if channels == 2 {
            self.samples.iter().flat_map(|sample| [*sample; 2]).collect()
        } else {
            let mix = |left: f32, right: Option<&f32>| 0.5 * (left + right.copied().unwrap_or(left));
            (0..self.samples.len())
                .step_by(2)
                .map(|n| mix(self.samples[n], self.samples.get(n + 1)))
                .collect()
        };
        self.last = if channels == 2 { [self.last[0]; 2] } else { [0.5 * (self.last[0] + self.last[1]); 2] };
        self.channels = channels;
        self.smooth = true;
    }

    /// What is pushed next does not follow what was pushed before: bridge the jump.
    pub(super) fn smooth_next(&mut self) {
        self.smooth = true;
    }

    /// Appends interleaved samples.
    pub(super) fn push(&mut self, sound: &[f32], origin: Origin) {
        let jump = self.jump(sound);
        for (i, frame) in sound.chunks_exact(self.channels).enumerate() {
            let weight = 1.0 - (i as f32 / SMOOTHING as f32).min(1.0);
            for (sample, jump) in frame.iter().zip(jump) {
                self.samples.push_back(sample + jump * weight);
            }
        }
        for (last, sample) in
            self.last.iter_mut().zip(self.samples.iter().skip(self.samples.len() - self.channels))
        {
            *last = *sample;
        }
        self.note(sound.len() / self.channels, origin);
    }

    /// Appends silence.
    pub(super) fn push_silence(&mut self, len: usize, origin: Origin) {
        // Silence never follows sound without a bridge.
        self.smooth = true;
        let channels = self.channels;
        self.push(&vec![0.0; len * channels], origin);
    }

    /// Takes samples out into `out`, silence where there are not enough, and tells of each run.
    pub(super) fn read(&mut self, out: &mut [f32], mut told: impl FnMut(usize, Origin)) {
        let available = out.len().min(self.samples.len());
        for (out, sample) in out.iter_mut().zip(self.samples.drain(..available)) {
            *out = sample;
        }
        out[available..].fill(0.0);
        let mut left = available / self.channels;
        while left > 0 {
            let Some((len, origin)) = self.runs.front_mut() else { break };
            let taken = left.min(*len);
            told(taken, *origin);
            left -= taken;
            *len -= taken;
            if *len == 0 {
                self.runs.pop_front();
            }
        }
    }

    fn jump(&mut self, sound: &[f32]) -> [f32; 2] {
        let mut jump = [0.0; 2];
        if std::mem::take(&mut self.smooth) {
            for ((jump, last), first) in jump.iter_mut().zip(self.last).zip(sound.iter().take(self.channels))
            {
                *jump = last - first;
            }
        }
        jump
    }

    fn note(&mut self, len: usize, origin: Origin) {
        match self.runs.back_mut() {
            Some((run, last)) if *last == origin => *run += len,
            Some(_) | None if len > 0 => self.runs.push_back((len, origin)),
            Some(_) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_with_its_origin() {
        let mut queue = PcmQueue::new(2);
        queue.push(&[0.1; 8], Origin::ComfortNoise);
        queue.push(&[0.2; 8], Origin::Concealed);
        let mut out = [9.0; 20];
        let mut runs = Vec::new();
        queue.read(&mut out, |len, origin| runs.push((len, origin)));
        assert_eq!(runs, [(4, Origin::ComfortNoise), (4, Origin::Concealed)]);
        assert_eq!((out[7], out[8], out[15], out[16]), (0.1, 0.2, 0.2, 0.0));
    }

    #[test]
    fn what_waits_follows_a_change_of_channels() {
        let mut queue = PcmQueue::new(1);
        queue.push(&[0.5; 300], Origin::ComfortNoise);
        queue.set_channels(2);
        assert_eq!(queue.len(), 300);
        queue.push(&[0.9, 0.1].repeat(300), Origin::ComfortNoise);
        let mut out = [0.0; 800];
        queue.read(&mut out, |_, _| {});
        assert!(out[..600].iter().all(|sample| *sample == 0.5));
        // Both sides lead from where the sound was to where it is.
        assert!((out[600] - 0.5).abs() < 0.01 && (out[601] - 0.5).abs() < 0.01);
        queue.set_channels(1);
        assert_eq!(queue.len(), 200);
        queue.read(&mut out[..200], |_, _| {});
        assert!((out[199] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn a_jump_is_bridged_when_asked_for() {
        let mut queue = PcmQueue::new(1);
        queue.push(&[0.8; 10], Origin::Concealed);
        queue.push_silence(480, Origin::Silence);
        let mut out = [0.0; 490];
        queue.read(&mut out, |_, _| {});
        assert!(out.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.01));
        assert_eq!(out[489], 0.0);
    }
}
