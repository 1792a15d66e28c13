//! The stack's own congestion control behind our seam.

use std::time::Instant;

use media_core::bitrate::Bitrate;
use media_core::congestion::{BandwidthEstimator, EstimatorStats, PacketResult, Probe, ProbeSent};
use rtc::interceptor::{BandwidthEstimator as _, Gcc, PacketReport};
use rtc::rtcp::transport_feedbacks::cc_feedback_report::Ecn;

/// First guess before there is any feedback, in bit/s: Chromium starts at the same rate.
const START: f64 = 300_000.0;
/// Never below this, in bit/s: audio alone needs about as much with its headers.
const MIN: f64 = 60_000.0;
/// Never above this, in bit/s: no layer of ours needs more.
const MAX: f64 = 5_000_000.0;

/// Google congestion control (draft-ietf-rmcat-gcc-02) as the stack has it: without probes and without regard to demand.
pub struct StockGcc {
    inner: Gcc,
    packets: u64,
}

impl StockGcc {
    /// At its start.
    pub fn new() -> Self {
        Self { inner: Gcc::new(START, MIN, MAX), packets: 0 }
    }

    fn report(&mut self, result: &PacketResult) -> PacketReport {
        self.packets += 1;
        PacketReport {
            ssrc: 0,
            id: self.packets,
            rtp_sequence_number: 0,
            is_twcc: true,
            twcc_sequence_number: 0,
            size: result.bytes,
            arrived: result.arrival.is_some(),
            departure: result.departure,
            arrival: result.arrival,
            ecn: Ecn::NotEct,
        }
    }
}

impl BandwidthEstimator for StockGcc {
    fn set_demand(&mut self, _: Bitrate, _: Instant) {}

    fn on_feedback(&mut self, results: &[PacketResult], now: Instant) {
        let reports: Vec<_> = results.iter().map(|result| self.report(result)).collect();
        self.inner.on_reports(now, &reports);
    }

    fn on_probe_sent(&mut self, _: ProbeSent, _: Instant) {}

    fn estimate(&self) -> Bitrate {
        rate(self.inner.target_bitrate())
    }

    fn poll_probe(&mut self) -> Option<Probe> {
        None
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.inner.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }

    fn stats(&self) -> EstimatorStats {
        let stats = self.inner.stats();
        EstimatorStats {
            delay_based: stats.delay_based_bitrate.map(rate),
            loss_based: stats.loss_based_bitrate.map(rate),
            fraction_lost: stats.packet_loss,
            round_trip_time: stats.round_trip_time,
            ..EstimatorStats::default()
        }
    }
}

fn rate(bits_per_second: f64) -> Bitrate {
    Bitrate::bps(1).scale(bits_per_second)
}
