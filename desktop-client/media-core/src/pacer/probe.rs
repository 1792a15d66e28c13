//! Probes: one at a time, on a schedule of their own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::bitrate::Bitrate;
use crate::congestion::{Probe, ProbeSent};

/// Probes that may wait; the estimator asks for a pair at a time.
const MAX_WAITING: usize = 4;

/// How far a probe may be behind its schedule before the schedule moves: the caller woke late, and catching up at once would be a burst.
const MAX_LATENESS: Duration = Duration::from_millis(5);

/// How long a probe waits for padding, or for media, before it asks again.
const RETRY: Duration = Duration::from_millis(5);

/// A probe is given up when it takes longer than twice its time and this: nothing to send it with.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Probes {
    waiting: VecDeque<Probe>,
    active: Option<Active>,
}

#[derive(Debug)]
struct Active {
    probe: Probe,
    /// When it is given up.
    until: Instant,
    bytes: usize,
    packets: usize,
    /// When the next packet is due; `None` before the first.
    next: Option<Instant>,
    first_and_last: Option<(Instant, Instant)>,
    asked: Option<Instant>,
}

impl Probes {
    /// Takes a wish; the oldest ones are forgotten when there are too many.
    pub(super) fn push(&mut self, probe: Probe) {
        if probe.rate == Bitrate::ZERO {
            return;
        }
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(probe);
    }

    pub(super) fn active(&self) -> bool {
        self.active.is_some()
    }

    /// The rate of the active probe.
    pub(super) fn rate(&self) -> Option<Bitrate> {
        self.active.as_ref().map(|active| active.probe.rate)
    }

    /// Bytes sent ahead of the active probe's schedule.
    pub(super) fn ahead(&self, now: Instant) -> u64 {
        self.active.as_ref().map_or(0, |active| {
            let time = active.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now));
            active.probe.rate.bytes_in(time)
        })
    }

    /// Gives up what takes too long, and starts what waits. A probe of which something was sent is reported, be it too little.
    pub(super) fn forward(&mut self, now: Instant) -> Option<ProbeSent> {
        let given_up = self.active.take_if(|active| now >= active.until).and_then(|active| active.report());
        if self.active.is_none() {
            self.active = self.waiting.pop_front().map(|probe| Active::new(probe, now));
        }
        given_up
    }

    /// May a packet leave?
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.active.as_ref().is_some_and(|active| active.next.is_none_or(|next| now >= next))
    }

    /// A packet left, of whatever kind. Answers with the probe that it completes.
    pub(super) fn sent(&mut self, bytes: usize, now: Instant) -> Option<ProbeSent> {
        self.active.as_mut()?.sent(bytes, now);
        self.active.take_if(|active| active.complete())?.report()
    }

    /// Bytes of padding that are missing for the schedule; nothing when it was asked for just now.
    pub(super) fn lacking(&mut self, now: Instant) -> Option<usize> {
        if !self.is_due(now) {
            return None;
        }
        let active = self.active.as_mut()?;
        if active.asked.is_some_and(|asked| now < asked + RETRY) {
            return None;
        }
        active.asked = Some(now);
        Some(active.probe.bytes.saturating_sub(active.bytes).clamp(1, active.share()))
    }

    /// When the active probe wants to go on.
    pub(super) fn due(&self) -> Option<Instant> {
        let active = self.active.as_ref()?;
        // Something that was due and is not sent waits for padding.
        let retry = active.asked.map(|asked| asked + RETRY);
        let next = active.next.map_or(retry, |next| Some(retry.map_or(next, |retry| retry.max(next))));
        Some(next.map_or(active.until, |next| next.min(active.until)))
    }
}

impl Active {
    fn new(probe: Probe, now: Instant) -> Self {
        let time = probe.rate.time_for(probe.bytes as u64).unwrap_or_default();
        let until = now + time.saturating_mul(2).min(Duration::from_secs(1)) + PATIENCE;
        Self { probe, until, bytes: 0, packets: 0, next: None, first_and_last: None, asked: None }
    }

    fn sent(&mut self, bytes: usize, now: Instant) {
        let takes = self.probe.rate.time_for(bytes as u64).unwrap_or_default();
        let due = self.next.map_or(now, |next| next.max(now.checked_sub(MAX_LATENESS).unwrap_or(now)));
        self.next = Some(due + takes);
        self.bytes += bytes;
        self.packets += 1;
        self.asked = None;
        let first = self.first_and_last.map_or(now, |(first, _)| first);
        self.first_and_last = Some((first, now));
    }

    fn complete(&self) -> bool {
        self.bytes >= self.probe.bytes && self.packets >= self.probe.packets
    }

    fn report(&self) -> Option<ProbeSent> {
        let (first, last) = self.first_and_last?;
        Some(ProbeSent { id: self.probe.id, first, last })
    }

    /// Bytes of padding to ask for at once: 5 ms of the probe.
    fn share(&self) -> usize {
        usize::try_from(self.probe.rate.bytes_in(MAX_LATENESS)).unwrap_or(usize::MAX).max(1)
    }
}
