//! Lip sync: picture and sound of one peer shown and heard as they were taken.
//!
//! Sender reports (RFC 3550 §6.4.1) tie each stream's media time to the sender's wall clock; what is shown and heard at which time ties it to ours. The
//! difference of the two latencies is the offset of the sound against the picture. When it exceeds what people notice, the stream that is early gets more
//! delay, slowly, and never above a bound. Without reports of both streams, or with reports that make no sense, nothing is done.
//!
//! ITU-R BT.1359 has offsets noticed from 45 ms of early sound and 125 ms of late sound; here neither side exceeds 40 ms.
//!
//! Core: [`LipSync::handle`], then read [`LipSync::video_delay`] and [`LipSync::audio_delay`].

mod mapping;

use std::time::{Duration, Instant};

use self::mapping::Mapping;
use super::PlayoutPoint;
use crate::rtp::{AUDIO_CLOCK_RATE, VIDEO_CLOCK_RATE};

/// When to act, and how much.
#[derive(Debug, Clone, Copy)]
pub struct LipSyncConfig {
    /// Offset that is left as it is. Default 30 ms, within the 40 ms that nobody notices; less costs delay.
    pub tolerance: Duration,
    /// Most that the delays move in a second. Default 10 ms, a hundredth of the speed.
    pub step: Duration,
    /// Largest delay that is asked of the picture. Default 400 ms, as late as the sound may be.
    pub max_video_delay: Duration,
    /// Largest delay that is asked of the sound. Default 200 ms: late sound costs a conversation more than uneven lips.
    pub max_audio_delay: Duration,
    /// How long a report is believed. Default 60 s: two clocks that differ by 100 ppm are 6 ms apart then.
    pub report_lifetime: Duration,
}

impl Default for LipSyncConfig {
    fn default() -> Self {
        Self {
            tolerance: Duration::from_millis(30),
            step: Duration::from_millis(10),
            max_video_delay: Duration::from_millis(400),
            max_audio_delay: Duration::from_millis(200),
            report_lifetime: Duration::from_secs(60),
        }
    }
}

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The sound.
    Audio,
    /// The picture.
    Video,
}

/// What a sender report says of its stream (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport {
    /// Synchronisation source.
    pub ssrc: u32,
    /// The sender's wall clock: NTP format, 32.32 bits of seconds.
    pub ntp: u64,
    /// The stream's media time at that moment.
    pub rtp: u32,
    /// When the report came.
    pub arrival: Instant,
}

/// A fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LipSyncInput {
    /// This source is played as that stream. Reports of all others are ignored.
    Source(Stream, u32),
    /// A report came, of any source.
    Report(SenderReport),
    /// What is shown, and by how much later than the fastest pictures.
    Shown(PlayoutPoint, Duration),
    /// What is heard.
    Heard(PlayoutPoint),
}

/// An offset beyond this is not believed (libwebrtc's default): 10 s.
const MAX_OFFSET: i64 = 10_000_000_000;

/// Two reports of one sender are on their way for about the same time; when their clocks say otherwise by this much, one of them lies. 1 s.
const MAX_REPORT_SKEW: i64 = 1_000_000_000;

/// How much the sound may wait longer than it needs before it gives the excess back at full speed: 20 ms. The picture's delay under loss goes up and
/// down all the time, and each move of the sound is a stretch that may be heard.
const SLACK: f64 = 20e6;

/// Share of the full speed at which sound gives back less than that.
const SLOWLY: f64 = 0.1;

/// Weight of a new measurement of the offset.
const SMOOTHING: f64 = 0.25;

/// Least time between two measurements: what is heard is known ten times a second.
const MEASUREMENT_INTERVAL: Duration = Duration::from_millis(100);

/// A gap in the measurements counts as this much time at most.
const MAX_STEP_TIME: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct Side {
    ssrc: Option<u32>,
    mapping: Option<Mapping>,
    point: Option<PlayoutPoint>,
}

/// Keeps one peer's picture and sound together.
#[derive(Debug)]
pub struct LipSync {
    config: LipSyncConfig,
    audio: Side,
    video: Side,
    /// How much later the sound is than the picture, smoothed, in nanoseconds.
    offset: Option<f64>,
    measured: Option<Instant>,
    video_delay: Duration,
    audio_delay: Duration,
}

impl LipSync {
    /// Nothing is known.
    pub fn new(config: LipSyncConfig) -> Self {
        Self {
            config,
            audio: Side::default(),
            video: Side::default(),
            offset: None,
            measured: None,
            video_delay: Duration::ZERO,
            audio_delay: Duration::ZERO,
        }
    }

    /// Takes a fact in.
    pub fn handle(&mut self, input: LipSyncInput, now: Instant) {
        match input {
            LipSyncInput::Source(stream, ssrc) => self.source(stream, ssrc),
            LipSyncInput::Report(report) => self.report(report),
            LipSyncInput::Heard(point) => self.audio.point = Some(point),
            LipSyncInput::Shown(point, delay) => {
                self.video.point = Some(point);
                self.measure(delay, now);
            }
        }
    }

    /// The least playout delay that the picture should have.
    pub fn video_delay(&self) -> Duration {
        self.video_delay
    }

    /// The delay that the sound should have on top of its own.
    pub fn audio_delay(&self) -> Duration {
        self.audio_delay
    }

    /// How much later the sound is than the picture, in milliseconds: negative when the picture is late. `None` while it is not known.
    pub fn offset_ms(&self) -> Option<f64> {
        self.offset.map(|nanos| nanos / 1e6)
    }

    fn source(&mut self, stream: Stream, ssrc: u32) {
        let side = match stream {
            Stream::Audio => &mut self.audio,
            Stream::Video => &mut self.video,
        };
        if side.ssrc != Some(ssrc) {
            *side = Side { ssrc: Some(ssrc), ..Side::default() };
            self.offset = None;
        }
    }

    fn report(&mut self, report: SenderReport) {
        for (side, rate) in [(&mut self.audio, AUDIO_CLOCK_RATE), (&mut self.video, VIDEO_CLOCK_RATE)] {
            if side.ssrc == Some(report.ssrc) {
                side.mapping = Mapping::of(&report, rate);
            }
        }
    }

    fn measure(&mut self, shown_delay: Duration, now: Instant) {
        let elapsed = self.measured.map(|at| now.saturating_duration_since(at));
        if elapsed.is_some_and(|elapsed| elapsed < MEASUREMENT_INTERVAL) {
            return;
        }
        self.measured = Some(now);
        self.offset = self.current_offset(now).map(|new| {
            let before = self.offset.unwrap_or(new);
            before + SMOOTHING * (new - before)
        });
        let time = elapsed.unwrap_or_default().min(MAX_STEP_TIME);
        self.adjust(shown_delay, self.config.step.mul_f64(time.as_secs_f64()));
    }

    /// The difference of the two latencies; their zero is the sender's clock, which is the same for both.
    fn current_offset(&self, now: Instant) -> Option<f64> {
        let (audio, video) = (self.audio.mapping?, self.video.mapping?);
        let fresh = |mapping: &Mapping| {
            now.saturating_duration_since(mapping.arrival()) <= self.config.report_lifetime
        };
        if !fresh(&audio) || !fresh(&video) || audio.skew(&video)?.abs() > MAX_REPORT_SKEW {
            return None;
        }
        // Both against the same instant.
        let zero = audio.arrival();
        let heard = audio.latency(self.audio.point?, zero)?;
        let shown = video.latency(self.video.point?, zero)?;
        let offset = heard.checked_sub(shown)?;
        (offset.abs() <= MAX_OFFSET).then_some(offset as f64)
    }

    fn adjust(&mut self, shown_delay: Duration, step: Duration) {
        let Some(offset) = self.offset else {
            self.video_delay = self.video_delay.saturating_sub(step);
            self.audio_delay = self.audio_delay.saturating_sub(step);
            return;
        };
        let tolerance = self.config.tolerance.as_nanos() as f64;
        // How much later the sound is than it may be, and how much later the picture.
        let sound_late = offset - tolerance;
        let picture_late = -offset - tolerance;
        let by = |excess: f64| step.min(Duration::from_secs_f64(excess.abs() / 1e9));
        // The stream that is late gives up what it was told to wait before the other is told to.
        self.video_delay = if sound_late <= 0.0 {
            self.video_delay.min(shown_delay).saturating_sub(by(sound_late))
        } else if self.audio_delay.is_zero() {
            (self.video_delay.max(shown_delay) + by(sound_late)).min(self.config.max_video_delay)
        } else {
            self.video_delay
        };
        self.audio_delay = if picture_late <= -SLACK {
            self.audio_delay.saturating_sub(by(picture_late))
        } else if picture_late <= 0.0 {
            self.audio_delay.saturating_sub(by(picture_late).mul_f64(SLOWLY))
        } else if self.video_delay.is_zero() {
            (self.audio_delay + by(picture_late)).min(self.config.max_audio_delay)
        } else {
            self.audio_delay
        };
    }
}
