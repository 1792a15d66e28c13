//! A session on HTTP long-polling, and the moment when a WebSocket takes it over.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::ws::WebSocket;
use shared::packet::engine::{self, Packet};
use tokio::sync::{mpsc, oneshot};

use super::Protocol;
use super::hub::Hub;
use super::link::{Accepted, Command, PollAnswer};
use super::outbox::{Entry, Frame, Outbox};
use super::session::Session;
use super::task::Timer;
use crate::{DisconnectReason, SocketId};

/// How long a poll that was pending when a WebSocket was probed is still held. The client stops polling when it hears of the probe, and this
/// lets it hear first, so that it does not poll once more.
const RELEASE_PENDING: Duration = Duration::from_millis(25);

/// How long a poll that arrives during an upgrade is held; Node's interval.
const RELEASE_LATER: Duration = Duration::from_millis(100);

/// How the polling part of a session ended.
pub(super) enum End {
    /// The client moved to this WebSocket.
    Upgraded(Box<WebSocket>),
    /// The session is over.
    Closed(DisconnectReason),
}

/// The polling side of a session.
pub(super) struct Polling {
    requests: mpsc::Receiver<Command>,
    /// The GET that waits for something to send.
    poll: Option<oneshot::Sender<PollAnswer>>,
    /// A WebSocket has been probed and will probably take over.
    upgrading: bool,
    /// When to end the pending GET with nothing, because of the upgrade.
    release_due: Option<Instant>,
}

enum Step {
    Request(Command),
    /// Something is queued and a GET waits for it.
    Answer,
    /// The connection of the pending GET is gone.
    PollLost,
    Due,
    End(DisconnectReason),
}

impl Polling {
    pub(super) fn new(requests: mpsc::Receiver<Command>) -> Self {
        Self { requests, poll: None, upgrading: false, release_due: None }
    }

    pub(super) async fn run<P: Protocol>(&mut self, hub: &Hub<P>, session: &mut Session<P>) -> End {
        let link = std::sync::Arc::clone(&session.link);
        let mut timer = Timer::new(session.deadline());
        loop {
            let due = session.deadline();
            let due = self.release_due.map_or(due, |release| release.min(due));
            let step = poll_fn(|cx| self.poll_step(cx, &link.outbox, &mut timer, due)).await;
            let now = Instant::now();
            // Before anything else: a request that comes with the deadline comes too late.
            if let Err(reason) = session.on_time(now) {
                return End::Closed(reason);
            }
            let done = match step {
                Step::Request(Command::Upgrade(websocket)) => return self.upgrade(session, websocket),
                Step::Request(command) => self.request(hub, session, command, now).await,
                Step::Answer => self.answer(hub, session).await,
                Step::PollLost => Err(DisconnectReason::TransportLost),
                Step::Due => {
                    self.release(now);
                    Ok(())
                }
                Step::End(reason) => Err(reason),
            };
            if let Err(reason) = done {
                return End::Closed(reason);
            }
        }
    }

    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        outbox: &Outbox,
        timer: &mut Timer,
        due: Instant,
    ) -> Poll<Step> {
        outbox.register(cx.waker());
        let status = outbox.status();
        if let Some(reason) = status.closing {
            return Poll::Ready(Step::End(reason));
        }
        if let Some(poll) = &mut self.poll {
            if poll.poll_closed(cx).is_ready() {
                return Poll::Ready(Step::PollLost);
            }
            if !status.is_empty {
                return Poll::Ready(Step::Answer);
            }
        }
        match self.requests.poll_recv(cx) {
            Poll::Ready(Some(command)) => return Poll::Ready(Step::Request(command)),
            // The session's own link holds a sender, so this cannot happen before the session leaves polling.
            Poll::Ready(None) => return Poll::Ready(Step::End(DisconnectReason::TransportLost)),
            Poll::Pending => {}
        }
        timer.poll(cx, due).map(|()| Step::Due)
    }

    async fn request<P: Protocol>(
        &mut self,
        hub: &Hub<P>,
        session: &mut Session<P>,
        command: Command,
        now: Instant,
    ) -> Result<(), DisconnectReason> {
        match command {
            Command::Poll(poll) => {
                if self.poll.is_some() {
                    answer(poll, PollAnswer::Refused);
                    return Err(DisconnectReason::ProtocolViolation);
                }
                self.poll = Some(poll);
                self.release_due = self.upgrading.then(|| now + RELEASE_LATER);
            }
            Command::Post(body, accepted) => return self.post(hub, session, &body, accepted, now).await,
            Command::Abort(reason) => return Err(reason),
            Command::Probed => {
                self.upgrading = true;
                self.release_due = self.poll.is_some().then(|| now + RELEASE_PENDING);
            }
            Command::ProbeFailed | Command::Upgrade(_) => {
                self.upgrading = false;
                self.release_due = None;
            }
        }
        Ok(())
    }

    async fn post<P: Protocol>(
        &mut self,
        hub: &Hub<P>,
        session: &mut Session<P>,
        body: &str,
        accepted: oneshot::Sender<Accepted>,
        now: Instant,
    ) -> Result<(), DisconnectReason> {
        for packet in engine::decode_payload(body) {
            let outcome = match packet {
                Ok(packet) => session.packet(packet, now),
                Err(_) => Err(DisconnectReason::ProtocolViolation),
            };
            match outcome {
                Ok(None) => {}
                Ok(Some(item)) => {
                    if !hub.deliver(item).await {
                        return Err(DisconnectReason::ServerShutdown);
                    }
                }
                Err(reason) => {
                    // The client may ask again at once, and must find the session gone.
                    self.requests.close();
                    reply(accepted, reason == DisconnectReason::ClientClose);
                    return Err(reason);
                }
            }
        }
        reply(accepted, true);
        Ok(())
    }

    /// Answers the pending GET with all that is queued.
    async fn answer<P: Protocol>(
        &mut self,
        hub: &Hub<P>,
        session: &mut Session<P>,
    ) -> Result<(), DisconnectReason> {
        let mut payload = String::new();
        while let Some(entry) = session.link.outbox.pop() {
            match entry {
                Entry::Frame(frame) => append(&mut payload, &frame),
                Entry::Disconnect(socket) => disconnect(hub, session, socket).await?,
            }
        }
        if payload.is_empty() {
            return Ok(());
        }
        self.release_due = None;
        let Some(poll) = self.poll.take() else { return Ok(()) };
        if answer(poll, PollAnswer::Payload(payload)) { Ok(()) } else { Err(DisconnectReason::TransportLost) }
    }

    /// Ends the pending GET if the upgrade asks for it.
    fn release(&mut self, now: Instant) {
        if self.release_due.is_some_and(|due| now >= due) {
            self.release_due = None;
            if let Some(poll) = self.poll.take() {
                answer(poll, PollAnswer::Payload(Packet::Noop.encode()));
            }
        }
    }

    /// The client has moved. It has no GET pending, because it stops polling before it says so; one that is pending is out of place.
    fn upgrade<P: Protocol>(&mut self, session: &Session<P>, websocket: Box<WebSocket>) -> End {
        session.link.leave_polling();
        self.requests.close();
        if let Some(poll) = self.poll.take() {
            answer(poll, PollAnswer::Refused);
        }
        End::Upgraded(websocket)
    }

    /// Answers the pending GET with the last packets. Returns whether the client knows all it needs to.
    pub(super) fn say_goodbye<P: Protocol>(
        &mut self,
        session: &Session<P>,
        reason: DisconnectReason,
    ) -> bool {
        self.release_due = None;
        let Some(poll) = self.poll.take() else {
            // Only a client that did nothing wrong is waited for.
            return !matches!(reason, DisconnectReason::ServerDisconnect | DisconnectReason::ServerShutdown);
        };
        answer(poll, PollAnswer::Payload(last_payload(session, reason)));
        true
    }

    /// Waits for one more GET, to tell the client.
    pub(super) async fn linger<P: Protocol>(
        &mut self,
        hub: &Hub<P>,
        session: &Session<P>,
        reason: DisconnectReason,
    ) {
        let wait = async {
            while let Some(command) = self.requests.recv().await {
                match command {
                    Command::Poll(poll) => {
                        self.requests.close();
                        answer(poll, PollAnswer::Payload(last_payload(session, reason)));
                        return;
                    }
                    // Dropping what came along answers it.
                    Command::Post(..) | Command::Abort(_) | Command::Upgrade(_) => {}
                    Command::Probed | Command::ProbeFailed => {}
                }
            }
        };
        // A client that does not poll any more finds the session gone when it does.
        let _ = tokio::time::timeout(hub.config.close_timeout, wait).await;
    }
}

async fn disconnect<P: Protocol>(
    hub: &Hub<P>,
    session: &mut Session<P>,
    socket: SocketId,
) -> Result<(), DisconnectReason> {
    let Some(item) = session.disconnect(socket) else { return Ok(()) };
    if hub.deliver(item).await { Ok(()) } else { Err(DisconnectReason::ServerShutdown) }
}

fn last_payload<P: Protocol>(session: &Session<P>, reason: DisconnectReason) -> String {
    if reason == DisconnectReason::ClientClose {
        // The client closed; this only ends its request, as in Node.
        return Packet::Noop.encode();
    }
    let mut payload = String::new();
    for frame in session.last_frames(reason) {
        append(&mut payload, &frame);
    }
    engine::append_to_payload(&mut payload, &Packet::Close);
    payload
}

fn append(payload: &mut String, frame: &Frame) {
    match frame {
        Frame::Text(text) => {
            if !payload.is_empty() {
                payload.push(engine::RECORD_SEPARATOR);
            }
            payload.push_str(text);
        }
        Frame::Binary(bytes) => engine::append_to_payload(payload, &Packet::Binary(bytes.as_ref().into())),
    }
}

/// Answers a GET. `false` when its connection is gone.
fn answer(poll: oneshot::Sender<PollAnswer>, answer: PollAnswer) -> bool {
    poll.send(answer).is_ok()
}

/// Answers a POST. If its connection is gone nobody misses the answer.
fn reply(post: oneshot::Sender<Accepted>, accepted: Accepted) {
    let _ = post.send(accepted);
}
