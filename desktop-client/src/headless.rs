//! The call without a window: a bot, a recorder, a test peer. It joins at once and writes statistics.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use call_core::command::Command;
use call_core::control::ShownTile;
use call_core::room_url::RoomUrl;
use call_core::snapshot::{
    ChatLine, DeviceState, DevicesView, RoomConnection, Snapshot, SoundMode, VoiceProcessing,
};
use call_media::{Media, MediaConfig, MicrophoneSource, SpeakerSink};
use shared::PeerId;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::cli::{self, Call, Chosen, ExitStatus};
use crate::collect::collect;
use crate::engine::{self, DeviceSetup, EngineConfig, EngineHandle};
use crate::pictures::Pictures;
use crate::reach::ReachError;
use crate::settings::{Settings, SettingsFile};
use crate::stats::StatsWriter;
use crate::tls::TrustStore;

/// How long a server that does not answer is tried before the program gives up: over a path that loses a third it takes ten seconds now and then.
const JOIN_PATIENCE: Duration = Duration::from_secs(20);

/// The same of one that cannot be reached, for a reason that is known.
const REACH_PATIENCE: Duration = Duration::from_secs(8);

/// How long devices and files may take to open before the room is joined without waiting for them.
const DEVICE_PATIENCE: Duration = Duration::from_secs(5);

/// How often statistics are written.
const STATS_INTERVAL: Duration = Duration::from_secs(1);

/// Media events that may wait for the engine.
pub const MEDIA_EVENTS: usize = 64;

/// Runs the call until its duration is over, Ctrl-C, or a failure that it says on the standard error output.
pub async fn run(call: &Call) -> ExitStatus {
    match Headless::start(call) {
        Ok(headless) => headless.run().await,
        Err((status, error)) => {
            tracing::error!("{error:#}");
            status
        }
    }
}

struct Headless {
    call: Call,
    room: RoomUrl,
    media: Arc<Media>,
    engine: EngineHandle,
    stats: Option<StatsWriter>,
    pictures: Option<Pictures>,
    /// Lines to say, when chat was asked for.
    chat: Option<Lines<BufReader<Stdin>>>,
    /// The number of the last line of the chat that was looked at.
    printed: u64,
    /// Whose pictures were declined.
    unwatched: HashSet<PeerId>,
    /// Camera, microphone and speaker.
    worked: [Worked; 3],
}

/// Whether a device ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Worked {
    /// Not yet.
    #[default]
    Never,
    /// It does.
    Now,
    /// It was lost.
    Before,
}

/// Where the call is on its way into the room.
enum Phase {
    /// Devices are being opened, until then.
    Opening(Instant),
    /// The server is being asked, since then.
    Joining(Instant),
    /// Inside, until then.
    Joined(Option<Instant>),
}

impl Headless {
    fn start(call: &Call) -> Result<Self, (ExitStatus, anyhow::Error)> {
        let room = call.url.clone();
        let stats = match &call.stats_json {
            Some(path) => Some(open_stats(path).map_err(|error| (ExitStatus::NoDevice, error))?),
            None => None,
        };
        let pictures = match &call.pictures {
            Some(folder) => Some(open_pictures(folder).map_err(|error| (ExitStatus::NoDevice, error))?),
            None => None,
        };
        let failed = |error| (ExitStatus::Failed, error);
        let (media_sender, media_events) = mpsc::channel(MEDIA_EVENTS);
        let config = MediaConfig {
            camera: call.camera(),
            microphone: call.microphone(),
            speaker: SpeakerSink::None,
            ..MediaConfig::default()
        };
        let media =
            Media::start(config, media_sender).context("the media threads do not start").map_err(failed)?;
        let media = Arc::new(media);
        let settings = stored_settings();
        let mut session = Settings::default().session_config();
        session.display_name = call.name.as_ref().map(ToString::to_string).unwrap_or_default();
        session.server_url = room.server.to_string();
        session.camera_enabled = call.camera().is_some();
        if call.original_sound {
            session.voice = VoiceProcessing::OFF;
        }
        session.voice.mode = match call.sound_mode {
            cli::SoundMode::Voice => SoundMode::Voice,
            cli::SoundMode::Music => SoundMode::Music,
        };
        session.microphone_enabled = call.microphone().is_some();
        let engine = engine::spawn(EngineConfig {
            session,
            trust: TrustStore::new(settings.pins),
            settings: None,
            media: Arc::clone(&media),
            media_events,
            devices: DeviceSetup {
                camera_named: true,
                microphone_named: true,
                speaker: Some(call.speaker()),
            },
            repaint: Arc::new(|| {}),
        })
        .map_err(failed)?;
        let chat = call.chat.then(|| BufReader::new(tokio::io::stdin()).lines());
        Ok(Self {
            call: call.clone(),
            room,
            media,
            engine,
            stats,
            pictures,
            chat,
            printed: 0,
            unwatched: HashSet::new(),
            worked: Default::default(),
        })
    }

    async fn run(mut self) -> ExitStatus {
        self.command(Command::OpenPreview(self.room.room.clone())).await;
        let mut phase = Phase::Opening(Instant::now() + DEVICE_PATIENCE);
        let mut ticks = tokio::time::interval_at(Instant::now() + STATS_INTERVAL, STATS_INTERVAL);
        let interrupted = interrupted();
        tokio::pin!(interrupted);
        let status = loop {
            match self.advance(phase).await {
                Ok(next) => phase = next,
                Err(status) => break status,
            }
            let deadline = phase.deadline();
            tokio::select! {
                changed = self.engine.snapshots.changed() => if changed.is_err() { break ExitStatus::Failed },
                changed = self.engine.unreachable.changed() => if changed.is_err() { break ExitStatus::Failed },
                _ = ticks.tick() => {
                    self.write_stats(false);
                    self.save_pictures();
                }
                line = next_line(&mut self.chat) => self.say(line).await,
                () = &mut interrupted => break phase.status_when_interrupted(),
                () = sleep_until(deadline) => {}
            }
        };
        self.write_stats(true);
        drop(self.engine.commands);
        let _ = self.engine.task.await;
        status
    }

    /// Goes on to the next phase when what the present one waits for has happened; `Err` ends the program.
    async fn advance(&mut self, phase: Phase) -> Result<Phase, ExitStatus> {
        let snapshot = Arc::clone(&self.engine.snapshots.borrow_and_update());
        self.check_devices(&snapshot.devices)?;
        self.print_chat(&snapshot);
        self.decline_pictures(&snapshot).await;
        let now = Instant::now();
        match phase {
            Phase::Opening(until) => {
                if now < until && is_opening(&snapshot.devices) {
                    return Ok(Phase::Opening(until));
                }
                self.command(Command::Join { password: None }).await;
                Ok(Phase::Joining(now))
            }
            Phase::Joining(since) => self.joining(&snapshot, since),
            Phase::Joined(until) => {
                if until.is_some_and(|until| now >= until) {
                    return Err(ExitStatus::Done);
                }
                refused(&snapshot).map_or(Ok(Phase::Joined(until)), Err)
            }
        }
    }

    fn joining(&mut self, snapshot: &Snapshot, since: Instant) -> Result<Phase, ExitStatus> {
        if let Some(status) = refused(snapshot) {
            return Err(status);
        }
        let connection = snapshot.room.as_ref().map(|room| &room.connection);
        if connection == Some(&RoomConnection::Joined) {
            tracing::info!(room = %self.room.room, "joined");
            return Ok(Phase::Joined(self.call.duration.map(|duration| Instant::now() + duration)));
        }
        let unreachable = self.engine.unreachable.borrow_and_update().clone();
        match unreachable {
            // Nobody is there to trust a certificate, and a name that is unknown now will be in a second.
            Some(
                error @ (ReachError::Untrusted(_) | ReachError::NameNotFound(_) | ReachError::BadUrl(_)),
            ) => {
                tracing::error!("{error}");
                Err(ExitStatus::NotJoined)
            }
            error if since.elapsed() >= if error.is_some() { REACH_PATIENCE } else { JOIN_PATIENCE } => {
                let reason =
                    error.map_or("The server does not answer.".to_owned(), |error| error.to_string());
                tracing::error!("{reason}");
                Err(ExitStatus::NotJoined)
            }
            _ => Ok(Phase::Joining(since)),
        }
    }

    /// A source or sink that was named must work; the system's defaults may be absent. A sound device that worked and is lost is tried again, so
    /// that is only said.
    fn check_devices(&mut self, devices: &DevicesView) -> Result<(), ExitStatus> {
        let Call { camera, microphone, speaker, .. } = &self.call;
        let microphone_device = matches!(microphone, Some(Chosen(Some(MicrophoneSource::Device(_)))));
        let speaker_device = matches!(speaker, Some(SpeakerSink::Device(_)));
        let named = [
            (camera.is_some(), false, &devices.camera),
            (microphone.is_some(), microphone_device, &devices.microphone),
            (speaker.is_some(), speaker_device, &devices.speaker),
        ];
        for ((named, comes_back, device), last) in named.into_iter().zip(&mut self.worked) {
            match &device.state {
                DeviceState::Running => *last = Worked::Now,
                DeviceState::Failed(message) if comes_back && *last != Worked::Never => {
                    let is_news = std::mem::replace(last, Worked::Before) == Worked::Now;
                    is_news.then(|| tracing::warn!("{message}"));
                }
                DeviceState::Failed(message) if named => {
                    tracing::error!("{message}");
                    return Err(ExitStatus::NoDevice);
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn command(&self, command: Command) {
        // The engine outlives this; when it does not, the next wait on it says so.
        let _ = self.engine.commands.send(command).await;
    }

    async fn say(&mut self, line: Option<String>) {
        match line {
            Some(line) => self.command(Command::SendChat(line)).await,
            None => self.chat = None,
        }
    }

    fn write_stats(&mut self, last: bool) {
        let Some(writer) = &mut self.stats else { return };
        let line = collect(&self.engine.snapshots.borrow(), &self.engine.links.borrow(), &self.media, last);
        if let Err(error) = writer.write(&line) {
            tracing::warn!("{error}");
        }
    }

    fn save_pictures(&mut self) {
        let Some(pictures) = &mut self.pictures else { return };
        if let Err(error) = pictures.save(&self.engine.links.borrow()) {
            tracing::warn!("The pictures cannot be saved: {error}.");
        }
    }

    /// Tells those who are not to be watched that their pictures are not shown.
    async fn decline_pictures(&mut self, snapshot: &Snapshot) {
        let Some(room) = snapshot.room.as_ref().filter(|_| !self.call.watch.is_empty()) else { return };
        self.unwatched.retain(|id| room.participants.iter().any(|participant| participant.peer_id == *id));
        for participant in &room.participants {
            if self.call.watch.contains(&participant.display_name)
                || !self.unwatched.insert(participant.peer_id.clone())
            {
                continue;
            }
            let tile = ShownTile { width: 0, height: 0, visible: false };
            self.command(Command::ShowTile { peer: participant.peer_id.clone(), tile }).await;
        }
    }

    /// Lines of others, one JSON object each, where a script that asked for chat can read them.
    fn print_chat(&mut self, snapshot: &Snapshot) {
        let Some(room) = &snapshot.room else { return };
        let new = room.chat.iter().filter(|line| line.number > self.printed);
        if self.call.chat {
            new.filter(|line| line.from.is_some()).for_each(print_line);
        }
        self.printed = room.chat.last().map_or(self.printed, |line| line.number);
    }
}

impl Phase {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Opening(until) => Some(*until),
            Self::Joining(since) => Some(*since + JOIN_PATIENCE),
            Self::Joined(until) => *until,
        }
    }

    fn status_when_interrupted(&self) -> ExitStatus {
        match self {
            Self::Opening(_) | Self::Joining(_) => ExitStatus::NotJoined,
            Self::Joined(_) => ExitStatus::Done,
        }
    }
}

fn open_stats(path: &Path) -> anyhow::Result<StatsWriter> {
    Ok(StatsWriter::open(path)?)
}

fn open_pictures(folder: &Path) -> anyhow::Result<Pictures> {
    Pictures::open(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Pins only; a headless call needs no settings and leaves none.
fn stored_settings() -> Settings {
    SettingsFile::locate().and_then(|file| file.read()).unwrap_or_default()
}

fn is_opening(devices: &DevicesView) -> bool {
    [&devices.camera, &devices.microphone]
        .into_iter()
        .any(|device| device.enabled && matches!(device.state, DeviceState::Idle | DeviceState::Opening))
}

fn refused(snapshot: &Snapshot) -> Option<ExitStatus> {
    match &snapshot.room.as_ref()?.connection {
        RoomConnection::Refused { message, .. } | RoomConnection::Ended { message } => {
            tracing::error!("{message}");
            Some(ExitStatus::NotJoined)
        }
        RoomConnection::Idle
        | RoomConnection::Joining
        | RoomConnection::Joined
        | RoomConnection::Reconnecting { .. } => None,
    }
}

#[expect(clippy::print_stdout, reason = "this is what the script that asked for chat reads")]
fn print_line(line: &ChatLine) {
    let from = line.from.as_ref().map(ToString::to_string);
    println!("{}", serde_json::json!({ "chat": { "from": from, "name": line.name, "text": line.text } }));
}

async fn next_line(lines: &mut Option<Lines<BufReader<Stdin>>>) -> Option<String> {
    match lines {
        Some(lines) => lines.next_line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C, or the signal that process managers send.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
