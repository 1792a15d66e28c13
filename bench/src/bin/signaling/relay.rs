//! Relaying: pairs of clients exchange what two browsers do while they connect, one session description to five candidates.

use anyhow::{Context, Result};
use bench::socket_client::{Client, PATIENCE};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use shared::RoomId;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::servers::RunningServer;

/// Pairs that are at it at once, each in a room of its own.
const PAIRS: u64 = 50;

/// Messages that each client of a pair sends before it reads: four bursts of a description and its candidates.
const WINDOW: u64 = 24;

/// A description comes first in every so many messages.
const BURST: u64 = 6;

/// Size of a session description, in bytes: an audio, a video and a data section.
const SDP_BYTES: usize = 3_000;

/// Size of a candidate, in bytes.
const CANDIDATE_BYTES: usize = 200;

/// Part of the messages that go first and do not count, until code is compiled and buffers have grown.
const WARM_UP: u64 = 10;

/// What relaying costs.
#[derive(Debug)]
pub struct RelayCost {
    /// Of the server, per 100 000 messages.
    pub cpu_seconds: f64,
    /// Messages that came after a later one.
    pub reordered: u64,
    /// Messages that never came.
    pub lost: u64,
}

/// Relays at least so many messages.
pub async fn measure(server: &RunningServer, messages: u64) -> Result<RelayCost> {
    let mut pairs = vec![];
    for index in 0..PAIRS {
        pairs.push(Pair::connect(server, index).await?);
    }
    let rounds = messages.div_ceil(2 * WINDOW * PAIRS);
    let mut warm = run(pairs, rounds.div_ceil(WARM_UP)).await?;
    let before = server.cpu_seconds()?;
    let done = run(std::mem::take(&mut warm.pairs), rounds).await?;
    let used = server.cpu_seconds()? - before;
    let sent = (2 * WINDOW * PAIRS * rounds) as f64;
    Ok(RelayCost {
        cpu_seconds: used / sent * 100_000.0,
        reordered: warm.reordered + done.reordered,
        lost: warm.lost + done.lost,
    })
}

/// Clients in a room of their own.
struct Pair {
    clients: [Client; 2],
    /// Messages that each has sent.
    sent: u64,
}

/// What became of the messages.
#[derive(Default)]
struct Tally {
    pairs: Vec<Pair>,
    reordered: u64,
    lost: u64,
}

async fn run(pairs: Vec<Pair>, rounds: u64) -> Result<Tally> {
    let mut tasks = JoinSet::new();
    for pair in pairs {
        tasks.spawn(pair.exchange(rounds));
    }
    let mut all = Tally::default();
    while let Some(tally) = tasks.join_next().await {
        let tally = tally.context("a client broke")??;
        all.pairs.extend(tally.pairs);
        all.reordered += tally.reordered;
        all.lost += tally.lost;
    }
    Ok(all)
}

#[derive(Deserialize)]
struct Numbered {
    number: u64,
}

impl Pair {
    async fn connect(server: &RunningServer, index: u64) -> Result<Self> {
        let room = RoomId::parse(&format!("relay-{index}"))?;
        let mut clients =
            [Client::connect(server.address()).await?, Client::connect(server.address()).await?];
        for client in &mut clients {
            client.join(&room).await?;
        }
        Ok(Self { clients, sent: 0 })
    }

    async fn exchange(mut self, rounds: u64) -> Result<Tally> {
        let mut tally = Tally::default();
        for _ in 0..rounds {
            let [one, two] = &mut self.clients;
            send(one, two, self.sent).await?;
            send(two, one, self.sent).await?;
            for client in [one, two] {
                receive(client, self.sent, &mut tally).await?;
            }
            self.sent += WINDOW;
        }
        tally.pairs.push(self);
        Ok(tally)
    }
}

async fn send(from: &mut Client, to: &Client, first: u64) -> Result<()> {
    for number in first..first + WINDOW {
        from.feed_signal(to.id(), data(number)?).await?;
    }
    from.flush().await
}

/// Receives a window whose first message has this number.
async fn receive(client: &mut Client, first: u64, tally: &mut Tally) -> Result<()> {
    let mut due = first;
    for received in 0..WINDOW {
        let Ok(data) = timeout(PATIENCE, client.signal()).await else {
            tally.lost += WINDOW - received;
            return Ok(());
        };
        let number = serde_json::from_str::<Numbered>(data?.get())?.number;
        tally.reordered += u64::from(number < due);
        due = due.max(number + 1);
    }
    Ok(())
}

fn data(number: u64) -> Result<Box<RawValue>> {
    let data = if number.is_multiple_of(BURST) {
        json!({ "description": { "type": "offer", "sdp": "a".repeat(SDP_BYTES) }, "number": number })
    } else {
        let candidate =
            json!({ "candidate": "c".repeat(CANDIDATE_BYTES), "sdpMid": "0", "sdpMLineIndex": 0 });
        json!({ "candidate": candidate, "number": number })
    };
    Ok(to_raw_value(&data)?)
}
