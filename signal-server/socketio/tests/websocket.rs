//! Sessions on WebSocket: heartbeats, limits, and how they end.

mod support;

use socketio::{Config, DisconnectReason};
use support::{Ws, brisk, next_reason, quiet, start_echo};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[tokio::test]
async fn text_and_binary_are_echoed() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    client.send(r#"42["message",1,"2",{"3":[true]}]"#).await;
    assert_eq!(client.text().await, r#"42["message-back",1,"2",{"3":[true]}]"#);
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    client.send(&format!(r#"452-["message",{placeholders}]"#)).await;
    client.send_binary(&[1, 2, 3]).await;
    client.send_binary(&[4, 5, 6]).await;
    assert_eq!(client.text().await, format!(r#"452-["message-back",{placeholders}]"#));
    assert_eq!(client.binary().await, &[1, 2, 3][..]);
    assert_eq!(client.binary().await, &[4, 5, 6][..]);
}

#[tokio::test]
async fn acknowledgements_carry_text_and_binary() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    client.send(r#"42456["ask",1,"2"]"#).await;
    assert_eq!(client.text().await, r#"43456[1,"2"]"#);
    client.send(r#"451-789["ask",{"_placeholder":true,"num":0}]"#).await;
    client.send_binary(&[7]).await;
    assert_eq!(client.text().await, r#"461-789[{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.binary().await, &[7][..]);
}

#[tokio::test]
async fn the_first_heartbeat_comes_after_an_interval_and_answers_keep_the_session() {
    let (_server, address, mut seen) = start_echo(brisk()).await;
    let start = std::time::Instant::now();
    let (mut client, _) = Ws::join(address).await;
    assert_eq!(client.text().await, "2");
    assert!(start.elapsed() >= brisk().ping_interval);
    for _ in 0..3 {
        client.send("3").await;
        assert_eq!(client.text().await, "2");
    }
    client.closed().await;
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::PingTimeout);
}

#[tokio::test]
async fn broken_rules_close_the_connection() {
    let (server, address, mut seen) = start_echo(quiet()).await;
    let cases = [
        "",
        "abc",
        "7",
        "4",
        "4abc",
        "42{}",
        "42abc[\"a\"]",
        "42[]",
        "44{}",
        "2",
        "40",
        "450-[\"a\"]",
        "461[]",
    ];
    for text in cases {
        let (mut client, _) = Ws::join(address).await;
        client.send(text).await;
        assert_eq!(client.closed().await, Some(1002), "{text:?}");
        assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation, "{text:?}");
    }
    assert_eq!(server.stats().violations, cases.len() as u64);
}

#[tokio::test]
async fn binary_that_nobody_announced_closes_the_connection() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    client.send_binary(b"42[\"message\"]").await;
    assert_eq!(client.closed().await, Some(1002));
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
}

#[tokio::test]
async fn text_where_an_attachment_is_due_closes_the_connection() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    client.send(r#"451-["message",{"_placeholder":true,"num":0}]"#).await;
    client.send(r#"42["message"]"#).await;
    assert_eq!(client.closed().await, Some(1002));
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
}

#[tokio::test]
async fn heartbeats_may_come_between_attachments() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    client.send(r#"451-["message",{"_placeholder":true,"num":0}]"#).await;
    client.send("3").await;
    client.send_binary(&[1]).await;
    assert!(client.text().await.starts_with("451-"));
}

#[tokio::test]
async fn a_message_up_to_the_limit_is_taken_and_more_closes_the_connection() {
    let (_server, address, mut seen) = start_echo(Config { max_payload: 1000, ..quiet() }).await;
    let (mut client, _) = Ws::join(address).await;
    let message = |size: usize| format!("42[\"message\",\"{}\"]", "x".repeat(size - 16));
    client.send(&message(1000)).await;
    assert_eq!(client.text().await.len(), 1005);
    client.send(&message(1001)).await;
    assert_eq!(client.closed().await, Some(1009));
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::PayloadTooLarge);
}

#[tokio::test]
async fn attachments_count_together() {
    let (_server, address, mut seen) = start_echo(Config { max_payload: 1000, ..quiet() }).await;
    let (mut client, _) = Ws::join(address).await;
    client.send(r#"453-["message"]"#).await;
    client.send_binary(&[0; 600]).await;
    client.send_binary(&[0; 600]).await;
    assert_eq!(client.closed().await, Some(1002));
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
}

#[tokio::test]
async fn an_orderly_end_is_reported_as_such() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let close = |code| Message::Close(Some(CloseFrame { code, reason: "".into() }));
    let goodbyes = [
        (Message::text("1"), DisconnectReason::ClientClose),
        (Message::text("41"), DisconnectReason::ClientDisconnect),
        (Message::Close(None), DisconnectReason::ClientClose),
        (close(CloseCode::Normal), DisconnectReason::ClientClose),
        (close(CloseCode::Away), DisconnectReason::ClientClose),
        (close(CloseCode::Error), DisconnectReason::TransportLost),
    ];
    for (goodbye, reason) in goodbyes {
        let (mut client, _) = Ws::join(address).await;
        futures_util::SinkExt::send(&mut client.0, goodbye.clone()).await.unwrap();
        assert_eq!(next_reason(&mut seen).await, reason, "{goodbye}");
        assert_eq!(reason.is_clean(), reason != DisconnectReason::TransportLost);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_reported_as_such() {
    let (server, address, mut seen) = start_echo(quiet()).await;
    let (client, _) = Ws::join(address).await;
    drop(client);
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::TransportLost);
    let (client, _) = Ws::join(address).await;
    let stream = client.0.into_inner();
    if let tokio_tungstenite::MaybeTlsStream::Plain(stream) = &stream {
        // Answers with a reset instead of an orderly end.
        stream.set_zero_linger().unwrap();
    }
    drop(stream);
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::TransportLost);
    support::soon(async {
        while server.stats().sessions > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_server_answers_a_closing_handshake() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    client.0.close(Some(frame)).await.unwrap();
    assert_eq!(client.closed().await, Some(1000));
}
