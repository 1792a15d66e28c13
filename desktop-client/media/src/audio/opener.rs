//! The `microphone` and `speaker` threads: each opens devices of its kind, which may take seconds, and owns their stream.
//!
//! The audio thread leaves its newest wish in a slot and goes on; what was opened comes back to it as an order. So a slow or hung sound
//! service never makes the call stutter, and a microphone that does not come up does not keep the speaker waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use media_core::slot::Slot;

use super::capture::Microphone;
use super::device::{self, OnError, Stream};
use super::play::{Nowhere, Speaker};
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

/// What a person chooses, and how it is opened.
pub trait Openable: Clone + Send {
    /// What the audio thread gets.
    type Opened;
    /// Which kind of device this is.
    const KIND: DeviceKind;
    /// Opens it; `on_error` makes what a stream reports to.
    fn open(&self, on_error: impl FnMut() -> OnError) -> Result<(Self::Opened, Option<Stream>), DeviceError>;
    /// A device's name for people.
    fn name(device: &Self::Opened) -> String;
    /// The news of a wish.
    fn opened(number: u64, result: Result<Self::Opened, DeviceError>) -> Opened;
}

impl Openable for MicrophoneSource {
    type Opened = Box<dyn Microphone>;
    const KIND: DeviceKind = DeviceKind::Microphone;

    fn open(&self, on_error: impl FnMut() -> OnError) -> Result<(Self::Opened, Option<Stream>), DeviceError> {
        Ok(match self {
            Self::Tone(hz) => (Box::new(Tone::new(*hz)), None),
            Self::Marks => (Box::new(Marks::new()), None),
            Self::File(path) => (Box::new(WavClip::open(path)?), None),
            Self::Device(id) => {
                let (stream, microphone) = device::open_microphone(id.as_deref(), on_error)?;
                (Box::new(microphone), Some(stream))
            }
        })
    }

    fn name(device: &Self::Opened) -> String {
        device.name()
    }

    fn opened(number: u64, result: Result<Self::Opened, DeviceError>) -> Opened {
        Opened::Microphone(number, result)
    }
}

/// A sink, and the step of [`super::headroom::Headroom`] that it is opened with.
#[derive(Debug, Clone)]
pub struct SpeakerWish {
    /// Where sound shall go.
    pub sink: SpeakerSink,
    /// How large its buffer shall be.
    pub step: usize,
}

impl Openable for SpeakerWish {
    type Opened = Box<dyn Speaker>;
    const KIND: DeviceKind = DeviceKind::Speaker;

    fn open(&self, on_error: impl FnMut() -> OnError) -> Result<(Self::Opened, Option<Stream>), DeviceError> {
        Ok(match &self.sink {
            SpeakerSink::None => (Box::new(Nowhere), None),
            SpeakerSink::File(path) => (Box::new(WavRecorder::create(path, 1)?), None),
            SpeakerSink::StereoFile(path) => (Box::new(WavRecorder::create(path, 2)?), None),
            SpeakerSink::Device(id) => {
                let (stream, speaker) = device::open_speaker(id.as_deref(), self.step, on_error)?;
                (Box::new(speaker), Some(stream))
            }
        })
    }

    fn name(device: &Self::Opened) -> String {
        device.name()
    }

    fn opened(number: u64, result: Result<Self::Opened, DeviceError>) -> Opened {
        Opened::Speaker(number, result)
    }
}

struct Wish<T> {
    /// Grows with each wish, so that news about older ones can be told apart.
    number: u64,
    /// `None`: close.
    what: Option<T>,
}

enum Note {
    Wake,
    Report { number: u64, error: cpal::Error },
}

/// The audio thread's side. Dropping it ends the thread.
pub struct OpenerHandle<T> {
    wish: Slot<Wish<T>>,
    notes: SyncSender<Note>,
    stop: Arc<AtomicBool>,
}

impl<T> OpenerHandle<T> {
    /// Opens this instead of any other; `None` closes.
    pub fn open(&self, number: u64, what: Option<T>) {
        self.wish.put(Wish { number, what });
        self.wake();
    }

    fn wake(&self) {
        let _ = self.notes.try_send(Note::Wake);
    }
}

impl<T> Drop for OpenerHandle<T> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake();
    }
}

/// The thread's state.
pub struct OpenerThread<T> {
    wish: Slot<Wish<T>>,
    notes: Receiver<Note>,
    /// For streams to report to.
    own_notes: SyncSender<Note>,
    open: Open,
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
pub fn opener<T: Openable>() -> (OpenerHandle<T>, OpenerThread<T>) {
    let (sender, notes) = sync_channel(QUEUE);
    let wish = Slot::new();
    let stop = Arc::new(AtomicBool::new(false));
    let handle = OpenerHandle { wish: wish.clone(), notes: sender.clone(), stop: Arc::clone(&stop) };
    (handle, OpenerThread { wish, notes, own_notes: sender, open: Open::default(), stop })
}

impl<T: Openable> OpenerThread<T> {
    /// Runs until it is told to stop; news go to `report`.
    pub fn run(mut self, report: impl Fn(Opened)) {
        while let Ok(note) = self.notes.recv() {
            if let Note::Report { number, error } = note {
                self.stream_reports(number, &error, &report);
            }
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            if let Some(Wish { number, what }) = self.wish.take() {
                self.open = Open::default();
                if let Some(what) = what {
                    report(T::opened(number, self.carry_out(number, &what)));
                }
            }
        }
    }

    fn carry_out(&mut self, number: u64, what: &T) -> Result<T::Opened, DeviceError> {
        let (device, stream) = what.open(|| self.on_error(number))?;
        self.open = Open { number, name: T::name(&device), stream };
        Ok(device)
    }

    fn on_error(&self, number: u64) -> OnError {
        let notes = self.own_notes.clone();
        Box::new(move |error| {
            // A report that finds the queue full is repeated by the stall that follows.
            let _ = notes.try_send(Note::Report { number, error });
        })
    }

    fn stream_reports(&mut self, number: u64, error: &cpal::Error, report: &impl Fn(Opened)) {
        if self.open.number != number || self.open.stream.is_none() {
            return;
        }
        if !device::is_fatal(error) {
            tracing::debug!(device = self.open.name, %error, "an audio stream reports");
            return;
        }
        let explained = device::explain(&self.open.name, error);
        self.open = Open::default();
        report(Opened::Lost(T::KIND, number, explained));
    }
}
