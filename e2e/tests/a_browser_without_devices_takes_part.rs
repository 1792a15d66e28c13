//! No permission, no device, no secure context: the page says why and what to do, and the person joins all the same, to see, hear and write.

use anyhow::{Result, ensure};
use e2e::browser::{Access, Browser, Devices, FOREIGN_HOST};
use e2e::eventually;
use e2e::persona::{ADA, LEVEL};
use e2e::room_page::RoomPage;
use e2e::server::Server;

async fn takes_part(access: Access, host: &str, explanation: &str) -> Result<()> {
    let server = Server::start().await?;
    let url = server.room_url("without");
    let clips = ADA.clips()?;
    let ada = RoomPage::join(clips.chromium().await?, &url, ADA.name).await?;
    let browser = Browser::chromium(&Devices { access, ..Devices::default() }).await?;
    let poor = RoomPage::open_without_devices(browser, &url.replace("127.0.0.1", host)).await?;
    eventually("the explanation", async || {
        let told = poor.find("#device-problems").await?.text().await?;
        ensure!(told.contains(explanation) && told.contains("You can join without"), "it says {told:?}");
        Ok(Some(()))
    })
    .await?;
    poor.enter("Poor").await?;

    poor.sees(ADA.name).await?.expect_age(ADA.age)?;
    poor.hears(ADA.name, ADA.voice, LEVEL).await?;
    let off = |tile: &e2e::room_page::Tile| {
        tile.microphone == "off" && tile.camera == "off" && tile.picture == "off"
    };
    ada.tile("Poor", "all off", off).await?;
    poor.open_chat().await?;
    poor.say("I hear you").await?;
    ada.reads("Poor", "I hear you").await
}

#[tokio::test]
async fn without_permission() -> Result<()> {
    takes_part(Access::Denied, "127.0.0.1", "may not use the camera").await
}

#[tokio::test]
async fn without_devices() -> Result<()> {
    takes_part(Access::NoDevices, "127.0.0.1", "No camera was found").await
}

#[tokio::test]
async fn without_a_secure_context() -> Result<()> {
    takes_part(Access::Given, FOREIGN_HOST, "over https").await
}
