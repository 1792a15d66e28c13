//! The switches of microphone and camera, for the call and for the preview.

use call_core::snapshot::{DeviceState, DeviceView};
use egui::{Rect, Response, Ui, Vec2, vec2};

use super::shortcuts;
use crate::theme;
use crate::widgets::{Button, Icon, Tone};

/// Whether the microphone can be on for as long as a key is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Before the call, nobody would hear it.
    Impossible,
    /// In the call; `now` while the key is held.
    Possible {
        /// It is held.
        now: bool,
    },
}

/// The microphone's switch.
pub fn microphone_button(ui: &mut Ui, device: &DeviceView, talk: Talk, height: f32) -> Response {
    let shortcut = shortcuts::MICROPHONE;
    let look = match (device.enabled, talk) {
        (true, _) => Look::on(Icon::Microphone, "Turn microphone off"),
        (false, Talk::Possible { now: true }) => {
            Look { icon: Icon::Microphone, tone: Tone::Primary, name: "Turn microphone on" }
        }
        (false, Talk::Possible { now: false } | Talk::Impossible) => {
            Look::off(Icon::MicrophoneOff, "Turn microphone on")
        }
    };
    let mut tooltip = shortcuts::hint(ui, look.name, shortcut);
    if !device.enabled && talk != Talk::Impossible {
        tooltip.push_str("\nOr hold Space for as long as you talk");
    }
    device_button(ui, device, look, tooltip, height)
}

/// The camera's switch.
pub fn camera_button(ui: &mut Ui, device: &DeviceView, height: f32) -> Response {
    let look = if device.enabled {
        Look::on(Icon::Camera, "Turn camera off")
    } else {
        Look::off(Icon::CameraOff, "Turn camera on")
    };
    let tooltip = shortcuts::hint(ui, look.name, shortcuts::CAMERA);
    device_button(ui, device, look, tooltip, height)
}

/// How a device's switch looks.
#[derive(Clone, Copy)]
struct Look {
    icon: Icon,
    name: &'static str,
    tone: Tone,
}

impl Look {
    fn on(icon: Icon, name: &'static str) -> Self {
        Self { icon, name, tone: Tone::Plain }
    }

    fn off(icon: Icon, name: &'static str) -> Self {
        Self { icon, name, tone: Tone::Danger }
    }
}

fn device_button(ui: &mut Ui, device: &DeviceView, look: Look, mut tooltip: String, height: f32) -> Response {
    if let DeviceState::Failed(reason) = &device.state {
        tooltip = format!("{tooltip}\n{reason}");
    }
    let button = Button::icon(look.icon, look.name).tone(look.tone).tooltip(tooltip);
    let response = button.height(height).round().show(ui);
    if look.tone != Tone::Danger && matches!(device.state, DeviceState::Failed(_)) {
        let place = Rect::from_center_size(response.rect.right_top() + vec2(-5.0, 5.0), Vec2::splat(18.0));
        ui.painter().circle_filled(place.center(), 11.0, theme::palette(ui).background);
        Icon::Warning.paint(ui.painter(), place.shrink(2.0), theme::palette(ui).warning_text);
    }
    response
}
