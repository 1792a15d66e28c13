//! Joining: a new connection each time, whose first event is `join-room`, into a room with three others.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use bench::socket_client::{Client, PATIENCE};
use shared::RoomId;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::servers::RunningServer;

/// Rooms that are joined at once.
const ROOMS: u64 = 50;

/// People who are in a room when somebody joins; the eldest leaves after that.
const OTHERS: usize = 3;

/// Joins per room that go first and do not count, until code is compiled and buffers have grown.
const WARM_UP: u64 = 20;

/// What joining costs.
#[derive(Debug)]
pub struct JoinCost {
    /// Of the server, per join: connection, handshakes, the join, what the others are told, and the eldest's leaving.
    pub cpu_micros: f64,
    /// Joins that were not answered.
    pub lost: u64,
}

/// Makes at least so many joins.
pub async fn measure(server: &RunningServer, joins: u64) -> Result<JoinCost> {
    let rooms = (0..ROOMS)
        .map(|index| Ok(Room::new(RoomId::parse(&format!("join-{index}"))?)))
        .collect::<Result<Vec<_>>>()?;
    let warm = run(server, rooms, WARM_UP).await?;
    let cpu = server.cpu_seconds()?;
    let each = joins.div_ceil(ROOMS);
    let rooms = run(server, warm, each).await?;
    let used = server.cpu_seconds()? - cpu;
    let lost = rooms.iter().map(|room| room.lost).sum();
    Ok(JoinCost { cpu_micros: used / (each * ROOMS) as f64 * 1e6, lost })
}

async fn run(server: &RunningServer, rooms: Vec<Room>, joins: u64) -> Result<Vec<Room>> {
    let mut tasks = JoinSet::new();
    for room in rooms {
        tasks.spawn(room.fill(server.address(), joins));
    }
    let mut rooms = vec![];
    while let Some(room) = tasks.join_next().await {
        rooms.push(room.context("a client broke")?);
    }
    Ok(rooms)
}

struct Room {
    id: RoomId,
    inside: VecDeque<Client>,
    lost: u64,
}

impl Room {
    fn new(id: RoomId) -> Self {
        Self { id, inside: VecDeque::new(), lost: 0 }
    }

    async fn fill(mut self, server: SocketAddr, joins: u64) -> Self {
        for _ in 0..joins {
            match timeout(PATIENCE, self.join(server)).await {
                Ok(Ok(client)) => self.inside.push_back(client),
                Ok(Err(_)) | Err(_) => self.lost += 1,
            }
            if self.inside.len() > OTHERS
                && let Some(eldest) = self.inside.pop_front()
            {
                // What goes wrong while somebody leaves is not what is measured.
                let _ = timeout(PATIENCE, eldest.close()).await;
            }
        }
        self
    }

    async fn join(&self, server: SocketAddr) -> Result<Client> {
        let mut client = Client::connect(server).await?;
        client.join(&self.id).await?;
        Ok(client)
    }
}
