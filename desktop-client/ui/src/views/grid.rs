//! The tiles of a call in the room that there is.

use call_core::layout::{self, TILE_ASPECT, Tile};
use call_core::snapshot::{ParticipantView, RoomView};
use egui::{Rect, Ui, Vec2, pos2, vec2};

use super::tile::Choice;
use super::{Pass, header, tile};
use crate::theme;
use crate::widgets::{card, hint, line};

/// Tiles may be as narrow as this: a 16:9 picture then still fills them, with a quarter cut at its sides.
const NARROWEST: f32 = 4.0 / 3.0;
/// The same in a window that is higher than wide, where there is height to fill.
const NARROWEST_UPRIGHT: f32 = 1.0;

/// Shows everybody and us.
pub fn show(ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
    let area = ui.available_rect_before_wrap();
    ui.allocate_rect(area, egui::Sense::hover());
    let others = &room.participants;
    if let [other] = others.as_slice()
        && area.width() > area.height()
    {
        return conversation(ui, other, area, pass);
    }
    if others.is_empty() {
        tile::own(ui, area, false, pass);
        invitation(ui, area);
        return;
    }
    let narrowest = if area.width() > area.height() { NARROWEST } else { NARROWEST_UPRIGHT };
    let tiles = layout::grid(others.len() + 1, area.width(), area.height(), theme::GAP, narrowest);
    let cell =
        |tile: &Tile| Rect::from_min_size(area.min + vec2(tile.x, tile.y), vec2(tile.width, tile.height));
    for (participant, tile) in others.iter().zip(&tiles) {
        tile::peer(ui, participant, cell(tile), Choice::None, pass);
    }
    if let Some(tile) = tiles.last() {
        tile::own(ui, cell(tile), false, pass);
    }
}

/// The other is large, and we are small in the corner.
pub fn conversation(ui: &mut Ui, other: &ParticipantView, area: Rect, pass: &mut Pass<'_>) {
    tile::peer(ui, other, area, Choice::None, pass);
    let side = (area.size() * 0.28).min(vec2(240.0, 180.0));
    let own = Vec2::new(side.x.max(96.0), side.x.max(96.0) / TILE_ASPECT);
    let rect = Rect::from_min_size(area.right_bottom() - own - Vec2::splat(12.0), own);
    tile::own(ui, rect, true, pass);
}

fn invitation(ui: &mut Ui, area: Rect) {
    let size = vec2((area.width() - 32.0).min(360.0), 76.0);
    let rect = Rect::from_min_size(pos2(area.center().x - size.x * 0.5, area.top() + 16.0), size);
    header::over(ui, rect, |ui| {
        card(ui, |ui| {
            ui.vertical(|ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 4.0;
                let color = theme::palette(ui).text;
                line(ui, "You are the only one here", theme::strong(), color);
                hint(ui, "Copy the link below and send it to the people you want to meet.");
            })
        });
    });
}
