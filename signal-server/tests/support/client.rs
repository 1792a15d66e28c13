//! A Socket.IO client by hand, over WebSocket.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{PATIENCE, Server};

pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The id that others see.
    pub id: String,
    next_ack: u64,
    /// Events that came while an answer was waited for.
    events: VecDeque<(String, Value)>,
}

/// What came next.
#[derive(Debug)]
enum Incoming {
    Event(String, Value),
    Ack(u64, Value),
    Closed,
}

impl Client {
    pub async fn connect(server: &Server) -> Self {
        let url = format!("{}/socket.io/?EIO=4&transport=websocket", server.url.replacen("http", "ws", 1));
        let (mut socket, _) = connect_async(url).await.unwrap();
        let open = socket.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(open.starts_with("0{"), "{open}");
        socket.send(Message::text("40")).await.unwrap();
        let connected = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let json: Value = serde_json::from_str(connected.strip_prefix("40").unwrap()).unwrap();
        let id = json["sid"].as_str().unwrap().to_owned();
        Self { socket, id, next_ack: 0, events: VecDeque::new() }
    }

    /// Sends a packet as it is.
    pub async fn send(&mut self, packet: &str) {
        self.socket.send(Message::text(packet)).await.unwrap();
    }

    /// Sends a packet for which the server may close the connection before it has read the end.
    pub async fn send_in_vain(&mut self, packet: &str) {
        let _ = self.socket.send(Message::text(packet)).await;
    }

    /// Sends an attachment.
    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// Sends many packets, then lets them go at once.
    pub async fn send_all(&mut self, packets: impl Iterator<Item = String>) {
        for packet in packets {
            self.socket.feed(Message::text(packet)).await.unwrap();
        }
        self.socket.flush().await.unwrap();
    }

    pub async fn emit(&mut self, name: &str, argument: Value) {
        self.send(&format!("42{}", json!([name, argument]))).await;
    }

    /// Sends an event and returns the answer to it.
    pub async fn ask(&mut self, name: &str, argument: Value) -> Value {
        let ack = self.next_ack;
        self.next_ack += 1;
        self.send(&format!("42{ack}{}", json!([name, argument]))).await;
        loop {
            match self.receive().await {
                Incoming::Ack(id, answer) if id == ack => return answer,
                Incoming::Ack(id, _) => panic!("an answer to {id}, which nobody asked"),
                Incoming::Event(name, argument) => self.events.push_back((name, argument)),
                Incoming::Closed => panic!("closed while waiting for an answer to {name}"),
            }
        }
    }

    pub async fn join(&mut self, room: &str) -> Value {
        let answer = self.ask("join-room", json!({ "roomId": room, "displayName": "Test" })).await;
        assert_eq!(answer["ok"], true, "{answer}");
        assert_eq!(self.event("peers").await["peers"], answer["peers"]);
        answer
    }

    /// The next event, which must have this name.
    pub async fn event(&mut self, name: &str) -> Value {
        let (got, argument) = match self.events.pop_front() {
            Some(event) => event,
            None => match self.receive().await {
                Incoming::Event(name, argument) => (name, argument),
                other => panic!("{other:?} instead of {name}"),
            },
        };
        assert_eq!(got, name, "{argument}");
        argument
    }

    /// Shows that the connection works, and that no event came before this.
    pub async fn nothing_came(&mut self) {
        let answer = self.ask("nothing", Value::Null).await;
        assert_eq!(answer["error"]["code"], "unknown-event");
        assert_eq!(self.events, VecDeque::new());
    }

    /// Waits until the server closes the connection, whatever else it says before.
    pub async fn closed(&mut self) {
        while !matches!(self.receive().await, Incoming::Closed) {}
    }

    pub async fn close(mut self) {
        self.socket.close(None).await.unwrap();
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    async fn receive(&mut self) -> Incoming {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something comes");
            let text = match next {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Incoming::Closed,
                Some(Ok(other)) => panic!("{other:?}"),
            };
            if text.as_str() == "2" {
                self.send("3").await;
            } else if let Some(packet) = text.strip_prefix("42") {
                let json: Value = serde_json::from_str(packet).unwrap();
                assert_eq!(json.as_array().unwrap().len(), 2, "one argument and nothing more: {text}");
                return Incoming::Event(json[0].as_str().unwrap().to_owned(), json[1].clone());
            } else if let Some(packet) = text.strip_prefix("43") {
                let at = packet.find('[').unwrap();
                let json: Value = serde_json::from_str(&packet[at..]).unwrap();
                return Incoming::Ack(packet[..at].parse().unwrap(), json[0].clone());
            } else if text.starts_with("41") || text.as_str() == "1" {
                return Incoming::Closed;
            } else {
                panic!("unexpected packet {text}");
            }
        }
    }

    /// The next text message as it is on the wire.
    pub async fn wire(&mut self) -> String {
        self.socket.next().await.unwrap().unwrap().into_text().unwrap().to_string()
    }
}
