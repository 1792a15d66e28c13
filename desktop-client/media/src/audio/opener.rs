//! The `audio-device` thread: opens microphones and speakers, which may take seconds, and owns their streams.
//!
//! The audio thread leaves its newest wish in a slot and goes on; what was opened comes back to it as an order. So a slow or hung sound
//! service never makes the call stutter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use cpal::Stream;
use media_core::slot::Slot;

use super::capture::Microphone;
use super::device::{self, OnError};
use super::play::Speaker;
use super::tone::{Marks, Tone};
use super::wav::{WavClip, WavRecorder};
use crate::event::{DeviceError, DeviceKind};
use crate::source::{MicrophoneSource, SpeakerSink};

/// Notes waiting for the thread. A wake-up that finds it full is as good as delivered; a stream's report waits for a place.
const QUEUE: usize = 16;

/// What was opened, or why not, for the wish with this number.
pub enum Opened {
    /// A microphone.
    Microphone(u64, Result<Box<dyn Microphone>, DeviceError>),
    /// A speaker.
    Speaker(u64, Result<Box<dyn Speaker>, DeviceError>),
    /// A running device failed.
    Lost(DeviceKind, u64, DeviceError),
}

struct Wish<T> {
    /// Grows with each wish of its kind, so that news about older ones can be told apart.
    number: u64,
    /// `None`: close.
    what: Option<T>,
}

enum Note {
    Wake,
    Report { kind: DeviceKind, number: u64, error: cpal::Error },
}

/// The audio thread's side. Dropping it ends the thread.
pub struct OpenerHandle {
    microphone: Slot<Wish<MicrophoneSource>>,
    speaker: Slot<Wish<SpeakerSink>>,
    notes: SyncSender<Note>,
    stop: Arc<AtomicBool>,
}

impl OpenerHandle {
    /// Opens this microphone instead of any other; `None` closes it.
    pub fn microphone(&self, number: u64, what: Option<MicrophoneSource>) {
        self.microphone.put(Wish { number, what });
        self.wake();
    }

    /// Opens this speaker instead of any other; `None` closes it.
    pub fn speaker(&self, number: u64, what: Option<SpeakerSink>) {
        self.speaker.put(Wish { number, what });
        self.wake();
    }

    fn wake(&self) {
        let _ = self.notes.try_send(Note::Wake);
    }
}

impl Drop for OpenerHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake();
    }
}

/// The thread's state.
pub struct OpenerThread {
    microphone: Slot<Wish<MicrophoneSource>>,
    speaker: Slot<Wish<SpeakerSink>>,
    notes: Receiver<Note>,
    /// For streams to report to.
    own_notes: SyncSender<Note>,
    input: Open,
    output: Open,
    stop: Arc<AtomicBool>,
}

/// A stream that is open.
#[derive(Default)]
struct Open {
    number: u64,
    name: String,
    stream: Option<Stream>,
}

/// The thread's state and the handle to it.
pub fn opener() -> (OpenerHandle, OpenerThread) {
    let (sender, notes) = sync_channel(QUEUE);
    let (microphone, speaker) = (Slot::new(), Slot::new());
    let stop = Arc::new(AtomicBool::new(false));
    let handle = OpenerHandle {
        microphone: microphone.clone(),
        speaker: speaker.clone(),
        notes: sender.clone(),
        stop: Arc::clone(&stop),
    };
    let thread = OpenerThread {
        microphone,
        speaker,
        notes,
        own_notes: sender,
        input: Open::default(),
        output: Open::default(),
        stop,
    };
    (handle, thread)
}

impl OpenerThread {
    /// Runs until it is told to stop; news go to `report`.
    pub fn run(mut self, report: impl Fn(Opened)) {
        while let Ok(note) = self.notes.recv() {
            match note {
                Note::Wake => {}
                Note::Report { kind, number, error } => self.stream_reports(kind, number, &error, &report),
            }
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            if let Some(Wish { number, what }) = self.microphone.take() {
                self.input = Open::default();
                if let Some(source) = what {
                    report(Opened::Microphone(number, self.open_microphone(number, &source)));
                }
            }
            if let Some(Wish { number, what }) = self.speaker.take() {
                self.output = Open::default();
                if let Some(sink) = what {
                    report(Opened::Speaker(number, self.open_speaker(number, &sink)));
                }
            }
        }
    }

    fn open_microphone(
        &mut self,
        number: u64,
        source: &MicrophoneSource,
    ) -> Result<Box<dyn Microphone>, DeviceError> {
        Ok(match source {
            MicrophoneSource::Tone(hz) => Box::new(Tone::new(*hz)),
            MicrophoneSource::Marks => Box::new(Marks::new()),
            MicrophoneSource::File(path) => Box::new(WavClip::open(path)?),
            MicrophoneSource::Device(id) => {
                let on_error = || self.on_error(DeviceKind::Microphone, number);
                let (stream, microphone) = device::open_microphone(id.as_deref(), on_error)?;
                self.input = Open { number, name: microphone.name(), stream: Some(stream) };
                Box::new(microphone)
            }
        })
    }

    fn open_speaker(&mut self, number: u64, sink: &SpeakerSink) -> Result<Box<dyn Speaker>, DeviceError> {
        Ok(match sink {
            SpeakerSink::None => Box::new(super::play::Nowhere),
            SpeakerSink::File(path) => Box::new(WavRecorder::create(path, 1)?),
            SpeakerSink::StereoFile(path) => Box::new(WavRecorder::create(path, 2)?),
            SpeakerSink::Device(id) => {
                let on_error = || self.on_error(DeviceKind::Speaker, number);
                let (stream, speaker) = device::open_speaker(id.as_deref(), on_error)?;
                self.output = Open { number, name: speaker.name(), stream: Some(stream) };
                Box::new(speaker)
            }
        })
    }

    fn on_error(&self, kind: DeviceKind, number: u64) -> OnError {
        let notes = self.own_notes.clone();
        Box::new(move |error| {
            // A report that finds the queue full is repeated by the stall that follows.
            let _ = notes.try_send(Note::Report { kind, number, error });
        })
    }

    fn stream_reports(
        &mut self,
        kind: DeviceKind,
        number: u64,
        error: &cpal::Error,
        report: &impl Fn(Opened),
    ) {
        let open = match kind {
            DeviceKind::Microphone => &mut self.input,
            DeviceKind::Speaker | DeviceKind::Camera => &mut self.output,
        };
        if open.number != number || open.stream.is_none() {
            return;
        }
        if !device::is_fatal(error) {
            tracing::debug!(device = open.name, %error, "an audio stream reports");
            return;
        }
        let explained = device::explain(&open.name, error);
        *open = Open::default();
        report(Opened::Lost(kind, number, explained));
    }
}
