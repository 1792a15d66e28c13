//! The shader path: three R8 textures per tile, uploaded only when the frame is a new one.
//!
//! GL objects are made and freed only inside paint callbacks, where the context is sure to be current.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use egui::{PaintCallback, Rect, Ui, vec2};
use egui_glow::{CallbackFn, glow};
use glow::HasContext as _;
use media_core::frame::I420Frame;

use super::geometry::{Placed, at_most};
use super::shader::{Program, ShaderError};
use super::{FrameIdentity, TileId};

/// The tiles and what the GPU holds for them.
pub struct Video {
    /// Shared with the paint callbacks, which run later in the same thread: never contended.
    gpu: Arc<Mutex<Gpu>>,
    /// Tiles with the mark of having been painted in this pass.
    tiles: BTreeMap<TileId, bool>,
}

struct Gpu {
    program: Program,
    planes: BTreeMap<TileId, Planes>,
    gone: Vec<TileId>,
}

struct Planes {
    textures: [glow::Texture; 3],
    size: (u32, u32),
    shown: Option<FrameIdentity>,
}

fn lock(gpu: &Mutex<Gpu>) -> MutexGuard<'_, Gpu> {
    gpu.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Video {
    /// Compiles the shader in the current context.
    pub fn new(gl: &glow::Context) -> Result<Self, ShaderError> {
        let program = Program::new(gl)?;
        let gpu = Gpu { program, planes: BTreeMap::new(), gone: Vec::new() };
        Ok(Self { gpu: Arc::new(Mutex::new(gpu)), tiles: BTreeMap::new() })
    }

    /// Paints a frame.
    pub fn paint(&mut self, ui: &Ui, id: TileId, frame: &Arc<I420Frame>, placed: Placed) {
        self.tiles.insert(id.clone(), true);
        let gpu = Arc::clone(&self.gpu);
        let frame = Arc::clone(frame);
        let callback = CallbackFn::new(move |info, painter| {
            lock(&gpu).draw(painter.gl(), &id, &frame, placed, info.pixels_per_point);
        });
        ui.painter().add(PaintCallback { rect: placed.rect, callback: Arc::new(callback) });
    }

    /// Frees the textures of tiles that were not painted since the last call.
    pub fn end_pass(&mut self, ui: &Ui) {
        let before = self.tiles.len();
        let mut gpu = lock(&self.gpu);
        self.tiles.retain(|id, used| {
            if !*used {
                gpu.gone.push(id.clone());
            }
            std::mem::take(used)
        });
        drop(gpu);
        if self.tiles.len() < before {
            let gpu = Arc::clone(&self.gpu);
            let callback = CallbackFn::new(move |_, painter| lock(&gpu).sweep(painter.gl()));
            // egui leaves callbacks out whose rectangle is empty or cannot be seen.
            let rect = Rect::from_min_size(ui.max_rect().min, vec2(1.0, 1.0));
            ui.painter().add(PaintCallback { rect, callback: Arc::new(callback) });
        }
    }

    /// What the GPU holds, in the order of the tiles.
    #[cfg(test)]
    #[cfg(target_os = "linux")]
    pub fn textures(&self) -> Vec<[glow::Texture; 3]> {
        lock(&self.gpu).planes.values().map(|planes| planes.textures).collect()
    }

    /// Frees everything.
    pub fn release(&mut self, gl: &glow::Context) {
        let mut gpu = lock(&self.gpu);
        gpu.gone = gpu.planes.keys().cloned().collect();
        gpu.sweep(gl);
        gpu.program.delete(gl);
        self.tiles.clear();
    }
}

impl Gpu {
    fn draw(&mut self, gl: &glow::Context, id: &TileId, frame: &Arc<I420Frame>, placed: Placed, scale: f32) {
        let planes = match self.planes.get_mut(id) {
            Some(planes) => planes,
            None => match Planes::new(gl) {
                Ok(planes) => self.planes.entry(id.clone()).or_insert(planes),
                Err(error) => return tracing::warn!(%error, "no texture for a video tile"),
            },
        };
        let identity = FrameIdentity::of(frame);
        if planes.shown != Some(identity) {
            planes.upload(gl, &at_most(frame, self.program.max_side()));
            planes.shown = Some(identity);
        }
        self.program.draw(gl, &planes.textures, planes.size, placed, scale);
    }

    fn sweep(&mut self, gl: &glow::Context) {
        for id in std::mem::take(&mut self.gone) {
            if let Some(planes) = self.planes.remove(&id) {
                for texture in planes.textures {
                    // SAFETY: the context is current in a paint callback, and the texture is ours and used by nobody else.
                    unsafe { gl.delete_texture(texture) };
                }
            }
        }
    }
}

impl Planes {
    fn new(gl: &glow::Context) -> Result<Self, String> {
        let texture = || -> Result<glow::Texture, String> {
            // SAFETY: plain GL calls on the current context, with enums that go together.
            unsafe {
                let texture = gl.create_texture()?;
                gl.bind_texture(glow::TEXTURE_2D, Some(texture));
                for (name, value) in [
                    (glow::TEXTURE_MIN_FILTER, glow::LINEAR),
                    (glow::TEXTURE_MAG_FILTER, glow::LINEAR),
                    (glow::TEXTURE_WRAP_S, glow::CLAMP_TO_EDGE),
                    (glow::TEXTURE_WRAP_T, glow::CLAMP_TO_EDGE),
                ] {
                    gl.tex_parameter_i32(glow::TEXTURE_2D, name, value as i32);
                }
                Ok(texture)
            }
        };
        Ok(Self { textures: [texture()?, texture()?, texture()?], size: (0, 0), shown: None })
    }

    fn upload(&mut self, gl: &glow::Context, frame: &I420Frame) {
        let size = (frame.width(), frame.height());
        let (y, u, v) = frame.planes();
        let chroma = frame.chroma_size();
        // SAFETY: the context is current, no unpack buffer is bound (egui uses none), rows are tightly packed as alignment 1 says, and each
        // slice holds exactly width × height bytes, which I420Frame guarantees.
        unsafe {
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 1);
            for (texture, (plane, (width, height))) in
                self.textures.iter().zip([(y, size), (u, chroma), (v, chroma)])
            {
                let (width, height) = (width as i32, height as i32);
                gl.bind_texture(glow::TEXTURE_2D, Some(*texture));
                let pixels = glow::PixelUnpackData::Slice(Some(plane));
                if self.size == size {
                    let (format, kind) = (glow::RED, glow::UNSIGNED_BYTE);
                    gl.tex_sub_image_2d(glow::TEXTURE_2D, 0, 0, 0, width, height, format, kind, pixels);
                } else {
                    let (format, kind) = (glow::RED, glow::UNSIGNED_BYTE);
                    let internal = glow::R8 as i32;
                    gl.tex_image_2d(glow::TEXTURE_2D, 0, internal, width, height, 0, format, kind, pixels);
                }
            }
        }
        self.size = size;
    }
}
