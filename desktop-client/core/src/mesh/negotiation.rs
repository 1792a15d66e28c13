//! Perfect negotiation of one link (W3C webrtc §10.7, RFC 9429), with the contract's tolerance for clients that disagree about the roles.
//!
//! The peer connection belongs to a peer task that answers with a fact for each order. One description is in the works at a time: what comes
//! meanwhile waits, the newest offer in place of older ones. So this state always knows the signaling state that the next order will meet.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use shared::signal_data::{Candidate, Description, SdpType, SignalPayload};

use super::candidates::{LocalCandidates, RemoteCandidates};
use super::sdp::SdpFacts;
use crate::link::{LinkEvent, LinkOrder, Operation};
use crate::timers::Timers;

/// How long an offer of ours may stay unanswered beside one of theirs that we ignored, before theirs is taken. From the contract.
const IGNORED_OFFER_TAKEN_AFTER: Duration = Duration::from_secs(3);

/// An offer that stays unanswered is sent again after this long, then after twice as long, up to the cap. A guest's page may have been
/// busy with its permission prompt, or have dropped the first one because it was not ready.
const RESEND_AFTER: (Duration, Duration) = (Duration::from_secs(6), Duration::from_secs(30));

/// Longest description that is taken, in bytes. Those of browsers have 5 to 30 kB.
const SDP_MAX_BYTES: usize = 256 * 1024;

/// A peer task that has not answered an order after this long never will. The slowest order was measured at some tens of milliseconds.
const ORDER_OVERDUE: Duration = Duration::from_secs(15);

/// What the link is to do about the negotiation.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    /// For the peer task.
    Order(LinkOrder),
    /// For the peer.
    Signal(SignalPayload),
    /// An offer and its answer are both in place.
    Exchanged,
    /// The peer connection is of no more use; a new one shall take this offer, if there is one.
    Broken {
        /// Why, for the log.
        reason: String,
        /// The peer's offer that is still to be answered.
        offer: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// Take the offer that was ignored: ours has stayed unanswered beside it.
    TakeIgnored,
    /// Send our unanswered offer again.
    Resend,
    /// Give the peer task up: it does not answer.
    Overdue,
}

#[derive(Debug)]
enum SignalingState {
    Stable,
    HaveLocalOffer { sdp: String, ice_restart: bool, resend_after: Duration },
}

/// The order whose result is awaited.
#[derive(Debug)]
enum Step {
    CreateOffer { ice_restart: bool },
    AcceptOffer { sdp: String },
    AcceptAnswer { facts: SdpFacts },
    Rollback { offer_again: Option<bool> },
}

#[derive(Debug)]
pub(super) struct Negotiation {
    impolite: bool,
    state: SignalingState,
    step: Option<Step>,
    /// The newest remote offer, waiting for its turn.
    waiting: Option<String>,
    /// A remote offer that lost against ours.
    ignored: Option<String>,
    /// We want to offer; true: with an ICE restart.
    wanted: Option<bool>,
    /// An offer and its answer have been in place before.
    begun: bool,
    /// The last remote offer and our answer to it.
    answered: Option<(String, String)>,
    /// Facts of the last remote description that is set.
    remote_facts: SdpFacts,
    remote: RemoteCandidates,
    local: LocalCandidates,
    timers: Timers<Timer>,
    actions: VecDeque<Action>,
    complaint: Option<String>,
}

impl Negotiation {
    pub(super) fn new(impolite: bool) -> Self {
        Self {
            impolite,
            state: SignalingState::Stable,
            step: None,
            waiting: None,
            ignored: None,
            wanted: None,
            begun: false,
            answered: None,
            remote_facts: SdpFacts::default(),
            remote: RemoteCandidates::default(),
            local: LocalCandidates::default(),
            timers: Timers::new(),
            actions: VecDeque::new(),
            complaint: None,
        }
    }

    /// The peer has never described anything, and nothing of it is in the works.
    pub(super) fn is_untouched(&self) -> bool {
        !self.begun && self.step.is_none() && matches!(self.state, SignalingState::Stable)
    }

    /// The offer was made by another peer connection than the one that we have been talking to.
    pub(super) fn is_of_another_connection(&self, sdp: &str) -> bool {
        self.remote_facts.other_connection(&SdpFacts::of(sdp))
    }

    /// We want to offer, as soon as it is possible.
    pub(super) fn offer(&mut self, ice_restart: bool, now: Instant) {
        self.wanted = Some(ice_restart || self.wanted == Some(true));
        self.advance(now);
    }

    /// The peer sent a description.
    pub(super) fn receive_description(&mut self, description: Description, now: Instant) {
        let Description { kind, sdp } = description;
        if sdp.len() > SDP_MAX_BYTES {
            return self.complaint = Some(format!("a description of {} bytes is too long", sdp.len()));
        }
        match kind {
            SdpType::Offer => self.receive_offer(sdp, now),
            SdpType::Answer => self.receive_answer(sdp, now),
            // A provisional answer is followed by a final one; a rollback is an affair of its sender's.
            SdpType::Pranswer | SdpType::Rollback => {}
        }
    }

    /// The peer sent a candidate.
    pub(super) fn receive_candidate(&mut self, candidate: Option<Candidate>) {
        if let Some(candidate) = self.remote.receive(candidate, self.is_settling()) {
            self.actions.push_back(Action::Order(LinkOrder::AddCandidate(candidate)));
        }
    }

    /// The peer task reports. Facts that do not answer the order in the works are ignored.
    pub(super) fn handle(&mut self, event: LinkEvent, now: Instant) {
        match event {
            LinkEvent::OfferCreated { sdp } => self.offer_created(sdp, now),
            LinkEvent::AnswerCreated { sdp } => self.answer_created(sdp, now),
            LinkEvent::AnswerAccepted => self.answer_accepted(now),
            LinkEvent::RolledBack => self.rolled_back(now),
            LinkEvent::Failed { operation, message } => self.failed(operation, &message, now),
            LinkEvent::LocalCandidate(candidate) => {
                let settling =
                    self.step.as_ref().is_some_and(|step| !matches!(step, Step::AcceptAnswer { .. }));
                if let Some(candidate) = self.local.found(candidate, settling) {
                    self.actions.push_back(Action::Signal(SignalPayload::Candidate(candidate)));
                }
            }
            // Before the first exchange, the first offer is on its way anyway, and says all. While that exchange is being settled, the need may
            // be one that the offer did not cover, such as a camera that the peer left no line for.
            LinkEvent::NegotiationNeeded if self.begun || self.is_settling() => self.offer(false, now),
            LinkEvent::NegotiationNeeded
            | LinkEvent::Connection(_)
            | LinkEvent::ChannelOpen(_)
            | LinkEvent::ChannelClosed(_)
            | LinkEvent::Message { .. }
            | LinkEvent::MessageDropped { .. }
            | LinkEvent::VideoFlowing(_)
            | LinkEvent::VideoSuspended(_)
            | LinkEvent::Quality { .. } => {}
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::TakeIgnored => {
                    // With an answer in the works, ours was not ignored after all.
                    if self.step.is_none() && self.ignored.is_some() {
                        self.waiting = self.ignored.take();
                        self.roll_back(true, now);
                    }
                }
                Timer::Resend => self.resend(now),
                Timer::Overdue => self.overdue(),
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Why something of the peer's was dropped, for the log; the latest only.
    pub(super) fn take_complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    fn receive_offer(&mut self, sdp: String, now: Instant) {
        if let Some((offer, answer)) = &self.answered
            && *offer == sdp
            && self.step.is_none()
            && matches!(self.state, SignalingState::Stable)
        {
            // It was sent again before our answer arrived: the answer is still good.
            let answer = Description { kind: SdpType::Answer, sdp: answer.clone() };
            return self.actions.push_back(Action::Signal(SignalPayload::Description(answer)));
        }
        if matches!(&self.step, Some(Step::AcceptOffer { sdp: taken }) if *taken == sdp) {
            return;
        }
        self.waiting = Some(sdp);
        self.advance(now);
    }

    fn receive_answer(&mut self, sdp: String, now: Instant) {
        if self.step.is_some() || !matches!(self.state, SignalingState::HaveLocalOffer { .. }) {
            return; // Late, or to an offer that was rolled back.
        }
        let facts = SdpFacts::of(&sdp);
        self.begin(Step::AcceptAnswer { facts }, LinkOrder::AcceptAnswer { sdp }, now);
    }

    /// A description of the peer's is being set.
    fn is_settling(&self) -> bool {
        matches!(self.step, Some(Step::AcceptOffer { .. } | Step::AcceptAnswer { .. }))
    }

    /// Does the next thing that the signaling state allows.
    fn advance(&mut self, now: Instant) {
        if self.step.is_some() {
            return;
        }
        match (&self.state, self.waiting.take()) {
            (SignalingState::Stable, Some(sdp)) => {
                self.ignored = None;
                self.begin(Step::AcceptOffer { sdp: sdp.clone() }, LinkOrder::AcceptOffer { sdp }, now);
            }
            (SignalingState::Stable, None) => {
                if let Some(ice_restart) = self.wanted.take() {
                    self.begin(
                        Step::CreateOffer { ice_restart },
                        LinkOrder::CreateOffer { ice_restart },
                        now,
                    );
                }
            }
            (SignalingState::HaveLocalOffer { .. }, Some(sdp)) if self.impolite => {
                self.ignored = Some(sdp);
                self.timers.set(Timer::TakeIgnored, now + IGNORED_OFFER_TAKEN_AFTER);
            }
            (SignalingState::HaveLocalOffer { .. }, Some(sdp)) => {
                self.waiting = Some(sdp);
                self.roll_back(true, now);
            }
            (SignalingState::HaveLocalOffer { .. }, None) => {}
        }
    }

    fn begin(&mut self, step: Step, order: LinkOrder, now: Instant) {
        self.step = Some(step);
        self.timers.set(Timer::Overdue, now + ORDER_OVERDUE);
        self.actions.push_back(Action::Order(order));
    }

    /// Takes our offer back; what it was for is wanted again afterwards, unless it was the first one: then the peer's does the same.
    fn roll_back(&mut self, offer_again: bool, now: Instant) {
        let SignalingState::HaveLocalOffer { ice_restart, .. } = self.state else { return };
        self.timers.clear_all();
        let offer_again = (offer_again && self.begun).then_some(ice_restart);
        self.begin(Step::Rollback { offer_again }, LinkOrder::Rollback, now);
    }

    fn offer_created(&mut self, sdp: String, now: Instant) {
        let Some(Step::CreateOffer { ice_restart }) = self.step else { return };
        self.step = None;
        let overtaken = self.waiting.is_some() && !self.impolite;
        let (resend_after, _) = RESEND_AFTER;
        if !overtaken {
            self.send_local(SdpType::Offer, &sdp, false);
            self.timers.set(Timer::Resend, now + resend_after);
        }
        self.state = SignalingState::HaveLocalOffer { sdp, ice_restart, resend_after };
        self.advance(now);
    }

    fn answer_created(&mut self, sdp: String, now: Instant) {
        let offer = match self.step.take() {
            Some(Step::AcceptOffer { sdp }) => sdp,
            other => return self.step = other,
        };
        self.send_local(SdpType::Answer, &sdp, true);
        self.described_by_peer(SdpFacts::of(&offer));
        self.answered = Some((offer, sdp));
        self.exchanged(now);
    }

    fn answer_accepted(&mut self, now: Instant) {
        let facts = match self.step.take() {
            Some(Step::AcceptAnswer { facts }) => facts,
            other => return self.step = other,
        };
        self.state = SignalingState::Stable;
        self.ignored = None;
        self.answered = None;
        self.timers.clear_all();
        self.described_by_peer(facts);
        self.exchanged(now);
    }

    fn exchanged(&mut self, now: Instant) {
        self.begun = true;
        self.actions.push_back(Action::Exchanged);
        self.advance(now);
    }

    fn rolled_back(&mut self, now: Instant) {
        let offer_again = match self.step.take() {
            Some(Step::Rollback { offer_again }) => offer_again,
            other => return self.step = other,
        };
        self.state = SignalingState::Stable;
        if let Some(ice_restart) = offer_again {
            self.wanted = Some(ice_restart || self.wanted == Some(true));
        }
        self.advance(now);
    }

    fn failed(&mut self, operation: Operation, message: &str, now: Instant) {
        let mut broken = None;
        match (operation, self.step.take()) {
            (Operation::Open, _) | (Operation::CreateOffer, Some(Step::CreateOffer { .. })) => {
                broken = Some(self.waiting.take());
            }
            (Operation::AcceptOffer, Some(Step::AcceptOffer { .. })) => {
                // The first offer is still ours to make.
                if self.impolite && !self.begun {
                    self.wanted = Some(false);
                }
            }
            (Operation::AcceptAnswer, Some(Step::AcceptAnswer { .. })) if self.begun => {
                self.roll_back(false, now);
            }
            (Operation::AcceptAnswer, Some(Step::AcceptAnswer { .. })) => broken = Some(None),
            (Operation::Rollback, Some(Step::Rollback { .. })) => broken = Some(self.waiting.take()),
            (Operation::AddCandidate | Operation::Send, step) => self.step = step,
            // It does not answer the order in the works.
            (_, step) => return self.step = step,
        }
        let reason = format!("{operation:?} failed: {message}");
        match broken {
            Some(offer) => self.actions.push_back(Action::Broken { reason, offer }),
            None => self.complaint = Some(reason),
        }
        self.advance(now);
    }

    fn overdue(&mut self) {
        if let Some(step) = self.step.take() {
            let reason = format!("no answer to an order: {step:?}").chars().take(80).collect();
            self.actions.push_back(Action::Broken { reason, offer: self.waiting.take() });
        }
    }

    fn resend(&mut self, now: Instant) {
        let SignalingState::HaveLocalOffer { sdp, resend_after, .. } = &mut self.state else { return };
        *resend_after = (*resend_after * 2).min(RESEND_AFTER.1);
        self.timers.set(Timer::Resend, now + *resend_after);
        if self.step.is_none() {
            let offer = Description { kind: SdpType::Offer, sdp: sdp.clone() };
            self.actions.push_back(Action::Signal(SignalPayload::Description(offer)));
        }
    }

    fn send_local(&mut self, kind: SdpType, sdp: &str, candidates_again: bool) {
        let description = Description { kind, sdp: sdp.to_owned() };
        self.actions.push_back(Action::Signal(SignalPayload::Description(description)));
        for candidate in self.local.described(&SdpFacts::of(sdp), candidates_again) {
            self.actions.push_back(Action::Signal(SignalPayload::Candidate(candidate)));
        }
    }

    fn described_by_peer(&mut self, facts: SdpFacts) {
        for candidate in self.remote.described(&facts) {
            self.actions.push_back(Action::Order(LinkOrder::AddCandidate(candidate)));
        }
        self.remote_facts = facts;
    }
}
