//! The stable codes of [`crate::events::ErrorBody`]: programs decide by them, people read the message.

/// A field is missing, of a wrong type or breaks a rule; the message names it.
pub const INVALID_ARGUMENT: &str = "invalid-argument";
/// The event's name is not one of the contract's.
pub const UNKNOWN_EVENT: &str = "unknown-event";
/// The room does not exist, and the server does not make rooms by joining.
pub const ROOM_NOT_FOUND: &str = "room-not-found";
/// A room with this id exists already.
pub const ROOM_EXISTS: &str = "room-exists";
/// The room holds as many people as it may.
pub const ROOM_FULL: &str = "room-full";
/// The room has a password and none was given.
pub const PASSWORD_REQUIRED: &str = "password-required";
/// The given password is not the room's.
pub const WRONG_PASSWORD: &str = "wrong-password";
/// The server holds as many rooms as it may.
pub const TOO_MANY_ROOMS: &str = "too-many-rooms";
/// The sender is in no room.
pub const NOT_IN_ROOM: &str = "not-in-room";
/// The addressee is not in the sender's room.
pub const PEER_NOT_FOUND: &str = "peer-not-found";
/// The addressee does not read fast enough to take more now; try again later.
pub const PEER_BUSY: &str = "peer-busy";
/// The sender asks more often than the server allows; slow down.
pub const RATE_LIMITED: &str = "rate-limited";
