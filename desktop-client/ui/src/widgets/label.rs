//! Text in a layout: safe for what other people wrote, and readable by assistive technology in its logical order.

use std::sync::Arc;

use egui::{Color32, FontId, Galley, Response, Role, Sense, Ui, WidgetInfo};

use crate::text::{Look, one_line, safe, wrapped};
use crate::theme;

/// One line as wide as it needs, at most what is left; cut with an ellipsis.
pub fn line(ui: &mut Ui, text: &str, font: FontId, color: Color32) -> Response {
    let width = ui.available_width();
    line_in(ui, text, font, color, width)
}

/// One line of at most `width` points. What was cut shows in a tooltip.
pub fn line_in(ui: &mut Ui, text: &str, font: FontId, color: Color32, width: f32) -> Response {
    let galley = one_line(ui, text, &Look::new(font, color), width);
    let response = place(ui, text, galley, color);
    if response.rect.width() + 1.0 >= width { response.on_hover_text(safe(text)) } else { response }
}

/// Text over as many lines as it needs in the width that is left.
pub fn paragraph(ui: &mut Ui, text: &str, font: FontId, color: Color32) -> Response {
    let galley = wrapped(ui, text, &Look::new(font, color), ui.available_width());
    place(ui, text, galley, color)
}

/// A small weak paragraph.
pub fn hint(ui: &mut Ui, text: &str) -> Response {
    let color = theme::palette(ui).weak;
    paragraph(ui, text, theme::small(), color)
}

fn place(ui: &mut Ui, text: &str, galley: Arc<Galley>, color: Color32) -> Response {
    let right = galley.job.halign == egui::Align::RIGHT;
    let mut size = galley.size();
    if right {
        size.x = ui.available_width();
    }
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, safe(text)));
    let at = if right { rect.right_top() } else { rect.left_top() };
    ui.painter().galley(at, galley, color);
    response
}
