//! Whatever media times and reports come: pictures are shown in order and soon, delays stay bounded, nothing panics.

use std::time::{Duration, Instant};

use media_core::playout::sync::{LipSync, LipSyncConfig, LipSyncInput, SenderReport, Stream};
use media_core::playout::{ArrivalJitter, PlayoutConfig, PlayoutPoint, VideoPlayout};
use media_core::sim;
use proptest::prelude::*;

fn timestamp() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        (0_u32..200).prop_map(|i| i * 3_000),
        (0_u32..300).prop_map(|i| u32::MAX - i * 2_999)
    ]
}

fn report() -> impl Strategy<Value = (u32, u64, u32)> {
    let ntp = prop_oneof![
        any::<u64>(),
        Just(0),
        Just(u64::MAX),
        (0_u64..1 << 40).prop_map(|low| (0xE000_0000 << 32) + low),
    ];
    (0_u32..4, ntp, any::<u32>())
}

proptest! {
    #[test]
    fn pictures_are_shown_in_order_and_never_late_by_more_than_the_bound(
        pictures in prop::collection::vec((timestamp(), 0_u64..400, 0_u64..2_000), 0..300),
    ) {
        let config = PlayoutConfig::default();
        let mut playout = VideoPlayout::new(config);
        let mut jitter = ArrivalJitter::default();
        let mut now = sim::epoch();
        let mut last = now;
        for (timestamp, wait, wanted) in pictures {
            now += Duration::from_millis(wait);
            playout.set_min_delay(Duration::from_millis(wanted));
            let due = playout.picture(timestamp, now);
            prop_assert!(due >= now && due >= last && due - now <= config.max_delay);
            prop_assert!(playout.delay() <= config.max_delay);
            last = due;
            jitter.arrived(timestamp, now);
            prop_assert!(jitter.jitter().unwrap_or_default() <= Duration::from_secs(3));
        }
    }

    #[test]
    fn whatever_is_reported_delays_move_slowly_and_stay_bounded(
        facts in prop::collection::vec((report(), timestamp(), timestamp(), 0_u64..1_000, 0_u64..600), 0..300),
    ) {
        let config = LipSyncConfig::default();
        let mut sync = LipSync::new(config);
        let mut now = sim::epoch();
        let point = |timestamp, at: Instant| PlayoutPoint { timestamp, at };
        for ((ssrc, ntp, rtp), heard, shown, wait, delay) in facts {
            now += Duration::from_millis(wait);
            sync.handle(LipSyncInput::Source(Stream::Audio, ssrc & 1), now);
            sync.handle(LipSyncInput::Source(Stream::Video, ssrc | 2), now);
            sync.handle(LipSyncInput::Report(SenderReport { ssrc, ntp, rtp, arrival: now }), now);
            sync.handle(LipSyncInput::Heard(point(heard, now)), now);
            let before = sync.video_delay().max(Duration::from_millis(delay));
            sync.handle(LipSyncInput::Shown(point(shown, now), Duration::from_millis(delay)), now);
            prop_assert!(sync.video_delay() <= before + config.step);
            prop_assert!(sync.video_delay() <= config.max_video_delay);
            prop_assert!(sync.audio_delay() <= config.max_audio_delay);
            prop_assert!(sync.offset_ms().is_none_or(|ms| ms.abs() <= 10_000.0));
        }
    }
}
