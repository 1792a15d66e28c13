//! What stands for a camera and a microphone. The camera: a person before a webcam, drawn. Noise, a textured wall, and a figure that sways, so that an
//! encoder has as much work as with a real one. The microphone: a tone, or speech.

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use e2e::persona::LEVEL;
use media_core::frame::I420Frame;
use media_core::marks::video as marks;
use tempfile::TempDir;

/// Pictures per second.
pub const RATE: u32 = 30;

/// The size of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}@{RATE}", self.width, self.height)
    }
}

/// Length of the clip in frames: four seconds, in which the figure moves there and back, so that the loop has no cut.
pub const FRAMES: u32 = 120;

/// Walls with different noise that are shown in turn.
const WALLS: u32 = 4;

/// The tone that the seat says, in Hz.
const VOICE: u32 = 440;

/// The files that somebody plays.
#[derive(Debug)]
pub struct Clips {
    folder: TempDir,
}

impl Clips {
    /// Writes them, with a tone.
    pub fn write(format: Format) -> Result<Self> {
        let clips = Self { folder: tempfile::tempdir()? };
        write_video(&clips.camera(), format, false)?;
        e2e::clip::write_tone(&clips.microphone(), VOICE, LEVEL)?;
        Ok(clips)
    }

    /// Writes them, with speech, and with each frame's number as a mark in it.
    pub fn write_marked(format: Format) -> Result<Self> {
        let clips = Self { folder: tempfile::tempdir()? };
        write_video(&clips.camera(), format, true)?;
        e2e::clip::write_speech(&clips.microphone())?;
        Ok(clips)
    }

    /// Writes them, with sentences that can be told apart.
    pub fn write_sentences(format: Format) -> Result<Self> {
        let clips = Self { folder: tempfile::tempdir()? };
        write_video(&clips.camera(), format, true)?;
        e2e::clip::write_sentences(&clips.microphone())?;
        Ok(clips)
    }

    /// A y4m.
    pub fn camera(&self) -> PathBuf {
        self.folder.path().join("camera.y4m")
    }

    /// A WAV.
    pub fn microphone(&self) -> PathBuf {
        self.folder.path().join("microphone.wav")
    }
}

/// The pictures of the clip in turn, without marks: luma only.
pub fn pictures(format: Format) -> impl Iterator<Item = Vec<u8>> {
    let Format { width, height } = format;
    let mut noise = Noise(0x2545_F491);
    let mut wall = |_| plane(width, height, |x, y| noise.around(wall(x, y), 2));
    let walls: Vec<Vec<u8>> = (0..WALLS).map(&mut wall).collect();
    let cloth = plane(width, height, |x, y| noise.around(cloth(x, y), 3));
    (0..FRAMES).map(move |index| {
        let mut luma = walls[(index % WALLS) as usize].clone();
        let turn = f64::from(index) / f64::from(FRAMES) * std::f64::consts::TAU;
        draw_figure(&mut luma, &cloth, format, (turn.sin() * 0.12 * f64::from(width)) as i64);
        luma
    })
}

fn write_video(path: &Path, format: Format, marked: bool) -> Result<()> {
    let Format { width, height } = format;
    let chroma = vec![128_u8; (width.div_ceil(2) * height.div_ceil(2) * 2) as usize];
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "YUV4MPEG2 W{width} H{height} F{RATE}:1 Ip A1:1 C420jpeg")?;
    for (index, mut luma) in (0..).zip(pictures(format)) {
        luma.extend_from_slice(&chroma);
        let mut frame = I420Frame::from_vec(width, height, luma, Instant::now())?;
        ensure!(!marked || marks::draw(&mut frame, index), "{format} is too small for marks");
        file.write_all(b"FRAME\n")?;
        file.write_all(frame.data())?;
    }
    Ok(file.flush()?)
}

/// Draws head and shoulders, `sway` pixels to the right of the middle.
fn draw_figure(luma: &mut [u8], cloth: &[u8], format: Format, sway: i64) {
    let width = format.width as usize;
    let rows = luma.chunks_exact_mut(width).zip(cloth.chunks_exact(width));
    for (row, (line, cloth)) in rows.enumerate() {
        let half = (half_width(row as f64 / f64::from(format.height)) * width as f64) as usize;
        let from = width / 2 - half;
        // The sway is at most an eighth of the width, and so is less than what is beside the figure.
        let to = (from as i64 + sway).clamp(0, (width - 2 * half) as i64) as usize;
        line[to..to + 2 * half].copy_from_slice(&cloth[from..from + 2 * half]);
    }
}

/// Half the width of the figure in a row, in parts of the picture's width: an ellipse above a trapezium.
fn half_width(y: f64) -> f64 {
    if y < 0.2 {
        0.0
    } else if y < 0.65 {
        let t = (y - 0.425) / 0.225;
        0.11 * (1.0 - t * t).max(0.0).sqrt()
    } else {
        0.12 + (y - 0.65) * 0.4
    }
}

fn wall(x: f64, y: f64) -> f64 {
    let light = 150.0 - 50.0 * y + 25.0 * (x * 9.0).sin() * (y * 5.0).cos();
    let shelf = if (y * 6.0).fract() < 0.08 { 35.0 } else { 0.0 };
    light - shelf
}

fn cloth(x: f64, y: f64) -> f64 {
    95.0 + 22.0 * (x * 60.0 + (y * 20.0).sin() * 2.0).sin() + 40.0 * (1.0 - y)
}

/// A plane whose pixels come from their place, both coordinates from 0 to 1.
fn plane(width: u32, height: u32, mut pixel: impl FnMut(f64, f64) -> u8) -> Vec<u8> {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    places.map(|(x, y)| pixel(f64::from(x) / f64::from(width), f64::from(y) / f64::from(height))).collect()
}

/// A small linear congruential generator: the clip must be the same everywhere.
struct Noise(u32);

impl Noise {
    /// A luma near a value, within the limited range of BT.601.
    fn around(&mut self, value: f64, amplitude: u32) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from((self.0 >> 16) % (2 * amplitude + 1)) - f64::from(amplitude);
        (value + noise).clamp(16.0, 235.0) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_stays_in_the_picture_at_both_ends_of_its_way() {
        let format = Format { width: 64, height: 36 };
        for sway in [-64, 0, 64] {
            let mut luma = vec![0; 64 * 36];
            draw_figure(&mut luma, &[200; 64 * 36], format, sway);
            assert!(luma.contains(&200));
        }
    }
}
