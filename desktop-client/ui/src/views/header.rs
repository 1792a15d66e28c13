//! What the screens share at their edges: the name of the program, the theme switch, the frame of dialogs.

use egui::{Frame, Margin, Stroke, ThemePreference, Ui};

use crate::theme;
use crate::widgets::{Button, Icon, Tone, line};

/// The name of the program with the theme switch at the other end.
pub fn show(ui: &mut Ui) {
    ui.horizontal(|ui| {
        let color = theme::palette(ui).text;
        line(ui, "Roundtable", theme::display(), color);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), theme_button);
    });
}

/// Switches between the system's theme, light and dark.
fn theme_button(ui: &mut Ui) {
    let now = ui.ctx().options(|options| options.theme_preference);
    let (icon, name, next) = match now {
        ThemePreference::System => (Icon::Screen, "Theme: as the system", ThemePreference::Light),
        ThemePreference::Light => (Icon::Sun, "Theme: light", ThemePreference::Dark),
        ThemePreference::Dark => (Icon::Moon, "Theme: dark", ThemePreference::System),
    };
    let tooltip = format!("{name}. Click to change.");
    if Button::icon(icon, name).tone(Tone::Quiet).tooltip(tooltip).clicked(ui) {
        ui.ctx().options_mut(|options| options.theme_preference = next);
    }
}

/// Content in the middle of what is there, at most `width` points wide.
pub fn centered<R>(ui: &mut Ui, width: f32, content: impl FnOnce(&mut Ui) -> R) -> R {
    let mut rect = ui.available_rect_before_wrap();
    let side = (rect.width() - width).max(0.0) * 0.5;
    rect.min.x += side;
    rect.max.x -= side;
    ui.scope_builder(egui::UiBuilder::new().max_rect(rect), content).inner
}

/// Things that lie over others, at a place of their own: the layout around them does not notice.
pub fn over<R>(ui: &mut Ui, rect: egui::Rect, content: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    let builder = egui::UiBuilder::new().max_rect(rect).layout(layout);
    content(&mut ui.new_child(builder))
}

/// The frame of a dialog.
pub fn dialog_frame(ui: &Ui) -> Frame {
    let colors = theme::palette(ui);
    Frame::new()
        .fill(colors.surface)
        .stroke(Stroke::new(1.0, colors.outline))
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::same(20))
        .shadow(ui.visuals().window_shadow)
}
