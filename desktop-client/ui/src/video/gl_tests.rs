//! The shader path on a real OpenGL context without a window (EGL on a device, which Mesa's software renderer offers too), through egui's own
//! painter, against the conversion on the CPU.

use std::ffi::CString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Color32, Rect, pos2, vec2};
use egui_glow::glow;
use glow::HasContext as _;
use glutin::api::egl::context::PossiblyCurrentContext;
use glutin::api::egl::device::Device;
use glutin::api::egl::display::Display;
use glutin::config::{ConfigSurfaceTypes, ConfigTemplateBuilder};
use glutin::context::{ContextApi, ContextAttributesBuilder, Version};
use glutin::prelude::*;
use media_core::frame::I420Frame;
use shared::PeerId;

use super::{Fit, Path, Pictures, Placement, Renderer, TileId, rgba};

const WIDTH: u32 = 96;
const HEIGHT: u32 = 64;

/// A context, egui's painter in it, and an image to draw on.
struct Canvas {
    ctx: egui::Context,
    painter: egui_glow::Painter,
    gl: Arc<glow::Context>,
    _current: PossiblyCurrentContext,
}

impl Canvas {
    fn new(api: ContextApi) -> Self {
        let device =
            Device::query_devices().unwrap().next().expect("an EGL device: Mesa offers one without hardware");
        // SAFETY: no display of ours outlives the process, and none is used from another thread.
        let display = unsafe { Display::with_device(&device, None) }.unwrap();
        let template = ConfigTemplateBuilder::new().with_surface_type(ConfigSurfaceTypes::empty()).build();
        // SAFETY: the template asks for no native window.
        let config = unsafe { display.find_configs(template) }.unwrap().next().unwrap();
        let attributes = ContextAttributesBuilder::new().with_context_api(api).build(None);
        // SAFETY: as above.
        let context = unsafe { display.create_context(&config, &attributes) }.unwrap();
        let current = context.make_current_surfaceless().unwrap();
        let load = |name: &str| display.get_proc_address(&CString::new(name).unwrap());
        // SAFETY: the context is current, and the addresses come from its own display.
        let gl = Arc::new(unsafe { glow::Context::from_loader_function(load) });
        // SAFETY: plain calls on the current context: a renderbuffer of the canvas's size that all drawing goes to.
        unsafe {
            let frame = gl.create_framebuffer().unwrap();
            let pixels = gl.create_renderbuffer().unwrap();
            gl.bind_renderbuffer(glow::RENDERBUFFER, Some(pixels));
            gl.renderbuffer_storage(glow::RENDERBUFFER, glow::RGBA8, WIDTH as i32, HEIGHT as i32);
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(frame));
            gl.framebuffer_renderbuffer(
                glow::FRAMEBUFFER,
                glow::COLOR_ATTACHMENT0,
                glow::RENDERBUFFER,
                Some(pixels),
            );
            assert_eq!(gl.check_framebuffer_status(glow::FRAMEBUFFER), glow::FRAMEBUFFER_COMPLETE);
        }
        let painter = egui_glow::Painter::new(Arc::clone(&gl), "", None, false).unwrap();
        Self { ctx: egui::Context::default(), painter, gl, _current: current }
    }

    fn pictures(&self) -> Pictures {
        let renderer = Renderer::pick(Some(&self.gl));
        assert!(matches!(renderer, Renderer::Gl(_)));
        Pictures::new(renderer)
    }

    /// A pass of the window that paints these, and what is to be seen then.
    fn show(
        &mut self,
        pictures: &mut Pictures,
        shown: &[(TileId, &Arc<I420Frame>, Placement)],
    ) -> egui::ColorImage {
        let screen_rect = Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(WIDTH as f32, HEIGHT as f32)));
        let input = egui::RawInput { screen_rect, ..Default::default() };
        let mut output = self.ctx.run_ui(input, |ui| {
            for (id, frame, placement) in shown {
                pictures.paint(ui, id.clone(), frame, *placement);
            }
            pictures.end_pass(ui);
        });
        let shapes = std::mem::take(&mut output.shapes);
        let primitives = self.ctx.tessellate(shapes, 1.0);
        self.painter.clear([WIDTH, HEIGHT], [0.0; 4]);
        self.painter.paint_and_update_textures([WIDTH, HEIGHT], 1.0, &primitives, &mut output.textures_delta);
        // SAFETY: the context is current.
        assert_eq!(unsafe { self.gl.get_error() }, glow::NO_ERROR);
        self.painter.read_screen_rgba([WIDTH, HEIGHT])
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        self.painter.destroy();
    }
}

/// Every colour somewhere: luma across, chroma down and across in steps, so that neither way has to guess between pixels.
fn colors(width: u32, height: u32, time: Instant) -> Arc<I420Frame> {
    let mut data = Vec::new();
    data.extend((0..width * height).map(|i| (16 + (i % width) * 219 / width) as u8));
    let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
    data.extend((0..cw * ch).map(|i| if i % cw < cw / 2 { 90 } else { 170 }));
    data.extend((0..cw * ch).map(|i| if i / cw < ch / 2 { 80 } else { 180 }));
    Arc::new(I420Frame::from_vec(width, height, data, time).unwrap())
}

fn whole(mirror: bool, radius: f32) -> Placement {
    let rect = Rect::from_min_size(pos2(0.0, 0.0), vec2(WIDTH as f32, HEIGHT as f32));
    Placement { rect, fit: Fit::Cover, mirror, radius }
}

/// Most that a channel differs between two pictures, leaving out the columns and rows where the chroma changes: the shader blends there.
fn difference(seen: &egui::ColorImage, expected: &[Color32]) -> i32 {
    let at = |i: usize| (i as u32 % WIDTH, i as u32 / WIDTH);
    let inner = |x: u32, y: u32| x.abs_diff(WIDTH / 2) > 2 && y.abs_diff(HEIGHT / 2) > 2;
    (0..expected.len())
        .filter(|&i| inner(at(i).0, at(i).1))
        .flat_map(|i| (0..3).map(move |c| (i, c)))
        .map(|(i, c)| (i32::from(seen.pixels[i].to_array()[c]) - i32::from(expected[i].to_array()[c])).abs())
        .max()
        .unwrap()
}

fn apis() -> [ContextApi; 2] {
    [ContextApi::OpenGl(Some(Version::new(3, 3))), ContextApi::Gles(Some(Version::new(3, 0)))]
}

#[test]
fn the_shader_shows_what_the_conversion_on_the_cpu_shows() {
    for api in apis() {
        let mut canvas = Canvas::new(api);
        let mut pictures = canvas.pictures();
        let frame = colors(WIDTH, HEIGHT, Instant::now());
        let expected = rgba::rgba(&frame).unwrap();
        let seen = canvas.show(&mut pictures, &[(TileId::Own, &frame, whole(false, 0.0))]);
        assert!(difference(&seen, &expected) <= 3, "{api:?}: {}", difference(&seen, &expected));
        let mirrored: Vec<Color32> =
            expected.chunks(WIDTH as usize).flat_map(|row| row.iter().rev().copied()).collect();
        let seen = canvas.show(&mut pictures, &[(TileId::Own, &frame, whole(true, 0.0))]);
        assert!(difference(&seen, &mirrored) <= 3, "{api:?}");
        pictures.release(&canvas.gl);
    }
}

#[test]
fn a_new_frame_is_shown_and_the_same_one_is_not_uploaded_again() {
    let mut canvas = Canvas::new(apis()[0]);
    let mut pictures = canvas.pictures();
    let now = Instant::now();
    let grey = |luma: u8, time| {
        let mut data = vec![128; I420Frame::byte_len(WIDTH, HEIGHT)];
        data[..(WIDTH * HEIGHT) as usize].fill(luma);
        Arc::new(I420Frame::from_vec(WIDTH, HEIGHT, data, time).unwrap())
    };
    let (dark, light) = (grey(40, now), grey(200, now + Duration::from_millis(33)));
    let first = canvas.show(&mut pictures, &[(TileId::Own, &dark, whole(false, 0.0))]);
    // What the GPU holds is changed behind our back: the same frame must not repair it, the next one must.
    let textures = held(&pictures)[0];
    // SAFETY: the context is current and the texture is alive; one byte per pixel.
    unsafe {
        canvas.gl.bind_texture(glow::TEXTURE_2D, Some(textures[0]));
        let bytes = vec![235_u8; (WIDTH * HEIGHT) as usize];
        let (w, h) = (WIDTH as i32, HEIGHT as i32);
        let pixels = glow::PixelUnpackData::Slice(Some(&bytes));
        canvas.gl.tex_sub_image_2d(glow::TEXTURE_2D, 0, 0, 0, w, h, glow::RED, glow::UNSIGNED_BYTE, pixels);
    }
    let same = canvas.show(&mut pictures, &[(TileId::Own, &dark, whole(false, 0.0))]);
    assert_ne!(first.pixels, same.pixels, "uploaded again");
    let next = canvas.show(&mut pictures, &[(TileId::Own, &light, whole(false, 0.0))]);
    assert_ne!(same.pixels, next.pixels);
    assert!(next.pixels[0].g() > first.pixels[0].g());
}

#[test]
fn corners_are_round_and_odd_sizes_are_shown_whole() {
    let mut canvas = Canvas::new(apis()[0]);
    let mut pictures = canvas.pictures();
    for (width, height) in [(1, 1), (5, 3), (97, 65), (1280, 720)] {
        let data = vec![200; I420Frame::byte_len(width, height)];
        let frame = Arc::new(I420Frame::from_vec(width, height, data, Instant::now()).unwrap());
        let seen = canvas.show(&mut pictures, &[(TileId::Own, &frame, whole(false, 12.0))]);
        assert_eq!(seen.pixels[0].a(), 0, "{width}x{height}");
        let middle = seen.pixels[(HEIGHT / 2 * WIDTH + WIDTH / 2) as usize];
        assert_eq!(middle.a(), 255);
        assert_eq!(seen.pixels[(HEIGHT / 2 * WIDTH) as usize], middle, "the left edge is of the same colour");
    }
}

#[test]
fn textures_go_with_their_tile() {
    let mut canvas = Canvas::new(apis()[0]);
    let mut pictures = canvas.pictures();
    let frame = colors(WIDTH, HEIGHT, Instant::now());
    let peer = TileId::Peer(PeerId::parse("ada").unwrap());
    canvas.show(
        &mut pictures,
        &[(TileId::Own, &frame, whole(true, 0.0)), (peer.clone(), &frame, whole(false, 0.0))],
    );
    let before = held(&pictures);
    assert_eq!(before.len(), 2);
    canvas.show(&mut pictures, &[(peer, &frame, whole(false, 0.0))]);
    assert_eq!(held(&pictures), before[1..], "our own tile has gone");
    // SAFETY: the context is current; asking whether a name is a texture is always allowed.
    let alive = |texture: &glow::Texture| unsafe { canvas.gl.is_texture(*texture) };
    assert!(!before[0].iter().any(alive) && before[1].iter().all(alive));
    canvas.show(&mut pictures, &[]);
    assert_eq!(held(&pictures), Vec::<[glow::Texture; 3]>::new());
}

fn held(pictures: &Pictures) -> Vec<[glow::Texture; 3]> {
    match &pictures.path {
        Path::Gl(video) => video.textures(),
        Path::Rgba(_) => panic!("not the shader path"),
    }
}
