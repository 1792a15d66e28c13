//! A strip of 16 × 2 square blocks at the top left of a picture, each `floor(width / 16)` pixels wide: 24 bits of a value, most significant first, then
//! 8 check bits. White is 1, black is 0. The value is the Unix time in milliseconds modulo 2^24, or a clip's frame number.

use std::time::Duration;

use crate::frame::I420Frame;

const COLUMNS: usize = 16;
const ROWS: usize = 2;
const VALUE_MASK: u32 = 0x00FF_FFFF;

/// White and black in BT.601 limited range.
const WHITE: u8 = 235;
const BLACK: u8 = 16;

/// Between white and black.
const THRESHOLD: u32 = (WHITE as u32 + BLACK as u32) / 2;

/// The value that a mark carries for a time: Unix milliseconds modulo 2^24 (it wraps every 4 h 40 min).
pub fn time_value(since_unix_epoch: Duration) -> u32 {
    // Truncation is the modulo that the format asks for.
    since_unix_epoch.as_millis() as u32 & VALUE_MASK
}

/// Milliseconds from a mark to a time, over the wrap; negative when the mark is from the future, as with clocks that disagree.
pub fn latency_ms(mark: u32, since_unix_epoch: Duration) -> i32 {
    let difference = time_value(since_unix_epoch).wrapping_sub(mark) & VALUE_MASK;
    // Sign-extends 24 bits.
    ((difference << 8) as i32) >> 8
}

/// Draws the strip for a value (its lower 24 bits). Gives false, and draws nothing, when the picture is too small for it.
pub fn draw(frame: &mut I420Frame, value: u32) -> bool {
    let Some(side) = block_side(frame) else { return false };
    let width = frame.width() as usize;
    let chroma_width = frame.chroma_size().0 as usize;
    let word = encode(value);
    let (luma, u, v) = frame.planes_mut();
    for (y, line) in luma.chunks_exact_mut(width).take(ROWS * side).enumerate() {
        for (x, pixel) in line[..COLUMNS * side].iter_mut().enumerate() {
            *pixel = if bit(word, x / side, y / side) { WHITE } else { BLACK };
        }
    }
    for plane in [u, v] {
        for line in plane.chunks_exact_mut(chroma_width).take((ROWS * side).div_ceil(2)) {
            line[..(COLUMNS * side).div_ceil(2)].fill(128);
        }
    }
    true
}

/// Reads the value back, or `None` when the check fails: no mark, or too much coding noise.
pub fn read(frame: &I420Frame) -> Option<u32> {
    let side = block_side(frame)?;
    let width = frame.width() as usize;
    let (luma, _, _) = frame.planes();
    let mut word = 0_u32;
    for block in 0..COLUMNS * ROWS {
        let (column, row) = (block % COLUMNS, block / COLUMNS);
        let white = centre_mean(luma, width, column * side, row * side, side) > THRESHOLD;
        word = word << 1 | u32::from(white);
    }
    let value = word >> 8;
    (encode(value) == word).then_some(value)
}

/// Mean of the middle half of a block in each direction (at least its centre pixel): away from edges, that codecs and scalers smear.
fn centre_mean(luma: &[u8], stride: usize, left: usize, top: usize, side: usize) -> u32 {
    let margin = side / 4;
    let from = margin.min(side / 2);
    let to = (side - margin).max(side / 2 + 1);
    let mut sum = 0;
    let mut count = 0;
    for y in top + from..top + to {
        for &pixel in &luma[y * stride + left + from..y * stride + left + to] {
            sum += u32::from(pixel);
            count += 1;
        }
    }
    sum / count
}

fn block_side(frame: &I420Frame) -> Option<usize> {
    let side = frame.width() as usize / COLUMNS;
    (side > 0 && frame.height() as usize >= ROWS * side).then_some(side)
}

/// The value and its check: the three bytes and 0x5A, exclusive or.
fn encode(value: u32) -> u32 {
    let value = value & VALUE_MASK;
    let check = (value >> 16 ^ value >> 8 ^ value ^ 0x5A) & 0xFF;
    value << 8 | check
}

fn bit(word: u32, column: usize, row: usize) -> bool {
    word >> (31 - (row * COLUMNS + column)) & 1 == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sim::{self, Rng};

    fn grey(width: u32, height: u32) -> I420Frame {
        I420Frame::from_vec(width, height, vec![110; I420Frame::byte_len(width, height)], sim::epoch())
            .unwrap()
    }

    /// Nearest-neighbour scaling of the luma plane.
    fn scaled(frame: &I420Frame, width: u32, height: u32) -> I420Frame {
        let mut out = grey(width, height);
        let from = frame.planes().0;
        let luma = out.planes_mut().0;
        for y in 0..height {
            for x in 0..width {
                let (sx, sy) = (x * frame.width() / width, y * frame.height() / height);
                luma[(y * width + x) as usize] = from[(sy * frame.width() + sx) as usize];
            }
        }
        out
    }

    #[test]
    fn the_layout_is_the_agreed_one() {
        let mut frame = grey(640, 360);
        assert!(draw(&mut frame, 0x80_00_01));
        let luma = frame.planes().0;
        let at = |column: usize, row: usize| luma[(row * 40 + 20) * 640 + column * 40 + 20];
        // 24 bits of value, then 0x80 ^ 0x00 ^ 0x01 ^ 0x5A = 0xDB.
        let read: Vec<u8> = (0..32).map(|i| u8::from(at(i % 16, i / 16) == 235)).collect();
        let value = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(read[..24], value);
        assert_eq!(read[24..], [1, 1, 0, 1, 1, 0, 1, 1]);
        assert_eq!(luma[80 * 640], 110, "nothing is drawn below the strip");
    }

    #[test]
    fn a_mark_survives_scaling_and_noise() {
        let mut frame = grey(1280, 720);
        draw(&mut frame, 0xABCDEF);
        for (width, height) in [(640, 360), (480, 270), (320, 180), (1000, 562), (160, 90)] {
            let mut small = scaled(&frame, width, height);
            let mut rng = Rng::new(u64::from(width));
            for pixel in small.planes_mut().0 {
                *pixel = pixel.saturating_add_signed((rng.normal() * 25.0) as i8);
            }
            assert_eq!(read(&small), Some(0xABCDEF), "{width}x{height}");
        }
    }

    #[test]
    fn a_picture_without_a_mark_reads_as_none() {
        assert_eq!(read(&grey(640, 360)), None);
        let black = I420Frame::from_vec(64, 64, vec![0; I420Frame::byte_len(64, 64)], sim::epoch()).unwrap();
        let white =
            I420Frame::from_vec(64, 64, vec![255; I420Frame::byte_len(64, 64)], sim::epoch()).unwrap();
        assert_eq!((read(&black), read(&white)), (None, None));
    }

    #[test]
    fn one_flipped_block_fails_the_check() {
        let mut frame = grey(640, 360);
        draw(&mut frame, 1_234_567);
        for line in frame.planes_mut().0.chunks_exact_mut(640).take(40) {
            line[80..120].iter_mut().for_each(|pixel| *pixel = 251 - *pixel);
        }
        assert_eq!(read(&frame), None);
    }

    #[test]
    fn a_picture_too_small_for_the_strip_is_left_alone() {
        for (width, height) in [(15, 100), (160, 19), (1, 1)] {
            let mut frame = grey(width, height);
            assert!(!draw(&mut frame, 7));
            assert_eq!((read(&frame), &frame), (None, &grey(width, height)));
        }
    }

    #[test]
    fn latency_is_right_over_the_wrap_and_may_be_negative() {
        let wrap = Duration::from_millis(5 << 24);
        let mark = time_value(wrap - Duration::from_millis(10));
        assert_eq!(latency_ms(mark, wrap + Duration::from_millis(30)), 40);
        assert_eq!(latency_ms(time_value(wrap), wrap - Duration::from_millis(3)), -3);
    }

    proptest! {
        #[test]
        fn what_is_drawn_is_read(value in 0_u32..1 << 24, width in 16_u32..700, height in 90_u32..400) {
            let mut frame = grey(width, height);
            if draw(&mut frame, value) {
                prop_assert_eq!(read(&frame), Some(value));
            }
        }

        #[test]
        fn any_picture_is_read_without_panic(width in 1_u32..64, height in 1_u32..64, seed in any::<u64>()) {
            let mut rng = Rng::new(seed);
            let data = (0..I420Frame::byte_len(width, height)).map(|_| rng.next_u64() as u8).collect();
            let _ = read(&I420Frame::from_vec(width, height, data, sim::epoch()).unwrap());
        }
    }
}
