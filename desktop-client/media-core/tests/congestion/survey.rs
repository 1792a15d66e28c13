//! Tables for reading: `cargo test -p media-core --test congestion survey -- --ignored --nocapture --test-threads 1`.

use crate::bottleneck::thin;
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

#[test]
#[ignore = "prints a table for people"]
fn survey_of_changes() {
    println!("2.5 Mbit/s, then less for 15 s    queue below 100 ms after   received then   80 % back after");
    for (kbps, queue) in [(100, 300), (400, 300), (800, 300), (400, 1_000)] {
        let steps = [(0.0, thin(2_500, queue)), (15.0, thin(kbps, queue)), (30.0, thin(2_500, queue))];
        let mut network = Network::stepped(&steps, 1).adaptive(2_200, 0.0);
        network.run_to(60.0);
        let flow = &network.flows[0];
        let before = flow.mean(10.0, 15.0, |s| s.received);
        let full = flow.first(15.0, |s| s.queue > 100.0).unwrap_or(15.0);
        let drained = flow.first(full, |s| s.queue < 100.0).unwrap_or(f64::INFINITY) - 15.0;
        let back = flow.first(30.0, |s| s.received >= 0.8 * before).unwrap_or(f64::INFINITY) - 30.0;
        let received = flow.mean(19.0, 30.0, |s| s.received);
        println!(
            "{kbps:4} kbit/s, queue {queue:4} ms           {drained:4.1} s                    {received:5.0}           {back:4.1} s"
        );
    }
    println!("two flows, the second after 20 s  first, second, mean queue from 80 to 140 s");
    for kbps in [400, 1_000, 2_000, 4_000] {
        for pictures in [false, true] {
            let mut network = Network::new(thin(kbps, 300), 1).adaptive(3_000, 0.0).adaptive(3_000, 20.0);
            network.flows.iter_mut().for_each(|flow| flow.pictures = pictures);
            network.flows[1].picture_interval = std::time::Duration::from_micros(33_400);
            network.run_to(140.0);
            let received = |flow: &Flow| flow.mean(80.0, 140.0, |s| s.received);
            let [first, second] = [received(&network.flows[0]), received(&network.flows[1])];
            let queue = network.flows[0].mean(80.0, 140.0, |s| s.queue);
            let sends = if pictures { "pictures" } else { "evenly" };
            println!("{kbps:4} kbit/s {sends:8}               {first:5.0} {second:5.0} {queue:4.0} ms");
        }
    }
}

fn run(name: &str, pictures: bool, seed: u64) -> Flow {
    let mut network = Network::named(name, seed).adaptive(1_700, 0.0);
    network.flows[0].pictures = pictures;
    network.run_to(60.0);
    network.flows.remove(0)
}
