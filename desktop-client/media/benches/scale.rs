//! Cost of scaling a camera's picture down for the smaller layers, beside a 2:1 box filter written by hand: `cargo bench -p call-media`.
#![expect(missing_docs, reason = "criterion_group! makes a public function")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on may panic")]

use std::hint::black_box;
use std::time::Instant;

use call_media::scale::{Scaler, fitting};
use criterion::{Criterion, criterion_group, criterion_main};
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
    let mut half = Scene::new(640, 360).picture(0, Instant::now()).unwrap();
    group.bench_function("640x360, by hand", |b| b.iter(|| halve(black_box(&camera), &mut half)));
    group.finish();
}

/// The mean of each four pixels, for even sizes.
fn halve(from: &I420Frame, to: &mut I420Frame) {
    let (from_y, from_u, from_v) = from.planes();
    let (chroma, _) = from.chroma_size();
    let (to_y, to_u, to_v) = to.planes_mut();
    for (from, to, width) in [(from_y, to_y, from.width()), (from_u, to_u, chroma), (from_v, to_v, chroma)] {
        let width = width as usize;
        for (pair, line) in from.chunks_exact(2 * width).zip(to.chunks_exact_mut(width / 2)) {
            let (above, below) = pair.split_at(width);
            for ((a, b), pixel) in above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0).zip(line) {
                let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
                *pixel = ((sum + 2) >> 2) as u8;
            }
        }
    }
}

criterion_group!(benches, scaling);
criterion_main!(benches);
