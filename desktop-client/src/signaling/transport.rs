//! One WebSocket: being opened, or open with what waits to be sent.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, StreamExt};
use shared::limits::MAX_PAYLOAD_BYTES;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::reach::ReachError;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Most that may wait to be sent, in bytes: a server that takes less is as good as gone.
const MAX_UNSENT_BYTES: usize = 4 * MAX_PAYLOAD_BYTES;

/// The one connection of the task.
pub(super) enum Transport {
    /// There is none.
    None,
    /// It is being opened.
    Dialing(Pin<Box<dyn Future<Output = Result<Box<Link>, ReachError>> + Send>>),
    /// It is open.
    Open(Box<Link>),
}

/// What happened to it.
pub(super) enum Fact {
    /// It is open, or could not be opened.
    Dialed(Result<Box<Link>, ReachError>),
    /// A text message came in.
    Text(String),
    /// A binary message came in.
    Binary(Vec<u8>),
    /// It is closed.
    Closed {
        /// In a few words.
        reason: String,
    },
}

impl Transport {
    /// Moves everything forward; reads only when `read` says so. All state is kept inside, so nothing is lost when nobody waits for the answer.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Fact> {
        match self {
            Self::None => Poll::Pending,
            Self::Dialing(dialing) => dialing.as_mut().poll(cx).map(Fact::Dialed),
            Self::Open(link) => link.poll(cx, read),
        }
    }

    /// Queues a message. There is no connection to send on only when it has just been lost, and then the message has no use.
    pub(super) fn send(&mut self, text: String) {
        if let Self::Open(link) = self {
            link.unsent_bytes += text.len();
            link.unsent.push_back(text);
        }
    }
}

/// An open WebSocket.
pub(super) struct Link {
    socket: Socket,
    unsent: VecDeque<String>,
    unsent_bytes: usize,
}

impl Link {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, unsent: VecDeque::new(), unsent_bytes: 0 }
    }

    fn poll(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Fact> {
        if let Poll::Ready(Err(error)) = self.poll_send(cx) {
            return Poll::Ready(Fact::Closed { reason: reason_of(&error) });
        }
        if self.unsent_bytes > MAX_UNSENT_BYTES {
            return Poll::Ready(Fact::Closed { reason: "it does not take our messages".to_owned() });
        }
        if read { self.poll_read(cx) } else { Poll::Pending }
    }

    /// Hands everything that waits to the WebSocket, then flushes once.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        let mut socket = Pin::new(&mut self.socket);
        while !self.unsent.is_empty() {
            ready!(socket.as_mut().poll_ready(cx))?;
            if let Some(text) = self.unsent.pop_front() {
                self.unsent_bytes -= text.len();
                socket.as_mut().start_send(Message::text(text))?;
            }
        }
        socket.poll_flush(cx)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Fact> {
        loop {
            let fact = match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => Fact::Text(text.as_str().to_owned()),
                Some(Ok(Message::Binary(bytes))) => Fact::Binary(bytes.into()),
                // The library answers pings itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_))) | None => {
                    Fact::Closed { reason: "it closed the connection".to_owned() }
                }
                Some(Err(error)) => Fact::Closed { reason: reason_of(&error) },
            };
            return Poll::Ready(fact);
        }
    }

    /// Sends what waits, then closes the WebSocket.
    pub(super) async fn close(mut self: Box<Self>) -> Result<(), WsError> {
        poll_fn(|cx| self.poll_send(cx)).await?;
        self.socket.close(None).await?;
        // The server's own close frame ends the handshake; what it still sent before does not matter any more.
        while self.socket.next().await.transpose()?.is_some() {}
        Ok(())
    }
}

fn reason_of(error: &WsError) -> String {
    match error {
        WsError::Capacity(CapacityError::MessageTooLong { .. }) => "it sent too large a message".to_owned(),
        WsError::Capacity(_) | WsError::Protocol(_) | WsError::Utf8(_) | WsError::AttackAttempt => {
            tracing::debug!(%error, "the WebSocket broke");
            "the connection broke".to_owned()
        }
        other => {
            tracing::debug!(error = %other, "the WebSocket is lost");
            "the connection was lost".to_owned()
        }
    }
}
