//! The official socket.io-client, of the two major versions that speak this protocol, on each transport and with its default options.
//!
//! Needs `npm ci` in `e2e/js`; `make test` sees to that.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic")]

mod support;

use std::path::Path;
use std::process::Stdio;

use support::{Seen, quiet, soon, start_echo};
use tokio::process::Command;

async fn passes(version: &str, transport: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/js");
    assert!(
        folder.join("node_modules/socket.io-client").is_dir(),
        "run `npm ci` in e2e/js first: no node_modules there"
    );
    let (server, address, mut seen) = start_echo(quiet()).await;
    let url = format!("http://{address}");
    let mut node = Command::new("node");
    node.arg("transport.mjs").args([&url, version, transport]).current_dir(folder).kill_on_drop(true);
    let child = node.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = soon(child.wait_with_output()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // Every socket that came is gone again, the last in an orderly way.
    soon(async {
        while server.stats().sessions > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(server);
    let (mut connected, mut disconnected) = (0, 0);
    while let Ok(item) = seen.try_recv() {
        match item {
            Seen::Connected(_) => connected += 1,
            Seen::Disconnected(..) => disconnected += 1,
            Seen::Event(..) => {}
        }
    }
    assert_eq!((connected, disconnected), (4, 4));
}

#[tokio::test]
async fn version_4_with_its_defaults() {
    passes("v4", "default").await;
}

#[tokio::test]
async fn version_4_on_websocket_alone() {
    passes("v4", "websocket").await;
}

#[tokio::test]
async fn version_4_on_polling_alone() {
    passes("v4", "polling").await;
}

#[tokio::test]
async fn version_3_with_its_defaults() {
    passes("v3", "default").await;
}

#[tokio::test]
async fn version_3_on_websocket_alone() {
    passes("v3", "websocket").await;
}

#[tokio::test]
async fn version_3_on_polling_alone() {
    passes("v3", "polling").await;
}
