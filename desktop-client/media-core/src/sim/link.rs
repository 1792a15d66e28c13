//! One direction of a network.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::jitter::JitterState;
use super::loss::LossState;
use super::profile::Step;
use super::{Jitter, Loss, Rng};

/// What a link does to packets. The default does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinkConfig {
    /// Least delay.
    pub delay: Duration,
    /// Delay on top.
    pub jitter: Jitter,
    /// Whether packets may overtake each other.
    pub reordering: Reordering,
    /// Packets that vanish.
    pub loss: Loss,
    /// Share of packets that come twice, 0–1.
    pub duplicates: f64,
    /// How much passes.
    pub rate: Option<RateLimit>,
}

/// A bottleneck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Bits per second.
    pub bits_per_second: u64,
    /// How long a packet may queue; one that would wait longer is dropped (drop-tail).
    pub queue: Duration,
}

/// Whether packets may overtake each other.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Reordering {
    /// They keep their order, as on most access links: one that is late holds up those behind.
    #[default]
    None,
    /// Each takes its own time, so jitter reorders.
    ByJitter,
    /// A share of them is held back.
    Held {
        /// Share of packets, 0–1.
        share: f64,
        /// How long on top.
        by: Duration,
    },
}

/// What became of packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkStats {
    /// Packets put in.
    pub sent: u64,
    /// Bytes put in.
    pub sent_bytes: u64,
    /// Packets lost on the way.
    pub lost: u64,
    /// Packets that found the queue full.
    pub overflowed: u64,
    /// Packets that came out, duplicates included.
    pub delivered: u64,
}

/// A link in virtual time that carries items of any kind.
#[derive(Debug)]
pub struct Link<T> {
    config: LinkConfig,
    /// Changes to come, the next one last.
    steps: Vec<(Instant, LinkConfig)>,
    rng: Rng,
    loss: LossState,
    jitter: JitterState,
    busy_until: Option<Instant>,
    last_delivery: Option<Instant>,
    in_flight: BinaryHeap<Reverse<InFlight<T>>>,
    order: u64,
    stats: LinkStats,
}

#[derive(Debug)]
struct InFlight<T> {
    at: Instant,
    order: u64,
    item: T,
}

impl<T> PartialEq for InFlight<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for InFlight<T> {}

impl<T> PartialOrd for InFlight<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for InFlight<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<T: Clone> Link<T> {
    /// A link that stays as it is.
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            steps: Vec::new(),
            rng: Rng::new(seed),
            loss: LossState::default(),
            jitter: JitterState::default(),
            busy_until: None,
            last_delivery: None,
            in_flight: BinaryHeap::new(),
            order: 0,
            stats: LinkStats::default(),
        }
    }

    /// A link that changes over time, counted from `start`. Before its first step it does nothing to packets.
    pub fn with_steps(steps: &[Step], start: Instant, seed: u64) -> Self {
        let mut link = Self::new(LinkConfig::default(), seed);
        link.steps = steps.iter().map(|step| (start + step.after, step.config)).collect();
        link.steps.sort_by_key(|(at, _)| Reverse(*at));
        link
    }

    /// What holds from now on. Packets under way are not affected.
    pub fn set_config(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// Puts an item in that has a size on the wire. Calls go forward in time.
    pub fn send(&mut self, item: T, bytes: usize, now: Instant) {
        self.take_steps(now);
        self.stats.sent += 1;
        self.stats.sent_bytes += bytes as u64;
        let Some(through) = self.pass_queue(bytes, now) else {
            self.stats.overflowed += 1;
            return;
        };
        if self.loss.loses(self.config.loss, &mut self.rng) {
            self.stats.lost += 1;
            return;
        }
        if self.rng.chance(self.config.duplicates) {
            self.launch(item.clone(), through);
        }
        self.launch(item, through);
    }

    /// Takes out the next item that has arrived, with the time of its arrival.
    pub fn receive(&mut self, now: Instant) -> Option<(Instant, T)> {
        if self.next_arrival()? > now {
            return None;
        }
        let Reverse(arrived) = self.in_flight.pop()?;
        self.stats.delivered += 1;
        Some((arrived.at, arrived.item))
    }

    /// When the next item arrives.
    pub fn next_arrival(&self) -> Option<Instant> {
        self.in_flight.peek().map(|Reverse(next)| next.at)
    }

    /// How long a packet that is sent now waits at the bottleneck.
    pub fn queue_delay(&self, now: Instant) -> Duration {
        self.busy_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// What became of packets so far.
    pub fn stats(&self) -> LinkStats {
        self.stats
    }

    fn take_steps(&mut self, now: Instant) {
        while let Some((at, config)) = self.steps.last().copied()
            && at <= now
        {
            self.config = config;
            self.steps.pop();
        }
    }

    /// When a packet has passed the bottleneck; `None` when the queue is full.
    fn pass_queue(&mut self, bytes: usize, now: Instant) -> Option<Instant> {
        let Some(rate) = self.config.rate else { return Some(now) };
        if self.queue_delay(now) > rate.queue {
            return None;
        }
        let nanos = bytes as u128 * 8 * 1_000_000_000 / u128::from(rate.bits_per_second.max(1));
        let transmission = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let through = self.busy_until.map_or(now, |until| until.max(now)) + transmission;
        self.busy_until = Some(through);
        Some(through)
    }

    fn launch(&mut self, item: T, from: Instant) {
        let jitter = self.jitter.delay(self.config.jitter, from, &mut self.rng);
        let mut at = from + self.config.delay + jitter;
        match self.config.reordering {
            Reordering::None => {
                at = self.last_delivery.map_or(at, |last| last.max(at));
                self.last_delivery = Some(at);
            }
            Reordering::ByJitter => {}
            Reordering::Held { share, by } => {
                if self.rng.chance(share) {
                    at += by;
                }
            }
        }
        self.order += 1;
        self.in_flight.push(Reverse(InFlight { at, order: self.order, item }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    fn at(ms: u64) -> Instant {
        sim::epoch() + Duration::from_millis(ms)
    }

    /// Sends a packet of 125 bytes (1 kbit) each millisecond and gives what arrives: (when in ms, which).
    fn run(config: LinkConfig, count: u64) -> (Vec<(f64, u64)>, LinkStats) {
        let mut link = Link::new(config, 42);
        for i in 0..count {
            link.send(i, 125, at(i));
        }
        let arrived = std::iter::from_fn(|| link.receive(at(1_000_000)))
            .map(|(when, i)| (when.duration_since(sim::epoch()).as_secs_f64() * 1e3, i))
            .collect();
        (arrived, link.stats())
    }

    #[test]
    fn a_plain_link_only_delays() {
        let (arrived, _) = run(LinkConfig { delay: Duration::from_millis(30), ..LinkConfig::default() }, 3);
        assert_eq!(arrived, [(30.0, 0), (31.0, 1), (32.0, 2)]);
    }

    #[test]
    fn nothing_is_received_before_its_time() {
        let mut link = Link::new(LinkConfig { delay: Duration::from_millis(5), ..LinkConfig::default() }, 1);
        link.send('a', 10, at(0));
        assert_eq!(link.receive(at(4)), None);
        assert_eq!(link.next_arrival(), Some(at(5)));
        assert_eq!(link.receive(at(6)), Some((at(5), 'a')));
    }

    #[test]
    fn a_bottleneck_spaces_packets_and_drops_what_does_not_fit() {
        let rate = RateLimit { bits_per_second: 500_000, queue: Duration::from_millis(20) };
        let (arrived, stats) = run(LinkConfig { rate: Some(rate), ..LinkConfig::default() }, 1_000);
        assert!(arrived.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 1.999));
        assert!((490..=520).contains(&arrived.len()), "{}", arrived.len());
        assert_eq!(stats.overflowed + stats.delivered, 1_000);
        let longest = arrived.iter().map(|(when, i)| when - *i as f64).fold(0.0, f64::max);
        assert!((20.0..24.1).contains(&longest), "{longest}");
    }

    #[test]
    fn jitter_keeps_the_order_unless_it_may_not() {
        let jitter = Jitter { spread: Duration::from_millis(50), correlation: Duration::from_millis(5) };
        let ordered = |arrived: Vec<(f64, u64)>| arrived.windows(2).all(|pair| pair[0].1 < pair[1].1);
        assert!(ordered(run(LinkConfig { jitter, ..LinkConfig::default() }, 500).0));
        let reordering = Reordering::ByJitter;
        assert!(!ordered(run(LinkConfig { jitter, reordering, ..LinkConfig::default() }, 500).0));
    }

    #[test]
    fn held_back_packets_are_overtaken() {
        let reordering = Reordering::Held { share: 0.1, by: Duration::from_millis(10) };
        let (arrived, _) = run(LinkConfig { reordering, ..LinkConfig::default() }, 1_000);
        let late = arrived.iter().filter(|(when, i)| *when - *i as f64 > 9.0).count();
        assert!((60..140).contains(&late), "{late}");
    }

    #[test]
    fn duplicates_come_twice() {
        let (arrived, _) = run(LinkConfig { duplicates: 1.0, ..LinkConfig::default() }, 10);
        assert_eq!(arrived.len(), 20);
    }

    #[test]
    fn steps_take_effect_at_their_time() {
        let lossy = LinkConfig { loss: Loss::Uniform { share: 1.0 }, ..LinkConfig::default() };
        let steps = [
            Step { after: Duration::from_millis(10), config: lossy },
            Step { after: Duration::from_millis(20), config: LinkConfig::default() },
        ];
        let mut link = Link::with_steps(&steps, at(0), 1);
        (0..30).for_each(|i| link.send(i, 10, at(i)));
        let arrived: Vec<u64> = std::iter::from_fn(|| link.receive(at(100))).map(|(_, i)| i).collect();
        assert_eq!(arrived, (0..10).chain(20..30).collect::<Vec<_>>());
    }

    #[test]
    fn the_same_seed_gives_the_same_network() {
        let config = LinkConfig { loss: Loss::Uniform { share: 0.3 }, ..LinkConfig::default() };
        assert_eq!(run(config, 200), run(config, 200));
    }
}
