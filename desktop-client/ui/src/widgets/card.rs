//! Surfaces that group things, and messages where the person looks.

use call_core::snapshot::NoticeLevel;
use egui::{
    Color32, Frame, InnerResponse, Margin, Rect, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::icon::Icon;
use crate::text::{Look, safe, wrapped};
use crate::theme;

/// A surface.
pub fn card<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let colors = theme::palette(ui);
    Frame::new()
        .fill(colors.surface)
        .stroke(Stroke::new(1.0, colors.outline))
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::same(16))
        .show(ui, content)
}

/// A sentence with an icon that says how bad it is, in the width that is left.
pub fn message(ui: &mut Ui, level: NoticeLevel, text: &str) {
    let (icon, color) = sign(ui, level);
    let gap = 26.0;
    let look = Look::new(theme::body(), color);
    let galley = wrapped(ui, text, &look, (ui.available_width() - gap).max(40.0));
    let size = vec2(ui.available_width(), galley.size().y);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, safe(text)));
    let line = galley.rows.first().map_or(18.0, |row| row.height());
    let place = Rect::from_min_size(rect.min, Vec2::new(18.0, line));
    icon.paint(ui.painter(), Rect::from_center_size(place.center(), Vec2::splat(16.0)), color);
    let x = if galley.job.halign == egui::Align::RIGHT { rect.right() } else { rect.left() + gap };
    ui.painter().galley(pos2(x, rect.top()), galley, color);
}

fn sign(ui: &Ui, level: NoticeLevel) -> (Icon, Color32) {
    let colors = theme::palette(ui);
    match level {
        NoticeLevel::Info => (Icon::Info, colors.text),
        NoticeLevel::Warning => (Icon::Warning, colors.warning_text),
        NoticeLevel::Error => (Icon::Warning, colors.danger_text),
    }
}

/// Things on one line that is only as high as they are.
pub fn row<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    let size = Vec2::new(ui.available_width(), 18.0);
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        content(ui)
    })
    .inner
}

/// An icon beside a line of text.
pub fn icon_in_line(ui: &mut Ui, icon: Icon, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::hover());
    icon.paint(ui.painter(), Rect::from_center_size(rect.center(), Vec2::splat(16.0)), color);
}
