//! What a client sends in a call: sound always, pictures when there is room.

use crate::network::{Flow, Network};

/// A call of half a minute. Connecting takes a time in seconds, and the receiver is ready another time later.
fn call(profile: &str, setup: f64, deaf: f64, seed: u64) -> Flow {
    let mut network = Network::named(profile, seed).call(setup, deaf);
    network.run_to(30.0);
    network.flows.remove(0)
}

/// Seconds during which there was too little for pictures.
fn without_pictures(flow: &Flow, from: f64) -> f64 {
    flow.samples.iter().filter(|sample| sample.at > from && sample.estimate < 120.0).count() as f64 / 10.0
}

#[test]
fn a_path_that_loses_much_has_pictures_soon_and_keeps_them() {
    for (name, setup, deaf, least) in [
        ("loss-20", 1.0, 0.0, 550.0),
        ("loss-20", 2.5, 1.0, 550.0),
        ("loss-30", 2.5, 0.0, 300.0),
        ("loss-30", 2.5, 3.0, 300.0),
    ] {
        for seed in 1..=20 {
            let flow = call(name, setup, deaf, seed);
            let (from, without) = (setup + deaf, without_pictures(&flow, setup + deaf));
            assert!(without < 5.0, "{name}, seed {seed}: none for {without} s");
            let received = flow.mean(from, 30.0, |sample| sample.received);
            assert!(received > least, "{name}, seed {seed}: {received} kbit/s");
        }
    }
}

#[test]
fn far_away_over_a_poor_line_there_are_pictures_most_of_the_time() {
    let mut total = 0.0;
    for seed in 1..=20 {
        let flow = call("international", 3.0, 0.0, seed);
        let without = without_pictures(&flow, 3.0);
        assert!(without < 15.0, "seed {seed}: none for {without} s");
        total += without;
    }
    assert!(total / 20.0 < 7.0, "{} s", total / 20.0);
}

#[test]
fn thin_links_carry_sound_without_a_long_queue() {
    for (name, setup, deaf, most) in [
        ("cap-300", 0.5, 0.0, 80.0),
        ("cap-100", 1.0, 1.0, 260.0),
        ("cap-50", 2.0, 0.0, 60.0),
        ("cap-50", 2.0, 1.0, 60.0),
    ] {
        for seed in 1..=5 {
            let flow = call(name, setup, deaf, seed);
            let queue = flow.mean(setup + deaf, 30.0, |sample| sample.queue);
            assert!(queue < most, "{name}, {deaf} s, seed {seed}: {queue} ms");
        }
    }
}
