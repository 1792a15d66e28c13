//! What goes into layer choice and what comes out of it.

use super::temporal::TemporalShare;
use crate::bitrate::Bitrate;

/// What a camera delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameraFormat {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second.
    pub framerate: u32,
}

/// How large a peer shows our picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Demand {
    /// Unknown, as of browsers: large.
    #[default]
    Whole,
    /// In a tile of this size.
    Tile {
        /// Width in device pixels.
        width: u32,
        /// Height in device pixels.
        height: u32,
    },
    /// Not at all.
    Hidden,
}

/// How the encoder keeps up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EncoderLoad {
    /// Share of the time between two frames that encoding all layers takes, 0 and up.
    Share(f64),
    /// Frames are being left out because encoding takes too long.
    Behind,
}

/// A fact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LayersInput<P> {
    /// The camera's format; `None`: it is off.
    Camera(Option<CameraFormat>),
    /// A peer is there to be sent video. Nothing is known of it yet.
    Joined(P),
    /// A peer is gone.
    Left(P),
    /// What the path to a peer bears of video, after sound and repairs are taken off.
    Estimate {
        /// Who.
        peer: P,
        /// How much.
        bitrate: Bitrate,
    },
    /// How a peer shows our picture.
    Demand {
        /// Who.
        peer: P,
        /// How.
        demand: Demand,
    },
    /// A peer orders more key frames than its budget allows ([`crate::key_frame::KeyFrameOutput::OverBudget`]).
    KeyFramesOverBudget(P),
    /// How the encoder keeps up; once a second, or when it falls behind.
    Load(EncoderLoad),
    /// Time went on.
    Tick,
}

/// An order.
#[derive(Debug, Clone, PartialEq)]
pub enum LayersOutput<P> {
    /// Encode exactly these layers from now on, smallest first; a layer that was not encoded before begins with a key frame.
    Encode(Vec<LayerOrder>),
    /// What a peer gets from now on.
    Serve {
        /// Who.
        peer: P,
        /// What.
        order: PeerOrder,
    },
}

/// A layer to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerOrder {
    /// Which: 0 is the smallest that the camera has. It stands for the same size as long as the camera's format stays.
    pub index: u8,
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// What the encoder may spend, all temporal layers together.
    pub bitrate: Bitrate,
    /// Most frames per second.
    pub framerate: u32,
}

impl LayerOrder {
    /// What of it a peer with this temporal limit gets.
    pub fn bitrate_up_to(&self, max_temporal_id: u8, share: TemporalShare) -> Bitrate {
        share.of(self.bitrate, max_temporal_id)
    }
}

/// What a peer gets: the target of its [`crate::vp8::selector::FrameSelector`], and why it is no better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerOrder {
    /// The layer; `None`: no video.
    pub layer: Option<u8>,
    /// Highest temporal layer.
    pub max_temporal_id: u8,
    /// What would be sent if the path bore it ([`crate::congestion::BandwidthEstimator::set_demand`]): probes need not go further.
    pub demand: Bitrate,
    /// How good it is, and what is in the way of better.
    pub state: VideoState,
}

/// How good a peer's video is. The reasons are those of `qualityLimitationReason` (W3C webrtc-stats), and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VideoState {
    /// Our camera is off.
    Off,
    /// The peer does not show it.
    Hidden,
    /// The path bears sound only; both ends say so.
    Suspended,
    /// The camera's whole size and all its frames.
    Full,
    /// Smaller, or fewer frames.
    Limited(Limit),
}

/// Why video is smaller, or has fewer frames, than the camera gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// The path bears no more, or those who share the larger layer have much better ones.
    Bandwidth,
    /// The peer's tile is no larger.
    Tile,
    /// Our computer cannot encode more.
    Cpu,
    /// The peer ordered too many key frames.
    KeyFrames,
}
