//! The test pattern: a still, slightly noisy background with a textured shape that sways before it, as a person does before a webcam, and
//! the mark strip that tells when it was drawn.
//!
//! Everything is drawn once; a frame is then put together from copies of rows, so that the pattern costs next to nothing beside encoding it.

use std::time::{Duration, Instant};

use media_core::frame::I420Frame;
use media_core::marks;

use super::grid::FrameGrid;
use super::open::VideoSource;
use crate::clock::unix_time;
use crate::event::DeviceError;
use crate::source::VideoFormat;

/// Backgrounds with different noise that are shown in turn: what a sensor's noise does to the encoder, without drawing noise.
const BACKGROUNDS: usize = 4;

/// The pattern as a source.
pub struct TestPattern {
    format: VideoFormat,
    scene: Scene,
    grid: FrameGrid,
    start: Instant,
    drawn: usize,
}

impl TestPattern {
    /// A pattern that gives its first picture at `start`.
    pub fn new(format: VideoFormat, start: Instant) -> Self {
        let scene = Scene::new(format.width as usize, format.height as usize);
        let interval = Duration::from_secs(1) / format.framerate.max(1);
        Self { format, scene, grid: FrameGrid::new(start, interval), start, drawn: 0 }
    }
}

impl VideoSource for TestPattern {
    fn name(&self) -> String {
        format!("Test pattern {}", self.format)
    }

    fn due(&self) -> Instant {
        self.grid.due()
    }

    fn poll(&mut self, now: Instant) -> Result<Option<I420Frame>, DeviceError> {
        if !self.grid.advance(now) {
            return Ok(None);
        }
        // It moves with time, not with pictures, so that a slow machine shows the same movement with fewer of them.
        let data = self.scene.draw(self.drawn, now.saturating_duration_since(self.start).as_secs_f64());
        self.drawn = self.drawn.wrapping_add(1);
        let frame = I420Frame::from_vec(self.format.width, self.format.height, data, Instant::now());
        Ok(frame.ok().map(|mut frame| {
            marks::video::draw(&mut frame, marks::video::time_value(unix_time()));
            frame
        }))
    }
}

/// The drawn parts.
struct Scene {
    width: usize,
    height: usize,
    /// Luma of the background, [`BACKGROUNDS`] times.
    backgrounds: Vec<Vec<u8>>,
    /// Both chroma planes of the background.
    chroma: Vec<u8>,
    /// Per row: half the width of the shape, 0 where there is none.
    shape: Vec<usize>,
    /// Luma of the shape, `width` by `height`, centred.
    texture: Vec<u8>,
}

impl Scene {
    fn new(width: usize, height: usize) -> Self {
        let mut noise = Noise(0x2545_F491);
        let backgrounds = (0..BACKGROUNDS)
            .map(|_| plane(width, height, |x, y| noise.around(background(x, y), 2)))
            .collect();
        let chroma_width = width.div_ceil(2);
        let chroma_height = height.div_ceil(2);
        let mut chroma = plane(chroma_width, chroma_height, |x, _| 118 + (x * 24.0) as i32);
        chroma.extend(plane(chroma_width, chroma_height, |_, y| 138 - (y * 20.0) as i32));
        let shape = (0..height).map(|row| half_width(row, width, height)).collect();
        let texture = plane(width, height, |x, y| noise.around(cloth(x, y), 3));
        Self { width, height, backgrounds, chroma, shape, texture }
    }

    fn draw(&self, number: usize, seconds: f64) -> Vec<u8> {
        let background = &self.backgrounds[number % BACKGROUNDS];
        let mut data = Vec::with_capacity(background.len() + self.chroma.len());
        data.extend_from_slice(background);
        data.extend_from_slice(&self.chroma);
        // A slow sway and a quicker nod, in whole pixels.
        let sway = (seconds * 0.9).sin() * 0.12 * self.width as f64;
        let nod = (seconds * 2.3).sin() * 0.02 * self.height as f64;
        let centre = (self.width as f64 / 2.0 + sway) as isize;
        for row in 0..self.height {
            let from = (row as isize - nod as isize).clamp(0, self.height as isize - 1) as usize;
            self.draw_row(&mut data, row, from, centre);
        }
        data
    }

    /// Draws row `from` of the shape into row `row` of the picture.
    fn draw_row(&self, data: &mut [u8], row: usize, from: usize, centre: isize) {
        let half = self.shape[from] as isize;
        let left = (centre - half).clamp(0, self.width as isize) as usize;
        let right = (centre + half).clamp(0, self.width as isize) as usize;
        if left >= right {
            return;
        }
        let shift = self.width as isize / 2 - centre;
        let source = (left as isize + shift).clamp(0, (self.width - (right - left)) as isize) as usize;
        let source = from * self.width + source;
        data[row * self.width + left..row * self.width + right]
            .copy_from_slice(&self.texture[source..source + right - left]);
        // The shape's chroma is one skin-like tone over its inner part.
        if row.is_multiple_of(2) {
            let chroma_width = self.width.div_ceil(2);
            let plane = chroma_width * self.height.div_ceil(2);
            let luma = self.width * self.height;
            let start = row / 2 * chroma_width;
            let span = left.div_ceil(2)..right / 2;
            if span.start < span.end {
                data[luma + start + span.start..luma + start + span.end].fill(112);
                data[luma + plane + start + span.start..luma + plane + start + span.end].fill(150);
            }
        }
    }
}

/// A plane whose pixels come from their place, both coordinates from 0 to 1.
fn plane(width: usize, height: usize, mut pixel: impl FnMut(f32, f32) -> i32) -> Vec<u8> {
    let mut plane = Vec::with_capacity(width * height);
    for row in 0..height {
        for column in 0..width {
            let value = pixel(column as f32 / width as f32, row as f32 / height as f32);
            // Limited range of BT.601.
            plane.push(value.clamp(16, 235) as u8);
        }
    }
    plane
}

fn background(x: f32, y: f32) -> i32 {
    let wall = 150.0 - 50.0 * y + 25.0 * (x * 9.0).sin() * (y * 5.0).cos();
    let shelf = if (y * 6.0).fract() < 0.08 { -35.0 } else { 0.0 };
    let books = if y > 0.5 && (x * 40.0).fract() < 0.3 { -20.0 } else { 0.0 };
    (wall + shelf + books) as i32
}

fn cloth(x: f32, y: f32) -> i32 {
    let folds = 22.0 * (x * 60.0 + (y * 20.0).sin() * 2.0).sin();
    let light = 40.0 * (1.0 - y);
    (95.0 + folds + light) as i32
}

/// Half the width of head and shoulders in a row: an ellipse above a trapezium.
fn half_width(row: usize, width: usize, height: usize) -> usize {
    let y = row as f32 / height as f32;
    let half = if y < 0.2 {
        0.0
    } else if y < 0.65 {
        let t = (y - 0.425) / 0.225;
        0.11 * (1.0 - t * t).max(0.0).sqrt()
    } else {
        0.12 + (y - 0.65) * 0.4
    };
    (half * width as f32) as usize
}

/// A small linear congruential generator: the pattern must look the same everywhere.
struct Noise(u32);

impl Noise {
    fn around(&mut self, value: i32, amplitude: i32) -> i32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        value + ((self.0 >> 16) as i32 % (2 * amplitude + 1)) - amplitude
    }
}
