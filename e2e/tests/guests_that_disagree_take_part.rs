//! Guests' pages that understood the contract a little differently: they still see, hear and write.

use anyhow::{Context, Result};
use e2e::guest::{Guest, Smaller};
use e2e::persona::{ADA, MAYA};
use e2e::room_page::RoomPage;
use e2e::server::Server;

async fn takes_part(quirks: &[(&str, &str)]) -> Result<()> {
    let server = Server::start().await?;
    let (clips_a, clips_m) = (ADA.clips()?, MAYA.clips()?);
    let ada = RoomPage::join(clips_a.chromium().await?, &server.room_url("quirks"), ADA.name).await?;
    ada.open_chat().await?;
    let guest = Guest::join_with(clips_m.chromium().await?, &server, "quirks", MAYA.name, quirks).await?;
    for smaller in [Smaller::Guest, Smaller::Other] {
        guest.rejoin_until(smaller).await?;
        let talk = async {
            ada.sees(MAYA.name).await?.expect_age(MAYA.age)?;
            guest.sees().await?.expect_age(ADA.age)?;
            let (theirs, ours) = (format!("{quirks:?} {smaller:?}"), format!("Hallo {smaller:?}"));
            guest.say(&theirs).await?;
            ada.reads(MAYA.name, &theirs).await?;
            ada.say(&ours).await?;
            guest.reads(&ours).await
        };
        talk.await.with_context(|| format!("{quirks:?}, smaller id: {smaller:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_guest_whatever_its_id_takes_part() -> Result<()> {
    takes_part(&[]).await
}

#[tokio::test]
async fn a_guest_that_always_offers_takes_part() -> Result<()> {
    takes_part(&[("offers", "always")]).await
}

#[tokio::test]
async fn a_guest_that_never_offers_takes_part() -> Result<()> {
    takes_part(&[("offers", "never")]).await
}

#[tokio::test]
async fn a_guest_that_opens_no_chat_takes_part() -> Result<()> {
    takes_part(&[("nochat", "")]).await
}

#[tokio::test]
async fn a_guest_that_sends_plain_descriptions_and_candidates_takes_part() -> Result<()> {
    takes_part(&[("form", "flat")]).await
}

#[tokio::test]
async fn a_guest_that_wraps_descriptions_in_sdp_takes_part() -> Result<()> {
    takes_part(&[("form", "sdp")]).await
}
