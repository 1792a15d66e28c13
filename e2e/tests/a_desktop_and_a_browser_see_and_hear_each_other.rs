//! The desktop client with the browser client, whoever comes first: pictures, sound and text, both ways.

use anyhow::Result;
use e2e::desktop::Desktop;
use e2e::persona::{ADA, DORA, LEVEL};
use e2e::room_page::RoomPage;
use e2e::server::Server;

async fn they_talk(desktop: &mut Desktop, page: &RoomPage) -> Result<()> {
    page.sees(DORA.name).await?.expect_age(DORA.age)?;
    desktop.sees(&ADA).await?;
    page.hears(DORA.name, DORA.voice, LEVEL).await?;
    desktop.hears(&ADA).await?;
    let says_so = |tile: &e2e::room_page::Tile| tile.microphone == "on" && tile.camera == "on";
    page.tile(DORA.name, "told to be on", says_so).await?;
    page.tile(DORA.name, "marked as speaking", |tile| tile.speaking == "on").await?;

    let (ours, theirs) = ("Grüße an מאיה — 日本語 🎉👩‍💻", "שלום Ada <b>&amp;</b> 🎈");
    page.open_chat().await?;
    page.say(ours).await?;
    desktop.reads(ADA.name, ours).await?;
    desktop.say(theirs)?;
    page.reads(DORA.name, theirs).await
}

#[tokio::test]
async fn a_browser_joins_a_desktop() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("desktop-first");
    let mut desktop = Desktop::call(&url, DORA.name, &DORA.desktop())?;
    desktop.joined().await?;
    let clips = ADA.clips()?;
    let page = RoomPage::join(clips.chromium().await?, &url, ADA.name).await?;
    they_talk(&mut desktop, &page).await?;
    page.leave().await?;
    desktop.is_with(&[]).await
}

#[tokio::test]
async fn a_desktop_joins_a_browser() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("browser-first");
    let clips = ADA.clips()?;
    let page = RoomPage::join(clips.chromium().await?, &url, ADA.name).await?;
    let mut desktop = Desktop::call(&url, DORA.name, &DORA.desktop())?;
    they_talk(&mut desktop, &page).await?;
    assert!(desktop.leave().await?.success());
    page.alone().await
}
