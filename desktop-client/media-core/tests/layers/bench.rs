//! A camera, peers whose links are what the test says, and what must hold at any time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use media_core::bitrate::Bitrate;
use media_core::layers::{
    CameraFormat, Demand, LayerChoice, LayerOrder, LayersConfig, LayersInput, LayersOutput, PeerOrder,
    VideoState,
};
use media_core::sim;

pub const HD: CameraFormat = CameraFormat { width: 1_280, height: 720, framerate: 30 };

/// How long a layer may outlive its last receiver.
const OVERLAP_MS: u64 = 700;

pub struct Bench {
    pub layers: LayerChoice<u32>,
    pub ms: u64,
    pub encoding: Vec<LayerOrder>,
    pub orders: BTreeMap<u32, PeerOrder>,
    /// Moves from one layer to another (or to none), and changes of the temporal limit alone.
    pub switches: BTreeMap<u32, Vec<(u64, Option<u8>)>>,
    pub temporal_changes: BTreeMap<u32, u32>,
    /// How often the encoder was told something.
    pub encode_orders: u32,
    camera: Option<CameraFormat>,
    estimates: BTreeMap<u32, u64>,
    demands: BTreeMap<u32, Demand>,
    last_wanted: BTreeMap<u8, u64>,
}

impl Bench {
    pub fn new(camera: CameraFormat) -> Self {
        let mut bench = Self {
            layers: LayerChoice::new(LayersConfig::default()),
            ms: 0,
            encoding: Vec::new(),
            orders: BTreeMap::new(),
            switches: BTreeMap::new(),
            temporal_changes: BTreeMap::new(),
            encode_orders: 0,
            camera: None,
            estimates: BTreeMap::new(),
            demands: BTreeMap::new(),
            last_wanted: BTreeMap::new(),
        };
        bench.give(LayersInput::Camera(Some(camera)));
        bench
    }

    /// A 720p camera and peers with these links, in kbit/s, for half a minute.
    pub fn settled(estimates: &[u64]) -> Self {
        let mut bench = Self::new(HD);
        for (id, kbps) in (1..).zip(estimates) {
            bench.join(id, *kbps);
        }
        bench.run(30_000);
        bench
    }

    pub fn join(&mut self, id: u32, kbps: u64) {
        self.give(LayersInput::Joined(id));
        self.estimate(id, kbps);
    }

    pub fn leave(&mut self, id: u32) {
        self.give(LayersInput::Left(id));
    }

    pub fn estimate(&mut self, id: u32, kbps: u64) {
        self.give(LayersInput::Estimate { peer: id, bitrate: Bitrate::kbps(kbps) });
    }

    pub fn tile(&mut self, id: u32, width: u32, height: u32) {
        self.give(LayersInput::Demand { peer: id, demand: Demand::Tile { width, height } });
    }

    pub fn hide(&mut self, id: u32) {
        self.give(LayersInput::Demand { peer: id, demand: Demand::Hidden });
    }

    /// Runs for this long, with the ticks that are asked for.
    pub fn run(&mut self, milliseconds: u64) {
        let end = self.ms + milliseconds;
        while let Some(wake) = self.layers.poll_timeout() {
            let wake = wake.duration_since(sim::epoch()).as_millis() as u64;
            if wake > end {
                break;
            }
            self.ms = wake;
            self.give(LayersInput::Tick);
        }
        self.ms = end;
    }

    pub fn give(&mut self, input: LayersInput<u32>) {
        let wanted = self.orders.values().filter_map(|order| order.layer);
        self.last_wanted.extend(wanted.map(|layer| (layer, self.ms)));
        match input {
            LayersInput::Camera(format) => self.camera = format,
            LayersInput::Joined(peer) => {
                self.estimates.entry(peer).or_insert(300);
                self.demands.entry(peer).or_default();
            }
            LayersInput::Left(peer) => {
                self.estimates.remove(&peer);
                self.demands.remove(&peer);
                self.orders.remove(&peer);
            }
            LayersInput::Estimate { peer, bitrate } => {
                self.estimates.entry(peer).and_modify(|kbps| *kbps = bitrate.as_kbps());
            }
            LayersInput::Demand { peer, demand } => {
                self.demands.entry(peer).and_modify(|before| *before = demand);
            }
            LayersInput::KeyFramesOverBudget(_) | LayersInput::Load(_) | LayersInput::Tick => {}
        }
        self.layers.handle(input, self.now());
        while let Some(output) = self.layers.poll_output() {
            self.take(output);
        }
        self.check();
    }

    pub fn now(&self) -> Instant {
        sim::epoch() + Duration::from_millis(self.ms)
    }

    /// The peer's layer and temporal limit.
    pub fn gets(&self, id: u32) -> Option<(u8, u8)> {
        let order = self.orders[&id];
        order.layer.map(|layer| (layer, order.max_temporal_id))
    }

    pub fn state(&self, id: u32) -> VideoState {
        self.orders[&id].state
    }

    /// Indices and rates in kbit/s of what is encoded.
    pub fn rates(&self) -> Vec<(u8, u64)> {
        self.encoding.iter().map(|layer| (layer.index, layer.bitrate.as_kbps())).collect()
    }

    /// The rate of the peer's layer in kbit/s.
    pub fn layer_rate(&self, id: u32) -> Option<u64> {
        let layer = self.orders[&id].layer?;
        self.encoding.iter().find(|order| order.index == layer).map(|order| order.bitrate.as_kbps())
    }

    fn take(&mut self, output: LayersOutput<u32>) {
        match output {
            LayersOutput::Encode(layers) => {
                self.encode_orders += 1;
                self.encoding = layers;
            }
            LayersOutput::Serve { peer, order } => {
                let before = self.orders.insert(peer, order);
                if before.is_none_or(|before| before.layer != order.layer) {
                    self.switches.entry(peer).or_default().push((self.ms, order.layer));
                } else if before.is_some_and(|before| before.max_temporal_id != order.max_temporal_id) {
                    *self.temporal_changes.entry(peer).or_default() += 1;
                }
            }
        }
    }

    fn check(&mut self) {
        let (ms, encoding) = (self.ms, &self.encoding);
        assert_eq!(encoding, self.layers.encoding());
        assert!(encoding.len() <= 3 && encoding.is_sorted_by(|a, b| a.index < b.index && a.width < b.width));
        assert!(encoding.iter().all(|layer| layer.width % 2 == 0 && layer.height % 2 == 0));
        assert!(encoding.iter().all(|layer| layer.bitrate <= Bitrate::kbps(2_500) && layer.framerate <= 30));
        let share = self.layers.temporal_share();
        for (id, kbps) in &self.estimates {
            let order = self.orders[id];
            assert_eq!(Some(order), self.layers.order_for(*id));
            let shown = !hidden(self.demands[id]) && self.camera.is_some_and(|c| c.width > 0 && c.height > 0);
            assert_eq!(order.demand > Bitrate::ZERO, shown);
            let Some(index) = order.layer else { continue };
            self.last_wanted.insert(index, ms);
            assert!(shown);
            let layer = encoding.iter().find(|layer| layer.index == index).unwrap();
            let sent = layer.bitrate_up_to(order.max_temporal_id, share);
            assert!(sent <= Bitrate::kbps(*kbps), "at {ms} ms: {sent} to {id}, which bears {kbps}");
            if let Demand::Tile { width, height } = self.demands[id] {
                let smaller = encoding.iter().filter(|other| other.index < index);
                assert!(
                    smaller.into_iter().all(|o| o.width * 11 < width * 10 || o.height * 11 < height * 10)
                );
            }
        }
        for layer in encoding {
            let wanted = self.last_wanted.get(&layer.index);
            assert!(wanted.is_some_and(|at| at + OVERLAP_MS >= ms), "at {ms} ms nobody gets {layer:?}");
        }
        assert!(self.layers.poll_timeout().is_none_or(|at| at > self.now()));
    }
}

fn hidden(demand: Demand) -> bool {
    match demand {
        Demand::Whole => false,
        Demand::Tile { width, height } => width == 0 || height == 0,
        Demand::Hidden => true,
    }
}
