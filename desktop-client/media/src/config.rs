//! How the media side of a call is set up.

use crate::codec::speed::EncoderSpeed;
use crate::codec::temporal::TemporalLayers;
use crate::source::{CameraSource, MicrophoneSource, SpeakerSink};

/// What [`crate::Media::start`] takes.
#[derive(Debug, Clone, Default)]
pub struct MediaConfig {
    /// Where pictures come from; `None`: no camera.
    pub camera: Option<CameraSource>,
    /// Where sound comes from; `None`: no microphone.
    pub microphone: Option<MicrophoneSource>,
    /// Where the others' sound goes.
    pub speaker: SpeakerSink,
    /// Whether the camera is on at the start. Default: off.
    pub camera_enabled: bool,
    /// Whether the microphone is on at the start. Default: off.
    pub microphone_enabled: bool,
    /// What is done to the sound of a microphone. Other sources are sent as they are.
    pub voice: VoiceProcessing,
    /// Sizes and rates of our video.
    pub video: VideoSettings,
}

/// What is done to a microphone's voice. Default: everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoiceProcessing {
    /// Removes what our speaker plays from what our microphone hears.
    pub echo_cancellation: bool,
    /// Removes steady noise: fans, traffic, hiss.
    pub noise_suppression: bool,
    /// Makes quiet voices louder, and limits loud ones.
    pub automatic_gain: bool,
}

impl VoiceProcessing {
    /// The sound as it is.
    pub const OFF: Self = Self { echo_cancellation: false, noise_suppression: false, automatic_gain: false };
}

impl Default for VoiceProcessing {
    fn default() -> Self {
        Self { echo_cancellation: true, noise_suppression: true, automatic_gain: true }
    }
}

/// Sizes and rates of the video that we send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoSettings {
    /// Width asked of a camera, in pixels; the nearest that it has is taken. Default 1280.
    pub width: u32,
    /// Height asked of a camera, in pixels. Default 720.
    pub height: u32,
    /// Frames per second: asked of a camera, and the most that is encoded. Default 30.
    pub framerate: u32,
    /// Most that the encoder may spend on a layer, in kbit/s, whatever the size. Default 2500.
    pub max_kbps: u32,
    /// How much time the encoder takes over a picture.
    pub speed: EncoderSpeed,
    /// Encoder threads. Default 1, the cheapest in total.
    pub threads: u32,
    /// Temporal layers of each size. Default: three, so that a peer's rate can fall to about 40 % without another encode.
    pub temporal_layers: TemporalLayers,
}

impl Default for VideoSettings {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            framerate: 30,
            max_kbps: 2500,
            speed: EncoderSpeed::default(),
            threads: 1,
            temporal_layers: TemporalLayers::Three,
        }
    }
}
