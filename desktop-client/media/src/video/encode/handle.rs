//! The other threads' side of the encode thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use media_core::frame::{EncodedFrame, I420Frame};
use media_core::slot::Slot;
use tokio::sync::mpsc;

use super::subscriber::Subscriber;
use super::wishes::Wishes;
use crate::layers::{LayerMask, LayerTarget};
use crate::stats::LayerStats;

/// Orders waiting for the encode thread, which takes them between two pictures. Subscribing waits for a place; wake-ups find a full queue to
/// be as good as delivered.
pub(super) const QUEUE: usize = 32;

/// Figures of the last second say nothing when the last picture is older.
const STALE: Duration = Duration::from_secs(1);

pub(super) enum EncodeOrder {
    Subscribe(Subscriber),
    Wake,
    Stop,
}

/// What the encode thread tells of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct EncodeFigures {
    /// The layers that ever encoded, smallest first.
    pub layers: Vec<LayerStats>,
    /// Share of the time between two pictures that encoding takes; `None` while nothing is encoded.
    pub load: Option<f64>,
}

#[derive(Default)]
pub(super) struct Shared {
    /// The camera was reopened.
    pub restarted: AtomicBool,
    /// What is to be encoded, when that changed.
    pub targets: Slot<Vec<LayerTarget>>,
    /// Pictures that the camera gave.
    pub offered: AtomicU64,
    /// Of these, never encoded because a newer one came.
    pub dropped: AtomicU64,
    /// As of a time.
    pub figures: Slot<(Instant, EncodeFigures)>,
    next_subscriber: AtomicU64,
}

/// The handle.
#[derive(Clone)]
pub(crate) struct EncoderHandle {
    orders: SyncSender<EncodeOrder>,
    pictures: Slot<Arc<I420Frame>>,
    shared: Arc<Shared>,
}

impl EncoderHandle {
    pub(super) fn new(
        orders: SyncSender<EncodeOrder>,
        pictures: Slot<Arc<I420Frame>>,
        shared: Arc<Shared>,
    ) -> Self {
        Self { orders, pictures, shared }
    }

    /// Gives the newest picture to the encoder; one that it has not begun with is dropped.
    pub fn offer(&self, frame: Arc<I420Frame>) {
        self.shared.offered.fetch_add(1, Ordering::Relaxed);
        if self.pictures.put(frame).is_some() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        let _ = self.orders.try_send(EncodeOrder::Wake);
    }

    /// The next picture is unlike the last: make it a key frame.
    pub fn camera_restarted(&self) {
        self.shared.restarted.store(true, Ordering::Relaxed);
    }

    /// Sets what is encoded from the next picture on.
    pub fn set_targets(&self, targets: Vec<LayerTarget>) {
        self.shared.targets.put(targets);
    }

    /// Adds a receiver of encoded frames, of layer 0 until it wishes others; it ends when its channel is closed.
    pub fn subscribe(&self, sender: mpsc::Sender<Arc<EncodedFrame>>) -> Wishes {
        let id = self.shared.next_subscriber.fetch_add(1, Ordering::Relaxed);
        let wishes = Wishes::new(LayerMask::only(0));
        let _ = self.orders.send(EncodeOrder::Subscribe(Subscriber::new(id, sender, wishes.clone())));
        wishes
    }

    /// Ends the thread.
    pub fn stop(&self) {
        let _ = self.orders.send(EncodeOrder::Stop);
    }

    /// Its figures. Those of the last second are `None` when the camera is off.
    pub fn figures(&self) -> EncodeFigures {
        let Some((at, mut figures)) = self.shared.figures.peek() else { return EncodeFigures::default() };
        if at.elapsed() > STALE {
            figures.load = None;
            for layer in &mut figures.layers {
                (layer.target_kbps, layer.bitrate_kbps) = (None, None);
            }
        }
        figures
    }

    /// Pictures that were never encoded because a newer one came.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}
