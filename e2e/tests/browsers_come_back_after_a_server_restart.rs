//! A server that dies and comes back on the same port: the call goes on meanwhile, everybody rejoins unasked, and nobody's mute state has changed.

use anyhow::Result;
use e2e::eventually;
use e2e::persona::{ADA, LEVEL, MAYA};
use e2e::room_page::RoomPage;
use e2e::server::Server;

#[tokio::test]
async fn browsers_come_back_after_a_server_restart() -> Result<()> {
    let mut server = Server::start().await?;
    let url = server.room_url("restart");
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let ada = RoomPage::join(clips_a.chromium().await?, &url, ADA.name).await?;
    let maya = RoomPage::join(clips_m.chromium().await?, &url, MAYA.name).await?;
    ada.toggle("audio").await?;
    maya.toggle("video").await?;
    let before = maya.tile(ADA.name, "muted", |tile| tile.microphone == "off" && tile.camera == "on").await?;
    maya.sees(ADA.name).await?;

    server.kill();
    for page in [&ada, &maya] {
        eventually("the banner", async || Ok((!page.banner().await?.is_empty()).then_some(()))).await?;
    }
    maya.sees(ADA.name).await?;
    ada.hears(MAYA.name, MAYA.voice, LEVEL).await?;

    server.start_again().await?;
    let after = maya
        .tile(ADA.name, "back under a new id", |tile| {
            tile.peer_id != before.peer_id && tile.microphone == "off" && tile.camera == "on"
        })
        .await?;
    assert_eq!(after.name, before.name);
    ada.tile(MAYA.name, "back", |tile| {
        tile.microphone == "on" && tile.camera == "off" && tile.picture == "off"
    })
    .await?;
    maya.sees(ADA.name).await?.expect_age(ADA.age)?;
    ada.hears(MAYA.name, MAYA.voice, LEVEL).await?;
    assert!(!ada.is_on("audio").await? && ada.is_on("video").await?);
    assert!(maya.is_on("audio").await? && !maya.is_on("video").await?);
    for page in [&ada, &maya] {
        eventually("no banner", async || Ok(page.banner().await?.is_empty().then_some(()))).await?;
    }
    Ok(())
}
