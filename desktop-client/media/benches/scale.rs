//! Cost of scaling a camera's picture down for the smaller layers, beside `fast_image_resize` for exact halves: `cargo bench -p call-media`.
#![expect(missing_docs, reason = "criterion_group! makes a public function")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on may panic")]

use std::hint::black_box;
use std::time::Instant;

use call_media::scale::{Scaler, fitting};
use criterion::{Criterion, criterion_group, criterion_main};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use media_core::frame::I420Frame;
use media_core::sim::Scene;

const CAMERA: (u32, u32) = (1280, 720);

fn scaling(c: &mut Criterion) {
    let camera = Scene::new(CAMERA.0, CAMERA.1).picture(0, Instant::now()).unwrap();
    let mut group = c.benchmark_group("1280x720 scaled to");
    for (name, sizes) in [
        ("640x360", &[(640, 360)][..]),
        ("640x360 and 320x180", &[(640, 360), (320, 180)]),
        ("320x180", &[(320, 180)]),
        ("960x540 (no whole ratio)", &[(960, 540)]),
    ] {
        let mut scaler = Scaler::new();
        group.bench_function(name, |b| {
            b.iter(|| {
                scaler.begin();
                for most in sizes {
                    scaler.scale(black_box(&camera), fitting(CAMERA, *most)).unwrap();
                }
            });
        });
    }
    let (mut resizer, mut half) = (Resizer::new(), Scene::new(640, 360).picture(0, Instant::now()).unwrap());
    group.bench_function("640x360, fast_image_resize", |b| {
        b.iter(|| library(&mut resizer, black_box(&camera), &mut half));
    });
    group.finish();
}

/// The library's mean of each four pixels, for even sizes.
fn library(resizer: &mut Resizer, from: &I420Frame, to: &mut I420Frame) {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Box));
    let ((width, height), chroma) = ((from.width(), from.height()), from.chroma_size());
    let (from_y, from_u, from_v) = from.planes();
    let (to_y, to_u, to_v) = to.planes_mut();
    for (from, to, (width, height)) in
        [(from_y, to_y, (width, height)), (from_u, to_u, chroma), (from_v, to_v, chroma)]
    {
        let from = ImageRef::new(width, height, from, PixelType::U8).unwrap();
        let mut to = Image::from_slice_u8(width / 2, height / 2, to, PixelType::U8).unwrap();
        resizer.resize(&from, &mut to, &options).unwrap();
    }
}

criterion_group!(benches, scaling);
criterion_main!(benches);
