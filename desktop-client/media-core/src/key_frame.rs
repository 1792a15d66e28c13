//! Key-frame requests of many peers, merged.
//!
//! A key frame costs every peer of its layer, so one lossy or hostile peer must not order them at will. Two rules: a layer makes at most one key
//! frame per [`KeyFrameConfig::min_interval`] on request, and a peer may cause only a burst of them and then one per
//! [`KeyFrameConfig::refill`]. A request that finds its layer's key frame already ordered costs its peer nothing. A request over the peer's
//! budget is reported, so that the peer can be moved to another layer, and served as soon as the budget allows.
//!
//! Core: [`KeyFrameRequests::handle`], then [`KeyFrameRequests::poll_output`] until it is empty; wake it at [`KeyFrameRequests::poll_timeout`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// Limits on key frames.
#[derive(Debug, Clone, Copy)]
pub struct KeyFrameConfig {
    /// Time between two ordered key frames of one layer. Default 500 ms; shorter repairs sooner and costs more bits.
    pub min_interval: Duration,
    /// Key frames that a peer may cause at once. Default 4: the start of a call, and some loss.
    pub burst: u32,
    /// Time after which a peer may cause one more. Default 3 s.
    pub refill: Duration,
}

impl Default for KeyFrameConfig {
    fn default() -> Self {
        Self { min_interval: Duration::from_millis(500), burst: 4, refill: Duration::from_secs(3) }
    }
}

/// A fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFrameInput<P> {
    /// A peer asked for a key frame of a layer (PLI or FIR, or its selector wants to switch).
    Requested {
        /// Who.
        peer: P,
        /// Of which layer.
        layer: u8,
    },
    /// A peer is being moved to a layer, which begins with a key frame for it. That is our doing, and moves are rationed where they are decided
    /// ([`crate::layers`]), so it costs the peer nothing.
    Begins {
        /// Which layer.
        layer: u8,
    },
    /// The encoder made a key frame, ordered or not.
    Encoded {
        /// Of which layer.
        layer: u8,
    },
    /// A peer is gone.
    PeerLeft(P),
    /// Time went on.
    Tick,
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFrameOutput<P> {
    /// Make the layer's next frame a key frame.
    Force {
        /// Which layer.
        layer: u8,
    },
    /// The peer asks more often than its budget allows: move it to a layer where it disturbs fewer people.
    OverBudget {
        /// Who.
        peer: P,
        /// The layer that it asks for.
        layer: u8,
    },
}

/// Merges requests.
#[derive(Debug)]
pub struct KeyFrameRequests<P> {
    config: KeyFrameConfig,
    layers: BTreeMap<u8, Layer>,
    budgets: BTreeMap<P, Budget>,
    /// Requests that wait for their peer's budget.
    deferred: BTreeSet<(P, u8)>,
    outputs: VecDeque<KeyFrameOutput<P>>,
}

#[derive(Debug, Default)]
struct Layer {
    last: Option<Instant>,
    /// Somebody waits for the next one.
    wanted: bool,
}

#[derive(Debug)]
struct Budget {
    tokens: u32,
    /// Since when the next token grows; meaningless while the budget is full.
    since: Instant,
}

impl<P: Ord + Copy> KeyFrameRequests<P> {
    /// Without requests.
    pub fn new(config: KeyFrameConfig) -> Self {
        Self {
            config,
            layers: BTreeMap::new(),
            budgets: BTreeMap::new(),
            deferred: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes a fact in; drain [`Self::poll_output`] afterwards.
    pub fn handle(&mut self, input: KeyFrameInput<P>, now: Instant) {
        match input {
            KeyFrameInput::Requested { peer, layer } => self.request(peer, layer, now),
            KeyFrameInput::Begins { layer } => self.layers.entry(layer).or_default().wanted = true,
            KeyFrameInput::Encoded { layer } => {
                // It serves everybody who has been waiting for one.
                self.layers.insert(layer, Layer { last: Some(now), wanted: false });
                self.deferred.retain(|(_, wanted)| *wanted != layer);
            }
            KeyFrameInput::PeerLeft(peer) => {
                self.budgets.remove(&peer);
                self.deferred.retain(|(asking, _)| *asking != peer);
            }
            KeyFrameInput::Tick => {}
        }
        self.grant_deferred(now);
        self.force_due(now);
    }

    /// The next order.
    pub fn poll_output(&mut self) -> Option<KeyFrameOutput<P>> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle`] with [`KeyFrameInput::Tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = self.layers.values().filter(|layer| layer.wanted).filter_map(|layer| self.due(layer));
        let refills = self
            .deferred
            .iter()
            .filter_map(|(peer, _)| self.budgets.get(peer))
            .map(|budget| budget.since + self.config.refill);
        due.chain(refills).min()
    }

    fn request(&mut self, peer: P, layer: u8, now: Instant) {
        if self.layers.get(&layer).is_some_and(|layer| layer.wanted) {
            return;
        }
        if self.spend(peer, now) {
            self.layers.entry(layer).or_default().wanted = true;
        } else if self.deferred.insert((peer, layer)) {
            self.outputs.push_back(KeyFrameOutput::OverBudget { peer, layer });
        }
    }

    fn grant_deferred(&mut self, now: Instant) {
        for (peer, layer) in self.deferred.clone() {
            let already = self.layers.get(&layer).is_some_and(|layer| layer.wanted);
            if already || self.spend(peer, now) {
                self.deferred.remove(&(peer, layer));
                self.layers.entry(layer).or_default().wanted = true;
            }
        }
    }

    fn force_due(&mut self, now: Instant) {
        let interval = self.config.min_interval;
        for (&layer, state) in &mut self.layers {
            if state.wanted && state.last.is_none_or(|last| now.saturating_duration_since(last) >= interval) {
                // Counted from the order, so that a slow encoder is not ordered twice.
                *state = Layer { last: Some(now), wanted: false };
                self.outputs.push_back(KeyFrameOutput::Force { layer });
            }
        }
    }

    fn due(&self, layer: &Layer) -> Option<Instant> {
        layer.last.map(|last| last + self.config.min_interval)
    }

    fn spend(&mut self, peer: P, now: Instant) -> bool {
        let KeyFrameConfig { burst, refill, .. } = self.config;
        let budget = self.budgets.entry(peer).or_insert(Budget { tokens: burst, since: now });
        while budget.tokens < burst
            && now.saturating_duration_since(budget.since) >= refill
            && !refill.is_zero()
        {
            budget.tokens += 1;
            budget.since += refill;
        }
        if budget.tokens == burst {
            budget.since = now;
        }
        if budget.tokens == 0 {
            return false;
        }
        budget.tokens -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim;

    struct Bench {
        requests: KeyFrameRequests<char>,
    }

    impl Bench {
        fn new() -> Self {
            Self { requests: KeyFrameRequests::new(KeyFrameConfig::default()) }
        }

        fn at(&mut self, ms: u64, input: KeyFrameInput<char>) -> Vec<KeyFrameOutput<char>> {
            self.requests.handle(input, sim::epoch() + Duration::from_millis(ms));
            std::iter::from_fn(|| self.requests.poll_output()).collect()
        }

        fn timeout_ms(&self) -> Option<u128> {
            self.requests.poll_timeout().map(|at| at.duration_since(sim::epoch()).as_millis())
        }
    }

    fn ask(peer: char, layer: u8) -> KeyFrameInput<char> {
        KeyFrameInput::Requested { peer, layer }
    }

    const FORCE_0: KeyFrameOutput<char> = KeyFrameOutput::Force { layer: 0 };

    #[test]
    fn requests_of_many_peers_make_one_key_frame_per_half_second_and_layer() {
        let mut bench = Bench::new();
        assert_eq!(bench.at(0, ask('a', 0)), [FORCE_0]);
        assert_eq!(bench.at(10, ask('b', 0)), []);
        assert_eq!(bench.at(20, ask('c', 0)), []);
        assert_eq!(bench.at(30, ask('c', 1)), [KeyFrameOutput::Force { layer: 1 }]);
        assert_eq!(bench.timeout_ms(), Some(500));
        assert_eq!(bench.at(499, KeyFrameInput::Tick), []);
        assert_eq!(bench.at(500, KeyFrameInput::Tick), [FORCE_0]);
        assert_eq!(bench.at(1_000, KeyFrameInput::Tick), []);
        assert_eq!(bench.timeout_ms(), None);
    }

    #[test]
    fn a_key_frame_of_the_encoder_serves_those_who_wait() {
        let mut bench = Bench::new();
        bench.at(0, ask('a', 0));
        bench.at(100, ask('b', 0));
        bench.at(200, KeyFrameInput::Encoded { layer: 0 });
        assert_eq!(bench.timeout_ms(), None);
        assert_eq!(bench.at(600, ask('b', 0)), []);
        assert_eq!(bench.at(700, KeyFrameInput::Tick), [FORCE_0]);
    }

    #[test]
    fn a_peer_has_a_burst_and_then_one_key_frame_per_three_seconds() {
        let mut bench = Bench::new();
        let mut forced = Vec::new();
        let mut over_budget = 0;
        for ms in (0..20_000).step_by(100) {
            for output in bench.at(ms, ask('x', 0)) {
                match output {
                    KeyFrameOutput::Force { .. } => forced.push(ms),
                    KeyFrameOutput::OverBudget { peer, .. } => over_budget += u32::from(peer == 'x'),
                }
            }
        }
        assert_eq!(forced[..4], [0, 500, 1_000, 1_500]);
        assert!(forced[4..].windows(2).all(|pair| pair[1] - pair[0] >= 3_000), "{forced:?}");
        assert!((9..=10).contains(&forced.len()), "{forced:?}");
        assert!(over_budget >= 1);
    }

    #[test]
    fn a_request_that_joins_one_already_ordered_is_free() {
        let mut bench = Bench::new();
        bench.at(0, ask('a', 0));
        bench.at(1, ask('a', 0));
        for ms in 2..400 {
            assert_eq!(bench.at(ms, ask('b', 0)), []);
        }
        assert_eq!(bench.at(500, KeyFrameInput::Tick), [FORCE_0]);
        assert_eq!(bench.at(1_000, ask('b', 0)), [FORCE_0]);
    }

    #[test]
    fn a_hostile_peer_does_not_spend_the_budget_of_others() {
        let mut bench = Bench::new();
        for ms in (0..5_000).step_by(10) {
            bench.at(ms, ask('x', 0));
        }
        assert_eq!(bench.at(6_000, ask('a', 0)).first(), Some(&FORCE_0));
    }

    #[test]
    fn a_request_over_budget_is_served_when_the_budget_allows() {
        let mut bench = Bench::new();
        for ms in [0, 500, 1_000, 1_500] {
            assert_eq!(bench.at(ms, ask('x', 0)), [FORCE_0]);
        }
        assert_eq!(bench.at(2_000, ask('x', 0)), [KeyFrameOutput::OverBudget { peer: 'x', layer: 0 }]);
        assert_eq!(bench.timeout_ms(), Some(3_000));
        assert_eq!(bench.at(3_000, KeyFrameInput::Tick), [FORCE_0]);
    }

    #[test]
    fn being_moved_costs_a_peer_nothing_and_keeps_the_interval() {
        let mut bench = Bench::new();
        for ms in [0, 500, 1_000, 1_500] {
            bench.at(ms, ask('x', 0));
        }
        let begins = KeyFrameInput::Begins { layer: 1 };
        assert_eq!(bench.at(1_600, begins), [KeyFrameOutput::Force { layer: 1 }]);
        assert_eq!(bench.at(1_700, begins), []);
        assert_eq!(bench.at(2_100, KeyFrameInput::Tick), [KeyFrameOutput::Force { layer: 1 }]);
    }

    #[test]
    fn a_peer_that_leaves_is_forgotten() {
        let mut bench = Bench::new();
        for ms in [0, 500, 1_000, 1_500, 2_000] {
            bench.at(ms, ask('x', 0));
        }
        bench.at(2_001, KeyFrameInput::PeerLeft('x'));
        assert_eq!(bench.timeout_ms(), None);
        assert!(bench.requests.budgets.is_empty());
    }
}
