//! Carries layer choice out: one task that knows what every path bears and how large every peer shows us, and tells the encoder and the links' senders
//! what follows ([`media_core::layers`] decides).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use call_core::link::LinkId;
use call_media::{KeyFrameRequester, LayerTarget, Media, SoundChoice};
use media_core::audio::encodings::Listener;
use media_core::layers::{
    CameraFormat, Demand, EncoderLoad, LAYERS_MAX, LayerChoice, LayerOrder, LayersConfig, LayersInput,
    LayersOutput, PeerOrder,
};
use tokio::sync::{mpsc, watch};

use super::send::CopiesChoice;
use super::sending::SendPath;
use super::sound::{SharedSound, SoundPath};

/// Facts that may wait. Links come and go seldom and say little; whoever finds it full waits.
const FACTS: usize = 64;

/// How often estimates are read: they change with each report of a peer, ten to twenty times a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// Intervals between two looks at the camera and at the encoder's load, which are averages over a second.
const LOOKS: u32 = 10;

/// What video gets of what sound leaves: some is left for retransmissions and for what estimates are off.
const VIDEO_SHARE: f64 = 0.95;

/// Pictures that the encoder left out since the last look, from which on it is behind: a few may be the system's doing.
const DROPPED_MANY: u64 = 6;

/// A measured frame rate within this share of the one that is assumed changes nothing: layers begin anew when the camera's format changes.
const FRAMERATE_NEAR: f64 = 0.7;

/// What a link tells.
enum Fact {
    Joined(LinkId, Path),
    Left(LinkId),
    Demand(LinkId, Demand),
}

/// What is asked and told about the path to one peer.
pub struct ServedPath {
    /// What it bears.
    pub send: SendPath,
    /// What the peer asks for.
    pub key_frames: KeyFrameRequester,
    /// Which sound goes there.
    pub sound: SoundChoice,
    /// How many copies of earlier packets that sound carries, if the peer understands them.
    pub copies: Option<CopiesChoice>,
}

/// What is known of, and told to, one link.
struct Path {
    send: SendPath,
    key_frames: KeyFrameRequester,
    sound: SoundPath,
    orders: watch::Sender<Option<PeerOrder>>,
    over_budget: u32,
}

/// The links' way to the task. Clones lead to the same one; it ends with the last.
#[derive(Clone)]
pub struct Layers(mpsc::Sender<Fact>);

/// A link's place among those who are served; it is given up by dropping it.
pub struct Served {
    link: LinkId,
    facts: mpsc::Sender<Fact>,
}

impl Layers {
    /// Starts the task.
    pub fn spawn(media: Arc<Media>) -> Self {
        let (facts, queue) = mpsc::channel(FACTS);
        tokio::spawn(Director::new(media).run(queue));
        Self(facts)
    }

    /// A link can be sent video: what it shall get comes out of the returned channel, `None` until it is known.
    pub async fn join(
        &self,
        link: LinkId,
        served: ServedPath,
    ) -> (Served, watch::Receiver<Option<PeerOrder>>) {
        let (orders, receiver) = watch::channel(None);
        let ServedPath { send, key_frames, sound, copies } = served;
        let path = Path { send, key_frames, sound: SoundPath::new(sound, copies), orders, over_budget: 0 };
        // The task is gone only when the program ends.
        let _ = self.0.send(Fact::Joined(link.clone(), path)).await;
        (Served { link, facts: self.0.clone() }, receiver)
    }

    /// How the peer shows our picture.
    pub async fn demand(&self, link: LinkId, demand: Demand) {
        let _ = self.0.send(Fact::Demand(link, demand)).await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // When the queue is full, the closed channel of the link's orders tells the same.
        let _ = self.facts.try_send(Fact::Left(self.link.clone()));
    }
}

/// The task's state. Links are numbered, because the core wants small names.
struct Director {
    media: Arc<Media>,
    choice: LayerChoice<u64>,
    sound: SharedSound,
    numbers: BTreeMap<LinkId, u64>,
    paths: BTreeMap<u64, Path>,
    last_number: u64,
    looks: u32,
    /// Of the camera, as last told.
    framerate: u32,
    dropped: u64,
}

impl Director {
    fn new(media: Arc<Media>) -> Self {
        Self {
            sound: SharedSound::new(media.sound_mode()),
            media,
            choice: LayerChoice::new(LayersConfig::default()),
            numbers: BTreeMap::new(),
            paths: BTreeMap::new(),
            last_number: 0,
            looks: 0,
            framerate: LayersConfig::default().max_framerate,
            dropped: 0,
        }
    }

    async fn run(mut self, mut queue: mpsc::Receiver<Fact>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            // Nobody to serve, nothing to look at.
            let busy = !self.paths.is_empty();
            tokio::select! {
                fact = queue.recv() => match fact {
                    Some(fact) => self.fact(fact),
                    None => return,
                },
                _ = ticks.tick(), if busy => self.tick(),
            }
            self.carry_out();
        }
    }

    fn fact(&mut self, fact: Fact) {
        match fact {
            Fact::Joined(link, path) => self.joined(link, path),
            Fact::Left(link) => self.left(&link),
            Fact::Demand(link, demand) => {
                if let Some(peer) = self.numbers.get(&link).copied() {
                    self.handle(LayersInput::Demand { peer, demand });
                }
            }
        }
    }

    fn joined(&mut self, link: LinkId, path: Path) {
        self.left(&link);
        if self.paths.is_empty() {
            // What was seen of camera and encoder is old.
            self.look();
        }
        self.last_number += 1;
        let peer = self.last_number;
        self.numbers.insert(link, peer);
        self.paths.insert(peer, path);
        self.handle(LayersInput::Joined(peer));
        self.read_estimate(peer);
    }

    fn left(&mut self, link: &LinkId) {
        if let Some(peer) = self.numbers.remove(link) {
            self.paths.remove(&peer);
            self.handle(LayersInput::Left(peer));
        }
    }

    fn tick(&mut self) {
        let gone: Vec<LinkId> = self
            .numbers
            .iter()
            .filter(|(_, peer)| self.paths.get(peer).is_none_or(|path| path.orders.is_closed()))
            .map(|(link, _)| link.clone())
            .collect();
        gone.iter().for_each(|link| self.left(link));
        let peers: Vec<u64> = self.paths.keys().copied().collect();
        for peer in peers {
            self.read_estimate(peer);
            self.read_budget(peer);
        }
        self.follow_listeners();
        self.looks += 1;
        if self.looks >= LOOKS {
            self.look();
        }
        self.handle(LayersInput::Tick);
    }

    fn read_estimate(&mut self, peer: u64) {
        let Some(path) = self.paths.get_mut(&peer) else { return };
        let report = path.send.report();
        let sound = path.sound.update(&report, self.sound.encodings(), Instant::now());
        let bitrate = report.estimate.saturating_sub(sound).scale(VIDEO_SHARE);
        self.handle(LayersInput::Estimate { peer, bitrate });
    }

    /// Sound is encoded for all who listen, so what it is follows all of them.
    fn follow_listeners(&mut self) {
        let listeners: Vec<Listener> = self.paths.values().map(|path| path.sound.listener()).collect();
        let before = *self.sound.encodings();
        let encodings = self.sound.update(self.media.sound_mode(), &listeners, Instant::now());
        if encodings != before {
            tracing::debug!(?encodings, "sound");
        }
        // Now and then it is said again: after a change of mode the encoder begins anew.
        if encodings != before || self.looks == 0 {
            self.media.encode_sound(encodings);
        }
    }

    fn read_budget(&mut self, peer: u64) {
        let Some(path) = self.paths.get_mut(&peer) else { return };
        let layers = 0..u8::try_from(LAYERS_MAX).unwrap_or(u8::MAX);
        let over_budget = layers.map(|layer| path.key_frames.over_budget(layer)).fold(0, u32::wrapping_add);
        if std::mem::replace(&mut path.over_budget, over_budget) != over_budget {
            self.handle(LayersInput::KeyFramesOverBudget(peer));
        }
    }

    /// At the camera's format and the encoder's load.
    fn look(&mut self) {
        self.looks = 0;
        let stats = self.media.stats();
        let camera = stats.capture.width.zip(stats.capture.height).map(|(width, height)| CameraFormat {
            width,
            height,
            framerate: self.framerate,
        });
        if let Some(measured) = stats.capture.frames_per_second
            && !(FRAMERATE_NEAR * self.framerate as f64..self.framerate as f64 / FRAMERATE_NEAR)
                .contains(&measured)
        {
            self.framerate = (measured.round() as u32).max(1);
        }
        self.handle(LayersInput::Camera(camera));
        let dropped = stats.capture.dropped.saturating_sub(self.dropped);
        self.dropped = stats.capture.dropped;
        if dropped >= DROPPED_MANY {
            self.handle(LayersInput::Load(EncoderLoad::Behind));
        } else if let Some(share) = stats.encode_load {
            self.handle(LayersInput::Load(EncoderLoad::Share(share)));
        }
    }

    fn handle(&mut self, input: LayersInput<u64>) {
        self.choice.handle(input, Instant::now());
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.choice.poll_output() {
            match output {
                LayersOutput::Encode(layers) => self.media.set_layers(layers.iter().map(target).collect()),
                LayersOutput::Serve { peer, order } => {
                    if let Some(path) = self.paths.get_mut(&peer) {
                        path.sound.set_pictures(order.demand);
                        path.send.set_demand(order.demand.saturating_add(self.sound.most()));
                        path.orders.send_replace(Some(order));
                    }
                }
            }
        }
    }
}

fn target(order: &LayerOrder) -> LayerTarget {
    LayerTarget {
        layer: order.index,
        width: order.width,
        height: order.height,
        kbps: u32::try_from(order.bitrate.as_kbps()).unwrap_or(u32::MAX),
        framerate: order.framerate,
    }
}
