//! A server that shuts down and comes back on the same port, with desktop and browser in the room: both rejoin unasked, and stay as they were.

use anyhow::Result;
use e2e::desktop::{Desktop, Options};
use e2e::persona::{ADA, DORA, LEVEL};
use e2e::room_page::RoomPage;
use e2e::server::Server;

#[tokio::test]
async fn everybody_comes_back_after_a_server_restart() -> Result<()> {
    let mut server = Server::start().await?;
    let url = server.room_url("restart-mixed");
    let clips = ADA.clips()?;
    let ada = RoomPage::join(clips.chromium().await?, &url, ADA.name).await?;
    let mut dora = Desktop::call(&url, DORA.name, &Options { camera: "none".to_owned(), ..DORA.desktop() })?;
    ada.toggle("audio").await?;
    let as_she_was = |tile: &e2e::room_page::Tile| tile.microphone == "on" && tile.camera == "off";
    let before = ada.tile(DORA.name, "without a camera", as_she_was).await?;
    dora.sees(&ADA).await?;

    server.shut_down().await?;
    server.start_again().await?;

    let again = |tile: &e2e::room_page::Tile| as_she_was(tile) && tile.peer_id != before.peer_id;
    ada.tile(DORA.name, "back as she was", again).await?;
    ada.hears(DORA.name, DORA.voice, LEVEL).await?;
    assert!(!ada.is_on("audio").await? && ada.is_on("video").await?);
    dora.is_with(&[ADA.name]).await?;
    dora.sees(&ADA).await?;
    Ok(())
}
