//! The question whether to trust a server's own certificate. It stays until it is answered: closing it by accident must decide nothing.

use call_core::command::Command;
use call_core::snapshot::{NoticeLevel, TrustPrompt};
use egui::{FontId, Id, Modal, Ui};

use crate::theme;
use crate::widgets::{Button, Tone, line, message, paragraph};

/// Shows it over everything.
pub fn show(ui: &mut Ui, prompt: &TrustPrompt, commands: &mut Vec<Command>) {
    Modal::new(Id::unique("trust")).frame(super::header::dialog_frame(ui)).show(ui.ctx(), |ui| {
        let colors = theme::palette(ui);
        ui.set_width((ui.ctx().content_rect().width() - 64.0).clamp(0.0, 440.0));
        let title =
            if prompt.changed { "The server's certificate has changed" } else { "Trust this server?" };
        line(ui, title, theme::title(), colors.text);
        explain(ui, prompt);
        line(ui, "SHA-256 fingerprint", theme::strong(), colors.text);
        paragraph(ui, &spaced(&prompt.fingerprint), FontId::monospace(13.0), colors.text);
        ui.add_space(theme::GAP);
        ui.horizontal_wrapped(|ui| {
            // The safe way out comes first and carries the weight when something is wrong.
            let (reject, trust) =
                if prompt.changed { (Tone::Primary, Tone::Danger) } else { (Tone::Plain, Tone::Primary) };
            let refuse = Button::text("Do not connect").tone(reject);
            if refuse.tooltip("Give the connection up").clicked(ui) {
                commands.push(Command::RejectCertificate);
            }
            let label = if prompt.changed { "Trust the new certificate" } else { "Trust this server" };
            let accept = Button::text(label).tone(trust);
            if accept.tooltip("Remember this certificate and connect").clicked(ui) {
                commands.push(Command::TrustCertificate);
            }
        });
    });
}

fn explain(ui: &mut Ui, prompt: &TrustPrompt) {
    let color = theme::palette(ui).text;
    let host = &prompt.host;
    if prompt.changed {
        let text = format!(
            "{host} was trusted with another certificate before. Either the server was set up anew, or somebody is between you and it and \
             could listen in. Ask the person who runs the server whether the fingerprint below is theirs."
        );
        message(ui, NoticeLevel::Warning, &text);
    } else {
        let text = format!(
            "No authority vouches for the certificate of {host}; servers on a local network often have such a one. Compare the fingerprint \
             below with the one that the server printed at its start, or ask the person who runs it."
        );
        paragraph(ui, &text, theme::body(), color);
    }
}

/// The fingerprint with a space after every fourth byte, so that eyes find their place again and lines can break.
fn spaced(fingerprint: &str) -> String {
    let bytes: Vec<&str> = fingerprint.split(':').collect();
    bytes.chunks(4).map(|four| four.join(":")).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn fingerprints_are_shown_whole() {
        assert_eq!(super::spaced("AA:BB:CC:DD:EE:FF"), "AA:BB:CC:DD  EE:FF");
        assert_eq!(super::spaced("no hex"), "no hex");
    }
}
