//! The signaling task: owns the WebSocket and drives the signaling core, which decides everything.
//!
//! The task never waits for one side while the other needs it. News that the engine does not take stop the reading of the WebSocket, so that
//! TCP slows the server down, but orders are always taken: neither side can wait for the other in a circle. What the server does not take is
//! queued up to a limit, and beyond it the connection is given up.

mod dial;
mod transport;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::time::{Duration, Instant};

use call_core::session::{self, SignalingOrder};
use call_core::signaling::{Signaling, SignalingEvent, SignalingInput, SignalingOutput};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::reach::ReachError;
use crate::tls::TrustStore;
use transport::{Fact, Transport};

/// Orders that may wait for the task. They are taken at once, so a full queue means a task that hangs.
const ORDERS: usize = 256;

/// News that may wait for the engine, in messages. When it is full, nothing more is read from the server.
const NEWS: usize = 256;

/// How long a goodbye may take to leave after the connection is closed.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the engine hears from the task.
#[derive(Debug, Clone)]
pub enum SignalingNews {
    /// For the session, as [`session::Input::Signaling`].
    Event(SignalingEvent),
    /// For the session, as [`session::Input::Certificate`]. The attempt to connect has failed with it; after the person has trusted the
    /// certificate, the trust store is replaced and the next attempt succeeds.
    Certificate(session::UntrustedCertificate),
    /// Why the attempt to connect failed, in full, for a log or a program without a window. An event follows with the same in a few words.
    Unreachable(ReachError),
}

/// The engine's end of the task.
#[derive(Debug)]
pub struct SignalingTask {
    /// The session's orders. Dropping this ends the task with a goodbye to the server.
    pub orders: mpsc::Sender<SignalingOrder>,
    /// What came of them.
    pub news: mpsc::Receiver<SignalingNews>,
    /// Ends when the goodbye has left, at most two seconds after `orders` or `news` is dropped.
    pub task: JoinHandle<()>,
}

/// Starts the task on the current Tokio runtime. `trust` is looked at anew for each attempt to connect; `seed` is for the jitter of the waits
/// between attempts.
pub fn start(trust: watch::Receiver<TrustStore>, seed: u64) -> SignalingTask {
    let (orders, orders_out) = mpsc::channel(ORDERS);
    let (news_in, news) = mpsc::channel(NEWS);
    let driver = Driver {
        core: Signaling::new(seed),
        transport: Transport::None,
        goodbyes: JoinSet::new(),
        untold: VecDeque::new(),
        trust,
    };
    SignalingTask { orders, news, task: tokio::spawn(driver.run(orders_out, news_in)) }
}

struct Driver {
    core: Signaling,
    transport: Transport,
    /// Connections that are being closed.
    goodbyes: JoinSet<()>,
    /// News that the engine has not taken yet. Bounded: while there are any, nothing is read from the server.
    untold: VecDeque<SignalingNews>,
    trust: watch::Receiver<TrustStore>,
}

impl Driver {
    async fn run(mut self, mut orders: mpsc::Receiver<SignalingOrder>, news: mpsc::Sender<SignalingNews>) {
        loop {
            let wake = self.core.poll_timeout();
            let read = self.untold.is_empty();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.handle(input_of(order)),
                    None => break,
                },
                fact = poll_fn(|cx| self.transport.poll(cx, read)) => self.transport_reports(fact),
                room = news.reserve(), if !read => match (room, self.untold.pop_front()) {
                    (Ok(room), Some(news)) => room.send(news),
                    (Ok(_), None) => {}
                    (Err(_), _) => break,
                },
                () = sleep_until(wake) => {
                    self.core.handle_timeout(Instant::now());
                    self.carry_out();
                }
                Some(_) = self.goodbyes.join_next() => {}
            }
        }
        self.handle(SignalingInput::Stop);
        while self.goodbyes.join_next().await.is_some() {}
    }

    fn handle(&mut self, input: SignalingInput) {
        self.core.handle(input, Instant::now());
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.core.poll_output() {
            match output {
                SignalingOutput::Dial { url } => {
                    self.transport =
                        Transport::Dialing(Box::pin(dial::dial(url, self.trust.borrow().clone())));
                }
                SignalingOutput::Send(text) => self.transport.send(text),
                SignalingOutput::CloseTransport => self.close(),
                SignalingOutput::Event(event) => self.untold.push_back(SignalingNews::Event(event)),
            }
        }
    }

    fn transport_reports(&mut self, fact: Fact) {
        let input = match fact {
            Fact::Dialed(Ok(link)) => {
                self.transport = Transport::Open(link);
                SignalingInput::Opened
            }
            Fact::Dialed(Err(error)) => {
                self.transport = Transport::None;
                if let ReachError::Untrusted(untrusted) = &error {
                    self.untold.push_back(SignalingNews::Certificate(untrusted.report()));
                }
                let reason = error.few_words();
                self.untold.push_back(SignalingNews::Unreachable(error));
                SignalingInput::TransportClosed { reason }
            }
            Fact::Text(text) => SignalingInput::Text(text),
            Fact::Binary(bytes) => SignalingInput::Binary(bytes),
            Fact::Closed { reason } => {
                self.transport = Transport::None;
                SignalingInput::TransportClosed { reason }
            }
        };
        self.handle(input);
    }

    fn close(&mut self) {
        if let Transport::Open(link) = std::mem::replace(&mut self.transport, Transport::None) {
            self.goodbyes.spawn(async move {
                // A server that does not take the goodbye will notice the closed connection.
                let _ = tokio::time::timeout(GOODBYE_TIMEOUT, link.close()).await;
            });
        }
    }
}

fn input_of(order: SignalingOrder) -> SignalingInput {
    match order {
        SignalingOrder::Connect { url } => SignalingInput::Start(url),
        SignalingOrder::Emit(event) => SignalingInput::Emit(event),
        SignalingOrder::Disconnect => SignalingInput::Stop,
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
