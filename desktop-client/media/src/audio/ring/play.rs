//! From the audio thread to a speaker's callback.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpal::{FromSample, Sample};
use rtrb::{Consumer, Producer, RingBuffer};

use super::pace::{Findings, Pacer};
use super::{MIN_ROOM, RING_MS, STALL, START_UP, frames, sides};
use crate::audio::block::Block;
use crate::audio::play::Speaker;
use crate::audio::resample::{FromBlocks, RateError};
use crate::event::DeviceError;

/// A device holds at least so many times what one callback gives it.
const PERIODS: u32 = 2;

/// By how much a callback may come later than that: the timers of systems are no finer.
const SLACK: Duration = Duration::from_millis(2);

/// What both sides of the ring see.
#[derive(Debug)]
struct Shared {
    /// Callbacks that found too little.
    underruns: AtomicU64,
    /// Callbacks that came so late that the device's own buffer was empty.
    gaps: AtomicU64,
    /// Callbacks, to see that there are any.
    calls: AtomicU32,
    /// Frames that the worst callback lacked since the audio thread last looked.
    short: AtomicU32,
    /// Fewest frames that were left after a callback since then.
    lowest: AtomicU32,
}

/// The speaker callback's side.
pub struct PlayReader {
    samples: Consumer<f32>,
    sides: usize,
    shared: Arc<Shared>,
    /// Something was played: from then on missing sound counts.
    started: bool,
    rate: u32,
    /// When the last callback was, and how many frames it took.
    last: Option<(Instant, usize)>,
}

impl PlayReader {
    /// Fills interleaved samples: left and right in turn, the same on all channels for mono, and silence where there is nothing.
    pub fn fill<T>(&mut self, data: &mut [T], channels: u16)
    where
        T: Sample + FromSample<f32>,
    {
        let channels = usize::from(channels.max(1));
        let frames = data.len() / channels;
        self.note_time(frames, Instant::now());
        let waiting = self.samples.slots() / self.sides;
        let there = waiting.min(frames);
        self.started |= there > 0;
        self.note(frames - there, waiting - there);
        let Ok(chunk) = self.samples.read_chunk(there * self.sides) else { return };
        let (head, tail) = chunk.as_slices();
        let mut sound = head.iter().chain(tail).map(|sample| T::from_sample(*sample));
        for frame in data.chunks_mut(channels) {
            let left = sound.next().unwrap_or(T::EQUILIBRIUM);
            let right = if self.sides == 2 { sound.next().unwrap_or(T::EQUILIBRIUM) } else { left };
            for pair in frame.chunks_mut(2) {
                pair[0] = left;
                if let Some(other) = pair.get_mut(1) {
                    *other = right;
                }
            }
        }
        chunk.commit_all();
    }

    /// A device that asks for more was filled at the last callback, and is empty when this one is too long after it.
    fn note_time(&mut self, frames: usize, now: Instant) {
        if let Some((last, before)) = self.last.filter(|_| self.started) {
            let period = before.max(frames) as f64 / f64::from(self.rate.max(1));
            let held = Duration::from_secs_f64(period) * PERIODS;
            let late = now.saturating_duration_since(last) > held + SLACK;
            self.shared.gaps.fetch_add(u64::from(late), Ordering::Relaxed);
        }
        self.last = Some((now, frames));
    }

    fn note(&mut self, short: usize, left: usize) {
        self.shared.calls.fetch_add(1, Ordering::Relaxed);
        if self.started {
            self.shared.lowest.fetch_min(left as u32, Ordering::Relaxed);
            self.shared.short.fetch_max(short as u32, Ordering::Relaxed);
            self.shared.underruns.fetch_add(u64::from(short > 0), Ordering::Relaxed);
        }
    }
}

/// A speaker device, seen from the audio thread.
pub struct RingSpeaker {
    name: String,
    samples: Producer<f32>,
    sides: usize,
    /// Mono on its way to two sides.
    doubled: Vec<f32>,
    shared: Arc<Shared>,
    rate: u32,
    pacer: Pacer,
    from_blocks: FromBlocks,
    calls: u32,
    last_call: Instant,
}

/// A ring for a speaker of this rate and so many channels.
pub fn play_ring(
    name: String,
    rate: u32,
    channels: u16,
    now: Instant,
) -> Result<(PlayReader, RingSpeaker), RateError> {
    let from_blocks = FromBlocks::new(rate)?;
    let sides = sides(channels);
    let (samples, consumer) = RingBuffer::new(frames(rate, RING_MS).max(MIN_ROOM) * sides);
    let shared = Arc::new(Shared {
        underruns: AtomicU64::new(0),
        gaps: AtomicU64::new(0),
        calls: AtomicU32::new(0),
        short: AtomicU32::new(0),
        lowest: AtomicU32::new(u32::MAX),
    });
    let reader = PlayReader {
        samples: consumer,
        sides,
        shared: Arc::clone(&shared),
        started: false,
        rate,
        last: None,
    };
    let pacer = Pacer::new(rate, now);
    let speaker = RingSpeaker {
        name,
        samples,
        sides,
        doubled: Vec::new(),
        shared,
        rate,
        pacer,
        from_blocks,
        calls: 0,
        last_call: now + START_UP,
    };
    Ok((reader, speaker))
}

impl RingSpeaker {
    /// What callbacks found since the last call.
    fn findings(&self) -> Findings {
        let short = self.shared.short.swap(0, Ordering::Relaxed);
        let lowest = self.shared.lowest.swap(u32::MAX, Ordering::Relaxed);
        Findings { short, lowest: (lowest != u32::MAX).then_some(lowest) }
    }
}

impl Speaker for RingSpeaker {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn wants_block(&mut self, now: Instant) -> Result<bool, DeviceError> {
        let calls = self.shared.calls.load(Ordering::Relaxed);
        if calls != self.calls {
            (self.calls, self.last_call) = (calls, self.last_call.max(now));
        } else if now.saturating_duration_since(self.last_call) > STALL {
            let reason = "The speaker stopped taking sound.";
            let next_step = "Check that it is plugged in, then press “Try again”.";
            return Err(DeviceError::new(&self.name, reason, next_step));
        }
        self.pacer.observe(self.findings(), now);
        // A full ring is one whose device has paused; what it misses would be stale.
        let room = self.samples.slots() > 2 * frames(self.rate, 10) * self.sides;
        Ok(self.pacer.due(now) && room)
    }

    fn write(&mut self, block: &Block) -> Result<(), DeviceError> {
        let ours = match (block.channels(), self.sides) {
            (1, 1) | (2, 2) => self.from_blocks.convert(block),
            (1, _) => {
                let mono = self.from_blocks.convert(block);
                self.doubled.clear();
                self.doubled.extend(mono.iter().flat_map(|sample| [*sample; 2]));
                &self.doubled
            }
            (_, _) => self.from_blocks.convert(&block.to_mono().into()),
        };
        // `wants_block` made sure that there is room; what does not fit would only be more delay.
        let _ = self.samples.push_partial_slice(ours);
        Ok(())
    }

    fn backlog(&self) -> Duration {
        let waiting = self.samples.buffer().capacity() - self.samples.slots();
        Duration::from_secs_f64((waiting / self.sides) as f64 / f64::from(self.rate.max(1)))
    }

    fn gaps(&self) -> u64 {
        self.shared.gaps.load(Ordering::Relaxed)
    }

    fn underruns(&self) -> u64 {
        self.shared.underruns.load(Ordering::Relaxed) + self.gaps()
    }
}

#[cfg(test)]
mod tests {
    use media_core::frame::{SAMPLE_RATE, SAMPLES_PER_BLOCK};

    use super::super::signal::{largest_step, ms, tone};
    use super::*;
    use crate::audio::block::MonoBlock;

    #[test]
    fn a_speaker_gets_whole_sound_whatever_its_callbacks() {
        for (rate, channels) in [(48_000_u32, 2_u16), (44_100, 1), (96_000, 6), (16_000, 2)] {
            let start = Instant::now();
            let (mut reader, mut speaker) = play_ring("s".into(), rate, channels, start).unwrap();
            let mut heard = Vec::new();
            let mut given = 0;
            let mut owed = 0.0;
            let mut sizes = [64_usize, 441, 480, 1024, 5].iter().cycle().peekable();
            for turn in 0..300 {
                let now = start + ms(10) * turn;
                while speaker.wants_block(now).unwrap() {
                    let block: MonoBlock = std::array::from_fn(|n| tone(given + n, SAMPLE_RATE));
                    speaker.write(&block.into()).unwrap();
                    given += block.len();
                }
                owed += f64::from(rate) / 100.0;
                while let Some(size) = sizes.next_if(|size| **size as f64 <= owed) {
                    owed -= *size as f64;
                    let mut data = vec![9.0_f32; size * usize::from(channels)];
                    reader.fill(&mut data, channels);
                    assert!(
                        data.chunks(usize::from(channels)).all(|frame| frame.iter().all(|s| *s == frame[0]))
                    );
                    heard.extend(data.iter().step_by(usize::from(channels)));
                }
            }
            // Each callback that is larger than all before it may find less than it wants; then the ring has learnt.
            assert!(speaker.underruns() <= 4, "{rate}: {}", speaker.underruns());
            let steady = &heard[heard.len() / 2..];
            let step = largest_step(steady);
            assert!(step < 0.035 * 48_000.0 / rate as f32, "{rate} Hz: {step}");
        }
    }

    #[test]
    fn stereo_comes_out_on_its_sides_and_mono_on_all() {
        for (channels, expected) in
            [(1, vec![0.3]), (2, vec![0.8, -0.2]), (5, vec![0.8, -0.2, 0.8, -0.2, 0.8])]
        {
            let now = Instant::now();
            let (mut reader, mut speaker) = play_ring("s".into(), 48_000, channels, now).unwrap();
            let mut data = vec![0.0_f32; 480 * usize::from(channels)];
            speaker.write(&Block::stereo(|_| 0.8, |_| -0.2)).unwrap();
            speaker.write(&[0.4; SAMPLES_PER_BLOCK].into()).unwrap();
            assert_eq!(speaker.backlog(), ms(20));
            reader.fill(&mut data, channels);
            let near = |frame: &[f32]| frame.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(data.chunks(channels.into()).all(near), "{channels}: {:?}", &data[..6.min(data.len())]);
            reader.fill(&mut data, channels);
            assert!(data.iter().all(|sample| *sample == 0.4));
        }
    }

    #[test]
    fn a_speaker_that_takes_nothing_for_two_seconds_is_lost() {
        let now = Instant::now();
        let (mut reader, mut speaker) = play_ring("Box".into(), 48_000, 2, now).unwrap();
        let now = now + START_UP;
        reader.fill(&mut [0.0_f32; 2 * 480], 2);
        while speaker.wants_block(now).unwrap() {
            speaker.write(&Block::silence()).unwrap();
        }
        assert!(speaker.wants_block(now + ms(1900)).is_ok());
        assert!(speaker.wants_block(now + ms(2500)).is_err());
    }

    #[test]
    fn a_speaker_has_six_seconds_to_begin() {
        let now = Instant::now();
        let (mut reader, mut speaker) = play_ring("Box".into(), 48_000, 2, now).unwrap();
        // Sound servers fill their buffer at once, whatever they do with it.
        reader.fill(&mut [0.0_f32; 2 * 960], 2);
        assert!(speaker.wants_block(now + ms(10)).is_ok());
        assert!(speaker.wants_block(now + ms(5900)).is_ok());
        assert!(speaker.wants_block(now + ms(6100)).is_err());
    }

    #[test]
    fn a_callback_that_comes_after_the_devices_buffer_is_empty_is_a_gap() {
        let now = Instant::now();
        let (mut reader, speaker) = play_ring("s".into(), 48_000, 2, now).unwrap();
        reader.started = true;
        for (at, gaps) in [(0, 0), (10, 0), (21, 0), (44, 1), (54, 1), (200, 2)] {
            reader.note_time(480, now + ms(at));
            assert_eq!(speaker.gaps(), gaps, "{at} ms");
        }
        reader.note_time(4_800, now + ms(390));
        assert_eq!(speaker.underruns(), 2);
    }

    #[test]
    fn integer_speakers_rest_at_their_middle() {
        let now = Instant::now();
        let (mut reader, mut speaker) = play_ring("s".into(), 48_000, 2, now).unwrap();
        let mut data = [0_u8; 64];
        reader.fill(&mut data, 2);
        assert_eq!(data, [128; 64]);
        speaker.write(&[1.0; SAMPLES_PER_BLOCK].into()).unwrap();
        let mut data = [0_i16; 64];
        reader.fill(&mut data, 2);
        assert_eq!(data, [i16::MAX; 64]);
    }
}
