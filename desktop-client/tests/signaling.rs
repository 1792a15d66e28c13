//! The signaling task against real WebSocket servers on loopback: one that speaks the protocol, and several that do not.
#![expect(clippy::unwrap_used, reason = "preparations that fail shall fail the test")]

mod support;

use std::time::Duration;

use call_core::session::SignalingOrder;
use call_core::signaling::SignalingEvent;
use futures_util::{SinkExt, StreamExt};
use roundtable::reach::ReachError;
use roundtable::signaling::{SignalingNews, SignalingTask, start};
use roundtable::tls::TrustStore;
use shared::events::{ClientEvent, ServerEvent};
use shared::{PeerId, RoomId, events::JoinRoom};
use support::{Server, self_signed, tls_config};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const OPEN: &str =
    r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
const CONNECTED: &str = r#"40{"sid":"me"}"#;

/// The task, its trust store, and the news without what the tests do not look at.
struct Client {
    task: SignalingTask,
    trust: watch::Sender<TrustStore>,
}

impl Client {
    async fn connecting(url: &url::Url) -> Self {
        let (trust, trust_out) = watch::channel(TrustStore::new(Default::default()));
        let task = start(trust_out, 1);
        let client = Self { task, trust };
        client.order(SignalingOrder::Connect { url: url.as_str().trim_end_matches('/').to_owned() }).await;
        client
    }

    async fn order(&self, order: SignalingOrder) {
        self.task.orders.send(order).await.unwrap();
    }

    async fn news(&mut self) -> SignalingNews {
        self.task.news.recv().await.unwrap()
    }

    async fn event(&mut self) -> SignalingEvent {
        match self.news().await {
            SignalingNews::Event(event) => event,
            other => panic!("{other:?}"),
        }
    }

    /// Why an attempt to connect failed: in full, and in the few words that the session gets.
    async fn failure(&mut self) -> (ReachError, String) {
        let error = match self.news().await {
            SignalingNews::Unreachable(error) => error,
            other => panic!("{other:?}"),
        };
        let SignalingEvent::Lost { reason, attempt: 1, .. } = self.event().await else { panic!("not lost") };
        (error, reason)
    }

    async fn connected(&mut self) {
        assert!(
            matches!(self.event().await, SignalingEvent::Connected { peer_id } if peer_id.as_str() == "me")
        );
    }
}

/// The server's end of a connection: what came in, and what shall go out. Both end with the connection.
struct Guest {
    from: mpsc::Receiver<Message>,
    to: mpsc::Sender<Message>,
}

impl Guest {
    async fn text(&mut self) -> String {
        self.from.recv().await.unwrap().into_text().unwrap().as_str().to_owned()
    }

    async fn send(&self, text: &str) {
        self.to.send(Message::text(text)).await.unwrap();
    }

    /// Carries out both handshakes.
    async fn greet(&mut self) {
        self.send(OPEN).await;
        assert_eq!(self.text().await, "40");
        self.send(CONNECTED).await;
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, guests: mpsc::Sender<Guest>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let (from_in, from) = mpsc::channel(64);
    let (to, mut to_out) = mpsc::channel(64);
    guests.send(Guest { from, to }).await.unwrap();
    pump(&mut socket, &from_in, &mut to_out).await;
}

async fn pump<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    from: &mpsc::Sender<Message>,
    to: &mut mpsc::Receiver<Message>,
) {
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message)) => if from.send(message).await.is_err() { return },
                Some(Err(_)) | None => return,
            },
            message = to.recv() => match message {
                Some(message) => if socket.send(message).await.is_err() { return },
                None => return,
            },
        }
    }
}

async fn websocket_server() -> (Server, mpsc::Receiver<Guest>) {
    let (guests, accepted) = mpsc::channel(8);
    (Server::each("http", move |stream| serve(stream, guests.clone())).await, accepted)
}

fn signal(data: &str) -> ClientEvent {
    ClientEvent::Signal {
        to: PeerId::parse("you").unwrap(),
        data: serde_json::value::RawValue::from_string(data.to_owned()).unwrap(),
    }
}

#[tokio::test]
async fn events_go_both_ways_in_order() {
    let (server, mut guests) = websocket_server().await;
    let mut client = Client::connecting(&server.url("")).await;
    let mut guest = guests.recv().await.unwrap();
    guest.greet().await;
    client.connected().await;

    for number in 0..500 {
        client.order(SignalingOrder::Emit(signal(&format!("{{\"n\":{number}}}")))).await;
    }
    for number in 0..500 {
        assert_eq!(guest.text().await, format!(r#"42["signal",{{"to":"you","data":{{"n":{number}}}}}]"#));
    }
    for number in 0..500 {
        guest.send(&format!(r#"42["signal",{{"from":"you","data":{number}}}]"#)).await;
    }
    for number in 0..500 {
        let SignalingEvent::Event(ServerEvent::Signal { data, .. }) = client.event().await else { panic!() };
        assert_eq!(data.get(), number.to_string());
    }
}

#[tokio::test]
async fn a_lost_connection_comes_back_with_the_join() {
    let (server, mut guests) = websocket_server().await;
    let mut client = Client::connecting(&server.url("")).await;
    let join = JoinRoom {
        room_id: RoomId::parse("den").unwrap(),
        display_name: Default::default(),
        password: None,
        caps: Vec::new(),
    };
    client.order(SignalingOrder::Emit(ClientEvent::JoinRoom(join))).await;
    for round in 0..2 {
        let mut guest = guests.recv().await.unwrap();
        guest.greet().await;
        client.connected().await;
        assert!(guest.text().await.contains("\"join-room\""), "round {round}");
        drop(guest);
        assert!(matches!(client.event().await, SignalingEvent::Lost { .. }));
    }
}

#[tokio::test]
async fn a_goodbye_leaves_before_the_task_ends() {
    let (server, mut guests) = websocket_server().await;
    let mut client = Client::connecting(&server.url("")).await;
    let mut guest = guests.recv().await.unwrap();
    guest.greet().await;
    client.connected().await;
    client.order(SignalingOrder::Emit(signal("1"))).await;
    let Client { task: SignalingTask { orders, news, task }, trust: _trust } = client;
    drop((orders, news));
    assert!(guest.text().await.contains("\"signal\""));
    assert_eq!(guest.text().await, "41");
    assert!(guest.from.recv().await.unwrap().is_close());
    task.await.unwrap();
}

#[tokio::test]
async fn orders_are_taken_while_the_news_are_not() {
    let (server, mut guests) = websocket_server().await;
    let mut client = Client::connecting(&server.url("")).await;
    let mut guest = guests.recv().await.unwrap();
    guest.greet().await;
    client.connected().await;

    // Nobody reads the news: their queue fills, and the connection's buffers after it.
    let Guest { to, mut from } = guest;
    let line = format!(r#"42["signal",{{"from":"you","data":"{}"}}]"#, "x".repeat(10_000));
    let flood = tokio::spawn(async move { while to.send(Message::text(line.clone())).await.is_ok() {} });
    while client.task.news.len() < client.task.news.max_capacity() {
        tokio::task::yield_now().await;
    }
    // More than fit into the queue of orders: somebody has to take them, or this would wait for ever.
    let many = 3 * client.task.orders.max_capacity();
    for number in 0..many {
        client.order(SignalingOrder::Emit(signal(&number.to_string()))).await;
    }
    assert_eq!(client.task.news.len(), client.task.news.max_capacity());
    let drain = tokio::spawn(async move { while client.task.news.recv().await.is_some() {} });
    for number in 0..many {
        let text = from.recv().await.unwrap().into_text().unwrap();
        assert!(text.contains(&format!("\"data\":{number}}}")), "{text}");
    }
    flood.abort();
    drain.abort();
}

#[tokio::test]
async fn a_server_that_reads_nothing_is_given_up_at_a_bound() {
    let (server, mut guests) = websocket_server().await;
    let mut client = Client::connecting(&server.url("")).await;
    let mut guest = guests.recv().await.unwrap();
    guest.greet().await;
    client.connected().await;
    // The guest's queue is never emptied from here on, so its pump stops, and so does TCP.
    let large = signal(&format!("\"{}\"", "x".repeat(900_000)));
    let lost = loop {
        client.order(SignalingOrder::Emit(large.clone())).await;
        if let Ok(news) = client.task.news.try_recv() {
            break news;
        }
        tokio::task::yield_now().await;
    };
    let SignalingNews::Event(SignalingEvent::Lost { reason, .. }) = lost else { panic!("{lost:?}") };
    assert_eq!(reason, "it does not take our messages");
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_connection() {
    let (server, mut guests) = websocket_server().await;
    let mut client = Client::connecting(&server.url("")).await;
    let mut guest = guests.recv().await.unwrap();
    guest.greet().await;
    client.connected().await;
    guest.send(&format!("42[\"{}\"]", "x".repeat(2_000_000))).await;
    let SignalingEvent::Lost { reason, .. } = client.event().await else { panic!() };
    assert_eq!(reason, "it sent too large a message");
}

#[tokio::test]
async fn a_new_order_to_connect_replaces_an_attempt_that_hangs() {
    // Accepts connections and never says a word.
    let silent = Server::each("http", |mut stream| async move {
        while stream.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {}
    })
    .await;
    let (server, mut guests) = websocket_server().await;
    let mut client = Client::connecting(&silent.url("")).await;
    client
        .order(SignalingOrder::Connect { url: server.url("").as_str().trim_end_matches('/').to_owned() })
        .await;
    guests.recv().await.unwrap().greet().await;
    client.connected().await;
}

#[tokio::test]
async fn an_unknown_certificate_is_reported_and_the_next_attempt_after_pinning_succeeds() {
    let made = self_signed(&["127.0.0.1"]);
    let acceptor =
        TlsAcceptor::from(std::sync::Arc::new(tls_config(vec![made.cert.der().clone()], &made.signing_key)));
    let (guests, mut accepted) = mpsc::channel(8);
    let server = Server::each("https", move |stream| {
        let (acceptor, guests) = (acceptor.clone(), guests.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, guests).await;
            }
        }
    })
    .await;
    let mut client = Client::connecting(&server.url("")).await;
    let SignalingNews::Certificate(report) = client.news().await else { panic!() };
    assert_eq!((report.host, report.changed), (server.address.to_string(), false));
    let (error, reason) = client.failure().await;
    assert_eq!(reason, "its certificate is not trusted");
    let ReachError::Untrusted(untrusted) = error else { panic!("{error:?}") };

    client.trust.send_modify(|trust| trust.pin(untrusted.host, untrusted.fingerprint));
    accepted.recv().await.unwrap().greet().await;
    client.connected().await;
}

#[tokio::test]
async fn what_is_no_roundtable_server_is_told() {
    for (answer, expected) in [
        (
            &b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"[..],
            "not a Roundtable server, it answered 404 Not Found",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "not a Roundtable server, it answered 200 OK"),
        (
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            "it does not take the connection and answered 503 Service Unavailable",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it does not speak plain HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "it does not speak plain HTTP"),
        (b"", "it closed the connection"),
    ] {
        let server = Server::raw(answer).await;
        let mut client = Client::connecting(&server.url("")).await;
        let (error, reason) = client.failure().await;
        assert!(reason.starts_with(expected), "{error:?}: {reason}");
        assert!(error.to_string().ends_with('.'), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_and_tried_again() {
    let mut client = Client::connecting(&support::closed_port()).await;
    let (error, reason) = client.failure().await;
    assert!(matches!(error, ReachError::Refused(_)), "{error:?}");
    assert_eq!(reason, "connection refused");
    let again = tokio::time::timeout(Duration::from_secs(30), client.news()).await.unwrap();
    assert!(matches!(again, SignalingNews::Unreachable(ReachError::Refused(_))), "{again:?}");
}

#[tokio::test]
async fn tls_is_not_found_where_there_is_none() {
    let (server, _guests) = websocket_server().await;
    let mut url = server.url("");
    url.set_scheme("https").unwrap();
    let (error, _) = Client::connecting(&url).await.failure().await;
    assert!(matches!(error, ReachError::NotTls(_) | ReachError::Closed(_)), "{error:?}");
}
