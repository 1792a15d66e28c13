//! Which noise suppressor leaves more of a voice: `cargo run --release --package call-media --example noise -- SPEECH.wav FOLDER`.
//!
//! Adds noises to speech (mono, 48 kHz, 16 bits) and writes what is left of it without a suppressor, with WebRTC's (`sonora`) and with RNNoise (`nnnoiseless`), for
//! `e2e/python/score.py SPEECH.wav FOLDER/….wav` to compare with what was said. Prints the CPU-seconds per minute of each.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and may panic when it cannot go on"
)]

use std::path::Path;
use std::time::Instant;

use media_core::frame::{SAMPLE_RATE, SAMPLES_PER_BLOCK};
use media_core::sim::Rng;
use nnnoiseless::DenoiseState;
use sonora::config::{MaxProcessingRate, NoiseSuppression, NoiseSuppressionLevel};
use sonora::{AudioProcessing, Config, StreamConfig};

/// How much louder than the noise the speech is, in dB.
const RATIOS: [f32; 3] = [20.0, 10.0, 5.0];

/// What 1.0 is in 16 bit samples.
const FULL_SCALE: f32 = 32_768.0;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (speech, folder) = (arguments.next().unwrap(), arguments.next().unwrap());
    let speech = read(Path::new(&speech));
    let minutes = speech.len() as f64 / f64::from(SAMPLE_RATE) / 60.0;
    for (name, noise) in noises(&speech) {
        for ratio in RATIOS {
            let gain = level(&speech) / level(&noise) * 10_f32.powf(-ratio / 20.0);
            let noisy: Vec<f32> =
                speech.iter().zip(&noise).map(|(voice, noise)| voice + gain * noise).collect();
            for (suppressor, suppress) in SUPPRESSORS {
                let start = Instant::now();
                let left = suppress(&noisy);
                let cost = start.elapsed().as_secs_f64() / minutes;
                write(&Path::new(&folder).join(format!("{name}-{ratio}-{suppressor}.wav")), &left);
                println!("{name}, {ratio} dB, {suppressor}: {cost:.2} CPU-s per minute");
            }
        }
    }
}

type Suppress = fn(&[f32]) -> Vec<f32>;

const SUPPRESSORS: [(&str, Suppress); 3] =
    [("none", <[f32]>::to_vec), ("sonora", with_sonora), ("nnnoiseless", with_nnnoiseless)];

fn with_sonora(noisy: &[f32]) -> Vec<f32> {
    let level = NoiseSuppressionLevel::High;
    let noise_suppression = Some(NoiseSuppression { level, ..NoiseSuppression::default() });
    let mut config = Config { noise_suppression, ..Config::default() };
    config.pipeline.maximum_internal_processing_rate = MaxProcessingRate::Rate48kHz;
    let stream = StreamConfig::new(SAMPLE_RATE, 1);
    let mut processing =
        AudioProcessing::builder().config(config).capture_config(stream).render_config(stream).build();
    let mut left = vec![0.0; noisy.len() / SAMPLES_PER_BLOCK * SAMPLES_PER_BLOCK];
    for (block, out) in noisy.chunks(SAMPLES_PER_BLOCK).zip(left.chunks_mut(SAMPLES_PER_BLOCK)) {
        processing.process_capture_f32(&[block], &mut [out]).unwrap();
    }
    left
}

fn with_nnnoiseless(noisy: &[f32]) -> Vec<f32> {
    let mut state = DenoiseState::new();
    let mut left = Vec::new();
    for block in noisy.chunks_exact(SAMPLES_PER_BLOCK) {
        let block: Vec<f32> = block.iter().map(|sample| sample * FULL_SCALE).collect();
        let mut out = [0.0; SAMPLES_PER_BLOCK];
        state.process_frame(&mut out, &block);
        left.extend(out.map(|sample| sample / FULL_SCALE));
    }
    left
}

/// A fan, hiss, a keyboard, and others who talk, each as long as the speech.
fn noises(speech: &[f32]) -> [(&'static str, Vec<f32>); 4] {
    let mut rng = Rng::new(1);
    let mut white = || rng.unit() as f32 * 2.0 - 1.0;
    let mut low = 0.0;
    let fan = speech.iter().map(|_| {
        low = 0.97 * low + 0.03 * white();
        low + 0.02 * white()
    });
    let fan = fan.collect();
    let hiss = speech.iter().map(|_| white()).collect();
    let mut key = 0.0;
    let keys = (0..speech.len()).map(|n| {
        key = if n % 7_919 == 0 { 1.0 } else { key * 0.998 };
        key * white()
    });
    let keys = keys.collect();
    let others = (0..speech.len()).map(|n| {
        let talks = |number: usize| speech[(n * (97 + number) / 100 + number * 213_000) % speech.len()];
        (1..6).map(talks).sum()
    });
    [("fan", fan), ("hiss", hiss), ("keys", keys), ("others", others.collect())]
}

fn level(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}

fn read(path: &Path) -> Vec<f32> {
    let reader = hound::WavReader::open(path).unwrap();
    assert_eq!(
        (reader.spec().sample_rate, reader.spec().channels),
        (SAMPLE_RATE, 1),
        "mono of 48 kHz is wanted"
    );
    reader.into_samples::<i16>().map(|sample| f32::from(sample.unwrap()) / FULL_SCALE).collect()
}

fn write(path: &Path, samples: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16).unwrap();
    }
    writer.finalize().unwrap();
}
