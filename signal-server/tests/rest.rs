//! The REST API of the contract, against the real program.

#![cfg(test)]

mod support;

use serde_json::{Value, json};
use support::Server;
use support::client::Client;
use support::http::{get, post, request};

#[tokio::test]
async fn a_room_is_made_shown_listed_and_deleted() {
    let server = Server::start();
    let at = server.address();
    assert_eq!(get(at, "/api/rooms").await.json(), json!([]));

    let made = post(at, "/api/rooms", r#"{"id":"daily","name":"Daily ☀","capacity":4,"color":"red"}"#).await;
    assert_eq!((made.status, made.header("location")), (201, Some("/api/rooms/daily")));
    let room = made.json();
    let created_at = room["createdAt"].as_str().unwrap();
    assert!(
        created_at.starts_with("20") && created_at.ends_with('Z') && created_at.contains('T'),
        "{created_at}"
    );
    let expected = json!({
        "id": "daily", "name": "Daily ☀", "createdAt": created_at, "participants": 0, "capacity": 4, "locked": false,
        "peers": [],
    });
    assert_eq!(room, expected);
    assert_eq!(get(at, "/api/rooms/daily").await.json(), expected);
    assert_eq!(get(at, "/api/rooms").await.json(), json!([expected]));

    let deleted = request(at, "DELETE", "/api/rooms/daily", &[], b"").await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    for method in ["GET", "DELETE"] {
        let gone = request(at, method, "/api/rooms/daily", &[], b"").await;
        assert_eq!((gone.status, gone.error_code().as_str()), (404, "room-not-found"));
    }
    assert_eq!(get(at, "/api/rooms").await.json(), json!([]));
}

#[tokio::test]
async fn a_request_without_body_or_type_makes_a_room_with_the_defaults() {
    let server = Server::start();
    let at = server.address();
    let json = ("Content-Type", "application/json");
    for (headers, body) in [
        (vec![], ""),
        (vec![json], ""),
        (vec![("Content-Length", "0")], ""),
        (vec![("Content-Type", "text/plain")], "{}"),
        (vec![("Content-Type", "application/x-www-form-urlencoded")], r#"{"capacity":8}"#),
        (vec![], " \n"),
    ] {
        let made = request(at, "POST", "/api/rooms", &headers, body.as_bytes()).await;
        assert_eq!(made.status, 201, "{headers:?} {body:?}");
        let room = made.json();
        let id = room["id"].as_str().unwrap();
        assert_eq!(made.header("location"), Some(format!("/api/rooms/{id}").as_str()));
        assert_eq!(
            (&room["name"], &room["capacity"], &room["locked"]),
            (&json!(id), &json!(8), &json!(false))
        );
    }
}

#[tokio::test]
async fn an_id_is_given_once() {
    let server = Server::start();
    let at = server.address();
    assert_eq!(post(at, "/api/rooms", r#"{"id":"x"}"#).await.status, 201);
    let again = post(at, "/api/rooms", r#"{"id":"x","name":"other"}"#).await;
    assert_eq!((again.status, again.error_code().as_str()), (409, "room-exists"));
    assert_eq!(get(at, "/api/rooms/x").await.json()["name"], "x");
    // A room that somebody made by joining it has its id too.
    let mut ada = Client::connect(&server).await;
    ada.join("made-by-joining").await;
    assert_eq!(post(at, "/api/rooms", r#"{"id":"made-by-joining"}"#).await.status, 409);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let server = Server::start();
    let at = server.address();
    for (body, status, part) in [
        ("{", 400, "JSON"),
        ("name=x", 400, "JSON"),
        ("\u{feff}", 400, "JSON"),
        ("[]", 422, "object"),
        (r#""x""#, 422, "object"),
        (r#"{"name":1}"#, 422, "name"),
        (r#"{"id":{}}"#, 422, "id"),
        (r#"{"id":""}"#, 422, "id"),
        (r#"{"id":"ä"}"#, 422, "id"),
        (r#"{"id":"../x"}"#, 422, "id"),
        (r#"{"capacity":0}"#, 422, "capacity"),
        (r#"{"capacity":-1}"#, 422, "capacity"),
        (r#"{"capacity":1e9}"#, 422, "capacity"),
        (r#"{"capacity":"many"}"#, 422, "capacity"),
        (r#"{"password":[]}"#, 422, "password"),
    ] {
        let refused = post(at, "/api/rooms", body).await;
        assert_eq!(refused.status, status, "{body}");
        refused.error_code();
        let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(part), "{body}: {message}");
    }
    let invalid = request(at, "POST", "/api/rooms", &[], &[b'{', b'"', 0xff, b'"', b':', b'1', b'}']).await;
    assert_eq!((invalid.status, invalid.error_code().as_str()), (400, "malformed-json"));
    assert_eq!(get(at, "/api/rooms").await.json(), json!([]));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_unread() {
    let server = Server::start();
    let at = server.address();
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(1_000_000));
    let refused = post(at, "/api/rooms", &long).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (413, "too-large"));
    let head =
        "POST /api/rooms HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut chunked = head.as_bytes().to_vec();
    for _ in 0..20 {
        chunked.extend_from_slice(format!("2000\r\n{}\r\n", " ".repeat(0x2000)).as_bytes());
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = support::http::raw(at, &chunked, support::PATIENCE).await;
    assert!(answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn every_failure_has_the_contracts_form() {
    let server = Server::start();
    let at = server.address();
    for (method, path, status) in [
        ("GET", "/api", 404),
        ("GET", "/api/", 404),
        ("GET", "/api/room", 404),
        ("GET", "/api/rooms/a/b", 404),
        ("GET", "/api/rooms/no%20such", 404),
        ("GET", "/api/rooms/%ff", 404),
        ("GET", "/api/rooms/..%2f..", 404),
        ("DELETE", "/api/rooms/none", 404),
        ("DELETE", "/api/rooms", 405),
        ("PUT", "/api/rooms", 405),
        ("PATCH", "/api/rooms/x", 405),
        ("POST", "/api/rooms/x", 405),
    ] {
        let answer = request(at, method, path, &[], b"").await;
        assert_eq!(answer.status, status, "{method} {path}");
        answer.error_code();
        assert_eq!(answer.header("allow").is_some(), status == 405, "{method} {path}");
    }
}

#[tokio::test]
async fn head_and_options_are_answered_and_other_pages_may_ask() {
    let server = Server::start();
    let at = server.address();
    let head = request(at, "HEAD", "/api/rooms", &[], b"").await;
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, Some("2")));
    let preflight = [
        ("Origin", "https://elsewhere.example"),
        ("Access-Control-Request-Method", "DELETE"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    let allowed = request(at, "OPTIONS", "/api/rooms/x", &preflight, b"").await;
    assert!(allowed.status == 200 || allowed.status == 204, "{allowed:?}");
    assert_eq!(allowed.header("access-control-allow-origin"), Some("*"));
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("DELETE"));
    assert!(allowed.header("access-control-allow-headers").is_some());
    assert_eq!(request(at, "OPTIONS", "/api/rooms", &[], b"").await.status, 200);
    for path in ["/api/rooms", "/api/rooms/none"] {
        let answer = request(at, "GET", path, &[("Origin", "https://elsewhere.example")], b"").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn who_is_inside_is_shown_unless_a_password_is_needed() {
    let server = Server::start();
    let at = server.address();
    post(at, "/api/rooms", r#"{"id":"open"}"#).await;
    post(at, "/api/rooms", r#"{"id":"closed","password":"secret"}"#).await;
    let mut ada = Client::connect(&server).await;
    let mut bo = Client::connect(&server).await;
    ada.join("open").await;
    let answer = bo.ask("join-room", json!({ "roomId": "closed", "password": "secret" })).await;
    assert_eq!(answer["ok"], true);
    let open = get(at, "/api/rooms/open").await.json();
    assert_eq!(open["peers"], json!([{ "peerId": ada.id, "displayName": "Test" }]));
    assert_eq!((&open["participants"], &open["locked"]), (&json!(1), &json!(false)));
    let closed = get(at, "/api/rooms/closed").await.json();
    assert_eq!((&closed["peers"], &closed["participants"]), (&json!([]), &json!(1)));
    assert_eq!(closed["locked"], true);
    assert!(!closed.to_string().contains("secret"));
}

#[tokio::test]
async fn rooms_by_request_stay_and_rooms_by_joining_vanish() {
    let server = Server::start();
    let at = server.address();
    post(at, "/api/rooms", r#"{"id":"kept"}"#).await;
    let mut ada = Client::connect(&server).await;
    ada.join("passing").await;
    let listed = get(at, "/api/rooms").await.json();
    let ids: Vec<&Value> = listed.as_array().unwrap().iter().map(|room| &room["id"]).collect();
    assert_eq!(ids, ["kept", "passing"], "in the order in which they were made");
    ada.join("kept").await;
    assert_eq!(get(at, "/api/rooms/passing").await.status, 404);
    assert_eq!(ada.ask("leave-room", Value::Null).await, json!({ "ok": true }));
    assert_eq!(get(at, "/api/rooms/kept").await.json()["participants"], 0);
}
