//! Answers to NACKs (RFC 4585 §6.2.1): which packets to send again, and as what.
//!
//! A peer names sequence numbers that it misses. It is answered from what was sent lately, but not at its will: a packet is not sent again within one round
//! trip (the first answer is still on its way), not more than a few times, and all answers together stay within a share of the target rate. The
//! share grows with the loss that the peer reports and ends at a bound, so that whoever sends NACKs without reason gains little.
//!
//! Where the peer negotiated RTX (RFC 4588), an answer is a packet of its own stream: own SSRC, payload type and sequence numbers, the payload preceded by the
//! original sequence number. Otherwise the packet is repeated as it was. Over RTX, packets that nobody misses make padding for probes, which then is of
//! use when one of them was lost; a stream that has sent nothing yet is padded with packets without a payload.
//!
//! Choosing and sending are two steps, because a chosen packet waits for the pacer ([`crate::pacer`]): [`Retransmitter::nacked`] and
//! [`Retransmitter::padding`] give notes, and [`Retransmitter::take`] makes the packet of a note when its turn has come, so that RTX sequence numbers have no
//! gaps. Nothing here waits for time to pass, so there is no timeout.

mod budget;
mod history;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};

use self::budget::Budget;
use self::history::History;
use crate::bitrate::Bitrate;
use crate::rtp::OutgoingPacket;

/// Bytes that RTX puts in front of a payload (RFC 4588 §4).
const ORIGINAL_SEQUENCE_NUMBER_BYTES: usize = 2;

/// Fixed RTP header (RFC 3550 §5.1), in bytes.
const HEADER_BYTES: usize = 12;

/// Most notes for one request of padding.
const MAX_PADDING_PACKETS: usize = 64;

/// Limits on retransmission.
#[derive(Debug, Clone, Copy)]
pub struct RetransmissionConfig {
    /// How long a packet can be asked for. Default 1 s, but at least three round trips.
    pub lifetime: Duration,
    /// Upper end of that, whatever the round-trip time is. Default 3 s.
    pub max_lifetime: Duration,
    /// Packets kept of each stream. Default 1024.
    pub max_packets: usize,
    /// Payload bytes kept of each stream. Default 2 MiB.
    pub max_bytes: usize,
    /// How often one packet is sent again. Default 8; at a loss of 30 %, one in 15 000 packets needs more.
    pub max_times: u8,
    /// Share of the target rate that retransmissions may take while little is lost. Default 0.3.
    pub min_share: f64,
    /// Share of the target rate that they may take when much is lost. Default 0.5.
    pub max_share: f64,
    /// Bytes that may be sent again at once on however thin a path. Default 12 kB, ten packets: a key frame's first loss.
    pub min_burst_bytes: usize,
    /// Round-trip time before any is known. Default 100 ms.
    pub initial_rtt: Duration,
    /// Shortest time between two transmissions of a packet. Default 5 ms.
    pub min_interval: Duration,
    /// Padding of a packet without a payload, in bytes, which RFC 3550 counts in one byte. Default 224, as in libwebrtc; less where the stack writes no more.
    pub padding_bytes: u8,
}

impl Default for RetransmissionConfig {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(1),
            max_lifetime: Duration::from_secs(3),
            max_packets: 1_024,
            max_bytes: 2 << 20,
            max_times: 8,
            min_share: 0.3,
            max_share: 0.5,
            min_burst_bytes: 12_000,
            initial_rtt: Duration::from_millis(100),
            min_interval: Duration::from_millis(5),
            padding_bytes: 224,
        }
    }
}

/// What a stream is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentStream {
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Its payload type.
    pub payload_type: u8,
    /// Its retransmission stream, if the peer wants one.
    pub rtx: Option<RtxStream>,
}

/// A retransmission stream (RFC 4588).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtxStream {
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Its payload type.
    pub payload_type: u8,
    /// Its first sequence number; random (RFC 3550 §5.1).
    pub sequence_number: u16,
}

/// A packet to send again, or padding, that waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The original stream.
    pub ssrc: u32,
    /// Size of the RTP packet without header extensions, in bytes.
    pub bytes: usize,
    content: Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Of the original stream, unwrapped.
    Packet(i64),
    Padding,
}

/// A packet as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resent {
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Its payload type.
    pub payload_type: u8,
    /// The rest.
    pub packet: OutgoingPacket,
    /// Bytes of RFC 3550 padding that follow the payload.
    pub padding: u8,
}

/// What was asked and what came of it, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetransmissionStats {
    /// Sequence numbers that peers named.
    pub requested: u64,
    /// Of these, packets that are no longer, or never were, there.
    pub unknown: u64,
    /// Of these, packets whose last transmission is too fresh, or that were sent too often.
    pub repeated: u64,
    /// Of these, packets for which the budget had nothing left.
    pub over_budget: u64,
}

/// Remembers what was sent and answers NACKs.
#[derive(Debug)]
pub struct Retransmitter {
    config: RetransmissionConfig,
    streams: BTreeMap<u32, Stream>,
    budget: Budget,
    rtt: Option<Duration>,
    stats: RetransmissionStats,
}

#[derive(Debug)]
struct Stream {
    identity: SentStream,
    /// The next sequence number of the retransmission stream.
    rtx_sequence_number: u16,
    history: History,
}

impl Retransmitter {
    /// Without streams.
    pub fn new(config: RetransmissionConfig) -> Self {
        let budget = Budget::new(config.min_burst_bytes);
        Self { config, streams: BTreeMap::new(), budget, rtt: None, stats: RetransmissionStats::default() }
    }

    /// A stream whose packets may be asked for. One that is there already keeps what it sent.
    pub fn bind(&mut self, identity: SentStream) {
        let rtx_sequence_number = identity.rtx.map_or(0, |rtx| rtx.sequence_number);
        let new = || Stream { identity, rtx_sequence_number, history: History::default() };
        let stream = self.streams.entry(identity.ssrc).or_insert_with(new);
        if stream.identity.rtx.map(|rtx| rtx.ssrc) != identity.rtx.map(|rtx| rtx.ssrc) {
            stream.rtx_sequence_number = rtx_sequence_number;
        }
        stream.identity = identity;
    }

    /// A stream has ended.
    pub fn unbind(&mut self, ssrc: u32) {
        self.streams.remove(&ssrc);
    }

    /// The path carries `target`, and loses a share (0–1) of what is sent.
    pub fn set_path(&mut self, target: Bitrate, fraction_lost: f64, now: Instant) {
        // Lost retransmissions are sent again too, hence the double.
        let share = (2.0 * fraction_lost).clamp(self.config.min_share, self.config.max_share);
        self.budget.set_rate(target.scale(share), now);
    }

    /// The round-trip time, smoothed.
    pub fn set_round_trip_time(&mut self, rtt: Duration) {
        self.rtt = Some(rtt.min(self.config.max_lifetime));
    }

    /// A packet of a bound stream was sent for the first time. Others are not kept.
    pub fn sent(&mut self, ssrc: u32, packet: OutgoingPacket, now: Instant) {
        let lifetime = self.lifetime();
        let Some(stream) = self.streams.get_mut(&ssrc) else { return };
        stream.history.insert(packet, now);
        stream.history.limit(self.config.max_packets, self.config.max_bytes, lifetime, now);
    }

    /// The peer misses packets; answers with those that are sent again, in the order asked.
    pub fn nacked(
        &mut self,
        ssrc: u32,
        sequence_numbers: impl IntoIterator<Item = u16>,
        now: Instant,
    ) -> Vec<Note> {
        let (interval, lifetime) = (self.interval(), self.lifetime());
        let Some(stream) = self.streams.get_mut(&ssrc) else { return Vec::new() };
        stream.history.limit(self.config.max_packets, self.config.max_bytes, lifetime, now);
        let overhead = stream.overhead();
        let mut notes = Vec::new();
        for sequence_number in sequence_numbers {
            self.stats.requested += 1;
            let Some((sequence, sent)) = stream.history.find(sequence_number) else {
                self.stats.unknown += 1;
                continue;
            };
            if sent.times >= self.config.max_times
                || sent.resent.is_some_and(|at| now.saturating_duration_since(at) < interval)
            {
                self.stats.repeated += 1;
                continue;
            }
            let bytes = overhead + sent.packet.payload.len();
            if !self.budget.spend(bytes, now) {
                self.stats.over_budget += 1;
                continue;
            }
            sent.times += 1;
            sent.resent = Some(now);
            notes.push(Note { ssrc, bytes, content: Content::Packet(sequence) });
        }
        notes
    }

    /// At least so many bytes of padding, if a stream has RTX; the packets that were not sent for the longest time first, the newest of them.
    pub fn padding(&mut self, bytes: usize, now: Instant) -> Vec<Note> {
        let mut notes = Vec::new();
        let padding = usize::from(self.config.padding_bytes);
        let Some(stream) = self.padding_stream() else { return notes };
        let (ssrc, overhead) = (stream.identity.ssrc, stream.overhead());
        let mut missing = bytes;
        while missing > 0 && notes.len() < MAX_PADDING_PACKETS {
            let note = match stream.history.pad(now) {
                Some((sequence, payload)) => {
                    Note { ssrc, bytes: overhead + payload, content: Content::Packet(sequence) }
                }
                None => Note { ssrc, bytes: HEADER_BYTES + padding, content: Content::Padding },
            };
            missing = missing.saturating_sub(note.bytes);
            notes.push(note);
        }
        notes
    }

    /// The packet of a note, when its turn has come; `None` when it is gone meanwhile.
    pub fn take(&mut self, note: Note, now: Instant) -> Option<Resent> {
        let padding = self.config.padding_bytes;
        let stream = self.streams.get_mut(&note.ssrc)?;
        match note.content {
            Content::Packet(sequence) => {
                let sent = stream.history.get(sequence)?;
                sent.resent = Some(now);
                let packet = sent.packet.clone();
                Some(stream.resend(packet))
            }
            Content::Padding => stream.pad(padding),
        }
    }

    /// What was asked and what came of it.
    pub fn stats(&self) -> RetransmissionStats {
        self.stats
    }

    /// The stream with RTX that sent last, or any.
    fn padding_stream(&mut self) -> Option<&mut Stream> {
        let with_rtx = self.streams.values_mut().filter(|stream| stream.identity.rtx.is_some());
        with_rtx.max_by_key(|stream| stream.history.newest())
    }

    fn interval(&self) -> Duration {
        self.rtt.unwrap_or(self.config.initial_rtt).max(self.config.min_interval)
    }

    fn lifetime(&self) -> Duration {
        self.config.lifetime.max(self.interval() * 3).min(self.config.max_lifetime)
    }
}

impl Stream {
    /// Header and what RTX adds.
    fn overhead(&self) -> usize {
        HEADER_BYTES + self.identity.rtx.map_or(0, |_| ORIGINAL_SEQUENCE_NUMBER_BYTES)
    }

    fn resend(&mut self, packet: OutgoingPacket) -> Resent {
        let SentStream { ssrc, payload_type, rtx } = self.identity;
        let Some(rtx) = rtx else { return Resent { ssrc, payload_type, packet, padding: 0 } };
        let payload = rtx_payload(&packet);
        let packet = OutgoingPacket { sequence_number: self.next_rtx(), payload, ..packet };
        Resent { ssrc: rtx.ssrc, payload_type: rtx.payload_type, packet, padding: 0 }
    }

    fn pad(&mut self, padding: u8) -> Option<Resent> {
        let rtx = self.identity.rtx?;
        let packet = OutgoingPacket {
            sequence_number: self.next_rtx(),
            timestamp: self.history.newest_timestamp().unwrap_or_default(),
            marker: false,
            payload: Bytes::new(),
        };
        Some(Resent { ssrc: rtx.ssrc, payload_type: rtx.payload_type, packet, padding })
    }

    fn next_rtx(&mut self) -> u16 {
        let sequence_number = self.rtx_sequence_number;
        self.rtx_sequence_number = sequence_number.wrapping_add(1);
        sequence_number
    }
}

/// The original sequence number, then the original payload (RFC 4588 §4).
fn rtx_payload(packet: &OutgoingPacket) -> Bytes {
    let mut payload = BytesMut::with_capacity(ORIGINAL_SEQUENCE_NUMBER_BYTES + packet.payload.len());
    payload.put_u16(packet.sequence_number);
    payload.extend_from_slice(&packet.payload);
    payload.freeze()
}
