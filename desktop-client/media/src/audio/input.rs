//! The microphone as the audio thread sees it: which is wanted, which is open, and an unbroken row of blocks from it, silent while there is none.

use std::time::Instant;

use media_core::audio::level::LevelMeter;
use media_core::frame::SAMPLES_PER_BLOCK;

use super::block::Block;
use super::capture::Microphone;
use super::clock::BlockClock;
use super::opener::OpenerHandle;
use super::recovery::Recovery;
use crate::event::{DeviceError, DeviceKind, DeviceState, Events};
use crate::source::MicrophoneSource;

type MicrophoneOpener = OpenerHandle<MicrophoneSource>;

/// The sending side's source of blocks.
pub struct Input {
    source: Option<MicrophoneSource>,
    enabled: bool,
    /// Open while it is off, too.
    stand_by: bool,
    /// Number of the newest wish.
    number: u64,
    microphone: Option<Box<dyn Microphone>>,
    stereo: bool,
    state: DeviceState,
    recovery: Recovery,
    clock: BlockClock,
    /// The last block was heard: the next silent one fades out, and the other way round.
    audible: bool,
    overruns: u64,
    meter: LevelMeter,
    short_meter: LevelMeter,
    voice_level: Option<f32>,
    metered: usize,
    level_dbfs: Option<f32>,
}

impl Input {
    /// Nothing is open yet; see [`Self::start`].
    pub fn new(source: Option<MicrophoneSource>, enabled: bool, now: Instant) -> Self {
        Self {
            source,
            enabled,
            stand_by: false,
            number: 0,
            microphone: None,
            stereo: false,
            state: DeviceState::Idle,
            recovery: Recovery::new(),
            clock: BlockClock::new(now),
            audible: false,
            overruns: 0,
            meter: LevelMeter::new(),
            short_meter: LevelMeter::new(),
            voice_level: None,
            metered: 0,
            level_dbfs: None,
        }
    }

    /// Opens what is wanted, unless it is off.
    pub fn start(&mut self, opener: &MicrophoneOpener, events: &Events) {
        self.close();
        self.recovery.start_over();
        let state = if self.wanted() { DeviceState::Opening } else { DeviceState::Idle };
        self.open(opener);
        self.set_state(state, events);
    }

    /// Tries a device that failed again when it is time to; until it runs, its state stays what it is.
    pub fn recover(&mut self, now: Instant, opener: &MicrophoneOpener) {
        if self.wanted() && self.recovery.due(now) {
            self.open(opener);
        }
    }

    fn open(&mut self, opener: &MicrophoneOpener) {
        self.number += 1;
        opener.open(self.number, self.source.clone().filter(|_| self.wanted()));
    }

    /// A microphone that was never on is not opened: nobody likes one that listens before the first word.
    fn wanted(&self) -> bool {
        self.source.is_some() && (self.enabled || self.stand_by)
    }

    /// Uses another source.
    pub fn choose(&mut self, source: Option<MicrophoneSource>, opener: &MicrophoneOpener, events: &Events) {
        if source != self.source || self.failed() {
            self.source = source;
            self.start(opener, events);
        }
    }

    /// Off keeps the device open while somebody listens, and sends silence, so that on is at once. On tries one that failed again.
    pub fn enable(&mut self, enabled: bool, opener: &MicrophoneOpener, events: &Events) {
        let on = enabled && !self.enabled;
        self.enabled = enabled;
        if (enabled && self.state == DeviceState::Idle) || (on && self.failed()) {
            self.start(opener, events);
        }
    }

    /// Opens the device while it is off, so that on is at once also the first time.
    pub fn stand_by(&mut self, on: bool, opener: &MicrophoneOpener, events: &Events) {
        self.stand_by = on;
        if on && self.state == DeviceState::Idle {
            self.start(opener, events);
        }
    }

    /// Whether blocks may be stereo from now on.
    pub fn allow_stereo(&mut self, allowed: bool) {
        self.stereo = allowed;
        if let Some(microphone) = &mut self.microphone {
            microphone.allow_stereo(allowed);
        }
    }

    /// Opens a failed device again.
    pub fn retry(&mut self, opener: &MicrophoneOpener, events: &Events) {
        if self.failed() {
            self.start(opener, events);
        }
    }

    /// Whether the microphone is heard.
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// What came of a wish.
    pub fn opened(
        &mut self,
        number: u64,
        result: Result<Box<dyn Microphone>, DeviceError>,
        now: Instant,
        events: &Events,
    ) {
        if number != self.number {
            return;
        }
        match result {
            Ok(mut microphone) => {
                microphone.allow_stereo(self.stereo);
                let name = self.microphone.insert(microphone).name();
                self.recovery.running(now);
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

    /// Closes a microphone that is off and that nobody would hear, so that its light goes out.
    pub fn release_unless(&mut self, in_use: bool, opener: &MicrophoneOpener, events: &Events) {
        let open = matches!(self.state, DeviceState::Running { .. } | DeviceState::Opening);
        if open && !self.enabled && !self.stand_by && !in_use {
            self.start(opener, events);
        }
    }

    /// The next block as the microphone gave it, if one is due; silence while it is absent. See [`Self::finish`].
    pub fn next(&mut self, now: Instant, opener: &MicrophoneOpener, events: &Events) -> Option<Block> {
        let mut block = Block::silence();
        let read = match &mut self.microphone {
            Some(microphone) if microphone.keeps_time() => {
                self.clock.set(now);
                let read = microphone.read(now, &mut block);
                if let Ok(false) = read {
                    return None;
                }
                read
            }
            Some(_) | None if !self.clock.due(now) => return None,
            Some(microphone) => microphone.read(now, &mut block),
            None => Ok(false),
        };
        if let Err(error) = read {
            block = Block::silence();
            self.number += 1;
            opener.open(self.number, None);
            self.fail(error, now, events);
        }
        Some(block)
    }

    /// Mutes a block while the microphone is off, and measures what others will hear.
    pub fn finish(&mut self, block: &mut Block) {
        self.fade(block);
        self.measure(block);
    }

    /// A real microphone is open.
    pub fn is_device(&self) -> bool {
        self.microphone.is_some() && matches!(self.source, Some(MicrophoneSource::Device(_)))
    }

    /// When the device last delivered sound.
    pub fn delivered(&self) -> Option<Instant> {
        self.microphone.as_ref().and_then(|microphone| microphone.delivered())
    }

    /// Times that the device gave more than was taken in time.
    pub fn overruns(&self) -> u64 {
        self.overruns + self.microphone.as_ref().map_or(0, |microphone| microphone.overruns())
    }

    /// Level of the last tenth of a second, in dBFS; `None` when silent.
    pub fn voice_level(&self) -> Option<f32> {
        self.voice_level
    }

    /// Level over the last second; `None` when silent.
    pub fn level_dbfs(&self) -> Option<f32> {
        self.level_dbfs
    }

    fn failed(&self) -> bool {
        matches!(self.state, DeviceState::Failed(_))
    }

    fn fail(&mut self, error: DeviceError, now: Instant, events: &Events) {
        self.close();
        if matches!(self.source, Some(MicrophoneSource::Device(_))) {
            self.recovery.failed(now);
        }
        self.set_state(DeviceState::Failed(error), events);
    }

    fn close(&mut self) {
        self.overruns = self.overruns();
        self.microphone = None;
    }

    fn set_state(&mut self, state: DeviceState, events: &Events) {
        if self.state != state {
            self.state = state.clone();
            events.state(DeviceKind::Microphone, state);
        }
    }

    /// Mutes, and smooths the step between silence and sound, which would click.
    fn fade(&mut self, block: &mut Block) {
        match (self.audible, self.enabled) {
            (false, false) => block.samples_mut().fill(0.0),
            (true, true) => {}
            (_, up) => {
                for (n, frame) in block.frames_mut().enumerate() {
                    let share = n as f32 / SAMPLES_PER_BLOCK as f32;
                    let gain = if up { share } else { 1.0 - share };
                    frame.iter_mut().for_each(|sample| *sample *= gain);
                }
            }
        }
        self.audible = self.enabled;
    }

    fn measure(&mut self, block: &Block) {
        self.meter.add(block.samples());
        self.short_meter.add(block.samples());
        if self.metered.is_multiple_of(10) {
            self.voice_level = audible_level(&mut self.short_meter);
        }
        self.metered += 1;
        if self.metered == 100 {
            self.metered = 0;
            self.level_dbfs = audible_level(&mut self.meter);
        }
    }
}

/// What a meter gathered; `None` for silence.
pub fn audible_level(meter: &mut LevelMeter) -> Option<f32> {
    let level = meter.take()?.rms_dbfs;
    (level > media_core::audio::level::SILENCE_DBFS).then_some(level)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;
    use crate::audio::opener::opener;
    use crate::audio::tone::Tone;

    const LATER: Duration = Duration::from_secs(60);

    /// A microphone that was opened, switched on or not, and then lost.
    struct Lost {
        input: Input,
        opener: MicrophoneOpener,
        events: Events,
        at: Instant,
        _queue: mpsc::Receiver<crate::event::MediaEvent>,
    }

    impl Lost {
        fn new(source: MicrophoneSource) -> Self {
            let (sender, queue) = mpsc::channel(16);
            let (events, (opener, _), at) = (Events(sender), opener(), Instant::now());
            let mut input = Input::new(Some(source), true, at);
            input.start(&opener, &events);
            input.lost(input.number, DeviceError::new("Mic 7", "It is gone.", "Plug it in."), at, &events);
            Self { input, opener, events, at, _queue: queue }
        }

        /// Whether it is opened once more.
        fn tries(&mut self) -> bool {
            let before = self.input.number;
            self.input.recover(self.at + LATER, &self.opener);
            self.input.number != before
        }
    }

    fn device() -> MicrophoneSource {
        MicrophoneSource::Device(None)
    }

    #[test]
    fn a_lost_microphone_is_tried_again_and_runs_as_before() {
        let mut lost = Lost::new(device());
        assert!(lost.tries());
        assert!(!lost.tries(), "one attempt at a time");
        assert!(lost.input.failed(), "it is not said to be opening over and over");
        lost.input.opened(lost.input.number, Ok(Box::new(Tone::new(440.0))), lost.at + LATER, &lost.events);
        assert!(!lost.input.failed() && lost.input.enabled());
    }

    #[test]
    fn a_muted_microphone_is_not_opened_behind_anybodys_back() {
        let mut lost = Lost::new(device());
        lost.input.enable(false, &lost.opener, &lost.events);
        assert!(!lost.tries());
        let before = lost.input.number;
        lost.input.enable(true, &lost.opener, &lost.events);
        assert_eq!(lost.input.number, before + 1);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_left_alone() {
        assert!(!Lost::new(MicrophoneSource::File("gone.wav".into())).tries());
    }
}
