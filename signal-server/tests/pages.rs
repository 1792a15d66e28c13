//! The browser client and the official socket.io-client, as the program serves them.

#![cfg(test)]

mod support;

use support::Server;
use support::http::{get, request};

#[tokio::test]
async fn pages_scripts_and_styles_have_their_types_and_protection() {
    let server = Server::start();
    let at = server.address();
    let start = get(at, "/").await;
    assert_eq!(start.status, 200);
    assert_eq!(start.body, get(at, "/index.html").await.body);
    assert!(start.text().starts_with("<!doctype html>"));
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/room.html?id=a-room", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/css/theme.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = get(at, path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains(&format!("ws://{at}")), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let permissions = answer.header("permissions-policy").unwrap();
        assert!(permissions.contains("camera=(self)") && permissions.contains("microphone=(self)"));
    }
}

#[tokio::test]
async fn pages_need_nothing_that_their_policy_forbids() {
    let server = Server::start();
    for path in ["/", "/room.html"] {
        let page = get(server.address(), path).await;
        let page = page.text();
        assert!(!page.contains("style="), "{path} has an inline style");
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains("src="), "{path} has an inline script: <script{tag}>");
        }
        for handler in [" onclick=", " onload=", " onsubmit=", "javascript:"] {
            assert!(!page.contains(handler), "{path} has {handler}");
        }
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let server = Server::start();
    let at = server.address();
    for path in ["/app.js", "/socket.io/socket.io.js"] {
        let first = get(at, path).await;
        assert_eq!(first.header("cache-control"), Some("no-cache"));
        let tag = first.header("etag").unwrap();
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = request(at, "GET", path, &[("If-None-Match", &known)], b"").await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
        }
        let changed = request(at, "GET", path, &[("If-None-Match", "\"other\"")], b"").await;
        assert_eq!((changed.status, changed.body), (200, first.body));
    }
}

#[tokio::test]
async fn the_official_client_is_served_as_node_serves_it() {
    let server = Server::start();
    let at = server.address();
    for name in ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js"] {
        let script = get(at, &format!("/socket.io/{name}")).await;
        assert_eq!(script.status, 200, "{name}");
        assert!(script.header("content-type").unwrap().contains("javascript"));
        assert_eq!(script.header("access-control-allow-origin"), Some("*"));
        assert!(script.text().contains("Socket.IO v4."), "{name}");
        let map = get(at, &format!("/socket.io/{name}.map")).await;
        assert_eq!((map.status, map.header("content-type")), (200, Some("application/json")), "{name}");
        // With the query that bundlers and pages add to defeat caches.
        assert_eq!(get(at, &format!("/socket.io/{name}?v=1")).await.body, script.body);
    }
}

#[tokio::test]
async fn nothing_outside_the_pages_can_be_read() {
    let server = Server::start();
    let at = server.address();
    for path in [
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2f..%2fCargo.toml",
        "/css/../../../Cargo.toml",
        "//etc/passwd",
        "/css",
        "/css/",
        "/.gitignore",
        "/app.js/",
        "/app.js%00",
        "/C:\\windows\\win.ini",
        "/..\\..\\Cargo.toml",
        "/nothing.html",
        "/socket.io/LICENSE",
    ] {
        let answer = get(at, path).await;
        assert!(answer.status == 404 || answer.status == 400, "{path}: {}", answer.status);
        assert!(!String::from_utf8_lossy(&answer.body).contains("[package]"), "{path}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        let answer = request(at, method, "/index.html", &[], b"").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    let head = request(at, "HEAD", "/", &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(get(at, "/").await.body.len().to_string().as_str()));
}
