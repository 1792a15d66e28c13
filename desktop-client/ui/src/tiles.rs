//! How large everybody is shown: each peer is told, so that it sends no more than its tile can show.

use std::collections::BTreeMap;

use call_core::command::Command;
use call_core::control::ShownTile;
use call_core::snapshot::Snapshot;
use egui::{Rect, Ui};
use shared::PeerId;

const HIDDEN: ShownTile = ShownTile { width: 0, height: 0, visible: false };

/// The tiles of a pass, and those that the session knows of.
#[derive(Debug, Default)]
pub struct ShownTiles {
    seen: BTreeMap<PeerId, ShownTile>,
    told: BTreeMap<PeerId, ShownTile>,
}

impl ShownTiles {
    /// A peer's tile is painted here.
    pub fn painted(&mut self, ui: &Ui, peer: &PeerId, rect: Rect) {
        // Device pixels: what is smaller than one is none.
        let scale = ui.ctx().pixels_per_point();
        let (width, height) = ((rect.width() * scale) as u32, (rect.height() * scale) as u32);
        if width > 0 && height > 0 {
            self.seen.insert(peer.clone(), ShownTile { width, height, visible: true });
        }
    }

    /// Tells the session what has changed, for everybody in the room.
    pub fn end_pass(&mut self, ui: &Ui, snapshot: &Snapshot, commands: &mut Vec<Command>) {
        let seen = std::mem::take(&mut self.seen);
        let participants = snapshot.room.as_ref().map_or(&[][..], |room| &room.participants);
        let minimized = ui.input(|input| input.viewport().minimized == Some(true));
        self.told.retain(|peer, _| participants.iter().any(|who| who.peer_id == *peer));
        for who in participants {
            let tile = seen.get(&who.peer_id).copied().filter(|_| !minimized).unwrap_or(HIDDEN);
            if self.told.get(&who.peer_id) != Some(&tile) {
                self.told.insert(who.peer_id.clone(), tile);
                commands.push(Command::ShowTile { peer: who.peer_id.clone(), tile });
            }
        }
    }
}
