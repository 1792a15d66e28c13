//! The links of the call: starts a peer task for each, passes orders on, and tells the window and the statistics who plays whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use call_core::link::{ConnectionState, LinkEvent, LinkId, LinkOrder};
use call_core::signaling::SignalingEvent;
use call_media::{Media, PlayerMonitor};
use shared::PeerId;
use tokio::sync::watch;

use crate::peer::{Layers, LinkEvents, LinkHandle, LinkReport, NetworkConfig, PeerContext, spawn};

/// What others may see of the links, by peer.
pub type Links = BTreeMap<PeerId, LinkView>;

/// One link, as seen from outside.
#[derive(Clone)]
pub struct LinkView {
    /// Pictures and figures of the peer.
    pub player: PlayerMonitor,
    /// Figures of the connection.
    pub report: watch::Receiver<LinkReport>,
}

/// The running peer tasks.
pub struct LinkTable {
    context: PeerContext,
    running: BTreeMap<LinkId, LinkHandle>,
    views: watch::Sender<Arc<Links>>,
    /// When we asked to join, until we are in: links that begin now count from here.
    joining: Option<Instant>,
}

impl LinkTable {
    /// No link yet.
    pub fn new(media: Arc<Media>, events: LinkEvents) -> anyhow::Result<(Self, watch::Receiver<Arc<Links>>)> {
        let layers = Layers::spawn(Arc::clone(&media));
        let context = PeerContext { network: NetworkConfig::new(false)?, media, layers, events };
        let (views, reader) = watch::channel(Arc::new(Links::new()));
        Ok((Self { context, running: BTreeMap::new(), views, joining: None }, reader))
    }

    /// A connection with the server begins. A server on this machine means that peers may be on it too.
    pub fn connecting(&mut self, loopback: bool) {
        self.context.network.loopback = loopback;
    }

    /// Keeps track of when the join was sent: it follows the connection at once.
    pub fn note(&mut self, event: &SignalingEvent) {
        match event {
            SignalingEvent::Connected { .. } => self.joining = Some(Instant::now()),
            // Links to those who were there begin with this event; who comes later comes to us.
            SignalingEvent::JoinAnswered(_) => self.joining = None,
            SignalingEvent::Event(_)
            | SignalingEvent::Lost { .. }
            | SignalingEvent::Refused { .. }
            | SignalingEvent::Closed => {}
        }
    }

    /// Passes an order to its link.
    pub fn order(&mut self, link: &LinkId, order: LinkOrder) {
        match order {
            LinkOrder::Open(_) => {
                let began = self.joining.unwrap_or_else(Instant::now);
                let handle = spawn(link.clone(), self.context.clone(), began);
                self.running.insert(link.clone(), handle);
                self.publish();
                self.send(link, order);
            }
            LinkOrder::Close => {
                self.send(link, order);
                self.running.remove(link);
                self.publish();
            }
            // Past the queue: the task may be busy with a negotiation while a person moves a slider.
            LinkOrder::SetVolume(volume) => {
                if let Some(handle) = self.running.get(link) {
                    handle.player.set_volume(volume.gain());
                }
            }
            order => self.send(link, order),
        }
    }

    /// The session bounds what it sends, so a full queue means that the task hangs: dropping the handle ends it, and the session makes another.
    fn send(&mut self, link: &LinkId, order: LinkOrder) {
        let Some(handle) = self.running.get(link) else { return };
        if handle.orders.try_send(order).is_err() {
            tracing::warn!(peer = %link.peer, "the link does not keep up; closing it");
            self.running.remove(link);
            self.publish();
            let closed = (link.clone(), LinkEvent::Connection(ConnectionState::Closed));
            // When the queue is full, the session notices by itself that the link's orders are not answered.
            let _ = self.context.events.try_send(closed);
        }
    }

    fn publish(&self) {
        let views = self.running.iter().map(|(link, handle)| {
            let view = LinkView { player: handle.player.clone(), report: handle.report.clone() };
            (link.peer.clone(), view)
        });
        // A newer epoch comes later in the order and replaces the older.
        self.views.send_replace(Arc::new(views.collect()));
    }
}
