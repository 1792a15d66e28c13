//! Messages that are not bound to one place, over the screen until they are closed.

use call_core::command::Command;
use call_core::snapshot::{Notice, NoticeLevel};
use egui::{Align, Frame, Layout, Margin, Panel, Ui};

use super::Pass;
use crate::theme;
use crate::widgets::{Button, Icon, Tone, hint, message};

/// Most that are shown at once; the next come up as these are closed.
const SHOWN_MAX: usize = 3;

/// Shows them at the top.
pub fn show(ui: &mut Ui, pass: &mut Pass<'_>) {
    let notices = &pass.snapshot.notices;
    if notices.is_empty() {
        return;
    }
    Panel::top("notices")
        .show_separator_line(false)
        .frame(Frame::new().inner_margin(Margin { left: 8, right: 8, top: 8, bottom: 0 }))
        .show(ui, |ui| {
            for notice in notices.iter().take(SHOWN_MAX) {
                ui.push_id(notice.id, |ui| row(ui, notice, pass.commands));
            }
            let hidden = notices.len().saturating_sub(SHOWN_MAX);
            if hidden > 0 {
                hint(ui, &format!("{hidden} more"));
            }
        });
}

fn row(ui: &mut Ui, notice: &Notice, commands: &mut Vec<Command>) {
    bar(ui, notice.level, &notice.text, |ui| {
        if Button::icon(Icon::Close, "Close message").tone(Tone::Quiet).height(28.0).clicked(ui) {
            commands.push(Command::DismissNotice(notice.id));
        }
    });
}

/// A line across the screen that says what is wrong, with what can be done about it.
pub fn banner(ui: &mut Ui, id: &str, level: NoticeLevel, text: &str, action: impl FnOnce(&mut Ui)) {
    let frame = Frame::new().inner_margin(Margin { left: 8, right: 8, top: 8, bottom: 0 });
    Panel::top(id.to_owned())
        .show_separator_line(false)
        .frame(frame)
        .show(ui, |ui| bar(ui, level, text, action));
}

fn bar(ui: &mut Ui, level: NoticeLevel, text: &str, action: impl FnOnce(&mut Ui)) {
    let colors = theme::palette(ui);
    let frame = Frame::new().fill(colors.surface).stroke(egui::Stroke::new(1.0, colors.outline));
    frame.corner_radius(theme::CONTROL_RADIUS).inner_margin(Margin::symmetric(12, 5)).show(ui, |ui| {
        let size = egui::vec2(ui.available_width(), 30.0);
        ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
            action(ui);
            message(ui, level, text);
        });
    });
}
