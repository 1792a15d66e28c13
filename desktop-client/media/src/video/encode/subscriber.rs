//! One receiver of encoded frames: which layers it gets, and where it needs a key frame.

use std::sync::Arc;

use media_core::frame::EncodedFrame;
use tokio::sync::mpsc;

use super::wishes::Wishes;
use crate::layers::LayerMask;

/// One receiver.
pub(super) struct Subscriber {
    id: u64,
    sender: mpsc::Sender<Arc<EncodedFrame>>,
    wishes: Wishes,
    /// What it wanted when last looked at.
    wanted: LayerMask,
    /// Layers of which it has not seen the frames that a delta frame refers to.
    needs_key: LayerMask,
    /// Those of them of which it has seen nothing since it began to want them.
    begins: LayerMask,
}

impl Subscriber {
    /// A receiver that has seen nothing.
    pub fn new(id: u64, sender: mpsc::Sender<Arc<EncodedFrame>>, wishes: Wishes) -> Self {
        Self {
            id,
            sender,
            wishes,
            wanted: LayerMask::NONE,
            needs_key: LayerMask::NONE,
            begins: LayerMask::NONE,
        }
    }

    /// Tells it from others.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its wishes.
    pub fn wishes(&self) -> &Wishes {
        &self.wishes
    }

    /// Nobody receives any more.
    pub fn is_gone(&self) -> bool {
        self.sender.is_closed()
    }

    /// Looks which layers it wants now, to hold until the next look. One that it did not want before starts with a key frame.
    pub fn look(&mut self) -> LayerMask {
        let wanted = self.wishes.layers();
        let new = wanted.without(self.wanted);
        self.needs_key = self.needs_key.with(new).and(wanted);
        self.begins = self.begins.with(new).and(wanted);
        self.wanted = wanted;
        wanted
    }

    /// Whether it waits for the key frame that a layer begins with for it, and takes frames out.
    pub fn begins(&self, layer: u8) -> bool {
        self.begins.contains(layer) && self.sender.capacity() > 0
    }

    /// Whether a key frame would serve it now. One that does not take frames out is not served by more of them.
    pub fn wants_key_frame(&self, layer: u8) -> bool {
        let asked = self.wishes.take_key_frame(layer);
        self.wanted.contains(layer)
            && (asked || (self.needs_key.contains(layer) && self.sender.capacity() > 0))
    }

    /// Hands a frame over, if it wants the layer and can decode it.
    pub fn give(&mut self, frame: &Arc<EncodedFrame>) {
        let layer = LayerMask::only(frame.layer);
        let waits = self.needs_key.contains(frame.layer) && !frame.key;
        if !self.wanted.contains(frame.layer) || waits {
            return;
        }
        let lost = self.sender.try_send(Arc::clone(frame)).is_err();
        // A frame that nothing refers to may be lost without harm.
        if lost && !frame.discardable {
            self.needs_key = self.needs_key.with(layer);
            self.begins = self.begins.without(layer);
        } else if frame.key {
            self.needs_key = self.needs_key.without(layer);
            self.begins = self.begins.without(layer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;

    use super::*;

    fn frame(layer: u8, key: bool, discardable: bool) -> Arc<EncodedFrame> {
        Arc::new(EncodedFrame {
            layer,
            data: Bytes::new(),
            key,
            temporal_id: u8::from(discardable),
            layer_sync: false,
            discardable,
            timestamp: 0,
            captured: Instant::now(),
            width: 2,
            height: 2,
        })
    }

    fn subscriber(capacity: usize, layers: LayerMask) -> (Subscriber, mpsc::Receiver<Arc<EncodedFrame>>) {
        let (sender, receiver) = mpsc::channel(capacity);
        let mut subscriber = Subscriber::new(1, sender, Wishes::new(layers));
        subscriber.look();
        (subscriber, receiver)
    }

    const ONE: LayerMask = LayerMask::only(0);

    fn received(receiver: &mut mpsc::Receiver<Arc<EncodedFrame>>) -> Vec<(u8, bool)> {
        std::iter::from_fn(|| receiver.try_recv().ok()).map(|frame| (frame.layer, frame.key)).collect()
    }

    #[test]
    fn a_new_receiver_starts_with_a_key_frame() {
        let (mut subscriber, mut receiver) = subscriber(8, ONE);
        subscriber.give(&frame(0, false, false));
        assert!(subscriber.wants_key_frame(0) && subscriber.begins(0));
        subscriber.give(&frame(0, true, false));
        assert!(!subscriber.begins(0));
        subscriber.give(&frame(0, false, false));
        assert_eq!(received(&mut receiver), [(0, true), (0, false)]);
        assert!(!subscriber.wants_key_frame(0));
    }

    #[test]
    fn a_slow_receiver_continues_at_a_key_frame_once_it_has_room() {
        let (mut subscriber, mut receiver) = subscriber(2, ONE);
        for key in [true, false, false, false] {
            subscriber.give(&frame(0, key, false));
        }
        assert!(!subscriber.wants_key_frame(0), "its queue is full");
        assert_eq!(received(&mut receiver), [(0, true), (0, false)]);
        assert!(subscriber.wants_key_frame(0));
        subscriber.give(&frame(0, false, false));
        subscriber.give(&frame(0, true, false));
        assert_eq!(received(&mut receiver), [(0, true)]);
    }

    #[test]
    fn losing_a_frame_that_nothing_refers_to_needs_no_key_frame() {
        let (mut subscriber, mut receiver) = subscriber(1, ONE);
        subscriber.give(&frame(0, true, false));
        subscriber.give(&frame(0, false, true));
        assert_eq!(received(&mut receiver), [(0, true)]);
        subscriber.give(&frame(0, false, false));
        assert_eq!(received(&mut receiver), [(0, false)]);
    }

    #[test]
    fn layers_that_are_not_wanted_stay_out_of_the_queue() {
        let (mut subscriber, mut receiver) = subscriber(8, LayerMask::only(1));
        for layer in 0..3 {
            subscriber.give(&frame(layer, true, false));
        }
        assert_eq!(received(&mut receiver), [(1, true)]);
        assert!(!subscriber.wants_key_frame(0) && !subscriber.wants_key_frame(2));
    }

    #[test]
    fn a_layer_that_is_wanted_again_starts_with_a_key_frame_and_the_others_go_on() {
        let (mut subscriber, mut receiver) = subscriber(8, ONE);
        subscriber.give(&frame(0, true, false));
        subscriber.wishes().set_layers(ONE.with(LayerMask::only(1)));
        subscriber.look();
        assert!(subscriber.wants_key_frame(1) && !subscriber.wants_key_frame(0));
        subscriber.give(&frame(1, false, false));
        subscriber.give(&frame(0, false, false));
        subscriber.give(&frame(1, true, false));
        assert_eq!(received(&mut receiver), [(0, true), (0, false), (1, true)]);
        for layers in [LayerMask::only(1), ONE] {
            subscriber.wishes().set_layers(layers);
            subscriber.look();
        }
        assert!(subscriber.wants_key_frame(0));
        subscriber.give(&frame(0, false, false));
        assert_eq!(received(&mut receiver), []);
    }

    #[test]
    fn wishes_are_per_layer_and_taken_once() {
        let (mut subscriber, _receiver) = subscriber(8, [0, 1].into_iter().collect());
        subscriber.give(&frame(0, true, false));
        subscriber.give(&frame(1, true, false));
        for layer in [1, 2, 200] {
            subscriber.wishes().wish_key_frame(layer);
        }
        assert!(!subscriber.wants_key_frame(0));
        assert!(!subscriber.wants_key_frame(2), "it does not get this layer");
        assert!(subscriber.wants_key_frame(1));
        assert!(!subscriber.wants_key_frame(1));
    }
}
