//! Joining and leaving namespaces.

mod support;

use socketio::{Config, DisconnectReason, Inbound, SocketId};
use support::{Seen, Ws, brisk, next_reason, quiet, soon, start, start_echo};

#[tokio::test]
async fn a_client_joins_with_and_without_authentication() {
    let (_server, address, mut inbound) = start(quiet()).await;
    for (connect, namespace, expected) in [
        ("40", "/", None),
        (r#"40{"token":"123"}"#, "/", Some(r#"{"token":"123"}"#)),
        ("40/custom", "/custom", None),
        (r#"40/custom,{"token":"abc"}"#, "/custom", Some(r#"{"token":"abc"}"#)),
    ] {
        let mut client = Ws::open(address).await;
        client.send(connect).await;
        let answer = client.text().await;
        match soon(inbound.recv()).await {
            Some(Inbound::Connected { socket, auth }) => {
                let head = if namespace == "/" { "40" } else { "40/custom," };
                assert_eq!(answer, format!(r#"{head}{{"sid":"{}"}}"#, socket.id()));
                assert_eq!(socket.namespace(), namespace);
                assert_eq!(auth.as_ref().map(|auth| auth.get()), expected);
                assert!(socket.remote_address().unwrap().ip().is_loopback());
            }
            other => panic!("{other:?}"),
        }
        // The connection is dropped here; its end comes before the next round's start.
        drop(client);
        assert!(matches!(soon(inbound.recv()).await, Some(Inbound::Disconnected { .. })));
    }
}

#[tokio::test]
async fn unknown_namespaces_are_refused_and_the_connection_stays() {
    let (_server, address, _) = start_echo(quiet()).await;
    let mut client = Ws::open(address).await;
    client.send("40/random").await;
    assert_eq!(client.text().await, r#"44/random,{"message":"Invalid namespace"}"#);
    client.send("40").await;
    assert!(client.text().await.starts_with(r#"40{"sid":""#));
}

#[tokio::test]
async fn namespaces_on_one_connection_are_independent() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (mut client, root) = Ws::join(address).await;
    client.send("40/custom").await;
    assert!(client.text().await.starts_with("40/custom,"));
    client.send("41/custom").await;
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ClientDisconnect);
    client.send(r#"42["message","still here"]"#).await;
    assert_eq!(client.text().await, r#"42["message-back","still here"]"#);
    client.send(r#"42/custom,["message"]"#).await;
    client.closed().await;
    let root = SocketId::parse(&root).unwrap();
    loop {
        if let Seen::Disconnected(socket, reason) = soon(seen.recv()).await.unwrap() {
            assert_eq!((socket, reason), (root, DisconnectReason::ProtocolViolation));
            break;
        }
    }
}

#[tokio::test]
async fn a_client_may_join_again_after_leaving_and_gets_a_new_id() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (mut client, first) = Ws::join(address).await;
    client.send("41").await;
    client.send("40").await;
    let again = client.text().await;
    assert!(again.starts_with(r#"40{"sid":""#) && !again.contains(&first));
}

#[tokio::test]
async fn events_before_joining_close_the_connection() {
    let (_server, address, mut inbound) = start(quiet()).await;
    for early in [r#"42["message"]"#, "43[1]", "41", r#"42/custom,["message"]"#, r#"451-["message"]"#] {
        let mut client = Ws::open(address).await;
        client.send(early).await;
        if early.starts_with("45") {
            client.send_binary(&[0]).await;
        }
        assert_eq!(client.closed().await, Some(1002), "{early}");
    }
    // Nothing of that reached the consumer.
    assert!(inbound.try_recv().is_err());
}

#[tokio::test]
async fn a_connection_that_joins_nothing_is_closed() {
    let config = Config { connect_timeout: std::time::Duration::from_millis(100), ..quiet() };
    let (_server, address, mut inbound) = start(config).await;
    let mut client = Ws::open(address).await;
    client.send("40/random").await;
    client.text().await;
    client.closed().await;
    assert!(inbound.try_recv().is_err());
}

#[tokio::test]
async fn leaving_everything_does_not_start_the_connect_timeout_again() {
    let (_server, address, _) = start_echo(brisk()).await;
    let (mut client, _) = Ws::join(address).await;
    client.send("41").await;
    for _ in 0..4 {
        assert_eq!(client.text().await, "2");
        client.send("3").await;
    }
}

#[tokio::test]
async fn the_application_disconnects_a_socket_or_a_connection() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    client.send("40/custom").await;
    client.text().await;
    client.send(r#"42["leave"]"#).await;
    assert_eq!(client.text().await, "41");
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ServerDisconnect);
    client.send(r#"42/custom,["close"]"#).await;
    assert_eq!(client.text().await, "41/custom,");
    assert_eq!(client.closed().await, Some(1000));
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ServerDisconnect);
}
