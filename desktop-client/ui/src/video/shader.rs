//! The shader that turns three planes into a picture with rounded corners.

use egui_glow::{ShaderVersion, glow};
use glow::HasContext as _;

use super::geometry::Placed;

/// A quad from the vertex number alone: no buffers.
const VERTEX: &str = "
out vec2 v_at;
void main() {
    v_at = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
    gl_Position = vec4(v_at.x * 2.0 - 1.0, 1.0 - v_at.y * 2.0, 0.0, 1.0);
}";

/// BT.601 limited range to RGB (ITU-R BT.601-7 §2.5.3 inverted), and a signed distance to the rounded rectangle for smooth corners.
const FRAGMENT: &str = "
in vec2 v_at;
out vec4 o_color;
uniform sampler2D u_y;
uniform sampler2D u_u;
uniform sampler2D u_v;
uniform vec4 u_part;
uniform vec2 u_chroma;
uniform vec2 u_size;
uniform float u_radius;
void main() {
    vec2 at = mix(u_part.xy, u_part.zw, v_at);
    float y = 1.16438 * (texture(u_y, at).r - 16.0 / 255.0);
    float u = texture(u_u, at * u_chroma).r - 128.0 / 255.0;
    float v = texture(u_v, at * u_chroma).r - 128.0 / 255.0;
    vec3 rgb = clamp(vec3(y + 1.59603 * v, y - 0.39176 * u - 0.81297 * v, y + 2.01723 * u), 0.0, 1.0);
    vec2 corner = abs(v_at - 0.5) * u_size - (u_size * 0.5 - u_radius);
    float outside = length(max(corner, 0.0)) - u_radius;
    float alpha = u_radius > 0.0 ? clamp(0.5 - outside, 0.0, 1.0) : 1.0;
    o_color = vec4(rgb * alpha, alpha);
}";

/// Why there is no shader path here.
#[derive(Debug, thiserror::Error)]
pub enum ShaderError {
    /// Single-channel textures and `gl_VertexID` need OpenGL 3.1 or OpenGL ES 3.0.
    #[error("the OpenGL version is too old: {0}")]
    Version(String),
    /// The driver refused.
    #[error("the driver refused the video shader: {0}")]
    Driver(String),
}

/// The compiled program and the places of its uniforms.
pub struct Program {
    program: glow::Program,
    vertices: glow::VertexArray,
    max_side: u32,
    samplers: [Option<glow::UniformLocation>; 3],
    part: Option<glow::UniformLocation>,
    chroma: Option<glow::UniformLocation>,
    size: Option<glow::UniformLocation>,
    radius: Option<glow::UniformLocation>,
}

impl Program {
    /// Compiles it in the current context.
    pub fn new(gl: &glow::Context) -> Result<Self, ShaderError> {
        let header = match ShaderVersion::get(gl) {
            ShaderVersion::Gl140 => "#version 140\n",
            ShaderVersion::Es300 => "#version 300 es\nprecision highp float;\n",
            ShaderVersion::Gl120 | ShaderVersion::Es100 => {
                return Err(ShaderError::Version(format!("{:?}", gl.version())));
            }
        };
        // SAFETY: plain GL calls on the current context with objects made here.
        unsafe {
            let program = gl.create_program().map_err(ShaderError::Driver)?;
            link(gl, program, header).inspect_err(|_| gl.delete_program(program))?;
            let vertices = gl.create_vertex_array().map_err(ShaderError::Driver)?;
            let place = |name| gl.get_uniform_location(program, name);
            Ok(Self {
                program,
                vertices,
                max_side: u32::try_from(gl.get_parameter_i32(glow::MAX_TEXTURE_SIZE)).unwrap_or(1024),
                samplers: [place("u_y"), place("u_u"), place("u_v")],
                part: place("u_part"),
                chroma: place("u_chroma"),
                size: place("u_size"),
                radius: place("u_radius"),
            })
        }
    }

    /// Longest side of a texture in pixels.
    pub fn max_side(&self) -> u32 {
        self.max_side
    }

    /// Draws planes of a picture of `size` pixels into the viewport, which the caller has set to the picture's rectangle.
    pub fn draw(
        &self,
        gl: &glow::Context,
        planes: &[glow::Texture; 3],
        size: (u32, u32),
        placed: Placed,
        scale: f32,
    ) {
        let (uv, rect) = (placed.uv, placed.rect.size() * scale);
        // A chroma plane of an odd picture is half a pixel larger than half of it.
        let chroma = |side: u32| side as f32 / (2 * side.div_ceil(2)) as f32;
        // SAFETY: the context is current; program, vertex array and textures belong to it and are alive.
        unsafe {
            gl.use_program(Some(self.program));
            for (unit, (texture, sampler)) in (0..).zip(planes.iter().zip(&self.samplers)) {
                gl.active_texture(glow::TEXTURE0 + unit);
                gl.bind_texture(glow::TEXTURE_2D, Some(*texture));
                gl.uniform_1_i32(sampler.as_ref(), unit as i32);
            }
            gl.uniform_4_f32(self.part.as_ref(), uv.min.x, uv.min.y, uv.max.x, uv.max.y);
            gl.uniform_2_f32(self.chroma.as_ref(), chroma(size.0), chroma(size.1));
            gl.uniform_2_f32(self.size.as_ref(), rect.x, rect.y);
            gl.uniform_1_f32(self.radius.as_ref(), placed.radius * scale);
            gl.bind_vertex_array(Some(self.vertices));
            gl.draw_arrays(glow::TRIANGLE_STRIP, 0, 4);
            gl.bind_vertex_array(None);
            gl.active_texture(glow::TEXTURE0);
        }
    }

    /// Frees it. Nothing may be drawn with it afterwards.
    pub fn delete(&self, gl: &glow::Context) {
        // SAFETY: both objects belong to this context.
        unsafe {
            gl.delete_program(self.program);
            gl.delete_vertex_array(self.vertices);
        }
    }
}

/// # Safety
/// The context is current and `program` belongs to it.
unsafe fn link(gl: &glow::Context, program: glow::Program, header: &str) -> Result<(), ShaderError> {
    // SAFETY: as the caller promises; shaders are deleted as soon as the program holds them.
    unsafe {
        for (kind, source) in [(glow::VERTEX_SHADER, VERTEX), (glow::FRAGMENT_SHADER, FRAGMENT)] {
            let shader = gl.create_shader(kind).map_err(ShaderError::Driver)?;
            gl.shader_source(shader, &format!("{header}{source}"));
            gl.compile_shader(shader);
            let compiled = gl.get_shader_compile_status(shader);
            let log = if compiled { String::new() } else { gl.get_shader_info_log(shader) };
            gl.attach_shader(program, shader);
            gl.delete_shader(shader);
            if !compiled {
                return Err(ShaderError::Driver(log));
            }
        }
        gl.link_program(program);
        if gl.get_program_link_status(program) {
            Ok(())
        } else {
            Err(ShaderError::Driver(gl.get_program_info_log(program)))
        }
    }
}
