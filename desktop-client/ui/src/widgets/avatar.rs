//! A disc with a person's initials, for when there is no picture.

use egui::{Align2, FontFamily, FontId, Pos2, Ui};

use crate::text::initials;
use crate::theme;

/// Paints it around `center`. The colour follows from the name, so that a person keeps it.
pub fn avatar(ui: &Ui, center: Pos2, radius: f32, name: &str) {
    // FNV-1a: any hash that spreads short names over a few colours.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    let disc = theme::AVATARS[hash as usize % theme::AVATARS.len()];
    ui.painter().circle_filled(center, radius, disc);
    let font = FontId::new((radius * 0.78).round(), FontFamily::Name(theme::STRONG.into()));
    ui.painter().text(center, Align2::CENTER_CENTER, initials(name), font, egui::Color32::WHITE);
}
