//! A WebSocket takes over a polling session.

mod support;

use support::{Polling, Ws, next_reason, quiet, start_echo};

async fn upgraded(client: &Polling) -> Ws {
    let mut ws = Ws::connect(client.address, Some(&client.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    ws.send("5").await;
    ws
}

#[tokio::test]
async fn the_session_moves_and_keeps_its_socket() {
    let (server, address, mut seen) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let mut ws = upgraded(&client).await;
    ws.send(r#"42["message",1]"#).await;
    assert_eq!(ws.text().await, r#"42["message-back",1]"#);
    assert_eq!((server.stats().sessions, server.stats().websockets), (1, 1));
    ws.send("1").await;
    assert_eq!(next_reason(&mut seen).await, socketio::DisconnectReason::ClientClose);
}

#[tokio::test]
async fn a_pending_poll_ends_with_a_noop_while_probing() {
    let (_server, address, _) = start_echo(quiet()).await;
    let client = Polling::open(address).await;
    let pending = client.start_poll().await;
    let mut ws = Ws::connect(address, Some(&client.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    assert_eq!(pending.answer().await.body, "6");
    // Polls that come later end with a noop too, until the client says that it has moved.
    assert_eq!(client.poll().await.body, "6");
    ws.send("5").await;
    ws.send("40").await;
    assert!(ws.text().await.starts_with("40"));
}

#[tokio::test]
async fn what_was_queued_for_polling_arrives_on_the_websocket() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let mut ws = Ws::connect(address, Some(&client.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    client.post("42[\"message\",1]\u{1e}42[\"message\",2]").await;
    ws.send("5").await;
    assert_eq!(ws.text().await, r#"42["message-back",1]"#);
    assert_eq!(ws.text().await, r#"42["message-back",2]"#);
}

#[tokio::test]
async fn order_is_kept_across_the_upgrade() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let body: Vec<_> = (0..100).map(|n| format!("42[\"message\",{n}]")).collect();
    client.post(&body.join("\u{1e}")).await;
    let mut ws = upgraded(&client).await;
    for n in 100..200 {
        ws.send(&format!("42[\"message\",{n}]")).await;
    }
    for n in 0..200 {
        assert_eq!(ws.text().await, format!("42[\"message-back\",{n}]"));
    }
}

#[tokio::test]
async fn polling_is_over_after_the_upgrade() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let mut ws = upgraded(&client).await;
    // The answer shows that the move is complete.
    ws.send(r#"42["message"]"#).await;
    ws.text().await;
    assert_eq!(client.poll().await.status, 400);
    assert_eq!(client.post("42[\"message\"]").await.status, 400);
    ws.send(r#"42["message",2]"#).await;
    assert_eq!(ws.text().await, r#"42["message-back",2]"#);
}

#[tokio::test]
async fn a_second_websocket_is_closed_and_the_first_stays() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let mut first = Ws::connect(address, Some(&client.sid)).await;
    first.send("2probe").await;
    first.text().await;
    Ws::connect(address, Some(&client.sid)).await.closed().await;
    first.send("5").await;
    Ws::connect(address, Some(&client.sid)).await.closed().await;
    first.send(r#"42["message"]"#).await;
    assert_eq!(first.text().await, r#"42["message-back"]"#);
}

#[tokio::test]
async fn a_probe_that_fails_leaves_polling_as_it_was() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    for nonsense in ["4hello", "1", "2", "x", ""] {
        let mut ws = Ws::connect(address, Some(&client.sid)).await;
        ws.send(nonsense).await;
        ws.closed().await;
    }
    drop(Ws::connect(address, Some(&client.sid)).await);
    client.post("42[\"message\",1]").await;
    assert_eq!(client.poll().await.body, "42[\"message-back\",1]");
    // And another may try. The one before may still be being given up.
    support::soon(async {
        loop {
            let mut ws = Ws::connect(address, Some(&client.sid)).await;
            ws.send("2probe").await;
            if let Some(Ok(message)) = futures_util::StreamExt::next(&mut ws.0).await
                && message.is_text()
            {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_that_is_not_completed_is_given_up() {
    let config = socketio::Config { upgrade_timeout: std::time::Duration::from_millis(100), ..quiet() };
    let (_server, address, _) = start_echo(config).await;
    let (client, _) = Polling::join(address).await;
    let mut ws = Ws::connect(address, Some(&client.sid)).await;
    ws.send("2probe").await;
    ws.text().await;
    ws.closed().await;
    let poll = client.start_poll().await;
    client.post("42[\"message\",1]").await;
    let body = poll.answer().await.body;
    let body = if body == "6" { client.poll().await.body } else { body };
    assert_eq!(body, "42[\"message-back\",1]");
}

#[tokio::test]
async fn a_websocket_for_polling_is_closed() {
    let (_server, address, _) = start_echo(quiet()).await;
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=polling");
    let (stream, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    Ws(stream).closed().await;
}
