//! A turning arc for what takes a moment. Its own, because egui's asks for a repaint at the display's rate.

use std::f32::consts::TAU;
use std::time::Duration;

use egui::{Color32, Pos2, Sense, Stroke, Ui, Vec2, vec2};

use crate::theme;

/// Steps per turn, and so repaints per turn.
const STEPS: f64 = 12.0;

/// Shows it, `side` points large. It turns once a second.
pub fn spinner(ui: &mut Ui, side: f32) {
    let color = theme::palette(ui).accent;
    spinner_in(ui, side, color);
}

/// The same in a colour that goes with what is behind it.
pub fn spinner_in(ui: &mut Ui, side: f32, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    let step = (ui.input(|i| i.time) * STEPS).floor() % STEPS;
    let start = (step / STEPS) as f32 * TAU;
    let points: Vec<Pos2> = (0..=20)
        .map(|i| start + i as f32 / 20.0 * TAU * 0.7)
        .map(|a| rect.center() + vec2(a.cos(), a.sin()) * (side * 0.4))
        .collect();
    ui.painter().line(points, Stroke::new(side * 0.1, color));
    ui.ctx().request_repaint_after(Duration::from_secs_f64(1.0 / STEPS));
}
