//! Clips that stand for cameras and microphones: marked pictures as y4m, tones as WAV.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use media_core::frame::I420Frame;
use media_core::marks::video;

use crate::programs;

/// Sampling rate of WAV clips, in Hz: that of Opus, so that nothing resamples.
const SAMPLE_RATE: u32 = 48_000;

/// Sentences with all the sounds of English, more or less (Harvard sentences, list 1; IEEE 1969).
const SPEECH: &str = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It's easy to tell the depth of a well. \
    These days a chicken leg is a rare dish. Rice is often served in round bowls. The juice of lemons makes fine punch. The box was thrown beside the \
    parked truck. The hogs were fed chopped corn and garbage. Four hours of steady work faced us. A large size in stockings is hard to sell.";

/// Sentences of two to three seconds each (from the same list), and voices of `espeak-ng` to say them.
const SENTENCES: [(&str, &str); 8] = [
    ("en-us", "The birch canoe slid on the smooth planks."),
    ("en-gb+f3", "Glue the sheet to the dark blue background."),
    ("en-us+m3", "It's easy to tell the depth of a well."),
    ("en-gb-scotland", "These days a chicken leg is a rare dish."),
    ("en-us+f2", "Rice is often served in round bowls."),
    ("en-gb+m7", "The juice of lemons makes fine punch."),
    ("en-us+f4", "The box was thrown beside the parked truck."),
    ("en-gb", "The hogs were fed chopped corn and garbage."),
];

/// After each sentence.
const PAUSE: Duration = Duration::from_millis(600);

/// What is kept of a sentence begins and ends with a sample over this; around it `espeak-ng` leaves silence of its own.
const AUDIBLE: u16 = 60;

/// A clip of pictures.
#[derive(Debug, Clone, Copy)]
pub struct VideoClip {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pictures per second.
    pub rate: u32,
    /// Length; then it starts over.
    pub length: Duration,
    /// How old the marks are when the clip begins to play now. Tells senders apart: marks are read to a fraction of a second, and what passes
    /// between the making of a clip and its start is seconds, so minutes are far enough apart.
    pub age: Duration,
}

impl VideoClip {
    /// Small enough for several at a time on two cores, and a minute long.
    pub const SMALL: Self = Self {
        width: 320,
        height: 180,
        rate: 15,
        length: Duration::from_secs(60),
        age: Duration::from_secs(60),
    };

    /// Writes it as y4m: a moving picture under marks that tell the time.
    pub fn write(&self, path: &Path) -> Result<()> {
        let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? - self.age;
        let mut file =
            BufWriter::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?);
        writeln!(file, "YUV4MPEG2 W{} H{} F{}:1 Ip A1:1 C420jpeg", self.width, self.height, self.rate)?;
        let count = self.length.as_secs() as u32 * self.rate;
        for index in 0..count {
            let mut frame = self.picture(index)?;
            let value = video::time_value(start + Duration::from_secs(1) * index / self.rate);
            ensure!(video::draw(&mut frame, value), "{}x{} is too small for marks", self.width, self.height);
            file.write_all(b"FRAME\n")?;
            file.write_all(frame.data())?;
        }
        Ok(file.flush()?)
    }

    /// A bright bar that moves over a ramp: enough change for an encoder to have work, and little enough to be cheap.
    fn picture(&self, index: u32) -> Result<I420Frame> {
        let mut data = vec![128; I420Frame::byte_len(self.width, self.height)];
        let luma = &mut data[..(self.width * self.height) as usize];
        let bar = index * 4 % self.width;
        for (y, line) in (0..).zip(luma.chunks_exact_mut(self.width as usize)) {
            let shade = 40 + y * 120 / self.height;
            line.fill(u8::try_from(shade)?);
            line[bar as usize..].iter_mut().take(12).for_each(|pixel| *pixel = 220);
        }
        Ok(I420Frame::from_vec(self.width, self.height, data, Instant::now())?)
    }
}

/// Writes half a minute of speech as a mono WAV.
pub fn write_speech(path: &Path) -> Result<()> {
    let program =
        programs::foreign("espeak-ng", "Install the package espeak-ng: scripts/setup-test.sh does.")?;
    let output =
        Command::new(program).arg("-w").arg(path).arg(SPEECH).output().context("cannot run espeak-ng")?;
    let reason = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && path.is_file(), "espeak-ng: {reason}");
    Ok(())
}

/// Writes sentences of several voices as a mono WAV, each with a pause after it, so that they can be found in a recording: see [`crate::listening`].
pub fn write_sentences(path: &Path) -> Result<()> {
    let program =
        programs::foreign("espeak-ng", "Install the package espeak-ng: scripts/setup-test.sh does.")?;
    let mut writer = None;
    for (voice, sentence) in SENTENCES {
        let output = Command::new(&program)
            .args(["-v", voice, "--stdout", sentence])
            .output()
            .context("cannot run espeak-ng")?;
        ensure!(output.status.success(), "espeak-ng: {}", String::from_utf8_lossy(&output.stderr));
        let reader = hound::WavReader::new(output.stdout.as_slice())?;
        let spec = reader.spec();
        // A stream's length is not known when its head is written, so the reader ends with an error.
        let samples: Vec<i16> = reader.into_samples().map_while(Result::ok).collect();
        let audible = |sample: &i16| sample.unsigned_abs() > AUDIBLE;
        let first = samples.iter().position(audible).context("espeak-ng says nothing")?;
        let last = samples.iter().rposition(audible).unwrap_or(first);
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(hound::WavWriter::create(path, spec)?),
        };
        let pause = (f64::from(spec.sample_rate) * PAUSE.as_secs_f64()) as usize;
        for sample in samples[first..=last].iter().chain(std::iter::repeat_n(&0, pause)) {
            writer.write_sample(*sample)?;
        }
    }
    Ok(writer.context("no sentences")?.finalize()?)
}

/// Writes a steady tone as a mono WAV that can be played in a loop without a click. `level` is that of its samples' mean square in dB relative to
/// full scale.
pub fn write_tone(path: &Path, frequency: u32, level: f64) -> Result<()> {
    write_tones(path, &[frequency], level)
}

/// The same with a channel for each frequency.
pub fn write_tones(path: &Path, frequencies: &[u32], level: f64) -> Result<()> {
    let spec = hound::WavSpec {
        channels: u16::try_from(frequencies.len())?,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let amplitude = 10_f64.powf(level / 20.0) * std::f64::consts::SQRT_2;
    if amplitude > 1.0 {
        bail!("a tone of {level} dB is over full scale");
    }
    let mut writer = hound::WavWriter::create(path, spec)?;
    // Whole periods: ten seconds of a whole number of Hz.
    for index in 0..SAMPLE_RATE * 10 {
        for frequency in frequencies {
            let turns = f64::from(index) * f64::from(*frequency) / f64::from(SAMPLE_RATE);
            let sample = (turns * std::f64::consts::TAU).sin() * amplitude * f64::from(i16::MAX);
            writer.write_sample(sample as i16)?;
        }
    }
    Ok(writer.finalize()?)
}
