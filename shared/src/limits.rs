//! Limits that bound what any peer can cost. Each says its unit and why it has this value.

/// Longest room id, in characters. Part of the frozen contract.
pub const ROOM_ID_MAX_CHARS: usize = 64;

/// Longest peer id that is accepted, in characters. Socket.IO ids are 20 characters; the slack is for other servers.
pub const PEER_ID_MAX_CHARS: usize = 64;

/// Longest display name, in characters (Unicode scalar values). Part of the frozen contract.
pub const DISPLAY_NAME_MAX_CHARS: usize = 64;

/// Longest room name, in characters. A room name is shown on one line of the lobby.
pub const ROOM_NAME_MAX_CHARS: usize = 128;

/// Longest password, in bytes. Bounds the cost of hashing; far above what people type.
pub const PASSWORD_MAX_BYTES: usize = 256;

/// Capacity of a room when its maker names none, in participants. Part of the frozen contract; a full mesh carries about this many.
pub const ROOM_CAPACITY_DEFAULT: u32 = 8;

/// Largest capacity that can be asked for, in participants. Above this a mesh is hopeless, but bots and tests may want it.
pub const ROOM_CAPACITY_MAX: u32 = 256;

/// Most capability names in a `join-room`, and the longest such name in characters: more is ignored.
pub const CAPS_MAX: usize = 16;
/// See [`CAPS_MAX`].
pub const CAP_MAX_CHARS: usize = 32;

/// Largest Engine.IO message on either transport, in bytes. An SDP with many candidates is under 100 kB; this is Node's default too.
pub const MAX_PAYLOAD_BYTES: usize = 1_000_000;
