//! A table of all networks, for reading: `cargo test -p media-core --test congestion survey -- --ignored --nocapture`.

use crate::network::{Flow, Network};

const SEEDS: u64 = 5;

#[test]
#[ignore = "prints a table for people"]
fn survey() {
    println!(
        "network        sends     received, mean (least)  estimate  queue, mean (most)  1.4 Mbit/s after"
    );
    for name in media_core::sim::Profile::NAMES {
        for pictures in [false, true] {
            let flows: Vec<Flow> = (1..=SEEDS).map(|seed| run(name, pictures, seed)).collect();
            let mean = |figure: &dyn Fn(&Flow) -> f64| flows.iter().map(figure).sum::<f64>() / SEEDS as f64;
            let received = |flow: &Flow| flow.mean(10.0, 60.0, |s| s.received);
            let least = flows.iter().map(received).fold(f64::INFINITY, f64::min);
            let queue = flows.iter().map(|flow| flow.most(10.0, 60.0, |s| s.queue)).fold(0.0, f64::max);
            let reached = flows
                .iter()
                .map(|flow| flow.first(0.0, |s| s.estimate >= 1_400.0))
                .max_by(|a, b| a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY)));
            println!(
                "{name:14} {:8}  {:6.0} ({:5.0})          {:6.0}    {:4.0} ({:4.0})         {}",
                if pictures { "pictures" } else { "evenly" },
                mean(&received),
                least,
                mean(&|flow| flow.mean(10.0, 60.0, |s| s.estimate)),
                mean(&|flow| flow.mean(10.0, 60.0, |s| s.queue)),
                queue,
                reached.flatten().map_or_else(|| "never".into(), |at| format!("{at:.1} s")),
            );
        }
    }
}

fn run(name: &str, pictures: bool, seed: u64) -> Flow {
    let mut network = Network::named(name, seed).adaptive(1_700, 0.0);
    network.flows[0].pictures = pictures;
    network.run_to(60.0);
    network.flows.remove(0)
}
