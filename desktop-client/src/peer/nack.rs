//! Asks a peer for lost video packets, in the place of the stack's own generator, which takes no notice of retransmissions.
//!
//! Retransmissions (RFC 4588) pass the interceptors as they came: with an SSRC and numbers of their own, and the number of the packet that they repeat in the
//! first two bytes. The stack unpacks them behind the last interceptor, so they are recognised here by the SSRC that their stream was bound with. When to
//! ask is [`media_core::nack`]'s to decide.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use media_core::nack::{NackConfig, NackGenerator, NackInput, NackOutput, NackStats};
use rtc::interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;

/// Streams of one peer that are repaired; more are received as they come. As many as its tracks that are read.
const MAX_STREAMS: usize = 16;

/// What the interceptor and the rest of the link tell each other. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct NackHandle(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// In microseconds; 0 while it is not known.
    rtt: AtomicU64,
    /// A stream's SSRC (bits 16–47) and the number up to which it is decoded (bits 0–15), with [`KNOWN`]; 0 before.
    through: AtomicU64,
    nack_count: AtomicU64,
    requested: AtomicU64,
    recovered: AtomicU64,
}

/// Tells "stream 0 up to 0" from "not known".
const KNOWN: u64 = 1 << 48;

/// Packets asked for, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NackCounts {
    /// Requests sent.
    pub nack_count: u64,
    /// Packets asked for in them, each time counted.
    pub requested: u64,
    /// Packets that came after they were asked for.
    pub recovered: u64,
}

impl NackHandle {
    /// The round-trip time was measured.
    pub fn round_trip_time(&self, rtt: Duration) {
        self.0.rtt.store(u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Everything of this stream up to this number is decoded, or was passed over.
    pub fn through(&self, ssrc: u32, sequence_number: u16) {
        let through = KNOWN | u64::from(ssrc) << 16 | u64::from(sequence_number);
        self.0.through.store(through, Ordering::Relaxed);
    }

    /// What was asked for.
    pub fn counts(&self) -> NackCounts {
        NackCounts {
            nack_count: self.0.nack_count.load(Ordering::Relaxed),
            requested: self.0.requested.load(Ordering::Relaxed),
            recovered: self.0.recovered.load(Ordering::Relaxed),
        }
    }
}

/// The interceptor.
pub struct LossRequests {
    shared: Arc<Shared>,
    sender_ssrc: u32,
    streams: BTreeMap<u32, NackGenerator>,
    /// The stream that each stream of retransmissions repairs.
    repairs: BTreeMap<u32, u32>,
    rtt: u64,
    through: u64,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
}

impl LossRequests {
    /// An interceptor and its handle's other end.
    pub fn new(handle: &NackHandle) -> Self {
        Self {
            shared: Arc::clone(&handle.0),
            sender_ssrc: rand::random(),
            streams: BTreeMap::new(),
            repairs: BTreeMap::new(),
            rtt: 0,
            through: 0,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
        }
    }

    fn packet_came(&mut self, packet: &rtp::Packet, now: Instant) {
        let ssrc = packet.header.ssrc;
        if self.streams.contains_key(&ssrc) {
            let sequence_number = packet.header.sequence_number;
            self.put(ssrc, NackInput::Packet { sequence_number, retransmitted: false }, now);
        } else if let Some(repaired) = self.repairs.get(&ssrc).copied()
            // Shorter ones only fill the path (probing).
            && let Some([high, low]) = packet.payload.first_chunk()
        {
            let sequence_number = u16::from_be_bytes([*high, *low]);
            self.put(repaired, NackInput::Packet { sequence_number, retransmitted: true }, now);
        }
    }

    /// Takes over what the rest of the link has learnt since.
    fn take_news(&mut self, now: Instant) {
        let rtt = self.shared.rtt.load(Ordering::Relaxed);
        if rtt != self.rtt {
            self.rtt = rtt;
            let input = NackInput::RoundTripTime(Duration::from_micros(rtt));
            let streams: Vec<u32> = self.streams.keys().copied().collect();
            streams.into_iter().for_each(|ssrc| self.put(ssrc, input, now));
        }
        let through = self.shared.through.load(Ordering::Relaxed);
        if through != self.through {
            self.through = through;
            // The casts take the bits that `NackHandle::through` put there.
            self.put((through >> 16) as u32, NackInput::Through(through as u16), now);
        }
    }

    fn put(&mut self, ssrc: u32, input: NackInput, now: Instant) {
        let Some(stream) = self.streams.get_mut(&ssrc) else { return };
        let before = *stream.stats();
        stream.handle(input, now);
        while let Some(NackOutput::Request(numbers)) = stream.poll_output() {
            let nack = TransportLayerNack {
                sender_ssrc: self.sender_ssrc,
                media_ssrc: ssrc,
                nacks: nack_pairs_from_sequence_numbers(&numbers),
            };
            self.writes.push_back(TaggedPacket {
                now,
                transport: TransportContext::default(),
                message: AttributedPacket::new(Packet::Rtcp(vec![Box::new(nack)])),
            });
        }
        self.shared.count(&before, stream.stats());
    }
}

impl Shared {
    fn count(&self, before: &NackStats, after: &NackStats) {
        let add = |counter: &AtomicU64, before: u64, after: u64| {
            if after != before {
                counter.fetch_add(after - before, Ordering::Relaxed);
            }
        };
        add(&self.nack_count, before.nack_count, after.nack_count);
        add(&self.requested, before.requested, after.requested);
        add(&self.recovered, before.recovered, after.recovered);
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for LossRequests {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &message.message.packet {
            self.take_news(message.now);
            self.packet_came(packet, message.now);
        }
        self.reads.push_back(message);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        let due = |stream: &NackGenerator| stream.poll_timeout().is_some_and(|at| at <= now);
        let streams: Vec<u32> =
            self.streams.iter().filter(|(_, stream)| due(stream)).map(|(ssrc, _)| *ssrc).collect();
        if !streams.is_empty() {
            self.take_news(now);
        }
        streams.into_iter().for_each(|ssrc| self.put(ssrc, NackInput::Tick, now));
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.streams.values().filter_map(NackGenerator::poll_timeout).min()
    }
}

impl Interceptor for LossRequests {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        // A stream of retransmissions is bound as well, after the one that it repairs: its own losses show as that one's.
        if !wants_repair(info) || self.repairs.contains_key(&info.ssrc) || self.streams.len() >= MAX_STREAMS {
            return;
        }
        self.streams.entry(info.ssrc).or_insert_with(|| NackGenerator::new(NackConfig::default()));
        // The next packet tells the new stream what is known.
        self.rtt = 0;
        if let Some(repair) = info.ssrc_rtx {
            self.repairs.insert(repair, info.ssrc);
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        if self.streams.remove(&info.ssrc).is_some() {
            self.repairs.retain(|_, repaired| *repaired != info.ssrc);
        }
    }
}

/// Video with generic NACK negotiated. Sound is never asked for again: it has forward error correction, and waits for nobody.
fn wants_repair(info: &StreamInfo) -> bool {
    let video = info.mime_type.get(..6).is_some_and(|kind| kind.eq_ignore_ascii_case("video/"));
    video && info.rtcp_feedback.iter().any(|feedback| feedback.typ == "nack" && feedback.parameter.is_empty())
}

#[cfg(test)]
mod tests {
    use rtc::interceptor::RTCPFeedback;
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::NackPair;

    use super::*;

    fn info(ssrc: u32, ssrc_rtx: Option<u32>, mime_type: &str) -> StreamInfo {
        StreamInfo {
            ssrc,
            ssrc_rtx,
            mime_type: mime_type.to_owned(),
            rtcp_feedback: vec![RTCPFeedback { typ: "nack".to_owned(), parameter: String::new() }],
            ..StreamInfo::default()
        }
    }

    struct Chain {
        interceptor: LossRequests,
        handle: NackHandle,
        now: Instant,
    }

    impl Chain {
        fn new() -> Self {
            let handle = NackHandle::default();
            let mut interceptor = LossRequests::new(&handle);
            interceptor.bind_remote_stream(&info(1, Some(2), "video/VP8"));
            interceptor.bind_remote_stream(&info(2, None, "video/VP8"));
            interceptor.bind_remote_stream(&info(3, None, "audio/opus"));
            Self { interceptor, handle, now: Instant::now() }
        }

        fn packet(&mut self, ssrc: u32, sequence_number: u16, payload: &'static [u8]) {
            let header = rtp::Header { ssrc, sequence_number, ..Default::default() };
            let packet = Packet::Rtp(rtp::Packet { header, payload: payload.into() });
            let message = TaggedPacket {
                now: self.now,
                transport: TransportContext::default(),
                message: AttributedPacket::new(packet),
            };
            self.interceptor.handle_read(message).unwrap();
            assert!(self.interceptor.poll_read().is_some(), "a packet must pass");
        }

        /// Lets time pass, and gives what was asked for: of which stream, which numbers.
        fn pass(&mut self, ms: u64) -> Vec<(u32, Vec<u16>)> {
            let end = self.now + Duration::from_millis(ms);
            while let Some(at) = self.interceptor.poll_timeout()
                && at <= end
            {
                self.now = at;
                self.interceptor.handle_timeout(at).unwrap();
            }
            self.now = end;
            let sent = std::iter::from_fn(|| self.interceptor.poll_write());
            sent.filter_map(|message| match &message.message.packet {
                Packet::Rtcp(packets) => {
                    packets[0].as_any().downcast_ref::<TransportLayerNack>().map(|nack| {
                        let numbers = nack.nacks.iter().flat_map(NackPair::packet_list);
                        (nack.media_ssrc, numbers.collect())
                    })
                }
                _ => None,
            })
            .collect()
        }
    }

    #[test]
    fn lost_video_packets_are_asked_for() {
        let mut chain = Chain::new();
        chain.packet(1, 10, b"a");
        chain.packet(1, 13, b"b");
        assert_eq!(chain.pass(20), [(1, vec![11, 12])]);
        let counts = chain.handle.counts();
        assert_eq!(counts, NackCounts { nack_count: 1, requested: 2, recovered: 0 });
    }

    #[test]
    fn a_retransmission_counts_as_the_packet_that_it_repeats() {
        let mut chain = Chain::new();
        chain.packet(1, 0x0110, b"a");
        chain.packet(1, 0x0112, b"b");
        assert_eq!(chain.pass(20).len(), 1);
        chain.packet(2, 7, b"\x01\x11rest");
        assert!(chain.pass(2_000).is_empty());
        assert_eq!(chain.handle.counts().recovered, 1);
    }

    #[test]
    fn losses_among_retransmissions_and_of_sound_are_not_asked_for() {
        let mut chain = Chain::new();
        chain.packet(1, 1, b"a");
        for (ssrc, sequence_number) in [(2, 1), (2, 9), (3, 1), (3, 9), (4, 1), (4, 9)] {
            chain.packet(ssrc, sequence_number, b"\x00\x01x");
            chain.packet(ssrc, sequence_number + 1, b"");
        }
        assert!(chain.pass(2_000).is_empty());
    }

    #[test]
    fn the_round_trip_time_sets_how_soon_is_asked_again() {
        let asked = |rtt: Option<u64>| {
            let mut chain = Chain::new();
            if let Some(rtt) = rtt {
                chain.handle.round_trip_time(Duration::from_millis(rtt));
            }
            chain.packet(1, 1, b"a");
            chain.packet(1, 3, b"b");
            chain.pass(600).len()
        };
        assert_eq!((asked(None), asked(Some(400)), asked(Some(40))), (5, 2, 10));
    }

    #[test]
    fn what_is_decoded_without_it_is_not_asked_for() {
        let mut chain = Chain::new();
        chain.packet(1, 1, b"a");
        chain.packet(1, 3, b"b");
        chain.handle.through(1, 3);
        assert!(chain.pass(100).is_empty());
    }

    #[test]
    fn a_stream_that_ended_is_forgotten() {
        let mut chain = Chain::new();
        chain.packet(1, 1, b"a");
        chain.packet(1, 3, b"b");
        chain.interceptor.unbind_remote_stream(&info(1, Some(2), "video/VP8"));
        assert!(chain.pass(100).is_empty());
        assert!(chain.interceptor.repairs.is_empty());
    }
}
