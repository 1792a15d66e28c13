//! REST against real HTTP servers on loopback: good, refusing, broken and hostile ones.
#![expect(clippy::unwrap_used, reason = "preparations that fail shall fail the test")]

mod support;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::routing::{any, delete, get};
use call_core::session::{RestAnswer, RestCall, RestFailure, RestOrder};
use roundtable::reach::ReachError;
use roundtable::rest::{self, RestClient, RestError};
use roundtable::tls::TrustStore;
use shared::RoomId;
use shared::rest::CreateRoom;
use support::Server;

const ROOM: &str = r#"{"id":"den","name":"The den","createdAt":"2026-01-01T00:00:00Z","participants":1,"capacity":8,
    "locked":false,"peers":[{"peerId":"a","displayName":"Ada"}],"topic":"a field of the future"}"#;

fn client(server: &Server) -> RestClient {
    RestClient::new(&server.url("/room.html?id=den"), &TrustStore::new(Default::default())).unwrap()
}

/// A server that gives this answer to every request.
async fn answering(status: u16, body: impl Into<Bytes>) -> Server {
    let body: Bytes = body.into();
    let status = StatusCode::from_u16(status).unwrap();
    let answer = move || {
        let body = body.clone();
        async move { (status, body) }
    };
    Server::http(Router::new().fallback(any(answer))).await
}

#[tokio::test]
async fn rooms_are_listed_created_and_deleted() {
    let router = Router::new()
        .route(
            "/api/rooms",
            get(async || format!("[{ROOM}]")).post(async |body: String| {
                (
                    StatusCode::CREATED,
                    format!(
                        "{{\"id\":\"made\",\"name\":{},\"participants\":0,\"capacity\":3}}",
                        serde_json::from_str::<serde_json::Value>(&body).unwrap()["name"]
                    ),
                )
            }),
        )
        .route(
            "/api/rooms/{id}",
            delete(
                async |Path(id): Path<String>| {
                    if id == "made" { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
                },
            ),
        );
    let server = Server::http(router).await;
    let client = client(&server);

    let rooms = client.rooms().await.unwrap();
    assert_eq!(rooms.len(), 1);
    assert_eq!((rooms[0].name.as_str(), rooms[0].peers[0].display_name.as_str()), ("The den", "Ada"));

    let wanted = CreateRoom { name: Some("Küche 🍳".to_owned()), ..CreateRoom::default() };
    let made = client.create_room(&wanted).await.unwrap();
    assert_eq!((made.id.as_str(), made.name.as_str(), made.capacity), ("made", "Küche 🍳", 3));
    client.delete_room(&made.id).await.unwrap();
}

#[tokio::test]
async fn a_refusal_carries_the_servers_error() {
    let body = r#"{"error":{"code":"room-exists","message":"Taken."}}"#;
    let server = answering(409, body).await;
    let error = client(&server).create_room(&CreateRoom::default()).await.unwrap_err();
    let RestError::Refused { status: 409, error: Some(error) } = error else { panic!("{error:?}") };
    assert_eq!((error.code.as_str(), error.message.as_str()), ("room-exists", "Taken."));
}

#[tokio::test]
async fn answers_that_make_no_sense_are_a_sentence() {
    for body in [
        "",
        "<html>hello</html>",
        "{}",
        r#"[{"id":"../etc","participants":0,"capacity":1}]"#,
        r#"[{"id":"a","participants":-1,"capacity":1}]"#,
        "[[[[[",
    ] {
        let server = answering(200, body).await;
        let error = client(&server).rooms().await.unwrap_err();
        assert!(matches!(error, RestError::Malformed(_)), "{body}: {error:?}");
        assert_eq!(RestFailure::from(error), RestFailure::Malformed);
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_not_followed() {
    let server = answering(200, "[".repeat(1_000_000)).await;
    assert!(matches!(client(&server).rooms().await, Err(RestError::Malformed(_))));
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let endless = async || {
        let chunks =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 65_536])));
        ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(chunks))
    };
    let server = Server::http(Router::new().route("/api/rooms", get(endless))).await;
    let error = client(&server).rooms().await.unwrap_err();
    assert!(matches!(error, RestError::TooLarge), "{error:?}");
}

#[tokio::test]
async fn another_web_server_is_told_apart() {
    let server = answering(404, "<h1>Not Found</h1>").await;
    let error = client(&server).rooms().await.unwrap_err();
    assert!(matches!(error, RestError::Reach(ReachError::NotRoundtable(..))), "{error:?}");
    assert!(error.to_string().contains("is not a Roundtable server (it answered 404 Not Found)"), "{error}");
}

#[tokio::test]
async fn a_missing_room_is_the_servers_own_sentence() {
    let server =
        answering(404, r#"{"error":{"code":"room-not-found","message":"There is no such room."}}"#).await;
    let error = client(&server).delete_room(&RoomId::parse("gone").unwrap()).await.unwrap_err();
    let sentence = RestFailure::from(error).to_string();
    assert!(sentence.starts_with("There is no such room."), "{sentence}");
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let moved = async || (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "https://elsewhere.example/")]);
    let server = Server::http(Router::new().fallback(any(moved))).await;
    let error = client(&server).rooms().await.unwrap_err();
    let sentence = RestFailure::from(error).to_string();
    assert!(sentence.contains("has moved to https://elsewhere.example/"), "{sentence}");
}

#[tokio::test]
async fn a_server_with_a_problem_is_told() {
    let server = answering(503, "").await;
    let error = client(&server).rooms().await.unwrap_err();
    assert!(matches!(error, RestError::Refused { status: 503, error: None }), "{error:?}");
}

#[tokio::test]
async fn what_is_not_http_is_told() {
    let server = Server::raw(b"220 mail.example ESMTP\r\n").await;
    let error = client(&server).rooms().await.unwrap_err();
    assert!(matches!(error, RestError::Reach(ReachError::NotHttp(_))), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let url = support::closed_port();
    let client = RestClient::new(&url, &TrustStore::new(Default::default())).unwrap();
    let error = client.rooms().await.unwrap_err();
    assert!(matches!(error, RestError::Reach(ReachError::Refused(_))), "{error:?}");
}

#[tokio::test]
async fn an_unknown_name_is_told() {
    let url = format!("http://{}.invalid", "x".repeat(70)).parse().unwrap();
    let client = RestClient::new(&url, &TrustStore::new(Default::default())).unwrap();
    let error = client.rooms().await.unwrap_err();
    assert!(matches!(error, RestError::Reach(ReachError::NameNotFound(_))), "{error:?}");
}

#[tokio::test]
async fn an_order_of_the_session_is_answered_by_its_number() {
    let server = answering(200, format!("[{ROOM}]")).await;
    let order = RestOrder { request: 7, server: server.url("").to_string(), call: RestCall::List };
    let (event, untrusted) = rest::perform(order, &TrustStore::new(Default::default())).await;
    assert_eq!((event.request, untrusted), (7, None));
    assert!(matches!(event.result, Ok(RestAnswer::Rooms(rooms)) if rooms.len() == 1));
}

#[tokio::test]
async fn an_order_to_no_server_fails_in_a_few_words() {
    for (server, words) in
        [(support::closed_port().to_string(), "connection refused"), ("no url".to_owned(), "not the address")]
    {
        let order = RestOrder { request: 1, server, call: RestCall::List };
        let (event, _) = rest::perform(order, &TrustStore::new(Default::default())).await;
        let Err(RestFailure::Unreachable(reason)) = event.result else { panic!("{event:?}") };
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn an_address_of_another_kind_is_refused() {
    for url in ["ftp://example.org", "data:text/plain,x", "file:///etc/passwd"] {
        let made = RestClient::new(&url.parse().unwrap(), &TrustStore::new(Default::default()));
        assert!(matches!(made, Err(RestError::Reach(ReachError::BadUrl(_)))), "{url}");
    }
}
