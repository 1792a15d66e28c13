//! One other participant, and our attempts at a connection with it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use shared::PeerId;
use shared::signal_data::{SdpType, SignalData, SignalPayload};

use super::negotiation::{Action, Negotiation};
use super::recovery::{Recovery, Remedy};
use super::{Context, MeshOutput};
use crate::backoff::{Backoff, Waits};
use crate::control::ShownTile;
use crate::link::{Channel, ConnectionState, LinkConfig, LinkEvent, LinkId, LinkOrder};
use crate::timers::Timers;
use crate::volume::Volume;

/// How long the peer may take for the first offer that is its to make. After that we make one: the peer may disagree about the roles.
const OFFER_AWAITED_FOR: Duration = Duration::from_secs(8);

/// How long after connecting the side with the smaller id may take to open the `chat` channel, before we do.
const CHAT_AWAITED_FOR: Duration = Duration::from_secs(2);

/// A peer gets no new peer connection sooner than this after the one before, whatever it sends: making one is costly.
const BETWEEN_LINKS: Duration = Duration::from_secs(1);

/// Between peer connections that come to nothing.
const RELINK_WAITS: Waits =
    Waits { first: (Duration::from_secs(1), Duration::from_secs(2)), cap: Duration::from_secs(60) };

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// Make the peer connection of the link that is prepared.
    Open,
    /// Make the offer that the peer does not make.
    AwaitOffer,
    /// Open the `chat` channel that the peer does not open.
    EnsureChat,
}

#[derive(Debug)]
pub(super) struct Peer {
    impolite: bool,
    control: bool,
    /// The server has told us of this peer; otherwise only its own signals have.
    pub(super) announced: bool,
    /// The number of the attempt: the impolite side counts, the polite side repeats the number of the last offer that it took.
    number: Option<u64>,
    link: Link,
    relinks: Backoff,
    opened_at: Instant,
}

#[derive(Debug)]
struct Link {
    id: LinkId,
    initiator: bool,
    /// The peer connection has been ordered.
    open: bool,
    negotiation: Negotiation,
    recovery: Recovery,
    timers: Timers<Timer>,
    channels: BTreeSet<Channel>,
    complained: bool,
}

impl Peer {
    /// Begins the first attempt.
    pub(super) fn new(
        id: PeerId,
        own_id: &PeerId,
        control: bool,
        context: &mut Context,
        now: Instant,
    ) -> Self {
        // By code unit, like every client: ids are ASCII.
        let impolite = own_id.as_str() < id.as_str();
        let link = Link::new(id, impolite, impolite, context);
        let mut peer = Self {
            impolite,
            control,
            announced: true,
            number: impolite.then_some(u64::from(link.id.epoch)),
            link,
            relinks: Backoff::new(RELINK_WAITS),
            opened_at: now,
        };
        peer.open(context, now);
        peer
    }

    pub(super) fn link_id(&self) -> &LinkId {
        &self.link.id
    }

    pub(super) fn connection(&self) -> ConnectionState {
        match self.link.recovery.state() {
            // The peer connection as such is closed, but a new one is on its way.
            ConnectionState::Closed => ConnectionState::Failed,
            state => state,
        }
    }

    /// Sends on a channel, if it is open.
    pub(super) fn send(&mut self, channel: Channel, text: &str, context: &mut Context) -> bool {
        let open = self.link.channels.contains(&channel);
        if open {
            self.link.order(LinkOrder::Send { channel, text: text.to_owned() }, context);
        }
        open
    }

    /// Says how large the peer shows our picture.
    pub(super) fn fit_tile(&mut self, tile: ShownTile, context: &mut Context) {
        if self.link.open {
            self.link.order(LinkOrder::FitTile(tile), context);
        }
    }

    /// Says how loud the peer is to be played.
    pub(super) fn set_volume(&mut self, volume: Volume, context: &mut Context) {
        if self.link.open {
            self.link.order(LinkOrder::SetVolume(volume), context);
        }
    }

    /// The peer's signal.
    pub(super) fn receive(&mut self, data: SignalData, context: &mut Context, now: Instant) {
        let description = match &data.payload {
            SignalPayload::Description(description) => Some(description),
            SignalPayload::Candidate(_) => None,
        };
        let is_offer = description.is_some_and(|description| description.kind == SdpType::Offer);
        let other_number = matches!((data.link, self.number), (Some(theirs), Some(known)) if theirs != known);
        if other_number && (self.impolite || !is_offer) {
            return; // Of an attempt that is over.
        }
        let foreign = description
            .is_some_and(|description| self.link.negotiation.is_of_another_connection(&description.sdp));
        if foreign && self.impolite && (!is_offer || data.link.is_some()) {
            // Taking it would leave the other side with a connection that ours has never met, and so on in turns: a new number ends that.
            return self.relink(true, Duration::ZERO, context, now);
        }
        if is_offer {
            if other_number || foreign {
                self.relink(false, Duration::ZERO, context, now);
            }
            if !self.impolite {
                self.number = data.link.or(self.number);
            }
        }
        match data.payload {
            SignalPayload::Description(description) => {
                self.link.negotiation.receive_description(description, now);
            }
            SignalPayload::Candidate(candidate) => self.link.negotiation.receive_candidate(candidate),
        }
        self.pump(context, now);
    }

    /// The peer task's report about the current link.
    pub(super) fn handle(&mut self, event: LinkEvent, context: &mut Context, now: Instant) {
        match &event {
            LinkEvent::Connection(state) => {
                self.link.recovery.connection(*state, now, &mut context.random);
                if *state == ConnectionState::Connected {
                    self.relinks.reset();
                    if !self.link.initiator && !self.link.channels.contains(&Channel::Chat) {
                        self.link.timers.set(Timer::EnsureChat, now + CHAT_AWAITED_FOR);
                    }
                }
            }
            LinkEvent::ChannelOpen(channel) => {
                self.link.channels.insert(*channel);
            }
            LinkEvent::ChannelClosed(channel) => {
                self.link.channels.remove(channel);
            }
            LinkEvent::OfferCreated { .. }
            | LinkEvent::AnswerCreated { .. }
            | LinkEvent::AnswerAccepted
            | LinkEvent::RolledBack
            | LinkEvent::Failed { .. }
            | LinkEvent::LocalCandidate(_)
            | LinkEvent::NegotiationNeeded
            | LinkEvent::Message { .. }
            | LinkEvent::MessageDropped { .. }
            | LinkEvent::VideoFlowing(_)
            | LinkEvent::VideoSuspended(_)
            | LinkEvent::Quality { .. } => {}
        }
        self.link.negotiation.handle(event, now);
        self.pump(context, now);
    }

    pub(super) fn handle_timeout(&mut self, context: &mut Context, now: Instant) {
        while let Some(timer) = self.link.timers.expire(now) {
            match timer {
                Timer::Open => self.open(context, now),
                Timer::AwaitOffer if self.link.negotiation.is_untouched() => {
                    self.relink(true, Duration::ZERO, context, now);
                }
                Timer::EnsureChat if !self.link.channels.contains(&Channel::Chat) => {
                    self.link.order(LinkOrder::EnsureChat, context);
                }
                Timer::AwaitOffer | Timer::EnsureChat => {}
            }
        }
        self.link.negotiation.handle_timeout(now);
        match self.link.recovery.handle_timeout(now, &mut context.random) {
            Some(Remedy::RestartIce) => self.link.negotiation.offer(true, now),
            Some(Remedy::Relink) => {
                let wait = self.relinks.next(&mut context.random);
                self.relink(true, wait, context, now);
            }
            None => {}
        }
        self.pump(context, now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let link = &self.link;
        [link.timers.next(), link.negotiation.poll_timeout(), link.recovery.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Closes the peer connection.
    pub(super) fn close(&mut self, context: &mut Context) {
        if self.link.open {
            self.link.open = false;
            self.link.order(LinkOrder::Close, context);
        }
    }

    /// Gives the peer connection up and prepares a new one, to be opened after `wait`. What the peer sends meanwhile is kept for it.
    fn relink(&mut self, initiator: bool, wait: Duration, context: &mut Context, now: Instant) {
        self.close(context);
        let id = self.link.id.peer.clone();
        self.link = Link::new(id, self.impolite, initiator, context);
        if self.impolite && initiator {
            self.number = Some(u64::from(self.link.id.epoch));
        }
        let at = (now + wait).max(self.opened_at + BETWEEN_LINKS);
        if at <= now {
            self.open(context, now);
        } else {
            self.link.timers.set(Timer::Open, at);
        }
    }

    fn open(&mut self, context: &mut Context, now: Instant) {
        self.opened_at = now;
        self.link.open = true;
        let (initiator, control) = (self.link.initiator, self.control);
        let ice_servers = context.ice_servers.clone();
        self.link.order(LinkOrder::Open(LinkConfig { ice_servers, initiator, control }), context);
        if initiator {
            self.link.negotiation.offer(false, now);
        } else {
            self.link.timers.set(Timer::AwaitOffer, now + OFFER_AWAITED_FOR);
        }
        self.pump(context, now);
    }

    /// Carries out what the negotiation has decided, once there is a peer connection.
    fn pump(&mut self, context: &mut Context, now: Instant) {
        self.log_complaint();
        while self.link.open
            && let Some(action) = self.link.negotiation.poll_action()
        {
            match action {
                Action::Order(order) => self.link.order(order, context),
                Action::Signal(payload) => {
                    let data = SignalData { link: self.number, payload }.to_raw();
                    context.out.push_back(MeshOutput::Signal { to: self.link.id.peer.clone(), data });
                }
                Action::Exchanged => self.link.recovery.exchanged(now),
                Action::Broken { reason, offer } => {
                    tracing::warn!(peer = %self.link.id.peer, reason, "giving a peer connection up");
                    self.replace_broken(offer, context, now);
                }
            }
        }
    }

    fn replace_broken(&mut self, offer: Option<String>, context: &mut Context, now: Instant) {
        let wait = self.relinks.next(&mut context.random);
        let initiator = self.link.initiator && offer.is_none();
        self.relink(initiator, wait, context, now);
        if let Some(sdp) = offer {
            let offer = shared::signal_data::Description { kind: SdpType::Offer, sdp };
            self.link.negotiation.receive_description(offer, now);
        }
    }

    /// Once per link in plain sight: a hostile peer must not fill the log.
    fn log_complaint(&mut self) {
        let Some(reason) = self.link.negotiation.take_complaint() else { return };
        let peer = &self.link.id.peer;
        if std::mem::replace(&mut self.link.complained, true) {
            tracing::debug!(%peer, reason);
        } else {
            tracing::warn!(%peer, reason, "dropped something of a peer's; more of it is logged as debug");
        }
    }
}

impl Link {
    fn new(peer: PeerId, impolite: bool, initiator: bool, context: &mut Context) -> Self {
        Self {
            id: LinkId { peer, epoch: context.next_epoch() },
            initiator,
            open: false,
            negotiation: Negotiation::new(impolite),
            recovery: Recovery::new(impolite),
            timers: Timers::new(),
            channels: BTreeSet::new(),
            complained: false,
        }
    }

    fn order(&self, order: LinkOrder, context: &mut Context) {
        context.out.push_back(MeshOutput::Link { link: self.id.clone(), order });
    }
}
