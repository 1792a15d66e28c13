//! How the call does, beside the tiles: each figure with its curve over the last minute.

use call_core::snapshot::RoomView;
use egui::{Color32, CornerRadius, Rect, Role, ScrollArea, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::Pass;
use crate::figures::{Figure, SECONDS};
use crate::text::{Look, one_line};
use crate::theme;
use crate::widgets::{hint, line};

/// Height of a curve in points.
const CURVE: f32 = 30.0;

/// Shows everybody's figures, then ours.
pub fn show(ui: &mut Ui, room: &RoomView, pass: &Pass<'_>) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        if room.participants.is_empty() {
            hint(ui, "Figures of a connection appear here as soon as somebody else is in the room.");
        }
        for who in &room.participants {
            group(ui, &who.display_name, &pass.figures.peer(&who.peer_id));
        }
        group(ui, "This computer", &pass.figures.own());
    });
}

fn group(ui: &mut Ui, title: &str, figures: &[Figure]) {
    ui.add_space(4.0);
    let color = theme::palette(ui).text;
    line(ui, title, theme::strong(), color);
    if figures.is_empty() {
        hint(ui, "Nothing has been measured yet.");
    }
    for figure in figures {
        show_figure(ui, figure);
    }
    ui.add_space(8.0);
}

fn show_figure(ui: &mut Ui, figure: &Figure) {
    let colors = theme::palette(ui);
    let newest = figure.newest();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0 + CURVE), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{}: {newest}", figure.name)));
    let value = one_line(ui, &newest, &Look::new(theme::small(), colors.text), rect.width() * 0.6);
    let name_width = (rect.width() - value.size().x - theme::GAP).max(8.0);
    let name = one_line(ui, figure.name, &Look::new(theme::small(), colors.weak), name_width);
    ui.painter().galley(rect.right_top() - vec2(value.size().x, 0.0), value, colors.text);
    ui.painter().galley(rect.min, name, colors.weak);
    let place = Rect::from_min_max(pos2(rect.left(), rect.top() + 20.0), rect.max);
    ui.painter().rect_filled(place, CornerRadius::same(4), colors.raised);
    for shape in curve(&figure.values, place.shrink2(vec2(0.0, 3.0)), colors.accent) {
        ui.painter().add(shape);
    }
    if let Some(highest) = highest(&figure.values) {
        response.on_hover_text(format!(
            "{}: {newest}\nHighest in a minute: {highest:.*}",
            figure.name, figure.digits
        ));
    }
}

fn highest(values: &[Option<f32>]) -> Option<f32> {
    values.iter().flatten().copied().filter(|value| value.is_finite()).reduce(f32::max)
}

/// The curve from zero to its highest value, with a gap wherever there is no value; the newest at the right edge.
fn curve(values: &[Option<f32>], place: Rect, color: Color32) -> Vec<Shape> {
    let top = highest(values).unwrap_or(0.0).max(f32::MIN_POSITIVE);
    let step = place.width() / (SECONDS - 1) as f32;
    let mut shapes = Vec::new();
    let mut points = Vec::new();
    let values = &values[values.len().saturating_sub(SECONDS)..];
    for (index, value) in values.iter().enumerate() {
        match value.filter(|value| value.is_finite()) {
            Some(value) => {
                let x = place.right() - step * (values.len() - 1 - index) as f32;
                let share = (value / top).clamp(0.0, 1.0);
                points.push(pos2(x, place.bottom() - place.height() * share));
            }
            None => finish(&mut shapes, &mut points, color),
        }
    }
    finish(&mut shapes, &mut points, color);
    shapes
}

fn finish(shapes: &mut Vec<Shape>, points: &mut Vec<egui::Pos2>, color: Color32) {
    match points.as_slice() {
        [] => {}
        [single] => shapes.push(Shape::circle_filled(*single, 1.0, color)),
        _ => shapes.push(Shape::line(std::mem::take(points), Stroke::new(1.5, color))),
    }
    points.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(118.0, 30.0) };

    fn points(shape: &Shape) -> Vec<egui::Pos2> {
        match shape {
            Shape::Path(path) => path.points.clone(),
            Shape::Circle(circle) => vec![circle.center],
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_gap_splits_the_curve_and_the_newest_value_is_at_the_right() {
        let values = [Some(1.0), Some(2.0), None, Some(4.0)];
        let shapes = curve(&values, PLACE, Color32::WHITE);
        assert_eq!(shapes.len(), 2);
        assert_eq!(points(&shapes[0]), [pos2(112.0, 22.5), pos2(114.0, 15.0)]);
        assert_eq!(points(&shapes[1]), [pos2(118.0, 0.0)]);
    }

    #[test]
    fn absurd_values_stay_inside() {
        let values: Vec<Option<f32>> =
            (0..200).map(|i| Some([f32::NAN, f32::INFINITY, -5.0, 1e30, 0.0][i % 5])).collect();
        for shape in curve(&values, PLACE, Color32::WHITE) {
            assert!(points(&shape).iter().all(|point| PLACE.expand(0.1).contains(*point)));
        }
    }
}
