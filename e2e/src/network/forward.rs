//! A port of ours that leads to a program on a host, past the network: for those who drive programs there.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::Host;

/// Forwards connections until it is dropped.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Forward {
    /// Opens a port on our loopback for one on the host's.
    pub async fn open(host: &Host, port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, host.clone(), (Ipv4Addr::LOCALHOST, port).into()));
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, host: Host, to: SocketAddr) {
    while let Ok((mut ours, _)) = listener.accept().await {
        let host = host.clone();
        tokio::spawn(async move {
            // Whoever connected sees that the connection ends, and what they then do says enough.
            if let Ok(mut theirs) = connect(host, to).await {
                let _ = copy_bidirectional(&mut ours, &mut theirs).await;
            }
        });
    }
}

async fn connect(host: Host, to: SocketAddr) -> Result<TcpStream> {
    let stream = tokio::task::spawn_blocking(move || host.connect(to)).await??;
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream).context("no stream")
}
