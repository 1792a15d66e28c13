//! What is done to the microphone's sound: below its picker whether it is a voice or music, and three switches for a voice.

use call_core::command::Command;
use call_core::snapshot::{SoundMode, VoiceProcessing};
use egui::Ui;

/// Height of a row of switches, in points: tall enough for a finger, so low that they are seen as belonging together.
pub const ROW_HEIGHT: f32 = 26.0;

/// Shows the choice and the switches.
pub fn voice_choices(ui: &mut Ui, voice: VoiceProcessing, commands: &mut Vec<Command>) {
    let mut wanted = voice;
    let modes = [
        (SoundMode::Voice, "Voice", "For talking: processed as chosen below"),
        (
            SoundMode::Music,
            "Music",
            "Stereo in high quality, not processed at all. Use headphones: echo is not cancelled",
        ),
    ];
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = ROW_HEIGHT;
        ui.spacing_mut().item_spacing = egui::vec2(12.0, 0.0);
        for (mode, name, tip) in modes {
            ui.radio_value(&mut wanted.mode, mode, name).on_hover_text(tip);
        }
    });
    let choices = [
        (
            &mut wanted.echo_cancellation,
            "Cancel echo",
            "Removes what the speaker plays. Off with headphones saves a little CPU",
        ),
        (&mut wanted.noise_suppression, "Suppress noise", "Removes fans, traffic and hiss"),
        (&mut wanted.automatic_gain, "Level my volume", "Makes a quiet voice louder"),
    ];
    let is_voice = voice.mode == SoundMode::Voice;
    ui.horizontal_wrapped(|ui| {
        if !is_voice {
            ui.disable();
        }
        ui.spacing_mut().interact_size.y = ROW_HEIGHT;
        ui.spacing_mut().item_spacing = egui::vec2(12.0, 0.0);
        for (on, name, tip) in choices {
            ui.checkbox(on, name).on_hover_text(tip).on_disabled_hover_text("Music is not processed");
        }
    });
    if wanted != voice {
        commands.push(Command::ProcessVoice(wanted));
    }
}
