//! The way out of what is encoded: one subscription per peer, the same bytes for all.

use std::sync::Arc;

use media_core::frame::{EncodedAudio, EncodedFrame};
use tokio::sync::mpsc;

use crate::video::encode::KeyFrameWish;

/// Encoded frames waiting for one peer's task: a quarter of a second of video. When it is full, newer frames are refused until the peer took
/// some; then it continues at a key frame.
pub(crate) const VIDEO_CAPACITY: usize = 8;

/// Packets waiting for one peer's task: one second of sound. When it is full the newest is dropped.
pub(crate) const AUDIO_CAPACITY: usize = 50;

/// What one peer gets. Encoding runs only while there is a subscription; dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    /// Video frames, starting with a key frame. After a loss (this end was too slow) the next one is a key frame too.
    pub video: mpsc::Receiver<Arc<EncodedFrame>>,
    /// Audio packets.
    pub audio: mpsc::Receiver<Arc<EncodedAudio>>,
    /// Where the peer's own requests for key frames go.
    pub key_frames: KeyFrameRequester,
}

/// Passes on a peer's requests for key frames (PLI, FIR). Clones stand for the same peer.
#[derive(Debug, Clone)]
pub struct KeyFrameRequester(pub(crate) KeyFrameWish);

impl KeyFrameRequester {
    /// Asks for a key frame of a layer. Requests are merged over all peers (at most one key frame per layer in half a second), and each peer has
    /// a budget, so this may be called as often as the peer asks.
    pub fn request(&self, layer: u8) {
        self.0.wish(layer);
    }
}
