//! The window: egui views over a [`call_core::snapshot::Snapshot`] and I420 frames, which return [`call_core::command::Command`]s.
//!
//! The seam is here so that what a person sees is a function of plain values: no view waits, talks to a network or decides a rule, and
//! every screen can be shown to a test with a made-up snapshot. What lives in a view is only what the session does not care about: typed
//! text, open panels, the "Copied" mark.
//!
//! The program owns the event loop. It calls [`Window::show`] once per pass, hands the returned commands to the engine, and asks egui for a
//! repaint when the snapshot changes or a new frame arrives; the views themselves never ask for more than their own small clocks need.

mod figures;
mod speaking;
mod text;
mod theme;
mod tiles;
mod video;
mod views;
mod widgets;
mod window;

pub use figures::{CallFigures, Figure, SECONDS};
pub use speaking::Speaking;
pub use video::{Renderer, VideoFrames};
pub use window::{Initial, Window};
