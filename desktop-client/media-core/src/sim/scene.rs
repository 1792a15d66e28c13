//! A camera's pictures, drawn: a person who sways before a noisy, textured wall, so that an encoder has about as much work as with a webcam.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use super::Rng;
use crate::frame::{FrameSizeError, I420Frame};

/// Pictures until the person is back where they were, so that a loop has no cut.
const PERIOD: u32 = 120;

/// Walls with different noise that are shown in turn.
const WALLS: usize = 4;

/// A drawn camera. The same size gives the same pictures everywhere.
#[derive(Debug, Clone)]
pub struct Scene {
    width: u32,
    height: u32,
    walls: Vec<Vec<u8>>,
    cloth: Vec<u8>,
}

impl Scene {
    /// A scene of a size in pixels.
    pub fn new(width: u32, height: u32) -> Self {
        let mut rng = Rng::new(u64::from(width) << 32 | u64::from(height));
        let walls = (0..WALLS).map(|_| plane(width, height, |x, y| noisy(&mut rng, wall(x, y), 2))).collect();
        let cloth = plane(width, height, |x, y| noisy(&mut rng, cloth(x, y), 3));
        Self { width, height, walls, cloth }
    }

    /// One picture; those 120 apart are the same.
    ///
    /// # Errors
    /// The size is not one that a frame can have.
    pub fn picture(&self, index: u32, time: Instant) -> Result<I420Frame, FrameSizeError> {
        let mut data = self.walls[index as usize % WALLS].clone();
        let turn = f64::from(index % PERIOD) / f64::from(PERIOD) * TAU;
        self.draw_person(&mut data, turn.sin() * 0.12);
        data.resize(I420Frame::byte_len(self.width, self.height), 128);
        let mut frame = I420Frame::from_vec(self.width, self.height, data, time)?;
        self.colour(&mut frame);
        Ok(frame)
    }

    /// Pictures of a camera with 30 frames a second, from `start` on, without end.
    pub fn pictures(&self, start: Instant) -> impl Iterator<Item = Result<I420Frame, FrameSizeError>> + '_ {
        (0..).map(move |index| self.picture(index, start + Duration::from_secs(1) * index / 30))
    }

    /// Head and shoulders, `sway` of the width to the right of the middle.
    fn draw_person(&self, luma: &mut [u8], sway: f64) {
        let width = self.width as usize;
        let sway = (sway * width as f64) as i64;
        let rows = luma.chunks_exact_mut(width.max(1)).zip(self.cloth.chunks_exact(width.max(1)));
        for (row, (line, cloth)) in rows.enumerate() {
            let half = (half_width(row as f64 / f64::from(self.height)) * width as f64) as usize;
            let from = width / 2 - half;
            let to = (from as i64 + sway).clamp(0, (width - 2 * half) as i64) as usize;
            line[to..to + 2 * half].copy_from_slice(&cloth[from..from + 2 * half]);
        }
    }

    /// A warm light on the left, a cold one on the right.
    fn colour(&self, frame: &mut I420Frame) {
        let (width, _) = frame.chroma_size();
        let (_, u, v) = frame.planes_mut();
        for (u, v) in u.chunks_exact_mut(width as usize).zip(v.chunks_exact_mut(width as usize)) {
            for (x, (u, v)) in (0..).zip(u.iter_mut().zip(v)) {
                let shade = (x * 24 / width) as u8;
                *u = 116 + shade;
                *v = 140 - shade;
            }
        }
    }
}

/// Half the width of the person in a row, in parts of the picture's width: an ellipse above a trapezium.
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

/// A luma near a value, within the limited range of BT.601.
fn noisy(rng: &mut Rng, value: f64, amplitude: u64) -> u8 {
    let noise = rng.below(2 * amplitude + 1) as f64 - amplitude as f64;
    (value + noise).clamp(16.0, 235.0) as u8
}

/// A plane whose pixels come from their place, both coordinates from 0 to 1.
fn plane(width: u32, height: u32, mut pixel: impl FnMut(f64, f64) -> u8) -> Vec<u8> {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    places.map(|(x, y)| pixel(f64::from(x) / f64::from(width), f64::from(y) / f64::from(height))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    #[test]
    fn pictures_differ_and_come_back_after_a_period() {
        let scene = Scene::new(64, 36);
        let picture = |index| scene.picture(index, sim::epoch()).unwrap();
        assert_ne!(picture(0), picture(1));
        assert_eq!(picture(7), picture(7 + PERIOD));
        assert!(scene.pictures(sim::epoch()).take(200).all(|picture| picture.is_ok()));
    }

    #[test]
    fn odd_sizes_are_drawn_and_none_is_an_error() {
        for (width, height) in [(1, 1), (3, 5), (161, 91)] {
            assert!(Scene::new(width, height).picture(30, sim::epoch()).is_ok(), "{width}x{height}");
        }
        assert!(Scene::new(0, 0).picture(0, sim::epoch()).is_err());
    }
}
