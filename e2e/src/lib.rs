//! A harness for tests with real parts: the server, headless desktop clients, browsers driven over WebDriver, a private sound server.
//!
//! Every part is a value that ends its processes when it is dropped, on free ports and in folders of its own, so that tests run side by side.
//! Nothing here sleeps for a fixed time: tests poll with [`eventually`], patiently enough for a slow machine.
//!
//! What arrives is checked by its content: pictures carry marks ([`clip`], [`media_core::marks`]), sound is a tone whose frequency and level are
//! measured ([`tone`]), or sentences that are listened to ([`listening`]).
#![cfg(unix)]

pub mod browser;
pub mod clip;
pub mod content;
pub mod desktop;
pub mod guest;
pub mod listening;
#[cfg(target_os = "linux")]
pub mod network;
pub mod persona;
mod poll;
pub mod process;
pub mod programs;
pub mod pulse;
pub mod room_page;
pub mod server;
pub mod sound;
pub mod tone;

pub use poll::{PATIENCE, eventually};
