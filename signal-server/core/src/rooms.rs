//! Rooms by request: listing, making and deleting them.

use std::time::SystemTime;

use sha2::{Digest, Sha256};
use shared::RoomId;
use shared::events::ServerEvent;
use shared::rest::{CreateRoom, RoomPeer};

use crate::lobby::{Lobby, Now, Output};
use crate::password::PasswordHash;
use crate::room::Room;

/// A room as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomInfo {
    /// The id.
    pub id: RoomId,
    /// The name for people; the id when it was given none.
    pub name: String,
    /// When it was made.
    pub created_at: SystemTime,
    /// How many are inside.
    pub participants: u32,
    /// How many fit.
    pub capacity: u32,
    /// Whether it has a password.
    pub locked: bool,
    /// Who is inside, in the order in which they came; empty for locked rooms.
    pub peers: Vec<RoomPeer>,
}

/// Why a room was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreateRefused {
    /// Choose another id.
    #[error("a room with this id exists already")]
    Exists,
    /// Delete rooms first.
    #[error("the server has no space for another room")]
    TooManyRooms,
}

/// There is no room with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no room with this id")]
pub struct UnknownRoom;

impl Lobby {
    /// All rooms, oldest first.
    pub fn rooms(&self) -> Vec<RoomInfo> {
        let mut rooms: Vec<&Room> = self.rooms.values().collect();
        rooms.sort_by_key(|room| room.order);
        rooms.into_iter().map(info).collect()
    }

    /// One room.
    pub fn room(&self, id: &RoomId) -> Option<RoomInfo> {
        self.rooms.get(id).map(info)
    }

    /// Makes a room that stays until it is deleted. `entropy` must be 32 fresh bytes of a secure random generator.
    pub fn create_room(
        &mut self,
        request: CreateRoom,
        entropy: [u8; 32],
        now: Now,
    ) -> Result<RoomInfo, CreateRefused> {
        let CreateRoom { name, id, capacity, password } = request;
        let (salt, seed) = (first_half(&expand(entropy, 0)), expand(entropy, 1));
        let id = id.unwrap_or_else(|| self.free_id(seed));
        if self.rooms.contains_key(&id) {
            return Err(CreateRefused::Exists);
        }
        let full = self.rooms.len() >= self.config.max_rooms;
        if full || self.permanent_rooms >= self.config.max_permanent_rooms {
            return Err(CreateRefused::TooManyRooms);
        }
        self.made_rooms += 1;
        self.permanent_rooms += 1;
        let room = Room {
            name: name.unwrap_or_else(|| id.to_string()),
            id: id.clone(),
            created_at: now.wall,
            order: self.made_rooms,
            capacity: capacity.unwrap_or(self.config.default_capacity),
            password: password.map(|password| PasswordHash::new(&password, salt)),
            permanent: true,
            members: Vec::new(),
        };
        let made = info(&room);
        self.rooms.insert(id, room);
        Ok(made)
    }

    /// Deletes a room of either kind; everybody inside is told with `room-closed` and is in no room then.
    pub fn delete_room(&mut self, id: &RoomId) -> Result<(), UnknownRoom> {
        let room = self.rooms.remove(id).ok_or(UnknownRoom)?;
        self.permanent_rooms -= usize::from(room.permanent);
        let members = room.member_ids();
        for member in &members {
            if let Some(peer) = self.peers.get_mut(member) {
                peer.room = None;
            }
        }
        if !members.is_empty() {
            let event = ServerEvent::RoomClosed { room_id: room.id, reason: "deleted".to_owned() };
            self.outputs.push_back(Output::Broadcast { to: members, event });
        }
        Ok(())
    }

    fn free_id(&self, mut seed: [u8; 32]) -> RoomId {
        loop {
            let id = readable_id(seed);
            match RoomId::parse(&id) {
                Ok(id) if !self.rooms.contains_key(&id) => return id,
                Ok(_) | Err(_) => seed = expand(seed, 2),
            }
        }
    }
}

fn info(room: &Room) -> RoomInfo {
    let locked = room.password.is_some();
    let peers = room.members.iter().map(|member| RoomPeer {
        peer_id: member.peer_id.clone(),
        display_name: member.display_name.clone(),
    });
    RoomInfo {
        id: room.id.clone(),
        name: room.name.clone(),
        created_at: room.created_at,
        // No more than a capacity's worth, which is a `u32`.
        participants: u32::try_from(room.members.len()).unwrap_or(u32::MAX),
        capacity: room.capacity,
        locked,
        peers: if locked { Vec::new() } else { peers.collect() },
    }
}

/// 60 random bits as three groups of four, without letters and digits that are easily mistaken for each other: an id can be read out on the
/// phone, and nobody finds a room by guessing.
fn readable_id(seed: [u8; 32]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut id = String::with_capacity(14);
    for (i, byte) in seed.iter().take(12).enumerate() {
        if i > 0 && i % 4 == 0 {
            id.push('-');
        }
        id.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    id
}

/// Independent bytes for each purpose out of one piece of entropy.
fn expand(entropy: [u8; 32], purpose: u8) -> [u8; 32] {
    Sha256::new().chain_update(entropy).chain_update([purpose]).finalize().into()
}

fn first_half(bytes: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    half
}
