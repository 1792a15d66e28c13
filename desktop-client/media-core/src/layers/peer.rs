//! What is known of one peer.

use std::time::{Duration, Instant};

use super::config::{LAYERS_MAX, LayersConfig};
use super::estimates::Estimates;
use super::seam::{Demand, PeerOrder};
use crate::bitrate::Bitrate;

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) estimates: Estimates,
    pub(super) demand: Demand,
    /// The layer that it gets, or is about to get.
    pub(super) level: Option<usize>,
    /// It bears no video.
    pub(super) suspended: bool,
    /// Since when it bears less than its layer asks for, by what it has borne lately.
    pub(super) outlier_since: Option<Instant>,
    /// The same by its estimates as they come.
    pub(super) low_since: Option<Instant>,
    /// Layers that it may still be receiving, and until when.
    pub(super) leaving: [Option<Instant>; LAYERS_MAX],
    /// Not above this layer, until then.
    pub(super) penalty: Option<(usize, Instant)>,
    pub(super) ordered: Option<PeerOrder>,
    eager_until: Instant,
    /// Its next way up is its first, and free.
    fresh: bool,
    ups: UpBudget,
    raised: Option<Instant>,
    backoff: Duration,
    not_before: Option<Instant>,
}

impl Peer {
    pub(super) fn new(config: &LayersConfig, now: Instant) -> Self {
        let window = config.up_hold.max(config.settle).max(config.eager_up_hold).max(config.eager_settle);
        Self {
            estimates: Estimates::new(config.start_bitrate, window),
            demand: Demand::Whole,
            level: None,
            suspended: false,
            outlier_since: None,
            low_since: None,
            leaving: [None; LAYERS_MAX],
            penalty: None,
            ordered: None,
            eager_until: now + config.eager_for,
            fresh: true,
            ups: UpBudget { tokens: config.up_burst, since: now },
            raised: None,
            backoff: config.up_hold,
            not_before: None,
        }
    }

    /// The camera is another: its video begins anew.
    pub(super) fn begin(&mut self, config: &LayersConfig, now: Instant) {
        self.level = None;
        self.outlier_since = None;
        self.low_since = None;
        self.leaving = [None; LAYERS_MAX];
        self.fresh = true;
        self.be_eager(config, now);
    }

    /// Something has changed for the better: follow quickly.
    pub(super) fn be_eager(&mut self, config: &LayersConfig, now: Instant) {
        self.eager_until = now + config.eager_for;
    }

    /// What a layer's rate may count on.
    pub(super) fn settled(&self, config: &LayersConfig, now: Instant) -> Bitrate {
        let window = if now < self.eager_until { config.eager_settle } else { config.settle };
        self.estimates.lowest_within(window, now)
    }

    /// What a way up may count on.
    pub(super) fn lasting(&self, config: &LayersConfig, now: Instant) -> Bitrate {
        let window = if now < self.eager_until { config.eager_up_hold } else { config.up_hold };
        self.estimates.lowest_within(window, now)
    }

    /// Moves up, unless it has done so too often.
    pub(super) fn rise(&mut self, to: usize, config: &LayersConfig, now: Instant) -> bool {
        let early = self.not_before.is_some_and(|at| at > now);
        if !self.fresh && (early || !self.ups.spend(config, now)) {
            return false;
        }
        if !std::mem::take(&mut self.fresh) {
            self.raised = Some(now);
        }
        self.suspended = false;
        self.go(Some(to), config, now);
        true
    }

    /// Moves down, or loses its video.
    pub(super) fn fall(&mut self, to: Option<usize>, config: &LayersConfig, now: Instant) {
        self.go(to, config, now);
    }

    /// Its path did not bear what it had been raised to: the next way up takes longer, if that was lately.
    pub(super) fn overreached(&mut self, config: &LayersConfig, now: Instant) {
        let Some(raised) = self.raised.take() else { return };
        if now.saturating_duration_since(raised) < config.failed_up {
            self.backoff = (self.backoff * 2).min(config.up_hold_max);
            self.not_before = Some(now + self.backoff);
        } else {
            self.backoff = config.up_hold;
        }
    }

    /// Forgets what is over.
    pub(super) fn expire(&mut self, now: Instant) {
        for leaving in &mut self.leaving {
            *leaving = leaving.filter(|until| *until > now);
        }
        self.penalty = self.penalty.filter(|(_, until)| *until > now);
        self.not_before = self.not_before.filter(|at| *at > now);
    }

    /// Notes whether it bears what its layer asks for; gives whether it does not.
    pub(super) fn compare(&mut self, need: Bitrate, config: &LayersConfig, now: Instant) -> bool {
        let since = |low: bool, since: Option<Instant>| low.then(|| since.unwrap_or(now));
        self.outlier_since = since(self.settled(config, now) < need, self.outlier_since);
        self.low_since = since(self.estimates.current() < need, self.low_since);
        self.outlier_since.is_some()
    }

    /// It has borne too little for its layer for too long.
    pub(super) fn is_lasting_outlier(&self, config: &LayersConfig, now: Instant) -> bool {
        let lasted = |since: Option<Instant>, least: Duration| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= least)
        };
        lasted(self.low_since, config.dip) || lasted(self.outlier_since, config.dip + config.settle)
    }

    /// It may still be receiving this layer.
    pub(super) fn is_leaving(&self, layer: usize) -> bool {
        self.leaving.get(layer).is_some_and(Option::is_some)
    }

    /// Time alone may change what it gets.
    pub(super) fn is_waiting(&self, config: &LayersConfig, now: Instant) -> bool {
        self.outlier_since.is_some()
            || self.penalty.is_some()
            || self.leaving.iter().any(Option::is_some)
            || self.settled(config, now) < self.estimates.current()
    }

    fn go(&mut self, to: Option<usize>, config: &LayersConfig, now: Instant) {
        let told = self.ordered.and_then(|order| order.layer).map(usize::from);
        match (to, told.and_then(|told| self.leaving.get_mut(told))) {
            (Some(_), Some(leaving)) => *leaving = Some(now + config.overlap),
            (Some(_), None) => {}
            // Nothing goes out any more.
            (None, _) => self.leaving = [None; LAYERS_MAX],
        }
        if let Some(leaving) = to.and_then(|to| self.leaving.get_mut(to)) {
            *leaving = None;
        }
        self.level = to;
        self.outlier_since = None;
        self.low_since = None;
    }
}

/// How often a peer may still move up. It bounds the key frames that switching costs, whatever the peer reports or does.
#[derive(Debug)]
struct UpBudget {
    tokens: u32,
    /// Since when the next token grows; meaningless while the budget is full.
    since: Instant,
}

impl UpBudget {
    fn spend(&mut self, config: &LayersConfig, now: Instant) -> bool {
        let grown = now.saturating_duration_since(self.since).as_nanos() / config.up_refill.as_nanos().max(1);
        let grown = u32::try_from(grown).unwrap_or(u32::MAX);
        if self.tokens.saturating_add(grown) >= config.up_burst {
            (self.tokens, self.since) = (config.up_burst, now);
        } else {
            self.tokens += grown;
            self.since += config.up_refill * grown;
        }
        let spent = self.tokens.checked_sub(1);
        self.tokens = spent.unwrap_or(0);
        spent.is_some()
    }
}
