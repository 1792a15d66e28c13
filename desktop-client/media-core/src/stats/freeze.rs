//! Freezes and pauses of a received picture, as W3C webrtc-stats defines them for RTCInboundRtpStreamStats.
//!
//! `freezeCount`: "It is a freeze if frame duration, which is time interval between two consecutively rendered frames, is equal or exceeds
//! Max(3 × avg_frame_duration_ms, avg_frame_duration_ms + 150), where avg_frame_duration_ms is linear average of durations of last 30 rendered frames."
//! `totalFreezesDuration` is the sum of those durations. `pauseCount` counts frames that are rendered more than 5 seconds after the one before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Frame durations that are averaged.
const AVERAGED: usize = 30;

/// What a freeze is longer than the average by, at least.
const MARGIN: Duration = Duration::from_millis(150);

/// A longer time between frames is a pause.
const PAUSE: Duration = Duration::from_secs(5);

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FreezeStats {
    /// Frames rendered.
    pub frames_rendered: u64,
    /// Freezes.
    pub freeze_count: u64,
    /// Time in freezes.
    pub total_freezes_duration: Duration,
    /// Pauses: more than 5 s without a frame.
    pub pause_count: u64,
    /// Time in pauses.
    pub total_pauses_duration: Duration,
    /// Time between rendered frames, all together.
    pub total_inter_frame_delay: Duration,
}

/// Watches one rendered stream.
#[derive(Debug, Clone, Default)]
pub struct FreezeDetector {
    last: Option<Instant>,
    durations: VecDeque<Duration>,
    stats: FreezeStats,
}

impl FreezeDetector {
    /// Without frames.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frame was rendered (or, where nothing is shown, decoded).
    pub fn frame_rendered(&mut self, now: Instant) {
        self.stats.frames_rendered += 1;
        let Some(last) = self.last.replace(now) else { return };
        let duration = now.saturating_duration_since(last);
        self.stats.total_inter_frame_delay += duration;
        if duration > PAUSE {
            self.stats.pause_count += 1;
            self.stats.total_pauses_duration += duration;
        } else if self.is_freeze(duration) {
            self.stats.freeze_count += 1;
            self.stats.total_freezes_duration += duration;
        }
        if self.durations.len() == AVERAGED {
            self.durations.pop_front();
        }
        self.durations.push_back(duration);
    }

    /// The sender turned its camera off, or the tile is hidden: the time until the next frame counts neither as a freeze nor as a pause.
    pub fn interrupted(&mut self) {
        self.last = None;
    }

    /// Counts since the start.
    pub fn stats(&self) -> &FreezeStats {
        &self.stats
    }

    fn is_freeze(&self, duration: Duration) -> bool {
        let Ok(count @ 1..) = u32::try_from(self.durations.len()) else { return false };
        let average = self.durations.iter().sum::<Duration>() / count;
        duration >= (average * 3).max(average + MARGIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    /// Renders frames with the given gaps in ms.
    fn render(gaps: impl IntoIterator<Item = u64>) -> FreezeStats {
        let mut detector = FreezeDetector::new();
        let mut now = sim::epoch();
        detector.frame_rendered(now);
        for gap in gaps {
            now += Duration::from_millis(gap);
            detector.frame_rendered(now);
        }
        *detector.stats()
    }

    #[test]
    fn at_30_frames_a_second_a_freeze_starts_at_average_plus_150_ms() {
        let steady = || std::iter::repeat_n(30, 40);
        assert_eq!(render(steady().chain([179])).freeze_count, 0);
        let frozen = render(steady().chain([180]));
        assert_eq!((frozen.freeze_count, frozen.total_freezes_duration), (1, Duration::from_millis(180)));
    }

    #[test]
    fn at_5_frames_a_second_a_freeze_starts_at_three_times_the_average() {
        let steady = || std::iter::repeat_n(200, 40);
        assert_eq!(render(steady().chain([599])).freeze_count, 0);
        assert_eq!(render(steady().chain([600])).freeze_count, 1);
    }

    #[test]
    fn only_the_last_30_durations_are_averaged() {
        let gaps = std::iter::repeat_n(500, 100).chain(std::iter::repeat_n(30, 30)).chain([200]);
        assert_eq!(render(gaps).freeze_count, 1);
    }

    #[test]
    fn more_than_five_seconds_are_a_pause() {
        let stats = render(std::iter::repeat_n(30, 40).chain([5_001]));
        assert_eq!((stats.freeze_count, stats.pause_count), (0, 1));
        assert_eq!(stats.total_pauses_duration, Duration::from_millis(5_001));
    }

    #[test]
    fn an_interruption_is_no_freeze() {
        let mut detector = FreezeDetector::new();
        (0..40).for_each(|i| detector.frame_rendered(sim::epoch() + Duration::from_millis(30 * i)));
        detector.interrupted();
        detector.frame_rendered(sim::epoch() + Duration::from_secs(3));
        assert_eq!(detector.stats().freeze_count, 0);
    }
}
