//! The parts that the program `roundtable` is made of: the shells around the deterministic cores.

pub mod cli;
pub mod collect;
pub mod devices_command;
pub mod engine;
pub mod headless;
pub mod history;
pub mod logging;
pub mod peer;
pub mod pictures;
pub mod reach;
pub mod rest;
pub mod settings;
pub mod signaling;
pub mod stats;
pub mod tls;
pub mod voices;
pub mod window;
