//! Whole calls in virtual time: several sessions, a model of the server, and models of peer connections that fail when they are misused.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod sim;

mod chat_and_state;
mod everybody_connects;
mod hostile_peers;
mod leaving;
mod lost_media;
mod lost_server;
mod push_to_talk;
mod speaker_view;
mod start_screen;
mod tiles;
mod volume;
