//! Rooms, loudspeakers and voices to test voice processing with.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use media_core::frame::SAMPLES_PER_BLOCK;
use media_core::sim::Rng;
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::SAMPLE_RATE;
use crate::audio::block::MonoBlock;

/// Rooms there are responses of: see `fixtures/rooms/make.py`.
pub const ROOMS: [&str; 4] = ["office", "living", "meeting", "laptop"];

/// What a loudspeaker makes of what is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudspeaker {
    /// Exactly that.
    Linear,
    /// A small one that is loud: peaks of a voice are rounded off, by 3 dB at half of full scale.
    Soft,
}

impl Loudspeaker {
    fn sound(self, sample: f32) -> f32 {
        const DRIVE: f32 = 2.8;
        match self {
            Self::Linear => sample,
            Self::Soft => (DRIVE * sample).tanh() / DRIVE,
        }
    }
}

/// A way from what is played to the microphone.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// One of [`ROOMS`].
    pub room: &'static str,
    /// What plays there.
    pub loudspeaker: Loudspeaker,
    /// What devices and their buffers take, in milliseconds.
    pub delay_ms: u32,
    /// From this second on they take this many instead.
    pub jump: Option<(u32, u32)>,
    /// By how much faster the loudspeaker's clock is than the microphone's, in millionths.
    pub drift_ppm: f64,
    /// Level of what else is heard, steadily, in dB relative to full scale.
    pub noise_dbfs: Option<f32>,
}

impl Way {
    /// Nothing but a room, with a delay that all devices have.
    pub fn of(room: &'static str) -> Self {
        Self {
            room,
            loudspeaker: Loudspeaker::Linear,
            delay_ms: 40,
            jump: None,
            drift_ppm: 0.0,
            noise_dbfs: None,
        }
    }
}

/// What a microphone hears of a loudspeaker.
pub struct Echo {
    way: Way,
    room: Convolution,
    /// What would be heard without delay, by the loudspeaker's clock.
    heard: Vec<f32>,
    rng: Rng,
}

impl Echo {
    /// Before anything is played.
    pub fn new(way: Way) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/rooms/{}.wav", way.room));
        let reader = hound::WavReader::open(path).unwrap();
        let samples = reader.into_samples::<i16>();
        let response: Vec<f32> = samples.map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect();
        Self { way, room: Convolution::new(&response), heard: Vec::new(), rng: Rng::new(17) }
    }

    /// Plays a block; what the microphone hears meanwhile.
    pub fn block(&mut self, block: &MonoBlock) -> MonoBlock {
        let at = self.heard.len();
        let sound = block.map(|sample| self.way.loudspeaker.sound(sample));
        self.heard.extend_from_slice(&self.room.block(&sound));
        let noise = self.way.noise_dbfs.map_or(0.0, |level| 10_f32.powf(level / 20.0));
        std::array::from_fn(|n| {
            // Uniform noise has a third of its peak's power.
            let beside = noise * 3_f32.sqrt() * (self.rng.unit() as f32 * 2.0 - 1.0);
            self.at(at + n) + beside
        })
    }

    /// What is heard at this sample of the microphone.
    fn at(&self, sample: usize) -> f32 {
        let delay_ms = match self.way.jump {
            Some((second, delay)) if sample >= (second * SAMPLE_RATE) as usize => delay,
            _ => self.way.delay_ms,
        };
        let delay = f64::from(delay_ms * SAMPLE_RATE / 1_000);
        let place = sample as f64 * (1.0 + self.way.drift_ppm * 1e-6) - delay;
        if place < 1.0 {
            return 0.0;
        }
        // Catmull and Rom 1974; exact where the clocks agree.
        let (first, t) = (place as usize, place.fract() as f32);
        let around = |offset: usize| self.heard.get(first + offset - 1).copied().unwrap_or_default();
        let [a, b, c, d] = [0, 1, 2, 3].map(around);
        let slopes = ((c - a) / 2.0, (d - b) / 2.0);
        let (two, three) = (3.0 * (c - b) - 2.0 * slopes.0 - slopes.1, 2.0 * (b - c) + slopes.0 + slopes.1);
        b + t * (slopes.0 + t * (two + t * three))
    }
}

/// Convolution with a long response, block by block in the frequency domain (Stockham 1966, with the response cut into blocks too).
struct Convolution {
    forward: Arc<dyn RealToComplex<f32>>,
    back: Arc<dyn ComplexToReal<f32>>,
    /// Spectra of the parts of the response.
    parts: Vec<Vec<Complex<f32>>>,
    /// Spectra of the newest blocks, the newest first, each with the one before it.
    past: VecDeque<Vec<Complex<f32>>>,
    last: MonoBlock,
}

impl Convolution {
    fn new(response: &[f32]) -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(2 * SAMPLES_PER_BLOCK);
        let back = planner.plan_fft_inverse(2 * SAMPLES_PER_BLOCK);
        let spectrum = |part: &[f32]| {
            let mut padded = forward.make_input_vec();
            padded[..part.len()].copy_from_slice(part);
            let mut spectrum = forward.make_output_vec();
            forward.process(&mut padded, &mut spectrum).unwrap();
            spectrum
        };
        let parts: Vec<_> = response.chunks(SAMPLES_PER_BLOCK).map(spectrum).collect();
        let past = parts.iter().map(|_| forward.make_output_vec()).collect();
        Self { forward, back, parts, past, last: [0.0; SAMPLES_PER_BLOCK] }
    }

    fn block(&mut self, block: &MonoBlock) -> MonoBlock {
        let mut both = [std::mem::replace(&mut self.last, *block), *block].concat();
        let mut spectrum = self.past.pop_back().unwrap();
        self.forward.process(&mut both, &mut spectrum).unwrap();
        self.past.push_front(spectrum);
        let mut sum = self.forward.make_output_vec();
        for (part, sound) in self.parts.iter().zip(&self.past) {
            for ((sum, a), b) in sum.iter_mut().zip(part).zip(sound) {
                *sum += a * b;
            }
        }
        self.back.process(&mut sum, &mut both).unwrap();
        // The first half has what runs over from before.
        std::array::from_fn(|n| both[SAMPLES_PER_BLOCK + n] / both.len() as f32)
    }
}

/// Somebody who talks: vowels of a pulsing glottis through four formants (Klatt 1980), now and then a sibilant, and a breath after some words.
pub struct Talker {
    rng: Rng,
    pitch: f32,
    phase: f32,
    formants: [Formant; 4],
    kind: Syllable,
    /// Samples of the syllable that are over, and its length.
    time: (u32, u32),
    last: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syllable {
    Vowel,
    Sibilant,
    Pause,
}

/// A resonance.
#[derive(Debug, Clone, Copy, Default)]
struct Formant {
    a: f32,
    b: f32,
    c: f32,
    past: [f32; 2],
}

/// First, second and third formant of vowels, in Hz (Peterson and Barney 1952, men).
const VOWELS: [[f32; 3]; 6] = [
    [270.0, 2_290.0, 3_010.0],
    [530.0, 1_840.0, 2_480.0],
    [730.0, 1_090.0, 2_440.0],
    [570.0, 840.0, 2_410.0],
    [300.0, 870.0, 2_240.0],
    [490.0, 1_350.0, 1_690.0],
];

impl Formant {
    fn tune(&mut self, hz: f32, width: f32) {
        let step = 1.0 / SAMPLE_RATE as f32;
        let r = (-std::f32::consts::PI * width * step).exp();
        self.c = -r * r;
        self.b = 2.0 * r * (std::f32::consts::TAU * hz * step).cos();
        self.a = 1.0 - self.b - self.c;
    }

    fn pass(&mut self, sample: f32) -> f32 {
        let out = self.a * sample + self.b * self.past[0] + self.c * self.past[1];
        self.past = [out, self.past[0]];
        out
    }
}

impl Talker {
    /// Whoever it is says other words in another voice.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let pitch = 100.0 + 110.0 * rng.unit() as f32;
        let mut talker = Self {
            rng,
            pitch,
            phase: 0.0,
            formants: [Formant::default(); 4],
            kind: Syllable::Pause,
            time: (0, 0),
            last: 0.0,
        };
        talker.next_syllable();
        talker
    }

    /// The next 10 ms.
    pub fn block(&mut self) -> MonoBlock {
        std::array::from_fn(|_| self.sample())
    }

    fn sample(&mut self) -> f32 {
        if self.time.0 == self.time.1 {
            self.next_syllable();
        }
        let share = self.time.0 as f32 / self.time.1 as f32;
        self.time.0 += 1;
        let envelope = (share * std::f32::consts::PI).sin().sqrt();
        let noise = self.rng.unit() as f32 * 2.0 - 1.0;
        match self.kind {
            Syllable::Pause => 0.0,
            // Noise of the upper octaves.
            Syllable::Sibilant => 0.06 * envelope * (noise - std::mem::replace(&mut self.last, noise)),
            Syllable::Vowel => {
                // The pitch falls over a syllable.
                self.phase += self.pitch * (1.1 - 0.2 * share) / SAMPLE_RATE as f32;
                let pulse = if self.phase >= 1.0 { 40.0 } else { 0.0 };
                self.phase = self.phase.fract();
                let source = pulse + 0.3 * noise;
                let sound = self.formants.iter_mut().fold(source, |sound, formant| formant.pass(sound));
                // Limited as a microphone's is.
                (0.2 * envelope * sound).tanh() * 0.6
            }
        }
    }

    fn next_syllable(&mut self) {
        let chance = self.rng.unit();
        self.kind = match self.kind {
            Syllable::Vowel if chance < 0.15 => Syllable::Pause,
            Syllable::Vowel if chance < 0.4 => Syllable::Sibilant,
            _ => Syllable::Vowel,
        };
        let milliseconds = match self.kind {
            Syllable::Vowel => 120.0 + 140.0 * self.rng.unit(),
            Syllable::Sibilant => 60.0 + 60.0 * self.rng.unit(),
            Syllable::Pause => 150.0 + 300.0 * self.rng.unit(),
        };
        self.time = (0, (milliseconds * f64::from(SAMPLE_RATE) / 1_000.0) as u32);
        let [first, second, third] = VOWELS[(self.rng.unit() * VOWELS.len() as f64) as usize];
        let tuning = [(first, 70.0), (second, 100.0), (third, 150.0), (3_500.0, 250.0)];
        for (formant, (hz, width)) in self.formants.iter_mut().zip(tuning) {
            formant.tune(hz, width);
        }
    }
}

/// The sum of the squares.
pub fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

/// The ratio of two energies.
pub fn decibel(a: f64, b: f64) -> f64 {
    10.0 * ((a + 1e-12) / (b + 1e-12)).log10()
}

/// The level of sound, in dB relative to full scale.
pub fn level(samples: &[f32]) -> f64 {
    decibel(energy(samples), samples.len() as f64)
}

#[test]
fn a_talker_is_as_loud_as_people_are_and_a_room_is_as_loud_as_it_says() {
    for seed in 1..5 {
        let mut talker = Talker::new(seed);
        let voice: Vec<f32> = (0..1_000).flat_map(|_| talker.block()).collect();
        let peak = voice.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!(
            (-30.0..-15.0).contains(&level(&voice)) && peak <= 0.6,
            "{seed}: {} dB, {peak}",
            level(&voice)
        );
    }
    for (room, energy_db) in ROOMS.into_iter().zip([-8.0, -12.0, -10.0, 0.0]) {
        let mut echo = Echo::new(Way::of(room));
        let mut pulse = [0.0; SAMPLES_PER_BLOCK];
        pulse[0] = 1.0;
        let mut heard = echo.block(&pulse).to_vec();
        (0..60).for_each(|_| heard.extend(echo.block(&[0.0; SAMPLES_PER_BLOCK])));
        assert!((decibel(energy(&heard), 1.0) - energy_db).abs() < 0.5, "{room}");
        let first = heard.iter().position(|sample| sample.abs() > 0.01).unwrap();
        assert!((1_900..2_000).contains(&first), "{room}: {first}");
    }
}
