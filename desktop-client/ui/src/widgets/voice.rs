//! What is done to the microphone's sound: three switches below its picker.

use call_core::command::Command;
use call_core::snapshot::VoiceProcessing;
use egui::Ui;

/// Height of a row of switches, in points: tall enough for a finger, so low that they are seen as belonging together.
const ROW_HEIGHT: f32 = 26.0;

/// Shows the switches.
pub fn voice_choices(ui: &mut Ui, voice: VoiceProcessing, commands: &mut Vec<Command>) {
    let mut wanted = voice;
    let choices = [
        (
            &mut wanted.echo_cancellation,
            "Cancel echo",
            "Removes what the speaker plays. Off with headphones saves a little CPU",
        ),
        (&mut wanted.noise_suppression, "Suppress noise", "Removes fans, traffic and hiss. Off for music"),
        (&mut wanted.automatic_gain, "Level my volume", "Makes a quiet voice louder. Off for music"),
    ];
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = ROW_HEIGHT;
        ui.spacing_mut().item_spacing = egui::vec2(12.0, 0.0);
        for (on, name, tip) in choices {
            ui.checkbox(on, name).on_hover_text(tip);
        }
    });
    if wanted != voice {
        commands.push(Command::ProcessVoice(wanted));
    }
}
