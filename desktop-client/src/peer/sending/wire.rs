//! Packets of the stack as the cores see them, and back.

use std::time::Instant;

use media_core::retransmission::Resent;
use media_core::rtp::OutgoingPacket;
use rtc::interceptor::{Attribute, AttributedPacket, Packet, StreamInfo, TaggedPacket};
use rtc::rtp;
use rtc::shared::TransportContext;
use rtc::shared::marshal::MarshalSize as _;

/// IPv4 (20), UDP (8) and the authentication tag of SRTP (10), in bytes: what each packet costs besides itself.
pub const OVERHEAD_BYTES: usize = 38;

/// Padding that the stack can write in a packet without a payload, in bytes.
pub const PADDING_BYTES: u8 = 4;

/// Where transport-wide sequence numbers are announced.
const TRANSPORT_CC_URI: &str = rtc::sdp::extmap::TRANSPORT_CC_URI;

/// Size on the wire.
pub fn bytes(packet: &rtp::Packet) -> usize {
    packet.marshal_size() + OVERHEAD_BYTES
}

/// What a packet has besides SSRC, payload type and extensions.
pub fn outgoing(packet: &rtp::Packet) -> OutgoingPacket {
    OutgoingPacket {
        sequence_number: packet.header.sequence_number,
        timestamp: packet.header.timestamp,
        marker: packet.header.marker,
        payload: packet.payload.clone(),
    }
}

/// A packet that is sent again, or padding, for the interceptors below.
pub fn resent(resent: Resent, now: Instant) -> TaggedPacket {
    let header = rtp::header::Header {
        version: 2,
        padding: resent.padding > 0,
        marker: resent.packet.marker,
        payload_type: resent.payload_type,
        sequence_number: resent.packet.sequence_number,
        timestamp: resent.packet.timestamp,
        ssrc: resent.ssrc,
        ..Default::default()
    };
    let packet = Packet::Rtp(rtp::Packet { header, payload: resent.packet.payload });
    let message = AttributedPacket::new(packet).with(Attribute::Retransmission);
    // The stack addresses packets itself.
    TaggedPacket { now, transport: TransportContext::default(), message }
}

/// Under which id a stream's packets carry transport-wide sequence numbers (RFC 8285 has 1 to 14 in the short form), if that was negotiated.
pub fn transport_cc_id(info: &StreamInfo) -> Option<u8> {
    let extension = info.rtp_header_extensions.iter().find(|extension| extension.uri == TRANSPORT_CC_URI)?;
    u8::try_from(extension.id).ok().filter(|id| *id > 0)
}

/// May the peer ask for single packets of this stream?
pub fn takes_nacks(info: &StreamInfo) -> bool {
    info.rtcp_feedback.iter().any(|feedback| feedback.typ == "nack" && feedback.parameter.is_empty())
}

/// Is this a stream of sound?
pub fn is_audio(info: &StreamInfo) -> bool {
    info.mime_type.to_ascii_lowercase().starts_with("audio/")
}
