//! One call.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use e2e::network::Network;
use e2e::server::Server;
use media_core::sim::Profile;
use tokio::time::{Instant, sleep, sleep_until};

use super::pair::Pair;
use super::quality::Originals;
use super::record::{Record, Window};
use super::side::{self, Kept, Place, Ready, Side};
use crate::clip::Clips;

/// How long the sides may take to connect before measuring begins without a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether they have. A desktop client tells once a second.
const LOOK: Duration = Duration::from_millis(100);

/// How long is measured after a network has become good again.
const AFTER_DIP: Duration = Duration::from_secs(35);

/// From the end of measuring until everybody has told of it.
const LAST_WORDS: Duration = Duration::from_millis(1_200);

/// What a call goes through.
#[derive(Debug)]
pub struct Conditions {
    /// The impaired link.
    pub profile: Profile,
    /// How long is measured.
    pub time: Duration,
    /// What decides which packets are lost.
    pub seed: u64,
    /// What is kept of it.
    pub kept: Kept,
}

/// How a call was.
#[derive(Debug)]
pub struct Call {
    /// What both sides have noticed, the near one first.
    pub records: [Record; 2],
    /// When it was measured.
    pub window: Window,
    /// What passed the impaired link from and to its host, all headers but Ethernet's included.
    pub wire_kbps: (f64, f64),
    /// The most by which the relay was late.
    pub lateness_ms: f64,
}

/// Makes a call and tells how it was.
pub async fn run(pair: Pair, conditions: &Conditions, clips: &Clips, originals: &Originals) -> Result<Call> {
    let network = Network::new(3, conditions.seed)?;
    let [near, far, middle] = network.hosts() else { unreachable!("three were asked for") };
    let server = Server::start_on(middle).await?;
    let place = |host, name| Place { host, server: &server, clips, name, kept: conditions.kept };
    let far = Ready::prepare(pair.far, place(far, "Far")).await?;
    let ready = Ready::prepare(pair.near, place(near, "Near")).await?;
    let mut far = far.join(pair.near).await?;

    network.impose(near, &conditions.profile)?;
    let imposed = (Instant::now(), unix_ms());
    let mut side = ready.join(pair.far).await?;
    connected(&mut side, &mut far).await?;

    let (start, from, before) = (Instant::now(), unix_ms(), network.traffic(near)?);
    let dip = dip(&conditions.profile);
    let end = dip
        .map_or(start + conditions.time, |(_, to)| (start + conditions.time).max(imposed.0 + to + AFTER_DIP));
    sleep_until(end).await;
    let (to, after) = (unix_ms(), network.traffic(near)?);
    sleep(LAST_WORDS).await;

    let at = |after: Duration| imposed.1 + after.as_secs_f64() * 1_000.0;
    let window = Window { from, to, dip: dip.map(|(from, to)| (at(from), at(to))) };
    // Bits in a millisecond are kilobits in a second.
    let kbps = |before: u64, after: u64| after.saturating_sub(before) as f64 * 8.0 / (to - from);
    let wire_kbps = (kbps(before.up_bytes, after.up_bytes), kbps(before.down_bytes, after.down_bytes));
    let lateness_ms = network.worst_lateness()?.as_secs_f64() * 1_000.0;
    let records = side::records(pair, &side, &far, originals).await?;
    Ok(Call { records, window, wire_kbps, lateness_ms })
}

/// Waits until both are connected, or for as long as that may take.
async fn connected(near: &mut Side, far: &mut Side) -> Result<()> {
    let deadline = Instant::now() + CONNECT_PATIENCE;
    while !(near.is_connected().await? && far.is_connected().await?) && Instant::now() < deadline {
        sleep(LOOK).await;
    }
    Ok(())
}

/// When a profile first changes and when it last does, for those that do both.
fn dip(profile: &Profile) -> Option<(Duration, Duration)> {
    let [_, first, .., last] = profile.down.as_slice() else { return None };
    Some((first.after, last.after))
}

fn unix_ms() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1_000.0
}
