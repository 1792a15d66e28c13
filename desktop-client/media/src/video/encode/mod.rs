//! The encode thread: each picture is encoded once, and the same bytes go to every peer.
//!
//! It takes the newest picture from a slot, so what comes faster than it can encode is dropped before encoding. It encodes only while
//! somebody is subscribed. Requests for key frames are merged, and budgeted per peer, by `media-core`.

mod layer;
mod subscriber;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use media_core::frame::{EncodedFrame, I420Frame};
use media_core::key_frame::{KeyFrameConfig, KeyFrameInput, KeyFrameOutput, KeyFrameRequests};
use media_core::slot::Slot;
use tokio::sync::mpsc;

use self::layer::LayerEncoder;
pub(crate) use self::subscriber::KeyFrameWish;
use self::subscriber::Subscriber;
use crate::config::VideoSettings;
use crate::stats::LayerStats;

/// Orders waiting for the encode thread, which takes them between two pictures. Subscribing waits for a place; wake-ups find a full queue to
/// be as good as delivered.
const QUEUE: usize = 32;

/// The one layer that there is.
const LAYER: u8 = 0;

enum EncodeOrder {
    Subscribe(Subscriber),
    Wake,
    Stop,
}

/// The other threads' side of the encode thread.
#[derive(Clone)]
pub(crate) struct EncoderHandle {
    orders: SyncSender<EncodeOrder>,
    pictures: Slot<Arc<I420Frame>>,
    shared: Arc<Shared>,
}

struct Shared {
    /// The camera was reopened.
    restarted: AtomicBool,
    /// What the network bears, in kbit/s.
    target_kbps: AtomicU32,
    /// Most frames per second.
    max_framerate: AtomicU32,
    stats: Slot<Vec<LayerStats>>,
    dropped: AtomicU64,
    next_subscriber: AtomicU64,
}

impl EncoderHandle {
    /// Gives the newest picture to the encoder; one that it has not begun with is dropped.
    pub fn offer(&self, frame: Arc<I420Frame>) {
        if self.pictures.put(frame).is_some() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        let _ = self.orders.try_send(EncodeOrder::Wake);
    }

    /// The next picture is unlike the last: make it a key frame.
    pub fn camera_restarted(&self) {
        self.shared.restarted.store(true, Ordering::Relaxed);
    }

    /// Sets what the network bears.
    pub fn set_target(&self, kbps: u32, max_framerate: u32) {
        self.shared.target_kbps.store(kbps.max(1), Ordering::Relaxed);
        self.shared.max_framerate.store(max_framerate.max(1), Ordering::Relaxed);
    }

    /// Adds a receiver of all encoded frames; it ends when its channel is closed.
    pub fn subscribe(&self, sender: mpsc::Sender<Arc<EncodedFrame>>) -> KeyFrameWish {
        let id = self.shared.next_subscriber.fetch_add(1, Ordering::Relaxed);
        let subscriber = Subscriber::new(id, sender);
        let wish = subscriber.wish();
        let _ = self.orders.send(EncodeOrder::Subscribe(subscriber));
        wish
    }

    /// Ends the thread.
    pub fn stop(&self) {
        let _ = self.orders.send(EncodeOrder::Stop);
    }

    /// Figures per layer.
    pub fn stats(&self) -> Vec<LayerStats> {
        self.shared.stats.peek().unwrap_or_default()
    }

    /// Pictures that were never encoded because a newer one came.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

/// The encode thread's state.
pub(crate) struct EncodeThread {
    settings: VideoSettings,
    orders: Receiver<EncodeOrder>,
    pictures: Slot<Arc<I420Frame>>,
    shared: Arc<Shared>,
    subscribers: Vec<Subscriber>,
    requests: KeyFrameRequests<u64>,
    /// A key frame was ordered and has not come out yet.
    key_ordered: bool,
    layer: LayerEncoder,
    last_encoded: Option<Instant>,
}

/// The thread's state and the handle to it. Media time counts from `origin`.
pub(crate) fn encoder(settings: VideoSettings, origin: Instant) -> (EncoderHandle, EncodeThread) {
    let (sender, orders) = sync_channel(QUEUE);
    let shared = Arc::new(Shared {
        restarted: AtomicBool::new(false),
        target_kbps: AtomicU32::new(settings.max_kbps),
        max_framerate: AtomicU32::new(settings.framerate),
        stats: Slot::new(),
        dropped: AtomicU64::new(0),
        next_subscriber: AtomicU64::new(0),
    });
    let pictures = Slot::new();
    let handle = EncoderHandle { orders: sender, pictures: pictures.clone(), shared: Arc::clone(&shared) };
    let thread = EncodeThread {
        layer: LayerEncoder::new(LAYER, settings.clone(), origin),
        settings,
        orders,
        pictures,
        shared,
        subscribers: Vec::new(),
        requests: KeyFrameRequests::new(KeyFrameConfig::default()),
        key_ordered: false,
        last_encoded: None,
    };
    (handle, thread)
}

impl EncodeThread {
    /// Runs until it is told to stop.
    pub fn run(mut self) {
        while let Ok(order) = self.orders.recv() {
            match order {
                EncodeOrder::Subscribe(subscriber) => self.subscribers.push(subscriber),
                EncodeOrder::Wake => {}
                EncodeOrder::Stop => return,
            }
            if let Some(frame) = self.pictures.take() {
                self.encode(&frame);
            }
        }
    }

    fn encode(&mut self, frame: &I420Frame) {
        self.forget_gone(frame.time);
        if self.subscribers.is_empty() {
            // Whoever subscribes next starts with a key frame, so the encoder's memory is of no use.
            self.layer.rest();
            return;
        }
        if !self.in_time(frame.time) {
            return;
        }
        self.order_key_frame(frame.time);
        let kbps = self.kbps(frame);
        match self.layer.encode(frame, kbps, self.key_ordered) {
            Ok(Some(encoded)) => self.publish(&Arc::new(encoded)),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a picture could not be encoded"),
        }
        self.shared.stats.put(vec![self.layer.stats()]);
    }

    fn forget_gone(&mut self, now: Instant) {
        let requests = &mut self.requests;
        self.subscribers.retain(|subscriber| {
            if subscriber.is_gone() {
                requests.handle(KeyFrameInput::PeerLeft(subscriber.id()), now);
            }
            !subscriber.is_gone()
        });
    }

    /// Keeps to the highest frame rate by leaving pictures out.
    fn in_time(&mut self, now: Instant) -> bool {
        let highest = self.shared.max_framerate.load(Ordering::Relaxed).min(self.settings.framerate).max(1);
        // A quarter of a frame's time is left for the camera's jitter.
        let interval = Duration::from_secs(1) * 3 / 4 / highest;
        let due = self.last_encoded.is_none_or(|last| now.saturating_duration_since(last) >= interval);
        if due {
            self.last_encoded = Some(now);
        }
        due
    }

    fn order_key_frame(&mut self, now: Instant) {
        self.key_ordered |= self.shared.restarted.swap(false, Ordering::Relaxed);
        for subscriber in &self.subscribers {
            if subscriber.wants_key_frame(LAYER) {
                let request = KeyFrameInput::Requested { peer: subscriber.id(), layer: LAYER };
                self.requests.handle(request, now);
            }
        }
        self.requests.handle(KeyFrameInput::Tick, now);
        while let Some(output) = self.requests.poll_output() {
            match output {
                KeyFrameOutput::Force { .. } => self.key_ordered = true,
                KeyFrameOutput::OverBudget { peer, .. } => {
                    tracing::debug!(peer, "asks for more key frames than its budget allows");
                }
            }
        }
    }

    fn kbps(&self, frame: &I420Frame) -> u32 {
        let pixels = u64::from(frame.width()) * u64::from(frame.height());
        // A tenth of a bit per pixel is where a viewer of VP8 stops seeing a gain.
        let enough = (pixels * u64::from(self.settings.framerate) / 10_000).clamp(50, 100_000) as u32;
        enough.min(self.settings.max_kbps).min(self.shared.target_kbps.load(Ordering::Relaxed))
    }

    fn publish(&mut self, frame: &Arc<EncodedFrame>) {
        if frame.key {
            self.key_ordered = false;
            self.requests.handle(KeyFrameInput::Encoded { layer: LAYER }, frame.captured);
        }
        for subscriber in &mut self.subscribers {
            subscriber.give(frame);
        }
    }
}
