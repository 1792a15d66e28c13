//! RTCP of the peer as facts: which packets arrived, which it misses, how far away it is.

use media_core::transport_feedback::TransportReport;
use rtc::rtcp::Packet;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

/// Largest fraction of RTCP's loss field (RFC 3550 §6.4.1), as a divisor.
const FRACTION: f64 = 256.0;

/// The transport-wide report in this packet, if it is one.
pub fn transport_report(packet: &dyn Packet) -> Option<TransportReport<impl Iterator<Item = Option<i64>>>> {
    let feedback = packet.as_any().downcast_ref::<TransportLayerCc>()?;
    let mut deltas = feedback.recv_deltas.iter();
    // A packet without a time of its own, or whose time is missing, arrived with the one before it.
    let arrival = move |symbol| match symbol {
        SymbolTypeTcc::PacketNotReceived => None,
        SymbolTypeTcc::PacketReceivedWithoutDelta => Some(0),
        SymbolTypeTcc::PacketReceivedSmallDelta | SymbolTypeTcc::PacketReceivedLargeDelta => {
            Some(deltas.next().map_or(0, |delta| delta.delta))
        }
    };
    let statuses = feedback
        .packet_chunks
        .iter()
        .flat_map(symbols)
        // Chunks have room for more than the packets that are reported on.
        .take(usize::from(feedback.packet_status_count))
        .map(arrival);
    Some(TransportReport {
        base: feedback.base_sequence_number,
        reference_time: feedback.reference_time,
        statuses,
    })
}

fn symbols(chunk: &PacketStatusChunk) -> Box<dyn Iterator<Item = SymbolTypeTcc> + '_> {
    match chunk {
        PacketStatusChunk::RunLengthChunk(run) => {
            Box::new(std::iter::repeat_n(run.packet_status_symbol, usize::from(run.run_length)))
        }
        PacketStatusChunk::StatusVectorChunk(vector) => Box::new(vector.symbol_list.iter().copied()),
    }
}

/// The stream and the sequence numbers that this packet asks for, if it is a NACK.
pub fn nack(packet: &dyn Packet) -> Option<(u32, impl Iterator<Item = u16>)> {
    let nack = packet.as_any().downcast_ref::<TransportLayerNack>()?;
    let sequence_numbers = nack.nacks.iter().flat_map(|pair| {
        let following = (0..16_u16).filter(|bit| pair.lost_packets & (1 << bit) != 0);
        std::iter::once(pair.packet_id).chain(following.map(|bit| pair.packet_id.wrapping_add(bit + 1)))
    });
    Some((nack.media_ssrc, sequence_numbers))
}

/// The report blocks of this packet, whichever report it is.
pub fn report_blocks(packet: &dyn Packet) -> &[ReceptionReport] {
    let any = packet.as_any();
    let receiver = any.downcast_ref::<ReceiverReport>().map(|report| report.reports.as_slice());
    receiver.or_else(|| sender_report(packet).map(|report| report.reports.as_slice())).unwrap_or_default()
}

/// This packet, if it is a sender report.
pub fn sender_report(packet: &dyn Packet) -> Option<&SenderReport> {
    packet.as_any().downcast_ref::<SenderReport>()
}

/// The share of packets that a report block calls lost, 0–1.
pub fn fraction_lost(block: &ReceptionReport) -> f64 {
    f64::from(block.fraction_lost) / FRACTION
}
