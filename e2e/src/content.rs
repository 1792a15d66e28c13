//! What a page shows and plays, read out of its media elements.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use media_core::marks::video;
use serde::Deserialize;
use serde_json::json;

use crate::browser::Browser;
use crate::tone::{self, Tone};

/// Reads the strip of marks (see [`media_core::marks::video`]) out of what a video element shows: 16 by 2 blocks, each at its centre.
const READ_MARKS: &str = r"
const video = document.querySelector(arguments[0]);
if (!video || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return null;
const width = video.videoWidth, height = video.videoHeight, side = Math.floor(width / 16);
const canvas = window.marksCanvas ??= document.createElement('canvas');
canvas.width = width;
canvas.height = height;
const context = canvas.getContext('2d', { willReadFrequently: true });
context.drawImage(video, 0, 0);
const { data } = context.getImageData(0, 0, 16 * side, 2 * side);
const blocks = [];
for (let block = 0; block < 32; block += 1) {
  const x = (block % 16) * side + (side >> 1), y = Math.floor(block / 16) * side + (side >> 1);
  blocks.push(data[(y * 16 * side + x) * 4 + 1] > 127 ? 1 : 0);
}
return { width, height, blocks };
";

/// Measures the left and the right side of what a media element plays. A mono track is on both, as a listener hears it.
const MEASURE_SIDES: &str = r"
const element = document.querySelector(arguments[0]);
const tracks = element?.srcObject?.getAudioTracks() ?? [];
if (!tracks.length) return null;
// By the track itself: the tracks of two peers may have the same id.
const taps = window.taps ??= new WeakMap();
if (!taps.has(tracks[0])) {
  const context = window.tapContext ??= new AudioContext();
  const both = new GainNode(context, { channelCount: 2, channelCountMode: 'explicit', channelInterpretation: 'speakers' });
  const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
  context.createMediaStreamSource(new MediaStream([tracks[0]])).connect(both).connect(splitter);
  taps.set(tracks[0], [0, 1].map((side) => {
    const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
    splitter.connect(analyser, side);
    return analyser;
  }));
}
const sides = taps.get(tracks[0]);
const { context, fftSize } = sides[0];
if (context.state !== 'running') await context.resume();
const from = context.currentTime;
while (context.currentTime < from + fftSize / context.sampleRate) await new Promise((done) => setTimeout(done, 50));
return sides.map((analyser) => {
  const samples = new Float32Array(fftSize);
  analyser.getFloatTimeDomainData(samples);
  return { rate: context.sampleRate, samples: Array.from(samples, (sample) => Math.round(sample * 1e5)) };
});
";

/// A picture with marks.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The marks' value.
    pub mark: u32,
    /// How old the marks were when they were read.
    pub age: Duration,
}

impl Picture {
    /// Checks that this picture comes from the source whose marks are this old when it starts (none: it draws the time itself). A minute more may
    /// have passed since.
    pub fn expect_age(&self, age: Duration) -> Result<()> {
        expect_age(self.age, age)
    }
}

/// The same for marks that were read by others.
pub fn expect_age(read: Duration, age: Duration) -> Result<()> {
    ensure!(read >= age && read < age + AGE_TOLERANCE, "marks that are {read:?} old, not {age:?}");
    Ok(())
}

/// How much older marks may be than when their clip was made: a clip waits for its browser, and a picture for its network.
pub const AGE_TOLERANCE: Duration = Duration::from_secs(120);

#[derive(Deserialize)]
struct Strip {
    width: u32,
    height: u32,
    blocks: Vec<u32>,
}

/// The picture that a video element shows, or `None` while it shows none or one without marks.
pub async fn picture(browser: &Browser, selector: &str) -> Result<Option<Picture>> {
    let Some(strip) = browser.run::<Option<Strip>>(READ_MARKS, vec![json!(selector)]).await? else {
        return Ok(None);
    };
    let word = strip.blocks.iter().fold(0_u32, |word, bit| word << 1 | bit);
    let mark = word >> 8;
    let check = (mark >> 16 ^ mark >> 8 ^ mark ^ 0x5A) & 0xFF;
    if word & 0xFF != check {
        return Ok(None);
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let age = u64::try_from(video::latency_ms(mark, now)).context("a picture from the future")?;
    Ok(Some(Picture { width: strip.width, height: strip.height, mark, age: Duration::from_millis(age) }))
}

/// The mean colour of what a video element shows, 0–255 each, or `None` while it shows nothing.
pub async fn mean_colour(browser: &Browser, selector: &str) -> Result<Option<[f64; 3]>> {
    const SCRIPT: &str = r"
const video = document.querySelector(arguments[0]);
if (!video || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return null;
const canvas = document.createElement('canvas');
canvas.width = 32;
canvas.height = 18;
const context = canvas.getContext('2d');
context.drawImage(video, 0, 0, 32, 18);
const { data } = context.getImageData(0, 0, 32, 18);
const sums = [0, 0, 0];
data.forEach((value, index) => { if (index % 4 < 3) sums[index % 4] += value; });
return sums.map((sum) => sum / (32 * 18));
";
    browser.run(SCRIPT, vec![json!(selector)]).await
}

#[derive(Deserialize)]
struct Samples {
    rate: f64,
    samples: Vec<f64>,
}

/// What a media element plays now: the samples of the left and of the right side, and their rate; `None` if it has no sound.
async fn measure_sides(browser: &Browser, selector: &str) -> Result<Option<([Vec<f64>; 2], u32)>> {
    let heard: Option<[Samples; 2]> = browser.run_async(MEASURE_SIDES, vec![json!(selector)]).await?;
    Ok(heard.map(|sides| {
        let rate = sides[0].rate as u32;
        (sides.map(|side| side.samples.iter().map(|sample| sample / 1e5).collect()), rate)
    }))
}

/// The tone that a media element plays now, or `None` for silence. Of two sides it is their mean.
pub async fn tone(browser: &Browser, selector: &str) -> Result<Option<Tone>> {
    Ok(measure_sides(browser, selector).await?.and_then(|([left, right], rate)| {
        let both: Vec<f64> = left.iter().zip(&right).map(|(left, right)| (left + right) / 2.0).collect();
        tone::measure(&both, rate)
    }))
}

/// The level of what a media element plays now at a frequency, on the left and on the right, in dB relative to full scale; `None` if it has no sound.
pub async fn sides(browser: &Browser, selector: &str, frequency: u32) -> Result<Option<[f64; 2]>> {
    let heard = measure_sides(browser, selector).await?;
    Ok(heard.map(|(sides, rate)| sides.map(|side| tone::level_at(&side, rate, frequency))))
}
