//! Dropping temporal layers in front of a real decoder: what is left is whole, as good as before, and costs its share of the rate.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod common;

use std::time::Instant;

use call_media::codec::temporal::TemporalLayers;
use call_media::codec::vp8_decoder::Vp8Decoder;
use call_media::codec::vp8_encoder::{EncodedPicture, Vp8Encoder, Vp8EncoderConfig};
use common::psnr;
use media_core::frame::I420Frame;
use media_core::sim::Scene;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;
const KBPS: u32 = 200;
const SECONDS: usize = 10;

/// A drawn camera, and what the encoder made of each picture.
fn encode() -> Vec<(I420Frame, Option<EncodedPicture>)> {
    let mut encoder = Vp8Encoder::new(Vp8EncoderConfig {
        width: WIDTH,
        height: HEIGHT,
        kbps: KBPS,
        temporal_layers: TemporalLayers::Three,
        ..Vp8EncoderConfig::default()
    })
    .unwrap();
    let scene = Scene::new(WIDTH, HEIGHT);
    let pictures = scene.pictures(Instant::now()).take(SECONDS * 30).enumerate();
    pictures
        .map(|(index, picture)| {
            let picture = picture.unwrap();
            let encoded = encoder.encode(&picture, index as i64 * 3_000, 3_000, false).unwrap();
            (picture, encoded)
        })
        .collect()
}

struct Quality {
    mean: f64,
    worst: f64,
    frames: usize,
    kbps: f64,
}

/// Decodes only the temporal layers up to `highest`; the first second, in which the rate control settles, does not count.
fn decode(clip: &[(I420Frame, Option<EncodedPicture>)], highest: u8) -> Quality {
    let mut decoder = Vp8Decoder::new().unwrap();
    let mut quality = Quality { mean: 0.0, worst: f64::MAX, frames: 0, kbps: 0.0 };
    for (index, (picture, encoded)) in clip.iter().enumerate() {
        let Some(encoded) = encoded.as_ref().filter(|encoded| encoded.temporal_id <= highest) else {
            continue;
        };
        let decoded = decoder.decode(&encoded.data, picture.time).unwrap().unwrap();
        if index >= 30 {
            let psnr = psnr(picture, &decoded);
            quality.mean += psnr;
            quality.worst = quality.worst.min(psnr);
            quality.frames += 1;
            quality.kbps += encoded.data.len() as f64 * 8.0 / 1_000.0 / (SECONDS - 1) as f64;
        }
    }
    quality.mean /= quality.frames as f64;
    quality
}

#[test]
fn what_is_left_of_the_layers_is_as_good_and_costs_its_share() {
    let clip = encode();
    let whole = decode(&clip, 2);
    println!("whole: {:.1} dB, worst {:.1}, {:.0} kbit/s", whole.mean, whole.worst, whole.kbps);
    assert!(whole.mean > 32.0, "{}", whole.mean);
    assert!((0.85..1.15).contains(&(whole.kbps / f64::from(KBPS))), "{} kbit/s", whole.kbps);
    for (highest, share, frames) in [(0, 0.4, 0.25), (1, 0.6, 0.5)] {
        let part = decode(&clip, highest);
        println!(
            "up to {highest}: {:.1} dB, worst {:.1}, {:.0} kbit/s, {} of {} frames",
            part.mean, part.worst, part.kbps, part.frames, whole.frames
        );
        // Frames of the lower layers get more bits each, so that they are rather better than the mean; a smear would cost many dB.
        assert!(part.mean > whole.mean - 0.5 && part.worst > whole.worst - 0.1, "up to {highest}");
        let measured = part.kbps / whole.kbps;
        assert!((share - 0.1..share + 0.1).contains(&measured), "up to {highest}: {measured:.2} of the rate");
        let measured = part.frames as f64 / whole.frames as f64;
        assert!(
            (frames - 0.05..frames + 0.05).contains(&measured),
            "up to {highest}: {measured:.2} of the frames"
        );
    }
}
