//! Connections that hold a place without using it: each is ended, however it is slow, and there is a limit to all together.

#![cfg(test)]

mod support;

use std::time::Duration;

use support::http::{get, raw};
use support::{PATIENCE, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn slow_and_idle_connections_are_closed() {
    let server = Server::start();
    let at = server.address();
    let never_speaks = raw(at, b"", PATIENCE);
    let half_a_line = raw(at, b"GET / HT", PATIENCE);
    let half_a_head = raw(at, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", PATIENCE);
    let keeps_the_line = raw(at, b"GET /icon.svg HTTP/1.1\r\nHost: x\r\n\r\n", PATIENCE);
    let half_a_body = raw(at, b"POST /api/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", PATIENCE);
    let (_, _, _, kept, body) =
        tokio::join!(never_speaks, half_a_line, half_a_head, keeps_the_line, half_a_body);
    assert!(kept.starts_with(b"HTTP/1.1 200"));
    assert!(body.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&body));
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let dripping = async {
        // Ends when the server has closed the connection and the system has noticed.
        while stream.write_all(b"X-Drip: 1\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, dripping).await.expect("the server closes the connection");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::start();
    let mut request = b"GET / HTTP/1.1\r\nHost: x\r\n".to_vec();
    for number in 0..100_000 {
        request.extend_from_slice(format!("X-{number}: {number}\r\n").as_bytes());
    }
    let answer = raw(server.address(), &request, PATIENCE).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(get(server.address(), "/").await.status, 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_at_once_and_places_become_free_again() {
    let server = Server::with(&["--listen", "127.0.0.1:0", "--max-connections", "2"]);
    let at = server.address();
    let held = [TcpStream::connect(at).await.unwrap(), TcpStream::connect(at).await.unwrap()];
    for stream in &held {
        stream.writable().await.unwrap();
    }
    let mut third = TcpStream::connect(at).await.unwrap();
    let mut nothing = Vec::new();
    // Reset or an orderly end: closed either way.
    let closed = tokio::time::timeout(PATIENCE, third.read_to_end(&mut nothing)).await.expect("it is closed");
    assert!(closed.is_err() || nothing.is_empty());
    drop(held);
    let freed = async {
        while raw(at, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", PATIENCE).await.is_empty() {}
    };
    tokio::time::timeout(PATIENCE, freed).await.expect("places become free");
}
