//! The rate by the loss, without giving way to loss that has nothing to do with the rate.
//!
//! A radio link that loses a fifth of all packets does so at any rate: a lower rate would only send less. A bottleneck that is full loses what does not fit, and
//! stops when less is sent. Four signs tell them apart:
//!
//! 1. **Delay.** Loss that is new and comes while a queue stands is congestion. The rate falls at once to below what came through.
//! 2. **Response.** Loss that is new, lasts and comes without a queue (a policer, or a radio) is put to the test: the rate is lowered to what came through, as if it
//!    were congestion, for about a second. If at least half of the new loss is gone, it was, and the rate stays. If not, the loss is *accepted*: the rate returns
//!    to where it was (if it got worse meanwhile, the test is repeated), and only loss beyond the accepted share counts as new from then on.
//! 3. **A probe.** Where little is sent already, such loss is not tested by sending less. A probe that comes through unhindered at far more than what is sent shows that the
//!    loss has nothing to do with the rate, and it is accepted.
//! 4. **Severity.** When most packets are lost for longer, nothing useful gets through anyway: the rate falls with each further window, by up to half without a
//!    queue.
//!
//! Accepted loss still bounds the rate, by a balance over the share beyond 5 % (the form of libwebrtc's loss-based control, v2, whose instant upper bound has the
//! same shape), because the larger the picture the fewer frames arrive whole. Accepted loss follows falling loss, never rising loss: else a rate that creeps up
//! through a policer would get all of its losses accepted.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::config::GccConfig;
use super::loss_counts::{Bursts, Tally};
use crate::bitrate::Bitrate;

/// Loss is judged over at least so many packets that left in at least this time, or over few packets in a longer time.
const WINDOW: (u32, Duration) = (20, Duration::from_millis(250));
const SPARSE_WINDOW: (u32, Duration) = (10, Duration::from_secs(1));

/// The same for a test, whose result counts for longer.
const TEST_WINDOW: (u32, Duration) = (40, Duration::from_millis(500));
const SPARSE_TEST_WINDOW: (u32, Duration) = (20, Duration::from_secs(2));

/// Less than this beyond the accepted share is not worth a reaction, whatever its cause.
const MARGIN: f64 = 0.05;

/// Beyond the margin, new loss must stand out from chance by so many standard deviations.
const SIGNIFICANCE: f64 = 2.5;

/// Time over which loss is averaged.
const AVERAGING: Duration = Duration::from_secs(4);

/// Time over which accepted loss follows falling loss.
const FORGETTING: Duration = Duration::from_secs(10);

/// From here on loss is severe.
const SEVERE: f64 = 0.6;

/// Congestion: the rate becomes this share of what came through.
const BACKOFF: f64 = 0.9;

/// What is left of the rate at least, with a queue and without, when nothing says that it is to blame. A row of lost packets looks like a path that carries nothing.
const LEAST_CONGESTED: f64 = 0.3;
const LEAST: f64 = 0.5;

/// Test: the same.
const TEST_BACKOFF: f64 = 0.97;

/// What is sent during a test is at most this many times what it should be: key frames and sound do not follow the rate at once.
const LOWERED: f64 = 1.2;

/// Thin sound with a copy is no more than this, and cannot be less.
const INCOMPRESSIBLE: Bitrate = Bitrate::kbps(60);

/// So often a test during which more was sent is repeated; then what is sent cannot be less.
const MAX_FUTILE: u32 = 2;

/// Where no more than this is sent, loss is not tested by sending less: so few packets say little, and what is left is no call. Asked is whether far more
/// comes through without a queue, so many times as much; the answer is waited for no longer than this, and asked for again only after a while.
const LITTLE: Bitrate = Bitrate::kbps(150);
const FAR_MORE: f64 = 2.0;
const ANSWER: Duration = Duration::from_secs(2);
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// This share of the new loss must be gone for it to have been congestion.
const RESPONSE: f64 = 0.5;

/// How long the rate stays after congestion; then it grows by so much per second (draft-ietf-rmcat-gcc-02, section 6, has 5 % per report).
const HOLD: Duration = Duration::from_secs(3);
const GROWTH: f64 = 0.08;

/// Tests that follow each other this closely return to the rate before the first of them when loss is accepted.
const CHAIN: Duration = Duration::from_secs(10);

/// Accepted loss up to this share does not bound the rate.
const FREE_LOSS: f64 = 0.05;

/// What is known besides the loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct LossContext {
    /// What is sent, lost or not.
    pub(super) sent: Option<Bitrate>,
    /// More waits on the way than jitter explains.
    pub(super) congested: bool,
    /// The rate that delay allows.
    pub(super) delay_based: Bitrate,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Watching,
    /// A probe shall tell whether a share of loss at a low rate has to do with the rate.
    Asking {
        share: f64,
        sent: Bitrate,
        until: Instant,
    },
    /// The rate is lowered to see whether a share of loss responds.
    Testing {
        share: f64,
        /// Tests like it that showed nothing.
        futile: u32,
    },
    /// It did.
    Holding {
        until: Instant,
    },
}

#[derive(Debug)]
pub(super) struct LossControl {
    min: Bitrate,
    balance: Bitrate,
    tally: Tally,
    /// Packets that left before tell about another rate.
    ignore_before: Option<Instant>,
    average: Option<f64>,
    /// The time that is in the average.
    averaged: Duration,
    bursts: Bursts,
    accepted: f64,
    /// The new loss of the window before, if there was any.
    suspect: Option<f64>,
    cap: Option<Bitrate>,
    /// The cap before a chain of tests, and when the last one of them began.
    chain: Option<(Option<Bitrate>, Instant)>,
    state: State,
    asked: Option<Instant>,
    /// A probe is wanted, of which nobody has been told.
    asks: bool,
    updated: Option<Instant>,
}

impl LossControl {
    pub(super) fn new(config: &GccConfig) -> Self {
        Self {
            min: config.min,
            balance: config.loss_balance,
            tally: Tally::default(),
            ignore_before: None,
            average: None,
            averaged: Duration::ZERO,
            bursts: Bursts::default(),
            accepted: 0.0,
            suspect: None,
            cap: None,
            chain: None,
            state: State::Watching,
            asked: None,
            asks: false,
            updated: None,
        }
    }

    /// The fate of a packet.
    pub(super) fn record(&mut self, departure: Instant, lost: bool) {
        if self.ignore_before.is_none_or(|before| departure >= before) {
            self.tally.add(departure, lost);
            self.bursts.add(lost);
        }
    }

    /// All fates of a report are recorded.
    pub(super) fn update(&mut self, context: &LossContext, now: Instant) {
        let elapsed = self.updated.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.updated = Some(now);
        self.grow(context, elapsed, now);
        match self.state {
            State::Testing { share, futile } => {
                if self.tally.is_enough(TEST_WINDOW, SPARSE_TEST_WINDOW) {
                    self.conclude(share, futile, context, now);
                }
            }
            State::Asking { share, until, .. } if now >= until => {
                if let Some(sent) = context.sent {
                    self.test(sent, share, now);
                }
            }
            State::Watching | State::Asking { .. } | State::Holding { .. } => {
                if self.tally.is_enough(WINDOW, SPARSE_WINDOW) {
                    self.judge(context, now);
                }
            }
        }
    }

    /// The rate that loss allows, if it limits at all.
    pub(super) fn rate(&self) -> Option<Bitrate> {
        let beyond = self.average.map_or(0.0, |average| average - FREE_LOSS);
        let bound = (beyond > 0.0).then(|| self.balance.scale(1.0 / beyond));
        let rate = [self.cap, bound].into_iter().flatten().min()?;
        Some(rate.max(self.min))
    }

    /// Whether a probe is wanted that tells what loss comes from; true once.
    pub(super) fn asks(&mut self) -> bool {
        std::mem::take(&mut self.asks)
    }

    /// A probe came through at a rate: loss does not keep us below. One that met no bottleneck at far more than what was sent shows that what is lost at so little has
    /// nothing to do with the rate.
    pub(super) fn probed(&mut self, rate: Bitrate, unhindered: bool) {
        if let Some(cap) = self.cap.as_mut() {
            *cap = rate.max(*cap);
        }
        if let State::Asking { share, sent, .. } = self.state
            && unhindered
            && rate >= sent.scale(FAR_MORE)
        {
            self.accept(share);
        }
    }

    /// The path was dead: what was lost meanwhile says nothing about the rate.
    pub(super) fn path_was_dead(&mut self, now: Instant) {
        self.tally = Tally::default();
        self.suspect = None;
        self.state = State::Watching;
        self.ignore_before = Some(now);
    }

    /// Share of packets lost lately.
    pub(super) fn fraction_lost(&self) -> Option<f64> {
        self.average
    }

    /// Share of packets that is lost at any rate.
    pub(super) fn accepted(&self) -> f64 {
        self.accepted
    }

    /// Is the rate held down to see what it does to the loss, or because it helped?
    pub(super) fn is_holding(&self) -> bool {
        matches!(self.state, State::Testing { .. } | State::Holding { .. })
    }

    fn judge(&mut self, context: &LossContext, now: Instant) {
        let tally = std::mem::take(&mut self.tally);
        let share = tally.share();
        let is_new = self.stands_out(share, f64::from(tally.packets));
        let suspect = std::mem::replace(&mut self.suspect, is_new.then_some(share));
        self.learn(share, tally.span());
        let Some(sent) = context.sent else { return };
        let lasts =
            suspect.is_some_and(|before| before >= SEVERE) || matches!(self.state, State::Holding { .. });
        let severe = share >= SEVERE && lasts;
        if severe || (is_new && context.congested) {
            let through = self.through(sent, share).scale(BACKOFF);
            let least = if context.congested { LEAST_CONGESTED } else { LEAST };
            self.lower(through.max(sent.scale(least)), State::Holding { until: now + HOLD }, now);
        } else if !matches!(self.state, State::Asking { .. })
            && let Some(share) = self.doubtful(&tally, suspect)
        {
            let before = match self.chain {
                Some((before, at)) if now.saturating_duration_since(at) < CHAIN => before,
                Some(_) | None => self.cap,
            };
            self.chain = Some((before, now));
            if sent <= LITTLE && self.asked.is_none_or(|at| now.saturating_duration_since(at) >= ASK_AGAIN) {
                (self.asked, self.asks) = (Some(now), true);
                self.state = State::Asking { share, sent, until: now + ANSWER };
            } else {
                self.test(sent, share, now);
            }
        }
    }

    /// The loss that should be put to the test. One window that stands out is a burst, whose end would look like a response; two in a row, or a rising average, are
    /// not.
    fn doubtful(&self, tally: &Tally, suspect: Option<f64>) -> Option<f64> {
        let twice = suspect.filter(|_| self.suspect.is_some()).map(|before| before.min(tally.share()));
        let packets =
            f64::from(tally.packets) * AVERAGING.as_secs_f64() / tally.span().as_secs_f64().max(0.1);
        let average = self.average.filter(|_| self.averaged >= AVERAGING);
        twice.or_else(|| average.filter(|average| self.stands_out(*average, packets)))
    }

    fn conclude(&mut self, share: f64, futile: u32, context: &LossContext, now: Instant) {
        let tally = std::mem::take(&mut self.tally);
        let trial = tally.share();
        let gone = share - trial;
        if gone >= RESPONSE * (share - self.accepted) || trial >= SEVERE {
            self.learn(trial, tally.span());
            self.state = State::Holding { until: now + HOLD };
            return;
        }
        if let (Some(sent), Some(cap)) = (context.sent, self.cap)
            && sent > cap.scale(LOWERED).max(INCOMPRESSIBLE)
            && futile < MAX_FUTILE
        {
            // What had been on its way filled the path all the while: the rate was not lowered at all.
            self.state = State::Testing { share, futile: futile + 1 };
            return self.learn(trial, tally.span());
        }
        if trial > share + MARGIN
            && let Some(sent) = context.sent
        {
            // It got worse meanwhile, so the rate was not lowered by enough to tell.
            self.chain = self.chain.map(|(before, _)| (before, now));
            return self.test(sent, trial, now);
        }
        self.accept((share + trial) / 2.0);
    }

    /// A share of packets is lost at any rate.
    fn accept(&mut self, share: f64) {
        self.accepted = share;
        self.average = Some(share);
        self.cap = self.chain.and_then(|(before, _)| before);
        self.state = State::Watching;
    }

    /// Sets the rate to what comes through, to see whether a share of loss responds.
    fn test(&mut self, sent: Bitrate, share: f64, now: Instant) {
        let to = self.through(sent, share).scale(TEST_BACKOFF);
        self.lower(to, State::Testing { share, futile: 0 }, now);
    }

    /// What comes through of what is sent, were it not for accepted loss.
    fn through(&self, sent: Bitrate, share: f64) -> Bitrate {
        sent.scale(((1.0 - share) / (1.0 - self.accepted).max(0.1)).min(1.0))
    }

    fn lower(&mut self, to: Bitrate, state: State, now: Instant) {
        let to = to.max(self.min);
        self.cap = Some(self.cap.map_or(to, |cap| cap.min(to)));
        self.state = state;
        self.suspect = None;
        self.tally = Tally::default();
        self.ignore_before = Some(now);
    }

    fn grow(&mut self, context: &LossContext, elapsed: Duration, now: Instant) {
        if let State::Holding { until } = self.state
            && now >= until
        {
            self.state = State::Watching;
        }
        let (State::Watching, Some(cap)) = (self.state, self.cap) else { return };
        let grown = cap.scale(1.0 + GROWTH * elapsed.as_secs_f64().min(1.0));
        // Where delay limits further, loss has nothing to say.
        self.cap = (grown < context.delay_based).then_some(grown);
    }

    /// Is a share of so many packets more than chance makes of the accepted one?
    fn stands_out(&self, share: f64, packets: f64) -> bool {
        let expected = self.accepted.max(0.02);
        // Packets that are lost together count as one (the variance of a Markov chain's mean).
        let independent = packets / (2.0 * self.bursts.mean_length() - 1.0);
        let by_chance = (expected * (1.0 - expected) / independent.max(1.0)).sqrt();
        share > self.accepted + MARGIN + SIGNIFICANCE * by_chance
    }

    fn learn(&mut self, share: f64, span: Duration) {
        self.averaged = self.averaged.saturating_add(span);
        let weight = |time: Duration| 1.0 - (-span.as_secs_f64() / time.as_secs_f64()).exp();
        let Some(average) = self.average else {
            self.average = Some(share);
            return;
        };
        let average = average + weight(AVERAGING) * (share - average);
        self.average = Some(average);
        if average < self.accepted {
            self.accepted += weight(FORGETTING) * (average - self.accepted);
        }
    }
}
