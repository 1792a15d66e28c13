//! The camera thread: opens the chosen source while the camera is on, and hands each picture to the self-view and the encoder.
//!
//! While the camera is off the source is closed, so that the camera's light goes out.

mod convert;
pub(crate) mod device;
mod grid;
mod open;
mod pattern;
mod y4m;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Instant;

use media_core::frame::I420Frame;
use media_core::slot::Slot;
use media_core::stats::RateCounter;

use self::open::{VideoSource, Waker};
use crate::config::VideoSettings;
use crate::event::{DeviceError, DeviceKind, DeviceState, Events};
use crate::repaint::Repaint;
use crate::source::CameraSource;
use crate::stats::CaptureStats;
use crate::video::encode::EncoderHandle;

/// Orders waiting for the camera thread. They come from people, so a full queue means a hung camera: the caller waits. Wake-ups find a full
/// queue to be as good as delivered.
const QUEUE: usize = 16;

/// What the camera thread is asked to do.
pub(crate) enum CameraOrder {
    /// Use this source from now on.
    Choose(Option<CameraSource>),
    /// On or off.
    Enable(bool),
    /// Open a failed source again.
    Retry,
    /// The source has something new.
    Wake,
    /// End.
    Stop,
}

/// Where the camera thread puts its pictures.
pub(crate) struct CameraOutputs {
    /// The self-view.
    pub local: Slot<Arc<I420Frame>>,
    /// Called after each picture.
    pub repaint: Repaint,
    /// The encode thread.
    pub encoder: EncoderHandle,
    /// State changes.
    pub events: Events,
    /// Latest statistics.
    pub stats: Slot<CaptureStats>,
}

/// Where orders for the camera thread go.
pub(crate) fn queue() -> (SyncSender<CameraOrder>, Receiver<CameraOrder>) {
    sync_channel(QUEUE)
}

/// The camera thread's state.
pub(crate) struct CameraThread {
    chosen: Option<CameraSource>,
    enabled: bool,
    settings: VideoSettings,
    source: Option<Box<dyn VideoSource>>,
    state: DeviceState,
    outputs: CameraOutputs,
    orders: Receiver<CameraOrder>,
    waker: Waker,
    frames: u64,
    /// Width and height of the newest picture in pixels.
    size: Option<(u32, u32)>,
    rate: RateCounter,
}

impl CameraThread {
    /// Ready to [`Self::run`].
    pub fn new(
        chosen: Option<CameraSource>,
        enabled: bool,
        settings: VideoSettings,
        outputs: CameraOutputs,
        queue: (SyncSender<CameraOrder>, Receiver<CameraOrder>),
    ) -> Self {
        let (sender, orders) = queue;
        let waker: Waker = Arc::new(move || {
            let _ = sender.try_send(CameraOrder::Wake);
        });
        Self {
            chosen,
            enabled,
            settings,
            source: None,
            state: DeviceState::Idle,
            outputs,
            orders,
            waker,
            frames: 0,
            size: None,
            rate: RateCounter::default(),
        }
    }

    /// Runs until it is told to stop.
    pub fn run(mut self) {
        self.reopen();
        loop {
            match self.next_order() {
                Some(CameraOrder::Stop) => return,
                Some(order) => self.obey(order),
                None => {}
            }
            self.poll_source(Instant::now());
        }
    }

    fn next_order(&mut self) -> Option<CameraOrder> {
        let Some(source) = &self.source else {
            return Some(self.orders.recv().unwrap_or(CameraOrder::Stop));
        };
        let wait = source.due().saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return match self.orders.try_recv() {
                Ok(order) => Some(order),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(CameraOrder::Stop),
            };
        }
        match self.orders.recv_timeout(wait) {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(CameraOrder::Stop),
        }
    }

    fn obey(&mut self, order: CameraOrder) {
        match order {
            CameraOrder::Choose(source) if source != self.chosen || self.failed() => {
                self.chosen = source;
                self.reopen();
            }
            CameraOrder::Enable(enabled) if enabled != self.enabled => {
                self.enabled = enabled;
                self.reopen();
            }
            CameraOrder::Retry if self.failed() => self.reopen(),
            _ => {}
        }
    }

    fn failed(&self) -> bool {
        matches!(self.state, DeviceState::Failed(_))
    }

    fn reopen(&mut self) {
        // The old one is closed first: many cameras can be open only once.
        self.close();
        let Some(chosen) = self.chosen.as_ref().filter(|_| self.enabled) else {
            self.set_state(DeviceState::Idle);
            return;
        };
        let opened = open::open(chosen, &self.settings, Arc::clone(&self.waker));
        match opened {
            Ok(source) => {
                self.source = Some(source);
                self.set_state(DeviceState::Opening);
            }
            Err(error) => self.fail(error),
        }
    }

    fn close(&mut self) {
        self.source = None;
        self.size = None;
        self.rate = RateCounter::default();
        // An old picture must not stand for a camera that is off.
        self.outputs.local.clear();
        self.outputs.repaint.call();
        self.publish_stats();
    }

    fn fail(&mut self, error: DeviceError) {
        self.close();
        self.set_state(DeviceState::Failed(error));
    }

    fn set_state(&mut self, state: DeviceState) {
        if self.state != state {
            self.state = state.clone();
            self.outputs.events.state(DeviceKind::Camera, state);
        }
    }

    fn poll_source(&mut self, now: Instant) {
        let Some(source) = &mut self.source else { return };
        match source.poll(now) {
            Ok(Some(frame)) => self.deliver(frame),
            Ok(None) => {}
            Err(error) => self.fail(error),
        }
    }

    fn deliver(&mut self, frame: I420Frame) {
        if self.state == DeviceState::Opening {
            let name = self.source.as_ref().map(|source| source.name()).unwrap_or_default();
            self.set_state(DeviceState::Running { name });
            self.outputs.encoder.camera_restarted();
        }
        self.frames += 1;
        self.size = Some((frame.width(), frame.height()));
        self.rate.add(1, frame.time);
        let frame = Arc::new(frame);
        self.outputs.local.put(Arc::clone(&frame));
        self.outputs.repaint.call();
        self.outputs.encoder.offer(frame);
        self.publish_stats();
    }

    fn publish_stats(&mut self) {
        let frames_per_second = self.source.as_ref().map(|_| self.rate.per_second(Instant::now()));
        self.outputs.stats.put(CaptureStats {
            frames: self.frames,
            width: self.size.map(|size| size.0),
            height: self.size.map(|size| size.1),
            frames_per_second,
            dropped: 0,
        });
    }
}
