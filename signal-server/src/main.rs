//! The Roundtable server: rooms, REST, Socket.IO and the browser client in one program.
//!
//! `http` serves, `gateway` owns the lobby (crate `signal-core`) and speaks through the transport (crate `socketio`), `listen` and `tls` guard the
//! door, `settings` and `banner` face the host.

mod banner;
mod gateway;
mod http;
mod listen;
mod logging;
mod server;
mod settings;
mod shutdown;
mod tls;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match server::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence for a person, before or after logging has started alike.
            let _ = writeln!(std::io::stderr(), "roundtable-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}
