//! When a packet is asked for, packet by packet.

use std::time::{Duration, Instant};

use media_core::nack::{NackConfig, NackGenerator, NackInput, NackOutput};
use media_core::sim;

struct Stream {
    generator: NackGenerator,
    now: Instant,
}

impl Stream {
    fn new() -> Self {
        let mut generator = NackGenerator::new(NackConfig::default());
        generator.handle(NackInput::RoundTripTime(Duration::from_millis(100)), sim::epoch());
        Self { generator, now: sim::epoch() }
    }

    fn packet(&mut self, sequence_number: u16) -> Vec<u16> {
        self.put(NackInput::Packet { sequence_number, retransmitted: false })
    }

    fn retransmission(&mut self, sequence_number: u16) -> Vec<u16> {
        self.put(NackInput::Packet { sequence_number, retransmitted: true })
    }

    fn put(&mut self, input: NackInput) -> Vec<u16> {
        self.generator.handle(input, self.now);
        let outputs = std::iter::from_fn(|| self.generator.poll_output());
        outputs.flat_map(|NackOutput::Request(numbers)| numbers).collect()
    }

    /// Lets time pass, and gives what was asked for and when (ms).
    fn pass(&mut self, ms: u64) -> Vec<(u64, Vec<u16>)> {
        let start = self.now;
        let end = start + Duration::from_millis(ms);
        let mut requests = Vec::new();
        while let Some(due) = self.generator.poll_timeout()
            && due <= end
        {
            self.now = due;
            let numbers = self.put(NackInput::Tick);
            if !numbers.is_empty() {
                requests.push(((due - start).as_millis() as u64, numbers));
            }
        }
        self.now = end;
        requests
    }
}

#[test]
fn an_unbroken_stream_asks_for_nothing() {
    let mut stream = Stream::new();
    for sequence in 65_500..66_000_u32 {
        assert!(stream.packet(sequence as u16).is_empty());
    }
    assert_eq!(stream.generator.poll_timeout(), None);
}

#[test]
fn a_lost_packet_is_asked_for_after_the_time_for_reordering() {
    let mut stream = Stream::new();
    stream.packet(1);
    assert!(stream.packet(3).is_empty());
    assert_eq!(stream.pass(50), [(10, vec![2])]);
}

#[test]
fn three_later_packets_end_the_wait() {
    let mut stream = Stream::new();
    stream.packet(65_534);
    assert!(stream.packet(0).is_empty());
    assert!(stream.packet(1).is_empty());
    assert_eq!(stream.packet(2), [65_535]);
}

#[test]
fn a_packet_that_was_only_reordered_is_not_asked_for() {
    let mut stream = Stream::new();
    for sequence in [1, 3, 2, 4] {
        assert!(stream.packet(sequence).is_empty());
    }
    assert!(stream.pass(1_000).is_empty());
    assert_eq!(stream.generator.stats().reordered, 1);
}

#[test]
fn a_retransmission_fills_the_hole() {
    let mut stream = Stream::new();
    stream.packet(1);
    stream.packet(3);
    stream.pass(20);
    assert!(stream.retransmission(2).is_empty());
    assert!(stream.pass(2_000).is_empty());
    let stats = stream.generator.stats();
    assert_eq!((stats.requested, stats.recovered, stats.given_up), (1, 1, 0));
    assert_eq!(stream.generator.missing(), 0);
}

#[test]
fn an_answer_that_is_overdue_is_asked_for_again_until_it_is_of_no_use() {
    let mut stream = Stream::new();
    stream.packet(1);
    stream.packet(3);
    let times: Vec<u64> = stream.pass(10_000).into_iter().map(|(at, _)| at).collect();
    // A quarter more than the round-trip time of 100 ms, for a second.
    assert_eq!(times, [10, 135, 260, 385, 510, 635, 760, 885]);
    let stats = stream.generator.stats();
    assert_eq!((stats.given_up, stream.generator.missing()), (1, 0));
}

#[test]
fn no_packet_is_asked_for_more_than_ten_times() {
    let mut stream = Stream::new();
    stream.put(NackInput::RoundTripTime(Duration::from_millis(1)));
    stream.packet(1);
    stream.packet(3);
    assert_eq!(stream.pass(10_000).len(), 10);
    assert_eq!(stream.generator.stats().given_up, 1);
}

#[test]
fn what_is_missing_together_is_asked_for_together() {
    let mut stream = Stream::new();
    stream.packet(1);
    stream.packet(5);
    stream.pass(3);
    stream.packet(7);
    assert_eq!(stream.pass(50), [(7, vec![2, 3, 4, 6])]);
    assert_eq!(stream.generator.stats().nack_count, 1);
}

#[test]
fn what_is_through_is_not_asked_for() {
    let mut stream = Stream::new();
    stream.packet(1);
    stream.packet(5);
    assert!(stream.put(NackInput::Through(3)).is_empty());
    assert_eq!(stream.pass(50), [(10, vec![4])]);
    assert_eq!(stream.generator.stats().obsolete, 2);
}

#[test]
fn too_many_holes_at_once_are_all_given_up() {
    let mut stream = Stream::new();
    stream.packet(1);
    stream.packet(600);
    stream.packet(1_200);
    assert_eq!(stream.generator.missing(), 0);
    assert_eq!(stream.generator.stats().given_up, 598 + 599);
    stream.packet(1_202);
    assert_eq!(stream.pass(20), [(10, vec![1_201])]);
}

#[test]
fn large_requests_are_cut_to_fit_a_packet() {
    let mut stream = Stream::new();
    stream.packet(0);
    stream.packet(601);
    stream.now += Duration::from_millis(10);
    stream.generator.handle(NackInput::Tick, stream.now);
    let sizes: Vec<usize> = std::iter::from_fn(|| stream.generator.poll_output())
        .map(|NackOutput::Request(numbers)| numbers.len())
        .collect();
    assert_eq!(sizes, [250, 250, 100]);
}

#[test]
fn a_sender_that_restarts_is_followed_and_a_stray_packet_is_not() {
    for (start, pause) in [(30_000, 0), (500, 600)] {
        let mut stream = Stream::new();
        (900..1_000).for_each(|sequence| assert!(stream.packet(sequence).is_empty()));
        stream.pass(pause);
        stream.packet(start);
        assert_eq!((stream.generator.stats().restarts, stream.generator.missing()), (0, 0));
        (start + 1..start + 10).for_each(|sequence| assert!(stream.packet(sequence).is_empty()));
        stream.packet(start + 11);
        assert_eq!(stream.pass(20), [(10, vec![start + 10])]);
        assert_eq!(stream.generator.stats().restarts, 1);
    }
}

#[test]
fn a_retransmission_before_the_first_packet_says_nothing() {
    let mut stream = Stream::new();
    stream.retransmission(1);
    stream.packet(200);
    assert_eq!(stream.generator.missing(), 0);
}
