//! The program from outside: what it prints, how it fails, how it ends, and TLS.

#![cfg(test)]

mod support;

use std::net::TcpListener;

use serde_json::{Value, json};
use support::client::Client;
use support::http::get;
use support::{Server, command, fails};

#[tokio::test]
async fn port_0_is_replaced_by_the_real_port() {
    let server = Server::start();
    assert_ne!(server.address().port(), 0);
    assert_eq!(server.banner, [format!("listening on {}", server.url)]);
    assert_eq!(get(server.address(), "/api/rooms").await.status, 200);
}

#[tokio::test]
async fn several_addresses_of_both_families_are_served() {
    let server = Server::with(&["--listen", "127.0.0.1:0", "--listen", "[::1]:0"]);
    assert_eq!(server.banner.len(), 2);
    for line in &server.banner {
        let address = line.strip_prefix("listening on http://").unwrap();
        assert_eq!(get(address.parse().unwrap(), "/").await.status, 200, "{address}");
    }
}

#[test]
fn a_port_in_use_is_one_clear_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, text) = fails(&["--listen", &address]);
    assert_eq!((code, text.lines().count()), (1, 1), "{text}");
    assert!(text.contains(&address) && text.contains("another program uses this port"), "{text}");
}

#[test]
fn bad_arguments_are_explained() {
    for (args, code, part) in [
        (vec!["--listen", "nonsense"], 1, "ADDRESS:PORT"),
        (vec!["--ice-server", "http://x"], 1, "stun:"),
        (vec!["--log", "=="], 1, "--log"),
        (vec!["--config", "/nowhere.toml"], 1, "/nowhere.toml"),
        (vec!["--tls", "please"], 2, "self-signed"),
        (vec!["--tls-cert", "/nowhere.pem"], 2, "--tls-key"),
        (vec!["--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.pem"], 1, "/nowhere.pem"),
        (vec!["--colour"], 2, "--colour"),
    ] {
        let (got, text) = fails(&args);
        assert_eq!(got, code, "{args:?}: {text}");
        assert!(text.contains(part), "{args:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn help_and_version_are_there() {
    let output = command(&["--help"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for option in
        ["--listen", "--ice-server", "--tls", "--tls-cert", "--no-ephemeral-rooms", "--log", "--config"]
    {
        assert!(text.contains(option), "{option}");
    }
    assert!(command(&["--version"]).output().unwrap().status.success());
}

#[tokio::test]
async fn ice_servers_are_told_to_newcomers() {
    let server = Server::with(&[
        "--listen",
        "127.0.0.1:0",
        "--ice-server",
        "stun:stun.example.org:3478",
        "--ice-server",
        "turn:ada:secret@turn.example.org:3478",
    ]);
    let mut ada = Client::connect(&server).await;
    let answer = ada.join("room").await;
    let expected = json!([
        { "urls": ["stun:stun.example.org:3478"] },
        { "urls": ["turn:turn.example.org:3478"], "username": "ada", "credential": "secret" },
    ]);
    assert_eq!(answer["iceServers"], expected);
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_tells_clients_and_ends_well() {
    let mut server = Server::start();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(&server).await;
        client.join("room").await;
        clients.push(client);
    }
    server.terminate();
    for client in &mut clients {
        client.closed().await;
    }
    assert_eq!(server.wait().code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn connections_that_do_nothing_do_not_hold_up_the_end() {
    let mut server = Server::start();
    let silent = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let _poll = tokio::spawn(support::http::raw(
        server.address(),
        b"POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{",
        support::PATIENCE,
    ));
    assert_eq!(get(server.address(), "/api/rooms").await.status, 200);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    drop(silent);
}

#[tokio::test]
async fn an_address_can_stay_in_the_clear_beside_one_with_tls() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let server = Server::with(&[
        "--listen",
        "http://127.0.0.1:0",
        "--listen",
        "127.0.0.1:0",
        "--tls",
        "self-signed",
        "--data-dir",
        folder,
    ]);
    let plain = server.banner[0].strip_prefix("listening on http://").unwrap();
    assert!(server.banner[1].starts_with("listening on https://127.0.0.1:"), "{:?}", server.banner);
    let mut ada = Client::connect(&server).await;
    ada.join("room").await;
    let rooms = get(plain.parse().unwrap(), "/api/rooms").await;
    assert_eq!(rooms.status, 200);

    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let secured = server.banner[1].strip_prefix("listening on ").unwrap();
    let rooms: Value = client.get(format!("{secured}/api/rooms")).send().await.unwrap().json().await.unwrap();
    assert_eq!(rooms[0]["id"], "room", "both lead to the same rooms");
}

#[tokio::test]
async fn a_self_signed_certificate_is_kept_and_its_fingerprint_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let args = ["--listen", "127.0.0.1:0", "--tls", "self-signed", "--data-dir", folder];
    let mut certificates = Vec::new();
    for _ in 0..2 {
        let server = Server::with(&args);
        assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            reqwest::Client::builder().tls_danger_accept_invalid_certs(true).tls_info(true).build().unwrap();
        let answer = client.get(format!("{}/api/rooms", server.url)).send().await.unwrap();
        let info = answer.extensions().get::<reqwest::tls::TlsInfo>().unwrap();
        certificates.push(info.peer_certificate().unwrap().to_vec());
        assert_eq!(answer.json::<Value>().await.unwrap(), json!([]));
        // Plain HTTP on the same port is not answered, and harms nobody.
        let plain =
            support::http::raw(server.address(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", support::PATIENCE)
                .await;
        assert!(!plain.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(certificates[0], certificates[1]);
}
