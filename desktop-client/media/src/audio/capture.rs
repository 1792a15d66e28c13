//! The seam between the audio thread and the things that sound comes from.

use std::time::Instant;

use super::block::Block;
use crate::event::DeviceError;

/// Something that gives sound. It lives on the audio thread.
pub trait Microphone: Send {
    /// Its name for people.
    fn name(&self) -> String;

    /// Whether it has a clock of its own. If so it is read until it has no more; if not, once every 10 ms.
    fn keeps_time(&self) -> bool;

    /// Whether its blocks may be stereo from now on, if it has two channels; otherwise they are mono, as at the start.
    fn allow_stereo(&mut self, _allowed: bool) {}

    /// Fills the block, or answers false if there is not a whole one yet. After an error it is dropped. Must not block.
    fn read(&mut self, now: Instant, block: &mut Block) -> Result<bool, DeviceError>;

    /// When it last delivered sound; `None` without a clock of its own, and before it has.
    fn delivered(&self) -> Option<Instant> {
        None
    }

    /// Times that it gave more than was taken in time.
    fn overruns(&self) -> u64 {
        0
    }
}
