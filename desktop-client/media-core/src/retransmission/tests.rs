//! NACKs, friendly and hostile, in virtual time.

use proptest::prelude::*;

use super::*;
use crate::sim;

const SSRC: u32 = 1;
const RTX: RtxStream = RtxStream { ssrc: 2, payload_type: 97, sequence_number: 65_535 };

fn at(ms: u64) -> Instant {
    sim::epoch() + Duration::from_millis(ms)
}

fn packet(sequence_number: u16, bytes: usize) -> OutgoingPacket {
    OutgoingPacket {
        sequence_number,
        timestamp: u32::from(sequence_number) * 3_000,
        marker: sequence_number.is_multiple_of(2),
        payload: Bytes::from(vec![7; bytes]),
    }
}

fn retransmitter(rtx: Option<RtxStream>) -> Retransmitter {
    let mut retransmitter = Retransmitter::new(RetransmissionConfig::default());
    retransmitter.bind(SentStream { ssrc: SSRC, payload_type: 96, rtx });
    retransmitter.set_path(Bitrate::kbps(1_000), 0.0, at(0));
    retransmitter
}

fn sent(retransmitter: &mut Retransmitter, count: u16) {
    for sequence_number in 0..count {
        retransmitter.sent(SSRC, packet(sequence_number, 1_000), at(0));
    }
}

fn resent(retransmitter: &mut Retransmitter, sequence_numbers: &[u16], ms: u64) -> Vec<Resent> {
    let notes = retransmitter.nacked(SSRC, sequence_numbers.iter().copied(), at(ms));
    notes.into_iter().filter_map(|note| retransmitter.take(note, at(ms))).collect()
}

#[test]
fn over_rtx_the_original_sequence_number_precedes_the_payload() {
    let mut retransmitter = retransmitter(Some(RTX));
    sent(&mut retransmitter, 600);
    let packets = resent(&mut retransmitter, &[513, 2], 50);
    assert_eq!(packets[0].packet.payload[..4], [2, 1, 7, 7]);
    assert_eq!(packets[0].packet.payload.len(), 1_002);
    assert_eq!((packets[0].packet.timestamp, packets[0].packet.marker), (513 * 3_000, false));
    assert!(packets.iter().all(|packet| (packet.ssrc, packet.payload_type, packet.padding) == (2, 97, 0)));
    assert_eq!(packets.iter().map(|p| p.packet.sequence_number).collect::<Vec<_>>(), [65_535, 0]);
}

#[test]
fn without_rtx_the_packet_is_repeated_as_it_was() {
    let mut retransmitter = retransmitter(None);
    sent(&mut retransmitter, 3);
    let packets = resent(&mut retransmitter, &[1], 50);
    let expected = Resent { ssrc: SSRC, payload_type: 96, packet: packet(1, 1_000), padding: 0 };
    assert_eq!(packets, [expected]);
    assert_eq!(
        retransmitter.padding(1_000, at(50)),
        [],
        "and padding would take sequence numbers of the media"
    );
}

#[test]
fn a_stream_that_is_negotiated_anew_goes_on() {
    let mut retransmitter = retransmitter(Some(RTX));
    sent(&mut retransmitter, 3);
    assert_eq!(resent(&mut retransmitter, &[1], 50)[0].packet.sequence_number, 65_535);
    let other = RtxStream { payload_type: 120, sequence_number: 9, ..RTX };
    retransmitter.bind(SentStream { ssrc: SSRC, payload_type: 119, rtx: Some(other) });
    let again = &resent(&mut retransmitter, &[2], 60)[0];
    assert_eq!((again.payload_type, again.packet.sequence_number), (120, 0));
}

#[test]
fn a_packet_is_not_sent_again_within_a_round_trip() {
    let mut retransmitter = retransmitter(Some(RTX));
    sent(&mut retransmitter, 3);
    retransmitter.set_round_trip_time(Duration::from_millis(40));
    assert_eq!(resent(&mut retransmitter, &[1, 1], 50).len(), 1);
    assert_eq!(resent(&mut retransmitter, &[1], 89).len(), 0);
    assert_eq!(resent(&mut retransmitter, &[1], 90).len(), 1);
    assert_eq!(retransmitter.stats().repeated, 2);
}

#[test]
fn a_packet_is_sent_again_only_a_few_times() {
    let mut retransmitter = retransmitter(Some(RTX));
    retransmitter.set_round_trip_time(Duration::from_millis(1));
    sent(&mut retransmitter, 1);
    let times: usize = (0..100).map(|step| resent(&mut retransmitter, &[0], step * 8).len()).sum();
    assert_eq!(times, 8);
}

#[test]
fn what_is_old_or_unknown_is_not_sent() {
    let mut retransmitter = retransmitter(Some(RTX));
    sent(&mut retransmitter, 3);
    assert_eq!(resent(&mut retransmitter, &[3, 40_000], 10), []);
    assert_eq!(retransmitter.nacked(99, [0], at(10)), []);
    assert_eq!(resent(&mut retransmitter, &[0], 1_001), []);
    assert_eq!(retransmitter.stats().unknown, 3);
}

#[test]
fn on_a_long_path_packets_are_kept_for_three_round_trips() {
    let mut retransmitter = retransmitter(Some(RTX));
    retransmitter.set_round_trip_time(Duration::from_millis(600));
    sent(&mut retransmitter, 1);
    assert_eq!(resent(&mut retransmitter, &[0], 1_700).len(), 1);
}

#[test]
fn memory_is_bounded() {
    let mut retransmitter = retransmitter(Some(RTX));
    sent(&mut retransmitter, 60_000);
    assert_eq!(retransmitter.streams[&SSRC].history.size(), (1_024, 1_024_000));
    for sequence_number in 60_000..60_100 {
        retransmitter.sent(SSRC, packet(sequence_number, 60_000), at(0));
    }
    assert!(retransmitter.streams[&SSRC].history.size().1 <= 2 << 20);
    retransmitter.sent(SSRC, packet(60_100, 10), at(2_000));
    assert_eq!(retransmitter.streams[&SSRC].history.size(), (1, 10));
}

#[test]
fn padding_repeats_recent_packets_each_in_its_turn() {
    let mut retransmitter = retransmitter(Some(RTX));
    sent(&mut retransmitter, 200);
    let osn = |resent: Resent| u16::from_be_bytes([resent.packet.payload[0], resent.packet.payload[1]]);
    let notes = retransmitter.padding(2_500, at(10));
    assert_eq!(notes.iter().map(|note| note.bytes).collect::<Vec<_>>(), [1_014; 3]);
    let mut chosen: Vec<u16> =
        notes.into_iter().filter_map(|note| retransmitter.take(note, at(10))).map(osn).collect();
    for ms in 11..20 {
        let notes = retransmitter.padding(2_500, at(ms));
        chosen.extend(notes.into_iter().filter_map(|note| retransmitter.take(note, at(ms))).map(osn));
    }
    assert_eq!(chosen, (0..30).map(|n| 199 - n).collect::<Vec<u16>>());
}

#[test]
fn padding_of_a_silent_stream_has_no_payload() {
    let mut retransmitter = retransmitter(Some(RTX));
    let notes = retransmitter.padding(500, at(10));
    assert_eq!(notes.len(), 3);
    let resent = retransmitter.take(notes[0], at(10)).unwrap();
    assert_eq!((resent.packet.payload.len(), resent.padding, resent.ssrc), (0, 224, 2));
    assert!(retransmitter.padding(usize::MAX, at(10)).len() <= MAX_PADDING_PACKETS);
}

#[test]
fn a_note_whose_packet_is_gone_gives_nothing_and_takes_no_number() {
    let mut retransmitter = retransmitter(Some(RTX));
    sent(&mut retransmitter, 1);
    let notes = retransmitter.nacked(SSRC, [0], at(10));
    retransmitter.sent(SSRC, packet(1, 1_000), at(1_500));
    assert_eq!(retransmitter.take(notes[0], at(1_500)), None);
    assert_eq!(resent(&mut retransmitter, &[1], 1_600)[0].packet.sequence_number, RTX.sequence_number);
    retransmitter.unbind(SSRC);
    assert_eq!(retransmitter.take(notes[0], at(1_500)), None);
}

#[test]
fn more_may_be_sent_again_when_more_is_lost() {
    let storm = |loss: f64| {
        let mut retransmitter = retransmitter(Some(RTX));
        retransmitter.set_round_trip_time(Duration::from_millis(5));
        retransmitter.set_path(Bitrate::kbps(1_000), loss, at(0));
        flood(&mut retransmitter, 10_000)
    };
    // Of 125 kB/s: 30 %, 50 %, over ten seconds, and a second's worth or the burst at the start.
    assert!((370_000..420_000).contains(&storm(0.0)), "{}", storm(0.0));
    assert!((620_000..700_000).contains(&storm(0.4)), "{}", storm(0.4));
    assert_eq!(storm(0.4), storm(1.0));
}

/// Sends 1 Mbit/s and asks for everything again each millisecond; bytes of answers.
fn flood(retransmitter: &mut Retransmitter, ms: u64) -> usize {
    let mut answered = 0;
    for moment in 0..ms {
        if moment.is_multiple_of(8) {
            retransmitter.sent(SSRC, packet((moment / 8) as u16, 1_000), at(moment));
        }
        let newest = (moment / 8) as u16;
        let notes = retransmitter.nacked(SSRC, (0..128).map(|back| newest.wrapping_sub(back)), at(moment));
        answered += notes.iter().map(|note| note.bytes).sum::<usize>();
        for note in notes {
            retransmitter.take(note, at(moment));
        }
    }
    answered
}

#[test]
fn a_thin_path_can_still_repair_a_key_frame() {
    let mut retransmitter = retransmitter(Some(RTX));
    retransmitter.set_path(Bitrate::kbps(60), 0.0, at(0));
    sent(&mut retransmitter, 30);
    let all: Vec<u16> = (0..30).collect();
    assert_eq!(resent(&mut retransmitter, &all, 100).len(), 11);
}

proptest! {
    /// Whatever is asked, answers stay within the budget of any span of time, and RTX sequence numbers have no gaps.
    #[test]
    fn a_nack_storm_is_not_amplified(
        asks in prop::collection::vec((0..40_u64, any::<u16>(), 1..300_u16), 1..200),
        target in 0..4_000_u64,
        loss in -1.0..2.0_f64,
        rtt in 0..200_u64,
    ) {
        let mut retransmitter = retransmitter(Some(RTX));
        retransmitter.set_path(Bitrate::kbps(target), loss, at(0));
        retransmitter.set_round_trip_time(Duration::from_millis(rtt));
        let (mut now, mut answers, mut numbers) = (0, Vec::new(), Vec::new());
        let mut next = 0_u16;
        for (wait, base, count) in asks {
            now += wait;
            for _ in 0..8 {
                retransmitter.sent(SSRC, packet(next, 1_100), at(now));
                next += 1;
            }
            let base = next.wrapping_sub(base % 400);
            let notes = retransmitter.nacked(SSRC, (0..count).map(|n| base.wrapping_add(n)), at(now));
            for note in notes {
                answers.push((now, note.bytes as u64));
                numbers.extend(retransmitter.take(note, at(now)).map(|resent| resent.packet.sequence_number));
            }
        }
        let rate = Bitrate::kbps(target).scale(0.5);
        for (index, (first, _)) in answers.iter().enumerate() {
            let mut bytes = 0;
            for (ms, more) in &answers[index..] {
                bytes += more;
                let span = Duration::from_millis(ms - first);
                let capacity = rate.bytes_in(Duration::from_secs(1)).max(12_000);
                prop_assert!(bytes <= capacity + rate.bytes_in(span) + 2);
            }
        }
        let expected: Vec<_> = (0..numbers.len()).map(|n| 65_535_u16.wrapping_add(n as u16)).collect();
        prop_assert_eq!(numbers, expected);
    }
}
