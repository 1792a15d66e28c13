//! Nothing is lost and nothing changes places.

mod support;

use socketio::{EncodedEvent, Inbound};
use support::{Polling, Seen, Ws, quiet, soon, start, start_echo};
use tokio_tungstenite::tungstenite::Message;

const EVENTS: usize = 10_000;

#[tokio::test]
async fn pipelined_events_are_answered_in_order() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Ws::join(address).await;
    let (mut sink, stream) = futures_util::StreamExt::split(client.0);
    let sender = tokio::spawn(async move {
        for n in 0..EVENTS {
            let text = format!("42[\"message\",{n}]");
            futures_util::SinkExt::feed(&mut sink, Message::text(text)).await.unwrap();
        }
        futures_util::SinkExt::flush(&mut sink).await.unwrap();
        sink
    });
    let mut answers = futures_util::StreamExt::enumerate(stream);
    soon(async {
        while let Some((n, answer)) = futures_util::StreamExt::next(&mut answers).await {
            assert_eq!(answer.unwrap().to_text().unwrap(), format!("42[\"message-back\",{n}]"));
            if n + 1 == EVENTS {
                return;
            }
        }
        panic!("the connection ended");
    })
    .await;
    drop(sender.await.unwrap());
}

#[tokio::test]
async fn a_client_that_sends_everything_before_it_reads_loses_nothing() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (mut client, _) = Ws::join(address).await;
    for n in 0..EVENTS {
        client.send(&format!("42{n}[\"ask\",\"{n}\"]")).await;
    }
    for n in 0..EVENTS {
        assert_eq!(client.text().await, format!("43{n}[\"{n}\"]"));
    }
}

#[tokio::test]
async fn events_right_behind_connect_are_not_lost() {
    let (_server, address, _) = start_echo(quiet()).await;
    for _ in 0..200 {
        let mut client = Ws::connect(address, None).await;
        client.send("40").await;
        client.send(r#"42["message","first"]"#).await;
        client.send(r#"421["ask","second"]"#).await;
        assert!(client.text().await.starts_with("0{"));
        assert!(client.text().await.starts_with("40{"));
        assert_eq!(client.text().await, r#"42["message-back","first"]"#);
        assert_eq!(client.text().await, r#"431["second"]"#);
    }
}

#[tokio::test]
async fn events_right_behind_connect_are_not_lost_on_polling() {
    let (_server, address, _) = start_echo(quiet()).await;
    for _ in 0..50 {
        let client = Polling::open(address).await;
        client.post("40\u{1e}42[\"message\",\"first\"]").await;
        let mut received = client.poll().await.body;
        if !received.contains("first") {
            received += &client.poll().await.body;
        }
        assert!(received.starts_with("40{") && received.ends_with("42[\"message-back\",\"first\"]"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_joins_and_none_is_lost() {
    const CLIENTS: usize = 100;
    const JOINS: usize = 100;
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            tokio::spawn(async move {
                let mut client = Ws::open(address).await;
                for _ in 0..JOINS {
                    client.send("40").await;
                    client.send("421[\"ask\"]").await;
                    client.send("41").await;
                    assert!(client.text().await.starts_with("40{"));
                    assert_eq!(client.text().await, "431[]");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let (mut connected, mut events, mut disconnected) = (0, 0, 0);
    while disconnected < CLIENTS * JOINS {
        match soon(seen.recv()).await.unwrap() {
            Seen::Connected(_) => connected += 1,
            Seen::Event(..) => events += 1,
            Seen::Disconnected(..) => disconnected += 1,
        }
    }
    assert_eq!((connected, events), (CLIENTS * JOINS, CLIENTS * JOINS));
}

#[tokio::test]
async fn an_event_encoded_once_reaches_many_in_any_namespace() {
    let (_server, address, mut inbound) = start(quiet()).await;
    let event = EncodedEvent::json("/", "hello", &[1, 2]).unwrap();
    let mut clients = Vec::new();
    for connect in ["40", "40", "40/custom"] {
        let mut client = Ws::open(address).await;
        client.send(connect).await;
        client.text().await;
        match soon(inbound.recv()).await {
            Some(Inbound::Connected { socket, .. }) => socket.emit_encoded(&event),
            other => panic!("{other:?}"),
        }
        clients.push(client);
    }
    let mut received = Vec::new();
    for client in &mut clients {
        received.push(client.text().await);
    }
    assert_eq!(received, [r#"42["hello",[1,2]]"#, r#"42["hello",[1,2]]"#, r#"42/custom,["hello",[1,2]]"#]);
}
