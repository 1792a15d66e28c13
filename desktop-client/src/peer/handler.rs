//! Turns the stack's callbacks into messages. Callbacks run inside the connection's driver, so they only push and return.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::mpsc;
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceGatheringState, RTCPeerConnectionIceErrorEvent,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};

/// Callbacks that may wait for the peer task. A peer can cause some of them (tracks, data channels): whoever floods loses the link.
const CAPACITY: usize = 256;

/// What the stack reports.
pub enum ConnectionEvent {
    /// The connection wants to be negotiated.
    NegotiationNeeded,
    /// A local candidate; `None` when there will be no more.
    Candidate(Option<RTCIceCandidateInit>),
    /// The state changed.
    State(RTCPeerConnectionState),
    /// The peer opened a data channel.
    DataChannel(Arc<dyn DataChannel>),
    /// The peer sends media.
    Track(Arc<dyn TrackRemote>),
}

/// The callback object of one connection.
pub struct Handler {
    events: mpsc::Sender<ConnectionEvent>,
    overflowed: Arc<AtomicBool>,
}

/// The receiving end of a [`Handler`].
pub struct ConnectionEvents {
    events: mpsc::Receiver<ConnectionEvent>,
    overflowed: Arc<AtomicBool>,
}

impl Handler {
    /// A handler and the stream of its events.
    pub fn new() -> (Arc<Self>, ConnectionEvents) {
        let (sender, events) = mpsc::channel(CAPACITY);
        let overflowed = Arc::new(AtomicBool::new(false));
        (
            Arc::new(Self { events: sender, overflowed: Arc::clone(&overflowed) }),
            ConnectionEvents { events, overflowed },
        )
    }

    fn push(&self, event: ConnectionEvent) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.events.try_send(event) {
            self.overflowed.store(true, Ordering::Relaxed);
        }
    }
}

impl ConnectionEvents {
    /// The next event; `None` when the connection is gone or events were lost, in which case the link cannot be trusted any more.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        if self.overflowed.load(Ordering::Relaxed) {
            return None;
        }
        self.events.recv().await
    }
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_negotiation_needed(&self) {
        self.push(ConnectionEvent::NegotiationNeeded);
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        match event.candidate.to_json() {
            Ok(candidate) => self.push(ConnectionEvent::Candidate(Some(candidate))),
            Err(error) => tracing::warn!("a local candidate cannot be written down: {error}"),
        }
    }

    async fn on_ice_candidate_error(&self, event: RTCPeerConnectionIceErrorEvent) {
        tracing::warn!("an ICE server did not help: {event:?}");
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.push(ConnectionEvent::Candidate(None));
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.push(ConnectionEvent::State(state));
    }

    async fn on_data_channel(&self, data_channel: Arc<dyn DataChannel>) {
        self.push(ConnectionEvent::DataChannel(data_channel));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.push(ConnectionEvent::Track(track));
    }
}
