//! Makes the microphone's sound pleasant to hear: without the echo of our own speaker, without the fan, and as loud as everybody else's.

use media_core::frame::SAMPLES_PER_BLOCK;
use sonora::config::{AdaptiveDigital, GainController2};
use sonora::high_pass_filter::HighPassFilter;
use sonora::{AudioProcessing, Config, StreamConfig};

use self::bands::{BAND_SAMPLES, BANDS, Merger, Splitter};
use self::canceller::Canceller;
use self::noise::NoiseSuppressor;
use super::block::MonoBlock;
use super::played::PlayedBlocks;
use crate::config::VoiceProcessing;

#[cfg(test)]
mod acoustics;
mod alignment;
mod bands;
mod canceller;
mod guard;
mod history;
mod noise;
#[cfg(test)]
mod rooms;
mod tail;

const SAMPLE_RATE: u32 = 100 * SAMPLES_PER_BLOCK as u32;

/// What 1.0 is in 16 bit samples, which is what canceller and noise suppressor take.
const FULL_SCALE: f32 = 32_768.0;

/// 10 ms of 16 bit samples.
type Samples16 = MonoBlock;

/// Most that a quiet voice is raised, in dB. WebRTC's default of 50 raises what is left of an echo to the level of a voice when the room is silent.
const MAX_GAIN_DB: f32 = 18.0;

/// Gain before anybody has spoken, in dB. WebRTC's default of 15 makes the first words of most people too loud.
const INITIAL_GAIN_DB: f32 = 6.0;

/// A processor of 10 ms blocks of 48 kHz mono.
pub trait VoiceProcessor: Send {
    /// Uses these parts from now on.
    fn configure(&mut self, parts: VoiceProcessing);
    /// The block that goes to the speaker next, exactly as it is played.
    fn played(&mut self, block: &MonoBlock);
    /// Processes what the microphone gave.
    fn process(&mut self, block: &mut MonoBlock);
    /// By how much the filter reduces the echo now, by its own estimate, in dB (echo return loss enhancement, ITU-T G.168); `None` when unknown.
    fn erle_db(&self) -> Option<f32>;
}

/// WebRTC's AEC3, RNNoise, and WebRTC's AGC2 with limiter.
pub struct VoiceChain {
    parts: VoiceProcessing,
    played: PlayedBlocks,
    splitter: Splitter,
    merger: Merger,
    high_pass: HighPassFilter,
    /// The lower band, as the high-pass filter wants it.
    lower: [Vec<f32>; 1],
    canceller: Option<Box<Canceller>>,
    noise: Option<NoiseSuppressor>,
    gain: Option<AudioProcessing>,
}

impl VoiceChain {
    /// With these parts.
    pub fn new(parts: VoiceProcessing) -> Self {
        let mut chain = Self {
            parts: VoiceProcessing::OFF,
            played: PlayedBlocks::default(),
            splitter: Splitter::new(),
            merger: Merger::new(),
            high_pass: HighPassFilter::new(SAMPLE_RATE as i32 / BANDS as i32, 1),
            lower: [vec![0.0; BAND_SAMPLES]],
            canceller: None,
            noise: None,
            gain: None,
        };
        chain.configure(parts);
        chain
    }

    /// Removes the echo, band by band.
    fn cancel(&mut self, samples: &mut Samples16) {
        let Some(canceller) = &mut self.canceller else { return };
        let mut bands = self.splitter.split(samples);
        self.lower[0].copy_from_slice(&bands[0]);
        self.high_pass.process_channels(&mut self.lower);
        bands[0].copy_from_slice(&self.lower[0]);
        for played in self.played.take() {
            canceller.play(&samples16(&played));
        }
        let loudest = samples.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        canceller.cancel(&mut bands, loudest);
        *samples = self.merger.merge(&bands);
    }
}

impl VoiceProcessor for VoiceChain {
    fn configure(&mut self, parts: VoiceProcessing) {
        if parts.echo_cancellation != self.canceller.is_some() {
            self.canceller = parts.echo_cancellation.then(|| Box::new(Canceller::new()));
            self.played = PlayedBlocks::default();
        }
        if parts.noise_suppression != self.noise.is_some() {
            self.noise = parts.noise_suppression.then(NoiseSuppressor::new);
        }
        if parts.automatic_gain != self.gain.is_some() {
            self.gain = parts.automatic_gain.then(new_gain_control);
        }
        self.parts = parts;
    }

    fn played(&mut self, block: &MonoBlock) {
        if self.parts.echo_cancellation {
            self.played.push(block);
        }
    }

    fn process(&mut self, block: &mut MonoBlock) {
        if self.parts == VoiceProcessing::OFF {
            return;
        }
        let mut samples = samples16(block);
        self.cancel(&mut samples);
        if let Some(noise) = &mut self.noise {
            noise.suppress(&mut samples);
        }
        *block = samples.map(|sample| (sample / FULL_SCALE).clamp(-1.0, 1.0));
        if let Some(gain) = &mut self.gain {
            let cleaned = *block;
            if let Err(error) = gain.process_capture_f32(&[&cleaned], &mut [block]) {
                tracing::warn!(%error, "the gain of a block of the microphone was not controlled");
            }
        }
    }

    fn erle_db(&self) -> Option<f32> {
        self.canceller.as_ref().map(|canceller| canceller.erle_db())
    }
}

/// Everything finite: a driver may deliver anything, and one NaN would stay in the filters for ever.
fn samples16(block: &MonoBlock) -> Samples16 {
    block.map(|sample| if sample.is_finite() { sample.clamp(-1.0, 1.0) * FULL_SCALE } else { 0.0 })
}

/// The mean of the squares.
fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32
}

fn new_gain_control() -> AudioProcessing {
    let mut config = Config {
        gain_controller2: Some(GainController2 {
            adaptive_digital: Some(AdaptiveDigital {
                max_gain_db: MAX_GAIN_DB,
                initial_gain_db: INITIAL_GAIN_DB,
                ..AdaptiveDigital::default()
            }),
            ..GainController2::default()
        }),
        ..Config::default()
    };
    // The default of 32 kHz cuts everything above 16 kHz off.
    config.pipeline.maximum_internal_processing_rate = sonora::config::MaxProcessingRate::Rate48kHz;
    let stream = StreamConfig::new(SAMPLE_RATE, 1);
    AudioProcessing::builder().config(config).capture_config(stream).render_config(stream).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use media_core::sim::Rng;

    const ECHO_ONLY: VoiceProcessing =
        VoiceProcessing { echo_cancellation: true, noise_suppression: false, automatic_gain: false };

    /// Noise that comes and goes as syllables do.
    struct Voice {
        rng: Rng,
        low: f32,
        time: u32,
    }

    impl Voice {
        fn new(seed: u64) -> Self {
            Self { rng: Rng::new(seed), low: 0.0, time: 0 }
        }

        fn block(&mut self) -> MonoBlock {
            let mut block = [0.0; SAMPLES_PER_BLOCK];
            for sample in &mut block {
                let phase = self.time as f32 / SAMPLE_RATE as f32 * 4.0 * std::f32::consts::TAU;
                self.low = 0.8 * self.low + 0.2 * (self.rng.unit() as f32 * 2.0 - 1.0);
                *sample = self.low * phase.sin().max(0.0) * 0.6;
                self.time += 1;
            }
            block
        }
    }

    /// A room: what was played comes back late, from many walls.
    struct Echo {
        played: Vec<f32>,
        taps: Vec<(usize, f32)>,
    }

    impl Echo {
        fn new(delay_ms: usize) -> Self {
            let mut rng = Rng::new(7);
            let taps = (0..200).map(|n| {
                let fade = (-(n as f32) / 40.0).exp();
                (delay_ms * 48 + n * 20, (rng.unit() as f32 - 0.5) * 0.4 * fade)
            });
            Self { played: Vec::new(), taps: taps.collect() }
        }

        fn block(&mut self, block: &MonoBlock) -> MonoBlock {
            let from = self.played.len();
            self.played.extend_from_slice(block);
            std::array::from_fn(|n| {
                let heard = self
                    .taps
                    .iter()
                    .filter_map(|(late, gain)| Some(self.played[(from + n).checked_sub(*late)?] * gain));
                heard.sum()
            })
        }
    }

    fn energy(block: &MonoBlock) -> f64 {
        block.iter().map(|sample| f64::from(*sample).powi(2)).sum()
    }

    fn decibel(a: f64, b: f64) -> f64 {
        10.0 * ((a + 1e-12) / (b + 1e-12)).log10()
    }

    /// Echo return loss enhancement between these seconds, and after the echo's delay has jumped.
    fn erle(delays_ms: [usize; 2], jump: u32, measured: std::ops::Range<u32>, end: u32) -> f64 {
        let mut processor = VoiceChain::new(ECHO_ONLY);
        let mut voice = Voice::new(1);
        let [mut before, mut after] = delays_ms.map(Echo::new);
        let (mut echoed, mut left) = (0.0, 0.0);
        for block in 0..end * 100 {
            let played = voice.block();
            processor.played(&played);
            let (early, late) = (before.block(&played), after.block(&played));
            let mut heard = if block < jump * 100 { early } else { late };
            let echo = energy(&heard);
            processor.process(&mut heard);
            if (measured.start * 100..measured.end * 100).contains(&block) {
                echoed += echo;
                left += energy(&heard);
            }
        }
        decibel(echoed, left)
    }

    #[test]
    fn the_echo_of_the_speaker_is_gone_within_two_seconds() {
        for delay in [20, 100, 300] {
            let erle = erle([delay; 2], 0, 2..6, 6);
            assert!(erle > 30.0, "{delay} ms: {erle:.1} dB");
        }
    }

    #[test]
    fn a_delay_that_jumps_is_followed_within_three_seconds() {
        let erle = erle([40, 160], 5, 8..11, 11);
        assert!(erle > 30.0, "{erle:.1} dB");
    }

    #[test]
    fn whoever_talks_while_the_other_does_is_still_heard() {
        let mut processor = VoiceChain::new(ECHO_ONLY);
        let (mut far, mut near, mut room) = (Voice::new(1), Voice::new(2), Echo::new(60));
        let (mut spoken, mut heard) = (0.0, 0.0);
        for block in 0..1_200 {
            let played = far.block();
            processor.played(&played);
            let mut captured = room.block(&played);
            let voice = near.block();
            if block >= 600 {
                captured.iter_mut().zip(voice).for_each(|(sample, own)| *sample += own);
            }
            processor.process(&mut captured);
            if block >= 700 {
                spoken += energy(&voice);
                heard += energy(&captured);
            }
        }
        let loss = decibel(spoken, heard);
        assert!(loss.abs() < 6.0, "{loss:.1} dB");
    }

    #[test]
    fn steady_noise_is_suppressed_and_everything_off_changes_nothing() {
        let mut rng = Rng::new(3);
        // A fan: more of the low than of the high.
        let mut low = 0.0;
        let mut sample = || {
            low = 0.9 * low + 0.1 * (rng.unit() as f32 - 0.5) * 0.06;
            low
        };
        let noise: Vec<MonoBlock> = (0..400).map(|_| std::array::from_fn(|_| sample())).collect();
        for (parts, least, most) in [
            (VoiceProcessing { noise_suppression: true, ..VoiceProcessing::OFF }, 10.0, f64::MAX),
            (VoiceProcessing::OFF, 0.0, 0.0),
        ] {
            let mut processor = VoiceChain::new(parts);
            let (mut before, mut after) = (0.0, 0.0);
            for (number, block) in noise.iter().enumerate() {
                let mut block = *block;
                let energy_before = energy(&block);
                processor.process(&mut block);
                if number >= 200 {
                    before += energy_before;
                    after += energy(&block);
                }
            }
            let removed = decibel(before, after);
            assert!((least..=most).contains(&removed), "{parts:?}: {removed:.1} dB");
        }
    }

    #[test]
    fn a_quiet_voice_is_made_louder_and_a_loud_one_does_not_clip() {
        for (gain, louder) in [(0.03, true), (1.6, false)] {
            let mut processor =
                VoiceChain::new(VoiceProcessing { automatic_gain: true, ..VoiceProcessing::OFF });
            let mut voice = Voice::new(5);
            let (mut before, mut after) = (0.0, 0.0);
            for number in 0..1_500 {
                let mut block = voice.block().map(|sample| sample * gain);
                let energy_before = energy(&block);
                processor.process(&mut block);
                assert!(block.iter().all(|sample| sample.abs() <= 1.0));
                if number >= 1_000 {
                    before += energy_before;
                    after += energy(&block);
                }
            }
            let gained = decibel(after, before);
            // This voice is not one to the voice detector, so it gets the gain from before anybody has spoken.
            assert_eq!(gained > 0.7 * f64::from(INITIAL_GAIN_DB), louder, "{gain}: {gained:.1} dB");
        }
    }

    /// By how much automatic gain raises somebody who talks, in dB, in each quarter of 24 seconds.
    fn gains(loudness: f32) -> [f64; 4] {
        let mut processor = VoiceChain::new(VoiceProcessing { automatic_gain: true, ..VoiceProcessing::OFF });
        let mut talker = acoustics::Talker::new(5);
        std::array::from_fn(|_| {
            let (mut before, mut after) = (0.0, 0.0);
            for _ in 0..600 {
                let mut block = talker.block().map(|sample| sample * loudness);
                before += energy(&block);
                processor.process(&mut block);
                after += energy(&block);
            }
            decibel(after, before)
        })
    }

    #[test]
    fn over_time_the_gain_finds_each_voice_and_stays_there() {
        let (quiet, usual) = (gains(0.1), gains(1.0));
        println!("{quiet:.1?}, {usual:.1?} dB");
        assert!(quiet[3] > 10.0 && quiet[3] < f64::from(MAX_GAIN_DB) + 1.0, "{quiet:.1?}");
        assert!((quiet[3] - quiet[2]).abs() < 3.0, "{quiet:.1?}");
        assert!(usual[3].abs() < 6.0 && (usual[3] - usual[2]).abs() < 2.0, "{usual:.1?}");
    }

    #[test]
    fn whatever_a_driver_delivers_does_no_lasting_harm() {
        let mut processor = VoiceChain::new(VoiceProcessing::default());
        let mut voice = Voice::new(9);
        for bad in [f32::NAN, f32::INFINITY, -1e30, 1e-40] {
            processor.played(&[bad.clamp(-1.0, 1.0); SAMPLES_PER_BLOCK]);
            processor.process(&mut [bad; SAMPLES_PER_BLOCK]);
        }
        let mut last = 0.0;
        for _ in 0..300 {
            let mut block = voice.block();
            processor.process(&mut block);
            assert!(block.iter().all(|sample| sample.is_finite()));
            last += energy(&block);
        }
        assert!(last > 0.1, "{last}");
    }
}
