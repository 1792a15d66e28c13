//! A peer that shows us larger and smaller gets other layers of our camera, in one unbroken stream: Chromium's decoder sees neither a freeze nor an error.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::desktop::{Desktop, Options};
use e2e::eventually;
use e2e::persona::{ADA, DORA};
use e2e::room_page::RoomPage;
use e2e::server::Server;
use serde::Deserialize;
use serde_json::json;

/// Keeps the page's connections and its control channel where the test finds them.
const HOOK: &str = r"
const Original = window.RTCPeerConnection;
window.links = [];
window.RTCPeerConnection = class extends Original {
  constructor(...args) { super(...args); window.links.push(this); }
};
const send = RTCDataChannel.prototype.send;
RTCDataChannel.prototype.send = function (...args) {
  if (this.label === 'control') window.control = this;
  return send.apply(this, args);
};
";

const SHOW: &str = r"
window.control.send(JSON.stringify({ v: 1, kind: 'tile', width: arguments[0], height: arguments[1], visible: true }));
";

const VIDEO: &str = r"
return window.links.at(-1).getStats().then((report) =>
  [...report.values()].find((entry) => entry.type === 'inbound-rtp' && entry.kind === 'video') ?? null);
";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inbound {
    frame_height: Option<u32>,
    frames_decoded: Option<u64>,
    freeze_count: Option<u64>,
    pli_count: Option<u64>,
    packets_lost: Option<i64>,
}

async fn inbound(page: &RoomPage) -> Result<Inbound> {
    page.browser().run::<Option<Inbound>>(VIDEO, vec![]).await?.context("no video yet")
}

async fn show(page: &RoomPage, width: u32, height: u32) -> Result<()> {
    page.browser().client().execute(SHOW, vec![json!(width), json!(height)]).await?;
    eventually(&format!("a picture of {height} lines"), async || {
        let inbound = inbound(page).await?;
        ensure!(inbound.frame_height == Some(height), "{inbound:?}");
        Ok(Some(()))
    })
    .await
}

async fn switch(times: u32) -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("switching");
    let camera = Options { camera: "test-pattern:1280x720@30".to_owned(), ..DORA.desktop() };
    let _dora = Desktop::call(&url, DORA.name, &camera)?;
    let clips = ADA.clips()?;
    let page = RoomPage::open(clips.chromium().await?, &url).await?;
    page.browser().client().execute(HOOK, vec![]).await?;
    page.enter(ADA.name).await?;
    page.sees(DORA.name).await?;
    let ready = "return window.control?.readyState === 'open'";
    eventually("the control channel", async || {
        Ok(page.browser().run::<bool>(ready, vec![]).await?.then_some(()))
    })
    .await?;

    show(&page, 320, 180).await?;
    let before = inbound(&page).await?;
    for _ in 0..times / 2 {
        show(&page, 640, 360).await?;
        show(&page, 320, 180).await?;
    }
    let after = inbound(&page).await?;
    ensure!(after.freeze_count == before.freeze_count, "{before:?}, {after:?}");
    ensure!(after.pli_count == before.pli_count, "the decoder asked for key frames: {before:?}, {after:?}");
    ensure!(
        after.packets_lost == before.packets_lost,
        "there are holes in the numbers: {before:?}, {after:?}"
    );
    ensure!(after.frames_decoded > before.frames_decoded);
    // The picture goes on.
    tokio::time::sleep(Duration::from_millis(200)).await;
    page.sees(DORA.name).await?;
    Ok(())
}

#[tokio::test]
async fn a_browser_sees_no_freeze_when_layers_switch() -> Result<()> {
    switch(8).await
}

/// Moves up are rationed to one in five seconds, so this takes four minutes.
#[tokio::test]
#[ignore = "takes four minutes: `make soak`"]
async fn a_browser_sees_no_freeze_in_a_hundred_switches() -> Result<()> {
    switch(100).await
}
