//! The browser client with itself: pictures, sound and text arrive whole, both ways.

use anyhow::Result;
use e2e::persona::{ADA, LEVEL, MAYA};
use e2e::room_page::RoomPage;
use e2e::server::Server;

#[tokio::test]
async fn two_browsers_see_hear_and_write_to_each_other() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("two-browsers");
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let ada = RoomPage::join(clips_a.chromium().await?, &url, ADA.name).await?;
    let maya = RoomPage::join(clips_m.chromium().await?, &url, MAYA.name).await?;

    ada.sees(MAYA.name).await?.expect_age(MAYA.age)?;
    maya.sees(ADA.name).await?.expect_age(ADA.age)?;
    ada.hears(MAYA.name, MAYA.voice, LEVEL).await?;
    maya.hears(ADA.name, ADA.voice, LEVEL).await?;

    let line = "Grüße \u{202e}an\u{202c} מאיה — 日本語 🎉👩‍💻 <b>&amp;</b>\nzweite Zeile";
    ada.open_chat().await?;
    ada.say(line).await?;
    maya.reads(ADA.name, line).await?;
    maya.open_chat().await?;
    maya.say("שלום Ada").await?;
    ada.reads(MAYA.name, "שלום Ada").await?;

    maya.leave().await?;
    ada.alone().await?;
    Ok(())
}
