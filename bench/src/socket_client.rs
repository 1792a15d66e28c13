//! A Socket.IO client over WebSocket on the packet codec that server and desktop client use: one task, no allocation that it can do without.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use shared::events::{ClientEvent, JoinAnswer, JoinRoom, ServerEvent};
use shared::packet::engine;
use shared::packet::socket::{AckId, Body, Decoder, Packet, ROOT_NAMESPACE, encode};
use shared::{DisplayName, PeerId, RoomId};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// How long anything may take before it counts as lost.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Read and write buffer in bytes. The library's own default of 128 KiB would cost gigabytes with ten thousand clients.
const BUFFER_BYTES: usize = 4_096;

/// The one acknowledgement that is ever asked for.
const JOIN_ACK: AckId = AckId(0);

/// A connected client.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    decoder: Decoder,
    id: PeerId,
}

#[derive(Deserialize)]
struct Connected {
    sid: PeerId,
}

impl Client {
    /// Connects to the server and to the root namespace.
    pub async fn connect(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let config =
            WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
        let url = format!("ws://{server}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = client_async_with_config(url, stream, Some(config)).await?;
        let mut client = Self { socket, decoder: Decoder::default(), id: PeerId::parse("unknown")? };
        let mut connect = String::new();
        encode::connect(&mut connect, ROOT_NAMESPACE, None);
        client.send(&connect).await?;
        match client.packet().await?.body {
            Body::Connect(Some(answer)) => {
                client.id = serde_json::from_str::<Connected>(answer.get())?.sid;
                Ok(client)
            }
            other => bail!("{other:?} instead of CONNECT"),
        }
    }

    /// The id that others know this client by.
    pub fn id(&self) -> &PeerId {
        &self.id
    }

    /// Joins a room. Returns when both the acknowledgement and `peers` have come.
    pub async fn join(&mut self, room: &RoomId) -> Result<()> {
        let join = ClientEvent::JoinRoom(JoinRoom {
            room_id: room.clone(),
            display_name: DisplayName::sanitize("Bench"),
            password: None,
            caps: vec![],
        });
        self.send(&packet_of(&join, Some(JOIN_ACK))).await?;
        let (mut answered, mut told) = (false, false);
        while !(answered && told) {
            match self.packet().await?.body {
                Body::Ack { id, args } if id == JOIN_ACK => match JoinAnswer::parse(args.get(0))? {
                    JoinAnswer::Joined(_) => answered = true,
                    JoinAnswer::Refused(error) => bail!("the join was refused: {}", error.message),
                },
                Body::Event { name, .. } => told |= name == "peers",
                other => bail!("{other:?} instead of an answer to join-room"),
            }
        }
        Ok(())
    }

    /// Queues a `signal`; [`Client::flush`] sends what is queued.
    pub async fn feed_signal(&mut self, to: &PeerId, data: Box<RawValue>) -> Result<()> {
        let signal = packet_of(&ClientEvent::Signal { to: to.clone(), data }, None);
        Ok(self.socket.feed(message(&signal)).await?)
    }

    /// Sends what is queued.
    pub async fn flush(&mut self) -> Result<()> {
        Ok(self.socket.flush().await?)
    }

    /// The data of the next `signal`; people who come and go meanwhile are passed over.
    pub async fn signal(&mut self) -> Result<Box<RawValue>> {
        loop {
            let Body::Event { name, args, .. } = self.packet().await?.body else {
                bail!("not an event");
            };
            match ServerEvent::parse(&name, args.get(0))? {
                ServerEvent::Signal { data, .. } => return Ok(data),
                ServerEvent::Peers { .. } | ServerEvent::PeerJoined(_) | ServerEvent::PeerLeft { .. } => {}
                other => bail!("{other:?} instead of a signal"),
            }
        }
    }

    /// Answers heartbeats until the server closes the connection.
    pub async fn idle(mut self) -> Result<()> {
        loop {
            self.packet().await?;
        }
    }

    /// Leaves the namespace and closes.
    pub async fn close(mut self) -> Result<()> {
        let mut disconnect = String::new();
        encode::disconnect(&mut disconnect, ROOT_NAMESPACE);
        self.send(&disconnect).await?;
        self.socket.close(None).await?;
        while self.socket.next().await.is_some_and(|message| message.is_ok()) {}
        Ok(())
    }

    async fn send(&mut self, packet: &str) -> Result<()> {
        Ok(self.socket.send(message(packet)).await?)
    }

    /// The next packet; heartbeats are answered on the way.
    async fn packet(&mut self) -> Result<Packet> {
        loop {
            let text = match self.socket.next().await.context("the server closed the connection")?? {
                Message::Text(text) => text,
                Message::Close(_) => bail!("the server closed the connection"),
                other => bail!("unexpected {other:?}"),
            };
            match engine::Packet::decode(&text)? {
                engine::Packet::Open(_) | engine::Packet::Noop => {}
                engine::Packet::Ping(data) => {
                    let pong = engine::Packet::Pong(data).encode();
                    self.socket.send(Message::text(pong)).await?;
                }
                engine::Packet::Message(packet) => {
                    return self.decoder.text(packet)?.context("an attachment is announced");
                }
                other => bail!("unexpected {other:?}"),
            }
        }
    }
}

fn packet_of(event: &ClientEvent, ack: Option<AckId>) -> String {
    let argument = event.argument();
    let mut packet = String::new();
    encode::event(
        &mut packet,
        ROOT_NAMESPACE,
        ack,
        event.name(),
        argument.iter().map(|argument| argument.get()),
        0,
    );
    packet
}

fn message(packet: &str) -> Message {
    Message::text(engine::Packet::Message(packet).encode())
}
