//! One receiver of encoded frames, and its wishes for key frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use media_core::frame::EncodedFrame;
use tokio::sync::mpsc;

/// A peer's wishes for key frames: one bit per layer, so that a peer that asks a thousand times a second costs nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyFrameWish(Arc<AtomicU32>);

impl KeyFrameWish {
    /// Wishes a key frame of a layer (0 to 31; there are no others).
    pub fn wish(&self, layer: u8) {
        self.0.fetch_or(bit(layer), Ordering::Relaxed);
    }

    fn take(&self, layer: u8) -> bool {
        self.0.fetch_and(!bit(layer), Ordering::Relaxed) & bit(layer) != 0
    }
}

fn bit(layer: u8) -> u32 {
    1_u32.checked_shl(layer.into()).unwrap_or(0)
}

/// One receiver.
pub(super) struct Subscriber {
    id: u64,
    sender: mpsc::Sender<Arc<EncodedFrame>>,
    wish: KeyFrameWish,
    /// Has not seen the frames that a delta frame refers to.
    needs_key: bool,
}

impl Subscriber {
    /// A receiver that has seen nothing.
    pub fn new(id: u64, sender: mpsc::Sender<Arc<EncodedFrame>>) -> Self {
        Self { id, sender, wish: KeyFrameWish::default(), needs_key: true }
    }

    /// Tells it from others.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its wishes.
    pub fn wish(&self) -> KeyFrameWish {
        self.wish.clone()
    }

    /// Nobody receives any more.
    pub fn is_gone(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether a key frame would serve it now. One that does not take frames out is not served by more of them.
    pub fn wants_key_frame(&self, layer: u8) -> bool {
        self.wish.take(layer) || (self.needs_key && self.sender.capacity() > 0)
    }

    /// Hands a frame over, unless it could not be decoded.
    pub fn give(&mut self, frame: &Arc<EncodedFrame>) {
        if self.needs_key && !frame.key {
            return;
        }
        let lost = self.sender.try_send(Arc::clone(frame)).is_err();
        // A frame that nothing refers to may be lost without harm.
        if lost && !frame.discardable {
            self.needs_key = true;
        } else if frame.key {
            self.needs_key = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;

    use super::*;

    fn frame(key: bool, discardable: bool) -> Arc<EncodedFrame> {
        Arc::new(EncodedFrame {
            layer: 0,
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

    fn received(receiver: &mut mpsc::Receiver<Arc<EncodedFrame>>) -> Vec<bool> {
        std::iter::from_fn(|| receiver.try_recv().ok()).map(|frame| frame.key).collect()
    }

    #[test]
    fn a_new_receiver_starts_with_a_key_frame() {
        let (sender, mut receiver) = mpsc::channel(8);
        let mut subscriber = Subscriber::new(1, sender);
        subscriber.give(&frame(false, false));
        assert!(subscriber.wants_key_frame(0));
        subscriber.give(&frame(true, false));
        subscriber.give(&frame(false, false));
        assert_eq!(received(&mut receiver), [true, false]);
        assert!(!subscriber.wants_key_frame(0));
    }

    #[test]
    fn a_slow_receiver_continues_at_a_key_frame_once_it_has_room() {
        let (sender, mut receiver) = mpsc::channel(2);
        let mut subscriber = Subscriber::new(1, sender);
        for key in [true, false, false, false] {
            subscriber.give(&frame(key, false));
        }
        assert!(!subscriber.wants_key_frame(0), "its queue is full");
        assert_eq!(received(&mut receiver), [true, false]);
        assert!(subscriber.wants_key_frame(0));
        subscriber.give(&frame(false, false));
        subscriber.give(&frame(true, false));
        assert_eq!(received(&mut receiver), [true]);
    }

    #[test]
    fn losing_a_frame_that_nothing_refers_to_needs_no_key_frame() {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut subscriber = Subscriber::new(1, sender);
        subscriber.give(&frame(true, false));
        subscriber.give(&frame(false, true));
        assert_eq!(received(&mut receiver), [true]);
        subscriber.give(&frame(false, false));
        assert_eq!(received(&mut receiver), [false]);
    }

    #[test]
    fn wishes_are_per_layer_and_taken_once() {
        let (sender, _receiver) = mpsc::channel(1);
        let mut subscriber = Subscriber::new(1, sender);
        subscriber.give(&frame(true, false));
        subscriber.wish().wish(1);
        subscriber.wish().wish(200);
        assert!(!subscriber.wants_key_frame(0));
        assert!(subscriber.wants_key_frame(1));
        assert!(!subscriber.wants_key_frame(1));
    }
}
