//! The `device-list` thread: says which devices there are, when it is asked, and while it is asked to watch.
//!
//! Sound systems give no dependable word of devices that come and go, so it looks every two seconds.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::devices::DeviceList;
use crate::event::{DeviceKind, Events, MediaEvent};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// Requests waiting for the thread. One that finds it full is lost, for the ones before it make it look anyway.
const QUEUE: usize = 8;

enum Request {
    List,
    Watch(bool),
    Stop,
}

/// The other threads' side.
pub struct WatchHandle(SyncSender<Request>);

impl WatchHandle {
    /// Looks once and says what there is, changed or not.
    pub fn list(&self) {
        let _ = self.0.try_send(Request::List);
    }

    /// Looks every two seconds, or no more, and says what changed.
    pub fn watch(&self, on: bool) {
        let _ = self.0.try_send(Request::Watch(on));
    }

    /// Ends the thread.
    pub fn stop(&self) {
        let _ = self.0.try_send(Request::Stop);
    }
}

/// The thread's state.
pub struct WatchThread {
    requests: Receiver<Request>,
    events: Events,
    watching: bool,
    known: Option<DeviceList>,
}

/// The thread's state and the handle to it.
pub fn device_watch(events: Events) -> (WatchHandle, WatchThread) {
    let (sender, requests) = sync_channel(QUEUE);
    (WatchHandle(sender), WatchThread { requests, events, watching: false, known: None })
}

impl WatchThread {
    /// Runs until it is told to stop.
    pub fn run(mut self) {
        loop {
            let request = if self.watching {
                self.requests.recv_timeout(INTERVAL)
            } else {
                self.requests.recv().map_err(RecvTimeoutError::from)
            };
            match request {
                Ok(Request::List) => {
                    self.known = None;
                    self.look();
                }
                Ok(Request::Watch(on)) => {
                    self.watching = on;
                    if on {
                        self.look();
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&mut self) {
        let list = DeviceList::query();
        let kinds = [
            (DeviceKind::Camera, &list.cameras, self.known.as_ref().map(|known| &known.cameras)),
            (DeviceKind::Microphone, &list.microphones, self.known.as_ref().map(|known| &known.microphones)),
            (DeviceKind::Speaker, &list.speakers, self.known.as_ref().map(|known| &known.speakers)),
        ];
        for (kind, now, before) in kinds {
            if before != Some(now) {
                self.events.send(MediaEvent::Devices { kind, list: now.clone() });
            }
        }
        self.known = Some(list);
    }
}
