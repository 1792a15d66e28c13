//! The pacer in virtual time, woken as the caller's timer would wake it.

use proptest::prelude::*;

use super::*;
use crate::sim::{self, Rng};

const TARGET: Bitrate = Bitrate::kbps(1_000);
const PACKET: usize = 1_200;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sent {
    at: Duration,
    priority: Priority,
    bytes: usize,
    waited: Duration,
}

/// Drives a pacer; padding is made as asked for, in packets of 1200 bytes.
struct Bench {
    pacer: Pacer<usize>,
    now: Instant,
    /// The caller's timer is late by up to so much.
    lateness: Duration,
    rng: Rng,
    sent: Vec<Sent>,
    dropped: Vec<Priority>,
    probes: Vec<ProbeSent>,
    makes_padding: bool,
}

impl Bench {
    fn new(target: Bitrate) -> Self {
        Self {
            pacer: Pacer::new(PacerConfig::default(), target),
            now: sim::epoch(),
            lateness: Duration::ZERO,
            rng: Rng::new(1),
            sent: Vec::new(),
            dropped: Vec::new(),
            probes: Vec::new(),
            makes_padding: true,
        }
    }

    fn handle(&mut self, input: PacerInput<usize>) {
        self.pacer.handle(input, self.now);
        while let Some(output) = self.pacer.poll_output() {
            match output {
                PacerOutput::Send { item: bytes, priority, waited } => {
                    let at = self.now - sim::epoch();
                    self.sent.push(Sent { at, priority, bytes, waited });
                }
                PacerOutput::Drop { priority, .. } => self.dropped.push(priority),
                PacerOutput::ProbeSent(sent) => self.probes.push(sent),
                PacerOutput::NeedPadding { bytes } => {
                    assert!(bytes > 0);
                    if self.makes_padding {
                        for _ in 0..bytes.div_ceil(PACKET) {
                            self.pacer.handle(packet(Priority::Padding, PACKET), self.now);
                        }
                    }
                }
            }
        }
        assert!(
            self.pacer.poll_timeout().is_none_or(|at| at > self.now),
            "the timeout never lies in the past"
        );
    }

    fn queue(&mut self, priority: Priority, packets: usize) {
        for _ in 0..packets {
            self.handle(packet(priority, PACKET));
        }
    }

    fn run_until(&mut self, until: Duration) {
        let until = sim::epoch() + until;
        while let Some(at) = self.pacer.poll_timeout().filter(|at| *at <= until) {
            let late = self.lateness.mul_f64(self.rng.unit());
            self.now = (at + late).min(until).max(self.now);
            self.handle(PacerInput::Tick);
        }
        self.now = until;
    }

    fn of(&self, priority: Priority) -> Vec<Sent> {
        self.sent.iter().copied().filter(|sent| sent.priority == priority).collect()
    }
}

fn packet(priority: Priority, bytes: usize) -> PacerInput<usize> {
    PacerInput::Packet { priority, bytes, item: bytes }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn probe(rate: Bitrate, time: Duration) -> Probe {
    Probe { id: 7, rate, bytes: rate.bytes_in(time) as usize, packets: 5 }
}

fn rate_of(sent: &[Sent]) -> Bitrate {
    let bytes: usize = sent[..sent.len() - 1].iter().map(|sent| sent.bytes).sum();
    Bitrate::of(bytes as u64, sent[sent.len() - 1].at - sent[0].at)
}

#[test]
fn a_frame_leaves_at_the_pacing_rate() {
    let mut bench = Bench::new(TARGET);
    bench.queue(Priority::Video, 8);
    bench.run_until(ms(33));
    assert_eq!(bench.sent.len(), 8);
    // 9.6 kB at 2.5 Mbit/s take 31 ms, of which 5 ms go at once.
    let last = bench.sent[7].at;
    assert!(last > ms(20) && last < ms(28), "{last:?}");
}

#[test]
fn audio_never_waits_and_retransmissions_go_before_video() {
    let mut bench = Bench::new(TARGET);
    bench.queue(Priority::Video, 10);
    bench.queue(Priority::Retransmission, 2);
    bench.queue(Priority::Audio, 1);
    assert_eq!(bench.sent.last().map(|sent| sent.priority), Some(Priority::Audio));
    assert_eq!(bench.of(Priority::Audio)[0].waited, Duration::ZERO);
    let before = bench.sent.len();
    bench.run_until(ms(100));
    let next: Vec<_> = bench.sent[before..].iter().map(|sent| sent.priority).collect();
    assert_eq!(next[..2], [Priority::Retransmission; 2]);
    assert!(next[2..].iter().all(|priority| *priority == Priority::Video));
    assert_eq!(bench.sent.len(), 13);
}

#[test]
fn audio_is_counted() {
    let mut with_audio = Bench::new(TARGET);
    with_audio.queue(Priority::Audio, 10);
    with_audio.queue(Priority::Video, 1);
    with_audio.run_until(ms(100));
    assert!(with_audio.of(Priority::Video)[0].at > ms(30));
}

#[test]
fn audio_above_the_target_does_not_starve_video() {
    let mut bench = Bench::new(Bitrate::kbps(40));
    for step in 0..100 {
        bench.run_until(ms(step * 20));
        bench.handle(packet(Priority::Audio, 400));
        bench.handle(packet(Priority::Video, 200));
    }
    bench.run_until(ms(3_000));
    let video = bench.of(Priority::Video);
    assert_eq!(video.len(), 100);
    assert!(video.iter().all(|sent| sent.waited <= ms(310)), "{:?}", video.iter().map(|s| s.waited).max());
}

#[test]
fn a_queue_that_would_grow_old_is_sent_faster() {
    let mut bench = Bench::new(Bitrate::kbps(100));
    bench.queue(Priority::Video, 50);
    assert_eq!(bench.pacer.queue_delay(), Bitrate::kbps(100).time_for(50 * 1_200 - 1_200).unwrap());
    bench.run_until(ms(305));
    assert_eq!(bench.sent.len(), 50);
    assert!(bench.sent.iter().all(|sent| sent.waited <= ms(305)));
    assert!(bench.sent[25].at > ms(100), "and not at once");
    assert_eq!(bench.pacer.queue_delay(), Duration::ZERO);
}

#[test]
fn a_collapse_of_the_target_keeps_to_the_queue_limit() {
    let mut bench = Bench::new(Bitrate::kbps(4_000));
    bench.queue(Priority::Video, 60);
    bench.run_until(ms(10));
    bench.handle(PacerInput::Target(Bitrate::ZERO));
    bench.run_until(ms(310));
    assert_eq!(bench.sent.len(), 60);
    assert_eq!(bench.pacer.queue_time(), Duration::ZERO);
}

#[test]
fn late_retransmissions_are_dropped() {
    let mut bench = Bench::new(Bitrate::kbps(30));
    bench.queue(Priority::Retransmission, 10);
    bench.run_until(ms(1_000));
    assert!(bench.dropped.iter().all(|priority| *priority == Priority::Retransmission));
    assert_eq!(bench.sent.len() + bench.dropped.len(), 10);
    assert!(!bench.dropped.is_empty());
    assert!(bench.sent.iter().all(|sent| sent.waited <= ms(250)));
}

#[test]
fn the_queue_is_bounded() {
    let mut bench = Bench::new(Bitrate::kbps(100));
    bench.queue(Priority::Video, 10_000);
    assert!(bench.pacer.queued_bytes() <= PacerConfig::default().max_bytes);
    assert!(bench.dropped.len() > 7_000);
    let mut tiny = Bench::new(Bitrate::kbps(100));
    for _ in 0..10_000 {
        tiny.handle(packet(Priority::Video, 0));
    }
    assert!(tiny.pacer.queued_bytes() == 0);
}

#[test]
fn a_probe_without_media_is_sent_with_padding_at_its_rate() {
    for kbps in [600, 1_500, 3_000, 9_000] {
        let mut bench = Bench::new(Bitrate::kbps(300));
        bench.lateness = ms(1);
        let probe = probe(Bitrate::kbps(kbps), ms(40));
        bench.handle(PacerInput::Probe(probe));
        bench.run_until(ms(1_000));
        let rate = rate_of(&bench.sent).as_kbps() as f64 / kbps as f64;
        assert!((0.9..1.1).contains(&rate), "{kbps}: {rate}");
        let bytes: usize = bench.sent.iter().map(|sent| sent.bytes).sum();
        assert!(bytes >= probe.bytes && bench.sent.len() >= probe.packets);
        assert!(bytes <= probe.bytes.max(PACKET * 5) + PACKET, "no more than it takes");
        let [first, last] = [bench.sent[0].at, bench.sent[bench.sent.len() - 1].at];
        let reported = ProbeSent { id: 7, first: sim::epoch() + first, last: sim::epoch() + last };
        assert_eq!(bench.probes, [reported]);
    }
}

#[test]
fn a_probe_carries_media_first_and_never_delays_audio() {
    let mut bench = Bench::new(Bitrate::kbps(1_000));
    bench.queue(Priority::Video, 20);
    bench.handle(PacerInput::Probe(probe(Bitrate::kbps(2_000), ms(100))));
    for step in 1..=10 {
        bench.run_until(ms(step * 10));
        bench.handle(packet(Priority::Audio, 150));
    }
    bench.run_until(ms(500));
    assert!(bench.of(Priority::Audio).iter().all(|sent| sent.waited == Duration::ZERO));
    let last_video = bench.of(Priority::Video).last().unwrap().at;
    assert!(bench.of(Priority::Padding).iter().all(|sent| sent.at >= last_video));
    let probe = bench.probes[0];
    let span = (probe.first - sim::epoch())..=(probe.last - sim::epoch());
    let of_probe: Vec<_> = bench.sent.iter().copied().filter(|sent| span.contains(&sent.at)).collect();
    let rate = rate_of(&of_probe).as_kbps();
    assert!((1_800..2_200).contains(&rate), "{rate}");
}

#[test]
fn a_probe_with_nothing_to_send_is_given_up_without_hurry() {
    let mut bench = Bench::new(TARGET);
    bench.makes_padding = false;
    bench.handle(PacerInput::Probe(probe(Bitrate::kbps(2_000), ms(20))));
    let mut wakes = 0;
    while let Some(at) = bench.pacer.poll_timeout() {
        bench.now = at;
        bench.handle(PacerInput::Tick);
        wakes += 1;
    }
    assert!(bench.now - sim::epoch() < ms(200));
    assert!(wakes < 50, "{wakes}");
    assert_eq!(bench.probes, []);
}

#[test]
fn padding_that_nobody_wants_is_dropped() {
    let mut bench = Bench::new(TARGET);
    bench.queue(Priority::Padding, 1);
    assert_eq!(bench.dropped, [Priority::Padding]);
}

#[test]
fn probes_follow_each_other_and_too_many_are_forgotten() {
    let mut bench = Bench::new(TARGET);
    for id in 0..10 {
        bench.handle(PacerInput::Probe(Probe { id, ..probe(Bitrate::kbps(3_000), ms(20)) }));
    }
    bench.run_until(ms(1_000));
    let ids: Vec<_> = bench.probes.iter().map(|sent| sent.id).collect();
    assert_eq!(ids, [0, 6, 7, 8, 9]);
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![
        2 => Just(Priority::Audio),
        1 => Just(Priority::Retransmission),
        5 => Just(Priority::Video),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Packets(Priority, usize, usize),
    Target(u64),
    Probe(u64, usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (priority(), 1..1_300_usize, 1..20_usize).prop_map(|(p, bytes, n)| Step::Packets(p, bytes, n)),
        1 => (0..6_000_u64).prop_map(Step::Target),
        1 => (0..20_000_u64, 0..40_000_usize).prop_map(|(kbps, bytes)| Step::Probe(kbps, bytes)),
        4 => (0..60_000_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Whatever comes: nothing is lost, each priority keeps its order, audio never waits, video keeps to the limit, and the timeout never lies in the past.
    #[test]
    fn any_traffic_leaves_in_order_and_in_time(steps in prop::collection::vec(step(), 1..80), late_us in 0..3_000_u64) {
        let mut bench = Bench::new(TARGET);
        bench.lateness = Duration::from_micros(late_us);
        let mut now = Duration::ZERO;
        let mut queued: Vec<(Priority, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Packets(priority, bytes, count) => for _ in 0..count {
                    queued.push((priority, bytes));
                    bench.handle(packet(priority, bytes));
                },
                Step::Target(kbps) => bench.handle(PacerInput::Target(Bitrate::kbps(kbps))),
                Step::Probe(kbps, bytes) => {
                    bench.handle(PacerInput::Probe(Probe { id: 0, rate: Bitrate::kbps(kbps), bytes, packets: 5 }));
                }
                Step::Wait(us) => {
                    now += Duration::from_micros(us);
                    bench.run_until(now);
                }
            }
        }
        bench.run_until(now + ms(5_000));
        for priority in [Priority::Audio, Priority::Video] {
            let expected: Vec<_> = queued.iter().filter(|(p, _)| *p == priority).map(|(_, bytes)| *bytes).collect();
            let sent: Vec<_> = bench.of(priority).iter().map(|sent| sent.bytes).collect();
            prop_assert_eq!(sent, expected);
        }
        for sent in &bench.sent {
            match sent.priority {
                Priority::Audio => prop_assert_eq!(sent.waited, Duration::ZERO),
                // A burst of grace, and what the timer is late.
                Priority::Video => prop_assert!(sent.waited <= ms(320), "{:?}", sent.waited),
                Priority::Retransmission => prop_assert!(sent.waited <= ms(250)),
                Priority::Padding => {}
            }
        }
        prop_assert_eq!(bench.pacer.poll_timeout(), None);
        prop_assert_eq!(bench.pacer.queued_bytes(), 0);
    }

    /// While the queue is short of its limit, what leaves in any span of time is at most the pacing rate and one burst.
    #[test]
    fn no_burst_is_longer_than_five_milliseconds(frames in prop::collection::vec((1..8_usize, 20..60_u64), 1..40), late_us in 0..2_000_u64) {
        let mut bench = Bench::new(Bitrate::kbps(2_000));
        bench.lateness = Duration::from_micros(late_us);
        let mut now = Duration::ZERO;
        for (packets, wait) in frames {
            bench.queue(Priority::Video, packets);
            now += ms(wait);
            bench.run_until(now);
        }
        let rate = Bitrate::kbps(5_000);
        for (index, first) in bench.sent.iter().enumerate() {
            let mut bytes = 0;
            for sent in &bench.sent[index..] {
                bytes += sent.bytes as u64;
                prop_assert!(bytes <= rate.bytes_in(sent.at - first.at + ms(5)) + PACKET as u64 + 1);
            }
        }
    }
}
