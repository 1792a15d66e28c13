//! What the browser client says when it cannot join, and how the person gets on.

use anyhow::{Result, ensure};
use e2e::browser::{Browser, Devices};
use e2e::eventually;
use e2e::room_page::RoomPage;
use e2e::server::Server;
use serde_json::{Value, json};

async fn make_room(server: &Server, room: Value) -> Result<()> {
    let status = server.rest("POST", "/api/rooms", Some(&room)).await?;
    ensure!(status == 201, "{status}");
    Ok(())
}

async fn is_told(page: &RoomPage, text: &str) -> Result<()> {
    eventually(&format!("the message {text:?}"), async || {
        let told = page.find("#join-problem").await?.text().await?;
        ensure!(told.contains(text), "it says {told:?}");
        Ok(Some(()))
    })
    .await
}

async fn press_join(page: &RoomPage) -> Result<()> {
    Ok(page.find("#join-button").await?.click().await?)
}

#[tokio::test]
async fn a_password_is_asked_for_until_it_is_right() -> Result<()> {
    let server = Server::start().await?;
    make_room(&server, json!({ "id": "vault", "password": "пароль 🔑" })).await?;
    let page =
        RoomPage::open(Browser::chromium(&Devices::default()).await?, &server.room_url("vault")).await?;
    press_join(&page).await?;
    is_told(&page, "has a password").await?;
    let password = page.find("#password").await?;
    password.send_keys("wrong").await?;
    press_join(&page).await?;
    is_told(&page, "not the password").await?;
    let script = "document.querySelector('#password').value = arguments[0]";
    page.browser().client().execute(script, vec![json!("пароль 🔑")]).await?;
    page.enter("Ada").await
}

#[tokio::test]
async fn a_full_room_says_so_and_lets_in_when_somebody_leaves() -> Result<()> {
    let server = Server::start().await?;
    make_room(&server, json!({ "id": "booth", "capacity": 1 })).await?;
    let url = server.room_url("booth");
    let first = RoomPage::open(Browser::chromium(&Devices::default()).await?, &url).await?;
    first.enter("First").await?;
    let second = RoomPage::open(Browser::chromium(&Devices::default()).await?, &url).await?;
    press_join(&second).await?;
    is_told(&second, "full").await?;
    first.leave().await?;
    eventually("the free seat", async || {
        if second.phase().await? == "call" {
            return Ok(Some(()));
        }
        press_join(&second).await.map(|()| None)
    })
    .await
}

#[tokio::test]
async fn a_deleted_room_ends_the_call_with_a_reason() -> Result<()> {
    let server = Server::start().await?;
    make_room(&server, json!({ "id": "doomed" })).await?;
    let page =
        RoomPage::open(Browser::chromium(&Devices::default()).await?, &server.room_url("doomed")).await?;
    page.enter("Ada").await?;
    assert_eq!(server.rest("DELETE", "/api/rooms/doomed", None).await?, 204);
    eventually("the end", async || Ok((page.phase().await? == "ended").then_some(()))).await?;
    assert_eq!(page.find("#ended-title").await?.text().await?, "The room was closed");
    Ok(())
}
