//! The seam between the camera thread and the things that pictures come from.

use std::sync::Arc;
use std::time::Instant;

use media_core::frame::I420Frame;

use super::device::DeviceCamera;
use super::pattern::TestPattern;
use super::y4m::Y4mClip;
use crate::config::VideoSettings;
use crate::event::DeviceError;
use crate::source::CameraSource;

/// Called by a source from any thread when [`VideoSource::poll`] has something new to say.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Something that gives pictures. It lives on the camera thread, and dropping it gives the device back.
pub trait VideoSource {
    /// Its name for people.
    fn name(&self) -> String;

    /// When to call [`Self::poll`] at the latest, if nothing wakes the thread before.
    fn due(&self) -> Instant;

    /// The newest picture, if there is a new one. After an error the source is dropped. Must not block.
    fn poll(&mut self, now: Instant) -> Result<Option<I420Frame>, DeviceError>;
}

/// Opens a source. Slow devices open in a thread of their own and give their first picture, or their error, later.
pub fn open(
    source: &CameraSource,
    settings: &VideoSettings,
    waker: Waker,
) -> Result<Box<dyn VideoSource>, DeviceError> {
    match source {
        CameraSource::TestPattern(format) => Ok(Box::new(TestPattern::new(*format, Instant::now()))),
        CameraSource::File { path, marks } => Ok(Box::new(Y4mClip::open(path, *marks)?)),
        CameraSource::Device(id) => Ok(Box::new(DeviceCamera::open(id.as_deref(), settings, waker)?)),
    }
}
