//! Muting and camera off: the other side hears silence, sees no picture, and is told; both come back.

use anyhow::Result;
use e2e::persona::{ADA, LEVEL, MAYA};
use e2e::room_page::RoomPage;
use e2e::server::Server;

#[tokio::test]
async fn muting_is_heard_and_seen() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("muting");
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let ada = RoomPage::join(clips_a.chromium().await?, &url, ADA.name).await?;
    let maya = RoomPage::join(clips_m.chromium().await?, &url, MAYA.name).await?;
    maya.hears(ADA.name, ADA.voice, LEVEL).await?;
    maya.sees(ADA.name).await?;

    ada.toggle("audio").await?;
    maya.tile(ADA.name, "muted", |tile| tile.microphone == "off").await?;
    maya.hears_nothing_of(ADA.name).await?;
    ada.toggle("video").await?;
    maya.tile(ADA.name, "without a camera", |tile| tile.camera == "off" && tile.picture == "off").await?;

    ada.toggle("audio").await?;
    ada.toggle("video").await?;
    maya.tile(ADA.name, "all on", |tile| tile.microphone == "on" && tile.camera == "on").await?;
    maya.hears(ADA.name, ADA.voice, LEVEL).await?;
    maya.sees(ADA.name).await?.expect_age(ADA.age)?;
    Ok(())
}
