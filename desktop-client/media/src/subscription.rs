//! The way out of what is encoded: one subscription per peer, the same bytes for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use media_core::frame::{EncodedAudio, EncodedFrame};
use tokio::sync::mpsc;

use crate::layers::LayerMask;
use crate::video::encode::Wishes;

/// Encoded frames waiting for one peer's task: 0.4 s of one layer, 0.2 s while the peer moves from one to another and gets both. When it is full,
/// newer frames are refused until the peer took some; then each layer of which it missed more than discardable frames continues at a key frame.
pub(crate) const VIDEO_CAPACITY: usize = 12;

/// Packets waiting for one peer's task: one second of sound. When it is full the newest is dropped.
pub(crate) const AUDIO_CAPACITY: usize = 50;

/// What one peer gets. Encoding runs only while there is a subscription; dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    /// Video frames of the layers that are chosen, each layer starting with a key frame. After a loss (this end was too slow) the layer's next one
    /// is a key frame too.
    pub video: mpsc::Receiver<Arc<EncodedFrame>>,
    /// Audio packets.
    pub audio: mpsc::Receiver<Arc<EncodedAudio>>,
    /// Where the peer's own requests for key frames go.
    pub key_frames: KeyFrameRequester,
    /// Which layers come.
    pub layers: LayerChoice,
    /// Which packets come.
    pub sound: SoundChoice,
}

/// Chooses how a peer gets our sound: usually in packets of 20 ms, or thin, in packets of 60 ms at a low bitrate ([`media_core::audio::encodings`]). Clones stand
/// for the same peer.
#[derive(Debug, Clone, Default)]
pub struct SoundChoice(Arc<AtomicBool>);

impl SoundChoice {
    /// From the next 60 ms on, without a gap. Costs one store, so it may be called at any time.
    pub fn set_thin(&self, thin: bool) {
        self.0.store(thin, Ordering::Relaxed);
    }

    /// Whether it is thin.
    pub fn is_thin(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Chooses the layers that a peer gets. Clones stand for the same peer.
#[derive(Debug, Clone)]
pub struct LayerChoice(pub(crate) Wishes);

impl LayerChoice {
    /// From the next picture on, only frames of these layers come; at the start that is layer 0. A layer that was not chosen before begins with a key
    /// frame, which is asked for at once. To move a peer without a gap choose both layers until the new one has
    /// come. Costs one store, so it may be called at any time.
    pub fn set(&self, layers: LayerMask) {
        self.0.set_layers(layers);
    }

    /// The layers that are chosen.
    pub fn get(&self) -> LayerMask {
        self.0.layers()
    }
}

/// Passes on a peer's requests for key frames (PLI, FIR). Clones stand for the same peer.
#[derive(Debug, Clone)]
pub struct KeyFrameRequester(pub(crate) Wishes);

impl KeyFrameRequester {
    /// Asks for a key frame of a layer. Requests are merged over all peers (at most one key frame per layer in half a second), and each peer has
    /// a budget, so this may be called as often as the peer asks.
    pub fn request(&self, layer: u8) {
        self.0.wish_key_frame(layer);
    }

    /// How often so far a request for a key frame of a layer found the peer's budget spent, and has to wait. When it grows, move the peer to a layer
    /// where it disturbs fewer people.
    pub fn over_budget(&self, layer: u8) -> u32 {
        self.0.over_budget(layer)
    }
}
