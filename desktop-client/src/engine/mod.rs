//! The engine task: sole owner of the call session. It feeds facts in, carries orders out, and publishes what people see.
//!
//! Everything that waits (sockets, REST, devices, peer connections) lives in tasks and threads of its own and reports here through bounded
//! channels. Pixels and samples never pass through.

mod carry_out;
mod devices;
mod links;

use std::sync::Arc;
use std::time::Instant;

use call_core::command::Command;
use call_core::link::{LinkEvent, LinkId};
use call_core::session::{Input, RestEvent, Session, SessionConfig, UntrustedCertificate};
use call_core::snapshot::Snapshot;
use call_media::devices::DeviceList;
use call_media::{Media, MediaEvent};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::reach::ReachError;
use crate::settings::SettingsFile;
use crate::signaling::{self, SignalingNews, SignalingTask};
use crate::tls::TrustStore;

pub use devices::DeviceSetup;
pub use links::{LinkView, Links};

use devices::Devices;
use links::LinkTable;

/// Commands that may wait. People are slower than this; a script that is not waits.
const COMMANDS: usize = 64;

/// Facts from all links that may wait. A peer task that finds it full waits, and with it only its own peer.
const LINK_EVENTS: usize = 1024;

/// Answers to REST requests that may wait; requests are few, as people press buttons.
const REST_ANSWERS: usize = 16;

/// Lists of devices that are being made: a second request joins the first.
const DEVICE_LISTS: usize = 1;

/// What the engine needs from outside.
pub struct EngineConfig {
    /// Settings and command line, for the session.
    pub session: SessionConfig,
    /// Certificates that are trusted.
    pub trust: TrustStore,
    /// Where settings are kept; `None` in headless mode, which remembers nothing.
    pub settings: Option<SettingsFile>,
    /// Devices, codecs and media threads.
    pub media: Arc<Media>,
    /// What they report.
    pub media_events: mpsc::Receiver<MediaEvent>,
    /// Which sources the command line named.
    pub devices: DeviceSetup,
    /// Called after each new snapshot, to wake the window.
    pub repaint: Arc<dyn Fn() + Send + Sync>,
}

/// The way to a running engine. When the commands' channel is closed, the engine leaves the room and ends.
pub struct EngineHandle {
    /// What the person asks for.
    pub commands: mpsc::Sender<Command>,
    /// What the person sees.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Who plays whom, for pixels and statistics.
    pub links: watch::Receiver<Arc<Links>>,
    /// Why the server was not reached the last time, in full.
    pub unreachable: watch::Receiver<Option<ReachError>>,
    /// Ends after everything has been left in good order.
    pub task: JoinHandle<()>,
}

/// Starts the engine on the current tokio runtime.
pub fn spawn(config: EngineConfig) -> anyhow::Result<EngineHandle> {
    let (commands, command_queue) = mpsc::channel(COMMANDS);
    let session = Session::new(config.session, rand::random());
    let (snapshots, snapshot_reader) = watch::channel(Arc::new(session.snapshot()));
    let (rest_answers, rest_queue) = mpsc::channel(REST_ANSWERS);
    let (link_events, link_queue) = mpsc::channel(LINK_EVENTS);
    let (links, link_views) = LinkTable::new(Arc::clone(&config.media), link_events)?;
    let (unreachable, unreachable_reader) = watch::channel(None);
    let trust = watch::Sender::new(config.trust);
    let SignalingTask { orders, news, task } = signaling::start(trust.subscribe(), rand::random());
    let (device_lists, device_list_queue) = mpsc::channel(DEVICE_LISTS);
    let engine = Engine {
        devices: Devices::new(config.media, config.devices, &session.snapshot(), device_lists),
        session,
        signaling: orders,
        trust,
        settings: config.settings,
        links,
        rest_answers,
        snapshots,
        unreachable,
        repaint: config.repaint,
    };
    let queues = Queues {
        commands: command_queue,
        rest: rest_queue,
        links: link_queue,
        news,
        media: config.media_events,
        device_lists: device_list_queue,
    };
    let task = tokio::spawn(engine.run(queues, task));
    Ok(EngineHandle {
        commands,
        snapshots: snapshot_reader,
        links: link_views,
        unreachable: unreachable_reader,
        task,
    })
}

/// Where facts come from.
struct Queues {
    commands: mpsc::Receiver<Command>,
    rest: mpsc::Receiver<(RestEvent, Option<UntrustedCertificate>)>,
    links: mpsc::Receiver<(LinkId, LinkEvent)>,
    news: mpsc::Receiver<SignalingNews>,
    media: mpsc::Receiver<MediaEvent>,
    device_lists: mpsc::Receiver<DeviceList>,
}

struct Engine {
    session: Session,
    signaling: mpsc::Sender<call_core::session::SignalingOrder>,
    trust: watch::Sender<TrustStore>,
    settings: Option<SettingsFile>,
    devices: Devices,
    links: LinkTable,
    rest_answers: mpsc::Sender<(RestEvent, Option<UntrustedCertificate>)>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    unreachable: watch::Sender<Option<ReachError>>,
    repaint: Arc<dyn Fn() + Send + Sync>,
}

impl Engine {
    async fn run(mut self, mut queues: Queues, signaling: JoinHandle<()>) {
        self.drain();
        loop {
            let deadline = self.session.poll_timeout();
            tokio::select! {
                command = queues.commands.recv() => match command {
                    Some(command) => self.handle(Input::Command(command)),
                    None => break,
                },
                Some(news) = queues.news.recv() => self.news(news),
                Some((link, event)) = queues.links.recv() => self.handle(Input::Link { link, event }),
                Some((answer, certificate)) = queues.rest.recv() => self.rest_answer(answer, certificate),
                Some(event) = queues.media.recv() => self.media_event(event),
                Some(list) = queues.device_lists.recv() => {
                    devices::list_facts(list).into_iter().for_each(|fact| self.handle(Input::Media(fact)));
                }
                () = sleep_until(deadline) => {
                    self.session.handle_timeout(Instant::now());
                    self.drain();
                }
            }
        }
        // The window is closed, or the time is up: say goodbye, so that the others need no time-out to notice.
        self.handle(Input::Command(Command::Leave));
        drop(self);
        let _ = signaling.await;
    }

    fn handle(&mut self, input: Input) {
        self.session.handle(input, Instant::now());
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            self.carry_out(output);
        }
    }

    fn news(&mut self, news: SignalingNews) {
        match news {
            SignalingNews::Event(event) => {
                self.links.note(&event);
                self.handle(Input::Signaling(event));
            }
            SignalingNews::Certificate(certificate) => self.handle(Input::Certificate(certificate)),
            SignalingNews::Unreachable(error) => {
                tracing::info!("{error}");
                self.unreachable.send_replace(Some(error));
            }
        }
    }

    fn rest_answer(&mut self, answer: RestEvent, certificate: Option<UntrustedCertificate>) {
        if let Some(certificate) = certificate {
            self.handle(Input::Certificate(certificate));
        }
        self.handle(Input::Rest(answer));
    }

    fn media_event(&mut self, event: MediaEvent) {
        self.handle(Input::Media(devices::fact(event)));
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
