//! When each received picture is shown.
//!
//! Frames are decoded as soon as they come, in order, since others refer to them; a decoded picture then waits for its time. A picture's transit is the time
//! at which it was ready minus its media time. The smallest transit of the last seconds is the network at its best, wherever the two clocks stand and
//! however they drift; what pictures come later than that decides how long the early ones wait, so that the motion is even. A picture that is late is shown
//! at once, unless a newer one is due as well.
//!
//! - A little unevenness is let through rather than delayed ([`PlayoutConfig::tolerated_jitter`]): on a clean path nothing waits at all.
//! - The delay rises quickly, and falls slowly ([`PlayoutConfig::rise`], [`PlayoutConfig::fall`]).
//! - A sender that jumps in its media time has started anew: its pictures are shown as if they were its first, with the delay that was learnt.
//! - Lip sync ([`sync`]) may ask for more delay.
//!
//! [`VideoPlayout`] says when; a [`RenderQueue`] holds the pictures until then. Both are bounded in memory and time, whatever comes in.

mod jitter;
mod queue;
pub mod sync;
mod transit;

use std::time::{Duration, Instant};

pub use self::jitter::ArrivalJitter;
pub use self::queue::{RenderQueue, RenderQueueLimits};
use self::transit::TransitWindow;
use crate::rtp::{TimestampUnwrapper, VIDEO_CLOCK_RATE};

/// How much delay to bear for even motion.
#[derive(Debug, Clone, Copy)]
pub struct PlayoutConfig {
    /// Unevenness that is let through: a picture may be this late without others being delayed for it. Default 10 ms, less than a display frame at 60 Hz.
    pub tolerated_jitter: Duration,
    /// Largest delay. Default 500 ms: beyond this, people talk into each other.
    pub max_delay: Duration,
    /// Share of pictures that the delay catches, 0–1. Default 0.95: at 5 % loss all that wait for one round of repair, themselves or behind another, but
    /// not those that wait for two, which would add a round trip to all pictures.
    pub percentile: f64,
    /// How long a transit is remembered. Default 10 s; a longer time follows a route that got slower too late.
    pub window: Duration,
    /// How fast the delay may rise, in seconds per second. Default 0.5: motion at half its speed at the slowest.
    pub rise: f64,
    /// How fast the delay may fall, in seconds per second. Default 0.05: motion a twentieth faster, which nobody sees.
    pub fall: f64,
}

impl Default for PlayoutConfig {
    fn default() -> Self {
        Self {
            tolerated_jitter: Duration::from_millis(10),
            max_delay: Duration::from_millis(500),
            percentile: 0.95,
            window: Duration::from_secs(10),
            rise: 0.5,
            fall: 0.05,
        }
    }
}

/// A picture that comes this much later than the fastest is of a stream that moved its clock: 3 s, longer than networks hold packets.
const MAX_LATER: i64 = 3_000_000_000;

/// The same for pictures that come earlier, which no network can make them by much: 500 ms.
const MAX_EARLIER: i64 = 500_000_000;

/// Which picture is shown at which time: what lip sync compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayoutPoint {
    /// RTP media time.
    pub timestamp: u32,
    /// When it is shown or heard.
    pub at: Instant,
}

/// Decides when the pictures of one stream are shown.
#[derive(Debug)]
pub struct VideoPlayout {
    config: PlayoutConfig,
    /// Time zero of all transits.
    origin: Option<Instant>,
    unwrapper: TimestampUnwrapper,
    window: TransitWindow,
    /// The transit at which pictures are shown, and when it was last moved; nanoseconds since the origin.
    playing: Option<(i64, i64)>,
    /// What lip sync wants, in nanoseconds.
    min_delay: i64,
    last: Option<PlayoutPoint>,
    restarts: u64,
}

impl VideoPlayout {
    /// Before the first picture.
    pub fn new(config: PlayoutConfig) -> Self {
        Self {
            origin: None,
            unwrapper: TimestampUnwrapper::default(),
            window: TransitWindow::new(config.window),
            playing: None,
            min_delay: 0,
            last: None,
            restarts: 0,
            config,
        }
    }

    /// A picture is decoded: when to show it, never before it is ready. Pictures come in decoding order, and are never shown in another.
    pub fn picture(&mut self, timestamp: u32, ready: Instant) -> Instant {
        let now = nanos(ready.saturating_duration_since(*self.origin.get_or_insert(ready)));
        let transit = now - media_time(self.unwrapper.peek(timestamp));
        let far_off = self.window.base().is_some_and(|base| {
            let later = transit.saturating_sub(base);
            !(-MAX_EARLIER..=MAX_LATER).contains(&later)
        });
        let transit = if far_off { self.restart(timestamp, now) } else { transit };
        self.unwrapper.unwrap(timestamp);
        self.window.add(now, transit);
        let playing = self.follow(now);
        let wait = playing.saturating_sub(transit).clamp(0, nanos(self.config.max_delay));
        let due = ready + Duration::from_nanos(wait.unsigned_abs());
        let limit = ready + self.config.max_delay;
        let due = self.last.map_or(due, |last| due.max(last.at)).min(limit);
        self.last = Some(PlayoutPoint { timestamp, at: due });
        due
    }

    /// Lip sync wants at least this much delay; held to the largest delay.
    pub fn set_min_delay(&mut self, delay: Duration) {
        self.min_delay = nanos(delay.min(self.config.max_delay));
    }

    /// How much later than the fastest pictures all are shown.
    pub fn delay(&self) -> Duration {
        match (self.playing, self.window.base()) {
            (Some((playing, _)), Some(base)) => {
                Duration::from_nanos(u64::try_from(playing - base).unwrap_or(0))
            }
            (Some(_), None) | (None, _) => Duration::ZERO,
        }
    }

    /// The newest picture and its time.
    pub fn last(&self) -> Option<PlayoutPoint> {
        self.last
    }

    /// Times that the sender started anew.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Moves the transit at which pictures are shown toward where it should be, as fast as that may be seen.
    fn follow(&mut self, now: i64) -> i64 {
        let base = self.window.base().unwrap_or_default();
        let max = nanos(self.config.max_delay);
        let caught = self.window.percentile(self.config.percentile, max).unwrap_or(base);
        let uneven = caught - base - nanos(self.config.tolerated_jitter);
        let wanted = base + uneven.max(self.min_delay).clamp(0, max);
        let playing = match self.playing {
            None => wanted,
            Some((playing, at)) => {
                let elapsed = (now - at).max(0) as f64;
                let (down, up) = ((elapsed * self.config.fall) as i64, (elapsed * self.config.rise) as i64);
                wanted.clamp(playing.saturating_sub(down), playing.saturating_add(up)).clamp(base, base + max)
            }
        };
        self.playing = Some((playing, now));
        playing
    }

    /// Forgets the running stream but not the delay that was learnt, and gives the transit of the new one's first picture.
    fn restart(&mut self, timestamp: u32, now: i64) -> i64 {
        self.restarts += 1;
        let delay = nanos(self.delay());
        self.unwrapper = TimestampUnwrapper::default();
        self.window = TransitWindow::new(self.config.window);
        let transit = now - media_time(self.unwrapper.peek(timestamp));
        self.playing = Some((transit + delay, now));
        transit
    }
}

/// Unwrapped media time in nanoseconds.
fn media_time(timestamp: i64) -> i64 {
    let nanos = i128::from(timestamp) * 1_000_000_000 / i128::from(VIDEO_CLOCK_RATE);
    nanos.clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4)) as i64
}

/// A duration as signed nanoseconds, held to what leaves room for sums.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
