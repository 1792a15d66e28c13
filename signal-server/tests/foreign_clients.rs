//! The contract, spoken by clients that somebody else wrote: socket.io-client 4 and 3 with their default options and on each transport alone, and
//! python-socketio.
//!
//! Needs `npm ci` in `e2e/js`, and a virtual environment with `e2e/python/requirements.txt` in `e2e/python/.venv` (or another one whose
//! interpreter `ROUNDTABLE_PYTHON` names); `make test` sees to both.

#![cfg(test)]

mod support;

use std::path::PathBuf;
use std::process::Stdio;

use support::{PATIENCE, Server, repository};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

fn node(script: &str, args: &[&str]) -> Command {
    let folder = repository("e2e/js");
    assert!(
        folder.join("node_modules/socket.io-client").is_dir(),
        "run `npm ci` in e2e/js first: no node_modules there"
    );
    let mut command = Command::new("node");
    command.arg(folder.join(script)).args(args).current_dir(folder);
    command
}

fn python(script: &str, args: &[&str]) -> Command {
    let folder = repository("e2e/python");
    let inside = if cfg!(windows) { ".venv/Scripts/python.exe" } else { ".venv/bin/python" };
    let interpreter =
        std::env::var_os("ROUNDTABLE_PYTHON").map_or_else(|| folder.join(inside), PathBuf::from);
    assert!(
        interpreter.exists(),
        "no {}: make a virtual environment there and install requirements.txt, or set ROUNDTABLE_PYTHON",
        interpreter.display()
    );
    let mut command = Command::new(interpreter);
    command.arg(folder.join(script)).args(args);
    command
}

async fn passes(mut command: Command) {
    let child = command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = tokio::time::timeout(PATIENCE, child.spawn().unwrap().wait_with_output());
    let output = output.await.expect("the script ends").unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

async fn javascript(version: &str, transport: &str) {
    let server = Server::start();
    passes(node("contract.mjs", &[&server.url, version, transport])).await;
}

#[tokio::test]
async fn socket_io_client_4_with_its_defaults() {
    javascript("v4", "default").await;
}

#[tokio::test]
async fn socket_io_client_4_on_websocket_alone() {
    javascript("v4", "websocket").await;
}

#[tokio::test]
async fn socket_io_client_4_on_polling_alone() {
    javascript("v4", "polling").await;
}

#[tokio::test]
async fn socket_io_client_3_with_its_defaults() {
    javascript("v3", "default").await;
}

#[tokio::test]
async fn socket_io_client_3_on_websocket_alone() {
    javascript("v3", "websocket").await;
}

#[tokio::test]
async fn python_socketio_with_its_defaults() {
    let server = Server::start();
    passes(python("contract.py", &[&server.url, "default"])).await;
}

#[tokio::test]
async fn python_socketio_on_websocket_alone() {
    let server = Server::start();
    passes(python("contract.py", &[&server.url, "websocket"])).await;
}

struct Watcher {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watcher {
    fn start(mut command: Command) -> Self {
        let mut child =
            command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, lines }
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("the client says something").unwrap().expect("the client lives")
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_restart_is_told_to_clients_which_come_back_by_themselves() {
    let mut server = Server::start();
    let address = server.address().to_string();
    let mut watchers: Vec<Watcher> = [("v4", "default"), ("v4", "polling"), ("v3", "websocket")]
        .into_iter()
        .map(|(version, transport)| Watcher::start(node("restart.mjs", &[&server.url, version, transport])))
        .collect();
    for watcher in &mut watchers {
        assert_eq!(watcher.line().await, "joined");
    }
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    for watcher in &mut watchers {
        // The one reason among those that a shutdown can have after which the official client reconnects by itself.
        assert_eq!(watcher.line().await, "disconnected transport close");
    }
    let _server = Server::with(&["--listen", &address]);
    for watcher in &mut watchers {
        assert_eq!(watcher.line().await, "joined");
    }
}
