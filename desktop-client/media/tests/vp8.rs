//! The VP8 wrapper: round trips, rates, temporal layers, and whatever a hostile peer may send.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod common;

use std::time::Instant;

use call_media::codec::temporal::TemporalLayers;
use call_media::codec::vp8_decoder::{DecodeError, Vp8Decoder};
use call_media::codec::vp8_encoder::{EncodeError, EncodedPicture, Vp8Encoder, Vp8EncoderConfig};
use common::{picture, psnr};
use media_core::marks::video as marks;

const FRAME: i64 = 3_000;

fn config(width: u32, height: u32, kbps: u32) -> Vp8EncoderConfig {
    Vp8EncoderConfig { width, height, kbps, ..Vp8EncoderConfig::default() }
}

fn encode(encoder: &mut Vp8Encoder, number: u32, key: bool, start: Instant) -> Option<EncodedPicture> {
    let (width, height) = (encoder.config().width, encoder.config().height);
    let frame = picture(width, height, number, start);
    encoder.encode(&frame, i64::from(number) * FRAME, FRAME as u32, key).unwrap()
}

#[test]
fn marks_survive_a_round_trip_at_every_size_of_a_call() {
    let start = Instant::now();
    for (width, height, kbps) in [(160, 90, 60), (320, 180, 150), (640, 360, 600), (1280, 720, 1800)] {
        let mut encoder = Vp8Encoder::new(config(width, height, kbps)).unwrap();
        let mut decoder = Vp8Decoder::new().unwrap();
        let mut read = 0;
        for number in 0..30 {
            let Some(encoded) = encode(&mut encoder, number, false, start) else { continue };
            let decoded = decoder.decode(&encoded.data, start).unwrap().unwrap();
            assert_eq!((decoded.width(), decoded.height()), (width, height));
            read += u32::from(marks::read(&decoded) == Some(number));
        }
        assert!(read >= 25, "{width}x{height}: {read} of 30 marks");
    }
}

#[test]
fn odd_and_tiny_sizes_work() {
    let start = Instant::now();
    for (width, height) in [(2, 2), (3, 5), (17, 33), (161, 91), (641, 359), (4096, 2)] {
        let mut encoder = Vp8Encoder::new(config(width, height, 2000)).unwrap();
        let mut decoder = Vp8Decoder::new().unwrap();
        let encoded = encode(&mut encoder, 0, false, start).unwrap();
        assert!(encoded.key);
        let decoded = decoder.decode(&encoded.data, start).unwrap().unwrap();
        assert_eq!((decoded.width(), decoded.height()), (width, height));
        assert!(psnr(&picture(width, height, 0, start), &decoded) > 20.0, "{width}x{height}");
    }
}

#[test]
fn absurd_sizes_are_refused() {
    for (width, height) in [(0, 0), (1, 100), (100, 1), (4097, 2), (u32::MAX, u32::MAX)] {
        let result = Vp8Encoder::new(config(width, height, 500));
        assert!(matches!(result, Err(EncodeError::Size { .. })), "{width}x{height}");
    }
    let mut encoder = Vp8Encoder::new(config(320, 180, 500)).unwrap();
    let other = picture(640, 360, 0, Instant::now());
    assert!(matches!(encoder.encode(&other, 0, 3000, false), Err(EncodeError::FrameSize { .. })));
}

#[test]
fn a_key_frame_comes_when_asked_and_not_otherwise() {
    let start = Instant::now();
    let mut encoder = Vp8Encoder::new(config(320, 180, 300)).unwrap();
    let keys: Vec<u32> = (0..60)
        .filter(|number| {
            encode(&mut encoder, *number, *number == 40, start).is_some_and(|picture| picture.key)
        })
        .collect();
    assert_eq!(keys, [0, 40]);
}

#[test]
fn the_bitrate_follows_while_running() {
    let start = Instant::now();
    let mut encoder = Vp8Encoder::new(config(640, 360, 150)).unwrap();
    let mut rates = Vec::new();
    for (phase, kbps) in [150, 50, 150].into_iter().enumerate() {
        encoder.set_kbps(kbps).unwrap();
        let mut bytes = 0;
        for number in 0..90 {
            let encoded = encode(&mut encoder, phase as u32 * 90 + number, false, start);
            // The first second is the way to the new rate.
            bytes += encoded.filter(|_| number >= 30).map_or(0, |encoded| encoded.data.len());
        }
        rates.push(bytes as f64 * 8.0 / 2.0 / 1000.0);
    }
    assert!(rates[1] < 75.0, "{rates:?}");
    assert!(rates[0] > 1.5 * rates[1] && rates[2] > 1.5 * rates[1], "{rates:?}");
}

#[test]
fn timestamps_that_stand_still_or_run_backwards_do_no_harm() {
    let start = Instant::now();
    let mut encoder = Vp8Encoder::new(config(160, 90, 300)).unwrap();
    for (number, pts) in [0, 3000, 3000, 100, 0, i64::from(u32::MAX), 5].into_iter().enumerate() {
        let frame = picture(160, 90, number as u32, start);
        encoder.encode(&frame, pts, 0, false).unwrap();
    }
}

#[test]
fn upper_temporal_layers_can_be_left_out_without_a_trace() {
    let start = Instant::now();
    for layers in [TemporalLayers::Two, TemporalLayers::Three] {
        let mut encoder =
            Vp8Encoder::new(Vp8EncoderConfig { temporal_layers: layers, ..config(320, 180, 400) }).unwrap();
        let encoded: Vec<(u32, EncodedPicture)> = (0..64)
            .filter_map(|number| Some((number, encode(&mut encoder, number, number == 30, start)?)))
            .collect();
        let mut whole = Vp8Decoder::new().unwrap();
        let all: Vec<_> =
            encoded.iter().map(|(_, e)| whole.decode(&e.data, start).unwrap().unwrap()).collect();
        for highest in 0..layers.count() {
            let mut some = Vp8Decoder::new().unwrap();
            let mut kept = 0;
            for ((number, encoded), same) in encoded.iter().zip(&all) {
                if encoded.temporal_id <= highest {
                    let decoded = some.decode(&encoded.data, start).unwrap().unwrap();
                    assert_eq!(decoded.data(), same.data(), "{layers:?} up to {highest}: frame {number}");
                    kept += 1;
                }
            }
            assert!(
                kept >= encoded.len() >> (layers.count() - 1 - highest) >> 1,
                "{kept} of {}",
                encoded.len()
            );
        }
    }
}

#[test]
fn a_viewer_can_go_up_to_a_layer_at_its_sync_frame() {
    let start = Instant::now();
    let layers = TemporalLayers::Three;
    let mut encoder =
        Vp8Encoder::new(Vp8EncoderConfig { temporal_layers: layers, ..config(320, 180, 400) }).unwrap();
    let mut whole = Vp8Decoder::new().unwrap();
    let mut joining = Vp8Decoder::new().unwrap();
    let mut highest = 0;
    for number in 0..40 {
        let Some(encoded) = encode(&mut encoder, number, false, start) else { continue };
        let expected = whole.decode(&encoded.data, start).unwrap().unwrap();
        if number >= 16 && encoded.layer_sync && encoded.temporal_id == highest + 1 {
            highest = encoded.temporal_id;
        }
        if encoded.temporal_id <= highest {
            let decoded = joining.decode(&encoded.data, start).unwrap().unwrap();
            assert_eq!(decoded.data(), expected.data(), "frame {number}");
        }
    }
    assert_eq!(highest, 2);
}

#[test]
fn decoding_starts_at_a_key_frame_and_starts_again_at_one() {
    let start = Instant::now();
    let mut encoder = Vp8Encoder::new(config(320, 180, 400)).unwrap();
    let frames: Vec<EncodedPicture> =
        (0..20).filter_map(|number| encode(&mut encoder, number, number == 12, start)).collect();
    let mut decoder = Vp8Decoder::new().unwrap();
    assert_eq!(decoder.decode(&frames[1].data, start), Err(DecodeError::NeedsKeyFrame));
    assert!(decoder.decode(&frames[0].data, start).unwrap().is_some());
    decoder.expect_key_frame();
    assert!(decoder.needs_key_frame());
    for frame in &frames[1..] {
        let result = decoder.decode(&frame.data, start);
        if frame.key {
            assert!(result.unwrap().is_some());
            return;
        }
        assert_eq!(result, Err(DecodeError::NeedsKeyFrame));
    }
    panic!("no second key frame");
}

#[test]
fn a_key_frame_that_claims_an_absurd_size_is_refused() {
    let start = Instant::now();
    let mut encoder = Vp8Encoder::new(config(320, 180, 400)).unwrap();
    let key = encode(&mut encoder, 0, true, start).unwrap().data;
    for (width, height) in [(16_383_u16, 16_383_u16), (16_383, 600), (0, 180), (320, 0), (0, 0)] {
        let mut forged = key.to_vec();
        forged[6..8].copy_from_slice(&width.to_le_bytes());
        forged[8..10].copy_from_slice(&height.to_le_bytes());
        let mut decoder = Vp8Decoder::new().unwrap();
        let result = decoder.decode(&forged, start);
        assert!(result.is_err(), "{width}x{height}: {result:?}");
        assert!(decoder.decode(&key, start).unwrap().is_some(), "the decoder still works");
    }
}

#[test]
fn damaged_frames_are_errors_or_pictures_and_never_the_end() {
    let start = Instant::now();
    let mut encoder = Vp8Encoder::new(config(160, 90, 300)).unwrap();
    let frames: Vec<EncodedPicture> = (0..8).filter_map(|n| encode(&mut encoder, n, false, start)).collect();
    let mut random = 0x1234_5678_u32;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize
    };
    let mut decoder = Vp8Decoder::new().unwrap();
    assert!(decoder.decode(&[], start).is_err());
    for _ in 0..3_000 {
        let mut data = frames[next() % frames.len()].data.to_vec();
        match next() % 3 {
            0 => data.truncate(next() % data.len()),
            1 => {
                for _ in 0..=next() % 8 {
                    let at = next() % data.len();
                    data[at] = next() as u8;
                }
            }
            _ => data = (0..next() % 300).map(|_| next() as u8).collect(),
        }
        // Whatever comes of it, it is an answer.
        if let Ok(Some(picture)) = decoder.decode(&data, start) {
            assert!(picture.width() <= 16_383 && picture.height() <= 16_383);
        }
    }
    assert!(decoder.decode(&frames[0].data, start).unwrap().is_some());
    let truncated = &frames[0].data[..frames[0].data.len() / 2];
    assert!(decoder.decode(truncated, start).is_err(), "half a key frame is damaged");
}
