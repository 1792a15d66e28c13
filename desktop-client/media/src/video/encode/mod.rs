//! The encode thread: each picture is encoded once in each layer that somebody wants, and the same bytes go to every peer that gets the layer.
//!
//! It takes the newest picture from a slot, so what comes faster than it can encode is dropped before encoding. What is encoded is set from
//! outside ([`LayerTarget`](crate::LayerTarget)); of that, only what somebody is subscribed to. Requests for key frames are merged, and budgeted
//! per peer, by `media-core`.

mod encoders;
mod handle;
mod layer;
mod load;
mod pace;
mod subscriber;
mod wishes;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Instant;

use media_core::frame::I420Frame;
use media_core::key_frame::{KeyFrameConfig, KeyFrameInput, KeyFrameOutput, KeyFrameRequests};
use media_core::slot::Slot;

pub use self::encoders::LayerEncoders;
pub(crate) use self::handle::EncoderHandle;
use self::handle::{EncodeFigures, EncodeOrder, QUEUE, Shared};
use self::load::EncodeLoad;
use self::subscriber::Subscriber;
pub(crate) use self::wishes::Wishes;
use crate::config::VideoSettings;
use crate::layers::{LayerMask, MAX_LAYERS};

/// The encode thread's state.
pub(crate) struct EncodeThread {
    orders: Receiver<EncodeOrder>,
    pictures: Slot<Arc<I420Frame>>,
    shared: Arc<Shared>,
    subscribers: Vec<Subscriber>,
    requests: KeyFrameRequests<u64>,
    /// Layers of which a key frame was ordered and has not come out yet.
    key_ordered: LayerMask,
    encoders: LayerEncoders,
    load: EncodeLoad,
    /// [`Shared::offered`] at the last picture.
    offered: u64,
}

/// The thread's state and the handle to it. Media time counts from `origin`.
pub(crate) fn encoder(settings: VideoSettings, origin: Instant) -> (EncoderHandle, EncodeThread) {
    let (sender, orders) = sync_channel(QUEUE);
    let shared = Arc::new(Shared::default());
    let pictures = Slot::new();
    let handle = EncoderHandle::new(sender, pictures.clone(), Arc::clone(&shared));
    let thread = EncodeThread {
        orders,
        pictures,
        shared,
        subscribers: Vec::new(),
        requests: KeyFrameRequests::new(KeyFrameConfig::default()),
        key_ordered: LayerMask::NONE,
        encoders: LayerEncoders::new(settings, origin),
        load: EncodeLoad::default(),
        offered: 0,
    };
    (handle, thread)
}

impl EncodeThread {
    /// Runs until it is told to stop.
    pub fn run(mut self) {
        while let Some(order) = self.next_order() {
            match order {
                EncodeOrder::Subscribe(subscriber) => self.subscribers.push(subscriber),
                EncodeOrder::Wake => {}
                EncodeOrder::Stop => return,
            }
            if let Some(frame) = self.pictures.take() {
                self.take(&frame);
            }
            self.encoders.free_idle(Instant::now());
        }
    }

    /// Waits for an order, at most until an encoder is to be freed.
    fn next_order(&mut self) -> Option<EncodeOrder> {
        let Some(due) = self.encoders.next_idle() else { return self.orders.recv().ok() };
        match self.orders.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => Some(EncodeOrder::Wake),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Does all that there is to do with a picture.
    fn take(&mut self, frame: &I420Frame) {
        let begun = Instant::now();
        if let Some(targets) = self.shared.targets.take() {
            self.encoders.set_targets(targets);
        }
        self.forget_gone(frame.time);
        let wanted = self.subscribers.iter_mut().fold(LayerMask::NONE, |all, one| all.with(one.look()));
        let wanted = wanted.and(self.encoders.targeted());
        let due = self.encoders.due(frame.time, wanted);
        self.order_key_frames(due, frame.time);
        self.encode(frame, due);
        self.measure(frame.time, wanted, begun);
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

    fn order_key_frames(&mut self, due: LayerMask, now: Instant) {
        if self.shared.restarted.swap(false, Ordering::Relaxed) {
            self.key_ordered = (0..MAX_LAYERS).collect();
        }
        self.request(KeyFrameInput::Tick, now);
        for layer in due.iter() {
            for index in 0..self.subscribers.len() {
                let subscriber = &self.subscribers[index];
                // A key frame that is on its way serves all; asking for it again would cost the peer's budget.
                let (wants, begins, peer) =
                    (subscriber.wants_key_frame(layer), subscriber.begins(layer), subscriber.id());
                if wants && !self.key_ordered.contains(layer) {
                    let moved = KeyFrameInput::Begins { layer };
                    self.request(if begins { moved } else { KeyFrameInput::Requested { peer, layer } }, now);
                }
            }
        }
    }

    fn request(&mut self, input: KeyFrameInput<u64>, now: Instant) {
        self.requests.handle(input, now);
        while let Some(output) = self.requests.poll_output() {
            match output {
                KeyFrameOutput::Force { layer } => {
                    self.key_ordered = self.key_ordered.with(LayerMask::only(layer));
                }
                KeyFrameOutput::OverBudget { peer, layer } => {
                    let asking = self.subscribers.iter().find(|subscriber| subscriber.id() == peer);
                    if let Some(subscriber) = asking {
                        subscriber.wishes().count_over_budget(layer);
                    }
                }
            }
        }
    }

    fn encode(&mut self, frame: &I420Frame, due: LayerMask) {
        let Self { encoders, subscribers, requests, key_ordered, .. } = self;
        encoders.encode(frame, due, *key_ordered, |encoded| {
            if encoded.key {
                *key_ordered = key_ordered.without(LayerMask::only(encoded.layer));
                requests.handle(KeyFrameInput::Encoded { layer: encoded.layer }, encoded.captured);
            }
            let encoded = Arc::new(encoded);
            subscribers.iter_mut().for_each(|subscriber| subscriber.give(&encoded));
        });
    }

    fn measure(&mut self, now: Instant, wanted: LayerMask, begun: Instant) {
        let offered = self.shared.offered.load(Ordering::Relaxed);
        let new = offered.saturating_sub(std::mem::replace(&mut self.offered, offered));
        if wanted.is_empty() {
            self.load.rest();
        } else {
            self.load.add(now, new, begun.elapsed());
        }
        let figures = EncodeFigures { layers: self.encoders.stats(now), load: self.load.share() };
        self.shared.figures.put((now, figures));
    }
}
