//! What an Opus packet tells without decoding it (RFC 6716 §3).

/// Longest packet in samples per channel at 48 kHz: 120 ms (RFC 6716 §3.2.5).
pub const MAX_SAMPLES: u32 = 5_760;

/// Samples per channel at 48 kHz that a packet stands for; `None` when it is empty or breaks the rules of RFC 6716 §3.1 and §3.2.
pub fn duration(payload: &[u8]) -> Option<u32> {
    let toc = *payload.first()?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(*payload.get(1)? & 0x3F),
    };
    let samples = frame_samples(toc) * frames;
    (frames > 0 && samples <= MAX_SAMPLES).then_some(samples)
}

/// Discontinuous transmission: the encoder says that nothing but comfort noise follows until the next packet. WebRTC encoders send the bare TOC byte,
/// sometimes with a frame of one byte (RFC 6716 §2.1.9).
pub fn is_dtx(payload: &[u8]) -> bool {
    (1..=2).contains(&payload.len())
}

/// Two channels (the s bit, RFC 6716 §3.1).
pub fn is_stereo(payload: &[u8]) -> bool {
    payload.first().is_some_and(|toc| toc & 4 != 0)
}

/// Carries a low-rate copy of the packet before it (in-band FEC, RFC 6716 §4.2.5): the LBRR flags at the head of the first SILK frame.
pub fn has_fec(payload: &[u8]) -> bool {
    let Some((&toc, rest)) = payload.split_first() else { return false };
    let config = toc >> 3;
    if config > 15 || is_dtx(payload) {
        return false;
    }
    // Only packets of one frame are looked into: real-time encoders send those.
    let (0, Some(&head)) = (toc & 3, rest.first()) else { return false };
    // One voice-activity bit per 20 ms, then the LBRR bit; for stereo the same again for the side channel.
    let silk_frames = (frame_samples(toc) / 960).max(1);
    let mid = head >> (7 - silk_frames) & 1 == 1;
    mid || (is_stereo(payload) && silk_frames <= 3 && u32::from(head) >> (6 - 2 * silk_frames) & 1 == 1)
}

/// Samples per channel of each frame in a packet (RFC 6716 table 2).
fn frame_samples(toc: u8) -> u32 {
    let config = u32::from(toc >> 3);
    match config {
        // SILK: 10, 20, 40, 60 ms.
        0..=11 => [480, 960, 1_920, 2_880][config as usize & 3],
        // Hybrid: 10, 20 ms.
        12..=15 => 480 << (config & 1),
        // CELT: 2.5, 5, 10, 20 ms.
        _ => 120 << (config & 3),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn toc(config: u8, stereo: bool, code: u8) -> u8 {
        config << 3 | u8::from(stereo) << 2 | code
    }

    #[test]
    fn durations_follow_the_table_of_the_rfc() {
        let one_frame = |config| duration(&[toc(config, false, 0), 1, 2, 3]);
        assert_eq!([0, 1, 2, 3].map(one_frame), [480, 960, 1_920, 2_880].map(Some));
        assert_eq!([12, 13, 14, 15].map(one_frame), [480, 960, 480, 960].map(Some));
        assert_eq!([28, 29, 30, 31].map(one_frame), [120, 240, 480, 960].map(Some));
        assert_eq!(duration(&[toc(31, true, 1), 0, 0]), Some(1_920));
        assert_eq!(duration(&[toc(3, false, 3), 2, 0]), Some(5_760));
    }

    #[test]
    fn the_first_byte_tells_the_channels() {
        assert!(is_stereo(&[toc(31, true, 0), 1]) && !is_stereo(&[toc(31, false, 3), 1]) && !is_stereo(&[]));
    }

    #[test]
    fn packets_that_break_the_rules_have_no_duration() {
        assert_eq!(duration(&[]), None);
        assert_eq!(duration(&[toc(31, false, 3)]), None, "the frame count is missing");
        assert_eq!(duration(&[toc(31, false, 3), 0]), None, "no frames");
        assert_eq!(duration(&[toc(3, false, 3), 3]), None, "180 ms");
    }

    #[test]
    fn the_fec_flag_is_found_in_silk_and_hybrid_packets_only() {
        assert!(has_fec(&[toc(9, false, 0), 0b0100_0000, 0]));
        assert!(!has_fec(&[toc(9, false, 0), 0b1000_0000, 0]));
        assert!(has_fec(&[toc(13, true, 0), 0b0001_0000, 0]), "side channel");
        assert!(has_fec(&[toc(11, false, 0), 0b0001_0000, 0]), "60 ms have three activity bits");
        assert!(!has_fec(&[toc(31, false, 0), 0xFF, 0]), "CELT has none");
        assert!(!has_fec(&[toc(9, false, 0)]));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..8)) {
            let _ = (has_fec(&bytes), is_dtx(&bytes), is_stereo(&bytes));
            prop_assert!(duration(&bytes).is_none_or(|samples| (120..=MAX_SAMPLES).contains(&samples)));
        }
    }
}
