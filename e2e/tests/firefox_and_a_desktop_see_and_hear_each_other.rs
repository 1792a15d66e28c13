//! Debian's Firefox on the browser client's page, with a desktop client.

use anyhow::{Context, Result, ensure};
use e2e::browser::Browser;
use e2e::desktop::Desktop;
use e2e::persona::{DORA, LEVEL};
use e2e::pulse::Pulse;
use e2e::room_page::RoomPage;
use e2e::server::Server;

const VOICE: u32 = 500;

#[tokio::test]
async fn firefox_and_a_desktop_see_and_hear_each_other() -> Result<()> {
    let pulse = Pulse::start().await?;
    let server = Server::start().await?;
    let url = server.room_url("firefox");
    let page = RoomPage::join(Browser::firefox(VOICE, &pulse).await?, &url, "Fox").await?;
    let mut desktop = Desktop::call(&url, DORA.name, &DORA.desktop())?;

    page.sees(DORA.name).await?.expect_age(DORA.age)?;
    page.hears(DORA.name, DORA.voice, LEVEL).await?;

    // Firefox's own picture carries no marks and its tone a level of its own: that pictures come in their size, and the tone in its pitch.
    let mut before = None;
    desktop
        .until("pictures of Firefox", |stats| {
            let video = stats.peer("Fox").and_then(|peer| peer.video.clone()).context("no pictures")?;
            ensure!(video.frame_width.is_some_and(|width| width >= 160), "{video:?}");
            let first = *before.get_or_insert(video.frames_decoded);
            Ok((video.frames_decoded >= first + 10).then_some(()))
        })
        .await?;
    desktop.hears_pitch(VOICE).await
}
