//! The real server, on loopback.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

#[cfg(target_os = "linux")]
use crate::network::Host;
use crate::process::Process;
use crate::programs;

/// A running `roundtable-server`.
#[derive(Debug)]
pub struct Server {
    process: Process,
    address: String,
}

impl Server {
    /// Starts a server on a free port.
    pub async fn start() -> Result<Self> {
        Self::start_at("127.0.0.1:0").await
    }

    /// Starts a server on a host of a network, at the host's address. [`Server::rest`] does not reach it there.
    #[cfg(target_os = "linux")]
    pub async fn start_on(host: &Host) -> Result<Self> {
        let mut command = command(&format!("{}:0", host.address()))?;
        host.place(&mut command);
        Self::run(&mut command).await
    }

    async fn start_at(address: &str) -> Result<Self> {
        Self::run(&mut command(address)?).await
    }

    async fn run(command: &mut Command) -> Result<Self> {
        let mut process = Process::start("roundtable-server", command)?;
        let address = process
            .line("its address", |line| Some(line.strip_prefix("listening on http://")?.to_owned()))
            .await?;
        Ok(Self { process, address })
    }

    /// The first page.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The page of a room.
    pub fn room_url(&self, room: &str) -> String {
        format!("{}/room.html?id={room}", self.url())
    }

    /// Calls its REST API, and gives the status.
    pub async fn rest(&self, method: &str, path: &str, body: Option<&Value>) -> Result<u16> {
        // Plain HTTP, but reqwest insists on knowing how it would do TLS. The first test of a process has done it for the others.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let method = method.parse().context("no HTTP method")?;
        let mut request = reqwest::Client::new().request(method, format!("{}{path}", self.url()));
        if let Some(body) = body {
            request = request.json(body);
        }
        Ok(request.send().await?.status().as_u16())
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks the server to shut down, and waits until it has.
    pub async fn shut_down(&mut self) -> Result<()> {
        self.process.terminate()?;
        self.process.ended().await.map(drop)
    }

    /// Starts it again on the same port, after [`Server::kill`] or [`Server::shut_down`].
    pub async fn start_again(&mut self) -> Result<()> {
        *self = Self::start_at(&self.address).await?;
        Ok(())
    }
}

fn command(address: &str) -> Result<Command> {
    let mut command = Command::new(programs::own("roundtable-server", "roundtable-server")?);
    command.args(["--listen", address]);
    Ok(command)
}
