//! The one task that owns the lobby. It turns what the transport and the REST API bring into inputs, and the lobby's orders into packets.
//!
//! Everything is handled in the order in which it comes, in batches, without a task or a lock per event. Nothing here waits: packets go into the
//! connections' own bounded queues, and a relay to a queue that is nearly full is refused to its sender, so that nobody can get somebody else
//! disconnected by flooding them.

mod rooms;

use std::collections::HashMap;
use std::time::{Instant, SystemTime};

use serde::Serialize;
use serde_json::value::RawValue;
use shared::PeerId;
use shared::events::{ClientEvent, ClientEventError, ErrorBody, JoinAnswer, ServerEvent};
use shared::fields::FieldError;
use signal_core::{Answer, Input, Lobby, LobbyConfig, Now, Output};
use socketio::{AckId, Args, EncodedEvent, Inbound, Socket, SocketId};
use tokio::sync::mpsc;

use rooms::Command;
pub use rooms::Rooms;

/// Inbound items that are handled between two looks at the REST API's questions.
const BATCH: usize = 256;

/// The only namespace of the contract.
const NAMESPACE: &str = "/";

/// Owns the lobby and the connections.
pub struct Gateway {
    lobby: Lobby,
    /// By id as the lobby knows it.
    sockets: HashMap<PeerId, Socket>,
    inbound: mpsc::Receiver<Inbound>,
    commands: mpsc::Receiver<Command>,
    /// A relay is refused when more bytes than this wait for its addressee.
    busy_above: usize,
}

impl Gateway {
    /// A gateway over what the transport brings, and the REST API's way to it. `busy_above` must leave space in a connection's queue for the
    /// largest message.
    pub fn new(config: LobbyConfig, inbound: mpsc::Receiver<Inbound>, busy_above: usize) -> (Self, Rooms) {
        let (rooms, commands) = rooms::channel();
        let gateway =
            Self { lobby: Lobby::new(config), sockets: HashMap::new(), inbound, commands, busy_above };
        (gateway, rooms)
    }

    /// Works until the transport is gone.
    pub async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = self.inbound.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    for inbound in batch.drain(..) {
                        self.inbound(inbound);
                    }
                }
                Some(command) = self.commands.recv() => {
                    command.carry_out(&mut self.lobby, now());
                    self.drain();
                }
            }
        }
    }

    fn inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Connected { socket, .. } => {
                let Some(peer) = peer_id(socket.id()) else { return socket.close() };
                tracing::debug!(%peer, "connected");
                self.sockets.insert(peer.clone(), socket);
                self.handle(Input::Connected { peer });
            }
            Inbound::Event { socket, name, args, ack } => {
                let Some(peer) = peer_id(socket) else { return };
                let ack = ack.map(|AckId(ack)| ack);
                let input = match parse(&name, &args) {
                    Ok(event) => Input::Event { peer, event, ack },
                    Err(error) => Input::Invalid { peer, error, ack },
                };
                self.handle(input);
            }
            Inbound::Disconnected { socket, reason } => {
                let Some(peer) = peer_id(socket) else { return };
                tracing::debug!(%peer, %reason, "disconnected");
                self.handle(Input::Disconnected { peer: peer.clone() });
                self.sockets.remove(&peer);
            }
        }
    }

    fn handle(&mut self, input: Input) {
        self.lobby.handle(input, now());
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.lobby.poll_output() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Emit { to, event } => self.emit(&to, event.name(), &event),
            Output::Broadcast { to, event } => self.broadcast(&to, &event),
            Output::Relay { from, to, data, ack } => self.relay(from, to, data, ack),
            Output::Answer { to, ack, answer } => self.answer(&to, ack, answer),
            Output::UnknownEvent { to, event, error } => {
                let ErrorBody { code, message } = &error;
                self.emit(&to, "event-error", &EventError { event: &event, code, message });
            }
            Output::Disconnect { peer } => {
                if let Some(socket) = self.sockets.get(&peer) {
                    tracing::info!(%peer, "closed for asking too much");
                    socket.close();
                }
            }
        }
    }

    /// A client that is gone already is no error: its `Disconnected` is on the way.
    fn emit<T: Serialize>(&self, to: &PeerId, name: &str, argument: &T) {
        let Some(socket) = self.sockets.get(to) else { return };
        log_failure(socket.emit_json(name, argument));
    }

    /// The payload is encoded once, however many get it.
    fn broadcast(&self, to: &[PeerId], event: &ServerEvent) {
        match EncodedEvent::json(NAMESPACE, event.name(), event) {
            Ok(packet) => {
                for socket in to.iter().filter_map(|peer| self.sockets.get(peer)) {
                    socket.emit_encoded(&packet);
                }
            }
            Err(error) => log_failure(Err(error)),
        }
    }

    fn relay(&mut self, from: PeerId, to: PeerId, data: Box<RawValue>, ack: Option<u64>) {
        if self.sockets.get(&to).is_some_and(|socket| socket.queued_bytes() > self.busy_above) {
            // Only answers the sender, so this ends here.
            return self.handle(Input::Undeliverable { peer: from, to, ack });
        }
        let signal = ServerEvent::Signal { from: from.clone(), data };
        self.emit(&to, signal.name(), &signal);
        if let Some(ack) = ack {
            self.answer(&from, ack, Answer::Done);
        }
    }

    fn answer(&self, to: &PeerId, ack: u64, answer: Answer) {
        let Some(socket) = self.sockets.get(to) else { return };
        log_failure(match answer {
            Answer::Joined(joined) => socket.ack_json(AckId(ack), &JoinAnswer::Joined(joined)),
            Answer::Refused(error) => socket.ack_json(AckId(ack), &JoinAnswer::Refused(error)),
            Answer::Done => socket.ack_json(AckId(ack), &Done { ok: true }),
        });
    }
}

#[derive(Serialize)]
struct Done {
    ok: bool,
}

/// Says which event does not exist: an addition to the contract, for whoever debugs a client.
#[derive(Serialize)]
struct EventError<'a> {
    event: &'a str,
    code: &'a str,
    message: &'a str,
}

/// Parses what a client sent. Nothing in the contract is binary; a reference to attachments would mean nothing to the addressee.
fn parse(name: &str, args: &Args) -> Result<ClientEvent, ClientEventError> {
    let binary = || FieldError::new("the argument", "must not hold binary values");
    match (ClientEvent::parse(name, args.get(0)), args.attachments().is_empty()) {
        (Ok(ClientEvent::JoinRoom(_)), false) => Err(ClientEventError::JoinRoom(binary())),
        (Ok(ClientEvent::Signal { to, .. }), false) => {
            Err(ClientEventError::Signal { to: to.to_string(), error: binary() })
        }
        (parsed, _) => parsed,
    }
}

/// Our own types can always be JSON; if one could not, leaving it out harms nobody.
fn log_failure(sent: Result<(), serde_json::Error>) {
    if let Err(error) = sent {
        tracing::error!(%error, "not encoded");
    }
}

/// The transport's ids are valid ids of the contract; one that is not belongs to no peer.
fn peer_id(socket: SocketId) -> Option<PeerId> {
    PeerId::parse(socket.as_str()).ok()
}

fn now() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::now() }
}
