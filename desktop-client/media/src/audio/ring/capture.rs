//! From a microphone's callback to the audio thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpal::FromSample;
use rtrb::{Consumer, Producer, RingBuffer};

use super::{MIN_ROOM, RING_MS, STALL, START_UP, frames, sides};
use crate::audio::block::Block;
use crate::audio::capture::Microphone;
use crate::audio::resample::{RateError, ToBlocks};
use crate::event::DeviceError;

/// The audio thread comes every 10 ms.
const TURN_MS: u32 = 10;

/// What both sides of the ring see.
#[derive(Debug)]
struct Shared {
    opened: Instant,
    /// When the last callback was, in microseconds since then; 0 before the first.
    delivered: AtomicU64,
    /// Callbacks that found the ring full, and times that the audio thread came too late.
    overruns: AtomicU64,
    /// Frames of the largest callback since the audio thread last looked.
    largest: AtomicU32,
    /// The sides are the first two channels; otherwise both are the mean of all.
    stereo: AtomicBool,
}

impl Shared {
    fn new(opened: Instant) -> Self {
        Self {
            opened,
            delivered: AtomicU64::new(0),
            overruns: AtomicU64::new(0),
            largest: AtomicU32::new(0),
            stereo: AtomicBool::new(false),
        }
    }

    fn note_delivery(&self) {
        let micros = self.opened.elapsed().as_micros().max(1);
        self.delivered.store(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// The largest callback of the last seconds.
struct CallbackSize {
    previous: u32,
    current: u32,
    since: Instant,
}

impl CallbackSize {
    fn new(now: Instant) -> Self {
        Self { previous: 0, current: 0, since: now }
    }

    /// Frames; large callbacks are remembered for 5 to 10 seconds.
    fn update(&mut self, shared: &Shared, now: Instant) -> u32 {
        if now.saturating_duration_since(self.since) > Duration::from_secs(5) {
            (self.previous, self.current, self.since) = (self.current, 0, now);
        }
        self.current = self.current.max(shared.largest.swap(0, Ordering::Relaxed));
        self.current.max(self.previous)
    }
}

/// The microphone callback's side.
pub struct CaptureWriter {
    samples: Producer<f32>,
    sides: usize,
    shared: Arc<Shared>,
}

impl CaptureWriter {
    /// Passes interleaved samples on: their mean, or the first two channels.
    pub fn write<T>(&mut self, data: &[T], channels: u16)
    where
        T: Copy,
        f32: FromSample<T>,
    {
        let channels = usize::from(channels.max(1));
        let frames = data.len() / channels;
        self.shared.largest.fetch_max(frames as u32, Ordering::Relaxed);
        let room = (self.samples.slots() / self.sides).min(frames);
        if room < frames {
            self.shared.overruns.fetch_add(1, Ordering::Relaxed);
        }
        let Ok(chunk) = self.samples.write_chunk_uninit(room * self.sides) else { return };
        let gain = 1.0 / channels as f32;
        // Not a number (a broken driver) is silence.
        let clean = |sample: f32| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        let (sides, stereo) = (self.sides, self.shared.stereo.load(Ordering::Relaxed));
        let frames = data.chunks_exact(channels).flat_map(|frame| {
            let both = match frame {
                [left, right, ..] if stereo => [*left, *right].map(|side| clean(f32::from_sample_(side))),
                _ => {
                    let sum: f32 = frame.iter().map(|sample| f32::from_sample_(*sample)).sum();
                    [clean(sum * gain); 2]
                }
            };
            both.into_iter().take(sides)
        });
        chunk.fill_from_iter(frames);
        self.shared.note_delivery();
    }
}

/// A microphone device, seen from the audio thread.
pub struct RingMicrophone {
    name: String,
    samples: Consumer<f32>,
    sides: usize,
    shared: Arc<Shared>,
    rate: u32,
    callbacks: CallbackSize,
    to_blocks: ToBlocks,
    scratch: Vec<f32>,
    last_data: Instant,
}

/// A ring for a microphone of this rate and so many channels.
pub fn capture_ring(
    name: String,
    rate: u32,
    channels: u16,
    now: Instant,
) -> Result<(CaptureWriter, RingMicrophone), RateError> {
    let to_blocks = ToBlocks::new(rate)?;
    let sides = sides(channels);
    let (producer, samples) = RingBuffer::new(frames(rate, RING_MS).max(MIN_ROOM) * sides);
    let shared = Arc::new(Shared::new(now));
    let microphone = RingMicrophone {
        name,
        samples,
        sides,
        shared: Arc::clone(&shared),
        rate,
        callbacks: CallbackSize::new(now),
        to_blocks,
        scratch: Vec::new(),
        last_data: now + START_UP,
    };
    Ok((CaptureWriter { samples: producer, sides, shared }, microphone))
}

impl RingMicrophone {
    /// Drops the oldest sound when more waits than the device's own rhythm explains, so that a hiccup of ours does not stay as delay.
    fn shed(&mut self, waiting: usize, now: Instant) -> usize {
        let callback = self.callbacks.update(&self.shared, now) as usize;
        let most = 2 * callback + frames(self.rate, 4 * TURN_MS);
        let excess = waiting.saturating_sub(most);
        if excess == 0 {
            return waiting;
        }
        self.shared.overruns.fetch_add(1, Ordering::Relaxed);
        if let Ok(chunk) = self.samples.read_chunk(excess * self.sides) {
            chunk.commit_all();
        }
        waiting - excess
    }
}

impl Microphone for RingMicrophone {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn allow_stereo(&mut self, allowed: bool) {
        let stereo = allowed && self.sides == 2;
        self.shared.stereo.store(stereo, Ordering::Relaxed);
        self.to_blocks.set_channels(if stereo { 2 } else { 1 });
    }

    fn read(&mut self, now: Instant, block: &mut Block) -> Result<bool, DeviceError> {
        let needed = self.to_blocks.needed();
        let waiting = self.samples.slots() / self.sides;
        if waiting < needed {
            if now.saturating_duration_since(self.last_data) > STALL {
                let reason = "The microphone stopped delivering sound.";
                return Err(DeviceError::new(
                    &self.name,
                    reason,
                    "Check that it is plugged in, then press “Try again”.",
                ));
            }
            return Ok(false);
        }
        self.last_data = self.last_data.max(now);
        self.shed(waiting, now);
        self.scratch.clear();
        if let Ok(chunk) = self.samples.read_chunk(needed * self.sides) {
            self.scratch.extend(chunk.into_iter().step_by(self.sides / self.to_blocks.channels()));
        }
        self.to_blocks.convert(&self.scratch, block);
        Ok(true)
    }

    fn delivered(&self) -> Option<Instant> {
        let micros = self.shared.delivered.load(Ordering::Relaxed);
        (micros > 0).then(|| self.shared.opened + Duration::from_micros(micros))
    }

    fn overruns(&self) -> u64 {
        self.shared.overruns.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use media_core::frame::{SAMPLE_RATE, SAMPLES_PER_BLOCK};

    use super::super::signal::{largest_step, ms, tone};
    use super::*;

    /// Callback sizes as real systems deliver them, 5 to 8056 frames.
    const SIZES: [usize; 9] = [5, 480, 441, 8056, 1, 1024, 479, 2048, 37];

    #[test]
    fn sound_is_whole_whatever_the_callback_sizes_and_channels() {
        for (rate, channels) in [(48_000, 1), (48_000, 8), (44_100, 2), (8_000, 3), (96_000, 6)] {
            let mut now = Instant::now();
            let (mut writer, mut microphone) = capture_ring("m".into(), rate, channels, now).unwrap();
            let mut sound = Vec::new();
            let mut written = 0;
            for size in SIZES.iter().cycle().take(60) {
                let data: Vec<f32> = (written..written + size)
                    .flat_map(|n| std::iter::repeat_n(tone(n, rate), usize::from(channels)))
                    .collect();
                writer.write(&data, channels);
                written += size;
                now += Duration::from_secs_f64(*size as f64 / f64::from(rate));
                let mut block = Block::silence();
                while microphone.read(now, &mut block).unwrap() {
                    sound.extend_from_slice(block.samples());
                }
            }
            assert_eq!(microphone.overruns(), 0);
            let expected = written * SAMPLE_RATE as usize / rate as usize;
            assert!(sound.len() + 2 * SAMPLES_PER_BLOCK > expected, "{rate}: {} of {expected}", sound.len());
            assert!(largest_step(&sound[SAMPLES_PER_BLOCK..]) < 0.035, "{rate} Hz, {channels} channels");
        }
    }

    #[test]
    fn the_sides_stay_apart_while_stereo_is_allowed() {
        for (rate, channels) in [(48_000, 1), (48_000, 2), (44_100, 2), (48_000, 8)] {
            let now = Instant::now();
            let (mut writer, mut microphone) = capture_ring("m".into(), rate, channels, now).unwrap();
            let frame: Vec<f32> =
                [0.5, -0.3].into_iter().chain(std::iter::repeat(0.0)).take(channels.into()).collect();
            for allowed in [false, true, false] {
                microphone.allow_stereo(allowed);
                writer.write(&frame.repeat(9_600), channels);
                let mut block = Block::silence();
                while microphone.read(now, &mut block).unwrap() {}
                assert_eq!(block.channels() == 2, allowed && channels > 1);
                let mean = frame.iter().sum::<f32>() / f32::from(channels);
                let expected = if block.channels() == 2 { [0.5, -0.3] } else { [mean; 2] };
                let near = |pair: [f32; 2]| (0..2).all(|side| (pair[side] - expected[side]).abs() < 0.01);
                assert!(block.pairs().all(near), "{rate} Hz, {channels}: {:?}", block.pairs().next());
            }
        }
    }

    #[test]
    fn integer_formats_keep_their_level() {
        let now = Instant::now();
        let (mut writer, mut microphone) = capture_ring("m".into(), 48_000, 2, now).unwrap();
        writer.write(&[i16::MAX / 2; 480], 1);
        writer.write(&[192_u8; 960], 2);
        let mut block = Block::silence();
        for _ in 0..2 {
            assert!(microphone.read(now, &mut block).unwrap());
            assert!(block.samples().iter().all(|s| (s - 0.5).abs() < 0.01), "{:?}", &block.samples()[..4]);
        }
    }

    #[test]
    fn what_is_no_number_is_silence_and_what_is_too_loud_is_limited() {
        let now = Instant::now();
        let (mut writer, mut microphone) = capture_ring("m".into(), 48_000, 2, now).unwrap();
        let mut data = [f32::NAN; 480];
        data[1] = f32::INFINITY;
        data[2] = -1e30;
        writer.write(&data, 1);
        let mut block = Block::silence();
        assert!(microphone.read(now, &mut block).unwrap());
        assert_eq!(block.samples()[..4], [0.0, 0.0, -1.0, 0.0]);
    }

    #[test]
    fn sound_that_nobody_took_does_not_stay_as_delay() {
        let now = Instant::now();
        let (mut writer, mut microphone) = capture_ring("m".into(), 48_000, 2, now).unwrap();
        for _ in 0..100 {
            writer.write(&[0.1_f32; 480], 1);
        }
        let mut block = Block::silence();
        let mut blocks = 0;
        while microphone.read(now, &mut block).unwrap() {
            blocks += 1;
        }
        assert!(blocks <= 6, "{blocks} blocks of delay");
        assert!(microphone.overruns() > 0);
    }

    #[test]
    fn a_microphone_that_falls_silent_for_two_seconds_is_lost() {
        let now = Instant::now();
        let (mut writer, mut microphone) = capture_ring("Mic 7".into(), 48_000, 2, now).unwrap();
        let (mut block, now) = (Block::silence(), now + START_UP);
        writer.write(&[0.1_f32; 2 * 480], 2);
        assert_eq!(microphone.read(now, &mut block), Ok(true));
        assert_eq!(microphone.read(now + ms(1999), &mut block), Ok(false));
        let error = microphone.read(now + ms(2001), &mut block).unwrap_err();
        assert!(error.to_string().starts_with("Mic 7: "), "{error}");
    }

    #[test]
    fn a_microphone_has_six_seconds_to_begin() {
        let now = Instant::now();
        let (mut writer, mut microphone) = capture_ring("Mic 7".into(), 48_000, 2, now).unwrap();
        let mut block = Block::silence();
        writer.write(&[0.1_f32; 2 * 480], 2);
        assert_eq!(microphone.read(now, &mut block), Ok(true));
        assert_eq!(microphone.read(now + ms(5999), &mut block), Ok(false));
        assert!(microphone.read(now + ms(6001), &mut block).is_err());
    }
}
