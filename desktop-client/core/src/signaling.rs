//! The session with the signaling server: Engine.IO 4 and Socket.IO 5 over WebSocket, as a client.
//!
//! The driver owns the WebSocket; everything else is decided here: the handshakes, the heartbeat, when to dial again, and joining the room
//! again after that. Ids change on a reconnect, so signals that cannot be sent at once are meant for links that will be gone: they are
//! dropped, and nothing is ever queued. After each `handle` the outputs are drained to the end.
//!
//! References: the `engine.io-protocol` (revision 4) and `socket.io-protocol` (revision 5) documents of the Socket.IO project.

mod join;
mod seam;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::PeerId;
use shared::events::{ClientEvent, JoinAnswer, ServerEvent};
use shared::packet::engine::{self, Open};
use shared::packet::socket::{self, Body, ROOT_NAMESPACE};

use crate::backoff::{Backoff, Waits};
use crate::random::Random;
use crate::text::single_line;
use crate::timers::Timers;
use join::{AfterRefusal, Join};

pub use seam::{SignalingEvent, SignalingInput, SignalingOutput};

/// How long opening the WebSocket may take, and each of the two handshakes after it.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// The first attempt comes fast, for most gaps are short; a server that restarts must not meet everybody at once.
const RECONNECT_WAITS: Waits =
    Waits { first: (Duration::from_millis(300), Duration::from_millis(800)), cap: Duration::from_secs(10) };

/// A connection that held this long counts as good: the next loss is met with a fast attempt again.
const GOOD_AFTER: Duration = Duration::from_secs(3);

/// Bounds for the silence that the server announces (ping interval + ping timeout), so that a strange one neither makes us drop good
/// connections nor keeps a dead one for ever.
const SILENCE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(300));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Stopped, or not started.
    Idle,
    /// The WebSocket is being opened.
    Dialing,
    /// It is open; the Engine.IO `open` packet is due.
    Opening,
    /// The Socket.IO CONNECT is sent; its confirmation is due.
    Connecting,
    /// Events flow.
    Connected,
    /// The next attempt comes when the timer says.
    Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A step towards the connection takes too long.
    Step,
    /// The server has been silent for longer than it announced.
    Silence,
    /// The connection has held long enough to count as good.
    Good,
    /// Dial again.
    Reconnect,
    /// The join was not answered, or is to be repeated.
    Join,
}

/// See the module.
#[derive(Debug)]
pub struct Signaling {
    state: State,
    server: String,
    decoder: socket::Decoder,
    silence: Duration,
    join: Option<Join>,
    last_ack: u64,
    backoff: Backoff,
    random: Random,
    timers: Timers<Timer>,
    out: VecDeque<SignalingOutput>,
}

impl Signaling {
    /// A core at rest; `seed` is for the jitter of its waits.
    pub fn new(seed: u64) -> Self {
        Self {
            state: State::Idle,
            server: String::new(),
            decoder: socket::Decoder::default(),
            silence: SILENCE.1,
            join: None,
            last_ack: 0,
            backoff: Backoff::new(RECONNECT_WAITS),
            random: Random::new(seed),
            timers: Timers::new(),
            out: VecDeque::new(),
        }
    }

    /// Takes a fact.
    pub fn handle(&mut self, input: SignalingInput, now: Instant) {
        match input {
            SignalingInput::Start(server) => self.start(server, now),
            SignalingInput::Opened => self.opened(now),
            SignalingInput::Text(text) => self.text(&text, now),
            SignalingInput::Binary(bytes) => self.binary(bytes, now),
            SignalingInput::TransportClosed { reason } => self.lost(&reason, now),
            SignalingInput::Emit(event) => self.emit(event, now),
            SignalingInput::Stop => self.stop(),
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::Step => self.fail("it does not answer", now),
                Timer::Silence => self.fail("it has gone silent", now),
                Timer::Good => self.backoff.reset(),
                Timer::Reconnect => self.dial(now),
                Timer::Join => self.join_due(now),
            }
        }
    }

    /// The next order or news.
    pub fn poll_output(&mut self) -> Option<SignalingOutput> {
        self.out.pop_front()
    }

    /// When `handle_timeout` wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn start(&mut self, server: String, now: Instant) {
        if server == self.server && !matches!(self.state, State::Idle | State::Waiting) {
            return;
        }
        if server != self.server {
            self.close_transport();
            self.join = None;
            self.server = server;
        }
        if self.state != State::Waiting {
            self.backoff.reset();
        }
        self.dial(now);
    }

    fn stop(&mut self) {
        if self.state == State::Connected {
            self.send(|out| socket::encode::disconnect(out, ROOT_NAMESPACE));
        }
        self.close_transport();
        self.join = None;
        self.server.clear();
        self.news(SignalingEvent::Closed);
    }

    fn dial(&mut self, now: Instant) {
        self.timers.clear_all();
        self.decoder = socket::Decoder::default();
        self.state = State::Dialing;
        self.timers.set(Timer::Step, now + STEP_TIMEOUT);
        // `http` becomes `ws`, `https` becomes `wss`.
        let base = self.server.strip_prefix("http").map_or_else(String::new, |rest| format!("ws{rest}"));
        let url = format!("{}/socket.io/?EIO=4&transport=websocket", base.trim_end_matches('/'));
        self.out.push_back(SignalingOutput::Dial { url });
    }

    fn opened(&mut self, now: Instant) {
        if self.state == State::Dialing {
            self.state = State::Opening;
            self.timers.set(Timer::Step, now + STEP_TIMEOUT);
        }
    }

    fn text(&mut self, text: &str, now: Instant) {
        if !matches!(self.state, State::Opening | State::Connecting | State::Connected) {
            return;
        }
        if self.state != State::Opening {
            self.timers.set(Timer::Silence, now + self.silence);
        }
        match engine::Packet::decode(text) {
            Ok(engine::Packet::Open(json)) => self.engine_open(json, now),
            Ok(engine::Packet::Close) => self.fail("it closed the connection", now),
            Ok(engine::Packet::Ping(data)) => self.transmit(engine::Packet::Pong(data).encode()),
            Ok(engine::Packet::Message(message)) => {
                let packet = self.decoder.text(message);
                self.packet(packet, now);
            }
            // A server never sends the others over WebSocket; they mean no harm.
            Ok(
                engine::Packet::Pong(_)
                | engine::Packet::Binary(_)
                | engine::Packet::Upgrade
                | engine::Packet::Noop,
            ) => {}
            Err(error) => self.violated(&error.to_string(), now),
        }
    }

    fn binary(&mut self, bytes: Vec<u8>, now: Instant) {
        if matches!(self.state, State::Connecting | State::Connected) {
            self.timers.set(Timer::Silence, now + self.silence);
            let packet = self.decoder.binary(Bytes::from(bytes));
            self.packet(packet, now);
        }
    }

    fn engine_open(&mut self, json: &str, now: Instant) {
        if self.state != State::Opening {
            return;
        }
        let Ok(open) = serde_json::from_str::<Open>(json) else {
            return self.violated("malformed open packet", now);
        };
        let announced = Duration::from_millis(open.ping_interval.saturating_add(open.ping_timeout));
        self.silence = announced.clamp(SILENCE.0, SILENCE.1);
        self.timers.set(Timer::Silence, now + self.silence);
        self.timers.set(Timer::Step, now + STEP_TIMEOUT);
        self.state = State::Connecting;
        self.send(|out| socket::encode::connect(out, ROOT_NAMESPACE, None));
    }

    fn packet(&mut self, packet: Result<Option<socket::Packet>, socket::DecodeError>, now: Instant) {
        let packet = match packet {
            Ok(Some(packet)) => packet,
            Ok(None) => return,
            Err(error) => return self.violated(&error.to_string(), now),
        };
        if packet.namespace != ROOT_NAMESPACE {
            return;
        }
        match (self.state, packet.body) {
            (State::Connecting, Body::Connect(payload)) => self.connected(payload.as_deref(), now),
            (State::Connecting, Body::ConnectError(reason)) => self.refused(&reason),
            (_, Body::Disconnect) => self.fail("it ended the session", now),
            (State::Connected, Body::Event { name, args, .. }) => self.event(&name, args.get(0)),
            (State::Connected, Body::Ack { id, args }) => self.acknowledged(id.0, args.get(0), now),
            // Nothing comes before CONNECT is confirmed, and nothing is confirmed or refused after it.
            (_, Body::Connect(_) | Body::ConnectError(_) | Body::Event { .. } | Body::Ack { .. }) => {}
        }
    }

    fn connected(&mut self, payload: Option<&RawValue>, now: Instant) {
        #[derive(Deserialize)]
        struct Confirmation {
            sid: PeerId,
        }
        let confirmation = payload.and_then(|json| serde_json::from_str::<Confirmation>(json.get()).ok());
        let Some(Confirmation { sid: peer_id }) = confirmation else {
            return self.violated("it confirmed the connection without an id", now);
        };
        self.state = State::Connected;
        self.timers.clear(Timer::Step);
        self.timers.set(Timer::Good, now + GOOD_AFTER);
        self.news(SignalingEvent::Connected { peer_id });
        if let Some(join) = &mut self.join {
            join.connection_is_new();
            self.send_join(now);
        }
    }

    fn refused(&mut self, reason: &RawValue) {
        #[derive(Deserialize)]
        struct Reason {
            message: String,
        }
        let text = serde_json::from_str::<Reason>(reason.get()).map(|reason| reason.message);
        let text = text.or_else(|_| serde_json::from_str::<String>(reason.get())).unwrap_or_default();
        let message = match single_line(&text, 200) {
            empty if empty.is_empty() => "The server refused the connection. Try again later.".to_owned(),
            text => format!("The server refused the connection: {text}"),
        };
        self.close_transport();
        self.join = None;
        self.news(SignalingEvent::Refused { message });
    }

    fn event(&mut self, name: &str, argument: Option<&RawValue>) {
        match ServerEvent::parse(name, argument) {
            Ok(event) => self.news(SignalingEvent::Event(event)),
            Err(error) => {
                let name = single_line(name, 40);
                tracing::debug!(name, %error, "ignored an event of the server's");
            }
        }
    }

    fn acknowledged(&mut self, ack: u64, argument: Option<&RawValue>, now: Instant) {
        let Some(join) = self.join.as_mut().filter(|join| join.is_answered_by(ack)) else { return };
        self.timers.clear(Timer::Join);
        match JoinAnswer::parse(argument) {
            Ok(JoinAnswer::Joined(joined)) => {
                join.answered(true);
                self.news(SignalingEvent::JoinAnswered(JoinAnswer::Joined(joined)));
            }
            Ok(JoinAnswer::Refused(error)) => match join.refused(&error, now, &mut self.random) {
                AfterRefusal::AskAgain(at) => self.timers.set(Timer::Join, at),
                AfterRefusal::GiveUp => {
                    self.join = None;
                    self.news(SignalingEvent::JoinAnswered(JoinAnswer::Refused(error)));
                }
            },
            Err(error) => self.violated(&format!("malformed answer to join-room: {error}"), now),
        }
    }

    fn emit(&mut self, event: ClientEvent, now: Instant) {
        match event {
            ClientEvent::JoinRoom(request) => {
                self.join = Some(Join::new(request));
                if self.state == State::Connected {
                    self.send_join(now);
                }
            }
            ClientEvent::LeaveRoom | ClientEvent::Signal { .. } => {
                if matches!(event, ClientEvent::LeaveRoom) {
                    self.join = None;
                    self.timers.clear(Timer::Join);
                }
                if self.state == State::Connected {
                    self.send_event(&event, None);
                }
            }
        }
    }

    fn send_join(&mut self, now: Instant) {
        let Some(join) = &mut self.join else { return };
        self.last_ack += 1;
        let (event, answer_due) = join.ask(self.last_ack, now);
        self.timers.set(Timer::Join, answer_due);
        self.send_event(&event, Some(socket::AckId(self.last_ack)));
    }

    fn join_due(&mut self, now: Instant) {
        match &self.join {
            Some(join) if join.is_hopeless() => self.fail("it does not answer", now),
            Some(_) if self.state == State::Connected => self.send_join(now),
            Some(_) | None => {}
        }
    }

    /// The server broke the protocol: nothing that follows can be trusted.
    fn violated(&mut self, what: &str, now: Instant) {
        tracing::warn!(what, "the signaling server broke the protocol");
        self.fail("it does not speak our language", now);
    }

    /// Ends the connection from our side, to try again later.
    fn fail(&mut self, reason: &str, now: Instant) {
        if matches!(self.state, State::Idle | State::Waiting) {
            return;
        }
        self.out.push_back(SignalingOutput::CloseTransport);
        self.lost(reason, now);
    }

    fn lost(&mut self, reason: &str, now: Instant) {
        if matches!(self.state, State::Idle | State::Waiting) {
            return;
        }
        self.state = State::Waiting;
        self.timers.clear_all();
        let retry_at = now + self.backoff.next(&mut self.random);
        self.timers.set(Timer::Reconnect, retry_at);
        let attempt = self.backoff.attempt();
        self.news(SignalingEvent::Lost { reason: single_line(reason, 200), attempt, retry_at });
    }

    fn close_transport(&mut self) {
        if !matches!(self.state, State::Idle | State::Waiting) {
            self.out.push_back(SignalingOutput::CloseTransport);
        }
        self.state = State::Idle;
        self.timers.clear_all();
    }

    fn send_event(&mut self, event: &ClientEvent, ack: Option<socket::AckId>) {
        let argument = event.argument();
        let args = argument.as_deref().map(RawValue::get);
        self.send(|out| socket::encode::event(out, ROOT_NAMESPACE, ack, event.name(), args, 0));
    }

    /// Sends a Socket.IO packet as an Engine.IO message.
    fn send(&mut self, encode: impl FnOnce(&mut String)) {
        let mut text = String::from("4");
        encode(&mut text);
        self.transmit(text);
    }

    fn transmit(&mut self, text: String) {
        self.out.push_back(SignalingOutput::Send(text));
    }

    fn news(&mut self, event: SignalingEvent) {
        self.out.push_back(SignalingOutput::Event(event));
    }
}

#[cfg(test)]
mod tests;
