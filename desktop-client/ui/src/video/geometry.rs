//! Where a picture lies in a tile, which part of it is seen, and how an oversized one is made small enough.

use std::sync::Arc;

use egui::{Rect, Vec2, pos2, vec2};
use media_core::frame::I420Frame;

use super::Placement;

/// How a picture of another shape is put into a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Fills the tile; what is over at the edges is cut.
    Cover,
    /// Fills the tile if that cuts little, else is shown whole with bars: a phone held upright is not cut to a stripe.
    Auto,
}

/// Most of a side that [`Fit::Auto`] cuts away: 16:9 fills a square tile (44 % cut), 9:16 does not fill 16:9.
const CUT_MAX: f32 = 0.45;

/// A picture in place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Where it is painted, in points.
    pub rect: Rect,
    /// The part of the picture that is seen, 0 to 1 from its top left; mirrored when left is larger than right.
    pub uv: Rect,
    /// Radius of the corners in points.
    pub radius: f32,
}

/// Puts a picture of `width` × `height` into its tile.
pub fn placed(placement: Placement, width: u32, height: u32) -> Placed {
    let tile = placement.rect;
    let picture = vec2(width.max(1) as f32, height.max(1) as f32);
    let cover = (tile.width() / picture.x).max(tile.height() / picture.y);
    let seen = Vec2::new(tile.width() / (picture.x * cover), tile.height() / (picture.y * cover));
    let cut = 1.0 - seen.min_elem();
    let (rect, seen) = if placement.fit == Fit::Auto && cut > CUT_MAX {
        let contain = (tile.width() / picture.x).min(tile.height() / picture.y);
        (Rect::from_center_size(tile.center(), picture * contain), Vec2::ONE)
    } else {
        (tile, seen)
    };
    let mut uv = Rect::from_center_size(pos2(0.5, 0.5), seen);
    if placement.mirror {
        std::mem::swap(&mut uv.min.x, &mut uv.max.x);
    }
    Placed { rect, uv, radius: placement.radius }
}

/// The frame, or every n-th pixel of it where a side is longer than `max_side` (what a texture can hold: a peer may send up to 16 383).
pub fn at_most(frame: &Arc<I420Frame>, max_side: u32) -> Arc<I420Frame> {
    let step = frame.width().max(frame.height()).div_ceil(max_side.max(1)).max(1);
    if step == 1 {
        return Arc::clone(frame);
    }
    let (y, u, v) = frame.planes();
    let (chroma_width, chroma_height) = frame.chroma_size();
    let (width, height) = (frame.width().div_ceil(step), frame.height().div_ceil(step));
    let mut data = Vec::with_capacity(I420Frame::byte_len(width, height));
    thin(&mut data, y, frame.width(), frame.height(), step, (width, height));
    for plane in [u, v] {
        thin(&mut data, plane, chroma_width, chroma_height, step, (width.div_ceil(2), height.div_ceil(2)));
    }
    I420Frame::from_vec(width, height, data, frame.time).map_or_else(|_| Arc::clone(frame), Arc::new)
}

fn thin(out: &mut Vec<u8>, plane: &[u8], width: u32, height: u32, step: u32, target: (u32, u32)) {
    for row in 0..target.1 {
        let row = (row * step).min(height - 1) as usize * width as usize;
        out.extend((0..target.0).map(|column| plane[row + (column * step).min(width - 1) as usize]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(tile: (f32, f32), fit: Fit, mirror: bool, picture: (u32, u32)) -> Placed {
        let rect = Rect::from_min_size(pos2(10.0, 20.0), vec2(tile.0, tile.1));
        placed(Placement { rect, fit, mirror, radius: 0.0 }, picture.0, picture.1)
    }

    #[test]
    fn a_picture_of_the_tiles_shape_is_seen_whole() {
        let p = place((320.0, 180.0), Fit::Auto, false, (1280, 720));
        assert_eq!(p.rect.size(), vec2(320.0, 180.0));
        assert_eq!(p.uv, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)));
    }

    #[test]
    fn a_little_is_cut_and_a_lot_is_not() {
        let p = place((320.0, 180.0), Fit::Auto, false, (640, 480));
        assert_eq!(p.rect.size(), vec2(320.0, 180.0));
        assert!((p.uv.height() - 0.75).abs() < 1e-3);
        let p = place((320.0, 180.0), Fit::Auto, false, (720, 1280));
        assert!((p.rect.width() - 101.25).abs() < 0.01 && (p.rect.height() - 180.0).abs() < 0.01);
        assert_eq!(p.uv.size(), Vec2::ONE);
        let p = place((320.0, 180.0), Fit::Cover, false, (720, 1280));
        assert_eq!(p.rect.size(), vec2(320.0, 180.0));
    }

    #[test]
    fn mirrored_means_left_and_right_are_swapped() {
        let p = place((320.0, 180.0), Fit::Cover, true, (1280, 720));
        assert_eq!((p.uv.left(), p.uv.right()), (1.0, 0.0));
    }

    #[test]
    fn an_oversized_frame_is_thinned_and_keeps_its_content() {
        let (w, h) = (101, 37);
        let mut data = vec![0; I420Frame::byte_len(w, h)];
        data[..(w * h) as usize].iter_mut().enumerate().for_each(|(i, y)| *y = (i % w as usize) as u8);
        let frame = Arc::new(I420Frame::from_vec(w, h, data, std::time::Instant::now()).unwrap());
        let small = at_most(&frame, 40);
        assert_eq!((small.width(), small.height()), (34, 13));
        assert_eq!(&small.planes().0[..3], &[0, 3, 6]);
        assert!(Arc::ptr_eq(&at_most(&frame, 101), &frame));
    }
}
