//! Media times and sender reports from a hostile peer: pictures are shown in order and soon, delays stay bounded.
//!
//! The input is a row of facts: flags, milliseconds since the one before, media time, and for reports the upper half of an NTP time.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use media_core::playout::sync::{LipSync, LipSyncConfig, LipSyncInput, SenderReport, Stream};
use media_core::playout::{
    ArrivalJitter, PlayoutConfig, PlayoutPoint, RenderQueue, RenderQueueLimits, VideoPlayout,
};
use media_core::sim;

fuzz_target!(|bytes: &[u8]| {
    let config = PlayoutConfig::default();
    let (mut playout, mut jitter) = (VideoPlayout::new(config), ArrivalJitter::default());
    let mut queue = RenderQueue::new(RenderQueueLimits::default());
    let mut sync = LipSync::new(LipSyncConfig::default());
    sync.handle(LipSyncInput::Source(Stream::Audio, 0), sim::epoch());
    sync.handle(LipSyncInput::Source(Stream::Video, 1), sim::epoch());
    let (mut now, mut last) = (sim::epoch(), sim::epoch());
    let (chunks, _) = bytes.as_chunks::<10>();
    for [flags, wait, t0, t1, t2, t3, n0, n1, n2, n3] in chunks {
        now += Duration::from_millis(u64::from(*wait));
        let timestamp = u32::from_be_bytes([*t0, *t1, *t2, *t3]);
        let ntp = u64::from(u32::from_be_bytes([*n0, *n1, *n2, *n3])) << 32 | u64::from(timestamp);
        match flags & 3 {
            0 => {
                playout.set_min_delay(sync.video_delay());
                jitter.arrived(timestamp, now);
                let due = playout.picture(timestamp, now);
                assert!(due >= now && due >= last && due - now <= config.max_delay);
                assert!(playout.delay() <= config.max_delay);
                last = due;
                queue.push((), usize::from(*n0) << 16, due);
            }
            1 => {
                let ssrc = u32::from(flags >> 7);
                let report = SenderReport { ssrc, ntp, rtp: timestamp, arrival: now };
                sync.handle(LipSyncInput::Report(report), now);
            }
            2 => sync.handle(LipSyncInput::Heard(PlayoutPoint { timestamp, at: now }), now),
            _ => {
                if let Some(shown) = playout.last() {
                    sync.handle(LipSyncInput::Shown(shown, playout.delay()), now);
                }
            }
        }
        queue.pop_due(now);
        assert!(queue.len() <= 32 && queue.next_due().is_none_or(|due| due > now));
        assert!(sync.video_delay() <= Duration::from_millis(400));
        assert!(sync.audio_delay() <= Duration::from_millis(200));
        assert!(sync.offset_ms().is_none_or(|ms| ms.abs() <= 10_000.0));
    }
});
