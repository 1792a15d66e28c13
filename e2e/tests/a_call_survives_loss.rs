//! A desktop client behind a network that loses a tenth of the packets both ways, with another one and with Chromium: the call comes about, voice and
//! picture arrive, and what is lost of the voice is restored. How well, and on worse networks, is what the bench `profiles` measures.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::{Context, Result};
use e2e::browser::Browser;
use e2e::desktop::{Desktop, Stats};
use e2e::eventually;
use e2e::network::Network;
use e2e::persona::{ADA, DORA, ERIK, LEVEL, Persona};
use e2e::room_page::RoomPage;
use e2e::server::Server;
use media_core::sim::Profile;
use tokio::time::{Instant, sleep_until};

/// From the start of the call to its judgement.
const CALL: Duration = Duration::from_secs(12);

/// Least pictures of the other by then: a tenth of what was sent. How many come is for benches; a machine may be busy.
const PICTURES: u64 = 18;

/// Loses a tenth of the packets each way, the first ones of a picture among them.
const PROFILE: &str = "loss-10";

/// Most of the sound that may have been made up. Delays that vary on a busy machine cost more than the loss.
const CONCEALED: f64 = 0.3;

#[tokio::test]
async fn a_call_survives_loss() -> Result<()> {
    if let Some(reason) = Network::unavailable() {
        eprintln!("skipped: {reason}");
        return Ok(());
    }
    let network = Network::new(3, 1)?;
    let [here, there, middle] = network.hosts() else { unreachable!("three were asked for") };
    let server = Server::start_on(middle).await?;
    let url = server.room_url("loss");
    network.impose(here, &Profile::named(PROFILE).context("no such profile")?)?;

    let end = Instant::now() + CALL;
    let mut dora = Desktop::call_from(there, &url, DORA.name, &DORA.desktop())?;
    let mut erik = Desktop::call_from(here, &url, ERIK.name, &ERIK.desktop())?;
    for (one, other) in [(&mut dora, &ERIK), (&mut erik, &DORA)] {
        one.until("pictures and voice", |stats| Ok(arrived(stats, other).then_some(()))).await?;
    }
    sleep_until(end).await;
    for (one, other) in [(&mut dora, &ERIK), (&mut erik, &DORA)] {
        one.is_with(&[other.name]).await?;
        one.until("a clear voice", |stats| Ok(is_clear(stats, other).then_some(()))).await?;
    }
    let traffic = network.traffic(here)?;
    assert!(traffic.up.lost > 0 && traffic.down.lost > 0, "{traffic:?}");
    Ok(())
}

fn arrived(stats: &Stats, other: &Persona) -> bool {
    let Some(peer) = stats.peer(other.name) else { return false };
    let pictures = peer.video.as_ref().map_or(0, |video| video.frames_decoded);
    peer.connection_state == "connected" && pictures >= PICTURES && peer.audio.is_some()
}

#[tokio::test]
async fn a_browser_is_helped_over_loss() -> Result<()> {
    if let Some(reason) = Network::unavailable() {
        eprintln!("skipped: {reason}");
        return Ok(());
    }
    let network = Network::new(3, 1)?;
    let [here, there, middle] = network.hosts() else { unreachable!("three were asked for") };
    let server = Server::start_on(middle).await?;
    let url = server.room_url("loss");
    let clips = ADA.clips()?;
    let browser = Browser::chromium_on(there, &clips.devices(), &server.url()).await?;
    let page = RoomPage::open(browser, &url).await?;
    page.browser().client().execute(KEEP_CONNECTIONS, vec![]).await?;
    page.enter(ADA.name).await?;
    network.impose(here, &Profile::named(PROFILE).context("no such profile")?)?;
    let mut erik = Desktop::call_from(here, &url, ERIK.name, &ERIK.desktop())?;
    erik.until("pictures and voice", |stats| Ok(arrived(stats, &ADA).then_some(()))).await?;
    page.hears(ERIK.name, ERIK.voice, LEVEL).await?;
    eventually("packets that the browser restores", async || {
        let restored: u64 = page.browser().run_async(RESTORED, vec![]).await?;
        Ok((restored >= RESTORED_LEAST).then_some(()))
    })
    .await
}

/// Keeps the page's connections where a script finds them.
const KEEP_CONNECTIONS: &str = r"
window.kept = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.kept.push(this); }
};
";

/// How many packets of sound came within others, as copies or as in-band FEC, whether they were needed or not.
const RESTORED: &str = r"
let count = 0;
for (const connection of window.kept) {
  for (const report of (await connection.getStats()).values()) {
    if (report.type === 'inbound-rtp' && report.kind === 'audio') count += report.fecPacketsReceived ?? 0;
  }
}
return count;
";

/// Of the hundreds of packets of a call, a tenth is lost.
const RESTORED_LEAST: u64 = 10;

fn is_clear(stats: &Stats, other: &Persona) -> bool {
    let Some(audio) = stats.peer(other.name).and_then(|peer| peer.audio.as_ref()) else { return false };
    audio.packets_restored >= RESTORED_LEAST
        && (audio.concealed_samples as f64) < CONCEALED * audio.total_samples_received as f64
}
