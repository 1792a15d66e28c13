//! The audio thread: every 10 ms it moves what the microphone gave to the encoder, and what the peers sent to the speaker.
//!
//! A device sets the pace where there is one: its ring is emptied or filled at each turn, however much that is. Without a device the thread's
//! own clock does. Nothing here blocks: devices and files are opened by [`super::opener`].

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Instant;

use media_core::audio::encodings::{Encodings, SoundMode};
use media_core::audio::mixer::Mixer;
use media_core::frame::EncodedAudio;
use media_core::slot::Slot;
use tokio::sync::mpsc;

use super::block::Block;
use super::input::Input;
use super::opener::{Opened, OpenerHandle, SpeakerWish};
use super::output::Output;
use super::packet_start::PacketStart;
use super::priority;
use super::receive::{AudioInput, AudioReceiver, audio_player};
use super::send::SendPath;
use super::turns::Turns;
use super::voice::{VoiceChain, VoiceProcessor};
use crate::config::VoiceProcessing;
use crate::event::{DeviceKind, Events};
use crate::source::{MicrophoneSource, SpeakerSink};
use crate::stats::AudioStats;
use crate::subscription::SoundChoice;

/// Orders waiting for the audio thread, which takes them all every 10 ms; the caller waits when it is full.
const QUEUE: usize = 64;

/// What the audio thread is asked to do.
pub enum AudioOrder {
    /// Use this source from now on.
    ChooseMicrophone(Option<MicrophoneSource>),
    /// Use this sink from now on.
    ChooseSpeaker(SpeakerSink),
    /// On or off.
    EnableMicrophone(bool),
    /// Keep the microphone open while it is off, or no longer.
    StandBy(bool),
    /// Process the microphone's sound in this way from now on.
    Process(VoiceProcessing),
    /// Send sound of this kind from now on.
    Mode(SoundMode),
    /// Encode in this way from now on, while this is the kind of sound.
    Encode(Encodings),
    /// Open a failed device again.
    Retry(DeviceKind),
    /// News from the device thread.
    Opened(Opened),
    /// One more peer to send to.
    Subscribe(mpsc::Sender<Arc<EncodedAudio>>, SoundChoice),
    /// One more peer to hear.
    AddPlayer(Box<AudioReceiver>),
    /// End.
    Stop,
}

/// The other threads' side of the audio thread.
#[derive(Clone)]
pub struct AudioHandle {
    orders: SyncSender<AudioOrder>,
    stats: Slot<AudioStats>,
}

impl AudioHandle {
    /// Sends an order.
    pub fn order(&self, order: AudioOrder) {
        let _ = self.orders.send(order);
    }

    /// Adds a peer to hear; it ends when the [`AudioInput`] is dropped.
    pub fn add_player(&self) -> AudioInput {
        let (input, receiver) = audio_player();
        self.order(AudioOrder::AddPlayer(Box::new(receiver)));
        input
    }

    /// Figures.
    pub fn stats(&self) -> AudioStats {
        self.stats.peek().unwrap_or_default()
    }
}

/// The threads that open devices.
pub struct Openers {
    /// Microphones.
    pub microphone: OpenerHandle<MicrophoneSource>,
    /// Speakers.
    pub speaker: OpenerHandle<SpeakerWish>,
}

/// How the audio thread starts.
pub struct AudioSetup {
    /// Where sound comes from.
    pub microphone: Option<MicrophoneSource>,
    /// Whether it is heard.
    pub microphone_enabled: bool,
    /// What is done to a microphone's sound.
    pub voice: VoiceProcessing,
    /// Where sound goes to.
    pub speaker: SpeakerSink,
    /// The encoder.
    pub send: SendPath,
    /// The threads that open devices.
    pub openers: Openers,
    /// State changes.
    pub events: Events,
}

/// The audio thread's state.
pub struct AudioThread {
    orders: Receiver<AudioOrder>,
    stats: Slot<AudioStats>,
    events: Events,
    openers: Openers,
    input: Input,
    mode: SoundMode,
    voice: Box<dyn VoiceProcessor>,
    /// What the processor does while sound is a voice.
    parts: VoiceProcessing,
    packet_start: PacketStart,
    send: SendPath,
    receivers: Vec<AudioReceiver>,
    mixer: Mixer,
    output: Output,
}

/// The thread's state and the handle to it.
pub fn audio(setup: AudioSetup) -> (AudioHandle, AudioThread) {
    let (sender, orders) = sync_channel(QUEUE);
    let stats = Slot::new();
    let now = Instant::now();
    let thread = AudioThread {
        orders,
        stats: stats.clone(),
        events: setup.events,
        openers: setup.openers,
        input: Input::new(setup.microphone, setup.microphone_enabled, now),
        mode: SoundMode::default(),
        voice: Box::new(VoiceChain::new(setup.voice)),
        parts: setup.voice,
        packet_start: PacketStart::default(),
        send: setup.send,
        receivers: Vec::new(),
        mixer: Mixer::new(),
        output: Output::new(setup.speaker, now),
    };
    (AudioHandle { orders: sender, stats }, thread)
}

impl AudioThread {
    /// Runs until it is told to stop.
    pub fn run(mut self) {
        priority::raise();
        self.input.start(&self.openers.microphone, &self.events);
        self.output.start(&self.openers.speaker, &self.events);
        let mut turns = Turns::new(Instant::now());
        while self.obey_until(turns.next()) {
            let now = Instant::now();
            self.input.recover(now, &self.openers.microphone);
            self.output.recover(now, &self.openers.speaker);
            self.output.widen(now, &self.openers.speaker);
            self.capture(now);
            self.render(now);
            self.publish_stats();
            turns.done(now, self.input.delivered());
        }
    }

    /// Carries orders out until it is time for the next turn; false when it is told to stop.
    fn obey_until(&mut self, turn: Instant) -> bool {
        loop {
            match self.orders.recv_timeout(turn.saturating_duration_since(Instant::now())) {
                Ok(AudioOrder::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Ok(order) => self.obey(order),
                Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }

    fn obey(&mut self, order: AudioOrder) {
        let now = Instant::now();
        let Self { input, output, openers: Openers { microphone, speaker }, events, .. } = self;
        match order {
            AudioOrder::ChooseMicrophone(source) => input.choose(source, microphone, events),
            AudioOrder::ChooseSpeaker(sink) => output.choose(sink, speaker, events),
            AudioOrder::EnableMicrophone(enabled) => input.enable(enabled, microphone, events),
            AudioOrder::StandBy(on) => input.stand_by(on, microphone, events),
            AudioOrder::Process(parts) => {
                self.parts = parts;
                self.configure_voice();
            }
            AudioOrder::Mode(mode) => self.set_mode(mode),
            AudioOrder::Encode(encodings) => self.send.follow(&encodings),
            AudioOrder::Retry(DeviceKind::Microphone) => input.retry(microphone, events),
            AudioOrder::Retry(DeviceKind::Speaker) => output.retry(speaker, events),
            AudioOrder::Opened(Opened::Microphone(number, result)) => {
                input.opened(number, result, now, events);
            }
            AudioOrder::Opened(Opened::Speaker(number, result)) => output.opened(number, result, now, events),
            AudioOrder::Opened(Opened::Lost(DeviceKind::Microphone, number, error)) => {
                input.lost(number, error, now, events);
            }
            AudioOrder::Opened(Opened::Lost(_, number, error)) => output.lost(number, error, now, events),
            AudioOrder::Subscribe(sender, choice) => self.send.subscribe(sender, choice),
            AudioOrder::AddPlayer(receiver) => self.receivers.push(*receiver),
            AudioOrder::Retry(DeviceKind::Camera) | AudioOrder::Stop => {}
        }
    }

    fn set_mode(&mut self, mode: SoundMode) {
        self.mode = mode;
        self.input.allow_stereo(mode == SoundMode::Music);
        self.configure_voice();
        self.send.set_mode(mode);
    }

    /// Music is sent as it is.
    fn configure_voice(&mut self) {
        self.voice.configure(match self.mode {
            SoundMode::Voice => self.parts,
            SoundMode::Music => VoiceProcessing::OFF,
        });
    }

    fn capture(&mut self, now: Instant) {
        self.input.release_unless(self.send.has_listeners(), &self.openers.microphone, &self.events);
        let mut blocks = 0;
        while let Some(mut block) = self.input.next(now, &self.openers.microphone, &self.events) {
            // Before muting, so that the canceller knows the room when the person speaks again.
            if self.input.is_device() && self.mode == SoundMode::Voice {
                self.voice.process(block.as_mono_mut());
            }
            self.input.finish(&mut block);
            blocks += 1;
            if !self.packet_start.leaves_out(&block) {
                self.send.push(&block, now, self.input.enabled());
            }
        }
        self.packet_start.turn(blocks, self.send.is_incomplete());
    }

    fn render(&mut self, now: Instant) {
        self.receivers.retain(|receiver| !receiver.ended());
        while self.output.wants_block(now, &self.openers.speaker, &self.events) {
            let heard = now + self.output.backlog();
            for receiver in &mut self.receivers {
                receiver.mix_into(&mut self.mixer, now, heard);
            }
            let mut mix = Block::silent(self.mixer.channels());
            self.mixer.finish(mix.samples_mut());
            if self.input.is_device() && self.mode == SoundMode::Voice {
                self.voice.played(&mix.to_mono());
            }
            self.output.write(&mix, now, &self.openers.speaker, &self.events);
        }
    }

    fn publish_stats(&self) {
        self.stats.put(AudioStats {
            packets_encoded: self.send.packets(),
            underruns: self.output.underruns(),
            overruns: self.input.overruns(),
            microphone_level_dbfs: self.input.level_dbfs(),
            voice_level_dbfs: self.input.voice_level(),
            erle_db: self.voice.erle_db().filter(|_| self.input.is_device()),
        });
    }
}
