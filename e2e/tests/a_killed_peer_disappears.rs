//! A client that crashes says no goodbye: the others lose its tile all the same, and keep each other.

use anyhow::Result;
use e2e::desktop::Desktop;
use e2e::persona::{ADA, DORA, ERIK, MAYA};
use e2e::room_page::RoomPage;
use e2e::server::Server;

#[tokio::test]
async fn a_killed_desktop_disappears() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("killed-desktop");
    let clips = ADA.clips()?;
    let ada = RoomPage::join(clips.chromium().await?, &url, ADA.name).await?;
    let mut dora = Desktop::call(&url, DORA.name, &DORA.desktop())?;
    let mut erik = Desktop::call(&url, ERIK.name, &ERIK.desktop())?;
    ada.connected(DORA.name).await?;
    ada.connected(ERIK.name).await?;
    erik.is_with(&[ADA.name, DORA.name]).await?;

    dora.kill();
    erik.is_with(&[ADA.name]).await?;
    e2e::eventually("two tiles", async || Ok((ada.tiles().await?.len() == 2).then_some(()))).await?;
    ada.sees(ERIK.name).await?.expect_age(ERIK.age)?;
    Ok(())
}

#[tokio::test]
async fn a_killed_browser_disappears() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("killed-browser");
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let ada = RoomPage::join(clips_a.chromium().await?, &url, ADA.name).await?;
    let maya = RoomPage::join(clips_m.chromium().await?, &url, MAYA.name).await?;
    ada.connected(MAYA.name).await?;
    // Dropped is killed: WebDriver is not asked to close anything.
    drop(maya);
    ada.alone().await
}
