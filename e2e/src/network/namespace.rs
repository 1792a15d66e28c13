//! Network namespaces without names (network_namespaces(7)).

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};

/// The namespace of the thread that looks.
const OWN: &str = "/proc/thread-self/ns/net";

/// A namespace. It lives as long as this, or as long as a process in it.
#[derive(Debug)]
pub(super) struct Namespace {
    file: Arc<File>,
}

impl Namespace {
    /// A new one, in which there is nothing but a loopback interface that is down.
    pub(super) fn new() -> Result<Self> {
        // In a thread of its own: that thread moves there, and ends.
        let file = thread::spawn(|| {
            // SAFETY: a plain system call without pointers. It concerns this thread alone.
            if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
                return Err(io::Error::last_os_error());
            }
            File::open(OWN)
        })
        .join()
        .map_err(|_| anyhow!("a thread panicked"))?
        .context("cannot make a network namespace")?;
        Ok(Self { file: Arc::new(file) })
    }

    /// Does something there. Sockets and devices that it opens stay there.
    pub(super) fn run<T: Send + 'static>(&self, action: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let file = Arc::clone(&self.file);
        let done = thread::spawn(move || enter(&file).map(|()| action()));
        done.join().map_err(|_| anyhow!("a thread panicked"))?.context("cannot enter a network namespace")
    }

    /// Has a program run there.
    pub(super) fn place(&self, command: &mut Command) {
        let file = Arc::clone(&self.file);
        // SAFETY: between fork and exec there is only one system call, without allocation or locks.
        unsafe { command.pre_exec(move || enter(&file)) };
    }

    /// Carries out lines of ip(8).
    pub(super) fn configure(&self, lines: &str) -> Result<()> {
        let mut command = Command::new("ip");
        command.args(["-batch", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        self.place(&mut command);
        let mut child = command.spawn().context("cannot run ip (package iproute2)")?;
        // Taken, so that it is closed: ip reads to the end.
        child.stdin.take().context("no input")?.write_all(lines.as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "ip: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }
}

fn enter(namespace: &File) -> io::Result<()> {
    // SAFETY: a plain system call without pointers; the file is open. It concerns this thread alone.
    match unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
