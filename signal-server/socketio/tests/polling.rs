//! Sessions on HTTP long-polling.

mod support;

use socketio::{Config, DisconnectReason};
use support::{Pending, Polling, brisk, next_reason, quiet, request, soon, start_echo};

#[tokio::test]
async fn several_packets_travel_in_one_payload() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let answer = client.post("42[\"message\",1]\u{1e}42[\"message\",\"€\"]\u{1e}427[\"message\",2]").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    assert_eq!(answer.header("content-type"), Some("text/html"));
    let mut received = String::new();
    while received.matches("4").count() < 3 {
        received += &client.poll().await.body;
        received.push('|');
    }
    assert_eq!(received.replace('\u{1e}', "|"), "42[\"message-back\",1]|42[\"message-back\",\"€\"]|437[2]|");
}

#[tokio::test]
async fn a_pending_poll_is_answered_when_there_is_something() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let poll = client.start_poll().await;
    client.post("42[\"message\",1]").await;
    assert_eq!(poll.answer().await.body, "42[\"message-back\",1]");
}

#[tokio::test]
async fn binary_travels_as_base64() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let body = "451-[\"message\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==";
    assert_eq!(client.post(body).await.body, "ok");
    assert_eq!(
        client.poll().await.body,
        "451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA=="
    );
}

#[tokio::test]
async fn malformed_payloads_end_the_session() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    for body in ["abc", "", "42[\"message\",1]\u{1e}", "b!", "4", "42{}", "bAQID", "2"] {
        let (client, _) = Polling::join(address).await;
        assert_eq!(client.post(body).await.status, 400, "{body:?}");
        assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
        assert_eq!(client.poll().await.status, 400);
    }
}

#[tokio::test]
async fn packets_before_a_malformed_one_count() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    client.post("42[\"first\"]\u{1e}x\u{1e}42[\"second\"]").await;
    assert!(matches!(soon(seen.recv()).await, Some(support::Seen::Connected(_))));
    assert!(matches!(soon(seen.recv()).await, Some(support::Seen::Event(_, name)) if name == "first"));
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
}

#[tokio::test]
async fn duplicate_polls_end_the_session() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let first = client.start_poll().await;
    let second = client.start_poll().await;
    let (first, second) = (first.answer().await, second.answer().await);
    let mut answers = [(first.status, first.body), (second.status, second.body)];
    // Which of the two is seen first is up to the network.
    answers.sort();
    assert_eq!(answers, [(200, "1".to_owned()), (400, String::new())]);
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
    assert_eq!(client.poll().await.status, 400);
}

#[tokio::test]
async fn a_post_during_a_post_ends_the_session() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let headers = "Content-Length: 100\r\nExpect: 100-continue\r\n";
    // Its body never comes.
    let _first = Pending::send_head(address, "POST", &client.target(), headers).await;
    assert_eq!(client.post("3").await.status, 400);
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_taken_and_more_ends_the_session() {
    let (_server, address, mut seen) = start_echo(Config { max_payload: 1000, ..quiet() }).await;
    let (client, _) = Polling::join(address).await;
    let body = |size: usize| format!("42[\"message\",\"{}\"]", "x".repeat(size - 16));
    assert_eq!(body(1000).len(), 1000);
    assert_eq!(client.post(&body(1000)).await.status, 200);
    assert_eq!(client.post(&body(1001)).await.status, 413);
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::PayloadTooLarge);
    client.until_gone().await;
}

#[tokio::test]
async fn a_binary_body_ends_the_session() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let headers = "Content-Type: application/octet-stream\r\n";
    assert_eq!(request(address, "POST", &client.target(), headers, "4").await.status, 400);
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ProtocolViolation);
}

#[tokio::test]
async fn a_client_that_closes_is_reported_as_such() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    let poll = client.start_poll().await;
    // The poll must be there first; what it answers tells.
    client.post("42[\"message\"]").await;
    assert_eq!(poll.answer().await.body, "42[\"message-back\"]");
    let poll = client.start_poll().await;
    let post = client.post("1").await;
    assert_eq!((post.status, post.body.as_str()), (200, "ok"));
    // Usually the poll was there already and ends with a noop; if the close overtook it, the session is unknown.
    let poll = poll.answer().await;
    assert!(poll.body == "6" || poll.status == 400, "{poll:?}");
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::ClientClose);
    assert_eq!(client.poll().await.status, 400);
    assert_eq!(client.post("40").await.status, 400);
}

#[tokio::test]
async fn a_poll_whose_connection_breaks_ends_the_session() {
    let (_server, address, mut seen) = start_echo(quiet()).await;
    let (client, _) = Polling::join(address).await;
    drop(client.start_poll().await);
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::TransportLost);
}

#[tokio::test]
async fn heartbeats_keep_a_session_alive() {
    let (_server, address, _) = start_echo(brisk()).await;
    let (client, _) = Polling::join(address).await;
    for _ in 0..3 {
        assert_eq!(client.poll().await.body, "2");
        assert_eq!(client.post("3").await.body, "ok");
    }
}

#[tokio::test]
async fn a_client_that_does_not_answer_heartbeats_is_gone() {
    let (server, address, mut seen) = start_echo(brisk()).await;
    let (client, _) = Polling::join(address).await;
    assert_eq!(client.poll().await.body, "2");
    // The answer to the next poll is the end.
    assert_eq!(client.poll().await.body, "1");
    assert_eq!(next_reason(&mut seen).await, DisconnectReason::PingTimeout);
    assert_eq!(client.poll().await.status, 400);
    assert_eq!(server.stats().sessions, 0);
}

#[tokio::test]
async fn a_session_that_joins_no_namespace_is_closed() {
    let config = Config { connect_timeout: std::time::Duration::from_millis(100), ..quiet() };
    let (server, address, _) = start_echo(config).await;
    let client = Polling::open(address).await;
    assert_eq!(client.poll().await.body, "1");
    client.until_gone().await;
    assert_eq!(server.stats().sessions, 0);
}
