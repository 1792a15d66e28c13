//! The seam between the audio thread and the things that sound goes to.

use std::time::{Duration, Instant};

use super::block::Block;
use crate::event::DeviceError;

/// Something that takes the mix. It lives on the audio thread.
pub trait Speaker: Send {
    /// Its name for people.
    fn name(&self) -> String;

    /// Whether it has a clock of its own. If so it is given blocks while it wants more; if not, one every 10 ms.
    fn keeps_time(&self) -> bool;

    /// Whether it wants another block now. After an error it is dropped.
    fn wants_block(&mut self, now: Instant) -> Result<bool, DeviceError>;

    /// Takes a block. After an error it is dropped. Must not block.
    fn write(&mut self, block: &Block) -> Result<(), DeviceError>;

    /// How long a block that is written now waits before it is heard, as far as is known.
    fn backlog(&self) -> Duration {
        Duration::ZERO
    }

    /// Times that its own buffer ran dry, since nobody came to refill it in time.
    fn gaps(&self) -> u64 {
        0
    }

    /// Times that it ran out of sound, gaps included.
    fn underruns(&self) -> u64 {
        0
    }
}

/// Takes sound that nobody hears: it is decoded and mixed all the same, so that its figures are right.
pub struct Nowhere;

impl Speaker for Nowhere {
    fn name(&self) -> String {
        "None".to_owned()
    }

    fn keeps_time(&self) -> bool {
        false
    }

    fn wants_block(&mut self, _now: Instant) -> Result<bool, DeviceError> {
        Ok(true)
    }

    fn write(&mut self, _block: &Block) -> Result<(), DeviceError> {
        Ok(())
    }
}
