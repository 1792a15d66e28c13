//! Our own camera, microphone and speaker: what the person wants of them, and what they do.
//!
//! Only the person switches a device on or off. A device that fails stays wanted, and the call goes on without it.

use std::collections::VecDeque;

use super::seam::{ChosenDevices, MediaFact, MediaOrder, SessionConfig};
use crate::command::DeviceKind;
use crate::control::ControlMessage;
use crate::snapshot::{DeviceInfo, DeviceState, DeviceView, DevicesView, VoiceProcessing};
use crate::text::single_line;

const KINDS: [DeviceKind; 3] = [DeviceKind::Camera, DeviceKind::Microphone, DeviceKind::Speaker];

/// Most devices of one kind that are listed. Nobody has so many; a driver gone mad may.
const LIST_MAX: usize = 64;

/// What the devices are used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    Nothing,
    Preview,
    Call,
}

#[derive(Debug)]
pub(super) struct Devices {
    view: DevicesView,
    scene: Scene,
    orders: VecDeque<MediaOrder>,
}

impl Devices {
    pub(super) fn new(config: &SessionConfig) -> Self {
        let view = |kind, enabled| DeviceView {
            enabled,
            state: DeviceState::Idle,
            available: Vec::new(),
            chosen: config.chosen.get(kind).map(str::to_owned),
        };
        let view = DevicesView {
            camera: view(DeviceKind::Camera, config.camera_enabled),
            microphone: view(DeviceKind::Microphone, config.microphone_enabled && !config.push_to_talk),
            speaker: view(DeviceKind::Speaker, true),
            voice: config.voice,
            push_to_talk: config.push_to_talk,
            talking: false,
        };
        let mut devices = Self { view, scene: Scene::Nothing, orders: VecDeque::new() };
        for kind in KINDS {
            let DeviceView { enabled, chosen, .. } = devices.view.get(kind).clone();
            devices.orders.push_back(MediaOrder::Choose { kind, id: chosen });
            devices.orders.push_back(MediaOrder::Enable { kind, enabled });
        }
        devices.orders.push_back(MediaOrder::ProcessVoice(config.voice));
        devices.orders.push_back(MediaOrder::StandBy(config.push_to_talk));
        devices.orders.push_back(MediaOrder::List);
        devices
    }

    pub(super) fn view(&self) -> &DevicesView {
        &self.view
    }

    pub(super) fn chosen(&self) -> ChosenDevices {
        ChosenDevices {
            camera: self.view.camera.chosen.clone(),
            microphone: self.view.microphone.chosen.clone(),
            speaker: self.view.speaker.chosen.clone(),
        }
    }

    pub(super) fn poll_order(&mut self) -> Option<MediaOrder> {
        self.orders.pop_front()
    }

    /// What the others are told: a device that failed is as good as off.
    pub(super) fn state_message(&self) -> ControlMessage {
        let on = |kind| self.is_on(kind) && !matches!(self.view.get(kind).state, DeviceState::Failed(_));
        ControlMessage::State { microphone: on(DeviceKind::Microphone), camera: on(DeviceKind::Camera) }
    }

    pub(super) fn set_scene(&mut self, scene: Scene) {
        if scene == self.scene {
            return;
        }
        self.talk(false);
        self.scene = scene;
        self.orders.push_back(match scene {
            Scene::Nothing => MediaOrder::Stop,
            Scene::Preview => MediaOrder::StartPreview,
            Scene::Call => MediaOrder::StartCall,
        });
        for kind in KINDS {
            if scene == Scene::Nothing {
                self.get_mut(kind).state = DeviceState::Idle;
            } else if self.is_wanted(kind) && self.view.get(kind).state == DeviceState::Idle {
                self.get_mut(kind).state = DeviceState::Opening;
            }
        }
    }

    pub(super) fn enable(&mut self, kind: DeviceKind, enabled: bool) {
        if self.view.get(kind).enabled == enabled {
            return;
        }
        let before = self.is_on(kind);
        self.get_mut(kind).enabled = enabled;
        if kind == DeviceKind::Microphone {
            self.view.talking = false;
        }
        self.switched(kind, before);
    }

    /// Talks while the microphone is off. A microphone that was switched on meanwhile stays on.
    pub(super) fn talk(&mut self, held: bool) {
        let before = self.is_on(DeviceKind::Microphone);
        self.view.talking = held && self.scene == Scene::Call && !self.view.microphone.enabled;
        self.switched(DeviceKind::Microphone, before);
    }

    pub(super) fn set_push_to_talk(&mut self, on: bool) {
        if self.view.push_to_talk == on {
            return;
        }
        self.view.push_to_talk = on;
        self.orders.push_back(MediaOrder::StandBy(on));
        if on {
            self.enable(DeviceKind::Microphone, false);
        }
    }

    /// A device was on or off before; if that is otherwise now, it follows.
    fn switched(&mut self, kind: DeviceKind, before: bool) {
        let enabled = self.is_on(kind);
        if enabled == before {
            return;
        }
        self.orders.push_back(MediaOrder::Enable { kind, enabled });
        match &self.view.get(kind).state {
            DeviceState::Idle | DeviceState::Failed(_) if self.is_wanted(kind) => {
                self.get_mut(kind).state = DeviceState::Opening;
            }
            // It is needed again soon: the person should know.
            DeviceState::Failed(_) if kind == DeviceKind::Microphone && self.view.push_to_talk => {}
            DeviceState::Failed(_) => self.get_mut(kind).state = DeviceState::Idle,
            // A device that goes away when it is switched off says so itself.
            DeviceState::Idle | DeviceState::Opening | DeviceState::Running => {}
        }
    }

    pub(super) fn choose(&mut self, kind: DeviceKind, id: Option<String>) {
        self.get_mut(kind).chosen.clone_from(&id);
        self.orders.push_back(MediaOrder::Choose { kind, id });
        if self.is_wanted(kind) {
            self.get_mut(kind).state = DeviceState::Opening;
        }
    }

    pub(super) fn process_voice(&mut self, parts: VoiceProcessing) {
        if self.view.voice != parts {
            self.view.voice = parts;
            self.orders.push_back(MediaOrder::ProcessVoice(parts));
        }
    }

    pub(super) fn retry(&mut self, kind: DeviceKind) {
        if matches!(self.view.get(kind).state, DeviceState::Failed(_)) {
            self.get_mut(kind).state = DeviceState::Opening;
            self.orders.push_back(MediaOrder::Retry(kind));
        }
    }

    pub(super) fn list(&mut self) {
        self.orders.push_back(MediaOrder::List);
    }

    pub(super) fn handle(&mut self, fact: MediaFact) {
        match fact {
            // On its way when the order to stop was given.
            MediaFact::Opening(_)
            | MediaFact::Opened(_)
            | MediaFact::Failed { .. }
            | MediaFact::Lost { .. }
                if self.scene == Scene::Nothing => {}
            MediaFact::Opening(kind) => self.get_mut(kind).state = DeviceState::Opening,
            MediaFact::Opened(kind) => self.get_mut(kind).state = DeviceState::Running,
            MediaFact::Closed(kind) => self.get_mut(kind).state = DeviceState::Idle,
            MediaFact::Failed { kind, message } | MediaFact::Lost { kind, message } => {
                self.get_mut(kind).state = DeviceState::Failed(single_line(&message, 300));
            }
            MediaFact::Devices { kind, mut list } => {
                list.truncate(LIST_MAX);
                let safe = |info: DeviceInfo| DeviceInfo { name: single_line(&info.name, 100), ..info };
                self.get_mut(kind).available = list.into_iter().map(safe).collect();
            }
        }
    }

    /// The scene and the person want this device to run.
    fn is_wanted(&self, kind: DeviceKind) -> bool {
        match self.scene {
            Scene::Nothing => false,
            Scene::Preview => kind != DeviceKind::Speaker && self.is_on(kind),
            Scene::Call => self.is_on(kind),
        }
    }

    /// What the person says, by switch or by holding a key.
    fn is_on(&self, kind: DeviceKind) -> bool {
        match kind {
            DeviceKind::Microphone => self.view.is_heard(),
            DeviceKind::Camera | DeviceKind::Speaker => self.view.get(kind).enabled,
        }
    }

    fn get_mut(&mut self, kind: DeviceKind) -> &mut DeviceView {
        match kind {
            DeviceKind::Camera => &mut self.view.camera,
            DeviceKind::Microphone => &mut self.view.microphone,
            DeviceKind::Speaker => &mut self.view.speaker,
        }
    }
}
