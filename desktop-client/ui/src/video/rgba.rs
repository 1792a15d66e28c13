//! The way without GL: each new frame is converted on the CPU and given to egui as an image.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::epaint::RectShape;
use egui::{Color32, ColorImage, TextureHandle, TextureOptions, Ui};
use media_core::frame::I420Frame;
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::geometry::{Placed, at_most};
use super::{FrameIdentity, TileId};

/// One egui texture per tile.
#[derive(Default)]
pub struct Video {
    tiles: BTreeMap<TileId, Tile>,
}

struct Tile {
    texture: TextureHandle,
    shown: FrameIdentity,
    used: bool,
}

impl Video {
    /// Paints a frame; converts it if it is a new one.
    pub fn paint(&mut self, ui: &Ui, id: TileId, frame: &Arc<I420Frame>, placed: Placed) {
        let identity = FrameIdentity::of(frame);
        let texture = match self.tiles.get_mut(&id) {
            Some(tile) => {
                tile.used = true;
                if tile.shown != identity {
                    let Some(image) = image(ui, frame) else { return };
                    tile.texture.set(image, TextureOptions::LINEAR);
                    tile.shown = identity;
                }
                tile.texture.id()
            }
            None => {
                let Some(image) = image(ui, frame) else { return };
                let texture = ui.ctx().load_texture("video", image, TextureOptions::LINEAR);
                let texture_id = texture.id();
                self.tiles.insert(id, Tile { texture, shown: identity, used: true });
                texture_id
            }
        };
        let shape =
            RectShape::filled(placed.rect, placed.radius, Color32::WHITE).with_texture(texture, placed.uv);
        ui.painter().add(shape);
    }

    /// Frees the textures of tiles that were not painted since the last call.
    pub fn end_pass(&mut self) {
        self.tiles.retain(|_, tile| std::mem::take(&mut tile.used));
    }
}

fn image(ui: &Ui, frame: &Arc<I420Frame>) -> Option<ColorImage> {
    let max_side = ui.input(|i| i.max_texture_side);
    let frame = at_most(frame, u32::try_from(max_side).unwrap_or(u32::MAX));
    let pixels = rgba(&frame)?;
    Some(ColorImage::new([frame.width() as usize, frame.height() as usize], pixels))
}

/// The frame in RGBA, or `None` if the converter refuses it (it takes no frame of odd layout that [`I420Frame`] lets through).
pub fn rgba(frame: &I420Frame) -> Option<Vec<Color32>> {
    let (y, u, v) = frame.planes();
    let (chroma_width, _) = frame.chroma_size();
    let planes = YuvPlanarImage {
        y_plane: y,
        y_stride: frame.width(),
        u_plane: u,
        u_stride: chroma_width,
        v_plane: v,
        v_stride: chroma_width,
        width: frame.width(),
        height: frame.height(),
    };
    let mut pixels = vec![Color32::BLACK; frame.width() as usize * frame.height() as usize];
    let bytes = bytemuck::cast_slice_mut(&mut pixels);
    yuv::yuv420_to_rgba(&planes, bytes, frame.width() * 4, YuvRange::Limited, YuvStandardMatrix::Bt601)
        .inspect_err(|error| tracing::debug!(%error, "a frame could not be converted"))
        .ok()?;
    Some(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (Y, U, V) of BT.601 limited range for a colour, and the colour.
    const COLORS: [((u8, u8, u8), [i32; 3]); 4] = [
        ((235, 128, 128), [255, 255, 255]),
        ((16, 128, 128), [0, 0, 0]),
        ((81, 90, 240), [255, 0, 0]),
        ((41, 240, 110), [0, 0, 255]),
    ];

    #[test]
    fn colours_are_those_of_bt601_limited_range() {
        for ((y, u, v), expected) in COLORS {
            // Odd sides: the chroma planes round up.
            let data = [vec![y; 15], vec![u; 6], vec![v; 6]].concat();
            let frame = I420Frame::from_vec(5, 3, data, std::time::Instant::now()).unwrap();
            for pixel in rgba(&frame).unwrap() {
                for (got, want) in pixel.to_array()[..3].iter().zip(expected) {
                    assert!((i32::from(*got) - want).abs() <= 3, "{pixel:?} for {expected:?}");
                }
            }
        }
    }
}
