//! One person large, whoever speaks or is pinned, and the others with us in a strip beside.

use call_core::floor::watched;
use call_core::layout::{self, Tile};
use call_core::snapshot::{ParticipantView, RoomView};
use egui::{Rect, ScrollArea, Sense, Ui, UiBuilder, vec2};
use shared::PeerId;

use super::tile::Choice;
use super::{Pass, grid, tile};
use crate::theme;

/// Who is shown large, as far as it is for the window to remember.
#[derive(Debug, Default)]
pub struct Stage {
    last: Option<PeerId>,
}

impl Stage {
    /// Shows everybody and us.
    pub fn show(&mut self, ui: &mut Ui, room: &RoomView, pass: &mut Pass<'_>) {
        let large = watched(room, pass.speaking.floor.as_ref(), self.last.as_ref());
        self.last = large.map(|who| who.peer_id.clone());
        let area = ui.available_rect_before_wrap();
        let (Some(large), true) = (large, room.participants.len() > 1) else {
            return match room.participants.as_slice() {
                [other] => {
                    ui.allocate_rect(area, Sense::hover());
                    grid::conversation(ui, other, area, pass);
                }
                _ => grid::show(ui, room, pass),
            };
        };
        ui.allocate_rect(area, Sense::hover());
        let choice = |who: &ParticipantView| Choice::of(room.pinned.as_ref() == Some(&who.peer_id));
        // We are the first in the strip, so that we see ourselves when it does not show everybody.
        let others: Vec<&ParticipantView> =
            room.participants.iter().filter(|who| who.peer_id != large.peer_id).collect();
        let stage = layout::stage(others.len() + 1, area.width(), area.height(), theme::GAP);
        tile::peer(ui, large, place(area, &stage.large), choice(large), pass);
        strip(ui, area, &stage, |ui, index, rect| {
            match index.checked_sub(1).and_then(|index| others.get(index)) {
                Some(who) => tile::peer(ui, who, rect, choice(who), pass),
                None => tile::own(ui, rect, false, pass),
            }
        });
    }
}

fn place(area: Rect, tile: &Tile) -> Rect {
    Rect::from_min_size(area.min + vec2(tile.x, tile.y), vec2(tile.width, tile.height))
}

/// Shows the strip's tiles, by their number. Those that are scrolled out are not painted, and nobody sends pictures for them.
fn strip(ui: &mut Ui, area: Rect, stage: &layout::Stage, mut show: impl FnMut(&mut Ui, usize, Rect)) {
    let viewport = place(area, &stage.strip);
    let end = stage.small.iter().fold(viewport, |all, tile| all.union(place(area, tile)));
    ui.scope_builder(UiBuilder::new().max_rect(viewport), |ui| {
        ui.style_mut().always_scroll_the_only_direction = true;
        // The bar lies over the tiles, and shows under the pointer: there is no room beside them.
        ui.spacing_mut().scroll = egui::style::ScrollStyle::floating();
        let scroll = if stage.below { ScrollArea::horizontal() } else { ScrollArea::vertical() };
        scroll.id_salt("strip").auto_shrink(false).show(ui, |ui| {
            let (content, _) = ui.allocate_exact_size(end.size(), Sense::hover());
            for (index, tile) in stage.small.iter().enumerate() {
                show(ui, index, place(area, tile).translate(content.min - viewport.min));
            }
        });
    });
}
