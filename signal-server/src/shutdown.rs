//! When to stop: Ctrl-C, or what service managers send.

use std::io;

/// Takes the signals over from the system's default, which is to end at once.
#[cfg(unix)]
pub struct StopRequest {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

/// Takes Ctrl-C over from the system's default, which is to end at once.
#[cfg(windows)]
pub struct StopRequest {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
}

impl StopRequest {
    /// From here on signals are kept for [`Self::received`]. Call it before anybody can know that the program runs.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// From here on Ctrl-C is kept for [`Self::received`]. Call it before anybody can know that the program runs.
    #[cfg(windows)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_c, ctrl_close};
        Ok(Self { interrupt: ctrl_c()?, close: ctrl_close()? })
    }

    /// Waits until the program is asked to stop.
    pub async fn received(&mut self) {
        #[cfg(unix)]
        let other = self.terminate.recv();
        #[cfg(windows)]
        let other = self.close.recv();
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = other => {}
        }
    }
}
