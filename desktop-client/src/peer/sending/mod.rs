//! The sending side of the transport, below the media: what paces, what repairs, what estimates the path.
//!
//! Two interceptors of the stack do it, because only there everything that leaves and all feedback is seen. [`Pacing`] sits above the wire: it holds packets
//! back, answers NACKs and fills probes. [`Estimation`] sits at the wire: it numbers packets, joins the peer's feedback to them, and drives a
//! [`BandwidthEstimator`]. All rules are cores of `media-core`; here packets are translated to facts and orders to packets.
//!
//! The two tell each other news through bounded queues. The stack hands everything first to one and then to the other, in either direction, and wakes both at
//! once, so news is read before it is needed. The rest of the client holds a [`SendPath`].

mod estimation;
mod feedback;
mod pacing;
mod path;
#[cfg(test)]
mod tests;
mod wire;

use std::time::Duration;

use media_core::bitrate::Bitrate;
use media_core::congestion::{BandwidthEstimator, Probe, ProbeSent};
use tokio::sync::mpsc;

pub use self::estimation::Estimation;
pub use self::pacing::Pacing;
pub use self::path::{PathReport, SendPath};

/// News that may wait on the way between the two interceptors. They are read at every packet, so more never wait; what does not fit is dropped: the next news of
/// the path says everything again, and an estimator that hears nothing of its probe goes on without.
const NEWS: usize = 16;

/// What the pacing hears from the estimation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum News {
    Path(PathNews),
    Probe(Probe),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct PathNews {
    estimate: Bitrate,
    /// 0–1.
    fraction_lost: f64,
    /// Smoothed.
    round_trip_time: Option<Duration>,
}

/// The two interceptors, and the client's end of them.
pub fn new<E: BandwidthEstimator + Sync>(estimator: E) -> (Pacing, Estimation<E>, SendPath) {
    let (news, news_in) = mpsc::channel::<News>(NEWS);
    let (sent, sent_in) = mpsc::channel::<ProbeSent>(NEWS);
    let (path, shared, publisher) = path::new(estimator.estimate());
    let pacing = Pacing::new(estimator.estimate(), news_in, sent, shared.clone());
    let estimation = Estimation::new(estimator, news, sent_in, shared, publisher);
    (pacing, estimation, path)
}
