//! What the rest of the client sees of the path, and tells it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use media_core::bitrate::Bitrate;
use media_core::congestion::EstimatorStats;
use tokio::sync::watch;

/// The client's end of the sending side of one link. Cheap to clone; reading never waits.
#[derive(Debug, Clone)]
pub struct SendPath {
    shared: Arc<Shared>,
    report: watch::Receiver<PathReport>,
}

/// What is known of the path.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PathReport {
    /// What it carries.
    pub estimate: Bitrate,
    /// What the estimator says about itself.
    pub estimator: EstimatorStats,
    /// Round-trip time of media by RTCP reports, smoothed; of the transport feedback where there are none.
    pub round_trip_time: Option<Duration>,
}

/// What was sent besides the media itself, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repair {
    /// Packets sent again on a NACK.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Bytes on the wire that only filled probes.
    pub padding_bytes: u64,
}

/// Plain numbers, of which each has one writer; nobody needs two of them to fit together.
#[derive(Debug)]
pub(super) struct Shared {
    demand: AtomicU64,
    allocation: AtomicU64,
    queue_delay_us: AtomicU64,
    packets: AtomicU64,
    bytes: AtomicU64,
    padding_bytes: AtomicU64,
}

pub(super) fn new(estimate: Bitrate) -> (SendPath, Arc<Shared>, watch::Sender<PathReport>) {
    let shared = Arc::new(Shared {
        demand: AtomicU64::new(0),
        allocation: AtomicU64::new(0),
        queue_delay_us: AtomicU64::new(0),
        packets: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        padding_bytes: AtomicU64::new(0),
    });
    let (publisher, report) = watch::channel(PathReport { estimate, ..PathReport::default() });
    (SendPath { shared: Arc::clone(&shared), report }, shared, publisher)
}

impl SendPath {
    /// What is known of the path.
    pub fn report(&self) -> PathReport {
        *self.report.borrow()
    }

    /// How long what waits for the pacer takes at the rate of the path. While it is long, leave frames out before they take sequence numbers.
    pub fn queue_delay(&self) -> Duration {
        Duration::from_micros(self.shared.queue_delay_us.load(Ordering::Relaxed))
    }

    /// What was sent besides the media.
    pub fn repair(&self) -> Repair {
        Repair {
            packets: self.shared.packets.load(Ordering::Relaxed),
            bytes: self.shared.bytes.load(Ordering::Relaxed),
            padding_bytes: self.shared.padding_bytes.load(Ordering::Relaxed),
        }
    }

    /// What would be sent if the path allowed it, on the wire: estimates and probes go not far above.
    pub fn set_demand(&self, demand: Bitrate) {
        self.shared.demand.store(demand.as_bps(), Ordering::Relaxed);
    }

    /// What is sent on purpose, be it more than the estimate: the pacing is never slower than this asks for. Zero, as it is at first, where what is sent follows the
    /// estimate.
    pub fn set_allocation(&self, allocation: Bitrate) {
        self.shared.allocation.store(allocation.as_bps(), Ordering::Relaxed);
    }
}

impl Shared {
    pub(super) fn demand(&self) -> Bitrate {
        Bitrate::bps(self.demand.load(Ordering::Relaxed))
    }

    pub(super) fn allocation(&self) -> Bitrate {
        Bitrate::bps(self.allocation.load(Ordering::Relaxed))
    }

    pub(super) fn set_queue_delay(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.queue_delay_us.store(micros, Ordering::Relaxed);
    }

    pub(super) fn resent(&self, bytes: usize) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn padded(&self, bytes: usize) {
        self.padding_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
