//! How long packets wait on the way, told from how much the delay just varies.
//!
//! A trend alone takes each breath of a wireless network for a queue. But a queue of our own making has a property that jitter lacks: as long as the rate
//! stays, *every* packet meets it. So a queue counts by the least delay over a while, and the while is longer the more the delay varies by itself: delay that
//! wanders over 50 ms returns to its floor many times a second, a queue does not.
//!
//! On a thin link a small packet is faster than a large one by what the rest takes to transmit. Packets far below the usual size are therefore left out.

use std::collections::VecDeque;

use super::windowed::WindowedMin;

/// Delays are kept by departure in slots of so many milliseconds.
const SLOT_MS: f64 = 50.0;

/// Slots that are kept: 3 s.
const SLOTS: usize = 60;

/// A shorter window, in milliseconds, or fewer packets say nothing about a queue.
pub(super) const SHORT_MS: f64 = 200.0;
const MIN_PACKETS: u32 = 3;

/// The longest window in milliseconds: what it takes at most until a queue is believed.
const LONG_MS: f64 = 2_000.0;

/// Milliseconds that the window grows by for each millisecond of jitter. Delay that varies by J is above its floor all the time for 8 J with a probability of a few
/// per cent when its correlation time is about 2 J, as on wireless networks.
const PATIENCE: f64 = 12.0;

/// The least delay is that of the latest 15 to 30 s: a route that became longer is normal afterwards, and 200 ppm of clock drift are 6 ms.
const BASE_MS: f64 = 15_000.0;

/// Jitter is the median over the spreads of the delay in so many spans of so many milliseconds. The median, because queues come and go a few times a minute. What the
/// delay differs by at the ends of a span is taken off its spread, because a queue that grows or empties is no jitter; of jitter that takes away up to a
/// half, which a factor gives back.
const SPREAD_MS: f64 = 1_000.0;
const SPREADS: usize = 9;
const SPREAD_FACTOR: f64 = 2.0;

/// Packets of less than this share of the mean size are left out, and how fast the mean follows.
const SMALL: f64 = 0.5;
const SIZE_WEIGHT: f64 = 0.02;

#[derive(Debug, Clone, Copy)]
struct Slot {
    start_ms: f64,
    least_ms: f64,
    packets: u32,
}

#[derive(Debug)]
pub(super) struct QueueDelay {
    base: WindowedMin,
    slots: VecDeque<Slot>,
    newest_ms: f64,
    /// Departures before are no evidence any more: the rate was changed since.
    mark_ms: f64,
    spread: Option<Spread>,
    spreads: VecDeque<f64>,
    mean_bytes: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Spread {
    start_ms: f64,
    first_ms: f64,
    last_ms: f64,
    least_ms: f64,
    most_ms: f64,
}

impl Spread {
    fn of(departure_ms: f64, delay_ms: f64) -> Self {
        Self {
            start_ms: departure_ms,
            first_ms: delay_ms,
            last_ms: delay_ms,
            least_ms: delay_ms,
            most_ms: delay_ms,
        }
    }

    fn widen(&mut self, delay_ms: f64) {
        self.last_ms = delay_ms;
        self.least_ms = self.least_ms.min(delay_ms);
        self.most_ms = self.most_ms.max(delay_ms);
    }

    fn jitter_ms(&self) -> f64 {
        SPREAD_FACTOR * (self.most_ms - self.least_ms - (self.last_ms - self.first_ms).abs())
    }
}

impl Default for QueueDelay {
    fn default() -> Self {
        Self {
            base: WindowedMin::new(BASE_MS),
            slots: VecDeque::with_capacity(SLOTS + 1),
            newest_ms: f64::NEG_INFINITY,
            mark_ms: f64::NEG_INFINITY,
            spread: None,
            spreads: VecDeque::with_capacity(SPREADS + 1),
            mean_bytes: None,
        }
    }
}

impl QueueDelay {
    /// A packet that left at a time and was on the way for so long, off by a constant.
    pub(super) fn add(&mut self, departure_ms: f64, delay_ms: f64, bytes: usize) {
        let bytes = bytes as f64;
        let mean = self.mean_bytes.get_or_insert(bytes);
        *mean += SIZE_WEIGHT * (bytes - *mean);
        if bytes < SMALL * *mean {
            return;
        }
        self.base.add(departure_ms, delay_ms);
        self.widen_spread(departure_ms, delay_ms);
        self.newest_ms = self.newest_ms.max(departure_ms);
        match self.slots.back_mut() {
            // One that was overtaken counts with those that overtook it.
            Some(slot) if departure_ms < slot.start_ms + SLOT_MS => {
                slot.least_ms = slot.least_ms.min(delay_ms);
                slot.packets += 1;
            }
            Some(_) | None => {
                if self.slots.len() == SLOTS {
                    self.slots.pop_front();
                }
                self.slots.push_back(Slot { start_ms: departure_ms, least_ms: delay_ms, packets: 1 });
            }
        }
    }

    /// The rate was lowered at a time: what left before tells nothing about the new one.
    pub(super) fn mark(&mut self, departure_ms: f64) {
        self.mark_ms = departure_ms;
    }

    /// The delay that all packets of a window met beyond the least possible, in milliseconds; `None` when there are too few of them since the mark.
    pub(super) fn persistent(&self, window_ms: f64) -> Option<f64> {
        self.least_since(self.newest_ms - window_ms, self.mark_ms)
    }

    /// Does the queue get shorter since the mark?
    pub(super) fn is_falling(&self) -> bool {
        let mut since = self.slots.iter().filter(|slot| slot.start_ms >= self.mark_ms);
        let (first, last) = (since.next(), since.next_back());
        first.zip(last).is_some_and(|(first, last)| last.least_ms < first.least_ms)
    }

    /// The window over which a queue is believed on this path, in milliseconds.
    pub(super) fn patience_ms(&self) -> f64 {
        (SHORT_MS + PATIENCE * self.jitter_ms()).min(LONG_MS)
    }

    /// What waits at this moment, in milliseconds, whatever the rate was.
    pub(super) fn current(&self) -> Option<f64> {
        self.least_since(self.newest_ms - SHORT_MS, f64::NEG_INFINITY)
    }

    /// How much the delay varies by itself, in milliseconds.
    pub(super) fn jitter_ms(&self) -> f64 {
        let mut spreads: Vec<f64> = self.spreads.iter().copied().collect();
        spreads.sort_by(f64::total_cmp);
        spreads.get(spreads.len() / 2).copied().unwrap_or(0.0)
    }

    /// What waits now is not ours: it is the new floor.
    pub(super) fn rebase(&mut self) {
        let least = self.least_since(self.newest_ms - 5.0 * SHORT_MS, f64::NEG_INFINITY);
        if let (Some(queue), Some(base)) = (least, self.base.get()) {
            self.base.reset_to(self.newest_ms, base + queue);
        }
    }

    fn least_since(&self, from_ms: f64, mark_ms: f64) -> Option<f64> {
        let (mut least, mut packets) = (f64::INFINITY, 0);
        for slot in self.slots.iter().rev().take_while(|slot| slot.start_ms >= mark_ms) {
            least = least.min(slot.least_ms);
            packets += slot.packets;
            if slot.start_ms <= from_ms && packets >= MIN_PACKETS {
                return self.base.get().map(|base| least - base);
            }
        }
        None
    }

    fn widen_spread(&mut self, departure_ms: f64, delay_ms: f64) {
        let fresh = Spread::of(departure_ms, delay_ms);
        let spread = self.spread.get_or_insert(fresh);
        if departure_ms - spread.start_ms < SPREAD_MS {
            spread.widen(delay_ms);
            return;
        }
        self.spreads.push_back(spread.jitter_ms());
        if self.spreads.len() > SPREADS {
            self.spreads.pop_front();
        }
        *spread = fresh;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(queue: &mut QueueDelay, from_ms: u32, to_ms: u32, delay: impl Fn(f64) -> f64) {
        (from_ms..to_ms).step_by(10).for_each(|at| queue.add(f64::from(at), delay(f64::from(at)), 1_200));
    }

    #[test]
    fn a_queue_is_what_every_packet_meets() {
        let mut queue = QueueDelay::default();
        feed(&mut queue, 0, 2_000, |_| 20.0);
        feed(&mut queue, 2_000, 2_600, |at| if at % 150.0 < 20.0 { 20.0 } else { 90.0 });
        assert_eq!(queue.persistent(SHORT_MS), Some(0.0));
        feed(&mut queue, 2_600, 3_000, |_| 70.0);
        assert_eq!(queue.persistent(SHORT_MS), Some(50.0));
    }

    #[test]
    fn departures_before_the_mark_are_no_evidence() {
        let mut queue = QueueDelay::default();
        feed(&mut queue, 0, 1_000, |_| 20.0);
        feed(&mut queue, 1_000, 2_000, |_| 80.0);
        queue.mark(1_950.0);
        assert_eq!(queue.persistent(SHORT_MS), None);
        assert_eq!(queue.current(), Some(60.0));
    }

    #[test]
    fn small_packets_do_not_make_the_others_look_queued() {
        let mut queue = QueueDelay::default();
        feed(&mut queue, 0, 1_000, |_| 120.0);
        queue.add(1_000.0, 30.0, 200);
        feed(&mut queue, 1_010, 2_000, |_| 120.0);
        assert_eq!(queue.current(), Some(0.0));
    }

    #[test]
    fn a_queue_that_empties_is_seen() {
        let mut queue = QueueDelay::default();
        feed(&mut queue, 0, 1_000, |at| 20.0 + at / 10.0);
        queue.mark(1_000.0);
        assert!(!queue.is_falling());
        feed(&mut queue, 1_000, 1_200, |at| 220.0 - at / 10.0);
        assert!(queue.is_falling());
    }

    #[test]
    fn jitter_makes_patient() {
        let mut queue = QueueDelay::default();
        feed(&mut queue, 0, 5_000, |_| 20.0);
        assert!(queue.patience_ms() < 201.0);
        feed(&mut queue, 5_000, 15_000, |at| 20.0 + (at % 70.0));
        assert!(queue.patience_ms() > 600.0, "{}", queue.patience_ms());
    }

    #[test]
    fn a_longer_route_becomes_normal() {
        let mut queue = QueueDelay::default();
        feed(&mut queue, 0, 1_000, |_| 20.0);
        feed(&mut queue, 1_000, 40_000, |_| 80.0);
        assert_eq!(queue.current(), Some(0.0));
    }
}
