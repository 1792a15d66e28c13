//! Maps the session's wishes about devices to the media threads.
//!
//! The session says what is wanted and which scene is up (none, preview, call); whether a device runs follows from both.

use std::sync::Arc;

use call_core::command::DeviceKind;
use call_core::session::{MediaFact, MediaOrder};
use call_core::snapshot::{DeviceInfo, Snapshot, SoundMode, VoiceProcessing};
use call_media::devices::DeviceList;
use call_media::{CameraSource, DeviceState, Media, MediaEvent, MicrophoneSource, SpeakerSink};
use media_core::audio::encodings;
use tokio::sync::mpsc;

/// Which devices are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// None.
    Off,
    /// Camera and microphone, for the person alone.
    Preview,
    /// All three.
    Call,
}

/// What the command line says about devices. A source that it names stays, whatever the session would choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceSetup {
    /// The camera is named.
    pub camera_named: bool,
    /// The microphone is named.
    pub microphone_named: bool,
    /// The speaker, when it is named.
    pub speaker: Option<SpeakerSink>,
}

/// Carries out [`MediaOrder`]s.
pub struct Devices {
    media: Arc<Media>,
    setup: DeviceSetup,
    scene: Scene,
    camera_enabled: bool,
    microphone_enabled: bool,
    /// The microphone is kept open in a call while it is off.
    stand_by: bool,
    speaker: SpeakerSink,
    lists: mpsc::Sender<DeviceList>,
}

impl Devices {
    /// Everything is off until the session says otherwise.
    pub fn new(
        media: Arc<Media>,
        setup: DeviceSetup,
        snapshot: &Snapshot,
        lists: mpsc::Sender<DeviceList>,
    ) -> Self {
        let devices = &snapshot.devices;
        let (camera_enabled, microphone_enabled) = (devices.camera.enabled, devices.microphone.enabled);
        let speaker = setup.speaker.clone().unwrap_or(SpeakerSink::Device(devices.speaker.chosen.clone()));
        let stand_by = devices.push_to_talk;
        Self { media, setup, scene: Scene::Off, camera_enabled, microphone_enabled, stand_by, speaker, lists }
    }

    /// Carries out an order.
    pub fn carry_out(&mut self, order: MediaOrder) {
        match order {
            MediaOrder::StartPreview => self.enter(Scene::Preview),
            MediaOrder::StartCall => self.enter(Scene::Call),
            MediaOrder::Stop => self.enter(Scene::Off),
            MediaOrder::Enable { kind: DeviceKind::Camera, enabled } => self.camera_enabled = enabled,
            MediaOrder::Enable { kind: DeviceKind::Microphone, enabled } => self.microphone_enabled = enabled,
            MediaOrder::Enable { kind: DeviceKind::Speaker, .. } => {}
            MediaOrder::StandBy(on) => self.stand_by = on,
            MediaOrder::Choose { kind, id } => return self.choose(kind, id),
            MediaOrder::ProcessVoice(parts) => return self.process_voice(parts),
            MediaOrder::Retry(kind) => return self.media.retry(media_kind(kind)),
            MediaOrder::List => return self.list(),
        }
        self.apply();
    }

    fn process_voice(&self, parts: VoiceProcessing) {
        self.media.process_voice(media_voice(parts));
        self.media.set_sound_mode(match parts.mode {
            SoundMode::Voice => encodings::SoundMode::Voice,
            SoundMode::Music => encodings::SoundMode::Music,
        });
    }

    fn apply(&self) {
        let running = self.scene != Scene::Off;
        self.media.set_camera_enabled(running && self.camera_enabled);
        self.media.set_microphone_stand_by(self.scene == Scene::Call && self.stand_by);
        self.media.set_microphone_enabled(running && self.microphone_enabled);
    }

    /// A speaker is open in a call only.
    fn enter(&mut self, scene: Scene) {
        let sounding = |scene| scene == Scene::Call;
        if sounding(scene) != sounding(self.scene) {
            let sink = if sounding(scene) { self.speaker.clone() } else { SpeakerSink::None };
            self.media.choose_speaker(sink);
        }
        self.scene = scene;
    }

    /// Asking the system may take seconds, so it is done aside; one answer at a time is enough.
    fn list(&self) {
        let Ok(place) = self.lists.clone().try_reserve_owned() else { return };
        tokio::task::spawn_blocking(move || place.send(DeviceList::query()));
    }

    fn choose(&mut self, kind: DeviceKind, id: Option<String>) {
        match kind {
            DeviceKind::Camera if self.setup.camera_named => {}
            DeviceKind::Microphone if self.setup.microphone_named => {}
            DeviceKind::Speaker if self.setup.speaker.is_some() => {}
            DeviceKind::Camera => self.media.choose_camera(Some(CameraSource::Device(id))),
            DeviceKind::Microphone => self.media.choose_microphone(Some(MicrophoneSource::Device(id))),
            DeviceKind::Speaker => {
                self.speaker = SpeakerSink::Device(id);
                if self.scene == Scene::Call {
                    self.media.choose_speaker(self.speaker.clone());
                }
            }
        }
    }
}

fn media_voice(parts: VoiceProcessing) -> call_media::VoiceProcessing {
    let VoiceProcessing { echo_cancellation, noise_suppression, automatic_gain, mode: _ } = parts;
    call_media::VoiceProcessing { echo_cancellation, noise_suppression, automatic_gain }
}

fn media_kind(kind: DeviceKind) -> call_media::DeviceKind {
    match kind {
        DeviceKind::Camera => call_media::DeviceKind::Camera,
        DeviceKind::Microphone => call_media::DeviceKind::Microphone,
        DeviceKind::Speaker => call_media::DeviceKind::Speaker,
    }
}

fn session_kind(kind: call_media::DeviceKind) -> DeviceKind {
    match kind {
        call_media::DeviceKind::Camera => DeviceKind::Camera,
        call_media::DeviceKind::Microphone => DeviceKind::Microphone,
        call_media::DeviceKind::Speaker => DeviceKind::Speaker,
    }
}

/// What a media event means to the session.
pub fn fact(event: MediaEvent) -> MediaFact {
    match event {
        MediaEvent::CameraState(state) => state_fact(DeviceKind::Camera, state),
        MediaEvent::MicrophoneState(state) => state_fact(DeviceKind::Microphone, state),
        MediaEvent::SpeakerState(state) => state_fact(DeviceKind::Speaker, state),
        MediaEvent::Devices { kind, list } => devices_fact(session_kind(kind), list),
    }
}

fn state_fact(kind: DeviceKind, state: DeviceState) -> MediaFact {
    match state {
        DeviceState::Idle => MediaFact::Closed(kind),
        DeviceState::Opening => MediaFact::Opening(kind),
        DeviceState::Running { .. } => MediaFact::Opened(kind),
        DeviceState::Failed(error) => MediaFact::Failed { kind, message: error.to_string() },
    }
}

/// What a list of devices means to the session: a fact for each kind.
pub fn list_facts(list: DeviceList) -> [MediaFact; 3] {
    [
        (DeviceKind::Camera, list.cameras),
        (DeviceKind::Microphone, list.microphones),
        (DeviceKind::Speaker, list.speakers),
    ]
    .map(|(kind, devices)| devices_fact(kind, devices))
}

fn devices_fact(kind: DeviceKind, devices: Vec<call_media::DeviceInfo>) -> MediaFact {
    let list = devices.into_iter().map(|device| DeviceInfo { id: device.id, name: device.name }).collect();
    MediaFact::Devices { kind, list }
}
