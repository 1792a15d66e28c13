//! Clients that mean harm, or read nothing, harm nobody but themselves.

mod support;

use std::time::Duration;

use socketio::{Config, DisconnectReason, Inbound};
use support::{Polling, Seen, Ws, next_reason, quiet, request, soon, start, start_echo};

#[tokio::test]
async fn a_socket_id_gives_no_access_to_the_session() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (victim, socket) = Polling::join(address).await;
    let stolen = format!("/socket.io/?EIO=4&transport=polling&sid={socket}");
    let answer = request(address, "POST", &stolen, "", "42[\"message\",\"forged\"]").await;
    assert_eq!((answer.status, answer.body.as_str()), (400, r#"{"code":1,"message":"Session ID unknown"}"#));
    assert_eq!(request(address, "GET", &stolen, "", "").await.status, 400);
    let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket&sid={socket}");
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
    victim.post("42[\"message\",\"own\"]").await;
    assert_eq!(victim.poll().await.body, "42[\"message-back\",\"own\"]");
    assert!(matches!(soon(seen.recv()).await, Some(Seen::Connected(_))));
    assert!(matches!(soon(seen.recv()).await, Some(Seen::Event(..))));
    assert!(seen.try_recv().is_err());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let (server, address, mut inbound) = start(Config { send_queue_bytes: 100_000, ..quiet() }).await;
    let (_client, _) = Ws::join(address).await;
    let Some(Inbound::Connected { socket, .. }) = soon(inbound.recv()).await else { panic!("not connected") };
    let payload = serde_json::value::to_raw_value(&"x".repeat(10_000)).unwrap();
    soon(async {
        while socket.is_connected() {
            socket.emit("flood", &[&payload]);
            tokio::task::yield_now().await;
        }
    })
    .await;
    match soon(inbound.recv()).await {
        Some(Inbound::Disconnected { reason, .. }) => assert_eq!(reason, DisconnectReason::SlowReader),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.stats().slow_readers, 1);
}

#[tokio::test]
async fn a_client_that_does_not_poll_is_disconnected() {
    let (_server, address, mut inbound) = start(Config { send_queue_bytes: 100_000, ..quiet() }).await;
    let (_client, _) = Polling::join(address).await;
    let Some(Inbound::Connected { socket, .. }) = soon(inbound.recv()).await else { panic!("not connected") };
    let payload = serde_json::value::to_raw_value(&"x".repeat(60_000)).unwrap();
    socket.emit("flood", &[&payload]);
    socket.emit("flood", &[&payload]);
    match soon(inbound.recv()).await {
        Some(Inbound::Disconnected { reason, .. }) => assert_eq!(reason, DisconnectReason::SlowReader),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_small_messages_count_too() {
    let (_server, address, mut inbound) = start(Config { send_queue_bytes: 100_000, ..quiet() }).await;
    let (_client, _) = Polling::join(address).await;
    let Some(Inbound::Connected { socket, .. }) = soon(inbound.recv()).await else { panic!("not connected") };
    for _ in 0..2_000 {
        socket.emit("a", &[]);
    }
    assert!(matches!(soon(inbound.recv()).await, Some(Inbound::Disconnected { .. })));
}

#[tokio::test]
async fn a_flood_waits_and_others_are_served() {
    let (_server, address, mut inbound) = start(Config { inbound_queue: 4, ..quiet() }).await;
    let (mut flooder, _) = Ws::join(address).await;
    let (mut other, other_id) = Ws::join(address).await;
    let flood = tokio::spawn(async move {
        for _ in 0..20_000 {
            flooder.send("42[\"flood\"]").await;
        }
        flooder
    });
    // The queue is full of the flood by now, or soon will be.
    while inbound.len() < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    other.send("42[\"hello\"]").await;
    let mut waited = 0;
    soon(async {
        while let Some(item) = inbound.recv().await {
            if let Inbound::Event { socket, .. } = item {
                waited += 1;
                if socket.as_str() == other_id {
                    return;
                }
            }
            // Lets the connections fill the queue again before the next is taken.
            tokio::task::yield_now().await;
        }
    })
    .await;
    // The flood has thousands left; the other client did not wait for them.
    assert!(waited < 5_000, "{waited} events came first");
    drop(inbound);
    flood.abort();
}

#[tokio::test]
async fn nonsense_on_one_connection_does_not_disturb_another() {
    let (server, address, mut seen) = start_echo(quiet()).await;
    let (mut good, _) = Ws::join(address).await;
    let deep = format!("42[\"a\",{}", "[".repeat(500_000));
    for nonsense in ["\u{0}", "42[\"a\",\"\\ud800", "4\u{1e}4", &deep, "42[\"\u{202e}\",1e999999]x"] {
        let (mut bad, _) = Ws::join(address).await;
        bad.send(nonsense).await;
        bad.closed().await;
        assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
        good.send("421[\"ask\"]").await;
        assert_eq!(good.text().await, "431[]");
    }
    soon(async {
        while server.stats().sessions > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn connections_close_when_the_application_is_gone() {
    let (server, address, inbound) = start(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    drop(inbound);
    client.send("42[\"a\"]").await;
    client.closed().await;
    soon(async {
        while server.stats().sessions > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
