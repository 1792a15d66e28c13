//! What a connection costs that does nothing but answer heartbeats.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::socket_client::Client;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::servers::RunningServer;

/// Connections that are there before the counting begins, so that code is loaded and pools exist.
const BASE: u64 = 100;

/// The first measurement has the number of connections divided by this.
pub const FEW: u64 = 10;

/// Connections that are opened at once.
const BATCH: u64 = 50;

/// Time from the last connection to the measurement, in which the server comes to rest.
const REST: Duration = Duration::from_secs(3);

/// What idle connections cost the server.
#[derive(Debug)]
pub struct IdleCost {
    /// Resident with [`BASE`] connections.
    pub base_megabytes: f64,
    /// Resident bytes that each of a tenth of the connections adds.
    pub few_bytes: f64,
    /// Resident bytes that each of all connections adds.
    pub many_bytes: f64,
}

/// Opens so many connections, and lets them rest.
pub async fn measure(server: &RunningServer, connections: u64) -> Result<IdleCost> {
    let mut idle = JoinSet::new();
    let base = resident(server, &mut idle, BASE).await?;
    let few = resident(server, &mut idle, connections / FEW).await? - base;
    let many = resident(server, &mut idle, connections - connections / FEW).await? - base;
    ensure!(idle.len() as u64 == BASE + connections, "some connections are lost");
    Ok(IdleCost {
        base_megabytes: base / 1e6,
        few_bytes: few / (connections / FEW) as f64,
        many_bytes: many / connections as f64,
    })
}

/// What is resident after `more` connections have been opened.
async fn resident(server: &RunningServer, idle: &mut JoinSet<Result<()>>, more: u64) -> Result<f64> {
    let mut left = more;
    while left > 0 {
        let mut batch = JoinSet::new();
        for _ in 0..left.min(BATCH) {
            batch.spawn(Client::connect(server.address()));
        }
        left -= batch.len() as u64;
        while let Some(client) = batch.join_next().await {
            idle.spawn(client.context("a client broke")??.idle());
        }
    }
    sleep(REST).await;
    if let Some(ended) = idle.try_join_next() {
        ended.context("a client broke")?.context("an idle connection ended")?;
    }
    Ok(server.resident_bytes()? as f64)
}
