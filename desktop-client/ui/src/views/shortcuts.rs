//! Keyboard shortcuts. Tooltips tell them in the way of the platform (⌘ on macOS).

use call_core::command::Command;
use egui::{Event, Key, KeyboardShortcut, Modifiers, Ui};

use super::Pass;

/// Microphone on or off.
pub const MICROPHONE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::D);
/// Camera on or off.
pub const CAMERA: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::E);
/// Chat open or closed.
pub const CHAT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::T);
/// Statistics open or closed.
pub const STATISTICS: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::I);
/// Speaker view or grid.
pub const SPEAKER_VIEW: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::G);
/// Copy the room's link.
pub const COPY_LINK: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::L);

/// Whether this shortcut was pressed; nobody else gets it then. A key that is held down was pressed once.
pub fn pressed(ui: &Ui, shortcut: KeyboardShortcut) -> bool {
    let mut pressed = false;
    ui.input_mut(|input| {
        input.events.retain(|event| match event {
            Event::Key { key, modifiers, pressed: true, repeat, .. }
                if *key == shortcut.logical_key && modifiers.matches_logically(shortcut.modifiers) =>
            {
                pressed |= !repeat;
                false
            }
            _ => true,
        });
    });
    pressed
}

/// A key that is held down clicks what has the focus once: a switch would go on and off otherwise.
pub fn click_once(ui: &Ui) {
    if ui.ctx().text_edit_focused() {
        return;
    }
    ui.input_mut(|input| {
        input.events.retain(|event| {
            !matches!(event, Event::Key { key: Key::Space | Key::Enter, pressed: true, repeat: true, .. })
        });
    });
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
