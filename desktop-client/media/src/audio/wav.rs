//! Wav files: a clip as a microphone, and a recording as a speaker.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::time::Instant;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use media_core::frame::{SAMPLE_RATE, SAMPLES_PER_BLOCK};

use super::block::Block;
use super::capture::Microphone;
use super::play::Speaker;
use super::resample::ToBlocks;
use crate::event::DeviceError;

/// Most channels that a clip may have.
const MAX_CHANNELS: u16 = 64;

/// Samples that a wav file can hold (its length is 32 bits), with room for the header.
const MAX_RECORDED_SAMPLES: u64 = (u32::MAX as u64 - 4096) / 2;

/// A clip, repeated: mixed down to mono, or its first two channels.
pub struct WavClip {
    name: String,
    reader: WavReader<BufReader<File>>,
    spec: WavSpec,
    to_blocks: ToBlocks,
    samples: Vec<f32>,
}

impl WavClip {
    /// Opens a clip and makes sure that all of it is there.
    pub fn open(path: &Path) -> Result<Self, DeviceError> {
        let name = path.display().to_string();
        let fail = |reason: String| clip_error(&name, &reason);
        let mut reader = WavReader::open(path).map_err(|error| fail(describe(&error)))?;
        let spec = reader.spec();
        if spec.channels > MAX_CHANNELS {
            return Err(fail(format!("It has {} channels; {MAX_CHANNELS} are the most.", spec.channels)));
        }
        let to_blocks = ToBlocks::new(spec.sample_rate).map_err(|error| fail(format!("It has {error}.")))?;
        if reader.duration() == 0 {
            return Err(fail("It holds no sound.".to_owned()));
        }
        // The last frame is there only if the file is whole.
        let mut last = Vec::new();
        let whole = reader.seek(reader.duration() - 1).is_ok() && read_frame(&mut reader, spec, 1, &mut last);
        if !whole || reader.seek(0).is_err() {
            return Err(fail("It is cut short: its header promises more sound than there is.".to_owned()));
        }
        Ok(Self { name, reader, spec, to_blocks, samples: Vec::new() })
    }
}

impl Microphone for WavClip {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn keeps_time(&self) -> bool {
        false
    }

    fn allow_stereo(&mut self, allowed: bool) {
        self.to_blocks.set_channels(if allowed && self.spec.channels > 1 { 2 } else { 1 });
    }

    fn read(&mut self, _now: Instant, block: &mut Block) -> Result<bool, DeviceError> {
        self.samples.clear();
        let channels = self.to_blocks.channels();
        let needed = self.to_blocks.needed() * channels;
        let mut rewound = false;
        while self.samples.len() < needed {
            if read_frame(&mut self.reader, self.spec, channels, &mut self.samples) {
                rewound = false;
            } else if rewound || self.reader.seek(0).is_err() {
                return Err(clip_error(&self.name, "It could be read at first, but not any more."));
            } else {
                rewound = true;
            }
        }
        self.to_blocks.convert(&self.samples, block);
        Ok(true)
    }
}

/// Reads one sample of each channel and appends their mean, or the first two.
fn read_frame(
    reader: &mut WavReader<BufReader<File>>,
    spec: WavSpec,
    channels: usize,
    samples: &mut Vec<f32>,
) -> bool {
    let (mut sum, mut sides) = (0.0, [0.0; 2]);
    for channel in 0..usize::from(spec.channels) {
        let sample = match spec.sample_format {
            SampleFormat::Float => reader.samples::<f32>().next().and_then(Result::ok),
            SampleFormat::Int => {
                let scale = 1.0 / (1_u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
                reader.samples::<i32>().next().and_then(Result::ok).map(|sample| sample as f32 * scale)
            }
        };
        match sample {
            Some(sample) if sample.is_finite() => {
                sum += sample;
                if let Some(side) = sides.get_mut(channel) {
                    *side = sample.clamp(-1.0, 1.0);
                }
            }
            Some(_) => {}
            None => return false,
        }
    }
    if channels == 2 {
        samples.extend(sides);
    } else {
        samples.push((sum / f32::from(spec.channels)).clamp(-1.0, 1.0));
    }
    true
}

/// Records the mix, 48 kHz 16 bit: in mono, or in stereo, where what is mono is on both channels.
pub struct WavRecorder {
    name: String,
    channels: u16,
    /// `None` after an error, so that no second one comes from closing the file.
    writer: Option<WavWriter<BufWriter<File>>>,
    /// The block that is written.
    sound: Vec<f32>,
    samples: u64,
}

impl WavRecorder {
    /// Creates or replaces a file of one or two channels.
    pub fn create(path: &Path, channels: u16) -> Result<Self, DeviceError> {
        let name = path.display().to_string();
        let spec = WavSpec {
            channels,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let writer =
            WavWriter::create(path, spec).map_err(|error| recording_error(&name, &describe(&error)))?;
        Ok(Self { name, channels, writer: Some(writer), sound: Vec::new(), samples: 0 })
    }

    fn fail(&mut self, reason: &str) -> DeviceError {
        self.writer = None;
        recording_error(&self.name, reason)
    }
}

impl Speaker for WavRecorder {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn keeps_time(&self) -> bool {
        false
    }

    fn wants_block(&mut self, _now: Instant) -> Result<bool, DeviceError> {
        Ok(true)
    }

    fn write(&mut self, block: &Block) -> Result<(), DeviceError> {
        let length = u64::from(self.channels) * SAMPLES_PER_BLOCK as u64;
        if self.samples + length > MAX_RECORDED_SAMPLES {
            return Err(self.fail("A wav file can hold no more than 4 GiB, which it does now."));
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let mut result = Ok(());
        self.sound.clear();
        block.append_to(&mut self.sound, self.channels.into());
        for sample in &self.sound {
            result = result
                .and_then(|()| writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16));
        }
        let second = u64::from(self.channels) * u64::from(SAMPLE_RATE);
        let before = self.samples / second;
        self.samples += length;
        if self.samples / second != before {
            // Once a second the header is made true, so that a killed program leaves a file that plays.
            result = result.and_then(|()| writer.flush());
        }
        result.map_err(|error| self.fail(&describe(&error)))
    }
}

fn describe(error: &hound::Error) -> String {
    match error {
        hound::Error::IoError(error) => format!("{error}."),
        hound::Error::FormatError(reason) => format!("It is not a wav file that can be read: {reason}."),
        hound::Error::Unsupported => "Its encoding is not supported.".to_owned(),
        error => format!("{error}."),
    }
}

fn clip_error(name: &str, reason: &str) -> DeviceError {
    DeviceError::new(name, reason, "Choose a PCM or float wav file, or another microphone.")
}

fn recording_error(name: &str, reason: &str) -> DeviceError {
    DeviceError::new(name, reason, "Choose a file in a folder that can be written to, or another speaker.")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use media_core::sim::Rng;

    use super::*;

    const USUAL: WavSpec =
        WavSpec { channels: 2, sample_rate: 48_000, bits_per_sample: 16, sample_format: SampleFormat::Int };

    fn clip(folder: &Path, spec: WavSpec, frames: u32, mut sample: impl FnMut(u32) -> f32) -> PathBuf {
        let path = folder.join("clip.wav");
        let mut writer = WavWriter::create(&path, spec).unwrap();
        for frame in 0..frames {
            for _ in 0..spec.channels {
                match spec.sample_format {
                    SampleFormat::Float => writer.write_sample(sample(frame)).unwrap(),
                    SampleFormat::Int => {
                        let full = (1_i64 << (spec.bits_per_sample - 1)) as f32 - 1.0;
                        writer.write_sample((sample(frame) * full) as i32).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        path
    }

    fn read(clip: &mut WavClip, blocks: usize) -> Vec<f32> {
        let mut all = Vec::new();
        let mut block = Block::silence();
        for _ in 0..blocks {
            assert!(clip.read(Instant::now(), &mut block).unwrap());
            all.extend_from_slice(block.samples());
        }
        all
    }

    #[test]
    fn clips_of_any_rate_format_and_channels_play_and_repeat() {
        let folder = tempfile::tempdir().unwrap();
        let formats = [
            (8, SampleFormat::Int),
            (16, SampleFormat::Int),
            (24, SampleFormat::Int),
            (32, SampleFormat::Float),
        ];
        for (bits_per_sample, sample_format) in formats {
            for channels in [1, 2, 6, 8] {
                for sample_rate in [8_000, 44_100, 48_000, 96_000] {
                    let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };
                    // A tenth of a second, so that it repeats.
                    let path = clip(folder.path(), spec, sample_rate / 10, |_| 0.5);
                    let sound = read(&mut WavClip::open(&path).unwrap(), 50);
                    let steady = &sound[SAMPLES_PER_BLOCK..];
                    assert!(steady.iter().all(|s| (s - 0.5).abs() < 0.03), "{spec:?}");
                }
            }
        }
    }

    #[test]
    fn a_clip_keeps_its_sides_while_stereo_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        for channels in [1, 2, 6] {
            let spec = WavSpec {
                channels,
                sample_rate: 48_000,
                bits_per_sample: 16,
                sample_format: SampleFormat::Int,
            };
            let mut count = 0;
            let path = clip(folder.path(), spec, 4_800, |_| {
                count += 1;
                [0.5, -0.25, 0.0, 0.0, 0.0, 0.0][(count - 1) % usize::from(channels)]
            });
            let mut clip = WavClip::open(&path).unwrap();
            let mono = 0.25 / f32::from(channels);
            for (allowed, left, right) in [(false, mono, mono), (true, 0.5, -0.25), (false, mono, mono)] {
                let (left, right) = if channels == 1 { (0.5, 0.5) } else { (left, right) };
                clip.allow_stereo(allowed);
                let mut block = Block::silence();
                assert_eq!(clip.read(Instant::now(), &mut block), Ok(true));
                assert_eq!(block.channels() == 2, allowed && channels > 1);
                let near = |[l, r]: [f32; 2]| (l - left).abs() < 1e-3 && (r - right).abs() < 1e-3;
                assert!(block.pairs().all(near), "{channels}, {allowed}: {:?}", block.pairs().next());
            }
        }
    }

    #[test]
    fn a_clip_that_is_cut_short_is_refused_with_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = clip(folder.path(), USUAL, 1000, |_| 0.1);
        let bytes = std::fs::read(&path).unwrap();
        for length in [0, 3, 20, 44, 45, 1000, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = WavClip::open(&path).err().unwrap_or_else(|| panic!("{length} bytes were accepted"));
            assert!(error.to_string().contains("clip.wav"), "{error}");
        }
    }

    #[test]
    fn what_is_no_clip_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(WavClip::open(&folder.path().join("absent.wav")).is_err());
        assert!(WavClip::open(folder.path()).is_err());
        let path = folder.path().join("noise.wav");
        std::fs::write(&path, (0..10_000).map(|n| (n * 7919 % 251) as u8).collect::<Vec<u8>>()).unwrap();
        assert!(WavClip::open(&path).is_err());
        assert!(WavClip::open(&clip(folder.path(), USUAL, 0, |_| 0.0)).is_err(), "an empty clip");
        let spec = WavSpec { sample_rate: 100, ..USUAL };
        assert!(WavClip::open(&clip(folder.path(), spec, 10, |_| 0.0)).is_err(), "100 Hz");
    }

    #[test]
    fn a_recording_can_be_read_while_it_is_still_running() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mix.wav");
        let mut recorder = WavRecorder::create(&path, 2).unwrap();
        for _ in 0..150 {
            recorder.write(&[0.25; SAMPLES_PER_BLOCK].into()).unwrap();
        }
        assert_eq!(WavReader::open(&path).unwrap().duration(), SAMPLE_RATE);
        drop(recorder);
        let mut reader = WavReader::open(&path).unwrap();
        assert_eq!(reader.duration(), SAMPLE_RATE * 3 / 2);
        assert!(reader.samples::<i16>().all(|sample| sample.unwrap() == 8192));
    }

    #[test]
    fn a_recording_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = WavRecorder::create(&folder.path().join("no/such/folder.wav"), 1).err().unwrap();
        assert!(error.to_string().contains("folder.wav"), "{error}");
    }

    #[test]
    fn whatever_a_file_holds_is_refused_or_played() {
        let folder = tempfile::tempdir().unwrap();
        let path = clip(folder.path(), USUAL, 400, |_| 0.5);
        let whole = std::fs::read(&path).unwrap();
        let mut rng = Rng::new(5);
        let mut played = 0;
        for _ in 0..2_000 {
            std::fs::write(&path, rng.garble(&whole, 60)).unwrap();
            let Ok(mut clip) = WavClip::open(&path) else { continue };
            let mut block = Block::silence();
            for _ in 0..5 {
                if clip.read(Instant::now(), &mut block).is_ok() {
                    assert!(block.samples().iter().all(|sample| sample.is_finite()));
                    played += 1;
                }
            }
        }
        assert!(played > 100, "{played} blocks were played: the files were too broken to show anything");
    }
}
