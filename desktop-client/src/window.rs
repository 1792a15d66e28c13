//! The window: eframe on the main thread. It shows snapshots and pictures, and passes on what the person asks for.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use call_core::command::Command;
use call_core::room_url::RoomUrl;
use call_core::snapshot::Snapshot;
use call_media::{Media, MediaConfig, SpeakerSink};
use call_ui::{CallFigures, Figure, Initial, Renderer, Speaking, VideoFrames, Window};
use media_core::frame::I420Frame;
use media_core::slot::Slot;
use shared::{DisplayName, PeerId};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use crate::cli::{Call, ExitStatus};
use crate::engine::{self, DeviceSetup, EngineConfig, EngineHandle, Links};
use crate::headless::MEDIA_EVENTS;
use crate::history::{self, History};
use crate::settings::{Settings, SettingsFile};
use crate::tls::TrustStore;
use crate::voices;

/// New pictures of several people come at different moments; those of this time share one pass over the window.
const COALESCE: Duration = Duration::from_millis(10);

/// What the command line asks the window to do first.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// A room.
    pub link: Option<RoomUrl>,
    /// The name to use instead of the remembered one.
    pub name: Option<DisplayName>,
    /// How far to go by itself.
    pub go: Go,
    /// Sources and sink that the command line names.
    pub call: Option<Call>,
}

/// How far the window goes by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Go {
    /// The start screen, with the room filled in.
    #[default]
    Start,
    /// The room's preview.
    Preview,
    /// Into the room.
    Call,
}

/// Opens the window and runs it until it is closed.
pub fn run(runtime: &Runtime, opening: &Opening) -> anyhow::Result<ExitStatus> {
    let room = opening.link.as_ref();
    let (file, settings) = load_settings();
    let shell = start(runtime, opening, room, &file, settings)?;
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Roundtable")
            .with_app_id("roundtable")
            .with_inner_size([1100.0, 720.0])
            .with_min_inner_size([360.0, 480.0]),
        ..Default::default()
    };
    let (task, initial) = (shell.task, shell.initial);
    let parts = Parts {
        frames: shell.frames,
        figures: shell.figures,
        speaking: shell.speaking,
        snapshots: shell.snapshots,
        commands: shell.commands,
        media: shell.media,
        context: shell.context,
    };
    let opened = eframe::run_native(
        "Roundtable",
        options,
        Box::new(move |creation| Ok(Box::new(App::new(creation, initial, parts)))),
    );
    // The app is dropped and with it the commands' channel: the engine says goodbye.
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(3), task).await.ok() });
    opened.map(|()| ExitStatus::Done).map_err(|error| anyhow::anyhow!("{error}")).context(
        "The window cannot be opened. Check that there is a display, or use `roundtable call URL --headless`",
    )
}

/// What runs behind the window.
struct Shell {
    initial: Initial,
    frames: Frames,
    figures: Figures,
    speaking: watch::Receiver<Speaking>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: mpsc::Sender<Command>,
    media: Arc<Media>,
    context: Arc<OnceLock<egui::Context>>,
    task: tokio::task::JoinHandle<()>,
}

fn load_settings() -> (Option<SettingsFile>, Settings) {
    match SettingsFile::locate() {
        Ok(file) => {
            let loaded = file.load();
            if let Some(notice) = &loaded.notice {
                tracing::warn!("{notice}");
            }
            (Some(file), loaded.settings)
        }
        Err(error) => {
            tracing::warn!("{error}");
            (None, Settings::default())
        }
    }
}

fn start(
    runtime: &Runtime,
    opening: &Opening,
    room: Option<&RoomUrl>,
    file: &Option<SettingsFile>,
    settings: Settings,
) -> anyhow::Result<Shell> {
    let call = opening.call.as_ref();
    let (media_sender, media_events) = mpsc::channel(MEDIA_EVENTS);
    let mut session = settings.session_config();
    if let Some(name) = &opening.name {
        session.display_name = name.to_string();
    }
    if let Some(room) = room {
        session.server_url = room.server.to_string();
    }
    let config = MediaConfig {
        camera: call
            .map_or(Some(call_media::CameraSource::Device(session.chosen.camera.clone())), Call::camera),
        microphone: call.map_or(
            Some(call_media::MicrophoneSource::Device(session.chosen.microphone.clone())),
            Call::microphone,
        ),
        speaker: SpeakerSink::None,
        ..MediaConfig::default()
    };
    let media = Arc::new(Media::start(config, media_sender).context("the media threads do not start")?);
    let context: Arc<OnceLock<egui::Context>> = Arc::default();
    let repaint: Arc<dyn Fn() + Send + Sync> = {
        let context = Arc::clone(&context);
        Arc::new(move || {
            if let Some(context) = context.get() {
                context.request_repaint_after(COALESCE);
            }
        })
    };
    media.set_repaint(Arc::clone(&repaint));
    let initial = Initial {
        server: session.server_url.clone(),
        display_name: session.display_name.clone(),
        room: room.map(|room| room.room.to_string()).unwrap_or_default(),
        ..Initial::default()
    };
    let _guard = runtime.enter();
    let EngineHandle { commands, snapshots, links, task, .. } = engine::spawn(EngineConfig {
        session,
        trust: TrustStore::new(settings.pins),
        settings: file.clone(),
        media: Arc::clone(&media),
        media_events,
        devices: DeviceSetup {
            camera_named: call.is_some_and(|call| call.camera.is_some()),
            microphone_named: call.is_some_and(|call| call.microphone.is_some()),
            speaker: call.and_then(|call| call.speaker.clone()),
        },
        repaint: Arc::clone(&repaint),
    })?;
    for command in first_commands(opening.go, room) {
        let _ = commands.try_send(command);
    }
    let (sender, figures) = watch::channel(Arc::default());
    let (speakers, speaking) = watch::channel(Speaking::default());
    tokio::spawn(voices::listen(speakers, links.clone(), Arc::downgrade(&media), repaint));
    tokio::spawn(history::keep(sender, snapshots.clone(), links.clone(), Arc::downgrade(&media)));
    let frames = Frames { local: media.local_video(), links };
    Ok(Shell {
        initial,
        frames,
        figures: Figures(figures),
        speaking,
        snapshots,
        commands,
        media,
        context,
        task,
    })
}

fn first_commands(go: Go, room: Option<&RoomUrl>) -> Vec<Command> {
    let Some(room) = room else { return vec![Command::RefreshRooms] };
    let preview = Command::OpenPreview(room.room.clone());
    match go {
        Go::Start => vec![Command::RefreshRooms],
        Go::Preview => vec![preview],
        Go::Call => vec![preview, Command::Join { password: None }],
    }
}

/// Where the views find pictures.
struct Frames {
    local: Slot<Arc<I420Frame>>,
    links: watch::Receiver<Arc<Links>>,
}

impl VideoFrames for Frames {
    fn local(&self) -> Option<Arc<I420Frame>> {
        self.local.peek()
    }

    fn peer(&self, id: &PeerId) -> Option<Arc<I420Frame>> {
        self.links.borrow().get(id).and_then(|link| link.player.frames().peek())
    }
}

/// Where the statistics panel finds its curves.
struct Figures(watch::Receiver<Arc<History>>);

impl CallFigures for Figures {
    fn own(&self) -> Vec<Figure> {
        self.0.borrow().own().to_vec()
    }

    fn peer(&self, id: &PeerId) -> Vec<Figure> {
        self.0.borrow().peer(id).to_vec()
    }
}

/// What the app gets from the shell.
struct Parts {
    frames: Frames,
    figures: Figures,
    speaking: watch::Receiver<Speaking>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: mpsc::Sender<Command>,
    media: Arc<Media>,
    context: Arc<OnceLock<egui::Context>>,
}

struct App {
    window: Window,
    frames: Frames,
    figures: Figures,
    speaking: watch::Receiver<Speaking>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: mpsc::Sender<Command>,
    /// Keeps the media threads alive as long as the window.
    _media: Arc<Media>,
}

impl App {
    fn new(creation: &eframe::CreationContext<'_>, initial: Initial, parts: Parts) -> Self {
        let Parts { frames, figures, speaking, snapshots, commands, media, context } = parts;
        let _ = context.set(creation.egui_ctx.clone());
        let renderer = Renderer::pick(creation.gl.as_deref());
        let window = Window::new(&creation.egui_ctx, renderer, initial);
        Self { window, frames, figures, speaking, snapshots, commands, _media: media }
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        let speaking = self.speaking.borrow_and_update().clone();
        for command in self.window.show(ui, &snapshot, &self.frames, &self.figures, &speaking) {
            if self.commands.try_send(command).is_err() {
                tracing::error!("the engine takes no commands");
            }
        }
    }

    fn on_exit(&mut self, gl: Option<&eframe::glow::Context>) {
        if let Some(gl) = gl {
            self.window.release(gl);
        }
    }
}
