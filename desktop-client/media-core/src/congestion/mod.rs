//! How much the path to one peer carries: estimators behind one trait, fed with what the peer reports of each packet.
//!
//! Feedback is transport-wide (draft-holmer-rmcat-transport-wide-cc-extensions-01): for each packet that left, whether and when it arrived. The
//! estimator answers with a rate, and now and then asks for a probe: a short burst at a higher rate that shows whether the path carries it. Who paces and
//! who fills probes is decided elsewhere ([`crate::pacer`]).

mod aimd;
mod arrival_groups;
mod config;
mod delay;
mod gcc;
mod in_flight;
mod link_capacity;
mod loss;
mod loss_counts;
mod probe_control;
mod probe_result;
mod queue_delay;
mod rate_meter;

mod timeline;
mod trendline;
mod windowed;

use std::time::{Duration, Instant};

pub use self::config::GccConfig;
pub use self::gcc::Gcc;
use crate::bitrate::Bitrate;

/// The fate of one packet, as the peer reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketResult {
    /// When it left, after pacing.
    pub departure: Instant,
    /// When it arrived, on the peer's clock, whose zero means nothing; `None` when it was lost.
    pub arrival: Option<Duration>,
    /// Bytes on the wire.
    pub bytes: usize,
}

/// A wish for a burst at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Tells it from others.
    pub id: u32,
    /// The rate to send at, media included.
    pub rate: Bitrate,
    /// Fewest bytes that make it conclusive.
    pub bytes: usize,
    /// Fewest packets that make it conclusive.
    pub packets: usize,
}

/// When a probe's packets left: those with a departure in this span (ends included) belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeSent {
    /// Which probe.
    pub id: u32,
    /// Departure of the first packet.
    pub first: Instant,
    /// Departure of the last packet.
    pub last: Instant,
}

/// What an estimator says about itself, for statistics.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct EstimatorStats {
    /// The delay-based half of the estimate.
    pub delay_based: Option<Bitrate>,
    /// The loss-based half of the estimate.
    pub loss_based: Option<Bitrate>,
    /// What arrives, by the peer's reports.
    pub acknowledged: Option<Bitrate>,
    /// Share of packets lost lately, 0–1.
    pub fraction_lost: Option<f64>,
    /// Time from departure to report, at the least lately.
    pub round_trip_time: Option<Duration>,
    /// How much longer packets take than they could: what waits in queues on the way, as far as the reports tell.
    pub queue_delay: Option<Duration>,
}

/// Estimates one path. Deterministic: time is an argument.
pub trait BandwidthEstimator: Send {
    /// What would be sent if the path allowed it: estimates and probes need not go far above.
    fn set_demand(&mut self, demand: Bitrate, now: Instant);

    /// A packet left, after pacing. Tells silence of the peer from silence of ours, and lost reports from lost packets; an estimator that cares for neither
    /// ignores it.
    fn on_sent(&mut self, _bytes: usize, _departure: Instant) {}

    /// Packets whose fate is known now, in the order in which they left.
    fn on_feedback(&mut self, results: &[PacketResult], now: Instant);

    /// A probe that was asked for has left.
    fn on_probe_sent(&mut self, sent: ProbeSent, now: Instant);

    /// What the path carries.
    fn estimate(&self) -> Bitrate;

    /// The next probe that is wanted.
    fn poll_probe(&mut self) -> Option<Probe>;

    /// Does what is due.
    fn handle_timeout(&mut self, now: Instant);

    /// When [`Self::handle_timeout`] wants to be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// For statistics.
    fn stats(&self) -> EstimatorStats;
}
