//! Headless desktop clients with each other: pictures and sound arrive whole, both ways, and leaving is seen.

use anyhow::Result;
use e2e::desktop::Desktop;
use e2e::persona::{DORA, ERIK};
use e2e::server::Server;

#[tokio::test]
async fn two_desktops_see_and_hear_each_other() -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("two-desktops");
    let mut dora = Desktop::call(&url, DORA.name, &DORA.desktop())?;
    let mut erik = Desktop::call(&url, ERIK.name, &ERIK.desktop())?;

    for (one, other) in [(&mut dora, &ERIK), (&mut erik, &DORA)] {
        let video = one.sees(other).await?;
        assert_eq!((video.frame_width, video.frame_height), (Some(320), Some(180)));
        one.hears(other).await?;
    }

    dora.say("Hallo Erik — 日本語 🎉")?;
    erik.reads(DORA.name, "Hallo Erik — 日本語 🎉").await?;
    erik.say("שלום Dora")?;
    dora.reads(ERIK.name, "שלום Dora").await?;

    assert!(erik.leave().await?.success());
    dora.is_with(&[]).await?;
    assert!(dora.leave().await?.success());
    assert!(dora.stats()?.is_some_and(|stats| stats.is_final));
    Ok(())
}
