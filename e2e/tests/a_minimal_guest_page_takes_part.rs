//! A page that knows nothing but the base contract, with the browser client: whoever comes first, and whichever id is smaller.

use anyhow::Result;
use e2e::guest::Guest;
use e2e::persona::{ADA, LEVEL, MAYA};
use e2e::room_page::{RoomPage, Tile};
use e2e::server::Server;

async fn they_talk(page: &RoomPage, guest: &Guest) -> Result<()> {
    page.sees(MAYA.name).await?.expect_age(MAYA.age)?;
    guest.sees().await?.expect_age(ADA.age)?;
    page.hears(MAYA.name, MAYA.voice, LEVEL).await?;
    guest.hears(ADA.voice, LEVEL).await?;
    guest.say("Hallo 🎈").await?;
    page.reads(MAYA.name, "Hallo 🎈").await?;
    page.open_chat().await?;
    page.say("Hallo Gast").await?;
    guest.reads("Hallo Gast").await?;
    // A guest does not say whether its camera is on: the pictures do.
    page.tile(MAYA.name, "of unknown state", |tile: &Tile| tile.camera == "unknown" && tile.picture == "on")
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_guest_who_comes_second_takes_part() -> Result<()> {
    let server = Server::start().await?;
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let page = RoomPage::join(clips_a.chromium().await?, &server.room_url("guest"), ADA.name).await?;
    let guest = Guest::join(clips_m.chromium().await?, &server, "guest", MAYA.name).await?;
    they_talk(&page, &guest).await?;
    // The page survives what a mute does to its connection, and the guest's picture stays.
    page.toggle("video").await?;
    page.toggle("video").await?;
    guest.sees().await?.expect_age(ADA.age)?;
    Ok(())
}

#[tokio::test]
async fn a_guest_who_comes_first_takes_part() -> Result<()> {
    let server = Server::start().await?;
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let guest = Guest::join(clips_m.chromium().await?, &server, "guest", MAYA.name).await?;
    let page = RoomPage::join(clips_a.chromium().await?, &server.room_url("guest"), ADA.name).await?;
    they_talk(&page, &guest).await?;
    page.leave().await?;
    e2e::eventually("the guest's empty page", async || Ok((guest.count().await? == 0).then_some(()))).await?;
    Ok(())
}
