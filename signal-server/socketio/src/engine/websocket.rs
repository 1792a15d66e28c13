//! A session on WebSocket: reads what the client sends, writes what is queued, in batches.
//!
//! Reading comes first and writing after it, so that the answers to pipelined messages leave together with one flush; a limit on messages per
//! turn keeps a flood from starving what is to be written.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{SinkExt as _, StreamExt as _};
use shared::packet::engine::Packet;
use tokio_tungstenite::tungstenite;

use super::Protocol;
use super::hub::Hub;
use super::outbox::{Entry, Frame, Outbox};
use super::session::Session;
use super::task::Timer;
use crate::{DisconnectReason, SocketId};

/// Messages that are read in a row before what is queued is written.
const READS_PER_TURN: u32 = 32;

/// tungstenite's read buffer, which every connection holds. Large enough for most signals; larger ones grow it while they last.
pub(super) const READ_BUFFER_BYTES: usize = 2 * 1024;

/// What tungstenite gathers before it writes to the connection. Allocated only while there is something to write.
pub(super) const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// Runs the session until it ends, and says why.
pub(super) async fn run<P: Protocol>(
    hub: &Hub<P>,
    session: &mut Session<P>,
    websocket: &mut WebSocket,
) -> DisconnectReason {
    let link = std::sync::Arc::clone(&session.link);
    let mut timer = Timer::new(session.deadline());
    let mut turn = Turn {
        websocket,
        outbox: &link.outbox,
        pause_reading_above: hub.config.send_queue_bytes / 4,
        reads_left: READS_PER_TURN,
        unflushed: false,
    };
    loop {
        let due = session.deadline();
        let step = poll_fn(|cx| turn.poll(cx, &mut timer, due)).await;
        let now = Instant::now();
        let outcome = match step {
            Step::Text(text) => match Packet::decode(text.as_str()) {
                Ok(packet) => session.packet(packet, now),
                Err(_) => Err(DisconnectReason::ProtocolViolation),
            },
            Step::Binary(bytes) => session.binary(bytes, now),
            Step::Nothing => Ok(None),
            Step::Disconnect(socket) => Ok(session.disconnect(socket)),
            Step::Due => session.on_time(now).map(|()| None),
            Step::End(reason) => Err(reason),
        };
        match outcome {
            Ok(None) => {}
            Ok(Some(item)) => {
                if !hub.deliver(item).await {
                    return DisconnectReason::ServerShutdown;
                }
            }
            Err(reason) => return reason,
        }
    }
}

/// What there is to do next.
enum Step {
    Text(axum::extract::ws::Utf8Bytes),
    Binary(bytes::Bytes),
    /// A WebSocket ping or pong, which tungstenite handles.
    Nothing,
    Disconnect(SocketId),
    Due,
    End(DisconnectReason),
}

struct Turn<'a> {
    websocket: &'a mut WebSocket,
    outbox: &'a Outbox,
    /// Bytes in the outbox above which the client is not read: it would only make the queue longer.
    pause_reading_above: usize,
    reads_left: u32,
    unflushed: bool,
}

impl Turn<'_> {
    fn poll(&mut self, cx: &mut Context<'_>, timer: &mut Timer, due: Instant) -> Poll<Step> {
        self.outbox.register(cx.waker());
        loop {
            let status = self.outbox.status();
            if let Some(reason) = status.closing {
                return Poll::Ready(Step::End(reason));
            }
            let paused = status.bytes > self.pause_reading_above;
            let exhausted = self.reads_left == 0;
            if !paused
                && !exhausted
                && let Poll::Ready(message) = self.websocket.poll_next_unpin(cx)
            {
                self.reads_left -= 1;
                return Poll::Ready(received(message));
            }
            self.reads_left = READS_PER_TURN;
            if let Some(step) = self.write(cx) {
                return Poll::Ready(step);
            }
            // If reading was skipped and may go on, nobody has asked yet to be woken for it.
            let resumed = paused && self.outbox.status().bytes <= self.pause_reading_above;
            if !(exhausted || resumed) {
                return timer.poll(cx, due).map(|()| Step::Due);
            }
        }
    }

    /// Writes what is queued as far as the connection takes it, then flushes once.
    fn write(&mut self, cx: &mut Context<'_>) -> Option<Step> {
        loop {
            match self.websocket.poll_ready_unpin(cx) {
                Poll::Pending => return None,
                Poll::Ready(Err(_)) => return Some(Step::End(DisconnectReason::TransportLost)),
                Poll::Ready(Ok(())) => {}
            }
            match self.outbox.pop() {
                None => break,
                Some(Entry::Disconnect(socket)) => return Some(Step::Disconnect(socket)),
                Some(Entry::Frame(frame)) => {
                    self.unflushed = true;
                    if self.websocket.start_send_unpin(message(frame)).is_err() {
                        return Some(Step::End(DisconnectReason::TransportLost));
                    }
                }
            }
        }
        if self.unflushed {
            match self.websocket.poll_flush_unpin(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(_)) => return Some(Step::End(DisconnectReason::TransportLost)),
            }
        }
        None
    }
}

fn message(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::Text(text),
        Frame::Binary(bytes) => Message::Binary(bytes),
    }
}

fn received(message: Option<Result<Message, axum::Error>>) -> Step {
    match message {
        Some(Ok(Message::Text(text))) => Step::Text(text),
        Some(Ok(Message::Binary(bytes))) => Step::Binary(bytes),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Step::Nothing,
        Some(Ok(Message::Close(frame))) => Step::End(close_reason(frame)),
        Some(Err(error)) => Step::End(error_reason(error)),
        None => Step::End(DisconnectReason::TransportLost),
    }
}

/// RFC 6455, section 7.4.1: going away and normal closure are decisions; a missing code is what `close()` of a browser sends.
fn close_reason(frame: Option<CloseFrame>) -> DisconnectReason {
    match frame.map(|frame| frame.code) {
        None | Some(close_code::NORMAL | close_code::AWAY | close_code::STATUS) => {
            DisconnectReason::ClientClose
        }
        Some(_) => DisconnectReason::TransportLost,
    }
}

fn error_reason(error: axum::Error) -> DisconnectReason {
    use tungstenite::Error;
    use tungstenite::error::ProtocolError;

    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => DisconnectReason::PayloadTooLarge,
        Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => DisconnectReason::TransportLost,
        Some(Error::Protocol(_) | Error::Utf8(_)) => DisconnectReason::ProtocolViolation,
        _ => DisconnectReason::TransportLost,
    }
}

/// Sends what is still to be sent and starts or completes the closing handshake. Returns whether the client's part of it is still to come.
pub(super) async fn say_goodbye<P: Protocol>(
    hub: &Hub<P>,
    session: &Session<P>,
    websocket: &mut WebSocket,
    reason: DisconnectReason,
) -> bool {
    let code = match reason {
        DisconnectReason::TransportLost | DisconnectReason::SlowReader => return false,
        DisconnectReason::ServerShutdown => close_code::AWAY,
        DisconnectReason::ProtocolViolation => close_code::PROTOCOL,
        DisconnectReason::PayloadTooLarge => close_code::SIZE,
        DisconnectReason::ClientDisconnect
        | DisconnectReason::ClientClose
        | DisconnectReason::PingTimeout
        | DisconnectReason::ConnectTimeout
        | DisconnectReason::ServerDisconnect => close_code::NORMAL,
    };
    let frames = session.last_frames(reason);
    let goodbye = async {
        for frame in frames {
            websocket.feed(message(frame)).await?;
        }
        let frame = CloseFrame { code, reason: reason.as_str().into() };
        // Refused if the client closed first; then closing sends the answer to that.
        let _ = websocket.send(Message::Close(Some(frame))).await;
        websocket.close().await
    };
    matches!(tokio::time::timeout(hub.config.close_timeout, goodbye).await, Ok(Ok(())))
}

/// Waits for the client's part of the closing handshake: closing before it came would look like a broken connection to the client.
pub(super) async fn await_close<P: Protocol>(hub: &Hub<P>, websocket: &mut WebSocket) {
    let closed = async { while let Some(Ok(_)) = websocket.next().await {} };
    // Too late is no failure of ours: the connection is dropped either way.
    let _ = tokio::time::timeout(hub.config.close_timeout, closed).await;
}
