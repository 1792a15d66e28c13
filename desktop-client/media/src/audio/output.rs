//! The speaker as the audio thread sees it: which is wanted, which is open, and when it needs a block.

use std::time::{Duration, Instant};

use super::block::Block;
use super::clock::BlockClock;
use super::opener::OpenerHandle;
use super::play::Speaker;
use crate::event::{DeviceError, DeviceKind, DeviceState, Events};
use crate::source::SpeakerSink;

/// The receiving side's sink of blocks. Without a speaker it still wants a block every 10 ms: sound is decoded and counted all the same.
pub struct Output {
    sink: SpeakerSink,
    /// Number of the newest wish.
    number: u64,
    speaker: Option<Box<dyn Speaker>>,
    state: DeviceState,
    clock: BlockClock,
    underruns: u64,
}

impl Output {
    /// Nothing is open yet; see [`Self::start`].
    pub fn new(sink: SpeakerSink, now: Instant) -> Self {
        Self {
            sink,
            number: 0,
            speaker: None,
            state: DeviceState::Idle,
            clock: BlockClock::new(now),
            underruns: 0,
        }
    }

    /// Opens what is wanted.
    pub fn start(&mut self, opener: &OpenerHandle, events: &Events) {
        self.close();
        self.number += 1;
        let wanted = (self.sink != SpeakerSink::None).then(|| self.sink.clone());
        let state = if wanted.is_some() { DeviceState::Opening } else { DeviceState::Idle };
        opener.speaker(self.number, wanted);
        self.set_state(state, events);
    }

    /// Uses another sink.
    pub fn choose(&mut self, sink: SpeakerSink, opener: &OpenerHandle, events: &Events) {
        if sink != self.sink || self.failed() {
            self.sink = sink;
            self.start(opener, events);
        }
    }

    /// Opens a failed device again.
    pub fn retry(&mut self, opener: &OpenerHandle, events: &Events) {
        if self.failed() {
            self.start(opener, events);
        }
    }

    /// What came of a wish.
    pub fn opened(&mut self, number: u64, result: Result<Box<dyn Speaker>, DeviceError>, events: &Events) {
        if number != self.number {
            return;
        }
        let state = match result {
            Ok(speaker) => DeviceState::Running { name: self.speaker.insert(speaker).name() },
            Err(error) => DeviceState::Failed(error),
        };
        self.set_state(state, events);
    }

    /// The device of a wish failed.
    pub fn lost(&mut self, number: u64, error: DeviceError, events: &Events) {
        if number == self.number {
            self.close();
            self.set_state(DeviceState::Failed(error), events);
        }
    }

    /// Whether a block is wanted now.
    pub fn wants_block(&mut self, now: Instant, opener: &OpenerHandle, events: &Events) -> bool {
        match &mut self.speaker {
            Some(speaker) if speaker.keeps_time() => {
                self.clock.set(now);
                let wanted = speaker.wants_block(now);
                wanted.unwrap_or_else(|error| {
                    self.fail(error, opener, events);
                    false
                })
            }
            Some(_) | None => self.clock.due(now),
        }
    }

    /// Plays a block.
    pub fn write(&mut self, block: &Block, opener: &OpenerHandle, events: &Events) {
        if let Some(speaker) = &mut self.speaker
            && let Err(error) = speaker.write(block)
        {
            self.fail(error, opener, events);
        }
    }

    /// How long a block that is written now waits before it is heard, as far as is known.
    pub fn backlog(&self) -> Duration {
        self.speaker.as_ref().map_or(Duration::ZERO, |speaker| speaker.backlog())
    }

    /// Times that the device ran out of sound.
    pub fn underruns(&self) -> u64 {
        self.underruns + self.speaker.as_ref().map_or(0, |speaker| speaker.underruns())
    }

    fn fail(&mut self, error: DeviceError, opener: &OpenerHandle, events: &Events) {
        self.close();
        self.number += 1;
        opener.speaker(self.number, None);
        self.set_state(DeviceState::Failed(error), events);
    }

    fn failed(&self) -> bool {
        matches!(self.state, DeviceState::Failed(_))
    }

    fn close(&mut self) {
        self.underruns = self.underruns();
        self.speaker = None;
    }

    fn set_state(&mut self, state: DeviceState, events: &Events) {
        if self.state != state {
            self.state = state.clone();
            events.state(DeviceKind::Speaker, state);
        }
    }
}
