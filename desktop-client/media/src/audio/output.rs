//! The speaker as the audio thread sees it: which is wanted, which is open, and when it needs a block.

use std::time::{Duration, Instant};

use super::block::Block;
use super::clock::BlockClock;
use super::headroom::Headroom;
use super::opener::{OpenerHandle, SpeakerWish};
use super::play::Speaker;
use super::recovery::Recovery;
use crate::event::{DeviceError, DeviceKind, DeviceState, Events};
use crate::source::SpeakerSink;

type SpeakerOpener = OpenerHandle<SpeakerWish>;

/// The receiving side's sink of blocks. Without a speaker it still wants a block every 10 ms: sound is decoded and counted all the same.
pub struct Output {
    sink: SpeakerSink,
    /// Number of the newest wish.
    number: u64,
    speaker: Option<Box<dyn Speaker>>,
    state: DeviceState,
    recovery: Recovery,
    headroom: Headroom,
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
            recovery: Recovery::new(),
            headroom: Headroom::default(),
            clock: BlockClock::new(now),
            underruns: 0,
        }
    }

    /// Opens what is wanted.
    pub fn start(&mut self, opener: &SpeakerOpener, events: &Events) {
        self.close();
        self.recovery.start_over();
        let state = if self.sink == SpeakerSink::None { DeviceState::Idle } else { DeviceState::Opening };
        self.open(opener);
        self.set_state(state, events);
    }

    /// Tries a device that failed again when it is time to; until it runs, its state stays what it is.
    pub fn recover(&mut self, now: Instant, opener: &SpeakerOpener) {
        if self.recovery.due(now) {
            self.open(opener);
        }
    }

    /// Opens a speaker that falls silent now and then again, with a larger buffer; until it runs, its state stays what it is.
    pub fn widen(&mut self, now: Instant, opener: &SpeakerOpener) {
        let gaps = self.speaker.as_ref().map_or(0, |speaker| speaker.gaps());
        if self.headroom.grows(gaps, now) {
            tracing::info!(gaps, "the speaker's buffer runs dry; it is opened with a larger one");
            self.open(opener);
        }
    }

    fn open(&mut self, opener: &SpeakerOpener) {
        self.number += 1;
        let wish = SpeakerWish { sink: self.sink.clone(), step: self.headroom.step() };
        opener.open(self.number, (self.sink != SpeakerSink::None).then_some(wish));
    }

    /// Uses another sink.
    pub fn choose(&mut self, sink: SpeakerSink, opener: &SpeakerOpener, events: &Events) {
        if sink != self.sink || self.failed() {
            self.sink = sink;
            self.headroom = Headroom::default();
            self.start(opener, events);
        }
    }

    /// Opens a failed device again.
    pub fn retry(&mut self, opener: &SpeakerOpener, events: &Events) {
        if self.failed() {
            self.start(opener, events);
        }
    }

    /// What came of a wish.
    pub fn opened(
        &mut self,
        number: u64,
        result: Result<Box<dyn Speaker>, DeviceError>,
        now: Instant,
        events: &Events,
    ) {
        if number != self.number {
            return;
        }
        match result {
            Ok(speaker) => {
                self.close();
                let name = self.speaker.insert(speaker).name();
                self.recovery.running(now);
                self.headroom.opened(now);
                self.set_state(DeviceState::Running { name }, events);
            }
            Err(error) => self.fail(error, now, events),
        }
    }

    /// The device of a wish failed.
    pub fn lost(&mut self, number: u64, error: DeviceError, now: Instant, events: &Events) {
        if number == self.number {
            self.fail(error, now, events);
        }
    }

    /// Whether a block is wanted now.
    pub fn wants_block(&mut self, now: Instant, opener: &SpeakerOpener, events: &Events) -> bool {
        match &mut self.speaker {
            Some(speaker) if speaker.keeps_time() => {
                self.clock.set(now);
                let wanted = speaker.wants_block(now);
                wanted.unwrap_or_else(|error| {
                    self.give_up(error, now, opener, events);
                    false
                })
            }
            Some(_) | None => self.clock.due(now),
        }
    }

    /// Plays a block.
    pub fn write(&mut self, block: &Block, now: Instant, opener: &SpeakerOpener, events: &Events) {
        if let Some(speaker) = &mut self.speaker
            && let Err(error) = speaker.write(block)
        {
            self.give_up(error, now, opener, events);
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

    /// Closes a device that is open but does not work.
    fn give_up(&mut self, error: DeviceError, now: Instant, opener: &SpeakerOpener, events: &Events) {
        self.number += 1;
        opener.open(self.number, None);
        self.fail(error, now, events);
    }

    fn fail(&mut self, error: DeviceError, now: Instant, events: &Events) {
        self.close();
        if matches!(self.sink, SpeakerSink::Device(_)) {
            self.recovery.failed(now);
        }
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
