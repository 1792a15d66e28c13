//! Pictures for the tests of the codecs.
#![allow(dead_code, reason = "each test uses its own part")]

use std::time::{Duration, Instant};

use media_core::frame::I420Frame;
use media_core::marks::video as marks;

/// A picture of moving stripes with the number as its mark, 33 ms after the one before.
pub fn picture(width: u32, height: u32, number: u32, start: Instant) -> I420Frame {
    let mut data = Vec::with_capacity(I420Frame::byte_len(width, height));
    for y in 0..height {
        data.extend((0..width).map(|x| (60 + (x + number * 3) % 97 + (y * 7) % 61) as u8));
    }
    data.resize(I420Frame::byte_len(width, height), 120);
    let time = start + Duration::from_millis(33) * number;
    let mut frame = I420Frame::from_vec(width, height, data, time).unwrap();
    marks::draw(&mut frame, number);
    frame
}

/// Mean square error of two pictures' luma as PSNR in dB.
pub fn psnr(a: &I420Frame, b: &I420Frame) -> f64 {
    let (a, b) = (a.planes().0, b.planes().0);
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (error / a.len() as f64).max(1e-9)).log10()
}
