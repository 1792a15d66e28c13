//! One room and who is inside.

use std::time::SystemTime;

use shared::events::Participant;
use shared::{PeerId, RoomId};

use crate::password::PasswordHash;

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) name: String,
    pub(crate) created_at: SystemTime,
    /// Rooms are listed in the order in which they were made.
    pub(crate) order: u64,
    pub(crate) capacity: u32,
    pub(crate) password: Option<PasswordHash>,
    /// Made by request: stays when the last guest leaves.
    pub(crate) permanent: bool,
    /// In the order in which they came.
    pub(crate) members: Vec<Participant>,
}

impl Room {
    pub(crate) fn is_full(&self) -> bool {
        self.members.len() >= self.capacity as usize
    }

    /// Everybody inside but `peer`.
    pub(crate) fn others(&self, peer: &PeerId) -> Vec<Participant> {
        self.members.iter().filter(|member| member.peer_id != *peer).cloned().collect()
    }

    pub(crate) fn member_ids(&self) -> Vec<PeerId> {
        self.members.iter().map(|member| member.peer_id.clone()).collect()
    }
}
