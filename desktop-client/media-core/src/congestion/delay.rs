//! The verdict of the delay: grows, stays, or empties.
//!
//! The trendline says whether the delay grows; it is believed once a queue is there that every packet met for a while ([`QueueDelay`]). A queue that is
//! there, grows no more and is long, is drained, too: a full buffer has no trend. If it does not respond to a lower rate twice, it is somebody else's or a
//! longer route, and becomes the new floor.

use std::time::Duration;

use super::arrival_groups::{ArrivalGroups, Grouped};
use super::config::GccConfig;
use super::queue_delay::{QueueDelay, SHORT_MS};
use super::timeline::{Arrived, millis};
use super::trendline::{Trendline, Usage};

/// A queue above the tolerance and this many times the jitter is believed after [`SHORT_MS`]: jitter does not reach so far.
const BEYOND_JITTER: f64 = 1.2;

/// Above the tolerance and this share of the jitter it is believed after the patience that the jitter calls for.
const WITHIN_JITTER: f64 = 0.5;

/// How long a queue that does not grow must stand, in milliseconds.
const STANDING_MS: f64 = 1_000.0;

/// A standing queue that is still more than this share of what it was does not respond to us.
const UNRESPONSIVE: f64 = 0.75;

/// So often a queue may fail to respond before it is taken for the new floor.
const MAX_UNRESPONSIVE: u32 = 2;

/// What the delay says about the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// It may grow.
    Fine,
    /// It should stay: a queue may be building up, or one empties.
    Wait,
    /// It is too high; so many milliseconds wait already.
    TooHigh(f64),
}

#[derive(Debug)]
pub(super) struct DelayDetector {
    groups: ArrivalGroups,
    trendline: Trendline,
    queue: QueueDelay,
    tolerance_ms: f64,
    standing_limit_ms: f64,
    /// The standing queue at the last verdict about one.
    standing_ms: Option<f64>,
    unresponsive: u32,
}

impl DelayDetector {
    pub(super) fn new(config: &GccConfig) -> Self {
        Self {
            groups: ArrivalGroups::default(),
            trendline: Trendline::default(),
            queue: QueueDelay::default(),
            tolerance_ms: millis(config.queue_tolerance),
            standing_limit_ms: millis(config.standing_queue),
            standing_ms: None,
            unresponsive: 0,
        }
    }

    /// The next packet in the order of arrival.
    pub(super) fn add(&mut self, packet: &Arrived) {
        self.queue.add(packet.departure_ms, packet.delay_ms(), packet.bytes);
        match self.groups.add(packet) {
            Grouped::Pending => {}
            Grouped::Delta(delta) => self.trendline.update(&delta),
            Grouped::StartOver => self.trendline = Trendline::default(),
        }
    }

    /// A clock was set: nothing is comparable with before.
    pub(super) fn start_over(&mut self) {
        self.groups = ArrivalGroups::default();
        self.trendline = Trendline::default();
        self.queue = QueueDelay::default();
        self.standing_ms = None;
    }

    /// The verdict on what was sent since the last one of [`Verdict::TooHigh`].
    pub(super) fn verdict(&mut self) -> Verdict {
        let long = self.queue.persistent(self.queue.patience_ms());
        let usage = self.trendline.usage();
        // After a fall the trend remembers the rise for a while; the queue itself knows better.
        if usage == Usage::Over
            && !self.queue.is_falling()
            && let Some(queue) = self.short_queue().or_else(|| long.filter(|queue| *queue > self.tolerable()))
        {
            return Verdict::TooHigh(self.at_least(queue));
        }
        if let Some(queue) = self.standing_queue() {
            return Verdict::TooHigh(self.at_least(queue));
        }
        if usage != Usage::Normal && self.queue.current().is_some_and(|queue| queue > self.tolerable()) {
            return Verdict::Wait;
        }
        Verdict::Fine
    }

    /// The rate was lowered; packets that leave from here on tell about the new one.
    pub(super) fn rate_lowered(&mut self, departure_ms: f64) {
        self.queue.mark(departure_ms);
    }

    /// What waits at this moment, in milliseconds.
    pub(super) fn queue_ms(&self) -> Option<f64> {
        self.queue.current()
    }

    /// Is there next to nothing waiting?
    pub(super) fn drained(&self) -> bool {
        self.queue.current().is_some_and(|queue| queue < self.tolerable())
    }

    /// Is more waiting than jitter explains?
    pub(super) fn congested(&self) -> bool {
        self.queue.current().is_some_and(|queue| queue > self.beyond_jitter())
    }

    /// The time over which a queue is believed.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.queue.patience_ms() / 1e3)
    }

    /// How much the delay varies by itself, in milliseconds.
    pub(super) fn jitter_ms(&self) -> f64 {
        self.queue.jitter_ms()
    }

    /// What waits now, jitter aside, may be more than what waited all the time.
    fn at_least(&self, queue: f64) -> f64 {
        self.queue.current().map_or(queue, |current| queue.max(current - self.queue.jitter_ms()))
    }

    fn tolerable(&self) -> f64 {
        self.tolerance_ms + WITHIN_JITTER * self.queue.jitter_ms()
    }

    fn beyond_jitter(&self) -> f64 {
        self.tolerance_ms + BEYOND_JITTER * self.queue.jitter_ms()
    }

    fn short_queue(&self) -> Option<f64> {
        self.queue.persistent(SHORT_MS).filter(|queue| *queue > self.beyond_jitter())
    }

    fn standing_queue(&mut self) -> Option<f64> {
        let window = self.queue.patience_ms().max(STANDING_MS);
        let queue = self.queue.persistent(window)?;
        if queue <= self.standing_limit_ms + self.queue.jitter_ms() {
            self.standing_ms = None;
            self.unresponsive = 0;
            return None;
        }
        let before = self.standing_ms.replace(queue);
        if before.is_some_and(|before| queue > UNRESPONSIVE * before) {
            self.unresponsive += 1;
        } else {
            self.unresponsive = 0;
        }
        if self.unresponsive < MAX_UNRESPONSIVE {
            return Some(queue);
        }
        self.standing_ms = None;
        self.unresponsive = 0;
        self.queue.rebase();
        None
    }
}
