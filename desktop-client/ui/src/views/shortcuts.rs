//! Keyboard shortcuts. Tooltips tell them in the way of the platform (⌘ on macOS).

use call_core::command::Command;
use egui::{Key, KeyboardShortcut, Modifiers, Ui};

use super::Pass;

/// Microphone on or off.
pub const MICROPHONE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::D);
/// Camera on or off.
pub const CAMERA: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::E);
/// Chat open or closed.
pub const CHAT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::T);
/// Statistics open or closed.
pub const STATISTICS: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::I);
/// Copy the room's link.
pub const COPY_LINK: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::L);

/// Whether this shortcut was pressed; nobody else gets it then.
pub fn pressed(ui: &Ui, shortcut: KeyboardShortcut) -> bool {
    ui.input_mut(|input| input.consume_shortcut(&shortcut))
}

/// "Turn camera off (Ctrl+E)".
pub fn hint(ui: &Ui, what: &str, shortcut: KeyboardShortcut) -> String {
    format!("{what} ({})", ui.ctx().format_shortcut(&shortcut))
}

/// Microphone and camera, on the screens where they run.
pub fn devices(ui: &Ui, pass: &mut Pass<'_>) {
    let devices = &pass.snapshot.devices;
    if pressed(ui, MICROPHONE) {
        pass.commands.push(Command::SetMicrophone(!devices.microphone.enabled));
    }
    if pressed(ui, CAMERA) {
        pass.commands.push(Command::SetCamera(!devices.camera.enabled));
    }
}
