//! What it costs to encode a camera in several sizes, beside the largest alone:
//! `cargo run --release --package call-media --example layers -- [SECONDS [CPU_USED|default [CLIP]]]`.
//!
//! A drawn camera of 1280×720 at 30 frames per second, or a clip of that size (y4m, I420; played to and fro), encoded as fast as it goes with the program's own settings and rates. CPU time is the
//! thread's own, so that other programs disturb little. Quality is that of the decoded layer against the scaled camera.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and may panic when it cannot go on"
)]

use std::time::{Duration, Instant};

use call_media::codec::speed::EncoderSpeed;
use call_media::codec::vp8_decoder::Vp8Decoder;
use call_media::scale::{Scaler, fitting};
use call_media::{LayerEncoders, LayerMask, LayerTarget, VideoSettings};
use media_core::frame::{EncodedFrame, I420Frame};
use media_core::sim::Scene;

const CAMERA: (u32, u32) = (1280, 720);

/// Frames per second.
const RATE: u32 = 30;

/// Bits of a layer: what the encoder spends at most on each size.
const LARGE: LayerTarget = LayerTarget { layer: 2, width: 1280, height: 720, kbps: 2500, framerate: RATE };
const MIDDLE: LayerTarget = LayerTarget { layer: 1, width: 640, height: 360, kbps: 690, framerate: RATE };
const SMALL: LayerTarget = LayerTarget { layer: 0, width: 320, height: 180, kbps: 170, framerate: RATE };

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(20, |text| text.parse().unwrap());
    let mut settings = VideoSettings::default();
    if let Some(speed) = arguments.next().filter(|speed| speed != "default") {
        let speed = speed.parse().unwrap();
        settings.speed = EncoderSpeed { careful: speed, fast: speed };
    }
    let camera = match arguments.next() {
        Some(path) => Camera::Clip(std::fs::read(path).unwrap()),
        None => Camera::Drawn(Scene::new(CAMERA.0, CAMERA.1)),
    };
    println!("{seconds} s of 1280x720@{RATE}, {:?}; CPU-s per minute of video", settings.speed);
    let mut alone = None;
    for targets in [&[LARGE][..], &[MIDDLE, LARGE], &[SMALL, MIDDLE, LARGE]] {
        let result = measure(&camera, &settings, targets, seconds);
        let alone = *alone.get_or_insert(result.cpu);
        println!(
            "{} layers: {:.2}, {:.2} of the largest alone",
            targets.len(),
            result.cpu,
            result.cpu / alone
        );
        result.layers.iter().for_each(|line| println!("    {line}"));
    }
    let scaling = measure_scaling(&camera, seconds);
    println!("scaling to 640x360 and 320x180 alone: {scaling:.2}");
}

/// Where pictures come from.
enum Camera {
    Drawn(Scene),
    /// A whole file.
    Clip(Vec<u8>),
}

impl Camera {
    fn picture(&self, index: u32, start: Instant) -> I420Frame {
        let time = start + Duration::from_secs(1) * index / RATE;
        match self {
            Self::Drawn(scene) => scene.picture(index, time).unwrap(),
            Self::Clip(file) => {
                let header = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
                let size = I420Frame::byte_len(CAMERA.0, CAMERA.1);
                let frames: Vec<&[u8]> = file[header..].chunks_exact("FRAME\n".len() + size).collect();
                let place = index as usize % (2 * frames.len());
                let frame = frames[place.min(2 * frames.len() - 1 - place)];
                I420Frame::from_vec(CAMERA.0, CAMERA.1, frame["FRAME\n".len()..].to_vec(), time).unwrap()
            }
        }
    }
}

struct Outcome {
    cpu: f64,
    layers: Vec<String>,
}

fn measure(camera: &Camera, settings: &VideoSettings, targets: &[LayerTarget], seconds: u32) -> Outcome {
    let start = Instant::now();
    let mut encoders = LayerEncoders::new(settings.clone(), start);
    encoders.set_targets(targets.to_vec());
    let mut viewers: Vec<Viewer> = targets.iter().map(|target| Viewer::new(*target)).collect();
    let mut cpu = 0.0;
    let count = seconds * RATE;
    for index in 0..count {
        let picture = camera.picture(index, start);
        let mut encoded = Vec::with_capacity(targets.len());
        let before = cpu_seconds();
        let due = encoders.due(picture.time, encoders.targeted());
        encoders.encode(&picture, due, LayerMask::NONE, |frame| encoded.push(frame));
        cpu += cpu_seconds() - before;
        viewers.iter_mut().for_each(|viewer| viewer.look(&picture, &encoded));
    }
    let per_minute = 60.0 / f64::from(seconds);
    let stats = encoders.stats(start + Duration::from_secs(u64::from(seconds)));
    let line = |(layer, viewer): (&call_media::LayerStats, &Viewer)| {
        format!(
            "{}x{}: {:.2}, {:.0} kbit/s, {} of {count} frames, {:.2} dB",
            layer.width,
            layer.height,
            layer.cpu_seconds.unwrap_or_default() * per_minute,
            layer.bytes as f64 * 8.0 / 1_000.0 / f64::from(seconds),
            layer.frames_encoded,
            viewer.psnr(),
        )
    };
    Outcome { cpu: cpu * per_minute, layers: stats.iter().zip(&viewers).map(line).collect() }
}

/// Decodes a layer and compares.
struct Viewer {
    target: LayerTarget,
    decoder: Vp8Decoder,
    scaler: Scaler,
    sum: f64,
    frames: u32,
}

impl Viewer {
    fn new(target: LayerTarget) -> Self {
        Self { target, decoder: Vp8Decoder::new().unwrap(), scaler: Scaler::new(), sum: 0.0, frames: 0 }
    }

    fn look(&mut self, camera: &I420Frame, encoded: &[EncodedFrame]) {
        let Some(frame) = encoded.iter().find(|frame| frame.layer == self.target.layer) else { return };
        let decoded = self.decoder.decode(&frame.data, camera.time).unwrap().unwrap();
        let size = fitting(CAMERA, (self.target.width, self.target.height));
        self.scaler.begin();
        self.scaler.scale(camera, size).unwrap();
        let original = self.scaler.get(camera, size).unwrap().planes().0;
        let errors = original.iter().zip(decoded.planes().0).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2));
        let mean = errors.sum::<u64>() as f64 / original.len() as f64;
        self.sum += 10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10();
        self.frames += 1;
    }

    fn psnr(&self) -> f64 {
        self.sum / f64::from(self.frames.max(1))
    }
}

fn measure_scaling(camera: &Camera, seconds: u32) -> f64 {
    let mut scaler = Scaler::new();
    let mut cpu = 0.0;
    let start = Instant::now();
    for index in 0..seconds * RATE {
        let picture = camera.picture(index, start);
        let before = cpu_seconds();
        scaler.begin();
        for target in [MIDDLE, SMALL] {
            scaler.scale(&picture, fitting(CAMERA, (target.width, target.height))).unwrap();
        }
        cpu += cpu_seconds() - before;
    }
    cpu * 60.0 / f64::from(seconds)
}

/// CPU time of this thread.
fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to, and the clock is one that every thread has.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
