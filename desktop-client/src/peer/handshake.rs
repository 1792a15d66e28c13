//! Says the messages of the DTLS handshake again while nobody answers.
//!
//! The stack repeats a message after a second (the initial timer of RFC 6347 §4.2.4.1) and gives up after the seventh time. There are three round trips, so on a path
//! that loses a third of all datagrams each way it takes seconds. Worse, it forgets its timer for good when the peer repeats an old message, as browsers do as long as
//! they miss a part of ours: the handshake never ends then. The stack has no setting for it, but it lets us hand it its sockets: here copies of what it sends leave until
//! the peer has come further. Copies are nothing special to a receiver: networks duplicate datagrams, and the record layer drops what it has seen (RFC 6347 §4.1.2.6).

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, Transmit,
};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// From one copy to the next: 24 s, longer than a connection is waited for before it is made anew.
const WAITS: &[Duration] = &[
    ms(250),
    ms(250),
    ms(250),
    ms(500),
    ms(500),
    ms(1_000),
    ms(1_000),
    ms(2_000),
    ms(2_000),
    ms(4_000),
    ms(4_000),
    ms(4_000),
    ms(4_000),
];

/// Datagrams that leave within this time are one flight (RFC 6347 §4.2.4). What leaves later is the next one, or the same one said again by the stack.
const FLIGHT: Duration = ms(50);

/// A runtime whose UDP sockets repeat the messages of handshakes.
#[derive(Debug)]
pub struct RepeatingHandshakes {
    runtime: Arc<dyn Runtime>,
    waits: &'static [Duration],
}

impl RepeatingHandshakes {
    /// Everything else is left to `runtime`.
    pub fn new(runtime: Arc<dyn Runtime>) -> Self {
        Self { runtime, waits: WAITS }
    }
}

impl Runtime for RepeatingHandshakes {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.runtime.spawn(future)
    }

    fn spawn_reactor(
        &self,
        reactor_pool_size: usize,
        future: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Box<dyn JoinHandle> {
        self.runtime.spawn_reactor(reactor_pool_size, future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let inner = self.runtime.wrap_udp_socket(socket)?;
        Ok(Arc::new(Socket {
            inner,
            runtime: Arc::clone(&self.runtime),
            waits: self.waits,
            handshake: Arc::default(),
        }))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.runtime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote_addr: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.runtime.connect_tcp(remote_addr)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        self.runtime.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.runtime.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.runtime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.runtime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.runtime.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.runtime.yield_now()
    }

    fn name(&self) -> &'static str {
        self.runtime.name()
    }
}

#[derive(Debug)]
struct Socket {
    inner: Arc<dyn AsyncUdpSocket>,
    runtime: Arc<dyn Runtime>,
    waits: &'static [Duration],
    handshake: Arc<Handshake>,
}

/// How far a handshake is.
#[derive(Debug, Default)]
struct Handshake {
    /// How often something came that shows that our last flight arrived.
    news: AtomicU64,
    /// The furthest message so far.
    furthest: Mutex<u32>,
    /// Our flight, and when the first datagram of it left.
    flight: Mutex<(u64, Option<Instant>)>,
}

impl Handshake {
    fn hears(&self, datagram: &[u8]) {
        let is_news = match kind(datagram) {
            Kind::Handshake(message) => {
                let mut furthest = self.furthest.lock().unwrap_or_else(PoisonError::into_inner);
                let is_new = message > *furthest;
                *furthest = (*furthest).max(message);
                is_new
            }
            // Who sends data, media or an alert is through.
            Kind::Dtls | Kind::Media => true,
            Kind::Other => false,
        };
        if is_news {
            self.news.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn news(&self) -> u64 {
        self.news.load(Ordering::Relaxed)
    }

    /// The number of the flight that a datagram leaves with now.
    fn says(&self, now: Instant) -> u64 {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, since) = &mut *flight;
        if since.is_none_or(|since| now.saturating_duration_since(since) > FLIGHT) {
            (*number, *since) = (*number + 1, Some(now));
        }
        *number
    }

    fn flight(&self) -> u64 {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What a datagram is (RFC 7983 §7).
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// A part of a handshake; the higher, the further.
    Handshake(u32),
    /// An alert or data.
    Dtls,
    Media,
    Other,
}

/// Looks at the first record (RFC 6347 §4.1) and its message (§4.2.2). A message that is said again has a record number of its own, but keeps its message number.
fn kind(datagram: &[u8]) -> Kind {
    const CHANGE_CIPHER_SPEC: u8 = 20;
    const HANDSHAKE: u8 = 22;
    /// Beyond all message numbers.
    const CIPHER_CHANGED: u32 = 1 << 16;
    const FINISHED: u32 = CIPHER_CHANGED + 1;
    match *datagram {
        [CHANGE_CIPHER_SPEC, _, _, _, _, ..] => Kind::Handshake(CIPHER_CHANGED),
        [HANDSHAKE, _, _, 0, 0, _, _, _, _, _, _, _, _, _, _, _, _, m0, m1, ..] => {
            Kind::Handshake(u32::from(u16::from_be_bytes([m0, m1])) + 1)
        }
        [HANDSHAKE, _, _, 0, 0, ..] => Kind::Other,
        // What follows the change is encrypted; there is one message only.
        [HANDSHAKE, _, _, _, _, ..] => Kind::Handshake(FINISHED),
        [20..=63, _, _, _, _, ..] => Kind::Dtls,
        [128..=191, ..] => Kind::Media,
        _ => Kind::Other,
    }
}

impl Socket {
    /// Sends copies of a message until the peer comes further, or its flight is said again or is not the last any longer.
    fn repeat(&self, datagram: &[u8], to: SocketAddr) {
        let (inner, runtime, handshake) =
            (Arc::clone(&self.inner), Arc::clone(&self.runtime), Arc::clone(&self.handshake));
        let (datagram, waits) = (datagram.to_vec(), self.waits);
        let (flight, before) = (handshake.says(runtime.now()), handshake.news());
        let copies = async move {
            for wait in waits {
                runtime.sleep(*wait).await;
                if handshake.news() != before || handshake.flight() != flight {
                    return;
                }
                if let Err(error) = inner.send_to(&datagram, to).await {
                    return tracing::debug!("a handshake is not repeated: {error}");
                }
            }
        };
        self.runtime.spawn(Box::pin(copies)).detach();
    }
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let result = self.inner.poll_send(cx, transmit);
        if matches!(result, Poll::Ready(Ok(_))) {
            let datagrams = transmit.contents.chunks(transmit.segment_size.unwrap_or(usize::MAX).max(1));
            for datagram in datagrams.filter(|datagram| matches!(kind(datagram), Kind::Handshake(_))) {
                self.repeat(datagram, transmit.destination);
            }
        }
        result
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let result = self.inner.poll_recv(cx, bufs, meta);
        if let Poll::Ready(Ok(count)) = &result {
            for (buffer, meta) in bufs.iter().zip(meta.iter()).take(*count) {
                let received = buffer.get(..meta.len).unwrap_or_default();
                received.chunks(meta.stride.max(1)).for_each(|datagram| self.handshake.hears(datagram));
            }
        }
        result
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST_WAITS: &[Duration] = &[ms(100), ms(100), ms(100)];

    /// A record with a message that has this number.
    fn record(content: u8, epoch: u16, number: u8, message: u16) -> Vec<u8> {
        let ([e0, e1], [m0, m1]) = (epoch.to_be_bytes(), message.to_be_bytes());
        vec![content, 0xFE, 0xFD, e0, e1, 0, 0, 0, 0, 0, number, 0, 7, 1, 0, 0, 1, m0, m1, 7]
    }

    #[test]
    fn datagrams_are_told_apart() {
        assert_eq!(kind(&record(22, 0, 9, 3)), Kind::Handshake(4));
        assert_eq!(kind(&record(22, 0, 9, 0xFFFF)), Kind::Handshake(0x1_0000));
        assert_eq!(kind(&record(20, 0, 0, 0)), Kind::Handshake(0x1_0000));
        assert_eq!(kind(&record(22, 1, 0, 0)), Kind::Handshake(0x1_0001));
        assert_eq!(kind(&record(23, 1, 2, 0)), Kind::Dtls);
        assert_eq!(kind(&record(21, 0, 2, 0)), Kind::Dtls);
        assert_eq!(kind(&record(128, 0, 0, 0)), Kind::Media);
        for nothing in [&[][..], &[22; 4], &[22, 0xFE, 0xFD, 0, 0, 0, 0], &[0, 1, 0, 0], &[255]] {
            assert_eq!(kind(nothing), Kind::Other);
        }
    }

    #[test]
    fn what_is_said_again_is_no_news() {
        let handshake = Handshake::default();
        for (datagram, news) in [
            (record(22, 0, 0, 0), 1),
            (record(22, 0, 0, 0), 1),
            // The same message, in a record of its own.
            (record(22, 0, 1, 0), 1),
            (record(22, 0, 2, 2), 2),
            (record(22, 0, 3, 1), 2),
            (record(20, 0, 4, 0), 3),
            (record(22, 1, 0, 0), 4),
            (record(22, 1, 1, 0), 4),
            (vec![0, 1, 0, 0], 4),
            (record(128, 0, 0, 0), 5),
        ] {
            handshake.hears(&datagram);
            assert_eq!(handshake.news(), news, "{datagram:?}");
        }
    }

    struct Pair {
        ours: Arc<dyn AsyncUdpSocket>,
        theirs: tokio::net::UdpSocket,
    }

    impl Pair {
        async fn new() -> Self {
            let inner = webrtc::runtime::default_runtime().expect("a runtime");
            let runtime = RepeatingHandshakes { runtime: inner, waits: TEST_WAITS };
            let ours = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let ours = runtime.wrap_udp_socket(ours).expect("a wrapped socket");
            let theirs = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
            Self { ours, theirs }
        }

        async fn say(&self, datagram: &[u8]) {
            self.ours.send_to(datagram, self.theirs.local_addr().expect("an address")).await.expect("sent");
        }

        async fn hear(&self, datagram: &[u8]) {
            let ours = self.ours.local_addr().expect("an address");
            self.theirs.send_to(datagram, ours).await.expect("sent");
            self.ours.recv_from(&mut [0; 2_000]).await.expect("received");
        }

        /// Datagrams that arrive until nothing has for longer than from one copy to the next.
        async fn arrive(&self) -> usize {
            let (mut count, mut buffer) = (0, [0; 2_000]);
            while let Ok(received) =
                tokio::time::timeout(TEST_WAITS[0] * 5, self.theirs.recv_from(&mut buffer)).await
            {
                received.expect("received");
                count += 1;
            }
            count
        }
    }

    #[tokio::test]
    async fn what_nobody_answers_is_repeated_and_nothing_else_is() {
        let pair = Pair::new().await;
        pair.say(&record(22, 0, 0, 0)).await;
        assert_eq!(pair.arrive().await, 1 + TEST_WAITS.len());
        pair.say(&record(23, 1, 0, 0)).await;
        pair.say(&[128; 40]).await;
        assert_eq!(pair.arrive().await, 2);
    }

    #[tokio::test]
    async fn an_answer_ends_the_copies() {
        let pair = Pair::new().await;
        pair.hear(&record(22, 0, 0, 0)).await;
        pair.say(&record(22, 0, 0, 0)).await;
        pair.hear(&record(22, 0, 1, 1)).await;
        assert_eq!(pair.arrive().await, 1);
    }

    #[tokio::test]
    async fn an_old_message_does_not_end_the_copies() {
        let pair = Pair::new().await;
        pair.hear(&record(22, 0, 0, 0)).await;
        pair.say(&record(22, 0, 0, 0)).await;
        pair.hear(&record(22, 0, 1, 0)).await;
        assert_eq!(pair.arrive().await, 1 + TEST_WAITS.len());
    }

    #[tokio::test]
    async fn a_flight_is_repeated_whole_until_it_is_said_again() {
        let pair = Pair::new().await;
        pair.say(&record(22, 0, 0, 0)).await;
        pair.say(&record(22, 0, 1, 1)).await;
        tokio::time::sleep(FLIGHT * 3).await;
        pair.say(&record(22, 0, 2, 0)).await;
        pair.say(&record(22, 0, 3, 1)).await;
        // Two and the first copies of them, then two with all of theirs.
        assert_eq!(pair.arrive().await, 4 + 2 * (1 + TEST_WAITS.len()));
    }
}
