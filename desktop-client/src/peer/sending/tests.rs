//! Both interceptors in a chain, in virtual time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media_core::bitrate::Bitrate;
use media_core::congestion::{BandwidthEstimator, EstimatorStats, PacketResult, Probe, ProbeSent};
use rtc::interceptor::{
    AttributedPacket, Interceptor, Packet, RTCPFeedback, RTPHeaderExtension, Registry, Slot, StreamInfo,
    TaggedPacket,
};
use rtc::rtcp;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, SymbolTypeTcc, TransportLayerCc,
};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp;
use rtc::sansio::Protocol as _;
use rtc::shared::TransportContext;
use rtc::shared::marshal::{Marshal as _, Unmarshal as _};
use tokio::sync::mpsc;

use super::{SendPath, wire};

const AUDIO: u32 = 1;
const VIDEO: u32 = 2;
const RTX: u32 = 3;
const EXTENSION: u8 = 5;

/// Says what it is told to say, and tells what it hears.
struct Scripted {
    estimate: Bitrate,
    probe: Option<Probe>,
    heard: mpsc::UnboundedSender<Heard>,
}

#[derive(Debug, PartialEq)]
enum Heard {
    Demand(Bitrate),
    Feedback(Vec<PacketResult>),
    ProbeSent(ProbeSent),
}

impl BandwidthEstimator for Scripted {
    fn set_demand(&mut self, demand: Bitrate, _: Instant) {
        self.heard.send(Heard::Demand(demand)).unwrap();
    }
    fn on_feedback(&mut self, results: &[PacketResult], _: Instant) {
        self.heard.send(Heard::Feedback(results.to_vec())).unwrap();
    }
    fn on_probe_sent(&mut self, sent: ProbeSent, _: Instant) {
        self.heard.send(Heard::ProbeSent(sent)).unwrap();
    }
    fn estimate(&self) -> Bitrate {
        self.estimate
    }
    fn poll_probe(&mut self) -> Option<Probe> {
        self.probe.take()
    }
    fn handle_timeout(&mut self, _: Instant) {}
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    fn stats(&self) -> EstimatorStats {
        EstimatorStats::default()
    }
}

struct Bench {
    chain: Box<dyn Interceptor>,
    path: SendPath,
    heard: mpsc::UnboundedReceiver<Heard>,
    start: Instant,
    now: Instant,
    wire: Vec<(Duration, Packet)>,
}

impl Bench {
    fn new(rtx: bool, probe: Option<Probe>) -> Self {
        let (heard, heard_in) = mpsc::unbounded_channel();
        let (pacing, estimation, path) =
            super::new(Scripted { estimate: Bitrate::kbps(1_000), probe, heard });
        path.set_demand(Bitrate::kbps(2_500));
        let mut chain =
            Registry::new().with(Slot::CongestionControl, estimation).with(Slot::Pacer, pacing).build();
        chain.bind_local_stream(&stream(AUDIO, "audio/opus", 111, false));
        chain.bind_local_stream(&stream(VIDEO, "video/VP8", 96, rtx));
        let now = Instant::now();
        let chain = Box::new(chain);
        Self { chain, path, heard: heard_in, start: now, now, wire: Vec::new() }
    }

    fn drain(&mut self) {
        while let Some(out) = self.chain.poll_write() {
            self.wire.push((out.now - self.start, out.message.packet));
        }
        while self.chain.poll_read().is_some() {}
        assert!(self.chain.poll_timeout().is_none_or(|at| at > self.now));
    }

    fn tagged(&self, packet: Packet) -> TaggedPacket {
        let message = AttributedPacket::new(packet);
        TaggedPacket { now: self.now, transport: TransportContext::default(), message }
    }

    fn send(&mut self, ssrc: u32, sequence_number: u16) {
        let payload_type = if ssrc == AUDIO { 111 } else { 96 };
        let header =
            rtp::header::Header { version: 2, ssrc, sequence_number, payload_type, ..Default::default() };
        let payload = Bytes::from(vec![9; if ssrc == AUDIO { 100 } else { 1_100 }]);
        let message = self.tagged(Packet::Rtp(rtp::Packet { header, payload }));
        self.chain.handle_write(message).unwrap();
        self.drain();
    }

    fn write_rtcp(&mut self, packet: impl rtcp::Packet + 'static) {
        let message = self.tagged(Packet::Rtcp(vec![Box::new(packet)]));
        self.chain.handle_write(message).unwrap();
        self.drain();
    }

    fn receive(&mut self, packet: impl rtcp::Packet + 'static) {
        let message = self.tagged(Packet::Rtcp(vec![Box::new(packet)]));
        self.chain.handle_read(message).unwrap();
        self.drain();
    }

    fn run_until(&mut self, ms: u64) {
        let until = self.start + Duration::from_millis(ms);
        while let Some(at) = self.chain.poll_timeout().filter(|at| *at <= until) {
            self.now = at;
            self.chain.handle_timeout(at).unwrap();
            self.drain();
        }
        self.now = until;
    }

    fn rtp(&self) -> Vec<&rtp::Packet> {
        let mut packets = Vec::new();
        for (_, packet) in &self.wire {
            if let Packet::Rtp(packet) = packet {
                packets.push(packet);
            }
        }
        packets
    }

    fn heard(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

fn stream(ssrc: u32, mime_type: &str, payload_type: u8, rtx: bool) -> StreamInfo {
    let nack = RTCPFeedback { typ: "nack".into(), parameter: String::new() };
    StreamInfo {
        ssrc,
        ssrc_rtx: rtx.then_some(RTX),
        payload_type,
        payload_type_rtx: rtx.then_some(97),
        mime_type: mime_type.into(),
        rtcp_feedback: if ssrc == VIDEO { vec![nack] } else { vec![] },
        rtp_header_extensions: vec![RTPHeaderExtension {
            uri: rtc::sdp::extmap::TRANSPORT_CC_URI.into(),
            id: EXTENSION.into(),
        }],
        ..Default::default()
    }
}

fn nack(sequence_numbers: &[u16]) -> TransportLayerNack {
    let nacks = nack_pairs_from_sequence_numbers(sequence_numbers);
    TransportLayerNack { sender_ssrc: 9, media_ssrc: VIDEO, nacks }
}

fn received(base: u16, count: u16) -> TransportLayerCc {
    let delta = RecvDelta { type_tcc_packet: SymbolTypeTcc::PacketReceivedSmallDelta, delta: 1_000 };
    TransportLayerCc {
        sender_ssrc: 9,
        media_ssrc: VIDEO,
        base_sequence_number: base,
        packet_status_count: count,
        reference_time: 0,
        fb_pkt_count: 0,
        packet_chunks: vec![PacketStatusChunk::RunLengthChunk(RunLengthChunk {
            type_tcc: StatusChunkTypeTcc::RunLengthChunk,
            packet_status_symbol: SymbolTypeTcc::PacketReceivedSmallDelta,
            run_length: 8_191,
        })],
        recv_deltas: vec![delta; usize::from(count)],
    }
}

fn number(packet: &rtp::Packet) -> Option<u16> {
    let extension = packet.header.get_extension(EXTENSION)?;
    Some(u16::from_be_bytes([extension[0], extension[1]]))
}

#[test]
fn a_frame_is_spread_and_audio_overtakes_it() {
    let mut bench = Bench::new(true, None);
    for sequence_number in 0..8 {
        bench.send(VIDEO, sequence_number);
    }
    bench.send(AUDIO, 0);
    assert!(bench.path.queue_delay() > Duration::from_millis(30), "{:?}", bench.path.queue_delay());
    assert_eq!(bench.rtp().last().unwrap().header.ssrc, AUDIO);
    assert!(bench.rtp().len() < 5);
    bench.run_until(40);
    assert_eq!(bench.rtp().len(), 9);
    let last = bench.wire.last().unwrap().0;
    assert!(last > Duration::from_millis(15), "{last:?}");
    assert_eq!(bench.path.queue_delay(), Duration::ZERO);
    let numbers: Vec<_> = bench.rtp().into_iter().map(number).collect();
    assert_eq!(numbers, (0..9).map(Some).collect::<Vec<_>>(), "numbered as they leave");
}

#[test]
fn nacks_are_answered_over_rtx_and_numbered() {
    let mut bench = Bench::new(true, None);
    for sequence_number in 0..3 {
        bench.send(VIDEO, sequence_number);
    }
    bench.run_until(50);
    bench.receive(nack(&[1, 2]));
    bench.run_until(100);
    let resent: Vec<_> = bench.rtp().into_iter().filter(|packet| packet.header.ssrc == RTX).collect();
    assert_eq!(resent.len(), 2);
    assert_eq!(resent[0].payload[..3], [0, 1, 9]);
    assert_eq!((resent[0].header.payload_type, resent[0].header.version), (97, 2));
    assert_eq!(number(resent[1]), Some(4));
    let packets = bench.path.repair();
    assert_eq!((packets.packets, packets.padding_bytes), (2, 0));
}

#[test]
fn without_rtx_packets_are_repeated() {
    let mut bench = Bench::new(false, None);
    bench.send(VIDEO, 7);
    bench.run_until(50);
    bench.receive(nack(&[7]));
    bench.run_until(100);
    let packets = bench.rtp();
    assert_eq!(packets.len(), 2);
    assert_eq!(packets[0].payload, packets[1].payload);
    assert_eq!(packets[1].header.sequence_number, 7);
    assert_eq!(packets.into_iter().map(number).collect::<Vec<_>>(), [Some(0), Some(1)]);
}

#[test]
fn feedback_reaches_the_estimator_with_the_time_of_departure() {
    let mut bench = Bench::new(true, None);
    for sequence_number in 0..6 {
        bench.send(VIDEO, sequence_number);
    }
    bench.run_until(50);
    bench.receive(received(0, 6));
    let heard = bench.heard();
    assert_eq!(heard[0], Heard::Demand(Bitrate::kbps(2_500)));
    let Heard::Feedback(results) = &heard[1] else { panic!("{heard:?}") };
    let departures: Vec<_> = results.iter().map(|result| result.departure - bench.start).collect();
    assert_eq!(departures, bench.wire.iter().map(|(at, _)| *at).collect::<Vec<_>>());
    assert_eq!(results[1].arrival.unwrap() - results[0].arrival.unwrap(), Duration::from_millis(1));
    assert_eq!(results[0].bytes, 12 + 8 + 1_100 + wire::OVERHEAD_BYTES);
}

#[test]
fn a_probe_goes_from_the_estimator_to_the_wire_and_back() {
    for silent in [false, true] {
        let probe = Probe { id: 4, rate: Bitrate::kbps(3_000), bytes: 6_000, packets: 5 };
        let mut bench = Bench::new(true, Some(probe));
        if !silent {
            bench.send(VIDEO, 0);
        }
        bench.receive(received(60_000, 1));
        bench.run_until(200);
        // The estimation reads its news when the peer reports.
        bench.receive(received(60_001, 1));
        let sent = bench.heard().into_iter().find_map(|heard| match heard {
            Heard::ProbeSent(sent) => Some(sent),
            Heard::Demand(_) | Heard::Feedback(_) => None,
        });
        let sent = sent.unwrap();
        assert_eq!(sent.id, 4);
        let span = sent.last - sent.first;
        assert!(span > Duration::from_millis(12) && span < Duration::from_millis(20), "{silent}: {span:?}");
        assert!(bench.path.repair().padding_bytes >= 4_000);
        assert_eq!(bench.path.repair().packets, 0);
    }
}

#[test]
fn padding_without_payload_is_valid_on_the_wire() {
    let probe = Probe { id: 4, rate: Bitrate::kbps(3_000), bytes: 100, packets: 2 };
    let mut bench = Bench::new(true, Some(probe));
    bench.receive(received(60_000, 1));
    bench.run_until(50);
    let raw = bench.rtp()[0].marshal().unwrap();
    assert_eq!((raw[0] & 0x20, raw[raw.len() - 1]), (0x20, 4));
    let parsed = rtp::Packet::unmarshal(&mut raw.clone()).unwrap();
    assert_eq!((parsed.payload.len(), parsed.header.ssrc), (0, RTX));
}

#[test]
fn the_round_trip_time_comes_from_reports() {
    let mut bench = Bench::new(true, None);
    bench.write_rtcp(SenderReport { ssrc: VIDEO, ntp_time: 0xabcd_1234_5678_0000, ..Default::default() });
    bench.run_until(300);
    let block = ReceptionReport {
        ssrc: VIDEO,
        fraction_lost: 64,
        last_sender_report: 0x1234_5678,
        delay: 65_536 / 5,
        ..Default::default()
    };
    bench.receive(ReceiverReport { ssrc: 9, reports: vec![block], ..Default::default() });
    let rtt = bench.path.report().round_trip_time.unwrap();
    assert!(rtt.abs_diff(Duration::from_millis(100)) < Duration::from_millis(1), "{rtt:?}");
}

#[test]
fn what_is_sent_on_purpose_is_paced_for_even_above_the_estimate() {
    let last = |allocation| {
        let mut bench = Bench::new(true, None);
        bench.path.set_allocation(allocation);
        for sequence_number in 0..8 {
            bench.send(VIDEO, sequence_number);
        }
        bench.run_until(100);
        bench.wire.last().unwrap().0
    };
    assert!(last(Bitrate::kbps(4_000)) < last(Bitrate::ZERO) / 3);
}
