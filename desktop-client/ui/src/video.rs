//! Pictures on the screen: I420 frames through a GL shader, or converted to RGBA where there is no GL.
//!
//! Both ways take BT.601 limited range. That is what VP8 says of itself (RFC 6386 §9.2, `color_space` 0), and what Chromium and libyuv assume of
//! WebRTC video without a colour space extension, at every size; BT.709 would tint HD calls against what the sender's browser shows.

mod geometry;
mod gl;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod gl_tests;
mod rgba;
mod shader;

use std::sync::Arc;

use egui::{Rect, Ui};
use egui_glow::glow;
use media_core::frame::I420Frame;
use shared::PeerId;

pub use geometry::Fit;
use geometry::placed;

/// Where the views find the newest pictures. Called for each visible tile in each pass: cheap, without waiting.
pub trait VideoFrames {
    /// Our own camera's newest frame, while it runs.
    fn local(&self) -> Option<Arc<I420Frame>>;
    /// The newest frame of a peer that is due to be shown.
    fn peer(&self, id: &PeerId) -> Option<Arc<I420Frame>>;
}

/// How frames get onto the screen.
pub enum Renderer {
    /// Three R8 textures per tile and a shader: the cheap way, for contexts that egui_glow paints.
    Gl(GlRenderer),
    /// Converted on the CPU and given to egui as an image: works with every egui painter, and in tests.
    Rgba,
}

/// The shader path, made by [`Renderer::pick`].
pub struct GlRenderer(gl::Video);

impl Renderer {
    /// The shader path where the context can do it (OpenGL 3.1 or OpenGL ES 3.0), else RGBA. The context must be current, as it is in eframe's creation
    /// closure: give it `creation_context.gl.as_deref()`.
    pub fn pick(context: Option<&glow::Context>) -> Self {
        let Some(context) = context else { return Self::Rgba };
        match gl::Video::new(context) {
            Ok(video) => Self::Gl(GlRenderer(video)),
            Err(error) => {
                tracing::warn!(%error, "video is converted on the CPU: the shader path is not available");
                Self::Rgba
            }
        }
    }
}

/// A tile's pictures are kept apart by this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileId {
    /// Our own.
    Own,
    /// A peer's.
    Peer(PeerId),
}

/// How a picture lies in its tile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// The tile.
    pub rect: Rect,
    /// Whether it fills the tile or is shown whole.
    pub fit: Fit,
    /// Mirrored, as people know themselves.
    pub mirror: bool,
    /// Radius of the corners in points.
    pub radius: f32,
}

/// Paints frames, and keeps per tile what the GPU knows already.
pub struct Pictures {
    path: Path,
}

enum Path {
    Gl(gl::Video),
    Rgba(rgba::Video),
}

impl Pictures {
    /// No pictures yet.
    pub fn new(renderer: Renderer) -> Self {
        let path = match renderer {
            Renderer::Gl(GlRenderer(video)) => Path::Gl(video),
            Renderer::Rgba => Path::Rgba(rgba::Video::default()),
        };
        Self { path }
    }

    /// Paints a frame. The same frame again costs no upload.
    pub fn paint(&mut self, ui: &Ui, tile: TileId, frame: &Arc<I420Frame>, placement: Placement) {
        let placed = placed(placement, frame.width(), frame.height());
        match &mut self.path {
            Path::Gl(video) => video.paint(ui, tile, frame, placed),
            Path::Rgba(video) => video.paint(ui, tile, frame, placed),
        }
    }

    /// Frees the textures of all tiles that were not painted in this pass.
    pub fn end_pass(&mut self, ui: &Ui) {
        match &mut self.path {
            Path::Gl(video) => video.end_pass(ui),
            Path::Rgba(video) => video.end_pass(),
        }
    }

    /// Frees everything that the GL context holds for us, before it goes.
    pub fn release(&mut self, context: &glow::Context) {
        match &mut self.path {
            Path::Gl(video) => video.release(context),
            Path::Rgba(video) => *video = rgba::Video::default(),
        }
    }
}

/// What tells one frame from another without looking at its pixels: an address may be used again, but not with the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrameIdentity(usize, std::time::Instant);

impl FrameIdentity {
    fn of(frame: &Arc<I420Frame>) -> Self {
        Self(Arc::as_ptr(frame) as usize, frame.time)
    }
}
