//! Two desktop clients and two browsers: everybody gets everybody's pictures and sound.

use anyhow::Result;
use e2e::desktop::Desktop;
use e2e::persona::{ADA, DORA, ERIK, LEVEL, MAYA};
use e2e::room_page::RoomPage;
use e2e::server::Server;

#[tokio::test]
async fn four_mixed_participants_see_and_hear_each_other() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("four");
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let mut dora = Desktop::call(&url, DORA.name, &DORA.desktop())?;
    dora.joined().await?;
    let ada = RoomPage::join(clips_a.chromium().await?, &url, ADA.name).await?;
    let mut erik = Desktop::call(&url, ERIK.name, &ERIK.desktop())?;
    erik.joined().await?;
    let maya = RoomPage::join(clips_m.chromium().await?, &url, MAYA.name).await?;

    for (page, other) in [(&ada, &MAYA), (&maya, &ADA)] {
        for persona in [&DORA, &ERIK, other] {
            page.sees(persona.name).await?.expect_age(persona.age)?;
            page.hears(persona.name, persona.voice, LEVEL).await?;
        }
    }
    for (desktop, other) in [(&mut dora, &ERIK), (&mut erik, &DORA)] {
        for persona in [&ADA, &MAYA, other] {
            desktop.sees(persona).await?;
            desktop.hears(persona).await?;
        }
    }
    Ok(())
}
