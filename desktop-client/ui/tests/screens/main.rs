//! What the views do: by accessible label, as a person with a screen reader uses them. Nothing is drawn.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../fabricated/mod.rs"]
mod fabricated;
mod stage;

mod accessibility;
mod call;
mod chat;
mod preview;
mod speaker_view;
mod start;
mod strange_text;
mod talk;
mod tiles;
mod video;
mod volume;
