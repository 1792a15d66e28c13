//! Saying no: as the ack when one was asked for, else as an event; and the end of patience.

use std::time::Instant;

use shared::events::{ClientEventError, ErrorBody, ServerEvent};
use shared::{PeerId, codes};

use crate::lobby::{AckId, Answer, Lobby, Output};

/// An [`ErrorBody`] of a stable code and a sentence.
pub(crate) fn error(code: &str, message: impl Into<String>) -> ErrorBody {
    ErrorBody { code: code.to_owned(), message: message.into() }
}

pub(crate) fn rate_limited() -> ErrorBody {
    error(codes::RATE_LIMITED, "Too many requests. Wait a moment and try again.")
}

impl Lobby {
    pub(crate) fn refuse_join(&mut self, peer: &PeerId, ack: Option<AckId>, error: ErrorBody, now: Instant) {
        let event = |error| Output::Emit { to: peer.clone(), event: ServerEvent::JoinError(error) };
        self.refuse(peer, ack, error, now, event);
    }

    pub(crate) fn refuse_signal(
        &mut self,
        peer: &PeerId,
        to: &str,
        ack: Option<AckId>,
        error: ErrorBody,
        now: Instant,
    ) {
        let event = |error| Output::Emit {
            to: peer.clone(),
            event: ServerEvent::SignalError { to: to.to_owned(), error },
        };
        self.refuse(peer, ack, error, now, event);
    }

    pub(crate) fn refuse_busy(&mut self, peer: &PeerId, to: &PeerId, ack: Option<AckId>, now: Instant) {
        let message = "The addressee takes no more messages at the moment. Try again later.";
        self.refuse_signal(peer, to.as_str(), ack, error(codes::PEER_BUSY, message), now);
    }

    pub(crate) fn refuse_leave(&mut self, peer: &PeerId, ack: Option<AckId>, now: Instant) {
        let event = |error| Output::UnknownEvent { to: peer.clone(), event: "leave-room".to_owned(), error };
        self.refuse(peer, ack, rate_limited(), now, event);
    }

    pub(crate) fn refuse_invalid(
        &mut self,
        peer: &PeerId,
        error: ClientEventError,
        ack: Option<AckId>,
        now: Instant,
    ) {
        let body = if self.take_event(peer, now) { error.body() } else { rate_limited() };
        match error {
            ClientEventError::JoinRoom(_) => self.refuse_join(peer, ack, body, now),
            ClientEventError::Signal { to, .. } => self.refuse_signal(peer, &to, ack, body, now),
            ClientEventError::UnknownEvent(event) => {
                let output = |error| Output::UnknownEvent { to: peer.clone(), event, error };
                self.refuse(peer, ack, body, now, output);
            }
        }
    }

    fn refuse(
        &mut self,
        peer: &PeerId,
        ack: Option<AckId>,
        error: ErrorBody,
        now: Instant,
        event: impl FnOnce(ErrorBody) -> Output,
    ) {
        let rate = self.config.limits.refusals;
        let Some(state) = self.peers.get_mut(peer) else { return };
        if !state.refusals.take(1, rate, now) {
            self.disconnected(peer);
            self.outputs.push_back(Output::Disconnect { peer: peer.clone() });
            return;
        }
        self.outputs.push_back(match ack {
            Some(ack) => Output::Answer { to: peer.clone(), ack, answer: Answer::Refused(error) },
            None => event(error),
        });
    }
}
