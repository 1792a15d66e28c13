//! Which layers of the camera are encoded, at which rates, and which of them each peer gets: encode once, serve each peer.
//!
//! Each layer is encoded once and the same bytes go to everybody who gets it, so its rate is a matter between all of them. The rules:
//!
//! - A peer gets the best layer that its path bears and its tile shows. A layer is encoded only while somebody gets it.
//! - Those who share a layer bear rates within a factor ([`LayersConfig::cluster_ratio`]) of each other, and its rate is the lowest of theirs. Whoever bears
//!   less gets the next layer, or on the lowest one fewer frames.
//! - A dip is answered at once with fewer temporal layers, and when it lasts with a lower layer; a way up needs a margin that has lasted, and is tried
//!   less often each time it fails.
//! - Below a floor a peer keeps sound only.
//! - When the encoder falls behind, the top layer pays for it, for everybody.
//!
//! **What one peer can cost another**, whatever it reports, shows or asks for, while the encoder keeps up:
//!
//! - A layer's rate is at least the others' estimates (or the layer's most) divided by the cluster ratio, 1.5.
//! - A peer that bears under two thirds of what *faster* peers bring to its layer may be moved one layer down, where it is among its like; on the lowest
//!   layer, to fewer frames. It takes more of them than of those who lose by it; or one, that is alone with it on the layer. Video is never suspended for that.
//!
//! Core: [`LayerChoice::handle`], then [`LayerChoice::poll_output`] until it is empty; wake it at [`LayerChoice::poll_timeout`].

mod config;
mod estimates;
mod ladder;
mod load;
mod moves;
mod peer;
mod seam;
mod shared_layer;
mod temporal;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

pub use self::config::{LAYERS_MAX, LayersConfig, LoadConfig};
use self::ladder::Ladder;
use self::load::Load;
use self::peer::Peer;
pub use self::seam::{
    CameraFormat, Demand, EncoderLoad, LayerOrder, LayersInput, LayersOutput, Limit, PeerOrder, VideoState,
};
use self::shared_layer::SharedLayer;
pub use self::temporal::TemporalShare;
use crate::bitrate::Bitrate;

/// Between two looks at the clock while something waits for time to pass.
const TICK: Duration = Duration::from_millis(100);

/// An estimate that is at once so many times what it was, and so many times the floor, comes from a probe, or from a test that is over, and need not last long to
/// be believed. On thin paths estimates waver by as much.
const FOUND: f64 = 2.0;
const FOUND_FLOORS: f64 = 4.0;

/// See the module. `P` names a peer.
#[derive(Debug)]
pub struct LayerChoice<P> {
    config: LayersConfig,
    share: TemporalShare,
    camera: Option<CameraFormat>,
    ladder: Ladder,
    /// The layer that has half the framerate.
    halved: Option<usize>,
    load: Load,
    layers: [SharedLayer; LAYERS_MAX],
    peers: BTreeMap<P, Peer>,
    encoding: Vec<LayerOrder>,
    outputs: VecDeque<LayersOutput<P>>,
    wake: Option<Instant>,
}

impl<P: Ord + Copy> LayerChoice<P> {
    /// Without camera and peers.
    pub fn new(config: LayersConfig) -> Self {
        Self {
            config,
            share: TemporalShare::of_layers(config.temporal_layers),
            camera: None,
            ladder: Ladder::default(),
            halved: None,
            load: Load::new(config.load),
            layers: Default::default(),
            peers: BTreeMap::new(),
            encoding: Vec::new(),
            outputs: VecDeque::new(),
            wake: None,
        }
    }

    /// Takes a fact in; drain [`Self::poll_output`] afterwards. Facts about peers that have not joined are ignored.
    pub fn handle(&mut self, input: LayersInput<P>, now: Instant) {
        match input {
            LayersInput::Camera(format) => self.camera(format, now),
            LayersInput::Joined(peer) => {
                self.peers.entry(peer).or_insert_with(|| Peer::new(&self.config, now));
            }
            LayersInput::Left(peer) => {
                self.peers.remove(&peer);
            }
            LayersInput::Estimate { peer, bitrate } => {
                if let Some(peer) = self.peers.get_mut(&peer) {
                    let found =
                        peer.estimates.current().scale(FOUND).max(self.config.floor.scale(FOUND_FLOORS));
                    if bitrate > found {
                        peer.be_eager(&self.config, now);
                    }
                    peer.estimates.set(bitrate, now);
                }
            }
            LayersInput::Demand { peer, demand } => self.demand(peer, demand, now),
            LayersInput::KeyFramesOverBudget(peer) => self.penalise(peer, now),
            LayersInput::Load(load) => {
                let busiest = self.encoding.last().map(|order| usize::from(order.index));
                self.load.report(load, busiest, now);
            }
            LayersInput::Tick => {}
        }
        self.settle(now);
    }

    /// The next order.
    pub fn poll_output(&mut self) -> Option<LayersOutput<P>> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle`] with [`LayersInput::Tick`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wake
    }

    /// What is encoded now, smallest first.
    pub fn encoding(&self) -> &[LayerOrder] {
        &self.encoding
    }

    /// What this peer gets now.
    pub fn order_for(&self, peer: P) -> Option<PeerOrder> {
        self.peers.get(&peer)?.ordered
    }

    /// How bitrates are split among temporal layers.
    pub fn temporal_share(&self) -> TemporalShare {
        self.share
    }

    fn camera(&mut self, format: Option<CameraFormat>, now: Instant) {
        let format = format.filter(|format| format.width > 0 && format.height > 0);
        if format == self.camera {
            return;
        }
        self.camera = format;
        self.load.forget();
        self.halved = None;
        self.ladder = Ladder::of(self.camera, &self.config, None);
        self.layers = Default::default();
        for peer in self.peers.values_mut() {
            peer.begin(&self.config, now);
        }
    }

    fn demand(&mut self, peer: P, demand: Demand, now: Instant) {
        let demand = match demand {
            Demand::Tile { width: 0, .. } | Demand::Tile { height: 0, .. } => Demand::Hidden,
            Demand::Whole | Demand::Tile { .. } | Demand::Hidden => demand,
        };
        let Some(state) = self.peers.get_mut(&peer) else { return };
        if state.demand == demand {
            return;
        }
        let before = tile_cap(&self.ladder, state.demand);
        state.demand = demand;
        if tile_cap(&self.ladder, demand) > before {
            state.be_eager(&self.config, now);
        }
    }

    fn settle(&mut self, now: Instant) {
        self.load.advance(self.ladder.len(), now);
        let halved = self.load.top().filter(|top| top.halved).map(|top| top.layer);
        if halved != self.halved {
            self.halved = halved;
            self.ladder = Ladder::of(self.camera, &self.config, halved);
        }
        for peer in self.peers.values_mut() {
            peer.expire(now);
        }
        self.lower(now);
        self.raise(now);
        for layer in 0..self.ladder.len() {
            self.follow(layer, now);
        }
        self.publish(now);
    }

    fn publish(&mut self, now: Instant) {
        let encoding = self.layer_orders();
        if encoding != self.encoding {
            self.encoding.clone_from(&encoding);
            self.outputs.push_back(LayersOutput::Encode(encoding));
        }
        let mut waiting = self.load.top().is_some();
        let orders: Vec<(P, PeerOrder)> =
            self.peers.iter().map(|(id, peer)| (*id, self.peer_order(peer, now))).collect();
        for (id, order) in orders {
            let cap = self.peers.get(&id).and_then(|peer| self.cap(peer));
            let Some(peer) = self.peers.get_mut(&id) else { continue };
            waiting |= peer.level < cap || peer.is_waiting(&self.config, now);
            if peer.ordered != Some(order) {
                peer.ordered = Some(order);
                self.outputs.push_back(LayersOutput::Serve { peer: id, order });
            }
        }
        self.wake = waiting.then(|| now + TICK);
    }

    fn layer_orders(&self) -> Vec<LayerOrder> {
        let layers = self.layers.iter().enumerate().filter(|(_, layer)| layer.rate() > Bitrate::ZERO);
        let order = |(index, layer): (usize, &SharedLayer)| {
            let rung = self.ladder.get(index)?;
            Some(LayerOrder {
                index: index as u8,
                width: rung.width,
                height: rung.height,
                bitrate: layer.rate(),
                framerate: rung.framerate,
            })
        };
        layers.filter_map(order).collect()
    }

    fn peer_order(&self, peer: &Peer, now: Instant) -> PeerOrder {
        let cap = self.cap(peer);
        let demand = cap.and_then(|cap| self.ladder.get(cap)).map_or(Bitrate::ZERO, |rung| rung.max);
        let max_temporal_id = self.temporal_limit(peer, now);
        let state = self.video_state(peer, max_temporal_id);
        PeerOrder { layer: peer.level.map(|level| level as u8), max_temporal_id, demand, state }
    }

    /// The temporal layers that fit into what the peer bears. Until its stream has switched, those that fit of the layers that it comes from.
    fn temporal_limit(&self, peer: &Peer, now: Instant) -> u8 {
        let borne = peer.settled(&self.config, now);
        let fits = |layer: &SharedLayer| self.share.fitting(layer.rate(), borne).unwrap_or(0);
        let layers = self.layers.iter().enumerate();
        let sent = layers.filter(|(index, _)| peer.level == Some(*index) || peer.is_leaving(*index));
        sent.map(|(_, layer)| fits(layer)).min().unwrap_or(0)
    }

    fn video_state(&self, peer: &Peer, max_temporal_id: u8) -> VideoState {
        let Some(top) = self.ladder.len().checked_sub(1) else { return VideoState::Off };
        let Some(tile) = tile_cap(&self.ladder, peer.demand) else { return VideoState::Hidden };
        let allowed = self.load.top();
        let Some(level) = peer.level else {
            let limit = VideoState::Limited(Limit::KeyFrames);
            return if peer.suspended { VideoState::Suspended } else { limit };
        };
        if max_temporal_id < self.share.top() {
            VideoState::Limited(Limit::Bandwidth)
        } else if level < tile && allowed.is_some_and(|top| top.layer <= level) {
            VideoState::Limited(Limit::Cpu)
        } else if level < tile && peer.penalty.is_some_and(|(cap, _)| cap <= level) {
            VideoState::Limited(Limit::KeyFrames)
        } else if level < tile {
            VideoState::Limited(Limit::Bandwidth)
        } else if allowed.is_some_and(|top| top.layer == level && top.halved) {
            VideoState::Limited(Limit::Cpu)
        } else if level < top {
            VideoState::Limited(Limit::Tile)
        } else {
            VideoState::Full
        }
    }
}

/// The best layer of which a tile shows the whole.
fn tile_cap(ladder: &Ladder, demand: Demand) -> Option<usize> {
    match demand {
        Demand::Whole => ladder.len().checked_sub(1),
        Demand::Tile { width, height } => ladder.covering(width, height),
        Demand::Hidden => None,
    }
}
