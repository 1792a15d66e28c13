//! How good pictures look: those that were received against those of the clip.

use std::path::Path;

use crate::clip::{self, Format};
use anyhow::{Context as _, Result};

/// The brightness of a picture, a byte for each pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct Luma {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// Row by row.
    pub pixels: Vec<u8>,
}

/// To find a picture's original, each so many-th pixel of each so many-th row is looked at.
const COARSE: usize = 8;

/// The strip of marks has two rows of blocks, of which there are 16 in a picture's width; nothing is compared there, nor just below.
const MARKS: (usize, usize) = (16, 3);

/// Pictures that are as good as equal: more decibels tell nothing.
const EQUAL_DB: f64 = 60.0;

/// The pictures of the clip.
#[derive(Debug)]
pub struct Originals {
    width: usize,
    height: usize,
    pictures: Vec<Vec<u8>>,
}

impl Originals {
    /// All of a clip's.
    pub fn of(format: Format) -> Self {
        let Format { width, height } = format;
        Self { width: width as usize, height: height as usize, pictures: clip::pictures(format).collect() }
    }

    /// Peak signal-to-noise ratio of a received picture, in decibels: enlarged to the size of the clip, as who looks at it sees it, against the original that it is
    /// most like. `None` of a picture that has no pixels.
    pub fn psnr(&self, picture: &Luma) -> Option<f64> {
        let shown = enlarged(picture, self.width, self.height)?;
        let coarse = |original: &&Vec<u8>| self.error(&shown, original, COARSE) as u64;
        let original = self.pictures.iter().min_by_key(coarse)?;
        let error = self.error(&shown, original, 1);
        Some((10.0 * (255.0 * 255.0 / error).log10()).min(EQUAL_DB))
    }

    /// The mean squared difference below the marks.
    fn error(&self, one: &[u8], other: &[u8], step: usize) -> f64 {
        let first = self.width / MARKS.0 * MARKS.1;
        let rows = (first..self.height).step_by(step);
        let row = |y: usize| y * self.width..(y + 1) * self.width;
        let (mut sum, mut count) = (0_u64, 0_u64);
        for y in rows {
            let pairs = one[row(y)].iter().zip(&other[row(y)]);
            for (a, b) in pairs.step_by(step) {
                sum += u64::from(a.abs_diff(*b)).pow(2);
                count += 1;
            }
        }
        sum as f64 / count.max(1) as f64
    }
}

/// Bilinear, pixels' centres on pixels' centres; whoever shows a picture does about that.
fn enlarged(picture: &Luma, width: usize, height: usize) -> Option<Vec<u8>> {
    let Luma { width: from_width, height: from_height, pixels } = picture;
    if pixels.is_empty() || pixels.len() != from_width * from_height {
        return None;
    }
    if (*from_width, *from_height) == (width, height) {
        return Some(pixels.clone());
    }
    let columns = places(*from_width, width);
    let mut shown = Vec::with_capacity(width * height);
    for (y, weight) in places(*from_height, height) {
        let (upper, lower) = (y * from_width, (y + 1).min(from_height - 1) * from_width);
        for (x, share) in &columns {
            let next = (x + 1).min(from_width - 1);
            let between = |row: usize| {
                let (left, right) = (f64::from(pixels[row + x]), f64::from(pixels[row + next]));
                left + (right - left) * share
            };
            shown.push((between(upper) + (between(lower) - between(upper)) * weight).round() as u8);
        }
    }
    Some(shown)
}

/// For each new pixel, the old one before it, and how far it is on its way to the next.
fn places(from: usize, to: usize) -> Vec<(usize, f64)> {
    let place = |index: usize| {
        let at = ((index as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, (from - 1) as f64);
        (at as usize, at.fract())
    };
    (0..to).map(place).collect()
}

/// The picture of a file that a desktop client has saved.
pub fn read(path: &Path) -> Result<Luma> {
    let bytes = std::fs::read(path)?;
    luma(&bytes).with_context(|| format!("{} is no clip of one picture", path.display()))
}

fn luma(bytes: &[u8]) -> Option<Luma> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let number = |letter: char| head.split(' ').find_map(|word| word.strip_prefix(letter)?.parse().ok());
    let (width, height): (usize, usize) = (number('W')?, number('H')?);
    let pixels = bytes[end + 1..].strip_prefix(b"FRAME\n")?.get(..width.checked_mul(height)?)?;
    Some(Luma { width, height, pixels: pixels.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMAT: Format = Format { width: 320, height: 180 };

    fn original(index: usize) -> Luma {
        Luma { width: 320, height: 180, pixels: clip::pictures(FORMAT).nth(index).unwrap() }
    }

    #[test]
    fn the_clips_own_pictures_are_equal_whatever_their_marks() {
        let originals = Originals::of(FORMAT);
        let mut picture = original(17);
        assert_eq!(originals.psnr(&picture), Some(EQUAL_DB));
        picture.pixels[..320 * 40].fill(235);
        assert_eq!(originals.psnr(&picture), Some(EQUAL_DB));
    }

    #[test]
    fn a_known_error_has_its_decibels() {
        let originals = Originals::of(FORMAT);
        let mut picture = original(40);
        // An error of 5 everywhere: 10 lg (255² / 25).
        picture.pixels.iter_mut().for_each(|pixel| *pixel += 5);
        let psnr = originals.psnr(&picture).unwrap();
        assert!((psnr - 34.15).abs() < 0.01, "{psnr}");
    }

    #[test]
    fn a_smaller_picture_is_compared_as_it_is_seen() {
        let originals = Originals::of(FORMAT);
        let full = original(3);
        let half = |x: usize, y: usize| {
            let at = |dx: usize, dy: usize| u32::from(full.pixels[(2 * y + dy) * 320 + 2 * x + dx]);
            ((at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) / 4) as u8
        };
        let pixels = (0..90).flat_map(|y| (0..160).map(move |x| (x, y))).map(|(x, y)| half(x, y)).collect();
        let psnr = originals.psnr(&Luma { width: 160, height: 90, pixels }).unwrap();
        assert!((25.0..45.0).contains(&psnr), "{psnr}");
        assert_eq!(originals.psnr(&Luma { width: 2, height: 2, pixels: vec![1] }), None);
    }

    #[test]
    fn a_file_is_read() {
        let file = b"YUV4MPEG2 W3 H1 F1:1 C420jpeg\nFRAME\nabcUUVV";
        assert_eq!(luma(file), Some(Luma { width: 3, height: 1, pixels: b"abc".to_vec() }));
        assert_eq!(luma(b"YUV4MPEG2 W3 H9\nFRAME\nabc"), None);
    }
}
