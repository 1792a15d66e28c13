//! `signal`: relayed only inside the sender's room.

use std::time::Instant;

use serde_json::value::RawValue;
use shared::events::ErrorBody;
use shared::{PeerId, codes};

use crate::lobby::{AckId, Lobby, Output};
use crate::refusal::{error, rate_limited};

impl Lobby {
    pub(crate) fn signal(
        &mut self,
        from: &PeerId,
        to: PeerId,
        data: Box<RawValue>,
        ack: Option<AckId>,
        now: Instant,
    ) {
        match self.may_signal(from, &to, data.get().len(), now) {
            Ok(()) => self.outputs.push_back(Output::Relay { from: from.clone(), to, data, ack }),
            Err(error) => self.refuse_signal(from, to.as_str(), ack, error, now),
        }
    }

    fn may_signal(
        &mut self,
        from: &PeerId,
        to: &PeerId,
        bytes: usize,
        now: Instant,
    ) -> Result<(), ErrorBody> {
        let limits = self.config.limits;
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let Some(state) = self.peers.get_mut(from) else { return Err(rate_limited()) };
        if !state.events.take(1, limits.events, now) || !state.signal_kib.take(kib, limits.signal_kib, now) {
            return Err(rate_limited());
        }
        let Some(room) = state.room.clone() else {
            return Err(error(codes::NOT_IN_ROOM, "Join a room first."));
        };
        // Nobody learns whether an id outside the own room exists.
        let reachable = self.peers.get(to).is_some_and(|peer| peer.room.as_ref() == Some(&room));
        if reachable {
            Ok(())
        } else {
            Err(error(codes::PEER_NOT_FOUND, "There is nobody with this id in the room."))
        }
    }
}
