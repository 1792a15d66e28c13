//! The screens, one view per file. A view is a function of the snapshot that returns commands; its struct holds what was typed into it.

mod call;
mod chat;
mod create;
mod grid;
mod header;
pub mod notices;
mod preview;
mod rooms;
pub mod shortcuts;
mod stage;
mod start;
mod statistics;
mod switches;
mod synced;
mod talk;
mod tile;
mod toolbar;
pub mod trust;
mod volume;

use call_core::command::Command;
use call_core::snapshot::Snapshot;

use crate::figures::CallFigures;
use crate::speaking::Speaking;
use crate::tiles::ShownTiles;
use crate::video::{Pictures, VideoFrames};

pub use call::CallView;
pub use preview::PreviewView;
pub use start::StartView;

/// What every view gets in a pass.
pub struct Pass<'a> {
    /// What to show.
    pub snapshot: &'a Snapshot,
    /// The newest frames.
    pub video: &'a dyn VideoFrames,
    /// Who speaks.
    pub speaking: &'a Speaking,
    /// How the call does.
    pub figures: &'a dyn CallFigures,
    /// Puts frames on the screen.
    pub pictures: &'a mut Pictures,
    /// Whose picture has which tile in this pass.
    pub tiles: &'a mut ShownTiles,
    /// What the person asks for.
    pub commands: &'a mut Vec<Command>,
}
