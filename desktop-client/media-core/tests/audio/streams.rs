//! Streams that pause, restart, jump, or are not what they should be.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media_core::audio::jitter_buffer::JitterBufferConfig;
use media_core::rtp::RtpPacket;
use media_core::sim;

use crate::call::{Listener, PACKET, dtx, packet, roughness};

fn at(ms: u64) -> Instant {
    sim::epoch() + Duration::from_millis(ms)
}

/// Plays from one time to another while packets come at theirs; both in ms.
fn play(listener: &mut Listener, from: u64, to: u64, packets: &mut Vec<(u64, RtpPacket)>) {
    packets.sort_by_key(|(ms, _)| *ms);
    for ms in (from..to).step_by(10) {
        while packets.first().is_some_and(|(due, _)| *due <= ms) {
            let (due, packet) = packets.remove(0);
            listener.insert(RtpPacket { arrival: at(due), ..packet });
        }
        listener.play(at(ms));
    }
}

/// Packets `from..to` of a stream that starts at 0 ms, each sent when it is complete.
fn stream(from: u16, to: u16, first_timestamp: u32) -> Vec<(u64, RtpPacket)> {
    (from..to)
        .map(|i| {
            let timestamp = first_timestamp.wrapping_add(u32::from(i) * PACKET);
            ((u64::from(i) + 1) * 20, packet(i, timestamp, sim::epoch()))
        })
        .collect()
}

fn listener() -> Listener {
    Listener::new(JitterBufferConfig::default())
}

#[test]
fn nothing_is_heard_or_counted_before_the_first_packet() {
    let mut listener = listener();
    play(&mut listener, 0, 1_000, &mut Vec::new());
    assert!(listener.heard.iter().all(|s| *s == 0.0));
    assert_eq!(listener.stats().total_samples_received, 0);
}

#[test]
fn a_stream_is_heard_whole_from_its_first_sample() {
    let mut listener = listener();
    play(&mut listener, 0, 2_000, &mut stream(0, 100, u32::MAX - 20_000));
    assert_eq!(listener.timestamps[0], u32::MAX - 20_000);
    assert!(listener.timestamps.len() >= 97);
    assert!(listener.timestamps.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == PACKET));
}

#[test]
fn comfort_noise_fills_announced_silence_and_the_next_words_start_whole() {
    let mut listener = listener();
    let mut packets = stream(0, 50, 0);
    // Silence is announced, renewed after 400 ms, and ends at 2 s.
    for (sequence, index) in [(50, 50), (51, 70), (52, 90)] {
        packets.push(((index + 1) * 20, dtx(packet(sequence, index as u32 * PACKET, sim::epoch()))));
    }
    for i in 100..150_u16 {
        packets.push(((u64::from(i) + 1) * 20, packet(i - 47, u32::from(i) * PACKET, sim::epoch())));
    }
    play(&mut listener, 0, 3_000, &mut packets);
    let stats = listener.stats();
    assert_eq!((stats.concealed_samples, stats.packets_discarded), (0, 0));
    assert!(listener.orders.comfort > 50, "{:?}", listener.orders);
    assert!(listener.timestamps.contains(&(100 * PACKET)), "the first packet of the talk spurt is heard");
    assert!(listener.buffer.current_delay(at(3_000)) < Duration::from_millis(60));
}

#[test]
fn a_sender_that_pauses_without_a_word_is_no_loss() {
    let mut listener = listener();
    let mut packets = stream(0, 50, 0);
    // Sequence numbers go on, media time jumps by half a second.
    packets
        .extend((75..125).map(|i| (u64::from(i) * 20 + 20, packet(i as u16 - 25, i * PACKET, sim::epoch()))));
    play(&mut listener, 0, 2_500, &mut packets);
    assert!(listener.timestamps.contains(&(75 * PACKET)));
    assert_eq!(listener.stats().packets_discarded, 0);
    assert!(listener.buffer.current_delay(at(2_500)) < Duration::from_millis(60));
}

#[test]
fn a_new_ssrc_is_a_new_stream() {
    let mut listener = listener();
    let mut packets = stream(0, 50, 0);
    packets
        .extend(stream(50, 100, 3_000_000_000).into_iter().map(|(ms, p)| (ms, RtpPacket { ssrc: 2, ..p })));
    play(&mut listener, 0, 2_000, &mut packets);
    assert!(listener.timestamps.len() >= 95, "{}", listener.timestamps.len());
    assert!(listener.buffer.current_delay(at(2_000)) < Duration::from_millis(60));
}

#[test]
fn timestamps_that_jump_or_run_backwards_are_followed() {
    for jump in [48_000 * 60, 0_u32.wrapping_sub(48_000 * 60)] {
        let mut listener = listener();
        let mut packets = stream(0, 50, 500_000);
        packets.extend(stream(50, 150, 500_000_u32.wrapping_add(jump)));
        play(&mut listener, 0, 3_000, &mut packets);
        assert!(listener.timestamps.len() >= 140, "{} after {jump}", listener.timestamps.len());
        assert!(listener.buffer.current_delay(at(3_000)) < Duration::from_millis(60));
        assert!(listener.stats().concealed_samples < 48 * 200);
    }
}

#[test]
fn a_single_packet_far_off_changes_nothing() {
    let mut listener = listener();
    let mut packets = stream(0, 100, 500_000);
    packets.push((1_005, packet(50, 3_000_000_000, sim::epoch())));
    play(&mut listener, 0, 2_000, &mut packets);
    let stats = listener.stats();
    assert_eq!((stats.concealed_samples, stats.packets_discarded), (0, 1));
}

#[test]
fn packets_of_120_ms_play_like_any_other() {
    let mut listener = listener();
    let mut packets: Vec<(u64, RtpPacket)> = (0..20_u16)
        .map(|i| {
            // SILK, two frames of 60 ms.
            let mut packet = packet(i, u32::from(i) * 5_760, sim::epoch());
            let mut payload = packet.payload.to_vec();
            payload[0] = 11 << 3 | 1;
            packet.payload = payload.into();
            ((u64::from(i) + 1) * 120, packet)
        })
        .collect();
    play(&mut listener, 0, 2_400, &mut packets);
    assert_eq!(listener.stats().concealed_samples, 0);
    assert!(listener.timestamps.len() >= 18);
    assert!(roughness(&listener.heard) < 0.02);
}

#[test]
fn malformed_packets_are_dropped_and_counted() {
    let mut listener = listener();
    let mut packets = stream(0, 50, 0);
    for payload in [&[][..], &[0xFF], &[9 << 3 | 3, 0], &[3 << 3 | 3, 63, 1]] {
        packets.push((
            500,
            RtpPacket { payload: Bytes::copy_from_slice(payload), ..packet(7, 99, sim::epoch()) },
        ));
    }
    play(&mut listener, 0, 1_000, &mut packets);
    assert_eq!((listener.stats().packets_discarded, listener.stats().concealed_samples), (4, 0));
}

#[test]
fn a_decoder_that_fails_is_concealed_and_time_goes_on() {
    let mut listener = listener();
    let mut buffered = stream(0, 200, 0);
    let mut blocks = 0;
    for ms in (0..4_000).step_by(10) {
        while buffered.first().is_some_and(|(due, _)| *due <= ms) {
            let (due, packet) = buffered.remove(0);
            listener.insert(RtpPacket { arrival: at(due), ..packet });
        }
        // Answers nothing, or not at all.
        while listener.buffer.poll(at(ms)).is_some() {
            if ms % 20 == 0 {
                listener.buffer.decoded(&[], at(ms));
            }
        }
        let mut block = [1.0; 480];
        listener.buffer.read(&mut block, at(ms));
        blocks += u32::from(block.iter().all(|s| *s == 0.0));
    }
    assert_eq!(blocks, 400);
    assert!(listener.buffer.waiting_packets() < 10);
}

#[test]
fn a_flood_of_packets_holds_bounded_memory_and_delay() {
    let mut listener = listener();
    for i in 0..50_000_u16 {
        listener.insert(packet(i, u32::from(i) * 120, at(0)));
    }
    assert!(listener.buffer.waiting_packets() <= 400);
    play(&mut listener, 0, 1_000, &mut Vec::new());
    assert!(listener.buffer.current_delay(at(1_000)) < Duration::from_millis(800));
}
