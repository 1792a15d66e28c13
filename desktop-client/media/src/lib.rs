//! Devices, codecs and the media threads: everything of a call that touches hardware, pixels or samples.
//!
//! [`Media`] owns the threads `camera`, `video-encode`, `video-decode`, `audio`, `microphone`, `speaker` and `device-list`. Pictures and sound go out
//! through a [`Subscription`] per peer, encoded once for all of them, and come in through a [`PeerPlayer`] per peer. Nothing here knows of networks.
//!
//! A camera, microphone or speaker that fails is a [`MediaEvent`] with a sentence for the person; the call goes on without it.

mod audio;
mod clock;
pub mod codec;
mod config;
mod cpu;
mod device_watch;
pub mod devices;
mod event;
mod layers;
mod media;
mod player;
mod repaint;
mod source;
mod stats;
mod subscription;
mod video;

pub use config::{MediaConfig, VideoSettings, VoiceProcessing};
pub use devices::{DeviceInfo, DeviceList};
pub use event::{DeviceError, DeviceKind, DeviceState, MediaEvent};
pub use layers::{LayerMask, LayerTarget, MAX_LAYERS};
pub use media::{Media, StartError};
pub use player::{PeerPlayer, PlayerMonitor};
pub use source::{CameraSource, ClipMarks, MicrophoneSource, SourceParseError, SpeakerSink, VideoFormat};
pub use stats::{
    AudioReceiveStats, AudioStats, CaptureStats, Latency, LayerStats, MediaStats, PlayerStats,
    VideoReceiveStats,
};
pub use subscription::{KeyFrameRequester, LayerChoice, SoundChoice, Subscription};
pub use video::encode::LayerEncoders;
pub use video::scale;
