//! The bar below the tiles: microphone, camera, devices, speaker view, chat, statistics, link, leave.

use std::time::Duration;

use call_core::command::Command;
use call_core::snapshot::RoomView;
use egui::{Id, Rect, Ui, vec2};

use super::call::Side;
use super::switches::{Talk, camera_button, microphone_button};
use super::{Pass, header, shortcuts, talk};
use crate::theme;
use crate::widgets::{Button, Icon, Tone, line_in};

/// Height of the bar in points, and of its buttons where there is room.
const HEIGHT: f32 = 44.0;
/// How many there are.
const BUTTONS: f32 = 8.0;
/// Least height of a button and least distance between two of them, in points: they become no smaller, whatever the window.
const HEIGHT_MIN: f32 = 24.0;
const GAP_MIN: f32 = 2.0;
/// How long "Copied" is shown, in seconds.
const COPIED_FOR: f64 = 2.0;

/// Shows it; gives the microphone's button.
pub fn show(
    ui: &mut Ui,
    room: &RoomView,
    side: &mut Side,
    unread: u32,
    copied: &mut Option<f64>,
    pass: &mut Pass<'_>,
) -> Id {
    let width = ui.available_width();
    let (height, gap) = sizes(width);
    let buttons = BUTTONS * height + (BUTTONS - 1.0) * gap;
    let beside = (width - buttons) * 0.5 - theme::GROUP_GAP;
    let devices = &pass.snapshot.devices;
    if beside < talk::ROOM {
        talk::above(ui, devices);
    }
    let bar = ui.allocate_space(vec2(width, HEIGHT)).1;
    if beside > 120.0 {
        let rect = Rect::from_min_size(bar.min, vec2(beside, HEIGHT));
        header::over(ui, rect, |ui| ui.vertical(|ui| room_line(ui, room)));
    }
    if beside >= talk::ROOM {
        let corner = bar.right_top() - vec2(beside, 0.0);
        talk::at_the_end(ui, Rect::from_min_size(corner, vec2(beside, HEIGHT)), devices);
    }
    let rect = Rect::from_center_size(bar.center(), vec2(buttons.min(width), HEIGHT));
    header::over(ui, rect, |ui| {
        ui.spacing_mut().item_spacing.x = gap;
        let microphone = device_buttons(ui, height, pass);
        devices_button(ui, height, side, pass);
        speaker_view(ui, height, pass);
        chat_button(ui, height, side, unread);
        statistics_button(ui, height, side);
        copy_link(ui, room, height, copied);
        let leave = Button::icon(Icon::Leave, "Leave").tone(Tone::Danger).tooltip("Leave the call");
        if leave.height(height).round().clicked(ui) {
            pass.commands.push(Command::Leave);
        }
        microphone
    })
}

/// Height of a button, and the distance between two: in a narrow window they move together, in the narrowest they become smaller.
fn sizes(bar: f32) -> (f32, f32) {
    let height = ((bar - (BUTTONS - 1.0) * GAP_MIN) / BUTTONS).clamp(HEIGHT_MIN, HEIGHT);
    let gap = ((bar - BUTTONS * height) / (BUTTONS - 1.0)).clamp(GAP_MIN, theme::GAP);
    (height, gap)
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

/// Gives the microphone's.
fn device_buttons(ui: &mut Ui, height: f32, pass: &mut Pass<'_>) -> Id {
    let devices = &pass.snapshot.devices;
    let talk = Talk::Possible { now: devices.talking };
    let microphone = microphone_button(ui, &devices.microphone, talk, height);
    if microphone.clicked() {
        pass.commands.push(Command::SetMicrophone(!devices.microphone.enabled));
    }
    if camera_button(ui, &devices.camera, height).clicked() {
        pass.commands.push(Command::SetCamera(!devices.camera.enabled));
    }
    microphone.id
}

fn devices_button(ui: &mut Ui, height: f32, side: &mut Side, pass: &mut Pass<'_>) {
    let open = *side == Side::Devices;
    let devices = Button::icon(Icon::Sliders, "Devices…").tooltip("Choose camera, microphone and speaker");
    if toggle(ui, devices, height, open) {
        *side = if open { Side::Closed } else { Side::Devices };
        if !open {
            pass.commands.push(Command::RefreshDevices);
        }
    }
}

fn speaker_view(ui: &mut Ui, height: f32, pass: &mut Pass<'_>) {
    let on = pass.snapshot.speaker_view;
    let what = if on { "Show everybody at the same size" } else { "Show who speaks large" };
    let tooltip = shortcuts::hint(ui, what, shortcuts::SPEAKER_VIEW);
    if toggle(ui, Button::icon(Icon::Stage, "Speaker view").tooltip(tooltip), height, on) {
        pass.commands.push(Command::ShowSpeaker(!on));
    }
}

fn chat_button(ui: &mut Ui, height: f32, side: &mut Side, unread: u32) {
    let open = *side == Side::Chat;
    let tooltip = shortcuts::hint(ui, if open { "Close chat" } else { "Open chat" }, shortcuts::CHAT);
    if toggle(ui, Button::icon(Icon::Chat, "Chat").badge(unread).tooltip(tooltip), height, open) {
        *side = if open { Side::Closed } else { Side::Chat };
    }
}

fn statistics_button(ui: &mut Ui, height: f32, side: &mut Side) {
    let open = *side == Side::Statistics;
    let what = if open { "Close statistics" } else { "How the call does" };
    let tooltip = shortcuts::hint(ui, what, shortcuts::STATISTICS);
    if toggle(ui, Button::icon(Icon::Chart, "Statistics").tooltip(tooltip), height, open) {
        *side = if open { Side::Closed } else { Side::Statistics };
    }
}

/// Shows a button of something that is on or off; true if it was clicked.
fn toggle(ui: &mut Ui, button: Button<'_>, height: f32, on: bool) -> bool {
    let tone = if on { Tone::Primary } else { Tone::Plain };
    button.toggled(on).tone(tone).height(height).round().clicked(ui)
}

/// The button that copies the room's link, and says so for a moment.
fn copy_link(ui: &mut Ui, room: &RoomView, height: f32, copied: &mut Option<f64>) {
    let now = ui.input(|i| i.time);
    let fresh = copied.is_some_and(|at| now - at < COPIED_FOR);
    let (icon, name) = if fresh { (Icon::Check, "Copied") } else { (Icon::Link, "Copy link") };
    let tooltip = if fresh {
        "Copied".to_owned()
    } else {
        shortcuts::hint(ui, "Copy the link for guests", shortcuts::COPY_LINK)
    };
    let response = Button::icon(icon, name).tooltip(tooltip).height(height).round().show(ui);
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
