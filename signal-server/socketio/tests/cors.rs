//! Pages of other origins may use long-polling.

mod support;

use socketio::{Config, CorsOrigins};
use support::{quiet, request, start_echo};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
const ORIGIN: &str = "Origin: https://example.org\r\n";

#[tokio::test]
async fn any_origin_may_read_answers_and_errors() {
    let (_server, address, _) = start_echo(quiet()).await;
    for target in
        [HANDSHAKE, "/socket.io/?EIO=3&transport=polling", "/socket.io/?EIO=4&transport=polling&sid=x"]
    {
        let answer = request(address, "GET", target, ORIGIN, "").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{target}");
    }
}

#[tokio::test]
async fn preflight_requests_are_answered() {
    let (_server, address, _) = start_echo(quiet()).await;
    let headers = format!(
        "{ORIGIN}Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type,x-a\r\n"
    );
    let answer = request(address, "OPTIONS", HANDSHAKE, &headers, "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type,x-a"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
}

#[tokio::test]
async fn listed_origins_alone_are_allowed() {
    let cors = CorsOrigins::List(vec!["https://example.org".to_owned()]);
    let (_server, address, _) = start_echo(Config { cors, ..quiet() }).await;
    let answer = request(address, "GET", HANDSHAKE, ORIGIN, "").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://example.org"));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("vary"), Some("Origin"));
    let answer = request(address, "GET", HANDSHAKE, "Origin: https://example.com\r\n", "").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn cors_can_be_off() {
    let (_server, address, _) = start_echo(Config { cors: CorsOrigins::None, ..quiet() }).await;
    assert_eq!(
        request(address, "GET", HANDSHAKE, ORIGIN, "").await.header("access-control-allow-origin"),
        None
    );
    assert_eq!(request(address, "OPTIONS", HANDSHAKE, ORIGIN, "").await.status, 400);
}
