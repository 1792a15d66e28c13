//! The interceptor at the wire: numbers what leaves, reads feedback, drives the estimator.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media_core::bitrate::Bitrate;
use media_core::congestion::{BandwidthEstimator, ProbeSent};
use media_core::round_trip::ReportClock;
use media_core::transport_feedback::TransportHistory;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use tokio::sync::{mpsc, watch};

use super::path::{PathReport, Shared};
use super::{News, PathNews, feedback, wire};

/// The shortest time until the estimator is called again: one that asks for the past must not keep the connection's task busy.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// Numbers packets (draft-holmer-rmcat-transport-wide-cc-extensions-01), so that what the pacing generates is numbered and counted as well, and gives what the
/// peer reports to the estimator.
pub struct Estimation<E> {
    estimator: E,
    demand: Option<Bitrate>,
    history: TransportHistory,
    /// The id of the header extension, for each stream that has it.
    extensions: BTreeMap<u32, u8>,
    clock: ReportClock,
    /// By the last report block of each stream, 0–1.
    fractions_lost: BTreeMap<u32, f64>,
    told: Option<PathNews>,
    news: mpsc::Sender<News>,
    probes_sent: mpsc::Receiver<ProbeSent>,
    shared: Arc<Shared>,
    publisher: watch::Sender<PathReport>,
    now: Option<Instant>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl<E: BandwidthEstimator + Sync> Estimation<E> {
    pub(super) fn new(
        estimator: E,
        news: mpsc::Sender<News>,
        probes_sent: mpsc::Receiver<ProbeSent>,
        shared: Arc<Shared>,
        publisher: watch::Sender<PathReport>,
    ) -> Self {
        Self {
            estimator,
            demand: None,
            history: TransportHistory::default(),
            extensions: BTreeMap::new(),
            clock: ReportClock::default(),
            fractions_lost: BTreeMap::new(),
            told: None,
            news,
            probes_sent,
            shared,
            publisher,
            now: None,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        }
    }

    fn number(&mut self, packet: &mut rtc::rtp::Packet, now: Instant) {
        let Some(id) = self.extensions.get(&packet.header.ssrc) else { return };
        // The header grows by the extension: give it its place before the size is taken.
        let placed = packet.header.set_extension(*id, Bytes::from_static(&[0, 0]));
        let bytes = wire::bytes(packet);
        self.estimator.on_sent(bytes, now);
        let number = self.history.departed(bytes, now);
        let number = Bytes::copy_from_slice(&number.to_be_bytes());
        if let Err(error) = placed.and_then(|()| packet.header.set_extension(*id, number)) {
            tracing::debug!("a packet leaves without a transport-wide number: {error}");
        }
    }

    fn read(&mut self, packet: &dyn rtc::rtcp::Packet, now: Instant) {
        if let Some(report) = feedback::transport_report(packet) {
            let results = self.history.reported(report, now);
            if !results.is_empty() {
                self.estimator.on_feedback(&results, now);
            }
        }
        for block in feedback::report_blocks(packet) {
            // Only our streams: a peer could name any number of others.
            if self.extensions.contains_key(&block.ssrc) {
                self.fractions_lost.insert(block.ssrc, feedback::fraction_lost(block));
            }
            self.clock.reported(block.last_sender_report, block.delay, now);
        }
    }

    /// Tells the estimator, the pacing and the client what is new.
    fn advance(&mut self, now: Instant) {
        self.now = Some(now);
        while let Ok(sent) = self.probes_sent.try_recv() {
            self.estimator.on_probe_sent(sent, now);
        }
        let demand = self.shared.demand();
        if self.demand.replace(demand) != Some(demand) {
            self.estimator.set_demand(demand, now);
        }
        let stats = self.estimator.stats();
        let reported = self.fractions_lost.values().copied().reduce(f64::max);
        let report = PathReport {
            estimate: self.estimator.estimate(),
            estimator: stats,
            round_trip_time: self.clock.smoothed().or(stats.round_trip_time),
        };
        self.publisher.send_if_modified(|last| std::mem::replace(last, report) != report);
        let path = PathNews {
            estimate: report.estimate,
            fraction_lost: stats.fraction_lost.or(reported).unwrap_or_default(),
            round_trip_time: report.round_trip_time,
        };
        if self.told != Some(path) && self.news.try_send(News::Path(path)).is_ok() {
            self.told = Some(path);
        }
        while let Some(probe) = self.estimator.poll_probe() {
            // A full queue means that the pacing is gone, or far behind: then there is nothing to probe with.
            let _ = self.news.try_send(News::Probe(probe));
        }
    }
}

impl<E: BandwidthEstimator + Sync> Protocol<TaggedPacket, TaggedPacket, ()> for Estimation<E> {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &message.message.packet {
            for packet in packets {
                self.read(packet.as_ref(), message.now);
            }
            self.advance(message.now);
        }
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, mut message: TaggedPacket) -> Result<(), Error> {
        match &mut message.message.packet {
            Packet::Rtp(packet) => self.number(packet, message.now),
            Packet::Rtcp(packets) => {
                for report in packets.iter().filter_map(|packet| feedback::sender_report(packet.as_ref())) {
                    self.clock.sent(report.ntp_time, message.now);
                }
            }
            // The stack may have more kinds some day.
            _ => {}
        }
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if self.estimator.poll_timeout().is_some_and(|at| at <= now) {
            self.estimator.handle_timeout(now);
        }
        self.advance(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let at = self.estimator.poll_timeout()?;
        Some(self.now.map_or(at, |now| at.max(now + MIN_WAIT)))
    }
}

impl<E: BandwidthEstimator + Sync> Interceptor for Estimation<E> {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let Some(id) = wire::transport_cc_id(info) else { return };
        self.extensions.insert(info.ssrc, id);
        // The stack binds no retransmission streams, but they are on the wire like any other.
        if let (Some(ssrc), Some(_)) = (info.ssrc_rtx, info.payload_type_rtx) {
            self.extensions.insert(ssrc, id);
        }
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        for ssrc in [Some(info.ssrc), info.ssrc_rtx].into_iter().flatten() {
            self.extensions.remove(&ssrc);
            self.fractions_lost.remove(&ssrc);
        }
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
