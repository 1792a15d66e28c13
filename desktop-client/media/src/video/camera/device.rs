//! Cameras of the system, by nokhwa.
//!
//! A thread per open camera waits for its pictures, because a camera's driver may block for as long as it likes, and converts them. Nothing
//! outside this file knows nokhwa, which is little maintained and may have to be replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use media_core::frame::I420Frame;
use media_core::slot::Slot;
use nokhwa::Camera;
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, CameraInfo, FrameFormat, RequestedFormat, RequestedFormatType,
};

use super::convert::{ConvertError, to_i420};
use super::open::{VideoSource, Waker};
use crate::config::VideoSettings;
use crate::devices::DeviceInfo;
use crate::event::DeviceError;

/// A camera that gives no picture for this long is lost; opening one may take almost as long.
const STALL: Duration = Duration::from_secs(8);

/// How long to wait for a camera's thread to give the camera back. One that hangs longer is left behind.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Damaged pictures in a row until the camera counts as broken.
const MAX_DAMAGED: u32 = 30;

/// What can be converted, cheapest first.
const FORMATS: [FrameFormat; 6] = [
    FrameFormat::NV12,
    FrameFormat::YUYV,
    FrameFormat::GRAY,
    FrameFormat::MJPEG,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
];

/// The cameras that there are.
pub fn list() -> Vec<DeviceInfo> {
    let mut cameras = query();
    // Linux shows a camera as several nodes, of which the first gives pictures.
    cameras.dedup_by(|b, a| a.human_name() == b.human_name() && a.misc() == b.misc());
    let info = |(n, camera): (usize, CameraInfo)| DeviceInfo {
        id: camera.index().as_string(),
        name: camera.human_name(),
        is_default: n == 0,
    };
    cameras.into_iter().enumerate().map(info).collect()
}

fn query() -> Vec<CameraInfo> {
    match nokhwa::query(ApiBackend::Auto) {
        Ok(mut cameras) => {
            cameras.sort_by_key(|camera| camera.index().clone());
            cameras
        }
        Err(error) => {
            tracing::debug!(%error, "cameras cannot be listed");
            Vec::new()
        }
    }
}

/// An open camera, seen from the camera thread.
pub struct DeviceCamera {
    shared: Arc<Shared>,
    /// Closed when the camera's thread has ended.
    closed: Receiver<()>,
    last_picture: Instant,
}

struct Shared {
    /// The newest picture, or why there will be no more.
    news: Slot<Result<I420Frame, DeviceError>>,
    stop: AtomicBool,
    name: OnceLock<String>,
}

impl DeviceCamera {
    /// Starts to open a camera; `None` is the first one.
    pub fn open(id: Option<&str>, settings: &VideoSettings, waker: Waker) -> Result<Self, DeviceError> {
        let (id, settings) = (id.map(str::to_owned), settings.clone());
        let shared =
            Arc::new(Shared { news: Slot::new(), stop: AtomicBool::new(false), name: OnceLock::new() });
        let (alive, closed) = channel();
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("camera-device".to_owned()).spawn(move || {
            if let Err(error) = capture(id.as_deref(), &settings, &theirs, &waker) {
                theirs.news.put(Err(error));
                waker();
            }
            drop::<std::sync::mpsc::Sender<()>>(alive);
        });
        match thread {
            Ok(_detached) => Ok(Self { shared, closed, last_picture: Instant::now() }),
            Err(error) => Err(failure("Camera", &error.to_string())),
        }
    }
}

impl Drop for DeviceCamera {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = self.closed.recv_timeout(CLOSE_TIMEOUT) {
            tracing::warn!(camera = self.name(), "the camera does not give its device back");
        }
    }
}

impl VideoSource for DeviceCamera {
    fn name(&self) -> String {
        self.shared.name.get().cloned().unwrap_or_else(|| "Camera".to_owned())
    }

    fn due(&self) -> Instant {
        self.last_picture + STALL
    }

    fn poll(&mut self, now: Instant) -> Result<Option<I420Frame>, DeviceError> {
        match self.shared.news.take() {
            Some(Ok(frame)) => {
                self.last_picture = now;
                Ok(Some(frame))
            }
            Some(Err(error)) => Err(error),
            None if now >= self.due() => Err(DeviceError::new(
                self.name(),
                "The camera gives no pictures.",
                "Unplug it and plug it in again, then press “Try again”.",
            )),
            None => Ok(None),
        }
    }
}

/// Runs on the camera's own thread until it is told to stop.
fn capture(
    id: Option<&str>,
    settings: &VideoSettings,
    shared: &Shared,
    waker: &Waker,
) -> Result<(), DeviceError> {
    if !permission::ask() {
        return Err(failure("Camera", "permission denied"));
    }
    let info = find(id)?;
    let name = info.human_name();
    let _ = shared.name.set(name.clone());
    let mut camera = configure(&info, settings).map_err(|error| failure(&name, &error.to_string()))?;
    camera.open_stream().map_err(|error| failure(&name, &error.to_string()))?;
    let mut damaged = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        let raw = camera.frame().map_err(|error| failure(&name, &error.to_string()))?;
        let time = Instant::now();
        let size = (raw.resolution().width(), raw.resolution().height());
        match to_i420(raw.source_frame_format(), size, raw.buffer(), time) {
            Ok(frame) => {
                damaged = 0;
                // Latest wins: a picture that was not taken is replaced.
                shared.news.put(Ok(frame));
                waker();
            }
            Err(error) => {
                damaged += 1;
                unusable(&name, &error, damaged)?;
            }
        }
    }
    let _ = camera.stop_stream();
    Ok(())
}

/// Cameras give a damaged picture now and then; only a row of them is worth a word.
fn unusable(name: &str, error: &ConvertError, in_a_row: u32) -> Result<(), DeviceError> {
    tracing::debug!(camera = name, %error, "a picture was dropped");
    if in_a_row < MAX_DAMAGED {
        return Ok(());
    }
    let reason = format!("Its pictures cannot be used ({error}).");
    Err(DeviceError::new(name, reason, "Choose another camera."))
}

fn find(id: Option<&str>) -> Result<CameraInfo, DeviceError> {
    let mut cameras = query().into_iter();
    match id {
        None => cameras.next().ok_or_else(|| {
            DeviceError::new("Camera", "There is no camera.", "Plug one in, then press “Try again”.")
        }),
        Some(id) => {
            let found = cameras.find(|camera| camera.index().as_string() == id || camera.human_name() == id);
            found.ok_or_else(|| {
                let next_step = "Plug it in and press “Try again”, or choose another one.";
                DeviceError::new(format!("Camera {id}"), "There is no such camera.", next_step)
            })
        }
    }
}

fn configure(info: &CameraInfo, settings: &VideoSettings) -> Result<Camera, nokhwa::NokhwaError> {
    let index: CameraIndex = info.index().clone();
    let any = RequestedFormat::with_formats(RequestedFormatType::None, &FORMATS);
    let mut camera = Camera::new(index, any)?;
    let formats = camera.compatible_camera_formats().unwrap_or_default();
    if let Some(best) = choose(&formats, settings)
        && best != camera.camera_format()
    {
        camera
            .set_camera_requset(RequestedFormat::with_formats(RequestedFormatType::Exact(best), &FORMATS))?;
    }
    Ok(camera)
}

/// The format that is nearest to what is asked for: fast enough first, then the size, then what is cheapest to convert.
fn choose(formats: &[CameraFormat], settings: &VideoSettings) -> Option<CameraFormat> {
    let wanted_pixels = i64::from(settings.width) * i64::from(settings.height);
    let cost = |format: &CameraFormat| {
        let slow = settings.framerate.saturating_sub(format.frame_rate());
        let pixels = i64::from(format.width()) * i64::from(format.height());
        // A wrong shape is worse than a somewhat wrong size.
        let skew = i64::from(format.width()) * i64::from(settings.height)
            - i64::from(format.height()) * i64::from(settings.width);
        let rank = FORMATS.iter().position(|known| *known == format.format());
        let fast = format.frame_rate().saturating_sub(settings.framerate);
        // Up to a tenth slower (27 for 30) does not count.
        let slow = if slow * 10 <= settings.framerate { 0 } else { slow };
        (rank.is_none(), slow, (pixels - wanted_pixels).abs() + skew.abs() / 4, rank, fast)
    };
    formats.iter().min_by_key(|format| cost(format)).copied()
}

/// What a driver's words mean for the person.
fn failure(name: &str, error: &str) -> DeviceError {
    let lower = error.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let (reason, next_step) = if has(&["busy", "in use", "os error 16"]) {
        ("The camera is in use by another program.", "Close that program, then press “Try again”.")
    } else if has(&["permission", "denied", "not authorized", "os error 13"]) {
        (
            "This program may not use the camera.",
            "Allow it in the system's privacy settings, then press “Try again”.",
        )
    } else if has(&[
        "no such device",
        "no such file",
        "not found",
        "os error 19",
        "os error 2)",
        "disconnected",
    ]) {
        ("The camera is not there any more.", "Plug it in and press “Try again”, or choose another one.")
    } else {
        let reason = format!("The camera does not work ({}).", error.trim_end_matches('.'));
        return DeviceError::new(name, reason, "Unplug it and plug it in again, or choose another one.");
    };
    DeviceError::new(name, reason, next_step)
}

#[cfg(target_os = "macos")]
mod permission {
    //! macOS asks the person once, and wants to be asked before the first use.

    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// Whether the camera may be used; waits for the person's answer.
    pub fn ask() -> bool {
        let (sender, receiver) = channel();
        nokhwa::nokhwa_initialize(move |granted| {
            let _ = sender.send(granted);
        });
        receiver.recv_timeout(Duration::from_secs(120)).unwrap_or(false)
    }
}

#[cfg(not(target_os = "macos"))]
mod permission {
    //! Other systems refuse when the camera is opened.

    /// Whether the camera may be used.
    pub fn ask() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use nokhwa::utils::Resolution;

    use super::*;

    fn format(width: u32, height: u32, format: FrameFormat, rate: u32) -> CameraFormat {
        CameraFormat::new(Resolution::new(width, height), format, rate)
    }

    #[test]
    fn the_size_and_rate_that_are_asked_for_are_found() {
        let formats = [
            format(640, 480, FrameFormat::YUYV, 30),
            format(1280, 720, FrameFormat::YUYV, 10),
            format(1280, 720, FrameFormat::MJPEG, 30),
            format(1920, 1080, FrameFormat::MJPEG, 30),
            format(640, 360, FrameFormat::YUYV, 30),
            format(640, 360, FrameFormat::MJPEG, 30),
        ];
        let best = |width, height, framerate| {
            choose(&formats, &VideoSettings { width, height, framerate, ..VideoSettings::default() })
        };
        assert_eq!(best(1280, 720, 30), Some(formats[2]), "fast enough, though costlier");
        assert_eq!(best(1280, 720, 10), Some(formats[1]), "raw where it is fast enough");
        assert_eq!(best(640, 360, 30), Some(formats[4]));
        assert_eq!(best(4096, 2160, 30), Some(formats[3]));
        assert_eq!(choose(&[], &VideoSettings::default()), None);
    }

    #[test]
    fn a_camera_that_does_not_exist_is_named_with_a_next_step() {
        let waker: Waker = Arc::new(|| {});
        let mut camera =
            DeviceCamera::open(Some("no-such-camera"), &VideoSettings::default(), waker).unwrap();
        let error = loop {
            match camera.poll(Instant::now()) {
                Ok(_) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => break error,
            }
        };
        let sentence = error.to_string();
        assert!(sentence.contains("no-such-camera") && sentence.contains("Try again"), "{sentence}");
    }

    #[test]
    fn the_words_of_drivers_become_sentences() {
        let busy = failure("Cam", "Could not open device stream: Device or resource busy (os error 16)");
        assert_eq!(
            busy.to_string(),
            "Cam: The camera is in use by another program. Close that program, then press “Try again”."
        );
        assert!(failure("Cam", "Permission denied (os error 13)").reason.contains("may not"));
        assert!(failure("Cam", "No such device (os error 19)").reason.contains("not there"));
        assert!(failure("Cam", "Strange.").reason.contains("(Strange)"));
    }
}
