//! A page that knows nothing but the base contract, with the desktop client, whichever id is smaller.

use anyhow::Result;
use e2e::desktop::Desktop;
use e2e::guest::{Guest, Smaller};
use e2e::persona::{DORA, LEVEL, MAYA};
use e2e::server::Server;

async fn they_talk(smaller: Smaller) -> Result<()> {
    let server = Server::start().await?;
    let mut desktop = Desktop::call(&server.room_url("guest"), DORA.name, &DORA.desktop())?;
    desktop.joined().await?;
    let clips = MAYA.clips()?;
    let guest = Guest::join(clips.chromium().await?, &server, "guest", MAYA.name).await?;
    guest.rejoin_until(smaller).await?;
    guest.sees().await?.expect_age(DORA.age)?;
    guest.hears(DORA.voice, LEVEL).await?;
    desktop.sees(&MAYA).await?;
    desktop.hears(&MAYA).await?;
    guest.say("Hallo 🎈").await?;
    desktop.reads(MAYA.name, "Hallo 🎈").await?;
    desktop.say("Hallo Gast")?;
    guest.reads("Hallo Gast").await?;
    assert!(desktop.leave().await?.success());
    e2e::eventually("the guest's empty page", async || Ok((guest.count().await? == 0).then_some(()))).await
}

#[tokio::test]
async fn a_guest_with_the_smaller_id() -> Result<()> {
    they_talk(Smaller::Guest).await
}

#[tokio::test]
async fn a_guest_with_the_larger_id() -> Result<()> {
    they_talk(Smaller::Other).await
}
