//! The join that is remembered: asked again when no answer comes, and after each reconnect.

use std::time::{Duration, Instant};

use shared::events::{ClientEvent, ErrorBody, JoinRoom};

use crate::backoff::{Backoff, Waits};
use crate::random::Random;
use crate::refusal;

/// How long the server may take to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// After so many asks without an answer, the connection is worth nothing.
const ASKS_MAX: u32 = 3;

/// Between asks to be let back in, while our own ghost may still hold the seat.
const RETURN_WAITS: Waits =
    Waits { first: (Duration::from_secs(1), Duration::from_secs(2)), cap: Duration::from_secs(5) };

/// How long we ask to be let back in. A server misses a dead connection after 45 s by default.
const RETURN_WITHIN: Duration = Duration::from_secs(90);

/// What follows a refusal.
#[derive(Debug, PartialEq)]
pub(super) enum AfterRefusal {
    /// Ask again then.
    AskAgain(Instant),
    /// Tell the person.
    GiveUp,
}

#[derive(Debug)]
pub(super) struct Join {
    request: JoinRoom,
    /// The first and the last ask whose answer is still awaited.
    pending: Option<(u64, u64)>,
    asks: u32,
    /// We have been in this room before.
    returning: bool,
    waits: Backoff,
    refused_since: Option<Instant>,
}

impl Join {
    pub(super) fn new(request: JoinRoom) -> Self {
        Self {
            request,
            pending: None,
            asks: 0,
            returning: false,
            waits: Backoff::new(RETURN_WAITS),
            refused_since: None,
        }
    }

    /// Answers on an older connection will not come any more.
    pub(super) fn connection_is_new(&mut self) {
        self.pending = None;
        self.asks = 0;
    }

    /// The event to send with this acknowledgement number, and when its answer is due.
    pub(super) fn ask(&mut self, ack: u64, now: Instant) -> (ClientEvent, Instant) {
        let first = self.pending.map_or(ack, |(first, _)| first);
        self.pending = Some((first, ack));
        self.asks += 1;
        (ClientEvent::JoinRoom(self.request.clone()), now + ANSWERED_WITHIN)
    }

    pub(super) fn is_answered_by(&self, ack: u64) -> bool {
        self.pending.is_some_and(|(first, last)| (first..=last).contains(&ack))
    }

    pub(super) fn is_hopeless(&self) -> bool {
        self.asks >= ASKS_MAX
    }

    pub(super) fn answered(&mut self, joined: bool) {
        self.pending = None;
        self.asks = 0;
        if joined {
            self.returning = true;
            self.refused_since = None;
            self.waits.reset();
        }
    }

    pub(super) fn refused(&mut self, error: &ErrorBody, now: Instant, random: &mut Random) -> AfterRefusal {
        self.answered(false);
        let since = *self.refused_since.get_or_insert(now);
        if self.returning && refusal::passes_by_itself(error) && now < since + RETURN_WITHIN {
            AfterRefusal::AskAgain(now + self.waits.next(random))
        } else {
            AfterRefusal::GiveUp
        }
    }
}
