//! A headless desktop client, and its statistics.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tempfile::TempDir;

#[cfg(target_os = "linux")]
use crate::network::Host;
use crate::persona::{LEVEL, Persona};
use crate::process::Process;
use crate::pulse::Pulse;
use crate::{content, eventually, programs, tone};

/// What a client is started with; the same words as on its command line.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--camera`
    pub camera: String,
    /// `--microphone`
    pub microphone: String,
    /// `--speaker`; none: what it plays is recorded, for [`Desktop::hears`].
    pub speaker: Option<String>,
    /// Whether what it plays is recorded in stereo, for [`Desktop::plays_on_sides`].
    pub stereo: bool,
    /// `--duration`
    pub duration: Option<String>,
    /// `--original-sound`
    pub original_sound: bool,
    /// `--sound-mode`, if any
    pub sound_mode: Option<&'static str>,
    /// `--watch`, if any
    pub watch: Option<String>,
    /// Whether what comes is saved, for [`Desktop::pictures`].
    pub pictures: bool,
}

impl Options {
    /// A small moving picture with marks that tell the time, and a steady tone of this frequency.
    pub fn tone(frequency: u32) -> Self {
        Self {
            camera: "test-pattern:320x180@15".to_owned(),
            microphone: format!("tone:{frequency}"),
            ..Self::default()
        }
    }

    /// Neither camera nor microphone.
    pub fn listener() -> Self {
        Self { camera: "none".to_owned(), microphone: "none".to_owned(), ..Self::default() }
    }
}

/// A running `roundtable call … --headless`.
#[derive(Debug)]
pub struct Desktop {
    process: Process,
    folder: TempDir,
}

impl Desktop {
    /// Starts a client that joins the room of this URL.
    pub fn call(url: &str, name: &str, options: &Options) -> Result<Self> {
        Self::start(url, name, options, |_| {})
    }

    /// The same, with a sound server.
    pub fn call_with_sound(url: &str, name: &str, options: &Options, pulse: &Pulse) -> Result<Self> {
        Self::start(url, name, options, |command| {
            command.envs(pulse.environment());
        })
    }

    /// The same, on a host of a network.
    #[cfg(target_os = "linux")]
    pub fn call_from(host: &Host, url: &str, name: &str, options: &Options) -> Result<Self> {
        Self::start(url, name, options, |command| host.place(command))
    }

    fn start(url: &str, name: &str, options: &Options, prepare: impl FnOnce(&mut Command)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = programs::own("roundtable", "roundtable")?;
        let recording = recording(folder.path());
        let recording =
            format!("file:{}{}", recording.display(), if options.stereo { "?channels=2" } else { "" });
        let mut command = Command::new(program);
        command.args(["call", url, "--name", name, "--headless"]);
        command.args(["--camera", &options.camera, "--microphone", &options.microphone]);
        command.args(["--speaker", options.speaker.as_ref().unwrap_or(&recording)]);
        command.arg("--stats-json").arg(statistics(folder.path()));
        command.arg("--chat");
        command.args(options.duration.iter().flat_map(|duration| ["--duration", duration]));
        if options.original_sound {
            command.arg("--original-sound");
        }
        command.args(options.sound_mode.iter().flat_map(|mode| ["--sound-mode", mode]));
        command.args(options.watch.iter().flat_map(|name| ["--watch", name]));
        if options.pictures {
            command.arg("--pictures").arg(pictures(folder.path()));
        }
        // Settings and pinned certificates of its own.
        command
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path());
        prepare(&mut command);
        let process = Process::start_with_input(&format!("roundtable ({name})"), &mut command)?;
        Ok(Self { process, folder })
    }

    /// The newest line of its statistics; `None` before the first.
    pub fn stats(&mut self) -> Result<Option<Stats>> {
        if let Some(status) = self.process.exit_status()?
            && !status.success()
        {
            bail!("the client ended with {status}:\n{}", self.process.log());
        }
        let Ok(text) = std::fs::read_to_string(statistics(self.folder.path())) else { return Ok(None) };
        // The last line may still be in writing.
        let Some(line) = text.rsplit_once('\n').and_then(|(whole, _)| whole.lines().last()) else {
            return Ok(None);
        };
        serde_json::from_str(line).map(Some).with_context(|| format!("not statistics: {line}"))
    }

    /// All lines of its statistics so far, one a second.
    pub fn history(&self) -> Result<Vec<Stats>> {
        let text = std::fs::read_to_string(statistics(self.folder.path())).unwrap_or_default();
        // The last line may still be in writing.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("not statistics: {line}")))
            .collect()
    }

    /// Files of the pictures that it has saved, and the Unix times in milliseconds at which it did.
    pub fn pictures(&self) -> Result<Vec<(f64, PathBuf)>> {
        let files = std::fs::read_dir(pictures(self.folder.path()))?;
        files
            .map(|file| {
                let path = file?.path();
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                let (_, at) = name.rsplit_once('-').with_context(|| format!("{name} tells no time"))?;
                Ok((at.parse()?, path))
            })
            .collect()
    }

    /// Waits until the statistics satisfy `pick`.
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&Stats) -> Result<Option<T>>,
    ) -> Result<T> {
        let mut last = None;
        let found = eventually(what, async || {
            last = self.stats()?.or(last.take());
            last.as_ref().map_or(Ok(None), &mut pick)
        })
        .await;
        found.with_context(|| format!("last statistics: {last:#?}"))
    }

    /// Waits until it is in the room, and gives its id.
    pub async fn joined(&mut self) -> Result<String> {
        self.until("the client's join", |stats| Ok(stats.peer_id.clone())).await
    }

    /// Waits until it decodes this persona's pictures, and knows them by their marks.
    pub async fn sees(&mut self, persona: &Persona) -> Result<VideoStats> {
        let mut before = None;
        self.until(&format!("pictures of {}", persona.name), |stats| {
            let peer = stats.peer(persona.name).context("no such peer")?;
            let video = peer.video.as_ref().context("no pictures")?;
            let latency = video.latency_ms.context("no marks")?;
            content::expect_age(Duration::from_secs_f64(latency.p50.max(0.0) / 1_000.0), persona.age)?;
            let first = *before.get_or_insert(video.frames_decoded);
            Ok((video.frames_decoded > first).then(|| video.clone()))
        })
        .await
    }

    /// Waits until this persona's voice arrives at the level at which it was sent, and is heard in what is played.
    pub async fn hears(&mut self, persona: &Persona) -> Result<()> {
        self.until(&format!("sound of {}", persona.name), |stats| {
            let peer = stats.peer(persona.name).context("no such peer")?;
            let level = peer.audio.as_ref().and_then(|audio| audio.level_dbfs).context("silence")?;
            ensure!((level - LEVEL).abs() < tone::LEVEL_TOLERANCE, "{level} dB");
            Ok(Some(()))
        })
        .await?;
        let path = recording(self.folder.path());
        eventually(&format!("{} Hz in what is played", persona.voice), async || {
            let level = tone::level_in_wav(&path, persona.voice)?.context("nothing was played")?;
            ensure!((level - LEVEL).abs() < tone::LEVEL_TOLERANCE, "{level} dB");
            Ok(Some(()))
        })
        .await
    }

    /// Waits until a tone of this frequency is at these levels (at most, for those of −40 dB and less) on the left and on the right of what it plays.
    pub async fn plays_on_sides(&self, frequency: u32, expected: [f64; 2]) -> Result<()> {
        let path = recording(self.folder.path());
        eventually(&format!("{frequency} Hz at {expected:?} dB"), async || {
            let sides = tone::sides_in_wav(&path, frequency)?.context("nothing was played")?;
            tone::expect_sides(sides, expected).map(Some)
        })
        .await
    }

    /// Sends a line to everybody.
    pub fn say(&mut self, line: &str) -> Result<()> {
        self.process.write_line(line)
    }

    /// Waits until it has received this line of this person's.
    pub async fn reads(&mut self, name: &str, text: &str) -> Result<()> {
        let is_it = |line: &str| {
            let said: Said = serde_json::from_str(line).ok()?;
            (said.chat.name == name && said.chat.text == text).then_some(())
        };
        self.process.line(&format!("the line {text:?} of {name}"), is_it).await
    }

    /// Waits until what is played is a clean tone of this frequency, at whatever level.
    pub async fn hears_pitch(&self, frequency: u32) -> Result<()> {
        let path = recording(self.folder.path());
        eventually(&format!("{frequency} Hz in what is played"), async || {
            ensure!(path.exists(), "nothing was played");
            let tone = tone::in_wav(&path)?.context("silence")?;
            ensure!((tone.frequency - f64::from(frequency)).abs() < 5.0 && tone.purity > 0.8, "{tone:?}");
            Ok(Some(()))
        })
        .await
    }

    /// Waits until it is connected with exactly these people.
    pub async fn is_with(&mut self, names: &[&str]) -> Result<()> {
        self.until(&format!("a call with {names:?}"), |stats| {
            let all = names
                .iter()
                .all(|name| stats.peer(name).is_some_and(|peer| peer.connection_state == "connected"));
            Ok((all && stats.peers.len() == names.len()).then_some(()))
        })
        .await
    }

    /// The file that what it plays is recorded into, where no speaker was asked for.
    pub fn recording(&self) -> PathBuf {
        recording(self.folder.path())
    }

    /// Its process id.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to leave, as Ctrl-C does, and waits for its end.
    pub async fn leave(&mut self) -> Result<ExitStatus> {
        self.process.terminate()?;
        self.process.ended().await
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.process.ended().await
    }
}

/// A line of others, as `--chat` prints it.
#[derive(Deserialize)]
struct Said {
    chat: Line,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    text: String,
}

fn statistics(folder: &Path) -> PathBuf {
    folder.join("stats.jsonl")
}

fn pictures(folder: &Path) -> PathBuf {
    folder.join("pictures")
}

fn recording(folder: &Path) -> PathBuf {
    folder.join("heard.wav")
}

/// A line of `--stats-json`: the parts that tests look at.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the command line's documentation")]
pub struct Stats {
    pub t: f64,
    pub room_id: Option<String>,
    pub peer_id: Option<String>,
    pub peers: Vec<PeerStats>,
    pub encoder: EncoderStats,
    pub devices: DeviceStats,
    #[serde(rename = "final", default)]
    pub is_final: bool,
}

impl Stats {
    /// The peer of this name.
    pub fn peer(&self, name: &str) -> Option<&PeerStats> {
        self.peers.iter().find(|peer| peer.display_name == name)
    }
}

/// One other participant.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the command line's documentation")]
pub struct PeerStats {
    pub peer_id: String,
    pub display_name: String,
    pub connection_state: String,
    pub join_to_connected_ms: Option<f64>,
    pub join_to_first_frame_ms: Option<f64>,
    pub video: Option<VideoStats>,
    pub audio: Option<AudioStats>,
}

/// Received video.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the command line's documentation")]
pub struct VideoStats {
    pub frames_decoded: u64,
    pub frame_width: Option<u32>,
    pub frame_height: Option<u32>,
    pub frames_per_second: Option<f64>,
    pub freeze_count: u64,
    pub total_freezes_duration: f64,
    pub bitrate_kbps: Option<f64>,
    pub latency_ms: Option<Percentiles>,
}

/// Received audio.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the command line's documentation")]
pub struct AudioStats {
    pub total_samples_received: u64,
    pub concealed_samples: u64,
    pub packets_restored: u64,
    pub jitter_buffer_delay_ms: Option<f64>,
    pub level_dbfs: Option<f64>,
    pub latency_ms: Option<Percentiles>,
}

/// A distribution, in milliseconds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the command line's documentation")]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
}

/// The client's own microphone and speaker.
#[derive(Debug, Clone, Copy, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the command line's documentation")]
pub struct DeviceStats {
    pub underruns: u64,
    pub overruns: u64,
}

/// The client's own encoder.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the command line's documentation")]
pub struct EncoderStats {
    pub layers: Vec<LayerStats>,
}

/// One encoded size.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the command line's documentation")]
pub struct LayerStats {
    pub width: u32,
    pub height: u32,
    pub frames_encoded: u64,
    pub cpu_seconds: Option<f64>,
}
