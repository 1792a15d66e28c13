//! The call session: sole owner of everything that a person sees of a call.
//!
//! Commands come from the window, facts from the signaling core, the peer tasks, the devices and REST requests; orders go to all of them. After
//! each `handle` the outputs are drained to the end; [`Output::SnapshotChanged`] then says whether [`Session::snapshot`] has news.
//!
//! A reconnect never touches what the person has chosen: microphone and camera stay as they are.

mod call;
mod chat;
mod commands;
mod devices;
mod hearings;
mod links;
mod notices;
mod room;
mod seam;
mod server;
mod tiles;
mod trust;

use std::collections::VecDeque;
use std::time::Instant;

use shared::DisplayName;

use crate::control::ControlMessage;
use crate::link::ConnectionState;
use crate::mesh::Mesh;
use crate::snapshot::{Screen, Snapshot};
use call::Call;
use devices::Devices;
use notices::Notices;
use server::Server;
use tiles::Tiles;
use trust::Trust;

pub use seam::{
    ChosenDevices, Input, MediaFact, MediaOrder, Output, RestAnswer, RestCall, RestEvent, RestFailure,
    RestOrder, SessionConfig, Settings, SignalingOrder, UntrustedCertificate,
};

/// See the module.
#[derive(Debug)]
pub struct Session {
    screen: Screen,
    display_name: String,
    caps: Vec<String>,
    speaker_view: bool,
    server: Server,
    call: Option<Call>,
    mesh: Mesh,
    devices: Devices,
    tiles: Tiles,
    notices: Notices,
    trust: Trust,
    /// Signaling sessions that were ordered to end and have not said so yet: what they still report is about a call that is over.
    ending: u32,
    /// What the others were told last about our microphone and camera.
    told: ControlMessage,
    persisted: Settings,
    out: VecDeque<Output>,
    changed: bool,
}

impl Session {
    /// A session on the start screen. Its first outputs list the devices, and load the rooms of the server that is remembered. `seed` is for
    /// the jitter of its waits.
    pub fn new(config: SessionConfig, seed: u64) -> Self {
        let devices = Devices::new(&config);
        let persisted = Settings {
            display_name: config.display_name.clone(),
            server_url: config.server_url.clone(),
            chosen: config.chosen,
            voice: config.voice,
            push_to_talk: config.push_to_talk,
            speaker_view: config.speaker_view,
        };
        let told = devices.state_message();
        let mut session = Self {
            screen: Screen::Start,
            display_name: commands::typed_name(&config.display_name),
            caps: config.caps,
            speaker_view: config.speaker_view,
            server: Server::new(&config.server_url),
            call: None,
            mesh: Mesh::new(seed),
            devices,
            tiles: Tiles::default(),
            notices: Notices::default(),
            trust: Trust::default(),
            ending: 0,
            told,
            persisted,
            out: VecDeque::new(),
            changed: true,
        };
        session.settle();
        session
    }

    /// Takes a fact.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::Command(command) => self.command(command, now),
            Input::Signaling(event) => self.signaling(event, now),
            Input::Link { link, event } => self.link(link, event, now),
            Input::Rest(event) => {
                self.server.handle(event);
                self.changed = true;
            }
            Input::Media(fact) => {
                self.devices.handle(fact);
                self.changed = true;
            }
            Input::Certificate(certificate) => self.changed |= self.trust.ask(certificate),
        }
        self.settle();
        self.tell_tiles(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.mesh.handle_timeout(now);
        self.settle();
        self.tell_tiles(now);
    }

    /// The next order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front().or_else(|| std::mem::take(&mut self.changed).then_some(Output::SnapshotChanged))
    }

    /// When `handle_timeout` wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.mesh.poll_timeout().into_iter().chain(self.tiles.poll_timeout()).min()
    }

    /// What a person sees now.
    pub fn snapshot(&self) -> Snapshot {
        let state_of = |peer: &_| self.mesh.connection(peer).unwrap_or(ConnectionState::New);
        Snapshot {
            screen: self.screen,
            display_name: self.display_name.clone(),
            server: self.server.view().clone(),
            room: self.call.as_ref().map(|call| call.view(state_of)),
            speaker_view: self.speaker_view,
            devices: self.devices.view().clone(),
            notices: self.notices.list().to_vec(),
            trust: self.trust.prompt(),
        }
    }

    /// Our name as the others see it.
    fn public_name(&self) -> DisplayName {
        DisplayName::sanitize(&self.display_name)
    }

    /// Collects the orders of the parts.
    fn settle(&mut self) {
        self.tell_state();
        self.drain_mesh();
        self.out.extend(std::iter::from_fn(|| self.devices.poll_order()).map(Output::Media));
        self.out.extend(std::iter::from_fn(|| self.server.poll_order()).map(Output::Rest));
        let settings = Settings {
            display_name: self.display_name.clone(),
            // What is no address is not worth remembering.
            server_url: match self.server.base() {
                Some(_) => self.server.view().url.clone(),
                None => self.persisted.server_url.clone(),
            },
            chosen: self.devices.chosen(),
            voice: self.devices.view().voice,
            push_to_talk: self.devices.view().push_to_talk,
            speaker_view: self.speaker_view,
        };
        if settings != self.persisted {
            self.persisted = settings.clone();
            self.out.push_back(Output::Persist(settings));
        }
    }
}
