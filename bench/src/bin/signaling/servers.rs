//! The two servers, each on a core of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use bench::processes;
use e2e::process::Process;
use e2e::programs;

/// The core that servers run on.
pub const SERVER_CORE: usize = 0;
/// The core that the load runs on.
pub const LOAD_CORE: usize = 1;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `roundtable-server`.
    Roundtable,
    /// Node and socket.io.
    Node,
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct RunningServer {
    process: Process,
    address: SocketAddr,
}

impl RunningServer {
    /// Starts it on a free port.
    pub async fn start(kind: Kind) -> Result<Self> {
        let program = match kind {
            Kind::Roundtable => programs::own("roundtable-server", "roundtable-server")?,
            Kind::Node => programs::foreign("node", "Install the package nodejs.")?,
        };
        // taskset becomes the server: one process, from its first thread on the right core.
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &SERVER_CORE.to_string()]).arg(program);
        match kind {
            Kind::Roundtable => command.args(["--listen", "127.0.0.1:0"]),
            Kind::Node => command.arg(node_server()?),
        };
        let mut process = Process::start(&format!("{kind:?}"), &mut command)?;
        let address = process
            .line("its address", |line| line.strip_prefix("listening on http://")?.trim().parse().ok())
            .await?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time that it has used, in seconds.
    pub fn cpu_seconds(&self) -> Result<f64> {
        processes::cpu_seconds(self.process.id())
    }

    /// Its memory, in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        processes::resident_bytes(self.process.id())
    }
}

/// The program for Node, with the packages that it needs.
fn node_server() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    if !is_installed(&folder) {
        let status = Command::new(programs::foreign("npm", "Install the package npm.")?)
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "npm ci failed in {}", folder.display());
    }
    Ok(folder.join("server.mjs"))
}

/// npm writes its own lock file last, so that one which is newer than ours stands for a whole installation of it.
fn is_installed(folder: &Path) -> bool {
    let modified = |path: &str| folder.join(path).metadata().and_then(|metadata| metadata.modified()).ok();
    let installed = modified("node_modules/.package-lock.json");
    installed.is_some_and(|installed| modified("package-lock.json").is_some_and(|wanted| wanted <= installed))
}
