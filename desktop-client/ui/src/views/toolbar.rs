//! The bar below the tiles: microphone, camera, devices, chat, statistics, link, leave.

use std::time::Duration;

use call_core::command::{Command, DeviceKind};
use call_core::snapshot::{DeviceState, DeviceView, RoomView};
use egui::{Response, Ui, Vec2, vec2};

use super::call::Side;
use super::{Pass, header, shortcuts};
use crate::theme;
use crate::widgets::{Button, Icon, Tone, line_in};

/// Height of the bar's buttons in points.
const HEIGHT: f32 = 44.0;
/// How many there are.
const BUTTONS: f32 = 7.0;
/// How long "Copied" is shown, in seconds.
const COPIED_FOR: f64 = 2.0;

/// Shows it.
pub fn show(
    ui: &mut Ui,
    room: &RoomView,
    side: &mut Side,
    unread: u32,
    copied: &mut Option<f64>,
    pass: &mut Pass<'_>,
) {
    let bar = ui.allocate_space(vec2(ui.available_width(), HEIGHT)).1;
    // In the narrowest window the buttons move together rather than out of it.
    let gap = ((bar.width() - BUTTONS * HEIGHT) / (BUTTONS - 1.0)).clamp(2.0, theme::GAP);
    let buttons = BUTTONS * HEIGHT + (BUTTONS - 1.0) * gap;
    let beside = (bar.width() - buttons) * 0.5 - theme::GROUP_GAP;
    if beside > 120.0 {
        let rect = egui::Rect::from_min_size(bar.min, vec2(beside, HEIGHT));
        header::over(ui, rect, |ui| ui.vertical(|ui| room_line(ui, room)));
    }
    let rect = egui::Rect::from_center_size(bar.center(), Vec2::new(buttons.min(bar.width()), HEIGHT));
    header::over(ui, rect, |ui| {
        ui.spacing_mut().item_spacing.x = gap;
        device_buttons(ui, pass);
        side_buttons(ui, side, unread, pass);
        copy_link(ui, room, copied);
        let leave = Button::icon(Icon::Leave, "Leave").tone(Tone::Danger).tooltip("Leave the call");
        if leave.height(HEIGHT).round().clicked(ui) {
            pass.commands.push(Command::Leave);
        }
    });
}

fn room_line(ui: &mut Ui, room: &RoomView) {
    let colors = theme::palette(ui);
    let width = ui.available_width();
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.add_space(3.0);
    line_in(ui, &room.name, theme::strong(), colors.text, width);
    let people = match room.participants.len() {
        0 => "Only you".to_owned(),
        others => format!("{} people", others + 1),
    };
    line_in(ui, &people, theme::small(), colors.weak, width);
}

fn device_buttons(ui: &mut Ui, pass: &mut Pass<'_>) {
    let devices = &pass.snapshot.devices;
    if microphone_button(ui, &devices.microphone, HEIGHT).clicked() {
        pass.commands.push(Command::SetMicrophone(!devices.microphone.enabled));
    }
    if camera_button(ui, &devices.camera, HEIGHT).clicked() {
        pass.commands.push(Command::SetCamera(!devices.camera.enabled));
    }
}

/// The microphone's switch, for the preview too.
pub fn microphone_button(ui: &mut Ui, device: &DeviceView, height: f32) -> Response {
    let icons = (Icon::Microphone, Icon::MicrophoneOff);
    let names = ("Turn microphone off", "Turn microphone on");
    device_button(ui, device, DeviceKind::Microphone, icons, names, height)
}

/// The camera's switch, for the preview too.
pub fn camera_button(ui: &mut Ui, device: &DeviceView, height: f32) -> Response {
    let icons = (Icon::Camera, Icon::CameraOff);
    let names = ("Turn camera off", "Turn camera on");
    device_button(ui, device, DeviceKind::Camera, icons, names, height)
}

fn device_button(
    ui: &mut Ui,
    device: &DeviceView,
    kind: DeviceKind,
    icons: (Icon, Icon),
    names: (&str, &str),
    height: f32,
) -> Response {
    let on = device.enabled;
    let (icon, name) = if on { (icons.0, names.0) } else { (icons.1, names.1) };
    let shortcut = if kind == DeviceKind::Camera { shortcuts::CAMERA } else { shortcuts::MICROPHONE };
    let mut tooltip = shortcuts::hint(ui, name, shortcut);
    if let DeviceState::Failed(reason) = &device.state {
        tooltip = format!("{tooltip}\n{reason}");
    }
    let tone = if on { Tone::Plain } else { Tone::Danger };
    let response = Button::icon(icon, name).tone(tone).tooltip(tooltip).height(height).round().show(ui);
    if on && matches!(device.state, DeviceState::Failed(_)) {
        let place =
            egui::Rect::from_center_size(response.rect.right_top() + vec2(-5.0, 5.0), Vec2::splat(18.0));
        ui.painter().circle_filled(place.center(), 11.0, theme::palette(ui).background);
        Icon::Warning.paint(ui.painter(), place.shrink(2.0), theme::palette(ui).warning_text);
    }
    response
}

fn side_buttons(ui: &mut Ui, side: &mut Side, unread: u32, pass: &mut Pass<'_>) {
    let open = *side == Side::Devices;
    let devices = Button::icon(Icon::Sliders, "Devices…")
        .toggled(open)
        .tooltip("Choose camera, microphone and speaker");
    if devices.tone(tone(open)).height(HEIGHT).round().clicked(ui) {
        *side = if open { Side::Closed } else { Side::Devices };
        if !open {
            pass.commands.push(Command::RefreshDevices);
        }
    }
    let open = *side == Side::Chat;
    let tooltip = shortcuts::hint(ui, if open { "Close chat" } else { "Open chat" }, shortcuts::CHAT);
    let chat = Button::icon(Icon::Chat, "Chat").toggled(open).badge(unread).tooltip(tooltip);
    if chat.tone(tone(open)).height(HEIGHT).round().clicked(ui) {
        *side = if open { Side::Closed } else { Side::Chat };
    }
    let open = *side == Side::Statistics;
    let tooltip = shortcuts::hint(
        ui,
        if open { "Close statistics" } else { "How the call does" },
        shortcuts::STATISTICS,
    );
    let statistics = Button::icon(Icon::Chart, "Statistics").toggled(open).tooltip(tooltip);
    if statistics.tone(tone(open)).height(HEIGHT).round().clicked(ui) {
        *side = if open { Side::Closed } else { Side::Statistics };
    }
}

fn tone(open: bool) -> Tone {
    if open { Tone::Primary } else { Tone::Plain }
}

/// The button that copies the room's link, and says so for a moment.
fn copy_link(ui: &mut Ui, room: &RoomView, copied: &mut Option<f64>) {
    let now = ui.input(|i| i.time);
    let fresh = copied.is_some_and(|at| now - at < COPIED_FOR);
    let (icon, name) = if fresh { (Icon::Check, "Copied") } else { (Icon::Link, "Copy link") };
    let tooltip = if fresh {
        "Copied".to_owned()
    } else {
        shortcuts::hint(ui, "Copy the link for guests", shortcuts::COPY_LINK)
    };
    let response = Button::icon(icon, name).tooltip(tooltip).height(HEIGHT).round().show(ui);
    if response.clicked() || shortcuts::pressed(ui, shortcuts::COPY_LINK) {
        ui.copy_text(room.link.clone());
        *copied = Some(now);
    }
    if let Some(at) = *copied {
        if now - at < COPIED_FOR {
            ui.ctx().request_repaint_after(Duration::from_secs_f64(COPIED_FOR - (now - at)));
            egui::Tooltip::always_open(
                ui.ctx().clone(),
                ui.layer_id(),
                response.id.with("copied"),
                response.rect,
            )
            .show(|ui| ui.label("Link copied"));
        } else {
            *copied = None;
        }
    }
}
