//! Whether the microphone is off unless a key is held: a switch below its picker.

use call_core::command::Command;
use egui::Ui;

/// Shows the switch.
pub fn talk_choice(ui: &mut Ui, push_to_talk: bool, commands: &mut Vec<Command>) {
    let mut wanted = push_to_talk;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = super::voice::ROW_HEIGHT;
        let tip = "Calls begin with the microphone off; others hear you while you hold Space";
        ui.checkbox(&mut wanted, "Push to talk").on_hover_text(tip);
    });
    if wanted != push_to_talk {
        commands.push(Command::SetPushToTalk(wanted));
    }
}
