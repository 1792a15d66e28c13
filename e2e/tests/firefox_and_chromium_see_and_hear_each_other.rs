//! The browser client in two different browsers.

use anyhow::{Result, ensure};
use e2e::browser::Browser;
use e2e::persona::{ADA, LEVEL};
use e2e::pulse::Pulse;
use e2e::room_page::RoomPage;
use e2e::server::Server;
use e2e::{content, eventually};

const VOICE: u32 = 500;

#[tokio::test]
async fn firefox_and_chromium_see_and_hear_each_other() -> Result<()> {
    let pulse = Pulse::start().await?;
    let server = Server::start().await?;
    let url = server.room_url("two-kinds");
    let fox = RoomPage::join(Browser::firefox(VOICE, &pulse).await?, &url, "Fox").await?;
    let clips = ADA.clips()?;
    let ada = RoomPage::join(clips.chromium().await?, &url, ADA.name).await?;

    fox.sees(ADA.name).await?.expect_age(ADA.age)?;
    fox.hears(ADA.name, ADA.voice, LEVEL).await?;

    let tile = ada.tile("Fox", "shows a picture", |tile| tile.picture == "on").await?;
    let video = tile.video();
    let mut first = None;
    eventually("Firefox's changing colours", async || {
        let Some(colour) = content::mean_colour(ada.browser(), &video).await? else { return Ok(None) };
        let first = *first.get_or_insert(colour);
        Ok(colour.iter().zip(first).any(|(now, then)| (now - then).abs() > 8.0).then_some(()))
    })
    .await?;
    eventually("Firefox's tone", async || {
        let Some(tone) = content::tone(ada.browser(), &video).await? else { return Ok(None) };
        ensure!((tone.frequency - f64::from(VOICE)).abs() < 5.0 && tone.purity > 0.8, "{tone:?}");
        Ok(Some(()))
    })
    .await?;

    fox.toggle("audio").await?;
    fox.toggle("video").await?;
    ada.tile("Fox", "all off", |tile| {
        tile.microphone == "off" && tile.camera == "off" && tile.picture == "off"
    })
    .await?;
    fox.toggle("video").await?;
    ada.tile("Fox", "a picture again", |tile| tile.camera == "on" && tile.picture == "on").await?;
    Ok(())
}
