//! Handshakes, and the answers to those that are out of order.

mod support;

use serde_json::{Value, json};
use support::{Answer, Polling, Ws, brisk, quiet, request, start_echo};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;

const PATH: &str = "/socket.io/";

fn error(answer: &Answer) -> (u16, Value) {
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn polling_offers_the_upgrade() {
    let (_server, address, _) = start_echo(brisk()).await;
    let answer = request(address, "GET", "/socket.io/?EIO=4&transport=polling&t=x", "", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let open: Value = serde_json::from_str(answer.body.strip_prefix('0').unwrap()).unwrap();
    let sid = open["sid"].as_str().unwrap();
    assert_eq!(sid.len(), 20);
    assert_eq!(
        open,
        json!({"sid": sid, "upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000})
    );
}

#[tokio::test]
async fn websocket_offers_no_upgrade() {
    let (_server, address, _) = start_echo(brisk()).await;
    let open = Ws::connect(address, None).await.text().await;
    let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
    assert_eq!(open["upgrades"], json!([]));
    assert_eq!(open["pingInterval"], json!(300));
}

#[tokio::test]
async fn the_trailing_slash_is_optional() {
    let (_server, address, _) = start_echo(quiet()).await;
    let answer = request(address, "GET", "/socket.io?EIO=4&transport=polling", "", "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn mistakes_are_answered_as_node_answers_them() {
    let (_server, address, _) = start_echo(quiet()).await;
    let unknown = "AAAAAAAAAAAAAAAAAAAA";
    let cases = [
        ("GET", String::new(), 0, "Transport unknown"),
        ("GET", "EIO=4".to_owned(), 0, "Transport unknown"),
        ("GET", "EIO=4&transport=abc".to_owned(), 0, "Transport unknown"),
        ("GET", format!("EIO=4&transport=polling&sid={unknown}"), 1, "Session ID unknown"),
        ("POST", format!("EIO=4&transport=polling&sid={unknown}"), 1, "Session ID unknown"),
        ("GET", "EIO=4&transport=polling&sid=%00".to_owned(), 1, "Session ID unknown"),
        ("POST", "EIO=4&transport=polling".to_owned(), 2, "Bad handshake method"),
        ("PUT", "EIO=4&transport=polling".to_owned(), 2, "Bad handshake method"),
        ("GET", "EIO=4&transport=websocket".to_owned(), 3, "Bad request"),
        ("GET", "EIO=3&transport=polling".to_owned(), 5, "Unsupported protocol version"),
        ("GET", "EIO=abc&transport=polling".to_owned(), 5, "Unsupported protocol version"),
        ("GET", "transport=polling".to_owned(), 5, "Unsupported protocol version"),
    ];
    for (method, query, code, message) in cases {
        let answer = request(address, method, &format!("{PATH}?{query}"), "", "").await;
        assert_eq!(answer.header("content-type"), Some("application/json"), "{method} {query}");
        assert_eq!(error(&answer), (400, json!({"code": code, "message": message})), "{method} {query}");
    }
}

#[tokio::test]
async fn mistakes_with_a_session_are_answered_as_node_answers_them() {
    let (_server, address, _) = start_echo(quiet()).await;
    let sid = Polling::open(address).await.sid;
    let bad_request = (400, json!({"code": 3, "message": "Bad request"}));
    let wrong_version = format!("{PATH}?EIO=3&transport=polling&sid={sid}");
    assert_eq!(error(&request(address, "GET", &wrong_version, "", "").await), bad_request);
    let wrong_transport = format!("{PATH}?EIO=4&transport=websocket&sid={sid}");
    assert_eq!(error(&request(address, "GET", &wrong_transport, "", "").await), bad_request);
    let wrong_method = format!("{PATH}?EIO=4&transport=polling&sid={sid}");
    assert_eq!(request(address, "DELETE", &wrong_method, "", "").await.status, 500);
}

#[tokio::test]
async fn a_websocket_session_takes_no_http_requests() {
    let (_server, address, _) = start_echo(quiet()).await;
    let mut ws = Ws::connect(address, None).await;
    let open: Value = serde_json::from_str(&ws.text().await[1..]).unwrap();
    let client = Polling { address, sid: open["sid"].as_str().unwrap().to_owned() };
    assert_eq!(error(&client.poll().await), (400, json!({"code": 3, "message": "Bad request"})));
    assert_eq!(error(&client.post("40").await), (400, json!({"code": 3, "message": "Bad request"})));
}

#[tokio::test]
async fn refused_websockets_say_why() {
    let (_server, address, _) = start_echo(quiet()).await;
    let cases = [
        ("EIO=4", "Transport unknown"),
        ("EIO=3&transport=websocket", "Unsupported protocol version"),
        ("EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA", "Session ID unknown"),
    ];
    for (query, message) in cases {
        match connect_async(format!("ws://{address}{PATH}?{query}")).await {
            Err(Error::Http(answer)) => {
                assert_eq!(answer.status(), 400);
                assert_eq!(answer.body().as_deref(), Some(message.as_bytes()));
            }
            other => panic!("{query}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_session_and_socket_has_ids_of_its_own() {
    let (_server, address, _) = start_echo(quiet()).await;
    let (first, first_socket) = Polling::join(address).await;
    let (second, second_socket) = Polling::join(address).await;
    let ids = [&first.sid, &first_socket, &second.sid, &second_socket];
    for (index, id) in ids.iter().enumerate() {
        assert!((20..=22).contains(&id.len()));
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')));
        assert!(!ids[..index].contains(id));
    }
}

#[tokio::test]
async fn sessions_beyond_the_limit_are_refused() {
    let (server, address, _) = start_echo(socketio::Config { max_sessions: 1, ..quiet() }).await;
    let _first = Ws::open(address).await;
    let answer = request(address, "GET", "/socket.io/?EIO=4&transport=polling", "", "").await;
    assert_eq!(answer.status, 503);
    assert!(connect_async(format!("ws://{address}{PATH}?EIO=4&transport=websocket")).await.is_err());
    assert_eq!(server.stats().sessions, 1);
    assert_eq!(server.stats().refused, 2);
}
