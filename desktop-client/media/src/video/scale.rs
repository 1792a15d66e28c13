//! Smaller copies of a camera's picture, each made from the next larger one that there is: 720 → 360 → 180 lines costs a third more than
//! 720 → 360 alone. `fast_image_resize` does it, but for exact halves.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{
    FilterType, ImageBufferError, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer,
};
use media_core::frame::{FrameSizeError, I420Frame};

use crate::codec::vp8_encoder::MAX_ENCODED_DIMENSION;
use crate::layers::MAX_LAYERS;

/// Copies that are kept: one per layer.
const COPIES: usize = MAX_LAYERS as usize;

/// A picture could not be scaled. Leave the layer out until the next one.
#[derive(Debug, thiserror::Error)]
pub enum ScaleError {
    /// No frame can have that size.
    #[error(transparent)]
    Size(#[from] FrameSizeError),
    /// A plane is shorter than its size says.
    #[error("cannot scale a picture: {0}")]
    Plane(#[from] ImageBufferError),
    /// The scaling library refused.
    #[error("cannot scale a picture: {0}")]
    Resize(#[from] ResizeError),
}

/// The size in which a camera's picture is encoded when it may be at most so large: its own when that fits, else scaled down in its
/// proportions to even numbers, so that the planes of colour are exact halves. All sizes are (width, height) in pixels.
pub fn fitting(camera: (u32, u32), most: (u32, u32)) -> (u32, u32) {
    let most = (most.0.min(MAX_ENCODED_DIMENSION), most.1.min(MAX_ENCODED_DIMENSION));
    if camera.0 <= most.0 && camera.1 <= most.1 {
        return camera;
    }
    let by_width = u64::from(most.0) * u64::from(camera.1) <= u64::from(most.1) * u64::from(camera.0);
    if by_width {
        (even(most.0), proportional(most.0, camera.1, camera.0).min(even(most.1)))
    } else {
        (proportional(most.1, camera.0, camera.1).min(even(most.0)), even(most.1))
    }
}

fn even(length: u32) -> u32 {
    (length & !1).max(2)
}

/// `length · numerator / denominator`, rounded to the nearest even number from 2 on.
fn proportional(length: u32, numerator: u32, denominator: u32) -> u32 {
    let half =
        (u64::from(length) * u64::from(numerator) + u64::from(denominator)) / (2 * u64::from(denominator));
    u32::try_from(2 * half).unwrap_or(MAX_ENCODED_DIMENSION).max(2)
}

/// Makes the smaller copies. Their memory is used again for the next picture.
#[derive(Debug, Default)]
pub struct Scaler {
    resizer: Resizer,
    copies: Vec<Scaled>,
}

#[derive(Debug)]
struct Scaled {
    picture: I420Frame,
    /// Of the present picture of the camera, not of an earlier one.
    fresh: bool,
}

impl Scaler {
    /// Without copies.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new picture of the camera: copies of the last are worth only their memory.
    pub fn begin(&mut self) {
        self.copies.iter_mut().for_each(|copy| copy.fresh = false);
    }

    /// Makes the copy of one size, unless there is one or it is the camera's own. Called for the larger sizes first it costs least. One picture
    /// has at most [`MAX_LAYERS`] copies; one more takes the place of another.
    pub fn scale(&mut self, camera: &I420Frame, size: (u32, u32)) -> Result<(), ScaleError> {
        if self.get(camera, size).is_some() {
            return Ok(());
        }
        let mut copy = self.place(camera, size)?;
        let result = scale(&mut self.resizer, source(&self.copies, camera, size), &mut copy);
        self.copies.push(Scaled { picture: copy, fresh: result.is_ok() });
        result
    }

    /// The camera's picture in a size; `None` when [`Self::scale`] did not make it.
    pub fn get<'a>(&'a self, camera: &'a I420Frame, size: (u32, u32)) -> Option<&'a I420Frame> {
        if size_of(camera) == size {
            return Some(camera);
        }
        self.copies.iter().find(|copy| copy.fresh && size_of(&copy.picture) == size).map(|copy| &copy.picture)
    }

    /// Memory for a copy: that of an old one of this size, or of any when there are enough.
    fn place(&mut self, camera: &I420Frame, size: (u32, u32)) -> Result<I420Frame, ScaleError> {
        let same = self.copies.iter().position(|copy| size_of(&copy.picture) == size);
        if let Some(index) = same {
            let mut picture = self.copies.swap_remove(index).picture;
            picture.time = camera.time;
            return Ok(picture);
        }
        if self.copies.len() >= COPIES {
            let old = self.copies.iter().position(|copy| !copy.fresh).unwrap_or(0);
            self.copies.swap_remove(old);
        }
        let data = vec![0; I420Frame::byte_len(size.0, size.1)];
        Ok(I420Frame::from_vec(size.0, size.1, data, camera.time)?)
    }
}

/// The smallest picture that is at least so large, the camera's own if need be.
fn source<'a>(copies: &'a [Scaled], camera: &'a I420Frame, size: (u32, u32)) -> &'a I420Frame {
    let large = |picture: &&I420Frame| picture.width() >= size.0 && picture.height() >= size.1;
    let fresh = copies.iter().filter(|copy| copy.fresh).map(|copy| &copy.picture);
    fresh.filter(large).min_by_key(|picture| picture.data().len()).unwrap_or(camera)
}

fn size_of(picture: &I420Frame) -> (u32, u32) {
    (picture.width(), picture.height())
}

/// Fills `to` with a scaled copy of `from`.
fn scale(resizer: &mut Resizer, from: &I420Frame, to: &mut I420Frame) -> Result<(), ScaleError> {
    let (from_luma, from_chroma) = (size_of(from), from.chroma_size());
    let (to_luma, to_chroma) = (size_of(to), to.chroma_size());
    let (from_y, from_u, from_v) = from.planes();
    let (to_y, to_u, to_v) = to.planes_mut();
    scale_plane(resizer, (from_y, from_luma), (to_y, to_luma))?;
    scale_plane(resizer, (from_u, from_chroma), (to_u, to_chroma))?;
    scale_plane(resizer, (from_v, from_chroma), (to_v, to_chroma))
}

fn scale_plane(
    resizer: &mut Resizer,
    (from, from_size): (&[u8], (u32, u32)),
    (to, to_size): (&mut [u8], (u32, u32)),
) -> Result<(), ScaleError> {
    if from_size == (2 * to_size.0, 2 * to_size.1) {
        halve_plane(from, from_size.0 as usize, to);
        return Ok(());
    }
    let whole = from_size.0.is_multiple_of(to_size.0) && from_size.1.is_multiple_of(to_size.1);
    // The mean of a whole number of pixels is exact; other ratios need a filter that weighs parts of pixels.
    let filter = if whole { FilterType::Box } else { FilterType::Bilinear };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    let from = ImageRef::new(from_size.0, from_size.1, from, PixelType::U8)?;
    let mut to = Image::from_slice_u8(to_size.0, to_size.1, to, PixelType::U8)?;
    Ok(resizer.resize(&from, &mut to, &options)?)
}

/// The mean of each four pixels. Layers are mostly halves of each other, and for those this takes a third of the library's time
/// (`cargo bench -p call-media --bench scale`).
fn halve_plane(from: &[u8], width: usize, to: &mut [u8]) {
    for (rows, line) in from.chunks_exact(2 * width).zip(to.chunks_exact_mut(width / 2)) {
        let (above, below) = rows.split_at(width);
        let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
        for (([a, b], [c, d]), pixel) in pairs.zip(line) {
            let sum = u16::from(*a) + u16::from(*b) + u16::from(*c) + u16::from(*d);
            *pixel = ((sum + 2) >> 2) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A ramp from left to right in luma, one from top to bottom in colour.
    fn ramp(width: u32, height: u32) -> I420Frame {
        let mut frame =
            I420Frame::from_vec(width, height, vec![0; I420Frame::byte_len(width, height)], Instant::now())
                .unwrap();
        let (chroma_width, chroma_height) = frame.chroma_size();
        let (y, u, v) = frame.planes_mut();
        for line in y.chunks_exact_mut(width as usize) {
            line.iter_mut().enumerate().for_each(|(x, pixel)| *pixel = (x * 200 / width as usize) as u8);
        }
        for plane in [u, v] {
            for (row, line) in plane.chunks_exact_mut(chroma_width as usize).enumerate() {
                line.fill((row * 200 / chroma_height as usize) as u8);
            }
        }
        frame
    }

    fn assert_is_ramp(frame: &I420Frame) {
        let expected = ramp(frame.width(), frame.height());
        for (at, (a, b)) in frame.data().iter().zip(expected.data()).enumerate() {
            assert!(a.abs_diff(*b) <= 9, "{}x{} at {at}: {a} {b}", frame.width(), frame.height());
        }
    }

    #[test]
    fn a_size_fits_keeps_its_proportions_and_is_never_enlarged() {
        let cases = [
            ((1280, 720), (1280, 720), (1280, 720)),
            ((1280, 720), (640, 360), (640, 360)),
            ((1280, 720), (320, 180), (320, 180)),
            ((640, 480), (320, 180), (240, 180)),
            ((480, 640), (640, 360), (270, 360)),
            ((1366, 768), (640, 360), (640, 360)),
            ((161, 91), (640, 360), (161, 91)),
            ((641, 361), (640, 360), (640, 360)),
            ((333, 77), (161, 91), (160, 38)),
            ((8000, 6000), (u32::MAX, u32::MAX), (4096, 3072)),
            ((16_000, 2), (320, 180), (320, 2)),
            ((640, 360), (0, 0), (2, 2)),
        ];
        for (camera, most, expected) in cases {
            assert_eq!(fitting(camera, most), expected, "{camera:?} in {most:?}");
        }
    }

    #[test]
    fn copies_look_like_the_original_in_every_size() {
        let mut scaler = Scaler::new();
        for camera in [ramp(1280, 720), ramp(161, 91), ramp(333, 77), ramp(1366, 768)] {
            scaler.begin();
            for most in [(640, 360), (320, 180), (100, 50)] {
                let size = fitting((camera.width(), camera.height()), most);
                scaler.scale(&camera, size).unwrap();
                let copy = scaler.get(&camera, size).unwrap();
                assert_eq!((copy.width(), copy.height(), copy.time), (size.0, size.1, camera.time));
                assert_is_ramp(copy);
            }
        }
    }

    #[test]
    fn half_a_plane_is_what_the_library_makes_of_it() {
        let from: Vec<u8> = (0..24 * 10).map(|at| (at * 37 % 251) as u8).collect();
        let (mut ours, mut theirs) = (vec![0; 12 * 5], Image::new(12, 5, PixelType::U8));
        halve_plane(&from, 24, &mut ours);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Box));
        let image = ImageRef::new(24, 10, &from, PixelType::U8).unwrap();
        Resizer::new().resize(&image, &mut theirs, &options).unwrap();
        assert!(ours.iter().zip(theirs.buffer()).all(|(a, b)| a.abs_diff(*b) <= 1), "rounded once or twice");
    }

    #[test]
    fn the_cameras_own_size_is_not_copied() {
        let camera = ramp(64, 36);
        let mut scaler = Scaler::new();
        scaler.scale(&camera, (64, 36)).unwrap();
        assert!(std::ptr::eq(scaler.get(&camera, (64, 36)).unwrap(), &raw const camera));
        assert!(scaler.copies.is_empty());
    }

    #[test]
    fn old_copies_are_not_shown_and_their_memory_is_used_again() {
        let mut scaler = Scaler::new();
        let mut place = None;
        for round in 0..4 {
            let camera = ramp(64, 36);
            scaler.begin();
            assert!(scaler.get(&camera, (32, 18)).is_none());
            scaler.scale(&camera, (32, 18)).unwrap();
            let now = scaler.get(&camera, (32, 18)).unwrap().data().as_ptr();
            assert_eq!(*place.get_or_insert(now), now, "round {round}");
        }
        for width in 2..40 {
            scaler.begin();
            scaler.scale(&ramp(64, 36), (width, 18)).unwrap();
        }
        assert!(scaler.copies.len() <= COPIES);
    }
}
