//! What the media threads tell the application.

use tokio::sync::mpsc;

use crate::devices::DeviceInfo;

/// Something happened that a person may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// The camera's state changed.
    CameraState(DeviceState),
    /// The microphone's state changed.
    MicrophoneState(DeviceState),
    /// The speaker's state changed.
    SpeakerState(DeviceState),
    /// The devices of this kind that there are, the default first.
    Devices {
        /// Which kind.
        kind: DeviceKind,
        /// All of them.
        list: Vec<DeviceInfo>,
    },
}

/// The three kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKind {
    /// Video in.
    Camera,
    /// Audio in.
    Microphone,
    /// Audio out.
    Speaker,
}

/// Whether a device runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceState {
    /// Not in use: switched off, or none chosen.
    Idle,
    /// Being opened.
    Opening,
    /// Delivering or taking data.
    Running {
        /// The device's name for people.
        name: String,
    },
    /// Could not be opened, or was lost. The call goes on without it.
    Failed(DeviceError),
}

/// Why a device does not work, in words for the person: `device`: `reason`. `next_step`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{device}: {reason} {next_step}")]
pub struct DeviceError {
    /// The device's name, or the file's path.
    pub device: String,
    /// What is wrong: a sentence.
    pub reason: String,
    /// What the person can do: a sentence.
    pub next_step: String,
}

impl DeviceError {
    /// Puts an error together; both parts are sentences.
    pub fn new(device: impl Into<String>, reason: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self { device: device.into(), reason: reason.into(), next_step: next_step.into() }
    }
}

/// The way out for events. The application's queue is bounded; events are few and caused by people and devices, so one that finds it full
/// (the application hangs) is logged and lost rather than blocking a media thread.
#[derive(Clone)]
pub(crate) struct Events(pub mpsc::Sender<MediaEvent>);

impl Events {
    pub fn send(&self, event: MediaEvent) {
        if let Err(error) = self.0.try_send(event) {
            tracing::warn!(%error, "a media event was lost");
        }
    }

    pub fn state(&self, kind: DeviceKind, state: DeviceState) {
        self.send(match kind {
            DeviceKind::Camera => MediaEvent::CameraState(state),
            DeviceKind::Microphone => MediaEvent::MicrophoneState(state),
            DeviceKind::Speaker => MediaEvent::SpeakerState(state),
        });
    }
}
