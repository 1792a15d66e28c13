//! The lobby: all rooms, membership, capacity, passwords and rate limits, as one deterministic state machine.
//!
//! It has no sockets, no clock and no randomness of its own. The shell tells it facts with [`Lobby::handle`] (somebody connected, an event came)
//! or asks for a room with [`Lobby::create_room`] and [`Lobby::delete_room`], and after *every* such call carries out all orders of
//! [`Lobby::poll_output`], in order. The lobby owns no timer (rooms vanish with their last guest, budgets refill by arithmetic), so there is no
//! `poll_timeout`.
//!
//! The seam is here so that every rule of the contract can be checked against a naive model, in any interleaving, without a network
//! (`tests/model.rs`).

mod budget;
mod config;
mod join;
mod lobby;
mod password;
mod refusal;
mod room;
mod rooms;
mod signal;

pub use budget::Rate;
pub use config::{LobbyConfig, RateLimits};
pub use lobby::{AckId, Answer, Input, Lobby, Now, Output};
pub use rooms::{CreateRefused, RoomInfo, UnknownRoom};
