//! The peer task: orders in, facts out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use call_core::control::ShownTile;
use call_core::link::{Channel, ConnectionState, LinkConfig, LinkEvent, LinkId, LinkOrder, Operation};
use call_media::{Media, PlayerMonitor};
use media_core::layers::{Demand, PeerOrder, VideoState};
use rtc::rtp_transceiver::rtp_sender::RTCRtpParameters;
use shared::signal_data::Candidate;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use webrtc::data_channel::RTCDataChannelInit;
use webrtc::peer_connection::{
    PeerConnection, RTCIceCandidateInit, RTCPeerConnectionState, RTCSessionDescription,
};

use super::channels::{self, Channels, LinkEvents};
use super::connection::{self, AUDIO_LEVEL_URI, Built, MIME_TYPE_RED, NetworkConfig};
use super::handler::{ConnectionEvent, ConnectionEvents, Handler};
use super::layers::{Layers, Served, ServedPath};
use super::receive::{Receiving, SoundForms};
use super::report::{LinkReport, Quality, Reporter};
use super::sdp;
use super::send::{self, CopiesChoice, PayloadTypes};

/// Orders that may wait for one link. The session bounds candidates and chat; whoever still overflows this loses the link.
const ORDERS: usize = 512;

/// How often statistics are taken.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What every link of a session shares.
#[derive(Clone)]
pub struct PeerContext {
    /// Where to look for peers.
    pub network: NetworkConfig,
    /// Our media.
    pub media: Arc<Media>,
    /// Who gets what of our video.
    pub layers: Layers,
    /// Where facts go.
    pub events: LinkEvents,
}

/// The engine's end of a peer task. Dropping it closes the link.
pub struct LinkHandle {
    /// Where orders go.
    pub orders: mpsc::Sender<LinkOrder>,
    /// What plays this peer.
    pub player: PlayerMonitor,
    /// The latest statistics.
    pub report: watch::Receiver<LinkReport>,
}

/// Starts the task of one link. `began` is when the join or the peer's arrival set this link off, for the statistics.
pub fn spawn(link: LinkId, context: PeerContext, began: Instant) -> LinkHandle {
    let (orders, order_queue) = mpsc::channel(ORDERS);
    let player = context.media.add_peer();
    let monitor = player.monitor();
    let mut media_tasks = JoinSet::new();
    let receiving = Receiving::spawn(&mut media_tasks, player, link.clone(), context.events.clone());
    let reporter = Reporter::new(began, Arc::clone(&receiving.received), receiving.inbound.nack.clone());
    let report = reporter.subscribe();
    let task = PeerTask {
        channels: Channels::new(link.clone(), context.events.clone()),
        link,
        context,
        receiving,
        orders: order_queue,
        connection: None,
        reporter,
        media_tasks,
        tile: Demand::default(),
        serving: None,
    };
    tokio::spawn(task.run());
    LinkHandle { orders, player: monitor, report }
}

struct PeerTask {
    link: LinkId,
    context: PeerContext,
    receiving: Receiving,
    orders: mpsc::Receiver<LinkOrder>,
    connection: Option<Built>,
    channels: Channels,
    reporter: Reporter,
    /// Senders and receivers; they end with the link.
    media_tasks: JoinSet<()>,
    /// How the peer shows our picture.
    tile: Demand,
    /// Our place among those who get video, while we send.
    serving: Option<Serving>,
}

impl PeerTask {
    async fn run(mut self) {
        // Without a first order there is nothing to own.
        let Some(LinkOrder::Open(config)) = self.orders.recv().await else { return };
        let mut events = match self.open(&config).await {
            Ok(events) => events,
            Err(error) => return self.failed(Operation::Open, format!("{error:#}")).await,
        };
        let mut ticks = tokio::time::interval(REPORT_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let go_on = tokio::select! {
                order = self.orders.recv() => match order {
                    Some(LinkOrder::Close) | None => false,
                    Some(order) => { self.carry_out(order).await; true }
                },
                event = events.next() => match event {
                    Some(event) => { self.connection_event(event).await; true }
                    None => { self.report_lost().await; false }
                },
                _ = ticks.tick() => { self.tick().await; true }
                suspended = video_suspended(&mut self.serving) => {
                    self.emit(LinkEvent::VideoSuspended(suspended)).await;
                    true
                }
                Some(_) = self.media_tasks.join_next(), if !self.media_tasks.is_empty() => true,
            };
            if !go_on {
                break;
            }
        }
        if let Some(built) = &self.connection
            && let Err(error) = built.connection.close().await
        {
            tracing::debug!(peer = %self.link.peer, "closing the connection: {error}");
        }
    }

    async fn open(&mut self, config: &LinkConfig) -> anyhow::Result<ConnectionEvents> {
        let (handler, events) = Handler::new();
        let built =
            connection::build(&self.context.network, &config.ice_servers, handler, &self.receiving.inbound)
                .await?;
        if config.initiator {
            self.open_channel(&built.connection, Channel::Chat).await?;
            if config.control {
                self.open_channel(&built.connection, Channel::Control).await?;
            }
        }
        self.connection = Some(built);
        Ok(events)
    }

    async fn open_channel(
        &mut self,
        connection: &Arc<dyn PeerConnection>,
        channel: Channel,
    ) -> anyhow::Result<()> {
        let init = RTCDataChannelInit { ordered: true, ..Default::default() };
        let data_channel = connection.create_data_channel(channels::label(channel), Some(init)).await?;
        self.channels.adopt(data_channel).await;
        Ok(())
    }

    async fn emit(&self, event: LinkEvent) {
        // The engine is gone only when the program ends.
        let _ = self.context.events.send((self.link.clone(), event)).await;
    }

    async fn failed(&self, operation: Operation, message: String) {
        self.emit(LinkEvent::Failed { operation, message }).await;
    }

    /// Nothing more will be known of this connection: the session makes another.
    async fn report_lost(&self) {
        self.emit(LinkEvent::Connection(ConnectionState::Closed)).await;
    }

    async fn carry_out(&mut self, order: LinkOrder) {
        let Some(built) = &self.connection else { return };
        let connection = Arc::clone(&built.connection);
        let (operation, result) = match order {
            // The last is carried out before it comes here.
            LinkOrder::Open(_) | LinkOrder::Close | LinkOrder::SetVolume(_) => return,
            LinkOrder::FitTile(tile) => return self.fit_tile(tile).await,
            LinkOrder::CreateOffer { ice_restart } => {
                (Operation::CreateOffer, create_offer(&connection, ice_restart).await)
            }
            LinkOrder::AcceptOffer { sdp } => (Operation::AcceptOffer, accept_offer(&connection, &sdp).await),
            LinkOrder::AcceptAnswer { sdp } => {
                (Operation::AcceptAnswer, accept_answer(&connection, &sdp).await)
            }
            LinkOrder::Rollback => (Operation::Rollback, roll_back(&connection).await),
            LinkOrder::AddCandidate(candidate) => {
                (Operation::AddCandidate, add_candidate(&connection, candidate).await.map(|()| None))
            }
            LinkOrder::EnsureChat => (Operation::Send, self.ensure_chat(&connection).await.map(|()| None)),
            LinkOrder::Send { channel, text } => {
                let sent = self.channels.send(channel, &text).await;
                (Operation::Send, sent.map(|()| None).map_err(anyhow::Error::msg))
            }
        };
        tracing::debug!(peer = %self.link.peer, ?operation, failed = result.is_err(), "carried out");
        match result {
            Ok(Some(event)) => self.emit(event).await,
            Ok(None) => {}
            Err(error) => self.failed(operation, format!("{error:#}")).await,
        }
    }

    async fn ensure_chat(&mut self, connection: &Arc<dyn PeerConnection>) -> anyhow::Result<()> {
        if self.channels.has(Channel::Chat) {
            return Ok(());
        }
        self.open_channel(connection, Channel::Chat).await
    }

    async fn connection_event(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::NegotiationNeeded => {
                if self.has_something_to_negotiate().await {
                    self.emit(LinkEvent::NegotiationNeeded).await;
                }
            }
            ConnectionEvent::Candidate(candidate) => {
                self.emit(LinkEvent::LocalCandidate(candidate.map(to_candidate))).await;
            }
            ConnectionEvent::State(state) => self.state_changed(state).await,
            ConnectionEvent::DataChannel(data_channel) => self.channels.adopt(data_channel).await,
            ConnectionEvent::Track(track) => {
                let forms = match &self.connection {
                    Some(built) => sound_forms(&built.connection).await,
                    None => SoundForms::default(),
                };
                self.receiving.add(&mut self.media_tasks, track, forms);
            }
        }
    }

    /// The stack asks for a negotiation also when the last one has settled everything, or when the peer wants less than we offer. What counts is
    /// media or a data channel of ours without a section in the description.
    async fn has_something_to_negotiate(&self) -> bool {
        let Some(built) = &self.connection else { return false };
        let Some(description) = built.connection.current_local_description().await else { return true };
        if !self.channels.is_empty() && !description.sdp.contains("m=application ") {
            return true;
        }
        for transceiver in built.connection.get_transceivers().await {
            if matches!(transceiver.mid().await, Ok(None)) {
                return true;
            }
        }
        false
    }

    async fn state_changed(&mut self, state: RTCPeerConnectionState) {
        let Some(state) = connection_state(state) else { return };
        tracing::debug!(peer = %self.link.peer, ?state, "connection");
        self.reporter.state(state);
        if state == ConnectionState::Connected && self.serving.is_none() {
            self.start_sending().await;
        }
        self.emit(LinkEvent::Connection(state)).await;
    }

    async fn start_sending(&mut self) {
        let Some(built) = &self.connection else { return };
        let types = match PayloadTypes::negotiated(&built.connection).await {
            Ok(types) => types,
            Err(error) => return tracing::warn!(peer = %self.link.peer, "cannot send media: {error:#}"),
        };
        let subscription = self.context.media.subscribe();
        let copies = CopiesChoice::default();
        let (layers, link, path) = (&self.context.layers, self.link.clone(), built.path.clone());
        let receiver = ServedPath {
            send: path.clone(),
            key_frames: subscription.key_frames.clone(),
            sound: subscription.sound.clone(),
            copies: types.takes_copies().then(|| copies.clone()),
        };
        let (served, orders) = layers.join(link.clone(), receiver).await;
        layers.demand(link, self.tile).await;
        let counters = send::spawn(&mut self.media_tasks, built, types, subscription, orders.clone(), copies);
        self.reporter.sending(counters, path, orders.clone());
        self.serving = Some(Serving { _served: served, orders, suspended: false });
    }

    async fn fit_tile(&mut self, tile: ShownTile) {
        let ShownTile { width, height, visible } = tile;
        self.tile = if visible { Demand::Tile { width, height } } else { Demand::Hidden };
        self.context.layers.demand(self.link.clone(), self.tile).await;
    }

    async fn tick(&mut self) {
        let Some(built) = &self.connection else { return };
        let Quality { rtt, fraction_lost } = self.reporter.take(&built.connection).await;
        if let Some(rtt) = rtt {
            self.receiving.round_trip_time(rtt);
        }
        self.emit(LinkEvent::Quality { rtt, fraction_lost }).await;
    }
}

/// What the peer gets of our video.
struct Serving {
    /// Given up with the link.
    _served: Served,
    orders: watch::Receiver<Option<PeerOrder>>,
    suspended: bool,
}

/// Waits until our video to the peer is suspended, or no longer.
async fn video_suspended(serving: &mut Option<Serving>) -> bool {
    let Some(Serving { orders, suspended, .. }) = serving else { return std::future::pending().await };
    let is_suspended =
        |order: &Option<PeerOrder>| order.is_some_and(|order| order.state == VideoState::Suspended);
    let before = *suspended;
    let changed = orders.wait_for(|order| is_suspended(order) != before).await.is_ok();
    if !changed {
        // Nobody decides any more: the program is ending.
        return std::future::pending().await;
    }
    *suspended = !before;
    *suspended
}

/// In which forms the peer may send sound, beyond plain Opus.
async fn sound_forms(connection: &Arc<dyn PeerConnection>) -> SoundForms {
    let mut forms = SoundForms::default();
    for receiver in connection.get_receivers().await {
        let Ok(parameters) = receiver.get_parameters().await else { continue };
        let RTCRtpParameters { codecs, header_extensions, .. } = parameters.rtp_parameters;
        let red = codecs.iter().find(|codec| codec.rtp_codec.mime_type.eq_ignore_ascii_case(MIME_TYPE_RED));
        forms.red = forms.red.or(red.map(|codec| codec.payload_type));
        forms.level = forms.level.or_else(|| send::extension_id(&header_extensions, AUDIO_LEVEL_URI));
    }
    forms
}

async fn create_offer(
    connection: &Arc<dyn PeerConnection>,
    ice_restart: bool,
) -> anyhow::Result<Option<LinkEvent>> {
    if ice_restart {
        connection.restart_ice().await?;
    }
    let offer = connection.create_offer(None).await?;
    connection.set_local_description(offer).await?;
    Ok(Some(LinkEvent::OfferCreated { sdp: local_sdp(connection).await? }))
}

async fn accept_offer(
    connection: &Arc<dyn PeerConnection>,
    offer: &str,
) -> anyhow::Result<Option<LinkEvent>> {
    let offer = RTCSessionDescription::offer(sdp::accept(offer)?)?;
    connection.set_remote_description(offer).await?;
    match answer(connection).await {
        Ok(sdp) => Ok(Some(LinkEvent::AnswerCreated { sdp })),
        Err(error) => {
            // An order that fails leaves the connection as it was, or the next offer would be refused as well.
            if let Err(error) =
                connection.set_remote_description(RTCSessionDescription::rollback(None)?).await
            {
                tracing::debug!("an offer that could not be answered stays: {error}");
            }
            Err(error)
        }
    }
}

async fn answer(connection: &Arc<dyn PeerConnection>) -> anyhow::Result<String> {
    let answer = connection.create_answer(None).await?;
    connection.set_local_description(answer).await?;
    local_sdp(connection).await
}

async fn accept_answer(
    connection: &Arc<dyn PeerConnection>,
    answer: &str,
) -> anyhow::Result<Option<LinkEvent>> {
    let answer = RTCSessionDescription::answer(sdp::accept(answer)?)?;
    connection.set_remote_description(answer).await?;
    Ok(Some(LinkEvent::AnswerAccepted))
}

async fn roll_back(connection: &Arc<dyn PeerConnection>) -> anyhow::Result<Option<LinkEvent>> {
    connection.set_local_description(RTCSessionDescription::rollback(None)?).await?;
    Ok(Some(LinkEvent::RolledBack))
}

async fn local_sdp(connection: &Arc<dyn PeerConnection>) -> anyhow::Result<String> {
    let description = connection.local_description().await;
    let description = description.ok_or_else(|| anyhow::anyhow!("there is no local description"))?;
    tracing::trace!(kind = %description.sdp_type, "local description\n{}", description.sdp);
    Ok(sdp::prefer_copies(&sdp::offer_stereo(&description.sdp)))
}

async fn add_candidate(connection: &Arc<dyn PeerConnection>, candidate: Candidate) -> anyhow::Result<()> {
    let init = RTCIceCandidateInit {
        candidate: candidate.candidate,
        sdp_mid: candidate.sdp_mid,
        sdp_mline_index: candidate.sdp_m_line_index,
        username_fragment: candidate.username_fragment,
        url: None,
    };
    Ok(connection.add_ice_candidate(init).await?)
}

fn to_candidate(init: RTCIceCandidateInit) -> Candidate {
    Candidate {
        candidate: init.candidate,
        sdp_mid: init.sdp_mid,
        sdp_m_line_index: init.sdp_mline_index,
        username_fragment: init.username_fragment,
    }
}

fn connection_state(state: RTCPeerConnectionState) -> Option<ConnectionState> {
    Some(match state {
        RTCPeerConnectionState::New => ConnectionState::New,
        RTCPeerConnectionState::Connecting => ConnectionState::Connecting,
        RTCPeerConnectionState::Connected => ConnectionState::Connected,
        RTCPeerConnectionState::Disconnected => ConnectionState::Disconnected,
        RTCPeerConnectionState::Failed => ConnectionState::Failed,
        RTCPeerConnectionState::Closed => ConnectionState::Closed,
        _ => return None,
    })
}
