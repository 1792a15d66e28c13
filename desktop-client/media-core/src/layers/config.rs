//! The numbers that layer choice depends on.

use std::time::Duration;

use crate::bitrate::Bitrate;

/// Most layers of one camera at a time. Simulcast in WebRTC knows as many.
pub const LAYERS_MAX: usize = 3;

/// How layers are chosen.
#[derive(Debug, Clone, Copy)]
pub struct LayersConfig {
    /// Most that one layer may spend, whatever its size. Default 2500 kbit/s, libwebrtc's most for 720p.
    pub max_bitrate: Bitrate,
    /// Most frames per second of a layer. Default 30; more costs the encoder in proportion.
    pub max_framerate: u32,
    /// Temporal layers of each layer, 1 to 3. Default 3; with 1 a dip is answered by another layer only.
    pub temporal_layers: u8,
    /// What a peer is taken to bear before its first estimate. Default 300 kbit/s, libwebrtc's first estimate.
    pub start_bitrate: Bitrate,
    /// With less than this a peer gets no video. Default 32 kbit/s: seven frames a second of 320×180, as blurred as can still be recognised.
    pub floor: Bitrate,
    /// Times [`Self::floor`] is what brings the video back. Default 1.3: a thin path is seldom known to carry much more than it does.
    pub resume_margin: f64,
    /// The highest estimate of those who share a layer is at most this times its rate. Default 1.5; larger needs fewer layers, and takes more
    /// from those with good links.
    pub cluster_ratio: f64,
    /// A peer moves up when its estimate is this times what the layer asks for. Default 1.15.
    pub up_margin: f64,
    /// For how long the estimate must have been so high. Default 5 s; shorter follows a link sooner and flaps more.
    pub up_hold: Duration,
    /// For how long an estimate must have been higher before a layer's rate follows it. Default 2 s. A lower one is followed at once.
    pub settle: Duration,
    /// For so long after a peer has come, or its tile has grown, the two holds are the eager ones. Default 10 s.
    pub eager_for: Duration,
    /// [`Self::up_hold`] while eager. Default 500 ms.
    pub eager_up_hold: Duration,
    /// [`Self::settle`] while eager. Default 300 ms.
    pub eager_settle: Duration,
    /// For how long fewer temporal layers are the answer to a low estimate; then the peer moves to a lower layer. Default 1.5 s. Estimates that are low now
    /// and then get [`Self::settle`] more.
    pub dip: Duration,
    /// For how long a layer that a peer moves away from is kept, because the peer's stream switches on a key frame of the new one only. Default 600 ms:
    /// the 500 ms between two key frames of a layer ([`crate::key_frame::KeyFrameConfig`]), and some frames.
    pub overlap: Duration,
    /// How often a peer may move up at once. Default 4.
    pub up_burst: u32,
    /// After this it may move up once more. Default 5 s: each move costs a key frame, and one per 3 s is in a peer's key-frame budget.
    pub up_refill: Duration,
    /// A peer that must come down within this time has moved up for nothing: its next hold is twice as long. Default 30 s.
    pub failed_up: Duration,
    /// Longest such hold. Default 60 s.
    pub up_hold_max: Duration,
    /// For how long a peer that orders too many key frames stays on a lower layer. Default 20 s.
    pub key_frame_penalty: Duration,
    /// When to encode less.
    pub load: LoadConfig,
}

/// When to encode less because the computer cannot keep up.
#[derive(Debug, Clone, Copy)]
pub struct LoadConfig {
    /// Share of a frame's time from which encoding takes too long. Default 0.85.
    pub high: f64,
    /// Share under which more can be tried. Default 0.45: a step up costs about twice what was spent.
    pub low: f64,
    /// Between two steps down. Default 1 s, so that the effect of one is seen before the next.
    pub step: Duration,
    /// For how long the share must have been low before a step up. Default 10 s. Doubled by a step up that did not last.
    pub recovery: Duration,
    /// Longest such wait. Default 120 s.
    pub recovery_max: Duration,
}

impl Default for LayersConfig {
    fn default() -> Self {
        Self {
            max_bitrate: Bitrate::kbps(2_500),
            max_framerate: 30,
            temporal_layers: 3,
            start_bitrate: Bitrate::kbps(300),
            floor: Bitrate::kbps(32),
            resume_margin: 1.3,
            cluster_ratio: 1.5,
            up_margin: 1.15,
            up_hold: Duration::from_secs(5),
            settle: Duration::from_secs(2),
            eager_for: Duration::from_secs(10),
            eager_up_hold: Duration::from_millis(500),
            eager_settle: Duration::from_millis(300),
            dip: Duration::from_millis(1_500),
            overlap: Duration::from_millis(600),
            up_burst: 4,
            up_refill: Duration::from_secs(5),
            failed_up: Duration::from_secs(30),
            up_hold_max: Duration::from_secs(60),
            key_frame_penalty: Duration::from_secs(20),
            load: LoadConfig::default(),
        }
    }
}

impl Default for LoadConfig {
    fn default() -> Self {
        Self {
            high: 0.85,
            low: 0.45,
            step: Duration::from_secs(1),
            recovery: Duration::from_secs(10),
            recovery_max: Duration::from_secs(120),
        }
    }
}
