//! A choice of device, with its failure and a way to try again beside it.

use call_core::command::{Command, DeviceKind};
use call_core::snapshot::{DeviceState, DeviceView, DevicesView, NoticeLevel};
use egui::{ComboBox, Ui};

use super::button::Button;
use super::card::{icon_in_line, message, row};
use super::icon::Icon;
use super::label::line;
use super::talk::talk_choice;
use super::voice::voice_choices;
use crate::text::safe;
use crate::theme;

/// Shows the pickers of all kinds, and what is done to the microphone's sound.
pub fn device_pickers(ui: &mut Ui, devices: &DevicesView, commands: &mut Vec<Command>) {
    for kind in [DeviceKind::Camera, DeviceKind::Microphone, DeviceKind::Speaker] {
        device_picker(ui, kind, devices.get(kind), commands);
        if kind == DeviceKind::Microphone {
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                voice_choices(ui, devices.voice, commands);
                talk_choice(ui, devices.push_to_talk, commands);
            });
        }
    }
}

fn device_picker(ui: &mut Ui, kind: DeviceKind, device: &DeviceView, commands: &mut Vec<Command>) {
    let colors = theme::palette(ui);
    let (icon, name) = match kind {
        DeviceKind::Camera => (Icon::Camera, "Camera"),
        DeviceKind::Microphone => (Icon::Microphone, "Microphone"),
        DeviceKind::Speaker => (Icon::Speaker, "Speaker"),
    };
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        let label = row(ui, |ui| {
            icon_in_line(ui, icon, colors.weak);
            line(ui, name, theme::strong(), colors.text)
        });
        let chosen = chosen_name(device);
        let combo = ComboBox::from_id_salt(name)
            .selected_text(chosen.clone())
            .width(ui.available_width())
            .truncate()
            .show_ui(ui, |ui| choices(ui, kind, device, commands));
        combo.response.labelled_by(label.id).on_hover_text(format!("{name}: {chosen}"));
        if let DeviceState::Failed(reason) = &device.state {
            message(ui, NoticeLevel::Error, reason);
            let retry = Button::text("Try again").with_icon(Icon::Refresh);
            if retry.tooltip(format!("Open the {} again", name.to_lowercase())).clicked(ui) {
                commands.push(Command::RetryDevice(kind));
            }
        }
    });
}

fn chosen_name(device: &DeviceView) -> String {
    match &device.chosen {
        None => "System default".to_owned(),
        Some(id) => device
            .available
            .iter()
            .find(|info| info.id == *id)
            .map_or_else(|| "Not connected".to_owned(), |info| safe(&info.name).into_owned()),
    }
}

fn choices(ui: &mut Ui, kind: DeviceKind, device: &DeviceView, commands: &mut Vec<Command>) {
    let mut choice = |ui: &mut Ui, id: Option<&String>, name: &str| {
        let chosen = device.chosen.as_ref() == id;
        if ui.selectable_label(chosen, safe(name).into_owned()).clicked() && !chosen {
            commands.push(Command::ChooseDevice { kind, id: id.cloned() });
        }
    };
    choice(ui, None, "System default");
    for info in &device.available {
        ui.push_id(&info.id, |ui| choice(ui, Some(&info.id), &info.name));
    }
    if device.available.is_empty() {
        super::label::hint(ui, "None found.");
    }
    ui.separator();
    if ui.selectable_label(false, "Look for devices again").clicked() {
        commands.push(Command::RefreshDevices);
    }
}
