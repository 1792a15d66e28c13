//! The Opus wrapper: round trips, loss, and whatever a hostile peer may send.

use std::f32::consts::TAU;

use call_media::codec::opus::{AudioDecoder, AudioEncoder, Form, OpusError, SAMPLES_PER_PACKET};

fn tone(packet: usize) -> Vec<f32> {
    let first = packet * SAMPLES_PER_PACKET;
    (first..first + SAMPLES_PER_PACKET).map(|n| 0.3 * (TAU * 440.0 * n as f32 / 48_000.0).sin()).collect()
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt()
}

#[test]
fn a_tone_keeps_its_level_at_the_bitrate_of_voice() {
    let mut encoder = AudioEncoder::new(Form::Voice, 32_000, 10, SAMPLES_PER_PACKET).unwrap();
    let mut decoder = AudioDecoder::new(1).unwrap();
    let (mut output, mut bytes) = (Vec::new(), 0);
    for packet in 0..100 {
        let data = encoder.encode(&tone(packet)).unwrap();
        bytes += data.len();
        assert_eq!(AudioDecoder::samples(&data).unwrap(), SAMPLES_PER_PACKET);
        decoder.decode(&data, &mut output).unwrap();
        assert_eq!(output.len(), SAMPLES_PER_PACKET);
        if packet > 5 {
            assert!((rms(&output) / rms(&tone(packet)) - 1.0).abs() < 0.15, "{}", rms(&output));
        }
    }
    let kbps = bytes as f32 * 8.0 / 2.0 / 1000.0;
    assert!((8.0..45.0).contains(&kbps), "{kbps} kbit/s");
}

#[test]
fn a_lost_packet_is_rebuilt_from_the_next_or_concealed() {
    let mut encoder = AudioEncoder::new(Form::Voice, 32_000, 20, SAMPLES_PER_PACKET).unwrap();
    // A voice-like sound, for FEC works in the speech mode of Opus only.
    let voice = |packet: usize| -> Vec<f32> {
        tone(packet).iter().enumerate().map(|(n, s)| s * (1.0 + (n as f32 / 60.0).sin()) * 0.5).collect()
    };
    let packets: Vec<_> = (0..50).map(|packet| encoder.encode(&voice(packet)).unwrap()).collect();
    let mut decoder = AudioDecoder::new(1).unwrap();
    let mut output = Vec::new();
    for packet in &packets[..20] {
        decoder.decode(packet, &mut output).unwrap();
    }
    decoder.decode_fec(&packets[21], SAMPLES_PER_PACKET, &mut output).unwrap();
    assert_eq!(output.len(), SAMPLES_PER_PACKET);
    assert!(rms(&output) > 0.02, "{}", rms(&output));
    decoder.decode(&packets[21], &mut output).unwrap();
    decoder.conceal(SAMPLES_PER_PACKET, &mut output).unwrap();
    assert_eq!(output.len(), SAMPLES_PER_PACKET);
    assert!(rms(&output) > 0.01, "{}", rms(&output));
}

#[test]
fn blocks_of_another_length_are_refused() {
    let mut encoder = AudioEncoder::new(Form::Voice, 32_000, 10, SAMPLES_PER_PACKET).unwrap();
    for length in [0, 1, 480, 959, 961, 48_000] {
        let refused = OpusError::BlockLength { expected: SAMPLES_PER_PACKET, actual: length };
        assert_eq!(encoder.encode(&vec![0.0; length]), Err(refused));
    }
}

#[test]
fn what_is_no_number_does_not_break_the_encoder() {
    let mut encoder = AudioEncoder::new(Form::Voice, 32_000, 10, SAMPLES_PER_PACKET).unwrap();
    let mut decoder = AudioDecoder::new(1).unwrap();
    let mut output = Vec::new();
    for value in [f32::NAN, f32::INFINITY, -1e30] {
        if let Ok(data) = encoder.encode(&[value; SAMPLES_PER_PACKET]) {
            decoder.decode(&data, &mut output).unwrap();
        }
    }
    let data = encoder.encode(&tone(0)).unwrap();
    decoder.decode(&data, &mut output).unwrap();
}

#[test]
fn garbage_is_an_error_or_sound_and_never_the_end() {
    let mut decoder = AudioDecoder::new(1).unwrap();
    let mut output = Vec::new();
    assert!(decoder.decode(&[], &mut output).is_err());
    assert!(decoder.decode(&vec![0xFF; 100_000], &mut output).is_err());
    let mut random = 7_u32;
    for _ in 0..20_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = (random >> 24) as usize % 200;
        let packet: Vec<u8> = (0..length).map(|n| (random.rotate_left(n as u32 % 31) >> 3) as u8).collect();
        if decoder.decode(&packet, &mut output).is_ok() {
            assert!(output.len() <= 5760);
        }
        let _ = AudioDecoder::samples(&packet);
        let _ = decoder.decode_fec(&packet, usize::MAX, &mut output);
    }
    let mut encoder = AudioEncoder::new(Form::Voice, 32_000, 10, SAMPLES_PER_PACKET).unwrap();
    decoder.decode(&encoder.encode(&tone(0)).unwrap(), &mut output).unwrap();
}

#[test]
fn music_keeps_its_sides_at_its_bitrate() {
    let mut encoder = AudioEncoder::new(Form::Music { channels: 2 }, 128_000, 2, SAMPLES_PER_PACKET).unwrap();
    let mut decoder = AudioDecoder::new(2).unwrap();
    let (mut output, mut bytes, mut noise) = (Vec::new(), 0, 1_u32);
    for packet in 0..100 {
        let sides = tone(packet).into_iter().flat_map(|left| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [left, 0.05 * (noise >> 16) as f32 / 65_536.0]
        });
        let data = encoder.encode(&sides.collect::<Vec<f32>>()).unwrap();
        bytes += data.len();
        decoder.decode(&data, &mut output).unwrap();
        assert_eq!(output.len(), 2 * SAMPLES_PER_PACKET);
        let side = |side: usize| output.iter().skip(side).step_by(2).copied().collect::<Vec<f32>>();
        if packet > 5 {
            assert!((rms(&side(0)) / rms(&tone(packet)) - 1.0).abs() < 0.05, "{}", rms(&side(0)));
            assert!(rms(&side(1)) < 0.05, "{}", rms(&side(1)));
        }
    }
    let kbps = bytes as f32 * 8.0 / 2.0 / 1000.0;
    assert!((90.0..160.0).contains(&kbps), "{kbps} kbit/s");
    assert!(encoder.encode(&[0.0; SAMPLES_PER_PACKET]).is_err(), "one side only");
}

#[test]
fn decoders_take_packets_of_the_other_kind() {
    let mut stereo = AudioEncoder::new(Form::Music { channels: 2 }, 64_000, 2, SAMPLES_PER_PACKET).unwrap();
    let mut mono = AudioEncoder::new(Form::Voice, 32_000, 2, SAMPLES_PER_PACKET).unwrap();
    for channels in [1, 2] {
        let mut decoder = AudioDecoder::new(channels).unwrap();
        let mut output = Vec::new();
        for packet in 0..20 {
            let both: Vec<f32> = tone(packet).into_iter().flat_map(|sample| [sample, sample]).collect();
            let data =
                if packet % 2 == 0 { stereo.encode(&both) } else { mono.encode(&tone(packet)) }.unwrap();
            decoder.decode(&data, &mut output).unwrap();
            assert_eq!(output.len(), channels * SAMPLES_PER_PACKET);
        }
        decoder.conceal(480, &mut output).unwrap();
        assert_eq!(output.len(), channels * 480);
    }
}
