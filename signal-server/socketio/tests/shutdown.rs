//! The server shuts down: clients are told, and what was queued for them still arrives.

mod support;

use socketio::{Config, DisconnectReason, Inbound};
use support::{Polling, Seen, Ws, quiet, request, soon, start, start_echo};

#[tokio::test]
async fn websockets_are_closed_with_going_away_after_the_last_message() {
    let (server, address, mut inbound) = start(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    let Some(Inbound::Connected { socket, .. }) = soon(inbound.recv()).await else { panic!("not connected") };
    socket.emit_json("last", "words").unwrap();
    let down = server.clone();
    let down = tokio::spawn(async move { down.shutdown().await });
    assert_eq!(client.text().await, r#"42["last","words"]"#);
    assert_eq!(client.closed().await, Some(1001));
    match soon(inbound.recv()).await {
        Some(Inbound::Disconnected { reason, .. }) => assert_eq!(reason, DisconnectReason::ServerShutdown),
        other => panic!("{other:?}"),
    }
    soon(down).await.unwrap();
    assert_eq!(server.stats().sessions, 0);
}

#[tokio::test]
async fn clients_that_must_stay_away_are_told_disconnect() {
    let (server, address, _) = start_echo(Config { disconnect_on_shutdown: true, ..quiet() }).await;
    let (mut client, _) = Ws::join(address).await;
    let down = tokio::spawn(async move { server.shutdown().await });
    assert_eq!(client.text().await, "41");
    assert_eq!(client.closed().await, Some(1001));
    soon(down).await.unwrap();
}

#[tokio::test]
async fn pending_and_later_polls_are_told() {
    let (server, address, _) = start_echo(quiet()).await;
    let (pending, _) = Polling::join(address).await;
    let (later, _) = Polling::join(address).await;
    let poll = pending.start_poll().await;
    // Makes sure that the poll is pending before the end.
    pending.post("42[\"message\"]").await;
    assert_eq!(poll.answer().await.body, "42[\"message-back\"]");
    let down = tokio::spawn(async move { server.shutdown().await });
    let (first, second) = (pending.poll().await, later.poll().await);
    assert_eq!((first.body.as_str(), second.body.as_str()), ("1", "1"));
    soon(down).await.unwrap();
    assert_eq!(pending.poll().await.status, 400);
}

#[tokio::test]
async fn newcomers_are_refused() {
    let (server, address, _) = start_echo(quiet()).await;
    server.shutdown().await;
    let answer = request(address, "GET", "/socket.io/?EIO=4&transport=polling", "", "").await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn a_client_that_does_not_answer_does_not_hold_it_up_for_long() {
    let config = Config { close_timeout: std::time::Duration::from_millis(50), ..quiet() };
    let (server, address, mut seen) = start_echo(config).await;
    let (_silent, _) = Ws::join(address).await;
    let (_absent, _) = Polling::join(address).await;
    soon(server.shutdown()).await;
    assert_eq!(server.stats().sessions, 0);
    let mut gone = 0;
    while gone < 2 {
        if let Seen::Disconnected(_, reason) = soon(seen.recv()).await.unwrap() {
            assert_eq!(reason, DisconnectReason::ServerShutdown);
            gone += 1;
        }
    }
}
