//! A real server on an ephemeral port, and raw clients that can break every rule.
#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may panic")]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::serve::ListenerExt as _;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use socketio::{Config, Inbound, Server, Socket, SocketId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Far longer than anything takes: turns a hang into a failure.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}

/// Heartbeats that do not disturb a test.
pub fn quiet() -> Config {
    Config { namespaces: vec!["/".to_owned(), "/custom".to_owned()], ..Config::default() }
}

/// Heartbeats that a test can wait for.
pub fn brisk() -> Config {
    Config {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        connect_timeout: Duration::from_secs(1),
        ..quiet()
    }
}

pub async fn serve(router: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}

/// A server whose queue the test drains itself.
pub async fn start(config: Config) -> (Server, SocketAddr, mpsc::Receiver<Inbound>) {
    let (server, inbound) = Server::new(config);
    let address = serve(server.router()).await;
    (server, address, inbound)
}

/// What an echoing consumer saw.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Connected(SocketId),
    Event(SocketId, String),
    Disconnected(SocketId, socketio::DisconnectReason),
}

/// A server that answers `message` with `message-back` and acknowledgements with the same arguments, and tells what it saw.
pub async fn start_echo(config: Config) -> (Server, SocketAddr, mpsc::UnboundedReceiver<Seen>) {
    let (server, address, inbound) = start(config).await;
    let (log, seen) = mpsc::unbounded_channel();
    tokio::spawn(echo(inbound, log));
    (server, address, seen)
}

async fn echo(mut inbound: mpsc::Receiver<Inbound>, log: mpsc::UnboundedSender<Seen>) {
    let mut sockets: HashMap<SocketId, Socket> = HashMap::new();
    while let Some(inbound) = inbound.recv().await {
        let seen = match inbound {
            Inbound::Connected { socket, auth } => {
                if let Some(auth) = auth {
                    socket.emit("auth", &[&auth]);
                }
                let id = socket.id();
                assert!(sockets.insert(id, socket).is_none(), "connected twice");
                Seen::Connected(id)
            }
            Inbound::Event { socket, name, args, ack } => {
                let handle = &sockets[&socket];
                let items: Vec<_> = args.iter().collect();
                match ack {
                    Some(id) => handle.ack_with_attachments(id, &items, args.attachments().to_vec()),
                    None if name == "leave" => handle.disconnect(),
                    None if name == "close" => handle.close(),
                    None => handle.emit_with_attachments("message-back", &items, args.attachments().to_vec()),
                }
                Seen::Event(socket, name)
            }
            Inbound::Disconnected { socket, reason } => {
                assert!(sockets.remove(&socket).is_some(), "disconnected twice");
                Seen::Disconnected(socket, reason)
            }
        };
        // A test that is not interested has dropped the receiver.
        let _ = log.send(seen);
    }
}

/// The reason of the next disconnection.
pub async fn next_reason(seen: &mut mpsc::UnboundedReceiver<Seen>) -> socketio::DisconnectReason {
    loop {
        if let Seen::Disconnected(_, reason) = soon(seen.recv()).await.unwrap() {
            return reason;
        }
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A request under way, on a connection of its own.
pub struct Pending(TcpStream);

impl Pending {
    /// Sends a request and does not wait for the answer.
    pub async fn send(address: SocketAddr, method: &str, target: &str, headers: &str, body: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        // A server that refuses a body early closes the connection while it is still being sent.
        let _ = stream.write_all(request.as_bytes()).await;
        Self(stream)
    }

    /// Sends the head of a request whose body is not sent.
    pub async fn send_head(address: SocketAddr, method: &str, target: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        if headers.contains("100-continue") {
            // The server says so when it starts to read the body.
            let mut line = [0; 12];
            soon(stream.read_exact(&mut line)).await.unwrap();
            assert_eq!(&line, b"HTTP/1.1 100");
        }
        Self(stream)
    }

    pub async fn answer(mut self) -> Answer {
        let mut bytes = Vec::new();
        // A reset after the answer is what refusing a large body early looks like.
        let _ = soon(self.0.read_to_end(&mut bytes)).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answer { status, headers, body: body.to_owned() }
    }
}

pub async fn request(address: SocketAddr, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    Pending::send(address, method, target, headers, body).await.answer().await
}

/// A client on long-polling.
pub struct Polling {
    pub address: SocketAddr,
    pub sid: String,
}

impl Polling {
    /// Does the handshake.
    pub async fn open(address: SocketAddr) -> Self {
        let answer = request(address, "GET", "/socket.io/?EIO=4&transport=polling", "", "").await;
        assert_eq!(answer.status, 200);
        let open: Value = serde_json::from_str(answer.body.strip_prefix('0').unwrap()).unwrap();
        Self { address, sid: open["sid"].as_str().unwrap().to_owned() }
    }

    /// Does the handshake and joins `/`. Returns the socket's id too.
    pub async fn join(address: SocketAddr) -> (Self, String) {
        let client = Self::open(address).await;
        assert_eq!(client.post("40").await.body, "ok");
        let answer = client.poll().await;
        let connected: Value = serde_json::from_str(answer.body.strip_prefix("40").unwrap()).unwrap();
        (client, connected["sid"].as_str().unwrap().to_owned())
    }

    pub fn target(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }

    pub async fn start_poll(&self) -> Pending {
        Pending::send(self.address, "GET", &self.target(), "", "").await
    }

    pub async fn poll(&self) -> Answer {
        self.start_poll().await.answer().await
    }

    pub async fn post(&self, body: &str) -> Answer {
        request(self.address, "POST", &self.target(), "Content-Type: text/plain;charset=UTF-8\r\n", body)
            .await
    }

    /// Polls until the session is gone. It may take a moment: the server closes it when a task of its own gets to it.
    pub async fn until_gone(&self) {
        soon(async { while self.poll().await.status == 200 {} }).await;
    }
}

/// A client on WebSocket.
pub struct Ws(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Ws {
    /// Opens the WebSocket of a session, or of a new one.
    pub async fn connect(address: SocketAddr, sid: Option<&str>) -> Self {
        let sid = sid.map(|sid| format!("&sid={sid}")).unwrap_or_default();
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket{sid}");
        Self(soon(connect_async_with_config(url, None, true)).await.unwrap().0)
    }

    /// Does the Engine.IO handshake.
    pub async fn open(address: SocketAddr) -> Self {
        let mut client = Self::connect(address, None).await;
        assert!(client.text().await.starts_with("0{"));
        client
    }

    /// Does the handshake and joins `/`. Returns the socket's id too.
    pub async fn join(address: SocketAddr) -> (Self, String) {
        let mut client = Self::open(address).await;
        client.send("40").await;
        let connected = client.text().await;
        let connected: Value = serde_json::from_str(connected.strip_prefix("40").unwrap()).unwrap();
        (client, connected["sid"].as_str().unwrap().to_owned())
    }

    pub async fn send(&mut self, text: &str) {
        soon(self.0.send(Message::text(text))).await.unwrap();
    }

    pub async fn send_binary(&mut self, bytes: &[u8]) {
        soon(self.0.send(Message::binary(bytes.to_vec()))).await.unwrap();
    }

    pub async fn message(&mut self) -> Message {
        soon(self.0.next()).await.expect("a message").unwrap()
    }

    pub async fn text(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.as_str().to_owned(),
            other => panic!("not text: {other:?}"),
        }
    }

    pub async fn binary(&mut self) -> Bytes {
        match self.message().await {
            Message::Binary(bytes) => bytes,
            other => panic!("not binary: {other:?}"),
        }
    }

    /// Reads until the connection ends; returns the server's close code, or `None` if the connection just ended.
    pub async fn closed(&mut self) -> Option<u16> {
        let mut code = None;
        while let Some(Ok(message)) = soon(self.0.next()).await {
            if let Message::Close(Some(frame)) = message {
                code = Some(frame.code.into());
            }
        }
        code
    }
}
