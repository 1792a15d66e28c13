//! Where pictures and sound come from and go to, as written on the command line (`SRC` and `SINK`).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::codec::vp8_encoder::MAX_ENCODED_DIMENSION;

/// Size and rate of a stream of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoFormat {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second.
    pub framerate: u32,
}

impl fmt::Display for VideoFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}@{}", self.width, self.height, self.framerate)
    }
}

/// Where pictures come from: `test-pattern[:WxH@FPS]`, `file:PATH[?marks=frame|time]` or `device[:ID]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraSource {
    /// A drawn, moving picture that carries the time.
    TestPattern(VideoFormat),
    /// A y4m clip, repeated.
    File {
        /// The clip.
        path: PathBuf,
        /// What to draw into each frame.
        marks: Option<ClipMarks>,
    },
    /// A camera; `None` is the first one.
    Device(Option<String>),
}

/// What the strip of marks in a clip's frames says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipMarks {
    /// The frame's number: receivers can compare the picture with the clip.
    Frame,
    /// The time: receivers can tell the latency.
    Time,
}

/// Where sound comes from: `tone[:HZ]`, `marks`, `file:PATH` or `device[:ID]`.
#[derive(Debug, Clone, PartialEq)]
pub enum MicrophoneSource {
    /// A sine of this frequency in Hz, amplitude 0.25.
    Tone(f32),
    /// A short burst at each whole second, for measuring latency.
    Marks,
    /// A wav clip, repeated.
    File(PathBuf),
    /// A microphone; `None` is the system's default.
    Device(Option<String>),
}

/// Where sound goes: `device[:ID]`, `file:PATH.wav[?channels=2]` or `none`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SpeakerSink {
    /// A speaker; `None` is the system's default.
    Device(Option<String>),
    /// Records the mix in real time, 48 kHz mono.
    File(PathBuf),
    /// The same in stereo.
    StereoFile(PathBuf),
    /// Everything is decoded and mixed, and heard by nobody.
    #[default]
    None,
}

/// The text names no source or sink.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceParseError {
    /// Not one of the kinds.
    #[error("\"{text}\" is not a {what}. Use {choices}.")]
    Unknown {
        /// What was given.
        text: String,
        /// What was expected.
        what: &'static str,
        /// The choices.
        choices: &'static str,
    },
    /// `file:` without a path.
    #[error("\"{0}\" names no file. Write file:PATH.")]
    NoPath(String),
    /// The format of a test pattern.
    #[error(
        "\"{0}\" is not a picture format. Write WxH@FPS, for example 640x360@30: \
         2 to {MAX_ENCODED_DIMENSION} pixels a side and 1 to 120 frames a second."
    )]
    Format(String),
    /// The frequency of a tone.
    #[error("\"{0}\" is not a frequency. Write a number of Hz from 20 to 20000, for example tone:440.")]
    Frequency(String),
    /// An option that does not exist.
    #[error(
        "\"{0}\" is not an option of a file. There are ?marks=frame and ?marks=time for a camera, and ?channels=2 for a speaker."
    )]
    Option(String),
}

const CAMERA_CHOICES: &str = "test-pattern[:WxH@FPS], file:PATH, device[:ID] or none";
const MICROPHONE_CHOICES: &str = "tone[:HZ], marks, file:PATH, device[:ID] or none";
const SPEAKER_CHOICES: &str = "device[:ID], file:PATH.wav[?channels=2] or none";

impl CameraSource {
    /// What `test-pattern` without a format means.
    pub const DEFAULT_PATTERN: VideoFormat = VideoFormat { width: 640, height: 360, framerate: 30 };

    /// Parses a `SRC`, where `none` is allowed and gives `None`.
    pub fn parse_optional(text: &str) -> Result<Option<Self>, SourceParseError> {
        if text == "none" { Ok(None) } else { text.parse().map(Some) }
    }
}

impl FromStr for CameraSource {
    type Err = SourceParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match split(text) {
            ("test-pattern", None) => Ok(Self::TestPattern(Self::DEFAULT_PATTERN)),
            ("test-pattern", Some(format)) => Ok(Self::TestPattern(format.parse()?)),
            ("file", Some(rest)) => {
                let (path, marks) = match rest.rsplit_once('?') {
                    Some((path, "marks=frame")) => (path, Some(ClipMarks::Frame)),
                    Some((path, "marks=time")) => (path, Some(ClipMarks::Time)),
                    Some((_, option)) if option.contains('=') => {
                        return Err(SourceParseError::Option(format!("?{option}")));
                    }
                    _ => (rest, None),
                };
                Ok(Self::File { path: path_of(text, path)?, marks })
            }
            ("device", id) => Ok(Self::Device(id.map(str::to_owned))),
            ("file", None) => Err(SourceParseError::NoPath(text.to_owned())),
            _ => Err(unknown(text, "camera", CAMERA_CHOICES)),
        }
    }
}

impl FromStr for VideoFormat {
    type Err = SourceParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (size, framerate) = text.split_once('@')?;
            let (width, height) = size.split_once('x')?;
            let format = Self {
                width: width.parse().ok()?,
                height: height.parse().ok()?,
                framerate: framerate.parse().ok()?,
            };
            let size = 2..=MAX_ENCODED_DIMENSION;
            let valid = size.contains(&format.width)
                && size.contains(&format.height)
                && (1..=120).contains(&format.framerate);
            valid.then_some(format)
        };
        parse().ok_or_else(|| SourceParseError::Format(text.to_owned()))
    }
}

impl MicrophoneSource {
    /// What `tone` without a frequency means, in Hz.
    pub const DEFAULT_TONE: f32 = 440.0;

    /// Parses a `SRC`, where `none` is allowed and gives `None`.
    pub fn parse_optional(text: &str) -> Result<Option<Self>, SourceParseError> {
        if text == "none" { Ok(None) } else { text.parse().map(Some) }
    }
}

impl FromStr for MicrophoneSource {
    type Err = SourceParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match split(text) {
            ("tone", None) => Ok(Self::Tone(Self::DEFAULT_TONE)),
            ("tone", Some(hz)) => match hz.parse::<f32>() {
                Ok(hz) if (20.0..=20_000.0).contains(&hz) => Ok(Self::Tone(hz)),
                _ => Err(SourceParseError::Frequency(hz.to_owned())),
            },
            ("marks", None) => Ok(Self::Marks),
            ("file", Some(path)) => Ok(Self::File(path_of(text, path)?)),
            ("device", id) => Ok(Self::Device(id.map(str::to_owned))),
            ("file", None) => Err(SourceParseError::NoPath(text.to_owned())),
            _ => Err(unknown(text, "microphone", MICROPHONE_CHOICES)),
        }
    }
}

impl FromStr for SpeakerSink {
    type Err = SourceParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match split(text) {
            ("none", None) => Ok(Self::None),
            ("file", Some(rest)) => match rest.rsplit_once('?') {
                Some((path, "channels=2")) => Ok(Self::StereoFile(path_of(text, path)?)),
                Some((path, "channels=1")) => Ok(Self::File(path_of(text, path)?)),
                Some((_, option)) if option.contains('=') => {
                    Err(SourceParseError::Option(format!("?{option}")))
                }
                _ => Ok(Self::File(path_of(text, rest)?)),
            },
            ("device", id) => Ok(Self::Device(id.map(str::to_owned))),
            ("file", None) => Err(SourceParseError::NoPath(text.to_owned())),
            _ => Err(unknown(text, "speaker", SPEAKER_CHOICES)),
        }
    }
}

/// Splits at the first colon; an empty rest counts as none (`device:` is `device`).
fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((kind, rest)) => (kind, (!rest.is_empty()).then_some(rest)),
        None => (text, None),
    }
}

fn path_of(text: &str, path: &str) -> Result<PathBuf, SourceParseError> {
    if path.is_empty() { Err(SourceParseError::NoPath(text.to_owned())) } else { Ok(PathBuf::from(path)) }
}

fn unknown(text: &str, what: &'static str, choices: &'static str) -> SourceParseError {
    SourceParseError::Unknown { text: text.to_owned(), what, choices }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_command_line_is_understood() {
        let pattern =
            |width, height, framerate| CameraSource::TestPattern(VideoFormat { width, height, framerate });
        assert_eq!("test-pattern".parse(), Ok(pattern(640, 360, 30)));
        assert_eq!("test-pattern:1280x720@15".parse(), Ok(pattern(1280, 720, 15)));
        let file = |path: &str, marks| CameraSource::File { path: path.into(), marks };
        assert_eq!("file:/a/b.y4m".parse(), Ok(file("/a/b.y4m", None)));
        assert_eq!("file:C:\\clip.y4m?marks=frame".parse(), Ok(file("C:\\clip.y4m", Some(ClipMarks::Frame))));
        assert_eq!("file:clip.y4m?marks=time".parse(), Ok(file("clip.y4m", Some(ClipMarks::Time))));
        assert_eq!("file:what?.y4m".parse(), Ok(file("what?.y4m", None)));
        assert_eq!("device".parse(), Ok(CameraSource::Device(None)));
        assert_eq!("device:a:b".parse(), Ok(CameraSource::Device(Some("a:b".into()))));
        assert_eq!(CameraSource::parse_optional("none"), Ok(None));
        assert_eq!("tone".parse(), Ok(MicrophoneSource::Tone(440.0)));
        assert_eq!("tone:1000".parse(), Ok(MicrophoneSource::Tone(1000.0)));
        assert_eq!("marks".parse(), Ok(MicrophoneSource::Marks));
        assert_eq!("file:a.wav".parse(), Ok(MicrophoneSource::File("a.wav".into())));
        assert_eq!(MicrophoneSource::parse_optional("none"), Ok(None));
        assert_eq!("none".parse(), Ok(SpeakerSink::None));
        assert_eq!("file:out.wav".parse(), Ok(SpeakerSink::File("out.wav".into())));
        assert_eq!("file:out?.wav".parse(), Ok(SpeakerSink::File("out?.wav".into())));
        assert_eq!("file:out.wav?channels=2".parse(), Ok(SpeakerSink::StereoFile("out.wav".into())));
        assert_eq!("device:pulse:x".parse(), Ok(SpeakerSink::Device(Some("pulse:x".into()))));
    }

    #[test]
    fn what_is_not_understood_is_said_in_a_sentence() {
        for text in
            ["", "webcam", "test-pattern:640x360", "test-pattern:0x0@30", "test-pattern:9999x9@30", "file:"]
        {
            let error = text.parse::<CameraSource>().unwrap_err().to_string();
            assert!(error.ends_with('.') && error.contains('"'), "{error}");
        }
        for text in ["tone:loud", "tone:-3", "tone:NaN", "marks:1", "file:", "music"] {
            assert!(text.parse::<MicrophoneSource>().is_err(), "{text}");
        }
        assert!("file:clip.y4m?marks=age".parse::<CameraSource>().is_err());
        for text in ["loudspeaker", "file:", "file:?channels=2", "file:out.wav?channels=6"] {
            assert!(text.parse::<SpeakerSink>().is_err(), "{text}");
        }
    }
}
