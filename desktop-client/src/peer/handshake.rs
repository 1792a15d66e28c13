//! Says the messages of the DTLS handshake again while nobody answers.
//!
//! The stack repeats a message after a second (the initial timer of RFC 6347 §4.2.4.1) and gives up after the seventh time. There are three round trips, so on a path
//! that loses a third of all datagrams each way it takes seconds, and now and then the handshake fails. The stack has no setting for it, but it lets us hand it its
//! sockets: here copies of what it sends leave until something new arrives. Copies are nothing special to a receiver: networks duplicate datagrams, and the record
//! layer drops what it has seen (RFC 6347 §4.1.2.6).

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

/// From one copy to the next; then the stack repeats by itself.
const COPIES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(250), Duration::from_millis(250)];

/// A runtime whose UDP sockets repeat the messages of handshakes.
#[derive(Debug)]
pub struct RepeatingHandshakes(pub Arc<dyn Runtime>);

impl Runtime for RepeatingHandshakes {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.0.spawn(future)
    }

    fn spawn_reactor(
        &self,
        reactor_pool_size: usize,
        future: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Box<dyn JoinHandle> {
        self.0.spawn_reactor(reactor_pool_size, future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let inner = self.0.wrap_udp_socket(socket)?;
        Ok(Arc::new(Socket { inner, runtime: Arc::clone(&self.0), heard: Arc::default() }))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.0.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote_addr: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.0.connect_tcp(remote_addr)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        self.0.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.0.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.0.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.0.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.0.yield_now()
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }
}

#[derive(Debug)]
struct Socket {
    inner: Arc<dyn AsyncUdpSocket>,
    runtime: Arc<dyn Runtime>,
    heard: Arc<Heard>,
}

/// What has arrived that answers a handshake.
#[derive(Debug, Default)]
struct Heard {
    /// How often something new came.
    news: AtomicU64,
    /// The highest record so far: what is not above it is a copy.
    newest: Mutex<u64>,
}

impl Heard {
    fn datagram(&self, datagram: &[u8]) {
        let is_news = match kind(datagram) {
            Kind::Handshake(record) | Kind::Dtls(record) => {
                let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
                // The first record has the number zero.
                let is_new = record + 1 > *newest;
                *newest = (*newest).max(record + 1);
                is_new
            }
            // Who sends media has finished.
            Kind::Media => true,
            Kind::Other => false,
        };
        if is_news {
            self.news.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn news(&self) -> u64 {
        self.news.load(Ordering::Relaxed)
    }
}

/// What a datagram is (RFC 7983 §7), and the epoch and number of the first record (RFC 6347 §4.1).
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// A part of a handshake.
    Handshake(u64),
    /// An alert or data.
    Dtls(u64),
    Media,
    Other,
}

fn kind(datagram: &[u8]) -> Kind {
    const CHANGE_CIPHER_SPEC: u8 = 20;
    const HANDSHAKE: u8 = 22;
    match *datagram {
        // The top bit of the epoch is ours: nobody renegotiates 32 768 times.
        [content @ 20..=63, _, _, e0, e1, s0, s1, s2, s3, s4, s5, ..] => {
            let record = u64::from_be_bytes([e0 & 0x7F, e1, s0, s1, s2, s3, s4, s5]);
            if matches!(content, CHANGE_CIPHER_SPEC | HANDSHAKE) {
                Kind::Handshake(record)
            } else {
                Kind::Dtls(record)
            }
        }
        [128..=191, ..] => Kind::Media,
        _ => Kind::Other,
    }
}

impl Socket {
    /// Sends copies of a message while nothing new arrives.
    fn repeat(&self, datagram: &[u8], to: SocketAddr) {
        let (inner, runtime, heard) =
            (Arc::clone(&self.inner), Arc::clone(&self.runtime), Arc::clone(&self.heard));
        let (datagram, before) = (datagram.to_vec(), heard.news());
        let copies = async move {
            for wait in COPIES {
                runtime.sleep(wait).await;
                if heard.news() != before {
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
                received.chunks(meta.stride.max(1)).for_each(|datagram| self.heard.datagram(datagram));
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

    fn record(content: u8, epoch: u16, number: u8) -> Vec<u8> {
        let [e0, e1] = epoch.to_be_bytes();
        vec![content, 0xFE, 0xFD, e0, e1, 0, 0, 0, 0, 0, number, 0, 1, 7]
    }

    #[test]
    fn datagrams_are_told_apart() {
        assert_eq!(kind(&record(22, 0, 3)), Kind::Handshake(3));
        assert_eq!(kind(&record(20, 1, 0)), Kind::Handshake(1 << 48));
        assert_eq!(kind(&record(23, 1, 2)), Kind::Dtls((1 << 48) + 2));
        assert_eq!(kind(&record(128, 0, 0)), Kind::Media);
        for nothing in [&[][..], &[22; 10], &[0, 1, 0, 0], &[255]] {
            assert_eq!(kind(nothing), Kind::Other);
        }
        assert_eq!(kind(&[63; 11]), Kind::Dtls(0x3F3F_3F3F_3F3F_3F3F));
    }

    #[test]
    fn a_copy_is_no_news() {
        let heard = Heard::default();
        for (datagram, news) in [
            (record(22, 0, 0), 1),
            (record(22, 0, 0), 1),
            (record(22, 0, 2), 2),
            (record(22, 0, 1), 2),
            (record(22, 1, 0), 3),
            (vec![0, 1, 0, 0], 3),
            (record(128, 0, 0), 4),
        ] {
            heard.datagram(&datagram);
            assert_eq!(heard.news(), news, "{datagram:?}");
        }
    }

    struct Pair {
        ours: Arc<dyn AsyncUdpSocket>,
        theirs: tokio::net::UdpSocket,
    }

    impl Pair {
        async fn new() -> Self {
            let runtime = RepeatingHandshakes(webrtc::runtime::default_runtime().expect("a runtime"));
            let ours = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let ours = runtime.wrap_udp_socket(ours).expect("a wrapped socket");
            let theirs = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
            Self { ours, theirs }
        }

        async fn say(&self, datagram: &[u8]) {
            self.ours.send_to(datagram, self.theirs.local_addr().expect("an address")).await.expect("sent");
        }

        /// Datagrams that arrive until nothing has for longer than from one copy to the next.
        async fn arrive(&self) -> usize {
            let (mut count, mut buffer) = (0, [0; 2_000]);
            while let Ok(received) =
                tokio::time::timeout(COPIES[0] * 3, self.theirs.recv_from(&mut buffer)).await
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
        pair.say(&record(22, 0, 0)).await;
        assert_eq!(pair.arrive().await, 1 + COPIES.len());
        pair.say(&record(23, 1, 0)).await;
        pair.say(&[128; 40]).await;
        assert_eq!(pair.arrive().await, 2);
    }

    #[tokio::test]
    async fn an_answer_ends_the_copies() {
        let pair = Pair::new().await;
        pair.say(&record(22, 0, 0)).await;
        let ours = pair.ours.local_addr().expect("an address");
        pair.theirs.send_to(&record(22, 0, 0), ours).await.expect("sent");
        pair.ours.recv_from(&mut [0; 2_000]).await.expect("received");
        assert_eq!(pair.arrive().await, 1);
    }
}
