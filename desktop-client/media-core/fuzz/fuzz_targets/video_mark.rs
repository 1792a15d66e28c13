//! Marks in pictures of any size and content: nothing panics, and what is drawn is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media_core::frame::I420Frame;
use media_core::marks::video;
use media_core::sim;

fuzz_target!(|bytes: &[u8]| {
    let [width, height, v0, v1, v2, pixels @ ..] = bytes else { return };
    let (width, height) = (u32::from(*width), u32::from(*height));
    let size = I420Frame::byte_len(width, height);
    let data: Vec<u8> = pixels.iter().copied().chain(std::iter::repeat(127)).take(size).collect();
    let Ok(mut frame) = I420Frame::from_vec(width, height, data, sim::epoch()) else { return };
    let _ = video::read(&frame);
    let value = u32::from_be_bytes([0, *v0, *v1, *v2]);
    if video::draw(&mut frame, value) {
        assert_eq!(video::read(&frame), Some(value));
    }
});
