//! The command line. Scripts depend on it: names may be added, none may change.

mod duration;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use call_core::room_url::RoomUrl;
use call_media::{CameraSource, MicrophoneSource, SourceParseError, SpeakerSink};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use shared::DisplayName;

const ROOM_HELP: &str = "Room to fill in when the window opens: http(s)://host[:port]/room.html?id=ROOM or roundtable://host[:port]/ROOM";

/// Video calls between people's own machines.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "roundtable", version, propagate_version = true)]
pub struct Cli {
    /// Room to fill in when the window opens.
    #[arg(value_name = "URL", value_parser = RoomUrl::parse, help = ROOM_HELP)]
    pub url: Option<RoomUrl>,
    /// What to log to the standard error output: error, warn, info, debug, trace, or pairs like roundtable=debug,webrtc=info
    #[arg(long, value_name = "FILTER", global = true)]
    pub log: Option<String>,
    /// What to do instead of opening the window.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of opening the window at its start.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Command {
    /// Open the window and go straight to the room's preview
    Join(Join),
    /// Join a room at once, with --headless without a window
    Call(Box<Call>),
    /// List cameras, microphones, speakers and screens
    Devices(Devices),
}

/// `roundtable join`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Join {
    /// The room
    #[arg(value_name = "URL", value_parser = RoomUrl::parse)]
    pub url: RoomUrl,
    /// The name that others see; the one used last when missing
    #[arg(long, value_parser = display_name)]
    pub name: Option<DisplayName>,
}

/// `roundtable call`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Call {
    /// The room
    #[arg(value_name = "URL", value_parser = RoomUrl::parse)]
    pub url: RoomUrl,
    /// The name that others see
    #[arg(long, value_parser = display_name, required_if_eq("headless", "true"))]
    pub name: Option<DisplayName>,
    /// Open no window; run until the duration is over or until Ctrl-C
    #[arg(long)]
    pub headless: bool,
    /// Leave after this time, for example 30s or 2m
    #[arg(long, value_parser = duration::parse)]
    pub duration: Option<Duration>,
    /// Where pictures come from.
    #[arg(help = "test-pattern[:WxH@FPS], file:PATH[?marks=frame|time] (y4m; loops), device[:ID] or none")]
    #[arg(long, value_name = "SRC", value_parser = camera)]
    pub camera: Option<Chosen<CameraSource>>,
    /// Where sound comes from.
    #[arg(help = "tone[:HZ], marks, file:PATH (wav; loops), device[:ID] or none")]
    #[arg(long, value_name = "SRC", value_parser = microphone)]
    pub microphone: Option<Chosen<MicrophoneSource>>,
    /// Send a microphone's sound as it is, for music: no echo cancellation, no noise suppression, no automatic volume. Other sources always are
    #[arg(long, requires = "headless")]
    pub original_sound: bool,
    /// What is sent: voice (mono, processed) or music (a stereo microphone or file in stereo, at a high bitrate, not processed at all)
    #[arg(long, value_name = "MODE", value_enum, default_value = "voice", requires = "headless")]
    pub sound_mode: SoundMode,
    /// Where sound goes.
    #[arg(help = "device[:ID], file:PATH.wav[?channels=2] or none")]
    #[arg(long, value_name = "SINK")]
    pub speaker: Option<SpeakerSink>,
    /// Write statistics, one JSON object a line each second, to this file or to the standard output (-)
    #[arg(long, value_name = "PATH|-")]
    pub stats_json: Option<PathBuf>,
    /// Say each line of the standard input in the room's chat, and print what others say as JSON lines; needs --headless
    #[arg(long, requires = "headless")]
    pub chat: bool,
    /// Save the newest picture of each participant in this folder every second, as PEER-MILLISECONDS.y4m
    #[arg(long, value_name = "DIR", requires = "headless")]
    pub pictures: Option<PathBuf>,
    /// Ask for the pictures of participants of this name only (once for each name); of everybody when missing. Desktop clients then send no others
    #[arg(long, value_name = "NAME", requires = "headless")]
    pub watch: Vec<String>,
}

/// `roundtable devices`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Devices {
    /// Write one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// What `--sound-mode` names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SoundMode {
    /// A voice.
    #[default]
    Voice,
    /// Music.
    Music,
}

/// A source that was named on the command line, or `none`.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen<T>(pub Option<T>);

impl Call {
    /// The camera to use: the one named, the system's default when none was, or `None` for `none`.
    pub fn camera(&self) -> Option<CameraSource> {
        self.camera.as_ref().map_or(Some(CameraSource::Device(None)), |chosen| chosen.0.clone())
    }

    /// The microphone to use: the one named, the system's default when none was, or `None` for `none`.
    pub fn microphone(&self) -> Option<MicrophoneSource> {
        self.microphone.as_ref().map_or(Some(MicrophoneSource::Device(None)), |chosen| chosen.0.clone())
    }

    /// The speaker to use: the one named, or the system's default.
    pub fn speaker(&self) -> SpeakerSink {
        self.speaker.clone().unwrap_or(SpeakerSink::Device(None))
    }
}

impl Cli {
    /// Parses the program's arguments. Prints help, the version or what is wrong, and gives the status to end with.
    pub fn from_arguments<I, T>(arguments: I) -> Result<Self, ExitCode>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        Self::checked(arguments).map_err(|error| {
            // When neither output can be written to, there is nobody to tell.
            let _ = error.print();
            if error.use_stderr() { ExitStatus::BadArguments.into() } else { ExitStatus::Done.into() }
        })
    }

    fn checked<I, T>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let cli = Self::try_parse_from(arguments)?;
        if cli.url.is_some() && cli.command.is_some() {
            let message = "the room's URL comes after the command";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(cli)
    }
}

/// How the program ends. Scripts depend on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// The duration is over, or Ctrl-C came while in the room.
    Done = 0,
    /// Something else failed, for example the window could not be opened.
    Failed = 1,
    /// The arguments are wrong.
    BadArguments = 2,
    /// The server cannot be reached, or the join was refused.
    NotJoined = 3,
    /// A device or file that was named cannot be opened.
    NoDevice = 4,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that an argument's parser has")]
fn display_name(text: &str) -> Result<DisplayName, std::convert::Infallible> {
    Ok(DisplayName::sanitize(text))
}

fn camera(text: &str) -> Result<Chosen<CameraSource>, SourceParseError> {
    CameraSource::parse_optional(text).map(Chosen)
}

fn microphone(text: &str) -> Result<Chosen<MicrophoneSource>, SourceParseError> {
    MicrophoneSource::parse_optional(text).map(Chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://localhost:3000/room.html?id=den";

    fn parse(arguments: &[&str]) -> Result<Cli, ErrorKind> {
        Cli::checked([&["roundtable"], arguments].concat()).map_err(|error| error.kind())
    }

    fn call(arguments: &[&str]) -> Call {
        match parse(&[&["call", URL, "--name", "Ada"], arguments].concat()).unwrap().command {
            Some(Command::Call(call)) => *call,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_arguments_the_window_opens() {
        assert_eq!(parse(&[]).unwrap(), Cli { url: None, log: None, command: None });
        assert_eq!(parse(&[URL]).unwrap().url.unwrap().guest_link(), URL);
    }

    #[test]
    fn join_takes_a_name() {
        let Some(Command::Join(join)) = parse(&["join", URL, "--name", "  Ada "]).unwrap().command else {
            panic!()
        };
        assert_eq!((join.url.guest_link().as_str(), join.name), (URL, Some(DisplayName::sanitize("Ada"))));
        assert!(parse(&["join", URL]).is_ok());
        assert_eq!(parse(&["join"]), Err(ErrorKind::MissingRequiredArgument));
    }

    #[test]
    fn a_headless_call_takes_all_its_options() {
        let call = call(&[
            "--headless",
            "--duration",
            "30s",
            "--camera",
            "test-pattern:1280x720@15",
            "--microphone",
            "tone:1000",
            "--speaker",
            "file:out.wav",
            "--stats-json",
            "-",
            "--original-sound",
            "--sound-mode",
            "music",
            "--pictures",
            "seen",
            "--watch",
            "Alice",
            "--watch",
            "Bob",
            "--log",
            "debug",
        ]);
        assert!(call.headless);
        assert_eq!(call.duration, Some(Duration::from_secs(30)));
        assert!(matches!(call.camera(), Some(CameraSource::TestPattern(format)) if format.height == 720));
        assert_eq!(call.microphone(), Some(MicrophoneSource::Tone(1000.0)));
        assert_eq!(call.speaker(), SpeakerSink::File("out.wav".into()));
        assert_eq!(call.stats_json, Some(PathBuf::from("-")));
        assert!(call.original_sound);
        assert_eq!(call.sound_mode, SoundMode::Music);
        assert_eq!(call.pictures, Some(PathBuf::from("seen")));
        assert_eq!(call.watch, ["Alice", "Bob"]);
    }

    #[test]
    fn unnamed_devices_are_the_systems_and_none_is_none() {
        let default = call(&[]);
        assert_eq!(default.camera(), Some(CameraSource::Device(None)));
        assert_eq!(default.microphone(), Some(MicrophoneSource::Device(None)));
        assert_eq!(default.speaker(), SpeakerSink::Device(None));
        let none = call(&["--camera", "none", "--microphone", "none", "--speaker", "none"]);
        assert_eq!((none.camera(), none.microphone(), none.speaker()), (None, None, SpeakerSink::None));
        assert_eq!(none.sound_mode, SoundMode::Voice);
    }

    #[test]
    fn a_headless_call_needs_a_name() {
        assert_eq!(parse(&["call", URL, "--headless"]), Err(ErrorKind::MissingRequiredArgument));
        assert!(parse(&["call", URL]).is_ok());
    }

    #[test]
    fn wrong_values_are_refused() {
        for wrong in
            [["--duration", "soon"], ["--camera", "webcam"], ["--microphone", "music"], ["--speaker", "loud"]]
        {
            let arguments = [&["call", URL, "--name", "Ada", "--headless"][..], &wrong].concat();
            assert_eq!(parse(&arguments), Err(ErrorKind::ValueValidation), "{wrong:?}");
        }
    }

    #[test]
    fn rooms_may_be_named_by_our_own_scheme_and_must_be_named_whole() {
        let cli = parse(&["join", "roundtable://localhost:3000/den"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Join(join)) if join.url.guest_link() == URL));
        for wrong in [
            "localhost:3000/room.html?id=den",
            "http://localhost:3000/room.html",
            "ftp://localhost/?id=den",
            "den",
        ] {
            assert_eq!(parse(&["join", wrong]), Err(ErrorKind::ValueValidation), "{wrong}");
            assert_eq!(parse(&["call", wrong]), Err(ErrorKind::ValueValidation), "{wrong}");
        }
    }

    #[test]
    fn the_log_filter_may_stand_before_or_after_the_command() {
        for arguments in [["--log", "debug", "devices"], ["devices", "--log", "debug"]] {
            assert_eq!(parse(&arguments).unwrap().log.as_deref(), Some("debug"));
        }
    }

    #[test]
    fn a_url_before_a_command_is_refused() {
        assert_eq!(parse(&[URL, "devices"]), Err(ErrorKind::ArgumentConflict));
    }
}
