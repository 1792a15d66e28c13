//! The start of a call is quick.

use crate::bench::{Bench, HD};

/// An estimator that doubles each second from 300 kbit/s, as one that probes does.
fn ramp(ms: u64, link: u64) -> u64 {
    let doubled = 300.0 * 2_f64.powf(ms as f64 / 1_000.0);
    (doubled as u64).min(link)
}

fn time_to_top(bench: &mut Bench, id: u32, link: u64) -> u64 {
    let joined = bench.ms;
    bench.join(id, ramp(0, link));
    while bench.gets(id).is_none_or(|(layer, _)| layer < 2) {
        bench.run(50);
        let kbps = ramp(bench.ms - joined, link);
        bench.estimate(id, kbps);
        assert!(bench.ms - joined < 30_000);
    }
    bench.ms - joined
}

#[test]
fn from_join_to_720p_takes_less_than_four_seconds() {
    let mut bench = Bench::new(HD);
    let alone = time_to_top(&mut bench, 1, 4_000);
    assert!(alone <= 2_000, "{alone} ms");
    for _ in 0..100 {
        bench.run(50);
        let kbps = ramp(bench.ms, 4_000);
        bench.estimate(1, kbps);
    }
    assert_eq!(bench.rates(), [(2, 2_200)]);
    // Beside somebody whose 720p has its full rate, a newcomer has further to go.
    let beside = time_to_top(&mut bench, 2, 4_000);
    println!("alone {alone} ms, beside another {beside} ms");
    assert!(beside <= 4_000, "{beside} ms");
    assert!(bench.switches[&2].len() <= 3, "{:?}", bench.switches);
}

#[test]
fn the_first_picture_goes_out_at_once() {
    let mut bench = Bench::new(HD);
    bench.join(1, 300);
    assert_eq!(bench.gets(1), Some((1, 2)));
    assert_eq!(bench.rates(), [(1, 300)]);
}
