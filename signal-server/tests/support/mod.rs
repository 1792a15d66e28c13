//! The real program as a child process, and a client that speaks the wire by hand, so that it can be as strict or as hostile as a test needs.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod client;
pub mod http;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that reaches it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Server {
    child: Child,
    /// What it printed up to its first empty line.
    pub banner: Vec<String>,
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
}

impl Server {
    /// Starts the program on a free port of the loopback interface.
    pub fn start() -> Self {
        Self::with(&["--listen", "127.0.0.1:0"])
    }

    pub fn with(args: &[&str]) -> Self {
        let mut child = command(args).args(["--log", "warn"]).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let banner: Vec<String> =
            lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let url = banner.iter().find_map(|line| line.strip_prefix("listening on "));
        let url = url.expect("the server says where it listens").to_owned();
        // The rest is read to its end, or the program would find nobody at the other end of the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, banner, url }
    }

    pub fn address(&self) -> SocketAddr {
        self.url.rsplit_once('/').unwrap().1.parse().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the program to end, as a service manager does.
    #[cfg(unix)]
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, about to be started.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundtable-server"));
    // It must work from any folder.
    command.args(args).current_dir(std::env::temp_dir());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Runs the program to its end, which must be a failure, and returns what it says.
pub fn fails(args: &[&str]) -> (i32, String) {
    let mut child = command(args).stderr(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success());
    (status.code().unwrap(), text)
}

/// A folder of the repository.
pub fn repository(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)
}
