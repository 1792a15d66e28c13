use super::*;
use crate::sim::{self, Rng};

/// Sends for some seconds at the rate that the control allows, at most 2 Mbit/s, in packets of 1000 bytes with a report each 100 ms.
struct Bench {
    control: LossControl,
    rng: Rng,
    now: Instant,
    /// What is sent whatever the rate, in kbit/s: sound.
    least: f64,
}

impl Bench {
    fn new() -> Self {
        let control = LossControl::new(&GccConfig::default());
        Self { control, rng: Rng::new(3), now: sim::epoch(), least: 0.0 }
    }

    fn run(&mut self, seconds: u32, congested: bool, loss: impl Fn(f64) -> f64) -> f64 {
        let mut kbps = 0.0;
        for _ in 0..10 * seconds {
            let rate = self.control.rate().unwrap_or(Bitrate::kbps(2_000)).min(Bitrate::kbps(2_000));
            kbps = (rate.as_bps() as f64 / 1e3).max(self.least);
            let rate = Bitrate::bps((kbps * 1e3) as u64);
            let packets = (kbps / 80.0).round().max(1.0) as u32;
            for i in 0..packets {
                let departure =
                    self.now + Duration::from_millis(100).mul_f64(f64::from(i) / f64::from(packets));
                self.control.record(departure, self.rng.chance(loss(kbps)));
            }
            self.now += Duration::from_millis(100);
            let delay_based = Bitrate::kbps(2_000);
            self.control.update(&LossContext { sent: Some(rate), congested, delay_based }, self.now);
        }
        kbps
    }
}

#[test]
fn loss_at_any_rate_is_accepted() {
    for (share, least) in [(0.05, 1_900.0), (0.1, 1_900.0), (0.2, 800.0), (0.3, 350.0)] {
        let mut bench = Bench::new();
        let kbps = bench.run(20, false, |_| share);
        assert!(kbps > least, "{share}: {kbps}");
    }
}

#[test]
fn loss_is_accepted_where_less_cannot_be_sent() {
    let mut bench = Bench { least: 80.0, ..Bench::new() };
    bench.run(20, false, |kbps| if kbps > 81.0 { 0.5 } else { 0.3 });
    assert!(bench.run(20, false, |_| 0.3) > 350.0);
}

#[test]
fn a_test_during_which_as_much_was_sent_as_before_shows_nothing() {
    let mut control = LossControl::new(&GccConfig::default());
    let mut now = sim::epoch();
    let mut send = |control: &mut LossControl, kbps: u64, tenths: u32, lost: u32| {
        for _ in 0..tenths {
            (0..10).for_each(|i| control.record(now + Duration::from_millis(10 * u64::from(i)), i < lost));
            now += Duration::from_millis(100);
            let sent = Some(Bitrate::kbps(kbps));
            let context = LossContext { sent, congested: false, delay_based: Bitrate::kbps(2_000) };
            control.update(&context, now);
        }
    };
    // A backlog fills a thin path, and goes on filling it while the rate is lowered.
    send(&mut control, 200, 15, 5);
    assert!(control.is_holding() && control.accepted() == 0.0);
    // Then it is gone, and with it the loss.
    send(&mut control, 40, 10, 0);
    assert!(control.accepted() == 0.0 && control.rate().is_some_and(|rate| rate < Bitrate::kbps(150)));
}

#[test]
fn loss_that_responds_to_the_rate_is_not() {
    let mut bench = Bench::new();
    bench.run(3, false, |_| 0.0);
    let policer = |kbps: f64| (1.0 - 800.0 / kbps).max(0.0);
    let mut total = 0.0;
    for _ in 0..30 {
        let kbps = bench.run(1, false, policer);
        total += kbps;
    }
    assert!(total / 30.0 < 1_000.0, "{}", total / 30.0);
    assert!(total / 30.0 > 600.0, "{}", total / 30.0);
}

#[test]
fn loss_with_a_queue_lowers_the_rate_at_once() {
    let mut bench = Bench::new();
    bench.run(3, false, |_| 0.0);
    let kbps = bench.run(1, true, |kbps| (1.0 - 400.0 / kbps).max(0.0));
    assert!(kbps < 550.0, "{kbps}");
}

#[test]
fn when_all_is_lost_the_rate_falls_to_the_floor() {
    let mut bench = Bench::new();
    let kbps = bench.run(30, false, |_| 1.0);
    assert!(kbps <= 60.0, "{kbps}");
    assert!(bench.control.rate().is_some_and(|rate| rate >= Bitrate::kbps(30)));
}
